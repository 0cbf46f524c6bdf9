package web

import (
	"github.com/wellgate/wellgate/care"
	"github.com/wellgate/wellgate/site"
)

// rows draws the rooms' cards as list rows; to-dos get their button.
func rows(v *care.Visit, cards []care.Card, todo bool) []site.Row {
	out := make([]site.Row, len(cards))
	for i, c := range cards {
		out[i] = site.Row{Icon: c.Icon, Tone: c.Tone, Title: c.Title, Detail: c.Detail, New: c.New}
		switch {
		case todo && c.Action != "" && c.Href != "":
			out[i].Action = action(v, c)
		case c.Href != "":
			out[i].Href = v.Link(c.Href)
		}
		if !todo && !c.New && !c.Order.IsZero() {
			out[i].Meta = v.Words.ShortDay(c.Order)
		}
	}
	return out
}

// tiles are the few ways most people go next.
func tiles(v *care.Visit) []site.Tile {
	return []site.Tile{
		{Icon: "flask-conical", Text: v.Words.T("web.tile.results"), Href: v.Link("/results")},
		{Icon: "pill", Text: v.Words.T("web.tile.medicines"), Href: v.Link("/medicines")},
		{Icon: "calendar", Text: v.Words.T("web.tile.appointments"), Href: v.Link("/appointments")},
		{Icon: "eye", Text: v.Words.T("web.tile.looked"), Href: v.Link("/looked")},
	}
}
