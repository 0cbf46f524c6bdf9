package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

type compartmentResource struct {
	Code  string
	Param []string
}

// compartment writes, for each type of the Patient compartment, the places of the references that put a resource in it.
// What names the subject comes first; performers, authors and other roles after.
func compartment(params parameters, defs string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(defs, "CompartmentDefinition-patient.json"))
	if err != nil {
		return nil, err
	}
	var def struct {
		Resource []compartmentResource
	}
	if err := json.Unmarshal(data, &def); err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, r := range def.Resource {
		known[r.Code] = len(r.Param) > 0
	}
	for typ, p := range params { // types that name their patient though R4 left them out, such as Task and Device
		if p["patient"].kind == 'r' && !known[typ] {
			def.Resource = append(def.Resource, compartmentResource{typ, []string{"patient"}})
		}
	}
	slices.SortFunc(def.Resource, func(a, b compartmentResource) int { return strings.Compare(a.Code, b.Code) })
	var b bytes.Buffer
	b.WriteString("# Made by tools/fhirgen from CompartmentDefinition/patient, and for types it leaves out from their search\n" +
		"# parameter patient; do not edit. Type, then places of references.\n")
	for _, r := range def.Resource {
		if len(r.Param) == 0 {
			continue
		}
		slices.SortStableFunc(r.Param, func(x, y string) int { return rank(x) - rank(y) })
		var places []string
		for _, name := range r.Param {
			p, ok := params[r.Code][name]
			if !ok || p.kind != 'r' {
				return nil, fmt.Errorf("compartment: %s has no reference parameter %q", r.Code, name)
			}
			for _, pl := range p.places {
				path, _, _ := strings.Cut(pl.json, "@")
				if strings.Contains(path, "[") {
					return nil, fmt.Errorf("compartment: %s.%s has a filter", r.Code, name)
				}
				if !slices.Contains(places, path) {
					places = append(places, path)
				}
			}
		}
		fmt.Fprintf(&b, "%s %s\n", r.Code, strings.Join(places, " "))
	}
	return b.Bytes(), nil
}

func rank(param string) int {
	switch param {
	case "patient", "subject", "beneficiary":
		return 0
	}
	return 1
}
