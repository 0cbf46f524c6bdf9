package identity

import (
	"context"
	"time"
)

// Factors of one account.
type Factors struct {
	Password    bool
	PasswordOff bool // disabled after 100 failures in a row; a new password turns it on
	PasswordSet time.Time
	TOTP        bool
	TOTPOff     bool // as PasswordOff
	TOTPSet     time.Time
	Recovery    int // unused recovery codes
	RecoverySet time.Time
	Passkeys    []Passkey
}

// Factors lists how an account can sign in.
func (s *Accounts) Factors(ctx context.Context, id string) (Factors, error) {
	a, err := s.c.load(ctx, s.c.db, id)
	if err != nil {
		return Factors{}, err
	}
	var f Factors
	if a.Password != nil {
		f.Password, f.PasswordSet = true, a.Password.Set
		f.PasswordOff, err = s.c.off(ctx, s.c.db, classPassword, foldLogin(a.Login))
	}
	if a.TOTP != nil && err == nil {
		f.TOTP, f.TOTPSet = true, a.TOTP.Set
		f.TOTPOff, err = s.c.off(ctx, s.c.db, classCode, a.id)
	}
	if a.Recovery != nil {
		f.Recovery, f.RecoverySet = len(a.Recovery.Hashes), a.Recovery.Set
	}
	for _, p := range a.Passkeys {
		f.Passkeys = append(f.Passkeys, p.public())
	}
	return f, err
}

// passwordAllowed says whether this account may sign in by password at all (AUT-08).
func (c *core) passwordAllowed(a *account) bool {
	return a.Kind == Patient || c.opts.StaffPasswordInDemo
}

// canSignIn says whether a complete way in is left: a passkey, or password and app.
func (c *core) canSignIn(a *account) bool {
	return len(a.Passkeys) > 0 || c.passwordAllowed(a) && a.Password != nil && a.TOTP != nil
}

// mayChange is the rule of AUT-17 and AUT-18 for a factor of the given level.
func (c *core) mayChange(who Who, level int) error {
	if c.now().Sub(who.Proved) > ProofFresh {
		return ErrStepUp
	}
	if who.AAL < level {
		return ErrLevel
	}
	return nil
}

// ProofFresh is how long a presented factor counts as fresh (AUT-17).
const ProofFresh = 5 * time.Minute
