package results

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

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
	for _, g := range b.Groups {
		if g.Report == nil || g.Report == r || !slices.Contains(g.Report.Members, r) {
			continue
		}
		o.Reports = append(o.Reports, g.Report)
		o.About = append(o.About, g.Report.Comments...)
		for _, m := range g.Report.Members {
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
	var todo, news []care.Card
	asked := map[string]bool{}
	for _, r := range b.All() {
		for _, c := range r.Comments {
			if !c.New || c.Withdrawn || asked[c.ID] {
				continue
			}
			asked[c.ID] = true
			todo = append(todo, care.Card{Section: care.ToDo, Order: c.Updated, Icon: "message-circle", Title: v.Words.T("results.home.comment", "name", author(v, c)),
				Detail: nameIn(v.Words, r), Href: path(r), Action: v.Words.T("results.home.read"), New: true})
		}
	}
	for _, g := range b.Groups {
		if len(news) == maxNews {
			break
		}
		if c, ok := groupCard(v, g); ok {
			news = append(news, c)
		}
	}
	return append(todo, news...)
}

// groupCard is one line for a report, however many tests it holds.
func groupCard(v *care.Visit, g Group) (care.Card, bool) {
	fresh, flagged := []*Result{}, 0
	var updated time.Time
	for _, r := range slices.Concat([]*Result{g.Report}, g.Items) {
		if r == nil || !r.New || r.State == Gone {
			continue
		}
		fresh = append(fresh, r)
		if r.Flagged() {
			flagged++
		}
		if r.Updated.After(updated) {
			updated = r.Updated
		}
	}
	if len(fresh) == 0 {
		return care.Card{}, false
	}
	w := v.Words
	c := care.Card{Section: care.New, Order: updated, Icon: icon(fresh[0]), New: true, Title: nameIn(w, fresh[0]), Href: path(fresh[0])}
	if flagged > 0 {
		c.Tone = "warn"
	}
	var said []string
	switch {
	case len(fresh) == 1:
		for _, s := range []string{valueIn(w, fresh[0]), rowTag(w, fresh[0]).Text} {
			if s != "" {
				said = append(said, s)
			}
		}
	default:
		if g.Report == nil {
			c.Title, c.Href = w.N("results.count", len(fresh)), "/results?show=new"
		}
		said = append(said, w.N("results.count", len(g.Items)))
		if flagged > 0 {
			said = append(said, w.N("results.flaggedCount", flagged))
		}
	}
	if g.Report == nil && len(fresh) > 1 {
		said = said[1:]
		said = append([]string{whenIn(w, g.When())}, said...)
	}
	c.Detail = strings.Join(said, " · ")
	return c, true
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
