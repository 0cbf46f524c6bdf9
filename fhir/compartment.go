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
// take part (author, performer …). Literal references come as "Patient/id". Before Rewrite a reference may be conditional
// ("Patient?…") or a urn:uuid, which may turn out to be somebody else; both come as they stand. A Patient is its own
// subject.
func Subject(r Resource) []string {
	if r.typ == "Patient" {
		if r.id == "" {
			return nil
		}
		return []string{r.Ref()}
	}
	var out []string
	for _, path := range compartment()[r.typ] {
		each(r.raw, path, func(v []byte) {
			ref := raw.String(raw.Get(v, "reference"))
			if typ, id, ok := SplitRef(ref); ok {
				ref = typ + "/" + id
			}
			patient := strings.HasPrefix(ref, "Patient/") || strings.HasPrefix(ref, "Patient?") || strings.HasPrefix(ref, "urn:")
			if patient && !slices.Contains(out, ref) {
				out = append(out, ref)
			}
		})
	}
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
