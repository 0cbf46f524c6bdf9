package identity

import (
	"context"
	"encoding/base32"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/store/storetest"
	"github.com/wellgate/wellgate/trust/vault"
)

const goodPassword = "violet kettle harbour 9"

// house is a practice under test with a clock that only the test moves.
type house struct {
	t   *testing.T
	ctx context.Context
	dir string
	db  *store.DB
	*Identity

	mu     sync.Mutex
	now    time.Time
	events []Event
	o      Options
}

func newHouse(t *testing.T, opts ...func(*Options)) *house {
	t.Helper()
	t.Parallel()
	h := &house{t: t, ctx: t.Context(), dir: t.TempDir(), now: time.Date(2026, 11, 20, 9, 0, 10, 0, time.UTC)}
	if _, err := vault.CreateRoot(filepath.Join(h.dir, "root.key"), nil); err != nil {
		t.Fatal(err)
	}
	h.o = Options{Practice: "Willowbrook Surgery", RPID: "portal.example", Origins: []string{"https://portal.example"}}
	for _, f := range opts {
		f(&h.o)
	}
	h.open()
	return h
}

// open starts the practice, as after a restart.
func (h *house) open() {
	h.t.Helper()
	db, err := store.Open(h.ctx, storetest.URL(h.t, filepath.Join(h.dir, "wellgate.db")))
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { db.Close() })
	root, err := vault.OpenRoot(filepath.Join(h.dir, "root.key"), nil)
	if err != nil {
		h.t.Fatal(err)
	}
	v, err := vault.Open(h.ctx, db, root)
	if err != nil {
		h.t.Fatal(err)
	}
	h.db = db
	h.o.DB, h.o.Vault, h.o.Clock = db, v, h.clock
	h.o.Event = func(_ context.Context, tx *store.Tx, e Event) error {
		tx.Committed(func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.events = append(h.events, e)
		})
		return nil
	}
	if h.Identity, err = Open(h.ctx, h.o); err != nil {
		h.t.Fatal(err)
	}
	h.c.hash.recovery = HashParams{MiB: 1, Time: 1, Threads: 1}
	h.c.hash.now = h.c.hash.recovery // quick; the floor is tested by Open itself
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

func (h *house) saw(kind EventKind) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, e := range h.events {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// person is an account with password and app.
type person struct {
	Account
	secret string
	codes  []string
}

func (h *house) patient(login string) person {
	h.t.Helper()
	a, err := h.Accounts.Create(h.ctx, Account{Kind: Patient, Name: "Amina Haddad", Login: login, Chart: int64(1000 + len(login)*7919 + int(login[0]))})
	if err != nil {
		h.t.Fatal(err)
	}
	return h.factors(a)
}

func (h *house) factors(a Account) person {
	h.t.Helper()
	setup, err := h.OneTime.Set(h.ctx, a.ID)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := h.Passwords.Set(h.ctx, a.ID, goodPassword); err != nil {
		h.t.Fatal(err)
	}
	codes, err := h.OneTime.IssueRecovery(h.ctx, a.ID)
	if err != nil {
		h.t.Fatal(err)
	}
	return person{a, setup.Secret, codes}
}

func (h *house) code(secret string) string {
	h.t.Helper()
	if _, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret); err != nil {
		h.t.Fatal(err)
	}
	c, err := totp.GenerateCode(secret, h.clock())
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

func from(ip string, cookies ...*http.Cookie) From {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("User-Agent", "Browser 1")
	for _, c := range cookies {
		r.AddCookie(c)
	}
	return FromRequest(r, netip.MustParseAddr(ip))
}

// signin goes the way of password and app.
func (h *house) signin(p person, f From) Grant {
	h.t.Helper()
	g, err := h.trySignin(p, f)
	if err != nil {
		h.t.Fatal(err)
	}
	return g
}

func (h *house) trySignin(p person, f From) (Grant, error) {
	h.t.Helper()
	h.pass(31 * time.Second) // a fresh time step
	step, err := h.Signin.Password(h.ctx, p.Login, goodPassword, false, f)
	if err != nil {
		return Grant{}, err
	}
	return h.Signin.Code(h.ctx, step, h.code(p.secret), f)
}

func setCookies(c Cookies, g Grant) []*http.Cookie {
	w := httptest.NewRecorder()
	c.Grant(w, g)
	var out []*http.Cookie
	for _, k := range w.Result().Cookies() {
		if k.MaxAge >= 0 {
			out = append(out, k)
		}
	}
	return out
}

func deviceCookie(c Cookies, g Grant) *http.Cookie {
	for _, k := range setCookies(c, g) {
		if strings.Contains(k.Name, "device-") {
			return k
		}
	}
	return nil
}

func TestMain(m *testing.M) { os.Exit(storetest.OnBoth(m).Run()) }
