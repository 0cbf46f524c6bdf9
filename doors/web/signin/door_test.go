package signin

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/wellgate/wellgate/site"
	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/store/storetest"
	"github.com/wellgate/wellgate/trust/identity"
	"github.com/wellgate/wellgate/trust/vault"
)

const pass = "violet kettle harbour 9"

// house is a practice with two people, behind a door as plain as can be: it checks the session and nothing else.
type house struct {
	t       *testing.T
	id      *identity.Identity
	server  *httptest.Server
	client  *http.Client
	lang    string
	mu      sync.Mutex
	now     time.Time
	secret  string
	patient identity.Account
}

func (h *house) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *house) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

type whoKey struct{}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, now: time.Date(2026, 11, 20, 9, 0, 10, 0, time.UTC), lang: "en"}
	dir := t.TempDir()
	db, err := store.Open(t.Context(), storetest.URL(t, filepath.Join(dir, "w.db")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	root, err := vault.CreateRoot(filepath.Join(dir, "root.key"), nil)
	if err != nil {
		t.Fatal(err)
	}
	v, err := vault.Open(t.Context(), db, root)
	if err != nil {
		t.Fatal(err)
	}
	h.server = httptest.NewServer(nil)
	t.Cleanup(h.server.Close)
	h.server.URL = strings.Replace(h.server.URL, "127.0.0.1", "localhost", 1)
	h.id, err = identity.Open(t.Context(), identity.Options{DB: db, Vault: v, Clock: h.clock, Practice: "Willowbrook", RPID: "localhost",
		Origins: []string{h.server.URL}, InsecureLocalhost: true, Hash: identity.HashParams{MiB: 19, Time: 2, Threads: 1}})
	if err != nil {
		t.Fatal(err)
	}
	h.people()
	words, err := site.NewCatalogue(Words())
	if err != nil {
		t.Fatal(err)
	}
	h.server.Config.Handler = h.door(words)
	h.client = &http.Client{Jar: newJar(t), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return h
}

func newJar(t *testing.T) http.CookieJar {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return jar
}

func (h *house) people() {
	h.t.Helper()
	var err error
	ctx := h.t.Context()
	if h.patient, err = h.id.Accounts.Create(ctx, identity.Account{Kind: identity.Patient, Name: "Amina Haddad", Login: "amina@example.org", Chart: 7}); err != nil {
		h.t.Fatal(err)
	}
	setup, err := h.id.OneTime.Set(ctx, h.patient.ID)
	if err != nil {
		h.t.Fatal(err)
	}
	h.secret = setup.Secret
	if err := h.id.Passwords.Set(ctx, h.patient.ID, pass); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) door(words *site.Catalogue) http.Handler {
	who := func(r *http.Request) identity.Who { w, _ := r.Context().Value(whoKey{}).(identity.Who); return w }
	pages := New(Config{
		Identity: h.id, Clock: h.clock, Who: who, Exit: "https://weather.example/",
		From: func(r *http.Request) identity.From {
			return identity.FromRequest(r, netip.MustParseAddr("192.0.2.1"))
		},
		Page: func(_ http.ResponseWriter, r *http.Request) site.Page {
			return site.Page{Words: words.Words(h.lang, time.UTC), CSRF: "token", Path: r.URL.Path, Person: who(r).Name, Exit: "/session/exit",
				Practice: site.Practice{Name: "Willowbrook", Phone: "555 0100", Colour: "#0b6b70", Zone: time.UTC}}
		},
	})
	mux := http.NewServeMux()
	for _, route := range pages.Routes() {
		mux.HandleFunc(route.Pattern, func(w http.ResponseWriter, r *http.Request) {
			if who, err := h.id.Sessions.Touch(r.Context(), h.id.Cookies.Session(r)); err == nil {
				r = r.WithContext(context.WithValue(r.Context(), whoKey{}, who))
			} else if route.SignedIn {
				http.Redirect(w, r, "/signin?next="+url.QueryEscape(r.URL.Path), http.StatusSeeOther)
				return
			}
			if err := route.Handle(w, r); err != nil {
				http.Error(w, err.Error(), http.StatusTeapot)
			}
		})
	}
	assets := site.Assets()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			assets.ServeHTTP(w, r)
		}
	})
	return mux
}

type answer struct {
	status int
	to     string
	body   string
	header http.Header
}

func (h *house) do(r *http.Request) answer {
	h.t.Helper()
	res, err := h.client.Do(r)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	if res.StatusCode == http.StatusTeapot {
		h.t.Logf("%s %s: error %s", r.Method, r.URL.Path, b)
	}
	return answer{res.StatusCode, res.Header.Get("Location"), string(b), res.Header}
}

func (h *house) get(path string) answer {
	h.t.Helper()
	r, err := http.NewRequest("GET", h.server.URL+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("User-Agent", "Mozilla/5.0 (Windows NT 10.0) Chrome/156.0 Safari/537.36")
	return h.do(r)
}

func (h *house) post(path string, pairs ...string) answer {
	h.t.Helper()
	f := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		f.Set(pairs[i], pairs[i+1])
	}
	r, err := http.NewRequest("POST", h.server.URL+path, strings.NewReader(f.Encode()))
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return h.do(r)
}

func (h *house) script(path, body string) answer {
	h.t.Helper()
	r, err := http.NewRequest("POST", h.server.URL+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	return h.do(r)
}

func (h *house) code() string {
	h.t.Helper()
	h.pass(31 * time.Second)
	c, err := totp.GenerateCode(h.secret, h.clock())
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

// signin goes through both forms and returns where it led.
func (h *house) signin(next string, extra ...string) string {
	h.t.Helper()
	a := h.post("/signin/password", append([]string{"login", "amina@example.org", "password", pass, "next", next}, extra...)...)
	if a.status != http.StatusSeeOther || !strings.HasPrefix(a.to, "/signin/code") {
		h.t.Fatalf("password: %d %s %s", a.status, a.to, a.body)
	}
	a = h.post("/signin/code", "code", h.code(), "next", next)
	if a.status != http.StatusSeeOther {
		h.t.Fatalf("code: %d %s", a.status, a.body)
	}
	return a.to
}

func (a answer) says(t *testing.T, texts ...string) {
	t.Helper()
	for _, s := range texts {
		if !strings.Contains(a.body, s) {
			t.Errorf("no %q on the page:\n%s", s, text(a.body))
		}
	}
}

var tag = regexp.MustCompile(`(?s)<head.*</head>|<[^>]*>|\s+`)

func text(html string) string { return tag.ReplaceAllString(html, " ") }

func TestMain(m *testing.M) { os.Exit(storetest.OnBoth(m).Run()) }
