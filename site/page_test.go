package site_test

import (
	"bytes"
	"context"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/wellgate/wellgate/site"
)

func render(t *testing.T, lang, frame string) string {
	t.Helper()
	var b bytes.Buffer
	if err := gallery(words(t, lang), frame, "", "#0e5a61").Render(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestStrict: nothing that the CSP forbids, every id once, every reference answered, every form with a button.
func TestStrict(t *testing.T) {
	for _, lang := range []string{"en", "es", "ar"} {
		for _, frame := range []string{"portal", "desk", "plain", "acting"} {
			doc, err := html.Parse(strings.NewReader(render(t, lang, frame)))
			if err != nil {
				t.Fatal(err)
			}
			check(t, lang+" "+frame, doc)
		}
	}
}

func check(t *testing.T, page string, doc *html.Node) {
	ids, refs := map[string]int{}, map[string]string{}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		a := map[string]string{}
		for _, at := range n.Attr {
			a[at.Key] = at.Val
			if at.Key == "style" || strings.HasPrefix(at.Key, "on") {
				t.Errorf("%s: <%s> has %s=", page, n.Data, at.Key)
			}
			if strings.HasPrefix(at.Val, "javascript:") || strings.HasPrefix(at.Val, "about:invalid") || strings.HasPrefix(at.Val, "data:") {
				t.Errorf("%s: <%s %s=%q>", page, n.Data, at.Key, at.Val)
			}
		}
		if id, ok := a["id"]; ok {
			ids[id]++
		}
		for _, key := range []string{"for", "aria-labelledby", "aria-describedby"} {
			for id := range strings.FieldsSeq(a[key]) {
				refs[id] = n.Data + " " + key
			}
		}
		switch n.Data {
		case "style":
			t.Errorf("%s: inline style", page)
		case "script":
			if n.FirstChild != nil || !strings.HasPrefix(a["src"], "/a/") {
				t.Errorf("%s: inline script, or one from elsewhere: %q", page, a["src"])
			}
		case "form":
			if a["method"] == "post" && !has(n, "input", "csrf") {
				t.Errorf("%s: a POST to %s without a CSRF field", page, a["action"])
			}
			if !has(n, "button", "") {
				t.Errorf("%s: the form to %s has no button", page, a["action"])
			}
		case "button":
			if a["type"] == "" {
				t.Errorf("%s: a button without a type", page)
			}
		}
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("%s: id %q %d times", page, id, n)
		}
	}
	for id, who := range refs {
		if ids[id] == 0 {
			t.Errorf("%s: %s names %q, which is not there", page, who, id)
		}
	}
}

// has says whether n holds an element of this kind, and of this name when one is given.
func has(n *html.Node, kind, name string) bool {
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && d.Data == kind {
			if name == "" {
				return true
			}
			for _, a := range d.Attr {
				if a.Key == "name" && a.Val == name {
					return true
				}
			}
		}
	}
	return false
}

// TestWordsAreThere: a key that leaks onto the page is a text that nobody wrote.
func TestWordsAreThere(t *testing.T) {
	key := regexp.MustCompile(`\b(site|gallery)\.[a-z][A-Za-z0-9]+\b|\{[a-z]+\}`)
	for _, lang := range []string{"en", "es", "ar"} {
		for _, frame := range []string{"portal", "desk", "plain", "acting"} {
			if m := key.FindString(render(t, lang, frame)); m != "" {
				t.Errorf("%s %s: %s stands on the page", lang, frame, m)
			}
		}
	}
}

func TestFrames(t *testing.T) {
	portal, desk, plain := render(t, "ar", "portal"), render(t, "en", "desk"), render(t, "en", "plain")
	for what, ok := range map[string]bool{
		"language and direction":           strings.Contains(portal, `lang="ar" dir="rtl"`),
		"quick exit in the portal":         strings.Contains(portal, `href="/elsewhere" rel="nofollow noreferrer" data-exit`),
		"one current place, side and dock": strings.Count(portal, `<a href="/gallery" aria-current="page"`) == 4, // side, dock, chip, tab
		"sign out by POST":                 strings.Contains(portal, `<form method="post" action="/signout"`),
		"the open record says why":         strings.Contains(desk, "Direct care") && strings.Contains(desk, "The patient can see this."),
		"find a patient":                   strings.Contains(desk, `href="/desk/find"`),
		"no account before sign-in":        !strings.Contains(plain, "/signout") && !strings.Contains(plain, `class="dock"`) && !strings.Contains(plain, "data-expires"),
		"made-up data is said":             strings.Contains(plain, "made up"),
	} {
		if !ok {
			t.Errorf("%s: missing", what)
		}
	}
	p := site.Page{Words: words(t, "en"), Title: "Sign in", Errors: true, Practice: site.Practice{Name: "A & B"}}
	var b bytes.Buffer
	if err := site.Plain(p, site.Hidden("<script>")).Render(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); !strings.Contains(got, "<title>Error: Sign in – A &amp; B</title>") || !strings.Contains(got, "&lt;script&gt;") {
		t.Errorf("title or escaping: %s", got)
	}
}
