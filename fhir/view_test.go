package fhir_test

import (
	"testing"

	"github.com/wellgate/wellgate/fhir"
)

func TestViewReadsAnyType(t *testing.T) {
	type meta struct {
		Meta fhir.Meta `json:"meta"`
	}
	r, err := fhir.Parse([]byte(`{"resourceType":"Task","id":"1","meta":{"versionId":7,"security":[{"code":"R"},{"code":"HIV"}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	// versionId has the wrong type; that must not hide the labels.
	if got := fhir.View[meta](r).Meta.Security; len(got) != 2 || got[0].Code != "R" || got[1].Code != "HIV" {
		t.Fatalf("labels lost: %+v", got)
	}
}
