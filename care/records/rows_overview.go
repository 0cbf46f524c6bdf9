package records

import (
	"slices"
	"strconv"

	"github.com/wellgate/wellgate/care"
	"github.com/wellgate/wellgate/site"
)

// section is one line of the overview: how many, and the newest.
func section(v *care.Visit, icon, key, path string, n int, newest string) site.Row {
	r := site.Row{Icon: icon, Title: v.Words.T(key), Href: v.Link(path), Detail: aligned(v.Words, newest)}
	if n > 0 {
		r.Meta = strconv.Itoa(n)
	} else if newest == "" {
		r.Tone, r.Detail = "mute", v.Words.T("records.none")
	}
	return r
}

// last names the newest entry and its date.
func last(w site.Words, l Label, when string) string { return join(w, label(w, l), when) }

func healthRows(v *care.Visit, s summary) []site.Row {
	w := v.Words
	now, active := taken(s.Medicines), ofSort(s.Problems, Active, Unclear)
	allergy := section(v, "triangle-alert", "records.allergies", "/allergies", len(s.Allergies.Of(AllergyNow)), "")
	switch s.Allergies.Known {
	case NoneKnown:
		allergy.Detail, allergy.Tone = labelList(w, s.Allergies.None), "good"
	case NothingRecorded:
		allergy.Detail, allergy.Tone = w.T("records.allergy.nothing"), "mute"
	default:
		allergy.Detail, allergy.Tone = aligned(w, w.Isolate(label(w, s.Allergies.Entries[0].Label))), "warn"
	}
	medicine := ""
	if len(now) > 0 {
		medicine = w.Isolate(medicineRow(v, now[0]).Title)
	} else if len(s.Medicines) > 0 {
		medicine = w.T("records.med.nonow")
	}
	problem := ""
	if len(active) > 0 {
		problem = w.Isolate(label(w, active[0].Label))
	} else if len(s.Problems) > 0 {
		problem = w.T("records.problem.nonow")
	}
	vaccine, vital := "", ""
	if len(s.Vaccines) > 0 {
		vaccine = last(w, s.Vaccines[0].Label, date(w, s.Vaccines[0].Doses[0].At))
	}
	if len(s.Vitals) > 0 {
		vital = w.T("records.newest", "what", label(w, s.Vitals[0].Label), "value", readingText(w, s.Vitals[0].Latest()))
	}
	return []site.Row{
		allergy,
		section(v, "activity", "records.conditions", "/conditions", len(active), problem),
		section(v, "pill", "records.nav.medicines", "/medicines", len(now), medicine),
		section(v, "shield-check", "records.vaccines", "/vaccines", len(s.Vaccines), vaccine),
		section(v, "heart-pulse", "records.vitals", "/vitals", len(s.Vitals), vital),
	}
}

func careRows(v *care.Visit, s summary) []site.Row {
	w := v.Words
	visit, doc, deed, plan, team := "", "", "", "", ""
	if x, ok := lastVisit(s.Visits); ok {
		visit = last(w, x.Label, date(w, x.From))
	}
	notes, note := s.notes(), ""
	if len(notes) > 0 {
		note = last(w, notes[0].Label, date(w, notes[0].At))
	}
	if len(s.Documents) > 0 {
		doc = last(w, s.Documents[0].Label, date(w, s.Documents[0].At))
	}
	if len(s.Deeds) > 0 {
		deed = last(w, s.Deeds[0].Label, dateOr(w, s.Deeds[0].At, s.Deeds[0].AtText))
	}
	if len(s.Plans) > 0 {
		plan = w.Isolate(planTitle(w, s.Plans[0]))
	}
	if len(s.Team) > 0 {
		team = w.Isolate(memberRow(v, s.Team[0]).Title)
	}
	timeline := section(v, "clock", "records.timeline", "/timeline", 0, w.T("records.timeline.lead"))
	return []site.Row{
		timeline,
		section(v, "stethoscope", "records.visits", "/visits", len(s.Visits), visit),
		section(v, "file-text", "records.notes", "/notes", len(notes), note),
		section(v, "file-text", "records.nav.documents", "/documents", len(s.Documents), doc),
		section(v, "activity", "records.procedures", "/procedures", len(s.Deeds), deed),
		section(v, "list-checks", "records.plan", "/plan", len(s.Plans)+len(s.Aims), plan),
		section(v, "users", "records.team", "/care-team", len(s.Team), team),
	}
}

// notes are the documents that a clinician wrote about a visit, newest first.
func (s summary) notes() []Document {
	return slices.DeleteFunc(slices.Clone(s.Documents), func(d Document) bool { return !d.Note })
}

func deskLinks(v *care.Visit, s summary) []site.Link {
	one := func(key, path string, n int) site.Link {
		return site.Link{Text: v.Words.T("records.counted", "what", v.Words.T(key), "n", strconv.Itoa(n)), Href: v.Link(path)}
	}
	return []site.Link{
		one("records.vaccines", "/vaccines", len(s.Vaccines)),
		one("records.notes", "/notes", len(s.notes())),
		one("records.nav.documents", "/documents", len(s.Documents)),
		one("records.procedures", "/procedures", len(s.Deeds)),
		one("records.plan", "/plan", len(s.Plans)+len(s.Aims)),
		one("records.team", "/care-team", len(s.Team)),
		{Text: v.Words.T("records.timeline"), Href: v.Link("/timeline")},
	}
}
