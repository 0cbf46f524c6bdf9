package records

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/wellgate/wellgate/care"
	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/internal/clock"
	"github.com/wellgate/wellgate/site"
	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/store/storetest"
	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/identity"
	"github.com/wellgate/wellgate/trust/journal"
	"github.com/wellgate/wellgate/trust/policy"
	"github.com/wellgate/wellgate/trust/vault"
)

var today = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// A practice is a real house over a real store, with one patient in it, and this room's routes.
type practice struct {
	t     *testing.T
	h     *chart.House
	num   int64
	words *site.Catalogue
	err   error // what the last handler returned
}

const me = `{"resourceType":"Patient","id":"me","name":[{"family":"Rahman","given":["Amina"]}],"birthDate":"1984-05-12"}`

func open(t *testing.T, resources ...string) *practice {
	t.Helper()
	ctx, dir := context.Background(), t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	db, err := store.Open(ctx, storetest.URL(t, filepath.Join(dir, "store.db")))
	must(err)
	t.Cleanup(func() { db.Close() })
	root, err := vault.CreateRoot(filepath.Join(dir, "key"), nil)
	must(err)
	v, err := vault.Open(ctx, db, root)
	must(err)
	j, err := journal.Open(ctx, db, v, journal.WithClock(clock.At(today)))
	must(err)
	text, err := fs.ReadFile(files, "policy.cedar")
	must(err)
	set, err := policy.New(map[string]string{"records": string(text)})
	must(err)
	h, err := chart.New(ctx, chart.Config{DB: db, Vault: v, Journal: j, Policy: set, Guards: Room().Guards, Origin: "test", Clock: clock.At(today)})
	must(err)
	t.Cleanup(func() { h.Close() })
	words, err := site.NewCatalogue(files)
	must(err)
	p := &practice{t: t, h: h, words: words}
	p.deliver(append([]string{me}, resources...)...)
	num, ok, err := h.PatientChart(ctx, "me")
	if err != nil || !ok {
		t.Fatalf("the patient has no chart: %v", err)
	}
	p.num = num
	return p
}

func (p *practice) deliver(resources ...string) {
	p.t.Helper()
	act := p.h.Begin(identity.Who{Account: "system:test", Kind: identity.System, Name: "test"}, "test.fill")
	var rs []fhir.Resource
	for _, js := range resources {
		rs = append(rs, parse(p.t, js))
	}
	if _, err := p.h.Deliver(context.Background(), act, chart.Delivery{What: "test.fill", Resources: rs}); err != nil {
		p.t.Fatal(err)
	}
}

func (p *practice) amina() identity.Who {
	return identity.Who{Account: "a", Kind: identity.Patient, Name: "Amina", Chart: p.num, Session: "s-amina", AAL: 2}
}

func (p *practice) staff(role identity.Role) identity.Who {
	return identity.Who{Account: "staff", Kind: identity.Staff, Role: role, Name: "Sam", Session: "s-" + string(role), AAL: 2}
}

// visit opens a page of the room as the door would: route by pattern, chart by session, staff inside an opened record.
func (p *practice) visit(who identity.Who, lang, url string) *httptest.ResponseRecorder {
	p.t.Helper()
	w := httptest.NewRecorder()
	base, frame := "", "portal"
	if who.Kind == identity.Staff {
		base, frame = "/desk/"+p.h.PublicID(p.num), "desk"
		p.openRecord(who)
	}
	mux := http.NewServeMux()
	for _, r := range Room().Routes {
		mux.HandleFunc(r.Pattern, func(w http.ResponseWriter, q *http.Request) {
			act := p.h.Begin(who, r.Name)
			c, err := p.h.Enter(q.Context(), act, policy.Page{Name: r.Name, Room: "records", Frame: frame, Chart: p.num})
			if err != nil {
				p.err = err
				return
			}
			words := p.words.Words(lang, time.UTC)
			v := &care.Visit{Request: q, W: w, Who: who, Chart: c, Words: words, Base: base, Now: today}
			v.Page = site.Page{Words: words, Path: base + q.URL.Path, Base: base, Person: who.Name, Nav: Room().Nav,
				Practice: site.Practice{Name: "Willow Practice", Phone: "(608) 555-0100", Zone: time.UTC}}
			p.err = r.Handle(v)
		})
	}
	p.err = errors.New("no route")
	mux.ServeHTTP(w, httptest.NewRequest("GET", url, nil))
	return w
}

func (p *practice) openRecord(who identity.Who) {
	p.t.Helper()
	purpose := chart.Treatment
	switch who.Role {
	case identity.Billing:
		purpose = chart.Payment
	case identity.PrivacyOfficer:
		purpose = chart.Operations
	}
	if err := p.h.OpenRecord(context.Background(), p.h.Begin(who, "desk.open"), p.num, purpose, "a test of the record"); err != nil {
		p.t.Fatal(err)
	}
}

// A page is parsed HTML to ask questions of.
type page struct {
	t    *testing.T
	root *html.Node
	raw  string
}

func (p *practice) page(who identity.Who, lang, url string) page {
	p.t.Helper()
	w := p.visit(who, lang, url)
	if p.err != nil {
		p.t.Fatalf("%s: %v", url, p.err)
	}
	root, err := html.Parse(strings.NewReader(w.Body.String()))
	if err != nil {
		p.t.Fatal(err)
	}
	return page{p.t, root, w.Body.String()}
}

// all finds elements by a selector of descendants: "main .list > li" is written "main .list li"; steps are tag, .class
// or tag.class, or [attr].
func (p page) all(selector string) []*html.Node {
	steps := strings.Fields(selector)
	var out []*html.Node
	var walk func(n *html.Node, i int)
	walk = func(n *html.Node, i int) {
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			next := i
			if c.Type == html.ElementNode && matches(c, steps[i]) {
				if i == len(steps)-1 {
					out = append(out, c)
				} else {
					next = i + 1
				}
			}
			walk(c, next)
		}
	}
	walk(p.root, 0)
	return out
}

func matches(n *html.Node, step string) bool {
	if a, ok := strings.CutPrefix(step, "["); ok {
		return attr(n, strings.TrimSuffix(a, "]")) != ""
	}
	tag, class, hasClass := strings.Cut(step, ".")
	if tag != "" && n.Data != tag {
		return false
	}
	return !hasClass || strings.Contains(" "+attr(n, "class")+" ", " "+class+" ")
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func text(n *html.Node) string {
	var b strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.TextNode {
			b.WriteString(n.Data + " ")
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(n)
	return strings.Join(strings.Fields(strings.NewReplacer("\u2066", "", "\u2068", "", "\u2069", "").Replace(b.String())), " ")
}

func (p page) has(selector string, words ...string) {
	p.t.Helper()
	var all []string
	for _, n := range p.all(selector) {
		all = append(all, text(n))
	}
	for _, w := range words {
		if !strings.Contains(strings.Join(all, " | "), w) {
			p.t.Errorf("%q is not in %s: %.600q", w, selector, all)
		}
	}
}

func (p page) lacks(selector string, words ...string) {
	p.t.Helper()
	for _, n := range p.all(selector) {
		for _, w := range words {
			if strings.Contains(text(n), w) {
				p.t.Errorf("%q must not be in %s: %.300q", w, selector, text(n))
			}
		}
	}
}

func (p page) count(selector string, want int) {
	p.t.Helper()
	if got := len(p.all(selector)); got != want {
		p.t.Errorf("%d × %s, want %d", got, selector, want)
	}
}

// sound holds for every page: a title and one h1, no empty heading or link, no two equal ids, no inline script or
// style, no foreign address, no untranslated key.
func (p page) sound(url string) {
	p.t.Helper()
	p.count("main h1", 1)
	seen := map[string]bool{}
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.ElementNode {
			p.element(url, n, seen)
		}
		if n.Type == html.TextNode && n.Parent.Data != "script" && strings.Contains(n.Data, "records.") {
			p.t.Errorf("%s: untranslated %q", url, strings.TrimSpace(n.Data))
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(p.root)
}

func (p page) element(url string, n *html.Node, seen map[string]bool) {
	p.t.Helper()
	switch n.Data {
	case "h1", "h2", "h3", "a", "button", "li", "title", "th":
		if text(n) == "" && attr(n, "aria-label") == "" {
			p.t.Errorf("%s: empty %s (class %q)", url, n.Data, attr(n, "class"))
		}
	}
	for _, a := range n.Attr {
		switch {
		case a.Key == "id" && seen[a.Val]:
			p.t.Errorf("%s: id %q stands twice", url, a.Val)
		case a.Key == "id":
			seen[a.Val] = true
		case a.Key == "style" || strings.HasPrefix(a.Key, "on"):
			p.t.Errorf("%s: inline %s", url, a.Key)
		case (a.Key == "href" || a.Key == "src") && (strings.Contains(a.Val, "://") || strings.HasPrefix(a.Val, "//") || strings.HasPrefix(a.Val, "javascript:")):
			p.t.Errorf("%s: leads away to %q", url, a.Val)
		}
	}
}

func many(n int, format string) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf(format, i)
	}
	return out
}

func visitOf(p *practice, who identity.Who, c *chart.Chart) *care.Visit {
	words := p.words.Words("en", time.UTC)
	return &care.Visit{Request: httptest.NewRequest("GET", "/", nil), Who: who, Chart: c, Words: words, Now: today}
}

func TestMain(m *testing.M) { os.Exit(storetest.OnBoth(m).Run()) }
