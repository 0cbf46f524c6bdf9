package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/term"

	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/trust/identity"
	"github.com/wellgate/wellgate/trust/vault"
)

type initCmd struct {
	storeFlag
	Dir        string `default:"." help:"Folder for the practice's keys and data; made if it is missing."`
	Name       string `required:"" help:"The practice's name, as patients know it."`
	Phone      string `required:"" help:"Number that patients call."`
	Host       string `required:"" help:"Name in the address bar, e.g. portal.example."`
	Zone       string `required:"" help:"Time zone, e.g. America/New_York."`
	Emergency  string `default:"911" help:"The country's emergency number."`
	Colour     string `default:"#0e5a5e" help:"The practice's colour; the pages derive theirs from it."`
	Admin      string `help:"E-mail address of the first administrator: prints a one-time code that is good for 24 hours."`
	AdminName  string `default:"Administrator" help:"The first administrator's name."`
	Passphrase string `name:"passphrase-file" help:"Protect root.key by the passphrase in this file. Without it the file alone opens everything."`
	Ask        bool   `name:"ask-passphrase" help:"Ask for the passphrase instead."`
}

// Run makes the folder, the key, the store and, if asked, the first administrator. It never touches a practice that is there.
func (c *initCmd) Run(ctx context.Context) error {
	cfg := config{Name: c.Name, Phone: c.Phone, Emergency: c.Emergency, Colour: c.Colour, Zone: c.Zone, Host: c.Host, Log: logName(), Store: c.Store}
	if err := cfg.check(); err != nil {
		return err
	}
	pass, err := c.secret()
	if err != nil {
		return err
	}
	if err := makeDir(c.Dir); err != nil {
		return err
	}
	for _, f := range []string{configFile, storeFile, keyFile} {
		if _, err := os.Stat(filepath.Join(c.Dir, f)); err == nil {
			return problemf("%s already holds a practice (%s); init never overwrites one", c.Dir, f)
		}
	}
	if err := c.vacant(ctx, cfg); err != nil {
		return err
	}
	if _, err := vault.CreateRoot(filepath.Join(c.Dir, keyFile), pass); err != nil {
		return problemf("%v", err)
	}
	if err := writeConfig(c.Dir, cfg); err != nil {
		return problemf("cannot write to %s: %v", c.Dir, plain(err))
	}
	h, err := open(ctx, opening{dir: c.Dir, passphrase: pass, origins: []string{"https://" + cfg.Host}})
	if err != nil {
		return err
	}
	defer h.Close()
	fmt.Printf("%s is ready in %s.\n\nKeep a copy of %s somewhere safe and apart from the backups: without it nothing can be read, with it everything.\n",
		cfg.Name, c.Dir, filepath.Join(c.Dir, keyFile))
	if c.Admin != "" {
		if err := c.administrator(ctx, h); err != nil {
			return err
		}
	}
	fmt.Printf("\nNext:  wellgate import --dir %s PATH...\n       wellgate serve --dir %s --cert chain.pem --key key.pem\n", c.Dir, c.Dir)
	return nil
}

// vacant refuses a database that holds somebody's tables, or that cannot be reached, before a key is made.
func (c *initCmd) vacant(ctx context.Context, cfg config) error {
	address, err := cfg.storeURL(c.Dir, "")
	if err != nil || strings.HasPrefix(address, inFolder) {
		return err
	}
	db, err := store.Open(ctx, address)
	if err != nil {
		return err
	}
	defer db.Close()
	owners, err := db.Owners(ctx)
	if err == nil && len(owners) > 0 {
		return problemf("the database already holds a practice; init never overwrites one. Another node of it needs no init: copy root.key and practice.json into its folder")
	}
	return err
}

func (c *initCmd) administrator(ctx context.Context, h *house) error {
	acc, err := h.identity.Accounts.Create(ctx, identity.Account{
		Kind: identity.Staff, Role: identity.Administrator, Name: c.AdminName, Login: c.Admin,
	})
	if err != nil {
		return problemf("cannot make the administrator: %v", err)
	}
	code, err := h.identity.Enrol.Issue(ctx, acc.ID, "system:init")
	if err != nil {
		return err
	}
	fmt.Printf("\nFirst administrator %s: open https://%s/signin/start within 24 hours and enter\n\n    %s\n\nIt is shown once and works once.\n",
		c.AdminName, h.config.Host, code)
	return nil
}

// secret is the passphrase, from a file or typed twice.
func (c *initCmd) secret() ([]byte, error) {
	if !c.Ask {
		return passphrase(c.Passphrase)
	}
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return nil, problemf("--ask-passphrase needs a terminal; use --passphrase-file")
	}
	var typed [2][]byte
	for i, prompt := range []string{"Passphrase: ", "Again: "} {
		fmt.Fprint(os.Stderr, prompt)
		b, err := term.ReadPassword(int(os.Stdin.Fd()))
		fmt.Fprintln(os.Stderr)
		if err != nil {
			return nil, err
		}
		typed[i] = b
	}
	if !bytes.Equal(typed[0], typed[1]) {
		return nil, problemf("the two do not match; nothing was made")
	}
	if len(typed[0]) < 12 {
		return nil, problemf("use at least 12 characters; nothing was made")
	}
	return typed[0], nil
}
