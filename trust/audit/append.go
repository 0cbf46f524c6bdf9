package audit

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/wellgate/wellgate/store"
)

// pending is the tree as one transaction sees it. It belongs to that transaction's goroutine.
type pending struct {
	edge   edge
	broken bool // an insert failed: what is stored is unknown, the transaction must not commit
}

// A sealError is an entry that could not be sealed. Nothing was stored for it, and others may go on.
type sealError struct{ err error }

func (e *sealError) Error() string { return e.err.Error() }
func (e *sealError) Unwrap() error { return e.err }

// Append adds entries inside the caller's transaction: the effect and its trace are one.
// An error means that the transaction must be undone; committing it all the same stops the log.
func (l *Log) Append(ctx context.Context, tx *store.Tx, entries ...Entry) error {
	if len(entries) == 0 {
		return nil
	}
	l.mu.Lock()
	err := l.unusable()
	l.mu.Unlock()
	if err != nil {
		return fmt.Errorf("audit: Append: %w", err)
	}
	p, err := l.pendingOf(ctx, tx)
	if err != nil {
		return fmt.Errorf("audit: Append: %w", err)
	}
	if err := l.add(ctx, tx, p, entries); err != nil {
		return fmt.Errorf("audit: Append: %w", err)
	}
	return nil
}

// pendingOf starts from the durable edge if the store, seen from inside the transaction, has the same size. The size
// is asked each time: another process may have appended, or a commit that reported failure may have reached the disk.
func (l *Log) pendingOf(ctx context.Context, tx *store.Tx) (*pending, error) {
	l.mu.Lock()
	err, p, known := l.failed, l.open[tx], l.edge
	l.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if p != nil {
		if p.broken {
			return nil, errors.New("an earlier Append in this transaction failed; undo it")
		}
		return p, nil
	}
	size, err := treeSize(ctx, tx)
	if err != nil {
		return nil, err
	}
	if size != known.size {
		if known, err = loadEdge(ctx, tx, size); err != nil {
			return nil, err
		}
	}
	p = &pending{edge: known}
	l.mu.Lock()
	l.open[tx] = p
	l.mu.Unlock()
	tx.Committed(func() { l.committed(tx, p) })
	tx.RolledBack(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.open, tx)
	})
	return p, nil
}

// add seals all before it stores any, so that a sealError leaves the transaction as it was.
func (l *Log) add(ctx context.Context, tx *store.Tx, p *pending, entries []Entry) error {
	next, first := p.edge, tlog.StoredHashCount(p.edge.size)
	records := make([]record, 0, len(entries))
	hashes := make([]tlog.Hash, 0, 2*len(entries)+1)
	for _, e := range entries {
		r, err := l.sealed(ctx, tx, next.size, e)
		if err != nil {
			return err
		}
		var stored []tlog.Hash
		next, stored = next.with(newLeaf(r.commitment, r.chart, sha256.Sum256(r.data)).hash())
		records, hashes = append(records, r), append(hashes, stored...)
	}
	p.broken = true
	if err := insertEntries(ctx, tx, records); err != nil {
		return err
	}
	if err := insertHashes(ctx, tx, first, hashes); err != nil {
		return err
	}
	p.edge, p.broken = next, false
	return nil
}

// sealed makes the row of one entry: salt and entry go under the chart's key together, so that erasing the key
// leaves a commitment that can be neither opened nor guessed.
func (l *Log) sealed(ctx context.Context, tx *store.Tx, idx int64, e Entry) (record, error) {
	plain := make([]byte, saltSize, saltSize+len(e.Plain))
	rand.Read(plain)
	plain = append(plain, e.Plain...)
	data, err := l.c.Seal.SealEntry(ctx, tx, e.Chart, idx, plain)
	if err != nil {
		return record{}, &sealError{fmt.Errorf("seal entry %d of chart %d: %w", idx, e.Chart, err)}
	}
	return record{idx: idx, chart: e.Chart, commitment: sha256.Sum256(plain), data: data}, nil
}

func (l *Log) committed(tx *store.Tx, p *pending) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, tx)
	switch {
	case p.broken:
		l.stop(errors.New("a transaction was committed although its Append had failed"))
	case p.edge.size > l.edge.size:
		l.edge = p.edge
	}
}
