package identity

import (
	"bytes"
	"errors"
	"fmt"
	"github.com/wellgate/wellgate/store/storetest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Every way in × every missing factor gives no session (AUT-08).
func TestNoSessionWithoutEveryFactor(t *testing.T) {
	h := newHouse(t)
	p, q := h.patient("amina@example.org"), h.patient("b@example.org")
	f := from("192.0.2.1")
	step := func(p person) string {
		t.Helper()
		s, err := h.Signin.Password(h.ctx, p.Login, goodPassword, false, f)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	stale := step(p)
	h.pass(11 * time.Minute)
	cases := map[string]func() (Grant, error){
		"wrong password": func() (Grant, error) {
			_, err := h.Signin.Password(h.ctx, p.Login, "wrong wrong wrong", false, f)
			return Grant{}, err
		},
		"unknown login": func() (Grant, error) {
			_, err := h.Signin.Password(h.ctx, "no@example.org", goodPassword, false, f)
			return Grant{}, err
		},
		"code without password": func() (Grant, error) { return h.Signin.Code(h.ctx, "", h.code(p.secret), f) },
		"made-up step":          func() (Grant, error) { return h.Signin.Code(h.ctx, strings.Repeat("A", 200), h.code(p.secret), f) },
		"password, no code":     func() (Grant, error) { return h.Signin.Code(h.ctx, step(p), "", f) },
		"password, wrong code":  func() (Grant, error) { return h.Signin.Code(h.ctx, step(p), "000000", f) },
		"other's code":          func() (Grant, error) { return h.Signin.Code(h.ctx, step(p), h.code(q.secret), f) },
		"old step":              func() (Grant, error) { return h.Signin.Code(h.ctx, stale, h.code(p.secret), f) },
		"recovery, no password": func() (Grant, error) { return h.Signin.Recovery(h.ctx, "", p.codes[0], f) },
		"other's recovery":      func() (Grant, error) { return h.Signin.Recovery(h.ctx, step(p), q.codes[0], f) },
		"recovery as app code":  func() (Grant, error) { return h.Signin.Code(h.ctx, step(p), p.codes[0], f) },
		"app code as recovery":  func() (Grant, error) { return h.Signin.Recovery(h.ctx, step(p), h.code(p.secret), f) },
		"step as session":       func() (Grant, error) { _, err := h.Sessions.Check(h.ctx, step(p)); return Grant{}, err },
		"empty passkey": func() (Grant, error) {
			_, s, _ := h.Passkeys.BeginSignin(h.ctx)
			return h.Passkeys.FinishSignin(h.ctx, s, nil, false, f)
		},
		"code step as passkey": func() (Grant, error) { return h.Passkeys.FinishSignin(h.ctx, step(p), []byte("{}"), false, f) },
	}
	for name, try := range cases {
		if g, err := try(); err == nil || g.Token != "" {
			t.Errorf("%s: got a session (%v)", name, err)
		}
		h.pass(2 * time.Hour) // forgive
	}
	if n := h.saw(EventSignin); n != 0 {
		t.Fatalf("%d sessions were made", n)
	}
	// The same, whole, does give one.
	if g := h.signin(p, f); g.Who.Account != p.ID || g.Who.Kind != Patient || g.Who.AAL != 2 || g.Who.Chart != p.Chart {
		t.Fatalf("who = %+v", g.Who)
	}
	h.pass(time.Minute)
	if _, err := h.Signin.Recovery(h.ctx, step(p), strings.ToLower(strings.ReplaceAll(p.codes[0], "-", " ")), f); err != nil {
		t.Fatalf("recovery code as typed: %v", err)
	}
}

// Without second factor enrolled at all, a right password still is not enough.
func TestPasswordAlone(t *testing.T) {
	h := newHouse(t)
	a, err := h.Accounts.Create(h.ctx, Account{Kind: Patient, Name: "No App", Login: "noapp@example.org", Chart: 5})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Passwords.Set(h.ctx, a.ID, goodPassword); err != nil {
		t.Fatal(err)
	}
	step, err := h.Signin.Password(h.ctx, a.Login, goodPassword, false, From{})
	if err != nil {
		t.Fatal(err)
	}
	if sec, err := h.Signin.Second(h.ctx, step); err != nil || sec.App || sec.Recovery {
		t.Fatalf("second = %+v, %v", sec, err)
	}
	for _, code := range []string{"", "000000"} {
		if _, err := h.Signin.Code(h.ctx, step, code, From{}); !errors.Is(err, ErrRefused) {
			t.Fatalf("code %q: %v", code, err)
		}
		if _, err := h.Signin.Recovery(h.ctx, step, code, From{}); !errors.Is(err, ErrRefused) {
			t.Fatalf("recovery %q: %v", code, err)
		}
	}
}

func TestStaffNeedPasskeys(t *testing.T) {
	h := newHouse(t)
	a, err := h.Accounts.Create(h.ctx, Account{Kind: Staff, Role: Clinician, Name: "Dr Rao", Login: "rao@practice.example"})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Passwords.Set(h.ctx, a.ID, goodPassword); !errors.Is(err, ErrPasskeyOnly) {
		t.Fatalf("password: %v", err)
	}
	if _, err := h.OneTime.Set(h.ctx, a.ID); !errors.Is(err, ErrPasskeyOnly) {
		t.Fatalf("app: %v", err)
	}
	// A store made with the demo's exception does not carry it over.
	h.o.StaffPasswordInDemo = true
	h.open()
	p := h.factors(a)
	if _, err := h.trySignin(p, from("192.0.2.9")); err != nil {
		t.Fatalf("demo: %v", err)
	}
	h.pass(time.Minute)
	step, err := h.Signin.Password(h.ctx, p.Login, goodPassword, false, From{})
	if err != nil {
		t.Fatal(err)
	}
	h.o.StaffPasswordInDemo = false
	h.open()
	if _, err := h.Signin.Password(h.ctx, p.Login, goodPassword, false, From{}); !errors.Is(err, ErrRefused) {
		t.Fatalf("password after the demo: %v", err)
	}
	if _, err := h.Signin.Code(h.ctx, step, h.code(p.secret), From{}); !errors.Is(err, ErrRefused) {
		t.Fatalf("second step after the demo: %v", err)
	}
}

// Whatever is wrong with a login, the same hashing work is done and the same answer given (AUT-16).
func TestUnknownLoginCostsTheSame(t *testing.T) {
	h := newHouse(t)
	p := h.patient("amina@example.org")
	gone := h.patient("gone@example.org")
	if err := h.Accounts.Disable(h.ctx, gone.ID, ""); err != nil {
		t.Fatal(err)
	}
	bare, err := h.Accounts.Create(h.ctx, Account{Kind: Staff, Role: Nurse, Name: "Bare", Login: "nurse@example.org"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ login, password string }{
		{p.Login, "not this one at all"}, {"nobody@example.org", goodPassword}, {gone.Login, goodPassword}, {bare.Login, goodPassword},
		{"", ""}, {strings.Repeat("x", 5000), strings.Repeat("y", 5000)},
	} {
		before := h.c.hash.done.Load()
		_, err := h.Signin.Password(h.ctx, c.login, c.password, false, from("192.0.2.7"))
		if err != ErrRefused {
			t.Errorf("%.20q: %v", c.login, err)
		}
		if n := h.c.hash.done.Load() - before; n != 1 {
			t.Errorf("%.20q: %d evaluations", c.login, n)
		}
	}
	if n := h.saw(EventSigninFailed); n != 6 {
		t.Errorf("%d of 6 failures were told of", n)
	}
	// Waiting is told alike, too.
	for _, login := range []string{p.Login, "nobody@example.org"} {
		var w *WaitError
		for i := range 12 {
			_, err := h.Signin.Password(h.ctx, login, "guess", false, from(fmt.Sprintf("198.51.100.%d", i)))
			if errors.As(err, &w) {
				if got := w.Until.Sub(h.clock()); got > firstWait || got < firstWait-time.Second {
					t.Errorf("%s waits %v", login, got)
				}
				break
			}
		}
		if w == nil {
			t.Errorf("%s: never slowed", login)
		}
	}
}

func TestSameLoginInOtherLetters(t *testing.T) {
	h := newHouse(t)
	h.patient("Amina@Bücher.Example")
	for _, same := range []string{"amina@bücher.example", " AMINA@xn--bcher-kva.example ", "ａmina@bücher.example"} {
		if _, err := h.Accounts.ByLogin(h.ctx, same); err != nil {
			t.Errorf("%q: %v", same, err)
		}
		if _, err := h.Accounts.Create(h.ctx, Account{Kind: Patient, Name: "Other", Login: same}); !errors.Is(err, ErrTaken) {
			t.Errorf("%q: %v", same, err)
		}
	}
	if all, err := h.Accounts.List(h.ctx, ""); err != nil || len(all) != 1 {
		t.Fatalf("%d accounts, %v", len(all), err)
	}
}

// Fifty sign-ins at once with one code give one session, for app codes and recovery codes (AUT-09, AUT-11).
func TestCodesCountOnce(t *testing.T) {
	for _, way := range []string{"code", "recovery"} {
		t.Run(way, func(t *testing.T) {
			h := newHouse(t)
			p := h.patient("amina@example.org")
			step, err := h.Signin.Password(h.ctx, p.Login, goodPassword, false, From{})
			if err != nil {
				t.Fatal(err)
			}
			other, err := h.Signin.Password(h.ctx, p.Login, goodPassword, false, From{})
			if err != nil {
				t.Fatal(err)
			}
			code := h.code(p.secret)
			var wg sync.WaitGroup
			var mu sync.Mutex
			won := 0
			for i := range 50 {
				wg.Go(func() {
					s, f := step, from(fmt.Sprintf("2001:db8:%x::1", i))
					if i%2 == 1 {
						s = other
					}
					var err error
					if way == "code" {
						_, err = h.Signin.Code(h.ctx, s, code, f)
					} else {
						_, err = h.Signin.Recovery(h.ctx, s, p.codes[3], f)
					}
					if err == nil {
						mu.Lock()
						won++
						mu.Unlock()
					}
				})
			}
			wg.Wait()
			if won != 1 {
				t.Fatalf("%d of 50 won", won)
			}
			if n := h.saw(EventSignin); n != 1 {
				t.Fatalf("%d sessions", n)
			}
		})
	}
}

// A step is used up by the session it made, whatever code comes next; a new password voids it.
func TestStepCountsOnce(t *testing.T) {
	h := newHouse(t)
	p := h.patient("amina@example.org")
	begin := func() string {
		t.Helper()
		s, err := h.Signin.Password(h.ctx, p.Login, goodPassword, false, From{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	step := begin()
	if _, err := h.Signin.Code(h.ctx, step, h.code(p.secret), From{}); err != nil {
		t.Fatal(err)
	}
	h.pass(time.Minute)
	if _, err := h.Signin.Code(h.ctx, step, h.code(p.secret), From{}); err != ErrStep {
		t.Fatalf("used step: %v", err)
	}
	step = begin()
	h.pass(time.Minute)
	if err := h.Passwords.Set(h.ctx, p.ID, goodPassword+"!"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Signin.Code(h.ctx, step, h.code(p.secret), From{}); err != ErrStep {
		t.Fatalf("step of an old password: %v", err)
	}
}

// The same with no throttle in the way: only the record of what was used stands between two attempts.
func TestCodeReplay(t *testing.T) {
	h := newHouse(t)
	p := h.patient("amina@example.org")
	a, err := h.c.load(h.ctx, h.db, p.ID)
	if err != nil {
		t.Fatal(err)
	}
	code := h.code(p.secret)
	if !h.c.takeTOTP(a.TOTP, code) || h.c.takeTOTP(a.TOTP, code) {
		t.Fatal("a code counts exactly once")
	}
	if a.Recovery.Hashes = a.Recovery.Hashes[:1]; !a.Recovery.take(a.Recovery.Hashes[0]) || a.Recovery.take(make([]byte, 32)) || len(a.Recovery.Hashes) != 0 {
		t.Fatal("a recovery code is used up")
	}
}

func TestTOTPWindow(t *testing.T) {
	h := newHouse(t)
	p := h.patient("amina@example.org")
	a, err := h.c.load(h.ctx, h.db, p.ID)
	if err != nil {
		t.Fatal(err)
	}
	start := h.now.Truncate(30 * time.Second)
	at := func(d time.Duration) { h.now = start.Add(d) }
	fresh := func() *totpFactor { return &totpFactor{Secret: a.TOTP.Secret} }
	at(0)
	code := h.code(p.secret)
	for d, want := range map[time.Duration]bool{
		-time.Second: false, 0: true, 29 * time.Second: true, 30 * time.Second: true, 34*time.Second + 999*time.Millisecond: true,
		35 * time.Second: false, 60 * time.Second: false,
	} {
		at(d)
		if got := h.c.takeTOTP(fresh(), code); got != want {
			t.Errorf("at %v: %v", d, got)
		}
	}
	// After a use, the clock going back brings no old code to life again.
	used := fresh()
	at(31 * time.Second)
	if !h.c.takeTOTP(used, h.code(p.secret)) {
		t.Fatal("current code refused")
	}
	at(0)
	if h.c.takeTOTP(used, code) {
		t.Fatal("an earlier step counted after a later one")
	}
	if got := digits("٣٤٥ ۱۲ ７"); got != "345127" {
		t.Errorf("digits = %q", got)
	}
}

func TestRehashWhenParametersChange(t *testing.T) {
	h := newHouse(t)
	p := h.patient("amina@example.org")
	h.c.hash.now = HashParams{MiB: 2, Time: 1, Threads: 1}
	h.signin(p, From{})
	a, err := h.c.load(h.ctx, h.db, p.ID)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(a.Password.PHC, "$argon2id$v=19$m=2048,t=1,p=1$") {
		t.Fatal(a.Password.PHC)
	}
	h.pass(time.Minute)
	h.signin(p, From{})
}

func TestHashFloor(t *testing.T) {
	h := newHouse(t)
	for _, bad := range []HashParams{{18, 2, 1}, {19, 1, 1}, {64, 3, 0}} {
		o := h.o
		o.Hash = bad
		if _, err := Open(h.ctx, o); err == nil {
			t.Errorf("%+v accepted", bad)
		}
	}
	o := h.o
	i, err := Open(h.ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	if got := i.c.hash.make("x"); !strings.HasPrefix(got, "$argon2id$v=19$m=65536,t=3,p=1$") {
		t.Fatal(got)
	}
}

// A full queue answers ErrBusy after two seconds, not before (AUT-05).
func TestBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHasher(HashParams{1, 1, 1}, nil)
		for range cap(h.gate) {
			if err := h.enter(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		start := time.Now()
		if err := h.enter(t.Context()); err != ErrBusy {
			t.Fatal(err)
		}
		if d := time.Since(start); d != 2*time.Second {
			t.Fatalf("after %v", d)
		}
		go func() { time.Sleep(time.Second); h.leave() }()
		if err := h.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

// Nothing that names a person, or says how they sign in, stands in any file (P1).
func TestNothingReadableAtRest(t *testing.T) {
	storetest.SQLiteOnly(t, "it looks into the files")
	h := newHouse(t)
	a, err := h.Accounts.Create(h.ctx, Account{Kind: Patient, Name: "Canary Zwölfender", Login: "canary.login@example.org", Chart: 7788990011, Lang: "es"})
	if err != nil {
		t.Fatal(err)
	}
	p := h.factors(a)
	f := from("203.0.113.77")
	f.Agent = "CanaryBrowser/9"
	g := h.signin(p, f)
	key := newKey(h)
	addKey(h, &key, g, "Canary phone")
	if _, err := h.Sessions.Touch(h.ctx, g.Token); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Enrol.Issue(h.ctx, a.ID, ""); !errors.Is(err, ErrEnrolled) {
		t.Fatal(err)
	}
	canaries := []string{"Canary", "Zwölfender", "canary.login", "CanaryBrowser", "203.0.113", g.Token, p.secret, p.codes[0], "argon2id",
		"7788990011", "patient", "passkey", string(key.cred.ID)}
	files, err := filepath.Glob(filepath.Join(h.dir, "wellgate.db*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		b = bytes.ReplaceAll(b, []byte("identity_passkey"), nil)
		for _, c := range canaries {
			if bytes.Contains(b, []byte(c)) {
				t.Errorf("%s holds %q", filepath.Base(name), c)
			}
		}
	}
}

func TestEvents(t *testing.T) {
	h := newHouse(t)
	p := h.patient("amina@example.org")
	g := h.signin(p, from("192.0.2.1"))
	var e Event
	for _, x := range h.events {
		if x.Kind == EventSignin {
			e = x
		}
	}
	if e.Account != p.ID || e.Chart != p.Chart || e.Session != g.Who.Session || e.IP != "192.0.2.1" || e.Device != "Browser 1" || e.Detail != "code" || !e.At.Equal(h.now) {
		t.Fatalf("%+v", e)
	}
	for _, x := range h.events {
		if s := fmt.Sprintf("%+v", x); strings.Contains(s, "amina@") || strings.Contains(s, p.secret) || strings.Contains(s, g.Token) {
			t.Errorf("an event tells too much: %s", s)
		}
	}
}
