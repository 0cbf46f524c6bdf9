package records

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/wellgate/wellgate/care"
	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/site"
)

// This file: what single pages put together from the view models.

func partID(n int) string { return strconv.Itoa(n) }

func noneAt(w site.Words, l AllergyList) string {
	if l.NoneAt == "" {
		return ""
	}
	return w.T("records.allergy.asked", "date", date(w, l.NoneAt))
}

// figure is the latest value on its own; the unit stands beside it.
func figure(w site.Words, r Reading) string {
	return value(w, r.Text, "")
}

// vitalLead is the clinical name where it tells more than the plain words: not "Body weight" under "Weight".
func vitalLead(w site.Words, l Label) string {
	c := clinical(w, l)
	if strings.Contains(strings.ToLower(c), strings.ToLower(w.T(l.Plain))) {
		return ""
	}
	return c
}

// drawable says whether a reading is a point of the chart: a number, a date, and the unit of the latest.
func drawable(x Vital, r Reading) bool {
	_, ok := r.Value.Float64()
	_, dated := r.At.Time(time.UTC)
	return ok && dated && r.Unit == x.Latest().Unit
}

// trend is the chart of one page of readings; false when there are fewer than two to draw.
func trend(v *care.Visit, x Vital, part []Reading) (site.Trend, bool) {
	w := v.Words
	first, second := site.Curve{}, site.Curve{}
	if x.Pair {
		first.Name, second.Name = w.T("records.vital.upper"), w.T("records.vital.lower")
	}
	for _, r := range part {
		if !drawable(x, r) {
			continue
		}
		at, _ := r.At.Time(zone(w))
		f, _ := r.Value.Float64()
		text := value(w, r.Text, "")
		if x.Pair {
			text = value(w, tidy(r.Value), "")
		}
		first.Points = append(first.Points, site.Point{At: at, Value: f, Text: text, Note: readingNote(w, r)})
		if g, ok := r.Second.Float64(); ok && x.Pair {
			second.Points = append(second.Points, site.Point{At: at, Value: g, Text: value(w, tidy(r.Second), "")})
		}
	}
	if len(first.Points) < 2 {
		return site.Trend{}, false
	}
	t := site.Trend{ID: "vital", Title: label(w, x.Label), Unit: x.Latest().Unit, Curves: []site.Curve{first},
		Desc: trendText(w, first)}
	if len(second.Points) > 0 {
		t.Curves = append(t.Curves, second)
	}
	return t, true
}

// trendText says in words what the picture shows: how many, from what to what.
func trendText(w site.Words, c site.Curve) string {
	newest, oldest := c.Points[0], c.Points[len(c.Points)-1]
	return w.N("records.vital.desc", len(c.Points), "from", oldest.Text, "fromDate", w.ShortDay(oldest.At),
		"to", newest.Text, "toDate", w.ShortDay(newest.At))
}

// undrawn are the readings of a page that its chart, with the table behind it, does not hold.
func undrawn(x Vital, part []Reading) []Reading {
	drawn := count(part, func(r Reading) bool { return drawable(x, r) })
	if drawn < 2 {
		return part
	}
	return slices.DeleteFunc(slices.Clone(part), func(r Reading) bool { return drawable(x, r) })
}

func readingTable(v *care.Visit, rs []Reading) site.Table {
	w := v.Words
	t := site.Table{Caption: w.T("records.vital.list"), Cols: []site.Col{{Text: w.T("records.when")}, {Text: w.T("records.vital.value"), Num: true},
		{Text: w.T("records.vital.note")}}}
	for _, r := range rs {
		t.Rows = append(t.Rows, site.Line{Cells: []site.Cell{{Text: timed(w, r.At)}, {Text: readingText(w, r)}, {Text: readingNote(w, r)}}})
	}
	return t
}

func readingNote(w site.Words, r Reading) string {
	var parts []string
	if r.Own {
		parts = append(parts, w.T("records.vital.own"))
	}
	if r.Early {
		parts = append(parts, w.T("records.vital.early"))
	}
	if r.Changed {
		parts = append(parts, w.T("records.vital.changed"))
	}
	return strings.Join(append(parts, r.Notes...), ". ")
}

func vitalFacts(v *care.Visit, vs []Vital) []site.Fact {
	var out []site.Fact
	for i, x := range vs {
		if i == 6 {
			break
		}
		out = append(out, site.Fact{Term: label(v.Words, x.Label), Text: readingText(v.Words, x.Latest()) + " · " + date(v.Words, x.Latest().At)})
	}
	return out
}

func visitLead(w site.Words, x Visit) string {
	parts := []string{date(w, x.From)}
	if len(x.With) > 0 {
		parts = append(parts, parties(w, x.With))
	}
	if x.Where.Name != "" {
		parts = append(parts, x.Where.Name)
	}
	return join(w, parts...)
}

func visitFacts(w site.Words, x Visit) []site.Fact {
	out := []site.Fact{{Term: w.T("records.when"), Text: span2(w, x.From, x.To)}}
	add := func(key, text string) {
		if text != "" {
			out = append(out, site.Fact{Term: w.T(key), Text: text})
		}
	}
	if x.Class != x.Label.Plain {
		add("records.visit.kind", w.T(x.Class))
	}
	if x.Status != "" {
		add("records.visit.status", w.T("records.visit."+x.Status))
	}
	add("records.visit.with", parties(w, x.With))
	add("records.visit.where", x.Where.Name)
	add("records.visit.why", labelList(w, x.Why))
	add("records.visit.found", labelList(w, x.Found))
	add("records.clinical", clinical(w, x.Label))
	return out
}

// span2 tells from when to when: one day with its times, or two days.
func span2(w site.Words, from, to fhir.DateTime) string {
	a, okA := from.Time(zone(w))
	b, okB := to.Time(zone(w))
	if !okA || !okB || from == to {
		return timed(w, from)
	}
	if w.ShortDay(a) != w.ShortDay(b) {
		return w.T("records.fromTo", "from", date(w, from), "to", date(w, to))
	}
	if from.Precision() < fhir.Minute || to.Precision() < fhir.Minute {
		return date(w, from)
	}
	return w.T("records.dayFromTo", "day", w.Day(a), "from", w.Time(a), "to", w.Time(b))
}

func resultRow(v *care.Visit, e Event) site.Row {
	return site.Row{Icon: "flask-conical", Tone: "info", Title: label(v.Words, e.Label), Href: v.Link(e.Path), Meta: date(v.Words, e.At)}
}

// deedHere is a procedure on the page of its own visit: no link back to it.
func deedHere(v *care.Visit, d Deed) site.Row {
	r := deedRow(v, d)
	r.Href = ""
	return r
}

// noteText is a short note that stands in the document itself.
func noteText(d Document) string {
	if len(d.Files) == 1 && d.Files[0].Place == Inside && len(d.Files[0].Data) <= 16<<10 && IsText(d.Files[0].Type, d.Files[0].Data) {
		return Decode(d.Files[0].Data, d.Files[0].Type)
	}
	return ""
}

func keepKind(kind string) string {
	if kind == "" {
		return ""
	}
	return "kind=" + url.QueryEscape(kind)
}

func kindChips(v *care.Visit, kinds []Kind, kind string) []site.Chip {
	const most = 8 // more choices than that are no help
	out := []site.Chip{{Text: v.Words.T("records.all"), Href: v.Link("/documents"), Current: kind == ""}}
	for i, k := range kinds {
		if i >= most && k.Key != kind {
			continue
		}
		out = append(out, site.Chip{Text: label(v.Words, k.Label), Count: k.Count, Href: v.Link("/documents?" + keepKind(k.Key)), Current: k.Key == kind})
	}
	return out
}

func eventChips(v *care.Visit, kind string) []site.Chip {
	out := []site.Chip{{Text: v.Words.T("records.all"), Href: v.Link("/timeline"), Current: kind == ""}}
	for _, k := range EventKinds {
		out = append(out, site.Chip{Text: v.Words.T("records.kinds." + k), Icon: eventIcons[k][0],
			Href: v.Link("/timeline?" + keepKind(k)), Current: k == kind})
	}
	return out
}

func eventMonths(v *care.Visit, es []Event) []site.Month {
	var out []site.Month
	for _, g := range split(es, func(e Event) string { return month(v.Words, e.At) }) {
		m := site.Month{Title: g.Key}
		for _, e := range g.List {
			m.Events = append(m.Events, eventRow(v, e))
		}
		out = append(out, m)
	}
	return out
}

func documentFacts(v *care.Visit, d Document) []site.Fact {
	w := v.Words
	out := []site.Fact{{Term: w.T("records.when"), Text: date(w, d.At)}}
	if len(d.By) > 0 {
		out = append(out, site.Fact{Term: w.T("records.doc.by"), Text: parties(w, d.By)})
	}
	if d.From.Name != "" {
		out = append(out, site.Fact{Term: w.T("records.doc.from"), Text: d.From.Name})
	}
	if c := clinical(w, d.Label); c != "" && c != d.Title {
		out = append(out, site.Fact{Term: w.T("records.clinical"), Text: c})
	}
	for _, id := range d.Visits {
		out = append(out, site.Fact{Term: w.T("records.doc.visit"), Body: anchor(v.Link("/visits/"+id), w.T("records.doc.toVisit"))})
	}
	return out
}

func fileTitle(w site.Words, f shownFile, of int) string {
	key := "records.file.other"
	switch {
	case f.Text != "":
		key = "records.file.text"
	case f.Release.Inline:
		key = "records.file.image"
	case f.Release.Ext == "pdf":
		key = "records.file.pdf"
	}
	if of > 1 {
		return w.T("records.file.part", "n", partID(f.Part+1), "what", w.T(key))
	}
	return w.T(key)
}

// fileButton: saving is the main act unless the file can be read right here.
func fileButton(f shownFile) string {
	if f.Text != "" || f.Release.Inline {
		return "quiet"
	}
	return ""
}

func filePath(id string, part int, show bool) string {
	q := "?part=" + strconv.Itoa(part)
	if show {
		q += "&show=1"
	}
	return "/documents/" + id + "/file" + q
}

func planTitle(w site.Words, x Plan) string {
	if !x.Label.Named() {
		return w.T("records.plan.one")
	}
	return label(w, x.Label)
}

func planTone(x Plan) string {
	if x.Status == "now" {
		return ""
	}
	return "mute"
}

func planTags(w site.Words, x Plan) []site.Tag {
	tone := map[string]string{"now": "brand", "done": "good", "paused": "warn"}[x.Status]
	tags := []site.Tag{{Tone: tone, Text: w.T("records.plan." + x.Status)}}
	if x.Dental {
		tags = append(tags, site.Tag{Tone: "info", Text: w.T("records.plan.dental")})
	}
	return tags
}

func planFacts(w site.Words, x Plan) string {
	var parts []string
	if len(x.About) > 0 {
		parts = append(parts, w.T("records.med.for", "what", labelList(w, x.About)))
	}
	switch {
	case x.From != "" && x.To != "":
		parts = append(parts, w.T("records.fromTo", "from", date(w, x.From), "to", date(w, x.To)))
	case x.From != "":
		parts = append(parts, w.T("records.since", "date", date(w, x.From)))
	}
	if x.By.Name != "" {
		parts = append(parts, x.By.Name)
	}
	return join(w, parts...)
}

func planSteps(w site.Words, x Plan) []site.Step {
	var out []site.Step
	for _, s := range x.Steps {
		title := label(w, s.Label)
		if !s.Label.Named() && s.Text != "" {
			title, s.Text = s.Text, ""
		}
		if s.Not {
			title = w.T("records.step.not", "what", title)
		}
		parts := []string{w.T("records.step." + s.Status)}
		if len(s.Sites) > 0 {
			parts = append(parts, w.List(s.Sites...))
		}
		if s.When != "" {
			parts = append(parts, date(w, s.When))
		}
		if s.Text != "" {
			parts = append(parts, s.Text)
		}
		out = append(out, site.Step{Title: title, Detail: join(w, parts...), Done: s.Status == "done"})
	}
	return out
}

func aimText(w site.Words, a Aim) string {
	parts := []string{w.T("records.aimstate." + a.Status)}
	if a.Doing != "" {
		parts[0] = w.T(a.Doing)
	}
	for _, t := range a.Targets {
		var s []string
		if t.What.Named() {
			s = append(s, label(w, t.What))
		}
		if t.Text != "" {
			s = append(s, w.LTR(t.Text))
		}
		if t.Due != "" {
			s = append(s, w.T("records.aim.due", "date", date(w, t.Due)))
		}
		parts = append(parts, strings.Join(s, " "))
	}
	return join(w, parts...)
}

func more(v *care.Visit, key, path string) site.Link {
	return site.Link{Text: v.Words.T("records.all"), Hidden: " " + v.Words.T(key), Href: v.Link(path)}
}

func anchor(href templ.SafeURL, text string) templ.Component { return link(href, text) }
