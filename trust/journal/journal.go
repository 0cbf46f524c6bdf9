// Package journal keeps sealed append-only logs, their snapshots, unique claims and files.
// It knows bytes and sequence numbers only: no FHIR, no people.
//
// A chart is a log of batches numbered 1, 2, 3 … . Appending at head+1 is the optimistic lock. Each
// batch carries the hash of the one before, so rows cannot be moved, swapped, dropped or rolled back unseen.
// The chart's own row seals the newest number and hash, so the end cannot be cut off alone; who puts back a whole
// older database is found by the audit log's anchors, not here.
package journal

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"embed"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/wellgate/wellgate/internal/clock"
	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/trust/vault"
)

var (
	ErrConflict = errors.New("journal: somebody else wrote first") // reload and try again
	ErrClaimed  = errors.New("journal: already claimed")
	ErrNoChart  = errors.New("journal: no such chart")
	ErrNoFile   = errors.New("journal: no such file")
	ErrDamaged  = errors.New("journal: stored data was changed, moved or dropped")
	ErrShredded = errors.New("journal: this chart was erased")
	// ErrReplaced is a segment of a snapshot that a newer one replaced more than a minute ago.
	ErrReplaced = errors.New("journal: this snapshot was replaced; load the chart again")
)

// Kind says what a chart is for.
type Kind uint8

const (
	Patient   Kind = 1
	Directory Kind = 2 // the practice itself: organizations, people, places
	Intake    Kind = 3 // what arrived and belongs to nobody yet
)

//go:embed schema/*.sql
var schema embed.FS

// Journal is safe for concurrent use.
type Journal struct {
	db    *store.DB
	vault *vault.Vault
	clock clock.Clock
	keys  *keyring
	seen  sync.Map // chart → the newest row this process has seen committed; a chart never goes back behind it
}

// An Option changes a default of Open.
type Option func(*Journal)

// WithClock replaces the machine's clock.
func WithClock(c clock.Clock) Option { return func(j *Journal) { j.clock = c } }

// WithKeys sets how many charts' keys are kept open (default 4096, about 1 KB each).
func WithKeys(n int) Option { return func(j *Journal) { j.keys = newKeyring(n) } }

// Migrate brings this package's tables up to date, and makes nothing else: for a copy of a whole store.
func Migrate(ctx context.Context, db *store.DB) error { return db.Migrate(ctx, "journal", schema) }

// Open migrates its tables and readies the log.
func Open(ctx context.Context, db *store.DB, v *vault.Vault, opts ...Option) (*Journal, error) {
	if err := Migrate(ctx, db); err != nil {
		return nil, fmt.Errorf("journal: open: %w", err)
	}
	j := &Journal{db: db, vault: v, clock: clock.System, keys: newKeyring(4096)}
	for _, o := range opts {
		o(j)
	}
	v.OnDrop(j.keys.clear)
	return j, nil
}

// Create makes an empty chart with its own key, inside the caller's transaction.
func (j *Journal) Create(ctx context.Context, tx *store.Tx, kind Kind) (int64, error) {
	d, err := j.Draft(ctx, kind)
	if err != nil {
		return 0, err
	}
	return d.Chart, j.Store(ctx, tx, d)
}

// newNumber is 62 random bits: it tells nobody how many charts there are, and no outsider can guess one.
func newNumber() int64 {
	var b [8]byte
	for {
		rand.Read(b[:])
		if n := int64(binary.BigEndian.Uint64(b[:]) >> 2); n > 0 {
			return n
		}
	}
}

// owner binds a key to its chart and the chart's kind.
func owner(chart int64, kind Kind) string { return fmt.Sprintf("chart/%d/%d", chart, kind) }

// Charts lists chart numbers of one kind, in order. Erased ones are left out.
func (j *Journal) Charts(ctx context.Context, kind Kind) ([]int64, error) {
	rows, err := j.db.Query(ctx, "SELECT chart FROM journal_chart WHERE kind = $1 AND shredded = 0 ORDER BY chart", int64(kind))
	if err != nil {
		return nil, fmt.Errorf("journal: charts: %w", err)
	}
	charts, err := numbers(rows)
	if err != nil {
		return nil, fmt.Errorf("journal: charts: %w", err)
	}
	return charts, nil
}

func numbers(rows *sql.Rows) ([]int64, error) {
	defer rows.Close()
	var all []int64
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, rows.Err()
}

// record is a chart's own row, opened.
type record struct {
	chart  int64
	kind   Kind
	key    *vault.Key
	head   head
	sealed []byte // head as stored
}

// open reads and opens a chart's row as q sees it. It always asks the database, so an erased chart is erased at once.
func (j *Journal) open(ctx context.Context, q store.Querier, chart int64) (*record, error) {
	r := &record{chart: chart}
	newest, known := j.seen.Load(chart) // before q looks: what is committed later may not be in its view
	var wrapped, tip []byte
	var kind, seq, shredded int64
	err := q.QueryRow(ctx, "SELECT kind, wrapped, head, seq, tip, shredded FROM journal_chart WHERE chart = $1", chart).
		Scan(&kind, &wrapped, &r.sealed, &seq, &tip, &shredded)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, ErrNoChart
	case err != nil:
		return nil, err
	case shredded != 0 && len(wrapped) > 0: // Shred leaves no key
		return nil, damaged("it is called erased, but its key is there", nil)
	case shredded != 0:
		return nil, ErrShredded
	}
	r.kind = Kind(kind)
	kept, ticket := j.keys.get(chart)
	if r.key = kept; kept == nil {
		if r.key, err = j.vault.OpenKey(ctx, owner(chart, r.kind), wrapped); err != nil {
			return nil, damaged("the key does not open", err)
		}
		j.keys.put(chart, r.key, ticket)
	}
	if r.head, err = openHead(r.key, chart, r.sealed); err != nil {
		return nil, damaged("the head does not open", err)
	}
	if seq != r.head.seq || !bytes.Equal(tip, r.head.hash[:]) {
		return nil, damaged("the head is not what its columns say", nil)
	}
	if known && seq < newest.(int64) {
		return nil, damaged(fmt.Sprintf("the head is row %d, but row %d was there: older rows were put back", seq, newest), nil)
	}
	return r, nil
}

// damaged is ErrDamaged with its place; err may be nil. An end of ctx, or a root key that is away, is not damage.
func damaged(what string, err error) error {
	switch {
	case err == nil:
		return fmt.Errorf("%w: %s", ErrDamaged, what)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, vault.ErrAway):
		return err
	}
	return fmt.Errorf("%w: %s: %w", ErrDamaged, what, err)
}

// Seal and Open use a chart's key for what other owners store about it (audit entries, facts, openings).
// tx may be nil: then what is committed counts.
func (j *Journal) Seal(ctx context.Context, tx *store.Tx, chart int64, at vault.Place, plain []byte) ([]byte, error) {
	if err := foreign(chart, at); err != nil {
		return nil, fmt.Errorf("journal: seal: %w", err)
	}
	var q store.Querier = j.db
	if tx != nil {
		q = tx
	}
	key, err := j.key(ctx, q, chart)
	if err != nil {
		return nil, fmt.Errorf("journal: seal: %w", err)
	}
	return key.Seal(at, plain)
}

// Open opens what Seal sealed. Changed or moved bytes are ErrDamaged (and vault.ErrOpen).
func (j *Journal) Open(ctx context.Context, chart int64, at vault.Place, sealed []byte) ([]byte, error) {
	if err := foreign(chart, at); err != nil {
		return nil, fmt.Errorf("journal: open: %w", err)
	}
	err := j.alive(ctx, chart)
	var key *vault.Key
	if err == nil {
		key, err = j.key(ctx, j.db, chart)
	}
	if err != nil {
		return nil, fmt.Errorf("journal: open: %w", err)
	}
	plain, err := key.Open(at, sealed)
	if err != nil {
		return nil, fmt.Errorf("journal: open: %w", damaged("sealed entry", err))
	}
	return plain, nil
}

// foreign refuses places that are the journal's own, and those of another chart.
func foreign(chart int64, at vault.Place) error {
	switch at.Kind {
	case vault.KindLog, vault.KindIndex, vault.KindBody, vault.KindFile, vault.KindHead, 0:
		return fmt.Errorf("kind %d belongs to the journal itself", at.Kind)
	}
	if at.Chart != chart {
		return errors.New("the place names another chart")
	}
	return nil
}

// key returns a chart's key, kept open between uses.
func (j *Journal) key(ctx context.Context, q store.Querier, chart int64) (*vault.Key, error) {
	key, ticket := j.keys.get(chart)
	if key != nil {
		return key, nil
	}
	var wrapped []byte
	var kind, shredded int64
	err := q.QueryRow(ctx, "SELECT kind, wrapped, shredded FROM journal_chart WHERE chart = $1", chart).
		Scan(&kind, &wrapped, &shredded)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, ErrNoChart
	case err != nil:
		return nil, err
	case shredded != 0 && len(wrapped) > 0: // Shred leaves no key
		return nil, damaged("it is called erased, but its key is there", nil)
	case shredded != 0:
		return nil, ErrShredded
	}
	if key, err = j.vault.OpenKey(ctx, owner(chart, Kind(kind)), wrapped); err != nil {
		return nil, damaged("the key does not open", err)
	}
	j.keys.put(chart, key, ticket)
	return key, nil
}

// Shred destroys a chart's key: rows, index, files and old backups of them are unreadable from here on.
// A backup taken before also holds the wrapped key; rotating the root (vault.Rewrap, Rewrap, Retire) closes that.
func (j *Journal) Shred(ctx context.Context, tx *store.Tx, chart int64) error {
	j.keys.hold(tx, chart) // nobody may carry the key over the end of the transaction
	n, err := tx.Exec(ctx, "UPDATE journal_chart SET wrapped = $1, head = $1, tip = $1, shredded = 1 WHERE chart = $2 AND shredded = 0", []byte{}, chart)
	if err != nil {
		return fmt.Errorf("journal: shred: %w", err)
	}
	if n == 0 {
		_, err := j.open(ctx, tx, chart)
		return fmt.Errorf("journal: shred: %w", err) // ErrNoChart or ErrShredded
	}
	for _, table := range []string{"journal_log", "journal_seg", "journal_old", "journal_point", "journal_file"} {
		if _, err := tx.Exec(ctx, "DELETE FROM "+table+" WHERE chart = $1", chart); err != nil {
			return fmt.Errorf("journal: shred: %w", err)
		}
	}
	tx.Scrub()
	return nil
}

// Refresh forgets the keys of charts that another node erased. A node of several calls it each second; what a request reads
// of a chart is asked of the store in any case.
func (j *Journal) Refresh(ctx context.Context) error {
	if j.db.Dialect() == "sqlite" {
		return nil
	}
	rows, err := j.db.Query(ctx, "SELECT chart FROM journal_chart WHERE shredded = 1 AND chart = ANY($1::bigint[])", j.keys.charts())
	if err != nil {
		return fmt.Errorf("journal: refresh: %w", err)
	}
	gone, err := numbers(rows)
	if err != nil {
		return fmt.Errorf("journal: refresh: %w", err)
	}
	for _, chart := range gone {
		j.keys.drop(chart)
	}
	return nil
}

// Rewrap moves every chart's key under the vault's newest key-encryption key, a few hundred per transaction, while
// the house stays open. It may be stopped and started again. Run it after vault.Rewrap and before vault.Retire.
// A key that does not open cannot be moved: it is left behind and named in lost, and the others go on.
func (j *Journal) Rewrap(ctx context.Context) (moved int, lost []int64, err error) {
	const batch = 500
	for last, done := int64(0), false; !done; {
		n, next, bad := 0, last, []int64(nil)
		err := j.db.Write(ctx, func(tx *store.Tx) error {
			n, next, bad = 0, last, nil
			keys, err := wrappedAfter(ctx, tx, last, batch)
			if err != nil {
				return err
			}
			done = len(keys) < batch
			for _, k := range keys {
				next = k.chart
				changed, err := j.rewrap(ctx, tx, k)
				if errors.Is(err, vault.ErrOpen) {
					bad = append(bad, k.chart)
					continue
				}
				if err != nil {
					return err
				}
				n += changed
			}
			return nil
		})
		if err != nil {
			return moved, lost, fmt.Errorf("journal: rewrap: %w", err)
		}
		last, moved, lost = next, moved+n, append(lost, bad...)
	}
	return moved, lost, nil
}

func (j *Journal) rewrap(ctx context.Context, tx *store.Tx, k wrappedKey) (int, error) {
	again, changed, err := j.vault.RewrapKey(ctx, tx, owner(k.chart, k.kind), k.wrapped)
	if err != nil || !changed {
		return 0, err
	}
	// Only where the old bytes still stand: another node may have erased the chart since they were read.
	n, err := tx.Exec(ctx, "UPDATE journal_chart SET wrapped = $1 WHERE chart = $2 AND wrapped = $3", again, k.chart, k.wrapped)
	return int(n), err
}

// Behind counts charts whose keys are not under the newest key-encryption key, for vault.Retire. Those that Rewrap found
// damaged are let go: they open nothing, whichever key stays.
func (j *Journal) Behind(lost []int64) vault.Behind {
	return func(ctx context.Context, tx *store.Tx, head []byte) (int64, error) {
		rows, err := tx.Query(ctx, "SELECT chart FROM journal_chart WHERE shredded = 0 AND substr(wrapped, 1, 5) <> $1 LIMIT $2", head, len(lost)+1)
		if err != nil {
			return 0, err
		}
		charts, err := numbers(rows)
		left := slices.DeleteFunc(charts, func(n int64) bool { return slices.Contains(lost, n) })
		return int64(len(left)), err
	}
}

type wrappedKey struct {
	chart   int64
	kind    Kind
	wrapped []byte
}

func wrappedAfter(ctx context.Context, q store.Querier, after int64, limit int) ([]wrappedKey, error) {
	rows, err := q.Query(ctx, `SELECT chart, kind, wrapped FROM journal_chart
		WHERE chart > $1 AND shredded = 0 ORDER BY chart LIMIT $2`, after, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []wrappedKey
	for rows.Next() {
		var k wrappedKey
		var kind int64
		if err := rows.Scan(&k.chart, &kind, &k.wrapped); err != nil {
			return nil, err
		}
		k.kind = Kind(kind)
		all = append(all, k)
	}
	return all, rows.Err()
}
