package records

import (
	"embed"
	"errors"

	"github.com/wellgate/wellgate/care"
	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/site"
	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/identity"
)

//go:embed words/*.json policy.cedar
var files embed.FS

// Room is the records room.
func Room() care.Room {
	page := func(pattern, name string, h care.Handler) care.Route {
		return care.Route{Pattern: "GET " + pattern, Name: "records." + name, Action: "read", Both: true, Handle: h}
	}
	return care.Room{
		Name:  "records",
		Files: files,
		Routes: []care.Route{
			page("/record", "overview", overview),
			page("/medicines", "medicines", medicines),
			page("/conditions", "conditions", conditions),
			page("/allergies", "allergies", allergies),
			page("/vaccines", "vaccines", vaccines),
			page("/vitals", "vitals", vitals),
			page("/vitals/{code}", "vital", vital),
			page("/visits", "visits", visits),
			page("/visits/{id}", "visit", visit),
			page("/notes", "notes", noteList),
			page("/documents", "documents", documents),
			page("/documents/{id}", "document", document),
			page("/documents/{id}/file", "file", file),
			page("/care-team", "careteam", careTeam),
			page("/procedures", "procedures", procedures),
			page("/plan", "plan", plans),
			page("/timeline", "timeline", timeline),
		},
		Nav: []site.NavItem{
			{Icon: "clipboard-list", Key: "records.nav.record", Href: "/record"},
			{Icon: "pill", Key: "records.nav.medicines", Href: "/medicines", Dock: true},
			{Icon: "file-text", Key: "records.nav.documents", Href: "/documents"},
		},
		Guards: guards(),
		Home:   home,
	}
}

// owned are the types this room answers for.
var owned = []string{"Condition", "AllergyIntolerance", "MedicationRequest", "MedicationStatement", "Medication",
	"Immunization", "Encounter", "Procedure", "DocumentReference", "Binary", "CarePlan", "CareTeam", "Goal"}

func guards() map[string]chart.Guard {
	m := map[string]chart.Guard{}
	for _, t := range owned {
		m[t] = guard
	}
	return m
}

var errReadOnly = errors.New("records: only imports and feeds of the practice write this; ask the practice to change it")

// guard lets the practice's own feeds write. Nobody corrects a record by hand here: a patient asks, the practice's
// system changes it, the feed brings it.
func guard(who identity.Who, _, _ fhir.Resource) error {
	if who.Machine() {
		return nil
	}
	return errReadOnly
}
