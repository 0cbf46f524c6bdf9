package identity

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/trust/vault"
)

// A step is a sign-in or set-up in progress. The browser holds it, sealed by us, in a cookie; beginning one writes
// nothing, so strangers cannot fill the store. Its random id is spent in the transaction that uses it: once.
type step struct {
	ID      []byte
	Purpose purpose
	Expires time.Time
	Account string                `json:",omitempty"`
	Session string                `json:",omitempty"` // bound to this session
	Set     time.Time             `json:",omitzero"`  // the password that was right
	Shared  bool                  `json:",omitempty"`
	Secret  []byte                `json:",omitempty"` // proposed TOTP secret
	Enrol   []byte                `json:",omitempty"` // enrolment that this completes
	Passkey *webauthn.SessionData `json:",omitempty"`
}

// purpose keeps a step of one kind from being used as another.
type purpose string

const (
	purposeCode    purpose = "code"    // password was right, second factor is due
	purposeSignin  purpose = "signin"  // passkey challenge
	purposeProve   purpose = "prove"   // passkey challenge for step-up
	purposeAdd     purpose = "add"     // passkey registration
	purposeTOTP    purpose = "totp"    // authenticator app set-up
	purposeEnrol   purpose = "enrol"   // first factors by an enrolment code
	purposeEnrolPK purpose = "enrolpk" // passkey registration in it
)

const (
	codeLife      = 10 * time.Minute // 63B-4: out-of-band and pending steps at most ten minutes
	challengeLife = 5 * time.Minute  // AUT-07
	setupLife     = 10 * time.Minute
)

var stepPlace = vault.Place{Kind: vault.KindSession, Segment: 1}

func (c *core) sealStep(ctx context.Context, s step, life time.Duration) (string, error) {
	s.ID, s.Expires = randomBytes(16), c.now().Add(life)
	return c.resealStep(ctx, s)
}

func (c *core) resealStep(ctx context.Context, s step) (string, error) {
	plain, err := json.Marshal(s)
	if err != nil {
		return "", fmt.Errorf("identity: seal step: %w", err)
	}
	key, err := c.stepKey(ctx)
	if err != nil {
		return "", err
	}
	sealed, err := key.Seal(stepPlace, plain)
	if err != nil {
		return "", fmt.Errorf("identity: seal step: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(sealed), nil
}

// openStep reads a step of the given purpose that has neither expired nor been used.
func (c *core) openStep(ctx context.Context, sealed string, p purpose) (step, error) {
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil || len(raw) == 0 || len(raw) > 4096 {
		return step{}, ErrStep
	}
	key, err := c.stepKey(ctx)
	if err != nil {
		return step{}, err
	}
	plain, err := key.Open(stepPlace, raw)
	if errors.Is(err, vault.ErrAway) {
		return step{}, err
	}
	if err != nil {
		return step{}, ErrStep
	}
	var s step
	if err := json.Unmarshal(plain, &s); err != nil || s.Purpose != p || !c.now().Before(s.Expires) {
		return step{}, ErrStep
	}
	var n int
	err = c.db.QueryRow(ctx, `SELECT 1 FROM identity_spent WHERE id = $1`, spentID(s)).Scan(&n)
	if err == nil {
		return step{}, ErrStep
	}
	if !noRows(err) {
		return step{}, fmt.Errorf("identity: step: %w", err)
	}
	return s, nil
}

func spentID(s step) []byte {
	h := sha256.Sum256(append([]byte(s.Purpose), s.ID...))
	return h[:]
}

// spend uses the step up; the second to try gets ErrStep, and its transaction is undone.
func (c *core) spend(ctx context.Context, tx *store.Tx, s step) error {
	_, err := tx.Exec(ctx, `INSERT INTO identity_spent (id, expires) VALUES ($1, $2)`, spentID(s), ms(s.Expires))
	if errors.Is(err, store.ErrUnique) {
		return ErrStep
	}
	return err
}
