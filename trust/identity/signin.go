package identity

import (
	"context"
	"errors"
	"fmt"

	"github.com/wellgate/wellgate/store"
)

// Signin is the two steps of password and code.
type Signin struct{ c *core }

// Second says what the second step can be.
type Second struct{ App, Recovery bool }

// Password is the first step. The step it returns has no rights; it lives ten minutes in a cookie.
// Every login, known or not, costs the same work and gets the same answers (AUT-16).
func (s *Signin) Password(ctx context.Context, login, password string, shared bool, from From) (sealed string, err error) {
	if len(login) > 400 {
		login = login[:400]
	}
	c := s.c
	g := passwordGuess(c, login, from)
	if err := c.mayGuess(ctx, g); err != nil {
		return "", err
	}
	if err := c.hash.enter(ctx); err != nil {
		return "", err
	}
	defer c.hash.leave()
	var off bool
	var run int64
	err = c.db.Write(ctx, func(tx *store.Tx) (err error) {
		off, run, err = c.charge(ctx, tx, g)
		return err
	})
	if err != nil {
		return "", err
	}
	a, encoded, err := c.forLogin(ctx, login)
	if err != nil {
		return "", err
	}
	ok, stale, err := c.hash.verify(encoded, typed(password))
	if err != nil {
		return "", err
	}
	if !ok || a == nil || off || a.Disabled || !c.passwordAllowed(a) {
		return "", s.failed(ctx, a, g, run, from)
	}
	again := ""
	if stale {
		again = c.hash.make(typed(password))
	}
	err = c.write(ctx, func(tx *store.Tx) error { return s.right(ctx, tx, a, again, g) })
	if err != nil {
		return "", err
	}
	return c.sealStep(ctx, step{Purpose: purposeCode, Account: a.id, Set: a.Password.Set, Shared: shared}, codeLife)
}

func passwordGuess(c *core, login string, from From) guess {
	return guess{class: classPassword, subject: foldLogin(login), device: c.device(from, login), ip: from.IP, work: from.Work}
}

// forLogin finds the account and its hash; nil and a dummy if there is none.
func (c *core) forLogin(ctx context.Context, login string) (*account, string, error) {
	id, err := c.lookup(ctx, c.db, c.loginToken(login))
	if errors.Is(err, ErrNotFound) {
		return nil, c.hash.dummy(), nil
	}
	if err != nil {
		return nil, "", err
	}
	a, err := c.load(ctx, c.db, id)
	if err != nil {
		return nil, "", err
	}
	if foldLogin(a.Login) != foldLogin(login) {
		return nil, "", fmt.Errorf("identity: account %s: %w: a login was pointed at it", id, ErrDamaged)
	}
	if a.Password == nil {
		return a, c.hash.dummy(), nil
	}
	return a, a.Password.PHC, nil
}

// right refunds the guess, and stores the hash again when its parameters have changed (AUT-04).
func (s *Signin) right(ctx context.Context, tx *store.Tx, a *account, again string, g guess) error {
	if err := s.c.refund(ctx, tx, g); err != nil || again == "" {
		return err
	}
	now, err := s.c.load(ctx, tx, a.id)
	if err != nil {
		return err
	}
	if now.Password == nil || now.Password.PHC != a.Password.PHC {
		return nil // changed meanwhile
	}
	now.Password.PHC = again
	return s.c.save(ctx, tx, now)
}

// failed tells of a wrong guess and returns ErrRefused.
func (s *Signin) failed(ctx context.Context, a *account, g guess, run int64, from From) error {
	err := s.c.db.Write(ctx, func(tx *store.Tx) error {
		if err := s.c.emit(ctx, tx, a, Event{Kind: EventSigninFailed, Detail: string(g.class)}, from); err != nil {
			return err
		}
		if run != runLimit || a == nil {
			return nil
		}
		return s.c.emit(ctx, tx, a, Event{Kind: EventFactorOff, Detail: string(g.class)}, from)
	})
	if err != nil {
		return err
	}
	return ErrRefused
}

// Second says what a step of Password can go on with.
func (s *Signin) Second(ctx context.Context, sealed string) (Second, error) {
	st, err := s.c.openStep(ctx, sealed, purposeCode)
	if err != nil {
		return Second{}, err
	}
	a, err := s.c.load(ctx, s.c.db, st.Account)
	if err != nil {
		return Second{}, err
	}
	return Second{App: a.TOTP != nil, Recovery: a.Recovery != nil && len(a.Recovery.Hashes) > 0}, nil
}

// Code is the second step with an authenticator app.
func (s *Signin) Code(ctx context.Context, sealed, code string, from From) (Grant, error) {
	return s.second(ctx, sealed, "code", from, func(a *account, off bool) bool {
		return !off && a.TOTP != nil && s.c.takeTOTP(a.TOTP, code)
	})
}

// Recovery is the second step with a recovery code, which it uses up.
func (s *Signin) Recovery(ctx context.Context, sealed, code string, from From) (Grant, error) {
	st, err := s.c.openStep(ctx, sealed, purposeCode)
	if err != nil {
		return Grant{}, err
	}
	a, err := s.c.load(ctx, s.c.db, st.Account)
	if err != nil {
		return Grant{}, err
	}
	if err := s.c.mayGuess(ctx, s.codeGuess(a, from)); err != nil {
		return Grant{}, err
	}
	sum, err := s.c.sumRecovery(ctx, a.Recovery, code)
	if err != nil {
		return Grant{}, err
	}
	return s.second(ctx, sealed, "recovery", from, func(a *account, _ bool) bool {
		return a.Recovery != nil && a.Recovery.take(sum)
	})
}

func (s *Signin) codeGuess(a *account, from From) guess {
	return guess{class: classCode, subject: a.id, device: s.c.device(from, a.Login), ip: from.IP}
}

// second weighs the second factor and, in one transaction, uses it and the step up and starts the session.
func (s *Signin) second(ctx context.Context, sealed, way string, from From, take func(a *account, off bool) bool) (Grant, error) {
	c := s.c
	st, err := c.openStep(ctx, sealed, purposeCode)
	if err != nil {
		return Grant{}, err
	}
	a, err := c.load(ctx, c.db, st.Account)
	if err != nil {
		return Grant{}, err
	}
	guess := s.codeGuess(a, from)
	off, run, err := c.chargeNow(ctx, guess)
	if err != nil {
		return Grant{}, err
	}
	var g Grant
	err = c.write(ctx, func(tx *store.Tx) error {
		if a, err = c.load(ctx, tx, st.Account); err != nil {
			return err
		}
		if a.Password == nil || !a.Password.Set.Equal(st.Set) {
			return ErrStep // the password changed since it was right
		}
		if a.Disabled || !c.passwordAllowed(a) || !take(a, off) {
			return ErrRefused
		}
		if err := c.spend(ctx, tx, st); err != nil {
			return err
		}
		if err := c.refund(ctx, tx, guess); err != nil {
			return err
		}
		if way == "recovery" {
			if err := c.emit(ctx, tx, a, Event{Kind: EventRecoveryUsed}, from); err != nil {
				return err
			}
		}
		if g, err = c.start(ctx, tx, a, sessionData{Way: way, AAL: 2, Shared: st.Shared}, from); err != nil {
			return err
		}
		return c.save(ctx, tx, a)
	})
	if errors.Is(err, ErrRefused) {
		return Grant{}, s.failed(ctx, a, guess, run, from)
	}
	if err != nil {
		return Grant{}, err
	}
	return g, nil
}

func (c *core) chargeNow(ctx context.Context, g guess) (off bool, run int64, err error) {
	err = c.db.Write(ctx, func(tx *store.Tx) (err error) {
		off, run, err = c.charge(ctx, tx, g)
		return err
	})
	return off, run, err
}

// Prove is step-up with an authenticator app (AUT-17).
func (s *Signin) Prove(ctx context.Context, token, code string, from From) (Grant, error) {
	c := s.c
	t, err := c.open(ctx, c.db, token)
	if err != nil {
		return Grant{}, err
	}
	guess := s.codeGuess(t.a, from)
	off, run, err := c.chargeNow(ctx, guess)
	if err != nil {
		return Grant{}, err
	}
	var g Grant
	err = c.write(ctx, func(tx *store.Tx) error {
		if t, err = c.open(ctx, tx, token); err != nil {
			return err
		}
		a, err := c.load(ctx, tx, t.a.id)
		if err != nil {
			return err
		}
		if off || !c.passwordAllowed(a) || a.TOTP == nil || !c.takeTOTP(a.TOTP, code) {
			return ErrRefused
		}
		if err := c.refund(ctx, tx, guess); err != nil {
			return err
		}
		if err := c.save(ctx, tx, a); err != nil {
			return err
		}
		g, err = c.prove(ctx, tx, t, 2, "code", from)
		return err
	})
	if errors.Is(err, ErrRefused) {
		return Grant{}, s.proveFailed(ctx, t, guess, run, from)
	}
	if err != nil {
		return Grant{}, err
	}
	return g, nil
}

func (s *Signin) proveFailed(ctx context.Context, t *session, g guess, run int64, from From) error {
	err := s.c.db.Write(ctx, func(tx *store.Tx) error {
		err := s.c.emit(ctx, tx, t.a, Event{Kind: EventProveFailed, Session: t.id, Detail: string(g.class)}, from)
		if err != nil || run != runLimit {
			return err
		}
		return s.c.emit(ctx, tx, t.a, Event{Kind: EventFactorOff, Session: t.id, Detail: string(g.class)}, from)
	})
	if err != nil {
		return err
	}
	return ErrRefused
}
