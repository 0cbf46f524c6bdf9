package admit

import (
	"container/list"
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// Conns bounds the connections that are open at once. When there are too many, the address with the most of them loses its
// oldest: thousands of slow connections from somewhere close each other, and nobody else's. Give its State to
// http.Server.ConnState.
type Conns struct {
	max int

	mu     sync.Mutex
	all    int
	byAddr map[netip.Addr]*list.List // of net.Conn, oldest first
	at     map[net.Conn]*list.Element
	closed int64
}

// NewConns allows max connections.
func NewConns(max int) *Conns {
	return &Conns{max: max, byAddr: map[netip.Addr]*list.List{}, at: map[net.Conn]*list.Element{}}
}

// State is told of each connection's state by its server.
func (c *Conns) State(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		if old := c.add(conn); old != nil {
			old.Close()
		}
	case http.StateClosed, http.StateHijacked:
		c.mu.Lock()
		defer c.mu.Unlock()
		c.remove(conn)
	}
}

// Closed counts the connections that were closed for others.
func (c *Conns) Closed() int64 { c.mu.Lock(); defer c.mu.Unlock(); return c.closed }

// add returns the connection that has to go, if one has.
func (c *Conns) add(conn net.Conn) (old net.Conn) {
	addr := addrOf(conn)
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.byAddr[addr]
	if q == nil {
		q = list.New()
		c.byAddr[addr] = q
	}
	c.at[conn] = q.PushBack(conn)
	if c.all++; c.all <= c.max {
		return nil
	}
	for _, other := range c.byAddr {
		if other.Len() > q.Len() {
			q = other
		}
	}
	old = q.Front().Value.(net.Conn)
	c.remove(old)
	c.closed++
	if wrapped, ok := old.(interface{ NetConn() net.Conn }); ok { // of TLS: no farewell, which could wait for the peer
		return wrapped.NetConn()
	}
	return old
}

func (c *Conns) remove(conn net.Conn) {
	e := c.at[conn]
	if e == nil {
		return
	}
	delete(c.at, conn)
	c.all--
	addr := addrOf(conn)
	q := c.byAddr[addr]
	if q.Remove(e); q.Len() == 0 {
		delete(c.byAddr, addr)
	}
}

// addrOf is where a connection comes from; of IPv6 the network. A Unix socket has no address.
func addrOf(c net.Conn) netip.Addr {
	tcp, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return Network(tcp.AddrPort().Addr())
}

// Network is what counts of an address: all of IPv4, and of IPv6 the network, for one computer has as many addresses in it
// as it likes.
func Network(ip netip.Addr) netip.Addr {
	if ip = ip.Unmap(); ip.Is6() {
		if p, err := ip.WithZone("").Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return ip
}

// ErrHandshakes means that more handshakes wait than can be begun soon.
var ErrHandshakes = errors.New("admit: too many handshakes")

const (
	handshake     = 20 * time.Millisecond // a handshake's own work is done by then; what is left is waiting for the peer
	handshakeWait = 2 * time.Second
)

// Handshakes bounds the TLS handshakes whose keys are worked out at once, so that thousands of new connections leave
// processors to those that are there.
type Handshakes struct {
	places chan struct{}
	queue  chan struct{}
}

// NewHandshakes lets a few handshakes work for each core, and a good many wait.
func NewHandshakes(cores int) *Handshakes {
	return &Handshakes{make(chan struct{}, 2*max(1, cores)), make(chan struct{}, 128*max(1, cores))}
}

// Enter waits for a place, which is given back when ctx, the handshake's own, ends, or when its work must be done.
func (h *Handshakes) Enter(ctx context.Context) error {
	select {
	case h.queue <- struct{}{}:
		defer func() { <-h.queue }()
	default:
		return ErrHandshakes
	}
	t := time.NewTimer(handshakeWait)
	defer t.Stop()
	select {
	case h.places <- struct{}{}:
	case <-t.C:
		return ErrHandshakes
	case <-ctx.Done():
		return ctx.Err()
	}
	leave := sync.OnceFunc(func() { <-h.places })
	context.AfterFunc(ctx, leave)
	time.AfterFunc(handshake, leave)
	return nil
}
