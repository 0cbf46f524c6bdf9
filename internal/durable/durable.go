// Package durable writes records to disk many at a time, and holds the bytes of a network connection until the records
// they depend on are there.
//
// It promises:
//   - A ticket that Durable has reached, or that Wait returned nil for, is on disk: it is in what Open finds after a crash.
//   - What a request writes to its connection after Hold leaves the machine only once Hold's ticket is durable (barrier.go).
//   - After the first disk error nothing held is released and everything later is refused. No sync is tried twice: the
//     kernel may have dropped the pages, and a second sync would report success for nothing.
//   - Records are sealed under the caller's key. A frame that was changed, moved or dropped among durable ones is
//     ErrDamaged at Open; a frame that a crash cut short was never released, and is left out.
//   - The log takes at most Segments files of SegmentSize bytes, and as few as do. When all are full Append says ErrFull, until the caller
//     has moved frames elsewhere and says so (Moved). A segment's key dies when it is given free.
//
// What it cannot tell: whether the last frames before a crash were cut short or cut off later. Signed heads over durable
// records (trust/audit) are for that.
//
// There is no timer: the sync in progress is what gathers the next batch. On Linux writes are asynchronous (AIO,
// O_DIRECT, RWF_DSYNC, completion through the network poller): a thread blocked in a sync would hold one of Go's
// processors (measured: half the throughput on one core). Elsewhere, and where the probe at start fails, writes block.
package durable

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

var (
	// ErrStopped means that a disk error stopped the log for good.
	ErrStopped = errors.New("durable: the log stopped after a disk error; check the disk, then start again")
	// ErrFull means that every segment is full of frames that nobody has moved.
	ErrFull = errors.New("durable: the log is full and waits for its records to be moved; try again later")
	// ErrDamaged means that durable frames were changed or are missing, or that the key is not theirs.
	ErrDamaged = errors.New("durable: the log's files were changed")
	// ErrTooLarge means that a record does not fit into a batch.
	ErrTooLarge = fmt.Errorf("durable: a record is larger than %d bytes", MaxRecord)
	// ErrClosed means that the log was used after Close.
	ErrClosed = errors.New("durable: the log is closed")
)

const (
	block = 4096 // unit of writing: a durable sector is never rewritten
	// batchSize is what one batch holds with header, tag and padding.
	batchSize = 256 << 10
	// MaxRecord is the largest record.
	MaxRecord = batchSize - headerSize - tagSize - prefixSize
	// maxLanes bounds the batches in flight. More than one only pays while few requests wait.
	maxLanes = 4
	// fewRecords is how many records may be on their way for another batch to be sent beside them. Measured with 4
	// connections 0.16 -> 0.20 of a bare handler; with 32 connections more than one batch loses (0.75 -> 0.62).
	fewRecords = 4
)

// A Mode is how batches reach the disk.
type Mode string

const (
	Auto     Mode = ""         // the best that the probe finds
	Async    Mode = "async"    // Linux AIO on O_DIRECT files: no thread waits
	Blocking Mode = "blocking" // O_DSYNC writes; wants GOMAXPROCS >= 2
	Sync     Mode = "sync"     // write, then fsync: any system
)

// Config is what a Log stands on. Dir and Key are needed; the zero value of the rest works.
type Config struct {
	Dir         string // holds the segments and nothing else; made if missing
	Key         []byte // 32 bytes
	After       uint64 // newest frame that the caller has moved elsewhere and committed; 0 for none
	SegmentSize int64  // multiple of 4 KiB; 8 MiB if 0
	Segments    int    // how many there may be; 16 if 0
	Mode        Mode

	wrap func(writer) writer // a test's failing disk
}

// A Log is safe for concurrent use. One process has a folder open at a time; the caller sees to that.
type Log struct {
	mark *Mark
	c    Config
	mode Mode

	mu       sync.Mutex
	room     sync.Cond // Append waits: the batch in the making is full
	work     sync.Cond // lanes wait for a batch that may go
	keep     sync.Cond // the keeper waits for something to do
	cur      *batch    // in the making; never nil
	free     []*batch
	flying   map[uint64]*batch // by sequence; from take until its number is published
	records  int               // in flying batches
	idle     int               // lanes in work.Wait
	kicked   bool              // one of them has been told
	segments []*segment        // with frames or to have them, in order; the last is written to if open
	open     bool              // the last of segments takes frames
	next     *segment          // prepared, or nil
	spent    []*segment        // moved, to be wiped
	spares   []string          // wiped files
	starved  error             // why there is no next; nil while one is expected
	newest   uint64            // id of the newest segment
	closed   bool              // takes no more records
	ended    bool              // the keeper may go

	reading sync.Mutex // held by Frames and Moved; taken before mu
	lanes   sync.WaitGroup
	keeper  sync.WaitGroup
	stop    chan struct{} // closed with ended
}

// Recovery is what Open found.
type Recovery struct {
	Frames, Records int
	Last            uint64 // newest frame, or After
	Torn            bool   // the last write had been cut short; it was never released
}

// Open reads what is there, refusing damage, and begins a new segment. Frames(After) gives what was recovered.
func Open(c Config) (*Log, Recovery, error) {
	l, r, err := open(c)
	if err != nil {
		return nil, r, fmt.Errorf("durable: Open %s: %w", c.Dir, err)
	}
	return l, r, nil
}

func open(c Config) (*Log, Recovery, error) {
	if c.SegmentSize == 0 {
		c.SegmentSize = 8 << 20
	}
	if c.Segments == 0 {
		c.Segments = 16
	}
	if c.Dir == "" || len(c.Key) != 32 || c.SegmentSize%block != 0 || c.SegmentSize < block+batchSize || c.Segments < 2 {
		return nil, Recovery{}, fmt.Errorf("Config needs a folder, a 32-byte key, at least 2 segments of at least %d bytes", block+batchSize)
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, Recovery{}, err
	}
	if err := syncDir(filepath.Dir(c.Dir)); err != nil { // the segments' own folder must survive a power cut too
		return nil, Recovery{}, err
	}
	l := &Log{c: c, flying: map[uint64]*batch{}, stop: make(chan struct{})}
	l.room.L, l.work.L, l.keep.L = &l.mu, &l.mu, &l.mu
	rec, err := l.recover()
	if err != nil {
		l.closeFiles()
		return nil, rec, err
	}
	l.mark = NewMark(rec.Last)
	writers, err := l.writers()
	if err != nil {
		l.closeFiles()
		return nil, rec, err
	}
	for range len(writers) + 1 {
		b, err := newBatch()
		if err != nil {
			l.closeFiles()
			return nil, rec, err
		}
		l.free = append(l.free, b)
	}
	l.begin(rec.Last + 1)
	for _, w := range writers {
		l.lanes.Go(func() { l.lane(w) })
	}
	l.keeper.Go(l.keepSegments)
	l.Moved(c.After)
	return l, rec, nil
}

// writers probes the folder and opens one writer for each lane.
func (l *Log) writers() ([]writer, error) {
	mode, err := probe(l.c.Dir, l.c.Mode)
	if err != nil {
		return nil, err
	}
	l.mode = mode
	n := maxLanes
	if mode != Async {
		n = 1 // each would block a thread, and with it one of Go's processors
	}
	var out []writer
	for range n {
		w, err := newWriter(mode)
		if err != nil {
			for _, w := range out {
				w.close()
			}
			return nil, err
		}
		if l.c.wrap != nil {
			w = l.c.wrap(w)
		}
		out = append(out, w)
	}
	return out, nil
}

// Mode says how batches reach the disk. Blocking and Sync want GOMAXPROCS of 2 or more.
func (l *Log) Mode() Mode { return l.mode }

// Append puts a copy of record into the batch in the making. The ticket is the number of its frame. It waits only while
// that batch is full, and never for a sync of its own: Wait, or Hold, does that.
func (l *Log) Append(record []byte) (ticket uint64, err error) {
	if len(record) > MaxRecord {
		return 0, ErrTooLarge
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		if err := l.unusable(); err != nil {
			return 0, err
		}
		if l.cur.add(record) {
			break
		}
		if l.starved != nil {
			return 0, l.starved
		}
		l.room.Wait()
	}
	if l.idle > 0 && !l.kicked && l.ready() {
		l.kicked = true
		l.work.Signal()
	}
	return l.cur.seq, nil
}

// unusable, begin, ready and take are called with mu held.
func (l *Log) unusable() error {
	if err := l.Err(); err != nil {
		return err
	}
	if l.closed {
		return ErrClosed
	}
	return nil
}

func (l *Log) begin(seq uint64) {
	n := len(l.free) - 1
	l.cur, l.free = l.free[n], l.free[:n]
	l.cur.reset(seq)
}

// ready says whether the batch in the making may go now: it has a place in a segment, and nothing is in flight, or so
// little that another write beside it costs less than the wait.
func (l *Log) ready() bool {
	if l.cur.count == 0 || len(l.free) == 0 {
		return false
	}
	if n := len(l.flying); n > 0 && (n >= maxLanes || l.records+l.cur.count > fewRecords) {
		return false
	}
	if l.open && l.last().off+l.cur.size() <= l.c.SegmentSize {
		return true
	}
	return l.next != nil && len(l.flying) == 0 // a segment begins when all before it is durable
}

func (l *Log) last() *segment { return l.segments[len(l.segments)-1] }

// take waits for a batch that may go and gives it its place. It returns nil when there will be none.
func (l *Log) take() (*batch, *segment, int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for !l.ready() {
		if l.Err() != nil || l.closed && (l.cur.count == 0 || l.starved != nil) {
			return nil, nil, 0
		}
		l.idle++
		l.work.Wait()
		l.idle--
		l.kicked = false
	}
	if l.Err() != nil {
		return nil, nil, 0
	}
	b := l.cur
	if !l.open || l.last().off+b.size() > l.c.SegmentSize {
		l.segments, l.next, l.open = append(l.segments, l.next), nil, true
		l.keep.Signal()
	}
	s, off := l.last(), l.last().off
	s.place(b.seq, b.size())
	l.flying[b.seq] = b
	l.records += b.count
	l.begin(b.seq + 1)
	l.room.Broadcast()
	return b, s, off
}

// lane sends one batch after another.
func (l *Log) lane(w writer) {
	defer w.close()
	for {
		b, s, off := l.take()
		if b == nil {
			return
		}
		p := b.seal(s, l.Durable())
		slowDisk()
		err := w.write(s.w, p, off)
		if err != nil {
			l.fail(fmt.Errorf("write frame %d: %w", b.seq, err))
			return
		}
		l.done(b)
	}
}

// done publishes what is durable before it gives the batch's place free: a Write must find its batch in one or the other.
func (l *Log) done(b *batch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b.landed = true
	n := l.Durable()
	for {
		f := l.flying[n+1]
		if f == nil || !f.landed {
			break
		}
		n++
	}
	l.mark.Reach(n)
	for seq, f := range l.flying {
		if seq <= n {
			delete(l.flying, seq)
			l.records -= f.count
			l.free = append(l.free, f)
		}
	}
}

// fail stops the log: nothing that waits is released, and everybody who waits is told.
func (l *Log) fail(err error) {
	l.mark.Fail(fmt.Errorf("%w: %w", ErrStopped, err))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wake()
}

func (l *Log) wake() {
	l.room.Broadcast()
	l.work.Broadcast()
	l.keep.Broadcast()
}

// Close refuses new records, writes the last batch and gives the files free. It returns what stopped the log, if anything did.
func (l *Log) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return l.failed()
	}
	l.closed = true
	l.wake()
	l.mu.Unlock()
	l.lanes.Wait()
	l.mu.Lock()
	l.ended = true
	close(l.stop)
	l.wake()
	left := l.cur.count
	l.mu.Unlock()
	l.keeper.Wait()
	if left > 0 {
		l.fail(errors.New("closed with records that found no place"))
	}
	err := l.failed()
	l.mark.Fail(ErrClosed) // whoever still waits is told
	l.reading.Lock()
	defer l.reading.Unlock()
	err = errors.Join(err, l.closeFiles())
	for _, b := range l.flying {
		l.free = append(l.free, b)
	}
	for _, b := range append(l.free, l.cur) {
		b.release()
	}
	return err
}

// failed is the error that stopped the log, leaving out that it was closed.
func (l *Log) failed() error {
	if err := l.Err(); err != nil && !errors.Is(err, ErrClosed) {
		return err
	}
	return nil
}

func (l *Log) closeFiles() error {
	var errs []error
	for _, s := range l.segments {
		errs = append(errs, s.close())
	}
	for _, s := range append(l.spent, l.next) {
		if s != nil {
			errs = append(errs, s.close())
		}
	}
	return errors.Join(errs...)
}

// Mark is what a Barrier asks.
func (l *Log) Mark() *Mark { return l.mark }

// Durable is the newest ticket up to which everything is on disk.
func (l *Log) Durable() uint64 { return l.mark.Durable() }

// Err tells why the log takes nothing more; nil while it does.
func (l *Log) Err() error { return l.mark.Err() }

// Wait returns once ticket is on disk. On an error nothing that depends on it may be released.
func (l *Log) Wait(ctx context.Context, ticket uint64) error { return l.mark.Wait(ctx, ticket) }

// files lists the folder by kind and in order of name.
func (l *Log) files(pattern string) ([]string, error) {
	return filepath.Glob(filepath.Join(l.c.Dir, pattern))
}
