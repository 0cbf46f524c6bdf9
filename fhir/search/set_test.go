package search_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/fhir/search"
)

// list is a Source over items of one type.
type list []search.Item

func (l list) Len() int                  { return len(l) }
func (l list) ID(i int) string           { return l[i].Resource.ID() }
func (l list) Updated(i int) time.Time   { return l[i].Updated }
func (l list) Raw(i int) ([]byte, error) { return l[i].Resource.Raw(), nil }

// sort brings items into the order in which a chart keeps them.
func (l list) sort() {
	slices.SortFunc(l, func(a, b search.Item) int {
		return cmp.Or(cmp.Compare(search.When("Observation", b.Resource.Raw()), search.When("Observation", a.Resource.Raw())), cmp.Compare(a.Resource.ID(), b.Resource.ID()))
	})
}

func pick(r *rand.Rand, of ...string) string { return of[r.IntN(len(of))] }

func someObservation(t testing.TB, r *rand.Rand, id string) search.Item {
	effective := pick(r, "", `,"effectiveDateTime":"2019"`, `,"effectivePeriod":{"end":"2021-02-03"}`, `,"effectivePeriod":{"start":"2020-05"}`, fmt.Sprintf(`,"effectiveDateTime":"20%02d-0%d-11T10:00:00Z"`, r.IntN(30), 1+r.IntN(9)))
	x, err := fhir.Parse([]byte(fmt.Sprintf(`{"resourceType":"Observation","id":"%s","status":"%s"%s,"category":[{"coding":[{"system":"c","code":"%s"}]}],"code":{"coding":[{"system":"s","code":"%d"}],"text":"%s"},"subject":{"reference":"Patient/%s"},"encounter":{"reference":"Encounter/%d"},"valueQuantity":{"value":%d}}`,
		id, pick(r, "final", "final", "amended"), effective, pick(r, "laboratory", "exam"), r.IntN(5), pick(r, "a b", "c"), pick(r, "p", "p", "p", "q"), r.IntN(4), r.IntN(9))))
	if err != nil {
		t.Fatal(err)
	}
	return search.Item{Resource: x, Updated: time.Unix(int64(r.IntN(1000)), 0)}
}

var questions = []string{"", "category=laboratory&_sort=-date", "_sort=-date", "_sort=date", "patient=p&category=laboratory", "patient=q", "subject=Patient/p&date=ge2019",
	"code=s|1,s|2&status=final", "code:not=1&_sort=-_lastUpdated", "status:missing=true", "date:missing=true", "date=lt2020&_sort=status,-date", "_id=o1,o3", "code:text=b",
	"value-quantity=gt4&_sort=value-quantity", "encounter=Encounter/1,Encounter/2", "_lastUpdated=ge1970-01-01T00:05:00Z", "_sort=-code"}

// What was carried over a change, or stored and opened again, answers as what was extracted anew.
func TestSetsCarriedOverAnswerAlike(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 7))
		var now list
		for i := range r.IntN(90) {
			now = append(now, someObservation(t, r, fmt.Sprint("o", i)))
		}
		now.sort()
		set := search.NewSet("Observation", len(now), true)
		for step := range 6 {
			for range r.IntN(8) {
				ask(t, set, now, questions[r.IntN(len(questions))])
			}
			if r.IntN(2) == 0 {
				b, err := set.AppendTo([]byte("x"), now)
				if err != nil {
					t.Fatal(err)
				}
				var rest []byte
				if set, rest, err = search.OpenSet("Observation", len(now), true, append(b[1:], "rest"...)); err != nil || string(rest) != "rest" {
					t.Fatalf("opened: %v, %q left", err, rest)
				}
			}
			before := now
			var fresh, next list
			for i, it := range before {
				switch r.IntN(6) {
				case 0: // gone
				case 1:
					fresh = append(fresh, someObservation(t, r, it.Resource.ID()))
				default:
					next = append(next, before[i])
				}
			}
			for i := range r.IntN(5) * r.IntN(8) {
				fresh = append(fresh, someObservation(t, r, fmt.Sprint("n", step, "-", i)))
			}
			fresh.sort()
			next = append(next, fresh...)
			next.sort()
			from := make([]int32, len(next))
			for i, it := range next {
				is := func(o search.Item) bool { return &o.Resource.Raw()[0] == &it.Resource.Raw()[0] }
				if k := slices.IndexFunc(before, is); k >= 0 {
					from[i] = int32(k)
				} else {
					from[i] = ^int32(slices.IndexFunc(fresh, is))
				}
			}
			set, now = set.Grow(from, fresh), next
			for _, q := range questions {
				ask(t, set, now, q)
			}
		}
	}
}

func ask(t *testing.T, set *search.Set, l list, query string) {
	t.Helper()
	q, err := search.Parse("Observation", query)
	if err != nil {
		t.Fatal(err)
	}
	got, err := set.Search(l, &q, nil)
	if err != nil {
		t.Fatal(err)
	}
	want, err := search.NewSet("Observation", len(l), false).Search(l, &q, nil)
	if err != nil || !slices.Equal(got, want) {
		t.Fatalf("%s of %d: %v, want %v, %v", query, len(l), got, want, err)
	}
}

// Stored columns that were changed are refused or harmless: no panic, no position that is not there.
func FuzzOpenSet(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 1))
	var l list
	for i := range 20 {
		l = append(l, someObservation(f, r, fmt.Sprint("o", i)))
	}
	l.sort()
	b, err := search.NewSet("Observation", len(l), true).AppendTo(nil, l)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(b[:len(b)/2])
	f.Add([]byte{1, 4, 'd', 'a', 't', 'e', 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		set, _, err := search.OpenSet("Observation", len(l), true, b)
		if err != nil {
			return
		}
		for _, query := range questions {
			q, err := search.Parse("Observation", query)
			if err != nil {
				t.Fatal(err)
			}
			found, err := set.Search(l, &q, nil)
			for _, i := range found {
				if err != nil || int(i) >= len(l) {
					t.Fatal(i, err)
				}
			}
		}
	})
}
