package demo

import (
	"crypto/sha1"
	"encoding/base64"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wellgate/wellgate/fhir"
)

// of reads all resources of one type.
func of[T any](q Patient) (out []T) {
	for _, r := range q.Record {
		if r.Type() == reflect.TypeFor[T]().Name() {
			out = append(out, fhir.Into[T](r))
		}
	}
	return out
}

func find(t *testing.T, p *Practice, name string) Patient {
	t.Helper()
	for _, q := range p.Patients {
		if q.DisplayName == name {
			return q
		}
	}
	t.Fatalf("no patient is called %s", name)
	return Patient{}
}

// Every date in a record lies between birth and now; only what is planned looks ahead.
func TestNothingBeforeBirthOrAfterNow(t *testing.T) {
	ahead := []string{"Appointment.start", "Appointment.end", "Task.restriction", "Goal.target", "ServiceRequest.occurrence"}
	for _, now := range moments(t) {
		for _, q := range generate(t, 3, now).Patients {
			pat := fhir.Into[fhir.Patient](q.Resource)
			born, _ := pat.BirthDate.Time(now.Location())
			if pat.DeceasedDateTime != "" || pat.DeceasedBoolean != nil {
				t.Errorf("%s is dead", q.DisplayName)
			}
			for _, r := range q.Record {
				for _, d := range datesOf(string(r.Raw())) {
					at, ok := fhir.DateTime(d.value).Time(now.Location())
					_, until, _ := fhir.DateTime(d.value).Interval(now.Location())
					if !ok || until.Before(born) {
						t.Errorf("%v %s %s: %s = %s, born %s", now, q.DisplayName, r, d.member, d.value, pat.BirthDate)
					}
					planned := slices.ContainsFunc(ahead, func(a string) bool {
						return strings.HasPrefix(r.Type()+"."+d.member, a) || r.Type() == "Task" && d.member == "end" || r.Type() == "Goal" && d.member == "dueDate"
					})
					if at.After(now) && !planned {
						t.Errorf("%v %s %s: %s = %s is after now", now, q.DisplayName, r, d.member, d.value)
					}
				}
			}
		}
	}
}

func TestFlagsAgreeWithRanges(t *testing.T) {
	seen := 0
	for _, p := range []*Practice{practice(t), generate(t, 9, moment(t))} {
		for _, q := range p.Patients {
			for _, o := range of[fhir.Observation](q) {
				if len(o.ReferenceRange) == 0 || o.ValueQuantity == nil || o.ValueQuantity.Comparator != "" || o.ReferenceRange[0].Text != "" {
					continue
				}
				rr := o.ReferenceRange[len(o.ReferenceRange)-1] // the target, if there is one
				v, want := o.ValueQuantity, "N"
				switch {
				case rr.Low != nil && v.Value.Cmp(rr.Low.Value) < 0:
					want = "L"
				case rr.High != nil && v.Value.Cmp(rr.High.Value) > 0:
					want = "H"
				}
				seen++
				if got := o.Interpretation[0].Coding[0].Code; got != want && got != want+want {
					t.Errorf("%s %s: %s %s is flagged %s, range %v", q.DisplayName, o.Code.Text, v.Value, v.Unit, got, rr)
				}
				if rr.High != nil && rr.High.Code != v.Code || rr.Low != nil && rr.Low.Code != v.Code {
					t.Errorf("%s: value and range in different units", o.Code.Text)
				}
			}
		}
	}
	if seen < 8000 {
		t.Errorf("only %d flags seen", seen)
	}
}

func TestMedicinesHaveAReasonThatExists(t *testing.T) {
	for _, q := range practice(t).Patients {
		conds := map[string]fhir.Condition{}
		for _, c := range of[fhir.Condition](q) {
			conds["Condition/"+c.ID] = c
		}
		for _, m := range of[fhir.MedicationRequest](q) {
			if m.Status == "unknown" { // the untidy one
				continue
			}
			if len(m.ReasonReference) != 1 || m.DosageInstruction[0].Text == "" {
				t.Errorf("%s: %s has no reason or directions", q.DisplayName, m.MedicationCodeableConcept.Text)
				continue
			}
			c, ok := conds[m.ReasonReference[0].Reference]
			_, onset, _ := c.OnsetDateTime.Interval(time.UTC)
			from, _, _ := c.OnsetDateTime.Interval(time.UTC)
			start, _ := m.AuthoredOn.Time(time.UTC)
			if !ok || start.Before(from) && start.Before(onset) {
				t.Errorf("%s: %s from %s is for %q since %s", q.DisplayName, m.MedicationCodeableConcept.Text, m.AuthoredOn, c.Code.Text, c.OnsetDateTime)
			}
		}
	}
}

// Nobody is given what they are allergic to.
func TestAllergiesAreRespected(t *testing.T) {
	for _, p := range []*Practice{practice(t), generate(t, 2, moment(t))} {
		for _, q := range p.Patients {
			meds := of[fhir.MedicationRequest](q)
			for _, a := range of[fhir.AllergyIntolerance](q) {
				for _, m := range meds {
					name := strings.ToLower(m.MedicationCodeableConcept.Text)
					bad := a.Code.Text == "Penicillin" && strings.Contains(name, "cillin") || a.Code.Text == "Aspirin" && m.Status == "active" && (strings.Contains(name, "aspirin") || strings.Contains(name, "ibuprofen") || strings.Contains(name, "naproxen"))
					if bad {
						t.Errorf("%s is allergic to %s and got %s", q.DisplayName, a.Code.Text, name)
					}
				}
			}
		}
	}
}

func TestTreatmentSuitsThePerson(t *testing.T) {
	for _, c := range []struct {
		p    person
		ill  string
		want string
	}{
		{person{age: 30, born: "01-01"}, "strep", "amoxicillin"},
		{person{age: 7, born: "01-01"}, "strep", "amoxicillinliquid"},
		{person{age: 30, born: "01-01", allergic: []string{"penicillin"}}, "strep", "azithromycin"},
		{person{age: 40, born: "01-01"}, "ankle", "ibuprofen"},
		{person{age: 40, born: "01-01", weeks: 20}, "ankle", ""},
		{person{age: 60, born: "01-01", has: []has{{"ckd3", 2}}}, "ankle", ""},
		{person{age: 60, born: "01-01", has: []has{{"ckd3", 2}}}, "uti", ""},
	} {
		l := newLife(1, moment(t), nil, &c.p, 0)
		for i := range illnesses {
			if illnesses[i].key == c.ill {
				if got := l.treatment(&illnesses[i]); got != c.want {
					t.Errorf("age %d, allergic to %v, has %v: %s is treated with %q, want %q", c.p.age, c.p.allergic, c.p.has, c.ill, got, c.want)
				}
			}
		}
	}
}

// series is the values of one test, oldest first.
func series(q Patient, code string) (out []float64) {
	all := of[fhir.Observation](q)
	slices.SortStableFunc(all, func(a, b fhir.Observation) int { return a.EffectiveDateTime.Compare(b.EffectiveDateTime) })
	for _, o := range all {
		if o.Code.Has(loinc, code) && o.ValueQuantity != nil {
			v, _ := o.ValueQuantity.Value.Float64()
			out = append(out, v)
		}
	}
	return out
}

func TestTrendsTellTheStory(t *testing.T) {
	p := practice(t)
	for _, s := range []struct {
		who, code string
		least     int
		up        bool
	}{
		{"Amina Rahman", "4548-4", 10, false}, {"Olga Petrova", "4548-4", 10, true}, {"Yusuf Haddad", "98979-8", 8, false}, {"Yusuf Haddad", "33762-6", 4, false},
		{"Wei Chen", "3084-1", 5, false}, {"Miguel Ángel Ortega", "13457-7", 3, false}, {"Marcus Brooks", "29463-7", 5, false}, {"Priyanka Sharma", "2276-4", 3, true}, {"Mateo Ortega", "8302-2", 5, true},
	} {
		v := series(find(t, p, s.who), s.code)
		if len(v) < s.least {
			t.Errorf("%s: %d values of %s, want at least %d", s.who, len(v), s.code, s.least)
			continue
		}
		if first, last := v[0], v[len(v)-1]; (last > first) != s.up {
			t.Errorf("%s: %s went from %v to %v", s.who, s.code, first, last)
		}
	}
	if v := series(find(t, p, "Amina Rahman"), "4548-4"); v[len(v)-1] != 7.1 {
		t.Errorf("Amina's latest A1c is %v", v[len(v)-1])
	}
	inr := series(find(t, p, "Seán Ó Briain"), "6301-6")
	if len(inr) < 40 || slices.Max(inr) > 4.5 || slices.Min(inr) < 1.5 {
		t.Errorf("INR: %d values between %v and %v", len(inr), slices.Min(inr), slices.Max(inr))
	}
}

func TestEveryCategoryIsThere(t *testing.T) {
	p := practice(t)
	least := map[string]int{"AllergyIntolerance": 40, "Appointment": 1000, "CarePlan": 30, "CareTeam": 40, "Claim": 300, "ClinicalImpression": 500, "Communication": 200, "Condition": 250, "Coverage": 70,
		"DiagnosticReport": 1000, "DocumentReference": 1000, "Encounter": 1000, "ExplanationOfBenefit": 300, "Goal": 30, "Immunization": 400, "Invoice": 150, "MedicationDispense": 200, "MedicationRequest": 130,
		"Observation": 8000, "Procedure": 300, "Provenance": 10, "RelatedPerson": 15, "ServiceRequest": 15, "Specimen": 250, "Task": 60}
	got := map[string]int{}
	files := map[string]int{}
	for _, q := range p.Patients {
		for _, r := range q.Record {
			got[r.Type()]++
		}
		for _, f := range q.Files {
			files[f.ContentType]++
		}
		if n := len(q.Record); n > 900 || n < 120 && q.DisplayName != "Jordan Avery" {
			t.Errorf("%s has %d resources", q.DisplayName, n)
		}
	}
	for typ, n := range least {
		if got[typ] < n {
			t.Errorf("%d of %s, want at least %d", got[typ], typ, n)
		}
	}
	if files["application/pdf"] < 10 || files["image/png"] < 10 {
		t.Errorf("files: %v", files)
	}
	if n := len(find(t, p, "Jordan Avery").Record); n > 5 {
		t.Errorf("the new patient's record is not empty: %d", n)
	}
}

func TestFilesAreWhatTheySay(t *testing.T) {
	for _, q := range practice(t).Patients {
		used := map[string]bool{}
		for _, d := range of[fhir.DocumentReference](q) {
			if a := d.Content[0].Attachment; a.URL != "" {
				used[a.URL] = true
				i := slices.IndexFunc(q.Files, func(f File) bool { return f.Ref == a.URL })
				if i < 0 || digestOf(q.Files[i].Bytes) != a.Hash || len(q.Files[i].Bytes) != *a.Size || q.Files[i].ContentType != a.ContentType {
					t.Errorf("%s: %s does not match its file", q.DisplayName, d.Description)
				}
			} else if b, err := base64.StdEncoding.DecodeString(a.Data); err != nil || len(b) < 40 {
				t.Errorf("%s: empty note %s", q.DisplayName, d.ID)
			}
		}
		for _, f := range q.Files {
			head := map[string]string{"application/pdf": "%PDF-", "image/png": "\x89PNG"}[f.ContentType]
			if !used[f.Ref] || !strings.HasPrefix(string(f.Bytes), head) || len(f.Bytes) > 40_000 {
				t.Errorf("%s: file %s is unused, of another type or too large", q.DisplayName, f.Title)
			}
		}
	}
}

func digestOf(b []byte) string {
	h := sha1.Sum(b)
	return base64.StdEncoding.EncodeToString(h[:])
}

func TestSensitiveThingsAreLabelled(t *testing.T) {
	p := practice(t)
	if l := find(t, p, "James Whitfield").Labels; !slices.Equal(l, []string{"ETH", "HIV", "PSY", "SDV"}) {
		t.Errorf("labels: %v", l)
	}
	if l := find(t, p, "Valentina Ortega").Labels; !slices.Contains(l, "SEX") {
		t.Errorf("the teenager's labels: %v", l)
	}
	telling := []string{"HIV", "Alcohol dep", "Depression", "Anxiety", "CD4", "PHQ-9", "contracepti"}
	for _, q := range p.Patients {
		for _, r := range q.Record {
			s := string(r.Raw())
			if r.Type() == "DocumentReference" {
				for _, c := range fhir.Into[fhir.DocumentReference](r).Content {
					b, _ := base64.StdEncoding.DecodeString(c.Attachment.Data)
					s += string(b)
				}
			}
			for _, w := range telling {
				if strings.Contains(s, w) && !strings.Contains(s, `"code":"R"`) && !(w == "PHQ-9" && len(q.Labels) == 0) {
					t.Errorf("%s: %s speaks of %s without a label", q.DisplayName, r, w)
				}
			}
		}
	}
}

// At most one person is with a member of staff at a time.
func TestNoDoubleBooking(t *testing.T) {
	type slot struct{ who, at string }
	taken := map[slot]string{}
	p := practice(t)
	ahead := 0
	for _, q := range p.Patients {
		for _, a := range of[fhir.Appointment](q) {
			start, _ := a.Start.Time(time.UTC)
			if d := start.In(moment(t).Location()); d.Weekday() == time.Saturday || d.Weekday() == time.Sunday || d.Hour() < 8 || d.Hour() > 16 {
				t.Errorf("%s: an appointment at %s", q.DisplayName, a.Start)
			}
			if start.After(moment(t)) {
				ahead++
			}
			for m := 0; m < *a.MinutesDuration; m += slotMinutes {
				k := slot{a.Participant[1].Actor.Reference, start.Add(time.Duration(m) * time.Minute).Format(time.RFC3339)}
				if o, ok := taken[k]; ok {
					t.Errorf("%s and %s both have %v", o, q.DisplayName, k)
				}
				taken[k] = q.DisplayName
			}
		}
	}
	if ahead < 40 {
		t.Errorf("only %d appointments ahead", ahead)
	}
}

// Money adds up, in whole cents.
func TestBillsAddUp(t *testing.T) {
	for _, q := range practice(t).Patients {
		for _, i := range of[fhir.Invoice](q) {
			parts := i.LineItem[0].PriceComponent
			if cents(t, parts[0].Amount)+cents(t, parts[1].Amount) != cents(t, i.TotalNet) || cents(t, i.TotalNet) <= 0 {
				t.Errorf("%s: bill %s does not add up", q.DisplayName, i.ID)
			}
		}
		for _, e := range of[fhir.ExplanationOfBenefit](q) {
			a := e.Item[0].Adjudication
			if cents(t, a[2].Amount)+cents(t, a[3].Amount) != cents(t, a[1].Amount) {
				t.Errorf("%s: answer %s does not add up", q.DisplayName, e.ID)
			}
		}
	}
}

func cents(t *testing.T, m *fhir.Money) int {
	t.Helper()
	whole, part, _ := strings.Cut(strings.TrimPrefix(string(m.Value), "-"), ".")
	n := 0
	for _, r := range whole + part {
		n = n*10 + int(r-'0')
	}
	if len(part) != 2 || m.Currency != "USD" {
		t.Errorf("amount %v", m)
	}
	if strings.HasPrefix(string(m.Value), "-") {
		n = -n
	}
	return n
}

// US Core's must-haves, on what it profiles.
func TestUSCoreMustHaves(t *testing.T) {
	need := map[string][]string{
		"Patient": {"identifier", "name", "gender", "birthDate"}, "Observation": {"status", "category", "code", "subject"}, "DiagnosticReport": {"status", "code", "subject"},
		"Condition": {"category", "code", "subject"}, "MedicationRequest": {"status", "intent", "subject"}, "Encounter": {"status", "class", "type", "subject", "period"},
		"DocumentReference": {"status", "type", "subject", "content"}, "Immunization": {"status", "vaccineCode", "patient"}, "AllergyIntolerance": {"code", "patient"}, "Procedure": {"status", "code", "subject"},
		"CarePlan": {"text", "status", "intent", "category", "subject"}, "CareTeam": {"status", "participant", "subject"}, "Goal": {"lifecycleStatus", "description", "subject"}, "Coverage": {"identifier", "status", "relationship", "beneficiary", "payor"},
		"Organization": {"active", "name"}, "Practitioner": {"identifier", "name"}, "ServiceRequest": {"status", "intent", "code", "subject"}, "RelatedPerson": {"active", "patient"}, "Specimen": {"type"}, "Provenance": {"target", "recorded", "agent"},
	}
	for _, r := range everything(practice(t)) {
		s := string(r.Raw())
		for _, m := range need[r.Type()] {
			if !strings.Contains(s, `"`+m+`":`) {
				t.Errorf("%s has no %s", r, m)
			}
		}
		if r.Type() == "Observation" && strings.Contains(s, "us-core-observation-lab") && (!strings.Contains(s, `"value`) || !strings.Contains(s, `"effectiveDateTime"`)) {
			t.Errorf("%s has no value or time", r)
		}
	}
}
