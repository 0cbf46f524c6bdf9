package durable

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
)

// A Mark says up to which ticket everything is durable. A Log has one; so may any other store that commits batches in
// order (a database), and use the same barrier. It is safe for concurrent use.
type Mark struct {
	durable atomic.Uint64 // settled: on disk, or lost
	err     atomic.Pointer[error]
	lost    atomic.Pointer[[]loss] // in order; published before durable passes them

	mu    sync.Mutex
	waits map[uint64]chan struct{} // closed when the ticket is reached, or at the end
	tell  []func()
}

// A loss is tickets from … to, which will never be durable although later ones may.
type loss struct {
	from, to uint64
	err      error
}

// NewMark begins at the ticket that is durable now.
func NewMark(durable uint64) *Mark {
	m := &Mark{waits: map[uint64]chan struct{}{}}
	m.durable.Store(durable)
	return m
}

// Durable is the newest ticket up to which everything is on disk, or was given up by Lose.
func (m *Mark) Durable() uint64 { return m.durable.Load() }

// Err tells why nothing more will become durable; nil while it may.
func (m *Mark) Err() error {
	if p := m.err.Load(); p != nil {
		return *p
	}
	return nil
}

// Reach publishes that everything up to ticket is on disk. After Fail it does nothing: what was held stays held.
func (m *Mark) Reach(ticket uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.Err() == nil && ticket > m.durable.Load() {
		m.settle(ticket)
	}
}

// Lose gives up every ticket up to upTo that was not reached: whoever waits for one gets err, what is held for one is
// dropped. Later tickets may be durable all the same. upTo must be the newest ticket given out: a connection that depends
// on a lost ticket and on a later one is then known by either.
func (m *Mark) Lose(upTo uint64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	from := m.durable.Load() + 1
	if m.Err() != nil || upTo < from {
		return
	}
	var all []loss
	if old := m.lost.Load(); old != nil {
		all = *old
	}
	if n := len(all); n > 0 && all[n-1].to+1 == from { // nothing was durable in between
		from, all = all[n-1].from, all[:n-1]
	}
	all = append(slices.Clip(all), loss{from, upTo, err})
	m.lost.Store(&all)
	m.settle(upTo)
}

// settle is called with mu held.
func (m *Mark) settle(ticket uint64) {
	m.durable.Store(ticket)
	for n, c := range m.waits {
		if n <= ticket {
			close(c)
			delete(m.waits, n)
		}
	}
	for _, f := range m.tell {
		f()
	}
}

// lostErr tells why a settled ticket was lost; nil if it was not.
func (m *Mark) lostErr(ticket uint64) error {
	p := m.lost.Load()
	if p == nil {
		return nil
	}
	all := *p
	i := sort.Search(len(all), func(i int) bool { return all[i].to >= ticket })
	if i < len(all) && all[i].from <= ticket {
		return all[i].err
	}
	return nil
}

// Fail ends the mark: whoever waits for a ticket that was not reached gets err. The first error stays.
func (m *Mark) Fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.Err() != nil {
		return
	}
	m.err.Store(&err)
	for n, c := range m.waits {
		close(c)
		delete(m.waits, n)
	}
	for _, f := range m.tell {
		f()
	}
}

// Wait returns once ticket is durable, or says why it will not be.
func (m *Mark) Wait(ctx context.Context, ticket uint64) error {
	if m.Durable() >= ticket {
		return m.lostErr(ticket)
	}
	m.mu.Lock()
	if m.Durable() >= ticket {
		m.mu.Unlock()
		return m.lostErr(ticket)
	}
	if err := m.Err(); err != nil {
		m.mu.Unlock()
		return err
	}
	c := m.waits[ticket]
	if c == nil {
		c = make(chan struct{})
		m.waits[ticket] = c
	}
	m.mu.Unlock()
	select {
	case <-c:
	case <-ctx.Done():
		return fmt.Errorf("durable: gave up before ticket %d was on disk; release nothing: %w", ticket, ctx.Err())
	}
	if m.Durable() >= ticket {
		return m.lostErr(ticket)
	}
	return m.Err()
}

// OnChange calls f after each Reach, Lose and Fail. f must return at once and must not call m's Reach, Lose, Fail or Wait.
func (m *Mark) OnChange(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tell = append(m.tell, f)
}
