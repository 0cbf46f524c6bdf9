package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"github.com/wellgate/wellgate/store/storetest"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/wellgate/wellgate/internal/durable"
)

// Reads in a file take no turn of the database's writer until the sequencer comes.
func TestFileNeedsNoWriter(t *testing.T) {
	b := newFileBench(t)
	free := hold(t, b.db)
	var work sync.WaitGroup
	for i := range 50 {
		work.Go(func() { b.durable(int64(i%5), fmt.Sprint(i)) })
	}
	work.Wait()
	free()
	b.sign(true)
	if rep := b.sound(); rep.Entries != 50 || b.inbox() != 0 {
		t.Errorf("%+v", rep)
	}
}

// An entry too long for a record of the file goes through the store, and nothing is lost between the two.
func TestFileLongEntry(t *testing.T) {
	b := newFileBench(t)
	b.durable(1, "short")
	b.durable(1, string(make([]byte, durable.MaxRecord+1)))
	b.durable(1, "last")
	list, err := b.log.Of(t.Context(), 1, 0, 10)
	if err != nil || len(list) != 3 {
		t.Fatal(len(list), err)
	}
	b.sign(true)
	b.sound()
}

// What a crash left in the file is in the tree after the next start; a file that somebody changed is refused.
func TestFileRecovers(t *testing.T) {
	storetest.SQLiteOnly(t, "reads go to files beside SQLite")
	for name, change := range map[string]func([]byte) []byte{
		"as it was":                func(b []byte) []byte { return b },
		"a bit of the first frame": func(b []byte) []byte { b[4096+70] ^= 1; return b },
		"a bit of its head":        func(b []byte) []byte { b[30] ^= 1; return b },
		"the first frame wiped":    func(b []byte) []byte { clear(b[4096:8192]); return b },
	} {
		t.Run(name, func(t *testing.T) {
			b := newFileBench(t)
			b.still(t)
			for i := range 9 {
				b.durable(1, fmt.Sprint(i))
			}
			copied := filepath.Join(b.dir, "copy")
			err := os.CopyFS(copied, os.DirFS(b.file))
			for try := 0; errors.Is(err, fs.ErrNotExist) && try < 100; try++ { // a spare was named a segment meanwhile
				os.RemoveAll(copied)
				err = os.CopyFS(copied, os.DirFS(b.file))
			}
			if err == nil {
				err = os.Mkdir(filepath.Join(b.dir, "store"), 0o700)
			}
			for _, suffix := range []string{"", "-wal"} {
				data, rerr := os.ReadFile(b.dbPath() + suffix)
				err = errors.Join(err, rerr, os.WriteFile(filepath.Join(b.dir, "store", "audit.db"+suffix), data, 0o600))
			}
			b.moving()
			if err != nil {
				t.Fatal(err)
			}
			b.stop()
			segments, err := filepath.Glob(filepath.Join(copied, "seg-*"))
			if err != nil || len(segments) == 0 {
				t.Fatal(segments, err)
			}
			for _, s := range segments {
				data, err := os.ReadFile(s)
				if err != nil {
					t.Fatal(err)
				}
				if bytes.Count(data[4096:4200], []byte{0}) == 104 {
					continue // prepared, without frames
				}
				if err := os.WriteFile(s, change(data), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			b.dir, b.file = filepath.Join(b.dir, "store"), copied
			b.openDB()
			b.conf.DB, b.conf.Dir, b.conf.Anchor = b.db, copied, b.anchor()
			log, err := Open(t.Context(), b.conf)
			if name != "as it was" {
				if !errors.Is(err, ErrTampered) {
					t.Errorf("got %v", err)
					log.Close()
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			b.log = log
			if list, err := b.log.Of(t.Context(), 1, 0, 100); err != nil || len(list) != 9 {
				t.Error(len(list), err)
			}
			b.sign(true)
			b.sound()
		})
	}
}

// A caller that gives up leaves its entry; whoever comes after Close is told.
func TestFileClosed(t *testing.T) {
	b := newFileBench(t)
	ticket, err := b.log.Note(Entry{1, []byte("left")})
	if err != nil {
		t.Fatal(err)
	}
	log := b.log
	b.stop()
	if err := log.Wait(context.Background(), ticket); err != nil {
		t.Error(err)
	}
	if _, err := log.Note(Entry{1, []byte("late")}); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	b.openDB()
	b.start()
	if rep := b.sound(); rep.Entries != 1 || rep.Signed != 1 {
		t.Errorf("%+v", rep)
	}
}
