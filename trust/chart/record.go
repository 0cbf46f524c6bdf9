package chart

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wellgate/wellgate/fhir/search"
	"github.com/wellgate/wellgate/trust/journal"
)

// A record is what the log of one chart adds up to at seq. It is immutable: a change makes a new one that shares the
// shelves and blocks it did not touch. Only what is kept of its blocks in memory comes and goes.
type record struct {
	kind    journal.Kind
	seq     int64
	gen     int64 // of the snapshot that it began with
	shelves map[string]*drawer
	blocks  []*block
	bytes   int64 // raw JSON of all entries
	tail    int   // rows since the newest snapshot
	tailLen int64 // their bytes

	memos  memos
	graves atomic.Pointer[map[string]grave] // what was deleted, once somebody asked
}

// A shelf holds the resources of one type, newest first and then by id, which is the order _sort=-date wants.
type shelf struct {
	entries []entry
	classes []*policyClass
	set     *search.Set
	bytes   int64 // that entries and ids take

	once sync.Once // of what find uses
	seed maphash.Seed
	ids  []uint32 // open addressing: position + 1 by hash of id
}

var emptyShelf = &shelf{set: search.NewSet("", 0, true)}

func (st *record) shelf(typ string) *shelf {
	if d := st.shelves[typ]; d != nil {
		return d.shelf(typ)
	}
	return emptyShelf
}

func (st *record) types() []string { return slices.Sorted(maps.Keys(st.shelves)) }

func (st *record) get(typ, id string) *entry {
	s := st.shelf(typ)
	if i, ok := s.find(id); ok {
		return &s.entries[i]
	}
	return nil
}

func (s *shelf) find(id string) (int, bool) {
	if len(s.entries) == 0 {
		return 0, false
	}
	s.once.Do(s.fill)
	mask := uint64(len(s.ids) - 1)
	for at := maphash.String(s.seed, id) & mask; s.ids[at] != 0; at = (at + 1) & mask {
		if i := s.ids[at] - 1; s.entries[i].id == id {
			return int(i), true
		}
	}
	return 0, false
}

func (s *shelf) fill() {
	n := 4
	for n < 2*len(s.entries) {
		n *= 2
	}
	s.seed, s.ids = maphash.MakeSeed(), make([]uint32, n)
	mask := uint64(n - 1)
	for i := range s.entries {
		at := maphash.String(s.seed, s.entries[i].id) & mask
		for s.ids[at] != 0 {
			at = (at + 1) & mask
		}
		s.ids[at] = uint32(i) + 1
	}
}

// A view is a shelf as search reads it.
type view struct {
	ctx context.Context
	*shelf
}

func (v view) Len() int                  { return len(v.entries) }
func (v view) ID(i int) string           { return v.entries[i].id }
func (v view) Updated(i int) time.Time   { return time.Unix(0, v.entries[i].updated) }
func (v view) Raw(i int) ([]byte, error) { return v.entries[i].raw(v.ctx) }

// matches are the entries of a shelf that q finds and that may be seen, in q's order, uncut: what may not be seen is gone
// before anything is counted.
func (st *record) matches(ctx context.Context, q *search.Query, may func(*entry) bool) ([]*entry, error) {
	s := st.shelf(q.Type)
	before := s.set.Weight()
	found, err := s.set.Search(view{ctx, s}, q, func(i uint32) bool { return may(&s.entries[i]) })
	if err != nil {
		return nil, err
	}
	if len(s.entries) > 0 && s.set.Weight() != before {
		b := s.entries[0].block
		b.h.reweigh(b.num)
	}
	out := make([]*entry, len(found))
	for k, i := range found {
		out[k] = &s.entries[i]
	}
	return out, nil
}

// A fresh is a new version of a resource on its way into a shelf.
type fresh struct {
	entry
	data    []byte
	labels  []string
	deleted bool
}

func newFresh(o *op, at time.Time, b *block) fresh {
	f := fresh{deleted: o.deleted, labels: o.labels}
	f.entry = entry{block: b, off: uint32(o.off), id: o.id, file: o.file, Version: o.version, updated: at.UnixNano(), when: math.MinInt64}
	if !o.deleted {
		if !o.labelled {
			f.labels = labels(o.res)
		}
		f.data = o.res.Raw()
		f.size = uint32(len(f.data))
		f.when = search.When(o.typ, f.data)
	}
	return f
}

func byNewest(a, b *entry) int {
	if a.when != b.when {
		return cmp.Compare(b.when, a.when)
	}
	return cmp.Compare(a.id, b.id)
}

// with applies one stored batch, whose bytes are plain, and returns the next version of the record.
func (st *record) with(h *House, num int64, b batch, plain []byte, seq int64) *record {
	next := st.next(seq)
	next.tail, next.tailLen = st.tail+1, st.tailLen+int64(len(plain))
	next.apply([]batch{b}, []*block{h.loaded(num, plain)})
	return next
}

func (st *record) next(seq int64) *record {
	next := &record{kind: st.kind, seq: seq, gen: st.gen, shelves: maps.Clone(st.shelves), bytes: st.bytes, blocks: slices.Clone(st.blocks)}
	if next.shelves == nil {
		next.shelves = map[string]*drawer{}
	}
	return next
}

// apply folds batches in, the newest version of each id winning. It is for a record that nobody else has yet.
func (st *record) apply(batches []batch, blocks []*block) {
	st.blocks = append(st.blocks, blocks...)
	byType := map[string]map[string]fresh{}
	for k, b := range batches {
		for i := range b.ops {
			o := &b.ops[i]
			m := byType[o.typ]
			if m == nil {
				m = map[string]fresh{}
				byType[o.typ] = m
			}
			m[o.id] = newFresh(o, b.at, blocks[k])
		}
	}
	for typ, m := range byType {
		st.shelves[typ] = drawerOf(st.shelf(typ).next(typ, m, st))
	}
	st.settle()
}

// settle lets go of blocks in which nothing stands any more.
func (st *record) settle() {
	if len(st.blocks) < 64 {
		return
	}
	used := make(map[*block]bool, len(st.blocks))
	for _, d := range st.shelves {
		for _, b := range d.inUse() {
			used[b] = true
		}
	}
	st.blocks = slices.DeleteFunc(st.blocks, func(b *block) bool { return !used[b] })
}

// next is the shelf after changes, which may hold deletions.
func (s *shelf) next(typ string, changes map[string]fresh, st *record) *shelf {
	out := &shelf{classes: s.classes, bytes: s.bytes}
	add := make([]fresh, 0, len(changes))
	for _, f := range changes {
		if !f.deleted {
			f.class = out.classOf(typ, f.labels)
			st.bytes += int64(f.size)
			out.bytes += entryBytes + int64(len(f.id)+len(f.file))
			add = append(add, f)
		}
	}
	slices.SortFunc(add, func(a, b fresh) int { return byNewest(&a.entry, &b.entry) })
	out.entries = make([]entry, 0, len(s.entries)+len(add))
	from := make([]int32, 0, len(s.entries)+len(add))
	k := 0
	for i := range s.entries {
		e := &s.entries[i]
		if _, replaced := changes[e.id]; replaced {
			st.bytes -= int64(e.size)
			out.bytes -= entryBytes + int64(len(e.id)+len(e.file))
			continue
		}
		for k < len(add) && byNewest(&add[k].entry, e) < 0 {
			out.entries, from = append(out.entries, add[k].entry), append(from, ^int32(k))
			k++
		}
		out.entries, from = append(out.entries, *e), append(from, int32(i))
	}
	for ; k < len(add); k++ {
		out.entries, from = append(out.entries, add[k].entry), append(from, ^int32(k))
	}
	if s == emptyShelf {
		out.set = search.NewSet(typ, len(out.entries), true)
	} else {
		out.set = s.set.Grow(from, freshes(add))
	}
	return out
}

// freshes are new entries as search reads them.
type freshes []fresh

func (f freshes) Len() int                  { return len(f) }
func (f freshes) ID(i int) string           { return f[i].id }
func (f freshes) Updated(i int) time.Time   { return time.Unix(0, f[i].updated) }
func (f freshes) Raw(i int) ([]byte, error) { return f[i].data, nil }

// classOf keeps one class for the same labels, as long as they are few: then decisions are few too.
func (s *shelf) classOf(typ string, labels []string) *policyClass {
	for _, c := range s.classes {
		if slices.Equal(c.labels, labels) {
			return c
		}
	}
	c := &policyClass{typ, labels}
	if len(s.classes) < 64 {
		s.classes = append(slices.Clip(s.classes), c)
	}
	return c
}

// weight is the memory a record takes: its index, what is kept of its blocks, what was extracted for searches and pages.
func (st *record) weight() int64 {
	n := 1024 + st.memos.weight()
	for _, b := range st.blocks {
		n += 128 + b.held.Load()
	}
	for _, d := range st.shelves {
		n += 512 + d.weight()
	}
	return n
}

// cool moves a record to the cold tier: its blocks are compressed, its shelves folded, what can be made again is dropped.
func (st *record) cool() {
	st.memos.drop()
	st.graves.Store(nil)
	for _, b := range st.blocks {
		if b.size >= 1<<10 {
			b.pack()
		}
	}
	for _, d := range st.shelves {
		d.fold()
	}
}

// reweigh tells the cache that a record's weight may have changed.
func (h *House) reweigh(num int64) { h.warm.Reweigh(num) }

func (h *House) replay(ctx context.Context, num int64) (*record, error) {
	snap, rows, err := h.journal.Load(ctx, num)
	if err != nil {
		return nil, fmt.Errorf("chart: load: %w", h.alarmed(num, err))
	}
	st := &record{}
	if snap != nil {
		st, err = h.openSnapshot(num, snap)
		if errors.Is(err, errFormat) { // made by another version of this program: the log has it all
			st = &record{gen: snap.Gen}
			if rows, err = h.journal.Rows(ctx, num, 1, 0); err != nil {
				return nil, fmt.Errorf("chart: load: %w", err)
			}
		}
		if err != nil {
			return nil, h.alarmed(num, err)
		}
	}
	seq := st.seq
	if len(rows) > 0 {
		seq = rows[len(rows)-1].Seq
	}
	if err := h.checkTip(ctx, num, seq); err != nil {
		return nil, fmt.Errorf("chart: load: %w", h.alarmed(num, err))
	}
	st.kind = h.kind(num)
	return h.follow(num, st, rows)
}

// follow applies rows of the log to a record.
func (h *House) follow(num int64, st *record, rows []journal.Row) (*record, error) {
	if len(rows) == 0 {
		return st, nil
	}
	next := st.next(rows[len(rows)-1].Seq)
	next.tail, next.tailLen = st.tail+len(rows), st.tailLen
	batches, blocks := make([]batch, len(rows)), make([]*block, len(rows))
	for i, r := range rows {
		var err error
		if batches[i], err = decodeBatch(r.Plain); err != nil {
			return nil, fmt.Errorf("chart: row %d: %w", r.Seq, err)
		}
		blocks[i] = h.loaded(num, r.Plain)
		blocks[i].ref = r.Ref()
		next.tailLen += int64(len(r.Plain))
	}
	next.apply(batches, blocks)
	return next, nil
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

// entry is the entry made whole: what is handed out.
func (e *entry) give(ctx context.Context) (Entry, error) {
	r, err := e.resource(ctx)
	return Entry{Resource: r, Version: e.Version, Updated: e.at()}, err
}

func (e *entry) at() time.Time { return time.Unix(0, e.updated).UTC() }
