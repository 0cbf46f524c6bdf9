package audit

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/wellgate/wellgate/internal/clock"
	"github.com/wellgate/wellgate/store"
)

// States of a row of the inbox (column aside).
const (
	waits   = 0
	keyless = 1 // the chart's key cannot be used; tried again at the next start
	altered = 2 // it does not open: somebody changed it
	putBack = 3 // it had its place already: somebody put it back
)

// A rowID is when a row was noted, in nanoseconds, and by which Log: rows of one Log are in order, rows of two never
// meet. With it a row is sealed, so a Log gives each one out once.
type rowID [16]byte

func (id rowID) time() int64  { return int64(binary.BigEndian.Uint64(id[:])) }
func (id rowID) node() uint64 { return binary.BigEndian.Uint64(id[8:]) }

// ids gives out rowIDs.
type ids struct {
	clock clock.Clock
	node  uint64
	mu    sync.Mutex
	last  int64
}

func newIDs(c clock.Clock) *ids {
	var b [8]byte
	rand.Read(b[:])
	return &ids{clock: c, node: binary.BigEndian.Uint64(b[:])}
}

func (g *ids) next() (id rowID) {
	binary.BigEndian.PutUint64(id[:8], uint64(g.time()))
	binary.BigEndian.PutUint64(id[8:], g.node)
	return id
}

// time is now, or a little later: each is given out once.
func (g *ids) time() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.last = max(g.last+1, g.clock().UnixNano())
	return g.last
}

// seals is AES-256-GCM under a key of the practice and the Log that wrote. The nonce is the time in the rowID, of which
// a Log uses each once.
type seals struct {
	secret []byte
	mu     sync.Mutex
	known  map[uint64]cipher.AEAD
}

func newSeals(secret []byte) *seals { return &seals{secret: secret, known: map[uint64]cipher.AEAD{}} }

func (s *seals) of(node uint64) cipher.AEAD {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.known[node]; a != nil {
		return a
	}
	info := binary.BigEndian.AppendUint64([]byte("wellgate audit inbox v1 "), node)
	key, err := hkdf.Key(sha256.New, s.secret, nil, string(info), 32)
	if err != nil {
		panic("audit: " + err.Error()) // no caller asks for more than a hash gives
	}
	block, err := aes.NewCipher(key)
	clear(key)
	if err != nil {
		panic("audit: " + err.Error()) // the key has 32 bytes
	}
	a, err := cipher.NewGCM(block)
	if err != nil {
		panic("audit: " + err.Error())
	}
	if len(s.known) >= 64 { // rows that somebody made up
		clear(s.known)
	}
	s.known[node] = a
	return a
}

func nonce(id rowID) []byte { return append(make([]byte, 4, 12), id[:8]...) }

func (s *seals) seal(id rowID, plain []byte) []byte {
	return s.of(id.node()).Seal(nil, nonce(id), plain, nil)
}

func (s *seals) open(id rowID, sealed []byte) ([]byte, error) {
	return s.of(id.node()).Open(nil, nonce(id), sealed, nil)
}

// What is sealed in a row is its format, 1, and then, for each entry,
//
//	chart 8 | length 4 | entry
const rowFormat = 1

var errRow = errors.New("a row of the inbox is malformed")

func appendEntry(b []byte, e Entry) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(e.Chart))
	b = binary.BigEndian.AppendUint32(b, uint32(len(e.Plain)))
	return append(b, e.Plain...)
}

// parseRow gives the entries of an opened row; they share memory with it. It trusts no length.
func parseRow(b []byte, to []Entry) ([]Entry, error) {
	if len(b) == 0 || b[0] != rowFormat {
		return to, errRow
	}
	return parseEntries(b[1:], to)
}

func parseEntries(b []byte, to []Entry) ([]Entry, error) {
	for len(b) > 0 {
		if len(b) < 12 {
			return to, errRow
		}
		chart, size := int64(binary.BigEndian.Uint64(b)), uint64(binary.BigEndian.Uint32(b[8:]))
		if b = b[12:]; size > uint64(len(b)) {
			return to, errRow
		}
		to = append(to, Entry{chart, b[:size:size]})
		b = b[size:]
	}
	return to, nil
}

// Append adds entries inside the caller's transaction: the effect and its trace are one. It takes no lock, so
// transactions that run side by side stay so.
// An error means that the transaction must be undone; committing it all the same stops the log.
func (l *Log) Append(ctx context.Context, tx *store.Tx, entries ...Entry) error {
	if len(entries) == 0 {
		return nil
	}
	err := l.ready()
	if err == nil {
		err = l.append(ctx, tx, entries)
	}
	if err != nil {
		tx.Committed(func() { l.stop(errors.New("a transaction was committed although its Append had failed")) })
		return fmt.Errorf("audit: Append: %w", err)
	}
	return nil
}

func (l *Log) append(ctx context.Context, tx *store.Tx, entries []Entry) error {
	size := 1
	for _, e := range entries {
		if len(e.Plain) > entryMax {
			return errLarge
		}
		size += 12 + len(e.Plain)
	}
	b := append(make([]byte, 0, size), rowFormat)
	for _, e := range entries {
		b = appendEntry(b, e)
	}
	return l.insertRow(ctx, tx, waits, l.ids.next(), b)
}

// insertRow seals what appendEntry made, under an id of l.ids.
func (l *Log) insertRow(ctx context.Context, tx *store.Tx, aside int, id rowID, plain []byte) error {
	_, err := tx.Exec(ctx, `INSERT INTO audit_inbox (id, aside, data) VALUES ($1, $2, $3)`, id[:], aside, l.seals.seal(id, plain))
	if err != nil {
		return fmt.Errorf("store entries: %w", err)
	}
	return nil
}

// A row is what is durable and not yet in the tree.
type row struct {
	id   rowID
	data []byte
}

// waiting reads rows in order up to an id, until they weigh about a chunk; then there may be more.
func waiting(ctx context.Context, q store.Querier, upTo rowID) (list []row, more bool, err error) {
	rows, err := q.Query(ctx, `SELECT id, data FROM audit_inbox WHERE aside = $1 AND id <= $2 ORDER BY id LIMIT $3`, waits, upTo[:], chunkRows)
	if err != nil {
		return nil, false, err
	}
	defer rows.Close()
	size := 0
	for size < chunkBytes && rows.Next() {
		var id []byte
		var r row
		if err := rows.Scan(&id, &r.data); err != nil {
			return nil, false, err
		}
		if len(id) != len(r.id) {
			return nil, false, fmt.Errorf("%w: a row of the inbox has no proper id; %s", ErrTampered, remedy)
		}
		copy(r.id[:], id)
		list = append(list, r)
		size += len(r.data)
	}
	return list, size >= chunkBytes || len(list) == chunkRows, rows.Err()
}

// deleteRows takes rows out of the inbox; errMoved if one is not there any more.
func deleteRows(ctx context.Context, tx *store.Tx, rows []row) error {
	for len(rows) > 0 {
		part := rows[:perInsert(len(rows))]
		rows = rows[len(part):]
		args := make([]any, len(part))
		for i := range part {
			args[i] = part[i].id[:]
		}
		n, err := tx.Exec(ctx, `DELETE FROM audit_inbox WHERE id IN `+tuples(1, len(part)), args...)
		if err != nil {
			return fmt.Errorf("take rows out of the inbox: %w", err)
		}
		if n != int64(len(part)) {
			return errMoved
		}
	}
	return nil
}
