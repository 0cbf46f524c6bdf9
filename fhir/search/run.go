package search

import (
	"slices"
	"strings"
	"sync"

	"github.com/wellgate/wellgate/fhir/internal/raw"
)

// Search gives the positions of the matching items, in the query's order, at most _count of them. Without _sort they
// come in the order of the items.
func (ix *Index) Search(q Query) []int {
	hits, _ := ix.Page(q, 0)
	return hits
}

// Page is Search from the offset-th match on, and the number of all matches.
func (ix *Index) Page(q Query, offset int) (hits []int, total int) {
	t := ix.types[q.Type]
	if t == nil {
		return nil, 0
	}
	found := t.candidates(q.terms)
	total = len(found)
	limit := total
	if q.Count >= 0 {
		limit = min(total, max(offset, 0)+q.Count)
	}
	if len(q.Sort) > 0 {
		found = t.sorted(found, q.Sort, limit)
	}
	if offset = max(offset, 0); offset >= limit {
		return nil, total
	}
	hits = make([]int, 0, limit-offset)
	for _, i := range found[offset:limit] {
		hits = append(hits, int(t.global[i]))
	}
	return hits, total
}

// candidates gives the items for which all terms hold, ascending: shortest posting list first, then the tests.
func (c *columns) candidates(terms []term) []int32 {
	var lists [][]int32
	var tests []func(int32) bool
	for k := range terms {
		list, test := c.column(terms[k].def).match(&terms[k])
		if test != nil {
			tests = append(tests, test)
		} else {
			lists = append(lists, list)
		}
	}
	var found []int32
	if len(lists) == 0 {
		found = make([]int32, len(c.items))
		for i := range found {
			found[i] = int32(i)
		}
	} else {
		slices.SortFunc(lists, func(a, b []int32) int { return len(a) - len(b) })
		found = slices.Clone(lists[0])
		for _, l := range lists[1:] {
			found = intersect(found, l)
		}
	}
	for _, test := range tests {
		found = slices.DeleteFunc(found, func(i int32) bool { return !test(i) })
	}
	return found
}

// intersect keeps of a what is in b too; both ascend.
func intersect(a, b []int32) []int32 {
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
type order struct {
	once sync.Once
	perm []int32
	rank []int32
}

// sorted brings found into order; only the first limit places of the result count.
func (c *columns) sorted(found []int32, keys []Sort, limit int) []int32 {
	orders := make([]*order, len(keys))
	for k, s := range keys {
		orders[k] = c.order(s)
	}
	if len(keys) == 1 && len(found) > 64 { // walk the order instead of sorting
		marks := make([]uint64, len(c.items)/64+1)
		for _, i := range found {
			marks[i/64] |= 1 << (i % 64)
		}
		out := found[:0]
		for _, i := range orders[0].perm {
			if len(out) >= limit {
				break
			}
			if marks[i/64]&(1<<(i%64)) != 0 {
				out = append(out, i)
			}
		}
		return out
	}
	slices.SortStableFunc(found, func(a, b int32) int {
		for _, o := range orders {
			if d := o.rank[a] - o.rank[b]; d != 0 {
				return int(d)
			}
		}
		return 0
	})
	return found
}

func (c *columns) order(s Sort) *order {
	col := c.column(s.def)
	which := 0
	if s.Desc {
		which = 1
	}
	o := &col.orders[which]
	o.once.Do(func() { o.fill(col, s, c.items) })
	return o
}

func (o *order) fill(col *column, s Sort, items []Item) {
	compare := col.comparison(s, items)
	o.perm = make([]int32, len(items))
	for i := range o.perm {
		o.perm[i] = int32(i)
	}
	slices.SortStableFunc(o.perm, func(a, b int32) int { return compare(a, b) })
	o.rank = make([]int32, len(items))
	for k := 1; k < len(o.perm); k++ {
		o.rank[o.perm[k]] = o.rank[o.perm[k-1]]
		if compare(o.perm[k-1], o.perm[k]) != 0 {
			o.rank[o.perm[k]]++
		}
	}
}

// comparison orders two items by s: ascending by the smallest value of each, descending by the largest (R4 3.1.1.5.1);
// an item without a value comes last both ways. A time counts by its first moment.
func (c *column) comparison(s Sort, items []Item) func(a, b int32) int {
	switch s.def.kind {
	case date:
		return byKey(s.Desc, len(items), func(i int32, add func(int64)) {
			for _, d := range c.dates.at(i) {
				if d.from == beginning {
					add(d.to)
				} else {
					add(d.from)
				}
			}
		})
	case number, quantity:
		return byKey(s.Desc, len(items), func(i int32, add func(float64)) {
			for _, n := range c.spans.at(i) {
				if s.Desc {
					add(n.high)
				} else {
					add(n.low)
				}
			}
		})
	case str, uri:
		return byKey(s.Desc, len(items), func(i int32, add func(string)) {
			for _, t := range c.strings.at(i) {
				add(t.folded)
			}
		})
	}
	return byKey(s.Desc, len(items), func(i int32, add func(string)) { tokenTexts(s.def, items[i], add) })
}

// tokenTexts gives what a token or reference sorts by: its words if it has any, and its codes.
func tokenTexts(p *param, it Item, add func(string)) {
	if p == idParam {
		add(it.Resource.ID())
		return
	}
	for k := range p.places {
		place := &p.places[k]
		place.each(it.Resource.Raw(), func(v []byte) {
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

func byKey[K int64 | float64 | string](desc bool, n int, each func(int32, func(K))) func(a, b int32) int {
	keys := make([]K, n)
	has := make([]bool, n)
	for i := range n {
		each(int32(i), func(k K) {
			if !has[i] || desc && k > keys[i] || !desc && k < keys[i] {
				keys[i], has[i] = k, true
			}
		})
	}
	return func(a, b int32) int {
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

// Included gives the positions of what _include and _revinclude add to the hits of q, each once, none of them a hit.
func (ix *Index) Included(q Query, hits []int) []int {
	seen := make(map[int]bool, len(hits))
	for _, h := range hits {
		seen[h] = true
	}
	var out []int
	todo := hits
	for round := 0; len(todo) > 0; round++ {
		var next []int
		add := func(i int) {
			if !seen[i] {
				seen[i] = true
				next = append(next, i)
			}
		}
		for _, inc := range q.Include {
			if round == 0 || inc.Iterate {
				ix.forward(inc, todo, add)
			}
		}
		for _, inc := range q.RevInclude {
			if round == 0 || inc.Iterate {
				ix.backward(inc, todo, add)
			}
		}
		out = append(out, next...)
		todo = next
	}
	return out
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

func (ix *Index) forward(inc Include, from []int, add func(int)) {
	ix.once.Do(func() {
		ix.refs = make(map[string]int, len(ix.items))
		for i, it := range ix.items {
			ix.refs[it.Resource.Ref()] = i
		}
	})
	for _, p := range inc.params() {
		for _, i := range from {
			if ix.items[i].Resource.Type() != inc.Source {
				continue
			}
			for k := range p.places {
				p.places[k].each(ix.items[i].Resource.Raw(), func(v []byte) {
					typ, id, ok := splitRef(raw.String(raw.Get(v, "reference")))
					if to, known := ix.refs[typ+"/"+id]; ok && known && (inc.Target == "" || inc.Target == typ) {
						add(to)
					}
				})
			}
		}
	}
}

func (ix *Index) backward(inc Include, to []int, add func(int)) {
	t := ix.types[inc.Source]
	if t == nil {
		return
	}
	for _, p := range inc.params() {
		col := t.column(p)
		for _, i := range to {
			r := ix.items[i].Resource
			if inc.Target != "" && inc.Target != r.Type() {
				continue
			}
			for _, own := range col.list(keyRef + r.Ref()) {
				add(int(t.global[own]))
			}
		}
	}
}
