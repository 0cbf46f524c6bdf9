package chart

import (
	"fmt"
	"sync"
	"sync/atomic"
)

// A drawer holds the shelf of one type: open, or folded into the form in which snapshots store it. The cold tier keeps it
// folded; who asks for the shelf opens it again, without the store.
type drawer struct {
	open atomic.Pointer[shelf]

	mu     sync.Mutex // held while the shelf is folded or opened: many who ask wait for one
	folded []byte     // compressed; owned by mu
	size   int64      // before
	blocks []*block   // those that folded numbers; owned by mu
}

func drawerOf(s *shelf) *drawer {
	d := &drawer{}
	d.open.Store(s)
	return d
}

func (d *drawer) shelf(typ string) *shelf {
	if s := d.open.Load(); s != nil {
		return s
	}
	d.mu.Lock()
	if s := d.open.Load(); s != nil {
		d.mu.Unlock()
		return s
	}
	h, num := d.blocks[0].h, d.blocks[0].num
	plain, err := h.press.unpack(d.folded, d.size)
	var s *shelf
	if err == nil {
		r := decoder{p: plain}
		s, err = r.shelf(typ, &record{blocks: d.blocks})
	}
	if err != nil { // this process made these bytes and nobody else has them
		d.mu.Unlock()
		panic(fmt.Sprintf("chart: a folded shelf of %s does not open: %v", typ, err))
	}
	d.open.Store(s)
	d.mu.Unlock()
	h.reweigh(num)
	return s
}

// fold leaves the shelf in its folded form only. Who holds it keeps it.
func (d *drawer) fold() {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.open.Load()
	if s == nil || len(s.entries) == 0 {
		return
	}
	if d.folded == nil {
		blocks := s.blocks()
		number := make(map[*block]int, len(blocks))
		for n, b := range blocks {
			number[b] = n
		}
		plain, err := s.pack(nil, func(e *entry) (int, uint32, error) { return number[e.block], e.off, nil })
		if err != nil {
			return
		}
		plain, err = s.set.AppendTo(plain, nil)
		if err != nil {
			return
		}
		d.folded, d.size, d.blocks = blocks[0].h.press.pack(plain), int64(len(plain)), blocks
	}
	d.open.Store(nil)
}

// blocks are those in which the shelf's entries stand.
func (s *shelf) blocks() (out []*block) {
	seen := map[*block]bool{}
	for i := range s.entries {
		if b := s.entries[i].block; !seen[b] {
			seen[b] = true
			out = append(out, b)
		}
	}
	return out
}

// inUse are the blocks of the shelf, which need not be opened for it.
func (d *drawer) inUse() []*block {
	if s := d.open.Load(); s != nil {
		return s.blocks()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.blocks
}

func (d *drawer) weight() int64 {
	d.mu.Lock()
	n := int64(len(d.folded) + 8*len(d.blocks))
	d.mu.Unlock()
	if s := d.open.Load(); s != nil {
		n += s.bytes + s.set.Weight() + int64(12*len(s.entries))
	}
	return n
}
