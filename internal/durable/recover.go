package durable

import (
	"crypto/cipher"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// recover reads every segment, drops what a crash cut short, and refuses what a crash cannot explain: frames missing
// below one that says they were durable.
func (l *Log) recover() (Recovery, error) {
	rec := Recovery{Last: l.c.After}
	if err := l.clean(); err != nil {
		return rec, err
	}
	paths, err := l.files("seg-*")
	if err != nil {
		return rec, err
	}
	slices.Sort(paths)
	for _, path := range paths {
		s, err := openSegment(path, l.c.Key)
		if err != nil {
			return rec, err
		}
		l.segments = append(l.segments, s)
		l.newest = s.id
		info, err := s.r.Stat()
		if err != nil {
			return rec, err
		}
		run, err := scan(s.r, info.Size(), s.aead, s.id)
		if err != nil {
			return rec, err
		}
		if err := rec.join(s, run); err != nil {
			return rec, err
		}
	}
	used := l.segments[:0]
	for _, s := range l.segments {
		if len(s.at) > 0 {
			used = append(used, s)
		} else {
			l.spent = append(l.spent, s)
		}
	}
	l.segments = used
	return rec, nil
}

// join puts a segment's frames behind those before it.
func (rec *Recovery) join(s *segment, run run) error {
	expect := rec.Last + 1
	if run.first > expect { // a gap before the segment's first frame
		if run.claim >= expect {
			return fmt.Errorf("%w: frames %d to %d before %s are missing", ErrDamaged, expect, run.first-1, filepath.Base(s.path))
		}
		rec.Torn = true // written beside one that a crash cut short; nobody was told of either
		return nil
	}
	if n := uint64(len(run.at)); n > 0 {
		s.first, s.at, s.off = run.first, run.at, run.end
		rec.Frames, rec.Records = rec.Frames+len(run.at), rec.Records+run.records
		rec.Last = max(rec.Last, run.first+n-1)
	}
	if run.claim > rec.Last {
		return fmt.Errorf("%w: frame %d in %s does not open, but a later one says that it was durable",
			ErrDamaged, rec.Last+1, filepath.Base(s.path))
	}
	rec.Torn = rec.Torn || run.torn
	// What a crash left in the page cache only must be on disk before later frames call it durable.
	if len(run.at) > 0 {
		if err := syncFile(s.path); err != nil {
			return err
		}
	}
	return nil
}

// clean removes unfinished files and lists the spares. A spare may still have a head, if a crash came between its renaming
// and its wiping.
func (l *Log) clean() error {
	old, err := l.files("*.tmp")
	if err != nil {
		return err
	}
	for _, path := range old {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	if l.spares, err = l.files("spare-*"); err != nil {
		return err
	}
	head := make([]byte, block)
	kept := l.spares[:0]
	for _, path := range l.spares {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if info.Size() != l.c.SegmentSize { // of another configuration
			if err := os.Remove(path); err != nil {
				return err
			}
			continue
		}
		kept = append(kept, path)
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		_, err = f.ReadAt(head, 0)
		f.Close()
		if err != nil {
			return err
		}
		if slices.ContainsFunc(head, func(b byte) bool { return b != 0 }) {
			if err := overwrite(path, make([]byte, block)); err != nil {
				return err
			}
		}
	}
	l.spares = kept
	return nil
}

// A run is what a scan finds: the frames that follow each other from the start, and what later ones claim.
type run struct {
	first   uint64
	at      []uint32
	end     int64
	records int
	claim   uint64 // newest frame that any frame, also behind the run, says was durable
	torn    bool   // frames, or pieces of one, stand behind the run
}

// scan reads the frames of a segment from its file. Nothing in the file is trusted before it opens.
func scan(r io.ReaderAt, size int64, aead cipher.AEAD, id uint64) (run, error) {
	out := run{end: block}
	window := make([]byte, 2*batchSize)
	base, have := int64(0), 0 // window[:have] is the file from base
	at := func(off int64) ([]byte, error) {
		need := min(int64(batchSize), size-off)
		if off >= base && off+need <= base+int64(have) {
			return window[off-base : off-base+need], nil
		}
		n, err := r.ReadAt(window[:min(int64(len(window)), size-off)], off)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		base, have = off, n
		return window[:min(need, int64(n))], nil
	}
	whole := true // nothing bad so far
	for off := int64(block); off+block <= size; {
		p, err := at(off)
		if err != nil {
			return out, fmt.Errorf("read segment %d: %w", id, err)
		}
		h, ok := readHeader(p)
		ok = ok && h.segment == id
		if ok {
			_, _, err := openFrame(aead, id, p)
			// What does not open was overwritten in the window by the attempt; no frame starts inside it but a forged one.
			ok = err == nil
			if !ok {
				have = 0
				out.torn = true
			}
		}
		if whole && ok && (len(out.at) == 0 || h.seq == out.first+uint64(len(out.at))) {
			if len(out.at) == 0 {
				out.first = h.seq
			}
			out.at = append(out.at, uint32(off/block))
			out.records += h.count
			out.end = off + h.size()
		} else {
			whole, out.torn = false, out.torn || ok
		}
		step := int64(block)
		if ok {
			out.claim = max(out.claim, h.claim)
			step = h.size()
		}
		off += step
	}
	return out, nil
}
