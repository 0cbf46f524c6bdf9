package records

import (
	"slices"
	"strings"

	"github.com/wellgate/wellgate/fhir"
)

// An Allergy is one allergy or intolerance.
type Allergy struct {
	Label     Label
	Sort      AllergySort
	Risk      string // high, low, unknown, "" = not recorded
	Kind      string // allergy, intolerance, ""
	Category  string // food, medication, environment, biologic, ""
	Doubt     string // word key, as for conditions
	Reactions []Reaction
	Since     fhir.DateTime
	Last      fhir.DateTime // last reaction
	Notes     []string
}

// AllergySort is which list it belongs to.
type AllergySort string

const (
	AllergyNow      AllergySort = "now"
	AllergyOver     AllergySort = "over"
	AllergyRuledOut AllergySort = "ruledout"
)

var allergyOrder = []AllergySort{AllergyNow, AllergyOver, AllergyRuledOut}

// A Reaction is what happened.
type Reaction struct {
	Signs    []Label
	Text     string
	Severity string // mild, moderate, severe, ""
}

// Known says what the record as a whole tells about allergies. Silence is not "none": the two must never look alike.
type Known string

const (
	NothingRecorded Known = "nothing" // nobody wrote anything down
	NoneKnown       Known = "none"    // somebody asked, and there are none
	SomeKnown       Known = "some"
)

// AllergyList is everything the record says about allergies.
type AllergyList struct {
	Known   Known
	None    []Label       // "no known food allergy": which absences were recorded
	NoneAt  fhir.DateTime // when the latest of them was
	Entries []Allergy
}

// noKnown are SNOMED CT's records of absence.
var noKnown = map[string]bool{"716186003": true, "409137002": true, "428607008": true, "429625007": true,
	"428197003": true}

// Allergies reads the list. A recorded absence counts only while no allergy stands against it.
func Allergies(as []fhir.AllergyIntolerance) AllergyList {
	out := AllergyList{Known: NothingRecorded}
	for _, a := range as {
		verification, status := statusOf(a.VerificationStatus), statusOf(a.ClinicalStatus)
		if verification == "entered-in-error" {
			continue
		}
		if noKnown[a.Code.Code(snomed)] {
			if verification != "refuted" && status != "inactive" && status != "resolved" {
				out.None = appendNew(out.None, LabelOf(a.Code))
				out.NoneAt = later(out.NoneAt, firstDate(a.RecordedDate, a.OnsetDateTime))
			}
			continue
		}
		out.Entries = append(out.Entries, allergy(a, verification, status))
	}
	slices.SortStableFunc(out.Entries, func(a, b Allergy) int {
		if d := slices.Index(allergyOrder, a.Sort) - slices.Index(allergyOrder, b.Sort); d != 0 {
			return d
		}
		if d := riskOrder(a) - riskOrder(b); d != 0 {
			return d
		}
		return newest(a.Since, b.Since)
	})
	switch {
	case len(out.Entries) > 0 && out.Entries[0].Sort == AllergyNow:
		out.Known, out.None, out.NoneAt = SomeKnown, nil, ""
	case len(out.None) > 0:
		out.Known = NoneKnown
	}
	return out
}

// Of is the entries of one sort.
func (l AllergyList) Of(s AllergySort) []Allergy {
	var out []Allergy
	for _, a := range l.Entries {
		if a.Sort == s {
			out = append(out, a)
		}
	}
	return out
}

func riskOrder(a Allergy) int {
	switch {
	case a.Risk == "high":
		return 0
	case slices.ContainsFunc(a.Reactions, func(r Reaction) bool { return r.Severity == "severe" }):
		return 1
	}
	return 2
}

func allergy(a fhir.AllergyIntolerance, verification, status string) Allergy {
	out := Allergy{Label: LabelOf(a.Code), Sort: AllergyNow, Notes: notes(a.Note), Last: a.LastOccurrence,
		Since: firstDate(a.OnsetDateTime, start(a.OnsetPeriod), a.RecordedDate)}
	switch {
	case verification == "refuted":
		out.Sort = AllergyRuledOut
	case status == "inactive" || status == "resolved":
		out.Sort = AllergyOver
	}
	switch verification {
	case "unconfirmed", "presumed":
		out.Doubt = "records.doubt." + verification
	}
	out.Risk = map[string]string{"high": "high", "low": "low", "unable-to-assess": "unknown"}[a.Criticality]
	out.Kind = map[string]string{"allergy": "allergy", "intolerance": "intolerance"}[a.Type]
	for _, c := range a.Category {
		if slices.Contains([]string{"food", "medication", "environment", "biologic"}, c) {
			out.Category = c
			break
		}
	}
	for _, r := range a.Reaction {
		x := Reaction{Signs: labels(r.Manifestation), Text: strings.TrimSpace(r.Description),
			Severity: map[string]string{"mild": "mild", "moderate": "moderate", "severe": "severe"}[r.Severity]}
		if len(x.Signs) > 0 || x.Text != "" || x.Severity != "" {
			out.Reactions = append(out.Reactions, x)
		}
		out.Last = later(out.Last, r.Onset)
		if !out.Label.Named() {
			out.Label = LabelOf(r.Substance)
		}
	}
	return out
}
