package privacy

import (
	"time"

	"github.com/wellgate/wellgate/trust/chart"
)

// pause is how long somebody may be still before their next look counts as another sitting.
const pause = 30 * time.Minute

// A sitting is what one person read in one go, newest line first. It is shown as one row, so that a doctor who turned
// ten pages stands there once; each line keeps its own time and receipt.
type sitting []chart.Look

// sittings folds neighbouring lines of plain reading. What was changed, taken along, refused or done to the account
// always stands alone.
func sittings(page []chart.Look) []sitting {
	var out []sitting
	for _, l := range page {
		if n := len(out); n > 0 && goesOn(out[n-1], l) {
			out[n-1] = append(out[n-1], l)
			continue
		}
		out = append(out, sitting{l})
	}
	return out
}

// leaf is as much of the list as one page holds, in whole sittings where they are not too long; more says that it was cut.
func leaf(page []chart.Look) (shown []chart.Look, more bool) {
	rows := 0
	for i, l := range page {
		if i == 0 || !goesOn(page[:i], l) {
			rows++
		}
		if rows > perPage || i == lines {
			return page[:i], true
		}
	}
	return page, false
}

func goesOn(s sitting, l chart.Look) bool {
	last := s[len(s)-1]
	return plainly(last) && plainly(l) && last.Who == l.Who && last.Kind == l.Kind && last.Role == l.Role && last.Self == l.Self &&
		last.Purpose == l.Purpose && last.Reason == l.Reason && last.At.Sub(l.At) <= pause
}

func plainly(l chart.Look) bool { return l.Action == "read" && l.Outcome == "ok" }

// whole is a sitting as one line: of each kind of thing, the most that one page showed.
func (s sitting) whole() chart.Look {
	l := s[0]
	if len(s) == 1 {
		return l
	}
	l.Types = map[string]int{}
	for _, x := range s {
		for typ, n := range x.Types {
			l.Types[typ] = max(l.Types[typ], n)
		}
	}
	return l
}
