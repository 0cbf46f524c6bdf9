package audit

import (
	"bytes"
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/wellgate/wellgate/internal/durable"
)

// A file is where reads are durable before they have their place, if Config.Dir names a folder: segments written beside
// the database, many entries to a write, on which the database's writer never waits (internal/durable). One process at a
// time uses it, so it goes with a store that one process has to itself.
type file struct {
	log     *durable.Log
	records sync.Pool // of *[]byte

	mu   sync.Mutex
	last uint64 // newest ticket given out
}

// The file takes up to 32 MiB: two seconds at the most that was measured, and the sequencer comes each second. What comes
// when it is full goes to the inbox.
const (
	segmentSize = 2 << 20
	segments    = 16
)

func (l *Log) openFile() error {
	if l.c.Dir == "" {
		return nil
	}
	f := &file{}
	key, err := hkdf.Key(sha256.New, l.c.Key, nil, "wellgate audit file v1", 32)
	if err != nil {
		return err
	}
	f.log, _, err = durable.Open(durable.Config{Dir: l.c.Dir, Key: key, After: l.seen.frame, SegmentSize: segmentSize, Segments: segments})
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

// note puts entries into the file's batch in the making, as one record that says when. It says no if they are too long for
// one, or the file is full.
func (f *file) note(at int64, entries []Entry) (Ticket, bool, error) {
	buf := f.records.Get().(*[]byte)
	defer f.records.Put(buf)
	b := binary.BigEndian.AppendUint64((*buf)[:0], uint64(at))
	for i := range entries {
		if len(b)+12+len(entries[i].Plain) > durable.MaxRecord {
			return Ticket{}, false, nil
		}
		b = appendEntry(b, entries[i])
	}
	*buf = b
	n, err := f.log.Append(b)
	if err != nil {
		return Ticket{}, !errors.Is(err, durable.ErrFull), err
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

// A frame holds what was noted for one write to the file.
type frame struct {
	seq         uint64
	noted       []noted
	first, last int64 // times
}

// A noted is what was noted together, and when.
type noted struct {
	at      int64
	entries []Entry
}

var errChunk = errors.New("the chunk is full")

// frames reads what is durable behind after and up to limit, about a chunk of it; then there may be more.
func (f *file) frames(ctx context.Context, after, limit uint64) (list []frame, more bool, err error) {
	size, entries := 0, 0
	err = f.log.Frames(ctx, after, func(read durable.Frame) error {
		if read.Seq > limit || size >= chunkBytes || entries >= chunkEntries {
			more = read.Seq <= limit
			return errChunk
		}
		out := frame{seq: read.Seq}
		for r := range read.Records() {
			n, err := parseNoted(bytes.Clone(r)) // the frame's memory is used again
			if err != nil {
				return fmt.Errorf("%w: frame %d of the audit file: %w", ErrTampered, read.Seq, err)
			}
			if len(out.noted) == 0 {
				out.first, out.last = n.at, n.at
			}
			out.noted = append(out.noted, n)
			out.first, out.last = min(out.first, n.at), max(out.last, n.at)
			size, entries = size+len(r), entries+len(n.entries)
		}
		list = append(list, out)
		return nil
	})
	if errors.Is(err, errChunk) {
		err = nil
	}
	return list, more, err
}

func parseNoted(b []byte) (n noted, err error) {
	if len(b) < 8 {
		return n, errRow
	}
	n.at = int64(binary.BigEndian.Uint64(b))
	n.entries, err = parseEntries(b[8:], nil)
	return n, err
}

// Clear leaves nothing on disk of what was noted before the call but what is in the tree. Whoever erased a chart calls it:
// in the file its entries lie under the practice's key.
func (l *Log) Clear(ctx context.Context) error {
	err := l.takeTurn(ctx)
	if err == nil {
		defer l.endTurn()
		err = l.clear(ctx)
	}
	if err != nil {
		return fmt.Errorf("audit: Clear: %w", err)
	}
	return nil
}

func (l *Log) clear(ctx context.Context) error {
	if l.file == nil {
		return l.pass(ctx)
	}
	if err := l.file.flushed(ctx); err != nil {
		return err
	}
	l.file.log.Turn()
	if err := l.file.flushed(ctx); err != nil { // what was on its way then
		return err
	}
	if err := l.pass(ctx); err != nil {
		return err
	}
	return l.file.log.Wiped(ctx)
}

// Writes says how reads become durable: "async", "blocking" or "sync" (internal/durable), "" in the database.
func (l *Log) Writes() string {
	if l.file == nil {
		return ""
	}
	return string(l.file.log.Mode())
}

// Mark is what a barrier on the network asks (internal/durable); nil on SQLite without a file.
func (l *Log) Mark() *durable.Mark {
	switch {
	case l.rounds != nil:
		return l.rounds.mark
	case l.file != nil:
		return l.file.log.Mark()
	}
	return nil
}

// Hold makes what is written from now on to the connection of ctx's request wait until t is on disk. It says false if that
// cannot be: then Wait.
func (l *Log) Hold(ctx context.Context, t Ticket) bool {
	return t.n != 0 && (unheld || durable.Hold(ctx, t.n))
}
