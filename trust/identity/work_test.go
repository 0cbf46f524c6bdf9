package identity

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

func solve(p Puzzle) string {
	for n := 0; ; n++ {
		if s := p.Seal + "." + strconv.Itoa(n); leadingZeros(sha256.Sum256([]byte(s))) >= p.Bits {
			return s
		}
	}
}

// besiege stuffs wrong passwords over many accounts from many networks until unknown devices have to work.
func (h *house) besiege() {
	h.t.Helper()
	for i := range siegeTries + 1 {
		if err := h.guess(fmt.Sprintf("stuffed%d@example.org", i), fmt.Sprintf("2001:db8:%x::1", i)); err != ErrRefused {
			h.t.Fatalf("guess %d: %v", i, err)
		}
	}
}

// While many passwords are guessed, an unknown device works for each try; known devices and passkeys do not, and neither
// does anybody when most of what comes is right (AUT-15).
func TestWorkUnderSiege(t *testing.T) {
	h := newHouse(t)
	p := h.patient("amina@example.org")
	g := h.signin(p, from("192.0.2.1"))
	known := deviceCookie(h.Cookies, g)
	k := newKey(h)
	addKey(h, &k, g, "phone")
	h.pass(time.Minute)
	if w, err := h.Signin.Work(h.ctx, p.Login, from("198.51.100.1")); w != nil || err != nil {
		t.Fatalf("work in peace: %v %v", w, err)
	}
	h.besiege()
	var need *WorkError
	for _, login := range []string{p.Login, "nobody@example.org"} { // alike for logins that do not exist
		hashes := h.c.hash.done.Load()
		if _, err := h.Signin.Password(h.ctx, login, goodPassword, false, from("198.51.100.1")); !errors.As(err, &need) {
			t.Fatalf("%s: %v", login, err)
		}
		if h.c.hash.done.Load() != hashes {
			t.Error("we worked before the guesser did")
		}
		if need.Puzzle.Bits != leastBits || !need.Puzzle.Until.Equal(h.clock().Add(leastWait)) {
			t.Errorf("%+v", need.Puzzle)
		}
	}
	if _, err := h.trySignin(p, from("192.0.2.1", known)); err != nil {
		t.Errorf("known device: %v", err)
	}
	if _, err := h.usePasskey(&k); err != nil {
		t.Errorf("passkey: %v", err)
	}
	ask := func(login, ip string) Puzzle {
		t.Helper()
		w, err := h.Signin.Work(h.ctx, login, from(ip))
		if err != nil || w == nil {
			t.Fatalf("no puzzle: %v", err)
		}
		return *w
	}
	try := func(login, ip, work string) error {
		f := from(ip)
		f.Work = work
		_, err := h.Signin.Password(h.ctx, login, goodPassword, false, f)
		return err
	}
	puzzle := ask(p.Login, "198.51.100.1")
	right := solve(puzzle)
	easy := puzzle.Seal[:21] + "A" + puzzle.Seal[22:] // somebody changes what is asked
	for name, err := range map[string]error{
		"nothing":             try(p.Login, "198.51.100.1", ""),
		"seal alone":          try(p.Login, "198.51.100.1", puzzle.Seal),
		"wrong number":        try(p.Login, "198.51.100.1", puzzle.Seal+".x"),
		"empty number":        try(p.Login, "198.51.100.1", puzzle.Seal+"."),
		"another login":       try("nobody@example.org", "198.51.100.1", right),
		"another address":     try(p.Login, "198.51.100.2", right),
		"changed seal":        try(p.Login, "198.51.100.1", easy+".1"),
		"made up":             try(p.Login, "198.51.100.1", strings.Repeat("A", 79)+".1"),
		"not base64":          try(p.Login, "198.51.100.1", "!!!.1"),
		"far too long":        try(p.Login, "198.51.100.1", right+strings.Repeat("0", 500)),
		"another puzzle's":    try(p.Login, "198.51.100.1", ask(p.Login, "198.51.100.1").Seal+right[strings.Index(right, "."):]),
		"a wait not yet over": try(p.Login, "198.51.100.1", ask(p.Login, "198.51.100.1").Seal),
	} {
		if !errors.As(err, &need) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := try(p.Login, "198.51.100.1", right); err != nil {
		t.Fatalf("solved: %v", err)
	}
	if err := try(p.Login, "198.51.100.1", right); !errors.As(err, &need) {
		t.Errorf("spent twice: %v", err)
	}
	// Without script: wait. Several waits begun together are worth one try from that address.
	one, two, other := ask(p.Login, "198.51.100.1"), ask(p.Login, "198.51.100.1"), ask(p.Login, "203.0.113.5")
	h.pass(leastWait)
	if err := try(p.Login, "198.51.100.1", one.Seal); err != nil {
		t.Errorf("waited: %v", err)
	}
	if err := try(p.Login, "198.51.100.1", two.Seal); !errors.As(err, &need) {
		t.Errorf("two tries for one wait: %v", err)
	}
	if err := try(p.Login, "203.0.113.5", other.Seal); err != nil {
		t.Errorf("waited elsewhere: %v", err)
	}
	stale := solve(ask(p.Login, "203.0.113.5"))
	h.pass(leastWait + workLife)
	if err := try(p.Login, "203.0.113.5", stale); err != nil { // peace again: nothing is asked, so nothing is weighed
		t.Errorf("after the attack: %v", err)
	}
	if err := h.Sweep(h.ctx); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := h.db.QueryRow(h.ctx, `SELECT COUNT(*) FROM identity_rate`).Scan(&n); err != nil || n > 2 {
		t.Errorf("%d minutes are kept: %v", n, err)
	}
}

// The price follows the attack: harder with more wrong passwords, still asked while unpaid tries go on, and never beyond
// what a phone can do.
func TestWorkAdapts(t *testing.T) {
	h := newHouse(t)
	for _, c := range []struct {
		worst int64
		bits  int
		wait  time.Duration
	}{{201, 17, 30 * time.Second}, {399, 17, 30 * time.Second}, {400, 18, time.Minute}, {1600, 20, 4 * time.Minute}, {1 << 30, 21, 8 * time.Minute}} {
		p := h.c.newPuzzle(guess{class: classPassword}, c.worst)
		if p.Bits != c.bits || p.Until.Sub(h.clock()) != c.wait {
			t.Errorf("%d a minute: %d bits or %v", c.worst, p.Bits, p.Until.Sub(h.clock()))
		}
	}
	h.besiege()
	for range 30 { // half an hour of tries without work, ten a minute on average would end it; sixty do not
		for i := range 300 {
			var need *WorkError
			if err := h.guess("x@example.org", fmt.Sprintf("2001:db8:%x::2", i)); !errors.As(err, &need) {
				t.Fatalf("let in at %v: %v", h.clock(), err)
			}
		}
		h.pass(time.Minute)
	}
	h.pass(siegeHolds * time.Minute)
	if err := h.guess("x@example.org", "198.51.100.1"); err != ErrRefused {
		t.Errorf("the attack is over: %v", err)
	}
}

// Many right passwords at once are a Monday morning, not an attack.
func TestNoWorkWhenMostAreRight(t *testing.T) {
	h := newHouse(t)
	p := h.patient("amina@example.org")
	known := deviceCookie(h.Cookies, h.signin(p, from("192.0.2.1")))
	for i := range siegeTries + 50 {
		if _, err := h.Signin.Password(h.ctx, p.Login, goodPassword, false, from("192.0.2.1", known)); err != nil {
			t.Fatal(i, err)
		}
	}
	if w, err := h.Signin.Work(h.ctx, p.Login, from("198.51.100.1")); w != nil || err != nil {
		t.Fatal(w, err)
	}
}

// A whole network is slowed like one address, only later; known devices in it are not (AUT-15).
func TestNetworkLimit(t *testing.T) {
	h := newHouse(t)
	p := h.patient("amina@example.org")
	known := deviceCookie(h.Cookies, h.signin(p, from("203.0.113.1")))
	for name, ip := range map[string]func(i int) string{
		"IPv4 /24": func(i int) string { return fmt.Sprintf("203.0.113.%d", i) },
		"IPv6 /56": func(i int) string { return fmt.Sprintf("2001:db8:7:%x::1", i) },
	} {
		h.pass(2 * time.Minute)
		n := 0
		for i := range 100 {
			if h.guess(fmt.Sprintf("%s%d@example.org", name, i), ip(i+2)) == ErrRefused {
				n++
			}
		}
		if n != networkLimit {
			t.Errorf("%s: %d guesses in a minute", name, n)
		}
		var w *WaitError
		if _, err := h.Signin.Password(h.ctx, p.Login, goodPassword, false, from(ip(200))); !errors.As(err, &w) || w.Until.Sub(h.clock()) > time.Minute {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range 100 { // and its owner's own address is closed, but not for this device
		h.guess(fmt.Sprintf("x%d@example.org", i), "203.0.113.1")
	}
	if _, err := h.trySignin(p, from("203.0.113.1", known)); err != nil {
		t.Errorf("known device: %v", err)
	}
}

// Who copies a device's cookie guesses ten times a day in a bucket of their own; the owner at home goes on (AUT-14).
func TestStolenDeviceLeavesItsOwnerAlone(t *testing.T) {
	h := newHouse(t)
	p := h.patient("amina@example.org")
	known := deviceCookie(h.Cookies, h.signin(p, from("192.0.2.1")))
	free := 0
	for i := range 30 {
		if h.guess(p.Login, fmt.Sprintf("2001:db8:%x::1", i), known) == ErrRefused {
			free++
		}
	}
	if free != 2*freeFailures {
		t.Errorf("%d guesses at once with a stolen cookie", free)
	}
	g, err := h.trySignin(p, from("192.0.2.9", known)) // the same network, another lease
	if err != nil {
		t.Fatalf("the owner at home: %v", err)
	}
	fresh := deviceCookie(h.Cookies, g)
	if fresh == nil || fresh.Value == known.Value {
		t.Fatal("the cookie is not renewed at sign-in")
	}
	for i := range 30 { // the thief sits in the same network now
		h.guess(p.Login, "192.0.2.77", known)
		h.guess(p.Login, fmt.Sprintf("192.0.2.%d", 100+i), known)
	}
	if _, err := h.trySignin(p, from("192.0.2.9", fresh)); err != nil {
		t.Errorf("the renewed cookie shares a bucket with its copy: %v", err)
	}
}
