package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// BenchmarkPages measures pages over a real loopback connection, signed in, audited and durable, each against a bare
// net/http handler that sends the same bytes in the same run. `make bench` prints time per page and the ratio.
func BenchmarkPages(b *testing.B) {
	w := newWorld(b)
	amina := w.as("amina")
	one := "/results/" + w.first("amina", "Observation", "code=http://loinc.org|4548-4&_sort=-date")
	addr, stop := listenOn(b, w.door)
	defer stop()
	for _, path := range []string{"/help", "/", "/results", one, "/medicines", "/timeline", "/looked"} {
		body := amina.get(path).body
		bareAddr, stopBare := listenOn(b, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) }))
		name := path
		if path == one {
			name = "/results/one"
		}
		bare := perRequest(b, bareAddr, "/", nil)
		b.Run(name[1:]+"_", func(b *testing.B) {
			for b.Loop() {
				fetchPage(b, addr, path, amina)
			}
			each := b.Elapsed() / time.Duration(b.N)
			b.ReportMetric(float64(each)/float64(bare), "x-bare")
			b.ReportMetric(float64(len(body)), "B/page")
		})
		stopBare()
	}
}

func listenOn(b *testing.B, h http.Handler) (addr string, stop func()) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: time.Second}
	go srv.Serve(l)
	return l.Addr().String(), func() { srv.Close() }
}

// perRequest is the time of one request, over enough of them to be steady.
func perRequest(b *testing.B, addr, path string, who *browser) time.Duration {
	const n = 500
	start := time.Now()
	for range n {
		fetchPage(b, addr, path, who)
	}
	return time.Since(start) / n
}

func fetchPage(b *testing.B, addr, path string, who *browser) {
	r, err := http.NewRequest("GET", "http://"+addr+path, nil)
	if err != nil {
		b.Fatal(err)
	}
	if who != nil {
		r.Host = testHost
		for k, v := range who.cookies {
			r.AddCookie(&http.Cookie{Name: k, Value: v})
		}
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	n, _ := io.Copy(io.Discard, res.Body)
	res.Body.Close()
	if res.StatusCode != 200 || n == 0 {
		b.Fatal(fmt.Sprintf("%s: %d, %d bytes", path, res.StatusCode, n))
	}
}
