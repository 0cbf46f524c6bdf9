// Package journal keeps sealed append-only logs, their snapshots, unique claims and files.
// It knows bytes and sequence numbers only: no FHIR, no people.
//
// A chart is a log of batches numbered 1, 2, 3 … . Appending at head+1 is the optimistic lock. Each
// batch carries the hash of the one before, so rows cannot be moved, swapped, dropped or rolled back unseen.
package journal

import (
	"context"
	"errors"
	"io"

	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/trust/vault"
)

var (
	ErrConflict = errors.New("journal: somebody else wrote first") // reload and try again
	ErrClaimed  = errors.New("journal: already claimed")
	ErrNoChart  = errors.New("journal: no such chart")
	ErrDamaged  = errors.New("journal: stored data was changed, moved or dropped")
	ErrShredded = errors.New("journal: this chart was erased")
)

// Kind says what a chart is for.
type Kind uint8

const (
	Patient   Kind = 1
	Directory Kind = 2 // the practice itself: organizations, people, places
	Intake    Kind = 3 // what arrived and belongs to nobody yet
)

// Journal is safe for concurrent use.
type Journal struct{ todo int }

// Open migrates its tables and readies the log.
func Open(ctx context.Context, db *store.DB, v *vault.Vault) (*Journal, error) { panic("todo") }

// Create makes an empty chart with its own key, inside the caller's transaction.
func (j *Journal) Create(ctx context.Context, tx *store.Tx, kind Kind) (int64, error) { panic("todo") }

// Charts lists chart numbers of one kind, in order.
func (j *Journal) Charts(ctx context.Context, kind Kind) ([]int64, error) { panic("todo") }

// Row is one opened batch.
type Row struct {
	Seq   int64
	Plain []byte
}

// Append adds a batch at seq, which must be the head plus one, else ErrConflict.
func (j *Journal) Append(ctx context.Context, tx *store.Tx, chart, seq int64, plain []byte) error {
	panic("todo")
}

// Head is the chart's newest sequence number.
func (j *Journal) Head(ctx context.Context, q store.Querier, chart int64) (int64, error) {
	panic("todo")
}

// Snapshot is a chart's state at Seq: an index block and body segments, opaque to this package.
type Snapshot struct {
	Seq      int64
	Gen      int64
	Index    []byte
	Segments int
}

// Load opens the newest snapshot's index (nil if none) and every row after it, checking the chain.
func (j *Journal) Load(ctx context.Context, chart int64) (*Snapshot, []Row, error) { panic("todo") }

// Rows opens rows from seq from (inclusive) to to (inclusive; 0 = head): history.
func (j *Journal) Rows(ctx context.Context, chart, from, to int64) ([]Row, error) { panic("todo") }

// Segment opens one body segment of a snapshot.
func (j *Journal) Segment(ctx context.Context, chart int64, s *Snapshot, n int) ([]byte, error) {
	panic("todo")
}

// PutSnapshot stores a snapshot of the state at seq and keeps the generation before it for a minute of readers.
func (j *Journal) PutSnapshot(ctx context.Context, chart, seq int64, index []byte, segments [][]byte) error {
	panic("todo")
}

// Seal and Open use a chart's key for what other owners store about it (audit entries, facts, openings).
func (j *Journal) Seal(ctx context.Context, tx *store.Tx, chart int64, at vault.Place, plain []byte) ([]byte, error) {
	panic("todo")
}
func (j *Journal) Open(ctx context.Context, chart int64, at vault.Place, sealed []byte) ([]byte, error) {
	panic("todo")
}

// Claim takes a unique keyed token for a chart, or ErrClaimed. It is a constraint, never a check.
func (j *Journal) Claim(ctx context.Context, tx *store.Tx, chart int64, domain string, parts ...string) error {
	panic("todo")
}

// Claimed tells which chart holds a claim.
func (j *Journal) Claimed(ctx context.Context, q store.Querier, domain string, parts ...string) (chart int64, ok bool, err error) {
	panic("todo")
}

// Point adds non-unique look-up tokens for a chart, replacing those it had in the domain.
func (j *Journal) Point(ctx context.Context, tx *store.Tx, chart int64, domain string, keys [][]string) error {
	panic("todo")
}

// Pointed lists the charts (at most limit) that a look-up key points to.
func (j *Journal) Pointed(ctx context.Context, q store.Querier, domain string, limit int, parts ...string) ([]int64, error) {
	panic("todo")
}

// Shred destroys a chart's key: rows, index, files and old backups of them are unreadable from here on.
func (j *Journal) Shred(ctx context.Context, tx *store.Tx, chart int64) error { panic("todo") }

// File describes sealed bytes too large for a row.
type File struct {
	ID     string
	Size   int64
	SHA256 [32]byte
}

// PutFile seals r in chunks inside the caller's transaction.
func (j *Journal) PutFile(ctx context.Context, tx *store.Tx, chart int64, r io.Reader) (File, error) {
	panic("todo")
}

// OpenFile reads a file, checking every chunk and the whole hash; ErrDamaged before the last byte if anything differs.
func (j *Journal) OpenFile(ctx context.Context, chart int64, id string) (File, io.ReadCloser, error) {
	panic("todo")
}
