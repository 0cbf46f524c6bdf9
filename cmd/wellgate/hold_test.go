package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wellgate/wellgate/internal/durable"
)

// served is the world's practice behind a real listener, with the barrier as the program has it.
func (w *world) served(secure bool) (addr string, ended <-chan error, stop func()) {
	w.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	w.must(err)
	ln := w.h.hold(l)
	if secure {
		cert, err := madeUp()
		w.must(err)
		ln = tls.NewListener(ln, &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2", "http/1.1"}})
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	srv := &http.Server{Handler: w.door, ConnContext: durable.ConnContext, ReadHeaderTimeout: 5 * time.Second}
	go func() { done <- serve(ctx, ln, srv, w.h) }()
	return l.Addr().String(), done, cancel
}

// page asks for one over a connection, and gives the status and the bytes that came.
func (w *world) page(c *http.Client, scheme, addr, path string, who *browser) (int, int, error) {
	r, err := http.NewRequest("GET", scheme+"://"+addr+path, nil)
	w.must(err)
	r.Host = testHost
	for k, v := range who.cookies {
		r.AddCookie(&http.Cookie{Name: k, Value: v})
	}
	res, err := c.Do(r)
	if err != nil {
		return 0, 0, err
	}
	defer res.Body.Close()
	n, err := io.Copy(io.Discard, res.Body)
	return res.StatusCode, int(n), err
}

// When the disk of the file of reads fails, the program ends by itself and says why; a page that waits for it never leaves.
func TestDiskErrorEndsTheProgram(t *testing.T) {
	for _, secure := range []bool{false, true} {
		w := newWorld(t)
		amina := w.as("amina")
		addr, ended, stop := w.served(secure)
		scheme := map[bool]string{false: "http", true: "https"}[secure]
		c := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}, Timeout: 20 * time.Second}
		if status, n, err := w.page(c, scheme, addr, "/results", amina); status != 200 || n == 0 {
			t.Fatalf("%d, %d bytes, %v", status, n, err)
		}
		w.h.charts.Audit().Mark().Fail(errors.New("the disk of this test"))
		if status, n, err := w.page(c, scheme, addr, "/results", amina); status == 200 && err == nil {
			t.Errorf("a page of %d bytes left after the disk failed", n)
		}
		select {
		case err := <-ended:
			if err == nil || !strings.Contains(err.Error(), "the disk of this test") {
				t.Errorf("ended with %v", err)
			}
		case <-time.After(20 * time.Second):
			t.Error("the program goes on")
		}
		stop()
		c.CloseIdleConnections()
		w.close()
	}
}

// A stop lets answers out that wait for the disk, and closes the folder of reads empty.
func TestStopLetsAnswersOut(t *testing.T) {
	w := newWorld(t)
	amina := w.as("amina")
	addr, ended, stop := w.served(false)
	conn, err := net.Dial("tcp", addr)
	w.must(err)
	defer conn.Close()
	fmt.Fprintf(conn, "GET /results HTTP/1.1\r\nHost: %s\r\n", testHost)
	for k, v := range amina.cookies {
		fmt.Fprintf(conn, "Cookie: %s=%s\r\n", k, v)
	}
	fmt.Fprint(conn, "Connection: close\r\n\r\n")
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	w.must(err)
	stop()
	if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != 200 {
		t.Errorf("%d, %v", res.StatusCode, err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	before := readSalts(t, w.dir)
	w.close()
	for salt := range readSalts(t, w.dir) {
		if before[salt] {
			t.Error("a segment of the file of reads has its key after the end")
		}
	}
}
