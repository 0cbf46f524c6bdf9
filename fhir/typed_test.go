package fhir

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Sound resources are read whole: no member of a struct has a type that real data contradicts.
func TestIntoReadsTheCorpusWhole(t *testing.T) {
	dir := os.Getenv("WELLGATE_CORPUS")
	if dir == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("WELLGATE_CORPUS must name the test data in CI")
		}
		t.Skip("set WELLGATE_CORPUS to the folder of the test data to run this test")
	}
	files, _ := filepath.Glob(filepath.Join(dir, "synthea", "uscore-202*", "*.json.gz"))
	n := 0
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		_, entries, err := ReadBundle(z)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			n += whole(t, e.Resource)
		}
	}
	if n < 5000 {
		t.Errorf("only %d resources read", n)
	}
}

func whole(t *testing.T, r Resource) int {
	var v, w any
	switch r.Type() {
	case "Patient":
		v, w = new(Patient), Into[Patient](r)
	case "Observation":
		v, w = new(Observation), Into[Observation](r)
	case "Encounter":
		v, w = new(Encounter), Into[Encounter](r)
	case "Claim":
		v, w = new(Claim), Into[Claim](r)
	case "ExplanationOfBenefit":
		v, w = new(ExplanationOfBenefit), Into[ExplanationOfBenefit](r)
	case "MedicationRequest":
		v, w = new(MedicationRequest), Into[MedicationRequest](r)
	case "CarePlan":
		v, w = new(CarePlan), Into[CarePlan](r)
	case "Provenance":
		v, w = new(Provenance), Into[Provenance](r)
	case "DocumentReference":
		v, w = new(DocumentReference), Into[DocumentReference](r)
	case "Immunization":
		v, w = new(Immunization), Into[Immunization](r)
	default:
		return 0
	}
	if err := json.Unmarshal(r.Raw(), v, jsontext.AllowDuplicateNames(true)); err != nil {
		t.Errorf("%s: %v", r.Type(), err)
	}
	again, err := New(w)
	if err != nil {
		t.Errorf("%s: %v", r.Type(), err)
	}
	if twice, _ := New(v); !bytes.Equal(again.Raw(), twice.Raw()) {
		t.Errorf("%s: Into and Unmarshal differ", r.Type())
	}
	return 1
}
