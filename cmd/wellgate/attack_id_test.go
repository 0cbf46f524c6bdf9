package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/wellgate/wellgate/care"
	"github.com/wellgate/wellgate/doors/web"
	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/internal/admit"
	"github.com/wellgate/wellgate/internal/clock"
	"github.com/wellgate/wellgate/site"
)

// Attacks on ids and parameters. Each names the attack class it is and what happened elsewhere.

func shows(a answer, words ...string) string {
	for _, w := range words {
		if strings.Contains(a.body, w) {
			return w
		}
	}
	return ""
}

// ATK-01: a portal took the patient from a hidden field, so a changed field showed somebody else's account.
func TestATK01PatientFromTheRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	miguel := w.as("miguel")
	lab := w.first("amina", "Observation", "code=http://loinc.org|4548-4&_sort=-date")
	her := []string{w.users["amina"].public, fmt.Sprint(w.users["amina"].account.Chart), w.first("amina", "Patient", ""), w.users["amina"].account.ID}
	for _, name := range []string{"patient", "chart", "pid", "patient_id", "subject", "account", "who", "as", "proxy", "user"} {
		for _, v := range her {
			q := "?" + name + "=" + url.QueryEscape(v)
			for _, path := range []string{"/", "/results", "/record", "/looked", "/documents", "/take"} {
				if a := miguel.get(path + q); a.status != 200 || shows(a, hers...) != "" {
					t.Errorf("GET %s: %d, shows %q", path+q, a.status, shows(a, hers...))
				}
			}
			if a := miguel.get("/results/" + lab + q); a.status != 404 || shows(a, everything()...) != "" {
				t.Errorf("her result with %s: %d", q, a.status)
			}
		}
	}
	for _, v := range her {
		if a := miguel.post("/results", url.Values{"q": {""}, "patient": {v}, "chart": {v}, "pid": {v}}); a.status != 200 || shows(a, hers...) != "" {
			t.Errorf("a search with hidden fields: %d, shows %q", a.status, shows(a, hers...))
		}
		r := miguel.request("GET", "/results", nil)
		for _, h := range []string{"X-Patient", "X-Patient-Id", "X-Chart", "X-User", "X-Forwarded-User", "X-Remote-User", "Remote-User", "X-Original-URL", "X-Rewrite-URL"} {
			r.Header.Set(h, v)
		}
		r.AddCookie(&http.Cookie{Name: "patient", Value: v})
		r.AddCookie(&http.Cookie{Name: "chart", Value: v})
		if a := miguel.send(r); a.status != 200 || shows(a, hers...) != "" {
			t.Errorf("headers and cookies that name her: %d, shows %q", a.status, shows(a, hers...))
		}
	}
}

// ATK-02: the next number up was the next patient's report; direct links needed no sign-in.
func TestATK02NeighbouringIDs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	amina, miguel, nobody := w.as("amina"), w.as("miguel"), w.browser()
	lab := w.first("amina", "Observation", "code=http://loinc.org|4548-4&_sort=-date")
	for i := range lab {
		for _, c := range "abz29" {
			id := lab[:i] + string(c) + lab[i+1:]
			if id == lab {
				continue
			}
			if a := amina.get("/results/" + id); a.status != 404 {
				t.Errorf("/results/%s, one letter off: %d", id, a.status)
			}
		}
	}
	for i := range 200 {
		path := fmt.Sprintf("/looked/%d/receipt", i)
		if a := miguel.get(path); a.status != 404 && shows(a, hers...) != "" || a.status >= 500 {
			t.Errorf("%s as Miguel: %d shows %q", path, a.status, shows(a, hers...))
		}
		if a := nobody.get(path); a.status != 303 {
			t.Errorf("%s as a stranger: %d", path, a.status)
		}
	}
}

// ATK-03: one stolen sign-in downloaded 428,000 files of others. Here every id of Amina's, asked for with Miguel's.
func TestATK03HarvestByID(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	miguel := w.as("miguel")
	tried := 0
	for typ, paths := range map[string][]string{
		"Observation": {"/results/%s", "/vitals/%s"}, "DiagnosticReport": {"/results/report/%s", "/results/%s"},
		"DocumentReference": {"/documents/%s", "/documents/%s/file", "/documents/%s/file?show=1&part=0"}, "Binary": {"/documents/%s", "/documents/%s/file"},
		"Encounter": {"/visits/%s"}, "Appointment": {"/appointments/%s/calendar.ics"},
	} {
		found, err := w.system("amina").Search(context.Background(), typ, "_count=120")
		w.must(err)
		for _, e := range found {
			for _, p := range paths {
				tried++
				if a := miguel.get(fmt.Sprintf(p, e.ID())); a.status != 404 || shows(a, everything()...) != "" {
					t.Errorf("%s: %d", fmt.Sprintf(p, e.ID()), a.status)
				}
			}
		}
	}
	if tried < 300 {
		t.Errorf("only %d ids tried", tried)
	}
}

// ATK-05: a note was changed by its id alone, whoever's it was.
func TestATK05ChangeByIDThroughAnotherRecord(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dr := w.as("priya")
	w.opens("priya", "miguel", "TREAT")
	lab := w.first("amina", "Observation", "code=http://loinc.org|4548-4&_sort=-date")
	comment := w.first("amina", "ClinicalImpression", "_sort=-date")
	through := "/desk/" + w.users["miguel"].public + "/results/"
	before, err := w.system("amina").Get(context.Background(), "ClinicalImpression", comment)
	w.must(err)
	n, err := w.system("amina").Count(context.Background(), "ClinicalImpression")
	w.must(err)
	for path, form := range map[string]url.Values{
		through + "comments/" + comment + "/withdrawal": nil,
		through + lab + "/comments":                     {"text": {"For the wrong person."}},
	} {
		if a := dr.post(path, form); a.status != 404 || shows(a, everything()...) != "" {
			t.Errorf("POST %s: %d", path, a.status)
		}
	}
	after, err := w.system("amina").Get(context.Background(), "ClinicalImpression", comment)
	w.must(err)
	m, err := w.system("amina").Count(context.Background(), "ClinicalImpression")
	w.must(err)
	if string(before.Raw()) != string(after.Raw()) || n != m {
		t.Error("something in Amina's record changed")
	}
	if _, err := w.system("miguel").Get(context.Background(), "ClinicalImpression", comment); err == nil {
		t.Error("her comment is in his record")
	}
}

// ATK-08: looking at another patient's form made that patient the session's, for every later page.
func TestATK08ForeignFormSwitchesNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dr, amina := w.as("priya"), w.as("amina")
	w.opens("priya", "amina", "TREAT")
	her, his := "/desk/"+w.users["amina"].public, "/desk/"+w.users["miguel"].public
	hisLab := w.first("miguel", "Observation", "category=laboratory&_sort=-date")
	lab := w.first("amina", "Observation", "code=http://loinc.org|4548-4&_sort=-date")
	for _, path := range []string{his, his + "/record", his + "/results/" + hisLab, her + "/results/" + hisLab} {
		if a := dr.get(path); a.status != 404 || shows(a, "Miguel", "Ortega") != "" {
			t.Errorf("GET %s: %d", path, a.status)
		}
		if a := dr.get(her + "/record?patient=" + w.users["miguel"].public); a.status != 200 || !strings.Contains(a.body, "Amina Rahman") || shows(a, "Ortega") != "" {
			t.Errorf("after %s her record answers %d, shows %q", path, a.status, shows(a, "Ortega"))
		}
	}
	// Two records open in two tabs: each address keeps to its own.
	w.opens("priya", "miguel", "TREAT")
	a := dr.post(her+"/results/"+lab+"/comments", url.Values{"text": {"For Amina alone."}, "patient": {w.users["miguel"].public}, "subject": {"Patient/" + w.first("miguel", "Patient", "")}})
	if a.status != 303 || !strings.HasPrefix(a.header.Get("Location"), her+"/") {
		t.Errorf("a comment in the first tab: %d %s", a.status, a.header.Get("Location"))
	}
	if a := amina.get("/results/" + lab); !strings.Contains(a.body, "For Amina alone.") {
		t.Error("it did not reach Amina")
	}
	if a := dr.get(his + "/results"); a.status != 200 || shows(a, hers...) != "" {
		t.Errorf("his tab: %d, shows %q", a.status, shows(a, hers...))
	}
	// And in the portal a foreign address leaves nothing behind.
	amina.get("/results/" + hisLab)
	amina.get("/desk/" + w.users["miguel"].public + "/record")
	if a := amina.get("/record"); a.status != 200 || shows(a, "Ortega") != "" {
		t.Errorf("her own record afterwards: %d", a.status)
	}
}

// ATK-09: pages were registered without a permission check. Here the program does not start.
func TestATK09RouteWithoutPolicy(t *testing.T) {
	t.Parallel()
	words, err := site.NewCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	ok := func(*care.Visit) error { return nil }
	build := func(routes ...care.Route) error {
		_, err := web.New(web.Config{
			Rooms: []care.Room{{Name: "x", Routes: routes}}, Words: words, Practice: site.Practice{Zone: time.UTC}, Hosts: []string{"localhost"},
			Secret: make([]byte, 32), Clock: clock.System, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
			Gate: admit.New(admit.Config{Cores: 1, Clock: clock.System, Delay: admit.Delay()}),
		})
		return err
	}
	if err := build(care.Route{Pattern: "GET /x", Name: "x.x", Action: "read", Handle: ok}); err != nil {
		t.Fatalf("a whole route: %v", err)
	}
	for what, routes := range map[string][]care.Route{
		"no action":     {{Pattern: "GET /x", Name: "x.x", Handle: ok}},
		"no name":       {{Pattern: "GET /x", Action: "read", Handle: ok}},
		"no handler":    {{Pattern: "GET /x", Name: "x.x", Action: "read"}},
		"any method":    {{Pattern: "/x", Name: "x.x", Action: "read", Handle: ok}},
		"PUT":           {{Pattern: "PUT /x", Name: "x.x", Action: "read", Handle: ok}},
		"twice":         {{Pattern: "GET /x", Name: "x.x", Action: "read", Handle: ok}, {Pattern: "GET /x", Name: "x.y", Action: "read", Handle: ok}},
		"over a page":   {{Pattern: "GET /help", Name: "x.help", Action: "read", Handle: ok}},
		"over sign-in":  {{Pattern: "POST /signin/password", Name: "x.in", Action: "read", Handle: ok}},
		"over the home": {{Pattern: "GET /{$}", Name: "x.home", Action: "read", Handle: ok}},
	} {
		if err := build(routes...); err == nil {
			t.Errorf("%s: the door opens all the same", what)
		}
	}
}

// ATK-14, ATK-15: SQL in search, ids, dates, filters and cookies. Whatever is sent is data.
func TestATK14SQLAnywhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	amina, desk := w.as("amina"), w.as("marisol")
	lab := w.first("amina", "Observation", "code=http://loinc.org|4548-4&_sort=-date")
	for _, s := range []string{
		"' OR '1'='1", "' OR 1=1 --", "\" OR \"\"=\"", "1; DROP TABLE chart_opening; --", "') UNION SELECT id, sealed FROM identity_account --",
		"%' OR '%'='", "1 OR 1=1", "x' AND (SELECT 1 FROM journal_chart) --", "_", "%", "\x00", "'||(SELECT hash FROM identity_session)||'", "$1", "?1", ":a",
	} {
		e, p := url.QueryEscape(s), url.PathEscape(s)
		for _, path := range []string{
			"/results/" + p, "/results/report/" + p, "/visits/" + p, "/documents/" + p, "/documents/" + p + "/file", "/vitals/" + p, "/looked/" + p + "/receipt",
			"/appointments/" + p + "/calendar.ics", "/results/" + lab + p, "/security/passkeys/" + p,
		} {
			if a := amina.get(path); a.status != 404 && a.status != 400 {
				t.Errorf("GET %s: %d", path, a.status)
			}
		}
		for _, path := range []string{
			"/results?show=" + e, "/results?page=" + e, "/documents?kind=" + e + "&page=" + e, "/timeline?kind=" + e, "/looked?before=" + e + "&show=" + e,
			"/results/" + lab + "?done=" + e, "/medicines?page=" + e, "/security?done=" + e, "/vitals?page=" + e + "&_sort=" + e + "&_elements=" + e + "&_count=" + e,
		} {
			if a := amina.get(path); a.status != 200 {
				t.Errorf("GET %s: %d", path, a.status)
			}
		}
		if a := amina.post("/results", url.Values{"q": {s}, "show": {s}, "page": {s}}); a.status != 200 {
			t.Errorf("search for %q: %d", s, a.status)
		}
		for _, form := range []url.Values{
			{"family": {s}, "given": {s}, "number": {s}}, {"family": {"Rahman"}, "number": {s}}, {"given": {s}, "phone": {"5550130" + s}},
			{"family": {"Rahman"}, "born-day": {s}, "born-month": {"5"}, "born-year": {"1984"}},
		} {
			if a := desk.post("/desk/find", form); a.status != 200 && a.status != 422 || shows(a, "Amina", "WB-104-219") != "" {
				t.Errorf("find %v: %d, shows %q", form, a.status, shows(a, "Amina", "WB-104-219"))
			}
		}
		if a := desk.post("/desk/open", url.Values{"patient": {s}, "purpose": {s}, "reason": {s + " and why"}}); a.status != 404 {
			t.Errorf("open %q: %d", s, a.status)
		}
		b := w.browser()
		b.cookies["sid"], b.cookies["lang"], b.cookies["theme"] = url.QueryEscape(s), url.QueryEscape(s), url.QueryEscape(s)
		if a := b.get("/results"); a.status != 303 {
			t.Errorf("cookies of %q: %d", s, a.status)
		}
		if a := b.post("/signin/password", url.Values{"login": {s}, "password": {s}}); a.status != 422 && a.status != 429 {
			t.Errorf("sign in as %q: %d", s, a.status)
		}
	}
	if a := amina.get("/results/" + lab); a.status != 200 {
		t.Errorf("afterwards her result answers %d", a.status)
	}
	if a := desk.post("/desk/find", url.Values{"given": {"amina"}, "number": {"WB-104-219"}}); shows(a, "Amina Rahman") == "" {
		t.Error("afterwards nobody finds her")
	}
}

// ATK-42: fields that no form has set status, author, patient and role of what was stored.
func TestATK42ExtraFields(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dr := w.as("priya")
	w.opens("priya", "amina", "TREAT")
	lab := w.first("amina", "Observation", "code=http://loinc.org|4548-4&_sort=-date")
	old := w.first("amina", "ClinicalImpression", "_sort=date")
	a := dr.post("/desk/"+w.users["amina"].public+"/results/"+lab+"/comments", url.Values{
		"text": {"As it should be."}, "status": {"entered-in-error"}, "assessor": {w.users["sam"].account.Practitioner}, "author": {"Practitioner/none"},
		"subject": {"Patient/" + w.first("miguel", "Patient", "")}, "patient": {w.users["miguel"].public}, "id": {old}, "resourceType": {"Observation"},
		"meta": {"V"}, "security": {"HIV"}, "role": {"administrator"}, "chart": {"1"}, "practice_id": {"2"}, "verified": {"true"}, "created_by": {"nobody"},
		"summary": {"Another text"}, "effectiveDateTime": {"1999-01-01"}, "date": {"1999-01-01"}, "version": {"99"},
	})
	if a.status != 303 {
		t.Fatalf("the comment: %d", a.status)
	}
	found, err := w.system("amina").Search(context.Background(), "ClinicalImpression", "")
	w.must(err)
	for _, e := range found {
		c := fhir.Into[fhir.ClinicalImpression](e.Resource)
		if c.Summary == "Another text" || e.ID() == old && e.Version != 1 {
			t.Error("a field that is none of the form's was taken")
		}
		if c.Summary != "As it should be." {
			continue
		}
		if c.Status != "completed" || c.Assessor.Reference != w.users["priya"].account.Practitioner || c.Subject.Reference != "Patient/"+w.first("amina", "Patient", "") ||
			e.ID() == old || strings.Contains(string(e.Raw()), "1999") || strings.Contains(string(e.Raw()), "security") {
			t.Errorf("stored as %s", e.Raw())
		}
		if acc, err := w.h.identity.Accounts.Get(context.Background(), w.users["priya"].account.ID); err != nil || acc.Role != "clinician" {
			t.Errorf("her account is now %+v %v", acc, err)
		}
		return
	}
	t.Error("the comment was not stored")
}
