package identity

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"time"

	"github.com/wellgate/wellgate/internal/clock"
	"github.com/wellgate/wellgate/store"
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
	// ErrTaken means that the login or the chart already has an account.
	ErrTaken = errors.New("identity: there is already an account for this login or chart")
)

// WaitError refuses a guess unseen; the same for logins that do not exist (AUT-14, AUT-15).
type WaitError struct{ Until time.Time }

func (e *WaitError) Error() string { return "identity: too many attempts; wait" }

// PasswordError says why a password was not accepted (AUT-01, AUT-02).
type PasswordError struct {
	Reason Reason
	Min    int // for Short
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

// Options of Open.
type Options struct {
	DB       *store.DB
	Vault    *vault.Vault
	Clock    clock.Clock
	Practice string   // name shown by passkey prompts and authenticator apps; also a blocked password word
	RPID     string   // passkey relying party id: the host name
	Origins  []string // exact origins, e.g. "https://portal.example"

	// Event is called inside the transaction of each security-relevant act; an error undoes the act.
	Event func(ctx context.Context, tx *store.Tx, e Event) error

	// StaffPasswordInDemo lets staff use password and authenticator app, against AUT-08. For made-up data only; doctor lists it.
	StaffPasswordInDemo bool
	// InsecureLocalhost drops the __Host- prefix and Secure from cookies, for a demo on http://localhost in a browser
	// that does not trust it. Never for real data.
	InsecureLocalhost bool
	// Hash are the argon2id parameters; the zero value is m=64 MiB, t=3, p=1. Below 19 MiB, 2, 1 is refused (AUT-04).
	Hash HashParams
}

// HashParams of argon2id.
type HashParams struct {
	MiB, Time uint32
	Threads   uint8
}

// An Event is one security-relevant act.
type Event struct {
	Kind    EventKind
	Account string // "" for an unknown login
	Chart   int64  // the account's chart, 0 for staff
	Name    string // as shown to others
	Of      Kind
	Role    Role
	Session string // public id, if there is one
	By      string // account that acted, when it is not the owner
	At      time.Time
	IP      string
	Device  string // user agent
	Detail  string // factor or way in: "passkey", "password", "code", "recovery"; never a secret or a login
}

type EventKind string

const (
	EventSignin          EventKind = "signin"
	EventSigninFailed    EventKind = "signin.failed"
	EventSignout         EventKind = "signout"
	EventSessionEnded    EventKind = "session.ended"
	EventProved          EventKind = "proved" // step-up
	EventProveFailed     EventKind = "prove.failed"
	EventPasswordOff     EventKind = "password.disabled" // 100 failures in a row
	EventFactorAdded     EventKind = "factor.added"
	EventFactorRemoved   EventKind = "factor.removed"
	EventFactorChanged   EventKind = "factor.changed"
	EventRecoveryUsed    EventKind = "recovery.used"
	EventNewDevice       EventKind = "device.new"
	EventCloneSuspected  EventKind = "passkey.clone"
	EventAccountCreated  EventKind = "account.created"
	EventAccountChanged  EventKind = "account.changed"
	EventAccountDisabled EventKind = "account.disabled"
	EventAccountEnabled  EventKind = "account.enabled"
	EventEnrolIssued     EventKind = "enrol.issued"
)

// From is where a request came from.
type From struct {
	IP    netip.Addr
	Agent string
	// Cookie reads a cookie of the request, for the known-device cookie; nil means none.
	Cookie func(name string) string
}

// FromRequest takes the address from the caller, who knows which proxies to trust.
func FromRequest(r *http.Request, ip netip.Addr) From { panic("todo") }

// Identity is the practice's accounts. Its parts share one store; all are safe for concurrent use.
type Identity struct {
	Accounts  *Accounts
	Passwords *Passwords
	OneTime   *OneTime
	Passkeys  *Passkeys
	Sessions  *Sessions
	Signin    *Signin
	Cookies   Cookies
}

// Open brings the tables up to date and loads the keys.
func Open(ctx context.Context, o Options) (*Identity, error) { panic("todo") }

// Sweep removes what has expired. Call it hourly.
func (i *Identity) Sweep(ctx context.Context) error { panic("todo") }

// Account is what others may know about an account.
type Account struct {
	ID           string
	Kind         Kind
	Role         Role
	Name         string
	Login        string // e-mail address as entered
	Chart        int64
	Practitioner string
	Lang         string
	Disabled     bool
	Created      time.Time
	LastSignin   time.Time
}

// Accounts creates and finds accounts.
type Accounts struct{ todo int }

// Create makes an account without any factor from a's Kind, Role, Name, Login, Chart, Practitioner and Lang. ErrTaken if there is one.
func (a *Accounts) Create(ctx context.Context, acc Account) (Account, error)   { panic("todo") }
func (a *Accounts) Get(ctx context.Context, id string) (Account, error)        { panic("todo") }
func (a *Accounts) ByLogin(ctx context.Context, login string) (Account, error) { panic("todo") }
func (a *Accounts) ByChart(ctx context.Context, chart int64) (Account, error)  { panic("todo") }

// List opens every account; kind "" lists all.
func (a *Accounts) List(ctx context.Context, kind Kind) ([]Account, error) { panic("todo") }

// Disable ends every session of the account in the same transaction. by is the acting account.
func (a *Accounts) Disable(ctx context.Context, id, by string) error { panic("todo") }
func (a *Accounts) Enable(ctx context.Context, id, by string) error  { panic("todo") }

// SetRole ends every session of the account: a role is never changed under a session (SES-02).
func (a *Accounts) SetRole(ctx context.Context, id string, role Role, by string) error { panic("todo") }
func (a *Accounts) SetLang(ctx context.Context, who Who, lang string) error            { panic("todo") }

// Factors lists how an account can sign in.
func (a *Accounts) Factors(ctx context.Context, id string) (Factors, error) { panic("todo") }

// Factors of one account.
type Factors struct {
	Password    bool
	PasswordOff bool // disabled after 100 failures in a row; a new password turns it on
	PasswordSet time.Time
	TOTP        bool
	TOTPSet     time.Time
	Recovery    int // unused recovery codes
	RecoverySet time.Time
	Passkeys    []Passkey
}

// Passkey as its owner sees it.
type Passkey struct {
	ID      string
	Name    string
	Created time.Time
	Used    time.Time // zero if never
	Synced  bool      // the credential is backed up, so it may be on several devices
}

// Passwords sets passwords.
type Passwords struct{ todo int }

// Check says whether password would be accepted for the account, as *PasswordError.
func (p *Passwords) Check(ctx context.Context, account, password string) error { panic("todo") }

// Set gives an account its password: for enrolment and tools.
func (p *Passwords) Set(ctx context.Context, account, password string) error { panic("todo") }

// Change needs a fresh proof.
func (p *Passwords) Change(ctx context.Context, who Who, password string, from From) error {
	panic("todo")
}

// OneTime is authenticator apps (TOTP) and recovery codes.
type OneTime struct{ todo int }

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
	Dark []bool
}

// Set gives an account a new secret at once and returns it: for enrolment and tools.
func (o *OneTime) Set(ctx context.Context, account string) (TOTPSetup, error) { panic("todo") }

// Begin proposes a secret; nothing changes before Confirm.
func (o *OneTime) Begin(ctx context.Context, who Who) (TOTPSetup, error) { panic("todo") }
func (o *OneTime) Resume(ctx context.Context, who Who, step string) (TOTPSetup, error) {
	panic("todo")
}
func (o *OneTime) Confirm(ctx context.Context, who Who, step, code string, from From) error {
	panic("todo")
}
func (o *OneTime) Remove(ctx context.Context, who Who, from From) error { panic("todo") }

// Recovery replaces the recovery codes and returns the new ones, which are never readable again.
func (o *OneTime) Recovery(ctx context.Context, who Who, from From) ([]string, error) { panic("todo") }

// IssueRecovery is Recovery for enrolment and tools.
func (o *OneTime) IssueRecovery(ctx context.Context, account string) ([]string, error) {
	panic("todo")
}

// Passkeys is WebAuthn. Options and responses are the JSON of PublicKeyCredential's parse…FromJSON and toJSON.
type Passkeys struct{ todo int }

func (p *Passkeys) BeginSignin(ctx context.Context) (options []byte, step string, err error) {
	panic("todo")
}
func (p *Passkeys) FinishSignin(ctx context.Context, step string, response []byte, shared bool, from From) (Grant, error) {
	panic("todo")
}
func (p *Passkeys) BeginProve(ctx context.Context, who Who) (options []byte, step string, err error) {
	panic("todo")
}
func (p *Passkeys) FinishProve(ctx context.Context, token, step string, response []byte, from From) (Grant, error) {
	panic("todo")
}
func (p *Passkeys) BeginAdd(ctx context.Context, who Who) (options []byte, step string, err error) {
	panic("todo")
}
func (p *Passkeys) FinishAdd(ctx context.Context, who Who, step, name string, response []byte, from From) (Passkey, error) {
	panic("todo")
}
func (p *Passkeys) Rename(ctx context.Context, who Who, id, name string) error      { panic("todo") }
func (p *Passkeys) Remove(ctx context.Context, who Who, id string, from From) error { panic("todo") }

// Signin is the two steps of password and code.
type Signin struct{ todo int }

// Password is the first step. The step it returns has no rights; it lives ten minutes in a cookie.
func (s *Signin) Password(ctx context.Context, login, password string, shared bool, from From) (step string, err error) {
	panic("todo")
}

// Code is the second step with an authenticator app.
func (s *Signin) Code(ctx context.Context, step, code string, from From) (Grant, error) {
	panic("todo")
}

// Recovery is the second step with a recovery code.
func (s *Signin) Recovery(ctx context.Context, step, code string, from From) (Grant, error) {
	panic("todo")
}

// Prove is step-up with an authenticator app.
func (s *Signin) Prove(ctx context.Context, token, code string, from From) (Grant, error) {
	panic("todo")
}

// Grant is a session just made or renewed. Only its holder ever has the token.
type Grant struct {
	Token  string
	Who    Who
	Shared bool
	// device cookie, set by Cookies.Set
}

// Sessions are opaque tokens; the store holds their hashes.
type Sessions struct{ todo int }

// Check returns who holds the token. It does not extend the session: use it for polling, streams and assets (SES-05).
func (s *Sessions) Check(ctx context.Context, token string) (Who, error) { panic("todo") }

// Touch is Check for an act of the person, and starts the idle time anew.
func (s *Sessions) Touch(ctx context.Context, token string) (Who, error) { panic("todo") }

// Ends tells when the session would end without another act, and at the latest.
func (s *Sessions) Ends(ctx context.Context, token string) (idle, latest time.Time, err error) {
	panic("todo")
}

// Rotate gives the session a new token, e.g. when it changes context; the old one is dead.
func (s *Sessions) Rotate(ctx context.Context, token string) (Grant, error) { panic("todo") }

// List shows the account's live sessions, newest act first.
func (s *Sessions) List(ctx context.Context, account string) ([]SessionInfo, error) { panic("todo") }

// Signout ends the session of the token; an unknown one is no error.
func (s *Sessions) Signout(ctx context.Context, token string, from From) error { panic("todo") }

// End ends one of the account's sessions.
func (s *Sessions) End(ctx context.Context, account, session, by string) error { panic("todo") }

// EndOthers ends all sessions of the person but this one, and says how many.
func (s *Sessions) EndOthers(ctx context.Context, who Who) (int, error) { panic("todo") }

// EndAll ends all sessions of an account.
func (s *Sessions) EndAll(ctx context.Context, account, by string) (int, error) { panic("todo") }

// SessionInfo is a session as its owner sees it.
type SessionInfo struct {
	ID            string
	Started, Seen time.Time
	IP, Agent     string
	Shared        bool
	Way           string // "passkey", "code", "recovery"
}

// Cookies knows names and attributes (SES-01).
type Cookies struct{ insecure bool }

// Session is the token the request carries, "" if none.
func (c Cookies) Session(r *http.Request) string { panic("todo") }

// Grant sets the session cookie, and the known-device cookie unless the computer is shared.
func (c Cookies) Grant(w http.ResponseWriter, g Grant) { panic("todo") }

// Clear removes the session cookie and any step in progress.
func (c Cookies) Clear(w http.ResponseWriter) { panic("todo") }
