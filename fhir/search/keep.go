package search

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
)

// Newest names the parameter by which resources of a type are kept, newest first; "" if they have no date.
func Newest(typ string) string {
	if p := newestParam(typ); p != nil {
		return p.name
	}
	return ""
}

var dateNames = []string{"authoredon", "date", "onset-date", "period", "created", "authored", "effective", "started", "sent", "start", "recorded", "authored-on", "whenhandedover", "effective-time", "start-date", "birthdate"}

func newestParam(typ string) *param {
	for _, name := range dateNames {
		if p := byType()[typ][name]; p != nil && p.kind == date {
			return p
		}
	}
	return nil
}

// When is the time by which a resource of a type is kept, in milliseconds; the oldest there is if it has none.
func When(typ string, b []byte) int64 {
	at := int64(math.MinInt64)
	if p := newestParam(typ); p != nil {
		for k := range p.places {
			p.places[k].each(b, func(v []byte) {
				intervals(p.places[k].typ, v, func(from, to int64) { at = max(at, interval64{from, to}.moment()) })
			})
		}
	}
	return at
}

// kept are the parameters that AppendTo stores: those that pages and US Core ask for most.
var kept = []string{"patient", "subject", "category", "code", "status", "clinical-status", "encounter", "type", "result", "has-member"}

var errSet = errors.New("search: stored columns are malformed")

// AppendTo adds the columns of the common parameters to dst, extracting those that are not yet; with a nil src, those that
// are at hand.
//
//	count | count × (name | length | keys × 8 | for each key: length (0: all), items as gaps | present | dates as gaps)
func (s *Set) AppendTo(dst []byte, src Source) ([]byte, error) {
	count, out := 0, []byte(nil)
	for _, p := range s.kept() {
		key := colKey{p: p}
		s.mu.Lock()
		b, col := s.stored[key], s.cols[key]
		s.mu.Unlock()
		if b == nil && (col == nil || !col.done.Load()) {
			if src == nil {
				continue
			}
			var err error
			if col, err = s.column(src, key); err != nil {
				return nil, err
			}
		}
		if b == nil {
			b = col.appendTo(nil)
		}
		count++
		out = append(binary.AppendUvarint(out, uint64(len(p.name))), p.name...)
		out = append(binary.AppendUvarint(out, uint64(len(b))), b...)
	}
	return append(binary.AppendUvarint(dst, uint64(count)), out...), nil
}

func (s *Set) kept() (ps []*param) {
	for _, name := range kept {
		if p := byType()[s.typ][name]; p != nil && (p.kind == token || p.kind == reference) {
			ps = append(ps, p)
		}
	}
	if p := newestParam(s.typ); p != nil {
		ps = append(ps, p)
	}
	return ps
}

func (c *column) appendTo(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(c.keys)))
	for k, key := range c.keys {
		dst = binary.LittleEndian.AppendUint64(dst, key)
		list := c.items[c.start[k]:c.start[k+1]]
		dst = binary.AppendUvarint(dst, uint64(len(list)))
		last := uint32(0)
		for _, i := range list {
			dst = binary.AppendUvarint(dst, uint64(i-last))
			last = i
		}
	}
	for _, w := range c.present {
		dst = binary.LittleEndian.AppendUint64(dst, w)
	}
	if len(c.dates.start) == 0 {
		return append(dst, 0)
	}
	dst = append(dst, 1)
	last := int64(0)
	for i := range len(c.dates.start) - 1 {
		at := c.dates.at(uint32(i))
		dst = binary.AppendUvarint(dst, uint64(len(at)))
		for _, d := range at {
			dst = binary.AppendVarint(dst, d.from-last) // wraps at the ends of time, and back
			dst = binary.AppendVarint(dst, d.to-d.from)
			last = d.from
		}
	}
	return dst
}

// OpenSet reads what AppendTo wrote, and gives what follows it. A column is decoded when it is first used. Columns of
// parameters that are not known any more are passed over.
func OpenSet(typ string, n int, newest bool, b []byte) (*Set, []byte, error) {
	s := NewSet(typ, n, newest)
	r := reader{b: b}
	for range r.count(len(b)) {
		name := string(r.bytes(r.count(len(r.b))))
		col := r.bytes(r.count(len(r.b)))
		if r.bad {
			return nil, nil, errSet
		}
		p := byType()[typ][name]
		if p == nil || p.kind != date && p.kind != token && p.kind != reference {
			continue
		}
		if s.stored == nil {
			s.stored = map[colKey][]byte{}
		}
		s.stored[colKey{p: p}] = slices.Clone(col) // the rest of b need not stay
		s.weight.Add(int64(len(col)))
	}
	if r.bad {
		return nil, nil, errSet
	}
	return s, r.b, nil
}

// decode reads a stored column of n items.
func (key colKey) decode(b []byte, n int) (*column, error) {
	r := reader{b: b}
	c := r.column(n)
	if r.bad || len(r.b) > 0 || (key.p.kind == date) != (len(c.dates.start) > 0) {
		return nil, errSet
	}
	if key.p.kind == date {
		c.keys, c.start, c.items = nil, nil, nil
	}
	return c, nil
}

// A reader trusts no length.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) uvarint() uint64 {
	if len(r.b) > 0 && r.b[0] < 0x80 {
		v := r.b[0]
		r.b = r.b[1:]
		return uint64(v)
	}
	return r.long()
}

func (r *reader) long() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

// count is a number that cannot be larger than most.
func (r *reader) count(most int) int {
	v := r.uvarint()
	if v > uint64(most) {
		r.bad, r.b = true, nil
		return 0
	}
	return int(v)
}

func (r *reader) bytes(n int) []byte {
	if n > len(r.b) {
		r.bad, r.b = true, nil
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) uint64() uint64 {
	b := r.bytes(8)
	if r.bad {
		return 0
	}
	return binary.LittleEndian.Uint64(b)
}

func (r *reader) column(n int) *column {
	c := &column{}
	keys := r.count(len(r.b) / 9)
	c.keys, c.start = make([]uint64, keys), make([]uint32, 1, keys+1)
	for k := range keys {
		c.keys[k] = r.uint64()
		last := -1
		for range r.count(min(n, len(r.b))) {
			gap := r.count(n)
			if last >= 0 && gap == 0 {
				r.bad = true
			}
			if last = max(last, 0) + gap; last >= n {
				r.bad = true
			}
			if r.bad {
				return c
			}
			c.items = append(c.items, uint32(last))
		}
		c.start = append(c.start, uint32(len(c.items)))
	}
	if !slices.IsSorted(c.keys) {
		r.bad = true
	}
	c.items = slices.Clip(c.items)
	c.present = bits(n)
	for i := range c.present {
		c.present[i] = r.uint64()
	}
	flag := r.bytes(1)
	if r.bad || flag[0] == 0 {
		return c
	}
	c.dates.start = make([]uint32, 1, n+1)
	last := int64(0)
	for range n {
		for range r.count(len(r.b)) {
			from := last + r.varint()
			c.dates.all = append(c.dates.all, interval64{from, from + r.varint()})
			if last = from; r.bad {
				return c
			}
		}
		c.dates.start = append(c.dates.start, uint32(len(c.dates.all)))
	}
	return c
}
