package appointments

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

// A practice is a real house over a real store with one patient in it.
type practice struct {
	t     *testing.T
	h     *chart.House
	num   int64
	words *site.Catalogue
	err   error
}

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
	set, err := policy.New(map[string]string{"appointments": string(text)})
	must(err)
	h, err := chart.New(ctx, chart.Config{DB: db, Vault: v, Journal: j, Policy: set, Guards: Room().Guards, Origin: "test", Clock: clock.At(today)})
	must(err)
	t.Cleanup(func() { h.Close() })
	words, err := site.NewCatalogue(files)
	must(err)
	p := &practice{t: t, h: h, words: words}
	act := h.Begin(identity.Who{Account: "system:test", Kind: identity.System, Name: "test"}, "test.fill")
	var rs []fhir.Resource
	for _, js := range append([]string{`{"resourceType":"Patient","id":"me","name":[{"text":"Amina"}]}`}, resources...) {
		r, err := fhir.Parse([]byte(js))
		must(err)
		rs = append(rs, r)
	}
	_, err = h.Deliver(ctx, act, chart.Delivery{What: "test.fill", Resources: rs})
	must(err)
	var ok bool
	if p.num, ok, err = h.PatientChart(ctx, "me"); err != nil || !ok {
		t.Fatalf("the patient has no chart: %v", err)
	}
	return p
}

func (p *practice) amina() identity.Who {
	return identity.Who{Account: "a", Kind: identity.Patient, Name: "Amina", Chart: p.num, Session: "s", AAL: 2}
}

func (p *practice) nurse() identity.Who {
	return identity.Who{Account: "n", Kind: identity.Staff, Role: identity.Nurse, Name: "Sam", Session: "n", AAL: 2}
}

func (p *practice) enter(who identity.Who, name string) *care.Visit {
	p.t.Helper()
	base, frame := "", "portal"
	act := p.h.Begin(who, name)
	if who.Kind == identity.Staff {
		base, frame = "/desk/x", "desk"
		if err := p.h.OpenRecord(context.Background(), act, p.num, chart.Treatment, "a test of the list"); err != nil {
			p.t.Fatal(err)
		}
	}
	c, err := p.h.Enter(context.Background(), act, policy.Page{Name: name, Room: "appointments", Frame: frame, Chart: p.num})
	if err != nil {
		p.t.Fatal(err)
	}
	return &care.Visit{Who: who, Chart: c, Base: base, Now: today}
}

func (p *practice) get(who identity.Who, lang, url string) *httptest.ResponseRecorder {
	p.t.Helper()
	w := httptest.NewRecorder()
	p.err = errors.New("no route")
	mux := http.NewServeMux()
	for _, r := range Room().Routes {
		mux.HandleFunc(r.Pattern, func(w http.ResponseWriter, q *http.Request) {
			v := p.enter(who, r.Name)
			v.Request, v.W, v.Words = q, w, p.words.Words(lang, time.UTC)
			v.Page = site.Page{Words: v.Words, Path: q.URL.Path, Base: v.Base, Nav: Room().Nav,
				Practice: site.Practice{Name: "Willow Practice", Phone: "(608) 555-0100", Zone: time.UTC}}
			p.err = r.Handle(v)
		})
	}
	mux.ServeHTTP(w, httptest.NewRequest("GET", url, nil))
	return w
}

// seen is the words of main, the headings and what the list holds.
func (p *practice) seen(who identity.Who, lang, url string) (words string, entries int) {
	p.t.Helper()
	w := p.get(who, lang, url)
	if p.err != nil {
		p.t.Fatalf("%s: %v", url, p.err)
	}
	root, err := html.Parse(strings.NewReader(w.Body.String()))
	if err != nil {
		p.t.Fatal(err)
	}
	var b strings.Builder
	var walk func(n *html.Node, in bool)
	walk = func(n *html.Node, in bool) {
		in = in || n.Data == "main"
		if in && n.Type == html.TextNode {
			b.WriteString(n.Data + " ")
			if strings.Contains(n.Data, "appointments.") {
				p.t.Errorf("%s: untranslated %q", url, n.Data)
			}
		}
		if n.Data == "ul" {
			for _, a := range n.Attr {
				if a.Key == "class" && strings.HasPrefix(a.Val, "list") {
					for c := n.FirstChild; c != nil; c = c.NextSibling {
						entries++
					}
				}
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c, in)
		}
	}
	walk(root, false)
	return strings.Join(strings.Fields(strings.NewReplacer("\u2066", "", "\u2068", "", "\u2069", "").Replace(b.String())), " "), entries
}

func booked(id, status, start, rest string) string {
	return fmt.Sprintf(`{"resourceType":"Appointment","id":%q,"status":%q,"start":%q,"end":%[3]q,"participant":[{"actor":{"reference":"Patient/me"},"status":"accepted"},{"actor":{"display":"Dr Nair"},"status":"accepted"}]%s}`, id, status, start, rest)
}

func TestPage(t *testing.T) {
	p := open(t)
	for lang, says := range map[string]string{"en": "No appointment booked To book one, call (608) 555-0100.", "es": "No hay citas reservadas", "ar": "لا يوجد موعد محجوز"} {
		if words, n := p.seen(p.amina(), lang, "/appointments"); !strings.Contains(words, says) || n != 0 {
			t.Errorf("%s: %q", lang, words)
		}
	}
	p = open(t,
		booked("next", "booked", "2026-11-24T09:20:00Z", `,"serviceType":[{"text":"Phone call"}]`),
		booked("off", "cancelled", "2026-11-25T09:20:00Z", `,"cancelationReason":{"text":"The doctor is ill"}`),
		booked("missed", "noshow", "2026-01-25T09:20:00Z", ""),
		booked("wrong", "entered-in-error", "2026-01-26T09:20:00Z", `,"description":"Wrongly entered"`))
	words, n := p.seen(p.amina(), "en", "/appointments")
	for _, s := range []string{"Your next appointment", "Phone call with Dr Nair", "Tuesday 24 November", "9:20", "Add to calendar", "Call to change or cancel", "Cancelled", "Why: The doctor is ill", "Missed"} {
		if !strings.Contains(words, s) {
			t.Errorf("%q is not in %q", s, words)
		}
	}
	if n != 2 || strings.Contains(words, "Wrongly") {
		t.Errorf("%d in the lists, want the cancelled and the missed one: %q", n, words)
	}
	if words, _ := p.seen(p.nurse(), "en", "/appointments"); strings.Contains(words, "Add to calendar") || !strings.Contains(words, "Next appointment") {
		t.Errorf("on the desk: %q", words)
	}
}

func TestAThousand(t *testing.T) {
	var all []string
	for i := range 1000 {
		all = append(all, booked(fmt.Sprintf("a%d", i), "fulfilled", today.AddDate(0, 0, -1-i).Format(time.RFC3339), ""))
	}
	p := open(t, all...)
	for url, want := range map[string]int{"/appointments": perPage, "/appointments?page=20": perPage, "/appointments?page=21": perPage, "/appointments?page=-1": perPage} {
		if _, n := p.seen(p.amina(), "en", url); n != want {
			t.Errorf("%s shows %d, want %d", url, n, want)
		}
	}
}

func TestCalendarFile(t *testing.T) {
	p := open(t,
		booked("next", "booked", "2026-11-24T09:20:00Z", `,"serviceType":[{"text":"HIV clinic"}],"description":"secret reason","reasonCode":[{"text":"secret reason"}]`),
		booked("off", "cancelled", "2026-11-25T09:20:00Z", ""), booked("was", "booked", "2025-11-25T09:20:00Z", ""), booked("asked", "proposed", "2026-11-26T09:20:00Z", ""))
	w := p.get(p.amina(), "en", "/appointments/next/calendar.ics")
	if p.err != nil {
		t.Fatal(p.err)
	}
	body := w.Body.String()
	for _, s := range []string{"HIV", "secret", "Nair", "Amina"} {
		if strings.Contains(body, s) {
			t.Errorf("the calendar file tells %q:\n%s", s, body)
		}
	}
	for _, s := range []string{"SUMMARY:Appointment at Willow Practice\r\n", "DTSTART:20261124T092000Z\r\n", "DESCRIPTION:To change or cancel\\, call (608) 555-0100.\r\n"} {
		if !strings.Contains(body, s) {
			t.Errorf("%q is not in\n%s", s, body)
		}
	}
	if h := w.Header(); h.Get("Content-Type") != "text/calendar; charset=utf-8" || h.Get("Content-Disposition") != `attachment; filename="appointment.ics"` || h.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("headers: %v", h)
	}
	for _, id := range []string{"off", "was", "asked", "none"} {
		if p.get(p.amina(), "en", "/appointments/"+id+"/calendar.ics"); !errors.Is(p.err, chart.ErrNotFound) {
			t.Errorf("%s: %v, want not found", id, p.err)
		}
	}
}

func TestHome(t *testing.T) {
	p := open(t,
		booked("next", "booked", "2026-11-24T09:20:00Z", ""),
		`{"resourceType":"Appointment","id":"offer","status":"proposed","start":"2026-12-24T09:20:00Z","end":"2026-12-24T09:40:00Z","participant":[{"actor":{"reference":"Patient/me"},"status":"needs-action"}]}`,
		`{"resourceType":"Task","id":"t","status":"requested","intent":"order","for":{"reference":"Patient/me"},"code":{"text":"Fill in a form"}}`)
	v := p.enter(p.amina(), "home")
	v.Request, v.Words = httptest.NewRequest("GET", "/", nil), p.words.Words("en", time.UTC)
	cards, err := home(context.Background(), v)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range cards {
		got = append(got, fmt.Sprintf("%d %s", c.Section, c.Title))
	}
	want := []string{fmt.Sprintf("%d Visit with Dr Nair", care.Next), fmt.Sprintf("%d Fill in a form", care.ToDo), fmt.Sprintf("%d Answer an appointment offer", care.ToDo)}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("%q, want %q", got, want)
	}
	if cards[0].Body == nil || cards[2].Action == "" {
		t.Error("the next appointment is the block; an offer has its button")
	}
	if !cards[2].Order.After(cards[1].Order) {
		t.Error("what is due comes before what is not")
	}
}

func TestGuard(t *testing.T) {
	for kind, allowed := range map[identity.Kind]bool{identity.System: true, identity.Staff: false, identity.Patient: false} {
		if err := guard(identity.Who{Kind: kind}, fhir.Resource{}, fhir.Resource{}); (err == nil) != allowed {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestMain(m *testing.M) { os.Exit(storetest.OnBoth(m).Run()) }
