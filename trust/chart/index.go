package chart

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/fhir/search"
)

// The index of a snapshot:
//
//	format | bodies × size | types × (type | classes × labels | entries | ids | files | seven columns | columns of search)
//
// What entries have in common stands together, so that it compresses to little and is read without a search. Labels, times
// and columns of search are stored as they were read from the JSON: whoever changes how they are read raises indexFormat. A
// snapshot of another format is passed over; the log has it all.
const indexFormat = 4

// The columns of a shelf, each a number for each entry.
const (
	ofClass = iota
	ofVersion
	ofUpdated // since the entry before
	ofWhen    // since the entry before; wraps, and back
	ofBody    // after that of the entry before
	ofOffset  // after the end of the entry before, if that stands in the same body
	ofSize
	columns
)

// pack appends a shelf to an index, all but its columns of search. place says where an entry's bytes stand.
func (s *shelf) pack(index []byte, place func(*entry) (body int, off uint32, err error)) ([]byte, error) {
	classes := map[*policyClass]int{}
	var order []*policyClass
	for i := range s.entries {
		if c := s.entries[i].class; classes[c] == 0 {
			order = append(order, c)
			classes[c] = len(order)
		}
	}
	index = binary.AppendUvarint(index, uint64(len(order)))
	for _, c := range order {
		index = binary.AppendUvarint(index, uint64(len(c.labels)))
		for _, l := range c.labels {
			index = appendString(index, l)
		}
	}
	index = binary.AppendUvarint(index, uint64(len(s.entries)))
	index = appendIDs(index, s.entries)
	index = appendFiles(index, s.entries)
	var cols [columns][]byte
	last, end := entry{}, struct {
		body int
		off  uint32
	}{}
	for i := range s.entries {
		e := &s.entries[i]
		body, off, err := place(e)
		if err != nil {
			return nil, err
		}
		start := end.off
		if body != end.body {
			start = 0
		}
		for c, v := range [columns]int64{int64(classes[e.class] - 1), e.Version, e.updated - last.updated, e.when - last.when,
			int64(body - end.body), int64(off) - int64(start), int64(e.size)} {
			cols[c] = binary.AppendVarint(cols[c], v)
		}
		last, end.body, end.off = *e, body, off+e.size
	}
	for _, col := range cols {
		index = append(binary.AppendUvarint(index, uint64(len(col))), col...)
	}
	return index, nil
}

func appendString(out []byte, s string) []byte {
	return append(binary.AppendUvarint(out, uint64(len(s))), s...)
}

// How an id is stored: as text, as the bytes of a UUID, or as the bytes behind the chart's name in an id of ours.
const (
	asText byte = iota
	asUUID
	asOurs
	asNamed // text behind the chart's name
)

const (
	uuidLen = 36
	ownText = 16 // what newID puts behind the chart's name
	ownLen  = 10
)

// appendIDs stores ids: their kinds, the chart's name, and what they are.
func appendIDs(out []byte, es []entry) []byte {
	kinds, data, name := make([]byte, len(es)), make([]byte, 0, 16*len(es)), ""
	for i := range es {
		id := es[i].id
		if b, ok := parseUUID(id); ok {
			kinds[i], data = asUUID, append(data, b[:]...)
			continue
		}
		if at := strings.IndexByte(id, '-') + 1; at > 0 && (name == "" || name == id[:at]) {
			name = id[:at]
			if b, err := idText.DecodeString(id[at:]); err == nil && len(id)-at == ownText && idText.EncodeToString(b) == id[at:] {
				kinds[i], data = asOurs, append(data, b...)
			} else {
				kinds[i], data = asNamed, appendString(data, id[at:])
			}
			continue
		}
		data = appendString(data, id)
	}
	out = append(out, kinds...)
	return append(appendString(out, name), data...)
}

func parseUUID(s string) (b [16]byte, ok bool) {
	if len(s) != uuidLen || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return b, false
	}
	at := 0
	for _, part := range [5]string{s[:8], s[9:13], s[14:18], s[19:23], s[24:]} {
		n, err := hex.Decode(b[at:], []byte(part))
		if err != nil || strings.ToLower(part) != part {
			return b, false
		}
		at += n
	}
	return b, true
}

func appendUUID(out, b []byte) []byte {
	const digits = "0123456789abcdef"
	for i, c := range b[:16] {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			out = append(out, '-')
		}
		out = append(out, digits[c>>4], digits[c&15])
	}
	return out
}

// appendFiles stores the files of those few entries that have one.
func appendFiles(out []byte, es []entry) []byte {
	n, list := 0, []byte(nil)
	for i := range es {
		if es[i].file != "" {
			n++
			list = appendString(binary.AppendUvarint(list, uint64(i)), es[i].file)
		}
	}
	return append(binary.AppendUvarint(out, uint64(n)), list...)
}

func openIndex(index []byte, body func(n int) *block, bodies int) (*record, error) {
	d := decoder{p: index}
	if d.byte() != indexFormat {
		return nil, errFormat
	}
	st := &record{shelves: map[string]*drawer{}}
	if d.count() != bodies {
		return nil, errBatch
	}
	for n := range bodies {
		b := body(n)
		b.size = int64(d.uvarint())
		st.blocks = append(st.blocks, b)
	}
	for range d.count() {
		typ := d.string()
		s, err := d.shelf(typ, st)
		if err != nil {
			return nil, err
		}
		if !fhir.KnownType(typ) || st.shelves[typ] != nil {
			return nil, errBatch
		}
		st.shelves[typ] = drawerOf(s)
	}
	if d.bad || len(d.p) != 0 {
		return nil, errBatch
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
	d.ids(s.entries)
	for range d.count() {
		i := d.uvarint()
		file := d.string()
		if d.bad || i >= uint64(n) {
			return nil, errBatch
		}
		s.entries[i].file = file
	}
	var cols [columns]decoder
	for c := range cols {
		cols[c].p = d.bytes(d.uvarint())
	}
	if d.bad || !s.fillFrom(&cols, st) {
		return nil, errBatch
	}
	var err error
	if s.set, d.p, err = search.OpenSet(typ, n, true, d.p); err != nil {
		return nil, fmt.Errorf("%w: %w", errBatch, err)
	}
	s.classes = s.classes[:min(len(s.classes), 64)]
	return s, nil
}

// fillFrom reads the columns into the entries.
func (s *shelf) fillFrom(cols *[columns]decoder, st *record) bool {
	var updated, when, body, end int64
	for i := range s.entries {
		e := &s.entries[i]
		class := cols[ofClass].varint()
		e.Version = cols[ofVersion].varint()
		updated += cols[ofUpdated].varint()
		when += cols[ofWhen].varint()
		if gap := cols[ofBody].varint(); gap != 0 {
			body, end = body+gap, 0
		}
		off := end + cols[ofOffset].varint()
		size := cols[ofSize].varint()
		if uint64(class) >= uint64(len(s.classes)) || uint64(body) >= uint64(len(st.blocks)) {
			return false
		}
		b := st.blocks[body]
		if off < 0 || size < 0 || off > b.size || size > b.size-off || b.size > 1<<31 {
			return false
		}
		e.class, e.updated, e.when, e.block, e.off, e.size = s.classes[class], updated, when, b, uint32(off), uint32(size)
		end = off + size
		st.bytes += size
		s.bytes += entryBytes + int64(len(e.id)+len(e.file))
	}
	for c := range cols {
		if cols[c].bad || len(cols[c].p) > 0 {
			return false
		}
	}
	return true
}

// ids reads the ids of a shelf into one piece of memory.
func (d *decoder) ids(es []entry) {
	kinds := d.bytes(uint64(len(es)))
	name := d.bytes(d.uvarint())
	ends := make([]int, len(es))
	all := make([]byte, 0, uuidLen*len(es))
	var own [ownText]byte
	for i, kind := range kinds {
		switch kind {
		case asUUID:
			if b := d.bytes(16); !d.bad {
				all = appendUUID(all, b)
			}
		case asOurs:
			if b := d.bytes(ownLen); !d.bad {
				idText.Encode(own[:], b)
				all = append(append(all, name...), own[:]...)
			}
		case asNamed:
			all = append(append(all, name...), d.bytes(d.uvarint())...)
		case asText:
			all = append(all, d.bytes(d.uvarint())...)
		default:
			d.bad = true
		}
		if d.bad {
			return
		}
		ends[i] = len(all)
	}
	text, at := string(all), 0
	for i, end := range ends {
		es[i].id = text[at:end]
		at = end
	}
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
