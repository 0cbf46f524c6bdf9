package audit

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/wellgate/wellgate/store"
)

var benchEntry = bytes.Repeat([]byte(`{"v":1,"action":"read","what":"results.one","types":{"Observation":1}}`), 4)

// What a read pays before it goes on. The commits go on beside it.
func BenchmarkNote(b *testing.B) {
	b.Run("store", func(b *testing.B) { noting(b, newBench(b)) })
	b.Run("file", func(b *testing.B) { noting(b, newFileBench(b)) })
}

func noting(b *testing.B, x *bench) {
	var last Ticket
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		t, err := x.log.Note(Entry{int64(i%1000) + 1, benchEntry})
		if err != nil {
			if err := x.log.Wait(b.Context(), last); err != nil { // 64 MiB wait: let the disk catch up
				b.Fatal(err)
			}
		}
		last = t
	}
	b.StopTimer()
	if err := x.log.Wait(b.Context(), last); err != nil {
		b.Fatal(err)
	}
	if err := x.log.Settle(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// What the sequencer pays for each entry, in chunks of a second at 10,000 reads a second over 1,000 charts.
func BenchmarkSequence(b *testing.B) {
	const n, charts = 10000, 1000
	x := newBench(b)
	if err := x.log.takeTurn(b.Context()); err != nil {
		b.Fatal(err)
	}
	defer x.log.endTurn()
	for b.Loop() {
		b.StopTimer()
		var list []Entry
		for i := range n {
			if list = append(list, Entry{int64(i*7919%charts) + 1, benchEntry}); len(list) == 20 || i == n-1 {
				if err := x.log.Durable(b.Context(), list...); err != nil {
					b.Fatal(err)
				}
				list = list[:0]
			}
		}
		b.StartTimer()
		if err := x.log.pass(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/entry")
}

// Keyless verification of a million entries in blocks of 1 and of 20.
func BenchmarkVerify(b *testing.B) {
	for _, per := range []int{1, 20} {
		b.Run(fmt.Sprint(per, " to a block"), func(b *testing.B) {
			const n = 1_000_000
			x := newBench(b)
			x.bulk(n, per)
			for b.Loop() {
				if rep := x.verify(nil); rep.Entries != n || len(rep.Problems) > 0 {
					b.Fatal(rep.Entries, rep.Problems)
				}
			}
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/verify")
		})
	}
}

// bulk makes a log of n entries without waiting for a disk each time, signing 1,000 times.
func (b *bench) bulk(n, per int) {
	b.t.Helper()
	if err := b.log.takeTurn(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	m := moving{l: b.log, ctx: b.t.Context(), tree: b.log.tree.copy(), groups: map[int64][][]byte{}}
	entries := make([][]byte, per)
	for i := range entries {
		entries[i] = benchEntry
	}
	for i := 0; i < n; i += per {
		if err := m.block(int64(i/per%1000)+1, entries); err != nil {
			b.t.Fatal(err)
		}
		if m.tree.size%int64(max(1000, per)) != 0 && i+per < n {
			continue
		}
		if err := b.db.Write(b.t.Context(), func(tx *store.Tx) error { return m.store(b.t.Context(), tx) }); err != nil {
			b.t.Fatal(err)
		}
		m.tree.stored()
		m.blocks = nil
		b.log.tree = m.tree.copy()
		if err := b.log.sign(b.t.Context()); err != nil {
			b.t.Fatal(err)
		}
	}
	b.log.endTurn()
	b.sign(true)
}
