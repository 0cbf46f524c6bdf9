package vault

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"
)

//go:embed dict
var dicts embed.FS

// codec compresses with the newest dictionary and decompresses with any. Safe for concurrent use.
type codec struct {
	newest   uint16 // 0: no dictionary yet
	known    map[uint16]bool
	encoders sync.Pool // of *zstd.Encoder; each works on one record at a time
	buffers  sync.Pool // of *[]byte
	decoder  *zstd.Decoder
}

// sharedCodec is the codec over the embedded dictionaries: immutable after its first use.
var sharedCodec = sync.OnceValues(func() (*codec, error) {
	folder, err := fs.Sub(dicts, "dict")
	if err != nil {
		return nil, err
	}
	return newCodec(folder, MaxPlain)
})

// newCodec reads every NNN.zdict of a folder. It never unpacks to more than most bytes.
func newCodec(folder fs.FS, most uint64) (*codec, error) {
	names, err := fs.Glob(folder, "*.zdict")
	if err != nil {
		return nil, err
	}
	c := &codec{known: map[uint16]bool{}}
	var all [][]byte
	var newest []byte
	for _, name := range names {
		id, err := strconv.ParseUint(strings.TrimSuffix(path.Base(name), ".zdict"), 10, 16)
		if err != nil || id == 0 {
			return nil, fmt.Errorf("dictionary %s: its name is its number", name)
		}
		data, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, err
		}
		info, err := zstd.InspectDictionary(data)
		if err != nil || uint64(info.ID()) != id {
			return nil, fmt.Errorf("dictionary %s: not a zstd dictionary with that number: %v", name, err)
		}
		c.known[uint16(id)] = true
		all = append(all, data)
		if uint16(id) > c.newest {
			c.newest, newest = uint16(id), data
		}
	}
	c.decoder, err = zstd.NewReader(nil, zstd.WithDecoderDicts(all...),
		zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(most))
	if err != nil {
		return nil, err
	}
	encoder := func() (*zstd.Encoder, error) {
		opts := []zstd.EOption{zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false), zstd.WithLowerEncoderMem(true)}
		if newest != nil {
			opts = append(opts, zstd.WithEncoderDict(newest))
		}
		return zstd.NewWriter(nil, opts...)
	}
	if _, err := encoder(); err != nil {
		return nil, err
	}
	c.encoders.New = func() any {
		e, _ := encoder() // the same options worked above
		return e
	}
	return c, nil
}

// pack returns the smaller of plain and its compressed form. A compressed body goes back with release.
func (c *codec) pack(plain []byte) (coding byte, dict uint16, body []byte) {
	if len(plain) < 64 { // hashes and numbers: nothing to gain
		return codingRaw, 0, plain
	}
	e := c.encoders.Get().(*zstd.Encoder)
	buf, _ := c.buffers.Get().(*[]byte)
	if buf == nil {
		buf = new([]byte)
	}
	packed := e.EncodeAll(plain, (*buf)[:0])
	c.encoders.Put(e)
	if len(packed) >= len(plain) {
		c.release(packed)
		return codingRaw, 0, plain
	}
	return codingZstd, c.newest, packed
}

// release zeroes a compressed body and keeps its memory, unless one huge record made it huge.
func (c *codec) release(body []byte) {
	clear(body)
	if cap(body) <= 1<<20 {
		c.buffers.Put(&body)
	}
}

// unpack never makes more than MaxPlain bytes. What fails here was authentic, so it means a missing dictionary.
func (c *codec) unpack(dict uint16, body []byte) ([]byte, error) {
	if dict != 0 && !c.known[dict] {
		return nil, fmt.Errorf("%w: it needs dictionary %03d, which this program lacks; use the newer version that wrote it", ErrOpen, dict)
	}
	plain, err := c.decoder.DecodeAll(body, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOpen, err)
	}
	return plain, nil
}
