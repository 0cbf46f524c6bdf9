package identity

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func (h *house) guess(login, ip string, cookies ...*http.Cookie) error {
	_, err := h.Signin.Password(h.ctx, login, "a wrong password", false, from(ip, cookies...))
	return err
}

// An attacker who goes on as fast as allowed needs three days or more for the hundred failures that turn the password
// off, and all the while the owner gets in: from a known device, and with a passkey (AUT-14).
func TestGuesserIsSlowedOwnerIsNot(t *testing.T) {
	h := newHouse(t)
	p := h.patient("amina@example.org")
	owner := h.signin(p, from("192.0.2.1"))
	known := deviceCookie(h.Cookies, owner)
	k := newKey(h)
	addKey(h, &k, owner, "phone")
	start := h.clock()
	failures, waits := 0, 0
	for failures < 100 {
		err := h.guess(p.Login, fmt.Sprintf("2001:db8:%x::1", failures)) // a new address each time
		var w *WaitError
		switch {
		case errors.As(err, &w):
			waits++
			h.mu.Lock()
			h.now = w.Until
			h.mu.Unlock()
		case err == ErrRefused:
			failures++
		default:
			t.Fatal(err)
		}
		if failures == 50 && !errors.As(err, &w) {
			if _, err := h.trySignin(p, from("198.51.100.1")); !errors.As(err, &w) {
				t.Errorf("an unknown device is not slowed: %v", err)
			}
			if _, err := h.usePasskey(&k); err != nil {
				t.Errorf("passkey during the attack: %v", err)
			}
		}
	}
	if took := h.clock().Sub(start); took < 72*time.Hour || took > 120*time.Hour {
		t.Errorf("100 failures took %v with %d waits", took, waits)
	}
	if h.saw(EventFactorOff) != 1 {
		t.Error("nobody was told that the password is off")
	}
	// The password is off, even for its owner; the passkey is not, and a new password turns it on.
	if _, err := h.trySignin(p, from("192.0.2.1", known)); err != ErrRefused {
		t.Errorf("password after 100 failures: %v", err)
	}
	g, err := h.usePasskey(&k)
	if err != nil {
		t.Fatalf("passkey after 100 failures: %v", err)
	}
	if f, err := h.Accounts.Factors(h.ctx, p.ID); err != nil || !f.PasswordOff || f.TOTPOff {
		t.Errorf("factors = %+v %v", f, err)
	}
	if err := h.Passwords.Change(h.ctx, g.Who, goodPassword, From{}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.trySignin(p, from("192.0.2.1", known)); err != nil {
		t.Errorf("new password: %v", err)
	}
}

func TestKnownDeviceHasItsOwnBucket(t *testing.T) {
	h := newHouse(t)
	p, q := h.patient("amina@example.org"), h.patient("b@example.org")
	known := deviceCookie(h.Cookies, h.signin(p, from("192.0.2.1")))
	foreign := deviceCookie(h.Cookies, h.signin(q, from("192.0.2.1")))
	if known == nil || foreign == nil || known.Name == foreign.Name || !known.HttpOnly || !known.Secure || known.SameSite != http.SameSiteStrictMode {
		t.Fatal(known, foreign)
	}
	for i := range 15 {
		h.guess(p.Login, fmt.Sprintf("2001:db8:%x::1", i))
	}
	var w *WaitError
	renamed := &http.Cookie{Name: known.Name, Value: foreign.Value}
	forged := &http.Cookie{Name: known.Name, Value: strings.Repeat("A", len(known.Value))}
	for name, c := range map[string]*http.Cookie{"another login's": renamed, "forged": forged, "none": {Name: "x", Value: "y"}} {
		if _, err := h.Signin.Password(h.ctx, p.Login, goodPassword, false, from("198.51.100.1", c)); !errors.As(err, &w) {
			t.Errorf("%s cookie: %v", name, err)
		}
	}
	if _, err := h.trySignin(p, from("192.0.2.1", known)); err != nil {
		t.Errorf("known device: %v", err)
	}
	// A stolen device cookie is worth ten guesses a day, no more.
	for range 12 { // first close the bucket of unknown devices, which a spent device falls back to
		if err := h.guess(p.Login, "198.51.100.77"); errors.As(err, &w) {
			h.mu.Lock()
			h.now = w.Until
			h.mu.Unlock()
		}
	}
	for h.guess(p.Login, "198.51.100.78") == ErrRefused {
	}
	free := 0
	for range 20 {
		h.pass(61 * time.Second)
		if err := h.guess(p.Login, "192.0.2.1", known); err == ErrRefused {
			free++
		}
	}
	if free < 9 || free > 11 {
		t.Errorf("%d guesses with a known device", free)
	}
	h.pass(25 * time.Hour)
	if _, err := h.trySignin(p, from("192.0.2.1", known)); err != nil {
		t.Errorf("a day later: %v", err)
	}
	h.pass(181 * 24 * time.Hour)
	if h.c.device(from("192.0.2.1", known), p.Login) != "" {
		t.Error("a device is known for ever")
	}
}

func TestAddressLimit(t *testing.T) {
	h := newHouse(t)
	p := h.patient("amina@example.org")
	for name, ip := range map[string]func(i int) string{
		"IPv4":     func(int) string { return "203.0.113.9" },
		"IPv6 /64": func(i int) string { return fmt.Sprintf("2001:db8:7:7::%x", i+1) },
		"mapped":   func(int) string { return "::ffff:203.0.113.10" },
	} {
		h.pass(2 * time.Minute)
		n := 0
		for i := range 40 {
			if h.guess(fmt.Sprintf("%s%d@example.org", name, i), ip(i)) == ErrRefused {
				n++
			}
		}
		if n != 20 {
			t.Errorf("%s: %d guesses in a minute", name, n)
		}
		var w *WaitError
		if _, err := h.Signin.Password(h.ctx, p.Login, goodPassword, false, from(ip(99))); !errors.As(err, &w) || w.Until.Sub(h.clock()) > time.Minute {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := h.Signin.Password(h.ctx, p.Login, goodPassword, false, from("2001:db8:7:8::1")); err != nil {
			t.Errorf("%s: neighbour: %v", name, err)
		}
	}
	h.pass(time.Minute)
	if err := h.guess("x@example.org", "203.0.113.9"); err != ErrRefused {
		t.Errorf("a minute later: %v", err)
	}
}

// Guesses at the same moment get no more tries than one after the other: each is charged before it is weighed.
func TestParallelGuesses(t *testing.T) {
	h := newHouse(t)
	p := h.patient("amina@example.org")
	before := h.c.hash.done.Load()
	var wg sync.WaitGroup
	for i := range 60 {
		wg.Go(func() { h.guess(p.Login, fmt.Sprintf("2001:db8:%x::1", i)) })
	}
	wg.Wait()
	if n := h.c.hash.done.Load() - before; n != freeFailures+1 {
		t.Fatalf("%d guesses were weighed", n)
	}
}

func TestThrottleSurvivesRestart(t *testing.T) {
	h := newHouse(t)
	p := h.patient("amina@example.org")
	for i := range 12 {
		h.guess(p.Login, fmt.Sprintf("198.51.100.%d", i))
	}
	h.open()
	var w *WaitError
	if err := h.guess(p.Login, "198.51.100.200"); !errors.As(err, &w) {
		t.Fatal(err)
	}
}

// Second factors are slowed too, and turned off alone: recovery codes still work, and so do passkeys.
func TestCodeGuesses(t *testing.T) {
	h := newHouse(t)
	p := h.patient("amina@example.org")
	f := func(i int) From { return from(fmt.Sprintf("2001:db8:%x::1", i)) }
	wrong := 0
	for i := 0; wrong < 100; i++ {
		step, err := h.Signin.Password(h.ctx, p.Login, goodPassword, false, f(i))
		if err != nil {
			t.Fatal(err)
		}
		code := "000000"
		if code == h.code(p.secret) {
			code = "000001"
		}
		_, err = h.Signin.Code(h.ctx, step, code, f(i))
		var w *WaitError
		switch {
		case errors.As(err, &w):
			if i < freeFailures {
				t.Fatalf("slowed after %d", i)
			}
			h.mu.Lock()
			h.now = w.Until
			h.mu.Unlock()
		case err == ErrRefused:
			wrong++
		default:
			t.Fatal(err)
		}
	}
	h.pass(24 * time.Hour)
	if _, err := h.trySignin(p, f(1)); err != ErrRefused {
		t.Fatalf("app after 100 wrong codes: %v", err)
	}
	h.pass(24 * time.Hour)
	step, err := h.Signin.Password(h.ctx, p.Login, goodPassword, false, f(1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Signin.Recovery(h.ctx, step, p.codes[0], f(1)); err != nil {
		t.Fatalf("recovery code: %v", err)
	}
}

// A bucket never holds more than it was given, never less than nothing, and its wait is between 30 s and 1 h.
func TestBucketProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		b, failures := bucket{}, int64(0)
		for range rapid.IntRange(1, 200).Draw(t, "n") {
			now = now.Add(time.Duration(rapid.IntRange(0, 7200).Draw(t, "pause")) * time.Second)
			if b = b.leak(now, forgiveUnknown); rapid.Bool().Draw(t, "fail") {
				b = b.fail(now)
				failures++
				if wait := b.until.Sub(now); b.count > freeFailures && (wait < firstWait || wait > longestWait) {
					t.Fatalf("count %d waits %v", b.count, wait)
				}
			}
			if b.count < 0 || b.count > failures || b.at.After(now) {
				t.Fatalf("%+v after %d failures", b, failures)
			}
		}
		if b = b.leak(now.Add(time.Duration(failures+1)*forgiveUnknown), forgiveUnknown); b.count != 0 {
			t.Fatalf("not forgiven: %+v", b)
		}
	})
}
