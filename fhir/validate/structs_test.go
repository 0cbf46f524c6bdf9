package validate

import (
	"reflect"
	"strings"
	"testing"

	"github.com/wellgate/wellgate/fhir"
)

var kept = []any{fhir.Patient{}, fhir.RelatedPerson{}, fhir.Practitioner{}, fhir.PractitionerRole{}, fhir.Organization{},
	fhir.Location{}, fhir.CareTeam{}, fhir.Observation{}, fhir.DiagnosticReport{}, fhir.ImagingStudy{}, fhir.Specimen{},
	fhir.ClinicalImpression{}, fhir.Condition{}, fhir.AllergyIntolerance{}, fhir.Procedure{}, fhir.Immunization{},
	fhir.Encounter{}, fhir.Device{}, fhir.Medication{}, fhir.MedicationRequest{}, fhir.MedicationStatement{},
	fhir.MedicationDispense{}, fhir.CarePlan{}, fhir.Goal{}, fhir.ServiceRequest{}, fhir.Task{}, fhir.Appointment{},
	fhir.Schedule{}, fhir.Slot{}, fhir.DocumentReference{}, fhir.Binary{}, fhir.Composition{}, fhir.Communication{},
	fhir.Questionnaire{}, fhir.QuestionnaireResponse{}, fhir.Consent{}, fhir.Provenance{}, fhir.OperationOutcome{},
	fhir.Coverage{}, fhir.Claim{}, fhir.ExplanationOfBenefit{}, fhir.Invoice{}, fhir.Bundle{}}

// Every member of the structs is an element of R4, single or many, of the datatype that R4 says.
func TestStructsFollowTheDefinitions(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var check func(rt reflect.Type, def *typeDef)
	check = func(rt reflect.Type, def *typeDef) {
		if seen[rt] {
			return
		}
		seen[rt] = true
		for i := range rt.NumField() {
			sf := rt.Field(i)
			name, option, _ := strings.Cut(sf.Tag.Get("json"), ",")
			f := def.fields[name]
			if f == nil || option != "omitzero" {
				t.Errorf("%s.%s (%s) is no element of %s", rt.Name(), sf.Name, sf.Tag, def.name)
				continue
			}
			ft := sf.Type
			if f.many() != (ft.Kind() == reflect.Slice) {
				t.Errorf("%s.%s: many is %v", rt.Name(), sf.Name, f.many())
			}
			for ft.Kind() == reflect.Slice || ft.Kind() == reflect.Pointer {
				ft = ft.Elem()
			}
			if want := goType(f); want != ft.Name() {
				t.Errorf("%s.%s is a %s, should be a %s", rt.Name(), sf.Name, ft.Name(), want)
			} else if f.def != nil && f.typ != "Resource" {
				check(ft, f.def)
			}
		}
	}
	for _, v := range kept {
		rt := reflect.TypeOf(v)
		check(rt, tables().types[rt.Name()])
	}
	if len(seen) < 150 {
		t.Errorf("only %d structs checked", len(seen))
	}
}

func goType(f *field) string {
	switch f.typ {
	case "boolean":
		return "bool"
	case "integer", "positiveInt", "unsignedInt":
		return "int"
	case "decimal":
		return "Decimal"
	case "date", "dateTime", "instant":
		return "DateTime"
	case "Age", "Duration", "Count", "Distance", "SimpleQuantity":
		return "Quantity"
	case "Resource":
		return "Resource"
	}
	if f.primitive != nil {
		return "string"
	}
	var b strings.Builder
	for part := range strings.SplitSeq(f.typ, ".") {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}
