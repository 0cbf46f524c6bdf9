package search

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wellgate/wellgate/fhir/internal/raw"
)

// An Index answers queries over a slice of items of any types. It is immutable to its callers.
type Index struct {
	items []Item
	types map[string]*typeIndex

	once sync.Once
	refs map[string]int // "Type/id" → position, made when an include first needs it
}

// A typeIndex holds the items of one type; positions in it are its own, so that it can serve a later Index.
type typeIndex struct {
	set    *Set
	items  itemList
	global []int // own position → position in Index.items
}

type itemList []Item

func (l itemList) Len() int                  { return len(l) }
func (l itemList) ID(i int) string           { return l[i].Resource.ID() }
func (l itemList) Updated(i int) time.Time   { return l[i].Updated }
func (l itemList) Raw(i int) ([]byte, error) { return l[i].Resource.Raw(), nil }

// NewIndex makes an index of items, which must not change afterwards. It reads none of them yet.
func NewIndex(items []Item) *Index { return (*Index)(nil).Next(items) }

// Next makes an index of items and takes over from ix what was extracted for the types whose items are the same, in
// the same order.
func (ix *Index) Next(items []Item) *Index {
	next := &Index{items: items, types: map[string]*typeIndex{}}
	for i, it := range items {
		t := next.types[it.Resource.Type()]
		if t == nil {
			t = &typeIndex{}
			next.types[it.Resource.Type()] = t
		}
		t.items = append(t.items, it)
		t.global = append(t.global, i)
	}
	for typ, t := range next.types {
		if ix != nil {
			if old := ix.types[typ]; old != nil && slices.EqualFunc(t.items, old.items, sameItem) {
				t.set = old.set
				continue
			}
		}
		t.set = NewSet(typ, len(t.items), false)
	}
	return next
}

func sameItem(a, b Item) bool {
	x, y := a.Resource.Raw(), b.Resource.Raw()
	return len(x) == len(y) && (len(x) == 0 || &x[0] == &y[0]) && a.Version == b.Version && a.Updated.Equal(b.Updated)
}

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
	found, err := t.set.Search(t.items, &q, nil)
	if err != nil {
		return nil, 0 // a slice of items cannot fail
	}
	total = len(found)
	limit := total
	if q.Count >= 0 {
		limit = min(total, max(offset, 0)+q.Count)
	}
	for at := max(offset, 0); at < limit; at++ {
		hits = append(hits, t.global[found[at]])
	}
	return hits, total
}

// Included gives the positions of what _include and _revinclude add to the hits of q, each once, none of them a hit.
func (ix *Index) Included(q Query, hits []int) []int {
	from := make([]Place, len(hits))
	for i, h := range hits {
		typ := ix.items[h].Resource.Type()
		from[i] = Place{typ, slices.Index(ix.types[typ].global, h)}
	}
	found, err := Included(ix, q, from, nil)
	if err != nil {
		return nil
	}
	var out []int
	for _, p := range found {
		out = append(out, ix.types[p.Type].global[p.At])
	}
	return out
}

// Shelf and Find make an Index a Library.
func (ix *Index) Shelf(typ string) (*Set, Source) {
	t := ix.types[typ]
	if t == nil {
		return nil, nil
	}
	return t.set, t.items
}

func (ix *Index) Find(typ, id string) (int, bool) {
	ix.once.Do(func() {
		ix.refs = map[string]int{}
		for typ, t := range ix.types {
			for i := range t.items {
				ix.refs[typ+"/"+t.items.ID(i)] = i
			}
		}
	})
	i, ok := ix.refs[typ+"/"+id]
	return i, ok
}

// fill extracts a parameter from all items.
func (c *column) fill(key colKey, src Source) error {
	n := src.Len()
	f := filler{column: c, key: key}
	c.present = bits(n)
	starts := func() {
		switch {
		case key.words:
			c.words.start = append(c.words.start, uint32(len(c.words.all)))
		case key.p.kind == date:
			c.dates.start = append(c.dates.start, uint32(len(c.dates.all)))
		case key.p.kind == str, key.p.kind == uri:
			c.strings.start = append(c.strings.start, uint32(len(c.strings.all)))
		case key.p.kind == number, key.p.kind == quantity:
			c.spans.start = append(c.spans.start, uint32(len(c.spans.all)))
		}
	}
	for i := range n {
		starts()
		f.i = uint32(i)
		switch key.p {
		case idParam:
			f.post(src.ID(i))
		case updatedParam:
			at := src.Updated(i).UnixMilli()
			f.addDate(at, at+1)
		default:
			b, err := src.Raw(i)
			if err != nil {
				return err
			}
			f.extract(b)
		}
	}
	starts()
	if k := key.p.kind; !key.words && (k == token || k == reference || k == uri) {
		f.posts.put(c, n)
	}
	return nil
}

// A filler reads one item after the other into a column.
type filler struct {
	*column
	key   colKey
	i     uint32
	posts postings
}

func (f *filler) set() { f.present[f.i/64] |= 1 << (f.i % 64) }

func (f *filler) post(parts ...string) { f.posts.add(f.i, hash(parts...)) }

func (f *filler) addDate(from, to int64) {
	f.dates.all = append(f.dates.all, interval64{from, to})
	f.set()
}

// extract reads the object once for all places of a parameter.
func (f *filler) extract(b []byte) {
	p := f.key.p
	exists, single := false, len(p.places) == 1
	for name, v := range raw.Fields(b) {
		for k := range p.places {
			if place := &p.places[k]; place.steps[0].member == string(name) {
				place.steps[0].each(v, place.steps[1:], func(v []byte) { f.add(place.typ, v) })
			}
		}
		if single && p.places[0].steps[0].member == string(name) {
			break // names are unique: nothing more to find
		}
	}
	for k := range p.places {
		exists = exists || p.places[k].typ == "exists"
	}
	if exists && !f.has(f.i) && !f.key.words { // Patient.deceased: not said is false
		f.addToken(code{code: "false", free: true})
		f.present[f.i/64] &^= 1 << (f.i % 64)
	}
}

func (f *filler) add(typ string, v []byte) {
	switch f.key.p.kind {
	case token:
		if f.key.words {
			codes(typ, v, func(code) {}, f.addWords)
			return
		}
		codes(typ, v, f.addToken, func(w string) {
			if w != "" {
				f.set()
			}
		})
	case reference:
		f.addReference(typ, v)
	case date:
		intervals(typ, v, f.addDate)
	case str:
		texts(typ, v, f.addText)
	case uri:
		if s := raw.String(v); s != "" {
			f.addText(s)
			f.post(s)
		}
	case number, quantity:
		spans(typ, v, func(s span) {
			f.spans.all = append(f.spans.all, s)
			f.set()
		})
	}
}

// Keys of postings: a token's code alone, with its system, its system alone, or free of systems.
const (
	keyCode   = "c"
	keyBoth   = "b"
	keySystem = "s"
	keyFree   = "f"
	keyRef    = "r" // "Type/id" or another reference's text
	keyRefID  = "i"
)

func (f *filler) addToken(t code) {
	if t.code == "" && t.system == "" {
		return
	}
	f.set()
	folded := lower(t.code)
	if t.code != "" {
		f.post(keyCode, folded)
		f.post(keyBoth, t.system, "\x00", folded)
	}
	if t.free {
		f.post(keyFree, folded)
	}
	if t.system != "" {
		f.post(keySystem, t.system)
	}
}

func (f *filler) addWords(w string) {
	if w != "" {
		f.words.all = append(f.words.all, fold(w))
	}
}

func (f *filler) addText(s string) {
	if s != "" {
		f.strings.all = append(f.strings.all, text{fold(s), s})
		f.set()
	}
}

func (f *filler) addReference(typ string, v []byte) {
	ref := ""
	if typ == "Reference" {
		ref = raw.String(raw.Get(v, "reference"))
		if id := raw.Get(v, "identifier"); id != nil {
			codes("Identifier", id, f.addToken, func(string) {})
		}
	} else {
		ref = raw.String(v)
		if canonical, version, ok := strings.Cut(ref, "|"); ok && version != "" {
			f.post(keyRef, canonical)
		}
	}
	if ref == "" {
		return
	}
	f.set()
	f.post(keyRef, ref)
	if t, id, ok := splitRef(ref); ok {
		f.post(keyRef, t, "/", id)
		f.post(keyRefID, id)
	}
}
