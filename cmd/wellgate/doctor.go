package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/wellgate/wellgate/trust/identity"
)

type doctorCmd struct {
	storeFlag
	Dir        string `default:"." help:"The practice's folder."`
	Passphrase string `name:"passphrase-file" help:"File that holds the passphrase of root.key."`
	JSON       bool   `help:"Print the outcome as JSON."`
}

// A finding is one check: ok, warn (works, could be safer) or red (mend it before patients come).
type finding struct {
	Check string `json:"check"`
	State string `json:"state"`
	Say   string `json:"say"`
}

// Run looks at everything it can and ends with 1 on any red.
func (c *doctorCmd) Run(ctx context.Context) error {
	fs := c.examine(ctx)
	red := false
	for _, f := range fs {
		red = red || f.State == "red"
		if !c.JSON {
			fmt.Printf("%-5s %-10s %s\n", f.State, f.Check, f.Say)
		}
	}
	if c.JSON {
		if err := printJSON(fs); err != nil {
			return err
		}
	}
	if red {
		return errRed
	}
	return nil
}

func (c *doctorCmd) examine(ctx context.Context) []finding {
	fs := c.folder()
	pass, err := passphrase(c.Passphrase)
	if err != nil {
		return append(fs, finding{"key", "red", err.Error()})
	}
	h, err := open(ctx, opening{dir: c.Dir, store: c.Store, passphrase: pass})
	if err != nil {
		return append(fs, finding{"open", "red", err.Error()})
	}
	defer h.Close()
	fs = append(fs, finding{"open", "ok", "the key opens the store, and the audit log fits its anchors"})
	if err := h.db.Check(ctx); err != nil {
		fs = append(fs, finding{"store", "red", err.Error()})
	} else {
		fs = append(fs, finding{"store", "ok", "undamaged; every commit is flushed to disk before it counts"})
	}
	if pass == nil {
		fs = append(fs, finding{"key", "warn", "root.key has no passphrase: whoever copies the folder can read it; keep the key on another disk or protect it"})
	} else {
		fs = append(fs, finding{"key", "ok", "root.key is protected by a passphrase"})
	}
	return append(fs, c.accounts(ctx, h)...)
}

// folder checks who else can read what is on disk.
func (c *doctorCmd) folder() []finding {
	var fs []finding
	for _, name := range []string{".", keyFile, storeFile, configFile, anchorFile, readsDir} {
		info, err := os.Stat(filepath.Join(c.Dir, name))
		if err != nil {
			continue
		}
		if open := info.Mode().Perm() & 0o077; open != 0 && name != configFile {
			fs = append(fs, finding{"folder", "red", fmt.Sprintf("%s can be opened by other users (%v); run chmod go-rwx", filepath.Join(c.Dir, name), info.Mode().Perm())})
		}
	}
	if len(fs) == 0 {
		fs = append(fs, finding{"folder", "ok", "only this user can read it"})
	}
	if _, err := os.Stat(filepath.Join(c.Dir, demoFile)); err == nil {
		fs = append(fs, finding{"demo", "red", "this is a demo: its passwords are in the folder and staff sign in without a passkey; never put real people in it"})
	}
	return fs
}

// accounts checks who can sign in and how.
func (c *doctorCmd) accounts(ctx context.Context, h *house) []finding {
	list, err := h.identity.Accounts.List(ctx, "")
	if err != nil {
		return []finding{{"accounts", "red", err.Error()}}
	}
	var weak []string
	staff, patients, admins := 0, 0, 0
	for _, a := range list {
		if a.Kind == identity.Patient {
			patients++
			continue
		}
		staff++
		if a.Role == identity.Administrator && !a.Disabled {
			admins++
		}
		f, err := h.identity.Accounts.Factors(ctx, a.ID)
		if err != nil {
			return []finding{{"accounts", "red", err.Error()}}
		}
		if f.Password || f.TOTP {
			weak = append(weak, a.ID)
		}
	}
	fs := []finding{{"accounts", "ok", fmt.Sprintf("%d patients, %d staff", patients, staff)}}
	if len(weak) > 0 {
		fs = append(fs, finding{"accounts", "red", "staff with a password instead of a passkey (AUT-08): " + strings.Join(weak, ", ")})
	}
	if admins == 0 {
		fs = append(fs, finding{"accounts", "warn", "no administrator: make one with `wellgate init --admin` in a new folder, before patients come"})
	}
	return fs
}
