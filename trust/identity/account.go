package identity

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/idna"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/trust/vault"
)

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

// record is the sealed document. Every factor is in it, so that a rule over several factors holds in one write.
type record struct {
	Account
	Handle   []byte          `json:",omitempty"` // WebAuthn user handle: 64 random bytes
	Password *passwordFactor `json:",omitempty"`
	TOTP     *totpFactor     `json:",omitempty"`
	Recovery *recoveryFactor `json:",omitempty"`
	Passkeys []passkey       `json:",omitempty"`
	Enrol    *enrolment      `json:",omitempty"`
}

// account is an opened record with its place in the store.
type account struct {
	record
	id      string
	version int64
	key     *vault.Key

	changing bool // it is saved when the transaction that loaded it ends
}

// errStale means that another process changed the account since it was read.
var errStale = errors.New("identity: account changed meanwhile")

func noRows(err error) bool { return errors.Is(err, sql.ErrNoRows) }

func place(version int64) vault.Place { return vault.Place{Kind: vault.KindAccount, Seq: version} }

func (c *core) load(ctx context.Context, q store.Querier, id string) (*account, error) {
	a := &account{id: id}
	known, old := c.known(id)
	var wrapped, sealed []byte
	err := q.QueryRow(ctx, `SELECT wrapped, sealed, version FROM identity_account WHERE id = $1`, id).Scan(&wrapped, &sealed, &a.version)
	if noRows(err) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("identity: read account: %w", err)
	}
	if a.key, err = c.vault.OpenKey(ctx, "account/"+id, wrapped); err != nil {
		return nil, damaged(id, err)
	}
	plain, err := a.key.Open(place(a.version), sealed)
	if err != nil {
		return nil, damaged(id, err)
	}
	if err := json.Unmarshal(plain, &a.record); err != nil {
		return nil, fmt.Errorf("identity: account %s: %w", id, err)
	}
	if err := c.notOlder(ctx, q, a, known, old); err != nil {
		return nil, err
	}
	return a, nil
}

// damaged says so of an account that does not open.
func damaged(id string, err error) error {
	if errors.Is(err, vault.ErrOpen) {
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return fmt.Errorf("identity: account %s: %w", id, err)
}

// An account that was put back, row and version together, to what it was before its password was changed, say, opens well. Its
// newest event stands in the audit log with the version it gave the account, though, and what this process saw it remembers.

func (c *core) known(id string) (known bool, version int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	version, known = c.seen[id]
	return known, version
}

func (c *core) remember(id string, version int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[id] = max(c.seen[id], version)
}

// notOlder refuses an account that is older than what is known of it: by this process before a was read, else by its events.
func (c *core) notOlder(ctx context.Context, q store.Querier, a *account, known bool, newest int64) error {
	outside := q == store.Querier(c.db)
	if c.opts.Newest == nil {
		c.remember(a.id, a.version)
		return nil
	}
	if !known && outside {
		var err error
		if newest, err = c.opts.Newest(ctx, a.id, a.Chart); err != nil {
			return fmt.Errorf("identity: account %s: its newest event: %w", a.id, err)
		}
	}
	if newest > a.version { // unless somebody saved it between the two looks
		if !outside {
			return errStale
		}
		var now int64
		err := q.QueryRow(ctx, `SELECT version FROM identity_account WHERE id = $1`, a.id).Scan(&now)
		if err != nil && !noRows(err) {
			return fmt.Errorf("identity: read account: %w", err)
		}
		if now < newest {
			return fmt.Errorf("identity: account %s: %w: it is at version %d, its events at %d", a.id, ErrDamaged, now, newest)
		}
	}
	if known || outside {
		c.remember(a.id, max(a.version, newest))
	}
	return nil
}

// current is load through a cache that a version, just read from the store, keeps honest. Never change what it returns.
func (c *core) current(ctx context.Context, q store.Querier, id string, version int64) (*account, error) {
	c.mu.Lock()
	a := c.cache[id]
	c.mu.Unlock()
	if a != nil && a.version == version {
		return a, nil
	}
	a, err := c.load(ctx, q, id)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.seen[id]; !known { // inside a transaction its events could not be looked at
		return a, nil
	}
	if len(c.cache) >= 4096 {
		clear(c.cache)
	}
	c.cache[id] = a
	return a, nil
}

func (c *core) save(ctx context.Context, tx *store.Tx, a *account) error {
	plain, err := json.Marshal(a.record)
	if err != nil {
		return fmt.Errorf("identity: account %s: %w", a.id, err)
	}
	sealed, err := a.key.Seal(place(a.version+1), plain)
	if err != nil {
		return fmt.Errorf("identity: account %s: %w", a.id, err)
	}
	n, err := tx.Exec(ctx, `UPDATE identity_account SET sealed = $1, version = $2 WHERE id = $3 AND version = $4`,
		sealed, a.version+1, a.id, a.version)
	if err != nil {
		return fmt.Errorf("identity: save account: %w", err)
	}
	if n == 0 {
		return errStale
	}
	a.version++
	id, version := a.id, a.version
	tx.Committed(func() {
		if known, _ := c.known(id); known {
			c.remember(id, version)
		}
	})
	return nil
}

// write runs fn in a transaction, again if another process changed the account under it.
func (c *core) write(ctx context.Context, fn func(*store.Tx) error) error {
	for try := 0; ; try++ {
		err := c.db.Write(ctx, fn)
		if try == 5 || !errors.Is(err, errStale) {
			return err
		}
	}
}

// change loads an account, lets fn change it, and saves it, in one transaction.
func (c *core) change(ctx context.Context, id string, fn func(*store.Tx, *account) error) error {
	if known, _ := c.known(id); !known { // nothing is changed that was put back
		if _, err := c.load(ctx, c.db, id); err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return c.write(ctx, func(tx *store.Tx) error {
		a, err := c.load(ctx, tx, id)
		if err != nil {
			return err
		}
		a.changing = true
		if err := fn(tx, a); err != nil {
			return err
		}
		return c.save(ctx, tx, a)
	})
}

// foldLogin makes equal what people mean to be equal: NFKC, case folding, IDNA for the domain (IDN-07).
func foldLogin(login string) string {
	s := cases.Fold().String(norm.NFKC.String(strings.TrimSpace(login)))
	if at := strings.LastIndexByte(s, '@'); at >= 0 {
		if host, err := idna.Lookup.ToASCII(s[at+1:]); err == nil {
			s = s[:at+1] + host
		}
	}
	return norm.NFKC.String(s)
}

func (c *core) loginToken(login string) []byte {
	return c.vault.Token("identity-login", foldLogin(login))
}

func (c *core) chartToken(chart int64) []byte {
	return c.vault.Token("identity-chart", strconv.FormatInt(chart, 10))
}

func (c *core) handleToken(handle []byte) []byte {
	return c.vault.Token("identity-handle", string(handle))
}

func (c *core) passkeyToken(credential []byte) []byte {
	return c.vault.Token("identity-passkey", string(credential))
}

// lookup finds the account of a token; ErrNotFound if none.
func (c *core) lookup(ctx context.Context, q store.Querier, token []byte) (string, error) {
	var id string
	err := q.QueryRow(ctx, `SELECT account FROM identity_lookup WHERE token = $1`, token).Scan(&id)
	if noRows(err) {
		return "", ErrNotFound
	}
	if err != nil {
		return "", fmt.Errorf("identity: look up: %w", err)
	}
	return id, nil
}

// claim gives a token to an account; ErrTaken if it has an owner.
func (c *core) claim(ctx context.Context, tx *store.Tx, token []byte, account string) error {
	_, err := tx.Exec(ctx, `INSERT INTO identity_lookup (token, account) VALUES ($1, $2)`, token, account)
	if errors.Is(err, store.ErrUnique) {
		return ErrTaken
	}
	return err
}

func (c *core) unclaim(ctx context.Context, tx *store.Tx, token []byte) error {
	_, err := tx.Exec(ctx, `DELETE FROM identity_lookup WHERE token = $1`, token)
	return err
}

// Accounts creates and finds accounts.
type Accounts struct{ c *core }

// Create makes an account without any factor from acc's Kind, Role, Name, Login, Chart, Practitioner and Lang.
// ErrTaken if the login or the chart has one.
func (s *Accounts) Create(ctx context.Context, acc Account) (Account, error) {
	if err := sound(acc); err != nil {
		return Account{}, err
	}
	acc.ID, acc.Disabled, acc.LastSignin, acc.Created = newID(), false, time.Time{}, s.c.now()
	a := &account{id: acc.ID, version: 0, record: record{Account: acc, Handle: randomBytes(64)}}
	err := s.c.write(ctx, func(tx *store.Tx) error {
		key, wrapped, err := s.c.vault.NewKey(ctx, tx, "account/"+acc.ID)
		if err != nil {
			return fmt.Errorf("identity: make key: %w", err)
		}
		a.version, a.key = 0, key
		if _, err := tx.Exec(ctx, `INSERT INTO identity_account (id, wrapped, sealed, version) VALUES ($1, $2, $3, 0)`, a.id, wrapped, []byte{}); err != nil {
			return fmt.Errorf("identity: create account: %w", err)
		}
		tokens := [][]byte{s.c.loginToken(acc.Login), s.c.handleToken(a.Handle)}
		if acc.Chart != 0 {
			tokens = append(tokens, s.c.chartToken(acc.Chart))
		}
		for _, t := range tokens {
			if err := s.c.claim(ctx, tx, t, a.id); err != nil {
				return err
			}
		}
		if err := s.c.save(ctx, tx, a); err != nil {
			return err
		}
		return s.c.emit(ctx, tx, a, Event{Kind: EventAccountCreated}, From{})
	})
	return acc, err
}

// sound refuses accounts that could never be used rightly.
func sound(acc Account) error {
	switch {
	case acc.Kind != Patient && acc.Kind != Staff:
		return errors.New("identity: an account is of kind patient or staff")
	case acc.Kind == Staff && (!knownRoles[acc.Role] || acc.Chart != 0):
		return errors.New("identity: a staff account needs a known role and has no chart")
	case acc.Kind == Patient && (acc.Role != "" || acc.Practitioner != ""):
		return errors.New("identity: a patient account has no role and no practitioner")
	case strings.TrimSpace(acc.Name) == "" || strings.TrimSpace(acc.Login) == "":
		return errors.New("identity: an account needs a name and a login")
	}
	return nil
}

var knownRoles = map[Role]bool{Clinician: true, Nurse: true, Dentist: true, Hygienist: true, FrontDesk: true,
	Billing: true, PrivacyOfficer: true, Administrator: true, Auditor: true}

func (s *Accounts) Get(ctx context.Context, id string) (Account, error) {
	a, err := s.c.load(ctx, s.c.db, id)
	if err != nil {
		return Account{}, err
	}
	return a.Account, nil
}

func (s *Accounts) ByLogin(ctx context.Context, login string) (Account, error) {
	return s.by(ctx, s.c.loginToken(login))
}

// ByChart finds the patient's own account.
func (s *Accounts) ByChart(ctx context.Context, chart int64) (Account, error) {
	return s.by(ctx, s.c.chartToken(chart))
}

func (s *Accounts) by(ctx context.Context, token []byte) (Account, error) {
	id, err := s.c.lookup(ctx, s.c.db, token)
	if err != nil {
		return Account{}, err
	}
	a, err := s.Get(ctx, id)
	if err == nil && !bytes.Equal(token, s.c.loginToken(a.Login)) && !bytes.Equal(token, s.c.chartToken(a.Chart)) {
		err = fmt.Errorf("identity: account %s: %w: a look-up was pointed at it", id, ErrDamaged)
	}
	return a, err
}

// List opens every account, by name; kind "" lists all.
func (s *Accounts) List(ctx context.Context, kind Kind) ([]Account, error) {
	rows, err := s.c.db.Query(ctx, `SELECT id FROM identity_account ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("identity: list: %w", err)
	}
	ids, err := scanIDs(rows)
	if err != nil {
		return nil, err
	}
	var out []Account
	for _, id := range ids {
		a, err := s.Get(ctx, id)
		if errors.Is(err, ErrNotFound) {
			continue // removed meanwhile
		}
		if err != nil {
			return nil, err
		}
		if kind == "" || a.Kind == kind {
			out = append(out, a)
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out, nil
}

func scanIDs(rows *sql.Rows) ([]string, error) {
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("identity: list: %w", err)
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// Disable ends every session of the account in the same transaction. by is the acting account.
func (s *Accounts) Disable(ctx context.Context, id, by string) error {
	return s.set(ctx, id, by, EventAccountDisabled, true, func(a *account) { a.Disabled = true })
}

// Enable lets a disabled account sign in again.
func (s *Accounts) Enable(ctx context.Context, id, by string) error {
	return s.set(ctx, id, by, EventAccountEnabled, false, func(a *account) { a.Disabled = false })
}

// SetRole ends every session of the account: a role never changes under a session (SES-02).
func (s *Accounts) SetRole(ctx context.Context, id string, role Role, by string) error {
	if !knownRoles[role] {
		return errors.New("identity: unknown role")
	}
	if a, err := s.Get(ctx, id); err != nil || a.Kind != Staff {
		return errors.Join(err, errors.New("identity: only staff have a role"))
	}
	return s.set(ctx, id, by, EventAccountChanged, true, func(a *account) { a.Role = role })
}

// SetLang keeps the person's language.
func (s *Accounts) SetLang(ctx context.Context, who Who, lang string) error {
	return s.c.change(ctx, who.Account, func(_ *store.Tx, a *account) error {
		a.Lang = lang
		return nil
	})
}

func (s *Accounts) set(ctx context.Context, id, by string, kind EventKind, end bool, fn func(*account)) error {
	return s.c.change(ctx, id, func(tx *store.Tx, a *account) error {
		fn(a)
		if end {
			if _, err := tx.Exec(ctx, `DELETE FROM identity_session WHERE account = $1`, id); err != nil {
				return fmt.Errorf("identity: end sessions: %w", err)
			}
		}
		return s.c.emit(ctx, tx, a, Event{Kind: kind, By: by}, From{})
	})
}

// Remove deletes the account of an erased record, with its key, look-ups and sessions, inside the transaction that erases
// the record. A record without an account is no error.
func (s *Accounts) Remove(ctx context.Context, tx *store.Tx, chart int64) error {
	id, err := s.c.lookup(ctx, tx, s.c.chartToken(chart))
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, q := range []string{
		`DELETE FROM identity_session WHERE account = $1`, `DELETE FROM identity_lookup WHERE account = $1`,
		`DELETE FROM identity_account WHERE id = $1`,
	} {
		if _, err := tx.Exec(ctx, q, id); err != nil {
			return fmt.Errorf("identity: remove account: %w", err)
		}
	}
	tx.Committed(func() {
		s.c.mu.Lock()
		defer s.c.mu.Unlock()
		delete(s.c.cache, id)
		delete(s.c.seen, id)
	})
	return nil
}
