package audit

import (
	"bytes"
	"context"
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

// blocks reads all of them.
func (v *vandal) blocks() []block { return allBlocks(v.t, v.tx) }

func allBlocks(t testing.TB, q store.Querier) (list []block) {
	t.Helper()
	rows, err := q.Query(context.Background(), blockColumns+`ORDER BY first`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var b block
		if err := rows.Scan(&b.first, &b.chart, &b.n, &b.hashes, &b.data); err != nil {
			t.Fatal(err)
		}
		list = append(list, b)
	}
	return list
}

// replace puts list in the place of what is stored.
func (v *vandal) replace(list []block) {
	v.exec(`DELETE FROM audit_block`)
	if err := insertBlocks(v.t.Context(), v.tx, list); err != nil {
		v.t.Fatal(err)
	}
}

// renumber closes the gaps between blocks.
func renumber(list []block) []block {
	next := int64(0)
	for i := range list {
		list[i].first, next = next, next+list[i].n
	}
	return list
}

func (v *vandal) block() block { l := v.blocks(); return l[v.r.IntN(len(l))] }

// pair is two different blocks.
func (v *vandal) pair() (a, b block) {
	l := v.blocks()
	i := v.r.IntN(len(l) - 1)
	return l[i], l[i+1+v.r.IntN(len(l)-i-1)]
}

// charts is two blocks of different charts.
func (v *vandal) charts() (a, b block) {
	for {
		if a, b = v.pair(); a.chart != b.chart {
			return a, b
		}
	}
}

// anchored is the size of a checkpoint that is anchored.
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

// rehash makes the tiles fit whatever the blocks are now.
func (v *vandal) rehash() edge {
	v.t.Helper()
	var t tree
	for _, b := range v.blocks() {
		place := placed(b.chart, sealedHash(b.first, b.data))
		for i := range len(b.hashes) / 32 {
			t.add(leafOf([32]byte(b.hashes[i*32:]), place).hash())
		}
	}
	v.exec(`DELETE FROM audit_tile`)
	if err := insertTiles(v.t.Context(), v.tx, t.tiles()); err != nil {
		v.t.Fatal(err)
	}
	return t.edge
}

func (v *vandal) swap(column string, a, b block) {
	v.exec(fmt.Sprintf(`UPDATE audit_block SET %[1]s = (SELECT o.%[1]s FROM audit_block o WHERE o.first = $1 + $2 - audit_block.first)
		WHERE first IN ($1, $2)`, column), a.first, b.first)
}

// swapPlaces exchanges two blocks and moves what lies between.
func (v *vandal) swapPlaces() {
	l := v.blocks()
	i := v.r.IntN(len(l) - 1)
	j := i + 1 + v.r.IntN(len(l)-i-1)
	l[i], l[j] = l[j], l[i]
	v.replace(renumber(l))
}

// forge makes a well-formed block of chart 1 that never happened.
func (v *vandal) forge(first int64) block {
	plain, hashes := packBlock([][]byte{[]byte(`{"n":0,"what":"nothing"}`)})
	return block{first: first, chart: 1, n: 1, hashes: hashes, data: v.seal.aead(1).Seal(nil, nil, plain, place(1, first))}
}

// put inserts a forged block before the i-th and moves the rest.
func (v *vandal) put(i int) {
	l := v.blocks()
	f := v.forge(l[i].first)
	v.replace(renumber(append(l[:i:i], append([]block{f}, l[i:]...)...)))
}

func (v *vandal) insert(b block) {
	if err := insertBlocks(v.t.Context(), v.tx, []block{b}); err != nil {
		v.t.Fatal(err)
	}
}

// truncate keeps the blocks before b and mends the tiles.
func (v *vandal) truncate(b block) edge {
	v.exec(`DELETE FROM audit_block WHERE first >= $1`, b.first)
	return v.rehash()
}

// unsign removes the checkpoints from a size on.
func (v *vandal) unsign(from int64) {
	v.tx.Exec(v.t.Context(), `DELETE FROM audit_checkpoint WHERE size >= $1`, from)
	v.tx.Exec(v.t.Context(), `DELETE FROM audit_recent WHERE size >= $1`, from)
}

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

// reseal changes what a block says, as somebody with its key could.
func (v *vandal) reseal(b *block, change func(plain []byte)) {
	plain, err := v.seal.OpenEntry(v.t.Context(), b.chart, b.first, b.data)
	if err != nil {
		v.t.Fatal(err)
	}
	change(plain)
	b.data = v.seal.aead(b.chart).Seal(nil, nil, plain, place(b.chart, b.first))
	entries, err := unpackBlock(plain, b.n)
	if err != nil {
		v.t.Fatal(err)
	}
	b.hashes = nil
	for i, e := range entries {
		sum, _ := commit(salt(plain, i), e, nil)
		b.hashes = append(b.hashes, sum[:]...)
	}
}

func newSalt(plain []byte) { copy(plain, random(seedSize)) }

func (v *vandal) update(b block) {
	v.exec(`UPDATE audit_block SET hashes = $1, data = $2 WHERE first = $3`, b.hashes, b.data, b.first)
}

// exchange swaps two commitments inside one block.
func exchange(b block) block {
	h := bytes.Clone(b.hashes)
	last := h[len(h)-32:]
	first := bytes.Clone(h[:32])
	copy(h, last)
	copy(last, first)
	b.hashes = h
	return b
}

// many is a block of more than one entry.
func (v *vandal) many() block {
	for {
		if b := v.block(); b.n > 1 {
			return b
		}
	}
}

var vandalism = map[string]func(v *vandal){
	"flip a bit of sealed data":  func(v *vandal) { b := v.block(); b.data = v.flip(b.data); v.update(b) },
	"flip a bit of a commitment": func(v *vandal) { b := v.block(); b.hashes = v.flip(b.hashes); v.update(b) },
	"flip a bit of a chart number": func(v *vandal) {
		v.exec(`UPDATE audit_block SET chart = (chart | $1) - (chart & $1) WHERE first = $2`, int64(1)<<v.r.IntN(62), v.block().first)
	},
	"flip a bit of a count": func(v *vandal) {
		v.exec(`UPDATE audit_block SET n = (n | $1) - (n & $1) WHERE first = $2`, int64(1)<<v.r.IntN(62), v.block().first)
	},
	"flip a bit of a tile": func(v *vandal) {
		v.exec(`UPDATE audit_tile SET data = $1 WHERE level = 0 AND n = 0`, v.flip(v.blob(`SELECT data FROM audit_tile WHERE level = 0 AND n = 0`)))
	},
	"flip a bit of a checkpoint that stays": func(v *vandal) {
		s := v.anchored()
		v.exec(`UPDATE audit_checkpoint SET note = $1 WHERE size = $2`, v.flip(v.blob(`SELECT note FROM audit_checkpoint WHERE size = $1`, s)), s)
	},
	"flip a bit of a recent checkpoint": func(v *vandal) {
		v.exec(`UPDATE audit_recent SET note = $1 WHERE size = (SELECT MAX(size) FROM audit_recent)`,
			v.flip(v.blob(`SELECT note FROM audit_recent ORDER BY size DESC LIMIT 1`)))
	},
	"flip a bit of the anchor file": func(v *vandal) { v.changeAnchor(v.flip) },
	"flip a bit and mend the tiles": func(v *vandal) {
		b := v.block()
		b.data = v.flip(b.data)
		v.update(b)
		v.rehash()
	},
	"cut data short": func(v *vandal) { b := v.block(); b.data = b.data[:len(b.data)-1-v.r.IntN(30)]; v.update(b) },
	"empty the data": func(v *vandal) { b := v.block(); b.data = []byte{}; v.update(b) },
	"empty the data and mend the tiles": func(v *vandal) {
		b := v.block()
		b.data = []byte{}
		v.update(b)
		v.rehash()
	},
	"cut a commitment off":    func(v *vandal) { b := v.block(); b.hashes = b.hashes[:len(b.hashes)-32]; v.update(b) },
	"cut a commitment short":  func(v *vandal) { b := v.block(); b.hashes = b.hashes[:len(b.hashes)-1]; v.update(b) },
	"text for a chart number": func(v *vandal) { v.exec(`UPDATE audit_block SET chart = 'one' WHERE first = $1`, v.block().first) },
	"text for a count":        func(v *vandal) { v.exec(`UPDATE audit_block SET n = 'one' WHERE first = $1`, v.block().first) },

	"delete a block": func(v *vandal) { v.exec(`DELETE FROM audit_block WHERE first = $1`, v.block().first) },
	"delete a block and close the gap": func(v *vandal) {
		l := v.blocks()
		i := v.r.IntN(len(l))
		v.replace(renumber(append(l[:i:i], l[i+1:]...)))
		e := v.rehash()
		v.unsign(e.size + 1)
	},
	"delete the last entry of a block": func(v *vandal) {
		l := v.blocks()
		b := &l[v.r.IntN(len(l)-1)]
		for b.n < 2 {
			b = &l[v.r.IntN(len(l)-1)]
		}
		b.n--
		b.hashes = b.hashes[:b.n*32]
		v.replace(renumber(l))
		v.rehash()
	},
	"delete a tile":    func(v *vandal) { v.exec(`DELETE FROM audit_tile WHERE level = 0 AND n = 0`) },
	"delete all tiles": func(v *vandal) { v.exec(`DELETE FROM audit_tile`) },
	"delete an anchored checkpoint": func(v *vandal) {
		s := v.anchored()
		v.exec(`DELETE FROM audit_checkpoint WHERE size = $1`, s)
		v.tx.Exec(v.t.Context(), `DELETE FROM audit_recent WHERE size = $1`, s)
	},
	"delete all checkpoints":        func(v *vandal) { v.unsign(-1) },
	"delete everything":             func(v *vandal) { v.unsign(-1); v.exec(`DELETE FROM audit_block`); v.exec(`DELETE FROM audit_tile`) },
	"delete all blocks":             func(v *vandal) { v.exec(`DELETE FROM audit_block`) },
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

	"cut off the last blocks":            func(v *vandal) { v.exec(`DELETE FROM audit_block WHERE first >= $1`, v.block().first) },
	"cut off blocks and tiles":           func(v *vandal) { v.truncate(v.block()) },
	"cut off blocks, tiles, checkpoints": func(v *vandal) { v.unsign(v.truncate(v.block()).size + 1) },
	"cut off and sign with another key": func(v *vandal) {
		_, b := v.pair()
		e := v.truncate(b)
		v.unsign(e.size)
		v.exec(`INSERT INTO audit_checkpoint (size, note) VALUES ($1, $2)`, e.size, v.signAs([32]byte(random(32)), origin, e))
	},

	"swap two blocks":                      func(v *vandal) { v.swapPlaces() },
	"swap two blocks and mend the tiles":   func(v *vandal) { v.swapPlaces(); v.rehash() },
	"swap the data of two blocks":          func(v *vandal) { a, b := v.pair(); v.swap("data", a, b) },
	"swap the data and mend the tiles":     func(v *vandal) { a, b := v.pair(); v.swap("data", a, b); v.rehash() },
	"swap the commitments of two blocks":   func(v *vandal) { a, b := v.pair(); v.swap("hashes", a, b) },
	"swap two commitments in a block":      func(v *vandal) { v.update(exchange(v.many())) },
	"swap two commitments, mend the tiles": func(v *vandal) { v.update(exchange(v.many())); v.rehash() },
	"swap the charts of two blocks":        func(v *vandal) { a, b := v.charts(); v.swap("chart", a, b) },
	"swap the charts and mend the tiles":   func(v *vandal) { a, b := v.charts(); v.swap("chart", a, b); v.rehash() },
	"give a block to another chart":        func(v *vandal) { v.exec(`UPDATE audit_block SET chart = 77 WHERE first = $1`, v.block().first) },
	"swap two hashes of a tile": func(v *vandal) {
		i := v.r.Int64N(v.size - 1)
		d := v.blob(`SELECT data FROM audit_tile WHERE level = 0 AND n = 0`)
		a := bytes.Clone(d[i*32 : i*32+32])
		copy(d[i*32:], d[i*32+32:i*32+64])
		copy(d[i*32+32:], a)
		v.exec(`UPDATE audit_tile SET data = $1 WHERE level = 0 AND n = 0`, d)
	},
	"split a block in two": func(v *vandal) {
		b := v.many()
		c := b
		c.first, c.n, c.hashes = b.first+1, b.n-1, b.hashes[32:]
		v.exec(`UPDATE audit_block SET n = 1, hashes = $1 WHERE first = $2`, b.hashes[:32], b.first)
		v.insert(c)
		v.rehash()
	},
	"swap two checkpoints": func(v *vandal) {
		s := v.anchored()
		v.exec(`UPDATE audit_checkpoint SET note = (SELECT note FROM audit_checkpoint o WHERE o.size <> $1 LIMIT 1) WHERE size = $1`, s)
	},
	"move a checkpoint": func(v *vandal) {
		v.exec(`UPDATE audit_checkpoint SET size = size * 1000 + 1 WHERE size = $1`, v.anchored())
	},
	"move a recent checkpoint": func(v *vandal) {
		v.exec(`UPDATE audit_recent SET size = size - 1 WHERE size = (SELECT MAX(size) FROM audit_recent)`)
	},
	"move a checkpoint below zero": func(v *vandal) {
		v.exec(`UPDATE audit_checkpoint SET size = -5 WHERE size = $1`, v.anchored())
	},

	"insert a block":                    func(v *vandal) { v.put(v.r.IntN(len(v.blocks()))) },
	"insert a block and mend the tiles": func(v *vandal) { v.put(v.r.IntN(len(v.blocks()))); v.rehash() },
	"insert a block below zero":         func(v *vandal) { v.insert(v.forge(-1 - v.block().first)) },
	"insert a block far beyond":         func(v *vandal) { v.insert(v.forge(1 << 62)) },
	"insert a block after a gap":        func(v *vandal) { v.insert(v.forge(v.size + 1 + v.block().first)) },
	"insert a block inside another":     func(v *vandal) { v.insert(v.forge(v.many().first + 1)) },
	"insert a block without hashes":     func(v *vandal) { v.insert(v.forge(v.size)) },
	"insert a tile below zero":          func(v *vandal) { v.exec(`INSERT INTO audit_tile VALUES (0, -7, $1)`, random(64)) },
	"insert a tile beyond":              func(v *vandal) { v.exec(`INSERT INTO audit_tile VALUES ($1, 5, $2)`, v.r.IntN(4), random(64)) },
	"insert a hash beyond": func(v *vandal) {
		v.exec(`UPDATE audit_tile SET data = $1 WHERE level = 0`, append(v.blob(`SELECT data FROM audit_tile WHERE level = 0`), random(32)...))
	},
	"append a copy of a block": func(v *vandal) { // not signed yet, so only the keys tell
		b := v.block()
		b.first = v.size
		v.insert(b)
		v.rehash()
		v.keys = true
	},
	"append a block with another commitment": func(v *vandal) {
		b := v.forge(v.size)
		b.hashes = random(32)
		v.insert(b)
		v.rehash()
		v.keys = true
	},
	"a row of the inbox that was changed": func(v *vandal) {
		v.exec(`INSERT INTO audit_inbox (id, aside, data) VALUES ($1, 2, $2)`, random(16), random(50))
	},

	"change a salt": func(v *vandal) { // by somebody with the chart's key
		b := v.block()
		hashes := b.hashes
		v.reseal(&b, newSalt)
		b.hashes = hashes
		v.update(b)
	},
	"change a salt, its commitments and the tiles": func(v *vandal) {
		b := v.block()
		v.reseal(&b, newSalt)
		v.update(b)
		v.rehash()
	},
	"rewrite a block by somebody with its key": func(v *vandal) {
		b := v.block()
		v.reseal(&b, func(plain []byte) { plain[len(plain)-2] ^= 1 })
		v.update(b)
		v.rehash()
	},

	"forge a checkpoint": func(v *vandal) {
		s := v.anchored()
		v.exec(`UPDATE audit_checkpoint SET note = $1 WHERE size = $2`, v.signAs([32]byte(random(32)), origin, edge{size: s, sub: []tlog.Hash{tlog.Hash(random(32))}}), s)
	},
	"rewrite all and sign with another key": func(v *vandal) {
		b := v.block()
		v.reseal(&b, func(plain []byte) { plain[len(plain)-2] ^= 1 })
		v.update(b)
		note := v.signAs([32]byte(random(32)), origin, v.rehash())
		v.unsign(-1)
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
	"replace a run of a tile": func(v *vandal) {
		d := v.blob(`SELECT data FROM audit_tile WHERE level = 0`)
		from := v.r.IntN(len(d))
		copy(d[from:from+1+v.r.IntN(len(d)-from)], random(len(d)))
		v.exec(`UPDATE audit_tile SET data = $1 WHERE level = 0`, d)
	},
}
