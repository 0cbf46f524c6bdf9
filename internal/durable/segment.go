package durable

import (
	"context"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// A segment file is all written before it is used, so that a frame changes no metadata of the file system. Its first
// block is the head:
//
//	 0  magic    8 bytes
//	 8  segment  8
//	16  size     8: of the file
//	24  salt    32: of the segment's key
//	56  mac     32: HMAC-SHA256 of the above under the log's key
//
// It is called spare-… while it waits, and seg-<number> from when its head is on disk. Giving it free overwrites the head,
// and with it the salt.
const (
	segmentMagic = "WGSEGMT1"
	headSize     = 88
)

type segment struct {
	id   uint64
	path string
	aead cipher.AEAD
	w    *os.File // as the writer wants it; nil if recovered
	r    *os.File // through the page cache

	// Owned by Log.mu. Frames of a segment follow each other without a gap.
	first uint64   // sequence of the first frame; 0 for none
	at    []uint32 // block of each frame
	off   int64    // where the next frame goes
}

func (s *segment) place(seq uint64, size int64) {
	if len(s.at) == 0 {
		s.first = seq
	}
	s.at = append(s.at, uint32(s.off/block))
	s.off += size
}

// end is the number of the frame after the last.
func (s *segment) end() uint64 { return s.first + uint64(len(s.at)) }

func (s *segment) close() error {
	var err error
	if s.w != nil {
		err = s.w.Close()
	}
	return errors.Join(err, s.r.Close())
}

func putHead(p, key []byte, id uint64, size int64, salt []byte) {
	clear(p)
	copy(p, segmentMagic)
	binary.LittleEndian.PutUint64(p[8:], id)
	binary.LittleEndian.PutUint64(p[16:], uint64(size))
	copy(p[24:56], salt)
	copy(p[56:headSize], headMAC(key, p))
}

func headMAC(key, p []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write(p[:56])
	return m.Sum(nil)
}

// openSegment opens a file with a head for reading.
func openSegment(path string, key []byte) (_ *segment, err error) {
	var id uint64
	if _, err := fmt.Sscanf(filepath.Base(path), "seg-%016x", &id); err != nil {
		return nil, fmt.Errorf("%w: %s is no name of a segment", ErrDamaged, filepath.Base(path))
	}
	r, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			r.Close()
		}
	}()
	info, err := r.Stat()
	if err != nil {
		return nil, err
	}
	p := make([]byte, headSize)
	if _, err := r.ReadAt(p, 0); err != nil {
		return nil, fmt.Errorf("%w: %s has no head", ErrDamaged, filepath.Base(path))
	}
	if string(p[:8]) != segmentMagic || !hmac.Equal(p[56:], headMAC(key, p)) || binary.LittleEndian.Uint64(p[8:]) != id {
		return nil, fmt.Errorf("%w: the head of %s does not hold, or the key is another", ErrDamaged, filepath.Base(path))
	}
	if size := int64(binary.LittleEndian.Uint64(p[16:])); size != info.Size() {
		return nil, fmt.Errorf("%w: %s has %d bytes, not %d", ErrDamaged, filepath.Base(path), info.Size(), size)
	}
	aead, err := segmentKey(key, p[24:56])
	if err != nil {
		return nil, err
	}
	return &segment{id: id, path: path, aead: aead, r: r, off: block}, nil
}

// keepSegments has the next segment ready and a spare behind it before they are needed, and wipes those that were moved.
// More files are made as more are full, and stay.
func (l *Log) keepSegments() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for !l.ended && l.Err() == nil {
		var err error
		switch {
		case l.next == nil && len(l.spares) > 0:
			err = l.prepare()
		case len(l.spent) > 0:
			err = l.wipe()
		case len(l.spares) == 0 && l.total() < l.c.Segments:
			err = l.create()
		default:
			if l.next == nil {
				l.starve(ErrFull)
			}
			l.keep.Wait()
			continue
		}
		switch {
		case err == nil:
		case errors.Is(err, ErrClosed):
			return
		case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
			if l.next == nil && len(l.spares) == 0 {
				l.starve(fmt.Errorf("%w: %w", ErrFull, err))
			}
			l.pause()
		default:
			l.mark.Fail(fmt.Errorf("%w: %w", ErrStopped, err))
			l.wake()
		}
	}
}

func (l *Log) total() int {
	n := len(l.segments) + len(l.spent) + len(l.spares)
	if l.next != nil {
		n++
	}
	return n
}

// starve tells those who wait for room that none will come before frames are moved.
func (l *Log) starve(err error) {
	if l.starved == nil {
		l.starved = err
		l.room.Broadcast()
		l.work.Broadcast()
	}
}

// pause gives up mu for a second, or less if a segment is given free or the log is closed.
func (l *Log) pause() {
	if len(l.spent) > 0 {
		return
	}
	woken := time.AfterFunc(time.Second, func() { l.mu.Lock(); defer l.mu.Unlock(); l.keep.Broadcast() })
	defer woken.Stop()
	l.keep.Wait()
}

// prepare makes a spare file the next segment. It, wipe and create give mu free for the disk's time; only the keeper
// touches spares and spent files.
func (l *Log) prepare() error {
	path := l.spares[len(l.spares)-1]
	id := l.newest + 1
	l.mu.Unlock()
	s, err := l.head(path, id)
	l.mu.Lock()
	if err != nil {
		return err
	}
	l.newest = id
	l.spares = l.spares[:len(l.spares)-1]
	l.next, l.starved = s, nil
	l.work.Broadcast()
	l.room.Broadcast()
	return nil
}

func (l *Log) head(spare string, id uint64) (_ *segment, err error) {
	p, salt := make([]byte, block), make([]byte, 32)
	rand.Read(salt)
	putHead(p, l.c.Key, id, l.c.SegmentSize, salt)
	if err := overwrite(spare, p); err != nil {
		return nil, err
	}
	path := filepath.Join(l.c.Dir, fmt.Sprintf("seg-%016x", id))
	if err := rename(spare, path); err != nil {
		return nil, err
	}
	s, err := openSegment(path, l.c.Key)
	if err != nil {
		return nil, err
	}
	if s.w, err = openWrite(path, l.mode); err != nil {
		s.r.Close()
		return nil, err
	}
	return s, nil
}

// wipe makes a moved segment a spare: first by name, so that a crash finds either a whole segment or none, then by
// overwriting the salt of its key.
func (l *Log) wipe() error {
	s := l.spent[0]
	l.mu.Unlock()
	spare := filepath.Join(l.c.Dir, "spare-"+rand.Text())
	err := errors.Join(s.close(), rename(s.path, spare))
	if err == nil {
		err = overwrite(spare, make([]byte, block))
	}
	l.mu.Lock()
	if err != nil {
		return err
	}
	l.spent, l.spares = l.spent[1:], append(l.spares, spare)
	l.room.Broadcast() // Wiped waits too
	return nil
}

// create makes a spare file of zeros.
func (l *Log) create() error {
	l.mu.Unlock()
	spare, err := l.fresh()
	l.mu.Lock()
	if err == nil {
		l.spares = append(l.spares, spare)
	}
	return err
}

func (l *Log) fresh() (spare string, err error) {
	tmp := filepath.Join(l.c.Dir, "new.tmp")
	spare = filepath.Join(l.c.Dir, "spare-"+rand.Text())
	if err = l.zeros(tmp); err == nil {
		err = rename(tmp, spare)
	}
	if err != nil {
		os.Remove(tmp)
	}
	return spare, err
}

func (l *Log) zeros(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	zero := make([]byte, 256<<10)
	for left := l.c.SegmentSize; left > 0; {
		n, err := f.Write(zero[:min(left, int64(len(zero)))])
		if err != nil {
			return err
		}
		left -= int64(n)
		select {
		case <-l.stop:
			return ErrClosed // Open removes what is unfinished
		default:
		}
	}
	return f.Sync()
}

func overwrite(path string, head []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.WriteAt(head, 0); err != nil {
		return err
	}
	return f.Sync()
}

func rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return syncDir(filepath.Dir(to))
}

// A Frame is one durable batch, for whoever moves records on. (Segment, Seq) never comes twice with other records, so a
// move that is repeated after a crash can be told by Seq. Its bytes are valid until the call it is given to returns.
type Frame struct {
	Segment, Seq uint64
	Count        int
	plain        []byte
}

// Records yields the frame's records in the order of Append.
func (f Frame) Records() iter.Seq[[]byte] { return split(f.plain) }

// Frames calls f with each durable frame behind after, in order, until f returns an error. A durable frame that no longer
// opens stops the log: what it noted cannot be kept.
func (l *Log) Frames(ctx context.Context, after uint64, f func(Frame) error) error {
	l.reading.Lock()
	defer l.reading.Unlock()
	buf := make([]byte, batchSize)
	for limit := l.Durable(); ; {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("durable: Frames: %w", err)
		}
		s, seq, from, to := l.find(after + 1)
		if s == nil || seq > limit {
			return nil
		}
		p := buf[:to-from]
		if _, err := s.r.ReadAt(p, from); err != nil {
			l.fail(fmt.Errorf("read frame %d: %w", seq, err))
			return l.Err()
		}
		h, plain, err := openFrame(s.aead, s.id, p)
		if err != nil || h.seq != seq {
			l.fail(fmt.Errorf("%w: frame %d of %s", ErrDamaged, seq, filepath.Base(s.path)))
			return l.Err()
		}
		if err := f(Frame{Segment: s.id, Seq: seq, Count: h.count, plain: plain}); err != nil {
			return err
		}
		after = seq
	}
}

// find is where the first frame from seq on stands.
func (l *Log) find(seq uint64) (s *segment, found uint64, from, to int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.segments {
		if len(s.at) == 0 || s.end() <= seq {
			continue
		}
		found = max(seq, s.first)
		i := int(found - s.first)
		from, to = int64(s.at[i])*block, s.off
		if i+1 < len(s.at) {
			to = int64(s.at[i+1]) * block
		}
		return s, found, from, to
	}
	return nil, 0, 0, 0
}

// Moved says that every frame up to seq is committed elsewhere. Segments that hold nothing else are wiped and used again.
func (l *Log) Moved(seq uint64) {
	l.reading.Lock()
	defer l.reading.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	seq = min(seq, l.Durable())
	for len(l.segments) > 0 {
		s := l.segments[0]
		if l.open && len(l.segments) == 1 || len(s.at) > 0 && s.end() > seq+1 {
			break
		}
		l.segments = l.segments[1:]
		l.spent = append(l.spent, s)
	}
	l.keep.Broadcast()
}

// Turn has the next frame begin a new segment, so that the one in use is wiped as soon as its frames are moved: for what
// should not stay on disk for long.
func (l *Log) Turn() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open = false
	l.work.Broadcast()
}

// Wiped returns once every segment that was given free is wiped.
func (l *Log) Wiped(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { l.mu.Lock(); defer l.mu.Unlock(); l.room.Broadcast() })()
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.spent) > 0 {
		if err := l.Err(); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("durable: Wiped: %w", err)
		}
		l.room.Wait()
	}
	return nil
}
