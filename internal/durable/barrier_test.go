package durable

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A held is a server behind a barrier whose mark the test moves by hand. Each request takes the next ticket and answers
// with n bytes, as its query says.
type held struct {
	mark    *Mark
	barrier *Barrier
	srv     *httptest.Server
	ticket  atomic.Uint64
}

func serveHeld(t *testing.T, kind string) *held {
	h := &held{mark: NewMark(0)}
	h.barrier = NewBarrier(h.mark)
	h.srv = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !Hold(r.Context(), h.ticket.Add(1)) {
			t.Error("the request's connection has no barrier")
		}
		n, _ := strconv.Atoi(r.URL.Query().Get("n"))
		io.WriteString(w, strings.Repeat("x", max(n, 10)))
	}))
	h.srv.Listener = h.barrier.Listen(h.srv.Listener)
	h.srv.Config.ConnContext = ConnContext
	switch kind {
	case "plain":
		h.srv.Start()
	case "tls":
		h.srv.StartTLS()
	case "h2":
		h.srv.EnableHTTP2 = true
		h.srv.StartTLS()
	}
	t.Cleanup(func() { h.mark.Reach(1 << 60); h.srv.Close(); h.barrier.Close() })
	return h
}

// holding waits until n connections hold bytes.
func (h *held) holding(t *testing.T, n int) {
	t.Helper()
	for range 2000 {
		h.barrier.mu.Lock()
		now := h.barrier.holding
		h.barrier.mu.Unlock()
		if now == n {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("never %d connections held", n)
}

type got struct {
	n   int
	err error
}

func (h *held) get(query string, header ...string) chan got {
	out := make(chan got, 1)
	r, _ := http.NewRequest("GET", h.srv.URL+"/?"+query, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	r.Close = r.Header.Get("Connection") == "close"
	go func() {
		res, err := h.srv.Client().Do(r)
		if err != nil {
			out <- got{0, err}
			return
		}
		b, err := io.ReadAll(res.Body)
		res.Body.Close()
		out <- got{len(b), err}
	}()
	return out
}

func TestNothingLeavesBeforeItsTicket(t *testing.T) {
	for _, kind := range []string{"plain", "tls", "h2"} {
		for _, size := range []int{10, 17000, 1 << 20} {
			for _, last := range []string{"keep-alive", "close"} {
				t.Run(fmt.Sprint(kind, size, last), func(t *testing.T) {
					h := serveHeld(t, kind)
					if kind != "plain" { // the handshake and a first response
						first := h.get("")
						h.holding(t, 1)
						h.mark.Reach(1)
						if a := <-first; a.err != nil {
							t.Fatal(a.err)
						}
					}
					next := h.ticket.Load() + 1
					res := h.get(fmt.Sprint("n=", size), "Connection", last)
					h.holding(t, 1)
					h.mark.Reach(next - 1)
					select {
					case a := <-res:
						t.Fatalf("answered before its ticket: %+v", a)
					case <-time.After(30 * time.Millisecond):
					}
					h.mark.Reach(next)
					if a := <-res; a.err != nil || a.n != size {
						t.Errorf("after its ticket: %d bytes of %d, %v", a.n, size, a.err)
					}
					h.holding(t, 0)
				})
			}
		}
	}
}

// Requests in one pipeline leave each with its own ticket, in order.
func TestPipeline(t *testing.T) {
	h := serveHeld(t, "plain")
	c, err := net.Dial("tcp", h.srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, strings.Repeat("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 3))
	r := bufio.NewReader(c)
	for h.ticket.Load() < 3 {
		time.Sleep(time.Millisecond)
	}
	for n := uint64(1); n <= 3; n++ {
		c.SetReadDeadline(time.Now().Add(30 * time.Millisecond))
		if _, err := r.Peek(1); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("a byte before ticket %d: %v", n, err)
		}
		c.SetReadDeadline(time.Now().Add(time.Minute))
		h.mark.Reach(n)
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, res.Body)
	}
}

func TestShutdownLetsHeldBytesOut(t *testing.T) {
	for _, kind := range []string{"plain", "tls", "h2"} {
		h := serveHeld(t, kind)
		res := h.get("n=5000")
		h.holding(t, 1)
		down := make(chan error, 1)
		go func() {
			err := h.srv.Config.Shutdown(context.Background())
			down <- errors.Join(err, h.barrier.Drain(context.Background()))
		}()
		select {
		case a := <-res:
			t.Fatalf("%s: answered before its ticket: %+v", kind, a)
		case <-time.After(30 * time.Millisecond):
		}
		h.mark.Reach(1)
		if a := <-res; a.err != nil || a.n != 5000 {
			t.Errorf("%s: %+v", kind, a)
		}
		h.srv.CloseClientConnections()
		if err := <-down; err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// A failed log lets nothing out: connections that hold bytes are cut.
func TestAFailureCutsWhatIsHeld(t *testing.T) {
	for _, kind := range []string{"plain", "tls", "h2"} {
		for _, size := range []int{10, 1 << 20} {
			h := serveHeld(t, kind)
			res := h.get(fmt.Sprint("n=", size))
			h.holding(t, 1)
			h.mark.Fail(ErrStopped)
			if a := <-res; a.err == nil || a.n != 0 {
				t.Errorf("%s: %d bytes left although the disk failed, %v", kind, a.n, a.err)
			}
			h.holding(t, 0)
		}
	}
}

// Thousands hold at once; each gets its answer by one move of the mark. A reader who takes nothing stops nobody.
func TestManyHeldAndOneSlow(t *testing.T) {
	const n = 1500
	h := serveHeld(t, "plain")
	slow, err := net.Dial("tcp", h.srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	fmt.Fprintf(slow, "GET /?n=%d HTTP/1.1\r\nHost: a\r\n\r\n", 16<<20)
	h.holding(t, 1)
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			c, err := net.Dial("tcp", h.srv.Listener.Addr().String())
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
			if b, err := io.ReadAll(c); err != nil || !strings.HasSuffix(string(b), "xxxxxxxxxx") {
				t.Errorf("%q, %v", b, err)
			}
		})
	}
	h.holding(t, n+1)
	h.mark.Reach(h.ticket.Load())
	wg.Wait()
	res, err := http.ReadResponse(bufio.NewReader(slow), nil)
	if err != nil {
		t.Fatal(err)
	}
	if k, err := io.Copy(io.Discard, res.Body); k != 16<<20 || err != nil {
		t.Errorf("the slow reader got %d bytes, %v", k, err)
	}
}

// Nothing of the socket shows through that would go around the barrier.
func TestConnShowsNothingBeneath(t *testing.T) {
	var c any = &Conn{}
	if _, ok := c.(io.ReaderFrom); ok {
		t.Error("ReadFrom goes around the barrier")
	}
	if _, ok := c.(interface{ NetConn() net.Conn }); ok {
		t.Error("NetConn goes around the barrier")
	}
	if _, ok := c.(interface{ File() (*os.File, error) }); ok {
		t.Error("File goes around the barrier")
	}
	if ctx := ConnContext(context.Background(), tls.Server(&Conn{}, nil)); ctx.Value(connKey{}) == nil {
		t.Error("a connection below TLS is not found")
	}
	if Hold(context.Background(), 1) {
		t.Error("Hold without a connection says that it holds")
	}
}

func TestAFullConnKeepsToItsDeadline(t *testing.T) {
	b := NewBarrier(NewMark(0))
	defer b.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l = b.Listen(l)
	defer l.Close()
	peer, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c.(*Conn).hold(1)
	c.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
	n, err := c.Write(make([]byte, 2*heldLimit))
	if n != heldLimit || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%d bytes taken, %v", n, err)
	}
	c.Close()
	b.mark.Reach(1)
	if k, _ := io.Copy(io.Discard, peer); k != 0 {
		t.Errorf("%d bytes left after their deadline", k)
	}
}
