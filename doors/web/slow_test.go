package web

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/wellgate/wellgate/internal/clock"
	"github.com/wellgate/wellgate/site"
)

// Senders who take their time hold no place: with room for one request, another is served while a body dribbles in.
func TestSlowSendersTakeNoPlace(t *testing.T) {
	now := clock.At(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC))
	d := &Door{Config: Config{Hosts: []string{"portal.example"}, Clock: now, Log: slog.New(slog.NewTextHandler(io.Discard, nil))},
		mux: http.NewServeMux(), assets: site.Assets(), busy: make(chan struct{}, 1)}
	body, send := io.Pipe()
	first := httptest.NewRequest("POST", "http://portal.example/a/none", body)
	done := make(chan struct{})
	go func() { defer close(done); d.ServeHTTP(httptest.NewRecorder(), first) }()
	if _, err := send.Write([]byte("csrf=")); err != nil { // returns once the door reads
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, httptest.NewRequest("GET", "http://portal.example/sw.js", nil))
	if w.Code != http.StatusOK {
		t.Errorf("another request got %d while one was being sent", w.Code)
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
