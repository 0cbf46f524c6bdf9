package results

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wellgate/wellgate/fhir"
)

func aReport(t testing.TB, id, body string) Doc {
	return doc(t, `{"resourceType":"DiagnosticReport","id":"`+id+`","status":"final","category":[{"coding":[{"code":"LAB"}]}],"code":{"text":"Blood tests"},"effectiveDateTime":"2026-05-01T08:00:00Z"`+body+`}`)
}

func aComment(t testing.TB, id, status, about, text string) Doc {
	return doc(t, `{"resourceType":"ClinicalImpression","id":"`+id+`","status":"`+status+`","subject":{"reference":"Patient/p"},"date":"2026-05-03T10:00:00Z",
		"assessor":{"reference":"Practitioner/nair","display":"Dr Priya Nair"},"summary":"`+text+`","finding":[{"itemReference":{"reference":"`+about+`"}}]}`)
}

// titles flattens groups for comparing: "report: members".
func titles(b *Book) []string {
	var out []string
	for _, g := range b.Groups {
		head := "-"
		if g.Report != nil {
			head = g.Report.ID
		}
		var ids []string
		for _, r := range g.Items {
			ids = append(ids, r.ID)
		}
		out = append(out, head+": "+strings.Join(ids, " "))
	}
	return out
}

func expect(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestGroups(t *testing.T) {
	at := func(d string) string {
		return `"effectiveDateTime":"` + d + `","code":{"text":"T` + d + `"}`
	}
	b := collect(t,
		lab(t, "old", at("2019")),
		lab(t, "none", `"effectiveDateTime":null,"code":{"text":"U"}`),
		lab(t, "issued", `"effectiveDateTime":null,"issued":"2026-06-02T10:00:00Z","code":{"text":"V"}`),
		lab(t, "a", at("2026-05-01T08:00:00Z")),
		lab(t, "b", at("2026-05-01T08:00:01Z")),
		lab(t, "c", at("2026-05-01T19:00:00Z")),
		aReport(t, "r", `,"result":[{"reference":"Observation/b"},{"reference":"Observation/a"},{"reference":"Observation/missing"},{"reference":"urn:uuid:1"}]`),
		aReport(t, "empty", `,"conclusion":"Nothing found."`),
	)
	// newest first; a report keeps its own order; single tests of a day stand together; the undated come last
	expect(t, titles(b), []string{"-: issued", "-: c", "r: b a", "empty: ", "-: old", "-: none"})
	if n := len(b.All()); n != 8 {
		t.Errorf("All has %d results, want 8: each once", n)
	}
}

func TestPanelGroupsItsMembers(t *testing.T) {
	b := collect(t,
		lab(t, "panel", `"code":{"text":"Panel"},"hasMember":[{"reference":"Observation/a"}]`),
		lab(t, "a", `"valueInteger":4`))
	expect(t, titles(b), []string{"panel: a"})
}

func TestPanelThatHoldsItself(t *testing.T) {
	b := collect(t, lab(t, "p", `"hasMember":[{"reference":"Observation/p"},{"reference":"Observation/q"}]`), lab(t, "q", `"code":{"text":"Q"},"hasMember":[{"reference":"Observation/p"}]`))
	if n := len(b.All()); n != 2 {
		t.Errorf("%d results, want 2: %q", n, titles(b))
	}
}

func TestWithdrawnReportFreesItsTests(t *testing.T) {
	b := collect(t, lab(t, "a", ``), doc(t, `{"resourceType":"DiagnosticReport","id":"r","status":"entered-in-error","category":[{"coding":[{"code":"LAB"}]}],
		"code":{"text":"Blood tests"},"effectiveDateTime":"2026-05-01","conclusion":"Wrong person","result":[{"reference":"Observation/a"}]}`))
	r := b.One("DiagnosticReport", "r")
	if len(r.Conclusion) != 0 || r.Value.Form != Withdrawn {
		t.Errorf("the withdrawn report still says %q", r.Conclusion)
	}
	expect(t, titles(b), []string{"-: a", "r: "})
}

func TestThinReportStepsBehindItsTest(t *testing.T) {
	b := collect(t, lab(t, "a", ``), lab(t, "b", `"code":{"text":"B"}`), aReport(t, "r", `,"result":[{"reference":"Observation/a"}]`), aComment(t, "c", "completed", "DiagnosticReport/r", "Good."))
	expect(t, titles(b), []string{"-: a b"})
	if !b.One("Observation", "a").Commented() || b.One("Observation", "b").Commented() {
		t.Error("the comment on a report of one test belongs to that test")
	}
	if b.One("DiagnosticReport", "r") == nil {
		t.Error("the report itself is gone: links to it must work")
	}
}

func TestTwins(t *testing.T) {
	v := `"valueQuantity":{"value":4.1,"unit":"mmol/L"}`
	b := collect(t, lab(t, "a", v), lab(t, "b", v+`,"issued":"2026-05-02T08:00:00Z"`), lab(t, "c", `"valueQuantity":{"value":4.2,"unit":"mmol/L"}`),
		aReport(t, "r", `,"conclusion":"Fine.","result":[{"reference":"Observation/a"}]`))
	expect(t, titles(b), []string{"r: b", "-: c"})
	if r := b.One("Observation", "a"); r == nil || r.ID != "b" {
		t.Error("an old link to the hidden twin leads nowhere")
	}
	b = collect(t, lab(t, "a", v), lab(t, "b", v+`,"issued":"2026-05-02T08:00:00Z"`), aComment(t, "ci", "completed", "Observation/a", "Good."))
	expect(t, titles(b), []string{"-: a"})
	b = collect(t, lab(t, "a", v), lab(t, "b", v), aComment(t, "c1", "completed", "Observation/a", "One."), aComment(t, "c2", "completed", "Observation/b", "Two."),
		aReport(t, "r", `,"conclusion":"Fine.","result":[{"reference":"Observation/a"},{"reference":"Observation/b"}]`))
	if r := b.One("Observation", "b"); len(r.Comments) != 2 || len(b.One("DiagnosticReport", "r").Members) != 1 {
		t.Errorf("two copies, both commented: %d comments, %d members", len(r.Comments), len(b.One("DiagnosticReport", "r").Members))
	}
	b = collect(t, lab(t, "a", v), lab(t, "b", v+`,"status":"corrected"`))
	expect(t, titles(b), []string{"-: a b"})
}

func TestComments(t *testing.T) {
	b := collect(t, lab(t, "a", ``), aReport(t, "r", ``),
		aComment(t, "c1", "completed", "Observation/a", "All is well."),
		aComment(t, "c2", "entered-in-error", "Observation/a", "Wrong words."),
		aComment(t, "c3", "in-progress", "Observation/a", "Draft."),
		aComment(t, "c4", "completed", "Observation/elsewhere", "Not here."),
		doc(t, `{"resourceType":"ClinicalImpression","id":"c5","status":"completed","subject":{"reference":"Patient/p"},"summary":"On the report.",
			"investigation":[{"code":{"text":"Report"},"item":[{"reference":"DiagnosticReport/r"}]}]}`))
	a := b.One("Observation", "a")
	if len(a.Comments) != 2 || !a.Commented() {
		t.Fatalf("got %+v", a.Comments)
	}
	for _, c := range a.Comments {
		if c.Withdrawn != (c.ID == "c2") || (c.Withdrawn && c.Text != "") {
			t.Errorf("got %+v", c)
		}
	}
	if r := b.One("DiagnosticReport", "r"); len(r.Comments) != 1 || r.Comments[0].Text != "On the report." {
		t.Errorf("got %+v", r.Comments)
	}
}

func TestNew(t *testing.T) {
	fresh := lab(t, "fresh", `"effectiveDateTime":"2015-01-01"`)
	fresh.Updated = now
	said := aComment(t, "c", "completed", "Observation/commented", "Look.")
	said.Updated = now
	docs := []Doc{fresh, said, lab(t, "commented", ``), lab(t, "old", `"effectiveDateTime":"2026-11-20T08:00:00Z"`)}
	b := collect(t, docs...)
	for id, want := range map[string]bool{"fresh": true, "commented": true, "old": false} {
		if got := b.One("Observation", id).New; got != want {
			t.Errorf("%s: new = %v, want %v", id, got, want)
		}
	}
	first := Collect(Input{Observations: docs[:1], Now: now, Zone: time.UTC})
	if first.One("Observation", "fresh").New {
		t.Error("on a first visit a result of 2015 is not news")
	}
	first = Collect(Input{Observations: docs[3:], Now: now, Zone: time.UTC})
	if !first.One("Observation", "old").New {
		t.Error("on a first visit last week's result is news")
	}
}

func TestPick(t *testing.T) {
	docs := []Doc{
		lab(t, "k", `"valueQuantity":{"value":9,"unit":"mmol/L"},"referenceRange":[{"high":{"value":5}}]`),
		lab(t, "u", `"code":{"text":"Ácido úrico en orina"},"effectiveDateTime":"2026-04-01"`),
		lab(t, "m1", `"code":{"text":"One"}`), lab(t, "m2", `"code":{"text":"Two"}`),
		aReport(t, "r", `,"result":[{"reference":"Observation/m1"},{"reference":"Observation/m2"}]`),
		aComment(t, "c", "completed", "Observation/m2", "Fine."),
	}
	b := collect(t, docs...)
	names := func(r *Result) string { return r.Name.Reported }
	for _, c := range []struct {
		f    Filter
		want []string
	}{
		{Filter{}, []string{"r: m1 m2", "-: k", "-: u"}},
		{Filter{Only: "flagged"}, []string{"-: k"}},
		{Filter{Only: "urine"}, []string{"-: u"}},
		{Filter{Only: "imaging"}, nil},
		{Filter{Only: "commented"}, []string{"r: m2"}},
		{Filter{Only: "new"}, nil},
		{Filter{Words: "acido URICO"}, []string{"-: u"}},
		{Filter{Words: "two"}, []string{"r: m2"}},
		{Filter{Words: "blood tests"}, []string{"r: m1 m2"}},
		{Filter{Words: "nothing like it"}, nil},
		{Filter{Only: "flagged", Words: "two"}, nil},
		{Filter{Only: "no-such-filter"}, nil},
	} {
		got := titles(&Book{Groups: b.Pick(c.f, names)})
		if !slices.Equal(got, c.want) {
			t.Errorf("%+v: got %q, want %q", c.f, got, c.want)
		}
	}
}

func TestFold(t *testing.T) {
	for in, want := range map[string]string{"Ácido  ÚRICO": "acido urico", "الهِيموغلوبين": "الهيموغلوبين", "أَحْمَر": "احمر", "ＨｂＡ１ｃ": "hba1c", "İ": "i", "": ""} {
		if got := fold(in); got != want {
			t.Errorf("fold(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestPages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOf(rapid.IntRange(0, 80)).Draw(t, "sizes")
		var groups []Group
		for i, n := range sizes {
			groups = append(groups, Group{Report: &Result{ID: fmt.Sprint(i)}, Items: make([]*Result, n)})
		}
		var joined []Group
		for _, p := range Pages(groups, 50) {
			rows := 0
			for _, g := range p {
				rows += max(1, len(g.Items))
			}
			if len(p) == 0 || (rows > 50 && len(p) > 1) {
				t.Fatalf("a page of %d groups and %d rows", len(p), rows)
			}
			joined = append(joined, p...)
		}
		for i, g := range joined {
			if g.Report.ID != fmt.Sprint(i) {
				t.Fatal("a group moved or is lost")
			}
		}
		if len(joined) != len(groups) {
			t.Fatalf("%d of %d groups", len(joined), len(groups))
		}
	})
}

func point(id, day, value string) string {
	return `"effectiveDateTime":"` + day + `","valueQuantity":{"value":` + value + `,"unit":"mmol/L"},"referenceRange":[{"low":{"value":3.5},"high":{"value":5.5}}]`
}

func TestTrend(t *testing.T) {
	b := collect(t,
		lab(t, "a", point("a", "2024-05-01", "7.0")),
		lab(t, "b", point("b", "2025-05-01", "6.0")),
		lab(t, "c", point("c", "2026-05-01", "5.0")),
		lab(t, "bound", `"effectiveDateTime":"2025-08-01","valueQuantity":{"value":2,"comparator":"<","unit":"mmol/L"}`),
		lab(t, "unit", `"effectiveDateTime":"2025-06-01","valueQuantity":{"value":20,"unit":"mg/dL"}`),
		lab(t, "gone", point("gone", "2025-07-01", "1")+`,"status":"entered-in-error"`),
		lab(t, "cancelled", point("x", "2025-07-02", "1")+`,"status":"cancelled"`),
		lab(t, "undated", `"effectiveDateTime":null,"valueQuantity":{"value":5,"unit":"mmol/L"}`),
		lab(t, "other", `"code":{"text":"Sodium"},"valueQuantity":{"value":140,"unit":"mmol/L"}`),
	)
	points := b.Trend(b.One("Observation", "c"))
	var ids []string
	for _, p := range points {
		ids = append(ids, fmt.Sprint(p.ID, p.OK))
	}
	expect(t, ids, []string{"atrue", "btrue", "boundfalse", "ctrue"})
	if p := Previous(points, b.One("Observation", "c")); p == nil || p.ID != "b" {
		t.Errorf("previous is %+v", p)
	}
	if b.Trend(b.One("Observation", "gone")) != nil {
		t.Error("a withdrawn result has a trend")
	}
}

func TestDirection(t *testing.T) {
	with := `,"referenceRange":[{"low":{"value":3.5},"high":{"value":5.5}}]`
	for _, c := range []struct {
		before, after, ranges string
		want                  Direction
	}{
		{"4.0", "5.0", with, NoDirection}, // usual then and now
		{"7.0", "5.0", with, Reached},
		{"7.0", "6.0", with, Closer},
		{"6.0", "7.0", with, Further},
		{"5.0", "7.0", with, Further},
		{"3.0", "2.0", with, Further},
		{"3.0", "7.0", with, NoDirection},
		{"7.0", "7.05", with, Same},
		{"100", "104", "", Same},
		{"100", "106", "", Higher},
		{"100", "94", "", Lower},
		{"0", "1", "", Higher},
		{"0", "0", "", Same},
	} {
		b := collect(t, lab(t, "a", `"effectiveDateTime":"2025","valueQuantity":{"value":`+c.before+`}`+c.ranges), lab(t, "b", `"effectiveDateTime":"2026","valueQuantity":{"value":`+c.after+`}`+c.ranges))
		r := b.One("Observation", "b")
		if got := direction(r, Previous(b.Trend(r), r)); got != c.want {
			t.Errorf("%s → %s%s: got %q, want %q", c.before, c.after, c.ranges, got, c.want)
		}
	}
}

// TestStatusAgainstOracle compares statuses with a plain reading of the rule, over random numbers and limits.
func TestStatusAgainstOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		num := rapid.IntRange(-2000, 2000)
		dec := func(n int) fhir.Decimal { return fhir.Decimal(big.NewRat(int64(n), 100).FloatString(2)) }
		low, high, x := num.Draw(t, "low"), num.Draw(t, "high"), num.Draw(t, "x")
		if low > high {
			low, high = high, low
		}
		r := fhir.ObservationReferenceRange{Low: &fhir.Quantity{Value: dec(low)}, High: &fhir.Quantity{Value: dec(high)}}
		hasLow, hasHigh := rapid.Bool().Draw(t, "hasLow"), rapid.Bool().Draw(t, "hasHigh")
		if !hasLow {
			r.Low = nil
		}
		if !hasHigh {
			r.High = nil
		}
		v := Value{Form: Number, Digits: dec(x)}
		chosen, _ := chooseRange([]fhir.ObservationReferenceRange{r}, v, Person{}, now)
		got := statusOf(v, nil, chosen)
		if want := oracle(x, low, high, hasLow, hasHigh); got != want {
			t.Fatalf("%s in %+v: got %v, want %v", v.Digits, r, got, want)
		}
	})
}

// oracle works on hundredths as whole numbers.
func oracle(x, low, high int, hasLow, hasHigh bool) Status {
	abs := func(n int) int { return max(n, -n) }
	size := 0
	switch {
	case hasLow && hasHigh:
		size = high - low
	case hasLow:
		size = abs(low)
	case hasHigh:
		size = abs(high)
	default:
		return NotGiven
	}
	switch {
	case hasLow && x < low && 10*(low-x) <= size:
		return LittleLow
	case hasLow && x < low:
		return Low
	case hasHigh && x > high && 10*(x-high) <= size:
		return LittleHigh
	case hasHigh && x > high:
		return High
	}
	return Usual
}
