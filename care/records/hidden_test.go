package records

import (
	"testing"

	"github.com/wellgate/wellgate/trust/identity"
)

// What a label holds back is not told in passing either: not as a visit's reason or diagnosis, a medicine's reason or
// name, a procedure's reason, or a step of a plan.
func TestDisplayOfWhatIsHeldBack(t *testing.T) {
	p := open(t,
		`{"resourceType":"Condition","id":"c","meta":{"security":[{"code":"HIV"}]},"clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]},"subject":{"reference":"Patient/me"},"code":{"text":"Zebra"}}`,
		`{"resourceType":"ServiceRequest","id":"s","meta":{"security":[{"code":"R"}]},"status":"active","intent":"order","subject":{"reference":"Patient/me"},"code":{"text":"Zebra"}}`,
		`{"resourceType":"Encounter","id":"v","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/me"},"period":{"start":"2026-10-01"},"reasonReference":[{"reference":"Condition/c","display":"Zebra"}],"diagnosis":[{"condition":{"reference":"Condition/c","display":"Zebra"}}]}`,
		`{"resourceType":"MedicationRequest","id":"m","status":"active","intent":"order","subject":{"reference":"Patient/me"},"medicationCodeableConcept":{"text":"Aspirin"},"reasonReference":[{"reference":"Condition/c","display":"Zebra"}]}`,
		`{"resourceType":"Procedure","id":"p","status":"completed","subject":{"reference":"Patient/me"},"code":{"text":"Blood draw"},"performedDateTime":"2026-10-01","reasonReference":[{"reference":"Condition/c","display":"Zebra"}]}`,
		`{"resourceType":"CarePlan","id":"k","status":"active","intent":"plan","subject":{"reference":"Patient/me"},"title":"Plan","addresses":[{"reference":"Condition/c","display":"Zebra"}],"activity":[{"reference":{"reference":"ServiceRequest/s","display":"Zebra"}},{"detail":{"status":"in-progress","description":"Walk more"}}]}`)
	pages := []string{"/record", "/visits", "/visits/v", "/medicines", "/procedures", "/plan", "/timeline"}
	for _, url := range pages {
		p.page(p.staff(identity.Hygienist), "en", url).lacks("main", "Zebra")
	}
	p.page(p.staff(identity.Hygienist), "en", "/plan").has("main", "Walk more")
	for _, url := range []string{"/visits/v", "/medicines", "/plan"} {
		p.page(p.staff(identity.Clinician), "en", url).has("main", "Zebra")
		p.page(p.amina(), "en", url).has("main", "Zebra")
	}
}
