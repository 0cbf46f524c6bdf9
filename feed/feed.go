// Package feed is the ordered list of facts that charts append to and others read from.
//
// It promises: a fact is stored by the transaction that made it true; sequence numbers have no gaps and become
// visible in order, so a reader that remembers one number has missed nothing before it; what a fact says is sealed
// under its chart's key and bound to its number; a reader's place never moves backwards and never past the end.
// Facts of an erased chart are passed over.
package feed

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/wellgate/wellgate/store"
)

// ErrErased is what a Sealer's OpenFact returns (wrapped) for a chart whose key was destroyed.
var ErrErased = errors.New("feed: the chart was erased")

// ErrWatermark means that Advance would move a reader's place backwards or past the newest fact.
var ErrWatermark = errors.New("feed: a reader's place only moves forward, up to the newest fact; load it again with Watermark")

// A Sealer seals and opens facts under their chart's key. chart's journal is the real one.
// The sealed bytes must open at their own chart and seq only.
type Sealer interface {
	SealFact(ctx context.Context, tx *store.Tx, chart, seq int64, plain []byte) ([]byte, error)
	OpenFact(ctx context.Context, chart, seq int64, sealed []byte) ([]byte, error)
}

// A Fact says what happened, never what it said: it holds references, not health data.
type Fact struct {
	Seq   int64
	Room  string // "results"
	What  string // "commented"
	Chart int64
	Ref   string // "Observation/abc"
	At    time.Time
}

// said is the sealed part of a fact.
type said struct {
	Room string    `json:"room"`
	What string    `json:"what"`
	Ref  string    `json:"ref,omitempty"`
	At   time.Time `json:"at"`
}

// Feed is safe for concurrent use.
type Feed struct {
	db   *store.DB
	seal Sealer
}

//go:embed schema
var schema embed.FS

// Migrate brings this package's tables up to date, and makes nothing else: for a copy of a whole store.
func Migrate(ctx context.Context, db *store.DB) error { return db.Migrate(ctx, "feed", schema) }

// Open migrates the feed's tables.
func Open(ctx context.Context, db *store.DB, seal Sealer) (*Feed, error) {
	if seal == nil {
		return nil, errors.New("feed: Open: no Sealer; facts are stored sealed or not at all")
	}
	if err := Migrate(ctx, db); err != nil {
		return nil, fmt.Errorf("feed: Open: %w", err)
	}
	return &Feed{db: db, seal: seal}, nil
}

// Lock is the name of the lock (store.Tx.Lock) that a transaction with facts holds from its first fact to its end.
const Lock = "feed"

// Append adds facts inside the transaction that made them true. Their Seq is assigned here, in order. Call it last: other
// writers' facts wait until the transaction has ended.
func (f *Feed) Append(ctx context.Context, tx *store.Tx, facts ...Fact) error {
	if len(facts) == 0 {
		return nil
	}
	// MAX+1 and not a database sequence: a sequence hands out 7 before 6 is visible, and a reader at 7 would miss 6.
	// From here to the commit writers on PostgreSQL take turns, so this is the last thing a transaction does.
	if err := tx.Lock(ctx, Lock); err != nil {
		return fmt.Errorf("feed: Append: %w", err)
	}
	head, err := newest(ctx, tx)
	if err != nil {
		return fmt.Errorf("feed: Append: %w", err)
	}
	for i, fact := range facts {
		seq := head + 1 + int64(i)
		plain, err := json.Marshal(said{fact.Room, fact.What, fact.Ref, fact.At.UTC()})
		if err != nil {
			return fmt.Errorf("feed: Append: %w", err)
		}
		data, err := f.seal.SealFact(ctx, tx, fact.Chart, seq, plain)
		if err != nil {
			return fmt.Errorf("feed: Append: seal fact %d: %w", seq, err)
		}
		_, err = tx.Exec(ctx, `INSERT INTO feed_fact (seq, chart, at, data) VALUES ($1, $2, $3, $4)`,
			seq, fact.Chart, fact.At.UnixMilli(), data)
		if err != nil {
			return fmt.Errorf("feed: Append: fact %d: %w", seq, err)
		}
	}
	return nil
}

// After returns at most limit facts with Seq > after, oldest first. Fewer than limit means that the end was reached.
func (f *Feed) After(ctx context.Context, after int64, limit int) ([]Fact, error) {
	var facts []Fact
	for len(facts) < limit {
		rows, err := f.page(ctx, after, limit-len(facts))
		if err != nil {
			return nil, fmt.Errorf("feed: After: %w", err)
		}
		if len(rows) == 0 {
			break
		}
		for _, r := range rows {
			if r.seq != after+1 { // numbers have no gaps: a reader must not pass over what somebody took away
				return nil, fmt.Errorf("feed: After: facts %d to %d are missing: they were removed from the store", after+1, r.seq-1)
			}
			after = r.seq
			fact, err := f.open(ctx, r)
			if errors.Is(err, ErrErased) {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("feed: After: fact %d of chart %d does not open: %w", r.seq, r.chart, err)
			}
			facts = append(facts, fact)
		}
	}
	return facts, nil
}

type row struct {
	seq, chart int64
	data       []byte
}

// page reads whole before anything is opened, so that a Sealer which reads the store needs no second connection.
func (f *Feed) page(ctx context.Context, after int64, limit int) ([]row, error) {
	rs, err := f.db.Query(ctx, `SELECT seq, chart, data FROM feed_fact WHERE seq > $1 ORDER BY seq LIMIT $2`, after, limit)
	if err != nil {
		return nil, err
	}
	defer rs.Close()
	var rows []row
	for rs.Next() {
		var r row
		if err := rs.Scan(&r.seq, &r.chart, &r.data); err != nil {
			return nil, err
		}
		rows = append(rows, r)
	}
	return rows, rs.Err()
}

func (f *Feed) open(ctx context.Context, r row) (Fact, error) {
	plain, err := f.seal.OpenFact(ctx, r.chart, r.seq, r.data)
	if err != nil {
		return Fact{}, err
	}
	var s said
	if err := json.Unmarshal(plain, &s); err != nil {
		return Fact{}, err
	}
	return Fact{Seq: r.seq, Room: s.Room, What: s.What, Chart: r.chart, Ref: s.Ref, At: s.At}, nil
}

// Watermark is the last Seq that reader has dealt with; 0 for a reader never seen.
func (f *Feed) Watermark(ctx context.Context, reader string) (int64, error) {
	var seq int64
	err := f.db.QueryRow(ctx, `SELECT seq FROM feed_reader WHERE name = $1`, reader).Scan(&seq)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("feed: Watermark: %w", err)
	}
	return seq, nil
}

// Advance moves reader's place to seq, in the transaction that holds the effect of having read so far.
func (f *Feed) Advance(ctx context.Context, tx *store.Tx, reader string, seq int64) error {
	head, err := newest(ctx, tx)
	if err != nil {
		return fmt.Errorf("feed: Advance: %w", err)
	}
	if reader == "" || seq < 0 || seq > head {
		return fmt.Errorf("feed: Advance: reader %q to %d of %d: %w", reader, seq, head, ErrWatermark)
	}
	n, err := tx.Exec(ctx, `INSERT INTO feed_reader (name, seq) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET seq = excluded.seq WHERE feed_reader.seq <= excluded.seq`, reader, seq)
	if err != nil {
		return fmt.Errorf("feed: Advance: %w", err)
	}
	if n == 0 {
		return fmt.Errorf("feed: Advance: reader %q to %d: %w", reader, seq, ErrWatermark)
	}
	return nil
}

func newest(ctx context.Context, q store.Querier) (int64, error) {
	var seq int64
	err := q.QueryRow(ctx, `SELECT COALESCE(MAX(seq), 0) FROM feed_fact`).Scan(&seq)
	return seq, err
}
