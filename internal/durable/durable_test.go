package durable

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		child()
		return
	}
	goleak.VerifyTestMain(m)
}

var testKey = bytes.Repeat([]byte{7}, 32)

func small(dir string) Config {
	return Config{Dir: dir, Key: testKey, SegmentSize: 1 << 20, Segments: 4}
}

func mustOpen(t testing.TB, c Config) (*Log, Recovery) {
	t.Helper()
	l, rec, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, rec
}

func modes(t *testing.T, f func(t *testing.T, m Mode)) {
	for _, m := range []Mode{Async, Blocking, Sync} {
		name := string(m)
		t.Run(name, func(t *testing.T) {
			if got, err := probe(t.TempDir(), m); err != nil {
				t.Skipf("%s does not work here: %v (%s)", m, err, got)
			}
			f(t, m)
		})
	}
}

// records reads every frame behind after.
func records(t testing.TB, l *Log, after uint64) (out []string) {
	t.Helper()
	err := l.Frames(context.Background(), after, func(f Frame) error {
		if f.Seq <= after {
			t.Errorf("frame %d came after %d", f.Seq, after)
		}
		after = f.Seq
		for r := range f.Records() {
			out = append(out, string(r))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestWhatIsDurableComesBack(t *testing.T) {
	modes(t, func(t *testing.T, m Mode) {
		c := small(t.TempDir())
		c.Mode = m
		l, _ := mustOpen(t, c)
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				for i := range 50 {
					n, err := l.Append(fmt.Appendf(nil, "%d/%d", g, i))
					if err == nil {
						err = l.Wait(context.Background(), n)
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if got := records(t, l, 0); len(got) != 400 {
			t.Errorf("%d of 400 records can be read while the log is open", len(got))
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		l, rec := mustOpen(t, c)
		seen := map[string]bool{}
		for _, r := range records(t, l, 0) {
			seen[r] = true
		}
		if len(seen) != 400 || rec.Records != 400 || rec.Torn {
			t.Errorf("recovered %d different records, %+v", len(seen), rec)
		}
		n, err := l.Append([]byte("on"))
		if err != nil || n != rec.Last+1 {
			t.Errorf("the next ticket is %d after %d, %v", n, rec.Last, err)
		}
		if _, err := l.Append(make([]byte, MaxRecord+1)); !errors.Is(err, ErrTooLarge) {
			t.Errorf("a record that is too large: %v", err)
		}
		if n, err = l.Append(make([]byte, MaxRecord)); err != nil {
			t.Error(err)
		} else if err := l.Wait(context.Background(), n); err != nil {
			t.Error(err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if _, err := l.Append(nil); !errors.Is(err, ErrClosed) {
			t.Errorf("Append after Close: %v", err)
		}
		for _, name := range globs(t, c.Dir, "*") {
			if info, _ := os.Stat(name); info.Mode().Perm() != 0o600 {
				t.Errorf("%s is %v", name, info.Mode())
			}
		}
	})
}

func globs(t testing.TB, dir, pattern string) []string {
	t.Helper()
	out, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A mover takes frames away under load; each record arrives once, in order, over many segments and a restart between.
func TestSegmentsComeRound(t *testing.T) {
	c := small(t.TempDir())
	moved, want := []string{}, 0
	for round := range 2 {
		l, _ := mustOpen(t, c)
		done := make(chan struct{})
		var appended sync.WaitGroup
		appended.Go(func() {
			for i := range 300 {
				rec := append(fmt.Appendf(nil, "%d/%05d ", round, i), make([]byte, 30<<10)...)
				for {
					n, err := l.Append(rec)
					if errors.Is(err, ErrFull) {
						time.Sleep(time.Millisecond)
						continue
					}
					if err != nil {
						t.Error(err)
					} else if i%7 == 0 {
						l.Wait(context.Background(), n)
					}
					break
				}
			}
			close(done)
		})
		want += 300
		for last := false; ; {
			err := l.Frames(context.Background(), c.After, func(f Frame) error {
				for r := range f.Records() {
					moved = append(moved, string(r[:7]))
				}
				c.After = f.Seq
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			l.Moved(c.After)
			if last {
				break
			}
			select {
			case <-done:
				n, err := l.Append([]byte("the end of it"))
				if err != nil {
					t.Fatal(err)
				}
				l.Wait(context.Background(), n)
				want++
				last = true
			default:
			}
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if n := len(globs(t, c.Dir, "*")); n > c.Segments {
			t.Errorf("%d files, %d allowed", n, c.Segments)
		}
	}
	if len(moved) != want {
		t.Fatalf("%d records moved of %d", len(moved), want)
	}
	for i, last := 0, ""; i < len(moved); i++ {
		if moved[i] != "the end" {
			if moved[i] <= last {
				t.Fatalf("%q after %q", moved[i], last)
			}
			last = moved[i]
		}
	}
}

// Without a mover the log says so and loses nothing; a mover sets it going again.
func TestFullIsSaid(t *testing.T) {
	c := small(t.TempDir())
	l, _ := mustOpen(t, c)
	var n, last uint64
	var err error
	count := 0
	for ; err == nil; count++ {
		if n, err = l.Append(make([]byte, 60<<10)); err == nil {
			last = n
		}
	}
	if !errors.Is(err, ErrFull) || count < 50 {
		t.Fatalf("after %d records: %v", count, err)
	}
	if l.Durable() >= last {
		t.Error("the last batch has no place, and yet is durable")
	}
	l.Moved(l.Durable())
	if err := l.Wait(context.Background(), last); err != nil {
		t.Error(err)
	}
	if _, err := l.Append([]byte("again")); err != nil {
		t.Error(err)
	}
}

// failing is a disk that says EIO, or writes half, from its nth write on. It counts tries after the first failure.
type failing struct {
	w     writer
	left  *int
	mu    *sync.Mutex
	after *int
	err   error
}

func (f failing) write(file *os.File, p []byte, off int64) error {
	f.mu.Lock()
	*f.left--
	bad := *f.left < 0
	if bad {
		*f.after++
	}
	f.mu.Unlock()
	if bad {
		return f.err
	}
	return f.w.write(file, p, off)
}
func (f failing) close() error { return f.w.close() }

func failAfter(c Config, n int) (Config, *int) {
	tries, mu := 0, sync.Mutex{}
	c.wrap = func(w writer) writer { return failing{w, &n, &mu, &tries, syscall.EIO} }
	return c, &tries
}

func TestADiskErrorEndsIt(t *testing.T) {
	c, tries := failAfter(small(t.TempDir()), 3)
	l, _ := mustOpen(t, c)
	for i := range 3 {
		n, err := l.Append([]byte{byte(i)})
		if err == nil {
			err = l.Wait(context.Background(), n)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	n, err := l.Append([]byte("lost"))
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Wait(context.Background(), n); !errors.Is(err, ErrStopped) || !errors.Is(err, syscall.EIO) {
		t.Errorf("Wait: %v", err)
	}
	if _, err := l.Append([]byte("more")); !errors.Is(err, ErrStopped) {
		t.Errorf("Append: %v", err)
	}
	if l.Durable() != 3 {
		t.Errorf("durable is %d", l.Durable())
	}
	if err := l.Close(); !errors.Is(err, ErrStopped) {
		t.Errorf("Close: %v", err)
	}
	if *tries > 1 {
		t.Errorf("the disk was tried %d times after it had failed", *tries)
	}
	if _, rec := mustOpen(t, small(c.Dir)); rec.Frames != 3 {
		t.Errorf("%+v", rec)
	}
}

// Every flip and every truncation of a log is refused, or gives back a beginning of it that misses nothing durable that
// the rest tells of. What was written last cannot be told from a torn write: that one frame may be left out.
func TestEveryFlipAndTruncation(t *testing.T) {
	dir := t.TempDir()
	c := small(dir)
	c.SegmentSize = block + batchSize
	l, _ := mustOpen(t, c)
	const frames = 5
	for i := range frames {
		n, err := l.Append(bytes.Repeat([]byte{byte('a' + i)}, 100))
		if err != nil {
			t.Fatal(err)
		}
		l.Wait(context.Background(), n)
	}
	l.Close()
	var path string
	for _, p := range globs(t, dir, "seg-*") {
		b, _ := os.ReadFile(p)
		if string(b[block:block+8]) == frameMagic {
			path = p
		}
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range globs(t, dir, "*") {
		if p != path {
			os.Remove(p)
		}
	}
	check := func(what string, b []byte, lastMayGo bool) {
		t.Helper()
		os.WriteFile(path, b, 0o600)
		l := &Log{c: c}
		rec, err := l.recover()
		l.closeFiles()
		switch {
		case errors.Is(err, ErrDamaged):
		case err != nil:
			t.Errorf("%s: %v", what, err)
		case rec.Frames == frames:
		case rec.Frames == frames-1 && lastMayGo && rec.Torn:
		default:
			t.Errorf("%s: %d of %d frames came back without a word, torn %v", what, rec.Frames, frames, rec.Torn)
		}
	}
	check("untouched", whole, false)
	// Each frame is 64+4+100+16 bytes long; what follows is padding.
	used := headerSize + prefixSize + 100 + tagSize
	for f := -1; f < frames; f++ {
		start, n := 0, headSize
		if f >= 0 {
			start, n = block*(f+1), used
		}
		for i := start; i < start+n; i++ {
			b := bytes.Clone(whole)
			b[i] ^= 1 << (i % 8)
			os.WriteFile(path, b, 0o600)
			l := &Log{c: c}
			rec, err := l.recover()
			l.closeFiles()
			if last := f == frames-1; last && err == nil && rec.Frames == frames-1 {
				continue
			}
			if !errors.Is(err, ErrDamaged) {
				t.Errorf("byte %d of frame %d flipped: %+v, %v", i-start, f, rec, err)
			}
		}
	}
	for n := 0; n < len(whole); n += 509 {
		os.WriteFile(path, whole[:n], 0o600)
		l := &Log{c: c}
		_, err := l.recover()
		l.closeFiles()
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
	wrong := c
	wrong.Key = bytes.Repeat([]byte{8}, 32)
	os.WriteFile(path, whole, 0o600)
	if _, _, err := Open(wrong); !errors.Is(err, ErrDamaged) {
		t.Errorf("another key: %v", err)
	}
}

// A write that a crash cut short beside one that landed: neither was released, so both are left out without complaint.
func TestTornBesideLanded(t *testing.T) {
	dir := t.TempDir()
	c := small(dir)
	l := &Log{c: c}
	spare, err := l.fresh()
	if err != nil {
		t.Fatal(err)
	}
	l.mode = Sync
	s, err := l.head(spare, 1)
	if err != nil {
		t.Fatal(err)
	}
	put := func(seq, durable uint64, off int64, cut int) int64 {
		b, _ := newBatch()
		defer b.release()
		b.reset(seq)
		b.add([]byte("record"))
		p := b.seal(s, durable)
		if _, err := s.w.WriteAt(p[:len(p)-cut], off); err != nil {
			t.Fatal(err)
		}
		return off + int64(len(p))
	}
	off := put(1, 0, block, 0)
	off = put(2, 1, off, block-70)
	put(3, 1, off, 0)
	s.close()
	l2, rec := mustOpen(t, c)
	if rec.Last != 1 || !rec.Torn {
		t.Errorf("%+v", rec)
	}
	n, err := l2.Append([]byte("after"))
	if err != nil || n != 2 {
		t.Fatal(n, err)
	}
	l2.Wait(context.Background(), n)
	l2.Close()
	l3, rec := mustOpen(t, c)
	if got := records(t, l3, 0); rec.Last != 2 || len(got) != 2 || got[1] != "after" {
		t.Errorf("%+v %q", rec, got)
	}
}

// A whole segment that is missing, or frames the caller never moved, are noticed.
func TestMissingSegmentsAreNoticed(t *testing.T) {
	c := small(t.TempDir())
	l, _ := mustOpen(t, c)
	for range 60 {
		if n, err := l.Append(make([]byte, 40<<10)); err == nil {
			l.Wait(context.Background(), n)
		} else {
			t.Fatal(err)
		}
	}
	l.Close()
	segs := globs(t, c.Dir, "seg-*")
	if len(segs) < 3 {
		t.Fatalf("%d segments", len(segs))
	}
	b, _ := os.ReadFile(segs[0])
	os.Remove(segs[0])
	if _, _, err := Open(c); !errors.Is(err, ErrDamaged) {
		t.Errorf("without its first segment: %v", err)
	}
	os.WriteFile(segs[1], b, 0o600)
	if _, _, err := Open(c); !errors.Is(err, ErrDamaged) {
		t.Errorf("one segment under another's name: %v", err)
	}
}

// What was in a segment that was given free can be opened no more, even with the log's key: its salt is gone.
func TestASegmentGivenFreeIsErased(t *testing.T) {
	c := small(t.TempDir())
	l, _ := mustOpen(t, c)
	n, _ := l.Append([]byte("to be forgotten"))
	l.Wait(context.Background(), n)
	l.Close()
	var salt []byte
	for _, p := range globs(t, c.Dir, "seg-*") {
		b, _ := os.ReadFile(p)
		if string(b[block:block+8]) == frameMagic {
			salt = b[24:56]
		}
	}
	c.After = n
	l, _ = mustOpen(t, c)
	for range 200 { // the keeper wipes in the background
		l.mu.Lock()
		left := len(l.spent)
		l.mu.Unlock()
		if left == 0 {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	l.Close()
	for _, p := range globs(t, c.Dir, "*") {
		if b, _ := os.ReadFile(p); bytes.Contains(b, salt) {
			t.Errorf("%s still holds the salt", filepath.Base(p))
		}
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	l, _ := mustOpen(t, small(t.TempDir()))
	rec := make([]byte, 100)
	l.mu.Lock() // so that no lane's work is counted: add is what Append does under mu
	n := testing.AllocsPerRun(100, func() { l.cur.add(rec) })
	l.mu.Unlock()
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzScan(f *testing.F) {
	aead, err := segmentKey(testKey, make([]byte, 32))
	if err != nil {
		f.Fatal(err)
	}
	b, _ := newBatch()
	defer b.release()
	s := &segment{id: 3, aead: aead}
	for _, n := range []int{0, 10, 5000} {
		b.reset(9)
		b.add(make([]byte, n))
		f.Add(append(make([]byte, block), b.seal(s, 2)...))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		run, err := scan(bytes.NewReader(file), int64(len(file)), aead, 3)
		if err != nil {
			t.Fatal(err)
		}
		if len(run.at) > 1 || run.end > int64(len(file))+block {
			t.Errorf("frames that nobody sealed: %+v", run)
		}
	})
}
