package web

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/andybalholm/brotli"
)

// holdLimit is how much of a response is held before it goes out in parts. A page fits; a whole record does not.
const holdLimit = 1 << 20

// A barrier holds a response until the audit entry of everything it may contain is durable. A handler has no other writer,
// so a forgotten wait cannot leak a body (DESIGN §5). When the entry cannot be written, nothing leaves.
type barrier struct {
	w       http.ResponseWriter
	r       *http.Request
	release func(context.Context) error
	header  http.Header
	held    bytes.Buffer
	status  int
	out     interface {
		Write([]byte) (int, error)
		Close() error
	} // compressor of a response that goes out in parts
	begun bool
	err   error
}

func newBarrier(w http.ResponseWriter, r *http.Request, release func(context.Context) error) *barrier {
	return &barrier{w: w, r: r, release: release, header: w.Header().Clone()}
}

func (b *barrier) Header() http.Header { return b.header }

func (b *barrier) WriteHeader(status int) {
	if b.status == 0 {
		b.status = status
	}
}

func (b *barrier) Write(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	b.WriteHeader(http.StatusOK)
	n, _ := b.held.Write(p)
	if b.held.Len() >= holdLimit {
		b.err = b.part()
	}
	return n, b.err
}

// part lets out what is held of a long response, after its trace is durable.
func (b *barrier) part() error {
	if err := b.release(b.r.Context()); err != nil {
		return err
	}
	if !b.begun {
		b.begun = true
		b.copyHeader()
		b.w.Header().Del("Content-Length")
		if b.compress() {
			b.w.Header().Set("Content-Encoding", "br")
			b.out = brotli.NewWriterLevel(b.w, 4)
		}
		b.w.WriteHeader(b.status)
	}
	if b.r.Method == http.MethodHead {
		b.held.Reset()
		return nil
	}
	visitOf(b.r).sending()
	defer visitOf(b.r).working()
	extend(b.w, visitOf(b.r), b.held.Len())
	var err error
	if b.out != nil {
		_, err = b.out.Write(b.held.Bytes())
	} else {
		_, err = b.w.Write(b.held.Bytes())
	}
	b.held.Reset()
	return err
}

// finish lets the response out. An error before anything left means that an error page may still be sent.
func (b *barrier) finish() error {
	if b.err != nil {
		return b.err
	}
	if b.begun {
		if err := b.part(); err != nil {
			return err
		}
		if b.out != nil {
			return b.out.Close()
		}
		return nil
	}
	if err := b.release(b.r.Context()); err != nil {
		return err
	}
	if b.status == 0 {
		b.status = http.StatusOK
	}
	body := b.held.Bytes()
	b.copyHeader()
	if len(body) > 512 && b.compress() {
		var small bytes.Buffer
		bw := brotli.NewWriterLevel(&small, 5)
		bw.Write(body)
		bw.Close()
		body = small.Bytes()
		b.w.Header().Set("Content-Encoding", "br")
	}
	if b.status != http.StatusNoContent && b.status != http.StatusNotModified {
		b.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	b.w.WriteHeader(b.status)
	if b.r.Method == http.MethodHead || len(body) == 0 { // HTTP/2 takes even an empty write after 204 for an error
		return nil
	}
	visitOf(b.r).sending()
	_, err := b.w.Write(body)
	return err
}

func (b *barrier) copyHeader() {
	h := b.w.Header()
	clear(h)
	for k, v := range b.header {
		h[k] = v
	}
}

// compress says whether the body is text and the browser reads brotli.
func (b *barrier) compress() bool {
	b.w.Header().Add("Vary", "Accept-Encoding")
	if b.header.Get("Content-Encoding") != "" || !acceptsBrotli(b.r.Header.Get("Accept-Encoding")) {
		return false
	}
	ct, _, _ := strings.Cut(b.header.Get("Content-Type"), ";")
	switch strings.TrimSpace(ct) {
	case "text/html", "text/plain", "text/css", "text/calendar", "application/json", "application/fhir+json", "image/svg+xml":
		return true
	}
	return false
}

func acceptsBrotli(accept string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.TrimSpace(name) == "br" {
			return strings.ReplaceAll(strings.TrimSpace(q), " ", "") != "q=0"
		}
	}
	return false
}
