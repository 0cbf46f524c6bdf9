package records

import (
	"slices"
	"strings"

	"github.com/wellgate/wellgate/fhir"
)

// A Deed is one procedure: something that was done, or was meant to be.
type Deed struct {
	ID      string
	Label   Label
	Status  string // "" = done; else planned, doing, notdone, paused, stopped, unknown
	At      fhir.DateTime
	AtText  string
	By      []Party
	Where   Party
	Why     []Label
	Sites   []string
	Outcome string
	Notes   []string
	Visit   string // Encounter id
}

// Deeds lists procedures, newest first.
func Deeds(ps []fhir.Procedure, find Lookup) []Deed {
	var out []Deed
	for _, p := range ps {
		if p.Status == "entered-in-error" {
			continue
		}
		d := Deed{ID: p.ID, Label: LabelOf(p.Code), At: firstDate(p.PerformedDateTime, start(p.PerformedPeriod)),
			AtText: strings.TrimSpace(p.PerformedString), Where: who(p.Location, find),
			Why: reasons(p.ReasonCode, p.ReasonReference, find), Sites: readables(p.BodySite),
			Outcome: untag(Readable(p.Outcome)), Notes: notes(p.Note), Visit: idOf(p.Encounter, "Encounter")}
		switch p.Status {
		case "completed":
		case "preparation":
			d.Status = "planned"
		case "in-progress":
			d.Status = "doing"
		case "not-done":
			d.Status = "notdone"
		case "on-hold":
			d.Status = "paused"
		case "stopped":
			d.Status = "stopped"
		default:
			d.Status = "unknown"
		}
		for _, f := range p.Performer {
			if w := who(f.Actor, find); w != (Party{}) {
				d.By = appendNew(d.By, w)
			}
		}
		out = append(out, d)
	}
	slices.SortStableFunc(out, func(a, b Deed) int { return newest(a.At, b.At) })
	return out
}

// idOf is the id of a reference to typ, or "".
func idOf(r fhir.Reference, typ string) string {
	if t, id, ok := fhir.SplitRef(r.Reference); ok && t == typ {
		return id
	}
	return ""
}
