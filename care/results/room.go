package results

import (
	"embed"

	"github.com/wellgate/wellgate/care"
	"github.com/wellgate/wellgate/site"
	"github.com/wellgate/wellgate/trust/chart"
)

//go:embed words/*.json policy.cedar
var files embed.FS

// Room is the results room.
func Room() care.Room {
	const desk = "POST /desk/{patient}/results"
	return care.Room{
		Name:  "results",
		Files: files,
		Routes: []care.Route{
			{Pattern: "GET /results", Name: "results.list", Action: "read", Both: true, Handle: list},
			// a search is a POST: its words may tell of health, and addresses stay in histories and logs (WEB-07)
			{Pattern: "POST /results", Name: "results.search", Action: "read", Both: true, Handle: find},
			{Pattern: "GET /results/{id}", Name: "results.one", Action: "read", Both: true, Handle: one},
			{Pattern: "GET /results/report/{id}", Name: "results.report", Action: "read", Both: true, Handle: report},
			{Pattern: desk + "/{id}/comments", Name: "results.comment", Action: "write", Handle: commentOne},
			{Pattern: desk + "/report/{id}/comments", Name: "results.comment", Action: "write", Handle: commentReport},
			{Pattern: desk + "/comments/{id}/withdrawal", Name: "results.withdraw", Action: "write", Handle: withdrawal},
		},
		Nav:    []site.NavItem{{Icon: "flask-conical", Key: "results.nav", Href: "/results", Dock: true}},
		Guards: map[string]chart.Guard{"Observation": guardResult, "DiagnosticReport": guardResult, "ClinicalImpression": guardComment},
		Home:   home,
	}
}
