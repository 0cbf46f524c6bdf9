package journal

import (
	"container/list"
	"context"
	"errors"
	"sync"
)

// Cache keeps opened charts warm, up to a budget of bytes; the one used longest ago goes first.
// Values are shared by everybody who asks: they must never change. A new state is a new value (Put).
//
// A Get that began before a Put or Drop may still return the older value to its own caller, but never leaves it in
// the cache; a Get that begins after sees what they left.
type Cache[T any] struct {
	mu      sync.Mutex
	budget  int64
	order   *list.List // of *warm[T], newest first
	entries map[int64]*list.Element
	flights map[int64]*flight[T]
	stats   CacheStats
}

// CacheStats counts since the start; Entries and Bytes are now.
type CacheStats struct {
	Hits, Misses, Loads, Evictions int64
	Entries                        int
	Bytes                          int64
}

type warm[T any] struct {
	chart int64
	value T
	bytes int64
}

// flight is one load that several callers wait for.
type flight[T any] struct {
	done  chan struct{}
	value T
	err   error
	stale bool // a Put or Drop came in between: do not keep the result
}

// errLoadDied is what waiters of a load that panicked see, for a moment: they try again themselves.
var errLoadDied = errors.New("journal: cache: the load they waited for died")

// NewCache makes a cache of at most budget bytes, as its users count them.
func NewCache[T any](budget int64) *Cache[T] {
	return &Cache[T]{budget: budget, order: list.New(), entries: map[int64]*list.Element{}, flights: map[int64]*flight[T]{}}
}

// Get returns a chart's value, loading it if it is not warm. Of many who ask at once one loads, with its own ctx;
// if that ctx ends, the next one loads. Errors are not kept.
func (c *Cache[T]) Get(ctx context.Context, chart int64, load func(context.Context) (T, int64, error)) (T, error) {
	var zero T
	for first := true; ; first = false {
		if err := ctx.Err(); err != nil {
			return zero, err
		}
		c.mu.Lock()
		if e, ok := c.entries[chart]; ok {
			c.order.MoveToFront(e)
			c.stats.Hits++
			c.mu.Unlock()
			return e.Value.(*warm[T]).value, nil
		}
		if first {
			c.stats.Misses++
		}
		f, waiting := c.flights[chart]
		if !waiting {
			f = &flight[T]{done: make(chan struct{}), err: errLoadDied}
			c.flights[chart] = f
			c.stats.Loads++
		}
		c.mu.Unlock()
		if !waiting {
			return c.lead(ctx, chart, f, load)
		}
		select {
		case <-ctx.Done():
			return zero, ctx.Err()
		case <-f.done:
		}
		if f.err == nil {
			return f.value, nil
		}
		if !errors.Is(f.err, context.Canceled) && !errors.Is(f.err, context.DeadlineExceeded) && !errors.Is(f.err, errLoadDied) {
			return zero, f.err
		}
	}
}

// lead loads for all who wait. Whatever load does, panic included, the waiters are let go.
func (c *Cache[T]) lead(ctx context.Context, chart int64, f *flight[T], load func(context.Context) (T, int64, error)) (T, error) {
	var bytes int64
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.flights[chart] == f {
			delete(c.flights, chart)
		}
		if f.err == nil && !f.stale {
			c.keep(chart, f.value, bytes)
		}
		close(f.done)
	}()
	f.value, bytes, f.err = load(ctx)
	return f.value, f.err
}

// Put keeps a newer value. bytes is what it weighs.
func (c *Cache[T]) Put(chart int64, value T, bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.supersede(chart)
	c.keep(chart, value, bytes)
}

// Drop forgets a chart.
func (c *Cache[T]) Drop(chart int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.supersede(chart)
	c.remove(chart)
}

// Clear forgets every chart.
func (c *Cache[T]) Clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for chart := range c.flights {
		c.supersede(chart)
	}
	c.order.Init()
	clear(c.entries)
	c.stats.Bytes = 0
}

// Stats says how the cache is doing.
func (c *Cache[T]) Stats() CacheStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	s.Entries = len(c.entries)
	return s
}

// supersede cuts a running load off from the cache and from callers that come later.
func (c *Cache[T]) supersede(chart int64) {
	if f, ok := c.flights[chart]; ok {
		f.stale = true
		delete(c.flights, chart)
	}
}

// keep stores a value and makes room for it. One heavier than the whole budget is not kept.
func (c *Cache[T]) keep(chart int64, value T, bytes int64) {
	c.remove(chart)
	if bytes > c.budget {
		c.stats.Evictions++
		return
	}
	c.entries[chart] = c.order.PushFront(&warm[T]{chart, value, bytes})
	c.stats.Bytes += bytes
	for c.stats.Bytes > c.budget {
		c.remove(c.order.Back().Value.(*warm[T]).chart)
		c.stats.Evictions++
	}
}

func (c *Cache[T]) remove(chart int64) {
	if e, ok := c.entries[chart]; ok {
		c.stats.Bytes -= e.Value.(*warm[T]).bytes
		c.order.Remove(e)
		delete(c.entries, chart)
	}
}
