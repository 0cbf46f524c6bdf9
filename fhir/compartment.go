package fhir

import (
	_ "embed"
	"slices"
	"strings"
	"sync"

	"github.com/wellgate/wellgate/fhir/internal/raw"
)

//go:embed compartment.txt
var compartmentTable string

var compartment = sync.OnceValue(func() map[string][][]string {
	m := map[string][][]string{}
	for line := range strings.Lines(compartmentTable) {
		f := strings.Fields(line)
		if len(f) == 0 || f[0] == "#" {
			continue
		}
		for _, path := range f[1:] {
			m[f[0]] = append(m[f[0]], strings.Split(path, "."))
		}
	}
	return m
})

// InCompartment reports whether resources of the type can belong to a patient: R4's Patient compartment, and Device,
// Task, Contract and GuidanceResponse, which name a patient too.
func InCompartment(typ string) bool { return compartment()[typ] != nil }

// InDirectory reports whether resources of the type without a patient belong to the practice: people, places, catalogues.
func InDirectory(typ string) bool { return slices.Contains(directoryTypes, typ) }

var directoryTypes = strings.Fields(`ActivityDefinition CapabilityStatement ChargeItemDefinition CodeSystem ConceptMap
	Device DeviceDefinition Endpoint Group HealthcareService InsurancePlan Library Location Measure Medication
	MedicationKnowledge NamingSystem ObservationDefinition OperationDefinition Organization OrganizationAffiliation
	PlanDefinition Practitioner PractitionerRole Questionnaire ResearchStudy Schedule SearchParameter Slot
	SpecimenDefinition StructureDefinition StructureMap Subscription Substance ValueSet`)

// Subject lists the patients of a resource as they are referred to, each once: first whom it is about, then those who
// take part (author, performer …). Literal references come as "Patient/id". What may turn out to be somebody else comes
// as it stands: a conditional reference ("Patient?…"), a urn:uuid, and an absolute address, whose id is another server's.
// A Patient is its own subject.
func Subject(r Resource) []string {
	if r.typ == "Patient" {
		return own(r)
	}
	var out []string
	for _, path := range compartment()[r.typ] {
		out = people(r, path, out)
	}
	return out
}

// About is Subject without those who only take part: the people at the first place that names any. More than one means
// that the resource is about several people. A subject named by no literal reference comes as "#": it is nobody known.
func About(r Resource) []string {
	if r.typ == "Patient" {
		return own(r)
	}
	for _, path := range compartment()[r.typ] {
		out := people(r, path, nil)
		if len(out) == 0 && len(path) == 1 && slices.Contains(singles, path[0]) {
			each(r.raw, path, func(v []byte) {
				if ref := raw.String(raw.Get(v, "reference")); ref == "" || ref[0] == '#' {
					out = []string{"#"}
				}
			})
		}
		if len(out) > 0 {
			return out
		}
	}
	return nil
}

// singles are the places that say whom a resource is about, rather than who takes part.
var singles = []string{"subject", "patient", "beneficiary", "for", "candidate", "individual"}

func own(r Resource) []string {
	if r.id == "" {
		return nil
	}
	return []string{r.Ref()}
}

// people adds the patients referred to at path.
func people(r Resource, path []string, out []string) []string {
	each(r.raw, path, func(v []byte) {
		ref := raw.String(raw.Get(v, "reference"))
		patient := strings.HasPrefix(ref, "Patient/") || strings.HasPrefix(ref, "Patient?") || strings.HasPrefix(ref, "urn:")
		if typ, id, ok := SplitRef(ref); ok {
			if patient = typ == "Patient"; !strings.Contains(ref, ":") {
				ref = typ + "/" + id
			}
		}
		if patient && !slices.Contains(out, ref) {
			out = append(out, ref)
		}
	})
	return out
}

// each calls f with the values at path, through arrays.
func each(b []byte, path []string, f func([]byte)) {
	if len(path) == 0 {
		f(b)
		return
	}
	for v := range raw.Elements(raw.Get(b, path[0])) {
		each(v, path[1:], f)
	}
}
