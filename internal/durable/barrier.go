package durable

import (
	"context"
	"net"
	"sync"
	"time"
)

const (
	// heldLimit bounds what one connection holds; beyond it Write waits until some of it may leave.
	heldLimit = 64 << 10
	// linger bounds how long a connection that was closed with bytes held may take to send them once they may leave.
	linger = 10 * time.Second
)

// A Barrier holds what is written to its connections until the mark reaches the ticket they depend on. It wraps the
// listener below TLS, so it holds ciphertext just the same; an HTTP/2 connection is held as a whole, which is coarse and safe.
type Barrier struct {
	mark *Mark
	kick chan struct{} // capacity 1: the mark moved, or failed
	done chan struct{}
	work sync.WaitGroup

	mu      sync.Mutex // taken after a Conn's mu
	waiting map[uint64][]*Conn
	holding int // connections with bytes held
	empty   sync.Cond
	closed  bool
}

// NewBarrier serves any number of listeners. Close it after them.
func NewBarrier(m *Mark) *Barrier {
	b := &Barrier{mark: m, kick: make(chan struct{}, 1), done: make(chan struct{}), waiting: map[uint64][]*Conn{}}
	b.empty.L = &b.mu
	m.OnChange(func() {
		select {
		case b.kick <- struct{}{}:
		default: // it has been told
		}
	})
	b.work.Go(b.release)
	return b
}

// Listen wraps a listener. Each connection it accepts is a *Conn.
func (b *Barrier) Listen(l net.Listener) net.Listener { return &listener{l, b} }

type listener struct {
	l net.Listener
	b *Barrier
}

func (l *listener) Accept() (net.Conn, error) {
	c, err := l.l.Accept()
	if err != nil {
		return nil, err
	}
	return newConn(c, l.b), nil
}

func (l *listener) Close() error   { return l.l.Close() }
func (l *listener) Addr() net.Addr { return l.l.Addr() }

// release lets bytes go as the mark moves. It writes to each connection once and never waits for a peer.
func (b *Barrier) release() {
	var ready []*Conn
	for {
		select {
		case <-b.kick:
		case <-b.done:
			return
		}
		ready = b.reached(ready[:0])
		for i, c := range ready {
			c.flush()
			ready[i] = nil
		}
	}
}

// reached takes the connections whose ticket is durable; all of them if the mark has failed.
func (b *Barrier) reached(out []*Conn) []*Conn {
	durable, failed := b.mark.Durable(), b.mark.Err() != nil
	b.mu.Lock()
	defer b.mu.Unlock()
	for n, conns := range b.waiting {
		if n <= durable || failed {
			out = append(out, conns...)
			delete(b.waiting, n)
		}
	}
	return out
}

// queue has release flush c when ticket is durable. It says no if that is so already: the mark is asked under mu, so that
// it cannot move between the question and the queue.
func (b *Barrier) queue(c *Conn, ticket uint64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.mark.Durable() >= ticket || b.mark.Err() != nil || b.closed {
		return false
	}
	b.waiting[ticket] = append(b.waiting[ticket], c)
	return true
}

func (b *Barrier) hold(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.holding += n; b.holding == 0 {
		b.empty.Broadcast()
	}
}

// Drain returns once no connection holds bytes, or when ctx ends. After a server's Shutdown it lets the last responses out.
func (b *Barrier) Drain(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { b.mu.Lock(); defer b.mu.Unlock(); b.empty.Broadcast() })()
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.holding > 0 && ctx.Err() == nil {
		b.empty.Wait()
	}
	if b.holding > 0 {
		return ctx.Err()
	}
	return nil
}

// Close lets go of what is still held: its connections are closed, their bytes dropped.
func (b *Barrier) Close() error {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return nil
	}
	b.closed = true
	var left []*Conn
	for n, conns := range b.waiting {
		left = append(left, conns...)
		delete(b.waiting, n)
	}
	b.mu.Unlock()
	close(b.done)
	b.work.Wait()
	for _, c := range left {
		c.fail(ErrClosed)
	}
	return nil
}

type connKey struct{}

// ConnContext is for http.Server.ConnContext: it lets Hold find the connection of a request, also below TLS.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	for c != nil {
		if held, ok := c.(*Conn); ok {
			return context.WithValue(ctx, connKey{}, held)
		}
		under, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		c = under.NetConn()
	}
	return ctx
}

// Hold makes everything that is written from now on to the connection of ctx's request wait for ticket. It says false if
// the request came through no barrier: then the caller must wait for the ticket itself.
func Hold(ctx context.Context, ticket uint64) bool {
	c, ok := ctx.Value(connKey{}).(*Conn)
	if ok {
		c.hold(ticket)
	}
	return ok
}

func (b *Barrier) isClosed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.closed
}
