package records

import (
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wellgate/wellgate/care"
	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/site"
)

// A person is one patient's resources by type, as they arrived, and a way to follow references among them.
type person struct {
	byType map[string][]fhir.Resource
	find   Lookup
}

func (p person) all(typ string) []fhir.Resource { return p.byType[typ] }

func typed[T any](p person, typ string) []T {
	var out []T
	for _, r := range p.all(typ) {
		out = append(out, fhir.Into[T](r))
	}
	return out
}

// corpus calls each for every bundle under WELLGATE_CORPUS.
func corpus(t *testing.T, each func(name string, p person)) {
	t.Helper()
	dir := os.Getenv("WELLGATE_CORPUS")
	if dir == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("WELLGATE_CORPUS is not set: set it to the folder that holds synthea/")
		}
		t.Skip("WELLGATE_CORPUS is not set: the run over the Synthea corpus is left out")
	}
	for _, pattern := range []string{"synthea/r4-2019/*.json.gz", "synthea/uscore-2021/*.json.gz", "synthea/uscore-2022/*.json.gz", "synthea/large/*.json.gz", "uscore/test-bundles/*.json.gz"} {
		files, _ := filepath.Glob(filepath.Join(dir, pattern))
		if len(files) == 0 {
			t.Fatalf("no file matches %s in WELLGATE_CORPUS", pattern)
		}
		for _, f := range files {
			each(filepath.Base(f), bundle(t, f))
		}
	}
}

func bundle(t *testing.T, name string) person {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	_, entries, err := fhir.ReadBundle(strings.NewReader(string(raw)))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	// As the importer does, a fullUrl becomes the resource's own reference.
	var pairs []string
	for _, e := range entries {
		if strings.HasPrefix(e.FullURL, "urn:uuid:") {
			pairs = append(pairs, `"`+e.FullURL+`"`, `"`+e.Resource.Ref()+`"`)
		}
	}
	relative := strings.NewReplacer(pairs...)
	p := person{byType: map[string][]fhir.Resource{}}
	index := map[string]fhir.Resource{}
	for _, e := range entries {
		r, err := fhir.Parse([]byte(relative.Replace(string(e.Resource.Raw()))))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		p.byType[r.Type()] = append(p.byType[r.Type()], r)
		index[r.Ref()] = r
	}
	p.find = func(ref string) (fhir.Resource, bool) { r, ok := index[ref]; return r, ok }
	return p
}

// TestCorpus runs every rule and draws every row of real-world bundles in three languages: no panic, no row without a
// name, and as many entries as the bundle holds, counted another way.
func TestCorpus(t *testing.T) {
	speakers := []site.Words{words(t, "en"), words(t, "es"), words(t, "ar")}
	total := map[string]int{}
	corpus(t, func(name string, p person) {
		c := check{t: t, name: name, p: p, total: total}
		c.counts()
		for _, w := range speakers {
			c.rows(&care.Visit{Words: w, Now: today})
		}
	})
	for _, k := range slices.Sorted(maps.Keys(total)) {
		t.Logf("%s: %d", k, total[k])
	}
}

type check struct {
	t     *testing.T
	name  string
	p     person
	total map[string]int
}

func (c check) equal(what string, got, want int) {
	c.t.Helper()
	c.total[what] += got
	if got != want {
		c.t.Errorf("%s: %d %s, want %d", c.name, got, what, want)
	}
}

// distinct counts different values of key over the raw JSON, by another road than the rules take.
func distinct(rs []fhir.Resource, key func(raw string) string) int {
	seen := map[string]bool{}
	for _, r := range rs {
		if k := key(string(r.Raw())); k != "" {
			seen[k] = true
		}
	}
	return len(seen)
}

// between is the text after from up to to.
func between(s, from, to string) string {
	_, s, ok := strings.Cut(s, from)
	if !ok {
		return ""
	}
	s, _, _ = strings.Cut(s, to)
	return s
}

func (c check) counts() {
	p := c.p
	kept := func(typ string) int {
		return distinct(p.all(typ), func(raw string) string {
			if strings.Contains(raw, "entered-in-error") {
				return ""
			}
			return raw
		})
	}
	c.equal("visits", len(Visits(typed[fhir.Encounter](p, "Encounter"), p.find)), kept("Encounter"))
	c.equal("documents", len(Documents(typed[fhir.DocumentReference](p, "DocumentReference"), p.find)), kept("DocumentReference"))
	c.equal("procedures", len(Deeds(typed[fhir.Procedure](p, "Procedure"), p.find)), kept("Procedure"))
	c.equal("allergies", len(Allergies(typed[fhir.AllergyIntolerance](p, "AllergyIntolerance")).Entries), kept("AllergyIntolerance"))
	plans, rest := Plans(typed[fhir.CarePlan](p, "CarePlan"), typed[fhir.Goal](p, "Goal"), p.find)
	c.equal("plans", len(plans), kept("CarePlan"))
	goals := len(rest)
	for _, x := range plans {
		goals += len(x.Goals)
	}
	c.equal("goals", goals, kept("Goal"))
	doses := 0
	for _, v := range Vaccines(typed[fhir.Immunization](p, "Immunization"), p.find) {
		doses += len(v.Doses)
	}
	c.equal("doses", doses, kept("Immunization"))
	c.equal("medicines", len(Medicines(typed[fhir.MedicationRequest](p, "MedicationRequest"), typed[fhir.MedicationStatement](p, "MedicationStatement"), p.find)),
		distinct(p.all("MedicationRequest"), func(raw string) string {
			if s := between(raw, `"medicationCodeableConcept":{"coding":[{`, `"display"`); s != "" {
				return s
			}
			return between(raw, `"medicationReference":{`, `}`)
		}))
	times := 0
	for _, x := range Problems(typed[fhir.Condition](p, "Condition")) {
		times += x.Times
	}
	c.equal("conditions", times, kept("Condition"))
	readings, halves := 0, 0
	for _, v := range Vitals(typed[fhir.Observation](p, "Observation")) {
		readings += len(v.Readings)
	}
	for _, r := range p.all("Observation") {
		raw := string(r.Raw())
		if strings.Contains(raw, `"vital-signs"`) || kindOf[between(raw, `"code":{"coding":[{"system":"http://loinc.org","code":"`, `"`)] != "" {
			halves++
		}
	}
	c.equal("readings", readings, halves)
	kinds := 0
	for _, typ := range []string{"Encounter", "DocumentReference", "Procedure", "AllergyIntolerance", "CarePlan", "Immunization", "Condition", "MedicationRequest", "DiagnosticReport"} {
		kinds += kept(typ)
	}
	c.equal("events", len(Events(c.events(), p.find)), kinds)
}

func (c check) events() []fhir.Resource {
	var rs []fhir.Resource
	for _, k := range EventKinds {
		for _, typ := range typesOf[k] {
			rs = append(rs, c.p.all(typ)...)
		}
	}
	return rs
}

func (c check) rows(v *care.Visit) {
	p := c.p
	c.named(v, rows(v, Visits(typed[fhir.Encounter](p, "Encounter"), p.find), visitRow))
	c.named(v, rows(v, Documents(typed[fhir.DocumentReference](p, "DocumentReference"), p.find), documentRow))
	c.named(v, rows(v, Deeds(typed[fhir.Procedure](p, "Procedure"), p.find), deedRow))
	c.named(v, rows(v, Allergies(typed[fhir.AllergyIntolerance](p, "AllergyIntolerance")).Entries, allergyRow))
	c.named(v, rows(v, Vaccines(typed[fhir.Immunization](p, "Immunization"), p.find), vaccineRow))
	c.named(v, rows(v, Problems(typed[fhir.Condition](p, "Condition")), problemRow))
	c.named(v, rows(v, Medicines(typed[fhir.MedicationRequest](p, "MedicationRequest"), nil, p.find), medicineRow))
	for _, who := range typed[fhir.Patient](p, "Patient") {
		c.named(v, rows(v, CareTeam(who, typed[fhir.CareTeam](p, "CareTeam"), p.find), memberRow))
	}
	vs := Vitals(typed[fhir.Observation](p, "Observation"))
	c.named(v, rows(v, vs, vitalRow))
	for _, x := range vs {
		for _, r := range x.Readings {
			if readingText(v.Words, r) == "" {
				c.t.Errorf("%s: a reading of %s says nothing", c.name, x.Code)
			}
		}
		trend(v, x, Cut(x.Readings, Paged(1, len(x.Readings))))
	}
	for _, m := range eventMonths(v, Events(c.events(), p.find)) {
		for _, e := range m.Events {
			if e.Title == "" || e.When == "" || m.Title == "" {
				c.t.Errorf("%s: an empty event %+v", c.name, e)
			}
		}
	}
}

func (c check) named(v *care.Visit, rows []site.Row) {
	c.t.Helper()
	for _, r := range rows {
		all := fmt.Sprint(r.Title, r.Detail, r.Meta, r.Tag)
		switch {
		case strings.TrimSpace(r.Title) == "" || r.Title == v.Words.T("records.unnamed"):
			c.t.Errorf("%s: a row without a name: %+v", c.name, r)
		case strings.Contains(all, "records."):
			c.t.Errorf("%s: untranslated: %s", c.name, all)
		case strings.Contains(all, "(disorder)") || strings.Contains(all, "(procedure)"):
			c.t.Errorf("%s: a terminology's tag is shown: %s", c.name, all)
		}
	}
}
