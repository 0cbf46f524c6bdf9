package audit

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"math"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/wellgate/wellgate/store"
)

// The cursors read their tables in order, a page per query, so that Verify holds little, keeps no view of the
// database open for long, and works on a connection that can run one query at a time.

// storedEntry is a row of audit_entry as Verify needs it.
type storedEntry struct {
	record
	sealed [sha256.Size]byte // SHA-256 of data
	bad    error
}

const entriesPerPage = 1024

type entryCursor struct {
	ctx  context.Context
	q    store.Querier
	size int64
	keep bool // data is needed, not only its hash
	from int64
	on   bool
	buf  []storedEntry
}

// page returns the next entries below size; the slice is good until the next call.
func (c *entryCursor) page() ([]storedEntry, error) {
	if !c.on {
		c.on, c.from = true, math.MinInt64 // nothing may hide below zero
	}
	rows, err := c.q.Query(c.ctx, `SELECT idx, chart, commitment, data FROM audit_entry
		WHERE idx >= $1 AND idx < $2 ORDER BY idx LIMIT $3`, c.from, c.size, entriesPerPage)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	c.buf = c.buf[:0]
	for rows.Next() {
		e, err := c.scan(rows)
		if err != nil {
			return nil, err
		}
		c.buf = append(c.buf, e)
		c.from = e.idx + 1
	}
	return c.buf, rows.Err()
}

func (c *entryCursor) scan(rows *sql.Rows) (storedEntry, error) {
	var e storedEntry
	var chart any
	var commitment, data sql.RawBytes
	if err := rows.Scan(&e.idx, &chart, &commitment, &data); err != nil {
		return e, err
	}
	n, ok := chart.(int64)
	if !ok || len(commitment) != sha256.Size {
		e.bad = ErrTampered
	}
	e.chart = n
	copy(e.commitment[:], commitment)
	e.sealed = sha256.Sum256(data)
	if c.keep {
		e.data = append([]byte(nil), data...)
	}
	return e, nil
}

const hashesPerPage = 2048

type hashCursor struct {
	ctx   context.Context
	q     store.Querier
	stray func(format string, args ...any)
	want  int64 // one more than the last index asked for
	on    bool
	end   bool
	buf   []storedHash
	next  int
}

type storedHash struct {
	idx  int64
	hash tlog.Hash
	ok   bool
}

// at returns the hash stored at idx; calls ask for ever larger ones. What lies below zero has no place in the tree.
func (c *hashCursor) at(idx int64) (tlog.Hash, bool, error) {
	for {
		for c.next < len(c.buf) && c.buf[c.next].idx < idx {
			if h := c.buf[c.next]; h.idx < 0 {
				c.stray("stored hash %d has no place in the tree", h.idx)
			}
			c.next++
		}
		if c.next < len(c.buf) {
			h := c.buf[c.next]
			return h.hash, h.ok && h.idx == idx, nil
		}
		if c.end {
			return tlog.Hash{}, false, nil
		}
		if err := c.page(); err != nil {
			return tlog.Hash{}, false, err
		}
	}
}

func (c *hashCursor) page() error {
	if !c.on {
		c.on, c.want = true, math.MinInt64
	}
	rows, err := c.q.Query(c.ctx, `SELECT idx, hash FROM audit_hash WHERE idx >= $1 ORDER BY idx LIMIT $2`, c.want, hashesPerPage)
	if err != nil {
		return err
	}
	defer rows.Close()
	c.buf, c.next = c.buf[:0], 0
	for rows.Next() {
		var h storedHash
		var b sql.RawBytes
		if err := rows.Scan(&h.idx, &b); err != nil {
			return err
		}
		h.ok = len(b) == tlog.HashSize
		copy(h.hash[:], b)
		c.buf = append(c.buf, h)
		c.want = h.idx + 1
	}
	c.end = len(c.buf) < hashesPerPage
	return rows.Err()
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
	rows, err := c.q.Query(c.ctx, `SELECT size, note FROM audit_checkpoint
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
