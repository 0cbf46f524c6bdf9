package identity

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"
)

// key is a passkey in a virtual authenticator.
type key struct {
	rp   virtualwebauthn.RelyingParty
	auth virtualwebauthn.Authenticator
	cred virtualwebauthn.Credential
}

func newKey(h *house) key {
	return key{
		rp:   virtualwebauthn.RelyingParty{ID: h.o.RPID, Name: h.o.Practice, Origin: h.o.Origins[0]},
		auth: virtualwebauthn.NewAuthenticator(),
		cred: newCredential(),
	}
}

// newCredential draws until both coordinates fill their 32 bytes: the virtual authenticator drops leading zeros, which
// COSE does not allow and one key in 128 has.
func newCredential() virtualwebauthn.Credential {
	for {
		if c := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2); len(c.Key.AttestationData()) == 77 {
			return c
		}
	}
}

func (k *key) create(t *testing.T, options []byte) []byte {
	t.Helper()
	o, err := virtualwebauthn.ParseAttestationOptions(string(options))
	if err != nil {
		t.Fatal(err)
	}
	k.auth.Options.UserHandle = []byte(o.UserID)
	return []byte(virtualwebauthn.CreateAttestationResponse(k.rp, k.auth, k.cred, *o))
}

func (k *key) answer(t *testing.T, options []byte) []byte {
	t.Helper()
	o, err := virtualwebauthn.ParseAssertionOptions(string(options))
	if err != nil {
		t.Fatal(err)
	}
	return []byte(virtualwebauthn.CreateAssertionResponse(k.rp, k.auth, k.cred, *o))
}

func addKey(h *house, k *key, g Grant, name string) Passkey {
	h.t.Helper()
	options, step, err := h.Passkeys.BeginAdd(h.ctx, g.Who)
	if err != nil {
		h.t.Fatal(err)
	}
	p, err := h.Passkeys.FinishAdd(h.ctx, g.Who, step, name, k.create(h.t, options), from("192.0.2.1"))
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

func (h *house) usePasskey(k *key) (Grant, error) {
	h.t.Helper()
	options, step, err := h.Passkeys.BeginSignin(h.ctx)
	if err != nil {
		h.t.Fatal(err)
	}
	return h.Passkeys.FinishSignin(h.ctx, step, k.answer(h.t, options), false, from("192.0.2.1"))
}

func TestPasskeySignin(t *testing.T) {
	h := newHouse(t)
	p := h.patient("amina@example.org")
	k := newKey(h)
	added := addKey(h, &k, h.signin(p, from("192.0.2.1")), "  My \n phone ")
	if added.Name != "My phone" || added.Synced {
		t.Fatalf("%+v", added)
	}
	h.pass(time.Hour)
	k.cred.Counter++
	g, err := h.usePasskey(&k)
	if err != nil {
		t.Fatal(err)
	}
	if g.Who.Account != p.ID || g.Who.AAL != 3 || !g.Who.Proved.Equal(h.now) || g.Who.Since.IsZero() {
		t.Fatalf("%+v", g.Who)
	}
	f, err := h.Accounts.Factors(h.ctx, p.ID)
	if err != nil || len(f.Passkeys) != 1 || !f.Passkeys[0].Used.Equal(h.now) {
		t.Fatalf("%+v %v", f, err)
	}
	a, err := h.c.load(h.ctx, h.db, p.ID)
	if err != nil || len(a.Handle) != 64 || a.Passkeys[0].Cred.Authenticator.SignCount != 1 {
		t.Fatal(err, a.Passkeys[0].Cred.Authenticator)
	}
}

func TestPasskeyOptions(t *testing.T) {
	h := newHouse(t)
	options, _, err := h.Passkeys.BeginSignin(h.ctx)
	if err != nil {
		t.Fatal(err)
	}
	var o struct{ Challenge, RpID, UserVerification string }
	if err := json.Unmarshal(options, &o); err != nil {
		t.Fatal(err)
	}
	if raw, err := base64.RawURLEncoding.DecodeString(o.Challenge); err != nil || len(raw) != 32 {
		t.Errorf("challenge %q", o.Challenge)
	}
	if o.RpID != "portal.example" || o.UserVerification != "required" {
		t.Errorf("%s", options)
	}
	p := h.patient("amina@example.org")
	reg, _, err := h.Passkeys.BeginAdd(h.ctx, h.signin(p, From{}).Who)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"residentKey":"required"`, `"userVerification":"required"`} {
		if !strings.Contains(string(reg), want) {
			t.Errorf("no %s in %s", want, reg)
		}
	}
}

// Every broken answer is refused alike, and the same key, used rightly, is not (AUT-07).
func TestPasskeyRefusals(t *testing.T) {
	h := newHouse(t)
	p, q := h.patient("amina@example.org"), h.patient("b@example.org")
	k, other := newKey(h), newKey(h)
	addKey(h, &k, h.signin(p, from("192.0.2.1")), "a")
	addKey(h, &other, h.signin(q, from("192.0.2.1")), "b")
	begin := func() ([]byte, string) {
		o, s, err := h.Passkeys.BeginSignin(h.ctx)
		if err != nil {
			t.Fatal(err)
		}
		return o, s
	}
	finish := func(step string, answer []byte) error {
		_, err := h.Passkeys.FinishSignin(h.ctx, step, answer, false, from("192.0.2.1"))
		return err
	}
	with := func(change func(*key)) func() error {
		return func() error {
			c := k
			change(&c)
			o, s := begin()
			return finish(s, c.answer(t, o))
		}
	}
	spentOptions, spent := begin()
	if err := finish(spent, k.answer(t, spentOptions)); err != nil {
		t.Fatal(err)
	}
	oldOptions, old := begin()
	h.pass(5 * time.Minute)
	for name, c := range map[string]struct {
		try  func() error
		want error
	}{
		"wrong origin":         {with(func(k *key) { k.rp.Origin = "https://portal.example.evil.test" }), ErrRefused},
		"plain http":           {with(func(k *key) { k.rp.Origin = "http://portal.example" }), ErrRefused},
		"other port":           {with(func(k *key) { k.rp.Origin = "https://portal.example:8443" }), ErrRefused},
		"wrong RP":             {with(func(k *key) { k.rp.ID = "example" }), ErrRefused},
		"no user verification": {with(func(k *key) { k.auth.Options.UserNotVerified = true }), ErrRefused},
		"no user presence":     {with(func(k *key) { k.auth.Options.UserNotPresent = true }), ErrRefused},
		"another's handle":     {with(func(k *key) { k.auth.Options.UserHandle = other.auth.Options.UserHandle }), ErrRefused},
		"no handle":            {with(func(k *key) { k.auth.Options.UserHandle = nil }), ErrRefused},
		"unknown handle":       {with(func(k *key) { k.auth.Options.UserHandle = make([]byte, 64) }), ErrRefused},
		"another's key":        {with(func(k *key) { k.cred.Key = other.cred.Key }), ErrRefused},
		"another's credential": {with(func(k *key) { k.cred = other.cred }), ErrRefused},
		"never registered":     {with(func(k *key) { k.cred = newCredential() }), ErrRefused},
		"backup flag changed":  {with(func(k *key) { k.auth.Options.BackupEligible = true }), ErrRefused},
		"replayed challenge":   {func() error { return finish(spent, k.answer(t, spentOptions)) }, ErrStep},
		"old challenge":        {func() error { return finish(old, k.answer(t, oldOptions)) }, ErrStep},
		"other's challenge": {func() error {
			o, _ := begin()
			_, s := begin()
			return finish(s, k.answer(t, o))
		}, ErrRefused},
		"no challenge": {func() error { o, _ := begin(); return finish("", k.answer(t, o)) }, ErrStep},
		"not JSON":     {func() error { _, s := begin(); return finish(s, []byte("{")) }, ErrRefused},
	} {
		if err := c.try(); err != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := h.usePasskey(&k); err != nil {
		t.Fatalf("the right key: %v", err)
	}
	if err := h.Accounts.Disable(h.ctx, p.ID, "admin"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.usePasskey(&k); err != ErrRefused {
		t.Fatalf("disabled account: %v", err)
	}
}

func TestPasskeyChallengeCountsOnceInParallel(t *testing.T) {
	h := newHouse(t)
	p := h.patient("amina@example.org")
	k := newKey(h)
	addKey(h, &k, h.signin(p, from("192.0.2.1")), "a")
	options, step, err := h.Passkeys.BeginSignin(h.ctx)
	if err != nil {
		t.Fatal(err)
	}
	answer := k.answer(t, options)
	before := h.saw(EventSignin)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { h.Passkeys.FinishSignin(h.ctx, step, answer, false, from("192.0.2.1")) })
	}
	wg.Wait()
	if n := h.saw(EventSignin) - before; n != 1 {
		t.Fatalf("%d sessions", n)
	}
}

func TestPasskeyCounter(t *testing.T) {
	h := newHouse(t)
	p := h.patient("amina@example.org")
	k := newKey(h)
	k.cred.Counter = 5
	addKey(h, &k, h.signin(p, from("192.0.2.1")), "a")
	for _, c := range []struct {
		counter uint32
		ok      bool
	}{{6, true}, {6, false}, {4, false}, {0, false}, {7, true}} {
		k.cred.Counter = c.counter
		if _, err := h.usePasskey(&k); (err == nil) != c.ok {
			t.Errorf("counter %d: %v", c.counter, err)
		}
	}
	if n := h.saw(EventCloneSuspected); n != 3 {
		t.Errorf("%d suspicions", n)
	}
}

// A passkey is registered only to the person, session and challenge that asked for it.
func TestPasskeyRegistration(t *testing.T) {
	h := newHouse(t)
	p, q := h.patient("amina@example.org"), h.patient("b@example.org")
	gp, gq := h.signin(p, from("192.0.2.1")), h.signin(q, from("192.0.2.1"))
	k := newKey(h)
	options, step, err := h.Passkeys.BeginAdd(h.ctx, gp.Who)
	if err != nil {
		t.Fatal(err)
	}
	answer := k.create(t, options)
	if _, err := h.Passkeys.FinishAdd(h.ctx, gq.Who, step, "x", answer, From{}); !errors.Is(err, ErrStep) {
		t.Errorf("other person: %v", err)
	}
	for name, change := range map[string]func(*key){
		"wrong origin":         func(k *key) { k.rp.Origin = "https://evil.test" },
		"wrong RP":             func(k *key) { k.rp.ID = "evil.test" },
		"no user verification": func(k *key) { k.auth.Options.UserNotVerified = true },
	} {
		c := k
		change(&c)
		if _, err := h.Passkeys.FinishAdd(h.ctx, gp.Who, step, "x", c.create(t, options), From{}); err != ErrRefused {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := h.Passkeys.FinishAdd(h.ctx, gp.Who, step, "x", answer, From{}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Passkeys.FinishAdd(h.ctx, gp.Who, step, "x", answer, From{}); !errors.Is(err, ErrStep) {
		t.Errorf("replay: %v", err)
	}
	options, step, err = h.Passkeys.BeginAdd(h.ctx, gq.Who)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Passkeys.FinishAdd(h.ctx, gq.Who, step, "x", k.create(t, options), From{}); !errors.Is(err, ErrTaken) {
		t.Errorf("somebody else's credential: %v", err)
	}
}

func TestStepUp(t *testing.T) {
	h := newHouse(t)
	p, q := h.patient("amina@example.org"), h.patient("b@example.org")
	k, other := newKey(h), newKey(h)
	g := h.signin(p, from("192.0.2.1"))
	k.auth.Options.BackupEligible, k.auth.Options.BackupState = true, true
	addKey(h, &k, g, "a")
	addKey(h, &other, h.signin(q, from("192.0.2.1")), "b")
	h.pass(5*time.Minute + time.Second)
	who, err := h.Sessions.Touch(h.ctx, g.Token)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.Passkeys.BeginAdd(h.ctx, who); err != ErrStepUp {
		t.Fatalf("old proof: %v", err)
	}
	if err := h.Passwords.Change(h.ctx, who, goodPassword+"!", From{}); err != ErrStepUp {
		t.Fatalf("old proof: %v", err)
	}
	options, step, err := h.Passkeys.BeginProve(h.ctx, who)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Passkeys.FinishProve(h.ctx, g.Token, step, other.answer(t, options), From{}); err != ErrRefused {
		t.Fatalf("another's passkey: %v", err)
	}
	n, err := h.Passkeys.FinishProve(h.ctx, g.Token, step, k.answer(t, options), From{})
	if err != nil {
		t.Fatal(err)
	}
	if n.Token == g.Token || n.Who.Session != g.Who.Session || !n.Who.Proved.Equal(h.now) || n.Who.AAL != 2 {
		t.Fatalf("%+v", n.Who)
	}
	if _, err := h.Sessions.Check(h.ctx, g.Token); err != ErrNoSession {
		t.Fatalf("the old token lives: %v", err)
	}
	if who, err := h.Sessions.Check(h.ctx, n.Token); err != nil || !who.Proved.Equal(h.now) {
		t.Fatal(who, err)
	}
	if _, err := h.Passkeys.FinishProve(h.ctx, n.Token, step, k.answer(t, options), From{}); !errors.Is(err, ErrStep) {
		t.Fatalf("replay: %v", err)
	}
	// By app, too; a used code does not prove anything.
	h.pass(time.Minute)
	code := h.code(p.secret)
	n2, err := h.Signin.Prove(h.ctx, n.Token, code, From{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Signin.Prove(h.ctx, n2.Token, code, From{}); err != ErrRefused {
		t.Fatalf("used code: %v", err)
	}
	if _, err := h.Signin.Prove(h.ctx, n.Token, h.code(p.secret), From{}); err != ErrNoSession {
		t.Fatalf("dead token: %v", err)
	}
}

// A factor of a higher level is not touched from a session of a lower one (AUT-18), and the last way in stays.
func TestFactorRules(t *testing.T) {
	h := newHouse(t)
	p := h.patient("amina@example.org")
	g := h.signin(p, from("192.0.2.1"))
	k := newKey(h) // bound to its device: AAL3
	bound := addKey(h, &k, g, "key")
	if err := h.Passkeys.Remove(h.ctx, g.Who, bound.ID, From{}); err != ErrLevel {
		t.Fatalf("remove AAL3 from AAL2: %v", err)
	}
	k2 := newKey(h)
	options, step, err := h.Passkeys.BeginAdd(h.ctx, g.Who)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Passkeys.FinishAdd(h.ctx, g.Who, step, "second", k2.create(t, options), From{}); err != ErrLevel {
		t.Fatalf("add AAL3 from AAL2 beside another: %v", err)
	}
	g3, err := h.usePasskey(&k)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.OneTime.Remove(h.ctx, g3.Who, From{}); err != nil {
		t.Fatal(err)
	}
	if err := h.Passkeys.Remove(h.ctx, g3.Who, bound.ID, From{}); err != ErrLastFactor {
		t.Fatalf("last way in: %v", err)
	}
	if err := h.Passkeys.Rename(h.ctx, g3.Who, bound.ID, "Blue key"); err != nil {
		t.Fatal(err)
	}
	setup, err := h.OneTime.Begin(h.ctx, g3.Who)
	if err != nil || setup.QR.Size < 21 || len(setup.QR.Dark) != setup.QR.Size*setup.QR.Size || !strings.HasPrefix(setup.URI, "otpauth://totp/") {
		t.Fatal(setup, err)
	}
	if err := h.OneTime.Confirm(h.ctx, g3.Who, setup.Step, "123456", From{}); err != ErrRefused {
		t.Fatal(err)
	}
	if again, err := h.OneTime.Resume(h.ctx, g3.Who, setup.Step); err != nil || again.Secret != setup.Secret {
		t.Fatal(err)
	}
	if err := h.OneTime.Confirm(h.ctx, g3.Who, setup.Step, h.code(setup.Secret), From{}); err != nil {
		t.Fatal(err)
	}
	if err := h.OneTime.Confirm(h.ctx, g3.Who, setup.Step, h.code(setup.Secret), From{}); !errors.Is(err, ErrStep) {
		t.Fatalf("a set-up counts once: %v", err)
	}
	if err := h.Passkeys.Remove(h.ctx, g3.Who, bound.ID, From{}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.usePasskey(&k); err != ErrRefused {
		t.Fatalf("removed passkey: %v", err)
	}
}
