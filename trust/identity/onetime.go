package identity

import (
	"context"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/boombuler/barcode/qr"
	"github.com/pquerna/otp/totp"

	"github.com/wellgate/wellgate/store"
)

const (
	totpPeriod = 30 // seconds
	totpGrace  = 5  // seconds after its end in which the previous code still counts (AUT-09)
	totpBytes  = 20 // 160 bits
)

type totpFactor struct {
	Secret []byte
	Set    time.Time
	Step   int64 // the last time step used; each counts once
}

type recoveryFactor struct {
	Salt   string // PHC string of the parameters and salt that the set shares; its hash part means nothing
	Hashes [][]byte
	Set    time.Time
}

// OneTime is authenticator apps (TOTP) and recovery codes.
type OneTime struct{ c *core }

// TOTPSetup is shown once to whoever sets up an authenticator app.
type TOTPSetup struct {
	Secret string // base32, for typing
	URI    string // otpauth://
	QR     QR
	Step   string // hand back to Confirm
}

// QR is a square of dark and light modules without its quiet zone.
type QR struct {
	Size int
	Dark []bool // row by row
}

// Set gives an account a new secret at once and returns it: for enrolment and tools.
func (o *OneTime) Set(ctx context.Context, id string) (TOTPSetup, error) {
	secret := randomBytes(totpBytes)
	var setup TOTPSetup
	err := o.c.change(ctx, id, func(tx *store.Tx, a *account) error {
		var err error
		if setup, err = o.c.setup(a, secret); err != nil {
			return err
		}
		return o.c.putTOTP(ctx, tx, a, &totpFactor{Secret: secret, Set: o.c.now()}, From{})
	})
	return setup, err
}

// Begin proposes a secret; nothing changes before Confirm.
func (o *OneTime) Begin(ctx context.Context, who Who) (TOTPSetup, error) {
	if err := o.c.mayChange(who, 2); err != nil {
		return TOTPSetup{}, err
	}
	a, err := o.c.load(ctx, o.c.db, who.Account)
	if err != nil {
		return TOTPSetup{}, err
	}
	secret := randomBytes(totpBytes)
	setup, err := o.c.setup(a, secret)
	if err != nil {
		return TOTPSetup{}, err
	}
	setup.Step, err = o.c.sealStep(ctx, step{Purpose: purposeTOTP, Account: a.id, Session: who.Session, Secret: secret}, setupLife)
	return setup, err
}

// Resume shows a proposed secret again, after a wrong code.
func (o *OneTime) Resume(ctx context.Context, who Who, sealed string) (TOTPSetup, error) {
	s, err := o.own(ctx, who, sealed)
	if err != nil {
		return TOTPSetup{}, err
	}
	a, err := o.c.load(ctx, o.c.db, who.Account)
	if err != nil {
		return TOTPSetup{}, err
	}
	setup, err := o.c.setup(a, s.Secret)
	setup.Step = sealed
	return setup, err
}

// Confirm turns the proposed secret on once the app shows the right code for it; ErrRefused otherwise.
func (o *OneTime) Confirm(ctx context.Context, who Who, sealed, code string, from From) error {
	s, err := o.own(ctx, who, sealed)
	if err != nil {
		return err
	}
	if err := o.c.mayChange(who, 2); err != nil {
		return err
	}
	t := &totpFactor{Secret: s.Secret, Set: o.c.now()}
	if !o.c.takeTOTP(t, code) {
		return ErrRefused
	}
	return o.c.change(ctx, who.Account, func(tx *store.Tx, a *account) error {
		if err := o.c.spend(ctx, tx, s); err != nil {
			return err
		}
		return o.c.putTOTP(ctx, tx, a, t, from)
	})
}

func (o *OneTime) own(ctx context.Context, who Who, sealed string) (step, error) {
	s, err := o.c.openStep(ctx, sealed, purposeTOTP)
	if err == nil && (s.Account != who.Account || s.Session != who.Session) {
		err = ErrStep
	}
	return s, err
}

// Remove takes the authenticator app away; ErrLastFactor if nobody could sign in then.
func (o *OneTime) Remove(ctx context.Context, who Who, from From) error {
	if err := o.c.mayChange(who, 2); err != nil {
		return err
	}
	return o.c.change(ctx, who.Account, func(tx *store.Tx, a *account) error {
		if a.TOTP == nil {
			return ErrNotFound
		}
		a.TOTP = nil
		if !o.c.canSignIn(a) {
			return ErrLastFactor
		}
		return o.c.emit(ctx, tx, a, Event{Kind: EventFactorRemoved, Session: who.Session, Detail: "app"}, from)
	})
}

func (c *core) putTOTP(ctx context.Context, tx *store.Tx, a *account, t *totpFactor, from From) error {
	if !c.passwordAllowed(a) {
		return ErrPasskeyOnly
	}
	kind := EventFactorChanged
	if a.TOTP == nil {
		kind = EventFactorAdded
	}
	a.TOTP = t
	if err := c.forgive(ctx, tx, classCode, a.id); err != nil {
		return err
	}
	return c.emit(ctx, tx, a, Event{Kind: kind, Detail: "app"}, from)
}

func (c *core) setup(a *account, secret []byte) (TOTPSetup, error) {
	if !c.passwordAllowed(a) {
		return TOTPSetup{}, ErrPasskeyOnly
	}
	issuer := c.opts.Practice
	if issuer == "" {
		issuer = c.opts.RPID
	}
	key, err := totp.Generate(totp.GenerateOpts{Issuer: issuer, AccountName: a.Login, Secret: secret, SecretSize: totpBytes, Period: totpPeriod})
	if err != nil {
		return TOTPSetup{}, fmt.Errorf("identity: authenticator app: %w", err)
	}
	uri := key.URL()
	if u, err := url.Parse(uri); err == nil { // some apps show "+" for a space
		u.RawQuery = strings.ReplaceAll(u.RawQuery, "+", "%20")
		uri = u.String()
	}
	code, err := qr.Encode(uri, qr.M, qr.Auto)
	if err != nil {
		return TOTPSetup{}, fmt.Errorf("identity: picture of the secret: %w", err)
	}
	size := code.Bounds().Dx()
	q := QR{Size: size, Dark: make([]bool, size*size)}
	for y := range size {
		for x := range size {
			r, _, _, _ := code.At(x, y).RGBA()
			q.Dark[y*size+x] = r == 0
		}
	}
	return TOTPSetup{Secret: key.Secret(), URI: uri, QR: q}, nil
}

// takeTOTP uses a code up: the current step, or the previous within its grace, never one at or before the last used.
func (c *core) takeTOTP(t *totpFactor, code string) bool {
	code = digits(code)
	now := c.now()
	current := now.Unix() / totpPeriod
	tries := []int64{current}
	if now.Unix()%totpPeriod < totpGrace {
		tries = append(tries, current-1)
	}
	secret := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(t.Secret)
	hit := int64(0)
	for _, s := range tries {
		want, err := totp.GenerateCode(secret, time.Unix(s*totpPeriod, 0))
		if err == nil && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 && s > t.Step {
			hit = s
		}
	}
	if hit == 0 {
		return false
	}
	t.Step = hit
	return true
}

// zeros of the scripts whose digits phone keyboards type: ٣ is 3.
var zeros = []rune{'0', '٠', '۰', '०', '০', '０'}

// digits keeps digits, as ASCII.
func digits(s string) string {
	return strings.Map(func(r rune) rune {
		for _, zero := range zeros {
			if r >= zero && r <= zero+9 {
				return '0' + r - zero
			}
		}
		return -1
	}, s)
}

// Recovery replaces the recovery codes and returns the new ones, which are never readable again.
func (o *OneTime) Recovery(ctx context.Context, who Who, from From) ([]string, error) {
	if err := o.c.mayChange(who, 2); err != nil {
		return nil, err
	}
	return o.issue(ctx, who.Account, from)
}

// IssueRecovery is Recovery for enrolment and tools.
func (o *OneTime) IssueRecovery(ctx context.Context, account string) ([]string, error) {
	return o.issue(ctx, account, From{})
}

// recoveryParams are the floor of AUT-04: a code has 80 random bits, so the work only has to be honest.
var recoveryParams = HashParams{MiB: 19, Time: 2, Threads: 1}

const recoveryCodes = 8

func (o *OneTime) issue(ctx context.Context, id string, from From) ([]string, error) {
	if err := o.c.hash.enter(ctx); err != nil {
		return nil, err
	}
	salt := randomBytes(16)
	p := o.c.hash.recovery
	set := &recoveryFactor{Salt: phc(p, salt, make([]byte, 32)), Set: o.c.now()}
	codes := make([]string, recoveryCodes)
	for i := range codes {
		raw := crockford.EncodeToString(randomBytes(10))
		codes[i] = raw[:4] + "-" + raw[4:8] + "-" + raw[8:12] + "-" + raw[12:]
		set.Hashes = append(set.Hashes, o.c.hash.sum(p, salt, raw))
	}
	o.c.hash.leave()
	err := o.c.change(ctx, id, func(tx *store.Tx, a *account) error {
		a.Recovery = set
		return o.c.emit(ctx, tx, a, Event{Kind: EventFactorChanged, Detail: "recovery"}, from)
	})
	if err != nil {
		return nil, err
	}
	return codes, nil
}

// typedCode reads a recovery or enrolment code as people type it.
func typedCode(s string) string {
	return strings.Map(func(r rune) rune {
		if d := digits(string(r)); d != "" {
			return rune(d[0])
		}
		switch r = unicode.ToUpper(r); {
		case r == 'O':
			return '0'
		case r == 'I' || r == 'L':
			return '1'
		case r >= 'A' && r <= 'Z':
			return r
		}
		return -1
	}, s)
}

// sumRecovery hashes a typed code with the account's salt, or a made-up one: the work is the same.
func (c *core) sumRecovery(ctx context.Context, r *recoveryFactor, code string) ([]byte, error) {
	p, salt := c.hash.recovery, randomBytes(16)
	if r != nil {
		var err error
		if p, salt, _, err = parsePHC(r.Salt); err != nil {
			return nil, err
		}
	}
	if err := c.hash.enter(ctx); err != nil {
		return nil, err
	}
	defer c.hash.leave()
	return c.hash.sum(p, salt, typedCode(code)), nil
}

// take uses a recovery code up.
func (r *recoveryFactor) take(sum []byte) bool {
	hit := -1
	for i, h := range r.Hashes {
		if subtle.ConstantTimeCompare(h, sum) == 1 {
			hit = i
		}
	}
	if hit < 0 {
		return false
	}
	r.Hashes = append(r.Hashes[:hit:hit], r.Hashes[hit+1:]...)
	return true
}
