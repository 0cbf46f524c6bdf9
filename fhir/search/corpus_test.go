package search_test

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/fhir/search"
)

// largest reads the largest Synthea patient, or n copies of their observations.
func largest(t testing.TB) []search.Item {
	files, _ := filepath.Glob(filepath.Join(corpus(t), "synthea", "uscore-2022", "Jamison*"))
	if len(files) != 1 {
		t.Fatal("the patient is not there")
	}
	f, err := os.Open(files[0])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	_, entries, err := fhir.ReadBundle(z)
	if err != nil {
		t.Fatal(err)
	}
	var items []search.Item
	for i, e := range entries {
		items = append(items, search.Item{Resource: e.Resource, Version: 1, Updated: time.Unix(int64(i), 0)})
	}
	return items
}

// Each observation is found by its own values, and what is found has them, as the structs read them.
func TestObservationsAreFoundByTheirValues(t *testing.T) {
	items := largest(t)
	ix := search.NewIndex(items)
	find := func(query string) []int {
		q, err := search.Parse("Observation", query)
		if err != nil {
			t.Fatal(err)
		}
		return ix.Search(q)
	}
	seen := 0
	for i, it := range items {
		if it.Resource.Type() != "Observation" {
			continue
		}
		o := fhir.Into[fhir.Observation](it.Resource)
		seen++
		if seen%7 != 0 {
			continue // one in seven is enough
		}
		for _, q := range []struct {
			query string
			has   func(fhir.Observation) bool
		}{
			{"code=" + url.QueryEscape(o.Code.Coding[0].System+"|"+o.Code.Coding[0].Code), func(x fhir.Observation) bool {
				return x.Code.Has(o.Code.Coding[0].System, o.Code.Coding[0].Code)
			}},
			{"category=" + o.Category[0].Coding[0].Code + "&status=final", func(x fhir.Observation) bool {
				return x.Category[0].Coding[0].Code == o.Category[0].Coding[0].Code && x.Status == "final"
			}},
			{"date=" + url.QueryEscape(string(o.EffectiveDateTime)), func(x fhir.Observation) bool { return x.EffectiveDateTime.Compare(o.EffectiveDateTime) == 0 }},
			{"date=ge" + string(o.EffectiveDateTime[:10]) + "&subject=" + url.QueryEscape(o.Subject.Reference), func(x fhir.Observation) bool {
				from, _, _ := fhir.DateTime(o.EffectiveDateTime[:10]).Interval(time.UTC)
				at, _ := x.EffectiveDateTime.Time(time.UTC)
				return !at.Before(from)
			}},
		} {
			found := find(q.query)
			if !slices.Contains(found, i) {
				t.Errorf("%s does not find %s", q.query, it.Resource.Ref())
			}
			n := 0
			for _, other := range items {
				if other.Resource.Type() == "Observation" && q.has(fhir.Into[fhir.Observation](other.Resource)) {
					n++
				}
			}
			if len(found) != n {
				t.Errorf("%s finds %d, should find %d", q.query, len(found), n)
			}
		}
	}
	if seen < 300 {
		t.Errorf("only %d observations", seen)
	}
}

// The fast way to sort (walking a kept order) and the plain one agree.
func TestSortIsSorted(t *testing.T) {
	items := largest(t)
	ix := search.NewIndex(items)
	for _, sort := range []string{"-date", "date", "code", "status,date", "status,-date", "_id", "-_lastUpdated", "-value-quantity"} {
		full, err := search.Parse("Observation", "_sort="+sort)
		if err != nil {
			t.Fatal(err)
		}
		all := ix.Search(full)
		for _, count := range []int{1, 50, len(all) - 1} {
			q, _ := search.Parse("Observation", fmt.Sprintf("_sort=%s&_count=%d", sort, count))
			if got := ix.Search(q); !slices.Equal(got, all[:count]) {
				t.Errorf("_sort=%s: the first %d differ", sort, count)
			}
		}
		sort = strings.TrimPrefix(sort, "status,") // all are final: the second key decides
		for k := 1; k < len(all) && (sort == "date" || sort == "-date"); k++ {
			a := fhir.Into[fhir.Observation](items[all[k-1]].Resource).EffectiveDateTime
			b := fhir.Into[fhir.Observation](items[all[k]].Resource).EffectiveDateTime
			if c := a.Compare(b); sort == "date" && c > 0 || sort == "-date" && c < 0 {
				t.Fatalf("_sort=%s: place %d", sort, k)
			}
		}
	}
}

func tenThousand(b *testing.B) []search.Item {
	var items []search.Item
	for len(items) < 10000 {
		for _, it := range largest(b) {
			if it.Resource.Type() == "Observation" && len(items) < 10000 {
				it.Updated = time.Unix(int64(len(items)), 0)
				items = append(items, it)
			}
		}
	}
	return items
}

func BenchmarkSearch(b *testing.B) {
	items := tenThousand(b)
	ix := search.NewIndex(items)
	for _, query := range []string{"category=laboratory&_sort=-date&_count=50", "code=http://loinc.org|718-7", "date=ge2015&_count=50", "category=laboratory&date=ge2015&_sort=-date"} {
		q, err := search.Parse("Observation", query)
		if err != nil {
			b.Fatal(err)
		}
		ix.Search(q)
		b.Run(query, func(b *testing.B) {
			for b.Loop() {
				ix.Search(q)
			}
		})
	}
	b.Run("first search", func(b *testing.B) {
		q, _ := search.Parse("Observation", "category=laboratory&_sort=-date&_count=50")
		for b.Loop() {
			search.NewIndex(items).Search(q)
		}
	})
	b.Run("Next", func(b *testing.B) {
		for b.Loop() {
			ix.Next(items)
		}
	})
	b.Run("Parse", func(b *testing.B) {
		for b.Loop() {
			search.Parse("Observation", "category=laboratory&_sort=-date&_count=50")
		}
	})
}

// Awkward names come back as they went in, are found exactly and folded, and are never repeated by an error.
func TestNaughtyStrings(t *testing.T) {
	data, err := os.ReadFile(corpus(t, "bad-inputs", "naughty-strings.json"))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	if err := json.Unmarshal(data, &all); err != nil || len(all) < 500 {
		t.Fatal(len(all), err)
	}
	escape := strings.NewReplacer(`\`, `\\`, `,`, `\,`, `|`, `\|`, `$`, `\$`)
	for _, s := range all {
		if s == "" {
			continue
		}
		r, err := fhir.New(fhir.Patient{ID: "p", Name: []fhir.HumanName{{Text: s}}})
		if err != nil {
			t.Errorf("%q: %v", s, err)
			continue
		}
		if got := fhir.Into[fhir.Patient](r).Name[0].Text; got != s {
			t.Errorf("%q came back as %q", s, got)
		}
		ix := search.NewIndex([]search.Item{{Resource: r}})
		for _, name := range []string{"name:exact", "name", "name:contains"} {
			q, err := search.Parse("Patient", name+"="+url.QueryEscape(escape.Replace(s)))
			if err != nil {
				t.Errorf("%s=%q: %v", name, s, err)
			} else if len(ix.Search(q)) != 1 {
				t.Errorf("%s=%q is not found", name, s)
			}
		}
		_, err = search.Parse("Patient", url.QueryEscape(s)+"="+url.QueryEscape(s))
		looksLikeName := strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:") == ""
		if len(s) > 1 && err != nil && !looksLikeName && strings.Contains(err.Error(), s) {
			t.Errorf("an error repeats %q", s)
		}
	}
}
