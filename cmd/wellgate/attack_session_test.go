package main

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/wellgate/wellgate/doors/web"
)

// Attacks on sessions, forms and redirects.

// ATK-13: one parameter, skip_timeout_reset=1, kept a session alive for ever. Here 200 names in addresses, headers, cookies
// and forms neither extend a session from the background nor wake one that has ended.
func TestATK13NothingExtendsASession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	amina := w.as("amina")
	var names []string
	for _, a := range []string{"skip", "no", "keep", "extend", "disable", "bypass", "reset", "ignore", "renew", "touch"} {
		for _, b := range []string{"timeout", "timeout_reset", "_timeout_reset", "-idle", "Session", "_session", "alive", "_alive", "-Expiry", "_logout"} {
			names = append(names, a+b, "x-"+a+b)
		}
	}
	fuzz := func(name string, background bool) *http.Request {
		r := amina.request("GET", "/results?"+name+"=1&skip_timeout_reset=1", nil)
		r.Header.Set(http.CanonicalHeaderKey(name), "1")
		r.Header.Set("X-Session-Timeout", "999999")
		r.AddCookie(&http.Cookie{Name: name, Value: "1"})
		if background {
			r.Header.Set("Sec-Fetch-Mode", "cors")
			r.Header.Set("X-Poll", "1")
		}
		return r
	}
	if len(names) < 200 {
		t.Fatalf("only %d names", len(names))
	}
	for i, n := range names { // fourteen minutes of polling and of files
		w.pass(4 * time.Second)
		if a := amina.send(fuzz(n, true)); a.status != 200 {
			t.Fatalf("%s: %d after %d s", n, a.status, 4*i)
		}
		amina.get("/a/nonesuch.css")
		amina.get("/sw.js")
	}
	w.pass(2 * time.Minute)
	dead := w.clock()
	for _, n := range names {
		if a := amina.send(fuzz(n, false)); a.status != 303 || shows(a, hers...) != "" {
			t.Errorf("%s woke a session that ended before %v: %d", n, dead, a.status)
		}
		amina.frozen = true // keep the dead cookie
	}
	for _, path := range []string{"/session/stay", "/results", "/signin/again"} {
		if a := amina.post(path, url.Values{"skip_timeout_reset": {"1"}}); a.status != 303 && a.status != 403 {
			t.Errorf("POST %s: %d", path, a.status)
		}
	}
}

// ATK-39: a session id known before sign-in was still the session's after it.
func TestATK39Fixation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.users["amina"]
	b := w.browser()
	planted := strings.Repeat("A", 43)
	b.cookies["sid"] = planted
	b.signin(u)
	first := b.cookies["sid"]
	if first == planted || len(first) != 43 {
		t.Fatalf("the session after sign-in is %q", first)
	}
	b.prove(u)
	second := b.cookies["sid"]
	if second == first {
		t.Error("the session id is the same after a fresh proof")
	}
	for _, old := range []string{planted, first} {
		x := w.browser()
		x.cookies["sid"] = old
		if a := x.get("/results"); a.status != 303 {
			t.Errorf("an old session id still answers %d", a.status)
		}
	}
	if a := b.get("/results"); a.status != 200 {
		t.Errorf("the new one answers %d", a.status)
	}
	again := w.browser()
	again.cookies["sid"] = second // a sign-in on top of a living session
	again.signin(w.users["miguel"])
	if again.cookies["sid"] == second {
		t.Error("another person's sign-in kept the session id")
	}
	r := b.request("GET", "/results", nil) // two cookies of one name: never somebody else's page
	r.Header.Set("Cookie", "sid="+planted+"; sid="+second)
	if a := b.send(r); a.status != 303 && a.status != 200 {
		t.Errorf("two cookies: %d", a.status)
	}
	r = w.browser().request("GET", "/signin", nil)
	rec := w.browser().send(r)
	for _, c := range (&http.Response{Header: rec.header}).Cookies() {
		if c.Name == "sid" {
			t.Error("a stranger is given a session")
		}
	}
}

// SES-01: what the cookie of a session looks like, over TLS and in a demo.
func TestSessionCookie(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	u := w.users["amina"]
	b.get("/signin")
	b.post("/signin/password", url.Values{"login": {u.login}, "password": {u.password}})
	b.get("/signin/code")
	a := b.post("/signin/code", url.Values{"code": {w.code(u)}})
	seen := false
	for _, line := range a.header.Values("Set-Cookie") {
		if !strings.HasPrefix(line, "sid=") {
			continue
		}
		seen = true
		for _, want := range []string{"HttpOnly", "SameSite=Lax", "Path=/"} {
			if !strings.Contains(line, want) {
				t.Errorf("%s lacks %s", strings.SplitN(line, ";", 2)[1], want)
			}
		}
		if strings.Contains(line, "Max-Age") || strings.Contains(line, "Expires") || strings.Contains(line, "Domain") {
			t.Errorf("the session outlives the browser or the host: %s", strings.SplitN(line, ";", 2)[1])
		}
	}
	if !seen {
		t.Error("no session cookie")
	}
}

// ATK-40: a page of somebody else's sent our forms. Every POST of the table, by those who may send it rightly.
func TestATK40ForgedForms(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.opens("priya", "amina", "TREAT")
	lab := w.first("amina", "Observation", "code=http://loinc.org|4548-4&_sort=-date")
	m := &matrix{T: t, w: w, table: w.door.(*web.Door).Table()}
	m.gather()
	m.ids["comments/{id}"] = m.said[0]
	stranger := w.browser()
	stranger.get("/help")
	miguel := w.as("miguel")
	miguel.get("/help")
	tried := 0
	for _, r := range m.table {
		if !strings.HasPrefix(r.Pattern, "POST ") {
			continue
		}
		b := w.as("amina")
		if r.For == "desk" || r.For == "record" {
			b = w.as("priya")
		}
		b.get("/help")
		for _, x := range m.examples(r, frame{chart: w.users["amina"].public}) {
			for what, forge := range map[string]func(*http.Request, url.Values){
				"no token":         func(_ *http.Request, f url.Values) { f.Del("csrf") },
				"an empty token":   func(_ *http.Request, f url.Values) { f.Set("csrf", "") },
				"another's token":  func(_ *http.Request, f url.Values) { f.Set("csrf", miguel.token) },
				"a stranger's":     func(_ *http.Request, f url.Values) { f.Set("csrf", stranger.token) },
				"a changed token":  func(_ *http.Request, f url.Values) { f.Set("csrf", f.Get("csrf")[:40]+"AAAA"+f.Get("csrf")[44:]) },
				"another site":     func(r *http.Request, _ url.Values) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
				"a sibling's page": func(r *http.Request, _ url.Values) { r.Header.Set("Sec-Fetch-Site", "same-site") },
				"a foreign origin": func(r *http.Request, _ url.Values) {
					r.Header.Del("Sec-Fetch-Site")
					r.Header.Set("Origin", "https://evil.example")
				},
				"a null origin": func(r *http.Request, _ url.Values) {
					r.Header.Del("Sec-Fetch-Site")
					r.Header.Set("Origin", "null")
				},
				"plain text": func(r *http.Request, _ url.Values) { r.Header.Set("Content-Type", "text/plain") },
				"multipart":  func(r *http.Request, _ url.Values) { r.Header.Set("Content-Type", "multipart/form-data; boundary=x") },
				"JSON":       func(r *http.Request, _ url.Values) { r.Header.Set("Content-Type", "application/json") },
				"no type":    func(r *http.Request, _ url.Values) { r.Header.Del("Content-Type") },
				"a bad type": func(r *http.Request, _ url.Values) {
					r.Header.Set("Content-Type", "application/x-www-form-urlencoded; q=\"")
				},
			} {
				tried++
				form := url.Values{"csrf": {b.token}}
				for k, v := range x.form {
					form[k] = v
				}
				probe := b.request("POST", x.path, nil)
				forge(probe, form)
				q := b.request("POST", x.path, strings.NewReader(form.Encode()))
				q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				q.Header.Set("Sec-Fetch-Site", "same-origin")
				forge(q, form)
				if a := b.send(q); a.status != 403 && a.status != 415 {
					t.Errorf("POST %s with %s: %d", x.path, what, a.status)
				}
			}
		}
	}
	if tried < 500 {
		t.Errorf("only %d forgeries tried", tried)
	}
	// Nothing of that changed anything: both are still in, the record is still open, no comment was written.
	if a := w.as("amina").get("/results/" + lab); a.status != 200 || shows(a, "This is fine. Keep going.") != "" {
		t.Errorf("afterwards Amina's result: %d", a.status)
	}
	if a := w.as("priya").get("/desk/" + w.users["amina"].public + "/record"); a.status != 200 {
		t.Errorf("afterwards Dr. Nair's record: %d", a.status)
	}
	// An old browser says nothing of where it comes from; its token does.
	b := w.as("amina")
	r := b.request("POST", "/preferences", strings.NewReader(url.Values{"csrf": {b.token}, "theme": {"dark"}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if a := b.send(r); a.status != 303 || b.cookies["theme"] != "dark" {
		t.Errorf("our own form from an old browser: %d", a.status)
	}
}

// ATK-41: a link on somebody else's page signed people out.
func TestATK41CrossSiteSignout(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	amina := w.as("amina")
	for _, path := range []string{"/session/exit", "/signout"} {
		r := amina.request("GET", path, nil)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		amina.frozen = true
		amina.send(r)
		amina.frozen = false
		if a := amina.get("/results"); a.status != 200 {
			t.Fatalf("a link to %s from elsewhere ended the session: %d", path, a.status)
		}
	}
}

// ATK-49: "next" led to a page that looked like ours.
func TestATK49OpenRedirects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	evil := []string{
		"//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "/\\/evil.example", "https://evil.example", "http:evil.example", "https:///evil.example",
		"//evil.example/%2f..", "/%09/evil.example", "/\t/evil.example", "/\n//evil.example", "\x00//evil.example", "javascript:alert(1)", "data:text/html,x",
		"//localhost:8080@evil.example", "https://localhost:8080.evil.example", "//evil%E3%80%82example", "/..//evil.example", "/./\\evil.example", "//[::1]", "http://[::1%25eth0]",
		" //evil.example", "%2f%2fevil.example", "/%5cevil.example", "?next=//evil.example", "evil.example", ".evil.example", "@evil.example", ":evil", "/%0d%0aLocation:%20//evil.example",
		strings.Repeat("/", 2000), "/results\r\nSet-Cookie: x=y",
	}
	evil = append(evil, corpus(t, "bad-inputs/web-payloads/Open_Redirect__openredirects.txt")...)
	here := func(what, to string) {
		t.Helper()
		u, err := url.Parse(to)
		if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.HasPrefix(u.Path, "//") ||
			strings.ContainsAny(to, "\\\r\n\t") {
			t.Errorf("%s leads to %q", what, to)
		}
	}
	u := w.users["amina"]
	amina := w.as("amina")
	for _, e := range evil {
		if a := amina.get("/signin?next=" + url.QueryEscape(e)); a.status == 303 {
			here("signed in, /signin?next="+e, a.header.Get("Location"))
		}
		if a := amina.post("/preferences", url.Values{"theme": {"dark"}, "next": {e}}); a.status == 303 {
			here("/preferences next="+e, a.header.Get("Location"))
		} else {
			t.Errorf("/preferences next=%q: %d", e, a.status)
		}
		if a := w.browser().get("/signin?next=" + url.QueryEscape(e)); a.status != 200 || shows(a, `value="//`, `value="http`, `value="\\`, `value="/\\`, `value="javascript`) != "" {
			t.Errorf("/signin?next=%q: %d", e, a.status)
		}
		if path, err := url.Parse("/results/" + url.PathEscape(e)); err == nil {
			if a := w.browser().get(path.EscapedPath()); a.status == 303 {
				here(path.EscapedPath(), a.header.Get("Location"))
			}
		}
	}
	for _, e := range evil[:8] { // the way through password and code
		b := w.browser()
		b.get("/signin?next=" + url.QueryEscape(e))
		a := b.post("/signin/password", url.Values{"login": {u.login}, "password": {u.password}, "next": {e}})
		here("password, next="+e, a.header.Get("Location"))
		a = b.post("/signin/code", url.Values{"code": {w.code(u)}, "next": {e}})
		here("code, next="+e, a.header.Get("Location"))
	}
	if acc, err := w.h.identity.Sessions.List(context.Background(), u.account.ID); err != nil || len(acc) > 10 {
		t.Errorf("%d sessions live, want ten at most (SES-08): %v", len(acc), err)
	}
}
