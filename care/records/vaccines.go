package records

import (
	"slices"
	"strconv"
	"strings"

	"github.com/wellgate/wellgate/fhir"
)

// A Vaccine is everything recorded about one vaccine.
type Vaccine struct {
	Label Label
	Given int
	Doses []Dose // newest first
}

// A Dose is one time it was given, or was not.
type Dose struct {
	At       fhir.DateTime
	AtText   string // when the date is words
	NotGiven bool
	Why      Label  // why not
	Number   string // "2", "2 of 3"
	Product  string // as reported, when the vaccine's own name is plain words
	Lot      string
	By       Party
	Reported bool // told to the practice, not given there
	Notes    []string
}

// Vaccines groups immunisations by vaccine, the most recent vaccine first.
func Vaccines(is []fhir.Immunization, find Lookup) []Vaccine {
	index := map[string]int{}
	var out []Vaccine
	for _, im := range is {
		if im.Status == "entered-in-error" {
			continue
		}
		l := LabelOf(im.VaccineCode)
		key := l.Plain
		if key == "" {
			key = sameKey(im.VaccineCode)
		}
		if key == "" {
			key = im.ID
		}
		i, ok := index[key]
		if !ok {
			i = len(out)
			index[key] = i
			out = append(out, Vaccine{Label: l})
		}
		d := doseOf(im, find)
		if l.Plain != "" {
			d.Product = l.Clinical
		}
		if !d.NotGiven {
			out[i].Given++
		}
		out[i].Doses = append(out[i].Doses, d)
	}
	for i := range out {
		slices.SortStableFunc(out[i].Doses, func(a, b Dose) int { return newest(a.At, b.At) })
	}
	slices.SortStableFunc(out, func(a, b Vaccine) int { return newest(a.Doses[0].At, b.Doses[0].At) })
	return out
}

func doseOf(im fhir.Immunization, find Lookup) Dose {
	d := Dose{At: im.OccurrenceDateTime, AtText: strings.TrimSpace(im.OccurrenceString), Lot: strings.TrimSpace(im.LotNumber),
		NotGiven: im.Status == "not-done", Notes: notes(im.Note), Reported: im.PrimarySource != nil && !*im.PrimarySource}
	if d.NotGiven {
		d.Why = LabelOf(im.StatusReason)
	}
	for _, p := range im.Performer {
		if w := who(p.Actor, find); w != (Party{}) {
			d.By = w
			break
		}
	}
	for _, p := range im.ProtocolApplied {
		n, of := number(p.DoseNumberPositiveInt, p.DoseNumberString), number(p.SeriesDosesPositiveInt, p.SeriesDosesString)
		if n != "" {
			d.Number = n
			if of != "" {
				d.Number += "/" + of
			}
			break
		}
	}
	return d
}

func number(n *int, s string) string {
	if n != nil {
		return strconv.Itoa(*n)
	}
	return strings.TrimSpace(s)
}
