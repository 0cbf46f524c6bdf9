package audit

import (
	"crypto/sha256"
	"encoding/binary"

	"golang.org/x/mod/sumdb/tlog"
)

const saltSize = 16

// A leaf is what the tree holds of one entry: two hashes, neither of which says anything about the entry.
//
//	SHA-256(salt || entry) || SHA-256(chart || sealed)      sealed = SHA-256(first || SHA-256(data))
//
// The first half lets a receipt prove the entry. The second lets anybody without keys check what is stored, where it
// begins and to which chart it belongs. The salt lives only inside data, sealed, so without the chart's key the first
// half is noise.
type leaf [2 * sha256.Size]byte

func newLeaf(commitment [sha256.Size]byte, chart int64, sealed [sha256.Size]byte) leaf {
	return leafOf(commitment, placed(chart, sealed))
}

func leafOf(commitment, place [sha256.Size]byte) leaf {
	var l leaf
	copy(l[:sha256.Size], commitment[:])
	copy(l[sha256.Size:], place[:])
	return l
}

// placed is the half of a leaf that all entries of a block share.
func placed(chart int64, sealed [sha256.Size]byte) [sha256.Size]byte {
	var b [8 + sha256.Size]byte
	binary.BigEndian.PutUint64(b[:8], uint64(chart))
	copy(b[8:], sealed[:])
	return sha256.Sum256(b[:])
}

// sealedHash binds the stored bytes of a block to the index of its first entry.
func sealedHash(first int64, data []byte) [sha256.Size]byte {
	var b [8 + sha256.Size]byte
	binary.BigEndian.PutUint64(b[:8], uint64(first))
	sum := sha256.Sum256(data)
	copy(b[8:], sum[:])
	return sha256.Sum256(b[:])
}

// hash is RFC 6962's leaf hash.
func (l leaf) hash() tlog.Hash {
	var b [1 + len(l)]byte // tlog.RecordHash without its allocation
	copy(b[1:], l[:])
	return sha256.Sum256(b[:])
}

// An edge is the right edge of the tree: all that is needed to add leaves and to name the root.
type edge struct {
	size int64
	sub  []tlog.Hash // roots of the complete subtrees, largest first: one per bit set in size
}

// add appends to stored the hashes that the leaf completes: its own, its parent's if it is a right child, and so on up.
func (e *edge) add(leaf tlog.Hash, stored []tlog.Hash) []tlog.Hash {
	stored = append(stored, leaf)
	h := leaf
	for n := e.size; n&1 == 1; n >>= 1 {
		last := len(e.sub) - 1
		h = tlog.NodeHash(e.sub[last], h)
		e.sub = e.sub[:last]
		stored = append(stored, h)
	}
	e.sub = append(e.sub, h)
	e.size++
	return stored
}

// root is the tree's hash (RFC 6962 §2.1).
func (e edge) root() tlog.Hash {
	if e.size == 0 {
		return sha256.Sum256(nil)
	}
	h := e.sub[len(e.sub)-1]
	for i := len(e.sub) - 2; i >= 0; i-- {
		h = tlog.NodeHash(e.sub[i], h)
	}
	return h
}

// edgeIndexes lists where the subtree roots of a tree of size are stored, largest first.
func edgeIndexes(size int64) []int64 {
	var at []int64
	start := int64(0)
	for level := 62; level >= 0; level-- {
		if size&(1<<level) != 0 {
			at = append(at, tlog.StoredHashIndex(level, start>>level))
			start += 1 << level
		}
	}
	return at
}
