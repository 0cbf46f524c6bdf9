package records

import (
	"strings"

	"github.com/wellgate/wellgate/fhir"
)

// A Party is a person, organisation or place as a reference tells it.
type Party struct {
	Name string // "" = not named
	You  bool   // the patient
}

// who names the target of a reference: its display, else its own name.
func who(r fhir.Reference, find Lookup) Party {
	typ, _, ok := fhir.SplitRef(r.Reference)
	if r.Type == "Patient" || ok && typ == "Patient" {
		return Party{You: true}
	}
	if d := strings.TrimSpace(r.Display); d != "" {
		return Party{Name: d}
	}
	if !ok || find == nil {
		return Party{}
	}
	if res, ok := find(r.Reference); ok {
		return Party{Name: nameOf(res, find)}
	}
	return Party{}
}

func whoAll(rs []fhir.Reference, find Lookup) []Party {
	var out []Party
	for _, r := range rs {
		if p := who(r, find); p != (Party{}) {
			out = appendNew(out, p)
		}
	}
	return out
}

// nameOf is what a resource of the directory is called.
func nameOf(r fhir.Resource, find Lookup) string {
	switch r.Type() {
	case "Practitioner":
		return fhir.BestName(fhir.Into[fhir.Practitioner](r).Name).Display()
	case "RelatedPerson":
		return fhir.BestName(fhir.Into[fhir.RelatedPerson](r).Name).Display()
	case "Organization":
		return strings.TrimSpace(fhir.Into[fhir.Organization](r).Name)
	case "Location":
		return strings.TrimSpace(fhir.Into[fhir.Location](r).Name)
	case "CareTeam":
		return strings.TrimSpace(fhir.Into[fhir.CareTeam](r).Name)
	case "PractitionerRole":
		// A role is called after the person in it; a role that points at a role is malformed and has no name.
		pr := fhir.Into[fhir.PractitionerRole](r)
		if typ, _, _ := fhir.SplitRef(pr.Practitioner.Reference); typ == "PractitionerRole" {
			return ""
		}
		if p := who(pr.Practitioner, find); p.Name != "" {
			return p.Name
		}
		return first(readables(pr.Code))
	}
	return ""
}

// contained finds "#id" among a resource's contained ones.
func contained(list []fhir.Resource, ref string) (fhir.Resource, bool) {
	id, ok := strings.CutPrefix(ref, "#")
	if !ok || id == "" {
		return fhir.Resource{}, false
	}
	for _, r := range list {
		if r.ID() == id || r.ID() == ref {
			return r, true
		}
	}
	return fhir.Resource{}, false
}

// conditionLabel names the target of a reference to a Condition (a reason, a diagnosis).
func conditionLabel(r fhir.Reference, find Lookup) Label {
	if find != nil {
		if typ, _, ok := fhir.SplitRef(r.Reference); ok {
			if res, ok := find(r.Reference); ok {
				if res.IsZero() {
					return Label{}
				}
				switch typ {
				case "Condition":
					return LabelOf(fhir.Into[fhir.Condition](res).Code)
				case "Procedure":
					return LabelOf(fhir.Into[fhir.Procedure](res).Code)
				case "Observation":
					return LabelOf(fhir.Into[fhir.Observation](res).Code)
				}
			}
		}
	}
	return Label{Clinical: untag(strings.TrimSpace(r.Display))}
}

func reasons(codes []fhir.CodeableConcept, refs []fhir.Reference, find Lookup) []Label {
	out := labels(codes)
	for _, r := range refs {
		if l := conditionLabel(r, find); l.Named() {
			out = addLabel(out, l)
		}
	}
	return out
}
