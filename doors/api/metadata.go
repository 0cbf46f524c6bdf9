package api

import (
	"time"

	"github.com/go-json-experiment/json"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/fhir/search"
)

// capability is the CapabilityStatement, made from what is there: the types a record or the directory may hold, their
// search parameters, and the interactions of the route table.
func capability(now time.Time) ([]byte, error) {
	type m = map[string]any
	codes := func(all ...string) (out []m) {
		for _, c := range all {
			out = append(out, m{"code": c})
		}
		return out
	}
	var resources []m
	for _, typ := range fhir.Types() {
		if !fhir.InCompartment(typ) && !fhir.InDirectory(typ) && typ != "Binary" {
			continue
		}
		r := m{
			"type": typ, "interaction": codes("read", "vread", "update", "delete", "history-instance", "create", "search-type"),
			"versioning": "versioned-update", "readHistory": true, "updateCreate": false, "conditionalCreate": true,
			"conditionalRead": "full-support", "referencePolicy": []string{"literal", "local"},
		}
		if typ == "Binary" {
			r["interaction"] = codes("read", "vread", "history-instance", "create")
		} else {
			names, kinds := search.Names(typ)
			var params []m
			for _, n := range names {
				params = append(params, m{"name": n, "type": kinds[n]})
			}
			r["searchParam"] = params
		}
		if typ == "Patient" {
			r["operation"] = []m{{"name": "everything", "definition": "http://hl7.org/fhir/OperationDefinition/Patient-everything"}}
		}
		if fhir.InCompartment(typ) {
			r["documentation"] = "A search names one patient, one _id, or, of Patient, an identifier with its value."
		}
		resources = append(resources, r)
	}
	return json.Marshal(m{
		"resourceType": "CapabilityStatement", "status": "active", "date": now.Format(time.RFC3339), "kind": "instance",
		"fhirVersion": "4.0.1", "format": []string{jsonType, "json"}, "software": m{"name": "Wellgate"},
		"implementation": m{"description": "Wellgate, for systems with a token"},
		"rest": []m{{
			"mode": "server", "resource": resources, "interaction": codes("transaction", "batch"),
			"security": m{"description": "Authorization: Bearer, a token of the practice's with SMART v2 system scopes"},
		}},
	}, json.Deterministic(true))
}
