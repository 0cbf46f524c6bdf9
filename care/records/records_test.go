package records

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wellgate/wellgate/fhir"
)

// parse makes a resource of JSON; a test that cannot is broken.
func parse(t *testing.T, js string) fhir.Resource {
	t.Helper()
	r, err := fhir.Parse([]byte(js))
	if err != nil {
		t.Fatalf("%v in %s", err, js)
	}
	return r
}

func as[T any](t *testing.T, js ...string) []T {
	t.Helper()
	var out []T
	for _, j := range js {
		out = append(out, fhir.Into[T](parse(t, j)))
	}
	return out
}

// shelf is a lookup over a few resources.
func shelf(t *testing.T, js ...string) Lookup {
	t.Helper()
	m := map[string]fhir.Resource{}
	for _, j := range js {
		r := parse(t, j)
		m[r.Ref()] = r
	}
	return func(ref string) (fhir.Resource, bool) { r, ok := m[ref]; return r, ok }
}

func TestLabelOf(t *testing.T) {
	for _, c := range []struct {
		name string
		in   fhir.CodeableConcept
		want Label
	}{
		{"plain words by code, tag dropped", fhir.CodeableConcept{Text: "Hypertensive disorder (disorder)", Coding: []fhir.Coding{{System: snomed, Code: "38341003"}}}, Label{"records.c.bp", "Hypertensive disorder"}},
		{"text alone", fhir.CodeableConcept{Text: " Sore knee "}, Label{"", "Sore knee"}},
		{"display alone", fhir.CodeableConcept{Coding: []fhir.Coding{{System: snomed, Code: "1"}, {Display: "Sore knee (finding)"}}}, Label{"", "Sore knee"}},
		{"a bracket that is no tag stays", fhir.CodeableConcept{Text: "Dander (animal) allergy"}, Label{"", "Dander (animal) allergy"}},
		{"a bracket at the end that is no tag stays", fhir.CodeableConcept{Text: "Vaccine (adult)"}, Label{"", "Vaccine (adult)"}},
		{"a bare code is no word", fhir.CodeableConcept{Coding: []fhir.Coding{{System: snomed, Code: "424242"}}}, Label{}},
		{"a local code may be one", fhir.CodeableConcept{Coding: []fhir.Coding{{Code: "GP review"}}}, Label{"", "GP review"}},
		{"the code of another system is not SNOMED's", fhir.CodeableConcept{Text: "x", Coding: []fhir.Coding{{System: "http://example.org", Code: "38341003"}}}, Label{"", "x"}},
		{"nothing", fhir.CodeableConcept{}, Label{}},
	} {
		if got := LabelOf(c.in); got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestWho(t *testing.T) {
	find := shelf(t,
		`{"resourceType":"Practitioner","id":"p","name":[{"family":"Nair","given":["Priya"],"prefix":["Dr"]}]}`,
		`{"resourceType":"Practitioner","id":"text","name":[{"text":"王小明"}]}`,
		`{"resourceType":"Practitioner","id":"none"}`,
		`{"resourceType":"PractitionerRole","id":"r","practitioner":{"reference":"Practitioner/p"}}`,
		`{"resourceType":"PractitionerRole","id":"loop","practitioner":{"reference":"PractitionerRole/loop"},"code":[{"text":"Nurse"}]}`,
		`{"resourceType":"Organization","id":"o","name":"City Hospital"}`)
	for _, c := range []struct {
		ref  fhir.Reference
		want Party
	}{
		{fhir.Reference{Reference: "Practitioner/p"}, Party{Name: "Dr Priya Nair"}},
		{fhir.Reference{Reference: "Practitioner/p", Display: "Dr P. Nair"}, Party{Name: "Dr P. Nair"}},
		{fhir.Reference{Reference: "Practitioner/text"}, Party{Name: "王小明"}},
		{fhir.Reference{Reference: "Practitioner/none"}, Party{}},
		{fhir.Reference{Reference: "PractitionerRole/r"}, Party{Name: "Dr Priya Nair"}},
		{fhir.Reference{Reference: "PractitionerRole/loop"}, Party{}},
		{fhir.Reference{Reference: "Organization/o"}, Party{Name: "City Hospital"}},
		{fhir.Reference{Reference: "Organization/gone"}, Party{}},
		{fhir.Reference{Reference: "Practitioner?identifier=x|1", Display: "Dr Lee"}, Party{Name: "Dr Lee"}},
		{fhir.Reference{Reference: "Patient/me", Display: "**self-prescribed**"}, Party{You: true}},
		{fhir.Reference{}, Party{}},
	} {
		if got := who(c.ref, find); got != c.want {
			t.Errorf("%+v: got %+v, want %+v", c.ref, got, c.want)
		}
	}
}

func TestPaged(t *testing.T) {
	for _, c := range []struct {
		n, total int
		want     Pager
	}{
		{0, 0, Pager{1, 1, 0, 0, 0}},
		{1, 1, Pager{1, 1, 1, 0, 1}},
		{1, 50, Pager{1, 1, 50, 0, 50}},
		{2, 51, Pager{2, 2, 51, 50, 51}},
		{20, 1000, Pager{20, 20, 1000, 950, 1000}},
		{21, 1000, Pager{20, 20, 1000, 950, 1000}},
		{-3, 1000, Pager{1, 20, 1000, 0, 50}},
	} {
		got := Paged(c.n, c.total)
		if got != c.want {
			t.Errorf("Paged(%d, %d) = %+v, want %+v", c.n, c.total, got, c.want)
		}
		if n := len(Cut(make([]int, c.total), got)); n != got.To-got.From {
			t.Errorf("Paged(%d, %d) shows %d entries", c.n, c.total, n)
		}
	}
}

func dosages(t *testing.T, js string) []fhir.Dosage {
	t.Helper()
	return fhir.Into[fhir.MedicationRequest](parse(t, `{"resourceType":"MedicationRequest","id":"m","dosageInstruction":[`+js+`]}`)).DosageInstruction
}

// TestHowToTake: what is said, in English. "" means that the page falls back to "follow the label".
func TestHowToTake(t *testing.T) {
	w := words(t, "en")
	daily := `"timing":{"repeat":{"frequency":1,"period":1,"periodUnit":"d"}}`
	for _, c := range []struct{ name, in, want string }{
		{"prescriber's words win", `{"text":"Take one at night","doseAndRate":[{"doseQuantity":{"value":2}}]}`, "Take one at night"},
		{"patient's words win over those", `{"text":"1 tab po qhs","patientInstruction":"Take one at night"}`, "Take one at night"},
		{"an instruction said twice is said once", `{"text":"Take with food.","additionalInstruction":[{"text":"take with food"}]}`, "Take with food."},
		{"dose and frequency", `{` + daily + `,"doseAndRate":[{"doseQuantity":{"value":1.0,"unit":"tablet"}}]}`, "1 tablet each time, once a day."},
		{"dose without a unit", `{` + daily + `,"doseAndRate":[{"doseQuantity":{"value":1.0}}]}`, "1 each time, once a day."},
		{"half a tablet keeps its half", `{"doseAndRate":[{"doseQuantity":{"value":0.5,"unit":"tablet"}}]}`, "0.5 tablet each time."},
		{"twice", `{"timing":{"repeat":{"frequency":2,"period":1,"periodUnit":"d"}}}`, "2 times a day."},
		{"every six hours", `{"timing":{"repeat":{"frequency":1,"period":6.0,"periodUnit":"h"}}}`, "Every 6 hours."},
		{"range of hours, as needed, with a limit", `{"timing":{"repeat":{"frequency":1,"period":4,"periodMax":6,"periodUnit":"h"}},"asNeededCodeableConcept":{"text":"pain"},"maxDosePerPeriod":{"numerator":{"value":8,"unit":"tablets"},"denominator":{"value":1,"unit":"day","code":"d"}}}`, "Every 4 to 6 hours, when needed for pain, never more than 8 tablets in 24 hours."},
		{"bedtime", `{"timing":{"repeat":{"when":["HS"]}},"doseAndRate":[{"doseRange":{"low":{"value":1},"high":{"value":2,"unit":"tablets"}}}]}`, "1 to 2 tablets each time, at bedtime."},
		{"abbreviation", `{"timing":{"code":{"coding":[{"code":"BID"}]}}}`, "2 times a day."},
		{"abbreviation of hours", `{"timing":{"code":{"coding":[{"code":"Q8H"}]}}}`, "Every 8 hours."},
		{"by mouth for a week", `{` + daily + `,"route":{"coding":[{"system":"http://snomed.info/sct","code":"26643006"}]}}`, "Once a day, by mouth."},
		{"for days", `{"timing":{"repeat":{"frequency":3,"period":1,"periodUnit":"d","boundsDuration":{"value":7,"unit":"days","code":"d"}}}}`, "3 times a day, for 7 days."},
		{"days of the week", `{"timing":{"repeat":{"dayOfWeek":["mon","thu"]}}}`, "On Monday, on Thursday."},
		{"as needed alone", `{"asNeededBoolean":true}`, "Only when you need it."},
		{"an unknown moment: all or nothing", `{"timing":{"repeat":{"frequency":1,"period":1,"periodUnit":"d","when":["XX"]}}}`, ""},
		{"an offset: all or nothing", `{"timing":{"repeat":{"frequency":1,"period":1,"periodUnit":"d","offset":30}}}`, ""},
		{"an infusion is no reading matter", `{"doseAndRate":[{"rateQuantity":{"value":5,"unit":"mL/h"}}]}`, ""},
		{"a limit that cannot be said is never dropped", `{` + daily + `,"maxDosePerPeriod":{"numerator":{"value":4}}}`, ""},
		{"a lifetime limit likewise", `{` + daily + `,"maxDosePerLifetime":{"value":4}}`, ""},
		{"two doses at once are not chosen between", `{"doseAndRate":[{"doseQuantity":{"value":1}},{"doseQuantity":{"value":2}}]}`, ""},
		{"a range in two units", `{"doseAndRate":[{"doseRange":{"low":{"value":1,"unit":"g"},"high":{"value":500,"unit":"mg"}}}]}`, ""},
		{"a dose without a number", `{"doseAndRate":[{"doseQuantity":{"unit":"tablet"}}]}`, ""},
		{"5 times every 2 days", `{"timing":{"repeat":{"frequency":5,"period":2,"periodUnit":"d"}}}`, ""},
		{"seconds", `{"timing":{"repeat":{"frequency":1,"period":30,"periodUnit":"s"}}}`, ""},
		{"empty", `{}`, ""},
	} {
		got := ""
		for i, s := range how(w, HowToTake(dosages(t, c.in)[0])) {
			if i > 0 {
				got += " | "
			}
			got += s
		}
		if got != c.want {
			t.Errorf("%s:\n got %q\nwant %q", c.name, got, c.want)
		}
	}
}

const metformin = `"medicationCodeableConcept":{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"860975"}],"text":"Metformin 500 mg"}`

func TestMedicinesMerge(t *testing.T) {
	find := shelf(t, `{"resourceType":"Medication","id":"med","code":{"text":"Insulin glargine"}}`,
		`{"resourceType":"Condition","id":"c","code":{"coding":[{"system":"http://snomed.info/sct","code":"44054006"}],"text":"Diabetes"}}`)
	req := func(id, status, on, rest string) string {
		return fmt.Sprintf(`{"resourceType":"MedicationRequest","id":%q,"status":%q,"intent":"order","authoredOn":%q,%s}`, id, status, on, rest)
	}
	for _, c := range []struct {
		name     string
		requests []string
		said     []string
		want     []Medicine
	}{
		{name: "nothing"},
		{name: "ordered three times, one medicine, since the first order that stands",
			requests: []string{req("1", "active", "2024-05-01", metformin+`,"reasonReference":[{"reference":"Condition/c"}]`), req("2", "active", "2025-05-01", metformin), req("0", "stopped", "2019-01-01", metformin)},
			want: []Medicine{{Name: "Metformin 500 mg", State: Current, Since: "2024-05-01", Last: "2025-05-01", Times: 3,
				For: []Label{{"records.c.diabetes2", "Diabetes"}}}}},
		{name: "a statement about an order is not counted again",
			requests: []string{req("1", "active", "2024-05-01", metformin)},
			said:     []string{`{"resourceType":"MedicationStatement","id":"s","status":"active","dateAsserted":"2024-06-01","basedOn":[{"reference":"MedicationRequest/1"}],"medicationCodeableConcept":{"text":"my sugar tablet"}}`},
			want:     []Medicine{{Name: "my sugar tablet", State: Current, Since: "2024-05-01", Last: "2024-06-01", Times: 1}}},
		{name: "the patient says it is not taken: told beside the order",
			requests: []string{req("1", "active", "2024-05-01", metformin)},
			said:     []string{`{"resourceType":"MedicationStatement","id":"s","status":"not-taken","dateAsserted":"2024-06-01",` + metformin + `}`},
			want:     []Medicine{{Name: "Metformin 500 mg", State: Current, Since: "2024-05-01", Last: "2024-06-01", Times: 1, NotTaken: true}}},
		{name: "an older no is answered by a newer order",
			requests: []string{req("1", "active", "2024-05-01", metformin)},
			said:     []string{`{"resourceType":"MedicationStatement","id":"s","status":"not-taken","dateAsserted":"2023-06-01",` + metformin + `}`},
			want:     []Medicine{{Name: "Metformin 500 mg", State: Current, Since: "2024-05-01", Last: "2024-05-01", Times: 1}}},
		{name: "bought without an order",
			said: []string{`{"resourceType":"MedicationStatement","id":"s","status":"active","effectivePeriod":{"start":"2020"},"medicationCodeableConcept":{"text":"Vitamin D"}}`},
			want: []Medicine{{Name: "Vitamin D", State: Current, Since: "2020", Last: "2020", OwnReport: true}}},
		{name: "by reference: in the chart, contained, only named, unknown",
			requests: []string{
				req("1", "active", "2024", `"medicationReference":{"reference":"Medication/med"}`),
				req("2", "active", "2024", `"contained":[{"resourceType":"Medication","id":"m","code":{"text":"Amoxicillin"}}],"medicationReference":{"reference":"#m"}`),
				req("3", "active", "2024", `"medicationReference":{"reference":"Medication/gone","display":"Aspirin"}`),
				req("4", "active", "2024", `"medicationReference":{"reference":"Medication/gone"}`),
				req("5", "active", "2024", `"status2":1`)},
			want: []Medicine{{State: Current, Since: "2024", Last: "2024", Times: 1}, {State: Current, Since: "2024", Last: "2024", Times: 1},
				{Name: "Amoxicillin", State: Current, Since: "2024", Last: "2024", Times: 1}, {Name: "Aspirin", State: Current, Since: "2024", Last: "2024", Times: 1},
				{Name: "Insulin glargine", State: Current, Since: "2024", Last: "2024", Times: 1}}},
		{name: "in error, drafts and things not to take are not medicines",
			requests: []string{req("1", "entered-in-error", "2024", metformin), req("2", "draft", "2024", metformin), req("3", "active", "2024", metformin+`,"doNotPerform":true`)},
			said:     []string{`{"resourceType":"MedicationStatement","id":"s","status":"entered-in-error",` + metformin + `}`}},
		{name: "odd states",
			requests: []string{req("1", "on-hold", "2024", `"medicationCodeableConcept":{"text":"a"}`), req("2", "unknown", "2024", `"medicationCodeableConcept":{"text":"b"}`),
				`{"resourceType":"MedicationRequest","id":"3","status":"active","intent":"proposal","medicationCodeableConcept":{"text":"c"}}`,
				`{"resourceType":"MedicationRequest","id":"4","medicationCodeableConcept":{"text":"d"}}`,
				req("5", "stopped", "2023-02-03", `"medicationCodeableConcept":{"text":"e"},"statusReason":{"text":"Made you dizzy"}`)},
			want: []Medicine{{Name: "b", State: Unsure, Since: "2024", Last: "2024", Times: 1}, {Name: "d", State: Unsure, Times: 1},
				{Name: "a", State: Paused, Since: "2024", Last: "2024", Times: 1}, {Name: "c", State: Suggested, Times: 1},
				{Name: "e", State: Past, Since: "2023-02-03", Last: "2023-02-03", Times: 1, Stopped: []string{"Made you dizzy"}}}},
	} {
		got := Medicines(as[fhir.MedicationRequest](t, c.requests...), as[fhir.MedicationStatement](t, c.said...), find)
		if len(got) == 0 && len(c.want) == 0 {
			continue
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s:\n%s", c.name, d)
		}
	}
}

func TestProblems(t *testing.T) {
	cond := func(id, clinical, verification, rest string) string {
		return fmt.Sprintf(`{"resourceType":"Condition","id":%q,"clinicalStatus":{"coding":[{"code":%q}]},"verificationStatus":{"coding":[{"code":%q}]}%s}`, id, clinical, verification, rest)
	}
	name := func(s string) string { return fmt.Sprintf(`,"code":{"text":%q}`, s) }
	for _, c := range []struct {
		name string
		in   []string
		want []Problem
	}{
		{name: "nothing"},
		{"recurrence is now, remission is over, refuted is neither", []string{cond("1", "recurrence", "confirmed", name("a")), cond("2", "remission", "confirmed", name("b")), cond("3", "active", "refuted", name("c"))},
			[]Problem{{Label: Label{"", "a"}, Sort: Active, Times: 1}, {Label: Label{"", "b"}, Sort: Over, Times: 1}, {Label: Label{"", "c"}, Sort: RuledOut, Times: 1}}},
		{"in error is not there", []string{cond("1", "active", "entered-in-error", name("a"))}, nil},
		{"doubt is told", []string{cond("1", "active", "provisional", name("a")), cond("2", "active", "something-new", name("b"))},
			[]Problem{{Label: Label{"", "a"}, Sort: Active, Times: 1, Doubt: "records.doubt.provisional"}, {Label: Label{"", "b"}, Sort: Active, Times: 1}}},
		{"no status: an end makes it over, silence leaves it unclear", []string{`{"resourceType":"Condition","id":"1","code":{"text":"a"},"abatementDateTime":"2020"}`, `{"resourceType":"Condition","id":"2"}`},
			[]Problem{{Sort: Unclear, Times: 1}, {Label: Label{"", "a"}, Sort: Over, Times: 1, Until: "2020"}}},
		{"one illness, three times over", []string{cond("1", "resolved", "confirmed", name("Cold")+`,"onsetDateTime":"2019-01-02"`), cond("2", "resolved", "confirmed", name("cold ")+`,"onsetDateTime":"2021-03"`), cond("3", "resolved", "confirmed", name("Cold")+`,"onsetDateTime":"2020"`)},
			[]Problem{{Label: Label{"", "Cold"}, Sort: Over, Times: 3, Since: "2021-03"}}},
		{"recorded twice as active: since the first", []string{cond("1", "active", "confirmed", name("Gout")+`,"onsetDateTime":"2019"`), cond("2", "active", "unconfirmed", name("Gout")+`,"onsetDateTime":"2017"`)},
			[]Problem{{Label: Label{"", "Gout"}, Sort: Active, Times: 2, Since: "2017"}}},
		{"two without a name are two", []string{cond("1", "active", "confirmed", ""), cond("2", "active", "confirmed", "")},
			[]Problem{{Sort: Active, Times: 1}, {Sort: Active, Times: 1}}},
		{"a job is no illness", []string{cond("1", "active", "confirmed", `,"code":{"coding":[{"system":"http://snomed.info/sct","code":"160903007"}],"text":"Full-time employment (finding)"}`)},
			[]Problem{{Label: Label{"", "Full-time employment"}, Sort: Life, Times: 1}}},
		{"onset as an age", []string{cond("1", "active", "confirmed", name("a")+`,"onsetAge":{"value":34.0,"code":"a"}`)},
			[]Problem{{Label: Label{"", "a"}, Sort: Active, Times: 1, SinceAge: "34 y"}}},
	} {
		if d := cmp.Diff(c.want, Problems(as[fhir.Condition](t, c.in...))); d != "" {
			t.Errorf("%s:\n%s", c.name, d)
		}
	}
}

func TestAllergies(t *testing.T) {
	const none = `"code":{"coding":[{"system":"http://snomed.info/sct","code":"716186003"}]}`
	allergy := func(rest string) string { return `{"resourceType":"AllergyIntolerance","id":"a",` + rest + `}` }
	for _, c := range []struct {
		name  string
		in    []string
		known Known
		now   int
	}{
		{"nobody wrote anything", nil, NothingRecorded, 0},
		{"somebody asked", []string{allergy(none + `,"recordedDate":"2024-01-02"`)}, NoneKnown, 0},
		{"a recorded absence in error is nothing", []string{allergy(none + `,"verificationStatus":{"coding":[{"code":"entered-in-error"}]}`)}, NothingRecorded, 0},
		{"a refuted absence is nothing", []string{allergy(none + `,"verificationStatus":{"coding":[{"code":"refuted"}]}`)}, NothingRecorded, 0},
		{"an allergy stands against an absence", []string{allergy(none), allergy(`"code":{"text":"Peanut"}`)}, SomeKnown, 1},
		{"only a ruled out one", []string{allergy(`"code":{"text":"Peanut"},"verificationStatus":{"coding":[{"code":"refuted"}]}`)}, NothingRecorded, 0},
		{"only a past one", []string{allergy(`"code":{"text":"Peanut"},"clinicalStatus":{"coding":[{"code":"resolved"}]}`)}, NothingRecorded, 0},
		{"no status at all counts as now", []string{allergy(`"code":{"text":"Peanut"}`)}, SomeKnown, 1},
	} {
		got := Allergies(as[fhir.AllergyIntolerance](t, c.in...))
		if got.Known != c.known || len(got.Of(AllergyNow)) != c.now {
			t.Errorf("%s: %s with %d now, want %s with %d", c.name, got.Known, len(got.Of(AllergyNow)), c.known, c.now)
		}
	}
	// The most dangerous comes first, whatever its date; a name may stand in the reaction alone.
	l := Allergies(as[fhir.AllergyIntolerance](t,
		allergy(`"code":{"text":"Pollen"},"criticality":"low","recordedDate":"2025"`),
		allergy(`"criticality":"high","recordedDate":"2001","reaction":[{"substance":{"text":"Penicillin"},"manifestation":[{"text":"Hives"}],"severity":"severe"}]`)))
	if got := l.Entries[0]; got.Label.Clinical != "Penicillin" || got.Risk != "high" || got.Reactions[0].Severity != "severe" {
		t.Errorf("first is %+v, want the penicillin", got)
	}
}

func TestVaccines(t *testing.T) {
	flu := `"vaccineCode":{"coding":[{"system":"http://hl7.org/fhir/sid/cvx","code":"%s"}],"text":"Influenza %[1]s"}`
	im := func(id, status, rest string) string {
		return fmt.Sprintf(`{"resourceType":"Immunization","id":%q,"status":%q,%s}`, id, status, rest)
	}
	got := Vaccines(as[fhir.Immunization](t,
		im("1", "completed", fmt.Sprintf(flu, "140")+`,"occurrenceDateTime":"2023-10-01","lotNumber":"A1"`),
		im("2", "completed", fmt.Sprintf(flu, "135")+`,"occurrenceDateTime":"2025-10-01","protocolApplied":[{"doseNumberPositiveInt":2,"seriesDosesString":"3"}]`),
		im("3", "not-done", fmt.Sprintf(flu, "140")+`,"occurrenceDateTime":"2024-10-01","statusReason":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"PATOBJ"}]}`),
		im("4", "entered-in-error", fmt.Sprintf(flu, "140")+`,"occurrenceDateTime":"2022-10-01"`),
		im("5", "completed", `"vaccineCode":{},"occurrenceString":"as a child"`)), nil)
	want := []Vaccine{
		{Label: Label{"records.v.flu", "Influenza 140"}, Given: 2, Doses: []Dose{
			{At: "2025-10-01", Number: "2/3", Product: "Influenza 135"},
			{At: "2024-10-01", NotGiven: true, Why: Label{Plain: "records.r.patobj"}, Product: "Influenza 140"},
			{At: "2023-10-01", Lot: "A1", Product: "Influenza 140"}}},
		{Given: 1, Doses: []Dose{{AtText: "as a child"}}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestVitals(t *testing.T) {
	ob := func(id, code, rest string) string {
		return fmt.Sprintf(`{"resourceType":"Observation","id":%q,"status":"final","category":[{"coding":[{"code":"vital-signs"}]}],"code":{"coding":[{"system":"http://loinc.org","code":%q}]},%s}`, id, code, rest)
	}
	got := Vitals(as[fhir.Observation](t,
		ob("1", "29463-7", `"effectiveDateTime":"2024-01-01","valueQuantity":{"value":71.40,"unit":"kg"}`),
		ob("2", "29463-7", `"effectiveDateTime":"2025-01-01","valueQuantity":{"value":158,"unit":"lb","code":"[lb_av]"}`),
		ob("3", "3141-9", `"effectiveDateTime":"2023-01-01","valueQuantity":{"value":71.40000000000001,"code":"kg"}`),
		ob("4", "55284-4", `"effectiveDateTime":"2025-01-01","component":[{"code":{"coding":[{"system":"http://loinc.org","code":"8462-4"}]},"valueQuantity":{"value":80,"unit":"mmHg"}},{"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"valueQuantity":{"value":120.0,"unit":"mmHg"}}]`),
		ob("5", "8480-6", `"effectiveDateTime":"2024-01-01T09:00:00Z","valueQuantity":{"value":131,"code":"mm[Hg]"}`),
		ob("6", "8462-4", `"effectiveDateTime":"2024-01-01T09:00:00Z","valueQuantity":{"value":85,"code":"mm[Hg]"}`),
		ob("7", "8310-5", `"dataAbsentReason":{"coding":[{"code":"asked-declined"}]}`),
		ob("8", "12345-6", `"valueString":"fine"`),
		`{"resourceType":"Observation","id":"9","status":"entered-in-error","code":{"coding":[{"system":"http://loinc.org","code":"29463-7"}]},"valueQuantity":{"value":1}}`,
		`{"resourceType":"Observation","id":"10","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"8867-4"}]},"valueQuantity":{"value":60,"comparator":"<","unit":"/min"}}`,
		`{"resourceType":"Observation","id":"11","status":"final","category":[{"coding":[{"code":"laboratory"}]}],"code":{"text":"HbA1c"}}`,
		`{"resourceType":"Observation","id":"12","status":"final","category":[{"coding":[{"code":"vital-signs"}]}],"code":{"text":"Grip strength / left"},"valueQuantity":{"value":30,"unit":"kg"}}`,
	))
	want := []Vital{
		{Code: "85354-9", Pair: true, Label: Label{Plain: "records.m.bp"}, Readings: []Reading{
			{At: "2025-01-01", Text: "120/80", Unit: "mmHg", Value: "120.0", Second: "80"},
			{At: "2024-01-01T09:00:00Z", Text: "131/85", Unit: "mmHg", Value: "131", Second: "85"}}},
		{Code: "29463-7", Label: Label{Plain: "records.m.weight"}, Readings: []Reading{
			{At: "2025-01-01", Text: "158", Unit: "lb", Value: "158"},
			{At: "2024-01-01", Text: "71.40", Unit: "kg", Value: "71.40"},
			{At: "2023-01-01", Text: "71.4", Unit: "kg", Value: "71.40000000000001"}}},
		{Code: "8867-4", Label: Label{Plain: "records.m.pulse"}, Readings: []Reading{{Text: "< 60", Unit: "/min"}}},
		{Code: "8310-5", Label: Label{Plain: "records.m.temp"}, Readings: []Reading{{Why: "records.absent.asked-declined"}}},
		{Code: "12345-6", Readings: []Reading{{Text: "fine"}}},
		{Code: "ke22fae93f0", Label: Label{Clinical: "Grip strength / left"}, Readings: []Reading{{Text: "30", Unit: "kg", Value: "30"}}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestVisits(t *testing.T) {
	find := shelf(t, `{"resourceType":"Condition","id":"c","code":{"text":"Sinusitis (disorder)"}}`)
	got := Visits(as[fhir.Encounter](t,
		`{"resourceType":"Encounter","id":"1","status":"finished","class":{"code":"EMER"},"type":[{"coding":[{"system":"http://snomed.info/sct","code":"261665006"}],"text":"Unknown (qualifier value)"}],"period":{"start":"2024-01-02"},"participant":[{"individual":{"reference":"Practitioner?identifier=1","display":"Dr Lee"}},{"individual":{"reference":"Patient/me"}}],"serviceProvider":{"display":"City Hospital"},"reasonReference":[{"reference":"Condition/c"}]}`,
		`{"resourceType":"Encounter","id":"2","status":"cancelled","class":{"code":"??"}}`,
		`{"resourceType":"Encounter","id":"3","status":"entered-in-error"}`), find)
	want := []Visit{
		{ID: "1", Label: Label{Plain: "records.class.emergency"}, Class: "records.class.emergency", From: "2024-01-02", With: []Party{{Name: "Dr Lee"}}, Where: Party{Name: "City Hospital"}, Why: []Label{{"", "Sinusitis"}}},
		{ID: "2", Label: Label{Plain: "records.class.visit"}, Class: "records.class.visit", Status: "cancelled"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestCareTeam(t *testing.T) {
	p := fhir.Into[fhir.Patient](parse(t, `{"resourceType":"Patient","id":"me","generalPractitioner":[{"reference":"Practitioner/1","display":"Dr Nair"}]}`))
	got := CareTeam(p, as[fhir.CareTeam](t,
		`{"resourceType":"CareTeam","id":"1","status":"active","participant":[{"role":[{"text":"Patient"}],"member":{"reference":"Patient/me","display":"Me"}},{"role":[{"text":"Cardiologist"}],"member":{"reference":"Practitioner/2","display":"Dr Osei"}},{"member":{"reference":"RelatedPerson/3","display":"Yusuf"}},{"role":[{"text":"Nurse"}],"member":{"reference":"Practitioner/9"}},{"member":{"reference":"Practitioner/8"}},{"role":[{"text":"GP"}],"member":{"reference":"Practitioner/1","display":"Dr Nair"}},{"member":{"display":"Dr Gone"},"period":{"end":"2020"}}]}`,
		`{"resourceType":"CareTeam","id":"2","status":"inactive","participant":[{"member":{"display":"Dr Old"}}]}`,
		`{"resourceType":"CareTeam","id":"3","status":"entered-in-error","participant":[{"member":{"display":"Dr Wrong"}}]}`), nil)
	want := []Member{{Name: "Dr Nair", Usual: true, Roles: []Label{{"", "GP"}}}, {Name: "Dr Osei", Roles: []Label{{"", "Cardiologist"}}},
		{Roles: []Label{{"", "Nurse"}}}, {Name: "Yusuf", Family: true}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestPlans(t *testing.T) {
	find := shelf(t, `{"resourceType":"ServiceRequest","id":"sr","status":"active","code":{"text":"Filling"},"bodySite":[{"text":"Tooth 14"}]}`)
	plans, rest := Plans(
		as[fhir.CarePlan](t,
			`{"resourceType":"CarePlan","id":"1","status":"completed","category":[{"text":"Old plan"}]}`,
			`{"resourceType":"CarePlan","id":"2","status":"active","title":"Fix my tooth","category":[{"text":"Dental"}],"goal":[{"reference":"Goal/g1"}],"activity":[{"reference":{"reference":"ServiceRequest/sr"}},{"detail":{"status":"entered-in-error","code":{"text":"No"}}},{"detail":{"status":"completed","description":"X-ray"}}]}`,
			`{"resourceType":"CarePlan","id":"3","status":"entered-in-error"}`),
		as[fhir.Goal](t,
			`{"resourceType":"Goal","id":"g1","lifecycleStatus":"active","description":{"text":"No pain"},"achievementStatus":{"coding":[{"code":"achieved"}]},"target":[{"dueDate":"2027-01-01"}]}`,
			`{"resourceType":"Goal","id":"g2","lifecycleStatus":"active","description":{"text":"Walk more"}}`,
			`{"resourceType":"Goal","id":"g3","lifecycleStatus":"rejected","description":{"text":"Never mind"}}`), find)
	if len(plans) != 2 || plans[0].Label.Clinical != "Fix my tooth" || !plans[0].Dental || plans[1].Status != "done" {
		t.Fatalf("plans: %+v", plans)
	}
	steps := []Step{{Label: Label{"", "Filling"}, Status: "doing", Sites: []string{"Tooth 14"}}, {Text: "X-ray", Status: "done"}}
	if d := cmp.Diff(steps, plans[0].Steps); d != "" {
		t.Error(d)
	}
	if len(plans[0].Goals) != 1 || plans[0].Goals[0].Doing != "records.aim.achieved" {
		t.Errorf("goals of the plan: %+v", plans[0].Goals)
	}
	if len(rest) != 1 || rest[0].Label.Clinical != "Walk more" {
		t.Errorf("goals of no plan: %+v", rest)
	}
}
