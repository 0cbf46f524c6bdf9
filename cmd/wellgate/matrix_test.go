package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wellgate/wellgate/doors/web"
	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/identity"
	"github.com/wellgate/wellgate/trust/vault"
)

// The authorization matrix (AZ-01, AZ-02, AZ-05): every route of the table, asked by everybody, about Amina's record. What
// must come of it says an oracle written from the practice's rules (oracle_test.go); it never asks the product's policy.
//
// What was broken by hand to see it red stands in mutation_test.go.

// A frame is somebody at a browser, in some state.
type frame struct {
	name   string
	b      *browser
	kind   string        // nobody, patient, staff
	role   identity.Role // of staff
	owner  bool          // the record is theirs
	linked bool          // patient: the account has a record
	opened string        // staff: purpose for which this session opened Amina's record
	fresh  bool          // proved who they are in the last five minutes
	chart  string        // stands for {patient}
	rooms  bool          // ask the rooms' routes only
}

// An example is one request to a route.
type example struct {
	path  string
	form  url.Values
	json  bool
	mark  string // label class of what the path names: "", restricted, sealed
	names bool   // the path names a thing of Amina's, or her record
	open  chart.Purpose
}

type matrix struct {
	*testing.T
	w       *world
	table   []web.Listed
	ids     map[string]string
	said    []string // comments of Dr. Nair's, to be withdrawn
	cells   int
	allowed int
	byFrame map[string]int
	mu      sync.Mutex
	failed  int
}

func TestAuthorizationMatrix(t *testing.T) {
	t.Parallel()
	start := time.Now()
	w := newWorld(t)
	w.mayPutBack()
	m := &matrix{T: t, w: w, table: w.door.(*web.Door).Table(), byFrame: map[string]int{}}
	m.gather()
	m.strangers()
	m.patients()
	m.bareStaff()
	m.openings()
	m.elsewhere()
	m.ended()
	m.later()
	t.Logf("%d cells (%d allowed, %d refused) of %d frames and %d routes in %.1f s; %d unexpected",
		m.cells, m.allowed, m.cells-m.allowed, len(m.byFrame), len(m.table), time.Since(start).Seconds(), m.failed)
	if m.cells < 2000 {
		t.Errorf("only %d cells; something is left out", m.cells)
	}
}

// gather finds one real id of Amina's for each parameter of each route.
func (m *matrix) gather() {
	w := m.w
	key, err := w.h.identity.Accounts.Factors(context.Background(), w.users["amina"].account.ID)
	w.must(err)
	other := w.browser() // a second session of Amina's, to be ended by others if the product lets them
	other.signin(w.users["amina"])
	list, err := w.h.identity.Sessions.List(context.Background(), w.users["amina"].account.ID)
	w.must(err)
	said, err := w.system("amina").Search(context.Background(), "ClinicalImpression", "_sort=-date")
	w.must(err)
	for _, c := range said {
		m.said = append(m.said, c.ID())
	}
	stored, err := w.h.charts.Audit().Of(context.Background(), w.users["amina"].account.Chart, 0, 1)
	w.must(err)
	m.ids = map[string]string{
		"results/{id}":          w.first("amina", "Observation", "code=http://loinc.org|4548-4&_sort=-date"),
		"report/{id}":           w.first("amina", "DiagnosticReport", "_sort=-date"),
		"visits/{id}":           w.first("amina", "Encounter", "_sort=-date"),
		"documents/{id}":        w.first("amina", "DocumentReference", "_sort=-date&contenttype=application/pdf"),
		"appointments/{id}":     w.first("amina", "Appointment", "status=booked"),
		"vitals/{code}":         "85354-9",
		"looked/{index}":        fmt.Sprint(stored[0].Index),
		"passkeys/{id}":         key.Passkeys[0].ID,
		"sessions/{id}":         list[0].ID,
		"marked results/{id}":   "hiv-test",
		"sealed results/{id}":   "sealed-test",
		"marked documents/{id}": "quiet-letter",
		"marked visits/{id}":    "quiet-visit",
	}
}

var param = regexp.MustCompile(`([a-z-]+)/\{(id|code|index)\}`)

// examples are the requests that stand for a route. A route nobody gave an example for fails the test.
func (m *matrix) examples(r web.Listed, f frame) []example {
	verb, path, _ := strings.Cut(r.Pattern, " ")
	path = strings.Replace(strings.TrimSuffix(path, "{$}"), "{patient}", f.chart, 1)
	x := example{path: path, names: strings.Contains(r.Pattern, "{patient}")}
	if verb == "POST" {
		var known bool
		if x.form, known = m.form(r); !known {
			m.Fatalf("%s: no example of a form; add one to form() in matrix_test.go", r.Pattern)
		}
		x.json = strings.HasSuffix(path, "/begin") || strings.HasSuffix(path, "/finish")
	}
	if r.Name == "desk.open" {
		var out []example
		for _, p := range []chart.Purpose{chart.Treatment, chart.Payment, chart.Operations, chart.PatientRequest} {
			y := x
			y.open, y.names = p, true
			y.form = url.Values{"patient": {f.chart}, "purpose": {string(p)}, "reason": {"Appointment today"}}
			out = append(out, y)
		}
		return out
	}
	p := param.FindStringSubmatch(path)
	if p == nil {
		if strings.Contains(path, "{") {
			m.Fatalf("%s: no example of its parameter; add one to gather() in matrix_test.go", r.Pattern)
		}
		return []example{x}
	}
	var out []example
	for _, mark := range []string{"", "marked ", "sealed "} {
		id, ok := m.ids[mark+p[0]]
		if !ok {
			if mark == "" {
				m.Fatalf("%s: no example of %s; add one to gather() in matrix_test.go", r.Pattern, p[0])
			}
			continue
		}
		y := x
		y.path, y.names = strings.Replace(path, p[0], p[1]+"/"+id, 1), true
		y.mark = map[string]string{"marked ": "restricted", "sealed ": "sealed"}[mark]
		out = append(out, y)
	}
	return out
}

// form is what a person would send to a route: as right as it can be without changing how the rest is asked.
func (m *matrix) form(r web.Listed) (url.Values, bool) {
	forms := map[string]url.Values{
		"results.search":             {"q": {"hemoglobin"}},
		"results.comment":            {"text": {"This is fine. Keep going."}},
		"results.withdraw":           {},
		"desk.find":                  {"given": {"amina"}, "number": {"WB-104-219"}},
		"desk.open":                  {},
		"desk.leave":                 {},
		"preferences":                {"theme": {"dark"}},
		"session.stay":               {},
		"signin.password":            {"login": {"stranger@example.com"}, "password": {"not a password"}},
		"signin.work":                {},
		"signin.code":                {"code": {"000000"}},
		"signin.recovery":            {"code": {"aaaa-bbbb-cccc-dddd"}},
		"signin.passkey":             {},
		"signin.start":               {"code": {"aaaa-bbbb-cccc"}},
		"signin.setup":               {"password": {"x"}, "code": {"000000"}},
		"signin.again":               {"code": {"000000"}},
		"signout":                    {},
		"session.exit":               {},
		"security.passkey.add":       {},
		"security.passkey.rename":    {"name": {"A name"}},
		"security.passkey.remove":    {},
		"security.password":          {"password": {"x"}},
		"security.app":               {"code": {"000000"}},
		"security.app.remove":        {},
		"security.recovery":          {},
		"security.session.end":       {},
		"security.session.endOthers": {},
	}
	f, ok := forms[r.Name]
	return maps.Clone(f), ok
}

// ask plays one frame: reads side by side, then writes one after the other, each undone.
func (m *matrix) ask(f frame) {
	if f.chart == "" {
		f.chart = m.w.users["amina"].public
	}
	if a := f.b.get("/help"); a.status != 200 {
		m.Fatalf("%s: /help answers %d", f.name, a.status)
	}
	b := *f.b // every cell is asked by the same browser in the same state
	b.frozen = true
	b.ip = fmt.Sprintf("198.51.100.%d", 1+len(m.byFrame)) // of its own: wrong codes slow down who sends them
	f.b = &b
	m.ids["comments/{id}"], m.said = m.said[0], append(m.said[1:], m.said[0]) // withdrawn once, it is gone
	before := m.entries()
	var reads, writes []func()
	noted := 0
	for _, r := range m.table {
		if f.rooms && (r.For == "anyone" || r.For == "signed-in") {
			continue
		}
		for _, x := range m.examples(r, f) {
			do := func() { m.cell(f, r, x) }
			if strings.HasPrefix(r.Pattern, "POST ") || r.Name == "session.exit" {
				writes = append(writes, m.undone(f, do))
			} else {
				reads = append(reads, do)
			}
			m.cells++
			noted += traces(f, r, x)
		}
	}
	m.byFrame[f.name] += len(reads) + len(writes)
	inParallel(reads)
	for _, do := range writes {
		do()
	}
	if got := m.entries() - before; noted >= 0 && got != noted {
		m.fault("%s: %d new entries in Amina's log, want %d", f.name, got, noted)
	}
}

func inParallel(jobs []func()) {
	var wg sync.WaitGroup
	for part := range slices.Chunk(jobs, (len(jobs)+5)/6) {
		wg.Go(func() {
			for _, do := range part {
				do()
			}
		})
	}
	wg.Wait()
}

func (m *matrix) fault(format string, args ...any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failed++; m.failed <= 40 {
		m.Errorf(format, args...)
	}
}

// cell asks once and holds the answer against the oracle.
func (m *matrix) cell(f frame, r web.Listed, x example) {
	verb, _, _ := strings.Cut(r.Pattern, " ")
	a := m.send(f.b, verb, x)
	w := oracle(f, r, x)
	at := fmt.Sprintf("%s: %s %s", f.name, verb, x.path)
	if !w.fits(a) {
		word := "want"
		if !w.allow && a.status < 400 && !strings.HasPrefix(a.header.Get("Location"), "/signin") {
			word = "UNEXPECTED ALLOW, want"
		}
		m.fault("%s: %d %s; %s %v %s", at, a.status, a.header.Get("Location"), word, w.status, w.to)
	}
	m.mu.Lock()
	if w.allow {
		m.allowed++
	}
	m.mu.Unlock()
	for _, word := range w.lacks {
		if strings.Contains(a.body, word) {
			m.fault("%s: the answer holds %q", at, word)
		}
	}
	if a.status >= 400 && strings.Contains(a.body, "chart:") {
		m.fault("%s: the text of an error shows", at)
	}
}

func (m *matrix) send(b *browser, verb string, x example) answer {
	if verb == "GET" {
		return b.do(verb, x.path, nil)
	}
	if x.json {
		r := b.request(verb, x.path, strings.NewReader(`{"credential":{}}`))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.Header.Set("X-CSRF", b.token)
		return b.send(r)
	}
	form := maps.Clone(x.form)
	form.Set("csrf", b.token)
	return b.do(verb, x.path, form)
}

// entries counts the lines of Amina's log.
func (m *matrix) entries() int {
	n := 0
	for _, err := range m.w.h.charts.Audit().Each(context.Background(), m.w.users["amina"].account.Chart) {
		m.w.must(err)
		n++
	}
	return n
}

// undone plays do and puts back accounts, sessions and open records as they were.
func (m *matrix) undone(_ frame, do func()) func() {
	return func() {
		keep := m.w.keep()
		do()
		keep()
	}
}

// keep remembers who is signed in and what is open; what it returns puts that back.
func (w *world) keep() (restore func()) {
	w.t.Helper()
	ctx := context.Background()
	tables := map[string]string{
		"identity_session": "id, hash, account, started, seen, sealed", "identity_account": "id, wrapped, sealed, version",
		"identity_lookup": "token, account", "chart_opening": "session, chart, until, data",
	}
	rows := map[string][][]any{}
	for table, columns := range tables {
		n := strings.Count(columns, ",") + 1
		q, err := w.h.db.Query(ctx, "SELECT "+columns+" FROM "+table)
		w.must(err)
		for q.Next() {
			row, at := make([]any, n), make([]any, n)
			for i := range row {
				at[i] = &row[i]
			}
			w.must(q.Scan(at...))
			rows[table] = append(rows[table], row)
		}
		w.must(q.Err())
		q.Close()
	}
	return func() {
		w.must(w.h.db.Write(ctx, func(tx *store.Tx) error {
			for table, columns := range tables {
				if _, err := tx.Exec(ctx, "DELETE FROM "+table); err != nil {
					return err
				}
				marks := "$1"
				for i := 2; i <= strings.Count(columns, ",")+1; i++ {
					marks += fmt.Sprintf(", $%d", i)
				}
				for _, row := range rows[table] {
					if _, err := tx.Exec(ctx, "INSERT INTO "+table+" ("+columns+") VALUES ("+marks+")", row...); err != nil {
						return err
					}
				}
			}
			return nil
		}))
	}
}

// strangers are browsers without a session.
func (m *matrix) strangers() {
	m.ask(frame{name: "anonymous", kind: "nobody", b: m.w.browser()})
	real := m.w.as("amina").cookies["sid"]
	for name, cookie := range map[string]string{
		"garbage cookie": rand.Text(), "cookie of the right length": strings.Repeat("A", len(real)),
		"a real cookie, last letter changed": real[:len(real)-2] + map[bool]string{true: "Q8", false: "A4"}[real[len(real)-2:] == "A4"],
		"a session's public id as cookie":    m.ids["sessions/{id}"], "SQL as cookie": "' OR 1=1 --",
	} {
		b := m.w.browser()
		b.cookies["sid"] = cookie
		m.ask(frame{name: name, kind: "nobody", b: b})
	}
}

func (m *matrix) patients() {
	w := m.w
	m.ask(frame{name: "amina", kind: "patient", owner: true, linked: true, fresh: true, b: w.as("amina")})
	m.ask(frame{name: "miguel with amina's ids", kind: "patient", linked: true, fresh: true, b: w.as("miguel")})
	m.ask(frame{name: "a patient without a record", kind: "patient", fresh: true, b: w.as("nora")})
	m.alike("miguel", w.as("miguel"))
}

// alike: what is not yours and what is not there answer in the same words and with the same headers (AZ-05).
func (m *matrix) alike(name string, b *browser) {
	clean := func(a answer, path string) string {
		body := strings.ReplaceAll(a.body, path, "PATH")
		body = regexp.MustCompile(`(csrf" (content|value)=")[^"]*`).ReplaceAllString(body, "$1")
		body = regexp.MustCompile(`give this number: [a-z0-9]+`).ReplaceAllString(body, "")
		return fmt.Sprint(a.status, slices.Sorted(maps.Keys(a.header)), body)
	}
	public := m.w.users["amina"].public
	for _, r := range m.table {
		if !strings.HasPrefix(r.Pattern, "GET ") || r.For == "anyone" || !strings.Contains(r.Pattern, "{") || r.Pattern == "GET /{$}" || r.For == "signed-in" {
			continue
		}
		if strings.Contains(r.Pattern, "{code}") && r.For == "portal" {
			continue // a code is no id: Miguel has this one too
		}
		for _, x := range m.examples(r, frame{chart: public}) {
			yours := b.get(x.path)
			path := x.path
			for _, id := range m.ids {
				path = strings.ReplaceAll(path, id, strings.Repeat("z", len(id)))
			}
			path = strings.Replace(path, public, strings.ToLower(rand.Text())[:len(public)], 1)
			if r.Name == "privacy.receipt" {
				path = "/looked/999999999/receipt"
			}
			nothing := b.get(path)
			if got, want := clean(yours, x.path), clean(nothing, path); got != want {
				m.fault("%s: %s and %s do not answer alike:\n%s\n%s", name, x.path, path, got, want)
			}
			m.cells += 2
		}
	}
}

var roles = []identity.Role{identity.Clinician, identity.Nurse, identity.Dentist, identity.Hygienist, identity.FrontDesk,
	identity.Billing, identity.PrivacyOfficer, identity.Administrator, identity.Auditor}

func (m *matrix) bareStaff() {
	for _, role := range roles {
		b := m.w.as(string(role))
		m.ask(frame{name: string(role) + " without an opening", kind: "staff", role: role, fresh: true, b: b})
		if role == identity.Nurse {
			m.alike("nurse", b)
		}
	}
}

// openings: each role opens the record for each purpose there is; where the practice lets it not, it stays outside.
func (m *matrix) openings() {
	other := m.otherPractice()
	for _, role := range roles {
		b := m.w.as(string(role))
		for _, p := range []chart.Purpose{chart.Treatment, chart.Payment, chart.Operations} {
			name := fmt.Sprintf("%s who opened it for %s", role, p)
			keep := m.w.keep()
			f := frame{name: name, kind: "staff", role: role, fresh: true, b: b, rooms: true}
			if m.open(b, "amina", p, mayOpen(role, p)) {
				f.opened = string(p)
				m.ask(f)
				m.ask(frame{name: name + ", naming another practice's record", kind: "staff", role: role, fresh: true, b: b, chart: other, rooms: true})
				keep()
				m.open(b, "miguel", p, true)
				m.ask(frame{name: fmt.Sprintf("%s who opened miguel's for %s", role, p), kind: "staff", role: role, fresh: true, b: b, rooms: true})
			} else {
				m.ask(f)
			}
			keep()
		}
	}
}

// elsewhere: that a doctor has the record open lets in nobody else, and not the same doctor at another computer.
func (m *matrix) elsewhere() {
	keep := m.w.keep()
	second := m.w.browser()
	second.signin(m.w.users["clinician"])
	m.open(m.w.as("clinician"), "amina", chart.Treatment, true)
	m.ask(frame{name: "clinician in a second session", kind: "staff", role: identity.Clinician, fresh: true, b: second, rooms: true})
	m.ask(frame{name: "nurse while the doctor has it open", kind: "staff", role: identity.Nurse, fresh: true, b: m.w.as("nurse"), rooms: true})
	keep()
}

func (m *matrix) open(b *browser, patient string, p chart.Purpose, may bool) bool {
	a := b.post("/desk/open", url.Values{"patient": {m.w.users[patient].public}, "purpose": {string(p)}, "reason": {"Appointment today"}})
	if (a.status == 303) != may {
		m.fault("opening %s for %s: %d", patient, p, a.status)
	}
	return a.status == 303
}

// otherPractice is the public id of a record elsewhere, under other keys.
func (m *matrix) otherPractice() string {
	dir := m.TempDir()
	_, err := vault.CreateRoot(filepath.Join(dir, keyFile), nil)
	m.w.must(err)
	m.w.must(writeConfig(dir, config{Name: "Elsewhere", Phone: "1", Emergency: "911", Colour: "#000000", Zone: "UTC", Host: "localhost", Log: "other/log"}))
	h, err := openTest(dir, m.w.clock, nil)
	m.w.must(err)
	defer h.Close()
	return h.charts.PublicID(m.w.users["amina"].account.Chart)
}

// ended: sessions that are over, with the record open until their end. What the store still holds must not bring them back.
func (m *matrix) ended() {
	w := m.w
	for _, name := range []string{"amina", "clinician"} {
		b := w.as(name)
		if name == "clinician" {
			m.open(b, "amina", chart.Treatment, true)
		}
		keep := w.keep()
		old := maps.Clone(b.cookies)
		if a := b.post("/signout", nil); a.status != 303 {
			m.fault("%s signs out: %d", name, a.status)
		}
		gone := w.browser()
		gone.cookies = old
		m.ask(frame{name: name + ", signed out, with the old cookie", kind: "nobody", b: gone})
		keep()
		m.w.must(w.h.identity.Accounts.Disable(context.Background(), w.users[name].account.ID, "test"))
		m.ask(frame{name: name + ", disabled", kind: "nobody", b: gone})
		w.revive(old["sid"], keep) // the account stays disabled; only its session row is back
		m.ask(frame{name: name + ", disabled, with the row of the session still there", kind: "nobody", b: gone})
		keep()
		b.cookies, b.token = old, ""
	}
}

// revive puts everything back and then disables the account under the session again, row and all.
func (w *world) revive(token string, keep func()) {
	ctx := context.Background()
	keep()
	sum := sha256.Sum256([]byte(token))
	var id, account string
	var hash, sealed []byte
	var started, seen int64
	w.must(w.h.db.QueryRow(ctx, `SELECT id, hash, account, started, seen, sealed FROM identity_session WHERE hash = $1`, sum[:]).
		Scan(&id, &hash, &account, &started, &seen, &sealed))
	w.must(w.h.identity.Accounts.Disable(ctx, account, "test"))
	w.must(w.h.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO identity_session (id, hash, account, started, seen, sealed) VALUES ($1, $2, $3, $4, $5, $6)`,
			id, hash, account, started, seen, sealed)
		return err
	}))
}

// later: time passes. After five minutes a proof is old, after ten staff are out, after fifteen everybody.
func (m *matrix) later() {
	w := m.w
	amina, doctor := w.as("amina"), w.as("clinician")
	m.open(doctor, "amina", chart.Treatment, true)
	w.pass(4 * time.Minute)
	amina.get("/help")
	doctor.get("/help")
	w.pass(4 * time.Minute)
	m.ask(frame{name: "amina, her proof is old", kind: "patient", owner: true, linked: true, b: amina})
	m.ask(frame{name: "clinician, proof is old, record open", kind: "staff", role: identity.Clinician, opened: "TREAT", b: doctor})
	w.pass(10 * time.Minute)
	m.ask(frame{name: "clinician after ten minutes of nothing", kind: "nobody", b: doctor})
	w.pass(5 * time.Minute)
	m.ask(frame{name: "amina after fifteen minutes of nothing", kind: "nobody", b: amina})
}

// What one act leaves in the record's log, exactly (AUD-01, AUD-02).
func TestTraces(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mayPutBack()
	lab := "/results/" + w.first("amina", "Observation", "code=http://loinc.org|4548-4&_sort=-date")
	desk := "/desk/" + w.users["amina"].public
	amina, nurse, miguel := w.as("amina"), w.as("nurse"), w.as("miguel")
	one := func(what string, do func() answer, status int, want ...string) {
		t.Helper()
		before := w.lines("amina")
		if a := do(); a.status != status {
			t.Errorf("%s: %d, want %d", what, a.status, status)
		}
		got := w.lines("amina")[len(before):]
		if len(got) != len(want) {
			t.Errorf("%s: %d entries, want %d: %v", what, len(got), len(want), got)
			return
		}
		for i, g := range got {
			if s := fmt.Sprintf("%s %s %s %s %s", g.Name, g.Action, g.What, g.Purpose, g.Outcome); s != want[i] {
				t.Errorf("%s: entry %q, want %q", what, s, want[i])
			}
			if g.Request == "" || g.Policy == "" || g.IP != "203.0.113.7" || g.At.IsZero() || g.Session == "" || g.Account == "" {
				t.Errorf("%s: the entry lacks something: %+v", what, g)
			}
		}
	}
	one("her own result", func() answer { return amina.get(lab) }, 200, "Amina Rahman read results.one PATRQT ok")
	one("a page of nobody's", func() answer { return amina.get("/help") }, 200)
	one("a stranger", func() answer { return w.browser().get(lab) }, 303)
	one("another patient", func() answer { return miguel.get(lab) }, 404)
	one("a nurse without a reason", func() answer { return nurse.get(desk + lab) }, 404, "Sam Okafor read results.one  refused")
	one("finding", func() answer {
		return nurse.post("/desk/find", url.Values{"given": {"amina"}, "number": {"WB-104-219"}})
	}, 200,
		"Sam Okafor find desk.find  ok")
	one("no reason given", func() answer {
		return nurse.post("/desk/open", url.Values{"patient": {w.users["amina"].public}, "purpose": {"TREAT"}, "reason": {" "}})
	}, 422)
	one("a purpose that is not a nurse's", func() answer {
		return nurse.post("/desk/open", url.Values{"patient": {w.users["amina"].public}, "purpose": {"HPAYMT"}, "reason": {"A bill"}})
	}, 404, "Sam Okafor read desk.open  refused")
	one("opening", func() answer {
		return nurse.post("/desk/open", url.Values{"patient": {w.users["amina"].public}, "purpose": {"TREAT"}, "reason": {"A phone call"}})
	}, 303, "Sam Okafor open desk.open TREAT ok")
	one("reading what is open", func() answer { return nurse.get(desk + lab) }, 200, "Sam Okafor read results.one TREAT ok")
	one("a comment", func() answer { return nurse.post(desk+lab+"/comments", url.Values{"text": {"All is well."}}) }, 303,
		"Sam Okafor write commented TREAT ok")
	one("a refused comment", func() answer { return nurse.post(desk+lab+"/comments", url.Values{"text": {" "}}) }, 422,
		"Sam Okafor read results.comment TREAT ok")
	one("a sealed result", func() answer { return nurse.get(desk + "/results/sealed-test") }, 404)
	one("leaving", func() answer { return nurse.post(desk+"/leave", nil) }, 303, "Sam Okafor close desk.leave TREAT ok") // the banner was read
	one("after leaving", func() answer { return nurse.get(desk + lab) }, 404, "Sam Okafor read results.one  refused")
}

// A logLine is the content of an audit entry.
type logLine struct {
	At                                                                                          time.Time
	Account, Name, Session, IP, Device, Action, What, Purpose, Reason, Outcome, Request, Policy string
	Types                                                                                       map[string]int
	Refs                                                                                        []string
}

// lines are the entries of a user's record, oldest first.
func (w *world) lines(name string) []logLine {
	w.t.Helper()
	var out []logLine
	for s, err := range w.h.charts.Audit().Each(context.Background(), w.users[name].account.Chart) {
		w.must(err)
		var l logLine
		w.must(json.Unmarshal(s.Plain, &l))
		out = append(out, l)
	}
	slices.Reverse(out)
	return out
}
