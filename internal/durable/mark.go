package durable

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
)

// A Mark says up to which ticket everything is durable. A Log has one; so may any other store that commits batches in
// order (a database), and use the same barrier. It is safe for concurrent use.
type Mark struct {
	durable atomic.Uint64
	err     atomic.Pointer[error]

	mu    sync.Mutex
	waits map[uint64]chan struct{} // closed when the ticket is reached, or at the end
	tell  []func()
}

// NewMark begins at the ticket that is durable now.
func NewMark(durable uint64) *Mark {
	m := &Mark{waits: map[uint64]chan struct{}{}}
	m.durable.Store(durable)
	return m
}

// Durable is the newest ticket up to which everything is on disk.
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
	if m.Err() != nil || ticket <= m.durable.Load() {
		return
	}
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
		return nil
	}
	m.mu.Lock()
	if m.Durable() >= ticket {
		m.mu.Unlock()
		return nil
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
		return nil
	}
	return m.Err()
}

// OnChange calls f after each Reach and after Fail. f must return at once and must not call m's Reach, Fail or Wait.
func (m *Mark) OnChange(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tell = append(m.tell, f)
}
