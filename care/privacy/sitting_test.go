package privacy

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wellgate/wellgate/trust/chart"
)

// What one person reads in one go is one row; whatever sets a line apart sets it apart on the page.
func TestSittings(t *testing.T) {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	at := func(l chart.Look, minute int) chart.Look {
		l.At = noon.Add(time.Duration(minute) * time.Minute)
		return l
	}
	but := func(l chart.Look, change func(*chart.Look)) chart.Look {
		change(&l)
		return l
	}
	for _, c := range []struct {
		name string
		page []chart.Look // newest first
		want []int        // lines of each row
	}{
		{"nobody", nil, nil},
		{"one go", []chart.Look{at(nair, 40), at(nair, 20), at(nair, 0)}, []int{3}},
		{"a long pause", []chart.Look{at(nair, 31), at(nair, 0)}, []int{1, 1}},
		{"somebody between", []chart.Look{at(nair, 2), at(self, 1), at(nair, 0)}, []int{1, 1, 1}},
		{"another reason", []chart.Look{at(nair, 1), at(but(nair, func(l *chart.Look) { l.Reason = "A call" }), 0)}, []int{1, 1}},
		{"another purpose", []chart.Look{at(nair, 1), at(but(nair, func(l *chart.Look) { l.Purpose = "HPAYMT" }), 0)}, []int{1, 1}},
		{"another role", []chart.Look{at(nair, 1), at(but(nair, func(l *chart.Look) { l.Role = "nurse" }), 0)}, []int{1, 1}},
		{"the same name, another kind", []chart.Look{at(nair, 1), at(but(nair, func(l *chart.Look) { l.Kind = "patient" }), 0)}, []int{1, 1}},
		{"a change", []chart.Look{at(nair, 2), at(but(nair, func(l *chart.Look) { l.Action = "write" }), 1), at(nair, 0)}, []int{1, 1, 1}},
		{"a copy taken twice", []chart.Look{at(but(self, func(l *chart.Look) { l.Action = "export" }), 1), at(but(self, func(l *chart.Look) { l.Action = "export" }), 0)}, []int{1, 1}},
		{"refused twice", []chart.Look{at(refused, 1), at(refused, 0)}, []int{1, 1}},
	} {
		var got []int
		for _, s := range sittings(c.page) {
			got = append(got, len(s))
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}

func TestASittingNamesAllThatWasSeen(t *testing.T) {
	vaccines := nair
	vaccines.Types = map[string]int{"Immunization": 3, "Observation": 2}
	got := sitting{nair, vaccines}.whole()
	if d := cmp.Diff(map[string]int{"Observation": 12, "Condition": 1, "Patient": 1, "Immunization": 3}, got.Types); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(map[string]int{"Observation": 12, "Patient": 1, "Condition": 1}, nair.Types); d != "" {
		t.Errorf("the line itself was changed: %s", d)
	}
}

// A page holds so many rows, whatever stands in them, but never so many lines that it grows heavy.
func TestLeaf(t *testing.T) {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	list := func(n int, apart time.Duration) []chart.Look {
		out := make([]chart.Look, n)
		for i := range out {
			out[i] = nair
			out[i].At = noon.Add(-time.Duration(i) * apart)
		}
		return out
	}
	for _, c := range []struct {
		name  string
		n     int
		apart time.Duration
		want  int
		more  bool
	}{
		{"nothing", 0, 0, 0, false},
		{"a few rows", perPage, time.Hour, perPage, false},
		{"a row too many", perPage + 1, time.Hour, perPage, true},
		{"one long sitting", lines, time.Minute, lines, false},
		{"one sitting too long", lines + 1, time.Minute, lines, true},
	} {
		if got, more := leaf(list(c.n, c.apart)); len(got) != c.want || more != c.more {
			t.Errorf("%s: %d lines, more %v; want %d, %v", c.name, len(got), more, c.want, c.more)
		}
	}
}
