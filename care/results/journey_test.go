package results

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
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

// A practice is a real house over a real store, with Amina in it, and this room's routes.
type practice struct {
	t     *testing.T
	h     *chart.House
	num   int64
	words *site.Catalogue
	err   error // what the last handler returned
}

const aminaJSON = `{"resourceType":"Patient","id":"me","name":[{"family":"Rahman","given":["Amina"]}],"birthDate":"1984-05-12","gender":"female"}`

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
	j, err := journal.Open(ctx, db, v, journal.WithClock(clock.At(now)))
	must(err)
	text, err := fs.ReadFile(files, "policy.cedar")
	must(err)
	set, err := policy.New(map[string]string{"results": string(text)})
	must(err)
	h, err := chart.New(ctx, chart.Config{DB: db, Vault: v, Journal: j, Policy: set, Guards: Room().Guards, Origin: "test", Clock: clock.At(now)})
	must(err)
	t.Cleanup(func() { h.Close() })
	words, err := site.NewCatalogue(files)
	must(err)
	p := &practice{t: t, h: h, words: words}
	act := h.Begin(identity.Who{Account: "system:test", Kind: identity.System, Name: "test"}, "test.fill")
	var rs []fhir.Resource
	for _, js := range append([]string{aminaJSON}, resources...) {
		r, err := fhir.Parse([]byte(js))
		must(err)
		rs = append(rs, r)
	}
	_, err = h.Deliver(ctx, act, chart.Delivery{What: "test.fill", Resources: rs})
	must(err)
	num, ok, err := h.PatientChart(ctx, "me")
	if err != nil || !ok {
		t.Fatalf("the patient has no chart: %v", err)
	}
	p.num = num
	return p
}

// who is somebody of the journeys, by the name used there.
func (p *practice) who(name string) identity.Who {
	p.t.Helper()
	staff := func(role identity.Role, name, id string) identity.Who {
		return identity.Who{Account: id, Kind: identity.Staff, Role: role, Name: name, Practitioner: "Practitioner/" + id, Session: "s-" + id, AAL: 2}
	}
	switch name {
	case "amina":
		return identity.Who{Account: "a", Kind: identity.Patient, Name: "Amina Rahman", Chart: p.num, Session: "s-amina", AAL: 2, Since: now.AddDate(0, 0, -2)}
	case "drnair":
		return staff(identity.Clinician, "Dr Priya Nair", "nair")
	case "sam":
		return staff(identity.Nurse, "Sam Okafor", "sam")
	case "hana":
		return staff(identity.Hygienist, "Hana Sato", "hana")
	case "marisol":
		return staff(identity.FrontDesk, "Marisol Vega", "marisol")
	}
	p.t.Fatalf("nobody is called %q", name)
	return identity.Who{}
}

// ask does what the door does: route by pattern, chart by session, staff inside an opened record.
func (p *practice) ask(who identity.Who, lang string, q *http.Request) *httptest.ResponseRecorder {
	p.t.Helper()
	w := httptest.NewRecorder()
	public := p.h.PublicID(p.num)
	base, frame := "", "portal"
	if who.Kind == identity.Staff {
		base, frame = "/desk/"+public, "desk"
		if err := p.h.OpenRecord(context.Background(), p.h.Begin(who, "desk.open"), p.num, chart.Treatment, "a test of the record"); err != nil {
			p.t.Fatal(err)
		}
	}
	mux := http.NewServeMux()
	for _, r := range Room().Routes {
		handle := func(_ http.ResponseWriter, q *http.Request) {
			act := p.h.Begin(who, r.Name)
			c, err := p.h.Enter(q.Context(), act, policy.Page{Name: r.Name, Room: "results", Frame: frame, Chart: p.num})
			if err != nil {
				p.err = err
				return
			}
			words := p.words.Words(lang, time.UTC)
			v := &care.Visit{Request: q, W: w, Who: who, Chart: c, Words: words, Base: base, Now: now}
			v.Page = site.Page{Words: words, CSRF: "token", Path: base + q.URL.Path, Base: base, Person: who.Name, Nav: Room().Nav,
				Practice: site.Practice{Name: "Willowbrook", Phone: "(608) 555-0100", Emergency: "911", Zone: time.UTC}}
			if p.err = r.Handle(v); p.err == nil {
				p.err = act.Release(q.Context())
			}
		}
		verb, path, _ := strings.Cut(r.Pattern, " ")
		if onDesk := strings.HasPrefix(path, "/desk/"); onDesk == (base != "") {
			mux.HandleFunc(r.Pattern, handle)
		} else if r.Both && base != "" {
			mux.HandleFunc(verb+" /desk/{patient}"+path, handle)
		}
	}
	p.err = chart.ErrNotFound // no route
	mux.ServeHTTP(w, q)
	return w
}

var (
	step  = regexp.MustCompile(`^([a-z]+)(?:\((en|es|ar)\))? (GET|POST) (\S+)((?: [a-z]+="[^"]*")*) -> (\d{3}|denied|refused)((?: (?:has|lacks|to) "[^"]*")*)$`)
	field = regexp.MustCompile(`([a-z]+)="([^"]*)"`)
	claim = regexp.MustCompile(`(has|lacks|to) "([^"]*)"`)
	trace = regexp.MustCompile(`^audit amina -> (.+) ([a-z.]+)$`)
	newID = regexp.MustCompile(`/comments/([A-Za-z0-9.-]+)/withdrawal`)
)

// TestJourneys plays testdata/*.txtar: who asks for what, and what the answer holds. The files below a journey are the
// patient's record. {amina} is her record's name in addresses, {comment} the last comment that its writer was shown.
func TestJourneys(t *testing.T) {
	names, _ := filepath.Glob("testdata/*.txtar")
	if len(names) == 0 {
		t.Fatal("no journeys in testdata")
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			raw, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			parts := strings.Split(string(raw), "\n-- ")
			var record []string
			for _, part := range parts[1:] {
				_, js, _ := strings.Cut(part, " --\n")
				record = append(record, js)
			}
			p, comment := open(t, record...), ""
			for line := range strings.SplitSeq(parts[0], "\n") {
				if line == "" || strings.HasPrefix(line, "#") {
					continue
				}
				seen := p.play(line, comment)
				if m := newID.FindStringSubmatch(seen); m != nil {
					comment = m[1]
				}
			}
		})
	}
}

func (p *practice) play(line, comment string) string {
	t := p.t
	t.Helper()
	if m := trace.FindStringSubmatch(line); m != nil {
		p.audited(m[1], m[2])
		return ""
	}
	m := step.FindStringSubmatch(line)
	if m == nil {
		t.Fatalf("cannot read %q", line)
	}
	form := url.Values{}
	for _, f := range field.FindAllStringSubmatch(m[5], -1) {
		form.Set(f[1], f[2])
	}
	target := strings.NewReplacer("{amina}", p.h.PublicID(p.num), "{comment}", comment).Replace(m[4])
	q := httptest.NewRequest(m[3], target, strings.NewReader(form.Encode()))
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	lang := m[2]
	if lang == "" {
		lang = "en"
	}
	w := p.ask(p.who(m[1]), lang, q)
	got := fmt.Sprint(w.Code)
	switch {
	case errors.Is(p.err, chart.ErrNotFound):
		got = "404"
	case errors.Is(p.err, policy.ErrDenied):
		got = "denied"
	case errors.Is(p.err, chart.ErrRefused):
		got = "refused"
	case p.err != nil:
		t.Fatalf("%s: %v", line, p.err)
	}
	if got != m[6] {
		t.Errorf("%s: %s", line, got)
	}
	seen := w.Body.String()
	if root, err := html.Parse(strings.NewReader(seen)); err == nil {
		seen = text(root)
	}
	for _, c := range claim.FindAllStringSubmatch(m[7], -1) {
		ok := strings.Contains(strings.ReplaceAll(seen, "\u00a0", " "), c[2])
		switch c[1] {
		case "lacks":
			ok = !ok && !strings.Contains(w.Body.String(), c[2])
		case "to":
			ok = strings.HasSuffix(w.Header().Get("Location"), c[2])
		}
		if !ok {
			t.Errorf("%s: %s %q does not hold", line, c[1], c[2])
		}
	}
	return w.Body.String()
}

// audited looks, as the patient, for a line that names who and what.
func (p *practice) audited(who, what string) {
	p.t.Helper()
	ctx := context.Background()
	act := p.h.Begin(p.who("amina"), "privacy.looked")
	c, err := p.h.Enter(ctx, act, policy.Page{Name: "privacy.looked", Room: "privacy", Frame: "portal", Chart: p.num})
	if err != nil {
		p.t.Fatal(err)
	}
	looks, err := c.Looked(ctx, 0, 100)
	if err != nil {
		p.t.Fatal(err)
	}
	var all []string
	for _, l := range looks {
		if l.Who == who && l.What == what {
			return
		}
		all = append(all, l.Who+" "+l.What)
	}
	p.t.Errorf("the log does not say that %s %s: %q", who, what, all)
}

// TestCommentCarriesLabels: who may not see a result must not read about it in its comment.
func TestCommentCarriesLabels(t *testing.T) {
	p := open(t, `{"resourceType":"Observation","id":"h","meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"HIV"}]},"status":"final",
		"category":[{"coding":[{"code":"laboratory"}]}],"code":{"text":"Viral load"},"subject":{"reference":"Patient/me"},"valueString":"Not detected"}`)
	q := httptest.NewRequest("POST", "/desk/"+p.h.PublicID(p.num)+"/results/h/comments", strings.NewReader("text=Good."))
	q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if w := p.ask(p.who("drnair"), "en", q); p.err != nil || w.Code != http.StatusSeeOther {
		t.Fatalf("%v, %d", p.err, w.Code)
	}
	ctx := context.Background()
	c, err := p.h.Enter(ctx, p.h.Begin(p.who("amina"), "test"), policy.Page{Name: "test", Room: "results", Frame: "portal", Chart: p.num})
	if err != nil {
		t.Fatal(err)
	}
	found, err := c.Search(ctx, "ClinicalImpression", "_security=HIV")
	if err != nil || len(found) != 1 {
		t.Fatalf("%d comments with the result's label, want 1: %v", len(found), err)
	}
	hana := httptest.NewRequest("GET", "/desk/"+p.h.PublicID(p.num)+"/results/h", nil)
	if p.ask(p.who("hana"), "en", hana); !errors.Is(p.err, chart.ErrNotFound) {
		t.Errorf("a hygienist sees a restricted result: %v", p.err)
	}
}

func TestMain(m *testing.M) { os.Exit(storetest.OnBoth(m).Run()) }
