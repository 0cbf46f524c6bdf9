package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/wellgate/wellgate/trust/audit"
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
	var running []finding
	if askRunning(ctx, c.Dir, "/health", struct{}{}, &running) == nil { // it owns the folder, and tells what it knows
		return append(append(fs, finding{"open", "ok", "the portal runs; stop it to have the store and the accounts looked at too"}), running...)
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
	excess, err := h.db.Excess(ctx, audit.AddedOnly())
	advice, aerr := h.db.Advice(ctx)
	if err := errors.Join(err, aerr); err != nil {
		fs = append(fs, finding{"store", "red", err.Error()})
	}
	if len(excess) > 0 {
		fs = append(fs, finding{"role", "warn", "the database role may " + strings.Join(excess, ", ") + ": serve as a role that `wellgate store roles` makes"})
	}
	for _, a := range advice {
		fs = append(fs, finding{"store", "warn", a})
	}
	if pass == nil {
		fs = append(fs, finding{"key", "warn", "root.key has no passphrase: whoever copies the folder can read it; keep the key on another disk or protect it"})
	} else {
		fs = append(fs, finding{"key", "ok", "root.key is protected by a passphrase"})
	}
	fs = append(fs, h.alerts(ctx)...)
	return append(fs, c.accounts(ctx, h)...)
}

// alerts are what must be mended before all else: damaged records, and witnesses that know another history.
func (h *house) alerts(ctx context.Context) []finding {
	var fs []finding
	list, err := h.charts.Alerts(ctx)
	if err != nil {
		return append(fs, finding{"records", "red", err.Error()})
	}
	for _, a := range list {
		say := fmt.Sprintf("%s was found changed behind the portal's back at %s", a.What, a.At.Format(time.RFC3339))
		if a.Still {
			fs = append(fs, finding{"records", "red", say + " and stays closed; keep a copy of the folder, find out who changed it, then restore it from a backup"})
			continue
		}
		fs = append(fs, finding{"records", "warn", say + ", and reads well now"})
	}
	asked, err := h.charts.Audit().AskWitnesses(ctx)
	if err != nil {
		return append(fs, finding{"witness", "red", err.Error()})
	}
	for _, w := range asked {
		signed := "it signed nothing yet"
		if w.Size > 0 {
			signed = fmt.Sprintf("%d entries are signed, at %s", w.Size, w.At.Format(time.RFC3339))
		}
		switch {
		case w.Fork != "":
			fs = append(fs, finding{"witness", "red", w.Name + ": " + w.Fork})
		case w.Trouble != "":
			fs = append(fs, finding{"witness", "warn", fmt.Sprintf("%s: %s; %s", w.Name, w.Trouble, signed)})
		default:
			fs = append(fs, finding{"witness", "ok", w.Name + ": " + signed})
		}
	}
	return fs
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
