// Command fhirgen writes the tables of packages fhir, fhir/search and fhir/validate from the published FHIR R4
// definitions (4.0.1) and the search parameters of US Core:
//
//	go run ./fhirgen -defs folder/r4-core -uscore folder/uscore/8.0.0,folder/uscore/6.1.0 -out ../fhir   (in tools/)
//
// -defs holds profiles-resources, profiles-types, search-parameters and expansions as .json.gz, and
// CompartmentDefinition-patient.json. What the generator does not understand stops it.
package main

import (
	"flag"
	"log"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	log.SetFlags(0)
	defs := flag.String("defs", "", "folder of the R4 definitions")
	uscore := flag.String("uscore", "", "folders of US Core SearchParameter files, newest first, separated by commas")
	out := flag.String("out", "../fhir", "folder of package fhir")
	flag.Parse()
	if err := generate(*defs, strings.Split(*uscore, ","), *out); err != nil {
		log.Fatal("fhirgen: ", err)
	}
}

func generate(defs string, uscore []string, out string) error {
	d, err := load(defs)
	if err != nil {
		return err
	}
	params, err := searchParameters(d, defs, uscore)
	if err != nil {
		return err
	}
	table, err := compress(params.table())
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, "search", "params.txt.gz"), table, 0o644); err != nil {
		return err
	}
	elements, err := elementTable(d, defs)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, "validate", "elements.txt.gz"), elements, 0o644); err != nil {
		return err
	}
	table, err = compartment(params, defs)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, "compartment.txt"), table, 0o644)
}
