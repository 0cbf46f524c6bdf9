package records

import (
	"strconv"
	"strings"

	"github.com/wellgate/wellgate/care"
	"github.com/wellgate/wellgate/site"
)

// This file: how one entry of each list is drawn.

func medicineRow(v *care.Visit, m Medicine) site.Row {
	w := v.Words
	r := site.Row{Icon: "pill", Title: m.Name, Body: medicineBody(v, m)}
	if m.Name == "" {
		r.Title = w.T("records.unnamed")
	}
	if len(m.For) > 0 {
		r.Detail = aligned(w, w.T("records.med.for", "what", labelList(w, m.For)))
	}
	switch m.State {
	case Past:
		r.Tone = "mute"
	case Paused, Unsure, Suggested:
		r.Tone = "warn"
		r.Tag = site.Tag{Tone: "warn", Icon: "info", Text: w.T("records.med." + string(m.State))}
	}
	return r
}

// medicineFacts are the lines under a medicine.
func medicineFacts(w site.Words, m Medicine) string {
	var parts []string
	switch {
	case m.OwnReport:
		parts = append(parts, w.T("records.med.told"))
	case m.By.You:
		parts = append(parts, w.T("records.med.self"))
	case m.By.Name != "":
		parts = append(parts, w.T("records.med.by", "who", m.By.Name))
	}
	switch {
	case m.State != Past && m.Since != "":
		parts = append(parts, w.T("records.since", "date", date(w, m.Since)))
	case m.State == Past && m.Until != "":
		parts = append(parts, w.T("records.until", "date", date(w, m.Until)))
	case m.State == Past && m.Last != "" && m.OwnReport:
		parts = append(parts, date(w, m.Last))
	case m.State == Past && m.Last != "":
		parts = append(parts, w.T("records.med.last", "date", date(w, m.Last)))
	}
	if m.Times > 1 {
		parts = append(parts, w.N("records.med.times", m.Times))
	}
	return join(w, parts...)
}

func problemRow(v *care.Visit, p Problem) site.Row {
	w := v.Words
	r := site.Row{Icon: "activity", Title: label(w, p.Label), Body: problemBody(w, p)}
	switch p.Sort {
	case Over, RuledOut:
		r.Icon, r.Tone = "circle-check", "mute"
	case Life:
		r.Icon, r.Tone = "house", "mute"
	}
	if p.Doubt != "" {
		r.Tag = site.Tag{Tone: "info", Icon: "info", Text: w.T(p.Doubt)}
	}
	return r
}

func problemFacts(w site.Words, p Problem) string {
	var parts []string
	if p.Severity != "" {
		parts = append(parts, p.Severity)
	}
	if len(p.Sites) > 0 {
		parts = append(parts, w.List(p.Sites...))
	}
	switch {
	case p.Sort == Over && p.Times > 1:
		parts = append(parts, w.N("records.problem.times", p.Times, "date", date(w, p.Since)))
	case p.Sort == Over && p.Since != "" && p.Until != "" && date(w, p.Since) != date(w, p.Until):
		parts = append(parts, w.T("records.fromTo", "from", date(w, p.Since), "to", date(w, p.Until)))
	case p.Since != "" || p.SinceAge != "":
		if p.Sort == Over || p.Sort == RuledOut {
			parts = append(parts, dateOr(w, p.Since, p.SinceAge))
		} else {
			parts = append(parts, w.T("records.since", "date", dateOr(w, p.Since, p.SinceAge)))
		}
	default:
		parts = append(parts, w.T("records.undated"))
	}
	return join(w, parts...)
}

func allergyRow(v *care.Visit, a Allergy) site.Row {
	w := v.Words
	r := site.Row{Icon: "triangle-alert", Tone: "warn", Title: label(w, a.Label), Body: allergyBody(w, a)}
	switch {
	case a.Sort != AllergyNow:
		r.Icon, r.Tone = "circle-check", "mute"
	case a.Risk == "high":
		r.Tone = "bad"
		r.Tag = site.Tag{Tone: "bad", Icon: "triangle-alert", Text: w.T("records.risk.high")}
	case a.Risk != "":
		r.Tag = site.Tag{Text: w.T("records.risk." + a.Risk)}
	}
	if a.Doubt != "" {
		r.Tag = site.Tag{Tone: "info", Icon: "info", Text: w.T(a.Doubt)}
	}
	return r
}

func reactionText(w site.Words, r Reaction) string {
	var parts []string
	if len(r.Signs) > 0 {
		parts = append(parts, labelList(w, r.Signs))
	}
	if r.Text != "" {
		parts = append(parts, w.Isolate(r.Text))
	}
	s := strings.Join(parts, ". ")
	if s == "" {
		s = w.T("records.allergy.someReaction")
	}
	if r.Severity != "" {
		s = w.T("records.severity."+r.Severity, "what", s)
	}
	return s
}

func allergyFacts(w site.Words, a Allergy) string {
	var parts []string
	if a.Category != "" {
		parts = append(parts, w.T("records.allergy."+a.Category))
	}
	if a.Kind == "intolerance" {
		parts = append(parts, w.T("records.allergy.intolerance"))
	}
	if a.Last != "" {
		parts = append(parts, w.T("records.allergy.last", "date", date(w, a.Last)))
	} else if a.Since != "" {
		parts = append(parts, w.T("records.since", "date", date(w, a.Since)))
	}
	return join(w, parts...)
}

func vaccineRow(v *care.Visit, x Vaccine) site.Row {
	w := v.Words
	r := site.Row{Icon: "shield-check", Tone: "good", Title: label(w, x.Label), Body: vaccineBody(v, x)}
	if x.Given > 0 {
		r.Detail = w.N("records.vax.doses", x.Given)
	} else {
		r.Icon, r.Tone, r.Detail = "info", "mute", w.T("records.vax.none")
	}
	return r
}

func doseText(w site.Words, d Dose) string {
	parts := []string{dateOr(w, d.At, d.AtText)}
	if d.NotGiven {
		s := w.T("records.vax.not")
		if d.Why.Named() {
			s = w.T("records.vax.notWhy", "why", label(w, d.Why))
		}
		parts = append(parts, s)
	}
	if d.Number != "" {
		parts = append(parts, w.T("records.vax.number", "n", d.Number))
	}
	return join(w, parts...)
}

// doseFacts is what few people look for: the product, its batch, who gave it.
func doseFacts(w site.Words, x Vaccine, d Dose) string {
	var parts []string
	if name := label(w, x.Label); d.Product != "" && !strings.Contains(strings.ToLower(d.Product), strings.ToLower(name)) {
		parts = append(parts, d.Product)
	}
	if d.Lot != "" {
		parts = append(parts, w.T("records.vax.lot", "lot", d.Lot))
	}
	if d.By.Name != "" {
		parts = append(parts, d.By.Name)
	}
	if d.Reported {
		parts = append(parts, w.T("records.vax.reported"))
	}
	return join(w, parts...)
}

func vitalRow(v *care.Visit, x Vital) site.Row {
	w, last := v.Words, x.Latest()
	r := site.Row{Icon: vitalIcon(x), Tone: "info", Title: label(w, x.Label), Href: v.Link("/vitals/" + x.Code),
		Detail: w.T("records.vital.measured", "date", date(w, last.At)), Action: vitalAction(v, x)}
	if n := len(x.Readings); n > 1 {
		r.Detail += " · " + w.N("records.vital.count", n)
	}
	return r
}

func vitalIcon(x Vital) string {
	if x.Pair || x.Code == "8867-4" {
		return "heart-pulse"
	}
	return "activity"
}

func visitRow(v *care.Visit, x Visit) site.Row {
	w := v.Words
	r := site.Row{Icon: "stethoscope", Title: label(w, x.Label), Href: v.Link("/visits/" + x.ID)}
	parts := []string{date(w, x.From)}
	if len(x.With) > 0 {
		parts = append(parts, parties(w, x.With))
	} else if x.Where.Name != "" {
		parts = append(parts, x.Where.Name)
	}
	r.Detail = join(w, parts...)
	if len(x.Why) > 0 {
		r.Body = facts(w.T("records.because", "why", labelList(w, x.Why[:min(len(x.Why), 2)])))
	}
	switch x.Class {
	case "records.class.emergency":
		r.Tone = "warn"
	case "records.class.hospital":
		r.Icon, r.Tone = "heart-pulse", "info"
	case "records.class.remote":
		r.Icon = "phone"
	}
	if x.Status != "" {
		r.Tag = site.Tag{Text: w.T("records.visit." + x.Status)}
	}
	return r
}

func documentRow(v *care.Visit, d Document) site.Row {
	w := v.Words
	r := site.Row{Icon: docIcon(d), Tone: "mute", Title: label(w, d.Label), Href: v.Link("/documents/" + d.ID)}
	r.Detail = join(w, append([]string{date(w, d.At)}, docParts(v, d)...)...)
	if d.Status != "" {
		r.Tag = site.Tag{Text: w.T("records.doc." + d.Status)}
	}
	return r
}

func deedRow(v *care.Visit, d Deed) site.Row {
	w := v.Words
	r := site.Row{Icon: "activity", Tone: "mute", Title: label(w, d.Label), Body: deedBody(w, d)}
	parts := []string{dateOr(w, d.At, d.AtText)}
	if len(d.By) > 0 {
		parts = append(parts, parties(w, d.By))
	} else if d.Where.Name != "" {
		parts = append(parts, d.Where.Name)
	}
	r.Detail = join(w, parts...)
	if d.Visit != "" {
		r.Href = v.Link("/visits/" + d.Visit)
	}
	if d.Status != "" {
		r.Tag = site.Tag{Tone: "info", Text: w.T("records.deed." + d.Status)}
	}
	return r
}

func deedFacts(w site.Words, d Deed) string {
	var parts []string
	if len(d.Why) > 0 {
		parts = append(parts, w.T("records.because", "why", labelList(w, d.Why)))
	}
	if c := clinical(w, d.Label); c != "" {
		parts = append(parts, c)
	}
	if len(d.Sites) > 0 {
		parts = append(parts, w.List(d.Sites...))
	}
	if d.Outcome != "" {
		parts = append(parts, d.Outcome)
	}
	return join(w, parts...)
}

func memberRow(v *care.Visit, m Member) site.Row {
	w := v.Words
	r := site.Row{Initials: site.Initials(m.Name), Title: m.Name, Detail: aligned(w, labelList(w, m.Roles))}
	switch {
	case m.Name == "":
		r.Title, r.Icon, r.Tone = w.T("records.unnamed"), "users", "mute"
	case m.Place || r.Initials == "":
		r.Initials, r.Icon, r.Tone = "", "users", "mute"
	}
	switch {
	case m.Usual:
		r.Tag = site.Tag{Tone: "brand", Icon: "star", Text: w.T("records.team.usual")}
	case m.Family:
		r.Tag = site.Tag{Text: w.T("records.team.family")}
	}
	return r
}

var eventIcons = map[string][2]string{"visit": {"stethoscope", ""}, "result": {"flask-conical", "info"}, "medicine": {"pill", ""},
	"condition": {"activity", "warn"}, "allergy": {"triangle-alert", "warn"}, "vaccine": {"shield-check", "good"},
	"procedure": {"activity", "mute"}, "document": {"file-text", "mute"}, "plan": {"list-checks", "info"}}

func eventRow(v *care.Visit, e Event) site.Event {
	w := v.Words
	x := site.Event{Icon: eventIcons[e.Kind][0], Tone: eventIcons[e.Kind][1], Title: label(w, e.Label),
		When: w.T("records.kind."+e.Kind) + " · " + dateOr(w, e.At, e.AtText), Href: v.Link(e.Path)}
	if e.With != (Party{}) {
		x.Detail = aligned(w, w.Isolate(party(w, e.With)))
	}
	if e.Tag != "" {
		x.Tag = site.Tag{Text: w.T(e.Tag)}
	}
	return x
}

func rows[T any](v *care.Visit, list []T, row func(*care.Visit, T) site.Row) []site.Row {
	out := make([]site.Row, len(list))
	for i, x := range list {
		out[i] = row(v, x)
	}
	return out
}

// spark is the path of a small line for the last readings; "" when there are fewer than two to join.
func spark(x Vital) string {
	const most, width, height = 12, 72.0, 24.0
	unit, points := x.Latest().Unit, []float64{}
	for _, r := range x.Readings {
		if f, ok := r.Value.Float64(); ok && r.Unit == unit && len(points) < most {
			points = append(points, f)
		}
	}
	if len(points) < 2 {
		return ""
	}
	low, high := points[0], points[0]
	for _, p := range points {
		low, high = min(low, p), max(high, p)
	}
	var b strings.Builder
	for i := range points {
		y := height / 2
		if high > low {
			y = 3 + (height-6)*(high-points[len(points)-1-i])/(high-low)
		}
		b.WriteString(map[bool]string{true: "M", false: "L"}[i == 0])
		b.WriteString(strconv.FormatFloat(2+(width-4)*float64(i)/float64(len(points)-1), 'f', 1, 64) + " " +
			strconv.FormatFloat(y, 'f', 1, 64))
	}
	return b.String()
}
