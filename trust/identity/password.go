package identity

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/wellgate/wellgate/store"
)

// Password lengths in code points after NFC (AUT-01): shorter is enough beside a second factor.
const (
	minAlone    = 15
	minWithCode = 12
	maxPoints   = 256
	maxBytes    = 1024
)

// MinPassword is the least number of characters, with or without an authenticator app.
func MinPassword(withApp bool) int {
	if withApp {
		return minWithCode
	}
	return minAlone
}

// Suggest makes a strong password up: 100 random bits in groups that can be read out, with signs and digits.
func Suggest() string {
	raw := ""
	for !strings.ContainsAny(raw, "0123456789") {
		raw = strings.ToLower(crockford.EncodeToString(randomBytes(13)))[:20]
	}
	return raw[:5] + "-" + raw[5:10] + "-" + raw[10:15] + "-" + raw[15:]
}

type passwordFactor struct {
	PHC string
	Set time.Time
}

// Passwords sets passwords.
type Passwords struct{ c *core }

// Check says whether password would be accepted for the account, as *PasswordError.
func (p *Passwords) Check(ctx context.Context, account, password string) error {
	a, err := p.c.load(ctx, p.c.db, account)
	if err != nil {
		return err
	}
	_, err = p.c.accept(a, password)
	return err
}

// Set gives an account its password: for enrolment and tools.
func (p *Passwords) Set(ctx context.Context, account, password string) error {
	return p.set(ctx, account, password, From{})
}

// Change replaces the person's own password; it needs a fresh proof (AUT-17).
func (p *Passwords) Change(ctx context.Context, who Who, password string, from From) error {
	if err := p.c.mayChange(who, 2); err != nil {
		return err
	}
	return p.set(ctx, who.Account, password, from)
}

func (p *Passwords) set(ctx context.Context, id, password string, from From) error {
	a, err := p.c.load(ctx, p.c.db, id)
	if err != nil {
		return err
	}
	if !p.c.passwordAllowed(a) {
		return ErrPasskeyOnly
	}
	normal, err := p.c.accept(a, password)
	if err != nil {
		return err
	}
	if err := p.c.hash.enter(ctx); err != nil {
		return err
	}
	encoded := p.c.hash.make(normal)
	p.c.hash.leave()
	return p.c.change(ctx, id, func(tx *store.Tx, a *account) error {
		kind := EventFactorChanged
		if a.Password == nil {
			kind = EventFactorAdded
		}
		a.Password = &passwordFactor{PHC: encoded, Set: p.c.now()}
		if err := p.c.forgive(ctx, tx, classPassword, foldLogin(a.Login)); err != nil {
			return err
		}
		return p.c.emit(ctx, tx, a, Event{Kind: kind, Detail: "password"}, from)
	})
}

// accept normalises a new password or says why not.
func (c *core) accept(a *account, password string) (string, error) {
	least := MinPassword(a.TOTP != nil)
	refuse := func(r Reason) (string, error) { return "", &PasswordError{Reason: r, Min: least} }
	if !utf8.ValidString(password) {
		return refuse(Invalid)
	}
	normal := norm.NFC.String(password)
	switch n := utf8.RuneCountInString(normal); {
	case n < least:
		return refuse(Short)
	case n > maxPoints || len(normal) > maxBytes:
		return refuse(Long)
	}
	if r := blocked(normal, a.Name, a.Login, c.opts.Practice, "wellgate"); r != "" {
		return refuse(r)
	}
	return normal, nil
}

// typed is a password as it is compared; one that could never be set costs the same work.
func typed(password string) string {
	if len(password) > maxBytes*4 {
		password = password[:maxBytes*4]
	}
	return norm.NFC.String(password)
}
