package results

import (
	"bytes"
	"context"
	"fmt"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"golang.org/x/net/html"

	"github.com/wellgate/wellgate/care"
	"github.com/wellgate/wellgate/site"
	"github.com/wellgate/wellgate/trust/identity"
)

// visit is a page being made for a patient, or for staff when base is not empty.
func visit(t testing.TB, lang, base string) *care.Visit {
	w := speak(t, lang)
	v := &care.Visit{Request: httptest.NewRequest("GET", "/results", nil), W: httptest.NewRecorder(), Words: w, Base: base, Now: now}
	v.Who = identity.Who{Kind: identity.Patient, Name: "Amal Haddad"}
	if base != "" {
		v.Who = identity.Who{Kind: identity.Staff, Role: identity.Clinician, Name: "Dr Priya Nair", Practitioner: "Practitioner/nair"}
	}
	v.Page = site.Page{Words: w, Base: base, CSRF: "token", Practice: site.Practice{Name: "Willowbrook", Phone: "(608) 555-0100", Emergency: "911"}}
	return v
}

// A page is HTML to ask questions of.
type page struct {
	t    testing.TB
	root *html.Node
	raw  string
}

func render(t testing.TB, c templ.Component) page {
	t.Helper()
	var b bytes.Buffer
	if err := c.Render(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	n, err := html.Parse(&b)
	if err != nil {
		t.Fatal(err)
	}
	var raw bytes.Buffer
	if err := html.Render(&raw, n); err != nil {
		t.Fatal(err)
	}
	return page{t, n, raw.String()}
}

// all finds elements by "tag", ".class" or "tag.class", and "[attr=value]".
func (p page) all(sel string) []*html.Node {
	tag, class, _ := strings.Cut(sel, ".")
	attr, value := "", ""
	if i := strings.IndexByte(tag, '['); i >= 0 {
		attr, value, _ = strings.Cut(strings.Trim(tag[i:], "[]"), "=")
		tag = tag[:i]
	}
	var found []*html.Node
	for n := range p.root.Descendants() {
		if n.Type == html.ElementNode && (tag == "" || n.Data == tag) && (class == "" || slices.Contains(strings.Fields(get(n, "class")), class)) && (attr == "" || get(n, attr) == value) {
			found = append(found, n)
		}
	}
	return found
}

func get(n *html.Node, attr string) string {
	for _, a := range n.Attr {
		if a.Key == attr {
			return a.Val
		}
	}
	return ""
}

func text(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.Fields(strings.NewReplacer("\u2066", "", "\u2067", "", "\u2068", "", "\u2069", "").Replace(b.String())), " ")
}

func (p page) in(sel, want string) {
	p.t.Helper()
	for _, n := range p.all(sel) {
		if strings.Contains(text(n), want) {
			return
		}
	}
	p.t.Errorf("no %s holds %q", sel, want)
}

func (p page) notIn(sel, unwanted string) {
	p.t.Helper()
	for _, n := range p.all(sel) {
		if strings.Contains(text(n), unwanted) {
			p.t.Errorf("%s holds %q: %s", sel, unwanted, text(n))
		}
	}
}

func (p page) count(sel string, want int) {
	p.t.Helper()
	if got := len(p.all(sel)); got != want {
		p.t.Errorf("%d %s, want %d", got, sel, want)
	}
}

var missingKey = regexp.MustCompile(`results\.[a-zA-Z]+[.a-zA-Z]*|site\.[a-z]+[A-Za-z]*|\{[a-z][A-Za-z]*\}|%!|<nil>`)

// sound holds for every page: no inline style or script, unique ids, no missing words, a heading for every card, and
// every form a POST with its token.
func (p page) sound() {
	p.t.Helper()
	ids := map[string]bool{}
	for n := range p.root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if get(n, "style") != "" || n.Data == "style" || n.Data == "script" {
			p.t.Errorf("inline style or script in <%s>", n.Data)
		}
		if id := get(n, "id"); id != "" {
			if ids[id] {
				p.t.Errorf("id %q twice", id)
			}
			ids[id] = true
		}
		if n.Data == "form" && (get(n, "method") != "post" || !strings.Contains(renderNode(n), `name="csrf" value="token"`)) {
			p.t.Errorf("a form without POST or token: %s", renderNode(n))
		}
		if n.Data == "a" && get(n, "href") == "" {
			p.t.Errorf("a link without a target: %s", text(n))
		}
		if (n.Data == "a" || n.Data == "button") && text(n) == "" {
			p.t.Errorf("a %s without words", n.Data)
		}
	}
	p.count("h1", 1)
	if m := missingKey.FindString(text(p.root)); m != "" {
		p.t.Errorf("missing words: %q", m)
	}
}

func renderNode(n *html.Node) string {
	var b bytes.Buffer
	_ = html.Render(&b, n)
	return b.String()
}

func listOf(t testing.TB, lang string, f Filter, pageNo int, docs ...Doc) page {
	v := visit(t, lang, "")
	return render(t, listPage(v, arrange(v.Words, collect(t, docs...), f, pageNo)))
}

func oneOf(t testing.TB, lang, base, ref string, docs ...Doc) page {
	t.Helper()
	v := visit(t, lang, base)
	b := collect(t, docs...)
	typ, id, _ := strings.Cut(ref, "/")
	r := b.One(typ, id)
	if r == nil {
		t.Fatalf("no %s", ref)
	}
	o := view(b, r)
	for _, c := range slices.Concat(r.Comments, o.About) {
		o.Authors[c.ID] = author(v, c)
	}
	o.From = performers(v, r)
	return render(t, onePage(v, o))
}

func TestListEmpty(t *testing.T) {
	for lang, want := range map[string]string{"en": "No test results yet", "es": "Todavía no hay resultados", "ar": "لا توجد نتائج بعد"} {
		p := listOf(t, lang, Filter{}, 1)
		p.sound()
		p.in(".empty", want)
		p.count("form", 0)
		p.count("nav", 0)
	}
}

func TestListOfOne(t *testing.T) {
	fresh := lab(t, "a", `"valueQuantity":{"value":5.60,"unit":"mmol/L"},"referenceRange":[{"low":{"value":3.5},"high":{"value":5.1}}]`)
	fresh.Updated = now
	for lang, want := range map[string][]string{
		"en": {"Potassium", "5.60 mmol/L", "Usual: 3.5 to 5.1", "High", "New", "1 May 2026"},
		"es": {"Potasio", "5.60 mmol/L", "Habitual: 3.5 a 5.1", "Alto", "Nuevo", "may"},
		"ar": {"البوتاسيوم", "5.60 mmol/L", "المعتاد: من 3.5 إلى 5.1", "مرتفع", "جديد", "مايو"},
	} {
		p := listOf(t, lang, Filter{}, 1, fresh)
		p.sound()
		p.count("li[class=is-new]", 1)
		for _, s := range want {
			p.in("section", s)
		}
		if a := p.all("a[href=/results/a]"); len(a) != 1 {
			t.Errorf("%s: %d links to the result", lang, len(a))
		}
		p.count(".pager", 0)
	}
}

func TestListOfThousand(t *testing.T) {
	var docs []Doc
	for i := range 1000 {
		docs = append(docs, lab(t, fmt.Sprint("o", i), fmt.Sprintf(`"effectiveDateTime":"%s","valueInteger":%d`, now.AddDate(0, 0, -i).Format(time.DateOnly), i)))
	}
	first := listOf(t, "en", Filter{}, 1, docs...)
	first.sound()
	first.count("li.bare", 0)
	if rows := len(first.all("ul.list")); rows != pageRows {
		t.Errorf("%d days on the page, want %d", rows, pageRows)
	}
	first.in(".muted", "Page 1 of 20")
	first.in("a[rel=next]", "Older")
	first.count("a[rel=prev]", 0)
	last := listOf(t, "ar", Filter{}, 20, docs...)
	last.sound()
	last.count("a[rel=next]", 0)
	if far := listOf(t, "es", Filter{}, 1<<40, docs...); len(far.all("a[href=/results/o999]")) != 1 {
		t.Error("a page beyond the last is not the last")
	}
	if n := len(first.raw); n > 120_000 {
		t.Errorf("the page is %d bytes", n)
	}
}

func TestSearchStaysOutOfAddresses(t *testing.T) {
	var docs []Doc
	for i := range 120 {
		docs = append(docs, lab(t, fmt.Sprint("o", i), fmt.Sprintf(`"effectiveDateTime":"%s"`, now.AddDate(0, 0, -i).Format(time.DateOnly))))
	}
	p := listOf(t, "en", Filter{Words: `pótassium "<b>`}, 1, docs...)
	p.sound()
	p.in(".empty", "Nothing found")
	p = listOf(t, "en", Filter{Words: "POTASSIUM"}, 2, docs...)
	p.sound()
	p.in("p[role=status]", "120 results found")
	for _, a := range p.all("a") {
		if strings.Contains(strings.ToLower(get(a, "href")), "potassium") {
			t.Errorf("the search stands in a link: %s", get(a, "href"))
		}
	}
	p.count("nav.pager", 1)
	p.in("nav.pager", "Newer")
	p.in("nav.pager", "Older")
	if p = listOf(t, "es", Filter{Words: "potasio"}, 1, docs...); len(p.all("ul.list")) == 0 {
		t.Error("not found by its plain name in Spanish")
	}
}

func TestReportShowsWhatNeedsALook(t *testing.T) {
	var docs []Doc
	var refs []string
	for i := range 15 {
		body := fmt.Sprintf(`"code":{"text":"Test %02d"},"valueInteger":5,"referenceRange":[{"high":{"value":9}}]`, i)
		if i == 14 {
			body = `"code":{"text":"Odd one"},"valueInteger":50,"referenceRange":[{"high":{"value":9}}]`
		}
		docs = append(docs, lab(t, fmt.Sprint("o", i), body))
		refs = append(refs, fmt.Sprintf(`{"reference":"Observation/o%d"}`, i))
	}
	docs = append(docs, aReport(t, "r", `,"result":[`+strings.Join(refs, ",")+`]`))
	p := listOf(t, "en", Filter{}, 1, docs...)
	p.sound()
	p.in("h3", "Odd one")
	p.in("a[href=/results/report/r]", "See all 15 tests")
	p.in("section", "1 outside the usual range")
	p.count("h3", shown)
	q := listOf(t, "en", Filter{Only: "flagged"}, 1, docs...)
	q.count("h3", 1)
	q.in("a[aria-current=page]", "Outside the usual range")
	r := oneOf(t, "en", "", "DiagnosticReport/r", docs...)
	r.sound()
	r.in("h1", "Blood tests")
	r.count("tbody", 1)
	r.count("th[scope=row]", 15)
}

func TestOneResult(t *testing.T) {
	docs := []Doc{
		lab(t, "a", point("a", "2024-05-01", "7.0")), lab(t, "b", point("b", "2025-05-01", "6.4")), lab(t, "c", point("c", "2026-05-01", "5.60")),
		lab(t, "low", `"effectiveDateTime":"2025-09-01","valueQuantity":{"value":2.0,"comparator":"<","unit":"mmol/L"}`),
		aComment(t, "c1", "completed", "Observation/c", `Going well.\n\nSee you in May.`),
	}
	for lang, want := range map[string]map[string]string{
		"en": {"h1": "Potassium", ".tags": "A little high", ".quote": "See you in May.", ".range": "over 5.5", "table": "7.0", ".next": "Dr Priya Nair wrote about it", ".care": "911", "aside": ""},
		"es": {"h1": "Potasio", ".tags": "Un poco alto", ".quote": "Dr Priya Nair", ".range": "Habitual", "table": "6.4", ".next": "Dr Priya Nair escribió", ".care": "911"},
		"ar": {"h1": "البوتاسيوم", ".tags": "مرتفع قليلًا", ".quote": "Dr Priya Nair", ".range": "معتاد", "table": "6.4", ".next": "كتب Dr Priya Nair", ".care": "911"},
	} {
		p := oneOf(t, lang, "", "Observation/c", docs...)
		p.sound()
		for sel, s := range want {
			if s != "" {
				p.in(sel, s)
			}
		}
		p.in(".val", "5.60")
		p.count("form", 0) // a patient has nothing to submit here
		p.count("a[href=tel:6085550100]", 1)
	}
	p := oneOf(t, "en", "", "Observation/c", docs...)
	p.in("p", "This result is a little higher than the usual range, which is 3.5 to 5.5 mmol/L.")
	p.in("p", "Last time it was 6.4 mmol/L, on 1 May 2025.")
	p.in(".tags", "Closer to the usual range")
	p.in("li", "1 Sep 2025: < 2.0 mmol/L")
}

func TestWithdrawnHidesItsValue(t *testing.T) {
	docs := []Doc{lab(t, "a", `"status":"entered-in-error","valueQuantity":{"value":9.87,"unit":"mmol/L"},"referenceRange":[{"high":{"value":5}}],"interpretation":[{"coding":[{"code":"HH"}]}],"note":[{"text":"secret note"}]`)}
	for _, lang := range []string{"en", "es", "ar"} {
		for _, p := range []page{oneOf(t, lang, "", "Observation/a", docs...), oneOf(t, lang, "/desk/x", "Observation/a", docs...), listOf(t, lang, Filter{}, 1, docs...)} {
			p.sound()
			for _, s := range []string{"9.87", "secret", "entered-in-error", speak(t, lang).T("results.status.veryHigh")} {
				p.notIn("html", s)
			}
		}
	}
	oneOf(t, "en", "", "Observation/a", docs...).in(".note", "This result was withdrawn.")
	oneOf(t, "en", "/desk/x", "Observation/a", docs...).count("textarea", 0)
	listOf(t, "en", Filter{}, 1, docs...).in(".tag", "Withdrawn")
}

func TestOddResults(t *testing.T) {
	for name, c := range map[string]struct {
		docs []Doc
		ref  string
		want []string
		not  []string
	}{
		"nothing at all": {[]Doc{lab(t, "x", `"code":null,"effectiveDateTime":null`)}, "Observation/x", []string{"Unnamed test", "No date given", "No value given"}, nil},
		"a code only":    {[]Doc{lab(t, "x", `"code":{"coding":[{"code":"XYZ1"}]}`)}, "Observation/x", []string{"Unnamed test, code XYZ1"}, nil},
		"no range":       {[]Doc{lab(t, "x", `"valueInteger":3`)}, "Observation/x", []string{"did not say what is usual"}, []string{"Usual"}},
		"range in another unit": {[]Doc{lab(t, "x", `"valueQuantity":{"value":9,"unit":"mmol/L"},"referenceRange":[{"low":{"value":3,"unit":"mg/dL"},"high":{"value":5,"unit":"mg/dL"}}]`)}, "Observation/x",
			[]string{"What is usual: 3 – 5 mg/dL."}, []string{"High", "Result: 9"}},
		"year only":     {[]Doc{lab(t, "x", `"effectiveDateTime":"2019"`)}, "Observation/x", []string{"Taken 2019"}, nil},
		"reported only": {[]Doc{lab(t, "x", `"effectiveDateTime":null,"issued":"2026-05-02T10:00:00Z"`)}, "Observation/x", []string{"Reported Saturday 2 May 2026"}, nil},
		"sampled data":  {[]Doc{lab(t, "x", `"valueSampledData":{"origin":{"value":0},"period":1,"dimensions":1,"data":"1 2"}`)}, "Observation/x", []string{"drawing or a recording"}, []string{"did not say"}},
		"early":         {[]Doc{lab(t, "x", `"status":"preliminary","valueInteger":3`)}, "Observation/x", []string{"First result", "It may still change."}, nil},
		"awaited":       {[]Doc{lab(t, "x", `"status":"registered"`)}, "Observation/x", []string{"Waiting for the result"}, nil},
		"contradiction": {[]Doc{lab(t, "x", `"valueInteger":9,"referenceRange":[{"high":{"value":5}}],"interpretation":[{"coding":[{"code":"N"}]}]`)}, "Observation/x",
			[]string{"marked this result as: Usual", "do not say the same"}, []string{"Result: 9"}},
		"parts": {[]Doc{lab(t, "x", `"component":[{"code":{"text":"First part"},"valueInteger":3,"referenceRange":[{"high":{"value":2}}]},{"code":{},"valueString":"odd"}]`)}, "Observation/x",
			[]string{"Parts of this result", "First part", "High", "Unnamed test", "odd"}, []string{"No value given"}},
		"target": {[]Doc{lab(t, "x", `"valueInteger":9,"referenceRange":[{"high":{"value":8},"type":{"coding":[{"code":"treatment"}]}},{"high":{"value":5}}]`)}, "Observation/x",
			[]string{"Above your target", "The usual range is 5 or less."}, nil},
		"text report": {[]Doc{doc(t, `{"resourceType":"DiagnosticReport","id":"r","status":"final","category":[{"coding":[{"code":"RAD"}]}],"code":{"text":"Chest X-ray"},"conclusion":"Clear lungs.\n\nNo change.",
			"imagingStudy":[{"reference":"ImagingStudy/1"}],"presentedForm":[{"contentType":"text/plain; charset=utf-8","data":"TGluZSBvbmUKTGluZSB0d28="},{"contentType":"application/pdf","url":"Binary/b","title":"Whole report"}]}`)},
			"DiagnosticReport/r", []string{"Clear lungs.", "No change.", "Line one", "Whole report", "pictures are not shown"}, []string{"TGluZ"}},
		"report without words": {[]Doc{doc(t, `{"resourceType":"DiagnosticReport","id":"r","status":"final","category":[{"coding":[{"code":"RAD"}]}],"code":{}}`)}, "DiagnosticReport/r", []string{"Unnamed report", "came without words"}, nil},
		"markup is text":       {[]Doc{lab(t, "x", `"code":{"text":"<b>Bold</b>"},"valueString":"<img src=x onerror=alert(1)>"`)}, "Observation/x", []string{"<b>Bold</b>", "<img src=x onerror=alert(1)>"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			for _, lang := range []string{"en", "es", "ar"} {
				p := oneOf(t, lang, "", c.ref, c.docs...)
				p.sound()
				p.count("img", 0)
				if lang != "en" {
					continue
				}
				for _, s := range c.want {
					p.in("html", s)
				}
				for _, s := range c.not {
					p.notIn("html", s)
				}
			}
			l := listOf(t, "en", Filter{}, 1, c.docs...)
			l.sound()
			for _, s := range c.not {
				l.notIn("html", s)
			}
		})
	}
}

func TestCommentOnThinReportStandsOnItsTest(t *testing.T) {
	docs := []Doc{lab(t, "a", `"valueInteger":3`), aReport(t, "r", `,"result":[{"reference":"Observation/a"}]`), aComment(t, "c", "completed", "DiagnosticReport/r", "On the whole.")}
	p := oneOf(t, "en", "", "Observation/a", docs...)
	p.sound()
	p.in(".quote", "On the whole.")
	p.in("a[href=/results/report/r]", "Blood tests")
	listOf(t, "en", Filter{Only: "commented"}, 1, docs...).in("li", "Has a comment")
}

func TestDeskForm(t *testing.T) {
	docs := []Doc{lab(t, "a", `"valueInteger":3`), aComment(t, "c1", "completed", "Observation/a", "Mine.")}
	p := oneOf(t, "en", "/desk/x", "Observation/a", docs...)
	p.sound()
	p.count("textarea", 1)
	p.count("form[action=/desk/x/results/a/comments]", 1)
	p.count("form[action=/desk/x/results/comments/c1/withdrawal]", 1)
	p.count(".care", 0) // the patient's urgent line is not for staff

	v := visit(t, "en", "/desk/x")
	v.Who.Practitioner = "Practitioner/other"
	b := collect(t, docs...)
	o := view(b, b.One("Observation", "a"))
	q := render(t, onePage(v, o))
	q.count("form[action=/desk/x/results/comments/c1/withdrawal]", 0)

	v.Who.Role = identity.Hygienist
	render(t, onePage(v, o)).count("textarea", 0)

	v = visit(t, "en", "/desk/x")
	o.Text, o.Error = "kept <words>", v.Words.T("results.write.empty")
	r := render(t, onePage(v, o))
	r.sound()
	r.in("textarea", "kept <words>")
	r.count(".err", 1)
	r.count("a[href=#text]", 1)
}

func TestHomeCards(t *testing.T) {
	mk := func(d Doc) Doc { d.Updated = now; return d }
	docs := []Doc{mk(aComment(t, "c", "completed", "Observation/a", "Hello.")), lab(t, "a", `"valueQuantity":{"value":9,"unit":"mmol/L"},"referenceRange":[{"high":{"value":5}}]`), lab(t, "old", `"code":{"text":"Old"}`)}
	var refs []string
	for i := range 4 {
		docs = append(docs, mk(lab(t, fmt.Sprint("m", i), fmt.Sprintf(`"code":{"text":"M%d"},"valueInteger":%d,"referenceRange":[{"high":{"value":2}}]`, i, i))))
		refs = append(refs, fmt.Sprintf(`{"reference":"Observation/m%d"}`, i))
	}
	docs = append(docs, mk(aReport(t, "r", `,"result":[`+strings.Join(refs, ",")+`]`)))
	for i := range 5 {
		docs = append(docs, mk(lab(t, fmt.Sprint("d", i), fmt.Sprintf(`"code":{"text":"D%d"},"effectiveDateTime":"2026-03-0%d"`, i, i+1))))
	}
	got := cards(visit(t, "en", ""), collect(t, docs...))
	if len(got) != 1+maxNews {
		t.Fatalf("%d cards: %+v", len(got), got)
	}
	if c := got[0]; c.Section != care.ToDo || c.Title != "Read Dr Priya Nair’s comment" || c.Detail != "Potassium" || c.Href != "/results/a" || c.Action == "" {
		t.Errorf("to do: %+v", c)
	}
	var titles []string
	for _, c := range got[1:] {
		titles = append(titles, c.Title+" | "+c.Detail+" | "+c.Href)
	}
	want := []string{"Potassium | 9 mmol/L · High | /results/a", "Blood tests | 4 tests · 1 outside the usual range | /results/report/r", "D4 | No value given | /results/d4"}
	if !slices.Equal(titles, want) {
		t.Errorf("got  %q\nwant %q", titles, want)
	}
	docs = append(docs, mk(aComment(t, "c2", "completed", "DiagnosticReport/thin", "Hello.")), aReport(t, "thin", `,"result":[{"reference":"Observation/old"}]`))
	got = cards(visit(t, "en", ""), collect(t, docs...))
	if c := got[0]; c.Title != "Read 2 new comments" || c.Detail != "Potassium · Old" || c.Href != "/results?show=new" {
		t.Errorf("two comments: %+v", c)
	}
	if got := cards(visit(t, "en", ""), collect(t)); len(got) != 0 {
		t.Errorf("nothing is new: %+v", got)
	}
}
