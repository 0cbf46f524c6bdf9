package results

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/wellgate/wellgate/care"
	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/site"
	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/identity"
)

// pageRows is how many tests stand on one page of the list.
const pageRows = 50

// maxWords bounds a search: more than this is no name of a test.
const maxWords = 100

// A listView is the list as asked for.
type listView struct {
	Filter Filter
	Groups []Group // of this page
	Found  int     // results on all pages, when a search or filter is on
	Page   int     // from 1
	Pages  int
	Total  int            // results in the record
	Counts map[string]int // by filter
}

// show is the filter named in a request, or all.
func show(name string) string {
	if slices.Contains(Filters, name) {
		return name
	}
	return ""
}

func list(v *care.Visit) error {
	q := v.URL.Query()
	return listWith(v, Filter{Only: show(q.Get("show"))}, q.Get("page"))
}

func find(v *care.Visit) error {
	words := strings.ToValidUTF8(strings.TrimSpace(v.PostFormValue("q")), "")
	if r := []rune(words); len(r) > maxWords {
		words = string(r[:maxWords])
	}
	return listWith(v, Filter{Only: show(v.PostFormValue("show")), Words: words}, v.PostFormValue("page"))
}

func listWith(v *care.Visit, f Filter, page string) error {
	b, err := readAll(v)
	if err != nil {
		return err
	}
	n, _ := strconv.Atoi(page)
	return v.Show(v.Words.T("results.title"), listPage(v, arrange(v.Words, b, f, n)))
}

// arrange picks, counts and pages. A page beyond the last is the last.
func arrange(w site.Words, b *Book, f Filter, page int) listView {
	names := wordsOf(w)
	l := listView{Filter: f, Total: len(b.All()), Counts: map[string]int{}}
	for _, only := range Filters {
		for _, g := range b.Pick(Filter{Only: only}, names) {
			l.Counts[only] += max(1, len(g.Items))
		}
	}
	groups := b.Pick(f, names)
	for _, g := range groups {
		l.Found += max(1, len(g.Items))
	}
	pages := Pages(groups, pageRows)
	l.Pages = len(pages)
	l.Page = min(max(page, 1), max(l.Pages, 1))
	if l.Pages > 0 {
		l.Groups = pages[l.Page-1]
	}
	return l
}

// A oneView is one result with all that explains it.
type oneView struct {
	*Result
	Trend    []Point
	Previous *Point
	Reports  []*Result // it belongs to
	Siblings []*Result
	About    []Comment // comments on the whole report
	Authors  map[string]string
	From     []string

	// staff
	Text    string // a comment being written
	Error   string
	Reading *Reading
	Done    string
}

// one shows a test. Links of other rooms name a report by its id alone; where no test has that id, the report is shown.
func one(v *care.Visit) error {
	o, err := load(v, "Observation", v.PathValue("id"))
	if errors.Is(err, chart.ErrNotFound) {
		o, err = load(v, "DiagnosticReport", v.PathValue("id"))
	}
	if err != nil {
		return err
	}
	return o.show(v, 200)
}

func report(v *care.Visit) error {
	o, err := load(v, "DiagnosticReport", v.PathValue("id"))
	if err != nil {
		return err
	}
	return o.show(v, 200)
}

func (o *oneView) show(v *care.Visit, status int) error {
	v.Page.Errors = o.Error != ""
	return v.ShowStatus(status, v.Words.T("results.one"), onePage(v, o))
}

func load(v *care.Visit, typ, id string) (*oneView, error) {
	b, r, err := readOne(v, typ, id)
	if err != nil {
		return nil, err
	}
	o := view(b, r)
	for _, c := range slices.Concat(r.Comments, o.About) {
		o.Authors[c.ID] = author(v, c)
	}
	o.From = performers(v, r)
	if v.Who.Kind == identity.Staff {
		o.Done = v.URL.Query().Get("done")
	}
	return o, nil
}

// view gathers what a page shows beside r.
func view(b *Book, r *Result) *oneView {
	o := &oneView{Result: r, Trend: b.Trend(r), Authors: map[string]string{}}
	o.Previous = Previous(o.Trend, r)
	for _, h := range b.holders(r) {
		o.Reports = append(o.Reports, h)
		o.About = append(o.About, h.Comments...)
		for _, m := range h.Members {
			if m != r && !slices.Contains(o.Siblings, m) {
				o.Siblings = append(o.Siblings, m)
			}
		}
	}
	if r.IsReport() {
		o.Siblings = r.Members
	}
	return o
}

// path is where a result is shown, inside the record.
func path(r *Result) string {
	if r.Type == "DiagnosticReport" {
		return "/results/report/" + r.ID
	}
	return "/results/" + r.ID
}

func link(v *care.Visit, r *Result) templ.SafeURL { return v.Link(path(r)) }

// maxNews is how many new results the home page names; the list shows the rest.
const maxNews = 3

// home tells the patient what is new: first comments, which somebody wrote for them, then results.
func home(_ context.Context, v *care.Visit) ([]care.Card, error) {
	if v.Who.Kind != identity.Patient {
		return nil, nil
	}
	b, err := readNew(v)
	if err != nil {
		return nil, err
	}
	return cards(v, b), nil
}

func cards(v *care.Visit, b *Book) []care.Card {
	var out []care.Card
	if c, ok := commentCards(v, b); ok {
		out = append(out, c)
	}
	var all []headline
	for _, g := range b.Groups {
		all = append(all, newsOf(v, g)...)
	}
	slices.SortStableFunc(all, func(x, y headline) int { return y.weight - x.weight })
	for _, n := range all[:min(len(all), maxNews)] {
		out = append(out, n.Card)
	}
	return out
}

// commentCards asks to read what somebody wrote: one comment by name, several in one line.
func commentCards(v *care.Visit, b *Book) (care.Card, bool) {
	w := v.Words
	card := care.Card{Section: care.ToDo, Icon: "message-circle", Action: w.T("results.home.read"), New: true}
	seen := map[string]bool{}
	var names []string
	for _, r := range b.All() {
		for _, c := range slices.Concat(r.Comments, r.whole) {
			if !c.New || c.Withdrawn || seen[c.ID] {
				continue
			}
			seen[c.ID] = true
			names = append(names, nameIn(w, r))
			if c.Updated.After(card.Order) {
				card.Order = c.Updated
			}
			card.Title, card.Href = w.T("results.home.comment", "name", author(v, c)), path(r)
		}
	}
	if len(names) > 1 {
		card.Title, card.Href = w.N("results.home.comments", len(names)), "/results?show=new"
	}
	card.Detail = strings.Join(names[:min(len(names), 3)], " · ")
	if len(names) > 3 {
		card.Detail += " …"
	}
	return card, len(names) > 0
}

// A headline is a line about something new; what was commented on and what is outside the usual range come first.
type headline struct {
	care.Card
	weight int
}

// newsOf makes one line of a report, however many tests it holds, and one of each single test.
func newsOf(v *care.Visit, g Group) []headline {
	var out []headline
	if g.Report == nil {
		for _, r := range g.Items {
			out = append(out, newsOf(v, Group{Report: r})...)
		}
		return out
	}
	w, r := v.Words, g.Report
	fresh, flagged, updated := r.New, 0, r.Updated
	for _, m := range g.Items {
		fresh = fresh || m.New
		if m.Flagged() {
			flagged++
		}
		if m.Updated.After(updated) {
			updated = m.Updated
		}
	}
	if !fresh || r.State == Gone {
		return nil
	}
	c := care.Card{Section: care.New, Order: updated, Icon: icon(r), New: true, Title: nameIn(w, r), Href: path(r)}
	var said []string
	if len(g.Items) > 0 {
		said = append(said, w.N("results.count", len(g.Items)))
		if flagged > 0 {
			said = append(said, w.N("results.flaggedCount", flagged))
		}
	} else {
		for _, s := range []string{valueIn(w, r), statusIn(w, r), stateTag(w, r).Text} {
			if s != "" {
				said = append(said, s)
			}
		}
	}
	c.Detail = strings.Join(said, " · ")
	n := headline{Card: c}
	if flagged > 0 || r.Flagged() {
		n.Tone = "warn"
		n.weight++
	}
	if r.Commented() || slices.ContainsFunc(g.Items, (*Result).Commented) {
		n.weight += 2
	}
	return append(out, n)
}

// icon hints at the sort of test.
func icon(r *Result) string {
	switch r.Kind {
	case Imaging:
		return "image"
	case Blood:
		return "droplet"
	}
	return "flask-conical"
}

// readable decodes a report's plain text file, so that it can be read on the page.
func readable(a fhir.Attachment) string {
	if !strings.HasPrefix(strings.ToLower(a.ContentType), "text/plain") || a.Data == "" || len(a.Data) > 64<<10 {
		return ""
	}
	return decodeText(a.Data)
}
