package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// What is committed is what the definitions give.
func TestTablesAreCurrent(t *testing.T) {
	data := os.Getenv("WELLGATE_CORPUS")
	if data == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("WELLGATE_CORPUS must name the test data in CI")
		}
		t.Skip("set WELLGATE_CORPUS to the folder of the FHIR definitions to run this test")
	}
	out := t.TempDir()
	for _, dir := range []string{"search", "validate"} {
		if err := os.Mkdir(filepath.Join(out, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	us := filepath.Join(data, "uscore")
	if err := generate(filepath.Join(data, "r4-core"), []string{filepath.Join(us, "8.0.0"), filepath.Join(us, "6.1.0")}, out); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"search/params.txt.gz", "validate/elements.txt.gz", "compartment.txt"} {
		made, err1 := os.ReadFile(filepath.Join(out, file))
		kept, err2 := os.ReadFile(filepath.Join("../../fhir", file))
		if err1 != nil || err2 != nil || !bytes.Equal(made, kept) {
			t.Errorf("fhir/%s is not what fhirgen makes now: run it (%v %v)", file, err1, err2)
		}
	}
}
