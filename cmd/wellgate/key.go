package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/wellgate/wellgate/trust/vault"
)

type keyCmd struct {
	Rotate keyRotateCmd `cmd:"" help:"Make a new root key and put everything under it, while the portal runs."`
}

type keyRotateCmd struct {
	storeFlag
	Dir        string `default:"." help:"The practice's folder."`
	Passphrase string `name:"passphrase-file" help:"File that holds the passphrase of root.key, if the portal does not run."`
	New        string `name:"new-passphrase-file" help:"Protect the new key by the passphrase in this file."`
	DestroyOld bool   `name:"destroy-old" help:"Do not keep the old key: backups from before can then be read by nobody who has no copy of it."`
}

// rotation is what is asked of a house.
type rotation struct {
	Passphrase []byte `json:"passphrase,omitempty"`
	DestroyOld bool   `json:"destroyOld,omitempty"`
}

// rotated is what was done.
type rotated struct {
	Charts   int      `json:"charts"`
	Accounts int      `json:"accounts"`
	Lost     []string `json:"lost,omitempty"` // what was damaged before, and stays closed
	Old      string   `json:"old,omitempty"`  // where the old key lies
}

// Run asks the running portal, or does it alone when none runs.
func (c *keyRotateCmd) Run(ctx context.Context) error {
	next, err := passphrase(c.New)
	if err != nil {
		return err
	}
	var done rotated
	err = operate(ctx, opening{dir: c.Dir, store: c.Store}, c.Passphrase, "/key/rotate", rotation{next, c.DestroyOld}, &done)
	if err != nil {
		return err
	}
	fmt.Printf("Everything is under a new root key: %d records, %d accounts.\n", done.Charts, done.Accounts)
	for _, l := range done.Lost {
		fmt.Println("PROBLEM: damaged before, left as it is:", l)
	}
	fmt.Printf("\nKeep a copy of %s somewhere safe and apart from the backups, and make a backup now.\n", filepath.Join(c.Dir, keyFile))
	if done.Old != "" {
		fmt.Printf("The old key lies in %s. It opens nothing here, only backups from before.\nDestroy it and every copy of it to close those, and with them what was erased since.\n", done.Old)
	}
	return nil
}

// rotate makes a new root key, or goes on where an earlier rotation stopped. Each step may be the last before a crash: the
// folder always holds a key file that opens the store, and running it again ends what was begun.
func (h *house) rotate(ctx context.Context, r rotation) (rotated, error) {
	if !h.rotating.TryLock() {
		return rotated{}, problemf("the key is being changed already")
	}
	defer h.rotating.Unlock()
	begun, err := h.vault.Rotating(ctx)
	if err != nil {
		return rotated{}, err
	}
	if begun { // a new one begins only when nothing hangs on the one before
		if _, err := h.finishRotation(ctx); err != nil {
			return rotated{}, err
		}
	}
	path, current := filepath.Join(h.dir, nextFile), filepath.Join(h.dir, keyFile)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) { // left from a rotation that never began
		return rotated{}, problemf("cannot remove %s: %v", path, plain(err))
	}
	next, err := vault.CreateRoot(path, r.Passphrase)
	if err != nil {
		return rotated{}, problemf("%v", err)
	}
	old := fmt.Sprintf("%s.old-%s", current, h.clock().UTC().Format("20060102-150405"))
	if r.DestroyOld {
		old = ""
	} else if err := os.Link(current, old); err != nil {
		return rotated{}, problemf("cannot keep the old key as %s: %v", old, plain(err))
	}
	if err := h.vault.Rewrap(ctx, next); err != nil {
		return rotated{}, err
	}
	if err := h.promote(); err != nil {
		return rotated{}, err
	}
	done, err := h.finishRotation(ctx)
	done.Old = old
	return done, err
}

// promote puts the new key file in the old one's place.
func (h *house) promote() error {
	if err := os.Rename(filepath.Join(h.dir, nextFile), filepath.Join(h.dir, keyFile)); err != nil {
		return problemf("the store is under the new key %s already; move it to %s: %v", nextFile, keyFile, plain(err))
	}
	d, err := os.Open(h.dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// begunRotation opens the store by the key of a rotation that stopped after the store was rewrapped and before the key file
// was put in place; nil if there is none.
func (h *house) begunRotation(ctx context.Context, o opening) *vault.Vault {
	root, err := vault.OpenRoot(filepath.Join(o.dir, nextFile), o.passphrase)
	if err != nil {
		return nil
	}
	v, err := vault.Open(ctx, h.db, root)
	if err != nil || h.promote() != nil {
		return nil
	}
	return v
}

// finishRotation moves every wrapped key and forgets the old key-encryption keys.
func (h *house) finishRotation(ctx context.Context) (rotated, error) {
	var done rotated
	for try := 0; ; try++ {
		charts, lost, err := h.journal.Rewrap(ctx)
		if err != nil {
			return done, err
		}
		accounts, gone, err := h.identity.Rewrap(ctx)
		if err != nil {
			return done, err
		}
		done.Charts, done.Accounts = done.Charts+charts, done.Accounts+accounts
		done.Lost = nil
		for _, n := range lost {
			done.Lost = append(done.Lost, "record "+h.charts.PublicID(n))
		}
		for _, id := range gone {
			done.Lost = append(done.Lost, "account "+id)
		}
		// Writes that began before the rotation hold keys wrapped the old way for a moment.
		select {
		case <-ctx.Done():
			return done, ctx.Err()
		case <-time.After(settleTime):
		}
		err = h.vault.Retire(ctx, h.journal.Behind(lost), h.identity.Behind(gone))
		if err == nil {
			return done, h.charts.Maintain(ctx, h.charts.Begin(system("key"), "key.rotate"), "key.rotate", "ok")
		}
		if !errors.Is(err, vault.ErrBehind) || try == 9 {
			return done, err
		}
	}
}

// settleTime is longer than any write holds a key that it has not stored yet.
const settleTime = 2 * time.Second
