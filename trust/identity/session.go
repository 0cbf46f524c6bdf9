package identity

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"sort"
	"time"

	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/trust/vault"
)

// Limits of SES-03, SES-08. They are the server's alone: nothing a request says changes them.
const (
	longestIdle    = 15 * time.Minute
	longestSession = 12 * time.Hour
	mostSessions   = 10
	// seenEvery bounds how often Touch writes. What is stored lags by at most this, so a session may end that much
	// early, never late.
	seenEvery = 15 * time.Second
)

func limits(a *account, shared bool) (idle, whole time.Duration) {
	switch {
	case a.Role == Administrator:
		idle, whole = 5*time.Minute, 4*time.Hour
	case a.Kind == Staff:
		idle, whole = 10*time.Minute, 10*time.Hour
	default:
		idle, whole = longestIdle, longestSession
	}
	if shared {
		idle = min(idle, 5*time.Minute)
	}
	return idle, whole
}

// Sessions are opaque tokens; the store holds their hashes.
type Sessions struct{ c *core }

// Grant is a session just made or renewed. Only its holder ever has the token.
type Grant struct {
	Token  string
	Who    Who
	Shared bool

	deviceName, deviceValue string // known-device cookie; "" leaves it alone
}

// sessionData is sealed under the account's key.
type sessionData struct {
	Way    string
	AAL    int
	Proved time.Time
	Since  time.Time `json:",omitzero"`
	IP     string    `json:",omitempty"`
	Agent  string    `json:",omitempty"`
	Shared bool      `json:",omitempty"`
}

// session is an opened row.
type session struct {
	id            string
	hash          []byte
	started, seen time.Time
	sessionData
	a *account
}

func sessionPlace(id string) vault.Place {
	h := sha256.Sum256([]byte(id))
	return vault.Place{Kind: vault.KindSession, Seq: int64(binary.BigEndian.Uint64(h[:8]) >> 1)}
}

func newToken() (string, []byte) {
	token := base64.RawURLEncoding.EncodeToString(randomBytes(32))
	return token, hashToken(token)
}

func hashToken(token string) []byte {
	h := sha256.Sum256([]byte(token))
	return h[:]
}

func (s *session) who() Who {
	return Who{Account: s.a.id, Kind: s.a.Kind, Role: s.a.Role, Name: s.a.Name, Chart: s.a.Chart, Practitioner: s.a.Practitioner,
		Session: s.id, AAL: s.AAL, Proved: s.Proved, Since: s.Since, Lang: s.a.Lang}
}

// alive applies every limit (SES-03, SES-09).
func (s *session) alive(now time.Time) bool {
	idle, whole := limits(s.a, s.Shared)
	return !s.a.Disabled && now.Sub(s.seen) < idle && now.Sub(s.started) < whole
}

// open finds a live session by its token. It reads the store each time, so an ended session, a disabled account and a
// changed role count at once.
func (c *core) open(ctx context.Context, q store.Querier, token string) (*session, error) {
	if len(token) != 43 {
		return nil, ErrNoSession
	}
	s := &session{hash: hashToken(token)}
	var account string
	var version, started, seen int64
	var sealed []byte
	err := q.QueryRow(ctx, `SELECT s.id, s.account, s.started, s.seen, s.sealed, a.version
		FROM identity_session s JOIN identity_account a ON a.id = s.account WHERE s.hash = $1`, s.hash).
		Scan(&s.id, &account, &started, &seen, &sealed, &version)
	if noRows(err) {
		return nil, ErrNoSession
	}
	if err != nil {
		return nil, fmt.Errorf("identity: read session: %w", err)
	}
	if s.a, err = c.current(ctx, q, account, version); err != nil {
		return nil, err
	}
	if err := s.unseal(started, seen, sealed); err != nil {
		return nil, err
	}
	if !s.alive(c.now()) {
		return nil, ErrNoSession
	}
	return s, nil
}

func (s *session) unseal(started, seen int64, sealed []byte) error {
	s.started, s.seen = fromMS(started), fromMS(seen)
	plain, err := s.a.key.Open(sessionPlace(s.id), sealed)
	if err == nil {
		err = json.Unmarshal(plain, &s.sessionData)
	}
	if err != nil {
		return fmt.Errorf("identity: session %s: %w", s.id, err)
	}
	return nil
}

func (s *session) seal() ([]byte, error) {
	plain, err := json.Marshal(s.sessionData)
	if err != nil {
		return nil, fmt.Errorf("identity: session %s: %w", s.id, err)
	}
	return s.a.key.Seal(sessionPlace(s.id), plain)
}

// start makes a session for a, which the caller has loaded in tx and has not saved yet.
func (c *core) start(ctx context.Context, tx *store.Tx, a *account, d sessionData, from From) (Grant, error) {
	if a.Disabled {
		return Grant{}, ErrRefused
	}
	now := c.now()
	d.Proved, d.Since, d.Agent = now, a.LastSignin, from.Agent
	if from.IP.IsValid() {
		d.IP = from.IP.String()
	}
	a.LastSignin = now
	if err := c.makeRoom(ctx, tx, a, from); err != nil {
		return Grant{}, err
	}
	token, hash := newToken()
	s := &session{id: newID(), hash: hash, started: now, seen: now, sessionData: d, a: a}
	sealed, err := s.seal()
	if err != nil {
		return Grant{}, err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO identity_session (id, hash, account, started, seen, sealed) VALUES ($1, $2, $3, $4, $5, $6)`,
		s.id, hash, a.id, ms(now), ms(now), sealed); err != nil {
		return Grant{}, fmt.Errorf("identity: start session: %w", err)
	}
	if err := c.emit(ctx, tx, a, Event{Kind: EventSignin, Session: s.id, Detail: d.Way}, from); err != nil {
		return Grant{}, err
	}
	g := Grant{Token: token, Who: s.who(), Shared: d.Shared}
	if c.device(from, a.Login) == "" {
		if err := c.emit(ctx, tx, a, Event{Kind: EventNewDevice, Session: s.id}, from); err != nil {
			return Grant{}, err
		}
	}
	if !d.Shared {
		g.deviceName, g.deviceValue = c.deviceName(a.Login), c.newDevice(a.Login, from.IP)
	}
	return g, nil
}

// makeRoom removes what has ended and, beyond ten, what has been idle longest (SES-08).
func (c *core) makeRoom(ctx context.Context, tx *store.Tx, a *account, from From) error {
	live, err := c.sessions(ctx, tx, a)
	if err != nil {
		return err
	}
	for i := mostSessions - 1; i < len(live); i++ {
		if _, err := tx.Exec(ctx, `DELETE FROM identity_session WHERE id = $1`, live[i].id); err != nil {
			return fmt.Errorf("identity: end session: %w", err)
		}
		if err := c.emit(ctx, tx, a, Event{Kind: EventSessionEnded, Session: live[i].id, Detail: "limit"}, from); err != nil {
			return err
		}
	}
	return nil
}

// sessions are the account's live ones, latest act first.
func (c *core) sessions(ctx context.Context, q store.Querier, a *account) ([]*session, error) {
	rows, err := q.Query(ctx, `SELECT id, hash, started, seen, sealed FROM identity_session WHERE account = $1`, a.id)
	if err != nil {
		return nil, fmt.Errorf("identity: list sessions: %w", err)
	}
	defer rows.Close()
	var out []*session
	for rows.Next() {
		s := &session{a: a}
		var started, seen int64
		var sealed []byte
		if err := rows.Scan(&s.id, &s.hash, &started, &seen, &sealed); err != nil {
			return nil, fmt.Errorf("identity: list sessions: %w", err)
		}
		if err := s.unseal(started, seen, sealed); err != nil {
			return nil, err
		}
		if s.alive(c.now()) {
			out = append(out, s)
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].seen.After(out[j].seen) })
	return out, rows.Err()
}

// Check returns who holds the token. It does not extend the session: use it for polling, streams and assets (SES-05).
func (s *Sessions) Check(ctx context.Context, token string) (Who, error) {
	t, err := s.c.open(ctx, s.c.db, token)
	if err != nil {
		return Who{}, err
	}
	return t.who(), nil
}

// Touch is Check for an act of the person, and starts the idle time anew.
func (s *Sessions) Touch(ctx context.Context, token string) (Who, error) {
	t, err := s.c.open(ctx, s.c.db, token)
	if err != nil {
		return Who{}, err
	}
	if now := s.c.now(); now.Sub(t.seen) >= seenEvery {
		err = s.c.db.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE identity_session SET seen = $1 WHERE id = $2 AND seen < $1`, ms(now), t.id)
			return err
		})
	}
	return t.who(), err
}

// Ends tells when the session would end without another act, and at the latest (SES-04).
func (s *Sessions) Ends(ctx context.Context, token string) (idle, latest time.Time, err error) {
	t, err := s.c.open(ctx, s.c.db, token)
	if err != nil {
		return time.Time{}, time.Time{}, err
	}
	i, w := limits(t.a, t.Shared)
	latest = t.started.Add(w)
	idle = t.seen.Add(i)
	if idle.After(latest) {
		idle = latest
	}
	return idle, latest, nil
}

// Rotate gives the session a new token, e.g. when it changes context (SES-02); the old one is dead.
func (s *Sessions) Rotate(ctx context.Context, token string) (Grant, error) {
	var g Grant
	err := s.c.db.Write(ctx, func(tx *store.Tx) error {
		t, err := s.c.open(ctx, tx, token)
		if err != nil {
			return err
		}
		g, err = s.c.rotate(ctx, tx, t)
		return err
	})
	return g, err
}

func (c *core) rotate(ctx context.Context, tx *store.Tx, t *session) (Grant, error) {
	sealed, err := t.seal()
	if err != nil {
		return Grant{}, err
	}
	token, hash := newToken()
	n, err := tx.Exec(ctx, `UPDATE identity_session SET hash = $1, sealed = $2, seen = $3 WHERE id = $4 AND hash = $5`,
		hash, sealed, ms(c.now()), t.id, t.hash)
	if err != nil {
		return Grant{}, fmt.Errorf("identity: rotate session: %w", err)
	}
	if n == 0 {
		return Grant{}, ErrNoSession
	}
	return Grant{Token: token, Who: t.who(), Shared: t.Shared}, nil
}

// prove marks the session as proved now, at least at the level of the factor, under a new token (AUT-17, SES-02).
func (c *core) prove(ctx context.Context, tx *store.Tx, t *session, level int, detail string, from From) (Grant, error) {
	t.Proved, t.AAL = c.now(), max(t.AAL, level)
	g, err := c.rotate(ctx, tx, t)
	if err != nil {
		return Grant{}, err
	}
	return g, c.emit(ctx, tx, t.a, Event{Kind: EventProved, Session: t.id, Detail: detail}, from)
}

// SessionInfo is a session as its owner sees it.
type SessionInfo struct {
	ID            string
	Started, Seen time.Time
	IP, Agent     string
	Shared        bool
	Way           string // "passkey", "code", "recovery"
}

// List shows the account's live sessions, newest act first.
func (s *Sessions) List(ctx context.Context, account string) ([]SessionInfo, error) {
	a, err := s.c.load(ctx, s.c.db, account)
	if err != nil {
		return nil, err
	}
	live, err := s.c.sessions(ctx, s.c.db, a)
	if err != nil {
		return nil, err
	}
	var out []SessionInfo
	for _, t := range live {
		out = append(out, SessionInfo{ID: t.id, Started: t.started, Seen: t.seen, IP: t.IP, Agent: t.Agent, Shared: t.Shared, Way: t.Way})
	}
	return out, nil
}

// Signout ends the session of the token; an unknown one is no error.
func (s *Sessions) Signout(ctx context.Context, token string, from From) error {
	t, err := s.c.open(ctx, s.c.db, token)
	if err == ErrNoSession {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = s.end(ctx, t.a.id, Event{Kind: EventSignout}, from, func(id string) bool { return id == t.id })
	return err
}

// End ends one of the account's sessions; ErrNotFound if it has none of that id.
func (s *Sessions) End(ctx context.Context, account, session, by string) error {
	n, err := s.end(ctx, account, Event{Kind: EventSessionEnded, By: by}, From{}, func(id string) bool { return id == session })
	if err == nil && n == 0 {
		err = ErrNotFound
	}
	return err
}

// EndOthers ends all sessions of the person but this one, and says how many.
func (s *Sessions) EndOthers(ctx context.Context, who Who) (int, error) {
	return s.end(ctx, who.Account, Event{Kind: EventSessionEnded}, From{}, func(id string) bool { return id != who.Session })
}

// EndAll ends all sessions of an account.
func (s *Sessions) EndAll(ctx context.Context, account, by string) (int, error) {
	return s.end(ctx, account, Event{Kind: EventSessionEnded, By: by}, From{}, func(string) bool { return true })
}

func (s *Sessions) end(ctx context.Context, account string, e Event, from From, which func(id string) bool) (n int, err error) {
	err = s.c.db.Write(ctx, func(tx *store.Tx) error {
		n = 0
		a, err := s.c.load(ctx, tx, account)
		if err != nil {
			return err
		}
		live, err := s.c.sessions(ctx, tx, a)
		if err != nil {
			return err
		}
		for _, t := range live {
			if !which(t.id) {
				continue
			}
			if _, err := tx.Exec(ctx, `DELETE FROM identity_session WHERE id = $1`, t.id); err != nil {
				return fmt.Errorf("identity: end session: %w", err)
			}
			n++
			e.Session = t.id
			if err := s.c.emit(ctx, tx, a, e, from); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}
