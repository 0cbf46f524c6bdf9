package chart

import (
	"context"
	"fmt"
	"strings"
	"sync"
)

// homes remembers which chart an id leads to, where this process alone writes the store (SQLite): a claim of an id stays
// until its chart is erased, and then all is forgotten. It keeps numbers and ids, never content.
type homes struct {
	mu     sync.RWMutex
	known  map[home]int64
	forgot int // how often all was forgotten: what was asked before counts no more
}

type home struct{ typ, id string }

// homesMax bounds what is remembered, to some 10 MB.
const homesMax = 1 << 16

func (m *homes) find(k home) (chart int64, ok bool, forgot int) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	chart, ok = m.known[k]
	return chart, ok, m.forgot
}

// keep remembers what the store said when find gave forgot.
func (m *homes) keep(k home, chart int64, forgot int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.forgot != forgot {
		return
	}
	if m.known == nil || len(m.known) >= homesMax {
		m.known = map[home]int64{}
	}
	m.known[k] = chart
}

func (m *homes) forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.known, m.forgot = nil, m.forgot+1
}

// claimed is the chart that an id from outside leads to.
func (h *House) claimed(ctx context.Context, typ, id string) (int64, bool, error) {
	chart, ok, forgot := h.homes.find(home{typ, id})
	if ok {
		return chart, true, nil
	}
	chart, ok, err := h.journal.Claimed(ctx, h.db, "id", typ, id)
	if err != nil {
		return 0, false, fmt.Errorf("chart: locate: %w", err)
	}
	if ok && h.alone() {
		h.homes.keep(home{strings.Clone(typ), strings.Clone(id)}, chart, forgot) // a request's memory ends with it
	}
	return chart, ok, nil
}

// alone says that no other process writes this store.
func (h *House) alone() bool { return h.db.Dialect() == "sqlite" }
