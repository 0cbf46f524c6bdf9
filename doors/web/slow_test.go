package web

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/wellgate/wellgate/internal/admit"
	"github.com/wellgate/wellgate/internal/clock"
	"github.com/wellgate/wellgate/site"
	"github.com/wellgate/wellgate/trust/identity"
)

func slowDoor(now clock.Clock) *Door {
	d := &Door{Config: Config{
		Hosts: []string{"portal.example"}, Clock: now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Identity: &identity.Identity{},
		Gate: admit.New(admit.Config{Cores: 1, Clock: now, Delay: admit.Delay()}),
	}, mux: http.NewServeMux(), assets: site.Assets()}
	for _, path := range []string{"GET /healthz", "GET /health"} {
		d.mux.Handle(path, d.page(Route{path, "health", Anyone, health}))
	}
	return d
}

// Senders who take their time hold no place: with room for one request, another is served while a body dribbles in.
func TestSlowSendersTakeNoPlace(t *testing.T) {
	now := clock.At(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC))
	d := slowDoor(now)
	body, send := io.Pipe()
	first := httptest.NewRequest("GET", "http://portal.example/health", body)
	done := make(chan struct{})
	go func() { defer close(done); d.ServeHTTP(httptest.NewRecorder(), first) }()
	if _, err := send.Write([]byte("csrf=")); err != nil { // returns once the door reads
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, httptest.NewRequest("GET", "http://portal.example/sw.js", nil))
	if w.Code != http.StatusOK || d.Gate.Stats().InWork != 0 {
		t.Errorf("another request got %d while one was being sent, %d places taken", w.Code, d.Gate.Stats().InWork)
	}
	send.Close()
	<-done
}

// What is longer than a form is refused, whether its length is said or not.
func TestLongBodiesAreRefused(t *testing.T) {
	d := &Door{Config: Config{Hosts: []string{"portal.example"}}}
	for _, said := range []bool{true, false} {
		r := httptest.NewRequest("POST", "http://portal.example/", strings.NewReader(strings.Repeat("a", bodyLimit+1)))
		if !said {
			r.ContentLength = -1
		}
		if err := d.admit(httptest.NewRecorder(), r); err != errLarge {
			t.Errorf("length said %v: %v", said, err)
		}
		r = httptest.NewRequest("POST", "http://portal.example/", strings.NewReader("a=b"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if err := d.admit(httptest.NewRecorder(), r); err != nil || r.FormValue("a") != "b" {
			t.Errorf("length said %v: a short body is lost: %v", said, err)
		}
	}
}

// stuck is a reader who takes nothing.
type stuck struct {
	*httptest.ResponseRecorder
	writing, free chan struct{}
}

func (s stuck) Write([]byte) (int, error) {
	close(s.writing)
	<-s.free
	return 0, io.ErrClosedPipe
}

// Readers who take their time hold no place either: not of a file of ours, not of a page.
func TestSlowReadersTakeNoPlace(t *testing.T) {
	now := clock.At(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC))
	d := slowDoor(now)

	for _, path := range []string{"/sw.js", "/healthz", "/health"} {
		s := stuck{httptest.NewRecorder(), make(chan struct{}), make(chan struct{})}
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer func() { recover() }() // a cut connection
			d.ServeHTTP(s, httptest.NewRequest("GET", "http://portal.example"+path, nil))
		}()
		<-s.writing
		if d.Gate.Stats().InWork != 0 {
			t.Errorf("who reads %s slowly holds a place", path)
		}
		close(s.free)
		<-done
		if d.Gate.Stats().InWork != 0 {
			t.Errorf("%s left its place taken", path)
		}
	}
}
