package main

import (
	"io/fs"

	"github.com/wellgate/wellgate/care"
	"github.com/wellgate/wellgate/care/appointments"
	"github.com/wellgate/wellgate/care/desk"
	"github.com/wellgate/wellgate/care/privacy"
	"github.com/wellgate/wellgate/care/records"
	"github.com/wellgate/wellgate/care/results"
	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/policy"
)

// rooms is everything people can come here for, in the order of the navigation.
func rooms() []care.Room {
	return []care.Room{
		results.Room(),
		records.Room(),
		appointments.Room(),
		privacy.Room(),
		desk.Room(),
	}
}

// rules is the whole policy: the base and every room's text.
func rules(rooms []care.Room) (*policy.Set, error) {
	texts := map[string]string{}
	for _, r := range rooms {
		b, err := fs.ReadFile(r.Files, "policy.cedar")
		if err == nil {
			texts[r.Name] = string(b)
		}
	}
	return policy.New(texts)
}

// guards gathers the rooms' rules by resource type. Two rooms that claim one type are a mistake in this program.
func guards(rooms []care.Room) map[string]chart.Guard {
	out := map[string]chart.Guard{}
	for _, r := range rooms {
		for typ, g := range r.Guards {
			if out[typ] != nil {
				panic("two rooms own " + typ)
			}
			out[typ] = g
		}
	}
	return out
}
