package audit

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/wellgate/wellgate/store"
)

// The edge agrees with tlog at every size.
func TestEdge(t *testing.T) {
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(at []int64) (out []tlog.Hash, err error) {
		for _, i := range at {
			out = append(out, stored[i])
		}
		return out, nil
	})
	var e edge
	for n := range int64(600) {
		want, err := tlog.TreeHash(n, read)
		if err != nil || e.root() != want {
			t.Fatalf("size %d: %v", n, err)
		}
		l := newLeaf(sha256.Sum256(fmt.Append(nil, n)), n%7, sha256.Sum256(fmt.Append(nil, "sealed", n)))
		if l.hash() != tlog.RecordHash(l[:]) {
			t.Fatalf("leaf %d: not RFC 6962's leaf hash", n)
		}
		hashes, err := tlog.StoredHashes(n, l[:], read)
		if err != nil {
			t.Fatal(err)
		}
		next, got := e.with(l.hash())
		if fmt.Sprint(got) != fmt.Sprint(hashes) || e.size != n || next.size != n+1 {
			t.Fatalf("leaf %d: stores %v, want %v", n, got, hashes)
		}
		stored, e = append(stored, hashes...), next
		for i, at := range edgeIndexes(e.size) {
			if stored[at] != e.sub[i] {
				t.Fatalf("size %d: edge hash %d is not at %d", e.size, i, at)
			}
		}
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
				if rapid.IntRange(0, 9).Draw(t, "refused") == 0 { // changes nothing, others go on
					if m.b.log.Append(m.b.t.Context(), tx, append(list, Entry{13, nil})...) == nil {
						t.Fatal("sealed without a key")
					}
					continue
				}
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
	for i, e := range m.model {
		want[e.Chart] = append(want[e.Chart], fmt.Sprint(i, string(e.Plain)))
	}
	for chart := range int64(5) {
		var got []string
		for s, err := range m.b.log.Each(m.b.t.Context(), chart) {
			if err != nil {
				t.Fatal(err)
			}
			got = append([]string{fmt.Sprint(s.Index, string(s.Plain))}, got...)
		}
		if fmt.Sprint(got) != fmt.Sprint(want[chart]) {
			t.Fatalf("chart %d has %v, want %v", chart, got, want[chart])
		}
	}
	m.b.log.mu.Lock()
	size, open := m.b.log.edge.size, len(m.b.log.open)
	m.b.log.mu.Unlock()
	if size != int64(len(m.model)) || open != 0 {
		t.Fatalf("the edge is at %d of %d, %d transactions open", size, len(m.model), open)
	}
}

// Whatever mixture of commits, undone transactions, refused entries, reads and restarts there was, the log is the
// list of what was committed, in order, and every checkpoint extends the one before.
func TestInterleavings(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := newBench(t)
		b.seal.refuse[13] = true
		m := &machine{b: b}
		for range rapid.IntRange(1, 14).Draw(rt, "steps") {
			switch rapid.IntRange(0, 9).Draw(rt, "step") {
			case 0, 1, 2, 3, 4:
				m.transaction(rt)
			case 5, 6:
				m.durable(rt)
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
			i := rand.IntN(len(m.model))
			text, err := b.log.Receipt(t.Context(), m.model[i].Chart, int64(i))
			if err != nil {
				rt.Fatal(err)
			}
			if s, err := VerifyReceipt(text, b.log.PublicKey()); err != nil || string(s.Plain) != string(m.model[i].Plain) {
				rt.Fatal(err)
			}
		}
		b.stop()
	})
}
