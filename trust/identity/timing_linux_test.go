package identity

import (
	"fmt"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"
)

// Known and unknown logins cost the same (AUT-16): one hash each, which TestUnknownLoginCostsTheSame counts, and beside it
// the same CPU time of this thread. The hash itself runs in threads of its own, so that its noise is not in the figure.
func TestUnknownLoginTakesTheSameCPU(t *testing.T) {
	h := newHouse(t)
	p := h.patient("amina@example.org")
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	took := func(login string) time.Duration {
		t.Helper()
		var a, b syscall.Rusage
		const thread = 1 // RUSAGE_THREAD
		if err := syscall.Getrusage(thread, &a); err != nil {
			t.Fatal(err)
		}
		if err := h.guess(login, "192.0.2.1"); err != ErrRefused {
			t.Fatal(err)
		}
		if err := syscall.Getrusage(thread, &b); err != nil {
			t.Fatal(err)
		}
		return time.Duration(b.Utime.Nano() + b.Stime.Nano() - a.Utime.Nano() - a.Stime.Nano())
	}
	var known, unknown []time.Duration
	for i := range 200 {
		h.pass(2 * time.Hour) // forgiven, so that both are weighed
		known = append(known, took(p.Login))
		unknown = append(unknown, took(fmt.Sprintf("nobody%d@example.org", i)))
		if i%50 == 49 {
			if err := h.Passwords.Set(h.ctx, p.ID, goodPassword); err != nil { // before the hundredth
				t.Fatal(err)
			}
		}
	}
	slices.Sort(known)
	slices.Sort(unknown)
	k, u := known[len(known)/2], unknown[len(unknown)/2]
	t.Logf("median of %d: known %v, unknown %v", len(known), k, u)
	if d := (k - u).Abs(); d > 2*time.Millisecond {
		t.Errorf("known and unknown logins differ by %v of CPU time", d)
	}
}
