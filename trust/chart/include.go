package chart

import (
	"context"

	"github.com/wellgate/wellgate/fhir/search"
)

// A library is a record as includes read it, with the practice's directory behind it (nil for none). Of one type, the
// record's entries have the first places and the directory's those after them.
type library struct {
	ctx context.Context
	*record
	directory *record
}

// Shelf gives the record's own set: what points back at a hit is looked for in this record only.
func (l library) Shelf(typ string) (*search.Set, search.Source) {
	own := l.shelf(typ)
	v := joined{view{l.ctx, own}, emptyShelf}
	if l.directory != nil {
		v.behind = l.directory.shelf(typ)
	}
	if len(own.entries)+len(v.behind.entries) == 0 {
		return nil, nil
	}
	return own.set, v
}

func (l library) Find(typ, id string) (int, bool) {
	own := l.shelf(typ)
	if i, ok := own.find(id); ok || l.directory == nil {
		return i, ok
	}
	i, ok := l.directory.shelf(typ).find(id)
	return len(own.entries) + i, ok
}

// at is the entry of a place, and whether it is the directory's.
func (l library) at(p search.Place) (e *entry, elsewhere bool) {
	own := l.shelf(p.Type)
	if p.At < len(own.entries) {
		return &own.entries[p.At], false
	}
	return &l.directory.shelf(p.Type).entries[p.At-len(own.entries)], true
}

// A joined reads a shelf and the one behind it. Its length is the first one's: searches see no more.
type joined struct {
	view
	behind *shelf
}

func (j joined) entry(i int) *entry {
	if i < len(j.entries) {
		return &j.entries[i]
	}
	return &j.behind.entries[i-len(j.entries)]
}

func (j joined) ID(i int) string           { return j.entry(i).id }
func (j joined) Raw(i int) ([]byte, error) { return j.entry(i).raw(j.ctx) }

// included is what the _include and _revinclude of q add to hits, from this record and from the directory (nil for none).
// Only what may be seen is followed.
func (st *record) included(ctx context.Context, directory *record, q *search.Query, hits []*entry, may func(e *entry, elsewhere bool) bool) (own, theirs []*entry, err error) {
	from := make([]search.Place, len(hits))
	for k, e := range hits {
		i, _ := st.shelf(e.Type()).find(e.id)
		from[k] = search.Place{Type: e.Type(), At: i}
	}
	lib := library{ctx, st, directory}
	found, err := search.Included(lib, *q, from, func(p search.Place) bool { return may(lib.at(p)) })
	for _, p := range found {
		if e, elsewhere := lib.at(p); elsewhere {
			theirs = append(theirs, e)
		} else {
			own = append(own, e)
		}
	}
	return own, theirs, err
}
