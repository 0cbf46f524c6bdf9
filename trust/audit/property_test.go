package audit

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/wellgate/wellgate/store"
)

// The tree and its tiles agree with tlog at every size.
func TestTree(t *testing.T) {
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(at []int64) (out []tlog.Hash, err error) {
		for _, i := range at {
			out = append(out, stored[i])
		}
		return out, nil
	})
	tr, tiles := &tree{}, map[[2]int64][]byte{}
	for n := range int64(70000) {
		if n < 600 || n%997 == 0 || n&(n-1) == 0 {
			want, err := tlog.TreeHash(n, read)
			if err != nil || tr.root() != want {
				t.Fatalf("size %d: %v", n, err)
			}
		}
		l := newLeaf(sha256.Sum256(fmt.Append(nil, n)), n%7, sha256.Sum256(fmt.Append(nil, "sealed", n)))
		if l.hash() != tlog.RecordHash(l[:]) {
			t.Fatalf("leaf %d: not RFC 6962's leaf hash", n)
		}
		hashes, err := tlog.StoredHashes(n, l[:], read)
		if err != nil {
			t.Fatal(err)
		}
		stored = append(stored, hashes...)
		if tr.add(l.hash()); n%500 != 0 {
			continue
		}
		for _, x := range tr.tiles() {
			tiles[[2]int64{x.level, x.n}] = slices.Clone(x.data)
		}
		tr.stored()
		tr = tr.copy()
		if int64(len(tiles)) != tileCount(tr.size) {
			t.Fatalf("size %d: %d tiles, not %d", tr.size, len(tiles), tileCount(tr.size))
		}
	}
	for _, x := range tr.tiles() {
		tiles[[2]int64{x.level, x.n}] = x.data
	}
	for at, data := range tiles {
		width := len(data) / tlog.HashSize
		want, err := tlog.ReadTileData(tlog.Tile{H: tileHeight, L: int(at[0]), N: at[1], W: width}, read)
		if err != nil || string(want) != string(data) {
			t.Errorf("tile %v of %d hashes differs: %v", at, width, err)
		}
	}
	if len(tiles) != 274+2+1 {
		t.Errorf("%d tiles", len(tiles))
	}
}

// machine drives a log by random steps and holds what must be in it.
type machine struct {
	b     *bench
	model []Entry
	notes []checkpoint
	n     int
}

func (m *machine) entries(t *rapid.T) []Entry {
	var list []Entry
	for range rapid.IntRange(0, 9).Draw(t, "entries") {
		m.n++
		list = append(list, Entry{rapid.Int64Range(1, 4).Draw(t, "chart"), fmt.Append(nil, m.n)})
	}
	return list
}

// transaction appends in several calls and may be undone, by error or by panic.
func (m *machine) transaction(t *rapid.T) {
	var added []Entry
	end := rapid.SampledFrom([]string{"commit", "commit", "undo", "panic"}).Draw(t, "end")
	undone := errors.New("undone")
	func() {
		defer func() {
			if p := recover(); p != nil && p != undone {
				panic(p)
			}
		}()
		err := m.b.db.Write(m.b.t.Context(), func(tx *store.Tx) error {
			for range rapid.IntRange(1, 3).Draw(t, "calls") {
				list := m.entries(t)
				if err := m.b.log.Append(m.b.t.Context(), tx, list...); err != nil {
					return err
				}
				added = append(added, list...)
			}
			switch end {
			case "undo":
				return undone
			case "panic":
				panic(undone)
			}
			return nil
		})
		if err != nil && !errors.Is(err, undone) {
			t.Fatal(err)
		}
	}()
	if end == "commit" {
		m.model = append(m.model, added...)
	}
}

func (m *machine) durable(t *rapid.T) {
	list := m.entries(t)
	if err := m.b.log.Durable(m.b.t.Context(), list...); err != nil {
		t.Fatal(err)
	}
	m.model = append(m.model, list...)
}

// note queues without waiting; what follows comes later in the log.
func (m *machine) note(t *rapid.T) {
	list := m.entries(t)
	ticket, err := m.b.log.Note(list...)
	if err == nil {
		err = m.b.log.Wait(m.b.t.Context(), ticket)
	}
	if err != nil {
		t.Fatal(err)
	}
	m.model = append(m.model, list...)
}

// sign proves that the new checkpoint extends the one before, as a witness would.
func (m *machine) sign(t *rapid.T) {
	signed, err := m.b.log.Checkpoint(m.b.t.Context())
	if err != nil {
		t.Fatal(err)
	}
	v, err := note.NewVerifier(m.b.log.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := openCheckpoint(signed, v)
	if err != nil || c.size != int64(len(m.model)) {
		t.Fatalf("checkpoint of %d entries, want %d: %v", c.size, len(m.model), err)
	}
	if n := len(m.notes); n > 0 && m.notes[n-1].size > 0 {
		old := m.notes[n-1]
		proof, err := tlog.ProveTree(c.size, old.size, hashReader(m.b.t.Context(), m.b.db))
		if err == nil {
			err = tlog.CheckTree(proof, c.size, c.root, old.size, old.root)
		}
		if err != nil {
			t.Fatalf("%d entries do not extend %d: %v", c.size, old.size, err)
		}
	}
	m.notes = append(m.notes, c)
}

func (m *machine) check(t *rapid.T) {
	want := map[int64][]string{}
	for _, e := range m.model {
		want[e.Chart] = append(want[e.Chart], string(e.Plain))
	}
	places := map[int64]bool{}
	for chart := range int64(5) {
		var got []string
		last := int64(math.MaxInt64)
		for s, err := range m.b.log.Each(m.b.t.Context(), chart) {
			if err != nil {
				t.Fatal(err)
			}
			if s.Index >= last || places[s.Index] || s.Chart != chart {
				t.Fatalf("entry %d after %d", s.Index, last)
			}
			last, places[s.Index] = s.Index, true
			got = append([]string{string(s.Plain)}, got...)
		}
		if m.b.file != "" { // reads of one pass stand before changes
			slices.Sort(got)
			slices.Sort(want[chart])
		}
		if fmt.Sprint(got) != fmt.Sprint(want[chart]) {
			t.Fatalf("chart %d has %v, want %v", chart, got, want[chart])
		}
	}
	m.b.still2(t)
	defer m.b.moving()
	if size := m.b.log.tree.size; size != int64(len(m.model)) || len(places) != len(m.model) {
		t.Fatalf("the tree has %d entries and %d places, not %d", size, len(places), len(m.model))
	}
}

func (b *bench) still2(t *rapid.T) {
	if err := b.log.takeTurn(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// Whatever mixture of commits, undone transactions, reads and restarts there was, the log is the list of what was
// committed, each chart's in order, and every checkpoint extends the one before.
func TestInterleavings(t *testing.T) {
	t.Run("in the store", func(t *testing.T) { interleave(t, newBench) })
	t.Run("in a file", func(t *testing.T) { interleave(t, newFileBench) })
}

func interleave(t *testing.T, open func(testing.TB) *bench) {
	rapid.Check(t, func(rt *rapid.T) {
		b := open(t)
		m := &machine{b: b}
		for range rapid.IntRange(1, 14).Draw(rt, "steps") {
			switch rapid.IntRange(0, 9).Draw(rt, "step") {
			case 0, 1, 2, 3, 4:
				m.transaction(rt)
			case 5:
				m.durable(rt)
			case 6:
				m.note(rt)
			case 7, 8:
				m.sign(rt)
			case 9:
				b.stop()
				b.openDB()
				b.start()
			}
		}
		m.check(rt)
		m.sign(rt)
		if len(m.model) > 0 {
			b.sound()
			e := m.model[rand.IntN(len(m.model))]
			for s, err := range b.log.Each(t.Context(), e.Chart) {
				if err != nil || string(s.Plain) != string(e.Plain) {
					continue
				}
				text, err := b.log.Receipt(t.Context(), e.Chart, s.Index)
				if err != nil {
					rt.Fatal(err)
				}
				if got, err := VerifyReceipt(text, b.log.PublicKey()); err != nil || string(got.Plain) != string(e.Plain) {
					rt.Fatal(err)
				}
			}
		}
		b.stop()
	})
}
