package main

import (
	"strconv"
	"strings"
	"testing"

	"github.com/wellgate/wellgate/internal/admit"
)

// fill takes every place there is, and returns how to give them back.
func (w *world) fill() (leave func()) {
	w.t.Helper()
	var places []*admit.Place
	for n := uint64(1); w.gate.Stats().InWork < w.gate.Stats().Limit; n++ {
		p, err := w.gate.Enter(w.t.Context(), admit.Care, admit.Client{Key: n, Addr: n})
		w.must(err)
		places = append(places, p)
	}
	return func() {
		for _, p := range places {
			p.Leave()
		}
	}
}

// Whoever finds no place is told so in words they read, when to come back, and nothing else has happened: no line in a
// record, no session touched. Health, static files and the capability statement need no place.
func TestShed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tok := w.token("system/*.cruds", false)
	lab, amina := w.first("amina", "Observation", "_sort=-date&_count=1"), w.patientID("amina")
	b := w.as("amina")
	b.get("/results")
	lines, logged := len(w.lines("amina")), len(w.logs.String())
	leave := w.fill()
	retries := func(what string, a answer) {
		t.Helper()
		if n, err := strconv.Atoi(a.header.Get("Retry-After")); a.status != 503 || err != nil || n < 1 || n > 20 {
			t.Errorf("%s: %d, Retry-After %q", what, a.status, a.header.Get("Retry-After"))
		}
	}
	for lang, want := range map[string]string{"en": "We are very busy", "es": "Hay mucha actividad", "ar": `dir="rtl"`} {
		b.cookies["lang"] = lang
		a := b.get("/results")
		retries(lang, a)
		if !strings.Contains(a.body, want) || strings.Contains(a.body, "Amina") || len(a.header.Values("Set-Cookie")) > 0 ||
			a.header.Get("Content-Security-Policy") == "" || a.header.Get("Cache-Control") != "no-store" || len(a.body) > 8<<10 {
			t.Errorf("%s: the busy page is %d bytes: %v %s", lang, len(a.body), a.header, cut(a.body, 300))
		}
	}
	b.cookies["lang"] = "en"
	form := b.post("/results", nil)
	retries("a form", form)
	if strings.Contains(form.body, `href="?"`) || !strings.Contains(form.body, "did not arrive") {
		t.Errorf("a form that did not arrive: %s", cut(form.body, 500))
	}
	retries("sign-in", w.browser().get("/signin"))
	for what, a := range map[string]answer{
		"read":   w.call(tok, "GET", "/fhir/Observation/"+lab, ""),
		"search": w.call(tok, "GET", "/fhir/Observation?patient="+amina, ""),
		"create": w.call(tok, "POST", "/fhir/Observation", `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/`+amina+`"}}`),
	} {
		retries(what, a)
		if !strings.Contains(a.body, `"OperationOutcome"`) || !strings.Contains(a.body, `"throttled"`) {
			t.Errorf("%s: %s", what, a.body)
		}
	}
	for _, path := range []string{"/healthz", "/sw.js"} {
		if a := b.get(path); a.status != 200 {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	if a := w.call("", "GET", "/fhir/metadata", ""); a.status != 200 {
		t.Errorf("metadata: %d", a.status)
	}
	if a := w.call("wgt_"+strings.Repeat("A", 43), "GET", "/fhir/Observation/"+lab, ""); a.status != 401 {
		t.Errorf("an unknown token costs a place: %d", a.status)
	}
	if n := len(w.lines("amina")); n != lines {
		t.Errorf("what was shed left %d lines", n-lines)
	}
	if more := w.logs.String()[logged:]; strings.Count(more, "\n") > 2 {
		t.Errorf("what was shed is logged one by one: %s", more)
	}
	leave()
	if a := b.get("/results"); a.status != 200 {
		t.Errorf("afterwards: %d", a.status)
	}
	if a := w.call(tok, "GET", "/fhir/Observation/"+lab, ""); a.status != 200 {
		t.Errorf("afterwards: %d", a.status)
	}
	if s := w.gate.Stats(); s.InWork != 0 {
		t.Errorf("%d places were not given back", s.InWork)
	}
}

// Every page and interaction gives its place back, whatever comes of it, and each route has a class: results are care,
// the way in is sign-in, a whole record is bulk.
func TestEveryRouteGivesItsPlaceBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tok := w.token("system/*.cruds", true)
	table, err := routeTable()
	w.must(err)
	b := w.as("amina")
	before := w.gate.Stats().Admitted
	for _, r := range table {
		verb, path, _ := strings.Cut(r.Pattern, " ")
		if strings.HasPrefix(path, "/session") || strings.Contains(path, "end") || path == "/signout" {
			continue
		}
		path = strings.NewReplacer("{$}", "", "{patient}", w.users["amina"].public, "{id}", "x", "{index}", "0", "{code}", "x").Replace(path)
		if verb == "GET" {
			b.get(path)
		} else {
			b.post(path, nil)
		}
	}
	for _, l := range apiTable() {
		verb, path, _ := strings.Cut(l.Pattern, " ")
		path = strings.NewReplacer("{type}", "Observation", "{id}", "x", "{version}", "1").Replace(path)
		w.call(tok, verb, path, map[bool]string{true: "{}"}[verb == "POST" || verb == "PUT"])
	}
	s := w.gate.Stats()
	if s.InWork != 0 || s.Waiting != 0 {
		t.Errorf("places left taken: %+v", s)
	}
	for _, c := range admit.Classes() {
		if s.Admitted[c] == before[c] {
			t.Errorf("no route is %s", c)
		}
	}
}
