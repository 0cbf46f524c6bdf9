package identity_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/wellgate/wellgate/internal/clock"
	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/store/storetest"
	"github.com/wellgate/wellgate/trust/identity"
	"github.com/wellgate/wellgate/trust/identity/lockout"
	"github.com/wellgate/wellgate/trust/vault"
)

// No replayed attack turns a password off within 72 hours, and its owner gets in all the while (AUT-14). The long
// form is `wellgate sim lockout`; LOCKOUT_SEED=n repeats one of its runs here.
func TestATK31LockEverybodyOut(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("LOCKOUT_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seed = n
	}
	for _, name := range lockout.Attacks() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, err := lockout.Run(t.Context(), practice(t), name, seed, lockout.Length{Whole: 84 * time.Hour, Every: 4 * time.Hour})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s: off after %s, %d weighed, %d refused; owner %d/%d/%d", name, lockout.Explain(o.Off), o.Weighed, o.Refused, o.ByWord, o.ByKey, o.Tries)
			if !o.Held() || o.Weighed < 50 {
				t.Errorf("seed %d: %+v", seed, o)
			}
		})
	}
}

func practice(t *testing.T) lockout.Open {
	return func(ctx context.Context, now clock.Clock) (*identity.Identity, string, func() error, error) {
		dir := t.TempDir()
		if _, err := vault.CreateRoot(filepath.Join(dir, "root.key"), nil); err != nil {
			return nil, "", nil, err
		}
		db, err := store.Open(ctx, storetest.URL(t, filepath.Join(dir, "store.db")))
		if err != nil {
			return nil, "", nil, err
		}
		root, err := vault.OpenRoot(filepath.Join(dir, "root.key"), nil)
		if err != nil {
			return nil, "", nil, errors.Join(err, db.Close())
		}
		v, err := vault.Open(ctx, db, root)
		if err != nil {
			return nil, "", nil, errors.Join(err, db.Close())
		}
		const origin = "https://portal.example"
		i, err := identity.Open(ctx, identity.Options{DB: db, Vault: v, Clock: now, Practice: "Willowbrook Surgery", RPID: "portal.example", Origins: []string{origin}})
		if err != nil {
			return nil, "", nil, errors.Join(err, db.Close())
		}
		identity.Cheap(i)
		return i, origin, db.Close, nil
	}
}
