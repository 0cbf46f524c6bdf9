package feed

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(storetest.OnBoth(m)) }

// sealer is AES-GCM under one key per chart, bound to chart and seq, as chart's journal is.
type sealer struct{ gone map[int64]bool }

func (sealer) aead(chart int64) cipher.AEAD {
	key := sha256.Sum256(fmt.Appendf(nil, "chart key %d", chart))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	return aead
}

func place(chart, seq int64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(chart)), uint64(seq))
}

func (s sealer) SealFact(_ context.Context, _ *store.Tx, chart, seq int64, plain []byte) ([]byte, error) {
	if chart == 13 {
		return nil, errors.New("no key")
	}
	return s.aead(chart).Seal(nil, nil, plain, place(chart, seq)), nil
}

func (s sealer) OpenFact(_ context.Context, chart, seq int64, sealed []byte) ([]byte, error) {
	if s.gone[chart] {
		return nil, fmt.Errorf("sealer: %w", ErrErased)
	}
	return s.aead(chart).Open(nil, nil, sealed, place(chart, seq))
}

var at = time.Date(2026, 11, 22, 10, 0, 0, 123456789, time.UTC)

func fact(n int, chart int64) Fact {
	return Fact{Room: "results", What: "commented", Chart: chart, Ref: fmt.Sprintf("Observation/n%d", n), At: at}
}

type bench struct {
	t    testing.TB
	path string
	db   *store.DB
	seal sealer
	feed *Feed
}

func newBench(t testing.TB) *bench {
	t.Helper()
	b := &bench{t: t, path: t.TempDir() + "/feed.db", seal: sealer{gone: map[int64]bool{}}}
	db, err := store.Open(t.Context(), storetest.URL(t, b.path))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	b.db = db
	if b.feed, err = Open(t.Context(), db, b.seal); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bench) append(facts ...Fact) error {
	return b.db.Write(b.t.Context(), func(tx *store.Tx) error { return b.feed.Append(b.t.Context(), tx, facts...) })
}

func (b *bench) advance(reader string, seq int64) error {
	return b.db.Write(b.t.Context(), func(tx *store.Tx) error { return b.feed.Advance(b.t.Context(), tx, reader, seq) })
}

func (b *bench) after(seq int64, limit int) []Fact {
	b.t.Helper()
	facts, err := b.feed.After(b.t.Context(), seq, limit)
	if err != nil {
		b.t.Fatal(err)
	}
	return facts
}

// The feed is the list of what was committed, numbered 1, 2, 3 …, whatever was undone in between.
func TestOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := newBench(t)
		defer b.db.Close()
		var model []Fact
		n, undone := 0, errors.New("undone")
		for range rapid.IntRange(1, 12).Draw(rt, "transactions") {
			var added []Fact
			commit := rapid.Bool().Draw(rt, "commit")
			err := b.db.Write(t.Context(), func(tx *store.Tx) error {
				for range rapid.IntRange(1, 3).Draw(rt, "calls") {
					var facts []Fact
					for range rapid.IntRange(0, 4).Draw(rt, "facts") {
						n++
						facts = append(facts, fact(n, rapid.Int64Range(1, 4).Draw(rt, "chart")))
					}
					if err := b.feed.Append(t.Context(), tx, facts...); err != nil {
						return err
					}
					added = append(added, facts...)
				}
				if !commit {
					return undone
				}
				return nil
			})
			if commit && err != nil || !commit && !errors.Is(err, undone) {
				rt.Fatal(err)
			}
			if commit {
				model = append(model, added...)
			}
		}
		for i := range model {
			model[i].Seq = int64(i) + 1
		}
		var got []Fact
		page := rapid.IntRange(1, 5).Draw(rt, "page")
		for {
			after := int64(0)
			if len(got) > 0 {
				after = got[len(got)-1].Seq
			}
			facts := b.after(after, page)
			got = append(got, facts...)
			if len(facts) < page {
				break
			}
		}
		if diff := cmp.Diff(model, got); diff != "" {
			rt.Fatal(diff)
		}
	})
}

// A reader that follows the feed while many write sees every number once and in order.
func TestReaderMissesNothing(t *testing.T) {
	b := newBench(t)
	const writers, each = 4, 40
	var work sync.WaitGroup
	for w := range int64(writers) {
		work.Go(func() {
			for i := range each {
				if err := b.append(fact(i, w+1)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for seen := int64(0); seen < writers*each; {
		for _, f := range b.after(seen, 7) {
			if f.Seq != seen+1 {
				t.Fatalf("%d follows %d", f.Seq, seen)
			}
			seen = f.Seq
		}
	}
	work.Wait()
}

// Erased charts are passed over, however many of their facts lie in the way.
func TestErasedChart(t *testing.T) {
	b := newBench(t)
	for i := range 30 {
		chart := int64(2)
		if i == 25 || i == 0 {
			chart = 1
		}
		if err := b.append(fact(i, chart)); err != nil {
			t.Fatal(err)
		}
	}
	b.seal.gone[2] = true
	if got := b.after(0, 2); len(got) != 2 || got[0].Seq != 1 || got[1].Seq != 26 {
		t.Errorf("%+v", got)
	}
	if got := b.after(26, 3); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

// A fact opens at its own place only; After stops rather than pass over a changed row.
func TestChangedFact(t *testing.T) {
	for name, change := range map[string]string{
		"chart": `UPDATE feed_fact SET chart = 2 WHERE seq = 2`,
		"place": `UPDATE feed_fact SET seq = 9 WHERE seq = 2`,
		"data":  `UPDATE feed_fact SET data = (SELECT data FROM feed_fact WHERE seq = 1) WHERE seq = 2`,
	} {
		b := newBench(t)
		if err := b.append(fact(1, 1), fact(2, 1), fact(3, 1)); err != nil {
			t.Fatal(err)
		}
		err := b.db.Write(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(t.Context(), change)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := b.feed.After(t.Context(), 0, 10); err == nil {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func TestUnsealableFactFailsTheTransaction(t *testing.T) {
	b := newBench(t)
	if err := b.append(fact(1, 1), fact(2, 13)); err == nil {
		t.Error("accepted")
	}
	if got := b.after(0, 9); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

func TestWatermark(t *testing.T) {
	b := newBench(t)
	if err := b.append(fact(1, 1), fact(2, 1), fact(3, 1)); err != nil {
		t.Fatal(err)
	}
	place := func(reader string, want int64) {
		t.Helper()
		if got, err := b.feed.Watermark(t.Context(), reader); err != nil || got != want {
			t.Errorf("%s is at %d, %v; want %d", reader, got, err, want)
		}
	}
	place("mail", 0)
	for _, seq := range []int64{1, 1, 3} {
		if err := b.advance("mail", seq); err != nil {
			t.Fatal(err)
		}
		place("mail", seq)
	}
	place("desk", 0)
	for reader, seq := range map[string]int64{"mail": 2, "desk": 4, "": 1, "other": -1} {
		if err := b.advance(reader, seq); !errors.Is(err, ErrWatermark) {
			t.Errorf("%q to %d: %v", reader, seq, err)
		}
	}
	place("mail", 3)
	place("desk", 0)
	// The place moves with the effect or not at all.
	undone := errors.New("undone")
	err := b.db.Write(t.Context(), func(tx *store.Tx) error {
		if err := b.feed.Advance(t.Context(), tx, "desk", 3); err != nil {
			return err
		}
		return undone
	})
	if !errors.Is(err, undone) {
		t.Fatal(err)
	}
	place("desk", 0)
}

func TestNothingInClear(t *testing.T) {
	storetest.SQLiteOnly(t, "it looks into the files")
	b := newBench(t)
	for range 20 {
		if err := b.append(Fact{Room: "canary-room", What: "canary-what", Chart: 1, Ref: "canary-ref/1", At: at}); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{b.path, b.path + "-wal"} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(data, []byte("canary")) {
			t.Errorf("%s holds a fact in clear", name)
		}
	}
}

func TestOpenNeedsSealer(t *testing.T) {
	b := newBench(t)
	if _, err := Open(t.Context(), b.db, nil); err == nil {
		t.Error("accepted")
	}
}
