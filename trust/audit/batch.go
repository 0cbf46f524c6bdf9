package audit

import (
	"context"
	"errors"
	"fmt"

	"github.com/wellgate/wellgate/internal/durable"
	"github.com/wellgate/wellgate/store"
)

const (
	entryMax   = 16 << 20 // bytes of one entry
	waitingMax = 64 << 20 // bytes that may wait for the disk
)

var (
	errLarge = errors.New("an entry is longer than 16 MiB")
	errSlow  = errors.New("64 MiB of entries wait for the disk, which does not keep up")
)

// A batch gathers what is noted while the one before it is written. Its bytes belong to whoever holds Log.mu until the
// committer takes them; err may be read once done is closed.
type batch struct {
	n    uint64 // 1, 2, 3 …
	buf  []byte
	done chan struct{}
	err  error
}

func newBatch(buf []byte, n uint64) *batch {
	return &batch{n: n, buf: append(buf[:0], rowFormat), done: make(chan struct{})}
}

// A Ticket stands for entries that were noted. The zero Ticket stands for none.
type Ticket struct {
	b *batch
	n uint64 // of the file, or on PostgreSQL of the batch; what Mark says
}

// Note puts entries of reads into the batch in the making and does not wait. Nothing that they stand for may leave
// before Wait said so. Its caller may use the entries' memory again.
func (l *Log) Note(entries ...Entry) (Ticket, error) {
	if len(entries) == 0 {
		return Ticket{}, nil
	}
	t, err := l.note(entries)
	if err != nil {
		return Ticket{}, fmt.Errorf("audit: Note: %w", err)
	}
	return t, nil
}

func (l *Log) note(entries []Entry) (Ticket, error) {
	l.mu.Lock()
	err := l.unusable()
	if l.file != nil && err == nil {
		l.mu.Unlock()
		t, fits, err := l.file.note(l.ids.time(), entries)
		if fits {
			return t, err
		}
		l.mu.Lock()
	}
	defer l.mu.Unlock()
	if err != nil {
		return Ticket{}, err
	}
	b := l.filling
	first, size := len(b.buf) == 1, len(b.buf)
	for i := range entries {
		if len(entries[i].Plain) > entryMax {
			b.buf = b.buf[:size]
			return Ticket{}, errLarge
		}
		b.buf = appendEntry(b.buf, entries[i])
	}
	if size > 1 && len(b.buf) > waitingMax {
		b.buf = b.buf[:size]
		return Ticket{}, errSlow
	}
	if first {
		l.wake()
	}
	if l.rounds != nil {
		return Ticket{b, b.n}, nil
	}
	return Ticket{b: b}, nil
}

// wake tells the committer that there is something to do.
func (l *Log) wake() {
	select {
	case l.kick <- struct{}{}:
	default: // it has already been told
	}
}

// Wait returns once what t stands for is on disk. An error means that nothing may be released. A caller that gives up
// leaves its entries in the log: to note a read that did not happen is safe. It must not be called inside store.Write,
// whose lock the commit needs.
func (l *Log) Wait(ctx context.Context, t Ticket) error {
	if t.b == nil {
		return l.waitFile(ctx, t.n)
	}
	select {
	case <-t.b.done:
	default:
		select {
		case <-t.b.done:
		case <-ctx.Done():
			return fmt.Errorf("audit: Wait: gave up before the entry was on disk; release nothing: %w", ctx.Err())
		}
	}
	if t.b.err != nil {
		return fmt.Errorf("audit: Wait: %w", t.b.err)
	}
	return nil
}

func (l *Log) waitFile(ctx context.Context, n uint64) error {
	if n == 0 || l.file == nil {
		return nil
	}
	err := l.file.log.Wait(ctx, n)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("audit: Wait: gave up before the entry was on disk; release nothing: %w", ctx.Err())
	case errors.Is(err, durable.ErrClosed):
		err = ErrClosed
	default:
		err = l.stop(err)
	}
	return fmt.Errorf("audit: Wait: %w", err)
}

// Durable is Note and Wait. Calls that wait together share one commit.
func (l *Log) Durable(ctx context.Context, entries ...Entry) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("audit: Durable: %w", err)
	}
	t, err := l.Note(entries...)
	if err != nil {
		return err
	}
	return l.Wait(ctx, t)
}

// commitLoop has no timer: the commit in progress is what gathers the next batch.
func (l *Log) commitLoop() {
	flush := l.flush
	if l.rounds != nil {
		flush = l.round
	}
	for {
		select {
		case <-l.kick:
			flush()
		case <-l.done:
			flush() // Close refuses new entries first, so this is the last batch
			return
		}
	}
}

func (l *Log) flush() {
	b, err := l.take()
	if b == nil {
		return
	}
	if err == nil {
		err = l.commit(b)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end(b, err)
}

// commit writes a batch once on SQLite. A failure, but for a full disk, stops the log: after a failed sync the kernel may have
// dropped the pages, and a second sync would report success for nothing. PostgreSQL stops by itself then; there the batch
// alone fails (rounds).
func (l *Log) commit(b *batch) error {
	ctx := context.Background() // the batch is nobody's request
	err := l.c.DB.Write(ctx, func(tx *store.Tx) error { return l.insertRow(ctx, tx, waits, l.ids.next(), b.buf) })
	if err != nil {
		return l.trouble(err)
	}
	return nil
}

// trouble is what a failed write of the log's own means. A full disk undoes the write and no more.
func (l *Log) trouble(err error) error {
	if l.c.DB.Dialect() == "postgres" || errors.Is(err, store.ErrFull) {
		return err
	}
	return l.stop(err)
}
