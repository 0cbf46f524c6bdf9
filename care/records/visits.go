package records

import (
	"slices"

	"github.com/wellgate/wellgate/fhir"
)

// A Visit is one encounter.
type Visit struct {
	ID       string
	Label    Label  // what kind
	Class    string // word key of where it took place: at the practice, in hospital, by phone
	Status   string // "" = took place; else planned, now, cancelled, unknown
	From, To fhir.DateTime
	With     []Party
	Where    Party
	Why      []Label
	Found    []Label // diagnoses
}

// Visits lists encounters, newest first.
func Visits(es []fhir.Encounter, find Lookup) []Visit {
	var out []Visit
	for _, e := range es {
		if v, ok := VisitOf(e, find); ok {
			out = append(out, v)
		}
	}
	slices.SortStableFunc(out, func(a, b Visit) int { return newest(a.From, b.From) })
	return out
}

// VisitOf reads one encounter; false if it was entered in error.
func VisitOf(e fhir.Encounter, find Lookup) (Visit, bool) {
	if e.Status == "entered-in-error" {
		return Visit{}, false
	}
	v := Visit{ID: e.ID, Class: classOf(e.Class), From: start(e.Period), To: end(e.Period),
		Why: reasons(e.ReasonCode, e.ReasonReference, find)}
	for _, t := range e.Type {
		l := LabelOf(t)
		if l.Named() && !t.Has(snomed, "261665006") { // "Unknown" tells nobody anything
			v.Label = l
			break
		}
	}
	if !v.Label.Named() {
		v.Label = LabelOf(e.ServiceType)
	}
	if !v.Label.Named() {
		v.Label = Label{Plain: v.Class}
	}
	switch e.Status {
	case "finished":
	case "planned":
		v.Status = "planned"
	case "arrived", "triaged", "in-progress", "onleave":
		v.Status = "now"
	case "cancelled":
		v.Status = "cancelled"
	default:
		v.Status = "unknown"
	}
	for _, p := range e.Participant {
		if w := who(p.Individual, find); w != (Party{}) && !w.You {
			v.With = appendNew(v.With, w)
		}
	}
	for _, l := range e.Location {
		if w := who(l.Location, find); w.Name != "" {
			v.Where = w
			break
		}
	}
	if v.Where.Name == "" {
		v.Where = who(e.ServiceProvider, find)
	}
	for _, d := range e.Diagnosis {
		if l := conditionLabel(d.Condition, find); l.Named() {
			v.Found = addLabel(v.Found, l)
		}
	}
	return v, true
}

// classOf is a word key for Encounter.class (v3 ActCode).
func classOf(c fhir.Coding) string {
	switch c.Code {
	case "AMB", "OBSENC":
		return "records.class.visit"
	case "IMP", "ACUTE", "NONAC", "SS":
		return "records.class.hospital"
	case "EMER":
		return "records.class.emergency"
	case "VR":
		return "records.class.remote"
	case "HH":
		return "records.class.home"
	case "FLD":
		return "records.class.field"
	}
	return "records.class.visit"
}
