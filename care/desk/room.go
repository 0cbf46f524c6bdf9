package desk

import (
	"embed"

	"github.com/wellgate/wellgate/care"
)

//go:embed words/*.json
var files embed.FS

// Room is the desk's manifest. Who may find and open is the base policy's business.
func Room() care.Room {
	return care.Room{
		Name:  "desk",
		Files: files,
		Routes: []care.Route{
			{Pattern: "GET /desk", Name: "desk.front", Action: "read", Handle: front},
			{Pattern: "GET /desk/find", Name: "desk.find-form", Action: "read", Handle: findForm},
			{Pattern: "POST /desk/find", Name: "desk.find", Action: "find", Handle: find},
			{Pattern: "POST /desk/open", Name: "desk.open", Action: "open", Handle: open},
			{Pattern: "GET /desk/{patient}", Name: "desk.enter", Action: "read", Handle: enter},
			{Pattern: "POST /desk/{patient}/leave", Name: "desk.leave", Action: "open", Handle: leave},
		},
	}
}
