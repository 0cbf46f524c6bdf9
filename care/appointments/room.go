package appointments

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

// Room is the appointments room.
func Room() care.Room {
	return care.Room{
		Name:  "appointments",
		Files: files,
		Routes: []care.Route{
			{Pattern: "GET /appointments", Name: "appointments.list", Action: "read", Both: true, Handle: list},
			{Pattern: "GET /appointments/{id}/calendar.ics", Name: "appointments.calendar", Action: "read", Handle: calendar},
		},
		Nav:    []site.NavItem{{Icon: "calendar", Key: "appointments.nav", Href: "/appointments", Dock: true}},
		Guards: map[string]chart.Guard{"Appointment": guard},
		Home:   home,
	}
}

var errByPractice = errors.New("appointments: only the practice's own feed books, moves and cancels; call the practice")

// guard leaves appointments to the practice's system, which owns the calendar.
func guard(who identity.Who, _, _ fhir.Resource) error {
	if who.Machine() {
		return nil
	}
	return errByPractice
}
