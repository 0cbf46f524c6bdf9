package search

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// A Source gives resources of one type, in an order that stays. Raw may fail where the bytes are fetched when asked for.
type Source interface {
	Len() int
	ID(i int) string
	Updated(i int) time.Time
	Raw(i int) ([]byte, error)
}

// A Set answers queries over one type: what was extracted from a Source, which it does not hold. Values of a parameter
// are extracted when it is first used; Grow carries them to the next version, AppendTo and OpenSet to a later day. It is
// immutable to its callers and safe for concurrent use.
type Set struct {
	typ    string
	n      int
	newest bool // positions are in the order of _sort=-Newest(typ)

	mu     sync.Mutex
	cols   map[colKey]*column
	stored map[colKey][]byte                  // as AppendTo wrote them, to be decoded when first asked for
	later  map[colKey]func() (*column, error) // carried over, to be joined when first asked for
	weight atomic.Int64
}

// A colKey is a parameter; the words of a token, for :text, are a column of their own.
type colKey struct {
	p     *param
	words bool
}

// NewSet is the set of n resources of a type; newest says that they come as _sort=- by their date would bring them.
func NewSet(typ string, n int, newest bool) *Set {
	return &Set{typ: typ, n: n, newest: newest, cols: map[colKey]*column{}}
}

// Weight is how many bytes of memory the extracted values take.
func (s *Set) Weight() int64 { return s.weight.Load() }

// rows holds the values of each item, several or none.
type rows[T any] struct {
	start []uint32
	all   []T
}

func (r *rows[T]) at(i uint32) []T { return r.all[r.start[i]:r.start[i+1]] }

type interval64 struct{ from, to int64 }

type text struct{ folded, exact string }

// A column is one parameter of one type, extracted. What is filled depends on the parameter's kind.
type column struct {
	once sync.Once
	err  error
	done atomic.Bool // filled, without an error

	keys    []uint64 // token, reference, uri: hashed keys, ascending
	start   []uint32 // by key, where its items start; a key without any stands for all items
	items   []uint32 // ascending for each key
	present []uint64 // a bit for each item

	dates   rows[interval64]
	words   rows[string]
	strings rows[text] // string, and uri for :below and :above
	spans   rows[span]

	mu     sync.Mutex
	orders [2]*order // ascending, descending
}

// column extracts a parameter on first use. A failure is not kept.
func (s *Set) column(src Source, key colKey) (*column, error) {
	s.mu.Lock()
	col := s.cols[key]
	if col == nil {
		col = &column{}
		s.cols[key] = col
	}
	s.mu.Unlock()
	col.once.Do(func() {
		switch join, stored := s.later[key], s.take(key); {
		case join != nil:
			col.err = col.give(join())
		case stored != nil:
			col.err = col.give(key.decode(stored, s.n))
		default:
			col.err = col.fill(key, src)
		}
		if col.err == nil {
			s.weight.Add(col.weigh())
			col.done.Store(true)
		}
	})
	if col.err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.cols[key] == col {
			delete(s.cols, key)
		}
		return nil, col.err
	}
	return col, nil
}

// take takes out what is stored of a column.
func (s *Set) take(key colKey) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.stored[key]
	delete(s.stored, key)
	s.weight.Add(-int64(len(b)))
	return b
}

// filled marks a column that was not extracted but put together.
func (c *column) filled() {
	c.once.Do(func() {})
	c.done.Store(true)
}

func (c *column) weigh() int64 {
	n := len(c.keys)*8 + len(c.start)*4 + len(c.items)*4 + len(c.present)*8
	n += len(c.dates.start)*4 + len(c.dates.all)*int(unsafe.Sizeof(interval64{}))
	n += len(c.words.start)*4 + len(c.strings.start)*4 + len(c.spans.start)*4 + len(c.spans.all)*int(unsafe.Sizeof(span{}))
	for _, w := range c.words.all {
		n += 16 + len(w)
	}
	for _, t := range c.strings.all {
		n += 32 + len(t.folded) + len(t.exact)
	}
	return int64(n) + 256
}

func (c *column) has(i uint32) bool { return c.present[i/64]&(1<<(i%64)) != 0 }

func bits(n int) []uint64 { return make([]uint64, (n+63)/64) }

// list is the posting list of a key; all means every item.
func (c *column) list(key uint64) (list []uint32, all bool) {
	k, found := slices.BinarySearch(c.keys, key)
	if !found {
		return nil, false
	}
	list = c.items[c.start[k]:c.start[k+1]]
	return list, len(list) == 0
}

// hash is FNV-1a over the parts of a key. 64 bits: within one chart no two keys meet by chance.
func hash(parts ...string) uint64 {
	h := uint64(14695981039346656037)
	for _, p := range parts {
		for i := range len(p) {
			h = (h ^ uint64(p[i])) * 1099511628211
		}
	}
	return h
}

// postings collects keys and items in the order of items.
type postings struct {
	slots map[uint64]uint32
	keys  []uint64
	count []uint32
	last  []uint32 // item + 1
	pairs []pair
}

type pair struct{ slot, item uint32 }

func (p *postings) add(i uint32, key uint64) {
	slot, known := p.slots[key]
	if !known {
		if p.slots == nil {
			p.slots = map[uint64]uint32{}
		}
		slot = uint32(len(p.keys))
		p.slots[key] = slot
		p.keys, p.count, p.last = append(p.keys, key), append(p.count, 0), append(p.last, 0)
	}
	if p.last[slot] == i+1 {
		return
	}
	p.last[slot] = i + 1
	p.count[slot]++
	p.pairs = append(p.pairs, pair{slot, i})
}

// put makes the column's lists, of n items.
func (p *postings) put(c *column, n int) {
	bySlot := make([]uint32, len(p.keys))
	for i := range bySlot {
		bySlot[i] = uint32(i)
	}
	slices.SortFunc(bySlot, func(a, b uint32) int {
		if p.keys[a] < p.keys[b] {
			return -1
		}
		return 1
	})
	c.keys, c.start = make([]uint64, len(p.keys)), make([]uint32, len(p.keys)+1)
	next := make([]uint32, len(p.keys))
	total := uint32(0)
	for k, slot := range bySlot {
		c.keys[k], c.start[k], next[slot] = p.keys[slot], total, total
		if int(p.count[slot]) < n {
			total += p.count[slot]
		}
	}
	c.start[len(p.keys)] = total
	c.items = make([]uint32, total)
	for _, x := range p.pairs {
		if int(p.count[x.slot]) < n {
			c.items[next[x.slot]] = x.item
			next[x.slot]++
		}
	}
}

// give makes c hold what made holds.
func (c *column) give(made *column, err error) error {
	if err == nil {
		c.keys, c.start, c.items, c.present, c.dates = made.keys, made.start, made.items, made.present, made.dates
	}
	return err
}

// few is how many fresh resources are read at once for all columns; more wait until somebody asks for a column.
const few = 16

// Grow is the set of the next version. from gives for each new position the old one, or ^i for the i-th of fresh; both in
// ascending order. What was extracted of tokens, references and dates is carried over; only fresh is read.
func (s *Set) Grow(from []int32, fresh Source) *Set {
	next := NewSet(s.typ, len(from), s.newest)
	s.mu.Lock()
	cols, stored := maps.Clone(s.cols), maps.Clone(s.stored)
	s.mu.Unlock()
	for key := range s.later { // one step waits, never a chain of them
		if c, err := s.column(nil, key); err == nil {
			cols[key] = c
		}
	}
	join := func(key colKey, old *column) (*column, error) {
		add := &column{}
		if err := add.fill(key, fresh); err != nil {
			return nil, err
		}
		return grow(old, s.n, add, fresh.Len(), from), nil
	}
	wait := func(key colKey, old func() (*column, error)) {
		if next.later == nil {
			next.later = map[colKey]func() (*column, error){}
			next.weight.Add(int64(4 * len(from)))
		}
		next.later[key] = func() (*column, error) {
			c, err := old()
			if err != nil {
				return nil, err
			}
			return join(key, c)
		}
	}
	for key, b := range stored {
		wait(key, func() (*column, error) { return key.decode(b, s.n) })
		next.weight.Add(int64(len(b)))
	}
	for key, old := range cols {
		switch {
		case !old.done.Load() || key.words || key.p.kind == str || key.p.kind == uri || key.p.kind == number || key.p.kind == quantity:
		case fresh.Len() > few:
			wait(key, func() (*column, error) { return old, nil })
		default:
			col, err := join(key, old)
			if err != nil {
				continue
			}
			col.filled()
			next.cols[key] = col
			next.weight.Add(col.weigh())
		}
	}
	return next
}

// grow joins two columns as from says.
func grow(a *column, an int, b *column, bn int, from []int32) *column {
	n := len(from)
	out := &column{present: bits(n)}
	amap, bmap := make([]int32, an), make([]int32, bn)
	for i := range amap {
		amap[i] = -1
	}
	dates := len(a.dates.start) > 0
	if dates {
		out.dates.start = make([]uint32, 1, n+1)
		out.dates.all = make([]interval64, 0, len(a.dates.all)+len(b.dates.all))
	}
	for to, f := range from {
		src, i, m := a, uint32(f), amap
		if f < 0 {
			src, i, m = b, uint32(^f), bmap
		}
		m[i] = int32(to)
		if src.has(i) {
			out.present[to/64] |= 1 << (to % 64)
		}
		if dates {
			out.dates.all = append(out.dates.all, src.dates.at(i)...)
			out.dates.start = append(out.dates.start, uint32(len(out.dates.all)))
		}
	}
	if a.start == nil {
		return out
	}
	out.start = append(out.start, 0)
	for x, y := 0, 0; x < len(a.keys) || y < len(b.keys); {
		var key uint64
		begin := len(out.items)
		switch {
		case y >= len(b.keys) || x < len(a.keys) && a.keys[x] < b.keys[y]:
			key = a.keys[x]
		default:
			key = b.keys[y]
		}
		if x < len(a.keys) && a.keys[x] == key {
			out.items = a.mapped(out.items, x, amap)
			x++
		}
		middle := len(out.items)
		if y < len(b.keys) && b.keys[y] == key {
			out.items = b.mapped(out.items, y, bmap)
			y++
		}
		if middle > begin && len(out.items) > middle {
			slices.Sort(out.items[begin:])
		}
		switch len(out.items) - begin {
		case 0:
			continue // nobody has it any more
		case n:
			out.items = out.items[:begin]
		}
		out.keys = append(out.keys, key)
		out.start = append(out.start, uint32(len(out.items)))
	}
	return out
}

// mapped adds the new positions of a key's items.
func (c *column) mapped(to []uint32, k int, m []int32) []uint32 {
	list := c.items[c.start[k]:c.start[k+1]]
	if len(list) == 0 {
		for _, p := range m {
			if p >= 0 {
				to = append(to, uint32(p))
			}
		}
		return to
	}
	for _, i := range list {
		if p := m[i]; p >= 0 {
			to = append(to, uint32(p))
		}
	}
	return to
}
