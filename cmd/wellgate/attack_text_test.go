package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// Attacks by text: what somebody wrote, or a partner sent, is shown and never run.

// clean parses a page as a browser does and names whatever in it could run, load from elsewhere or break out.
func clean(a answer) (bad []string) {
	if !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
		return nil
	}
	root, err := html.Parse(strings.NewReader(a.body))
	if err != nil {
		return []string{err.Error()}
	}
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.ElementNode {
			switch n.Data {
			case "script":
				src := attr(n, "src")
				if !strings.HasPrefix(src, "/a/") || n.FirstChild != nil {
					bad = append(bad, "script "+cut(src, 40))
				}
			case "iframe", "object", "embed", "frame", "applet", "base", "style", "math", "marquee", "audio", "video", "template":
				bad = append(bad, n.Data)
			case "img", "link":
				for _, k := range []string{"src", "href"} {
					if v := attr(n, k); v != "" && !strings.HasPrefix(v, "/") || strings.HasPrefix(v, "//") {
						bad = append(bad, n.Data+" "+cut(v, 40))
					}
				}
			case "meta":
				if attr(n, "http-equiv") != "" {
					bad = append(bad, "meta http-equiv")
				}
			}
			for _, at := range n.Attr {
				v := strings.ToLower(strings.Map(func(r rune) rune {
					if r <= ' ' {
						return -1
					}
					return r
				}, at.Val))
				link := at.Key == "href" || at.Key == "src" || at.Key == "action" || at.Key == "formaction" || at.Key == "xlink:href"
				if strings.HasPrefix(at.Key, "on") || at.Key == "srcdoc" || at.Key == "style" || link && (strings.HasPrefix(v, "javascript:") || strings.HasPrefix(v, "data:") || strings.HasPrefix(v, "vbscript:")) {
					bad = append(bad, n.Data+" "+at.Key)
				}
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(root)
	return bad
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// The checker itself must see what it is there for.
func TestCleanSeesWhatRuns(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`<p><script>alert(1)</script>`, `<script src=//evil.example/x.js></script>`, `<img src=x onerror=alert(1)>`, `<a href="java	script:alert(1)">x</a>`,
		`<svg onload=alert(1)>`, `<iframe src=x>`, `<p style="background:url(//evil.example)">`, `<meta http-equiv=refresh content=0>`, `<base href=//evil.example>`,
		`<img src="//evil.example/beacon.gif">`, `<form action="data:text/html,x">`, `<details ontoggle=alert(1)>`,
	} {
		if a := (answer{200, map[string][]string{"Content-Type": {"text/html; charset=utf-8"}}, body}); len(clean(a)) == 0 {
			t.Errorf("sees nothing wrong with %s", body)
		}
	}
}

const script = `</td></textarea></title></style>"'><script>alert('own')</script><img src=x onerror=alert(1)><svg/onload=alert(1)><a href=javascript:alert(1)>x</a>`

// ATK-25, ATK-43: script in narratives, notes, names, documents, comments, reasons and user agents ran before staff and
// patients. Every page of a record full of it.
func TestATK43StoredScript(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := context.Background()
	me := "Patient/" + w.first("amina", "Patient", "")
	js, err := json.Marshal(script)
	w.must(err)
	data := base64.StdEncoding.EncodeToString([]byte(script))
	concept := fmt.Sprintf(`{"text":%s,"coding":[{"code":"x","display":%s}]}`, js, js)
	text := fmt.Sprintf(`"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><script>alert(1)</script><img src=\"https://evil.example/b.gif\"/></div>"},"contained":[{"resourceType":"Practitioner","id":"c","name":[{"text":%s}]}],"note":[{"text":%s}]`, js, js)
	for i, r := range []string{
		`{"resourceType":"Observation","id":"x0","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}]}],"code":CONCEPT,"subject":{"reference":"Patient/me"},"effectiveDateTime":"2026-11-20","valueString":S,"interpretation":[CONCEPT],"referenceRange":[{"text":S}],"performer":[{"reference":"#c"},{"display":S}],TEXT}`,
		`{"resourceType":"Observation","id":"x1","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}],"code":CONCEPT,"subject":{"reference":"Patient/me"},"effectiveDateTime":"2026-11-20","valueQuantity":{"value":1,"unit":S},TEXT}`,
		`{"resourceType":"Condition","id":"x2","subject":{"reference":"Patient/me"},"code":CONCEPT,"clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]},TEXT}`,
		`{"resourceType":"AllergyIntolerance","id":"x3","patient":{"reference":"Patient/me"},"code":CONCEPT,"criticality":"high","clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical","code":"active"}]},"reaction":[{"manifestation":[CONCEPT],"description":S}],TEXT}`,
		`{"resourceType":"MedicationRequest","id":"x4","status":"active","intent":"order","subject":{"reference":"Patient/me"},"medicationCodeableConcept":CONCEPT,"dosageInstruction":[{"text":S,"patientInstruction":S}],"requester":{"display":S},TEXT}`,
		`{"resourceType":"DocumentReference","id":"x5","status":"current","type":CONCEPT,"description":S,"date":"2026-11-20T10:00:00Z","author":[{"display":S}],"subject":{"reference":"Patient/me"},"content":[{"attachment":{"contentType":"text/plain","title":S,"data":"DATA"}}]}`,
		`{"resourceType":"DocumentReference","id":"x6","status":"current","type":CONCEPT,"date":"2026-11-20T10:00:00Z","subject":{"reference":"Patient/me"},"content":[{"attachment":{"contentType":"text/html","title":S,"data":"DATA","url":"javascript:alert(1)"}}]}`,
		`{"resourceType":"Encounter","id":"x7","status":"finished","class":{"code":"AMB","display":S},"type":[CONCEPT],"reasonCode":[CONCEPT],"subject":{"reference":"Patient/me"},"period":{"start":"2026-11-20T10:00:00Z"},"participant":[{"individual":{"display":S}}],"location":[{"location":{"display":S}}]}`,
		`{"resourceType":"Procedure","id":"x8","status":"completed","code":CONCEPT,"subject":{"reference":"Patient/me"},"performedDateTime":"2026-11-20","encounter":{"reference":"Encounter/x7"},TEXT}`,
		`{"resourceType":"Immunization","id":"x9","status":"completed","vaccineCode":CONCEPT,"patient":{"reference":"Patient/me"},"occurrenceString":S,"lotNumber":S,TEXT}`,
		`{"resourceType":"CarePlan","id":"xa","status":"active","intent":"plan","title":S,"description":S,"subject":{"reference":"Patient/me"},"activity":[{"detail":{"status":"in-progress","description":S}}],TEXT}`,
		`{"resourceType":"Appointment","id":"xb","status":"booked","description":S,"comment":S,"patientInstruction":S,"start":"2026-11-24T10:00:00Z","end":"2026-11-24T11:00:00Z","serviceType":[CONCEPT],"participant":[{"actor":{"reference":"Patient/me"},"status":"accepted"},{"actor":{"display":S},"status":"accepted"}]}`,
		`{"resourceType":"DiagnosticReport","id":"xc","status":"final","code":CONCEPT,"subject":{"reference":"Patient/me"},"effectiveDateTime":"2026-11-20","conclusion":S,"result":[{"reference":"Observation/x0"}],"presentedForm":[{"contentType":"text/html","title":S,"data":"DATA"}]}`,
		`{"resourceType":"ClinicalImpression","id":"xd","status":"completed","subject":{"reference":"Patient/me"},"summary":S,"assessor":{"display":S},"date":"2026-11-21T10:00:00Z","investigation":[{"code":{"text":S},"item":[{"reference":"Observation/x0"}]}]}`,
	} {
		r = strings.NewReplacer("CONCEPT", concept, "TEXT", text, "DATA", data, ":S,", ":"+string(js)+",", ":S}", ":"+string(js)+"}").Replace(r)
		if err := w.h.deliverJSON(ctx, me, r); err != nil {
			t.Fatalf("resource %d: %v", i, err)
		}
	}
	p, err := w.system("amina").Patient(ctx)
	w.must(err)
	named := strings.Replace(string(p.Raw()), `"name":[`, fmt.Sprintf(`"name":[{"use":"official","text":%s,"family":%s,"given":[%s]},`, js, js, js), 1)
	w.must(w.h.deliverJSON(ctx, me, strings.Replace(named, `"communication":[{"language":{`, fmt.Sprintf(`"communication":[{"preferred":true,"language":{"text":%s}},{"language":{`, js), 1)))

	amina, dr := w.browser(), w.browser()
	amina.agent, dr.agent = "Mozilla/5.0 "+script, script
	amina.signin(w.users["amina"])
	dr.signin(w.users["priya"])
	a := dr.post("/desk/open", url.Values{"patient": {w.users["amina"].public}, "purpose": {"TREAT"}, "reason": {script}})
	if a.status != 303 {
		t.Fatalf("opening with script for a reason: %d", a.status)
	}
	base := "/desk/" + w.users["amina"].public
	if a := dr.post(base+"/results/x0/comments", url.Values{"text": {script}}); a.status != 303 {
		t.Fatalf("a comment of script: %d", a.status)
	}
	seen := 0
	look := func(b *browser, path string, form url.Values) {
		t.Helper()
		a := b.get(path)
		if form != nil {
			a = b.post(path, form)
		}
		if a.status != 200 && a.status != 422 {
			t.Errorf("%s: %d", path, a.status)
		}
		if bad := clean(a); len(bad) > 0 {
			t.Errorf("%s could run: %v", path, bad)
		}
		if strings.Contains(a.body, "alert(") {
			seen++
		}
	}
	pages := []string{"/results", "/results/x0", "/results/xc", "/results/report/xc", "/record", "/medicines", "/conditions", "/allergies", "/vaccines", "/vitals", "/vitals/x",
		"/visits", "/visits/x7", "/notes", "/documents", "/documents/x5", "/documents/x6", "/care-team", "/procedures", "/plan", "/timeline", "/appointments"}
	for _, p := range pages {
		if p == "/vitals/x" {
			continue
		}
		look(amina, p, nil)
		look(dr, base+p, nil)
	}
	for _, p := range []string{"/", "/looked", "/looked?show=all", "/looked?show=me", "/security", "/take", "/help", "/results?show=%22%3E%3Cscript%3Ealert(1)%3C/script%3E"} {
		look(amina, p, nil)
	}
	look(dr, "/desk", nil)
	look(dr, "/security", nil)
	look(dr, "/desk/find", url.Values{"given": {"amina"}, "number": {"WB-104-219"}})
	look(dr, "/desk/find", url.Values{"given": {script[:90]}})
	look(amina, "/results", url.Values{"q": {script}, "show": {script}})
	if seen < 25 {
		t.Errorf("the script was to be read on %d pages only; the test looks at the wrong ones", seen)
	}
	amina.prove(w.users["amina"])
	if a := amina.get("/take/record.html"); a.status != 200 || strings.Contains(strings.ToLower(a.body), "<script>alert") || strings.Contains(a.body, "<img src=x") {
		t.Errorf("the file to take holds what could run: %d", a.status)
	}
}

// ATK-44: files that run when a browser shows them. What leaves, leaves as bytes to save, in a sandbox, under a name of ours.
func TestATK44Files(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	me := "Patient/" + w.first("amina", "Patient", "")
	w.opens("priya", "amina", "TREAT")
	svg := `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>`
	page := `<!doctype html><html><script>alert(document.cookie)</script></html>`
	for i, f := range []struct{ declared, content string }{
		{"image/svg+xml", svg}, {"text/html", page}, {"application/xhtml+xml", page}, {"text/xml", svg}, {"message/rfc822", "MIME-Version: 1.0\nContent-Type: text/html\n\n" + page},
		{"image/png", page}, {"image/png", svg}, {"text/html; charset=utf-7", "+ADw-script+AD4-"}, {"application/pdf", page + "%PDF-1.7"}, {"application/javascript", "alert(1)"},
		{"text/plain", page}, {"image/gif", "GIF89a/*" + page}, {"application/x-shockwave-flash", "FWS"}, {"", page}, {"text/html\r\nX-Evil: 1", page}, {"image/jpeg", "\xff\xd8\xff\xe0" + page},
	} {
		declared, err := json.Marshal(f.declared)
		w.must(err)
		id := fmt.Sprintf("f%d", i)
		js := fmt.Sprintf(`{"resourceType":"DocumentReference","id":%q,"status":"current","date":"2026-11-20T10:00:00Z","subject":{"reference":"Patient/me"},"content":[{"attachment":{"contentType":%s,"title":"../../x\r\nSet-Cookie: a=b\".html","data":%q}}]}`,
			id, declared, base64.StdEncoding.EncodeToString([]byte(f.content)))
		if f.declared == "" {
			js = strings.Replace(js, `"contentType":"",`, "", 1)
		}
		if err := w.h.deliverJSON(context.Background(), me, js); err != nil {
			t.Logf("%q is refused at the door: %v", f.declared, err)
			continue
		}
		for _, path := range []string{"/documents/" + id + "/file", "/documents/" + id + "/file?show=1"} {
			for _, at := range []struct {
				who  string
				base string
			}{{"amina", ""}, {"priya", "/desk/" + w.users["amina"].public}} {
				a := w.as(at.who).get(at.base + path)
				h := a.header
				if a.status != 200 || a.body != f.content {
					t.Errorf("%s %s: %d, %d bytes", at.who, path, a.status, len(a.body))
				}
				disposition, typ := h.Get("Content-Disposition"), h.Get("Content-Type")
				inline := strings.HasPrefix(disposition, "inline")
				if inline && typ != "image/jpeg" && typ != "image/png" && typ != "image/webp" {
					t.Errorf("%s is shown in the browser as %s", path, typ)
				}
				if !inline && !strings.HasPrefix(disposition, `attachment; filename="document-2026-11-20.`) {
					t.Errorf("%s: Content-Disposition %q", path, disposition)
				}
				if typ != "application/octet-stream" && typ != "text/plain; charset=utf-8" && typ != "application/pdf" && !strings.HasPrefix(typ, "image/") || strings.Contains(typ, "svg") {
					t.Errorf("%s (%q): Content-Type %q", path, f.declared, typ)
				}
				if h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") ||
					!strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") || h.Get("Set-Cookie") != "" || h.Get("X-Evil") != "" || h.Get("Cache-Control") != "no-store" {
					t.Errorf("%s: %v", path, h)
				}
			}
		}
		if a := w.as("amina").get("/documents/" + id); a.status != 200 || len(clean(a)) > 0 {
			t.Errorf("the page of %q: %d %v", f.declared, a.status, clean(a))
		}
	}
}

// ATK-65: line ends, colours, right-to-left marks and megabytes in a user agent forged or hid lines of the audit log.
func TestATK65ForgedLines(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lab := "/results/" + w.first("amina", "Observation", "code=http://loinc.org|4548-4&_sort=-date")
	forged := `{"v":1,"action":"read","name":"Nobody","outcome":"ok"}`
	amina := w.as("amina")
	for _, agent := range []string{
		"x\r\n" + forged, "x\n" + forged + "\n", "\x1b[2J\x1b[31mred", "\u202enoitcnuf\u202c", "\u200b\u2066x\u2069\ufeff", "a\x00b", strings.Repeat("A", 1<<20), "\xff\xfe\xfd", `","outcome":"refused`,
		"level=ERROR msg=forged request=x", strings.Repeat("\u202e", 5000), "‮" + forged,
	} {
		before, logged := len(w.lines("amina")), strings.Count(w.logs.String(), "\n")
		amina.agent = agent
		if a := amina.get(lab); a.status != 200 {
			t.Fatalf("user agent %.20q: %d", agent, a.status)
		}
		lines := w.lines("amina")
		if len(lines) != before+1 {
			t.Errorf("user agent %.20q made %d lines", agent, len(lines)-before)
			continue
		}
		l := lines[len(lines)-1]
		if n := utf8.RuneCountInString(l.Device); n > 300 || !utf8.ValidString(l.Device) {
			t.Errorf("user agent %.20q is kept with %d characters", agent, n)
		}
		for _, r := range l.Device {
			if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
				t.Errorf("user agent %.20q is kept with %U", agent, r)
			}
		}
		if l.Name != "Amina Rahman" || l.Action != "read" || l.Outcome != "ok" {
			t.Errorf("user agent %.20q made %+v", agent, l)
		}
		if got := strings.Count(w.logs.String(), "\n") - logged; got != 1 {
			t.Errorf("user agent %.20q made %d lines of the server's log", agent, got)
		}
	}
	if s := w.logs.String(); strings.Contains(s, "forged") || strings.Contains(s, "noitcnuf") || shows(answer{body: s}, hers...) != "" {
		t.Error("the server's log repeats what browsers say, or names")
	}
	amina.agent = "Test browser"
	for _, path := range []string{"/looked?show=me", "/looked?show=all", "/security"} {
		if a := amina.get(path); a.status != 200 || len(clean(a)) > 0 || strings.Contains(a.body, "\u202e") {
			t.Errorf("%s afterwards: %d %v", path, a.status, clean(a))
		}
	}
	// A reason is staff's own words, shown to the patient: it, too, is one line.
	a := w.as("priya").post("/desk/open", url.Values{"patient": {w.users["amina"].public}, "purpose": {"TREAT"}, "reason": {"Call\r\n" + forged + "\u202e"}})
	lines := w.lines("amina")
	if a.status != 303 || strings.ContainsAny(lines[len(lines)-1].Reason, "\r\n\u202e") {
		t.Errorf("a reason of two lines: %d, %q", a.status, lines[len(lines)-1].Reason)
	}
}

// Strings that broke other programs, in every field that takes words: never an error of ours, never run, never more than asked.
func TestATK71AwkwardStrings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	amina, desk, dr := w.as("amina"), w.as("marisol"), w.as("priya")
	w.opens("priya", "amina", "TREAT")
	lab := w.first("amina", "Observation", "code=http://loinc.org|4548-4&_sort=-date")
	comments := "/desk/" + w.users["amina"].public + "/results/" + lab + "/comments"
	all := []string{"", " ", "\x00", "\xff\xfe", "\u202eabc", "𝒳", strings.Repeat("é", 3000), strings.Repeat("a ", 4000), "null", "-1", "1e309", "NaN", "İ", "ß", "ﬀ", "\u0000\u0301", script}
	all = append(all, corpus(t, "bad-inputs/naughty-strings.json")...)
	for _, f := range []string{"XSS_Injection__IntrudersXSS.txt", "XSS_Injection__XSS_Polyglots.txt", "Server_Side_Template_Injection__ssti.fuzz", "SQL_Injection__Auth_Bypass.txt",
		"SQL_Injection__Generic_ErrorBased.txt", "NoSQL_Injection__NoSQL.txt", "LDAP_Injection__LDAP_FUZZ.txt", "XXE_Injection__XXE_Fuzzing.txt", "Command_Injection__command-execution-unix.txt"} {
		list := corpus(t, "bad-inputs/web-payloads/"+f)
		all = append(all, list[:min(len(list), 40)]...)
	}
	var asked atomic.Int64
	try := func(what, s string, a answer, ok ...int) {
		t.Helper()
		asked.Add(1)
		if !slices.Contains(ok, a.status) {
			t.Errorf("%s of %.60q: %d", what, s, a.status)
		}
		if bad := clean(a); len(bad) > 0 {
			t.Errorf("%s of %.60q could run: %v", what, s, bad)
		}
	}
	each := func(step int, do func(i int, s string)) func() {
		return func() {
			for i := 0; i < len(all); i += step {
				do(i, all[i])
			}
		}
	}
	dark := w.browser() // who has not signed in
	inParallel([]func(){
		each(2, func(_ int, s string) { try("search", s, amina.post("/results", url.Values{"q": {s}}), 200) }),
		each(1, func(_ int, s string) {
			a := desk.post("/desk/find", url.Values{"family": {s}, "number": {s}})
			try("find", s, a, 200, 422)
			if shows(a, "Amina", "Miguel", "WB-104-219") != "" {
				t.Errorf("%.60q finds somebody", s)
			}
		}),
		each(3, func(i int, s string) {
			form := url.Values{"text": {s}, "do": {"check"}}
			if i%40 == 0 {
				form.Del("do")
			}
			try("comment", s, dr.post(comments, form), 200, 303, 422)
		}),
		each(1, func(_ int, s string) {
			a := dark.post("/preferences", url.Values{"lang": {s}, "theme": {s}, "font": {s}, "next": {s}})
			try("preferences", s, a, 303, 413)
		}),
	})
	try("the result", "all of them", amina.get("/results/"+lab), 200)
	t.Logf("%d strings, %d requests", len(all), asked.Load())
}
