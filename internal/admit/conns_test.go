package admit

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A line is a connection from an address.
type line struct {
	net.Conn
	from   string
	closed bool
}

func (l *line) RemoteAddr() net.Addr {
	if l.from == "" {
		return &net.UnixAddr{}
	}
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(l.from), 1))
}
func (l *line) Close() error { l.closed = true; return nil }

// Ten thousand connections from somewhere close each other, the oldest first; the few from elsewhere stay.
func TestConnectionsCloseTheirOwn(t *testing.T) {
	c := NewConns(100)
	var good, bad []*line
	for _, from := range []string{"192.0.2.1", "192.0.2.2", "2001:db8:1::5", ""} {
		for range 5 {
			l := &line{from: from}
			good = append(good, l)
			c.State(l, http.StateNew)
		}
	}
	for i := range 10_000 {
		from := "203.0.113.9"
		if i%2 == 0 {
			from = netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 9, 9, 9, 9, byte(i >> 8), byte(i)}).String() // a network of their own
		}
		l := &line{from: from}
		bad = append(bad, l)
		c.State(l, http.StateNew)
	}
	for _, l := range good {
		if l.closed {
			t.Errorf("a connection from %q was closed for others", l.from)
		}
		c.State(l, http.StateClosed)
	}
	left := 0
	for i, l := range bad {
		if !l.closed {
			left++
		}
		if i < 9_000 && !l.closed {
			t.Fatalf("connection %d is still there", i)
		}
		c.State(l, http.StateClosed)
		c.State(l, http.StateClosed)
	}
	if left != 80 || c.Closed() != 10_000-80 || c.all != 0 || len(c.byAddr)+len(c.at) != 0 {
		t.Errorf("%d left, %d closed, %d counted, %d %d", left, c.Closed(), c.all, len(c.byAddr), len(c.at))
	}
}

// A thousand handshakes at once: a few at a time, and those whose peers never finish hold nobody up for long.
func TestHandshakesTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHandshakes(2)
		var wg sync.WaitGroup
		var mu sync.Mutex
		begun, refused := 0, 0
		start := time.Now()
		for range 1000 {
			wg.Go(func() {
				ctx, stop := context.WithTimeout(context.Background(), 5*time.Second) // the peer says nothing
				defer stop()
				err := h.Enter(ctx)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					begun++
				case errors.Is(err, ErrHandshakes):
					refused++
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if begun < 256 || begun+refused != 1000 || time.Since(start) > handshakeWait {
			t.Errorf("%d begun, %d refused after %v", begun, refused, time.Since(start))
		}
		time.Sleep(time.Second)
		if len(h.places)+len(h.queue) != 0 {
			t.Errorf("places left taken: %d %d", len(h.places), len(h.queue))
		}
	})
}
