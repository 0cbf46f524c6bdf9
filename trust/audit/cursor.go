package audit

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"math"

	"github.com/wellgate/wellgate/store"
)

// The cursors read their tables in order, a page per query, so that Verify holds little, keeps no view of the
// database open for long, and works on a connection that can run one query at a time.

// storedBlock is a row of audit_block as Verify needs it.
type storedBlock struct {
	block
	sealed [sha256.Size]byte // sealedHash of data
	bad    bool
}

const (
	blocksPerPage = 1024
	pageBytes     = 8 << 20
)

type blockCursor struct {
	ctx  context.Context
	q    store.Querier
	size int64
	keep bool // data is needed, not only its hash
	from int64
	on   bool
	buf  []storedBlock
}

// page returns the next blocks that begin below size; the slice is good until the next call.
func (c *blockCursor) page() ([]storedBlock, error) {
	if !c.on {
		c.on, c.from = true, math.MinInt64 // nothing may hide below zero
	}
	rows, err := c.q.Query(c.ctx, blockColumns+`WHERE first >= $1 AND first < $2 ORDER BY first LIMIT $3`, c.from, c.size, blocksPerPage)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	c.buf = c.buf[:0]
	for size := 0; size < pageBytes && rows.Next(); {
		b, err := c.scan(rows)
		if err != nil {
			return nil, err
		}
		c.buf = append(c.buf, b)
		c.from = b.first + 1
		size += len(b.hashes) + len(b.data)
	}
	return c.buf, rows.Err()
}

func (c *blockCursor) scan(rows *sql.Rows) (storedBlock, error) {
	var b storedBlock
	var chart, n any // SQLite keeps whatever somebody wrote
	var data sql.RawBytes
	if err := rows.Scan(&b.first, &chart, &n, &b.hashes, &data); err != nil {
		return b, err
	}
	var isChart, isN bool
	b.chart, isChart = chart.(int64)
	b.n, isN = n.(int64)
	b.bad = !isChart || !isN || !b.sound()
	b.sealed = sealedHash(b.first, data)
	if c.keep {
		b.data = append([]byte(nil), data...)
	}
	return b, nil
}

// signedTree is a checkpoint note and the size it is filed under.
type signedTree struct {
	size int64
	note []byte
}

const checkpointsPerPage = 512

type checkpointCursor struct {
	ctx  context.Context
	q    store.Querier
	last int64       // the newest there was when verification began
	used *signedTree // the one checked last
	from int64
	on   bool
	buf  []signedTree
}

// peek returns the next checkpoint, nil at the end.
func (c *checkpointCursor) peek() (*signedTree, error) {
	if len(c.buf) > 0 {
		return &c.buf[0], nil
	}
	if !c.on {
		c.on, c.from = true, math.MinInt64
	}
	if c.from > c.last {
		return nil, nil
	}
	rows, err := c.q.Query(c.ctx, `SELECT size, note FROM `+bothCheckpoints+` AS c
		WHERE size >= $1 AND size <= $2 ORDER BY size LIMIT $3`, c.from, c.last, checkpointsPerPage)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	c.buf, c.from = nil, c.last+1
	for rows.Next() {
		var s signedTree
		if err := rows.Scan(&s.size, &s.note); err != nil {
			return nil, err
		}
		c.buf = append(c.buf, s)
		c.from = s.size + 1
	}
	if err := rows.Err(); err != nil || len(c.buf) == 0 {
		return nil, err
	}
	return &c.buf[0], nil
}

// pop drops the checkpoint that peek returned and returns the one after it.
func (c *checkpointCursor) pop() (*signedTree, error) {
	c.buf = c.buf[1:]
	return c.peek()
}

// anchorCursor holds the next good record of the anchor file.
type anchorCursor struct {
	scan *anchorScanner // nil for no file
	head *signedTree    // nil at the end
	n    int            // number of the record at head, from 1
}

func (c *anchorCursor) close() {
	if c.scan != nil {
		c.scan.Close()
	}
}
