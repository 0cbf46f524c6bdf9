package identity

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

// A storm of passwords may not take the places other pages need: beyond what can be served in two seconds the answer is
// "busy" at once (AUT-05).
func TestPasswordStormIsTurnedAwayAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHasher(HashParams{MiB: 19, Time: 2, Threads: 1}, nil)
		for range cap(h.gate) {
			if err := h.enter(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		done := make(chan error, maxWaiting)
		for range maxWaiting {
			go func() { done <- h.enter(context.Background()) }()
		}
		synctest.Wait() // all of them wait; the clock has not moved
		if err := h.enter(t.Context()); !errors.Is(err, ErrBusy) {
			t.Fatalf("one more than can be served: %v", err)
		}
		h.leave()
		if err := <-done; err != nil {
			t.Fatalf("a place came free: %v", err)
		}
		for range maxWaiting - 1 {
			if err := <-done; !errors.Is(err, ErrBusy) {
				t.Fatalf("after two seconds: %v", err)
			}
		}
		if n := h.waiting.Load(); n != 0 {
			t.Fatalf("%d still counted as waiting", n)
		}
	})
}
