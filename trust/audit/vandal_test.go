package audit

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/wellgate/wellgate/store"
)

// An attacker has the database's files, and with them everything but the signing key. vandal changes them through SQL.
type vandal struct {
	t    *testing.T
	tx   *store.Tx
	r    *rand.Rand
	size int64
	seal *sealer
	dir  string
	file string // the anchor file to verify with; a changed copy for some
	keys bool   // this change shows only to who has the charts' keys
}

func (v *vandal) exec(query string, args ...any) {
	v.t.Helper()
	n, err := v.tx.Exec(v.t.Context(), query, args...)
	if err != nil {
		v.t.Fatalf("%s: %v", query, err)
	}
	if n == 0 {
		v.t.Fatalf("%s changed nothing", query)
	}
}

func (v *vandal) blob(query string, args ...any) (b []byte) {
	v.t.Helper()
	if err := v.tx.QueryRow(v.t.Context(), query, args...).Scan(&b); err != nil {
		v.t.Fatal(err)
	}
	return b
}

func (v *vandal) flip(b []byte) []byte {
	b = bytes.Clone(b)
	b[v.r.IntN(len(b))] ^= 1 << v.r.IntN(8)
	return b
}

func (v *vandal) entry() int64 { return v.r.Int64N(v.size) }

// pair is two different entries.
func (v *vandal) pair() (int64, int64) {
	a := v.r.Int64N(v.size - 1)
	return a, a + 1 + v.r.Int64N(v.size-a-1)
}

// checkpoint is the size of a checkpoint that is anchored.
func (v *vandal) anchored() int64 {
	s, err := scanAnchor(v.file)
	if err != nil {
		v.t.Fatal(err)
	}
	defer s.Close()
	var sizes []int64
	for {
		note, err := s.next()
		if err != nil {
			return sizes[v.r.IntN(len(sizes))]
		}
		var size int64
		fmt.Sscanf(strings.Split(string(note), "\n")[1], "%d", &size)
		sizes = append(sizes, size)
	}
}

// rehash makes the stored hashes fit whatever the entries are now.
func (v *vandal) rehash() edge {
	v.t.Helper()
	ctx := v.t.Context()
	rows, err := v.tx.Query(ctx, `SELECT idx, chart, commitment, data FROM audit_entry ORDER BY idx`)
	if err != nil {
		v.t.Fatal(err)
	}
	var e edge
	var hashes []tlog.Hash
	for rows.Next() {
		r, err := scanRecord(rows)
		if err != nil {
			v.t.Fatal(err)
		}
		hashes = append(hashes, e.add(newLeaf(r.commitment, r.chart, sha256.Sum256(r.data)).hash())...)
	}
	rows.Close()
	v.exec(`DELETE FROM audit_hash`)
	if err := insertHashes(ctx, v.tx, 0, hashes); err != nil {
		v.t.Fatal(err)
	}
	return e
}

func (v *vandal) swapIdx(a, b int64) {
	v.exec(`UPDATE audit_entry SET idx = -9 WHERE idx = $1`, a)
	v.exec(`UPDATE audit_entry SET idx = $1 WHERE idx = $2`, a, b)
	v.exec(`UPDATE audit_entry SET idx = $1 WHERE idx = -9`, b)
}

func (v *vandal) swap(column string, a, b int64) {
	v.exec(fmt.Sprintf(`UPDATE audit_entry SET %[1]s = (SELECT o.%[1]s FROM audit_entry o WHERE o.idx = $1 + $2 - audit_entry.idx)
		WHERE idx IN ($1, $2)`, column), a, b)
}

// makeRoom moves the entries from at on up by one.
func (v *vandal) makeRoom(at int64) {
	v.exec(`UPDATE audit_entry SET idx = -idx - 2 WHERE idx >= $1`, at)
	v.exec(`UPDATE audit_entry SET idx = -idx - 1 WHERE idx < 0`)
}

// forge makes a well-formed entry of chart 1 that never happened.
func (v *vandal) forge(idx int64) record {
	plain := append(random(saltSize), `{"n":0,"what":"nothing"}`...)
	data := v.seal.aead(1).Seal(nil, nil, plain, place(1, idx))
	return record{idx: idx, chart: 1, commitment: sha256.Sum256(plain), data: data}
}

func (v *vandal) insert(r record) {
	if err := insertEntries(v.t.Context(), v.tx, []record{r}); err != nil {
		v.t.Fatal(err)
	}
}

func (v *vandal) truncate(keep int64) {
	v.exec(`DELETE FROM audit_entry WHERE idx >= $1`, keep)
	v.exec(`DELETE FROM audit_hash WHERE idx >= $1`, tlog.StoredHashCount(keep))
}

// signAs replaces the newest checkpoint by one of another key, over the tree as it is now.
func (v *vandal) signAs(key [32]byte, name string, e edge) []byte {
	signer, _, err := newSigner(name, key[:])
	if err != nil {
		v.t.Fatal(err)
	}
	note, err := signCheckpoint(checkpoint{e.size, e.root()}, signer)
	if err != nil {
		v.t.Fatal(err)
	}
	return note
}

func (v *vandal) changeAnchor(change func([]byte) []byte) {
	b, err := os.ReadFile(v.file)
	if err != nil {
		v.t.Fatal(err)
	}
	v.file = filepath.Join(v.dir, "changed-anchor")
	if err := os.WriteFile(v.file, change(b), 0o600); err != nil {
		v.t.Fatal(err)
	}
}

var vandalism = map[string]func(v *vandal){
	"flip a bit of sealed data": func(v *vandal) {
		i := v.entry()
		v.exec(`UPDATE audit_entry SET data = $1 WHERE idx = $2`, v.flip(v.blob(`SELECT data FROM audit_entry WHERE idx = $1`, i)), i)
	},
	"flip a bit of a commitment": func(v *vandal) {
		i := v.entry()
		v.exec(`UPDATE audit_entry SET commitment = $1 WHERE idx = $2`, v.flip(v.blob(`SELECT commitment FROM audit_entry WHERE idx = $1`, i)), i)
	},
	"flip a bit of a chart number": func(v *vandal) {
		v.exec(`UPDATE audit_entry SET chart = (chart | $1) - (chart & $1) WHERE idx = $2`, int64(1)<<v.r.IntN(62), v.entry())
	},
	"flip a bit of a stored hash": func(v *vandal) {
		i := v.r.Int64N(tlog.StoredHashCount(v.size))
		v.exec(`UPDATE audit_hash SET hash = $1 WHERE idx = $2`, v.flip(v.blob(`SELECT hash FROM audit_hash WHERE idx = $1`, i)), i)
	},
	"flip a bit of a checkpoint": func(v *vandal) {
		s := v.anchored()
		v.exec(`UPDATE audit_checkpoint SET note = $1 WHERE size = $2`, v.flip(v.blob(`SELECT note FROM audit_checkpoint WHERE size = $1`, s)), s)
	},
	"flip a bit of the anchor file": func(v *vandal) { v.changeAnchor(v.flip) },
	"flip a bit and mend the hashes": func(v *vandal) {
		i := v.entry()
		v.exec(`UPDATE audit_entry SET data = $1 WHERE idx = $2`, v.flip(v.blob(`SELECT data FROM audit_entry WHERE idx = $1`, i)), i)
		v.rehash()
	},
	"cut data short": func(v *vandal) {
		v.exec(`UPDATE audit_entry SET data = substr(data, 1, length(data) - $1) WHERE idx = $2`, 1+v.r.IntN(30), v.entry())
	},
	"empty the data":          func(v *vandal) { v.exec(`UPDATE audit_entry SET data = x'' WHERE idx = $1`, v.entry()) },
	"text for a chart number": func(v *vandal) { v.exec(`UPDATE audit_entry SET chart = 'one' WHERE idx = $1`, v.entry()) },

	"delete an entry": func(v *vandal) { v.exec(`DELETE FROM audit_entry WHERE idx = $1`, v.entry()) },
	"delete an entry and close the gap": func(v *vandal) {
		i := v.entry()
		v.exec(`DELETE FROM audit_entry WHERE idx = $1`, i)
		v.tx.Exec(v.t.Context(), `UPDATE audit_entry SET idx = -idx - 1 WHERE idx > $1`, i)
		v.tx.Exec(v.t.Context(), `UPDATE audit_entry SET idx = -idx - 2 WHERE idx < 0`)
		v.rehash()
		v.tx.Exec(v.t.Context(), `DELETE FROM audit_checkpoint WHERE size >= $1`, v.size)
	},
	"delete a stored hash": func(v *vandal) {
		v.exec(`DELETE FROM audit_hash WHERE idx = $1`, v.r.Int64N(tlog.StoredHashCount(v.size)))
	},
	"delete all stored hashes":      func(v *vandal) { v.exec(`DELETE FROM audit_hash`) },
	"delete an anchored checkpoint": func(v *vandal) { v.exec(`DELETE FROM audit_checkpoint WHERE size = $1`, v.anchored()) },
	"delete everything":             func(v *vandal) { v.exec(`DELETE FROM audit_checkpoint`); v.truncate(0) },
	"delete all entries":            func(v *vandal) { v.exec(`DELETE FROM audit_entry`) },
	"delete the anchor file":        func(v *vandal) { v.file = filepath.Join(v.dir, "no-such-file") },
	"cut the anchor file in a note": func(v *vandal) { v.changeAnchor(func(b []byte) []byte { return b[:len(b)-4-v.r.IntN(80)] }) },
	"put the anchor's notes in reverse": func(v *vandal) {
		v.changeAnchor(func(b []byte) []byte {
			notes := bytes.SplitAfter(b, []byte(anchorEnd))
			var out []byte
			for i := len(notes) - 1; i >= 0; i-- {
				out = append(out, notes[i]...)
			}
			return out
		})
	},

	"cut off the last entries":   func(v *vandal) { v.exec(`DELETE FROM audit_entry WHERE idx >= $1`, v.entry()) },
	"cut off entries and hashes": func(v *vandal) { v.truncate(v.entry()) },
	"cut off entries, hashes, checkpoints": func(v *vandal) {
		keep := v.entry()
		v.truncate(keep)
		v.exec(`DELETE FROM audit_checkpoint WHERE size > $1`, keep)
	},
	"cut off and sign with another key": func(v *vandal) {
		keep := 1 + v.r.Int64N(v.size-1)
		v.truncate(keep)
		v.exec(`DELETE FROM audit_checkpoint WHERE size >= $1`, keep)
		note := v.signAs([32]byte(random(32)), origin, v.rehash())
		v.exec(`INSERT INTO audit_checkpoint (size, note) VALUES ($1, $2)`, keep, note)
	},

	"swap two entries": func(v *vandal) { v.swapIdx(v.pair()) },
	"swap two entries and mend the hashes": func(v *vandal) {
		v.swapIdx(v.pair())
		v.rehash()
	},
	"swap the data of two entries":        func(v *vandal) { a, b := v.pair(); v.swap("data", a, b) },
	"swap the commitments of two entries": func(v *vandal) { a, b := v.pair(); v.swap("commitment", a, b) },
	"swap the charts of two entries": func(v *vandal) {
		a := v.r.Int64N(v.size - 1) // neighbours belong to different charts
		v.swap("chart", a, a+1)
	},
	"swap the charts and mend the hashes": func(v *vandal) {
		a := v.r.Int64N(v.size - 1)
		v.swap("chart", a, a+1)
		v.rehash()
	},
	"swap two stored hashes": func(v *vandal) {
		a := v.r.Int64N(tlog.StoredHashCount(v.size) - 1)
		v.exec(`UPDATE audit_hash SET hash = (SELECT o.hash FROM audit_hash o WHERE o.idx = 2 * $1 + 1 - audit_hash.idx)
			WHERE idx IN ($1, $1 + 1)`, a)
	},
	"swap two checkpoints": func(v *vandal) {
		s := v.anchored()
		v.exec(`UPDATE audit_checkpoint SET note = (SELECT note FROM audit_checkpoint o WHERE o.size <> $1 LIMIT 1) WHERE size = $1`, s)
	},
	"move a checkpoint": func(v *vandal) {
		v.exec(`UPDATE audit_checkpoint SET size = size * 1000 + 1 WHERE size = $1`, v.anchored())
	},
	"move a checkpoint below zero": func(v *vandal) {
		v.exec(`UPDATE audit_checkpoint SET size = -5 WHERE size = $1`, v.anchored())
	},

	"insert an entry": func(v *vandal) {
		i := v.entry()
		v.makeRoom(i)
		v.insert(v.forge(i))
	},
	"insert an entry and mend the hashes": func(v *vandal) {
		i := v.entry()
		v.makeRoom(i)
		v.insert(v.forge(i))
		v.rehash()
	},
	"insert an entry below zero":     func(v *vandal) { v.insert(v.forge(-1 - v.entry())) },
	"insert an entry far beyond":     func(v *vandal) { v.insert(v.forge(1 << 62)) },
	"insert an entry after a gap":    func(v *vandal) { v.insert(v.forge(v.size + 1 + v.entry())) },
	"insert an entry without hashes": func(v *vandal) { v.insert(v.forge(v.size)) },
	"insert a hash below zero":       func(v *vandal) { v.exec(`INSERT INTO audit_hash VALUES (-7, $1)`, random(32)) },
	"insert a hash beyond": func(v *vandal) {
		v.exec(`INSERT INTO audit_hash VALUES ($1, $2)`, tlog.StoredHashCount(v.size), random(32))
	},
	"append a copy of an entry": func(v *vandal) { // not signed yet, so only the keys tell
		v.exec(`INSERT INTO audit_entry SELECT $1, chart, commitment, data FROM audit_entry WHERE idx = $2`, v.size, v.entry())
		v.rehash()
		v.keys = true
	},

	"append an entry with another commitment": func(v *vandal) {
		r := v.forge(v.size)
		r.commitment = [32]byte(random(32))
		v.insert(r)
		v.rehash()
		v.keys = true
	},

	"change a salt": func(v *vandal) { // by somebody with the chart's key
		i := v.entry()
		chart, plain := v.plain(i)
		copy(plain, random(saltSize))
		v.exec(`UPDATE audit_entry SET data = $1 WHERE idx = $2`, v.seal.aead(chart).Seal(nil, nil, plain, place(chart, i)), i)
	},
	"change a salt, its commitment and the hashes": func(v *vandal) {
		i := v.entry()
		chart, plain := v.plain(i)
		copy(plain, random(saltSize))
		sum := sha256.Sum256(plain)
		v.exec(`UPDATE audit_entry SET data = $1, commitment = $2 WHERE idx = $3`, v.seal.aead(chart).Seal(nil, nil, plain, place(chart, i)), sum[:], i)
		v.rehash()
	},
	"rewrite an entry by somebody with its key": func(v *vandal) {
		i := v.entry()
		v.exec(`DELETE FROM audit_entry WHERE idx = $1`, i)
		v.insert(v.forge(i))
		v.rehash()
	},

	"forge a checkpoint": func(v *vandal) {
		s := v.anchored()
		v.exec(`UPDATE audit_checkpoint SET note = $1 WHERE size = $2`, v.signAs([32]byte(random(32)), origin, edge{size: s, sub: []tlog.Hash{tlog.Hash(random(32))}}), s)
	},
	"rewrite all and sign with another key": func(v *vandal) {
		i := v.entry()
		v.exec(`DELETE FROM audit_entry WHERE idx = $1`, i)
		v.insert(v.forge(i))
		note := v.signAs([32]byte(random(32)), origin, v.rehash())
		v.exec(`DELETE FROM audit_checkpoint`)
		v.exec(`INSERT INTO audit_checkpoint VALUES ($1, $2)`, v.size, note)
	},
	"replace the anchor by another key's": func(v *vandal) {
		note := v.signAs([32]byte(random(32)), origin, v.rehash())
		v.changeAnchor(func([]byte) []byte { return append(note, anchorEnd...) })
	},
	"a checkpoint of our key for another log": func(v *vandal) {
		s := v.anchored()
		v.exec(`UPDATE audit_checkpoint SET note = $1 WHERE size = $2`, v.signAs(seed, "other.test/practice", edge{size: s, sub: []tlog.Hash{tlog.Hash(random(32))}}), s)
	},
	"replace a run of stored hashes": func(v *vandal) {
		n := tlog.StoredHashCount(v.size)
		from := v.r.Int64N(n)
		v.exec(`UPDATE audit_hash SET hash = randomblob(32) WHERE idx >= $1 AND idx < $2`, from, from+1+v.r.Int64N(n-from))
	},
}

func (v *vandal) plain(idx int64) (int64, []byte) {
	r, err := recordAt(v.t.Context(), v.tx, idx)
	if err != nil {
		v.t.Fatal(err)
	}
	plain, err := v.seal.OpenEntry(v.t.Context(), r.chart, idx, r.data)
	if err != nil {
		v.t.Fatal(err)
	}
	return r.chart, plain
}
