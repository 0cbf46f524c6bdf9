package chart

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/wellgate/wellgate/fhir"
)

// A batch is one row of a chart's log: what one change stored, in the order it was given.
//
//	1 | unix nanoseconds | count | count × (flags | type | id | version | file | raw JSON)
//
// Numbers are varints; strings carry their length.
type batch struct {
	at  time.Time
	ops []op
}

type op struct {
	typ, id string
	version int64
	deleted bool
	file    string // sealed file with a Binary's data; its raw JSON then has none
	res     fhir.Resource
	off     int // of res in the row

	labels   []string // of res, once they are known
	labelled bool
}

const (
	batchFormat = 1
	flagDeleted = 1
)

var errBatch = errors.New("stored batch is malformed; run `wellgate doctor` and restore from backup")

// encode also lets the ops' resources be parts of what it returns, so that a warm record holds on to that piece of memory
// only and not to the text that the resources came in.
func (b batch) encode() []byte {
	size := 32
	for _, o := range b.ops {
		size += 24 + len(o.typ) + len(o.id) + len(o.file) + len(o.res.Raw())
	}
	out := append(make([]byte, 0, size), batchFormat)
	out = binary.AppendVarint(out, b.at.UnixNano())
	out = binary.AppendUvarint(out, uint64(len(b.ops)))
	ends := make([]int, len(b.ops))
	for i, o := range b.ops {
		out = o.append(out)
		ends[i] = len(out)
	}
	for i, end := range ends {
		if o := &b.ops[i]; !o.deleted {
			o.off = end - len(o.res.Raw())
			o.res = fhir.Trusted(o.typ, o.id, out[o.off:end:end])
		}
	}
	return out
}

func (o op) append(out []byte) []byte {
	flags := byte(0)
	if o.deleted {
		flags |= flagDeleted
	}
	out = append(out, flags)
	for _, s := range []string{o.typ, o.id} {
		out = binary.AppendUvarint(out, uint64(len(s)))
		out = append(out, s...)
	}
	out = binary.AppendUvarint(out, uint64(o.version))
	out = binary.AppendUvarint(out, uint64(len(o.file)))
	out = append(out, o.file...)
	out = binary.AppendUvarint(out, uint64(len(o.res.Raw())))
	return append(out, o.res.Raw()...)
}

func decodeBatch(p []byte) (batch, error) {
	d := decoder{p: p}
	if d.byte() != batchFormat {
		return batch{}, errBatch
	}
	b := batch{at: time.Unix(0, d.varint()).UTC()}
	n := d.uvarint()
	if n > uint64(len(p)) {
		return batch{}, errBatch
	}
	b.ops = make([]op, 0, n)
	for range n {
		o := d.op()
		o.off = len(p) - len(d.p) - len(o.res.Raw())
		b.ops = append(b.ops, o)
		if d.bad {
			return batch{}, errBatch
		}
	}
	if d.bad || len(d.p) != 0 {
		return batch{}, errBatch
	}
	return b, nil
}

// decoder reads sealed bytes that this package wrote; it still trusts no length.
type decoder struct {
	p   []byte
	bad bool
}

func (d *decoder) byte() byte {
	b := d.bytes(1)
	if d.bad {
		return 0
	}
	return b[0]
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.p)
	d.skip(n)
	return v
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.p)
	d.skip(n)
	return v
}

func (d *decoder) skip(n int) {
	if n <= 0 || d.bad {
		d.bad, d.p = true, nil
		return
	}
	d.p = d.p[n:]
}

func (d *decoder) bytes(n uint64) []byte {
	if d.bad || n > uint64(len(d.p)) {
		d.bad, d.p = true, nil
		return nil
	}
	out := d.p[:n:n]
	d.p = d.p[n:]
	return out
}

func (d *decoder) string() string { return string(d.bytes(d.uvarint())) }

func (d *decoder) op() op {
	o := op{deleted: d.byte()&flagDeleted != 0}
	o.typ, o.id = d.string(), d.string()
	o.version = int64(d.uvarint())
	o.file = d.string()
	raw := d.bytes(d.uvarint())
	if !d.bad && !o.deleted {
		o.res = fhir.Trusted(o.typ, o.id, raw)
	}
	return o
}
