package web

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
)

// A trace records in which order bytes and releases happen.
type trace struct {
	*httptest.ResponseRecorder
	events []string
}

func (t *trace) Write(p []byte) (int, error) {
	t.events = append(t.events, "bytes")
	return t.ResponseRecorder.Write(p)
}

func (t *trace) WriteHeader(s int) {
	t.events = append(t.events, "header")
	t.ResponseRecorder.WriteHeader(s)
}

func run(method, accept string, release func() error, write func(http.ResponseWriter)) (*trace, error) {
	t := &trace{ResponseRecorder: httptest.NewRecorder()}
	r := httptest.NewRequest(method, "/", nil)
	r.Header.Set("Accept-Encoding", accept)
	b := newBarrier(t, r, func(context.Context) error {
		t.events = append(t.events, "durable")
		return release()
	})
	write(b)
	return t, b.finish()
}

func ok() error { return nil }

func page(n int) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusAccepted)
		for range n {
			io.WriteString(w, strings.Repeat("health data ", 1000))
		}
	}
}

func TestNothingLeavesBeforeTheEntryIsDurable(t *testing.T) {
	tr, err := run("GET", "", ok, page(3))
	if err != nil || strings.Join(tr.events, " ") != "durable header bytes" || tr.Code != http.StatusAccepted {
		t.Errorf("a page: %v, %v, %d", tr.events, err, tr.Code)
	}
	if tr.Body.Len() != 36000 {
		t.Errorf("%d bytes of 36000 left", tr.Body.Len())
	}
	// A long response goes out in parts; each part waits for the entries of what it may hold.
	tr, err = run("GET", "", ok, page(200))
	if err != nil || tr.events[0] != "durable" || tr.Body.Len() != 200*12000 {
		t.Errorf("a long response: %v…, %v, %d bytes", tr.events[:3], err, tr.Body.Len())
	}
	for i, e := range tr.events {
		if e == "bytes" && tr.events[i-1] != "durable" && tr.events[i-1] != "header" {
			t.Errorf("part %d left without waiting: %v", i, tr.events[:i+1])
		}
	}
}

func TestNothingLeavesWhenTheEntryFails(t *testing.T) {
	broken := errors.New("disk")
	for name, n := range map[string]int{"page": 3, "long": 200} {
		tr, err := run("GET", "br", func() error { return broken }, page(n))
		if !errors.Is(err, broken) || tr.Body.Len() != 0 || strings.Contains(strings.Join(tr.events, " "), "header") {
			t.Errorf("%s: %v, %d bytes left, %v", name, err, tr.Body.Len(), tr.events)
		}
	}
	// The entry of a later part fails: what was released before is out, nothing after it.
	calls := 0
	tr, err := run("GET", "", func() error {
		if calls++; calls > 1 {
			return broken
		}
		return nil
	}, page(400))
	if !errors.Is(err, broken) || tr.Body.Len() > holdLimit+12000 {
		t.Errorf("after a failed entry %d bytes had left, %v", tr.Body.Len(), err)
	}
}

func TestCompressedAndHeadKeepThePromise(t *testing.T) {
	for _, n := range []int{3, 200} {
		tr, err := run("GET", "gzip, br;q=1.0", ok, page(n))
		if err != nil || tr.Header().Get("Content-Encoding") != "br" || tr.events[0] != "durable" {
			t.Fatalf("compressed: %v %v %v", tr.Header(), err, tr.events[:1])
		}
		plain, err := io.ReadAll(brotli.NewReader(bytes.NewReader(tr.Body.Bytes())))
		if err != nil || len(plain) != n*12000 {
			t.Errorf("%d parts: %d bytes after brotli, %v", n, len(plain), err)
		}
	}
	tr, err := run("HEAD", "", ok, page(200))
	if err != nil || tr.Body.Len() != 0 || tr.events[0] != "durable" {
		t.Errorf("HEAD: %d bytes, %v, %v", tr.Body.Len(), err, tr.events[:1])
	}
	tr, _ = run("GET", "br;q=0", ok, page(1))
	if tr.Header().Get("Content-Encoding") != "" {
		t.Error("sent brotli to a browser that refused it")
	}
}
