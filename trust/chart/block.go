package chart

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/trust/journal"
)

// A block is a piece of a record's bytes: a row of its log, or a segment of its snapshot. It is opened when something in it
// is first read, and kept raw in the hot tier, compressed in the cold one.
type block struct {
	h    *House
	num  int64
	size int64       // raw
	ref  journal.Ref // where it is stored, if a snapshot may keep it there
	open func(context.Context) ([]byte, error)

	mu     sync.Mutex // held while bytes are fetched or packed: many who ask wait for one
	raw    atomic.Pointer[[]byte]
	packed []byte // owned by mu
	held   atomic.Int64
}

// loaded is a block whose bytes are at hand.
func (h *House) loaded(num int64, raw []byte) *block {
	b := &block{h: h, num: num, size: int64(len(raw))}
	b.raw.Store(&raw)
	b.held.Store(b.size)
	return b
}

// bytes are the block's, fetched or unpacked if they are not there.
func (b *block) bytes(ctx context.Context) ([]byte, error) {
	if p := b.raw.Load(); p != nil {
		return *p, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if p := b.raw.Load(); p != nil {
		return *p, nil
	}
	var raw []byte
	var err error
	if b.packed != nil {
		raw, err = b.h.press.unpack(b.packed, b.size)
	} else {
		raw, err = b.open(ctx)
	}
	if err != nil {
		return nil, err
	}
	if int64(len(raw)) != b.size {
		return nil, errBatch
	}
	b.raw.Store(&raw)
	b.held.Store(b.size + int64(len(b.packed)))
	b.h.reweigh(b.num)
	return raw, nil
}

// pack moves the block to the cold tier. Who holds its bytes keeps them.
func (b *block) pack() {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.raw.Load()
	if p == nil {
		return
	}
	if b.packed == nil {
		b.packed = b.h.press.pack(*p)
	}
	if int64(len(b.packed)) < b.size*3/4 {
		b.raw.Store(nil)
		b.held.Store(int64(len(b.packed)))
		return
	}
	b.packed = nil // not worth it
}

// A press compresses what stays in memory.
type press struct {
	encoder *zstd.Encoder
	decoder *zstd.Decoder
}

func newPress() (press, error) {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(segmentSize), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false))
	if err != nil {
		return press{}, err
	}
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(512<<20))
	return press{e, d}, err
}

func (p press) pack(raw []byte) []byte {
	out := p.encoder.EncodeAll(raw, make([]byte, 0, len(raw)/8))
	return append(make([]byte, 0, len(out)), out...)
}

func (p press) unpack(packed []byte, size int64) ([]byte, error) {
	return p.decoder.DecodeAll(packed, make([]byte, 0, size))
}

// An entry is one resource of a record: where its bytes stand, and what decides about it.
type entry struct {
	block   *block
	off     uint32
	size    uint32
	id      string
	class   *policyClass
	file    string // sealed file that holds a Binary's data
	Version int64
	updated int64 // Unix nanoseconds
	when    int64 // search.When
}

// entryBytes is what an entry weighs beside its id and file.
const entryBytes = 88

// A policyClass is what a policy decision depends on.
type policyClass struct {
	typ    string
	labels []string
}

func (e *entry) Type() string { return e.class.typ }
func (e *entry) ID() string   { return e.id }
func (e *entry) Ref() string  { return e.class.typ + "/" + e.id }

// resource reads the entry's bytes.
func (e *entry) resource(ctx context.Context) (fhir.Resource, error) {
	raw, err := e.raw(ctx)
	if err != nil {
		return fhir.Resource{}, err
	}
	return fhir.Trusted(e.class.typ, e.id, raw), nil
}

func (e *entry) raw(ctx context.Context) ([]byte, error) {
	b, err := e.block.bytes(ctx)
	if errors.Is(err, journal.ErrReplaced) {
		return e.again(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("chart: read %s: %w", e.Ref(), err)
	}
	end := uint64(e.off) + uint64(e.size)
	if end > uint64(len(b)) {
		return nil, errBatch
	}
	return b[e.off:end:end], nil
}

// again reads an entry whose snapshot was replaced by another node's: this version is in the newest record, or in the log.
func (e *entry) again(ctx context.Context) ([]byte, error) {
	h, num := e.block.h, e.block.num
	h.warm.Drop(num)
	st, err := h.load(ctx, num)
	if err != nil {
		return nil, err
	}
	if now := st.get(e.Type(), e.id); now != nil && now.Version == e.Version && now.block != e.block {
		b, err := now.block.bytes(ctx)
		if err != nil {
			return nil, fmt.Errorf("chart: read %s: %w", e.Ref(), err)
		}
		return b[now.off : now.off+now.size : now.off+now.size], nil
	}
	var raw []byte
	err = h.back(ctx, num, st.seq, Spot{}, e.Type(), e.id, func(_ Spot, was *entry, gone bool) (bool, error) {
		if gone || was.Version != e.Version || was.updated != e.updated {
			return true, nil
		}
		raw, err = was.raw(ctx)
		return false, err
	})
	if err == nil && raw == nil {
		err = errBatch
	}
	return raw, err
}
