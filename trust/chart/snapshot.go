package chart

import (
	"context"
	"encoding/binary"
	"errors"

	"github.com/wellgate/wellgate/trust/journal"
)

// Snapshots bound the cost of opening a chart with a long history (DESIGN §3): an index of all entries, with the columns
// that common searches ask for, and their bodies in segments of about segmentSize by type and date. Opening a chart reads
// the index, parses no JSON, and opens a body when something in it is first read. A segment of the snapshot before is kept
// where it is unless much of it was replaced, so a change rewrites the index and what it touched; a small chart's large
// rows are bodies as they stand.
const (
	segmentSize   = 256 << 10
	smallSegment  = segmentSize / 4
	smallChart    = 1 << 20 // up to here reading all rows costs no more than reading a few segments
	snapshotRows  = 256
	snapshotTail  = 2 << 20  // written after a write
	slowTail      = 64 << 10 // written when it has been read
	slowShare     = 64       // of a large chart
	maxSnapshots  = 64       // waiting to be written; one more costs time at a later load, no data
	snapshotShare = 16
)

var errFormat = errors.New("chart: snapshot of another format")

// due says whether the log since the last snapshot is long enough to write a new one.
func (st *record) due() bool {
	return st.tail >= snapshotRows || st.tailLen >= max(snapshotTail, st.bytes/snapshotShare)
}

// slow says whether the next who opens this chart should find a snapshot: what is never opened again needs none.
func (st *record) slow() bool {
	return st.tail >= snapshotRows || st.tailLen >= max(slowTail, st.bytes/slowShare)
}

func (h *House) snapshot(ctx context.Context, num int64, st *record) error {
	draw, err := st.pack(ctx)
	if err != nil {
		return err
	}
	return h.journal.PutSnapshot(ctx, num, draw)
}

// A layout is where the bytes of a record's entries stand in a snapshot.
type layout struct {
	bodies []journal.Body
	sizes  []int
	kept   map[*block]int // those bodies that stay where they are
	open   []byte         // the segment that is being filled: the body after bodies
}

// layout begins with the bodies worth keeping: segments of the snapshot before of which half is still in use, and large rows
// of a small chart.
func (st *record) layout() *layout {
	used := make(map[*block]int64, len(st.blocks))
	for _, typ := range st.types() {
		s := st.shelf(typ)
		for i := range s.entries {
			used[s.entries[i].block] += int64(s.entries[i].size)
		}
	}
	l := &layout{kept: map[*block]int{}}
	for _, b := range st.blocks {
		stays := b.ref.Gen > 0 || b.ref.Num > 0 && st.bytes <= smallChart
		if n := used[b]; stays && n >= smallSegment && n >= b.size/2 {
			l.kept[b] = len(l.bodies)
			l.bodies, l.sizes = append(l.bodies, journal.Body{Kept: b.ref}), append(l.sizes, int(b.size))
		}
	}
	return l
}

// place finds a place for an entry's bytes.
func (l *layout) place(ctx context.Context, e *entry) (body int, off uint32, err error) {
	if n, ok := l.kept[e.block]; ok {
		return n, e.off, nil
	}
	raw, err := e.raw(ctx)
	if err != nil {
		return 0, 0, err
	}
	if len(l.open) > 0 && len(l.open)+len(raw) > segmentSize {
		l.close()
	}
	off = uint32(len(l.open))
	l.open = append(l.open, raw...)
	return len(l.bodies), off, nil
}

func (l *layout) close() {
	if len(l.open) > 0 {
		l.bodies, l.sizes = append(l.bodies, journal.Body{Bytes: l.open}), append(l.sizes, len(l.open))
		l.open = make([]byte, 0, segmentSize)
	}
}

// pack lays a record out as a snapshot.
func (st *record) pack(ctx context.Context) (journal.Draw, error) {
	l := st.layout()
	var shelves []byte
	for _, typ := range st.types() {
		s := st.shelf(typ)
		var err error
		shelves, err = s.pack(appendString(shelves, typ), func(e *entry) (int, uint32, error) { return l.place(ctx, e) })
		if err == nil {
			shelves, err = s.set.AppendTo(shelves, view{ctx, s})
		}
		if err != nil {
			return journal.Draw{}, err
		}
	}
	l.close()
	index := binary.AppendUvarint([]byte{indexFormat}, uint64(len(l.sizes)))
	for _, n := range l.sizes {
		index = binary.AppendUvarint(index, uint64(n))
	}
	index = binary.AppendUvarint(index, uint64(len(st.shelves)))
	return journal.Draw{Base: st.gen, Seq: st.seq, Index: append(index, shelves...), Bodies: l.bodies}, nil
}

// openSnapshot reads a snapshot's index; its bodies are opened when something in them is read.
func (h *House) openSnapshot(num int64, snap *journal.Snapshot) (*record, error) {
	if len(snap.Index) == 0 {
		return nil, errFormat
	}
	bodies := &journal.Snapshot{Seq: snap.Seq, Gen: snap.Gen, Bodies: snap.Bodies} // the index need not stay
	st, err := openIndex(snap.Index, func(n int) *block {
		return &block{h: h, num: num, ref: snap.Bodies[n], open: func(ctx context.Context) ([]byte, error) {
			plain, err := h.journal.Body(ctx, num, bodies, n)
			return plain, h.alarmed(num, err)
		}}
	}, len(snap.Bodies))
	if err != nil {
		return nil, err
	}
	st.seq, st.gen = snap.Seq, snap.Gen
	return st, nil
}
