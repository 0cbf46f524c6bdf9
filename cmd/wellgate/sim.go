package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/wellgate/wellgate/internal/clock"
	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/trust/identity"
	"github.com/wellgate/wellgate/trust/identity/lockout"
	"github.com/wellgate/wellgate/trust/vault"
)

type simCmd struct {
	Lockout simLockoutCmd `cmd:"" help:"Replay attacks on sign-in, and show that nobody is locked out."`
}

type simLockoutCmd struct {
	Attack string `help:"Only this one: address, botnet, relentless, stuffing or stolen."`
	Hours  int    `default:"96" help:"How long each attack goes on."`
	Seed   int    `help:"Where the attacks come from, and when; 0 draws one."`
}

// Run replays each attack against accounts made for it, under a clock that runs as fast as it can: no practice is touched.
func (c *simLockoutCmd) Run(ctx context.Context) error {
	if c.Hours < 1 || c.Hours > 24*30 {
		return problemf("give between 1 and 720 hours")
	}
	if c.Seed == 0 {
		c.Seed = int(clock.System().UnixNano() % 1_000_000)
	}
	names := lockout.Attacks()
	if c.Attack != "" {
		names = []string{c.Attack}
	}
	fmt.Printf("Attacks on one password for %d hours, seed %d. Turning it off has to take %d hours or more,\nand its owner has to get in every hour.\n\n", c.Hours, c.Seed, int(lockout.Least.Hours()))
	held := true
	for _, name := range names {
		o, err := lockout.Run(ctx, simPractice, name, uint64(c.Seed), lockout.Length{Whole: time.Duration(c.Hours) * time.Hour, Every: time.Hour})
		if err != nil {
			return problemf("%v", err)
		}
		verdict := "held"
		if !o.Held() {
			held, verdict = false, "FELL"
		}
		fmt.Printf("%-11s %s: %s\n            password off after %s; %d guesses looked at, %d tries refused\n            owner in by password on a known device %d of %d, by passkey on a new device %d of %d\n",
			o.Attack, verdict, o.About, lockout.Explain(o.Off), o.Weighed, o.Refused, o.ByWord, o.Tries, o.ByKey, o.Tries)
		if o.Wrong != nil {
			fmt.Printf("            first refusal of the owner: %v\n", o.Wrong)
		}
	}
	if !held {
		return errRed
	}
	return nil
}

// simPractice is a practice in a folder that goes away with it. Its hashes are as weak as the program accepts, since their
// cost is not in question here.
func simPractice(ctx context.Context, now clock.Clock) (_ *identity.Identity, origin string, end func() error, err error) {
	dir, err := os.MkdirTemp("", "wellgate-sim-")
	if err != nil {
		return nil, "", nil, err
	}
	var db *store.DB
	end = func() error {
		if db == nil {
			return os.RemoveAll(dir)
		}
		return errors.Join(db.Close(), os.RemoveAll(dir))
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, end())
		}
	}()
	key := filepath.Join(dir, keyFile)
	if _, err = vault.CreateRoot(key, nil); err != nil {
		return nil, "", nil, err
	}
	root, err := vault.OpenRoot(key, nil)
	if err != nil {
		return nil, "", nil, err
	}
	if db, err = store.Open(ctx, "sqlite:"+filepath.Join(dir, storeFile)); err != nil {
		return nil, "", nil, err
	}
	v, err := vault.Open(ctx, db, root)
	if err != nil {
		return nil, "", nil, err
	}
	const host = "portal.example"
	i, err := identity.Open(ctx, identity.Options{
		DB: db, Vault: v, Clock: now, Practice: "Portal", RPID: host, Origins: []string{"https://" + host},
		Hash: identity.HashParams{MiB: 19, Time: 2, Threads: 1},
	})
	return i, "https://" + host, end, err
}
