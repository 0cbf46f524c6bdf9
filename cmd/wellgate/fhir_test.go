package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/wellgate/wellgate/trust/identity"
)

// token makes one for a system called Lab.
func (w *world) token(scope string, labels bool) string {
	w.t.Helper()
	t, _, err := w.h.identity.Tokens.Make(context.Background(), identity.Service{
		Name: "Lab", Scope: scope, Labels: labels, Purpose: "TREAT", Expires: w.clock().Add(24 * time.Hour),
	}, "test")
	w.must(err)
	return t
}

// call asks the FHIR door. header are pairs of name and value.
func (w *world) call(token, method, path, body string, header ...string) answer {
	w.t.Helper()
	r := httptest.NewRequest(method, "http://"+testHost+path, strings.NewReader(body))
	r.RemoteAddr = "203.0.113.9:4000"
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/fhir+json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	w.fhir.ServeHTTP(rec, r)
	return answer{rec.Code, rec.Result().Header, rec.Body.String()}
}

func (w *world) patientID(name string) string {
	w.t.Helper()
	r, err := w.system(name).Patient(context.Background())
	w.must(err)
	return r.ID()
}

func total(t *testing.T, a answer) int {
	t.Helper()
	var b struct{ Total int }
	if a.status != 200 || json.Unmarshal([]byte(a.body), &b) != nil {
		t.Fatalf("no searchset: %d %s", a.status, cut(a.body, 300))
	}
	return b.Total
}

// What one call leaves in the record's log, exactly; and a token that ends.
func TestFHIRTraces(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lab := w.first("amina", "Observation", "code=http://loinc.org|4548-4&_sort=-date")
	amina := w.patientID("amina")
	all, narrow := w.token("system/*.cruds", false), w.token("system/Observation.rs", false)
	one := func(what string, do func() answer, status int, want ...string) {
		t.Helper()
		before := len(w.lines("amina"))
		if a := do(); a.status != status {
			t.Errorf("%s: %d, want %d: %s", what, a.status, status, cut(a.body, 300))
		}
		got := w.lines("amina")[before:]
		if len(got) != len(want) {
			t.Errorf("%s: %d entries, want %d: %+v", what, len(got), len(want), got)
			return
		}
		for i, g := range got {
			if s := fmt.Sprintf("%s %s %s %s %s", g.Name, g.Action, g.What, g.Purpose, g.Outcome); s != want[i] {
				t.Errorf("%s: entry %q, want %q", what, s, want[i])
			}
			if g.Request == "" || g.Policy == "" || g.IP != "203.0.113.9" || g.Session == "" || !strings.HasPrefix(g.Account, "token:") {
				t.Errorf("%s: the entry lacks something: %+v", what, g)
			}
		}
	}
	get := func(token, path string) func() answer {
		return func() answer { return w.call(token, "GET", path, "") }
	}
	one("a result", get(all, "/fhir/Observation/"+lab), 200, "Lab read api.read TREAT ok")
	one("a search", get(all, "/fhir/Observation?patient="+amina), 200, "Lab read api.search TREAT ok")
	one("everything", get(all, "/fhir/Patient/"+amina+"/$everything"), 200, "Lab read api.everything TREAT ok")
	one("beyond the scope", get(narrow, "/fhir/Patient/"+amina), 403, "Lab read api.read TREAT refused")
	one("what is not there", get(all, "/fhir/Observation/nothing"), 404)
	one("no token", get("", "/fhir/Observation/"+lab), 401)
	one("a token made up", get("wgt_"+strings.Repeat("A", 43), "/fhir/Observation/"+lab), 401)
	list, err := w.h.identity.Tokens.List(context.Background())
	w.must(err)
	for _, s := range list {
		w.must(w.h.identity.Tokens.Revoke(context.Background(), s.ID, "test"))
	}
	one("a token revoked", get(all, "/fhir/Observation/"+lab), 401)
	old := w.token("system/*.rs", false)
	w.pass(25 * time.Hour)
	one("a token expired", get(old, "/fhir/Observation/"+lab), 401)
}

// What carries a label is not there for a token that was not made for it: by id, version, history, search, count, include,
// everything, condition and change (PRV-03, ATK-55, ATK-56, ATK-58).
func TestATK58FHIRLabels(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	amina := w.patientID("amina")
	blind, seeing := w.token("system/*.cruds", false), w.token("system/*.cruds", true)
	if a := w.call(seeing, "GET", "/fhir/Observation/hiv-test", ""); a.status != 200 || !strings.Contains(a.body, "Quietmark") {
		t.Fatalf("a token made for labels: %d", a.status)
	}
	for _, path := range []string{"/Observation/hiv-test", "/Observation/hiv-test/_history", "/Observation/hiv-test/_history/1", "/Observation/sealed-test"} {
		yours := w.call(blind, "GET", "/fhir"+path, "", "If-None-Match", `W/"1"`)
		nothing := w.call(blind, "GET", "/fhir"+strings.ReplaceAll(strings.ReplaceAll(path, "hiv-test", "hiv-nope"), "sealed", "sealer"), "", "If-None-Match", `W/"1"`)
		same := func(a answer) string { return fmt.Sprint(a.status, a.body[strings.Index(a.body, "issue"):]) }
		if yours.status != 404 || same(yours) != same(nothing) {
			t.Errorf("%s: %s, what is not there: %s", path, same(yours), same(nothing))
		}
	}
	for _, path := range []string{
		"/Observation?patient=" + amina + "&_count=100", "/Observation?_id=hiv-test", "/Observation?patient=" + amina + "&_security=HIV",
		"/Patient?_id=" + amina + "&_revinclude=Observation:subject&_revinclude=Encounter:subject", "/Patient/" + amina + "/$everything",
		"/DocumentReference?patient=" + amina, "/Observation?patient=" + amina + "&_summary=count&_security=HIV",
	} {
		if a := w.call(blind, "GET", "/fhir"+path, ""); a.status != 200 || strings.Contains(a.body, "uietmark") || strings.Contains(a.body, "Deepmark") ||
			strings.Contains(path, "HIV") && total(t, a) != 0 {
			t.Errorf("%s: %d %s", path, a.status, cut(a.body, 300))
		}
	}
	if all, some := total(t, w.call(seeing, "GET", "/fhir/Observation?patient="+amina+"&_summary=count", "")),
		total(t, w.call(blind, "GET", "/fhir/Observation?patient="+amina+"&_summary=count", "")); all != some+2 {
		t.Errorf("counts: %d with labels, %d without", all, some)
	}
	body := `{"resourceType":"Observation","id":"hiv-test","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/` + amina + `"}}`
	if a := w.call(blind, "PUT", "/fhir/Observation/hiv-test", body); a.status != 404 {
		t.Errorf("changed unseen: %d %s", a.status, a.body)
	}
	fresh := strings.Replace(body, `"id":"hiv-test",`, "", 1)
	if a := w.call(blind, "POST", "/fhir/Observation", fresh, "If-None-Exist", "_security=HIV"); a.status != 201 {
		t.Errorf("a condition told of what is hidden: %d %s", a.status, a.body)
	}
}

// A link to a further page is sealed: changed, aimed at another type or used by another token it opens nothing (ATK-17).
func TestATK17FHIRPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	amina := w.patientID("amina")
	a, b := w.token("system/*.rs", false), w.token("system/*.rs", false)
	seen, path := 0, "/fhir/Observation?patient="+amina+"&_count=7&_sort=-date"
	var links []string
	whole := 0
	for path != "" {
		got := w.call(a, "GET", path, "")
		var bundle struct {
			Total int
			Link  []struct{ Relation, URL string }
			Entry []any
		}
		if got.status != 200 || json.Unmarshal([]byte(got.body), &bundle) != nil {
			t.Fatalf("%s: %d", path, got.status)
		}
		seen, whole, path = seen+len(bundle.Entry), bundle.Total, ""
		for _, l := range bundle.Link {
			if l.Relation == "next" {
				u, err := url.Parse(l.URL)
				w.must(err)
				path = u.RequestURI()
				links = append(links, path)
			}
		}
	}
	if seen != whole || len(links) == 0 {
		t.Fatalf("the pages hold %d of %d", seen, whole)
	}
	link := links[0]
	at := len(link) - 20
	flipped := link[:at] + map[bool]string{true: "B", false: "A"}[link[at] == 'A'] + link[at+1:]
	for name, try := range map[string]answer{
		"flipped": w.call(a, "GET", flipped, ""), "another token": w.call(b, "GET", link, ""),
		"another type":               w.call(a, "GET", strings.Replace(link, "Observation", "Condition", 1), ""),
		"with a condition beside it": w.call(a, "GET", link+"&patient=x", ""), "garbage": w.call(a, "GET", "/fhir/Observation?_page=xyz", ""),
	} {
		if try.status != 410 {
			t.Errorf("%s: %d", name, try.status)
		}
	}
	w.pass(2 * time.Hour)
	if got := w.call(a, "GET", link, ""); got.status != 410 {
		t.Errorf("an old link: %d", got.status)
	}
}

// Refusals: each before anything is done, each an OperationOutcome that repeats nothing (ATK-14, 18, 42, 48, 55, 73).
func TestATK55FHIRRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	amina, miguel := w.patientID("amina"), w.patientID("miguel")
	tok := w.token("system/*.cruds", false)
	lab := w.first("amina", "Observation", "code=http://loinc.org|4548-4&_sort=-date")
	swap := `{"resourceType":"Observation","id":"` + lab + `","status":"final","code":{"text":"Canaryword"},"subject":{"reference":"Patient/` + miguel + `"}}`
	for _, c := range []struct {
		name, method, path, body string
		want                     int
		header                   []string
	}{
		{"across patients", "GET", "/fhir/Observation?code=Canaryword", "", 400, nil},
		{"two patients", "GET", "/fhir/Observation?patient=" + amina + "," + miguel, "", 400, nil},
		{"by name", "GET", "/fhir/Patient?name=Canaryword", "", 400, nil},
		{"chained", "GET", "/fhir/Observation?patient=" + amina + "&patient.name=Canaryword", "", 400, nil},
		{"has", "GET", "/fhir/Patient?_id=" + amina + "&_has:Observation:patient:code=Canaryword", "", 400, nil},
		{"unknown parameter", "GET", "/fhir/Observation?patient=" + amina + "&nonesuch=Canaryword", "", 400, nil},
		{"elements", "GET", "/fhir/Observation?patient=" + amina + "&_elements=status", "", 400, nil},
		{"sort by SQL", "GET", "/fhir/Observation?patient=" + amina + "&_sort=Canaryword;drop", "", 400, nil},
		{"token in the address", "GET", "/fhir/Patient/" + amina + "?access_token=" + tok, "", 400, nil},
		{"XML", "GET", "/fhir/Patient/" + amina, "", 406, []string{"Accept", "application/fhir+xml"}},
		{"XML by format", "GET", "/fhir/Patient/" + amina + "?_format=xml", "", 406, nil},
		{"form as JSON", "POST", "/fhir/Observation", swap, 415, []string{"Content-Type", "text/plain"}},
		{"duplicate keys", "POST", "/fhir/Observation", `{"resourceType":"Observation","status":"final","status":"Canaryword"}`, 400, nil},
		{"too deep", "POST", "/fhir/Observation", `{"resourceType":"Observation","x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, 400, nil},
		{"of nobody", "POST", "/fhir/Observation", `{"resourceType":"Observation","status":"final","code":{"text":"Canaryword"},"subject":{"reference":"Patient/nobody"}}`, 422, nil},
		{"to another patient", "PUT", "/fhir/Observation/" + lab, swap, 422, nil},
		{"another's id", "PUT", "/fhir/Observation/other", swap, 400, nil},
		{"stale version", "PUT", "/fhir/Observation/" + lab, strings.Replace(swap, miguel, amina, 1), 412, []string{"If-Match", `W/"99"`}},
		{"long address", "GET", "/fhir/Observation?patient=" + strings.Repeat("x", 9000), "", 414, nil},
		{"no such type", "GET", "/fhir/Nonesuch/1", "", 404, nil},
		{"patch", "PATCH", "/fhir/Observation/" + lab, "{}", 405, nil},
		{"two batches too many", "POST", "/fhir", `{"resourceType":"Bundle","type":"batch","entry":[` + strings.Repeat(`{"request":{"method":"GET","url":"Patient/x"}},`, 100) + `{"request":{"method":"GET","url":"Patient/x"}}]}`, 413, nil},
	} {
		a := w.call(tok, c.method, c.path, c.body, c.header...)
		if a.status != c.want || !strings.Contains(a.body, `"OperationOutcome"`) || strings.Contains(a.body, "Canaryword") || strings.Contains(a.body, tok) {
			t.Errorf("%s: %d, want %d: %s", c.name, a.status, c.want, cut(a.body, 300))
		}
	}
	narrow := w.token("system/Observation.c", false)
	for _, bundle := range []string{
		`{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"DELETE","url":"Observation/` + lab + `"}}]}`,
		`{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"GET","url":"Patient/` + amina + `"}}]}`,
	} {
		if a := w.call(narrow, "POST", "/fhir", bundle); a.status != 403 {
			t.Errorf("beyond the scope in a Bundle: %d %s", a.status, cut(a.body, 200))
		}
	}
	if a := w.call(tok, "GET", "/fhir/Observation?patient="+amina+"&nonesuch=1", "", "Prefer", "handling=lenient"); a.status != 200 {
		t.Errorf("lenient: %d %s", a.status, a.body)
	}
}

func TestPlainListensHereOnly(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:0", ":0", "[::]:0", "localhost:0", "192.0.2.1:0", "example.com:80", "[fe80::1%lo]:0", "unix"} {
		if l, err := listenPlain(addr); err == nil {
			l.Close()
			t.Errorf("%s: taken", addr)
		}
	}
	for _, addr := range []string{"127.0.0.1:0", "unix:" + t.TempDir() + "/s"} {
		l, err := listenPlain(addr)
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
	}
}

// The matrix of the FHIR door: every interaction by tokens of every letter, of another type, and by nobody (AZ-01, AZ-02).
func TestFHIRMatrix(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lab := w.first("amina", "Observation", "code=http://loinc.org|4548-4&_sort=-date")
	amina := w.patientID("amina")
	body := `{"resourceType":"Observation","id":"` + lab + `","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/` + amina + `"}}`
	cells := 0
	for _, letter := range []string{"", "c", "r", "u", "d", "s"} {
		for _, of := range []string{"*", "Observation", "Condition"} {
			tok := ""
			if letter != "" {
				tok = w.token("system/"+of+"."+letter, false)
			}
			for _, r := range apiTable() {
				verb, path, _ := strings.Cut(r.Pattern, " ")
				typ := "Observation"
				if strings.Contains(path, "everything") {
					typ, path = "Patient", strings.Replace(path, "{id}", amina, 1)
				}
				path = strings.NewReplacer("{type}", typ, "{id}", lab, "{version}", "1").Replace(path)
				send, header := "", []string(nil)
				switch {
				case r.Name == "api.bundle":
					send = `{"resourceType":"Bundle","type":"transaction","entry":[{"resource":` + body + `,"request":{"method":"PUT","url":"Observation/` + lab + `"}}]}`
				case strings.HasSuffix(path, "_search"):
					send, header = "patient="+amina, []string{"Content-Type", "application/x-www-form-urlencoded"}
				case verb == "POST" || verb == "PUT":
					send = body
				case r.Name == "api.search":
					path += "?patient=" + amina
				}
				does := r.Action
				if r.Name == "api.bundle" {
					does = "update"
				}
				allow := r.For == "anyone" || letter != "" && (of == "*" || of == typ) &&
					letter == map[string]string{"create": "c", "read": "r", "update": "u", "delete": "d", "search": "s"}[does]
				a := w.call(tok, verb, path, send, header...)
				cells++
				switch {
				case allow && (a.status == 401 || a.status == 403):
					t.Errorf("%s.%s: %s: %d, want it allowed: %s", of, letter, r.Pattern, a.status, a.body)
				case !allow && letter == "" && a.status != 401, !allow && letter != "" && a.status != 403:
					t.Errorf("%s.%s: %s: %d, UNEXPECTED", of, letter, r.Pattern, a.status)
				}
			}
		}
	}
	t.Logf("%d cells", cells)
}
