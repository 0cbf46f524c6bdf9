package identity

import (
	"errors"
	"time"

	"github.com/wellgate/wellgate/trust/vault"
)

var (
	// ErrRefused is the one answer to a sign-in that did not work, whatever was wrong: unknown login, wrong password,
	// wrong code, foreign passkey, disabled account.
	ErrRefused = errors.New("identity: sign-in refused")
	// ErrStep means that the sign-in or set-up in progress is unknown, too old or already used; start again.
	ErrStep = errors.New("identity: this step has ended; start again")
	// ErrBusy means that password checks are queued for too long (AUT-05): answer 503 with Retry-After.
	ErrBusy = errors.New("identity: too many sign-ins at once; try again in a few seconds")
	// ErrNoSession means that there is no such session, or that it has ended.
	ErrNoSession = errors.New("identity: no session")
	// ErrStepUp means that the act needs a factor presented in the last five minutes (AUT-17).
	ErrStepUp = errors.New("identity: needs a fresh proof")
	// ErrLevel means that a factor may not be changed from a session of a lower assurance level (AUT-18).
	ErrLevel = errors.New("identity: sign in with the stronger factor to change it")
	// ErrLastFactor means that without this factor nobody could sign in any more.
	ErrLastFactor = errors.New("identity: this is the last way to sign in")
	// ErrPasskeyOnly means that a member of staff cannot have a password or an authenticator app (AUT-08).
	ErrPasskeyOnly = errors.New("identity: staff sign in with a passkey only")
	// ErrNotFound means that there is no such account, passkey or session.
	ErrNotFound = errors.New("identity: not found")
	// ErrTaken means that the login, the chart or the passkey already belongs to an account.
	ErrTaken = errors.New("identity: there is already an account for this login, chart or passkey")
	// ErrDamaged means that somebody changed, moved or put back the account in the store. It stays closed; others go on.
	ErrDamaged = errors.New("identity: an account was changed, moved or put back behind our back; restore it from a backup")
	// ErrAway means that the practice's root key does not answer: answer 503 with Retry-After (REL-12).
	ErrAway = vault.ErrAway
)

// WaitError refuses a guess unseen; the same for logins that do not exist (AUT-14, AUT-15).
type WaitError struct{ Until time.Time }

func (e *WaitError) Error() string { return "identity: too many attempts; wait" }

// PasswordError says why a password was not accepted (AUT-01, AUT-02).
type PasswordError struct {
	Reason Reason
	Min    int // the least number of characters
}

func (e *PasswordError) Error() string { return "identity: password refused: " + string(e.Reason) }

// Reason is a word that pages translate.
type Reason string

const (
	Short   Reason = "short"
	Long    Reason = "long"
	Common  Reason = "common"  // on the blocklist, or built from it
	Pattern Reason = "pattern" // repeats and sequences
	Context Reason = "context" // built from the practice, the product, the person's name or login
	Invalid Reason = "invalid" // not text
)
