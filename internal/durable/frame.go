package durable

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"iter"
)

// A frame, all numbers little-endian, padded with zeros to whole blocks:
//
//	 0  magic        8 bytes
//	 8  length       4: of the records before sealing
//	12  count        4: of records
//	16  segment      8
//	24  sequence     8
//	32  durable      8: newest frame that was durable when this one was sealed
//	40  nonce       12
//	52  zero        12
//	64  records, each with its length (4), sealed with AES-256-GCM; the header is authenticated
//
// The key is the segment's own. The padding is not authenticated and means nothing.
const (
	headerSize = 64
	tagSize    = 16
	prefixSize = 4
	frameMagic = "WGFRAME1"
)

type header struct {
	length, count       int
	segment, seq, claim uint64
}

var errFrame = errors.New("not a frame of this segment")

func (h header) put(p []byte) {
	clear(p[:headerSize])
	copy(p, frameMagic)
	binary.LittleEndian.PutUint32(p[8:], uint32(h.length))
	binary.LittleEndian.PutUint32(p[12:], uint32(h.count))
	binary.LittleEndian.PutUint64(p[16:], h.segment)
	binary.LittleEndian.PutUint64(p[24:], h.seq)
	binary.LittleEndian.PutUint64(p[32:], h.claim)
}

// readHeader trusts nothing: p may be anything.
func readHeader(p []byte) (header, bool) {
	if len(p) < headerSize || string(p[:8]) != frameMagic {
		return header{}, false
	}
	h := header{
		length: int(binary.LittleEndian.Uint32(p[8:])), count: int(binary.LittleEndian.Uint32(p[12:])),
		segment: binary.LittleEndian.Uint64(p[16:]), seq: binary.LittleEndian.Uint64(p[24:]),
		claim: binary.LittleEndian.Uint64(p[32:]),
	}
	ok := h.length <= batchSize-headerSize-tagSize && h.count > 0 && h.count <= h.length/prefixSize && h.seq > h.claim
	return h, ok
}

// size is what the frame takes on disk.
func (h header) size() int64 { return frameSize(h.length) }

func frameSize(length int) int64 {
	return int64(headerSize+length+tagSize+block-1) / block * block
}

// openFrame opens the frame at the beginning of p in place and returns its records.
func openFrame(aead cipher.AEAD, segment uint64, p []byte) (header, []byte, error) {
	h, ok := readHeader(p)
	if !ok || h.segment != segment || int64(len(p)) < h.size() {
		return h, nil, errFrame
	}
	sealed := p[headerSize : headerSize+h.length+tagSize]
	plain, err := aead.Open(sealed[:0], p[40:52], sealed, p[:headerSize])
	if err != nil {
		return h, nil, errFrame
	}
	n := 0
	for range split(plain) {
		n++
	}
	if n != h.count {
		return h, nil, errFrame
	}
	return h, plain, nil
}

// split yields the records of an opened frame.
func split(p []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(p) >= prefixSize {
			n := int(binary.LittleEndian.Uint32(p))
			if n > len(p)-prefixSize {
				return
			}
			if !yield(p[prefixSize : prefixSize+n : prefixSize+n]) {
				return
			}
			p = p[prefixSize+n:]
		}
	}
}

// segmentKey derives a segment's own cipher: its salt dies with the segment, and with it all it held.
func segmentKey(key, salt []byte) (cipher.AEAD, error) {
	k, err := hkdf.Key(sha256.New, key, salt, "wellgate durable segment", 32)
	if err != nil {
		return nil, err
	}
	b, err := aes.NewCipher(k)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(b)
}

// A batch is one frame in the making. Its memory is outside Go's heap and aligned to pages, because the kernel writes
// from it while the program goes on. Owned by Log.mu until taken, then by its lane until landed.
type batch struct {
	buf    []byte
	n      int // of buf, header included
	count  int
	seq    uint64
	landed bool
}

func newBatch() (*batch, error) {
	buf, err := pages(batchSize)
	return &batch{buf: buf}, err
}

func (b *batch) release() { freePages(b.buf); b.buf = nil }

func (b *batch) reset(seq uint64) { b.n, b.count, b.seq, b.landed = headerSize, 0, seq, false }

func (b *batch) size() int64 { return frameSize(b.n - headerSize) }

// add copies a record in place, or says that there is no room.
func (b *batch) add(record []byte) bool {
	if b.n+prefixSize+len(record)+tagSize > len(b.buf) {
		return false
	}
	binary.LittleEndian.PutUint32(b.buf[b.n:], uint32(len(record)))
	b.n += prefixSize + copy(b.buf[b.n+prefixSize:], record)
	b.count++
	return true
}

// seal finishes the frame in place and returns its bytes on disk.
func (b *batch) seal(s *segment, durable uint64) []byte {
	h := header{length: b.n - headerSize, count: b.count, segment: s.id, seq: b.seq, claim: durable}
	h.put(b.buf)
	rand.Read(b.buf[40:52])
	plain := b.buf[headerSize:b.n]
	s.aead.Seal(plain[:0], b.buf[40:52], plain, b.buf[:headerSize])
	out := b.buf[:h.size()]
	clear(out[b.n+tagSize:])
	return out
}
