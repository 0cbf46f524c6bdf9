package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/wellgate/wellgate/feed"
	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/trust/audit"
	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/identity"
	"github.com/wellgate/wellgate/trust/journal"
	"github.com/wellgate/wellgate/trust/vault"
)

type storeCmd struct {
	Copy  storeCopyCmd  `cmd:"" help:"Copy the whole practice into another store: from SQLite to PostgreSQL or back."`
	Roles storeRolesCmd `cmd:"" help:"Print the SQL that gives a PostgreSQL role what serving needs, and no more."`
}

type storeCopyCmd struct {
	storeFlag
	Dir        string `default:"." help:"The practice's folder."`
	Passphrase string `name:"passphrase-file" help:"File that holds the passphrase of root.key."`
	To         string `required:"" help:"Where to: postgres://user@host/database, or sqlite for a new file in the folder. It must be empty, or hold this copy unfinished."`
	JSON       bool   `help:"Print the outcome as JSON."`
}

// Run copies table by table and compares both sides. It may be stopped at any moment and started again.
func (c *storeCopyCmd) Run(ctx context.Context) error {
	pass, err := passphrase(c.Passphrase)
	if err != nil {
		return err
	}
	if err := checkStore(c.To); err != nil {
		return err
	}
	h, err := open(ctx, opening{dir: c.Dir, store: c.Store, passphrase: pass})
	if err != nil {
		return err
	}
	defer h.Close()
	to, err := h.config.storeURL(c.Dir, c.To)
	if err != nil {
		return err
	}
	if from, err := h.config.storeURL(c.Dir, c.Store); err != nil || from == to {
		return errors.Join(err, problemf("the practice is there already"))
	}
	if err := h.rest(ctx); err != nil {
		return err
	}
	target, err := store.Open(ctx, to)
	if err != nil {
		return err
	}
	defer target.Close()
	sums, err := h.copyTo(ctx, target)
	switch {
	case errors.Is(err, store.ErrOccupied):
		return problemf("%s holds something else, or the copy of another practice; name an empty database", c.To)
	case err != nil:
		return err
	}
	if c.JSON {
		return printJSON(sums)
	}
	for _, s := range sums {
		fmt.Printf("%-18s %8d rows  %s\n", s.Table, s.Rows, s.SHA256)
	}
	fmt.Printf("copied: every row is the same on both sides, and the audit log verifies there\n\nNext: put %q into %s and keep the old store until a backup of the new one is made.\n",
		`"store": "`+c.To+`"`, filepath.Join(c.Dir, configFile))
	return nil
}

// rest brings what lies beside the store into it, and refuses to copy while others work.
func (h *house) rest(ctx context.Context) error {
	h.stopWatch()
	h.watching.Wait()
	charts := h.charts
	h.charts = nil
	if err := errors.Join(h.letOut(), charts.Close()); err != nil {
		return err
	}
	others, err := h.db.Others(ctx)
	if err == nil && others > 0 {
		return problemf("%d other connections are open to the database: stop every node first", others)
	}
	return err
}

// migrations are the owners' tables.
func migrations(ctx context.Context, db *store.DB) error {
	for _, migrate := range []func(context.Context, *store.DB) error{
		vault.Migrate, journal.Migrate, chart.Migrate, feed.Migrate, audit.Migrate, identity.Migrate,
	} {
		if err := migrate(ctx, db); err != nil {
			return err
		}
	}
	return nil
}

// copyTo copies every table and verifies the audit log of the copy.
func (h *house) copyTo(ctx context.Context, to *store.DB) ([]store.Sum, error) {
	name := sha256.Sum256(h.vault.Secret("store-copy"))
	if err := store.BeginCopy(ctx, to, hex.EncodeToString(name[:]), migrations); err != nil {
		return nil, err
	}
	tables, err := h.db.Tables(ctx)
	if err != nil {
		return nil, err
	}
	there, err := to.Tables(ctx)
	if err != nil {
		return nil, err
	}
	for i, t := range tables {
		if len(there) != len(tables) || !slices.Equal(t.Columns, there[i].Columns) || t.Name != there[i].Name {
			return nil, fmt.Errorf("the tables differ at %s: make both with the same version of Wellgate", t.Name)
		}
	}
	var sums []store.Sum
	for _, t := range tables {
		s, err := store.CopyTable(ctx, h.db, to, t)
		if err != nil {
			return nil, err
		}
		sums = append(sums, s)
	}
	vkey, err := audit.VKey(h.config.Log, h.vault.Secret("audit-signing"))
	if err != nil {
		return nil, err
	}
	j, err := journal.Open(ctx, to, h.vault, journal.WithClock(h.clock))
	if err != nil {
		return nil, err
	}
	rep, err := audit.Verify(ctx, to, vkey, filepath.Join(h.dir, anchorFile), chart.Sealer(j))
	if err != nil {
		return nil, err
	}
	if len(rep.Problems) > 0 {
		return nil, problemf("the audit log does not verify on the copy: %s", strings.Join(rep.Problems, "; "))
	}
	return sums, store.EndCopy(ctx, to)
}

type storeRolesCmd struct {
	storeFlag
	Dir        string `default:"." help:"The practice's folder."`
	Passphrase string `name:"passphrase-file" help:"File that holds the passphrase of root.key."`
	Role       string `default:"wellgate_serve" help:"The role that will serve."`
}

var roleText = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)

// Run prints; the owner of the tables runs what it prints.
func (c *storeRolesCmd) Run(ctx context.Context) error {
	if !roleText.MatchString(c.Role) {
		return problemf("--role is lower-case letters, digits and underscores")
	}
	pass, err := passphrase(c.Passphrase)
	if err != nil {
		return err
	}
	h, err := openStore(ctx, opening{dir: c.Dir, store: c.Store, passphrase: pass})
	if err != nil {
		return err
	}
	defer h.Close()
	if h.db.Dialect() != "postgres" {
		return problemf("the practice is in a SQLite file, which has no roles")
	}
	sql, err := h.db.Grants(ctx, c.Role, audit.AddedOnly())
	if err == nil {
		_, err = fmt.Fprint(os.Stdout, sql)
	}
	return err
}
