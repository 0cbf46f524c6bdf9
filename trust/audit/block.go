package audit

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// A block is a run of entries of one chart, sealed as one. Opened, its data is
//
//	seed 16 | n × (length | entry)
//
// Lengths are varints. The salt of entry i is the first 16 bytes of SHA-256(seed || i): one that a receipt tells says
// nothing of the others.
type block struct {
	first, chart, n int64
	hashes          []byte // n commitments
	data            []byte // sealed; empty if the chart was erased before
}

const (
	seedSize     = 16
	blockEntries = 1024    // most entries of one block
	blockBytes   = 1 << 20 // entries are added to a block until they weigh that much
)

var errBlock = errors.New("a block is malformed")

func salt(seed []byte, i int) (s [saltSize]byte) {
	var b [seedSize + 4]byte
	copy(b[:], seed)
	binary.BigEndian.PutUint32(b[seedSize:], uint32(i))
	sum := sha256.Sum256(b[:])
	copy(s[:], sum[:])
	return s
}

// commit is SHA-256(salt || entry). scratch is memory to use again.
func commit(salt [saltSize]byte, plain, scratch []byte) ([sha256.Size]byte, []byte) {
	scratch = append(append(scratch[:0], salt[:]...), plain...)
	return sha256.Sum256(scratch), scratch
}

// packBlock makes the inside of a block and its commitments.
func packBlock(entries [][]byte) (plain, hashes []byte) {
	size := seedSize
	for _, e := range entries {
		size += len(e) + binary.MaxVarintLen32
	}
	plain = make([]byte, seedSize, size)
	rand.Read(plain)
	hashes = make([]byte, 0, len(entries)*sha256.Size)
	var scratch []byte
	for i, e := range entries {
		var sum [sha256.Size]byte
		sum, scratch = commit(salt(plain, i), e, scratch)
		hashes = append(hashes, sum[:]...)
		plain = binary.AppendUvarint(plain, uint64(len(e)))
		plain = append(plain, e...)
	}
	return plain, hashes
}

// unpackBlock gives the n entries of a block; they share memory with plain. It trusts no length.
func unpackBlock(plain []byte, n int64) ([][]byte, error) {
	if len(plain) < seedSize || n < 1 || n > int64(len(plain)) {
		return nil, errBlock
	}
	rest := plain[seedSize:]
	entries := make([][]byte, 0, n)
	for range n {
		size, w := binary.Uvarint(rest)
		if w <= 0 || size > uint64(len(rest)-w) {
			return nil, errBlock
		}
		entries = append(entries, rest[w:w+int(size):w+int(size)])
		rest = rest[w+int(size):]
	}
	if len(rest) != 0 {
		return nil, errBlock
	}
	return entries, nil
}

// commitment is that of the entry at index, which the block must hold.
func (b *block) commitment(index int64) [sha256.Size]byte {
	return [sha256.Size]byte(b.hashes[(index-b.first)*sha256.Size:])
}

// sound says whether a stored block is well formed, apart from what is sealed.
func (b *block) sound() bool {
	return b.first >= 0 && b.n > 0 && b.n < maxSize && b.first < maxSize && int64(len(b.hashes)) == b.n*sha256.Size
}

// errAltered is an opened block that is not the one committed to.
var errAltered = errors.New("not the one committed to")

// opened is what a block says.
type opened struct {
	seed    []byte
	entries [][]byte
}

// open opens a block and sees that its entries are those committed to. ErrErased if its chart was erased.
func (b *block) open(ctx context.Context, seal Sealer) (opened, error) {
	if len(b.data) == 0 {
		return opened{}, ErrErased
	}
	plain, err := seal.OpenEntry(ctx, b.chart, b.first, b.data)
	if err != nil {
		return opened{}, err
	}
	entries, err := unpackBlock(plain, b.n)
	if err != nil {
		return opened{}, errAltered
	}
	o := opened{plain[:seedSize], entries}
	var scratch []byte
	for i, e := range entries {
		var sum [sha256.Size]byte
		if sum, scratch = commit(salt(o.seed, i), e, scratch); sum != b.commitment(b.first+int64(i)) {
			return opened{}, errAltered
		}
	}
	return o, nil
}

// explain gives an error of open its place, and the remedy if somebody changed the block.
func (b *block) explain(err error) error {
	if errors.Is(err, errAltered) {
		return fmt.Errorf("%w: the entries %d to %d of chart %d are not those committed to; %s", ErrTampered, b.first, b.first+b.n-1, b.chart, remedy)
	}
	return fmt.Errorf("the entries %d to %d of chart %d do not open: %w", b.first, b.first+b.n-1, b.chart, err)
}
