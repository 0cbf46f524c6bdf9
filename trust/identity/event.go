package identity

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"github.com/wellgate/wellgate/store"
)

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
	Version int64  // the account's, at least: an older one in the store was put back
	At      time.Time
	IP      string
	Device  string // user agent
	Detail  string // factor or way in: "passkey", "password", "code", "recovery"; never a secret or a login
}

// EventKind names the act.
type EventKind string

const (
	EventSignin          EventKind = "signin"
	EventSigninFailed    EventKind = "signin.failed"
	EventSignout         EventKind = "signout"
	EventSessionEnded    EventKind = "session.ended"
	EventProved          EventKind = "proved" // step-up
	EventProveFailed     EventKind = "prove.failed"
	EventFactorOff       EventKind = "factor.disabled" // 100 failures in a row
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
	EventTokenMade       EventKind = "token.made"
	EventTokenRevoked    EventKind = "token.revoked"
)

// From is where a request came from.
type From struct {
	IP    netip.Addr
	Agent string
	// Cookie reads a cookie of the request, for the known-device cookie; nil means none.
	Cookie func(name string) string
	// Work is what the form carried to show for itself while many passwords are being guessed; see Puzzle.
	Work string
}

// FromRequest takes the address from the caller, who knows which proxies to trust.
func FromRequest(r *http.Request, ip netip.Addr) From {
	agent := r.UserAgent()
	if len(agent) > 300 {
		agent = agent[:300]
	}
	return From{IP: ip, Agent: agent, Cookie: func(name string) string {
		c, err := r.Cookie(name)
		if err != nil {
			return ""
		}
		return c.Value
	}}
}

// emit hands the act to its listener inside tx. a is nil for an unknown login.
func (c *core) emit(ctx context.Context, tx *store.Tx, a *account, e Event, from From) error {
	if c.opts.Event == nil {
		return nil
	}
	if a != nil {
		e.Account, e.Chart, e.Name, e.Of, e.Role = a.id, a.Chart, a.Name, a.Kind, a.Role
		if e.Version = a.version; a.changing {
			e.Version++
		}
	}
	e.At = c.now()
	e.Device = from.Agent
	if from.IP.IsValid() {
		e.IP = from.IP.String()
	}
	return c.opts.Event(ctx, tx, e)
}
