package vault

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"time"
)

var (
	// ErrAway means that the root key cannot be reached now. Nothing is sealed or opened until it answers; the request is
	// to be answered 503 and tried again (REL-12, CRY-09).
	ErrAway = errors.New("vault: the root key does not answer; nothing is opened until it does")
	// ErrRevoked is what a Root answers (wrapped) when somebody withdrew the key on purpose. Every kept key is dropped.
	ErrRevoked = errors.New("vault: the root key was withdrawn")
)

// Watch asks the root every so often whether it still is what it was, until ctx ends. An answer that does not come within
// every, or is wrong, shuts the vault (ErrAway) and the next right one opens it again. It is for roots that can go away,
// an agent or a KMS: a key file is read once, at start, and may be put back in the safe.
func (v *Vault) Watch(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	answers := make(chan error, 1)
	asking := false
	for {
		if !asking { // a root that ignores its context is asked once, not once more each time
			asking = true
			go func() {
				c, cancel := context.WithTimeout(ctx, every)
				defer cancel()
				answers <- v.ask(c)
			}()
		}
		late := time.NewTimer(every)
		select {
		case <-ctx.Done():
			late.Stop()
			return
		case <-late.C:
			v.settle(ctx, context.DeadlineExceeded)
		case err := <-answers:
			asking = false
			v.settle(ctx, err)
		}
		late.Stop()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// ask lets the root unwrap what it wrapped, and compares.
func (v *Vault) ask(ctx context.Context) error {
	v.mu.RLock()
	root, probe := v.root, v.probe
	v.mu.RUnlock()
	plain, err := root.Unwrap(ctx, probe, secretAAD(practiceRow, nil))
	defer clear(plain)
	if err != nil {
		return err
	}
	n := len(v.practice)
	if len(plain) != n+len(v.secret) || subtle.ConstantTimeCompare(plain[:n], v.practice[:]) != 1 ||
		subtle.ConstantTimeCompare(plain[n:], v.secret[:]) != 1 {
		return fmt.Errorf("%w: it answers for another practice", ErrRoot)
	}
	return nil
}

// settle turns an answer into the vault's state.
func (v *Vault) settle(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	if err == nil && v.away.Load() == nil {
		return
	}
	if err == nil {
		if err = v.refill(ctx); err == nil {
			v.away.Store(nil)
			return
		}
	}
	why := fmt.Errorf("%w (%w)", ErrAway, err)
	v.away.Store(&why)
	if errors.Is(err, ErrRevoked) {
		v.drop()
	}
}

// refill loads the key-encryption keys that drop threw away.
func (v *Vault) refill(ctx context.Context) error {
	v.mu.RLock()
	root, full := v.root, len(v.keks) > 0
	v.mu.RUnlock()
	if full {
		return nil
	}
	rows, err := readSecrets(ctx, v.db)
	if err != nil {
		return err
	}
	return v.loadKEKs(ctx, root, rows)
}

// drop forgets every key-encryption key and makes every key that was handed out useless.
func (v *Vault) drop() {
	v.mu.Lock()
	v.keks, v.last = map[uint32]*kek{}, 0
	v.mu.Unlock()
	v.generation.Add(1)
	v.hooksMu.Lock()
	hooks := slices.Clone(v.hooks)
	v.hooksMu.Unlock()
	for _, fn := range hooks {
		fn()
	}
}

// OnDrop registers what is to be forgotten when the root key is withdrawn: keys and opened records kept warm.
func (v *Vault) OnDrop(fn func()) {
	v.hooksMu.Lock()
	defer v.hooksMu.Unlock()
	v.hooks = append(v.hooks, fn)
}

// Err is ErrAway while the root key does not answer, else nil. Whoever hands out what was opened before asks it first.
func (v *Vault) Err() error {
	if why := v.away.Load(); why != nil {
		return *why
	}
	return nil
}

// usable says whether a key that was handed out may still work.
func (k *Key) usable() error {
	if err := k.v.Err(); err != nil {
		return err
	}
	if k.generation != k.v.generation.Load() {
		return fmt.Errorf("%w: this key was dropped; open it again", ErrAway)
	}
	return nil
}
