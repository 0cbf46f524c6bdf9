package chart

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wellgate/wellgate/fhir/search"
	"github.com/wellgate/wellgate/trust/journal"
)

// A record is what the log of one chart adds up to at seq. It is immutable: a change makes a new one that shares the
// shelves it did not touch.
type record struct {
	kind    journal.Kind
	seq     int64
	shelves map[string]*shelf
	bytes   int64 // raw JSON held
	tail    int   // rows since the newest snapshot
	tailLen int64 // their bytes
}

// A shelf holds the resources of one type, by id, with an index that is built when first searched.
type shelf struct {
	entries []entry
	once    sync.Once
	index   *search.Index
}

type entry struct {
	Entry
	labels []string
	class  string // type and labels: what a policy decision depends on
	file   string // sealed file that holds a Binary's data
}

var emptyShelf = &shelf{}

func (st *record) shelf(typ string) *shelf {
	if s := st.shelves[typ]; s != nil {
		return s
	}
	return emptyShelf
}

func (st *record) types() []string { return slices.Sorted(maps.Keys(st.shelves)) }

func (st *record) get(typ, id string) *entry {
	s := st.shelf(typ)
	i, ok := s.find(id)
	if !ok {
		return nil
	}
	return &s.entries[i]
}

func (s *shelf) find(id string) (int, bool) {
	return slices.BinarySearchFunc(s.entries, id, func(e entry, id string) int { return cmp.Compare(e.ID(), id) })
}

// matches are the entries of a shelf that q finds and that may be seen, in q's order, uncut.
func (st *record) matches(q search.Query, may func(*entry) bool) []*entry {
	s := st.shelf(q.Type)
	s.once.Do(func() { s.index = search.NewIndex(s.items(nil)) })
	q.Count = -1 // cut after what may not be seen is gone, never before
	var out []*entry
	for _, i := range s.index.Search(q) {
		if e := &s.entries[i]; may(e) {
			out = append(out, e)
		}
	}
	return out
}

func (s *shelf) items(to []search.Item) []search.Item {
	for i := range s.entries {
		e := &s.entries[i]
		to = append(to, search.Item{Resource: e.Resource, Version: e.Version, Updated: e.Updated})
	}
	return to
}

// included is what the _include and _revinclude of q add to hits. Only what may be seen is followed.
func (st *record) included(q search.Query, hits []*entry, may func(*entry) bool) []*entry {
	var items []search.Item
	var entries []*entry
	at := map[*entry]int{}
	for _, typ := range st.types() {
		s := st.shelf(typ)
		for i := range s.entries {
			if e := &s.entries[i]; may(e) {
				at[e] = len(entries)
				entries = append(entries, e)
				items = append(items, search.Item{Resource: e.Resource, Version: e.Version, Updated: e.Updated})
			}
		}
	}
	from := make([]int, len(hits))
	for i, e := range hits {
		from[i] = at[e]
	}
	var out []*entry
	for _, i := range search.NewIndex(items).Included(q, from) {
		out = append(out, entries[i])
	}
	return out
}

// with applies one stored batch and returns the next version of the record.
func (st *record) with(b batch, seq int64) *record {
	next := &record{kind: st.kind, seq: seq, shelves: maps.Clone(st.shelves), bytes: st.bytes, tail: st.tail + 1, tailLen: st.tailLen}
	if next.shelves == nil {
		next.shelves = map[string]*shelf{}
	}
	byType := map[string][]op{}
	for _, o := range b.ops {
		byType[o.typ] = append(byType[o.typ], o)
	}
	for typ, ops := range byType {
		next.shelves[typ] = next.shelf(typ).with(ops, b.at, next)
	}
	return next
}

func (s *shelf) with(ops []op, at time.Time, st *record) *shelf {
	// The newest op for an id wins; a batch from a bundle may hold the same id twice.
	newest := map[string]op{}
	for _, o := range ops {
		newest[o.id] = o
	}
	out := &shelf{entries: make([]entry, 0, len(s.entries)+len(newest))}
	for _, e := range s.entries {
		if o, ok := newest[e.ID()]; ok {
			st.bytes -= int64(len(e.Raw()))
			delete(newest, e.ID())
			if o.deleted {
				continue
			}
			out.entries = append(out.entries, newEntry(o, at))
			st.bytes += int64(len(o.res.Raw()))
			st.tailLen += int64(len(o.res.Raw()))
			continue
		}
		out.entries = append(out.entries, e)
	}
	for _, o := range newest {
		if !o.deleted {
			out.entries = append(out.entries, newEntry(o, at))
			st.bytes += int64(len(o.res.Raw()))
			st.tailLen += int64(len(o.res.Raw()))
		}
	}
	slices.SortFunc(out.entries, func(a, b entry) int { return cmp.Compare(a.ID(), b.ID()) })
	return out
}

func newEntry(o op, at time.Time) entry {
	if !o.labelled {
		o.labels = labels(o.res)
	}
	e := entry{Entry: Entry{Resource: o.res, Version: o.version, Updated: at}, labels: o.labels, file: o.file, class: o.typ}
	if len(e.labels) > 0 {
		e.class = fmt.Sprintf("%s|%q", o.typ, e.labels) // quoted: a code may hold any sign
	}
	return e
}

// load gives the chart's newest record from the warm cache or the log.
func (h *House) load(ctx context.Context, num int64) (*record, error) {
	if err := h.vault.Err(); err != nil {
		return nil, err
	}
	return h.warm.Get(ctx, num, func(ctx context.Context) (*record, int64, error) {
		st, err := h.replay(ctx, num)
		if err != nil {
			return nil, 0, err
		}
		return st, st.weight(), nil
	})
}

// weight estimates the memory a record holds: its JSON, and per entry the slot and its strings.
func (st *record) weight() int64 {
	n := 0
	for _, s := range st.shelves {
		n += len(s.entries)
	}
	return st.bytes + int64(n)*200
}

func (h *House) replay(ctx context.Context, num int64) (*record, error) {
	snap, rows, err := h.journal.Load(ctx, num)
	if err != nil {
		return nil, fmt.Errorf("chart: load: %w", err)
	}
	st := &record{}
	if snap != nil {
		if st, err = h.openSnapshot(ctx, num, snap); err != nil {
			return nil, err
		}
	}
	st.kind = h.kind(num)
	if len(rows) == 0 {
		return st, nil
	}
	batches := make([]batch, len(rows))
	for i, r := range rows {
		if batches[i], err = decodeBatch(r.Plain); err != nil {
			return nil, fmt.Errorf("chart: row %d: %w", r.Seq, err)
		}
	}
	return st.replay(batches, rows), nil
}

// replay folds many batches at once: sorting each shelf after every row would be quadratic in a long history.
func (st *record) replay(batches []batch, rows []journal.Row) *record {
	type slot struct {
		o  op
		at time.Time
	}
	newest := map[string]map[string]slot{}
	for _, b := range batches {
		for _, o := range b.ops {
			if newest[o.typ] == nil {
				newest[o.typ] = map[string]slot{}
			}
			newest[o.typ][o.id] = slot{o, b.at}
		}
	}
	next := &record{kind: st.kind, seq: rows[len(rows)-1].Seq, shelves: maps.Clone(st.shelves), bytes: st.bytes, tail: len(rows)}
	if next.shelves == nil {
		next.shelves = map[string]*shelf{}
	}
	for _, r := range rows {
		next.tailLen += int64(len(r.Plain))
	}
	for typ, slots := range newest {
		out := &shelf{}
		for _, e := range st.shelf(typ).entries {
			if _, replaced := slots[e.ID()]; replaced {
				next.bytes -= int64(len(e.Raw()))
				continue
			}
			out.entries = append(out.entries, e)
		}
		for _, s := range slots {
			if !s.o.deleted {
				out.entries = append(out.entries, newEntry(s.o, s.at))
				next.bytes += int64(len(s.o.res.Raw()))
			}
		}
		slices.SortFunc(out.entries, func(a, b entry) int { return cmp.Compare(a.ID(), b.ID()) })
		next.shelves[typ] = out
	}
	return next
}

func (h *House) kind(num int64) journal.Kind {
	switch num {
	case h.directory:
		return journal.Directory
	case h.intake:
		return journal.Intake
	default:
		return journal.Patient
	}
}

func splitRef(ref string) (typ, id string) {
	typ, id, ok := strings.Cut(ref, "/")
	if !ok || typ == "" || id == "" || strings.ContainsAny(typ, ":#?") {
		return "", ""
	}
	id, _, _ = strings.Cut(id, "/_history/")
	if strings.Contains(id, "/") {
		return "", ""
	}
	return typ, id
}
