// Package audit is the transparency log: append, checkpoint, prove. Nothing is ever removed.
//
// It promises: an act and its entry are one transaction (Append), or the entry is on disk before Durable returns;
// an entry that was changed, moved, dropped or added later is found by Verify, without any key; a receipt proves
// one entry to anybody, offline. Leaves are salted commitments, so erasing a chart's key erases what its entries
// said and keeps every proof valid. A disk error stops the log for good: a node that cannot note must not serve.
//
// The tree is RFC 6962 (golang.org/x/mod/sumdb/tlog), checkpoints are c2sp.org/tlog-checkpoint signed notes.
//
// What it cannot find: a change of entries that no checkpoint covers yet (about one second's), and the removal of a
// tail together with its checkpoints and the anchor file. The anchor belongs on another disk or machine for that.
package audit

import (
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

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
	// ErrReceipt means that a receipt proves nothing: it was changed, or belongs to another log.
	ErrReceipt = errors.New("audit: the receipt does not hold; do not rely on it")
	// ErrStopped means that a disk error stopped the log for good. Nothing may be read or changed without a log.
	ErrStopped = errors.New("audit: the log stopped after a disk error; check the disk, then start Wellgate again")
	// ErrClosed means that the log was used after Close.
	ErrClosed = errors.New("audit: the log is closed")
)

// remedy is what an operator can do about ErrTampered.
const remedy = "keep the store and the anchor file as they are and find out who changed them; " +
	"if an older backup was restored on purpose, move the anchor file aside and keep it, then start again"

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

// Stored is an opened entry with its place in the log.
type Stored struct {
	Index int64
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
type Log struct {
	c        Config
	signer   note.Signer
	verifier note.Verifier
	vkey     string

	mu     sync.Mutex
	edge   edge // durable entries only; replaced at commit, never changed in place
	open   map[*store.Tx]*pending
	queue  []*ticket
	failed error // set once by stop
	closed bool

	signing  sync.Mutex // held while a checkpoint or an anchor is made; guards what follows; taken before mu
	last     signed
	anchor   *anchorFile // nil for none
	anchored int64       // size of the newest anchor

	kick chan struct{} // capacity 1: the queue is not empty
	done chan struct{} // closed by Close
	work sync.WaitGroup
}

//go:embed schema
var schema embed.FS

// Open loads the tree's edge and refuses (ErrTampered) a store older than, or different from, the newest anchor.
func Open(ctx context.Context, c Config) (*Log, error) {
	l, err := open(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("audit: Open: %w", err)
	}
	l.work.Go(l.commitLoop)
	l.work.Go(l.signLoop)
	return l, nil
}

func open(ctx context.Context, c Config) (*Log, error) {
	if c.DB == nil || c.Seal == nil || c.Clock == nil {
		return nil, errors.New("Config needs DB, Seal and Clock")
	}
	signer, vkey, err := newSigner(c.Origin, c.Seed)
	if err != nil {
		return nil, err
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, err
	}
	if err := c.DB.Migrate(ctx, "audit", schema); err != nil {
		return nil, err
	}
	l := &Log{
		c: c, signer: signer, verifier: verifier, vkey: vkey,
		open: map[*store.Tx]*pending{}, anchored: -1,
		kick: make(chan struct{}, 1), done: make(chan struct{}),
	}
	if l.edge, err = soundEdge(ctx, c.DB); err != nil {
		return nil, err
	}
	if err := l.resume(ctx); err != nil {
		return nil, err
	}
	return l, nil
}

// soundEdge loads the edge and sees that entries and hashes end at the same place. Verify reads all; this is what a
// start can afford.
func soundEdge(ctx context.Context, q store.Querier) (edge, error) {
	var size, hashes int64
	err := q.QueryRow(ctx, `SELECT (SELECT COALESCE(MAX(idx), -1) + 1 FROM audit_entry),
		(SELECT COALESCE(MAX(idx), -1) + 1 FROM audit_hash)`).Scan(&size, &hashes)
	if err != nil {
		return edge{}, err
	}
	if size > maxSize || hashes != tlog.StoredHashCount(size) {
		return edge{}, fmt.Errorf("%w: %d entries, but %d hashes; %s", ErrTampered, size, hashes, remedy)
	}
	e, err := loadEdge(ctx, q, size)
	if err != nil || size == 0 {
		return e, err
	}
	r, err := recordAt(ctx, q, size-1)
	if err != nil {
		return edge{}, err
	}
	stored, err := hashReader(ctx, q).ReadHashes([]int64{tlog.StoredHashIndex(0, size-1)})
	if err != nil {
		return edge{}, err
	}
	if newLeaf(r.commitment, r.chart, sha256.Sum256(r.data)).hash() != stored[0] {
		return edge{}, fmt.Errorf("%w: entry %d differs from its hash; %s", ErrTampered, size-1, remedy)
	}
	return e, nil
}

// resume checks the tree against the newest checkpoint and the newest anchor, and goes on behind them.
func (l *Log) resume(ctx context.Context) error {
	newest, err := newestCheckpoint(ctx, l.c.DB)
	if err != nil {
		return err
	}
	if newest != nil {
		c, err := l.consistent(ctx, newest)
		if err != nil {
			return fmt.Errorf("the newest checkpoint: %w", err)
		}
		l.last = signed{c, newest}
	}
	if l.c.Anchor == "" {
		return nil
	}
	a, newest, err := openAnchor(l.c.Anchor)
	if err != nil {
		return err
	}
	if newest != nil {
		c, err := l.consistent(ctx, newest)
		if err != nil {
			a.f.Close()
			return fmt.Errorf("the newest record of the anchor file: %w", err)
		}
		l.anchored = c.size
	}
	l.anchor = a
	return nil
}

func (l *Log) consistent(ctx context.Context, signed []byte) (checkpoint, error) {
	c, _, err := openCheckpoint(signed, l.verifier)
	if err != nil {
		return c, fmt.Errorf("%w: %w; %s", ErrTampered, err, remedy)
	}
	if c.size > l.edge.size {
		return c, fmt.Errorf("%w: %d entries were signed, but the store has only %d; %s", ErrTampered, c.size, l.edge.size, remedy)
	}
	root, err := tlog.TreeHash(c.size, hashReader(ctx, l.c.DB))
	if err != nil {
		return c, err
	}
	if root != c.root {
		return c, fmt.Errorf("%w: the first %d entries are not those that were signed; %s", ErrTampered, c.size, remedy)
	}
	return c, nil
}

// Close commits what Durable has queued, signs and anchors a last checkpoint, and stops the background work.
// It returns the error that stopped the log, if one did.
func (l *Log) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	l.mu.Unlock()
	close(l.done)
	l.work.Wait()

	l.signing.Lock()
	defer l.signing.Unlock()
	err := l.sign(context.Background())
	if err == nil {
		err = l.anchorNow()
	}
	if l.anchor != nil {
		err = errors.Join(err, l.anchor.f.Close())
	}
	if err != nil {
		return fmt.Errorf("audit: Close: %w", err)
	}
	return nil
}

// PublicKey is the verifier key line (c2sp signed-note vkey).
func (l *Log) PublicKey() string { return l.vkey }

// Err tells why the log stopped; nil while it works. A health check should ask.
func (l *Log) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failed
}

// unusable and stop are called with mu held.
func (l *Log) unusable() error {
	if l.failed == nil && l.closed {
		return ErrClosed
	}
	return l.failed
}

func (l *Log) stop(err error) {
	if l.failed == nil {
		l.failed = fmt.Errorf("%w: %w", ErrStopped, err)
	}
}
