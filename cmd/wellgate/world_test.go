package main

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/internal/admit"
	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/identity"
	"github.com/wellgate/wellgate/trust/vault"
)

// A world is a small practice with its door, played over HTTP in this process: the demo's three patients and all its staff,
// real keys, a real store, real passwords and codes. Its clock stands until a test moves it.
type world struct {
	t     testing.TB
	h     *house
	door  http.Handler
	fhir  http.Handler
	both  http.Handler
	gate  *admit.Gate
	blind string // token of a service that sees no labels, for decisive
	logs  *syncBuffer
	users map[string]*user
	dir   string
	root  vault.Root // instead of the key file

	putsBack bool // accounts may be put back unseen

	mu  sync.Mutex
	now time.Time
}

// A user is somebody with an account.
type user struct {
	name, login, password, secret, public string
	account                               identity.Account
	browser                               *browser
	step                                  int64 // of the newest code used: each counts once
}

const testHost = "localhost:8080"

// newWorld copies the practice and opens it.
func newWorld(t testing.TB) *world {
	t.Helper()
	m := theMould()
	w := &world{t: t, dir: t.TempDir(), users: map[string]*user{}, logs: &syncBuffer{}, now: m.now}
	m.copyTo(t, w.dir)
	w.open(nil)
	ctx := context.Background()
	for _, u := range m.users {
		acc, err := w.h.identity.Accounts.ByLogin(ctx, u.Login)
		w.must(err)
		short := strings.ToLower(strings.Fields(strings.TrimPrefix(u.Name, "Dr. "))[0])
		x := &user{name: short, login: u.Login, password: u.Password, secret: u.Secret, account: acc}
		if acc.Chart != 0 {
			x.public = w.h.charts.PublicID(acc.Chart)
		}
		w.users[short] = x
		if acc.Kind == identity.Staff {
			w.users[string(acc.Role)] = x
		}
	}
	t.Cleanup(w.close)
	return w
}

// open opens the practice and its door, under other rules than the product's if texts has any.
func (w *world) open(texts map[string]string) {
	w.t.Helper()
	h, err := openTestBy(w.dir, w.root, w.clock, texts)
	w.h = h
	w.must(err)
	if w.putsBack {
		w.must(h.cheapIdentity(context.Background(), []string{"http://" + testHost}, nil))
	}
	log := slog.New(slog.NewTextHandler(w.logs, nil))
	both, err := h.doors(doorway{hosts: []string{testHost}, demo: true, log: log}, map[string]string{testHost: "http://" + testHost + "/fhir"})
	w.must(err)
	w.door, w.fhir, w.both, w.gate = both.web, both.api, both, both.gate
}

// mayPutBack opens the world again so that accounts may be put back to what they were (keep).
func (w *world) mayPutBack() {
	w.close()
	w.putsBack = true
	w.open(nil)
}

func (w *world) close() {
	if w.h != nil {
		w.h.Close()
		w.h = nil
	}
}

func (w *world) clock() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.now }
func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// system is a user's record as the practice's own tools see it.
func (w *world) system(name string) *chart.Chart {
	return w.h.charts.System(w.h.charts.Begin(system("test"), "test"), w.users[name].account.Chart)
}

// first is the id of the first resource of a type that a search in a user's record finds.
func (w *world) first(name, typ, query string) string {
	w.t.Helper()
	found, err := w.system(name).Search(context.Background(), typ, query)
	w.must(err)
	if len(found) == 0 {
		w.t.Fatalf("%s has no %s with %s", name, typ, query)
	}
	return found[0].ID()
}

// A browser keeps cookies and the newest form token, as a person's does.
type browser struct {
	w       *world
	cookies map[string]string
	token   string
	agent   string
	ip      string
	shared  bool // of several people, as its user ticks at sign-in
	frozen  bool // keeps what it has, whatever it is answered
}

func (w *world) browser() *browser {
	return &browser{w: w, cookies: map[string]string{}, agent: "Test browser", ip: "203.0.113.7"}
}

// An answer is a response, read to its end.
type answer struct {
	status int
	header http.Header
	body   string
}

func (b *browser) do(method, path string, form url.Values) answer {
	b.w.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r := b.request(method, path, body)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	return b.send(r)
}

// request is one as this browser makes it. The path is taken as it is written, however odd.
func (b *browser) request(method, path string, body io.Reader) *http.Request {
	b.w.t.Helper()
	r := httptest.NewRequest(method, "http://"+testHost+path, body)
	r.RemoteAddr = b.ip + ":4000"
	r.Header.Set("User-Agent", b.agent)
	r.Header.Set("Accept-Language", "en")
	for _, k := range slices.Sorted(maps.Keys(b.cookies)) {
		r.AddCookie(&http.Cookie{Name: k, Value: b.cookies[k]})
	}
	return r
}

func (b *browser) send(r *http.Request) answer {
	rec := httptest.NewRecorder()
	b.w.door.ServeHTTP(rec, r)
	res := rec.Result()
	if !b.frozen {
		for _, c := range res.Cookies() {
			if c.MaxAge < 0 || c.Value == "" {
				delete(b.cookies, c.Name)
			} else {
				b.cookies[c.Name] = c.Value
			}
		}
	}
	text := rec.Body.String()
	if m := tokenText.FindStringSubmatch(text); m != nil && !b.frozen {
		b.token = m[1]
	}
	return answer{res.StatusCode, res.Header, text}
}

var tokenText = regexp.MustCompile(`<meta name="csrf" content="([^"]+)"`)

func (b *browser) get(path string) answer { b.w.t.Helper(); return b.do("GET", path, nil) }

// post sends a form with the newest token, getting one first if there is none.
func (b *browser) post(path string, form url.Values) answer {
	b.w.t.Helper()
	if b.token == "" {
		b.get("/help")
	}
	if form == nil {
		form = url.Values{}
	}
	form.Set("csrf", b.token)
	return b.do("POST", path, form)
}

// as is a user's browser, signed in by password and code.
func (w *world) as(name string) *browser {
	w.t.Helper()
	u := w.users[name]
	if u == nil {
		w.t.Fatalf("nobody is called %q", name)
	}
	if u.browser == nil {
		u.browser = w.browser()
		u.browser.signin(u)
	}
	return u.browser
}

func (b *browser) signin(u *user) {
	b.w.t.Helper()
	b.get("/signin")
	form := url.Values{"login": {u.login}, "password": {u.password}}
	if b.shared {
		form.Set("shared", "on")
	}
	if a := b.post("/signin/password", form); a.status != 303 {
		b.w.t.Fatalf("%s: password: %d\n%s", u.name, a.status, a.body)
	}
	b.get("/signin/code")
	if a := b.post("/signin/code", url.Values{"code": {b.w.code(u)}}); a.status != 303 {
		b.w.t.Fatalf("%s: code: %d\n%s", u.name, a.status, a.body)
	}
	b.token = ""
}

// code is what the user's authenticator app shows. Each code counts once, so a second one takes half a minute.
func (w *world) code(u *user) string {
	w.t.Helper()
	if u.step == w.clock().Unix()/30 {
		w.pass(30 * time.Second)
	}
	u.step = w.clock().Unix() / 30
	code, err := totp.GenerateCode(u.secret, w.clock())
	w.must(err)
	return code
}

// prove presents the authenticator code again (step-up).
func (b *browser) prove(u *user) {
	b.w.t.Helper()
	b.get("/signin/again")
	if a := b.post("/signin/again", url.Values{"code": {b.w.code(u)}}); a.status != 303 {
		b.w.t.Fatalf("%s: prove: %d\n%s", u.name, a.status, a.body)
	}
	b.token = ""
}

// opens lets staff into a patient's record with a reason.
func (w *world) opens(staff, patient, purpose string) {
	w.t.Helper()
	a := w.as(staff).post("/desk/open", url.Values{"patient": {w.users[patient].public}, "purpose": {purpose}, "reason": {"Appointment today"}})
	if a.status != 303 {
		w.t.Fatalf("%s opens %s: %d\n%s", staff, patient, a.status, a.body)
	}
}

// A syncBuffer collects logs.
type syncBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string { s.mu.Lock(); defer s.mu.Unlock(); return s.b.String() }

// demoPatient is the record number of a user.
func demoPatient(w *world, name string) (string, error) {
	r, err := w.system(name).Patient(context.Background())
	if err != nil {
		return "", err
	}
	for _, id := range fhir.Into[fhir.Patient](r).Identifier {
		if id.Type.Code("http://terminology.hl7.org/CodeSystem/v2-0203") == "MR" {
			return id.Value, nil
		}
	}
	return fhir.Into[fhir.Patient](r).Identifier[0].Value, nil
}
