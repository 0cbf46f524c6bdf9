package demo

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/fhir/validate"
)

var update = flag.Bool("update", false, "write testdata/golden.txt anew")

// moment is when all tests take place.
func moment(t testing.TB) time.Time {
	t.Helper()
	zone, err := time.LoadLocation(zoneName)
	if err != nil {
		t.Fatal(err)
	}
	return time.Date(2026, time.November, 23, 9, 0, 0, 0, zone)
}

func generate(t testing.TB, seed uint64, now time.Time) *Practice {
	t.Helper()
	p, err := Generate(seed, now)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var once = sync.OnceValues(func() (*Practice, error) {
	zone, err := time.LoadLocation(zoneName)
	if err != nil {
		return nil, err
	}
	return Generate(1, time.Date(2026, time.November, 23, 9, 0, 0, 0, zone))
})

// practice is that of seed 1, which most tests read.
func practice(t testing.TB) *Practice {
	t.Helper()
	p, err := once()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// moments are days on which a calendar has surprised somebody.
func moments(t testing.TB) []time.Time {
	m := moment(t)
	at := func(y int, mo time.Month, d, h, mi int) time.Time {
		return time.Date(y, mo, d, h, mi, 7, 11, m.Location())
	}
	return []time.Time{m, at(2026, 11, 28, 23, 58), at(2028, 2, 29, 0, 1), at(2027, 3, 14, 3, 30), at(2031, 7, 4, 17, 0).UTC()}
}

func everything(p *Practice) (all []fhir.Resource) {
	all = append(all, p.Directory...)
	for _, q := range p.Patients {
		all = append(append(all, q.Resource), q.Record...)
	}
	return all
}

func digest(q Patient) string {
	h := sha256.New()
	h.Write(q.Resource.Raw())
	for _, r := range q.Record {
		h.Write([]byte{'\n'})
		h.Write(r.Raw())
	}
	for _, f := range q.Files {
		h.Write([]byte(f.Ref))
		h.Write(f.Bytes)
	}
	return hex.EncodeToString(h.Sum(nil))[:24]
}

func TestSameSeedSameBytes(t *testing.T) {
	for _, pair := range [][2]*Practice{{practice(t), generate(t, 1, moment(t))}, {generate(t, 7, moments(t)[1]), generate(t, 7, moments(t)[1])}} {
		a, b := pair[0], pair[1]
		for i := range a.Patients {
			if digest(a.Patients[i]) != digest(b.Patients[i]) {
				t.Errorf("%s differs between two runs", a.Patients[i].DisplayName)
			}
		}
		for i := range a.Directory {
			if !bytes.Equal(a.Directory[i].Raw(), b.Directory[i].Raw()) {
				t.Errorf("%s differs between two runs", a.Directory[i])
			}
		}
		if d := cmp.Diff(a.Families, b.Families); d != "" {
			t.Error(d)
		}
	}
	a, b := practice(t), generate(t, 8, moment(t))
	if digest(a.Patients[0]) == digest(b.Patients[0]) {
		t.Error("another seed gives the same record")
	}
}

// TestGolden shows in review what a change does to whom. Run with -update after a change that is meant.
func TestGolden(t *testing.T) {
	var b strings.Builder
	for _, q := range practice(t).Patients {
		fmt.Fprintf(&b, "%-24s %4d %d %s\n", fold(q.DisplayName), len(q.Record), len(q.Files), digest(q))
	}
	const name = "testdata/golden.txt"
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Errorf("records changed (go test ./demo -update if this is meant):\n%s", d)
	}
}

func TestEveryResourceIsValid(t *testing.T) {
	for _, r := range everything(practice(t)) {
		for _, i := range validate.Resource(r, validate.Strict) {
			t.Errorf("%s %s", r, i)
		}
		if t.Failed() && testing.Short() {
			return
		}
	}
}

func TestReferencesResolveAndIDsAreUnique(t *testing.T) {
	p := practice(t)
	known := map[string]bool{}
	seen := map[string]string{}
	note := func(r fhir.Resource) {
		if !fhir.ValidID(r.ID()) || len(r.ID()) < 12 {
			t.Errorf("%s: not an opaque FHIR id", r)
		}
		if o, dup := seen[r.ID()]; dup {
			t.Errorf("id of %s is also that of %s", r, o)
		}
		seen[r.ID()] = r.Ref()
	}
	for _, r := range p.Directory {
		note(r)
		known[r.Ref()] = true
	}
	check := func(r fhir.Resource, own map[string]bool) {
		for _, l := range r.References() {
			if !own[l.Value] && !known[l.Value] {
				t.Errorf("%s: %s points at %q, which is in neither the record nor the directory", r, l.Path, l.Value)
			}
		}
	}
	for _, r := range p.Directory {
		check(r, nil)
	}
	for _, q := range p.Patients {
		own := map[string]bool{q.Resource.Ref(): true}
		note(q.Resource)
		for _, r := range q.Record {
			note(r)
			own[r.Ref()] = true
		}
		for _, f := range q.Files {
			own[f.Ref] = true
		}
		check(q.Resource, own)
		for _, r := range q.Record {
			check(r, own)
		}
	}
	for _, s := range p.Staff {
		if !known[s.Practitioner] {
			t.Errorf("%s: %s is not in the directory", s.Name, s.Practitioner)
		}
	}
	for _, f := range p.Families {
		if seen[strings.TrimPrefix(f.Guardian, "Patient/")] == "" || seen[strings.TrimPrefix(f.Dependant, "Patient/")] == "" {
			t.Errorf("family %v: no such patient", f)
		}
	}
}

var (
	aPhone = regexp.MustCompile(`\(?\d{3}\)?[ -.]\d{3}-\d{4}`)
	aMail  = regexp.MustCompile(`[\w.+-]+@[\w.-]+`)
	aURL   = regexp.MustCompile(`https?://[^/"<]+`)
)

func TestNothingPointsAtTheRealWorld(t *testing.T) {
	hosts := []string{"http://hl7.org", "http://loinc.org", "http://snomed.info", "http://terminology.hl7.org", "http://unitsofmeasure.org", "http://www.nlm.nih.gov", "http://nucc.org", "http://www.w3.org",
		"https://willowbrook.example.com", "https://plans.example.com"}
	for _, r := range everything(practice(t)) {
		s := string(r.Raw())
		for _, n := range aPhone.FindAllString(s, -1) {
			if !strings.Contains(n, "555-01") {
				t.Errorf("%s: %s is not a number set aside for fiction", r, n)
			}
		}
		for _, m := range aMail.FindAllString(s, -1) {
			if !strings.HasSuffix(m, "@example.com") {
				t.Errorf("%s: %s is not at example.com", r, m)
			}
		}
		for _, u := range aURL.FindAllString(s, -1) {
			if !slices.Contains(hosts, u) {
				t.Errorf("%s: unknown host %s", r, u)
			}
		}
	}
}

func TestWhoIsWho(t *testing.T) {
	p := practice(t)
	var roles, logins []string
	heroes := 0
	for _, s := range p.Staff {
		roles = append(roles, s.Role)
		logins = append(logins, s.Login)
		if s.Hero {
			heroes++
		}
	}
	slices.Sort(roles)
	want := []string{"administrator", "billing", "clinician", "dentist", "front-desk", "hygienist", "nurse", "privacy-officer"}
	if d := cmp.Diff(want, roles); d != "" || heroes != 2 {
		t.Errorf("staff: %d heroes, %s", heroes, d)
	}
	heroes = 0
	var numbers []string
	for _, q := range p.Patients {
		if q.Hero {
			heroes++
		}
		if q.Login != "" {
			logins = append(logins, q.Login)
		}
		numbers = append(numbers, q.Number)
	}
	if len(p.Patients) != 40 || heroes != 3 || p.Patients[0].DisplayName != "Amina Rahman" {
		t.Errorf("%d patients, %d heroes, first %s", len(p.Patients), heroes, p.Patients[0].DisplayName)
	}
	for what, list := range map[string][]string{"login": logins, "number": numbers} {
		slices.Sort(list)
		if n := len(list); len(slices.Compact(list)) != n {
			t.Errorf("two people share a %s", what)
		}
	}
	scripts := map[string]string{"Arabic": "[؀-ۿ]", "Han": "\\p{Han}", "Cyrillic": "\\p{Cyrillic}", "Greek": "\\p{Greek}", "Devanagari": "\\p{Devanagari}", "Hangul": "\\p{Hangul}", "Bengali": "\\p{Bengali}"}
	for name, re := range scripts {
		if !slices.ContainsFunc(p.Patients, func(q Patient) bool { return regexp.MustCompile(re).Match(q.Resource.Raw()) }) {
			t.Errorf("no name in %s", name)
		}
	}
}

func BenchmarkGenerate(b *testing.B) {
	now := moment(b)
	for b.Loop() {
		if _, err := Generate(1, now); err != nil {
			b.Fatal(err)
		}
	}
}
