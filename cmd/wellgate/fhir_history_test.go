package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// A historyPage is what a test reads of a history.
type historyPage struct {
	Total *int
	Link  []struct{ Relation, URL string }
	Entry []struct {
		Resource *struct{ Meta struct{ VersionId string } }
		Request  struct{ Method, URL string }
		Response struct{ Status, Etag, LastModified string }
	}
}

func (w *world) historyPage(token, path string) (historyPage, string) {
	w.t.Helper()
	a := w.call(token, "GET", path, "")
	var p historyPage
	if a.status != 200 || json.Unmarshal([]byte(a.body), &p) != nil {
		w.t.Fatalf("%s: %d %s", path, a.status, cut(a.body, 300))
	}
	for _, l := range p.Link {
		if l.Relation == "next" {
			u, err := url.Parse(l.URL)
			w.must(err)
			return p, u.RequestURI()
		}
	}
	return p, ""
}

// A condition made, changed five times and deleted by a system: its history has pages, the deletion stands in it, reading it
// says 410, older versions can be read, and its links are sealed (ATK-17).
func TestATK17FHIRHistoryPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	amina := w.patientID("amina")
	tok, other := w.token("system/*.cruds", false), w.token("system/*.cruds", false)
	flag := `{"resourceType":"Flag",%s"status":"active","code":{"text":"v%d"},"subject":{"reference":"Patient/` + amina + `"}}`
	made := w.call(tok, "POST", "/fhir/Flag", fmt.Sprintf(flag, "", 1))
	var r struct{ ID string }
	if made.status != 201 || json.Unmarshal([]byte(made.body), &r) != nil {
		t.Fatalf("create: %d %s", made.status, made.body)
	}
	path := "/fhir/Flag/" + r.ID
	for v := 2; v <= 6; v++ {
		if a := w.call(tok, "PUT", path, fmt.Sprintf(flag, `"id":"`+r.ID+`",`, v)); a.status != 200 {
			t.Fatalf("update: %d %s", a.status, a.body)
		}
	}
	if a := w.call(tok, "DELETE", path, ""); a.status != 204 {
		t.Fatalf("delete: %d %s", a.status, a.body)
	}
	whole, next := w.historyPage(tok, path+"/_history")
	if whole.Total == nil || *whole.Total != 7 || next != "" || len(whole.Entry) != 7 || whole.Entry[0].Request.Method != "DELETE" || whole.Entry[0].Resource != nil || whole.Entry[6].Request.Method != "POST" {
		t.Errorf("the whole history: %+v", whole)
	}
	var versions []string
	var links []string
	for at := path + "/_history?_count=3"; at != ""; {
		p, further := w.historyPage(tok, at)
		if p.Total != nil || len(p.Entry) > 3 {
			t.Errorf("a page: %+v", p)
		}
		for _, e := range p.Entry {
			versions = append(versions, strings.Trim(e.Response.Etag, `W/"`))
		}
		if at = further; at != "" {
			links = append(links, at)
		}
	}
	if strings.Join(versions, "") != "7654321" || len(links) != 2 {
		t.Errorf("the pages hold %v", versions)
	}
	for what, c := range map[string]struct {
		a    answer
		want int
	}{
		"read":                   {w.call(tok, "GET", path, ""), 410},
		"its own deletion":       {w.call(tok, "GET", path+"/_history/7", ""), 410},
		"an older version":       {w.call(tok, "GET", path+"/_history/6", ""), 200},
		"a version never there":  {w.call(tok, "GET", path+"/_history/8", ""), 404},
		"what never was":         {w.call(tok, "GET", path+"x", ""), 404},
		"history of nothing":     {w.call(tok, "GET", path+"x/_history", ""), 404},
		"another's link":         {w.call(other, "GET", links[0], ""), 410},
		"another resource":       {w.call(tok, "GET", strings.Replace(links[0], r.ID, r.ID+"x", 1), ""), 410},
		"a flipped link":         {w.call(tok, "GET", links[0][:len(links[0])-3]+"abc", ""), 410},
		"a link and more":        {w.call(tok, "GET", links[0]+"&_count=100", ""), 410},
		"no count":               {w.call(tok, "GET", path+"/_history?_count=0", ""), 400},
		"since nothing":          {w.call(tok, "GET", path+"/_history?_since=Canaryword", ""), 400},
		"at nothing":             {w.call(tok, "GET", path+"/_history?_at=Canaryword", ""), 400},
		"a parameter of searchs": {w.call(tok, "GET", path+"/_history?_sort=-date", ""), 400},
		"without the scope":      {w.call(w.token("system/Observation.rs", false), "GET", path+"/_history", ""), 403},
		"deleted, no scope":      {w.call(w.token("system/Observation.rs", false), "GET", path, ""), 403},
	} {
		if c.a.status != c.want || strings.Contains(c.a.body, "Canaryword") {
			t.Errorf("%s: %d, want %d: %s", what, c.a.status, c.want, cut(c.a.body, 300))
		}
	}
	w.pass(90 * 60 * 1e9)
	if a := w.call(tok, "GET", links[0], ""); a.status != 410 {
		t.Errorf("an old link: %d", a.status)
	}
	if p, _ := w.historyPage(tok, path+"/_history?_since="+url.QueryEscape(w.clock().UTC().Format("2006-01-02T15:04:05Z"))); len(p.Entry) != 0 {
		t.Errorf("since now: %+v", p)
	}
	if p, _ := w.historyPage(tok, path+"/_history?_at="+url.QueryEscape(w.clock().UTC().Format("2006-01-02T15:04:05Z"))); len(p.Entry) != 1 || p.Entry[0].Request.Method != "DELETE" {
		t.Errorf("at this moment: %+v", p)
	}
}

// What was labelled when it was deleted stays hidden: no 410, no version, no history (PRV-03, AZ-05).
func TestATK58FHIRDeletedLabels(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	amina := w.patientID("amina")
	blind, seeing := w.token("system/*.cruds", false), w.token("system/*.cruds", true)
	flag := `{"resourceType":"Flag",%s"status":"active","code":{"text":"Quietmark"},"subject":{"reference":"Patient/` + amina + `"}}`
	made := w.call(seeing, "POST", "/fhir/Flag", fmt.Sprintf(flag, ""))
	var r struct{ ID string }
	if made.status != 201 || json.Unmarshal([]byte(made.body), &r) != nil {
		t.Fatalf("create: %d %s", made.status, made.body)
	}
	path := "/fhir/Flag/" + r.ID
	if a := w.call(seeing, "PUT", path, fmt.Sprintf(flag, `"id":"`+r.ID+`","meta":{"security":[{"code":"HIV"}]},`)); a.status != 200 {
		t.Fatalf("label: %d %s", a.status, a.body)
	}
	if a := w.call(seeing, "DELETE", path, ""); a.status != 204 {
		t.Fatalf("delete: %d %s", a.status, a.body)
	}
	if a := w.call(seeing, "GET", path, ""); a.status != 410 {
		t.Errorf("who sees labels: %d", a.status)
	}
	for _, more := range []string{"", "/_history", "/_history/1", "/_history/2", "/_history/3"} {
		yours := w.call(blind, "GET", path+more, "")
		nothing := w.call(blind, "GET", path+"x"+more, "")
		same := func(a answer) string { return fmt.Sprint(a.status, a.body[strings.Index(a.body, "issue"):]) }
		if yours.status != 404 || same(yours) != same(nothing) {
			t.Errorf("%q: %s, what is not there: %s", more, same(yours), same(nothing))
		}
	}
}

// The matrix of includes: what a token may have from the directory is what its scope says, type by type.
func TestFHIRIncludeMatrix(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	amina := w.patientID("amina")
	include := "/fhir/Encounter?patient=" + amina + "&_count=100&_include=Encounter:participant&_include=Encounter:service-provider&_include=Encounter:location&_include=Encounter:subject"
	types := []string{"Practitioner", "Organization", "Location", "Patient"}
	of := func(tok string) map[string]int {
		var b struct {
			Entry []struct {
				Resource struct{ ResourceType string }
				Search   struct{ Mode string }
			}
		}
		a := w.call(tok, "GET", include, "")
		if a.status != 200 || json.Unmarshal([]byte(a.body), &b) != nil {
			t.Fatalf("search: %d %s", a.status, cut(a.body, 300))
		}
		got := map[string]int{}
		for _, e := range b.Entry {
			if e.Search.Mode == "include" {
				got[e.Resource.ResourceType]++
			}
		}
		return got
	}
	all := of(w.token("system/*.rs", false))
	if all["Practitioner"] == 0 || all["Patient"] != 1 {
		t.Fatalf("includes for who may have all: %v", all)
	}
	for mask := range 1 << len(types) {
		scope := "system/Encounter.s"
		for i, typ := range types {
			if mask>>i&1 == 1 {
				scope += " system/" + typ + ".r"
			}
		}
		got := of(w.token(scope, false))
		for i, typ := range types {
			want := 0
			if mask>>i&1 == 1 {
				want = all[typ]
			}
			if got[typ] != want {
				t.Errorf("%s: %d of %s, want %d", scope, got[typ], typ, want)
			}
		}
	}
}

// A patient reads who looked, systems too, in words of their language.
func TestFHIRWhoLooked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tok := w.token("system/*.rs", false)
	if a := w.call(tok, "GET", "/fhir/Observation?patient="+w.patientID("amina")+"&_count=1", ""); a.status != 200 {
		t.Fatalf("search: %d %s", a.status, a.body)
	}
	b := w.as("amina")
	for lang, want := range map[string][]string{
		"en": {"Lab, a connected system", "Connected for your care"},
		"es": {"Lab, un sistema conectado", "Conectado para su atención"},
		"ar": {"نظام متصل", "متصل من أجل رعايتك"},
	} {
		b.cookies["lang"] = lang
		a := b.get("/looked")
		for _, text := range want {
			if a.status != 200 || !strings.Contains(a.body, text) {
				t.Errorf("%s: %d, no %q", lang, a.status, text)
			}
		}
	}
}
