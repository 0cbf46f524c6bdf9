package search

import (
	"slices"
	"strings"
	"sync"

	"github.com/wellgate/wellgate/fhir/internal/raw"
)

// An Index answers queries over the items it was made of. It is immutable to its callers.
type Index struct {
	items []Item
	types map[string]*typeIndex

	once sync.Once
	refs map[string]int // "Type/id" → position, made when an include first needs it
}

// A typeIndex holds the items of one type; positions in it are its own, so that it can serve a later Index.
type typeIndex struct {
	*columns
	global []int32 // own position → position in Index.items
}

// columns are the extracted values, by parameter; shared by successive indexes while the items are the same.
type columns struct {
	items []Item

	mu    sync.Mutex
	byKey map[*param]*column
}

// NewIndex makes an index of items, which must not change afterwards. It reads none of them yet.
func NewIndex(items []Item) *Index { return (*Index)(nil).Next(items) }

// Next makes an index of items and takes over from ix what was extracted for the types whose items are the same, in
// the same order.
func (ix *Index) Next(items []Item) *Index {
	next := &Index{items: items, types: map[string]*typeIndex{}}
	for i, it := range items {
		t := next.types[it.Resource.Type()]
		if t == nil {
			t = &typeIndex{columns: &columns{byKey: map[*param]*column{}}}
			next.types[it.Resource.Type()] = t
		}
		t.items = append(t.items, it)
		t.global = append(t.global, int32(i))
	}
	if ix == nil {
		return next
	}
	for typ, t := range next.types {
		if old := ix.types[typ]; old != nil && slices.EqualFunc(t.items, old.items, sameItem) {
			t.columns = old.columns
		}
	}
	return next
}

func sameItem(a, b Item) bool {
	x, y := a.Resource.Raw(), b.Resource.Raw()
	return len(x) == len(y) && (len(x) == 0 || &x[0] == &y[0]) && a.Version == b.Version && a.Updated.Equal(b.Updated)
}

// rows holds the values of each item, several or none.
type rows[T any] struct {
	start []int32
	all   []T
}

func (r *rows[T]) at(i int32) []T { return r.all[r.start[i]:r.start[i+1]] }

type interval64 struct{ from, to int64 }

type text struct{ folded, exact string }

// A column is one parameter of one type, extracted. What is filled depends on the parameter's kind.
type column struct {
	once sync.Once

	posting map[string]*[]int32 // token, reference, uri: key → items, ascending
	words   rows[string]        // token :text
	dates   rows[interval64]
	strings rows[text] // string, and uri for :below and :above
	spans   rows[span]
	present []bool
	key     []byte // for post

	orders [2]order // ascending, descending
}

// column extracts a parameter on first use.
func (c *columns) column(p *param) *column {
	c.mu.Lock()
	col := c.byKey[p]
	if col == nil {
		col = &column{}
		c.byKey[p] = col
	}
	c.mu.Unlock()
	col.once.Do(func() { col.fill(p, c.items) })
	return col
}

func (c *column) fill(p *param, items []Item) {
	c.present = make([]bool, len(items))
	c.posting = map[string]*[]int32{}
	for i, it := range items {
		c.words.start = append(c.words.start, int32(len(c.words.all)))
		c.dates.start = append(c.dates.start, int32(len(c.dates.all)))
		c.strings.start = append(c.strings.start, int32(len(c.strings.all)))
		c.spans.start = append(c.spans.start, int32(len(c.spans.all)))
		switch p {
		case idParam:
			c.post(int32(i), it.Resource.ID())
		case updatedParam:
			c.addDate(i, it.Updated.UnixMilli(), it.Updated.UnixMilli()+1)
		default:
			c.extract(p, i, it.Resource.Raw())
		}
	}
	c.words.start = append(c.words.start, int32(len(c.words.all)))
	c.dates.start = append(c.dates.start, int32(len(c.dates.all)))
	c.strings.start = append(c.strings.start, int32(len(c.strings.all)))
	c.spans.start = append(c.spans.start, int32(len(c.spans.all)))
}

func (c *column) addDate(i int, from, to int64) {
	c.dates.all = append(c.dates.all, interval64{from, to})
	c.present[i] = true
}

// extract reads the object once for all places of a parameter.
func (c *column) extract(p *param, i int, b []byte) {
	orFalse, single := false, len(p.places) == 1
	for name, v := range raw.Fields(b) {
		for k := range p.places {
			if place := &p.places[k]; place.steps[0].member == string(name) {
				place.steps[0].each(v, place.steps[1:], func(v []byte) { c.add(p.kind, i, place.typ, v) })
			}
		}
		if single && p.places[0].steps[0].member == string(name) {
			break // names are unique: nothing more to find
		}
	}
	for k := range p.places {
		orFalse = orFalse || p.places[k].typ == "exists"
	}
	if orFalse && !c.present[i] { // Patient.deceased: not said is false
		c.addToken(i, code{code: "false", free: true})
		c.present[i] = false
	}
}

func (c *column) add(kind byte, i int, typ string, v []byte) {
	switch kind {
	case token:
		codes(typ, v, func(t code) { c.addToken(i, t) }, func(w string) { c.addWords(i, w) })
	case reference:
		c.addReference(i, typ, v)
	case date:
		intervals(typ, v, func(from, to int64) { c.addDate(i, from, to) })
	case str:
		texts(typ, v, func(s string) { c.addText(i, s) })
	case uri:
		c.addURI(i, raw.String(v))
	case number, quantity:
		spans(typ, v, func(s span) {
			c.spans.all = append(c.spans.all, s)
			c.present[i] = true
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

func (c *column) addToken(i int, t code) {
	if t.code == "" && t.system == "" {
		return
	}
	c.present[i] = true
	folded := lower(t.code)
	if t.code != "" {
		c.post(int32(i), keyCode, folded)
		c.post(int32(i), keyBoth, t.system, "\x00", folded)
	}
	if t.free {
		c.post(int32(i), keyFree, folded)
	}
	if t.system != "" {
		c.post(int32(i), keySystem, t.system)
	}
}

func (c *column) addWords(i int, w string) {
	if w != "" {
		c.words.all = append(c.words.all, fold(w))
		c.present[i] = true
	}
}

func (c *column) addText(i int, s string) {
	if s != "" {
		c.strings.all = append(c.strings.all, text{fold(s), s})
		c.present[i] = true
	}
}

func (c *column) addURI(i int, s string) {
	if s != "" {
		c.addText(i, s)
		c.post(int32(i), s)
	}
}

func (c *column) addReference(i int, typ string, v []byte) {
	ref := ""
	if typ == "Reference" {
		ref = raw.String(raw.Get(v, "reference"))
		if id := raw.Get(v, "identifier"); id != nil {
			codes("Identifier", id, func(t code) { c.addToken(i, t) }, func(string) {})
		}
	} else {
		ref = raw.String(v)
		if canonical, version, ok := strings.Cut(ref, "|"); ok && version != "" {
			c.post(int32(i), keyRef, canonical)
		}
	}
	if ref == "" {
		return
	}
	c.present[i] = true
	c.post(int32(i), keyRef, ref)
	if t, id, ok := splitRef(ref); ok {
		c.post(int32(i), keyRef, t, "/", id)
		c.post(int32(i), keyRefID, id)
	}
}

// post adds the item to the list of the key that the parts make together; a known key costs no memory.
func (c *column) post(i int32, parts ...string) {
	c.key = c.key[:0]
	for _, p := range parts {
		c.key = append(c.key, p...)
	}
	list := c.posting[string(c.key)]
	if list == nil {
		list = new([]int32)
		c.posting[string(c.key)] = list
	}
	if n := len(*list); n == 0 || (*list)[n-1] != i {
		*list = append(*list, i)
	}
}

// list is the posting list of a key, nil if there is none.
func (c *column) list(key string) []int32 {
	if l := c.posting[key]; l != nil {
		return *l
	}
	return nil
}
