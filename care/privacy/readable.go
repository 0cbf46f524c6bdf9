package privacy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wellgate/wellgate/care"
	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/trust/chart"
)

// A section is one kind of thing in the readable record.
type section struct {
	title string
	items []readable
}

// A readable is one resource as a person reads it: what, when, how it stands, and below that all of its elements.
type readable struct {
	what, when, status string
	value              []string // what was found or written, line by line
	sort               string
	details            [][2]string
}

// order is how a person would look for things; other types follow by name.
var order = []string{"Patient", "AllergyIntolerance", "Condition", "MedicationRequest", "MedicationStatement", "Immunization",
	"DiagnosticReport", "Observation", "ClinicalImpression", "Procedure", "Encounter", "Appointment", "DocumentReference",
	"CarePlan", "Goal", "CareTeam", "Communication", "Coverage", "Claim", "ExplanationOfBenefit"}

// takeHTML writes the record as one page that needs nothing else: to read, to print, to give to somebody.
func takeHTML(v *care.Visit) error {
	byType := map[string]*section{}
	var types []string
	add := func(r fhir.Resource) {
		s := byType[r.Type()]
		if s == nil {
			s = &section{title: typeName(v.Words, r.Type())}
			byType[r.Type()] = s
			types = append(types, r.Type())
		}
		s.items = append(s.items, read(v, r))
	}
	err := everything(v, func(e chart.Entry) error {
		if e.Type() != "Binary" { // files have their own download; their letters are unreadable here
			add(e.Resource)
		}
		return nil
	}, func(fhir.Resource) error { return nil })
	if err != nil {
		return err
	}
	slices.SortFunc(types, func(a, b string) int {
		ia, ib := slices.Index(order, a), slices.Index(order, b)
		if ia < 0 {
			ia = len(order)
		}
		if ib < 0 {
			ib = len(order)
		}
		if ia != ib {
			return ia - ib
		}
		return strings.Compare(a, b)
	})
	var sections []section
	for _, t := range types {
		s := *byType[t]
		slices.SortStableFunc(s.items, func(a, b readable) int { return strings.Compare(b.sort, a.sort) })
		sections = append(sections, s)
	}
	r, err := v.Chart.Patient(v.Context())
	if err != nil {
		return err
	}
	download(v, "text/html; charset=utf-8", "my-record-"+v.Now.Format("2006-01-02")+".html")
	return readablePage(v, fhir.Into[fhir.Patient](r), sections).Render(v.Context(), v.W)
}

// gist holds the members under which the types say what they are, when and how they stand.
type gist struct {
	Status             string                 `json:"status"`
	ClinicalStatus     fhir.CodeableConcept   `json:"clinicalStatus"`
	LifecycleStatus    string                 `json:"lifecycleStatus"`
	Code               fhir.CodeableConcept   `json:"code"`
	Medication         fhir.CodeableConcept   `json:"medicationCodeableConcept"`
	Vaccine            fhir.CodeableConcept   `json:"vaccineCode"`
	Description        fhir.CodeableConcept   `json:"description"`
	Title              string                 `json:"title"`
	Summary            string                 `json:"summary"`
	Text               string                 `json:"text"`
	ValueString        string                 `json:"valueString"`
	Conclusion         string                 `json:"conclusion"`
	ValueQuantity      *fhir.Quantity         `json:"valueQuantity"`
	ValueConcept       fhir.CodeableConcept   `json:"valueCodeableConcept"`
	EffectiveDateTime  fhir.DateTime          `json:"effectiveDateTime"`
	OccurrenceDateTime fhir.DateTime          `json:"occurrenceDateTime"`
	PerformedDateTime  fhir.DateTime          `json:"performedDateTime"`
	OnsetDateTime      fhir.DateTime          `json:"onsetDateTime"`
	RecordedDate       fhir.DateTime          `json:"recordedDate"`
	AuthoredOn         fhir.DateTime          `json:"authoredOn"`
	Date               fhir.DateTime          `json:"date"`
	Issued             fhir.DateTime          `json:"issued"`
	Created            fhir.DateTime          `json:"created"`
	Sent               fhir.DateTime          `json:"sent"`
	Start              fhir.DateTime          `json:"start"`
	StartDate          fhir.DateTime          `json:"startDate"`
	Period             *fhir.Period           `json:"period"`
	PerformedPeriod    *fhir.Period           `json:"performedPeriod"`
	Topic              fhir.CodeableConcept   `json:"topic"`
	Services           []fhir.CodeableConcept `json:"serviceType"`
	Types              []fhir.CodeableConcept `json:"type"`
	Category           []fhir.CodeableConcept `json:"category"`
}

func read(v *care.Visit, r fhir.Resource) readable {
	g := fhir.View[gist](r)
	out := readable{details: flatten(r.Raw())}
	for _, c := range []fhir.CodeableConcept{g.Code, g.Medication, g.Vaccine, g.Description, g.Topic} {
		if out.what == "" {
			out.what = c.Label()
		}
	}
	for _, s := range []string{g.Title, g.Summary} {
		if out.what == "" {
			out.what = s
		}
	}
	kind := fhir.View[struct {
		Type fhir.CodeableConcept `json:"type"` // some types have one, others a list
	}](r)
	for _, c := range slices.Concat(g.Services, g.Types, []fhir.CodeableConcept{kind.Type}, g.Category) {
		if out.what == "" {
			out.what = c.Label()
		}
	}
	if r.Type() == "Patient" {
		out.what = fhir.Into[fhir.Patient](r).DisplayName()
	}
	if out.what == "" {
		out.what = typeName(v.Words, r.Type())
	}
	dates := []fhir.DateTime{g.Start, g.EffectiveDateTime, g.OccurrenceDateTime, g.PerformedDateTime, g.OnsetDateTime, g.RecordedDate,
		g.AuthoredOn, g.Date, g.Issued, g.Created, g.Sent, g.StartDate}
	for _, p := range []*fhir.Period{g.Period, g.PerformedPeriod} {
		if p != nil {
			dates = append(dates, p.Start, p.End)
		}
	}
	for _, d := range dates {
		if d != "" {
			out.when, out.sort = v.Words.Date(string(d)), string(d)
			break
		}
	}
	if a := amount(g.ValueQuantity, g.ValueConcept, g.ValueString); a != "" {
		out.value = append(out.value, a)
	} else if g.Conclusion != "" {
		out.value = append(out.value, g.Conclusion)
	}
	out.value = append(out.value, texts(r, out.what)...)
	out.status = g.Status
	if l := g.ClinicalStatus.Label(); l != "" {
		out.status = l
	}
	if g.LifecycleStatus != "" {
		out.status = g.LifecycleStatus
	}
	out.status = stands(v.Words, out.status)
	return out
}

// flatten lists every element of a resource with its path, in its own order. Pictures and other long data are named, not shown.
func flatten(raw []byte) (out [][2]string) {
	d := jsontext.NewDecoder(strings.NewReader(string(raw)))
	for {
		t, err := d.ReadToken()
		if err != nil {
			return out
		}
		kind := t.Kind()
		if kind == '{' || kind == '}' || kind == '[' || kind == ']' {
			continue
		}
		path := pathText(string(d.StackPointer()))
		if depth, n := d.StackIndex(d.StackDepth()); depth == '{' && n%2 == 1 { // a member's name, not its value
			continue
		}
		if path == "resourceType" || strings.HasPrefix(path, "meta ") || strings.HasPrefix(path, "text ") {
			continue
		}
		text := t.String()
		if len(text) > 4000 {
			text = strings.ToValidUTF8(text[:200], "") + " …"
		}
		out = append(out, [2]string{path, text})
	}
}

// pathText turns /name/0/given/1 into "name 1 given 2".
func pathText(p string) string {
	parts := strings.Split(strings.TrimPrefix(p, "/"), "/")
	for i, s := range parts {
		n := 0
		if _, err := fmt.Sscanf(s, "%d", &n); err == nil && fmt.Sprint(n) == s {
			parts[i] = fmt.Sprint(n + 1)
		}
	}
	return strings.Join(parts, " ")
}
