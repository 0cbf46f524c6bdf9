package chart

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
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

// A stack keeps what snapshots wrote, as the journal does.
type stack map[journal.Ref][]byte

// reopened is a record after it was written as a snapshot and opened again, its bodies unread; stayed counts those that the
// snapshot did not write, by whether they are rows or segments.
func (s stack) reopened(t testing.TB, h *House, st *record, stayed map[int64]int) *record {
	draw, err := st.pack(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	out, err := openIndex(draw.Index, func(n int) *block {
		ref := draw.Bodies[n].Kept
		if draw.Bodies[n].Bytes == nil {
			stayed[min(ref.Gen, 1)]++
		} else {
			ref = journal.Ref{Gen: draw.Base + 1, Num: int64(n) + 1}
			s[ref] = draw.Bodies[n].Bytes
		}
		return &block{h: h, num: 1, ref: ref, open: func(context.Context) ([]byte, error) { return slices.Clone(s[ref]), nil }}
	}, len(draw.Bodies))
	if err != nil {
		t.Fatal(err)
	}
	out.seq, out.kind, out.gen = st.seq, st.kind, draw.Base+1
	return out
}

// Whatever happens to a record, batches, snapshots, the cold tier, it says what a plain map says.
func TestRecordIsWhatItsLogAddsUpTo(t *testing.T) {
	ctx := context.Background()
	h := bare(t)
	stayed := map[int64]int{}
	var ids [60]string
	for i := range ids { // all the forms that ids come in
		var b [16]byte
		b[0] = byte(i)
		ids[i] = []string{fmt.Sprint("i", i), string(appendUUID(nil, b[:])), "chart-" + idText.EncodeToString(b[:10]), "other-" + idText.EncodeToString(b[:10]), fmt.Sprint("chart-", i, ".0")}[i%5]
	}
	for seed := range uint64(16) {
		r := rand.New(rand.NewPCG(seed, 3))
		st, naive, kept := &record{}, map[string]op{}, stack{}
		for seq := int64(1); seq <= 25; seq++ {
			b := batch{at: time.Unix(seq, 0)}
			for range 1 + r.IntN(30) {
				o := op{typ: []string{"Observation", "Condition", "Basic"}[r.IntN(3)], id: ids[r.IntN(60)], version: seq}
				if o.deleted = r.IntN(8) == 0; !o.deleted {
					label := []string{"", `"meta":{"security":[{"code":"HIV"}]},`}[r.IntN(2)]
					res, err := fhir.Parse([]byte(fmt.Sprintf(`{"resourceType":"%s","id":"%s",%s"effectiveDateTime":"20%02d","x":"%d%s"}`, o.typ, o.id, label, r.IntN(99), r.Int64(), strings.Repeat("x", r.IntN(20_000)))))
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
			if row := st.blocks[len(st.blocks)-1]; r.IntN(2) == 0 { // as one is that was read from the log
				row.ref = journal.Ref{Num: seq}
				kept[row.ref] = plain
			}
			switch r.IntN(5) {
			case 0:
				st = kept.reopened(t, h, st, stayed)
			case 1:
				st.cool()
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
	if stayed[0] == 0 || stayed[1] == 0 {
		t.Errorf("bodies that stayed where they were: %d rows, %d segments; the test must try both", stayed[0], stayed[1])
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
	draw, err := st.pack(context.Background())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(draw.Index)
	f.Add(draw.Index[:len(draw.Index)/2])
	f.Fuzz(func(t *testing.T, index []byte) {
		st, err := openIndex(index, func(n int) *block {
			return &block{h: h, num: 1, open: func(context.Context) ([]byte, error) { return draw.Bodies[n].Bytes, nil }}
		}, len(draw.Bodies))
		if err != nil {
			return
		}
		for _, typ := range st.types() {
			for i := range st.shelf(typ).entries {
				st.shelf(typ).entries[i].resource(context.Background())
			}
			if q, err := search.Parse(typ, "code=x&_sort=-date"); err == nil {
				st.matches(context.Background(), &q, func(*entry) bool { return true })
			}
		}
	})
}
