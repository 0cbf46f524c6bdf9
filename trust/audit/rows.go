package audit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/wellgate/wellgate/store"
)

// record is one row of audit_entry.
type record struct {
	idx, chart int64
	commitment [32]byte
	data       []byte
}

// perInsert is how many of n rows go into the next statement. Three sizes keep the number of prepared statements
// small, and the largest is far below the parameters that either engine allows.
func perInsert(n int) int {
	switch {
	case n >= 64:
		return 64
	case n >= 8:
		return 8
	default:
		return 1
	}
}

func insertEntries(ctx context.Context, tx *store.Tx, records []record) error {
	for len(records) > 0 {
		part := records[:perInsert(len(records))]
		records = records[len(part):]
		args := make([]any, 0, 4*len(part))
		for i := range part {
			args = append(args, part[i].idx, part[i].chart, part[i].commitment[:], part[i].data)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO audit_entry (idx, chart, commitment, data) VALUES `+tuples(len(part), 4), args...); err != nil {
			return fmt.Errorf("store entries from %d: %w", part[0].idx, err)
		}
	}
	return nil
}

func insertHashes(ctx context.Context, tx *store.Tx, first int64, hashes []tlog.Hash) error {
	for len(hashes) > 0 {
		part := hashes[:perInsert(len(hashes))]
		hashes = hashes[len(part):]
		args := make([]any, 0, 2*len(part))
		for i := range part {
			args = append(args, first+int64(i), part[i][:])
		}
		if _, err := tx.Exec(ctx, `INSERT INTO audit_hash (idx, hash) VALUES `+tuples(len(part), 2), args...); err != nil {
			return fmt.Errorf("store hashes from %d: %w", first, err)
		}
		first += int64(len(part))
	}
	return nil
}

// tuples is "($1, $2), ($3, $4)" for n rows of width columns.
func tuples(n, width int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('(')
		for j := range width {
			if j > 0 {
				b.WriteString(", ")
			}
			fmt.Fprintf(&b, "$%d", i*width+j+1)
		}
		b.WriteByte(')')
	}
	return b.String()
}

func treeSize(ctx context.Context, q store.Querier) (int64, error) {
	var size int64
	if err := q.QueryRow(ctx, `SELECT COALESCE(MAX(idx), -1) + 1 FROM audit_entry`).Scan(&size); err != nil {
		return 0, fmt.Errorf("read the tree's size: %w", err)
	}
	return size, nil
}

// loadEdge reads the right edge of the tree of size from the stored hashes.
func loadEdge(ctx context.Context, q store.Querier, size int64) (edge, error) {
	sub, err := hashReader(ctx, q).ReadHashes(edgeIndexes(size))
	if err != nil {
		return edge{}, err
	}
	return edge{size: size, sub: sub}, nil
}

// hashReader gives tlog's proofs the stored hashes. A hash that is missing or malformed is ErrTampered.
func hashReader(ctx context.Context, q store.Querier) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, idx := range indexes {
			var b []byte
			err := q.QueryRow(ctx, `SELECT hash FROM audit_hash WHERE idx = $1`, idx).Scan(&b)
			if errors.Is(err, sql.ErrNoRows) || err == nil && len(b) != tlog.HashSize {
				return nil, fmt.Errorf("%w: stored hash %d is missing or malformed; %s", ErrTampered, idx, remedy)
			}
			if err != nil {
				return nil, fmt.Errorf("read stored hash %d: %w", idx, err)
			}
			hashes[i] = tlog.Hash(b)
		}
		return hashes, nil
	})
}

// checkpointAt returns the smallest stored checkpoint that covers index, so that a receipt is the same each time.
func checkpointAt(ctx context.Context, q store.Querier, index int64) ([]byte, error) {
	var note []byte
	err := q.QueryRow(ctx, `SELECT note FROM audit_checkpoint WHERE size > $1 ORDER BY size LIMIT 1`, index).Scan(&note)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return note, err
}

func newestCheckpoint(ctx context.Context, q store.Querier) ([]byte, error) {
	var note []byte
	err := q.QueryRow(ctx, `SELECT note FROM audit_checkpoint ORDER BY size DESC LIMIT 1`).Scan(&note)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return note, err
}
