package privacy

import (
	"embed"

	"github.com/wellgate/wellgate/care"
	"github.com/wellgate/wellgate/site"
)

//go:embed words/*.json
var files embed.FS

// Room is the manifest. Reading the list and taking the record are the base policy's permissions.
func Room() care.Room {
	return care.Room{
		Name:  "privacy",
		Files: files,
		Routes: []care.Route{
			{Pattern: "GET /looked", Name: "privacy.looked", Action: "looked", Handle: looked},
			{Pattern: "GET /looked/{index}/receipt", Name: "privacy.receipt", Action: "looked", Handle: receipt},
			{Pattern: "GET /take", Name: "privacy.take", Action: "read", Handle: take},
			{Pattern: "GET /take/record.json", Name: "privacy.take-json", Action: "export", StepUp: true, Handle: takeJSON},
			{Pattern: "GET /take/record.html", Name: "privacy.take-html", Action: "export", StepUp: true, Handle: takeHTML},
		},
		Nav: []site.NavItem{
			{Icon: "eye", Key: "privacy.looked", Href: "/looked", Gap: true},
			{Icon: "download", Key: "privacy.take", Href: "/take"},
		},
		Home: home,
	}
}
