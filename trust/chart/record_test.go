package chart

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/fhir/search"
	"github.com/wellgate/wellgate/trust/journal"
)

// bare is a house with no more than blocks need.
func bare(t testing.TB) *House {
	h := &House{}
	var err error
	if h.press, err = newPress(); err != nil {
		t.Fatal(err)
	}
	h.warm = journal.NewTiered(1<<30, (*record).weight, (*record).cool)
	return h
}

// reopened is a record after it was written as a snapshot and opened again, its segments unread.
func reopened(t testing.TB, h *House, st *record) *record {
	segments, index, err := st.pack(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	out, err := openIndex(index, func(n int) *block {
		return &block{h: h, num: 1, open: func(context.Context) ([]byte, error) { return slices.Clone(segments[n]), nil }}
	}, len(segments))
	if err != nil {
		t.Fatal(err)
	}
	out.seq, out.kind = st.seq, st.kind
	return out
}

// Whatever happens to a record, batches, snapshots, the cold tier, it says what a plain map says.
func TestRecordIsWhatItsLogAddsUpTo(t *testing.T) {
	ctx := context.Background()
	h := bare(t)
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 3))
		st, naive := &record{}, map[string]op{}
		for seq := int64(1); seq <= 25; seq++ {
			b := batch{at: time.Unix(seq, 0)}
			for range 1 + r.IntN(30) {
				o := op{typ: []string{"Observation", "Condition", "Basic"}[r.IntN(3)], id: fmt.Sprint("i", r.IntN(60)), version: seq}
				if o.deleted = r.IntN(8) == 0; !o.deleted {
					label := []string{"", `"meta":{"security":[{"code":"HIV"}]},`}[r.IntN(2)]
					res, err := fhir.Parse([]byte(fmt.Sprintf(`{"resourceType":"%s","id":"%s",%s"effectiveDateTime":"20%02d","x":"%d"}`, o.typ, o.id, label, r.IntN(99), r.Int64())))
					if err != nil {
						t.Fatal(err)
					}
					o.res = res
				}
				b.ops = append(b.ops, o)
				naive[o.typ+"/"+o.id] = o
			}
			plain := b.encode()
			if r.IntN(2) == 0 {
				decoded, err := decodeBatch(plain)
				if err != nil {
					t.Fatal(err)
				}
				b = decoded
			}
			st = st.with(h, 1, b, plain, seq)
			switch r.IntN(5) {
			case 0:
				st = reopened(t, h, st)
			case 1:
				for _, b := range st.blocks {
					b.pack()
				}
			}
			count, bytes := 0, int64(0)
			for ref, o := range naive {
				e := st.get(o.typ, o.id)
				if o.deleted {
					if e != nil {
						t.Fatalf("seed %d: %s is there after its deletion", seed, ref)
					}
					continue
				}
				count++
				if e == nil {
					t.Fatalf("seed %d: %s is gone", seed, ref)
				}
				got, err := e.resource(ctx)
				if err != nil || string(got.Raw()) != string(o.res.Raw()) || e.Version != o.version || !slices.Equal(e.class.labels, labels(o.res)) {
					t.Fatalf("seed %d: %s is %s, version %d, labels %v; %v", seed, ref, got.Raw(), e.Version, e.class.labels, err)
				}
				bytes += int64(len(o.res.Raw()))
			}
			q, err := search.Parse("Observation", "_sort=-date")
			if err != nil {
				t.Fatal(err)
			}
			found, err := st.matches(ctx, &q, func(*entry) bool { return true })
			if err != nil || !slices.IsSortedFunc(found, byNewest) {
				t.Fatal("not newest first", err)
			}
			for _, typ := range st.types() {
				count -= len(st.shelf(typ).entries)
			}
			if count != 0 || bytes != st.bytes {
				t.Fatalf("seed %d: %d entries too few, %d bytes, want %d", seed, count, st.bytes, bytes)
			}
		}
	}
}

// A changed index is refused or harmless: never a panic, never bytes from elsewhere.
func FuzzOpenIndex(f *testing.F) {
	h := bare(f)
	b := batch{at: time.Unix(1, 0)}
	for i := range 5 {
		res, _ := fhir.Parse([]byte(fmt.Sprintf(`{"resourceType":"Observation","id":"o%d","effectiveDateTime":"2020-01-0%d","code":{"text":"x"}}`, i, i+1)))
		b.ops = append(b.ops, op{typ: "Observation", id: res.ID(), version: 1, res: res})
	}
	st := (&record{}).with(h, 1, b, b.encode(), 1)
	segments, index, err := st.pack(context.Background())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(index)
	f.Add(index[:len(index)/2])
	f.Fuzz(func(t *testing.T, index []byte) {
		st, err := openIndex(index, func(n int) *block {
			return &block{h: h, num: 1, open: func(context.Context) ([]byte, error) { return segments[n], nil }}
		}, len(segments))
		if err != nil {
			return
		}
		for _, typ := range st.types() {
			for i := range st.shelf(typ).entries {
				st.shelf(typ).entries[i].resource(context.Background())
			}
		}
	})
}
