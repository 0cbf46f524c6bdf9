package chart

import "sync"

// memos are what pages made of a record, kept with it.
type memos struct {
	mu    sync.Mutex
	bytes int64
}

func (m *memos) weight() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bytes
}

func (m *memos) drop() {}
