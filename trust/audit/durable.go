package audit

import (
	"context"
	"errors"
	"fmt"

	"github.com/wellgate/wellgate/store"
)

// A ticket is one caller of Durable. Once queued it belongs to the committer until done is closed.
type ticket struct {
	entries []Entry
	err     error
	done    chan struct{}
}

// Durable adds entries of reads and returns once they are on disk. Calls that wait together share one commit.
// An error means that nothing may be released. A caller that gives up leaves its entries in the log: to note a
// read that did not happen is safe. It must not be called inside store.Write, whose lock the commit needs.
func (l *Log) Durable(ctx context.Context, entries ...Entry) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("audit: Durable: %w", err)
	}
	if len(entries) == 0 {
		return nil
	}
	t := &ticket{entries: entries, done: make(chan struct{})}
	if err := l.enqueue(t); err != nil {
		return fmt.Errorf("audit: Durable: %w", err)
	}
	select {
	case <-t.done:
	case <-ctx.Done():
		return fmt.Errorf("audit: Durable: gave up before the entry was on disk; release nothing: %w", ctx.Err())
	}
	if t.err != nil {
		return fmt.Errorf("audit: Durable: %w", t.err)
	}
	return nil
}

func (l *Log) enqueue(t *ticket) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.unusable(); err != nil {
		return err
	}
	l.queue = append(l.queue, t)
	select {
	case l.kick <- struct{}{}:
	default: // the committer has already been told
	}
	return nil
}

// commitLoop has no timer: the commit in progress is what gathers the next batch.
func (l *Log) commitLoop() {
	for {
		select {
		case <-l.kick:
			l.flush()
		case <-l.done:
			l.flush() // Close refuses new tickets first, so this is the last batch
			return
		}
	}
}

func (l *Log) flush() {
	l.mu.Lock()
	batch, err := l.queue, l.failed
	l.queue = nil
	l.mu.Unlock()
	if len(batch) == 0 {
		return
	}
	if err == nil {
		err = l.commit(batch)
	}
	for _, t := range batch {
		if err != nil {
			t.err = err
		}
		close(t.done)
	}
}

// commit writes a batch once. An entry that cannot be sealed fails its own caller. Any other failure stops the log:
// after a failed sync the kernel may have dropped the pages, and a second sync would report success for nothing.
func (l *Log) commit(batch []*ticket) error {
	ctx := context.Background() // the batch is nobody's request
	err := l.c.DB.Write(ctx, func(tx *store.Tx) error {
		for _, t := range batch {
			t.err = nil
			p, err := l.pendingOf(ctx, tx)
			if err != nil {
				return err
			}
			t.err = l.add(ctx, tx, p, t.entries)
			if own := (*sealError)(nil); t.err != nil && !errors.As(t.err, &own) {
				return t.err
			}
		}
		return nil
	})
	if err == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stop(err)
	return l.failed
}
