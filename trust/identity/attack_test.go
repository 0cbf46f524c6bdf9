package identity

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"
)

// ATK-16: somebody signs up with another spelling of a victim's address. Spellings that mean the same are taken; those that
// only look the same are other people, who get nothing of the victim's.
func TestATK16OtherSpellings(t *testing.T) {
	h := newHouse(t)
	p := h.patient("amina@bücher.example")
	for i, same := range []string{"AMINA@bücher.example", "amina@BÜCHER.EXAMPLE", "amina@xn--bcher-kva.example", " amina@bücher.example\n", "ａｍｉｎａ@bücher.example", "amina@bu\u0308cher.example"} {
		if _, err := h.Accounts.Create(h.ctx, Account{Kind: Patient, Name: "X", Login: same, Chart: int64(10 + i)}); !errors.Is(err, ErrTaken) {
			t.Errorf("%q: %v", same, err)
		}
		if a, err := h.Accounts.ByLogin(h.ctx, same); err != nil || a.ID != p.ID {
			t.Errorf("%q is not found as its owner: %v", same, err)
		}
	}
	for i, other := range []string{"аmina@bücher.example" /* Cyrillic */, "amina+x@bücher.example", "amina@bucher.example", "amina@bücher.example.org"} {
		a, err := h.Accounts.Create(h.ctx, Account{Kind: Patient, Name: "X", Login: other, Chart: int64(100 + i)})
		if err != nil || a.ID == p.ID {
			t.Fatalf("%q: %v", other, err)
		}
		h.pass(time.Hour)
		if _, err := h.Signin.Password(h.ctx, other, goodPassword, false, from("192.0.2.1")); err != ErrRefused {
			t.Errorf("%q signs in with the victim's password: %v", other, err)
		}
	}
	// A chart has one account: a second, whatever its login, is not made.
	if _, err := h.Accounts.Create(h.ctx, Account{Kind: Patient, Name: "X", Login: "new@example.org", Chart: p.Chart}); !errors.Is(err, ErrTaken) {
		t.Errorf("a second account of one record: %v", err)
	}
}

// ATK-36: a copied "remember this device" cookie skipped the second factor. Here it opens a bucket and nothing else.
func TestATK36CopiedDeviceCookie(t *testing.T) {
	h := newHouse(t)
	p := h.patient("amina@example.org")
	g := h.signin(p, from("192.0.2.1"))
	known := deviceCookie(h.Cookies, g)
	signins := h.saw(EventSignin)
	for name, cookies := range map[string][]*http.Cookie{
		"alone": {known}, "as session": {known, {Name: "__Host-sid", Value: known.Value}}, "as step": {known, {Name: "__Host-step", Value: known.Value}},
	} {
		for i, ip := range []string{"192.0.2.1", "203.0.113.50"} {
			h.pass(31 * time.Second)
			f := from(ip, cookies...)
			step, err := h.Signin.Password(h.ctx, p.Login, goodPassword, false, f)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			second, err := h.Signin.Second(h.ctx, step)
			if err != nil || !second.App {
				t.Errorf("%s: no second factor asked: %+v %v", name, second, err)
			}
			for _, code := range []string{"", "000000", known.Value} {
				if g, err := h.Signin.Code(h.ctx, step, code, f); err == nil || g.Token != "" {
					t.Errorf("%s %d: signed in without the app", name, i)
				}
			}
		}
	}
	if _, err := h.Sessions.Check(h.ctx, known.Value); !errors.Is(err, ErrNoSession) {
		t.Errorf("the cookie is a session: %v", err)
	}
	if n := h.saw(EventSignin); n != signins {
		t.Errorf("%d sessions were made", n-signins)
	}
}

// ATK-69: nothing is sent to anybody by a stranger's doing. This portal has no text messages and no mail; here it is held to
// that a stranger's tries make no codes, no accounts, and a bounded number of audit entries for one address.
func TestATK69NothingToPump(t *testing.T) {
	h := newHouse(t)
	h.patient("amina@example.org")
	var before int
	if err := h.db.QueryRow(h.ctx, `SELECT COUNT(*) FROM identity_lookup`).Scan(&before); err != nil {
		t.Fatal(err)
	}
	for i := range 300 {
		h.guess("amina@example.org", "203.0.113.9")
		h.guess(fmt.Sprintf("+88213%07d", i), "203.0.113.9")
		h.Enrol.Begin(h.ctx, fmt.Sprintf("code %d", i), from("203.0.113.9"))
	}
	var after int
	if err := h.db.QueryRow(h.ctx, `SELECT COUNT(*) FROM identity_lookup`).Scan(&after); err != nil || after != before {
		t.Errorf("%d look-ups were made: %v", after-before, err)
	}
	if n := h.saw(EventEnrolIssued); n != 0 {
		t.Errorf("%d codes were issued", n)
	}
	if n := h.saw(EventSigninFailed); n > addressLimit {
		t.Errorf("%d entries in a minute from one address", n)
	}
}
