package identity

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/wellgate/wellgate/store"
)

// Passkeys is WebAuthn: user verification required, discoverable, exact origin and RP ID (AUT-07). Options and
// responses are the JSON of PublicKeyCredential's parse…OptionsFromJSON and toJSON.
type Passkeys struct{ c *core }

// BeginSignin makes a challenge that any passkey of this site may answer within five minutes.
func (p *Passkeys) BeginSignin(ctx context.Context) (options []byte, sealed string, err error) {
	ask, session, err := p.c.wa.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return nil, "", fmt.Errorf("identity: passkey challenge: %w", err)
	}
	return p.c.challenge(ctx, ask.Response, step{Purpose: purposeSignin, Passkey: session})
}

// challenge seals a passkey step beside its options.
func (c *core) challenge(ctx context.Context, options any, s step) ([]byte, string, error) {
	raw, err := json.Marshal(options)
	if err != nil {
		return nil, "", fmt.Errorf("identity: passkey options: %w", err)
	}
	sealed, err := c.sealStep(ctx, s, challengeLife)
	return raw, sealed, err
}

// FinishSignin checks the answer and starts a session. Password guesses against the account play no part here.
func (p *Passkeys) FinishSignin(ctx context.Context, sealed string, response []byte, shared bool, from From) (Grant, error) {
	c := p.c
	st, err := c.openStep(ctx, sealed, purposeSignin)
	if err != nil {
		return Grant{}, err
	}
	a, cred, err := c.assertAny(ctx, *st.Passkey, response)
	if err != nil {
		return Grant{}, p.failed(ctx, a, err, from)
	}
	var g Grant
	clone := false
	err = c.write(ctx, func(tx *store.Tx) error {
		if err := c.spend(ctx, tx, st); err != nil {
			return err
		}
		if a, err = c.load(ctx, tx, a.id); err != nil {
			return err
		}
		if clone, err = a.use(cred, c.now()); err != nil {
			return err
		}
		if g, err = c.start(ctx, tx, a, sessionData{Way: "passkey", AAL: level(*cred), Shared: shared}, from); err != nil {
			return err
		}
		return c.save(ctx, tx, a)
	})
	if clone {
		return Grant{}, p.cloned(ctx, a, from)
	}
	if err != nil {
		return Grant{}, p.failed(ctx, a, err, from)
	}
	return g, nil
}

// assertAny verifies an answer whose user handle says whose passkey it is. Any mistake in it is ErrRefused.
func (c *core) assertAny(ctx context.Context, session webauthn.SessionData, response []byte) (*account, *webauthn.Credential, error) {
	parsed, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return nil, nil, ErrRefused
	}
	var a *account
	var broken error
	find := func(_, handle []byte) (webauthn.User, error) {
		id, err := c.lookup(ctx, c.db, c.handleToken(handle))
		if err == nil {
			a, err = c.load(ctx, c.db, id)
		}
		if err != nil {
			if !errors.Is(err, ErrNotFound) {
				broken = err
			}
			return nil, err
		}
		return owner{a}, nil
	}
	_, cred, err := c.wa.ValidatePasskeyLogin(find, session, parsed)
	if broken != nil {
		return a, nil, broken
	}
	if err != nil {
		return a, nil, ErrRefused
	}
	return a, cred, nil
}

// use records that a passkey of the account answered. clone says that its counter went back: somebody may have copied it.
func (a *account) use(cred *webauthn.Credential, now time.Time) (clone bool, err error) {
	for i := range a.Passkeys {
		k := &a.Passkeys[i]
		if !bytes.Equal(k.Cred.ID, cred.ID) {
			continue
		}
		was, is := k.Cred.Authenticator.SignCount, cred.Authenticator.SignCount
		if cred.Authenticator.CloneWarning || is < was || was != 0 && is == was {
			return true, ErrRefused
		}
		k.Cred, k.Used = *cred, now
		return false, nil
	}
	return false, ErrRefused // removed meanwhile
}

// failed tells of a refused answer. Refusals of one address beyond its limit are not written down, so that nobody can
// fill the store; they are never a reason to refuse a right answer.
func (p *Passkeys) failed(ctx context.Context, a *account, err error, from From) error {
	if !errors.Is(err, ErrRefused) {
		return err
	}
	werr := p.c.db.Write(ctx, func(tx *store.Tx) error {
		over, err := p.c.chargeAddress(ctx, tx, classPasskey, from.IP)
		if err != nil || over {
			return err
		}
		return p.c.emit(ctx, tx, a, Event{Kind: EventSigninFailed, Detail: "passkey"}, from)
	})
	if werr != nil {
		return werr
	}
	return ErrRefused
}

func (p *Passkeys) cloned(ctx context.Context, a *account, from From) error {
	err := p.c.db.Write(ctx, func(tx *store.Tx) error {
		return p.c.emit(ctx, tx, a, Event{Kind: EventCloneSuspected, Detail: "passkey"}, from)
	})
	if err != nil {
		return err
	}
	return ErrRefused
}

// BeginProve asks the person for one of their own passkeys: step-up (AUT-17).
func (p *Passkeys) BeginProve(ctx context.Context, who Who) (options []byte, sealed string, err error) {
	a, err := p.c.load(ctx, p.c.db, who.Account)
	if err != nil {
		return nil, "", err
	}
	if len(a.Passkeys) == 0 {
		return nil, "", ErrNotFound
	}
	ask, session, err := p.c.wa.BeginLogin(owner{a}, webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return nil, "", fmt.Errorf("identity: passkey challenge: %w", err)
	}
	return p.c.challenge(ctx, ask.Response, step{Purpose: purposeProve, Account: a.id, Session: who.Session, Passkey: session})
}

// FinishProve checks the answer and returns the session under a new token.
func (p *Passkeys) FinishProve(ctx context.Context, token, sealed string, response []byte, from From) (Grant, error) {
	c := p.c
	t, err := c.open(ctx, c.db, token)
	if err != nil {
		return Grant{}, err
	}
	st, err := c.openStep(ctx, sealed, purposeProve)
	if err != nil || st.Account != t.a.id || st.Session != t.id {
		return Grant{}, errors.Join(err, ErrStep)
	}
	cred, err := c.assertOwn(t.a, *st.Passkey, response)
	if err != nil {
		return Grant{}, p.failed(ctx, t.a, err, from)
	}
	var g Grant
	clone := false
	err = c.write(ctx, func(tx *store.Tx) error {
		if err := c.spend(ctx, tx, st); err != nil {
			return err
		}
		if t, err = c.open(ctx, tx, token); err != nil {
			return err
		}
		a, err := c.load(ctx, tx, t.a.id)
		if err != nil {
			return err
		}
		if clone, err = a.use(cred, c.now()); err != nil {
			return err
		}
		if err := c.save(ctx, tx, a); err != nil {
			return err
		}
		g, err = c.prove(ctx, tx, t, level(*cred), "passkey", from)
		return err
	})
	if clone {
		return Grant{}, p.cloned(ctx, t.a, from)
	}
	if err != nil {
		return Grant{}, p.failed(ctx, t.a, err, from)
	}
	return g, nil
}

func (c *core) assertOwn(a *account, session webauthn.SessionData, response []byte) (*webauthn.Credential, error) {
	parsed, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return nil, ErrRefused
	}
	cred, err := c.wa.ValidateLogin(owner{a}, session, parsed)
	if err != nil {
		return nil, ErrRefused
	}
	return cred, nil
}

// BeginAdd starts registering a passkey; it needs a fresh proof.
func (p *Passkeys) BeginAdd(ctx context.Context, who Who) (options []byte, sealed string, err error) {
	if err := p.c.mayChange(who, 2); err != nil {
		return nil, "", err
	}
	a, err := p.c.load(ctx, p.c.db, who.Account)
	if err != nil {
		return nil, "", err
	}
	return p.c.beginRegister(ctx, a, step{Purpose: purposeAdd, Account: a.id, Session: who.Session})
}

func (c *core) beginRegister(ctx context.Context, a *account, st step) ([]byte, string, error) {
	if len(a.Passkeys) >= mostPasskeys {
		return nil, "", fmt.Errorf("identity: an account has at most %d passkeys; remove one first", mostPasskeys)
	}
	var have []protocol.CredentialDescriptor
	for _, k := range a.Passkeys {
		have = append(have, k.Cred.Descriptor())
	}
	ask, session, err := c.wa.BeginRegistration(owner{a}, webauthn.WithExclusions(have),
		webauthn.WithAuthenticatorSelection(c.wa.Config.AuthenticatorSelection))
	if err != nil {
		return nil, "", fmt.Errorf("identity: passkey registration: %w", err)
	}
	st.Passkey = session
	return c.challenge(ctx, ask.Response, st)
}

// FinishAdd keeps the new passkey. One of a higher level than the session's is only taken while the account itself has
// no higher one to sign in with (AUT-18).
func (p *Passkeys) FinishAdd(ctx context.Context, who Who, sealed, name string, response []byte, from From) (Passkey, error) {
	c := p.c
	st, err := c.openStep(ctx, sealed, purposeAdd)
	if err != nil || st.Account != who.Account || st.Session != who.Session {
		return Passkey{}, errors.Join(err, ErrStep)
	}
	var k passkey
	err = c.change(ctx, who.Account, func(tx *store.Tx, a *account) error {
		if err := c.spend(ctx, tx, st); err != nil {
			return err
		}
		cred, err := c.register(a, *st.Passkey, response)
		if err != nil {
			return err
		}
		if err := c.mayChange(who, min(level(*cred), a.top())); err != nil {
			return err
		}
		k, err = c.keep(ctx, tx, a, cred, name)
		if err != nil {
			return err
		}
		return c.emit(ctx, tx, a, Event{Kind: EventFactorAdded, Session: who.Session, Detail: "passkey"}, from)
	})
	return k.public(), err
}

func (c *core) register(a *account, session webauthn.SessionData, response []byte) (*webauthn.Credential, error) {
	parsed, err := protocol.ParseCredentialCreationResponseBytes(response)
	if err != nil {
		return nil, ErrRefused
	}
	cred, err := c.wa.CreateCredential(owner{a}, session, parsed)
	if err != nil {
		return nil, ErrRefused
	}
	cred.Attestation = webauthn.CredentialAttestation{} // not asked for, so nothing to check again
	return cred, nil
}

func (c *core) keep(ctx context.Context, tx *store.Tx, a *account, cred *webauthn.Credential, name string) (passkey, error) {
	if err := c.claim(ctx, tx, c.passkeyToken(cred.ID), a.id); err != nil {
		return passkey{}, err
	}
	k := passkey{ID: newID(), Name: shortName(name), Created: c.now(), Cred: *cred}
	a.Passkeys = append(a.Passkeys, k)
	return k, nil
}

// shortName keeps a name to one line of sixty characters.
func shortName(s string) string {
	r := []rune(strings.Join(strings.Fields(s), " "))
	if len(r) > 60 {
		r = r[:60]
	}
	return string(r)
}

// Rename gives a passkey a name its owner knows it by.
func (p *Passkeys) Rename(ctx context.Context, who Who, id, name string) error {
	if name = shortName(name); name == "" {
		return errors.New("identity: a passkey needs a name")
	}
	return p.c.change(ctx, who.Account, func(_ *store.Tx, a *account) error {
		for i := range a.Passkeys {
			if a.Passkeys[i].ID == id {
				a.Passkeys[i].Name = name
				return nil
			}
		}
		return ErrNotFound
	})
}

// Remove needs a fresh proof and a session of the passkey's level; ErrLastFactor if nobody could sign in then.
func (p *Passkeys) Remove(ctx context.Context, who Who, id string, from From) error {
	c := p.c
	return c.change(ctx, who.Account, func(tx *store.Tx, a *account) error {
		for i, k := range a.Passkeys {
			if k.ID != id {
				continue
			}
			if err := c.mayChange(who, level(k.Cred)); err != nil {
				return err
			}
			a.Passkeys = append(a.Passkeys[:i:i], a.Passkeys[i+1:]...)
			if !c.canSignIn(a) {
				return ErrLastFactor
			}
			if err := c.unclaim(ctx, tx, c.passkeyToken(k.Cred.ID)); err != nil {
				return err
			}
			return c.emit(ctx, tx, a, Event{Kind: EventFactorRemoved, Session: who.Session, Detail: "passkey"}, from)
		}
		return ErrNotFound
	})
}
