package identity

import (
	"context"
	"crypto/hmac"
	"errors"
	"time"

	"github.com/wellgate/wellgate/store"
)

// ErrEnrolled means that the account can sign in already; a lost factor is recovered, not enrolled again.
var ErrEnrolled = errors.New("identity: this account can sign in already")

// enrolLife is how long a printed first code counts (AUT-20).
const enrolLife = 24 * time.Hour

type enrolment struct {
	Token   []byte
	Expires time.Time
}

// Enrol gives a new account its first factors: nobody starts with a password that somebody else knows (AUT-20).
type Enrol struct{ c *core }

// Issue makes the one-time code of an account without factors, and voids an earlier one. It is shown once.
func (e *Enrol) Issue(ctx context.Context, id, by string) (code string, err error) {
	c := e.c
	raw := crockford.EncodeToString(randomBytes(20))
	for i := 0; i < len(raw); i += 4 {
		if i > 0 {
			code += "-"
		}
		code += raw[i : i+4]
	}
	err = c.change(ctx, id, func(tx *store.Tx, a *account) error {
		if c.canSignIn(a) {
			return ErrEnrolled
		}
		if a.Enrol != nil {
			if err := c.unclaim(ctx, tx, a.Enrol.Token); err != nil {
				return err
			}
		}
		a.Enrol = &enrolment{Token: c.vault.Token("identity-enrol", raw), Expires: c.now().Add(enrolLife)}
		if err := c.claim(ctx, tx, a.Enrol.Token, a.id); err != nil {
			return err
		}
		return c.emit(ctx, tx, a, Event{Kind: EventEnrolIssued, By: by}, From{})
	})
	return code, err
}

// Begin takes the code as typed and returns a step for setting up the first factors. Wrong codes are slowed by address.
func (e *Enrol) Begin(ctx context.Context, code string, from From) (sealed string, err error) {
	c := e.c
	g := guess{class: classEnrol, ip: from.IP}
	if err := c.mayGuess(ctx, g); err != nil {
		return "", err
	}
	a, err := e.find(ctx, c.vault.Token("identity-enrol", typedCode(code)))
	if errors.Is(err, ErrRefused) {
		return "", e.failed(ctx, g, from)
	}
	if err != nil {
		return "", err
	}
	return c.sealStep(ctx, step{Purpose: purposeEnrol, Account: a.id, Enrol: a.Enrol.Token, Secret: randomBytes(totpBytes)}, setupLife)
}

func (e *Enrol) failed(ctx context.Context, g guess, from From) error {
	err := e.c.db.Write(ctx, func(tx *store.Tx) error {
		if _, err := e.c.chargeAddress(ctx, tx, "", g.ip); err != nil {
			return err
		}
		return e.c.emit(ctx, tx, nil, Event{Kind: EventSigninFailed, Detail: "enrol"}, from)
	})
	if err != nil {
		return err
	}
	return ErrRefused
}

func (e *Enrol) find(ctx context.Context, token []byte) (*account, error) {
	id, err := e.c.lookup(ctx, e.c.db, token)
	if errors.Is(err, ErrNotFound) {
		return nil, ErrRefused
	}
	if err != nil {
		return nil, err
	}
	a, err := e.c.load(ctx, e.c.db, id)
	if err == nil && !e.c.enrols(a, token) {
		err = ErrRefused
	}
	return a, err
}

// enrols says whether token is the account's unused, unexpired enrolment.
func (c *core) enrols(a *account, token []byte) bool {
	return !a.Disabled && a.Enrol != nil && hmac.Equal(a.Enrol.Token, token) && c.now().Before(a.Enrol.Expires)
}

// Setup shows what can be set up: an authenticator app's secret when the account may have a password, and always a passkey.
func (e *Enrol) Setup(ctx context.Context, sealed string) (acc Account, app *TOTPSetup, err error) {
	st, a, err := e.open(ctx, sealed)
	if err != nil {
		return Account{}, nil, err
	}
	if !e.c.passwordAllowed(a) {
		return a.Account, nil, nil
	}
	setup, err := e.c.setup(a, st.Secret)
	return a.Account, &setup, err
}

func (e *Enrol) open(ctx context.Context, sealed string) (step, *account, error) {
	st, err := e.c.openStep(ctx, sealed, purposeEnrol)
	if err != nil {
		return step{}, nil, err
	}
	a, err := e.find(ctx, st.Enrol)
	if errors.Is(err, ErrRefused) {
		err = ErrStep
	}
	return st, a, err
}

// BeginPasskey starts registering the first passkey.
func (e *Enrol) BeginPasskey(ctx context.Context, sealed string) (options []byte, challenge string, err error) {
	st, a, err := e.open(ctx, sealed)
	if err != nil {
		return nil, "", err
	}
	return e.c.beginRegister(ctx, a, step{Purpose: purposeEnrolPK, Account: a.id, Enrol: st.Enrol})
}

// FinishPasskey keeps the first passkey, ends the enrolment and signs the person in.
func (e *Enrol) FinishPasskey(ctx context.Context, challenge, name string, response []byte, shared bool, from From) (Grant, error) {
	c := e.c
	st, err := c.openStep(ctx, challenge, purposeEnrolPK)
	if err != nil {
		return Grant{}, err
	}
	return e.finish(ctx, st, from, func(tx *store.Tx, a *account) (sessionData, error) {
		cred, err := c.register(a, *st.Passkey, response)
		if err != nil {
			return sessionData{}, err
		}
		k, err := c.keep(ctx, tx, a, cred, name)
		if err != nil {
			return sessionData{}, err
		}
		a.Passkeys[len(a.Passkeys)-1].Used = k.Created
		return sessionData{Way: "passkey", AAL: level(*cred), Shared: shared},
			c.emit(ctx, tx, a, Event{Kind: EventFactorAdded, Detail: "passkey"}, from)
	})
}

// FinishPassword sets password and authenticator app together, ends the enrolment and signs the person in.
func (e *Enrol) FinishPassword(ctx context.Context, sealed, password, code string, shared bool, from From) (Grant, error) {
	c := e.c
	st, a, err := e.open(ctx, sealed)
	if err != nil {
		return Grant{}, err
	}
	if !c.passwordAllowed(a) {
		return Grant{}, ErrPasskeyOnly
	}
	t := &totpFactor{Secret: st.Secret, Set: c.now()}
	if !c.takeTOTP(t, code) {
		return Grant{}, ErrRefused
	}
	a.TOTP = t
	normal, err := c.accept(a, password)
	if err != nil {
		return Grant{}, err
	}
	if err := c.hash.enter(ctx); err != nil {
		return Grant{}, err
	}
	encoded := c.hash.make(normal)
	c.hash.leave()
	return e.finish(ctx, st, from, func(tx *store.Tx, a *account) (sessionData, error) {
		a.Password = &passwordFactor{PHC: encoded, Set: c.now()}
		if err := c.putTOTP(ctx, tx, a, t, from); err != nil {
			return sessionData{}, err
		}
		return sessionData{Way: "code", AAL: 2, Shared: shared},
			c.emit(ctx, tx, a, Event{Kind: EventFactorAdded, Detail: "password"}, from)
	})
}

func (e *Enrol) finish(ctx context.Context, st step, from From, add func(*store.Tx, *account) (sessionData, error)) (Grant, error) {
	c := e.c
	var g Grant
	err := c.change(ctx, st.Account, func(tx *store.Tx, a *account) error {
		if !c.enrols(a, st.Enrol) {
			return ErrStep
		}
		if err := c.spend(ctx, tx, st); err != nil {
			return err
		}
		if err := c.unclaim(ctx, tx, a.Enrol.Token); err != nil {
			return err
		}
		a.Enrol = nil
		d, err := add(tx, a)
		if err != nil {
			return err
		}
		g, err = c.start(ctx, tx, a, d, from)
		return err
	})
	if err != nil {
		return Grant{}, err
	}
	return g, nil
}
