package audit

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"

	"github.com/wellgate/wellgate/internal/durable"
	"github.com/wellgate/wellgate/store"
)

// A file is where reads are durable before they have their place, if Config.Dir names a folder: segments written beside
// the database, many entries to a write, on which the database's writer never waits (internal/durable). One process at a
// time uses it, so it goes with a store that one process has to itself.
type file struct {
	log     *durable.Log
	moved   uint64    // newest frame in the tree; who has the turn may use it
	records sync.Pool // of *[]byte

	mu   sync.Mutex
	last uint64 // newest ticket given out
}

// The file takes 32 MiB: two seconds at the most that was measured, and the sequencer comes each second.
const (
	segmentSize = 4 << 20
	segments    = 8
)

func (l *Log) openFile(ctx context.Context) error {
	if l.c.Dir == "" {
		return nil
	}
	f := &file{}
	err := l.c.DB.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO audit_moved (one, frame) VALUES (1, 0) ON CONFLICT (one) DO NOTHING`); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT frame FROM audit_moved WHERE one = 1`).Scan(&f.moved)
	})
	if err != nil {
		return err
	}
	key, err := hkdf.Key(sha256.New, l.c.Key, nil, "wellgate audit file v1", 32)
	if err != nil {
		return err
	}
	f.log, _, err = durable.Open(durable.Config{Dir: l.c.Dir, Key: key, After: f.moved, SegmentSize: segmentSize, Segments: segments})
	if errors.Is(err, durable.ErrDamaged) {
		return fmt.Errorf("%w: %w; %s; the folder %s goes with the anchor file", ErrTampered, err, remedy, l.c.Dir)
	}
	if err != nil {
		return err
	}
	f.records.New = func() any { return new([]byte) }
	f.log.Mark().OnChange(func() {
		if err := f.log.Err(); err != nil && !errors.Is(err, durable.ErrClosed) {
			l.stop(err)
		}
	})
	l.file = f
	return nil
}

// note puts entries into the file's batch in the making, as one record. It says no if they are too long for one.
func (f *file) note(entries []Entry) (Ticket, bool, error) {
	buf := f.records.Get().(*[]byte)
	defer f.records.Put(buf)
	b := (*buf)[:0]
	for i := range entries {
		if len(b)+12+len(entries[i].Plain) > durable.MaxRecord {
			return Ticket{}, false, nil
		}
		b = appendEntry(b, entries[i])
	}
	*buf = b
	n, err := f.log.Append(b)
	if err != nil {
		return Ticket{}, true, err
	}
	f.mu.Lock()
	f.last = max(f.last, n)
	f.mu.Unlock()
	return Ticket{n: n}, true, nil
}

// flushed waits for all that was noted.
func (f *file) flushed(ctx context.Context) error {
	f.mu.Lock()
	n := f.last
	f.mu.Unlock()
	return f.log.Wait(ctx, n)
}

var errChunk = errors.New("the chunk is full")

// frames reads what is durable and not in the tree, about a chunk of it. upTo is its newest frame, after for none.
func (f *file) frames(ctx context.Context, after uint64) (entries []Entry, upTo uint64, err error) {
	upTo = after
	size := 0
	err = f.log.Frames(ctx, after, func(frame durable.Frame) error {
		for r := range frame.Records() {
			list, err := parseEntries(append([]byte(nil), r...), entries) // the frame's memory is used again
			if err != nil {
				return fmt.Errorf("%w: frame %d of the audit file: %w", ErrTampered, frame.Seq, err)
			}
			entries = list
			size += len(r)
		}
		if upTo = frame.Seq; size >= chunkBytes || len(entries) >= chunkEntries {
			return errChunk
		}
		return nil
	})
	if errors.Is(err, errChunk) {
		err = nil
	}
	return entries, upTo, err
}

// moveFrames moves what the file held when it was called, a chunk at a time.
func (l *Log) moveFrames(ctx context.Context) error {
	if l.file == nil {
		return nil
	}
	for limit := l.file.log.Durable(); l.file.moved < limit; {
		entries, upTo, err := l.file.frames(ctx, l.file.moved)
		if err != nil {
			return err
		}
		if upTo == l.file.moved {
			return nil
		}
		err = l.move(ctx, nil, entries, upTo)
		if errors.Is(err, errMoved) { // the tree is not the one we knew
			if _, err = l.refresh(ctx); err == nil {
				continue
			}
		}
		if err != nil {
			return err
		}
		l.file.moved = upTo
		l.file.log.Moved(upTo)
	}
	return nil
}

// framesMoved notes in the move's transaction how far the file is in the tree.
func framesMoved(ctx context.Context, tx *store.Tx, from, to uint64) error {
	n, err := tx.Exec(ctx, `UPDATE audit_moved SET frame = $1 WHERE one = 1 AND frame = $2`, int64(to), int64(from))
	if err == nil && n != 1 {
		err = errors.New("another process moves the same file")
	}
	return err
}

// Mark is what a barrier on the network asks (internal/durable); nil without a file.
func (l *Log) Mark() *durable.Mark {
	if l.file == nil {
		return nil
	}
	return l.file.log.Mark()
}

// Hold makes what is written from now on to the connection of ctx's request wait until t is on disk. It says false if that
// cannot be: then Wait.
func (l *Log) Hold(ctx context.Context, t Ticket) bool {
	return t.n != 0 && durable.Hold(ctx, t.n)
}
