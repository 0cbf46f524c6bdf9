package audit

import (
	"cmp"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/wellgate/wellgate/store"
)

// seen is what the sequencer remembers of what it has given a place, so that a row or a frame that somebody puts back does
// not get another. It stands sealed beside the tree, is replaced in the transaction that adds to it, and opens for a tree
// of its size only: an older one does not fit, and an older tree does not fit the checkpoints.
type seen struct {
	rev    int64
	frame  uint64           // newest frame of the file in the tree
	newest map[uint64]int64 // by Log that wrote: time of its newest row in the tree
	before int64            // rows of other Logs from this time or earlier had their place
	held   map[rowID]bool   // rows of the inbox that wait for a chart's key
}

const (
	seenNodes  = 64 // Logs that are remembered one by one
	seenFormat = 1
	// commitsLate is how much older than the newest placed row another of the same Log may be on PostgreSQL, where
	// transactions that run side by side commit in any order. On SQLite rows come in the order of their times.
	commitsLate = 10 * time.Minute
)

func (s *seen) copy() *seen {
	c := *s
	c.newest, c.held = maps.Clone(s.newest), maps.Clone(s.held)
	return &c
}

// again says whether a row had its place already, and takes note of it if not.
func (s *seen) again(id rowID, late time.Duration) bool {
	if s.held[id] {
		delete(s.held, id)
		return false
	}
	node, at := id.node(), id.time()
	newest, known := s.newest[node]
	if !known {
		newest = s.before
	}
	if at <= newest-int64(late) {
		return true
	}
	s.newest[node] = max(newest, at)
	if len(s.newest) > seenNodes {
		s.forget()
	}
	return false
}

// latest is the newest time of all. New rows are noted after it, whatever the clock says.
func (s *seen) latest() int64 {
	at := s.before
	for _, t := range s.newest {
		at = max(at, t)
	}
	return at
}

// forget drops the Log that has been silent for the longest time.
func (s *seen) forget() {
	nodes := slices.SortedFunc(maps.Keys(s.newest), func(a, b uint64) int { return cmp.Compare(s.newest[a], s.newest[b]) })
	s.before = max(s.before, s.newest[nodes[0]])
	delete(s.newest, nodes[0])
}

// What is sealed, numbers big-endian:
//
//	format 1 | frame 8 | before 8 | count 4 | (log 8 | time 8) … | row 16 …
func (s *seen) pack() []byte {
	b := binary.BigEndian.AppendUint64([]byte{seenFormat}, s.frame)
	b = binary.BigEndian.AppendUint64(b, uint64(s.before))
	b = binary.BigEndian.AppendUint32(b, uint32(len(s.newest)))
	for node, at := range s.newest {
		b = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, node), uint64(at))
	}
	for id := range s.held {
		b = append(b, id[:]...)
	}
	return b
}

func (s *seen) unpack(b []byte) bool {
	if len(b) < 21 || b[0] != seenFormat {
		return false
	}
	s.frame, s.before = binary.BigEndian.Uint64(b[1:]), int64(binary.BigEndian.Uint64(b[9:]))
	n := int(binary.BigEndian.Uint32(b[17:]))
	if b = b[21:]; n > len(b)/16 || len(b)%16 != 0 {
		return false
	}
	s.newest, s.held = map[uint64]int64{}, map[rowID]bool{}
	for i := 0; len(b) > 0; i, b = i+1, b[16:] {
		if i < n {
			s.newest[binary.BigEndian.Uint64(b)] = int64(binary.BigEndian.Uint64(b[8:]))
		} else {
			s.held[rowID(b)] = true
		}
	}
	return true
}

// A memory seals what was seen.
type memory struct{ aead cipher.AEAD }

func newMemory(secret []byte) (memory, error) {
	key, err := hkdf.Key(sha256.New, secret, nil, "wellgate audit seen v1", 32)
	if err != nil {
		return memory{}, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return memory{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return memory{aead}, err
}

func seenPlace(size, rev int64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(size)), uint64(rev))
}

// begin stores the memory of an empty tree.
func (m memory) begin(ctx context.Context, tx *store.Tx) error {
	data := m.aead.Seal(nil, nil, (&seen{}).pack(), seenPlace(0, 0))
	_, err := tx.Exec(ctx, `INSERT INTO audit_seen (one, size, rev, data) VALUES (1, 0, 0, $1) ON CONFLICT (one) DO NOTHING`, data)
	return err
}

// load reads what was seen up to a tree of size.
func (m memory) load(ctx context.Context, q store.Querier, size int64) (*seen, error) {
	var s seen
	var at int64
	var data []byte
	err := q.QueryRow(ctx, `SELECT size, rev, data FROM audit_seen WHERE one = 1`).Scan(&at, &s.rev, &data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("%w: the memory of the inbox is missing; %s", ErrTampered, remedy)
	}
	if err != nil {
		return nil, err
	}
	plain, err := m.aead.Open(nil, nil, data, seenPlace(size, s.rev))
	if err != nil || at != size || !s.unpack(plain) {
		return nil, fmt.Errorf("%w: the memory of the inbox is not that of %d entries; %s", ErrTampered, size, remedy)
	}
	return &s, nil
}

// store puts next in the place of what was seen before; errMoved if that is not there any more.
func (m memory) store(ctx context.Context, tx *store.Tx, next *seen, size int64) error {
	data := m.aead.Seal(nil, nil, next.pack(), seenPlace(size, next.rev))
	n, err := tx.Exec(ctx, `UPDATE audit_seen SET size = $1, rev = $2, data = $3 WHERE one = 1 AND rev = $4`, size, next.rev, data, next.rev-1)
	if err == nil && n != 1 {
		err = errMoved
	}
	return err
}
