package chart

import (
	"context"
	"slices"
	"sync"
)

// maxMemos bounds how many are kept for one version of a record.
const maxMemos = 8

// memos are what pages made of one version of a record, kept with it and gone with it.
type memos struct {
	mu    sync.Mutex
	list  []*memo // newest last
	bytes int64
}

type memo struct {
	key       string
	value     any
	bytes     int64
	notes     touch            // what making it handed out
	decisions map[decided]bool // which it depends on
	directory *record          // which it looked into; nil if none
}

func (m *memos) weight() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.bytes
}

func (m *memos) drop() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.list, m.bytes = nil, 0
}

func (m *memos) keep(x *memo) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.list = append(m.list, x)
	m.bytes += x.bytes
	for len(m.list) > maxMemos {
		m.bytes -= m.list[0].bytes
		m.list = slices.Delete(m.list, 0, 1)
	}
}

func (m *memos) all() []*memo {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.list)
}

// Memo keeps what make made of this version of the record, for who may see the same. make reads through the chart it is
// given, and through nothing else; key holds all else that its value depends on. The value is shared: it must not change.
// bytes is about what it weighs. A memo that is found notes on the act exactly what making it noted, and each decision it
// rests on is asked again for this reader: who may see less, or more, gets a memo of their own.
func Memo[T any](ctx context.Context, c *Chart, key string, make func(*Chart) (value T, bytes int64, err error)) (T, error) {
	st, err := c.load(ctx)
	if err != nil {
		var zero T
		return zero, err
	}
	for _, m := range st.memos.all() {
		v, fits := m.value.(T)
		if m.key != key || !fits || !c.agrees(ctx, m) {
			continue
		}
		for _, x := range m.notes.order {
			c.act.note(c.num, m.notes.action, x.typ, x.id)
		}
		return v, nil
	}
	own := &Act{h: c.h, Who: c.act.Who, views: c.act.views}
	rec := &Chart{h: c.h, act: own, num: c.num, ctx: c.ctx, recording: true}
	v, bytes, err := make(rec)
	own.mu.Lock()
	defer own.mu.Unlock()
	m := &memo{key: key, value: v, bytes: bytes + 512, decisions: rec.may, directory: rec.directory}
	alone := true
	for num, t := range own.touched { // what was read was read, whatever came of it
		for _, x := range t.order {
			c.act.note(num, t.action, x.typ, x.id)
		}
		if num == c.num {
			m.notes = touch{action: t.action, order: t.order}
			m.bytes += int64(48 * len(t.order))
		} else {
			alone = false
		}
	}
	if err != nil {
		return v, err
	}
	if now, err := c.load(ctx); err == nil && now == st && alone {
		st.memos.keep(m)
		c.h.reweigh(c.num)
	}
	return v, nil
}

// agrees says whether a memo is what this reader would make now.
func (c *Chart) agrees(ctx context.Context, m *memo) bool {
	for d, ok := range m.decisions {
		if c.decide(d) != ok {
			return false
		}
	}
	if m.directory == nil {
		return true
	}
	now, err := c.h.loadFor(ctx, c.act, c.h.directory)
	return err == nil && now.seq == m.directory.seq
}
