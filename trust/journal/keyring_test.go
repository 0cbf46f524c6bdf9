package journal

import (
	"testing"

	"github.com/wellgate/wellgate/trust/vault"
)

// A key that was read before an erasure must not come back after it, whenever its reader gets to put it.
func TestKeyringForgetsErasedCharts(t *testing.T) {
	key := new(vault.Key)
	steps := map[string]func(r *keyring, put func()){
		"put before":  func(r *keyring, put func()) { put(); r.block(1); r.unblock(1) },
		"put during":  func(r *keyring, put func()) { r.block(1); put(); r.unblock(1) },
		"put after":   func(r *keyring, put func()) { r.block(1); r.unblock(1); put() },
		"read during": func(r *keyring, _ func()) { r.block(1); _, now := r.get(1); r.put(1, key, now); r.unblock(1) },
		"read during, put after": func(r *keyring, _ func()) {
			r.block(1)
			_, now := r.get(1)
			r.unblock(1)
			r.put(1, key, now)
		},
	}
	for name, step := range steps {
		r := newKeyring(10)
		_, ticket := r.get(1)
		step(r, func() { r.put(1, key, ticket) })
		if got, _ := r.get(1); got != nil {
			t.Errorf("%s: the key of an erased chart is kept", name)
		}
	}
}

func TestKeyringIsBounded(t *testing.T) {
	r := newKeyring(3)
	key := new(vault.Key)
	for chart := range int64(5) {
		_, ticket := r.get(chart)
		r.put(chart, key, ticket)
		r.get(0) // used again and again: it stays
	}
	for chart, want := range map[int64]bool{0: true, 1: false, 2: false, 3: true, 4: true} {
		if got, _ := r.get(chart); (got != nil) != want {
			t.Errorf("chart %d kept: %v, want %v", chart, got != nil, want)
		}
	}
}
