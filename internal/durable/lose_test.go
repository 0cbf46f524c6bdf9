package durable

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

var errLost = errors.New("the connection to the database was lost")

// A batch that failed answers nobody, ever; those after it do.
func TestWhatIsLostNeverLeaves(t *testing.T) {
	for _, kind := range []string{"plain", "tls", "h2"} {
		t.Run(kind, func(t *testing.T) {
			h := serveHeld(t, kind)
			first := h.get("")
			h.holding(t, 1)
			h.mark.Lose(1, errLost)
			if a := <-first; a.err == nil {
				t.Fatalf("what depends on a lost batch was answered: %+v", a)
			}
			h.holding(t, 0)
			next := h.get("")
			h.holding(t, 1)
			h.mark.Reach(2)
			if a := <-next; a.err != nil || a.n != 10 {
				t.Fatalf("after a lost batch the next one is answered: %+v", a)
			}
		})
	}
}

// Two requests share an HTTP/2 connection. What the first one wrote depends on a batch that was lost; the second one's
// ticket is later and becomes durable.
func TestLaterTicketFreesNothingLost(t *testing.T) {
	mark := NewMark(0)
	b := NewBarrier(mark)
	defer b.Close()
	client, server := pipe(t, b)
	arrived := make(chan int, 1)
	go func() {
		p, _ := io.ReadAll(client)
		arrived <- len(p)
	}()
	server.hold(1)
	mark.Lose(1, errLost)
	server.hold(2)
	server.Write([]byte("of the first"))
	mark.Reach(2)
	if n := <-arrived; n != 0 {
		t.Fatalf("%d bytes of a lost batch left with the next one", n)
	}
}

func TestHoldAfterTheLoss(t *testing.T) {
	mark := NewMark(0)
	b := NewBarrier(mark)
	defer b.Close()
	client, server := pipe(t, b)
	arrived := make(chan int, 1)
	go func() {
		p, _ := io.ReadAll(client)
		arrived <- len(p)
	}()
	server.hold(7) // another stream's
	mark.Lose(7, errLost)
	mark.Reach(8)
	server.hold(5)
	if _, err := server.Write([]byte("of a lost one")); !errors.Is(err, errLost) {
		t.Fatalf("Write says %v", err)
	}
	if n := <-arrived; n != 0 {
		t.Fatalf("%d bytes left", n)
	}
}

func TestLoseAndWait(t *testing.T) {
	ctx := context.Background()
	m := NewMark(3)
	done := make(chan error, 1)
	go func() { done <- m.Wait(ctx, 5) }()
	time.Sleep(time.Millisecond)
	m.Reach(4)
	m.Lose(6, errLost)
	if err := <-done; !errors.Is(err, errLost) {
		t.Fatalf("who waited for a lost ticket got %v", err)
	}
	m.Lose(8, io.ErrUnexpectedEOF) // of the same failure
	m.Reach(9)
	m.Lose(10, errLost)
	m.Reach(12)
	for ticket, lost := range map[uint64]bool{3: false, 4: false, 5: true, 6: true, 7: true, 8: true, 9: false, 10: true, 11: false, 12: false} {
		if err := m.Wait(ctx, ticket); (err != nil) != lost {
			t.Errorf("ticket %d: %v", ticket, err)
		}
	}
	if n := len(*m.lost.Load()); n != 2 {
		t.Errorf("%d losses are kept, want those that touch as one", n)
	}
}

// pipe is a connection behind the barrier, and its other end.
func pipe(t *testing.T, b *Barrier) (client io.Reader, server *Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := make(chan *Conn, 1)
	go func() {
		c, err := b.Listen(l).Accept()
		if err != nil {
			t.Error(err)
			close(got)
			return
		}
		got <- c.(*Conn)
	}()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn.SetReadDeadline(time.Now().Add(2 * time.Second)) // of a test that fails
	t.Cleanup(func() { conn.Close() })
	s := <-got
	t.Cleanup(func() { s.Close() })
	return conn, s
}
