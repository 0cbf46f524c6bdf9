package identity

import (
	"testing"
	"time"
)

// The owner's right password after nine wrong ones on a known device gives back its own charge. It neither opens the
// bucket of unknown devices for the guesser who filled it, nor leaves the device spent.
func TestRefundGoesToTheBucketThatWasCharged(t *testing.T) {
	h := newHouse(t)
	p := h.patient("amina@example.org")
	known := deviceCookie(h.Cookies, h.signin(p, from("192.0.2.1")))
	for i := range freeFailures + 1 { // a guesser closes the bucket of unknown devices
		h.guess(p.Login, "198.51.100."+string(rune('1'+i%9)))
	}
	if err := h.guess(p.Login, "203.0.113.1"); err == ErrRefused {
		t.Fatal("the bucket of unknown devices is open")
	}
	for range freeFailures - 1 {
		if err := h.guess(p.Login, "192.0.2.1", known); err != ErrRefused {
			t.Fatal(err)
		}
	}
	if _, err := h.Signin.Password(h.ctx, p.Login, goodPassword, false, from("192.0.2.1", known)); err != nil {
		t.Fatal(err)
	}
	if err := h.guess(p.Login, "203.0.113.1"); err == ErrRefused {
		t.Error("the owner's sign-in let a guesser in again")
	}
	h.pass(time.Second)
	if _, err := h.Signin.Password(h.ctx, p.Login, goodPassword, false, from("192.0.2.1", known)); err != nil {
		t.Errorf("the device is spent after a right password: %v", err)
	}
}
