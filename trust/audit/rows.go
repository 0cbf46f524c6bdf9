package audit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/wellgate/wellgate/store"
)

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

func insertBlocks(ctx context.Context, tx *store.Tx, blocks []block) error {
	for len(blocks) > 0 {
		part := blocks[:perInsert(len(blocks))]
		blocks = blocks[len(part):]
		args := make([]any, 0, 5*len(part))
		for i := range part {
			args = append(args, part[i].first, part[i].chart, part[i].n, part[i].hashes, part[i].data)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO audit_block (first, chart, n, hashes, data) VALUES `+tuples(len(part), 5), args...); err != nil {
			return fmt.Errorf("store entries from %d: %w", part[0].first, err)
		}
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

// sizeSQL is the number of entries in the tree.
const sizeSQL = `COALESCE((SELECT first + n FROM audit_block ORDER BY first DESC LIMIT 1), 0)`

func treeSize(ctx context.Context, q store.Querier) (int64, error) {
	var size int64
	if err := q.QueryRow(ctx, `SELECT `+sizeSQL).Scan(&size); err != nil {
		return 0, fmt.Errorf("read the tree's size: %w", err)
	}
	return size, nil
}

const blockColumns = `SELECT first, chart, n, hashes, data FROM audit_block `

func scanBlock(row interface{ Scan(...any) error }) (block, error) {
	var b block
	if err := row.Scan(&b.first, &b.chart, &b.n, &b.hashes, &b.data); err != nil {
		return b, err
	}
	if !b.sound() {
		return b, fmt.Errorf("%w: the block at %d is malformed; %s", ErrTampered, b.first, remedy)
	}
	return b, nil
}

// blockAt is the block that holds index.
func blockAt(ctx context.Context, q store.Querier, index int64) (block, error) {
	b, err := scanBlock(q.QueryRow(ctx, blockColumns+`WHERE first <= $1 ORDER BY first DESC LIMIT 1`, index))
	if errors.Is(err, sql.ErrNoRows) || err == nil && index >= b.first+b.n {
		return block{}, ErrNoEntry
	}
	return b, err
}

// blocksOf reads a chart's blocks, newest first, that begin before an index. It reads whole before anything is opened,
// so that a Sealer which reads the store needs no second connection.
func blocksOf(ctx context.Context, q store.Querier, chart, before int64, limit int) ([]block, error) {
	rows, err := q.Query(ctx, blockColumns+`WHERE chart = $1 AND first < $2 ORDER BY first DESC LIMIT $3`, chart, before, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var blocks []block
	for rows.Next() {
		b, err := scanBlock(rows)
		if err != nil {
			return nil, err
		}
		blocks = append(blocks, b)
	}
	return blocks, rows.Err()
}

// Checkpoints lie in two tables: those that stay, and those of the last day.
const bothCheckpoints = `(SELECT size, note FROM audit_checkpoint UNION SELECT size, note FROM audit_recent)`

// checkpointAt returns the smallest stored checkpoint that covers index.
func checkpointAt(ctx context.Context, q store.Querier, index int64) ([]byte, error) {
	return noteOf(q.QueryRow(ctx, `SELECT note FROM (
		SELECT * FROM (SELECT size, note FROM audit_checkpoint WHERE size > $1 ORDER BY size LIMIT 1) AS a
		UNION ALL SELECT * FROM (SELECT size, note FROM audit_recent WHERE size > $1 ORDER BY size LIMIT 1) AS b) AS c
		ORDER BY size LIMIT 1`, index))
}

func newestCheckpoint(ctx context.Context, q store.Querier) ([]byte, error) {
	return noteOf(q.QueryRow(ctx, `SELECT note FROM (
		SELECT * FROM (SELECT size, note FROM audit_checkpoint ORDER BY size DESC LIMIT 1) AS a
		UNION ALL SELECT * FROM (SELECT size, note FROM audit_recent ORDER BY size DESC LIMIT 1) AS b) AS c
		ORDER BY size DESC LIMIT 1`))
}

func noteOf(row *sql.Row) ([]byte, error) {
	var note []byte
	if err := row.Scan(&note); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	return note, nil
}
