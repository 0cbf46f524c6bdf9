package main

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/wellgate/wellgate/demo"
	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/trust/identity"
	"github.com/wellgate/wellgate/trust/vault"
)

// A world is a small practice with its door, played over HTTP in this process: the demo's three patients and all its staff,
// real keys, a real store, real passwords and codes. Its clock stands until a test moves it.
type world struct {
	t     *testing.T
	h     *house
	door  http.Handler
	logs  *syncBuffer
	users map[string]*user
	dir   string

	mu  sync.Mutex
	now time.Time
}

// A user is somebody with an account.
type user struct {
	name, login, password, secret, public string
	account                               identity.Account
	browser                               *browser
}

const testHost = "localhost:8080"

// newWorld makes the practice. only keeps patients by the first word of their names; nil keeps amina, miguel and yusuf.
func newWorld(t *testing.T, only ...string) *world {
	t.Helper()
	if len(only) == 0 {
		only = []string{"amina", "miguel", "yusuf"}
	}
	w := &world{t: t, dir: t.TempDir(), users: map[string]*user{}, logs: &syncBuffer{}, now: time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC)}
	p, err := demo.Generate(1, w.now)
	w.must(err)
	p.Patients = slicesKeep(p.Patients, func(x demo.Patient) bool {
		first, _, _ := strings.Cut(strings.ToLower(x.DisplayName), " ")
		for _, n := range only {
			if n == first && x.Hero {
				return true
			}
		}
		return false
	})
	for i := range p.Staff { // everybody can sign in by password here; a product's staff cannot
		p.Staff[i].Hero = true
	}
	_, err = vault.CreateRoot(filepath.Join(w.dir, keyFile), nil)
	w.must(err)
	w.must(writeConfig(w.dir, config{Name: p.Name, Phone: p.Phone, Emergency: p.Emergency, Colour: p.Colour, Zone: p.Zone, Host: "localhost", Log: "test/log"}))
	w.open()
	ctx := context.Background()
	w.must(w.h.deliverDemo(ctx, p))
	var st demoState
	w.must(w.h.peopleDemo(ctx, p, &st))
	for _, u := range st.Signins {
		acc, err := w.h.identity.Accounts.ByLogin(ctx, u.Login)
		w.must(err)
		short := strings.ToLower(strings.Fields(strings.TrimPrefix(u.Name, "Dr. "))[0])
		x := &user{name: short, login: u.Login, password: u.Password, secret: u.Secret, account: acc}
		if acc.Chart != 0 {
			x.public = w.h.charts.PublicID(acc.Chart)
		}
		w.users[short] = x
		if u.Staff {
			w.users[u.Role] = x
		}
	}
	t.Cleanup(w.close)
	return w
}

func slicesKeep[T any](in []T, keep func(T) bool) (out []T) {
	for _, x := range in {
		if keep(x) {
			out = append(out, x)
		}
	}
	return out
}

func (w *world) open() {
	h, err := open(context.Background(), opening{dir: w.dir, demo: true, insecure: true, origins: []string{"http://" + testHost}, clock: w.clock})
	w.must(err)
	w.h = h
	log := slog.New(slog.NewTextHandler(w.logs, nil))
	door, err := h.door(doorway{hosts: []string{testHost}, demo: true, log: log})
	w.must(err)
	w.door = door
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

// first is the id of the first resource of a type that a search in a user's record finds.
func (w *world) first(name, typ, query string) string {
	w.t.Helper()
	c := w.h.charts.System(w.h.charts.Begin(system("test"), "test"), w.users[name].account.Chart)
	found, err := c.Search(context.Background(), typ, query)
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
	r := httptest.NewRequest(method, "http://"+testHost+path, body)
	r.RemoteAddr = b.ip + ":4000"
	r.Header.Set("User-Agent", b.agent)
	r.Header.Set("Accept-Language", "en")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for k, v := range b.cookies {
		r.AddCookie(&http.Cookie{Name: k, Value: v})
	}
	rec := httptest.NewRecorder()
	b.w.door.ServeHTTP(rec, r)
	res := rec.Result()
	for _, c := range res.Cookies() {
		if c.MaxAge < 0 || c.Value == "" {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	text := rec.Body.String()
	if m := tokenText.FindStringSubmatch(text); m != nil {
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
	if a := b.post("/signin/password", url.Values{"login": {u.login}, "password": {u.password}}); a.status != 303 {
		b.w.t.Fatalf("%s: password: %d\n%s", u.name, a.status, a.body)
	}
	b.get("/signin/code")
	b.w.pass(30 * time.Second) // each code counts once
	code, err := totp.GenerateCode(u.secret, b.w.clock())
	b.w.must(err)
	if a := b.post("/signin/code", url.Values{"code": {code}}); a.status != 303 {
		b.w.t.Fatalf("%s: code: %d\n%s", u.name, a.status, a.body)
	}
	b.token = ""
}

// prove presents the authenticator code again (step-up).
func (b *browser) prove(u *user) {
	b.w.t.Helper()
	b.get("/signin/again")
	b.w.pass(30 * time.Second)
	code, err := totp.GenerateCode(u.secret, b.w.clock())
	b.w.must(err)
	if a := b.post("/signin/again", url.Values{"code": {code}}); a.status != 303 {
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
	c := w.h.charts.System(w.h.charts.Begin(system("test"), "test"), w.users[name].account.Chart)
	r, err := c.Patient(context.Background())
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
