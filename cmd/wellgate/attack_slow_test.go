package main

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wellgate/wellgate/internal/admit"
)

// wire serves the world's doors on a real socket over TLS, with room for so many connections, and says where.
func (w *world) wire(conns int) (addr string) {
	w.t.Helper()
	both, err := w.h.doors(doorway{hosts: []string{testHost}, tls: true, demo: true, log: slog.New(slog.NewTextHandler(w.logs, nil))}, map[string]string{testHost: "https://" + testHost + "/fhir"})
	w.must(err)
	w.gate = both.gate
	both.conns = admit.NewConns(conns)
	cert, err := madeUp()
	w.must(err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	w.must(err)
	srv := both.server(both)
	go srv.Serve(tls.NewListener(l, inTurn(&tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2", "http/1.1"}})))
	w.t.Cleanup(func() { srv.Close() })
	return l.Addr().String()
}

// call over a fresh or kept connection from an address of this computer.
func wireClient(from string) *http.Client {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 10 * time.Second}
	return &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DialContext: d.DialContext, TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13}}}
}

// dialTLS opens a connection from an address and speaks a protocol.
func dialTLS(from, addr, proto string) (*tls.Conn, error) {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 10 * time.Second}
	c, err := tls.DialWithDialer(&d, "tcp", addr, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13, NextProtos: []string{proto}})
	if err == nil {
		c.SetDeadline(time.Now().Add(30 * time.Second))
	}
	return c, err
}

// REL-21, ATK-64: hundreds (SLOW_CONNS=2000 for more) of connections that dribble a header, dribble a body, or ask for pages
// and read nothing. Somebody with an ordinary browser gets every page; the slow ones hold no place and close each other.
func TestATK64SlowConnections(t *testing.T) {
	w := newWorld(t)
	many := 40
	if s := os.Getenv("SLOW_CONNS"); s != "" {
		n, err := strconv.Atoi(s)
		w.must(err)
		many = n
	}
	b := w.as("amina")
	addr := w.wire(many + 50)
	cookies := ""
	for k, v := range b.cookies {
		cookies += k + "=" + v + "; "
	}
	head := "GET /results HTTP/1.1\r\nHost: " + testHost + "\r\nCookie: " + cookies + "\r\n"
	kinds := map[string]string{
		"header":  "GET /help HTTP/1.1\r\nHost: " + testHost + "\r\nX: ",
		"body":    "POST /preferences HTTP/1.1\r\nHost: " + testHost + "\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 60000\r\n\r\na",
		"reading": strings.Repeat(head+"\r\n", 20),
	}
	var mu sync.Mutex
	var slow []net.Conn
	defer func() {
		for _, c := range slow {
			c.Close()
		}
	}()
	var wg sync.WaitGroup
	for i := range 8 { // a few at a time: the handshakes of this side cost as much as the other's
		wg.Go(func() {
			for n := i; n < 2*many; n += 8 {
				c, err := dialTLS("127.0.0.2", addr, "http/1.1")
				if err != nil {
					continue // turned away, or closed for another
				}
				kind := []string{"header", "body", "reading"}[n%3]
				go io.WriteString(c, kinds[kind])
				mu.Lock()
				slow = append(slow, c)
				mu.Unlock()
			}
		})
	}
	good := wireClient("127.0.0.3")
	ask := func() (status int) {
		r, err := http.NewRequest("GET", "https://"+addr+"/help", nil)
		w.must(err)
		r.Host = testHost
		res, err := good.Do(r)
		if err != nil {
			t.Errorf("the ordinary browser: %v", err)
			return 0
		}
		defer res.Body.Close()
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			t.Errorf("the ordinary browser: %v", err)
		}
		return res.StatusCode
	}
	for range 25 {
		if s := ask(); s != 200 {
			t.Errorf("a page beside slow connections: %d", s)
		}
	}
	wg.Wait()
	for range 25 {
		if s := ask(); s != 200 {
			t.Errorf("a page beside slow connections: %d", s)
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.Logf("%d slow connections made; %d MiB of heap in use, both sides in this process", len(slow), m.HeapInuse>>20)
	if perConn := m.HeapInuse / uint64(2*many); m.HeapInuse > 256<<20 && perConn > 256<<10 {
		t.Errorf("%d KiB of heap for each slow connection", perConn>>10)
	}
	w.restful("the slow ones, still there, hold places")
}

// restful waits until nobody has a place: what was asked for is made sooner or later, whether anybody reads it or not.
func (w *world) restful(otherwise string) {
	w.t.Helper()
	for range 300 {
		if s := w.gate.Stats(); s.InWork == 0 && s.Waiting == 0 {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	w.t.Errorf("%s: %+v", otherwise, w.gate.Stats())
}

// h2frame is one of HTTP/2.
func h2frame(kind, flags byte, stream uint32, payload []byte) []byte {
	b := []byte{byte(len(payload) >> 16), byte(len(payload) >> 8), byte(len(payload)), kind, flags}
	return append(binary.BigEndian.AppendUint32(b, stream), payload...)
}

// ATK-64: HTTP/2's own floods: streams opened and reset at once (CVE-2023-44487), a header that never ends (CVE-2023-45288), and
// more streams than are allowed. Each ends the connection or is refused; others go on.
func TestATK64HTTP2Floods(t *testing.T) {
	w := newWorld(t)
	addr := w.wire(1000)
	get := append([]byte{0x82, 0x87, 0x04, 5}, "/help"...) // :method GET, :scheme https, :path /help
	get = append(append(get, 0x01, byte(len(testHost))), testHost...)
	preface := append([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), h2frame(4, 0, 0, nil)...)
	for name, flood := range map[string]func(i uint32) []byte{
		"reset at once": func(i uint32) []byte {
			return append(h2frame(1, 5, 2*i+1, get), h2frame(3, 0, 2*i+1, []byte{0, 0, 0, 8})...)
		},
		"a header that never ends": func(i uint32) []byte {
			if i == 0 {
				return h2frame(1, 1, 1, get)
			}
			return h2frame(9, 0, 1, bytes.Repeat([]byte{0x00, 1, 'x', 1, 'y'}, 1000))
		},
		"too many streams": func(i uint32) []byte { return h2frame(1, 4, 2*i+1, get) },
	} {
		c, err := dialTLS("127.0.0.2", addr, "h2")
		w.must(err)
		c.Write(preface)
		go io.Copy(io.Discard, c)
		var werr error
		c.SetWriteDeadline(time.Now().Add(10 * time.Second))
		for i := uint32(0); i < 20_000 && werr == nil; i++ {
			_, werr = c.Write(flood(i))
		}
		if werr == nil && name == "a header that never ends" {
			t.Errorf("%s: the connection is still there", name)
		}
		c.Close()
		good := wireClient("127.0.0.3")
		r, _ := http.NewRequest("GET", "https://"+addr+"/help", nil)
		r.Host = testHost
		res, err := good.Do(r)
		if err != nil || res.StatusCode != 200 {
			t.Errorf("after %s: %v %v", name, res, err)
			continue
		}
		res.Body.Close()
	}
	w.restful("the floods left places taken")
}
