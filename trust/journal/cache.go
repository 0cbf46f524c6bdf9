package journal

import (
	"container/list"
	"context"
	"errors"
	"sync"
)

// Cache keeps opened charts warm, up to a budget of bytes. It has two tiers: the charts used last are hot, as they were
// opened; those used before them are cold, made smaller by their owner, and go when even that is too much.
// Values are shared by everybody who asks: what they say must never change. A new state is a new value (Put).
//
// A Get that began before a Put or Drop may still return the older value to its own caller, but never leaves it in
// the cache; a Get that begins after sees what they left.
type Cache[T any] struct {
	weigh func(T) int64 // nil: a value weighs what it did when it came
	cool  func(T)       // nil: there is no cold tier

	mu      sync.Mutex
	budget  int64
	hot     *list.List // of *warm[T], newest first
	cold    *list.List // of *warm[T], newest first
	entries map[int64]*list.Element
	flights map[int64]*flight[T]
	chill   int64 // bytes of the cold ones
	stats   CacheStats
}

// CacheStats counts since the start; Entries, Cold and Bytes are now.
type CacheStats struct {
	Hits, Misses, Loads, Evictions, Cooled int64
	Entries, Cold                          int
	Bytes                                  int64
}

type warm[T any] struct {
	chart   int64
	value   T
	bytes   int64
	isCold  bool
	cooling bool // its owner makes it smaller now
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

// hotShare is the part of the budget that the hot tier may take once the cold one needs room.
const hotShare = 0.6

// NewCache makes a cache of at most budget bytes, as its users count them; all of it is hot.
func NewCache[T any](budget int64) *Cache[T] { return NewTiered[T](budget, nil, nil) }

// NewTiered makes a cache of two tiers. weigh tells what a value weighs now; cool makes it smaller, while others may use it.
func NewTiered[T any](budget int64, weigh func(T) int64, cool func(T)) *Cache[T] {
	return &Cache[T]{weigh: weigh, cool: cool, budget: budget, hot: list.New(), cold: list.New(),
		entries: map[int64]*list.Element{}, flights: map[int64]*flight[T]{}}
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
			w := e.Value.(*warm[T])
			if w.isCold {
				c.cold.MoveToFront(e)
			} else {
				c.hot.MoveToFront(e)
			}
			c.stats.Hits++
			c.mu.Unlock()
			return w.value, nil
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
		if c.flights[chart] == f {
			delete(c.flights, chart)
		}
		if f.err == nil && !f.stale {
			c.keep(chart, f.value, bytes)
		}
		close(f.done)
		c.mu.Unlock()
		c.shrink()
	}()
	f.value, bytes, f.err = load(ctx)
	return f.value, f.err
}

// Put keeps a newer value. bytes is what it weighs.
func (c *Cache[T]) Put(chart int64, value T, bytes int64) {
	c.mu.Lock()
	c.supersede(chart)
	c.keep(chart, value, bytes)
	c.mu.Unlock()
	c.shrink()
}

// Reweigh asks again what a chart's value weighs: it was used, and may have grown. A cold one that grew is hot again.
func (c *Cache[T]) Reweigh(chart int64) {
	c.mu.Lock()
	e, ok := c.entries[chart]
	if !ok || c.weigh == nil {
		c.mu.Unlock()
		return
	}
	w := e.Value.(*warm[T])
	now := c.weigh(w.value)
	grew := now > w.bytes
	c.grow(w, now)
	if w.isCold && grew && !w.cooling {
		c.cold.Remove(e)
		w.isCold = false
		c.chill -= w.bytes
		c.entries[chart] = c.hot.PushFront(w)
	}
	c.mu.Unlock()
	c.shrink()
}

// grow notes that a kept value weighs now bytes.
func (c *Cache[T]) grow(w *warm[T], now int64) {
	c.stats.Bytes += now - w.bytes
	if w.isCold {
		c.chill += now - w.bytes
	}
	w.bytes = now
}

// Drop forgets a chart.
func (c *Cache[T]) Drop(chart int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.supersede(chart)
	c.remove(chart)
}

// DropIf forgets a chart if what is kept of it is as old as says. A load in progress goes on.
func (c *Cache[T]) DropIf(chart int64, old func(T) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries[chart]; ok && old(e.Value.(*warm[T]).value) {
		c.remove(chart)
	}
}

// Peek gives what is kept of a chart, without making it newer in the order of use.
func (c *Cache[T]) Peek(chart int64) (value T, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries[chart]; ok {
		return e.Value.(*warm[T]).value, true
	}
	return value, false
}

// Clear forgets every chart.
func (c *Cache[T]) Clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for chart := range c.flights {
		c.supersede(chart)
	}
	c.hot.Init()
	c.cold.Init()
	clear(c.entries)
	c.stats.Bytes, c.chill = 0, 0
}

// Has says whether a chart is warm.
func (c *Cache[T]) Has(chart int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.entries[chart]
	return ok
}

// Stats says how the cache is doing.
func (c *Cache[T]) Stats() CacheStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	s.Entries, s.Cold = len(c.entries), c.cold.Len()
	return s
}

// supersede cuts a running load off from the cache and from callers that come later.
func (c *Cache[T]) supersede(chart int64) {
	if f, ok := c.flights[chart]; ok {
		f.stale = true
		delete(c.flights, chart)
	}
}

// keep stores a value as the newest hot one. One heavier than the whole budget is not kept.
func (c *Cache[T]) keep(chart int64, value T, bytes int64) {
	c.remove(chart)
	if bytes > c.budget {
		c.stats.Evictions++
		return
	}
	c.entries[chart] = c.hot.PushFront(&warm[T]{chart: chart, value: value, bytes: bytes})
	c.stats.Bytes += bytes
	if c.cool == nil {
		c.evict()
	}
}

// shrink brings the cache under its budget: first the oldest hot values are made cold, by whoever overfilled it and outside
// the lock; when the hot tier has no more than its share, the oldest cold ones go.
func (c *Cache[T]) shrink() {
	if c.cool == nil {
		return
	}
	for {
		c.mu.Lock()
		var w *warm[T]
		if c.stats.Bytes > c.budget {
			w = c.oldestHot()
		}
		if w == nil {
			c.evict()
			c.mu.Unlock()
			return
		}
		w.cooling = true
		w.isCold = true
		c.chill += w.bytes
		c.hot.Remove(c.entries[w.chart])
		e := c.cold.PushFront(w)
		c.entries[w.chart] = e
		c.stats.Cooled++
		c.mu.Unlock()
		c.cool(w.value)
		c.mu.Lock()
		w.cooling = false
		if c.entries[w.chart] == e { // nobody replaced it meanwhile
			c.grow(w, c.weigh(w.value))
		}
		c.mu.Unlock()
	}
}

// oldestHot is the next value to make cold: nil when the hot tier keeps to its share, or has only the one in use.
func (c *Cache[T]) oldestHot() *warm[T] {
	if float64(c.stats.Bytes-c.chill) <= hotShare*float64(c.budget) || c.hot.Len() < 2 {
		return nil
	}
	return c.hot.Back().Value.(*warm[T])
}

// evict forgets the oldest until the budget holds.
func (c *Cache[T]) evict() {
	for c.stats.Bytes > c.budget {
		e := c.cold.Back()
		if e == nil {
			e = c.hot.Back()
		}
		c.remove(e.Value.(*warm[T]).chart)
		c.stats.Evictions++
	}
}

func (c *Cache[T]) remove(chart int64) {
	if e, ok := c.entries[chart]; ok {
		w := e.Value.(*warm[T])
		c.stats.Bytes -= w.bytes
		if w.isCold {
			c.chill -= w.bytes
			c.cold.Remove(e)
		} else {
			c.hot.Remove(e)
		}
		delete(c.entries, chart)
	}
}
