package search

import (
	"slices"
	"strings"

	"github.com/wellgate/wellgate/fhir/internal/raw"
)

// Search gives the positions of all matches that may allows (nil allows all), in the query's order; the caller cuts.
func (s *Set) Search(src Source, q *Query, may func(i uint32) bool) ([]uint32, error) {
	found, err := s.candidates(src, q.terms, may)
	if err != nil || len(q.Sort) == 0 {
		return found, err
	}
	if k := q.Sort[0]; len(q.Sort) == 1 && s.newest && k.Desc && k.def == newestParam(s.typ) {
		return found, nil // they stand in this order
	}
	return s.sorted(src, found, q.Sort)
}

// candidates gives the items for which all terms hold, ascending: shortest posting list first, then the tests.
func (s *Set) candidates(src Source, terms []term, may func(uint32) bool) ([]uint32, error) {
	var lists [][]uint32
	var tests []func(uint32) bool
	for k := range terms {
		t := &terms[k]
		col, err := s.column(src, colKey{t.def, t.def.kind == token && t.modifier == "text"})
		if err != nil {
			return nil, err
		}
		switch list, all, test := col.match(t); {
		case test != nil:
			tests = append(tests, test)
		case !all:
			lists = append(lists, list)
		}
	}
	if may != nil {
		tests = append(tests, may)
	}
	var found []uint32
	if len(lists) == 0 {
		found = make([]uint32, s.n)
		for i := range found {
			found[i] = uint32(i)
		}
	} else {
		slices.SortFunc(lists, func(a, b []uint32) int { return len(a) - len(b) })
		found = slices.Clone(lists[0])
		for _, l := range lists[1:] {
			found = intersect(found, l)
		}
	}
	for _, test := range tests {
		found = slices.DeleteFunc(found, func(i uint32) bool { return !test(i) })
	}
	return found, nil
}

// intersect keeps of a what is in b too; both ascend.
func intersect(a, b []uint32) []uint32 {
	out, j := a[:0], 0
	for _, x := range a {
		for j < len(b) && b[j] < x {
			j++
		}
		if j < len(b) && b[j] == x {
			out = append(out, x)
		}
	}
	return out
}

// An order is a column sorted: items by value, those without one last; equal values share a rank.
type order struct{ perm, rank []uint32 }

// sorted brings found into order.
func (s *Set) sorted(src Source, found []uint32, keys []Sort) ([]uint32, error) {
	orders := make([]*order, len(keys))
	for k, key := range keys {
		o, err := s.order(src, key)
		if err != nil {
			return nil, err
		}
		orders[k] = o
	}
	if len(keys) == 1 && len(found) > 64 { // walk the order instead of sorting
		marks := bits(s.n)
		for _, i := range found {
			marks[i/64] |= 1 << (i % 64)
		}
		out := found[:0]
		for _, i := range orders[0].perm {
			if marks[i/64]&(1<<(i%64)) != 0 {
				out = append(out, i)
			}
		}
		return out, nil
	}
	slices.SortStableFunc(found, func(a, b uint32) int {
		for _, o := range orders {
			if d := int(o.rank[a]) - int(o.rank[b]); d != 0 {
				return d
			}
		}
		return 0
	})
	return found, nil
}

func (s *Set) order(src Source, key Sort) (*order, error) {
	col, err := s.column(src, colKey{p: key.def})
	if err != nil {
		return nil, err
	}
	which := 0
	if key.Desc {
		which = 1
	}
	col.mu.Lock()
	defer col.mu.Unlock()
	if col.orders[which] == nil {
		o := &order{}
		if err := o.fill(col, key, src); err != nil {
			return nil, err
		}
		col.orders[which] = o
		s.weight.Add(int64(8 * s.n))
	}
	return col.orders[which], nil
}

func (o *order) fill(col *column, s Sort, src Source) error {
	n := src.Len()
	compare, err := col.comparison(s, src)
	if err != nil {
		return err
	}
	o.perm = make([]uint32, n)
	for i := range o.perm {
		o.perm[i] = uint32(i)
	}
	slices.SortStableFunc(o.perm, func(a, b uint32) int { return compare(a, b) })
	o.rank = make([]uint32, n)
	for k := 1; k < len(o.perm); k++ {
		o.rank[o.perm[k]] = o.rank[o.perm[k-1]]
		if compare(o.perm[k-1], o.perm[k]) != 0 {
			o.rank[o.perm[k]]++
		}
	}
	return nil
}

// comparison orders two items by s: ascending by the smallest value of each, descending by the largest (R4 3.1.1.5.1);
// an item without a value comes last both ways. A time counts by its first moment.
func (c *column) comparison(s Sort, src Source) (func(a, b uint32) int, error) {
	n := src.Len()
	switch s.def.kind {
	case date:
		return byKey(s.Desc, n, func(i uint32, add func(int64)) {
			for _, d := range c.dates.at(i) {
				add(d.moment())
			}
		}), nil
	case number, quantity:
		return byKey(s.Desc, n, func(i uint32, add func(float64)) {
			for _, n := range c.spans.at(i) {
				if s.Desc {
					add(n.high)
				} else {
					add(n.low)
				}
			}
		}), nil
	case str, uri:
		return byKey(s.Desc, n, func(i uint32, add func(string)) {
			for _, t := range c.strings.at(i) {
				add(t.folded)
			}
		}), nil
	}
	var failed error
	compare := byKey(s.Desc, n, func(i uint32, add func(string)) {
		if s.def == idParam {
			add(src.ID(int(i)))
			return
		}
		b, err := src.Raw(int(i))
		if err != nil {
			failed = err
			return
		}
		tokenTexts(s.def, b, add)
	})
	return compare, failed
}

// moment is the time that an interval sorts by: its first.
func (d interval64) moment() int64 {
	if d.from == beginning {
		return d.to
	}
	return d.from
}

// tokenTexts gives what a token or reference sorts by: its words if it has any, and its codes.
func tokenTexts(p *param, b []byte, add func(string)) {
	for k := range p.places {
		place := &p.places[k]
		place.each(b, func(v []byte) {
			if p.kind == reference {
				add(raw.String(raw.Get(v, "reference")))
				return
			}
			best := ""
			codes(place.typ, v, func(t code) {
				if best == "" {
					best = t.code
				}
			}, func(w string) {
				if w != "" {
					best = w
				}
			})
			add(fold(best))
		})
	}
}

func byKey[K int64 | float64 | string](desc bool, n int, each func(uint32, func(K))) func(a, b uint32) int {
	keys := make([]K, n)
	has := make([]bool, n)
	for i := range n {
		each(uint32(i), func(k K) {
			if !has[i] || desc && k > keys[i] || !desc && k < keys[i] {
				keys[i], has[i] = k, true
			}
		})
	}
	return func(a, b uint32) int {
		switch {
		case has[a] != has[b]:
			if has[a] {
				return -1
			}
			return 1
		case keys[a] == keys[b]:
			return 0
		case (keys[a] < keys[b]) != desc:
			return -1
		}
		return 1
	}
}

// A Place is a resource of a Library by its type and position.
type Place struct {
	Type string
	At   int
}

// A Library holds the shelves of all types, for includes.
type Library interface {
	Shelf(typ string) (*Set, Source) // nil if there is none
	Find(typ, id string) (at int, ok bool)
}

// Included is what _include and _revinclude add to the hits of q, each once, none of them a hit. What may refuses (nil
// refuses nothing) is neither added nor followed.
func Included(lib Library, q Query, hits []Place, may func(Place) bool) ([]Place, error) {
	seen := make(map[Place]bool, len(hits))
	for _, h := range hits {
		seen[h] = true
	}
	var out []Place
	todo := hits
	for round := 0; len(todo) > 0; round++ {
		var next []Place
		add := func(p Place) {
			if !seen[p] {
				seen[p] = true
				if may == nil || may(p) {
					next = append(next, p)
				}
			}
		}
		for _, inc := range q.Include {
			if round == 0 || inc.Iterate {
				if err := inc.forward(lib, todo, add); err != nil {
					return nil, err
				}
			}
		}
		for _, inc := range q.RevInclude {
			if round == 0 || inc.Iterate {
				if err := inc.backward(lib, todo, add); err != nil {
					return nil, err
				}
			}
		}
		out = append(out, next...)
		todo = next
	}
	return out, nil
}

func (inc Include) params() []*param {
	if inc.Param != "*" {
		return []*param{lookup(inc.Source, inc.Param)}
	}
	var all []*param
	for _, p := range byType()[inc.Source] {
		if p.kind == reference {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b *param) int { return strings.Compare(a.name, b.name) })
	return all
}

func (inc Include) forward(lib Library, from []Place, add func(Place)) error {
	set, src := lib.Shelf(inc.Source)
	if set == nil {
		return nil
	}
	for _, p := range inc.params() {
		for _, at := range from {
			if at.Type != inc.Source {
				continue
			}
			b, err := src.Raw(at.At)
			if err != nil {
				return err
			}
			for k := range p.places {
				p.places[k].each(b, func(v []byte) {
					typ, id, ok := splitRef(raw.String(raw.Get(v, "reference")))
					if !ok || inc.Target != "" && inc.Target != typ {
						return
					}
					if to, known := lib.Find(typ, id); known {
						add(Place{typ, to})
					}
				})
			}
		}
	}
	return nil
}

func (inc Include) backward(lib Library, to []Place, add func(Place)) error {
	set, src := lib.Shelf(inc.Source)
	if set == nil {
		return nil
	}
	for _, p := range inc.params() {
		col, err := set.column(src, colKey{p: p})
		if err != nil {
			return err
		}
		for _, at := range to {
			if inc.Target != "" && inc.Target != at.Type {
				continue
			}
			_, there := lib.Shelf(at.Type)
			list, all := col.list(hash(keyRef, at.Type, "/", there.ID(at.At)))
			if all {
				for i := range set.n {
					add(Place{inc.Source, i})
				}
			}
			for _, i := range list {
				add(Place{inc.Source, int(i)})
			}
		}
	}
	return nil
}
