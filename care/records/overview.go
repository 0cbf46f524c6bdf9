package records

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/wellgate/wellgate/care"
	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/trust/chart"
)

// A summary is the record at a glance.
type summary struct {
	Allergies AllergyList
	Problems  []Problem
	Medicines []Medicine
	Vaccines  []Vaccine
	Vitals    []Vital
	Visits    []Visit
	Documents []Document
	Deeds     []Deed
	Plans     []Plan
	Aims      []Aim
	Team      []Member
	Results   []Event // reports, newest first
}

// overview is the record's first page, and on the desk the page that opening a record leads to.
func overview(v *care.Visit) error {
	title := v.Words.T("records.nav.record")
	if !treats(v.Who) {
		return v.Show(title, closedPage(v))
	}
	s, err := readSummary(v)
	if err != nil {
		return err
	}
	if desk(v) {
		return v.Show(title, deskPage(v, s))
	}
	return v.Show(title, overviewPage(v, s))
}

func readSummary(v *care.Visit) (s summary, err error) {
	find := finder(v)
	steps := []func() error{
		func() (err error) { s.Allergies, err = readAllergies(v); return },
		func() (err error) { s.Problems, err = readProblems(v); return },
		func() (err error) { s.Medicines, err = readMedicines(v, find); return },
		func() (err error) { s.Vaccines, err = readVaccines(v, find); return },
		func() (err error) { s.Vitals, err = readVitals(v, ""); return },
		func() (err error) { s.Visits, err = readVisits(v, find); return },
		func() (err error) { s.Documents, err = readDocuments(v, "", find); return },
		func() (err error) { s.Deeds, err = readDeeds(v, "", find); return },
		func() (err error) { s.Plans, s.Aims, err = readPlans(v, find); return },
		func() (err error) { s.Team, err = readTeam(v, find); return },
		func() (err error) { s.Results, err = resultsOf(v, "", find); return },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return summary{}, err
		}
	}
	return s, nil
}

// ofSort is the problems of one list.
func ofSort(ps []Problem, sorts ...ProblemSort) []Problem {
	return slices.DeleteFunc(slices.Clone(ps), func(p Problem) bool { return !slices.Contains(sorts, p.Sort) })
}

// taken are the medicines that are not past.
func taken(ms []Medicine) []Medicine {
	return slices.DeleteFunc(slices.Clone(ms), func(m Medicine) bool { return m.State == Past })
}

// lastVisit is the newest visit that took place.
func lastVisit(vs []Visit) (Visit, bool) {
	for _, x := range vs {
		if x.Status == "" || x.Status == "now" {
			return x, true
		}
	}
	return Visit{}, false
}

// newDocuments is how many documents the home page names one by one.
const newDocuments = 3

// home tells about documents that came since the person was last here.
func home(ctx context.Context, v *care.Visit) ([]care.Card, error) {
	if v.Chart == nil || v.Who.Since.IsZero() {
		return nil, nil
	}
	es, err := v.Chart.Search(ctx, "DocumentReference", "")
	if errors.Is(err, chart.ErrNotFound) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	find := finder(v)
	var cards []care.Card
	for _, e := range es {
		d, ok := DocumentOf(fhir.Into[fhir.DocumentReference](e.Resource), find)
		if !ok || !e.Updated.After(v.Who.Since) {
			continue
		}
		at := e.Updated
		cards = append(cards, care.Card{Section: care.New, Order: at, Icon: docIcon(d), Tone: "mute",
			Title: label(v.Words, d.Label), Detail: docDetail(v, d), Href: "/documents/" + d.ID, New: true})
	}
	slices.SortStableFunc(cards, func(a, b care.Card) int { return b.Order.Compare(a.Order) })
	if len(cards) > newDocuments {
		more := len(cards) - newDocuments
		cards = append(cards[:newDocuments:newDocuments], care.Card{Section: care.New, Order: cards[newDocuments].Order.Add(-time.Nanosecond),
			Icon: "file-text", Tone: "mute", Title: v.Words.N("records.home.more", more), Href: "/documents", New: true})
	}
	return cards, nil
}
