package results

import (
	"fmt"
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

// This file turns results into the parts of package site.

// narrowed: a search or filter is on.
func (l listView) narrowed() bool { return l.Filter.Only != "" || l.Filter.Words != "" }

// chips are the filters that would show something, and the one that is on.
func chips(v *care.Visit, l listView) []site.Chip {
	var out []site.Chip
	for _, f := range Filters {
		if f != "" && l.Counts[f] == 0 && f != l.Filter.Only {
			continue
		}
		key, href := "all", "/results"
		if f != "" {
			key, href = f, "/results?show="+url.QueryEscape(f)
		}
		c := site.Chip{Text: v.Words.T("results.filter." + key), Href: v.Link(href), Current: f == l.Filter.Only && l.Filter.Words == ""}
		if f == "new" || f == "flagged" {
			c.Count = l.Counts[f]
		}
		out = append(out, c)
	}
	return out
}

// turn links to the page by pages away.
func (l listView) turn(v *care.Visit, by int) site.Link {
	n := l.Page + by
	if n < 1 || n > l.Pages {
		return site.Link{}
	}
	q := url.Values{}
	if l.Filter.Only != "" {
		q.Set("show", l.Filter.Only)
	}
	if n > 1 {
		q.Set("page", strconv.Itoa(n))
	}
	href := "/results"
	if len(q) > 0 {
		href += "?" + q.Encode()
	}
	text := v.Words.T("results.older")
	if by < 0 {
		text = v.Words.T("results.newer")
	}
	return site.Link{Text: text, Href: v.Link(href)}
}

// shown is how many tests of a report the list shows; its page shows all.
const shown = 6

// split keeps a long report short: what needs a look stays, in the report's order, and the first of the rest.
func split(items []*Result, all bool) []*Result {
	if all || len(items) <= shown+1 {
		return items
	}
	calm := shown
	for _, r := range items {
		if urgent(r) {
			calm--
		}
	}
	return slices.DeleteFunc(slices.Clone(items), func(r *Result) bool {
		if urgent(r) {
			return false
		}
		calm--
		return calm < 0
	})
}

func urgent(r *Result) bool { return r.Commented() || r.Flagged() }

// A head is how a group stands in the list.
type head struct {
	box   site.Box
	rows  []*Result
	alone *Result   // a report without tests of its own
	fresh bool      // all rows are new: the head says so once
	all   site.Link // to the report itself
}

// headsOf gives every group a name of its own: two reports of one day may be called the same.
func headsOf(v *care.Visit, l listView) []head {
	heads := make([]head, len(l.Groups))
	times := map[string]int{}
	for i, g := range l.Groups {
		heads[i] = headOf(v, g, i, l.narrowed())
		t := &heads[i].box.Title
		if times[*t]++; times[*t] > 1 {
			*t += fmt.Sprintf(" (%d)", times[*t])
		}
	}
	return heads
}

func headOf(v *care.Visit, g Group, i int, all bool) head {
	w := v.Words
	h := head{box: site.Box{ID: fmt.Sprintf("g%d", i), Flush: true, Title: whenIn(w, g.When())}, rows: g.Items}
	if g.Report == nil {
		return h.news(w)
	}
	h.rows = split(g.Items, all)
	day := whenIn(w, g.When())
	h.box.Title = w.T("results.on", "test", nameIn(w, g.Report), "date", day)
	var sub []string
	if len(g.Items) == 0 {
		h.alone = g.Report
	} else {
		text := w.T("results.openReport")
		if len(h.rows) < len(g.Items) {
			text = w.N("results.all", len(g.Items))
		}
		h.all = site.Link{Text: text, Hidden: ": " + h.box.Title, Href: link(v, g.Report)}
	}
	flagged := 0
	for _, r := range g.Items {
		if r.Flagged() {
			flagged++
		}
	}
	if flagged > 0 {
		sub = append(sub, w.N("results.flaggedCount", flagged))
	}
	if g.Report.Commented() {
		sub = append(sub, w.T("results.hasComment"))
	}
	h.box.Sub = strings.Join(sub, " · ")
	return h.news(w)
}

// news moves the word "New" from the rows to the head where every row would say it.
func (h head) news(w site.Words) head {
	old := func(r *Result) bool { return !r.New }
	if h.fresh = len(h.rows) > 1 && !slices.ContainsFunc(h.rows, old); h.fresh {
		h.box.Sub = strings.TrimSuffix(w.T("site.new")+" · "+h.box.Sub, " · ")
	}
	return h
}

// resultRows puts the status's icon before the name and its word at the far end.
func resultRows(v *care.Visit, h head) []site.Row {
	out := make([]site.Row, len(h.rows))
	for i, r := range h.rows {
		tag := rowTag(v.Words, r)
		row := site.Row{Icon: tag.Icon, Tone: or(tag.Tone, "mute"), Title: nameIn(v.Words, r), Href: link(v, r), New: r.New && !h.fresh, Body: rowValue(v, r)}
		if row.Icon == "" {
			row.Icon = icon(r)
		}
		tag.Icon = ""
		row.Tag = tag
		out[i] = row
	}
	return out
}

func or(s, instead string) string {
	if s == "" {
		return instead
	}
	return s
}

// reportRow is a report without tests of its own: images, pathology, a report in words.
func reportRow(v *care.Visit, r *Result) site.Row {
	row := site.Row{Icon: icon(r), Title: v.Words.T("results.openReport"), Href: link(v, r), Tag: rowTag(v.Words, r), New: r.New}
	if r.State == Awaited {
		row.Title, row.New = v.Words.T("results.openAwaited"), false
	}
	if len(r.Conclusion) > 0 {
		row.Detail = shorten(r.Conclusion[0], 140)
	}
	if r.Commented() {
		row.Body = templ.NopComponent
		row.Detail = strings.TrimPrefix(row.Detail+" · "+v.Words.T("results.hasComment"), " · ")
	}
	return row
}

// shorten cuts at a word.
func shorten(s string, n int) string {
	r := []rune(strings.Join(strings.Fields(s), " "))
	if len(r) <= n {
		return string(r)
	}
	cut := string(r[:n])
	if i := strings.LastIndexByte(cut, ' '); i > n/2 {
		cut = cut[:i]
	}
	return strings.TrimRight(cut, " ,;.:") + "…"
}

// testTable lists the tests of a report with small bars.
func testTable(v *care.Visit, caption string, rs []*Result) site.Table {
	w := v.Words
	t := site.Table{Caption: caption, Cols: []site.Col{{Text: w.T("results.col.test")}, {Text: w.T("results.trend.result")}, {Text: w.T("results.col.range")}, {Text: w.T("results.col.status")}}}
	for _, r := range rs {
		name := site.Cell{Text: nameIn(w, r), Sub: whatIn(w, r)}
		if r.ID != "" {
			name.Href = link(v, r)
		}
		t.Rows = append(t.Rows, site.Line{New: r.New, Cells: []site.Cell{name, {Body: cellValue(valueIn(w, r))}, {Body: miniBar(w, r)}, {Tag: rowTag(w, r)}}})
	}
	return t
}

// partsOf makes rows of a result's components.
func partsOf(r *Result) []*Result {
	out := make([]*Result, len(r.Parts))
	for i := range r.Parts {
		out[i] = &r.Parts[i]
	}
	return out
}

// trendOf is the chart of a test over time; ok is false for fewer than two points to draw.
func trendOf(w site.Words, o *oneView) (site.Trend, bool) {
	var points []site.Point
	for _, p := range o.Trend {
		if t, ok := p.When().Time(zone(w)); p.OK && ok {
			points = append(points, site.Point{At: t, Value: p.Y, Text: numberIn(w, "", p.Value.Digits), Note: noteOf(w, p.Result)})
		}
	}
	if len(points) < 2 {
		return site.Trend{}, false
	}
	first, last := points[0], points[len(points)-1]
	t := site.Trend{ID: "trend", Title: w.T("results.trend.name", "test", nameIn(w, o.Result)), Unit: o.Value.Unit,
		Desc:   w.N("results.trend.desc", len(points), "first", first.Text, "firstDate", w.ShortDay(first.At), "last", last.Text, "lastDate", w.ShortDay(last.At)),
		Curves: []site.Curve{{Points: points}}}
	if o.Range != nil && o.Range.Text == "" {
		t.Low, t.High = o.Range.limits()
		t.Band = usualIn(w, o.Result)
		if w.Dir() == "rtl" {
			t.Band = "\u2067" + t.Band + "\u2069" // the chart itself runs left to right
		}
	}
	return t, true
}

func zone(w site.Words) *time.Location {
	if w.Zone == nil {
		return time.UTC
	}
	return w.Zone
}

// noteOf stands beside a value in the table of a trend.
func noteOf(w site.Words, r *Result) string {
	var said []string
	for _, s := range []string{statusIn(w, r), stateTag(w, r).Text} {
		if s != "" {
			said = append(said, s)
		}
	}
	return strings.Join(said, ", ")
}

// undrawn are the results of a trend that have no point: "<5".
func undrawn(o *oneView) []Point {
	return slices.DeleteFunc(slices.Clone(o.Trend), func(p Point) bool { return p.OK })
}

// nextSteps says what has happened and what the patient can do. It promises nothing that nobody has planned.
func nextSteps(v *care.Visit, o *oneView) []site.Step {
	w := v.Words
	var steps []site.Step
	here := site.Step{Title: w.T("results.next.here"), Done: true}
	if o.Issued.Precision() != fhir.Unknown {
		here.Detail = longDay(w, o.Issued)
	}
	steps = append(steps, here)
	for _, c := range slices.Concat(o.Comments, o.About) {
		if !c.Withdrawn {
			s := site.Step{Title: w.T("results.next.comment", "name", o.Authors[c.ID]), Done: true}
			if c.At.Precision() != fhir.Unknown {
				s.Detail = longDay(w, c.At)
			}
			return append(steps, s)
		}
	}
	return append(steps, site.Step{Title: w.T("results.next.open"), Detail: w.T("results.next.openText")})
}

// details are the facts for who wants them all.
func details(v *care.Visit, o *oneView) []site.Fact {
	w := v.Words
	var facts []site.Fact
	add := func(key, text string) {
		if text != "" {
			facts = append(facts, site.Fact{Term: w.T("results.detail." + key), Text: text})
		}
	}
	if o.Name.Reported != nameIn(w, o.Result) {
		add("name", o.Name.Reported)
	}
	if o.Taken.Precision() != fhir.Unknown {
		add("taken", momentIn(w, o.Taken))
	}
	if o.Issued.Precision() != fhir.Unknown {
		add("reported", momentIn(w, o.Issued))
	}
	add("by", strings.Join(o.From, ", "))
	for _, r := range o.Reports {
		facts = append(facts, site.Fact{Term: w.T("results.detail.report"), Body: textLink(link(v, r), nameIn(w, r))})
	}
	return facts
}

func siblingsKey(o *oneView) string {
	if o.IsReport() {
		return "results.members"
	}
	return "results.siblings"
}

func commentDay(w site.Words, c Comment) string {
	if c.At.Precision() == fhir.Unknown {
		return w.DayTime(c.Updated)
	}
	return momentIn(w, c.At)
}

// readingNote tells the writer how easily the text reads.
func readingNote(w site.Words, r Reading) site.Remark {
	note := site.Remark{Tone: "good", Icon: "book-open", Text: w.T("results.read.short")}
	if r.Longest >= 20 {
		note.Tone, note.Text = "warn", w.N("results.read.sentence", r.Longest)
	}
	switch {
	case r.Age > 11:
		note.Tone, note.Title = "warn", w.T("results.read.hard", "age", r.Age)
	case r.Age > 0:
		note.Title = w.T("results.read.easy", "age", r.Age)
	}
	return note
}

// dialled keeps a telephone number on one line, in its own order.
func dialled(w site.Words, number string) string {
	return w.LTR(strings.NewReplacer(" ", "\u00a0", "-", "\u2011").Replace(number))
}

func fileTitle(w site.Words, f fhir.Attachment, i int) string {
	if t := clean(f.Title); t != "" {
		return t
	}
	return w.T("results.file", "n", i+1)
}

// closedFiles names the files that this page cannot show.
func closedFiles(w site.Words, files []fhir.Attachment) []string {
	var names []string
	for i, f := range files {
		if readable(f) == "" {
			names = append(names, fileTitle(w, f, i))
		}
	}
	return names
}

// bare: a final report with nothing to read in it at all.
func (o *oneView) bare() bool {
	return o.IsReport() && o.State != Gone && o.State != Awaited && len(o.Conclusion)+len(o.Files)+len(o.Siblings)+len(o.Notes)+len(o.Parts) == 0 && o.Value.Form == Nothing
}

// usualToo: beside the person's target there is the range that is usual for everybody, and no other.
func (o *oneView) usualToo() bool {
	return o.Range != nil && o.Range.Goal && len(o.Others) == 1 && o.Others[0].Fits && !o.Others[0].Goal
}
