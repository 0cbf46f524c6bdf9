package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"github.com/wellgate/wellgate/store/storetest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wellgate/wellgate/store"
)

// append adds an entry as a change does.
func (b *bench) append(chart int64, plain string) {
	b.t.Helper()
	err := b.db.Write(b.t.Context(), func(tx *store.Tx) error {
		return b.log.Append(b.t.Context(), tx, Entry{chart, []byte(plain)})
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) exec(query string, args ...any) {
	b.t.Helper()
	if err := b.db.Write(b.t.Context(), func(tx *store.Tx) error {
		n, err := tx.Exec(b.t.Context(), query, args...)
		if err == nil && n != 1 {
			err = fmt.Errorf("%d rows", n)
		}
		return err
	}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) of(chart int64) (list []string) {
	b.t.Helper()
	stored, err := b.log.Of(context.Background(), chart, 0, 100_000)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, s := range slices.Backward(stored) {
		list = append(list, string(s.Plain))
	}
	return list
}

// A row that had its place and that somebody puts back, at once, after a restart or after many, gets no second one.
func TestRowPutBack(t *testing.T) {
	storetest.SQLiteOnly(t, "on PostgreSQL a row put back within ten minutes does get a place (commitsLate)")
	b := newBench(t)
	b.still(t)
	b.durable(1, "one")
	b.append(1, "two")
	rows, _, err := waiting(t.Context(), b.db, rowID(bytes.Repeat([]byte{255}, 16)))
	if err != nil || len(rows) != 2 {
		t.Fatal(rows, err)
	}
	b.moving()
	if got := b.of(1); !slices.Equal(got, []string{"one", "two"}) {
		t.Fatal(got)
	}
	for round := range 3 {
		for _, r := range rows {
			b.exec(`INSERT INTO audit_inbox (id, aside, data) VALUES ($1, $2, $3)`, r.id[:], round%2, r.data)
		}
		again := func() {
			b.stop()
			b.openDB()
			b.start()
		}
		again()
		if got := b.of(1); len(got) != 2 {
			t.Errorf("round %d: %q", round, got)
		}
		b.sign(true)
		if rep := b.verify(b.seal); len(rep.Problems) != 1 || !strings.Contains(rep.Problems[0], "2 rows of the inbox were put back") {
			t.Errorf("round %d: %q", round, rep.Problems)
		}
		for _, r := range rows {
			b.exec(`DELETE FROM audit_inbox WHERE id = $1`, r.id[:])
		}
		for i := 0; round == 1 && i < seenNodes+3; i++ { // so many that the Log which wrote them is forgotten
			b.append(2, "more")
			again()
		}
	}
}

// What the log remembers cannot be put back, changed or dropped either: then it does not start.
func TestMemoryPutBack(t *testing.T) {
	for name, change := range map[string]func(b *bench, size, rev int64, data []byte){
		"older": func(b *bench, size, rev int64, data []byte) {
			b.exec(`UPDATE audit_seen SET size = $1, rev = $2, data = $3`, size, rev, data)
		},
		"older, under the newest size": func(b *bench, size, rev int64, data []byte) {
			b.exec(`UPDATE audit_seen SET rev = $1, data = $2`, rev, data)
		},
		"gone": func(b *bench, size, rev int64, data []byte) { b.exec(`DELETE FROM audit_seen`) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newFileBench(t)
			b.durable(1, "one")
			b.of(1)
			var size, rev int64
			var data []byte
			if err := b.db.QueryRow(t.Context(), `SELECT size, rev, data FROM audit_seen`).Scan(&size, &rev, &data); err != nil {
				t.Fatal(err)
			}
			b.durable(1, "two")
			b.of(1)
			b.stop()
			b.openDB()
			change(b, size, rev, data)
			log, err := Open(t.Context(), b.conf.with(b))
			if !errors.Is(err, ErrTampered) {
				t.Errorf("got %v", err)
			}
			if err == nil {
				log.Close()
			}
		})
	}
}

func (c Config) with(b *bench) Config { c.DB = b.db; return c }

// Reads in the file and changes in the store stand in the order in which they were noted, over any number of chunks.
func TestOrderOfTime(t *testing.T) {
	b := newFileBench(t)
	var want []string
	b.still(t)
	for i := range 3 * chunkRows / 2 {
		want = append(want, fmt.Sprint("read ", i))
		b.durable(1, want[len(want)-1])
		want = append(want, fmt.Sprint("change ", i))
		b.append(1, want[len(want)-1])
	}
	b.moving()
	got := b.of(1)
	for i := range want {
		if i >= len(got) || got[i] != want[i] {
			t.Fatalf("%d of %d: %q", i, len(got), got[max(0, i-2):min(len(got), i+3)])
		}
	}
	b.sign(true)
	b.sound()
}

// salts are those of the keys of the file's segments. A segment whose salt is gone opens for nobody.
func (b *bench) salts() (list []string) {
	files, err := filepath.Glob(filepath.Join(b.file, "*"))
	if err != nil {
		b.t.Fatal(err)
	}
	for _, f := range files {
		if data, err := os.ReadFile(f); err == nil && len(data) > 4096 && !bytes.Equal(data[:4096], make([]byte, 4096)) {
			list = append(list, string(data[24:56]))
		}
	}
	return list
}

// next waits until one segment is ready and none holds frames, and gives its salt: it takes what is noted next.
func (b *bench) next() string {
	for begun := time.Now(); ; time.Sleep(time.Millisecond) {
		if s := b.salts(); len(s) == 1 {
			return s[0]
		}
		if time.Since(begun) > 10*time.Second {
			b.t.Fatal("the segments do not settle")
		}
	}
}

// After Clear, after Close, and after the place of an entry of an erased chart, the segment that held what was noted has
// lost its key.
func TestClearWipes(t *testing.T) {
	b := newFileBench(t)
	salt := b.next()
	b.durable(3, "goes")
	if !slices.Contains(b.salts(), salt) {
		t.Fatal("nothing to wipe")
	}
	if err := b.log.Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	if slices.Contains(b.salts(), salt) {
		t.Error("the segment is there after Clear")
	}
	b.seal.mu.Lock()
	b.seal.gone[3] = true
	b.seal.mu.Unlock()
	salt = b.next()
	b.durable(3, "came late")
	b.of(1)
	for begun := time.Now(); slices.Contains(b.salts(), salt); time.Sleep(time.Millisecond) {
		if time.Since(begun) > 10*time.Second {
			t.Fatal("an entry of an erased chart stays in the file")
		}
	}
	salt = b.next()
	b.durable(1, "stays")
	b.stop()
	if slices.Contains(b.salts(), salt) {
		t.Error("the segment is there after Close")
	}
	b.openDB()
	b.start()
	b.sound()
}

// A fault that is not the disk's does not stop the log, nor does it speak of the disk: the next pass tries again.
func TestFaultOfTheSealer(t *testing.T) {
	b := newFileBench(t)
	fault := errors.New("no memory")
	b.seal.mu.Lock()
	b.seal.fault = fault
	b.seal.mu.Unlock()
	b.durable(1, "waits")
	if _, err := b.log.Of(t.Context(), 1, 0, 10); !errors.Is(err, fault) || strings.Contains(err.Error(), "disk") {
		t.Errorf("got %v", err)
	}
	if err := b.log.Err(); err != nil {
		t.Errorf("the log stopped: %v", err)
	}
	b.seal.mu.Lock()
	b.seal.fault = nil
	b.seal.mu.Unlock()
	if got := b.of(1); !slices.Equal(got, []string{"waits"}) {
		t.Errorf("%q", got)
	}
	b.sign(true)
	b.sound()
}
