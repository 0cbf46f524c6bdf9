package identity

import (
	"context"
	"crypto/rand"
	"embed"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/wellgate/wellgate/internal/clock"
	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/trust/vault"
)

//go:embed schema/*.sql
var schema embed.FS

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
	// Newest is the highest Version in the traces of an account's events, 0 for none: it is asked when this process sees an
	// account for the first time, never inside a transaction. nil: nobody looks for accounts that were put back.
	Newest func(ctx context.Context, account string, chart int64) (int64, error)

	// StaffPasswordInDemo lets staff use password and authenticator app, against AUT-08. For made-up data only; doctor lists it.
	StaffPasswordInDemo bool
	// InsecureLocalhost drops the __Host- prefix and Secure from cookies, for a demo on http://localhost in a browser
	// that does not trust it. Never for real data.
	InsecureLocalhost bool
	// Hash are the argon2id parameters; the zero value is m=64 MiB, t=3, p=1. Below 19 MiB, 2, 1 is refused (AUT-04).
	Hash HashParams
}

// Identity is the practice's accounts. Its parts share one store; all are safe for concurrent use.
type Identity struct {
	Accounts  *Accounts
	Passwords *Passwords
	OneTime   *OneTime
	Passkeys  *Passkeys
	Sessions  *Sessions
	Signin    *Signin
	Enrol     *Enrol
	Tokens    *Tokens
	Cookies   Cookies
	c         *core
}

// core is what the parts share.
type core struct {
	opts   Options
	db     *store.DB
	vault  *vault.Vault
	key    atomic.Pointer[vault.Key] // seals steps in progress; nil until first used
	tokens atomic.Pointer[vault.Key] // seals what tokens may do; likewise
	hash   *hasher
	wa     *webauthn.WebAuthn

	unpaid atomic.Int64 // tries without work, not yet counted in the store

	mu    sync.Mutex
	seen  map[string]int64    // the newest version of each account that this process knows of
	cache map[string]*account // as of their version; every use compares the version in the store
}

func (c *core) now() time.Time { return c.opts.Clock().UTC() }

// Migrate brings this package's tables up to date, and makes nothing else: for a copy of a whole store.
func Migrate(ctx context.Context, db *store.DB) error { return db.Migrate(ctx, "identity", schema) }

// Open brings the tables up to date and loads the keys.
func Open(ctx context.Context, o Options) (*Identity, error) {
	if o.DB == nil || o.Vault == nil || o.Clock == nil {
		return nil, errors.New("identity: Open needs DB, Vault and Clock")
	}
	if o.Hash == (HashParams{}) {
		o.Hash = HashParams{MiB: 64, Time: 3, Threads: 1}
	}
	if o.Hash.MiB < 19 || o.Hash.Time < 2 || o.Hash.Threads < 1 {
		return nil, fmt.Errorf("identity: argon2id %+v is below the floor of 19 MiB, 2 passes, 1 thread (AUT-04)", o.Hash)
	}
	if err := Migrate(ctx, o.DB); err != nil {
		return nil, fmt.Errorf("identity: %w", err)
	}
	wa, err := newWebAuthn(o)
	if err != nil {
		return nil, err
	}
	c := &core{opts: o, db: o.DB, vault: o.Vault, wa: wa, cache: map[string]*account{}, seen: map[string]int64{},
		hash: newHasher(o.Hash, o.Vault.Secret("identity-pepper"))}
	tokens := &Tokens{c: c}
	if _, err = c.stepKey(ctx); err != nil {
		return nil, err
	}
	if _, err = c.tokenKey(ctx); err != nil {
		return nil, err
	}
	o.Vault.OnDrop(c.forget)
	return &Identity{Accounts: &Accounts{c}, Passwords: &Passwords{c}, OneTime: &OneTime{c}, Passkeys: &Passkeys{c},
		Sessions: &Sessions{c}, Signin: &Signin{c}, Enrol: &Enrol{c}, Tokens: tokens, Cookies: Cookies{insecure: o.InsecureLocalhost}, c: c}, nil
}

func newWebAuthn(o Options) (*webauthn.WebAuthn, error) {
	wa, err := webauthn.New(&webauthn.Config{
		RPID: o.RPID, RPDisplayName: o.Practice, RPOrigins: o.Origins,
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey:      protocol.ResidentKeyRequirementRequired,
			UserVerification: protocol.VerificationRequired,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("identity: passkeys need a host name as RPID and exact Origins: %w", err)
	}
	return wa, nil
}

// stepKey seals steps in progress, tokenKey what tokens may do.
func (c *core) stepKey(ctx context.Context) (*vault.Key, error) {
	return c.ownKey(ctx, "identity/steps", &c.key)
}

func (c *core) tokenKey(ctx context.Context) (*vault.Key, error) {
	return c.ownKey(ctx, "identity/tokens", &c.tokens)
}

// ownKey loads a key of identity's own, or makes it; two processes may start at once.
func (c *core) ownKey(ctx context.Context, owner string, held *atomic.Pointer[vault.Key]) (*vault.Key, error) {
	if k := held.Load(); k != nil {
		return k, nil
	}
	read := func(q store.Querier) (*vault.Key, error) {
		var w []byte
		if err := q.QueryRow(ctx, `SELECT wrapped FROM identity_key WHERE owner = $1`, owner).Scan(&w); err != nil {
			return nil, err
		}
		return c.vault.OpenKey(ctx, owner, w)
	}
	k, err := read(c.db)
	if noRows(err) {
		err = c.db.Write(ctx, func(tx *store.Tx) error {
			_, wrapped, err := c.vault.NewKey(ctx, tx, owner)
			if err != nil {
				return err
			}
			_, err = tx.Exec(ctx, `INSERT INTO identity_key (owner, wrapped) VALUES ($1, $2) ON CONFLICT (owner) DO NOTHING`, owner, wrapped)
			return err
		})
		if err == nil {
			k, err = read(c.db)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", owner, err)
	}
	held.Store(k)
	return k, nil
}

// forget drops every key and opened account.
func (c *core) forget() {
	c.key.Store(nil)
	c.tokens.Store(nil)
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.cache)
}

// Sweep removes what has expired. Call it hourly.
func (i *Identity) Sweep(ctx context.Context) error {
	now := i.c.now()
	return i.c.db.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM identity_session WHERE seen < $1 OR started < $2`,
			ms(now.Add(-longestIdle)), ms(now.Add(-longestSession))); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM identity_spent WHERE expires < $1`, ms(now)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM identity_rate WHERE minute < $1`, minute(now)-siegeHolds); err != nil {
			return err
		}
		if err := i.Tokens.noteUse(ctx, tx); err != nil {
			return err
		}
		// Long forgiven buckets. A run that reached its end stays until the factor is set anew.
		_, err := tx.Exec(ctx, `DELETE FROM identity_throttle WHERE at < $1 AND until < $2 AND count < $3`,
			ms(now.Add(-deviceLife)), ms(now), runLimit)
		return err
	})
}

func ms(t time.Time) int64 { return t.UnixMilli() }

func fromMS(n int64) time.Time { return time.UnixMilli(n).UTC() }

// crockford has no letters that look like digits.
var crockford = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// newID is 128 random bits, safe to show.
func newID() string {
	b := make([]byte, 16)
	rand.Read(b)
	return strings.ToLower(crockford.EncodeToString(b))
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // embedded files are part of the program
	}
	return v
}
