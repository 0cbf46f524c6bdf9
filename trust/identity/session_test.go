package identity

import (
	"bytes"
	"database/sql"
	"encoding/base64"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/wellgate/wellgate/store"
)

func (h *house) staff(login string, role Role) (person, Grant) {
	h.t.Helper()
	a, err := h.Accounts.Create(h.ctx, Account{Kind: Staff, Role: role, Name: "Staff " + login, Login: login})
	if err != nil {
		h.t.Fatal(err)
	}
	p := h.factors(a)
	return p, h.signin(p, from("192.0.2.1"))
}

func staffDemo(o *Options) { o.StaffPasswordInDemo = true }

func TestSessionLimits(t *testing.T) {
	for name, c := range map[string]struct {
		role        Role
		shared      bool
		idle, whole time.Duration
	}{
		"patient":              {"", false, 15 * time.Minute, 12 * time.Hour},
		"patient, shared":      {"", true, 5 * time.Minute, 12 * time.Hour},
		"staff":                {Nurse, false, 10 * time.Minute, 10 * time.Hour},
		"staff, shared":        {Nurse, true, 5 * time.Minute, 10 * time.Hour},
		"administrator":        {Administrator, false, 5 * time.Minute, 4 * time.Hour},
		"administrator, share": {Administrator, true, 5 * time.Minute, 4 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, staffDemo)
			var p person
			if c.role == "" {
				p = h.patient("amina@example.org")
			} else {
				p, _ = h.staff("s@example.org", c.role)
			}
			signin := func() Grant {
				h.pass(31 * time.Second)
				step, err := h.Signin.Password(h.ctx, p.Login, goodPassword, c.shared, From{})
				if err != nil {
					t.Fatal(err)
				}
				g, err := h.Signin.Code(h.ctx, step, h.code(p.secret), From{})
				if err != nil {
					t.Fatal(err)
				}
				return g
			}
			g := signin()
			if g.Shared != c.shared {
				t.Fatal("shared is lost")
			}
			idle, whole, err := h.Sessions.Ends(h.ctx, g.Token)
			if err != nil || idle.Sub(h.now) != c.idle || whole.Sub(h.now) != c.whole {
				t.Fatal(idle.Sub(h.now), whole.Sub(h.now), err)
			}
			h.pass(c.idle - time.Second)
			if _, err := h.Sessions.Touch(h.ctx, g.Token); err != nil {
				t.Fatalf("just before: %v", err)
			}
			// Looking does not extend, however often (SES-05).
			for range 4 {
				h.pass(c.idle/4 - time.Second)
				if _, err := h.Sessions.Check(h.ctx, g.Token); err != nil {
					t.Fatalf("check: %v", err)
				}
			}
			h.pass(4 * time.Second)
			if _, err := h.Sessions.Touch(h.ctx, g.Token); err != ErrNoSession {
				t.Fatalf("idle: %v", err)
			}
			// Acting all the time ends at the absolute limit.
			g = signin()
			start := h.now
			for h.now.Sub(start) < c.whole {
				if _, err := h.Sessions.Touch(h.ctx, g.Token); err != nil {
					t.Fatalf("after %v: %v", h.now.Sub(start), err)
				}
				h.pass(c.idle / 2)
			}
			if _, err := h.Sessions.Touch(h.ctx, g.Token); err != ErrNoSession {
				t.Fatalf("absolute: %v", err)
			}
		})
	}
}

func TestTokenIsOpaqueAndHashed(t *testing.T) {
	h := newHouse(t)
	g := h.signin(h.patient("amina@example.org"), From{})
	raw, err := base64.RawURLEncoding.DecodeString(g.Token)
	if err != nil || len(raw) != 32 {
		t.Fatalf("token %q", g.Token)
	}
	var hash []byte
	if err := h.db.QueryRow(h.ctx, `SELECT hash FROM identity_session`).Scan(&hash); err != nil || !bytes.Equal(hash, hashToken(g.Token)) {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "x", strings.Repeat("A", 43), string(hash), g.Who.Session, g.Token + "A", g.Token[1:]} {
		if _, err := h.Sessions.Check(h.ctx, bad); err != ErrNoSession {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestEndedAtOnce(t *testing.T) {
	for name, end := range map[string]func(h *house, p person, g Grant) error{
		"signout":  func(h *house, p person, g Grant) error { return h.Sessions.Signout(h.ctx, g.Token, From{}) },
		"end":      func(h *house, p person, g Grant) error { return h.Sessions.End(h.ctx, p.ID, g.Who.Session, "") },
		"end all":  func(h *house, p person, g Grant) error { _, err := h.Sessions.EndAll(h.ctx, p.ID, "admin"); return err },
		"disable":  func(h *house, p person, g Grant) error { return h.Accounts.Disable(h.ctx, p.ID, "admin") },
		"role":     func(h *house, p person, g Grant) error { return h.Accounts.SetRole(h.ctx, p.ID, Auditor, "admin") },
		"rotation": func(h *house, p person, g Grant) error { _, err := h.Sessions.Rotate(h.ctx, g.Token); return err },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, staffDemo)
			p, g := h.staff("s@example.org", Nurse)
			if _, err := h.Sessions.Check(h.ctx, g.Token); err != nil {
				t.Fatal(err)
			}
			if err := end(h, p, g); err != nil {
				t.Fatal(err)
			}
			if _, err := h.Sessions.Check(h.ctx, g.Token); err != ErrNoSession {
				t.Fatalf("still there: %v", err)
			}
			if err := h.Sessions.Signout(h.ctx, g.Token, From{}); err != nil {
				t.Fatalf("signing out twice: %v", err)
			}
		})
	}
}

// A disabled account is out even where its rows are still there.
func TestDisabledIsReadEachTime(t *testing.T) {
	h := newHouse(t)
	p := h.patient("amina@example.org")
	g := h.signin(p, From{})
	if _, err := h.Sessions.Check(h.ctx, g.Token); err != nil { // fills the cache
		t.Fatal(err)
	}
	other, err := Open(h.ctx, h.o) // as another process does it
	if err != nil {
		t.Fatal(err)
	}
	if err := other.c.change(h.ctx, p.ID, func(_ *store.Tx, a *account) error { a.Disabled = true; return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Sessions.Check(h.ctx, g.Token); err != ErrNoSession {
		t.Fatal(err)
	}
	if _, err := h.trySignin(p, From{}); err != ErrRefused {
		t.Fatal(err)
	}
	if err := h.Accounts.Enable(h.ctx, p.ID, "admin"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.trySignin(p, From{}); err != nil {
		t.Fatal(err)
	}
}

func TestTenSessions(t *testing.T) {
	h := newHouse(t)
	p := h.patient("amina@example.org")
	var all []Grant
	for range 10 {
		all = append(all, h.signin(p, from("192.0.2.1")))
	}
	if _, err := h.Sessions.Touch(h.ctx, all[0].Token); err != nil {
		t.Fatal(err)
	}
	newest := h.signin(p, from("192.0.2.1"))
	list, err := h.Sessions.List(h.ctx, p.ID)
	if err != nil || len(list) != 10 || list[0].ID != newest.Who.Session || list[0].Agent != "Browser 1" || list[0].IP != "192.0.2.1" || list[0].Way != "code" {
		t.Fatalf("%+v %v", list, err)
	}
	if _, err := h.Sessions.Check(h.ctx, all[1].Token); err != ErrNoSession {
		t.Error("the longest idle one stayed")
	}
	if _, err := h.Sessions.Check(h.ctx, all[0].Token); err != nil {
		t.Error("one in use was ended")
	}
	if h.saw(EventSessionEnded) != 1 {
		t.Error("nobody was told")
	}
	if n, err := h.Sessions.EndOthers(h.ctx, newest.Who); err != nil || n != 9 {
		t.Fatal(n, err)
	}
	if _, err := h.Sessions.Check(h.ctx, newest.Token); err != nil {
		t.Fatal(err)
	}
	if err := h.Sessions.End(h.ctx, h.patient("b@example.org").ID, newest.Who.Session, ""); !errors.Is(err, ErrNotFound) {
		t.Fatalf("somebody else's session: %v", err)
	}
}

func TestSinceIsThePreviousSignin(t *testing.T) {
	h := newHouse(t)
	p := h.patient("amina@example.org")
	first := h.signin(p, From{})
	if !first.Who.Since.IsZero() {
		t.Fatal(first.Who.Since)
	}
	at := h.now
	h.pass(48 * time.Hour)
	second := h.signin(p, From{})
	who, err := h.Sessions.Check(h.ctx, second.Token)
	if err != nil || !who.Since.Equal(at) {
		t.Fatal(who.Since, at, err)
	}
}

func TestSweep(t *testing.T) {
	h := newHouse(t)
	p := h.patient("amina@example.org")
	h.signin(p, From{})
	h.guess("x@example.org", "192.0.2.1")
	h.pass(200 * 24 * time.Hour)
	g := h.signin(p, From{})
	if err := h.Sweep(h.ctx); err != nil {
		t.Fatal(err)
	}
	count := func(table string) (n int) {
		if err := h.db.QueryRow(h.ctx, "SELECT count(*) FROM "+table).Scan(&n); err != nil && !errors.Is(err, sql.ErrNoRows) {
			t.Fatal(err)
		}
		return n
	}
	if s, u, b := count("identity_session"), count("identity_spent"), count("identity_throttle"); s != 1 || u != 1 || b != 0 {
		t.Fatal(s, u, b)
	}
	if _, err := h.Sessions.Check(h.ctx, g.Token); err != nil {
		t.Fatal(err)
	}
}

func TestCookies(t *testing.T) {
	c := Cookies{}
	w := httptest.NewRecorder()
	c.Grant(w, Grant{Token: "t"})
	if got := w.Header()["Set-Cookie"][0]; got != "__Host-sid=t; Path=/; HttpOnly; Secure; SameSite=Lax" {
		t.Error(got)
	}
	w = httptest.NewRecorder()
	c.Clear(w)
	if got := strings.Join(w.Header()["Set-Cookie"], "\n"); strings.Count(got, "Max-Age=0") != 3 {
		t.Error(got)
	}
}

func TestEnrolment(t *testing.T) {
	h := newHouse(t)
	a, err := h.Accounts.Create(h.ctx, Account{Kind: Staff, Role: Administrator, Name: "First Admin", Login: "admin@practice.example"})
	if err != nil {
		t.Fatal(err)
	}
	old, err := h.Enrol.Issue(h.ctx, a.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	code, err := h.Enrol.Issue(h.ctx, a.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Enrol.Begin(h.ctx, old, From{}); err != ErrRefused {
		t.Fatalf("replaced code: %v", err)
	}
	step, err := h.Enrol.Begin(h.ctx, " "+strings.ToLower(code)+" ", From{})
	if err != nil {
		t.Fatal(err)
	}
	if _, app, err := h.Enrol.Setup(h.ctx, step); err != nil || app != nil {
		t.Fatalf("staff are offered an app: %v", err)
	}
	if _, err := h.Enrol.FinishPassword(h.ctx, step, goodPassword, "000000", false, From{}); err != ErrPasskeyOnly {
		t.Fatal(err)
	}
	k := newKey(h)
	options, challenge, err := h.Enrol.BeginPasskey(h.ctx, step)
	if err != nil {
		t.Fatal(err)
	}
	answer := k.create(t, options)
	g, err := h.Enrol.FinishPasskey(h.ctx, challenge, "Key", answer, false, From{})
	if err != nil || g.Who.Account != a.ID || g.Who.Role != Administrator {
		t.Fatal(g, err)
	}
	for name, try := range map[string]func() error{
		"code again": func() error { _, err := h.Enrol.Begin(h.ctx, code, From{}); return err },
		"step again": func() error { _, _, err := h.Enrol.BeginPasskey(h.ctx, step); return err },
		"reply again": func() error {
			_, err := h.Enrol.FinishPasskey(h.ctx, challenge, "Key", answer, false, From{})
			return err
		},
		"issue again": func() error { _, err := h.Enrol.Issue(h.ctx, a.ID, ""); return err },
	} {
		if err := try(); err == nil {
			t.Errorf("%s worked", name)
		}
	}
	h.pass(time.Hour)
	if _, err := h.usePasskey(&k); err != nil {
		t.Fatal(err)
	}

	b, err := h.Accounts.Create(h.ctx, Account{Kind: Patient, Name: "New Patient", Login: "new@example.org", Chart: 9})
	if err != nil {
		t.Fatal(err)
	}
	if code, err = h.Enrol.Issue(h.ctx, b.ID, ""); err != nil {
		t.Fatal(err)
	}
	if step, err = h.Enrol.Begin(h.ctx, code, From{}); err != nil {
		t.Fatal(err)
	}
	_, app, err := h.Enrol.Setup(h.ctx, step)
	if err != nil {
		t.Fatal(err)
	}
	var bad *PasswordError
	if _, err := h.Enrol.FinishPassword(h.ctx, step, "short", h.code(app.Secret), false, From{}); !errors.As(err, &bad) || bad.Min != 12 {
		t.Fatal(err)
	}
	if _, err := h.Enrol.FinishPassword(h.ctx, step, goodPassword, "000000", false, From{}); err != ErrRefused {
		t.Fatal(err)
	}
	if g, err := h.Enrol.FinishPassword(h.ctx, step, goodPassword, h.code(app.Secret), true, From{}); err != nil || !g.Shared || g.Who.AAL != 2 {
		t.Fatal(g, err)
	}
	if _, err := h.trySignin(person{Account: b, secret: app.Secret}, From{}); err != nil {
		t.Fatal(err)
	}
	c, err := h.Accounts.Create(h.ctx, Account{Kind: Patient, Name: "Late", Login: "late@example.org"})
	if err != nil {
		t.Fatal(err)
	}
	if code, err = h.Enrol.Issue(h.ctx, c.ID, ""); err != nil {
		t.Fatal(err)
	}
	h.pass(24 * time.Hour)
	if _, err := h.Enrol.Begin(h.ctx, code, From{}); err != ErrRefused {
		t.Fatalf("a day later: %v", err)
	}
}

func TestPasswordRules(t *testing.T) {
	h := newHouse(t)
	a, err := h.Accounts.Create(h.ctx, Account{Kind: Patient, Name: "Amina Haddad-Okafor", Login: "amina.h1985@example.org"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		password string
		want     Reason
	}{
		{"", Short}, {"violet kettle 9", ""}, {"violet kettle ", Short}, {strings.Repeat("é", 15), Pattern},
		{"e\u0301tude brisk vo", Short}, // 14 code points once composed
		{"étude brisk voyage", ""}, {"日本語の長い合言葉はこれで十分", ""}, {"🦊🌲⛰️🎻🧵🔭🪁🧊🍋🪴🦉🎲🧭🛶🪵", ""},
		{strings.Repeat(" ", 15), Pattern}, {strings.Repeat("plinth oasis", 21) + "mirt", ""}, {strings.Repeat("x", 257), Long}, {strings.Repeat("🦊🌲", 129), Long},
		{"passwordpassword", Common}, {"password1234567", Common}, {"P@ssw0rd!P@ssw0rd?", Common}, {"Welcome12345678!", Common}, {"iloveyouforever1", Common},
		{"qwertyuiopasdfgh", Common}, {"1234567890123456", Pattern}, {"abcdefghijklmnop", Pattern}, {"aaaaaaaaaaaaaaaaaaab", Pattern},
		{"correcthorsebatterystaple", Common}, {"sunshine2024summer", Common}, {"Wellgate123456!!", Context}, {"Willowbrook2026!", Context},
		{"willowbrooksurgery", Context}, {"amina1985haddad!", Context}, {"Okafor Haddad 12", Context}, {"WillowbrookKettleAnvil", ""},
		{"contraseña12345678", Common}, {"\xff\xfe binary binary", Invalid}, {"my four cat names are odd", ""}, {"plinth-oasis-mirth-29", ""}, {"8Kz#q!Lw2@vX9$p", ""},
	} {
		err := h.Passwords.Check(h.ctx, a.ID, c.password)
		var bad *PasswordError
		if got := Reason(""); errors.As(err, &bad) {
			got = bad.Reason
			if got != c.want || bad.Min != 15 {
				t.Errorf("%q: %s, want %q", c.password, got, c.want)
			}
		} else if c.want != "" || err != nil {
			t.Errorf("%q: %v, want %q", c.password, err, c.want)
		}
	}
	if _, err := h.OneTime.Set(h.ctx, a.ID); err != nil {
		t.Fatal(err)
	}
	if err := h.Passwords.Check(h.ctx, a.ID, "violet kett9"); err != nil {
		t.Errorf("12 beside an app: %v", err)
	}
	// What is composed differently is the same password; nothing is cut off.
	if err := h.Passwords.Set(h.ctx, a.ID, "étude brisk voyage"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Signin.Password(h.ctx, a.Login, "e\u0301tude brisk voyage", false, From{}); err != nil {
		t.Errorf("other composition: %v", err)
	}
	if _, err := h.Signin.Password(h.ctx, a.Login, "étude brisk voyag", false, From{}); err != ErrRefused {
		t.Errorf("cut off: %v", err)
	}
}
