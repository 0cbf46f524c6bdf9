package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/trust/identity"
)

type tokenCmd struct {
	Make   tokenMakeCmd   `cmd:"" help:"Make a token for another system, and show it once."`
	List   tokenListCmd   `cmd:"" help:"List the tokens there are and were."`
	Revoke tokenRevokeCmd `cmd:"" help:"End a token at once."`
}

type tokenMakeCmd struct {
	storeFlag
	Dir        string `default:"." help:"The practice's folder."`
	Passphrase string `name:"passphrase-file" help:"File that holds the passphrase of root.key, if the portal does not run."`
	Name       string `required:"" help:"The system's name, as patients will see it in \"who looked\"."`
	Scope      string `required:"" help:"SMART v2 system scopes, e.g. 'system/*.rs' or 'system/Patient.rs system/Observation.cruds'."`
	Expires    string `default:"90d" help:"How long it is good, in days (d) or hours (h); at most 366d."`
	Purpose    string `default:"TREAT" enum:"TREAT,HPAYMT,HOPERAT" help:"Why it reads: treatment, payment or operations."`
	Rate       string `default:"100" help:"Requests a second; 0 for no limit."`
	Labels     bool   `help:"Let it see what carries a security label (restricted, HIV, psychiatric …). Without this it does not."`
	JSON       bool   `help:"Print as JSON."`
}

// tokenWish is what is asked of a house.
type tokenWish struct {
	Name    string `json:"name"`
	Scope   string `json:"scope"`
	Purpose string `json:"purpose"`
	Rate    int    `json:"rate"`
	Labels  bool   `json:"labels"`
	Hours   int    `json:"hours"`
}

type tokenMade struct {
	ID      string    `json:"id"`
	Token   string    `json:"token"`
	Scope   string    `json:"scope"`
	Expires time.Time `json:"expires"`
}

// Run asks the running portal, or does it alone when none runs.
func (c *tokenMakeCmd) Run(ctx context.Context) error {
	life, err := days(c.Expires)
	if err != nil {
		return err
	}
	rate, err := strconv.Atoi(c.Rate)
	if err != nil || rate < 0 {
		return problemf("--rate is a whole number of requests a second; 0 for no limit")
	}
	var made tokenMade
	ask := tokenWish{c.Name, c.Scope, c.Purpose, rate, c.Labels, int(life.Hours())}
	if err := operate(ctx, opening{dir: c.Dir, store: c.Store}, c.Passphrase, "/token/make", ask, &made); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(made)
	}
	fmt.Printf("%s\n\nThis is shown once. It is token %s, good until %s, for %s.\n", made.Token, made.ID, made.Expires.Format(time.DateOnly), made.Scope)
	return nil
}

// days reads "90d" or "12h".
func days(s string) (time.Duration, error) {
	unit := map[bool]time.Duration{true: 24 * time.Hour, false: time.Hour}[strings.HasSuffix(s, "d")]
	n, err := strconv.Atoi(strings.TrimRight(s, "dh"))
	life := time.Duration(n) * unit
	if err != nil || !strings.HasSuffix(s, "d") && !strings.HasSuffix(s, "h") || n < 1 || n > 9000 || life > 366*24*time.Hour {
		return 0, problemf("--expires is a time like 90d or 12h, at most 366d")
	}
	return life, nil
}

func (h *house) makeToken(ctx context.Context, w tokenWish) (tokenMade, error) {
	scope, err := identity.ParseScope(w.Scope, w.Labels)
	if err != nil {
		return tokenMade{}, problemf("a scope looks like system/Observation.rs or system/*.cruds; several stand with spaces between")
	}
	for _, letter := range []byte("cruds") {
		for _, typ := range scope.Types(letter) {
			if typ != "*" && !fhir.KnownType(typ) {
				return tokenMade{}, problemf("%q is no resource type of FHIR R4", typ)
			}
		}
	}
	token, made, err := h.identity.Tokens.Make(ctx, identity.Service{
		Name: w.Name, Scope: w.Scope, Labels: w.Labels, Purpose: w.Purpose, Rate: w.Rate, Expires: h.clock().Add(time.Duration(w.Hours) * time.Hour),
	}, "system:token")
	return tokenMade{made.ID, token, made.Scope, made.Expires}, err
}

type tokenListCmd struct {
	storeFlag
	Dir        string `default:"." help:"The practice's folder."`
	Passphrase string `name:"passphrase-file" help:"File that holds the passphrase of root.key, if the portal does not run."`
	JSON       bool   `help:"Print as JSON."`
}

// Run lists tokens; the secrets themselves are nowhere to be read.
func (c *tokenListCmd) Run(ctx context.Context) error {
	var list []identity.Service
	if err := operate(ctx, opening{dir: c.Dir, store: c.Store}, c.Passphrase, "/token/list", struct{}{}, &list); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(list)
	}
	for _, t := range list {
		state := "until " + t.Expires.Format(time.DateOnly)
		if !t.Revoked.IsZero() {
			state = "revoked " + t.Revoked.Format(time.DateOnly)
		}
		used := "never used"
		if !t.Used.IsZero() {
			used = "used " + t.Used.Format("2006-01-02 15h")
		}
		fmt.Printf("%s  %-24s %-18s %-20s %s\n", t.ID, t.Name, state, used, t.Scope)
	}
	return nil
}

type tokenRevokeCmd struct {
	storeFlag
	Dir        string `default:"." help:"The practice's folder."`
	Passphrase string `name:"passphrase-file" help:"File that holds the passphrase of root.key, if the portal does not run."`
	ID         string `arg:"" name:"id" help:"The token's id, as list shows it."`
}

type tokenEnd struct {
	ID string `json:"id"`
}

// Run ends a token. Who uses it is refused from here on.
func (c *tokenRevokeCmd) Run(ctx context.Context) error {
	var done struct{}
	if err := operate(ctx, opening{dir: c.Dir, store: c.Store}, c.Passphrase, "/token/revoke", tokenEnd{c.ID}, &done); err != nil {
		return err
	}
	fmt.Println("The token is revoked.")
	return nil
}

func (h *house) revokeToken(ctx context.Context, e tokenEnd) error {
	err := h.identity.Tokens.Revoke(ctx, e.ID, "system:token")
	if errors.Is(err, identity.ErrNotFound) {
		return problemf("there is no token %q; see wellgate token list", e.ID)
	}
	return err
}
