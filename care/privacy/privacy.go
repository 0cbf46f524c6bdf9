package privacy

import (
	"cmp"
	"slices"
	"time"

	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/identity"
)

// A view says whose lines are shown.
type view string

const (
	practice view = "practice" // people of the practice and the systems it let in: what most want to know
	mine     view = "me"
	account  view = "account" // signing in and out, and what changed in the account
	all      view = "all"
)

func viewOf(s string) view {
	switch v := view(s); v {
	case mine, account, all:
		return v
	}
	return practice
}

func (v view) shows(l chart.Look) bool {
	switch v {
	case mine:
		return l.Self
	case account:
		return l.Action == "account"
	case practice:
		return !l.Self && (l.Kind == identity.Staff || l.Kind == identity.ServiceKind || l.Outcome == "refused")
	}
	return true
}

// A visitor is one person of the practice who looked, for the card on the home page.
type visitor struct {
	name string
	last time.Time
}

// visitors are the different people of the practice who saw something since a moment, newest first. A refused attempt saw nothing.
func visitors(looks []chart.Look, since time.Time) []visitor {
	var out []visitor
	for _, l := range looks {
		if l.Kind != identity.Staff || l.Outcome != "ok" || l.At.Before(since) || l.Action == "account" {
			continue
		}
		if !slices.ContainsFunc(out, func(v visitor) bool { return v.name == l.Who }) {
			out = append(out, visitor{l.Who, l.At})
		}
	}
	return out
}

// A count is a resource type and how many of it were touched.
type count struct {
	typ string
	n   int
}

// touched lists what a line touched, most first. The Patient resource itself goes with every page and is left out beside others.
func touched(l chart.Look) []count {
	var out []count
	for typ, n := range l.Types {
		if typ == "Patient" && len(l.Types) > 1 {
			continue
		}
		out = append(out, count{typ, n})
	}
	slices.SortFunc(out, func(a, b count) int { return cmp.Or(b.n-a.n, cmp.Compare(a.typ, b.typ)) })
	return out
}
