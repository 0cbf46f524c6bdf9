package audit

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"math"

	"github.com/wellgate/wellgate/store"
)

// Of lists a chart's entries, newest first, before index before (0 = from the end). Fewer than limit means that
// there are no more; the log's very first entry has index 0, which is no place to go on from. An erased chart has none.
func (l *Log) Of(ctx context.Context, chart, before int64, limit int) ([]Stored, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	records, err := recordsOf(ctx, l.c.DB, chart, before, limit)
	if err != nil {
		return nil, fmt.Errorf("audit: Of: %w", err)
	}
	list := make([]Stored, 0, len(records))
	for _, r := range records {
		_, s, err := openRecord(ctx, l.c.Seal, r)
		if errors.Is(err, ErrErased) {
			return nil, nil // one key per chart: what holds for one entry holds for all
		}
		if err != nil {
			return nil, fmt.Errorf("audit: Of: %w", err)
		}
		list = append(list, s)
	}
	return list, nil
}

// Each yields all of a chart's entries, newest first, in bounded memory: for "take my record".
func (l *Log) Each(ctx context.Context, chart int64) iter.Seq2[Stored, error] {
	return func(yield func(Stored, error) bool) {
		const page = 500
		before := int64(0)
		for {
			list, err := l.Of(ctx, chart, before, page)
			if err != nil {
				yield(Stored{}, err)
				return
			}
			for _, s := range list {
				if !yield(s, nil) {
					return
				}
				before = s.Index
			}
			if len(list) < page || before == 0 {
				return
			}
		}
	}
}

// openRecord opens an entry and sees that it is the one committed to.
func openRecord(ctx context.Context, seal Sealer, r record) (salt []byte, s Stored, err error) {
	plain, err := seal.OpenEntry(ctx, r.chart, r.idx, r.data)
	if err != nil {
		return nil, s, fmt.Errorf("entry %d of chart %d does not open: %w", r.idx, r.chart, err)
	}
	if len(plain) < saltSize || sha256.Sum256(plain) != r.commitment {
		return nil, s, fmt.Errorf("%w: entry %d of chart %d is not the one committed to; %s", ErrTampered, r.idx, r.chart, remedy)
	}
	return plain[:saltSize], Stored{Index: r.idx, Chart: r.chart, Plain: plain[saltSize:]}, nil
}

// recordsOf reads whole before anything is opened, so that a Sealer which reads the store needs no second connection.
func recordsOf(ctx context.Context, q store.Querier, chart, before int64, limit int) ([]record, error) {
	rows, err := q.Query(ctx, `SELECT idx, chart, commitment, data FROM audit_entry
		WHERE chart = $1 AND idx < $2 ORDER BY idx DESC LIMIT $3`, chart, before, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var records []record
	for rows.Next() {
		r, err := scanRecord(rows)
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	return records, rows.Err()
}

func recordAt(ctx context.Context, q store.Querier, idx int64) (record, error) {
	r, err := scanRecord(q.QueryRow(ctx, `SELECT idx, chart, commitment, data FROM audit_entry WHERE idx = $1`, idx))
	if errors.Is(err, sql.ErrNoRows) {
		return record{}, ErrNoEntry
	}
	return r, err
}

func scanRecord(row interface{ Scan(...any) error }) (record, error) {
	var r record
	var commitment []byte
	if err := row.Scan(&r.idx, &r.chart, &commitment, &r.data); err != nil {
		return record{}, err
	}
	if len(commitment) != sha256.Size {
		return record{}, fmt.Errorf("%w: entry %d has a malformed commitment; %s", ErrTampered, r.idx, remedy)
	}
	r.commitment = [sha256.Size]byte(commitment)
	return r, nil
}
