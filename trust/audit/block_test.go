package audit

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/wellgate/wellgate/internal/clock"
	"github.com/wellgate/wellgate/store"
)

func TestBlockRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		entries := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 300), 1, 20).Draw(t, "entries")
		plain, hashes := packBlock(entries)
		b := block{n: int64(len(entries)), hashes: hashes}
		got, err := unpackBlock(plain, b.n)
		if err != nil || !slices.EqualFunc(got, entries, bytes.Equal) {
			t.Fatal(got, err)
		}
		for i, e := range entries {
			if sum, _ := commit(salt(plain, i), e, nil); sum != b.commitment(int64(i)) {
				t.Fatalf("commitment %d", i)
			}
		}
		for _, n := range []int64{0, -1, b.n - 1, b.n + 1, 1 << 60} {
			if _, err := unpackBlock(plain, n); err == nil {
				t.Fatalf("%d entries read as %d", b.n, n)
			}
		}
	})
}

func TestRowRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		row := []byte{rowFormat}
		var want []Entry
		for range rapid.IntRange(0, 20).Draw(t, "n") {
			e := Entry{rapid.Int64().Draw(t, "chart"), rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "plain")}
			row, want = appendEntry(row, e), append(want, e)
		}
		got, err := parseRow(row, nil)
		if err != nil || !slices.EqualFunc(got, want, func(a, b Entry) bool { return a.Chart == b.Chart && bytes.Equal(a.Plain, b.Plain) }) {
			t.Fatal(got, err)
		}
	})
}

func FuzzBlock(f *testing.F) {
	plain, _ := packBlock([][]byte{[]byte("one"), nil, bytes.Repeat([]byte("x"), 300)})
	f.Add(plain, int64(3))
	f.Add(plain[:20], int64(1))
	f.Fuzz(func(t *testing.T, b []byte, n int64) {
		entries, err := unpackBlock(b, n)
		if err != nil {
			return
		}
		size := seedSize
		for _, e := range entries {
			size += len(e) + 1
		}
		if int64(len(entries)) != n || size > len(b) {
			t.Errorf("%d entries of %d bytes from %d", len(entries), size, len(b))
		}
	})
}

func FuzzRow(f *testing.F) {
	f.Add(appendEntry(appendEntry([]byte{rowFormat}, Entry{7, []byte("one")}), Entry{-8, nil}))
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, err := parseRow(b, nil)
		if err != nil {
			return
		}
		again := []byte{rowFormat}
		for _, e := range entries {
			again = appendEntry(again, e)
		}
		if !bytes.Equal(again, b) {
			t.Errorf("%x became %x", b, again)
		}
	})
}

func FuzzReceipt(f *testing.F) {
	f.Add([]byte(receiptHead))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, vkey, err := newSigner(origin, seed[:])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := VerifyReceipt(b, vkey); err == nil {
			t.Error("a made-up receipt holds")
		}
	})
}

// Rows open at their own id only, and no two share one, whatever the clock does.
func TestSeals(t *testing.T) {
	a, b := newIDs(clock.System), newIDs(clock.At(time.Unix(1e9, 0)))
	s := newSeals(secret[:])
	seen := map[rowID]bool{}
	last := map[uint64]rowID{}
	for range 1000 {
		for _, g := range []*ids{a, b} {
			id := g.next()
			if seen[id] || bytes.Compare(id[:], func() []byte { x := last[g.node]; return x[:] }()) <= 0 {
				t.Fatalf("%x after %x", id, last[g.node])
			}
			seen[id], last[g.node] = true, id
		}
	}
	id, other := a.next(), b.next()
	sealed := s.seal(id, []byte("said"))
	if got, err := s.open(id, sealed); err != nil || string(got) != "said" {
		t.Error(string(got), err)
	}
	if bytes.Contains(sealed, []byte("said")) {
		t.Error("in clear")
	}
	moved := id
	moved[7] ^= 1
	for _, at := range []rowID{other, a.next(), moved} {
		if _, err := s.open(at, sealed); err == nil {
			t.Errorf("opens at %x", at)
		}
	}
	if _, err := newSeals(seed[:]).open(id, sealed); err == nil {
		t.Error("opens under another key")
	}
}

// What waits for its place says nothing to who has no key.
func TestInboxIsSealed(t *testing.T) {
	b := newBench(t)
	b.still(t)
	b.durable(1, "canary-3f9c")
	err := b.db.Write(t.Context(), func(tx *store.Tx) error { return b.log.Append(t.Context(), tx, Entry{2, []byte("canary-3f9c")}) })
	if err != nil {
		t.Fatal(err)
	}
	rows, _, err := waiting(t.Context(), b.db, rowID(bytes.Repeat([]byte{255}, 16)))
	if err != nil || len(rows) != 2 {
		t.Fatal(rows, err)
	}
	for _, r := range rows {
		if strings.Contains(string(r.data), "canary") {
			t.Error("a row of the inbox holds an entry in clear")
		}
	}
	b.moving()
}

// A row of the inbox that somebody changed does not stop the log, gives no entry, and is told by Verify.
func TestChangedInbox(t *testing.T) {
	b := newBench(t)
	b.still(t)
	for i := range 3 {
		b.durable(1, fmt.Sprint(i))
	}
	rows, _, err := waiting(t.Context(), b.db, rowID(bytes.Repeat([]byte{255}, 16)))
	if err != nil || len(rows) != 3 {
		t.Fatal(rows, err)
	}
	if err := b.db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `UPDATE audit_inbox SET data = $1 WHERE id = $2`, rows[0].data, rows[1].id[:])
		return err
	}); err != nil {
		t.Fatal(err)
	}
	b.moving()
	list, err := b.log.Of(t.Context(), 1, 0, 10)
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	b.sign(true)
	for range 2 { // and it stays told
		if rep := b.verify(b.seal); len(rep.Problems) != 1 || !strings.Contains(rep.Problems[0], "1 rows of the inbox were changed") {
			t.Errorf("%q", rep.Problems)
		}
		b.stop()
		b.openDB()
		b.start()
	}
}

// A chart that was erased after an act was noted and before it got its place leaves the commitment and nothing else.
func TestErasedBeforeItsPlace(t *testing.T) {
	b := newBench(t)
	b.still(t)
	b.durable(1, "stays")
	b.durable(3, "goes")
	b.seal.mu.Lock()
	b.seal.gone[3] = true
	b.seal.mu.Unlock()
	b.moving()
	if list, err := b.log.Of(t.Context(), 3, 0, 10); err != nil || len(list) != 0 {
		t.Error(list, err)
	}
	b.sign(true)
	if rep := b.sound(); rep.Entries != 2 || rep.Erased != 1 || b.inbox() != 0 {
		t.Errorf("%+v", rep)
	}
	var got []string
	for _, x := range allBlocks(t, b.db) {
		got = append(got, fmt.Sprint(x.chart, len(x.data) == 0))
	}
	if diff := cmp.Diff([]string{"1 false", "3 true"}, got); diff != "" {
		t.Error(diff)
	}
	if _, err := b.log.Receipt(t.Context(), 3, 1); !errors.Is(err, ErrErased) {
		t.Error(err)
	}
}

// What is written as one batch is moved in pieces, and a chart's run of entries is cut into blocks that stay small.
func TestManyEntriesManyBlocks(t *testing.T) {
	b := newBench(t)
	const n = 3*blockEntries + 5
	var list []Entry
	for i := range n {
		list = append(list, Entry{int64(i % 2), fmt.Append(nil, i)})
	}
	if err := b.log.Durable(t.Context(), list...); err != nil {
		t.Fatal(err)
	}
	if err := b.log.Durable(t.Context(), Entry{9, make([]byte, 3*blockBytes)}, Entry{9, []byte("after")}); err != nil {
		t.Fatal(err)
	}
	want := n/2*2 - 1 // the largest odd number below n
	for s, err := range b.log.Each(t.Context(), 1) {
		if err != nil || string(s.Plain) != fmt.Sprint(want) {
			t.Fatal(string(s.Plain), want, err)
		}
		want -= 2
	}
	if want != -1 {
		t.Errorf("stopped at %d", want)
	}
	b.sign(true)
	if rep := b.sound(); rep.Entries != n+2 {
		t.Errorf("%+v", rep)
	}
	for _, x := range allBlocks(t, b.db) {
		if x.n > blockEntries {
			t.Errorf("a block of %d", x.n)
		}
	}
}
