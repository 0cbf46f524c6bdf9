package chart

import (
	"context"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wellgate/wellgate/fhir"
)

// twins knows the directory's people and places by type, identifier and name, so that a create of one that is there
// already is found without reading the directory. It follows the newest version of the directory that was seen.
type twins struct {
	mu    sync.Mutex
	seq   int64
	by    map[string]twin  // by sameness
	known map[string]int64 // "Type/id" → version that by was told of
}

// A twin is where to find what a create repeats.
type twin struct {
	id      string
	version int64
	updated time.Time
}

// named is what tells the practice's people and places apart.
type named struct {
	Identifier []fhir.Identifier `json:"identifier"`
	Name       jsontext.Value    `json:"name"` // text of a place, names of a person
}

// sameness lists the keys under which r is the same as another: same type, an identifier in common, and the same name.
// An identifier alone is not enough: some systems give one filler value to many.
func sameness(r fhir.Resource) []string {
	n := fhir.View[named](r)
	if len(n.Name) < 3 {
		return nil
	}
	name := Fold(string(n.Name))
	var keys []string
	for _, id := range n.Identifier {
		if id.System != "" && id.Value != "" {
			keys = append(keys, r.Type()+"\x00"+id.System+"\x00"+id.Value+"\x00"+name)
		}
	}
	return keys
}

// find is the twin of r in the directory st, or in a newer version of it.
func (t *twins) find(ctx context.Context, st *record, r fhir.Resource) (twin, bool) {
	keys := sameness(r)
	if len(keys) == 0 {
		return twin{}, false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.follow(ctx, st)
	for _, k := range keys {
		if tw, ok := t.by[k]; ok && (t.seq > st.seq || st.get(r.Type(), tw.id) != nil) {
			return tw, true
		}
	}
	return twin{}, false
}

// follow reads what is new in st. Only what is not known at its version is opened.
func (t *twins) follow(ctx context.Context, st *record) {
	if t.by == nil {
		t.by, t.known = map[string]twin{}, map[string]int64{}
	}
	if st.seq <= t.seq {
		return
	}
	for _, typ := range st.types() {
		s := st.shelf(typ)
		for i := range s.entries {
			t.add(ctx, &s.entries[i])
		}
	}
	t.seq = st.seq
}

func (t *twins) add(ctx context.Context, e *entry) {
	if t.known[e.Ref()] == e.Version {
		return
	}
	t.known[e.Ref()] = e.Version
	r, err := e.resource(ctx)
	if err != nil {
		delete(t.known, e.Ref()) // a repeat more is no harm
		return
	}
	for _, k := range sameness(r) {
		t.by[k] = twin{e.ID(), e.Version, e.at()}
	}
}

// committed tells of the row that made the newest version, while the writer is still held.
func (t *twins) committed(ctx context.Context, next *record, ops []op) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.by == nil || t.seq != next.seq-1 {
		return // follow will read it
	}
	for _, o := range ops {
		if e := next.get(o.typ, o.id); e != nil {
			t.add(ctx, e)
		}
	}
	t.seq = next.seq
}
