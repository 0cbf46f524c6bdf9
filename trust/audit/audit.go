// Package audit is the transparency log: append, checkpoint, prove. Nothing is ever removed.
//
// Leaves are salted commitments, so erasing a chart's key erases what an entry said and keeps every proof valid.
// The tree is RFC 6962 (golang.org/x/mod/sumdb/tlog), checkpoints are c2sp.org/tlog-checkpoint signed notes.
package audit

import (
	"context"
	"crypto/ed25519"
	"errors"

	"github.com/wellgate/wellgate/internal/clock"
	"github.com/wellgate/wellgate/store"
)

var (
	// ErrTampered names the first place where the stored history is not what was signed.
	ErrTampered = errors.New("audit: the stored history was changed")
	// ErrErased is what a Sealer's OpenEntry returns (wrapped) for a chart whose key was destroyed.
	ErrErased = errors.New("audit: the entry was erased with its chart")
	// ErrNoEntry means that the chart has no entry at that index.
	ErrNoEntry = errors.New("audit: no such entry of this chart")
	// ErrStopped means that a disk error stopped the log for good. Nothing may be read or changed without a log.
	ErrStopped = errors.New("audit: the log stopped after a disk error; check the disk, then start Wellgate again")
)

// A Sealer seals and opens entries under their chart's key. chart's journal is the real one.
// The sealed bytes must open at their own chart and index only.
type Sealer interface {
	SealEntry(ctx context.Context, tx *store.Tx, chart, index int64, plain []byte) ([]byte, error)
	OpenEntry(ctx context.Context, chart, index int64, sealed []byte) ([]byte, error)
}

// An Entry is one act, as bytes (chart decides the fields), about one chart.
type Entry struct {
	Chart int64
	Plain []byte
}

// Config is what a Log needs.
type Config struct {
	DB     *store.DB
	Seal   Sealer
	Seed   []byte // 32 bytes: Ed25519 seed of the checkpoint key
	Origin string // log origin line, e.g. "wellgate.example/practice-7f3a"
	Anchor string // file that receives a checkpoint each minute, outside the database; "" for none
	Clock  clock.Clock
}

// Log is safe for concurrent use.
type Log struct{ todo int }

// Open loads the tree's edge and refuses (ErrTampered) a store older than, or different from, the newest anchor.
func Open(ctx context.Context, c Config) (*Log, error) { panic("todo") }

// Close signs a last checkpoint and stops the background work.
func (l *Log) Close() error { panic("todo") }

// Append adds entries inside the caller's transaction: the effect and its trace are one.
func (l *Log) Append(ctx context.Context, tx *store.Tx, entries ...Entry) error { panic("todo") }

// Durable adds entries of reads and returns once they are on disk. Calls that wait together share one commit.
// An error means that nothing may be released.
func (l *Log) Durable(ctx context.Context, entries ...Entry) error { panic("todo") }

// Stored is an opened entry with its place in the log.
type Stored struct {
	Index int64
	Chart int64
	Plain []byte
}

// Of lists a chart's entries, newest first, before index before (0 = from the end).
func (l *Log) Of(ctx context.Context, chart, before int64, limit int) ([]Stored, error) {
	panic("todo")
}

// Checkpoint signs the tree over durable entries and returns the note.
func (l *Log) Checkpoint(ctx context.Context) ([]byte, error) { panic("todo") }

// PublicKey is the verifier key line (c2sp signed-note vkey).
func (l *Log) PublicKey() string { panic("todo") }

// Receipt proves to anyone that one entry is in the log: the entry, its salt, an inclusion proof and a checkpoint,
// as one text file that VerifyReceipt (and `wellgate audit verify --receipt`) checks offline.
func (l *Log) Receipt(ctx context.Context, chart, index int64) ([]byte, error) { panic("todo") }

// VerifyReceipt checks a receipt against the log's public key and returns the entry.
func VerifyReceipt(receipt []byte, vkey string) (Stored, error) { panic("todo") }

// Report is what a full verification saw.
type Report struct {
	Entries     int64    `json:"entries"`
	Erased      int64    `json:"erased"` // entries whose key was shredded; their proofs still hold
	Checkpoints int64    `json:"checkpoints"`
	Anchors     int64    `json:"anchors"`
	Root        string   `json:"root"`
	Problems    []string `json:"problems"` // empty = verified; each names the place
}

// Verify recomputes the whole log from stored rows, checks every checkpoint and anchor, and opens entries when seal is not nil.
func Verify(ctx context.Context, q store.Querier, vkey, anchor string, seal Sealer) (Report, error) {
	panic("todo")
}

var _ = ed25519.SeedSize
