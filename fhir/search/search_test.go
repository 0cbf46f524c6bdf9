package search_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/fhir/search"
)

// story is a small chart; updated moves one day per line, from 2024-01-01.
var story = strings.Split(strings.TrimSpace(`
{"resourceType":"Patient","id":"p1","name":[{"family":"Núñez","given":["Ana","María"]}],"gender":"female","birthDate":"1980-05-17","telecom":[{"system":"phone","value":"555-1"},{"system":"email","value":"Ana@x.org"}],"extension":[{"url":"http://hl7.org/fhir/us/core/StructureDefinition/us-core-race","extension":[{"url":"ombCategory","valueCoding":{"system":"urn:oid:2.16.840.1.113883.6.238","code":"2106-3"}}]}]}
{"resourceType":"Patient","id":"p2","name":[{"family":"O'Neil"}],"deceasedDateTime":"2020-01-02"}
{"resourceType":"Observation","id":"o1","status":"final","category":[{"coding":[{"system":"cat","code":"laboratory"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"718-7","display":"Hemoglobin in blood"}],"text":"Hb"},"subject":{"reference":"Patient/p1"},"effectiveDateTime":"2024-03-05T10:00:00Z","valueQuantity":{"value":13.50,"unit":"g/dL","system":"http://unitsofmeasure.org","code":"g/dL"}}
{"resourceType":"Observation","id":"o2","status":"preliminary","category":[{"coding":[{"system":"cat","code":"vital-signs"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"8867-4"}]},"subject":{"reference":"https://h.example/fhir/Patient/p1"},"effectivePeriod":{"start":"2024-03-01","end":"2024-03-31"},"valueQuantity":{"value":72}}
{"resourceType":"Observation","id":"o3","status":"final","category":[{"coding":[{"system":"cat","code":"laboratory"}]}],"code":{"coding":[{"system":"other","code":"718-7"}]},"subject":{"reference":"Patient/p2"},"effectiveDateTime":"2023","valueString":"Café au lait"}
{"resourceType":"Observation","id":"o4","status":"final","category":[{"coding":[{"code":"laboratory"}]}],"code":{"text":"no code"},"subject":{"reference":"Group/p1"},"valueQuantity":{"value":5,"comparator":"<","unit":"mg"}}
{"resourceType":"MedicationRequest","id":"m1","status":"active","intent":"order","medicationReference":{"reference":"Medication/med"},"subject":{"reference":"Patient/p1"},"authoredOn":"2024-02-01"}
{"resourceType":"Medication","id":"med","manufacturer":{"reference":"Organization/org"}}
{"resourceType":"Organization","id":"org","name":"Org, Inc"}
{"resourceType":"Provenance","id":"pv","target":[{"reference":"Observation/o1"},{"reference":"Patient/p1"}],"recorded":"2024-01-01T00:00:00Z"}
{"resourceType":"Coverage","id":"c1","status":"active","beneficiary":{"reference":"Patient/p1","identifier":{"system":"s","value":"V1"}},"payor":[{"reference":"Organization/org"}],"meta":{"profile":["http://p.org/a/b|1"],"tag":[{"system":"t","code":"x"}]}}
{"resourceType":"QuestionnaireResponse","id":"qr","status":"completed","questionnaire":"http://q.org/phq|2","subject":{"reference":"Patient/p1"}}
{"resourceType":"ValueSet","id":"vs","url":"http://q.org/vs/1","status":"draft"}
{"resourceType":"RiskAssessment","id":"ra","prediction":[{"probabilityDecimal":0.25}]}
`), "\n")

func chart(t testing.TB) []search.Item {
	var items []search.Item
	for i, line := range story {
		r, err := fhir.Parse([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, search.Item{Resource: r, Version: 1, Updated: time.Date(2024, 1, 1+i, 0, 0, 0, 0, time.UTC)})
	}
	return items
}

func ids(items []search.Item, hits []int) string {
	var out []string
	for _, h := range hits {
		out = append(out, items[h].Resource.ID())
	}
	return strings.Join(out, " ")
}

func TestSearch(t *testing.T) {
	items := chart(t)
	ix := search.NewIndex(items)
	for _, tc := range []struct{ typ, query, want string }{
		{"Observation", "", "o1 o2 o3 o4"},
		{"Observation", "code=", "o1 o2 o3 o4"},
		// token
		{"Observation", "code=718-7", "o1 o3"},
		{"Observation", "code=http://loinc.org|718-7", "o1"},
		{"Observation", "code=http%3A%2F%2Floinc.org%7C", "o1 o2"},
		{"Observation", "code=|718-7", ""},
		{"Observation", "category=|laboratory", "o4"},
		{"Observation", "category=LABORATORY", "o1 o3 o4"},
		{"Observation", "category=laboratory&status=preliminary,final&code=718-7", "o1 o3"},
		{"Observation", "category=laboratory&category=vital-signs", ""},
		{"Observation", "code:not=718-7", "o2 o4"},
		{"Observation", "code:missing=true", ""},
		{"Observation", "date:missing=true", "o4"},
		{"Observation", "date:missing=false", "o1 o2 o3"},
		{"Observation", "code:text=hemo", "o1"},
		{"Observation", "code:text=blood", "o1"},
		{"Observation", "code:text=hb", "o1"},
		{"Observation", "status=http://hl7.org/fhir/observation-status|preliminary", "o2"},
		{"Observation", "_id=o3,o1,nope", "o1 o3"},
		{"Observation", "_id=O3", ""},
		{"Patient", "gender=female", "p1"},
		{"Patient", "phone=555-1", "p1"},
		{"Patient", "phone=ana@x.org", ""},
		{"Patient", "email=ana@x.org", "p1"},
		{"Patient", "deceased=true", "p2"},
		{"Patient", "deceased=false", "p1"},
		{"Patient", "race=2106-3", "p1"},
		{"Coverage", "_tag=t|x", "c1"},
		// reference
		{"Observation", "patient=p1", "o1 o2"},
		{"Observation", "patient=Patient/p1", "o1 o2"},
		{"Observation", "subject=p1", "o1 o2 o4"},
		{"Observation", "subject:Group=p1", "o4"},
		{"Observation", "subject:Patient=p1,p2", "o1 o2 o3"},
		{"Observation", "subject=https://h.example/fhir/Patient/p1", "o2"},
		{"Coverage", "beneficiary:identifier=s|v1", "c1"},
		{"Coverage", "beneficiary:identifier=v2", ""},
		{"QuestionnaireResponse", "questionnaire=http://q.org/phq", "qr"},
		{"QuestionnaireResponse", "questionnaire=http://q.org/phq|2", "qr"},
		{"QuestionnaireResponse", "questionnaire=http://q.org/phq|3", ""},
		// string
		{"Patient", "name=nunez", "p1"},
		{"Patient", "name=MARÍ", "p1"},
		{"Patient", "name=uñez", ""},
		{"Patient", "name:contains=uñez", "p1"},
		{"Patient", "family:exact=Núñez", "p1"},
		{"Patient", "family:exact=nunez", ""},
		{"Patient", "family=o'neil,x", "p2"},
		{"Organization", `name=org\,+inc`, "org"},
		{"Organization", "name=zzz,inc", ""},
		{"Observation", "value-string=cafe au", "o3"},
		// uri
		{"ValueSet", "url=http://q.org/vs/1", "vs"},
		{"ValueSet", "url=http://q.org/vs", ""},
		{"ValueSet", "url:below=http://q.org/vs", "vs"},
		{"ValueSet", "url:below=http://q.org/v", ""},
		{"ValueSet", "url:above=http://q.org/vs/1/2", "vs"},
		{"Coverage", "_profile:below=http://p.org/a", "c1"},
		// number and quantity
		{"RiskAssessment", "probability=gt0.2", "ra"},
		{"RiskAssessment", "probability=0.3", "ra"},
		{"RiskAssessment", "probability=0.30", ""},
		{"RiskAssessment", "probability=ap0.26", "ra"},
		{"Observation", "value-quantity=13.5", "o1"},
		{"Observation", "value-quantity=13", ""},
		{"Observation", "value-quantity=1e1", "o1"},
		{"Observation", "value-quantity=13.5|http://unitsofmeasure.org|g/dL", "o1"},
		{"Observation", "value-quantity=13.5||g/dL", "o1"},
		{"Observation", "value-quantity=13.5||mg", ""},
		{"Observation", "value-quantity=lt13", "o4"},
		{"Observation", "value-quantity=gt13.5", "o2"},
		{"Observation", "value-quantity=ge13.5", "o1 o2"},
		{"Observation", "value-quantity=ne72", "o1 o4"},
		// date
		{"Observation", "date=2024-03-05", "o1"},
		{"Observation", "date=2024-03", "o1 o2"},
		{"Observation", "date=2024", "o1 o2"},
		{"Observation", "date=ne2024", "o3"},
		{"Observation", "date=gt2024-03-05", "o2"},
		{"Observation", "date=lt2024-03-05", "o2 o3"},
		{"Observation", "date=ge2024-03-05&date=le2024-03-05", "o1 o2"},
		{"Observation", "date=sa2023", "o1 o2"},
		{"Observation", "date=sa2024-03-01", "o1"},
		{"Observation", "date=eb2024-03-10", "o1 o3"},
		{"Observation", "date=ap2024-03-20", "o2"},
		{"Observation", "date=2024-03-05T12:00:00+02:00", "o1"},
		{"Observation", "date=2024-03-05T12:00:00%2B02:00", "o1"},
		{"Observation", "date=2024-03-05T10:00:01Z", ""},
		{"Patient", "birthdate=lt1980-05-18&birthdate=gt1980-05-16", "p1"},
		{"Observation", "_lastUpdated=ge2024-01-05", "o3 o4"},
		// order and count
		{"Observation", "_sort=-date", "o1 o2 o3 o4"},
		{"Observation", "_sort=date", "o3 o2 o1 o4"},
		{"Observation", "_sort=-date&_count=2", "o1 o2"},
		{"Observation", "_count=0", ""},
		{"Observation", "_sort=status,-_id", "o4 o3 o1 o2"},
		{"Observation", "_sort=-_lastUpdated", "o4 o3 o2 o1"},
		{"Observation", "_sort=value-quantity", "o4 o1 o2 o3"},
		{"Patient", "_sort=family&_format=json", "p1 p2"},
		{"Immunization", "status=completed", ""},
	} {
		q, err := search.Parse(tc.typ, strings.ReplaceAll(tc.query, " ", "%20"))
		if err != nil {
			t.Errorf("%s?%s: %v", tc.typ, tc.query, err)
			continue
		}
		if got := ids(items, ix.Search(q)); got != tc.want {
			t.Errorf("%s?%s: got %q, want %q", tc.typ, tc.query, got, tc.want)
		}
	}
}

func TestPage(t *testing.T) {
	items := chart(t)
	q, err := search.Parse("Observation", "_sort=-_id&_count=2&category=laboratory,vital-signs")
	if err != nil {
		t.Fatal(err)
	}
	for offset, want := range []string{"o4 o3", "o3 o2", "o2 o1", "o1", "", ""} {
		hits, total := search.NewIndex(items).Page(q, offset)
		if got := ids(items, hits); got != want || total != 4 {
			t.Errorf("from %d: %q of %d, want %q of 4", offset, got, total, want)
		}
	}
}

func TestInclude(t *testing.T) {
	items := chart(t)
	ix := search.NewIndex(items)
	for _, tc := range []struct{ typ, query, want string }{
		{"MedicationRequest", "_include=MedicationRequest:medication", "med"},
		{"MedicationRequest", "_include=MedicationRequest:medication:Medication&_include=MedicationRequest:patient", "med p1"},
		{"MedicationRequest", "_include=MedicationRequest:subject:Group", ""},
		{"MedicationRequest", "_include=MedicationRequest:medication&_include=Medication:manufacturer", "med"},
		{"MedicationRequest", "_include=MedicationRequest:medication&_include:iterate=Medication:manufacturer", "med org"},
		{"MedicationRequest", "_include=MedicationRequest:*", "med p1"},
		{"Observation", "_id=o1&_revinclude=Provenance:target", "pv"},
		{"Observation", "_id=o2&_revinclude=Provenance:target", ""},
		{"Patient", "_id=p1&_revinclude=Provenance:target:Observation", ""},
		{"Patient", "_id=p1&_revinclude=Provenance:target&_revinclude=Coverage:beneficiary", "pv c1"},
	} {
		q, err := search.Parse(tc.typ, tc.query)
		if err != nil {
			t.Errorf("%s?%s: %v", tc.typ, tc.query, err)
			continue
		}
		if got := ids(items, ix.Included(q, ix.Search(q))); got != tc.want {
			t.Errorf("%s?%s: got %q, want %q", tc.typ, tc.query, got, tc.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, tc := range []struct{ query, want string }{
		{"colour=red", "colour is not a search parameter"},
		{"patient.name=x", "patient.name asks across"},
		{"_has:Observation:patient:code=1", "_has:Observation:patient:code asks across"},
		{"code:in=x", "code:in has a modifier"},
		{"date:exact=2020", "date:exact has a modifier"},
		{"date=Secret", "date must be a date"},
		{"date=gt2020-13", "date must be a date"},
		{"value-quantity=Secret", "value-quantity must be a number"},
		{"value-quantity=NaN", "value-quantity must be a number"},
		{"value-quantity=5|x", "value-quantity must be a number"},
		{"date:missing=Secret", "date:missing must be true or false"},
		{"_count=-1", "_count must be"},
		{"_sort=Secret", "_sort names something"},
		{"_include=Observation:status", "_include names something"},
		{"_include=Secret", "_include must look like"},
		{"_include=Observation:subject:Secret", "_include names a target"},
		{"_summary=Secret", "_summary must be one of"},
		{"_text=Secret", "_text is not"},
		{"code-value-quantity=a$1", "code-value-quantity is not"},
		{"%zz=1", "? is not encoded"},
		{"<script>=1", "? is not a search parameter"},
		{"code=" + strings.Repeat("a,", 600), "code has too many values"},
		{strings.Repeat("code=a&", 70), "code is one condition too many"},
	} {
		_, err := search.Parse("Observation", tc.query)
		if !errors.Is(err, search.ErrInvalid) || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "Secret") {
			t.Errorf("%.60s: %v", tc.query, err)
		}
	}
	if _, err := search.Parse("Secret", ""); !errors.Is(err, search.ErrInvalid) {
		t.Error("unknown type accepted")
	}
}

// Next must not answer from what changed, and must keep what did not.
func TestNext(t *testing.T) {
	items := chart(t)
	ix := search.NewIndex(items)
	find := func(ix *search.Index, items []search.Item, typ, query string) string {
		q, err := search.Parse(typ, query)
		if err != nil {
			t.Fatal(err)
		}
		return ids(items, ix.Search(q))
	}
	if got := find(ix, items, "Observation", "status=final"); got != "o1 o3 o4" {
		t.Fatal(got)
	}
	find(ix, items, "Coverage", "status=active")
	changed, err := items[3].Resource.With("status", "final")
	if err != nil {
		t.Fatal(err)
	}
	next := slices.Delete(slices.Clone(items), 0, 2) // positions of all others move
	next[1] = search.Item{Resource: changed, Version: 2, Updated: time.Now()}
	after := ix.Next(next)
	if got := find(after, next, "Observation", "status=final"); got != "o1 o2 o3 o4" {
		t.Error("observations:", got)
	}
	if got := find(after, next, "Coverage", "status=active"); got != "c1" {
		t.Error("coverage:", got)
	}
	if got := find(after, next, "Patient", ""); got != "" {
		t.Error("patients:", got)
	}
	if got := find(ix, items, "Observation", "status=final"); got != "o1 o3 o4" {
		t.Error("the old index changed:", got)
	}
}

func corpus(t testing.TB, parts ...string) string {
	dir := os.Getenv("WELLGATE_CORPUS")
	if dir == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("WELLGATE_CORPUS must name the test data in CI")
		}
		t.Skip("set WELLGATE_CORPUS to the folder of the test data to run this test")
	}
	return filepath.Join(append([]string{dir}, parts...)...)
}

// Every search that a US Core version asks for must parse.
func TestUSCoreSearchesParse(t *testing.T) {
	f, err := os.Open(filepath.Join(corpus(t), "uscore", "inferno-search-requirements.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	head := map[string]int{}
	for i, name := range rows[0] {
		head[name] = i
	}
	n := 0
	for _, row := range rows[1:] {
		typ := row[head["resource"]]
		if strings.HasPrefix(row[head["search_params"]], "(") {
			continue // "(none, read only)"
		}
		for name := range strings.FieldsFuncSeq(row[head["search_params"]], func(r rune) bool { return strings.ContainsRune("+&; ", r) }) {
			value := "1"
			if _, kinds := search.Names(typ); kinds[name] == "date" {
				value = "gt2020-01-01"
			}
			if _, err := search.Parse(typ, fmt.Sprintf("%s=%s", url.QueryEscape(name), value)); err != nil {
				t.Errorf("US Core %s: %s?%s: %v", row[0], typ, name, err)
			}
			n++
		}
	}
	if n < 500 {
		t.Errorf("only %d parameters seen", n)
	}
}

// No query and no resource makes a search panic; what is found is within bounds and each hit comes once.
func FuzzSearch(f *testing.F) {
	for _, q := range []string{"code=http://loinc.org|718-7&_sort=-date&_count=2", "date=ge2020&date=lt2021-02-03T10:00:00.5Z", "value-quantity=ap5.40||mg",
		"patient=Patient/p1&code:not=a,b&status:missing=true", `name:contains=a\,b\|c`, "_include=*&_include:iterate=Observation:subject:Patient",
		"_revinclude=Provenance:target", "subject:identifier=a|b", "_id=%6f1&_lastUpdated=gt2024-01-01", "value-quantity=1e400", "date=ne0001"} {
		f.Add("Observation", q, `{"resourceType":"Observation","effectivePeriod":{"start":"2020"},"code":{"coding":{"code":"a"}},"valueQuantity":{"value":1e9999}}`)
	}
	f.Add("Patient", "name=a&deceased=true&_sort=-birthdate,name", story[0])
	items := chart(f)
	f.Fuzz(func(t *testing.T, typ, query, resource string) {
		q, err := search.Parse(typ, query)
		if err != nil {
			if !errors.Is(err, search.ErrInvalid) {
				t.Fatalf("%v is not ErrInvalid", err)
			}
			return
		}
		set := items
		if r, err := fhir.Parse([]byte(resource)); err == nil {
			set = append(slices.Clone(items), search.Item{Resource: r})
		}
		ix := search.NewIndex(set)
		hits, total := ix.Page(q, 0)
		seen := map[int]bool{}
		for _, h := range append(hits, ix.Included(q, hits)...) {
			if h < 0 || h >= len(set) || seen[h] {
				t.Fatalf("hit %d of %d items, again: %v", h, len(set), seen[h])
			}
			seen[h] = true
		}
		if len(hits) > total || q.Count < 0 && len(hits) != total {
			t.Fatalf("%d hits of %d", len(hits), total)
		}
	})
}

// Many may ask a fresh index at once; run with -race.
func TestTogether(t *testing.T) {
	items := chart(t)
	ix := search.NewIndex(items)
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			for _, query := range []string{"status=final&_sort=-date&_count=2", "code=718-7&_include=Observation:subject", "date=2024&_sort=_id"} {
				q, err := search.Parse("Observation", query)
				if err != nil {
					t.Error(err)
				}
				ix.Included(q, ix.Search(q))
			}
			ix.Next(items[i%3:])
		})
	}
	group.Wait()
}
