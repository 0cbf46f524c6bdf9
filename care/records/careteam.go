package records

import (
	"slices"

	"github.com/wellgate/wellgate/fhir"
)

// A Member is somebody who looks after the patient.
type Member struct {
	Name   string // "" = not named
	Roles  []Label
	Family bool // a relative or friend, not staff
	Place  bool // an organisation
	Usual  bool // the patient's own doctor or practice
}

// CareTeam lists who looks after the patient: the general practitioner, then the members of teams that stand.
// The patient is not a member of their own care team here, whatever the teams say.
func CareTeam(p fhir.Patient, teams []fhir.CareTeam, find Lookup) []Member {
	var out []Member
	index := map[string]int{}
	add := func(ref fhir.Reference, roles []Label, usual bool) {
		w := who(ref, find)
		if w.You || w.Name == "" && len(roles) == 0 {
			return
		}
		typ, _, _ := fhir.SplitRef(ref.Reference)
		key := w.Name
		if key == "" {
			key = ref.Reference
		}
		i, ok := index[key]
		if !ok {
			i = len(out)
			index[key] = i
			out = append(out, Member{Name: w.Name})
		}
		m := &out[i]
		m.Family = m.Family || typ == "RelatedPerson"
		m.Place = m.Place || typ == "Organization" || ref.Type == "Organization"
		m.Usual = m.Usual || usual
		for _, r := range roles {
			m.Roles = addLabel(m.Roles, r)
		}
	}
	for _, gp := range p.GeneralPractitioner {
		add(gp, nil, true)
	}
	for _, t := range teams {
		if t.Status != "active" && t.Status != "" {
			continue
		}
		for _, m := range t.Participant {
			if end(m.Period) == "" || end(t.Period) == "" && end(m.Period) == "" {
				add(m.Member, labels(m.Role), false)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Member) int { return rank(a) - rank(b) })
	return out
}

func rank(m Member) int {
	switch {
	case m.Usual:
		return 0
	case m.Family:
		return 2
	case m.Place:
		return 3
	}
	return 1
}
