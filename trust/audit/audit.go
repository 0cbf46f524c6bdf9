// Package audit is the transparency log: append, checkpoint, prove. Nothing is ever removed.
//
// It promises: an act and its entry are one transaction (Append), or the entry is on disk before Wait returns; an
// entry that was changed, moved, dropped or added later is found by Verify, without any key; a receipt proves one entry
// to anybody, offline. Leaves are salted commitments, so erasing a chart's key erases what its entries said and keeps
// every proof valid. A failed write stops the log for good: a node that cannot note must not serve.
//
// Entries go two steps. First they are durable in the inbox, many in one commit. Then the sequencer gives them their
// places in the tree, about a second later, or before anybody asks (Of, Each, Receipt, Checkpoint).
//
// The tree is RFC 6962 (golang.org/x/mod/sumdb/tlog), checkpoints are c2sp.org/tlog-checkpoint signed notes.
//
// What it cannot find: a change of what no checkpoint covers yet (about one second's; somebody who writes the database
// can drop a row of the inbox, but not make, change or put back one), and the removal of a tail
// together with its checkpoints and the anchor file. The anchor belongs on another disk or machine for that, and witnesses
// (Config.Witnesses) find it wherever the anchor is: they remember, and alarm.
package audit

import (
	"context"
	"crypto/tls"
	"embed"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/wellgate/wellgate/internal/clock"
	"github.com/wellgate/wellgate/store"
)

var (
	// ErrTampered names the first place where the stored history is not what was signed.
	ErrTampered = errors.New("audit: the stored history was changed")
	// ErrErased is what a Sealer returns (wrapped) for a chart whose key was destroyed.
	ErrErased = errors.New("audit: the entry was erased with its chart")
	// ErrNoEntry means that the chart has no entry at that index.
	ErrNoEntry = errors.New("audit: no such entry of this chart")
	// ErrKey is what a Sealer returns (wrapped) when it has no key for a chart, or one that was damaged. The entry then
	// waits in the inbox, and others go on.
	ErrKey = errors.New("audit: this chart's key cannot be used")
	// ErrLater is what a Sealer returns (wrapped) while no key answers at all. Everything waits in the inbox until one does.
	ErrLater = errors.New("audit: no key answers now")
	// ErrReceipt means that a receipt proves nothing: it was changed, or belongs to another log.
	ErrReceipt = errors.New("audit: the receipt does not hold; do not rely on it")
	// ErrStopped means that the log stopped for good: a write failed, or it was changed. Nothing may be read or changed
	// without a log.
	ErrStopped = errors.New("audit: the log stopped, and nothing is read or changed without it; mend the cause, then start Wellgate again")
	// ErrClosed means that the log was used after Close.
	ErrClosed = errors.New("audit: the log is closed")
)

// remedy is what an operator can do about ErrTampered.
const remedy = "keep the store and the anchor file as they are and find out who changed them; " +
	"if an older backup was restored on purpose, move the anchor file aside and keep it, then start again"

// A Sealer seals and opens what entries of a chart say under the chart's key. chart's journal is the real one.
// The sealed bytes must open at their own chart and index only. tx is always nil: what is committed counts.
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
	Key    []byte // 32 bytes of the practice: what waits for its place in the tree is sealed under keys made from it
	Origin string // log origin line, e.g. "wellgate.example/practice-7f3a"
	Dir    string // folder of the file that reads go to first, on SQLite; "" keeps them in the database. One process uses it
	Anchor string // file that receives a checkpoint each minute, outside the database; "" for none
	Clock  clock.Clock
	Rider  Rider // on PostgreSQL: what else is asked with each batch; nil for nothing

	Witnesses []Witness         // asked to sign checkpoints; none for nobody outside
	Every     time.Duration     // how often, at most; 0 = a minute
	Trust     *tls.Config       // for witnesses' certificates; nil for the system's
	Alarm     func(what string) // told each time a witness has proof of another history; nil for nobody
}

// Log is safe for concurrent use.
type Log struct {
	c        Config
	signer   note.Signer
	verifier note.Verifier
	vkey     string
	ids      *ids
	seals    *seals
	memory   memory
	file     *file   // nil without Config.Dir
	rounds   *rounds // nil on SQLite

	mu      sync.Mutex
	filling *batch // the batch in the making
	spare   []byte // memory for the one after it
	failed  error  // set once by stop
	closed  bool
	stopped chan struct{} // closed with failed

	turn     chan struct{} // capacity 1; who has put in may use what follows
	tree     *tree         // as stored; replaced, never changed
	seen     *seen         // the same
	settled  int64         // number of the last pass that left nothing behind
	last     signed        // the newest checkpoint in the store
	kept     int64         // hour of the newest checkpoint that stays
	thinned  int64         // when old checkpoints were removed last, Unix seconds
	anchor   *anchorFile   // nil for none
	anchored int64         // size of the newest anchor
	watch    *watch        // nil without witnesses; it has its own locks

	begun atomic.Int64  // passes of the sequencer
	kick  chan struct{} // capacity 1: the batch is not empty
	done  chan struct{} // closed by Close
	work  sync.WaitGroup
}

// AddedOnly are the tables whose rows are never changed: a database role that serves needs no right to.
func AddedOnly() []string { return []string{"audit_block", "audit_checkpoint"} }

//go:embed schema
var schema embed.FS

// Migrate brings this package's tables up to date, and makes nothing else: for a copy of a whole store.
func Migrate(ctx context.Context, db *store.DB) error { return db.Migrate(ctx, "audit", schema) }

// Open loads the tree's edge and refuses (ErrTampered) a store older than, or different from, the newest anchor.
func Open(ctx context.Context, c Config) (*Log, error) {
	l, err := open(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("audit: Open: %w", err)
	}
	l.work.Go(l.commitLoop)
	l.work.Go(l.sequenceLoop)
	if l.watch != nil {
		l.work.Go(l.watch.loop)
	}
	return l, nil
}

func open(ctx context.Context, c Config) (*Log, error) {
	if c.DB == nil || c.Seal == nil || c.Clock == nil || len(c.Key) != 32 {
		return nil, errors.New("Config needs DB, Seal, Clock and a Key of 32 bytes")
	}
	signer, vkey, err := newSigner(c.Origin, c.Seed)
	if err != nil {
		return nil, err
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, err
	}
	if err := Migrate(ctx, c.DB); err != nil {
		return nil, err
	}
	memory, err := newMemory(c.Key)
	if err != nil {
		return nil, err
	}
	l := &Log{
		c: c, signer: signer, verifier: verifier, vkey: vkey, ids: newIDs(c.Clock), seals: newSeals(c.Key), memory: memory, stopped: make(chan struct{}),
		filling: newBatch(nil, 1), rounds: newRounds(c.DB.Line(), c.Rider), turn: make(chan struct{}, 1), anchored: -1,
		kick: make(chan struct{}, 1), done: make(chan struct{}),
	}
	if l.watch, err = l.newWatch(ctx); err != nil {
		return nil, err
	}
	err = c.DB.Read(ctx, func(q store.Querier) error { // in one view: others may add to the log meanwhile
		if l.tree, err = soundTree(ctx, q); err != nil {
			return err
		}
		return l.resume(ctx, q)
	})
	if err != nil {
		return nil, err
	}
	if l.tree.size == 0 {
		if err := c.DB.Write(ctx, func(tx *store.Tx) error { return memory.begin(ctx, tx) }); err != nil {
			return nil, err
		}
	}
	if err := l.load(ctx); err != nil {
		return nil, errors.Join(err, l.closeFiles())
	}
	l.ids.last = l.seen.latest()
	err = l.openFile()
	if err == nil {
		err = l.recover(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, l.closeFiles())
	}
	return l, nil
}

// soundTree loads the tree and sees that blocks and tiles end at the same place. Verify reads all; this is what a start
// can afford.
func soundTree(ctx context.Context, q store.Querier) (*tree, error) {
	var size, tiles int64
	if err := q.QueryRow(ctx, `SELECT `+sizeSQL+`, (SELECT COUNT(*) FROM audit_tile)`).Scan(&size, &tiles); err != nil {
		return nil, err
	}
	if size < 0 || size > maxSize || tiles != tileCount(size) {
		return nil, fmt.Errorf("%w: %d entries, but %d tiles; %s", ErrTampered, size, tiles, remedy)
	}
	t, err := loadTree(ctx, q, size)
	if err != nil || size == 0 {
		return t, err
	}
	b, err := blockAt(ctx, q, size-1)
	if errors.Is(err, ErrNoEntry) {
		return nil, fmt.Errorf("%w: entry %d is missing; %s", ErrTampered, size-1, remedy)
	}
	if err != nil {
		return nil, err
	}
	at := make([]int64, b.n)
	for i := range at {
		at[i] = tlog.StoredHashIndex(0, b.first+int64(i))
	}
	stored, err := hashReader(ctx, q).ReadHashes(at)
	if err != nil {
		return nil, err
	}
	place := placed(b.chart, sealedHash(b.first, b.data))
	for i, h := range stored {
		if leafOf(b.commitment(b.first+int64(i)), place).hash() != h {
			return nil, fmt.Errorf("%w: entry %d differs from its hash; %s", ErrTampered, b.first+int64(i), remedy)
		}
	}
	return t, nil
}

// recover puts into the tree what a crash left in the inbox, and tries again what had no usable key.
func (l *Log) recover(ctx context.Context) error {
	err := l.c.DB.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE audit_inbox SET aside = $1 WHERE aside = $2`, waits, keyless)
		return err
	})
	if err != nil {
		return err
	}
	return l.pass(ctx)
}

// resume checks the tree against the newest checkpoint and the newest anchor, and goes on behind them.
func (l *Log) resume(ctx context.Context, q store.Querier) error {
	newest, err := newestCheckpoint(ctx, q)
	if err != nil {
		return err
	}
	if newest != nil {
		c, err := l.consistent(ctx, q, newest)
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
		c, err := l.consistent(ctx, q, newest)
		if err != nil {
			a.f.Close()
			return fmt.Errorf("the newest record of the anchor file: %w", err)
		}
		l.anchored = c.size
	}
	l.anchor = a
	return nil
}

func (l *Log) consistent(ctx context.Context, q store.Querier, signed []byte) (checkpoint, error) {
	c, _, err := openCheckpoint(signed, l.verifier)
	if err != nil {
		return c, fmt.Errorf("%w: %w; %s", ErrTampered, err, remedy)
	}
	if c.size > l.tree.size {
		return c, fmt.Errorf("%w: %d entries were signed, but the store has only %d; %s", ErrTampered, c.size, l.tree.size, remedy)
	}
	root, err := tlog.TreeHash(c.size, hashReader(ctx, q))
	if err != nil {
		return c, err
	}
	if root != c.root {
		return c, fmt.Errorf("%w: the first %d entries are not those that were signed; %s", ErrTampered, c.size, remedy)
	}
	return c, nil
}

// Close commits what was noted, puts all of it into the tree, signs and anchors a last checkpoint, and stops the
// background work. It returns the error that stopped the log, if one did.
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

	ctx := context.Background()
	if err := l.takeTurn(ctx); err != nil {
		return err
	}
	defer l.endTurn()
	err := l.finish(ctx)
	if err = errors.Join(err, l.closeFiles()); err != nil {
		return fmt.Errorf("audit: Close: %w", err)
	}
	return nil
}

// finish is the last pass.
func (l *Log) finish(ctx context.Context) error {
	if err := l.clear(ctx); err != nil {
		return err
	}
	if err := l.sign(ctx); err != nil {
		return err
	}
	return l.anchorNow(ctx)
}

func (l *Log) closeFiles() error {
	var errs []error
	if l.file != nil {
		errs = append(errs, l.file.log.Close())
	}
	if l.anchor != nil {
		errs = append(errs, l.anchor.f.Close())
	}
	if l.rounds != nil {
		errs = append(errs, l.rounds.line.Close())
	}
	return errors.Join(errs...)
}

// PublicKey is the verifier key line (c2sp signed-note vkey).
func (l *Log) PublicKey() string { return l.vkey }

// Err tells why the log stopped; nil while it works. A health check should ask.
func (l *Log) Err() error { return l.failure() }

// Stopped is closed when the log stops for good: then this process can do nothing more but end.
func (l *Log) Stopped() <-chan struct{} { return l.stopped }

func (l *Log) failure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failed
}

// ready tells why nothing more can be noted, nil while it can.
func (l *Log) ready() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.unusable()
}

// unusable is called with mu held.
func (l *Log) unusable() error {
	if l.failed == nil && l.closed {
		return ErrClosed
	}
	return l.failed
}

// stop ends the log for good and returns why it ended, which may be an earlier error.
func (l *Log) stop(err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed == nil {
		l.failed = fmt.Errorf("%w: %w", ErrStopped, err)
		close(l.stopped)
	}
	return l.failed
}
