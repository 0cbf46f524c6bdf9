package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"github.com/wellgate/wellgate/store/storetest"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/wellgate/wellgate/store"
)

// Each of more than 1,000 random changes is found, most of them without any key (AUD-03).
func TestTampering(t *testing.T) {
	b := newBench(t)
	const size = 90
	b.fill(size, 5)
	b.sound()
	const trials = 24 // of each kind
	undo := errors.New("undo")
	total := 0
	for name, change := range vandalism {
		t.Run(name, func(t *testing.T) {
			if strings.HasPrefix(name, "text for") {
				storetest.SQLiteOnly(t, "PostgreSQL keeps numbers only in such a column")
			}
			for trial := range trials {
				r := rand.New(rand.NewPCG(uint64(trial), uint64(len(name))))
				err := b.db.Write(t.Context(), func(tx *store.Tx) error {
					v := &vandal{t: t, tx: tx, r: r, size: size, seal: b.seal, dir: b.dir, file: b.anchor()}
					change(v)
					var seal Sealer
					if v.keys {
						seal = b.seal
					}
					rep := verified(t, tx, v.file, seal)
					if len(rep.Problems) == 0 {
						t.Errorf("trial %d: not found: %+v", trial, rep)
					}
					for _, p := range rep.Problems {
						if strings.Contains(p, "what") {
							t.Errorf("a problem tells content: %s", p)
						}
					}
					return undo
				})
				if !errors.Is(err, undo) {
					t.Fatal(err)
				}
				total++
			}
		})
	}
	if total < 1000 {
		t.Errorf("only %d trials", total)
	}
	b.sound() // the trials changed nothing
}

// Whatever byte of whatever stored value is flipped, in every row of every table, keyless verification finds it.
func TestEveryByte(t *testing.T) {
	b := newBench(t)
	b.fill(40, 3)
	undo := errors.New("undo")
	trials := 0
	flip := func(table, key, column string, id any, value []byte, step int) {
		for i := trials % step; i < len(value); i += step {
			changed := bytes.Clone(value)
			changed[i] ^= 1 << (trials % 8)
			trials++
			err := b.db.Write(t.Context(), func(tx *store.Tx) error {
				if _, err := tx.Exec(t.Context(), "UPDATE "+table+" SET "+column+" = $1 WHERE "+key+" = $2", changed, id); err != nil {
					t.Fatal(err)
				}
				if rep := verified(t, tx, b.anchor(), nil); len(rep.Problems) == 0 {
					t.Errorf("byte %d of %s.%s of %v", i, table, column, id)
				}
				return undo
			})
			if !errors.Is(err, undo) {
				t.Fatal(err)
			}
		}
	}
	for _, x := range allBlocks(t, b.db) {
		flip("audit_block", "first", "data", x.first, x.data, 5)
		flip("audit_block", "first", "hashes", x.first, x.hashes, 5)
	}
	for _, at := range [][3]string{{"audit_tile", "level", "data"}, {"audit_checkpoint", "size", "note"}, {"audit_recent", "size", "note"}} {
		rows, err := b.db.Query(t.Context(), "SELECT "+at[1]+", "+at[2]+" FROM "+at[0])
		if err != nil {
			t.Fatal(err)
		}
		values := map[int64][]byte{}
		for rows.Next() {
			var id int64
			var value []byte
			if err := rows.Scan(&id, &value); err != nil {
				t.Fatal(err)
			}
			values[id] = value
		}
		rows.Close()
		for id, value := range values {
			flip(at[0], at[1], at[2], id, value, 7)
		}
	}
	t.Log(trials, "trials")
}

func TestProblemsNameThePlace(t *testing.T) {
	storetest.SQLiteOnly(t, "it speaks SQLite's own SQL")
	b := newBench(t)
	b.fill(30, 3)
	undo := errors.New("undo")
	blocks := allBlocks(t, b.db)
	x, last := blocks[len(blocks)/2], blocks[len(blocks)-1]
	for want, change := range map[string]string{
		fmt.Sprintf("entry %d of chart %d differs from its hash", x.first, x.chart):   fmt.Sprintf(`UPDATE audit_block SET data = x'00' WHERE first = %d`, x.first),
		fmt.Sprintf("entries %d to %d are missing", x.first, x.first+x.n-1):           fmt.Sprintf(`DELETE FROM audit_block WHERE first = %d`, x.first),
		"checkpoint 29 stands in the wrong place: it signs 30 entries":                `UPDATE audit_checkpoint SET size = 29 WHERE size = 30`,
		fmt.Sprintf("the stored hash of entry 29 of chart %d is missing", last.chart): `UPDATE audit_tile SET data = substr(data, 1, 29*32)`,
		fmt.Sprintf("signs 30 entries, but the store has only %d", last.first):        fmt.Sprintf(`DELETE FROM audit_block WHERE first = %d`, last.first),
	} {
		b.db.Write(t.Context(), func(tx *store.Tx) error {
			if _, err := tx.Exec(t.Context(), change); err != nil {
				t.Fatal(err)
			}
			if rep := verified(t, tx, b.anchor(), nil); !strings.Contains(strings.Join(rep.Problems, "\n"), want) {
				t.Errorf("want %q in %q", want, rep.Problems)
			}
			return undo
		})
	}
}

func TestProblemsAreBounded(t *testing.T) {
	b := newBench(t)
	b.fill(300, 3)
	b.db.Write(t.Context(), func(tx *store.Tx) error {
		tx.Exec(t.Context(), `UPDATE audit_block SET chart = chart + 1`)
		rep := verified(t, tx, b.anchor(), nil)
		if n := len(rep.Problems); n != maxProblems+1 || !strings.HasPrefix(rep.Problems[n-1], "and ") {
			t.Errorf("%d problems", n)
		}
		return context.Canceled
	})
}

// A store that is older than the anchor, or another one altogether, is refused at the start, with the remedy.
func TestOpenRefusesOlderStore(t *testing.T) {
	storetest.SQLiteOnly(t, "it looks into the files")
	copyDB := func(b *bench, to string) {
		b.stop()
		data, err := os.ReadFile(b.dbPath())
		if err != nil {
			b.t.Fatal(err)
		}
		if err := os.WriteFile(to, data, 0o600); err != nil {
			b.t.Fatal(err)
		}
		b.openDB()
	}
	refused := func(b *bench, why string) {
		t.Helper()
		log, err := Open(t.Context(), b.conf)
		if err == nil {
			log.Close()
			t.Fatal("accepted")
		}
		if !errors.Is(err, ErrTampered) || !strings.Contains(err.Error(), why) ||
			!strings.Contains(err.Error(), "move the anchor file aside") {
			t.Errorf("got %v", err)
		}
	}
	b := newBench(t)
	b.fill(20, 2)
	old := filepath.Join(b.dir, "backup")
	copyDB(b, old)
	b.start()
	b.fill(20, 2)
	b.stop()
	if err := os.Rename(old, b.dbPath()); err != nil {
		t.Fatal(err)
	}
	b.openDB()
	b.conf.DB = b.db
	refused(b, "40 entries were signed, but the store has only 20")
	aside := b.anchor() + ".aside"
	if err := os.Rename(b.anchor(), aside); err != nil { // what the remedy says
		t.Fatal(err)
	}
	b.start()
	b.fill(25, 2) // now longer than the anchor, but different
	b.stop()
	if err := os.Rename(aside, b.anchor()); err != nil {
		t.Fatal(err)
	}
	b.openDB()
	b.conf.DB = b.db
	refused(b, "not those that were signed")
}

func TestOpenRefusesChangedStore(t *testing.T) {
	storetest.SQLiteOnly(t, "it speaks SQLite's own SQL")
	for name, change := range map[string]string{
		"last block gone":           `DELETE FROM audit_block WHERE first = (SELECT MAX(first) FROM audit_block)`,
		"a tile too many":           `INSERT INTO audit_tile VALUES (1, 0, zeroblob(32))`,
		"a hash too many":           `UPDATE audit_tile SET data = data || zeroblob(32)`,
		"last hashes gone":          `UPDATE audit_tile SET data = substr(data, 1, 19*32)`,
		"all hashes gone":           `DELETE FROM audit_tile`,
		"a right-edge hash":         `UPDATE audit_tile SET data = substr(data, 1, 19*32) || zeroblob(32)`,
		"a short hash":              `UPDATE audit_tile SET data = substr(data, 1, 20*32-1)`,
		"last block changed":        `UPDATE audit_block SET chart = 77 WHERE first = (SELECT MAX(first) FROM audit_block)`,
		"checkpoint damaged":        `UPDATE audit_checkpoint SET note = x'00'`,
		"a block far beyond":        `UPDATE audit_block SET first = 4611686018427387904 WHERE first = (SELECT MAX(first) FROM audit_block)`,
		"a hash of the signed tree": `UPDATE audit_tile SET data = substr(data, 1, 7*32) || zeroblob(32) || substr(data, 8*32+1)`,
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.fill(20, 2)
			b.log.Close()
			b.log = nil
			err := b.db.Write(t.Context(), func(tx *store.Tx) error {
				_, err := tx.Exec(t.Context(), change)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			log, err := Open(t.Context(), b.conf)
			if err == nil {
				log.Close()
			}
			if !errors.Is(err, ErrTampered) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestOpenRefusesAnotherKey(t *testing.T) {
	b := newBench(t)
	b.fill(5, 1)
	b.log.Close()
	b.log = nil
	b.conf.Seed = random(32)
	if log, err := Open(t.Context(), b.conf); !errors.Is(err, ErrTampered) {
		if err == nil {
			log.Close()
		}
		t.Errorf("got %v", err)
	}
}

// A crash may cut the anchor's last record at any byte. The next start goes on behind it, and what it wrote holds.
func TestAnchorCutShort(t *testing.T) {
	b := newBench(t)
	b.fill(10, 1)
	b.stop()
	whole, err := os.ReadFile(b.anchor())
	if err != nil {
		t.Fatal(err)
	}
	last := bytes.LastIndex(whole[:len(whole)-len(anchorEnd)], []byte(anchorEnd)) + len(anchorEnd)
	for cut := last + 1; cut < len(whole); cut += 1 + (len(whole)-last)/12 {
		if err := os.WriteFile(b.anchor(), whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		b.openDB()
		b.start()
		b.durable(1, "after the crash")
		b.sign(true)
		rep := b.sound()
		if s := rep.Entries; rep.Signed != s {
			t.Errorf("%+v", rep)
		}
		b.stop()
		if whole, err := os.ReadFile(b.anchor()); err != nil || newest(whole) != rep.Entries {
			t.Errorf("cut at %d: the newest anchor signs %d of %d", cut, newest(whole), rep.Entries)
		}
	}
}

func newest(anchor []byte) (size int64) {
	note, _ := newestAnchor(anchor)
	fmt.Sscanf(string(note), origin+"\n%d", &size)
	return size
}

func TestAnchorIsPrivateAndOnlyGrows(t *testing.T) {
	b := newBench(t)
	b.fill(50, 2)
	before, err := os.ReadFile(b.anchor())
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(b.anchor())
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	b.stop()
	b.openDB()
	b.start()
	b.fill(9, 1)
	after, err := os.ReadFile(b.anchor())
	if err != nil || !bytes.HasPrefix(after, before) || len(after) == len(before) {
		t.Error("the anchor file was not appended to", err)
	}
	b.stop()
	if err := os.Chmod(b.anchor(), 0o622); err != nil {
		t.Fatal(err)
	}
	b.openDB()
	b.conf.DB = b.db
	if log, err := Open(t.Context(), b.conf); err == nil {
		log.Close()
		t.Error("a file that others can write was accepted")
	}
}

// Our key may sign nothing but a checkpoint of this log, however well the signature holds.
func TestOpenCheckpointRefuses(t *testing.T) {
	signer, vkey, err := newSigner(origin, seed[:])
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		t.Fatal(err)
	}
	root := tlog.Hash(random(32)).String()
	for text, good := range map[string]bool{
		origin + "\n5\n" + root + "\n":            true,
		origin + "\n5\n" + root + "\nextension\n": true,
		"other.test/log\n5\n" + root + "\n":       false,
		origin + "\n05\n" + root + "\n":           false,
		origin + "\n-5\n" + root + "\n":           false,
		origin + "\nfive\n" + root + "\n":         false,
		origin + "\n5\n" + root[1:] + "\n":        false,
		origin + "\n5\n":                          false,
	} {
		signed, err := note.Sign(&note.Note{Text: text}, signer)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := openCheckpoint(signed, v); (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
	}
}
