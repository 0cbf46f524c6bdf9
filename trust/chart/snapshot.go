package chart

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/fhir/search"
	"github.com/wellgate/wellgate/trust/journal"
)

// Snapshots bound the cost of opening a chart with a long history (DESIGN §3): an index of all entries, with the columns
// that common searches ask for, and their bodies in segments of about segmentSize by type and date. Opening a chart reads
// the index, parses no JSON, and opens a segment when something in it is first read.
//
//	format | types × (type | classes × labels | entries × id | entries × (class, version, times, segment, place) | columns)
//
// Labels and columns are stored as they were read from the JSON: whoever changes how they are read raises indexFormat. A
// snapshot of another format is passed over; the log has it all.
const (
	indexFormat     = 2
	segmentSize     = 256 << 10
	snapshotRows    = 256
	snapshotMinTail = 2 << 20   // written after a write
	slowTail        = 128 << 10 // written when it has been read
	maxSnapshots    = 64        // waiting to be written; one more costs time at a later load, no data
)

var errFormat = errors.New("chart: snapshot of another format")

// due says whether the log since the last snapshot is long enough to write a new one.
func (st *record) due() bool {
	return st.tail >= snapshotRows || st.tailLen >= max(snapshotMinTail, st.bytes/4)
}

// slow says whether the next who opens this chart should find a snapshot: what is never opened again needs none.
func (st *record) slow() bool {
	return st.tail >= snapshotRows || st.tailLen >= max(slowTail, st.bytes/16)
}

func (h *House) snapshot(ctx context.Context, num int64, st *record) error {
	segments, index, err := st.pack(ctx)
	if err != nil {
		return err
	}
	return h.journal.PutSnapshot(ctx, num, st.seq, index, segments)
}

// pack lays a record out as a snapshot.
func (st *record) pack(ctx context.Context) (segments [][]byte, index []byte, err error) {
	var seg []byte
	index = binary.AppendUvarint([]byte{indexFormat}, uint64(len(st.shelves)))
	for _, typ := range st.types() {
		s := st.shelf(typ)
		classes := map[*policyClass]int{}
		var order []*policyClass
		for i := range s.entries {
			if c := s.entries[i].class; classes[c] == 0 {
				order = append(order, c)
				classes[c] = len(order)
			}
		}
		index = appendString(index, typ)
		index = binary.AppendUvarint(index, uint64(len(order)))
		for _, c := range order {
			index = binary.AppendUvarint(index, uint64(len(c.labels)))
			for _, l := range c.labels {
				index = appendString(index, l)
			}
		}
		index = binary.AppendUvarint(index, uint64(len(s.entries)))
		for i := range s.entries {
			index = appendString(index, s.entries[i].id)
			index = appendString(index, s.entries[i].file)
		}
		var updated, when int64
		for i := range s.entries {
			e := &s.entries[i]
			raw, err := e.raw(ctx)
			if err != nil {
				return nil, nil, err
			}
			if len(seg) > 0 && len(seg)+len(raw) > segmentSize {
				segments, seg = append(segments, seg), make([]byte, 0, segmentSize)
			}
			index = binary.AppendUvarint(index, uint64(classes[e.class]-1))
			index = binary.AppendUvarint(index, uint64(e.Version))
			index = binary.AppendVarint(index, e.updated-updated)
			index = binary.AppendVarint(index, e.when-when) // wraps, and back
			updated, when = e.updated, e.when
			for _, v := range []int{len(segments), len(seg), len(raw)} {
				index = binary.AppendUvarint(index, uint64(v))
			}
			seg = append(seg, raw...)
		}
		if index, err = s.set.AppendTo(index, view{ctx, s}); err != nil {
			return nil, nil, err
		}
	}
	if len(seg) > 0 {
		segments = append(segments, seg)
	}
	sizes := binary.AppendUvarint(nil, uint64(len(segments)))
	for _, seg := range segments {
		sizes = binary.AppendUvarint(sizes, uint64(len(seg)))
	}
	return segments, append(index, sizes...), nil
}

func appendString(out []byte, s string) []byte {
	return append(binary.AppendUvarint(out, uint64(len(s))), s...)
}

// openSnapshot reads a snapshot's index; its segments are opened when something in them is read.
func (h *House) openSnapshot(num int64, snap *journal.Snapshot) (*record, error) {
	st, err := openIndex(snap.Index, func(n int) *block {
		return &block{h: h, num: num, open: func(ctx context.Context) ([]byte, error) {
			plain, err := h.journal.Segment(ctx, num, snap, n)
			return plain, h.alarmed(num, err)
		}}
	}, snap.Segments)
	if err != nil {
		return nil, err
	}
	st.seq = snap.Seq
	return st, nil
}

func openIndex(index []byte, segment func(n int) *block, segments int) (*record, error) {
	d := decoder{p: index}
	if d.byte() != indexFormat {
		return nil, errFormat
	}
	st := &record{shelves: map[string]*shelf{}}
	if segments < 0 || segments > len(index) {
		return nil, errBatch
	}
	for n := range segments {
		st.blocks = append(st.blocks, segment(n))
	}
	for range d.uvarint() {
		if d.bad {
			return nil, errBatch
		}
		typ := d.string()
		s, err := d.shelf(typ, st)
		if err != nil {
			return nil, err
		}
		if !fhir.KnownType(typ) || st.shelves[typ] != nil {
			return nil, errBatch
		}
		st.shelves[typ] = s
	}
	if int(d.uvarint()) != segments {
		return nil, errBatch
	}
	for _, b := range st.blocks {
		b.size = int64(d.uvarint())
	}
	if d.bad || len(d.p) != 0 {
		return nil, errBatch
	}
	for _, s := range st.shelves {
		for i := range s.entries {
			if e := &s.entries[i]; int64(e.off)+int64(e.size) > e.block.size {
				return nil, errBatch
			}
		}
	}
	return st, nil
}

func (d *decoder) shelf(typ string, st *record) (*shelf, error) {
	s := &shelf{}
	for range d.count() {
		c := &policyClass{typ: typ}
		for range d.count() {
			c.labels = append(c.labels, d.string())
		}
		s.classes = append(s.classes, c)
	}
	n := d.count()
	if d.bad {
		return nil, errBatch
	}
	s.entries = make([]entry, n)
	names := make([]byte, 0, 40*n)
	lens := make([]uint32, 0, 2*n)
	for range n {
		for range 2 {
			b := d.bytes(d.uvarint())
			names, lens = append(names, b...), append(lens, uint32(len(b)))
		}
	}
	all := string(names) // one piece of memory for the ids of a type
	var updated, when int64
	at := 0
	for i := range s.entries {
		e := &s.entries[i]
		e.id, e.file = all[at:at+int(lens[2*i])], all[at+int(lens[2*i]):at+int(lens[2*i])+int(lens[2*i+1])]
		if at += int(lens[2*i]) + int(lens[2*i+1]); e.file == "" {
			e.file = ""
		}
		c := d.uvarint()
		e.Version = int64(d.uvarint())
		updated += d.varint()
		when += d.varint()
		seg, off, size := d.uvarint(), d.uvarint(), d.uvarint()
		if d.bad || c >= uint64(len(s.classes)) || seg >= uint64(len(st.blocks)) || off > 1<<31 || size > 1<<31 {
			return nil, errBatch
		}
		e.class, e.updated, e.when, e.block, e.off, e.size = s.classes[c], updated, when, st.blocks[seg], uint32(off), uint32(size)
		st.bytes += int64(size)
		st.index += entryBytes + int64(len(e.id)+len(e.file))
	}
	var err error
	if s.set, d.p, err = search.OpenSet(typ, n, true, d.p); err != nil {
		return nil, fmt.Errorf("%w: %w", errBatch, err)
	}
	s.classes = s.classes[:min(len(s.classes), 64)]
	return s, nil
}

// count is a number of things that each take a byte at least.
func (d *decoder) count() int {
	n := d.uvarint()
	if n > uint64(len(d.p)) {
		d.bad, d.p = true, nil
		return 0
	}
	return int(n)
}
