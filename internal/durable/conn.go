package durable

import (
	"cmp"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A Conn holds bytes for its Barrier. It embeds nothing: a ReadFrom or a SyscallConn of the socket would go around it.
type Conn struct {
	c      net.Conn
	b      *Barrier
	raw    syscall.RawConn // nil where a write cannot be tried without waiting
	ticket atomic.Uint64   // what is written from now on depends on it

	writing sync.Mutex // one Write at a time; taken before mu

	mu       sync.Mutex
	changed  sync.Cond // room was made, a deadline was set, or the end came
	held     []byte
	parts    []part    // of held, in order
	queued   bool      // release will come by
	flushing bool      // somebody sends from held
	deadline time.Time // of Writes from now on
	applied  time.Time // the socket's: of the newest bytes held
	err      error     // of sending held bytes; later Writes get it
	closing  bool      // close as soon as held is empty
	half     bool      // close the sending side as soon as held is empty
	last     *time.Timer
}

// A part is what was written under one ticket.
type part struct {
	ticket uint64
	end    int // in held
}

var buffers = sync.Pool{New: func() any { return new([]byte) }}

func newConn(c net.Conn, b *Barrier) *Conn {
	h := &Conn{c: c, b: b}
	h.changed.L = &h.mu
	if s, ok := c.(syscall.Conn); ok && canTry {
		if raw, err := s.SyscallConn(); err == nil {
			h.raw = raw
		}
	}
	return h
}

// hold ends the connection if it depends on a lost ticket: with a later one its bytes could leave.
func (c *Conn) hold(ticket uint64) {
	err := c.b.mark.lostErr(ticket)
	for err == nil {
		old := c.ticket.Load()
		if err = c.b.mark.lostErr(old); err == nil && (old >= ticket || c.ticket.CompareAndSwap(old, ticket)) {
			return
		}
	}
	c.fail(err)
}

// Write sends p at once if all that it depends on is durable and nothing stands before it. Else it keeps a copy and
// returns; beyond heldLimit it waits. An error of sending kept bytes is reported by the next Write.
func (c *Conn) Write(p []byte) (n int, err error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	for first := true; first || len(p) > 0; first = false {
		c.mu.Lock()
		if err := c.over(); err != nil {
			c.mu.Unlock()
			return n, err
		}
		ticket := c.ticket.Load()
		if len(c.held) == 0 && c.b.mark.Durable() >= ticket {
			if err := c.b.mark.lostErr(ticket); err != nil {
				c.end(err)
				c.mu.Unlock()
				return n, err
			}
			c.mu.Unlock()
			k, err := c.c.Write(p)
			return n + k, err
		}
		room := heldLimit - len(c.held)
		if room <= 0 {
			c.wait()
			c.mu.Unlock()
			continue
		}
		k := min(room, len(p))
		c.keep(p[:k], ticket)
		n, p = n+k, p[k:]
		flush := !c.queued && !c.flushing && !c.enqueue()
		c.mu.Unlock()
		if flush {
			c.flush()
		}
	}
	return n, nil
}

// over, wait, keep, enqueue, ready, drop, apply, sent and end are called with mu held.
func (c *Conn) over() error {
	switch {
	case c.err != nil:
		return c.err
	case c.closing || c.half:
		return net.ErrClosed
	case !c.deadline.IsZero() && time.Until(c.deadline) <= 0:
		return os.ErrDeadlineExceeded
	}
	return nil
}

// wait returns when something changed, the deadline included.
func (c *Conn) wait() {
	if !c.deadline.IsZero() {
		t := time.AfterFunc(time.Until(c.deadline), c.wake)
		defer t.Stop()
	}
	c.changed.Wait()
}

func (c *Conn) wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changed.Broadcast()
}

func (c *Conn) keep(p []byte, ticket uint64) {
	if len(c.held) == 0 {
		c.b.hold(1)
		if c.held == nil {
			c.held = (*buffers.Get().(*[]byte))[:0]
		}
	}
	c.apply()
	c.held = append(c.held, p...)
	if n := len(c.parts); n > 0 && c.parts[n-1].ticket == ticket {
		c.parts[n-1].end = len(c.held)
		return
	}
	c.parts = append(c.parts, part{ticket, len(c.held)})
}

// enqueue has the barrier come by when the first part may leave; no if it may now.
func (c *Conn) enqueue() bool {
	c.queued = c.b.queue(c, c.parts[0].ticket)
	return c.queued
}

// ready is how many bytes of held may leave; an error if some never may.
func (c *Conn) ready() (int, error) {
	n, durable := 0, c.b.mark.Durable()
	for _, p := range c.parts {
		if p.ticket > durable {
			break
		}
		if err := c.b.mark.lostErr(p.ticket); err != nil {
			return 0, err
		}
		n = p.end
	}
	return n, nil
}

// drop forgets the first n bytes, which have left.
func (c *Conn) drop(n int) {
	c.held = c.held[:copy(c.held, c.held[n:])]
	kept := c.parts[:0]
	for _, p := range c.parts {
		if p.end > n {
			kept = append(kept, part{p.ticket, p.end - n})
		}
	}
	c.parts = kept
	if len(c.held) == 0 {
		c.emptied()
	}
	c.changed.Broadcast()
}

func (c *Conn) emptied() {
	c.apply()
	c.b.hold(-1)
	buf := c.held[:0]
	c.held = nil
	buffers.Put(&buf)
}

// flush sends what may leave, without waiting for the peer. One at a time sends; the rest of a slow peer has a goroutine.
func (c *Conn) flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queued = false
	if c.flushing || len(c.held) == 0 {
		return
	}
	for {
		n, err := c.ready()
		if n == 0 {
			if err = cmp.Or(err, c.b.mark.Err()); err != nil {
				c.end(err)
			} else if !c.enqueue() {
				if c.b.isClosed() {
					c.end(ErrClosed)
					return
				}
				continue // it became durable, or failed, meanwhile
			}
			return
		}
		p := c.held[:n] // Write may append behind it; only drop moves it
		c.flushing = true
		if c.raw == nil {
			go c.send(p)
			return
		}
		c.mu.Unlock()
		k, err := c.try(p)
		c.mu.Lock()
		if err == nil && k < n && c.err == nil {
			c.drop(k)
			go c.send(c.held[:n-k])
			return
		}
		if !c.sent(k, err) {
			return
		}
	}
}

// sent takes note of what left; it says whether there is more to look at.
func (c *Conn) sent(n int, err error) bool {
	c.flushing = false
	if err == nil {
		err = c.err // closed meanwhile
	}
	if err != nil {
		c.end(err)
		return false
	}
	c.drop(n)
	if len(c.held) > 0 {
		return true
	}
	if c.half {
		c.closeWrite()
	}
	if c.closing {
		c.end(net.ErrClosed)
	}
	return false
}

// send waits for a slow peer.
func (c *Conn) send(p []byte) {
	n, err := c.c.Write(p)
	c.mu.Lock()
	more := c.sent(n, err)
	c.mu.Unlock()
	if more {
		c.flush()
	}
}

// end drops what is held and closes: part of a response may have left, and nothing can follow it.
func (c *Conn) end(err error) {
	if c.err == nil {
		c.err = err
	}
	if len(c.held) > 0 && !c.flushing {
		c.parts = nil
		c.emptied()
	}
	if c.last != nil {
		c.last.Stop()
	}
	c.c.Close()
	c.changed.Broadcast()
}

func (c *Conn) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end(err)
}

// Close lets held bytes leave first, once they may, for at most linger after that. Reads end now.
func (c *Conn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil || c.closing {
		return net.ErrClosed
	}
	if len(c.held) == 0 {
		c.end(net.ErrClosed)
		return nil
	}
	c.closing = true
	c.c.SetReadDeadline(time.Unix(1, 0))
	c.last = time.AfterFunc(linger, func() { c.fail(os.ErrDeadlineExceeded) })
	c.changed.Broadcast()
	return nil
}

// CloseWrite ends the sending side after what is held.
func (c *Conn) CloseWrite() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.over(); err != nil {
		return err
	}
	if len(c.held) > 0 {
		c.half = true
		return nil
	}
	return c.closeWrite()
}

func (c *Conn) closeWrite() error {
	if h, ok := c.c.(interface{ CloseWrite() error }); ok {
		return h.CloseWrite()
	}
	return nil
}

func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.c.Read(p)
	if err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.closing {
			err = net.ErrClosed
		}
	}
	return n, err
}

func (c *Conn) LocalAddr() net.Addr  { return c.c.LocalAddr() }
func (c *Conn) RemoteAddr() net.Addr { return c.c.RemoteAddr() }

func (c *Conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

func (c *Conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return net.ErrClosed
	}
	return c.c.SetReadDeadline(t)
}

// SetWriteDeadline leaves the bytes already held the time they had: tls.Conn sets a passed deadline as it closes.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = t
	c.changed.Broadcast()
	if len(c.held) > 0 {
		return nil
	}
	return c.apply()
}

func (c *Conn) apply() error {
	if c.applied.Equal(c.deadline) {
		return nil
	}
	c.applied = c.deadline
	return c.c.SetWriteDeadline(c.deadline)
}
