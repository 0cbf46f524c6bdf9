package records

import (
	"slices"

	"github.com/wellgate/wellgate/fhir"
)

// An Event is one entry of the timeline.
type Event struct {
	Kind   string // visit, result, medicine, condition, allergy, vaccine, procedure, document, plan
	At     fhir.DateTime
	AtText string
	Label  Label
	With   Party
	Tag    string // word key of a state worth saying: not given, cancelled
	Path   string // where it is told in full, without base
}

// Kinds of events, in the order of the filter.
var EventKinds = []string{"visit", "result", "medicine", "condition", "allergy", "vaccine", "procedure", "document", "plan"}

// typesOf are the FHIR types behind each kind.
var typesOf = map[string][]string{
	"visit": {"Encounter"}, "result": {"DiagnosticReport"}, "medicine": {"MedicationRequest", "MedicationStatement"},
	"condition": {"Condition"}, "allergy": {"AllergyIntolerance"}, "vaccine": {"Immunization"},
	"procedure": {"Procedure"}, "document": {"DocumentReference"}, "plan": {"CarePlan"},
}

// Events reads the resources of the timeline, newest first, undated last.
func Events(rs []fhir.Resource, find Lookup) []Event {
	var out []Event
	for _, r := range rs {
		if e, ok := event(r, find); ok {
			out = append(out, e)
		}
	}
	slices.SortStableFunc(out, func(a, b Event) int { return newest(a.At, b.At) })
	return out
}

func event(r fhir.Resource, find Lookup) (Event, bool) {
	switch r.Type() {
	case "Encounter":
		v, ok := VisitOf(fhir.Into[fhir.Encounter](r), find)
		e := Event{Kind: "visit", At: v.From, Label: v.Label, With: first(v.With), Path: "/visits/" + v.ID}
		if v.Status == "cancelled" || v.Status == "planned" {
			e.Tag = "records.visit." + v.Status
		}
		return e, ok
	case "DiagnosticReport":
		return report(fhir.Into[fhir.DiagnosticReport](r))
	case "MedicationRequest":
		m, ok := fromRequest(fhir.Into[fhir.MedicationRequest](r), find)
		return Event{Kind: "medicine", At: m.when, Label: Label{Clinical: m.name}, With: m.by, Path: "/medicines"}, ok
	case "MedicationStatement":
		m, ok := fromStatement(fhir.Into[fhir.MedicationStatement](r), find)
		return Event{Kind: "medicine", At: m.when, Label: Label{Clinical: m.name}, Tag: "records.med.told", Path: "/medicines"}, ok
	case "Condition":
		p, ok := problem(fhir.Into[fhir.Condition](r))
		e := Event{Kind: "condition", At: p.Since, AtText: p.SinceAge, Label: p.Label, Tag: p.Doubt, Path: "/conditions"}
		if p.Sort == RuledOut {
			e.Tag = "records.problem.ruledout"
		}
		return e, ok
	case "AllergyIntolerance":
		return allergyEvent(fhir.Into[fhir.AllergyIntolerance](r))
	case "Immunization":
		im := fhir.Into[fhir.Immunization](r)
		d := doseOf(im, find)
		e := Event{Kind: "vaccine", At: d.At, AtText: d.AtText, Label: LabelOf(im.VaccineCode), With: d.By, Path: "/vaccines"}
		if d.NotGiven {
			e.Tag = "records.vax.not"
		}
		return e, im.Status != "entered-in-error"
	case "Procedure":
		ds := Deeds([]fhir.Procedure{fhir.Into[fhir.Procedure](r)}, find)
		if len(ds) == 0 {
			return Event{}, false
		}
		e := Event{Kind: "procedure", At: ds[0].At, AtText: ds[0].AtText, Label: ds[0].Label, With: first(ds[0].By), Path: "/procedures"}
		if ds[0].Status != "" {
			e.Tag = "records.deed." + ds[0].Status
		}
		return e, true
	case "DocumentReference":
		d, ok := DocumentOf(fhir.Into[fhir.DocumentReference](r), find)
		return Event{Kind: "document", At: d.At, Label: d.Label, With: first(d.By), Path: "/documents/" + d.ID}, ok
	case "CarePlan":
		c := fhir.Into[fhir.CarePlan](r)
		p := plan(c, find)
		return Event{Kind: "plan", At: p.From, Label: p.Label, Path: "/plan"}, c.Status != "entered-in-error"
	}
	return Event{}, false
}

func allergyEvent(a fhir.AllergyIntolerance) (Event, bool) {
	verification := statusOf(a.VerificationStatus)
	x := allergy(a, verification, statusOf(a.ClinicalStatus))
	e := Event{Kind: "allergy", At: x.Since, Label: x.Label, Path: "/allergies"}
	if x.Sort == AllergyRuledOut {
		e.Tag = "records.problem.ruledout"
	}
	return e, verification != "entered-in-error"
}

func report(d fhir.DiagnosticReport) (Event, bool) {
	e := Event{Kind: "result", At: firstDate(d.EffectiveDateTime, start(d.EffectivePeriod), d.Issued), Label: LabelOf(d.Code),
		Path: "/results/" + d.ID}
	return e, d.Status != "entered-in-error" && d.Status != "cancelled" && d.Status != "registered"
}
