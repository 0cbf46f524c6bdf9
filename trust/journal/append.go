package journal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"

	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/trust/vault"
)

// A Draft is a chart that is not stored yet: its number and its key, made before the transaction that stores it.
type Draft struct {
	Chart   int64
	kind    Kind
	key     *vault.Key
	wrapped []byte
}

// Draft makes a number and a key for an empty chart. Nothing is stored: one that is never stored leaves no trace.
func (j *Journal) Draft(ctx context.Context, kind Kind) (*Draft, error) {
	d := &Draft{Chart: newNumber(), kind: kind}
	var err error
	if d.key, d.wrapped, err = j.vault.NewKey(ctx, nil, owner(d.Chart, kind)); err != nil {
		return nil, fmt.Errorf("journal: draft: %w", err)
	}
	return d, nil
}

// Store makes the draft a chart with an empty log. Two drafts of one number are store.ErrUnique.
func (j *Journal) Store(ctx context.Context, tx *store.Tx, d *Draft) error {
	if err := j.store(ctx, tx, d, head{}); err != nil {
		return fmt.Errorf("journal: create: %w", err)
	}
	return nil
}

func (j *Journal) store(ctx context.Context, tx *store.Tx, d *Draft, h head) error {
	j.keys.hold(tx, d.Chart) // an undone chart's key must not stay
	sealed, err := sealHead(d.key, d.Chart, h)
	if err != nil {
		return err
	}
	// The draft may be older than a rotation of the keys.
	if d.wrapped, _, err = j.vault.RewrapKey(ctx, tx, owner(d.Chart, d.kind), d.wrapped); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "INSERT INTO journal_chart (chart, kind, wrapped, head, seq, tip) VALUES ($1, $2, $3, $4, $5, $6)",
		d.Chart, int64(d.kind), d.wrapped, sealed, h.seq, h.hash[:])
	return err
}

// A Sealed is a row that was compressed and sealed before the transaction that appends it, so that no other writer waits
// for that work. It fits only where it was sealed for: behind the row that was the newest then.
type Sealed struct {
	chart, seq int64
	draft      *Draft // of a chart that is to be made with it
	record     *record
	data       []byte
}

// Seal makes row seq of a stored chart ready. If that is not the next row, ErrConflict.
func (j *Journal) SealRow(ctx context.Context, chart, seq int64, plain []byte) (*Sealed, error) {
	r, err := j.open(ctx, j.db, chart)
	if err != nil {
		return nil, fmt.Errorf("journal: seal row: %w", err)
	}
	return sealRow(r, seq, plain)
}

// SealFirst makes the first row of a draft ready.
func (j *Journal) SealFirst(d *Draft, plain []byte) (*Sealed, error) {
	s, err := sealRow(&record{chart: d.Chart, kind: d.kind, key: d.key}, 1, plain)
	if err == nil {
		s.draft = d
	}
	return s, err
}

func sealRow(r *record, seq int64, plain []byte) (*Sealed, error) {
	if seq != r.head.seq+1 {
		return nil, fmt.Errorf("journal: append: at %d, head is %d: %w", seq, r.head.seq, ErrConflict)
	}
	frame := make([]byte, 0, len(r.head.hash)+len(plain))
	frame = append(append(frame, r.head.hash[:]...), plain...)
	data, err := r.key.Seal(logPlace(r.chart, seq), frame)
	clear(frame)
	if err != nil {
		return nil, fmt.Errorf("journal: append: %w", err)
	}
	return &Sealed{chart: r.chart, seq: seq, record: r, data: data}, nil
}

// Append adds a batch at seq, which must be the head plus one, else ErrConflict (and nothing was changed).
func (j *Journal) Append(ctx context.Context, tx *store.Tx, chart, seq int64, plain []byte) error {
	r, err := j.open(ctx, tx, chart)
	if err != nil {
		return fmt.Errorf("journal: append: %w", err)
	}
	s, err := sealRow(r, seq, plain)
	if err != nil {
		return err
	}
	return j.AppendSealed(ctx, tx, s)
}

// AppendSealed adds a row that is ready, and makes its chart if it is a draft's. If the chart is not as it was when the row
// was sealed, ErrConflict.
func (j *Journal) AppendSealed(ctx context.Context, tx *store.Tx, s *Sealed) error {
	next := s.record.head
	next.seq, next.hash = s.seq, sha256.Sum256(s.data)
	if s.draft != nil {
		if err := j.store(ctx, tx, s.draft, next); err != nil {
			return fmt.Errorf("journal: append: %w", err)
		}
	} else if err := j.putHead(ctx, tx, s.record, next); err != nil {
		return fmt.Errorf("journal: append: %w", err)
	}
	_, err := tx.Exec(ctx, "INSERT INTO journal_log (chart, seq, data) VALUES ($1, $2, $3)", s.chart, s.seq, s.data)
	if errors.Is(err, store.ErrUnique) { // a row beyond the sealed head
		return fmt.Errorf("journal: append: %w", ErrConflict)
	}
	if err != nil {
		return fmt.Errorf("journal: append: %w", err)
	}
	tx.Committed(func() { j.saw(s.chart, s.seq) })
	return nil
}

// Stands says whether a row stands where it was to be appended, byte for byte: to look after a commit of unknown outcome.
func (j *Journal) Stands(ctx context.Context, q store.Querier, s *Sealed) (bool, error) {
	var data []byte
	err := q.QueryRow(ctx, "SELECT data FROM journal_log WHERE chart = $1 AND seq = $2", s.chart, s.seq).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("journal: stands: %w", err)
	}
	return bytes.Equal(data, s.data), nil
}

// putHead replaces the head that was read by the next one, if nobody else replaced it first. The sealed bytes are compared:
// they are new with every change.
func (j *Journal) putHead(ctx context.Context, tx *store.Tx, r *record, next head) error {
	sealed, err := sealHead(r.key, r.chart, next)
	if err != nil {
		return err
	}
	n, err := tx.Exec(ctx, "UPDATE journal_chart SET head = $1, seq = $2, tip = $3 WHERE chart = $4 AND head = $5",
		sealed, next.seq, next.hash[:], r.chart, r.sealed)
	if err == nil && n == 0 {
		return ErrConflict
	}
	return err
}
