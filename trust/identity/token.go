package identity

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/trust/vault"
)

var (
	// ErrNoToken means that a token is unknown, expired or revoked: the three answer alike.
	ErrNoToken = errors.New("identity: no such token")
	// ErrRate means that a service asks more often than its token allows.
	ErrRate = errors.New("identity: too many requests for this token")
)

// tokenPrefix lets secret scanners recognise what leaked; it says nothing of the token.
const tokenPrefix = "wgt_"

const (
	// tokensFresh is how long the tokens in memory count without asking the store; tokensStale how long while somebody else
	// is asking it. A token revoked on another node is dead within tokensStale (API-01).
	tokensFresh = 400 * time.Millisecond
	tokensStale = 900 * time.Millisecond
	// usedEvery bounds how often the time of use is written.
	usedEvery = time.Hour
)

// A Service is a system that comes with a token: what others may know about it.
type Service struct {
	ID      string
	Name    string // as patients see it in "who looked"
	Scope   string // SMART v2 system scopes
	Labels  bool   // made to see what carries a security label
	Purpose string // HL7 PurposeOfUse code of everything it does
	Rate    int    // requests a second; 0 is no limit
	Made    time.Time
	Expires time.Time
	Revoked time.Time
	Used    time.Time // to the hour; zero if never
}

// Tokens are opaque secrets of services. The store holds their hashes, and what they may do sealed together with the hash,
// so that a row given another hash opens nothing.
//
// Every check is made against memory. On one SQLite file this process is the authority, and a revocation counts when it is
// committed; other nodes of a PostgreSQL house ask for the list again when it is older than tokensFresh, and refuse to
// answer from one older than tokensStale.
type Tokens struct {
	c    *core
	list atomic.Pointer[tokenList]
	mu   sync.Mutex // held by whoever asks the store
}

type tokenList struct {
	at     time.Time
	byHash map[[sha256.Size]byte]*liveToken
}

// A liveToken is a token in memory. It outlives a reading of the list, so that its rate and use are not forgotten.
type liveToken struct {
	Service
	who      Who
	sealed   string // the row it came from
	used     atomic.Int64
	mu       sync.Mutex
	left     float64 // requests it may still make now
	refilled time.Time
}

// tokenDoc is the sealed part of a row.
type tokenDoc struct {
	Service
	Hash []byte
}

func tokenPlace() vault.Place { return vault.Place{Kind: vault.KindToken} }

// Make makes a token for a service and returns it: the only time that anybody sees it. by is the account that acted.
func (s *Tokens) Make(ctx context.Context, want Service, by string) (token string, made Service, err error) {
	if strings.TrimSpace(want.Name) == "" || len(want.Name) > 100 || want.Purpose == "" || want.Rate < 0 {
		return "", Service{}, errors.New("identity: a token needs a name of at most 100 bytes and a purpose")
	}
	scope, err := ParseScope(want.Scope, want.Labels)
	if err != nil {
		return "", Service{}, err
	}
	now := s.c.now()
	if !want.Expires.After(now) {
		return "", Service{}, errors.New("identity: a token must expire, and not before now")
	}
	want.ID, want.Scope, want.Made, want.Revoked, want.Used = newID(), scope.String(), now, time.Time{}, time.Time{}
	token = tokenPrefix + base64.RawURLEncoding.EncodeToString(randomBytes(32))
	hash := sha256.Sum256([]byte(token))
	sealed, err := s.seal(ctx, want, hash[:])
	if err != nil {
		return "", Service{}, err
	}
	err = s.c.db.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO identity_token (id, hash, expires, used, revoked, sealed) VALUES ($1, $2, $3, 0, 0, $4)`,
			want.ID, hash[:], ms(want.Expires), sealed); err != nil {
			return fmt.Errorf("identity: make token: %w", err)
		}
		return s.emit(ctx, tx, EventTokenMade, want, by)
	})
	s.forget()
	return token, want, err
}

// Revoke ends a token: at once here, within tokensStale on every other node.
func (s *Tokens) Revoke(ctx context.Context, id, by string) error {
	defer s.forget()
	return s.c.db.Write(ctx, func(tx *store.Tx) error {
		row, err := s.row(ctx, tx, id)
		if err != nil {
			return err
		}
		if !row.Revoked.IsZero() {
			return nil
		}
		row.Revoked = s.c.now()
		sealed, err := s.seal(ctx, row.Service, row.Hash)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE identity_token SET revoked = $1, sealed = $2 WHERE id = $3`, ms(row.Revoked), sealed, id); err != nil {
			return fmt.Errorf("identity: revoke token: %w", err)
		}
		return s.emit(ctx, tx, EventTokenRevoked, row.Service, by)
	})
}

// List gives every token there ever was, newest first.
func (s *Tokens) List(ctx context.Context) ([]Service, error) {
	docs, err := s.read(ctx, `SELECT id, hash, used, revoked, sealed FROM identity_token`)
	if err != nil {
		return nil, err
	}
	out := make([]Service, len(docs))
	for i, d := range docs {
		out[i] = d.doc.Service
	}
	sort.Slice(out, func(a, b int) bool { return out[a].Made.After(out[b].Made) })
	return out, nil
}

// Check says whose token this is, or ErrNoToken, or ErrRate. It counts as one request.
func (s *Tokens) Check(ctx context.Context, token string) (Who, error) {
	if !strings.HasPrefix(token, tokenPrefix) || len(token) > 128 {
		return Who{}, ErrNoToken
	}
	now := s.c.opts.Clock()
	list, err := s.current(ctx, now)
	if err != nil {
		return Who{}, err
	}
	t := list.byHash[sha256.Sum256([]byte(token))]
	if t == nil || !now.Before(t.Expires) {
		return Who{}, ErrNoToken
	}
	if hour := now.Truncate(usedEvery).UnixMilli(); t.used.Load() != hour {
		t.used.Store(hour)
	}
	if t.Rate > 0 && !t.take(now) {
		return Who{}, ErrRate
	}
	return t.who, nil
}

// take spends one request of the token's rate. A second's worth may be asked for at once.
func (t *liveToken) take(now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	rate := float64(t.Rate)
	if t.refilled.IsZero() {
		t.left = rate
	} else if gone := now.Sub(t.refilled).Seconds(); gone > 0 {
		t.left = min(rate, t.left+gone*rate)
	}
	t.refilled = now
	if t.left < 1 {
		return false
	}
	t.left--
	return true
}

// current is the list in memory if it is fresh enough. One caller asks the store; the others go on with what there is
// until it is stale, and then wait for the answer or its error: nobody is let in by a list that could not be read.
func (s *Tokens) current(ctx context.Context, now time.Time) (*tokenList, error) {
	old := s.list.Load()
	if old != nil && now.Sub(old.at) < tokensFresh {
		return old, nil
	}
	if old != nil && now.Sub(old.at) < tokensStale {
		if !s.mu.TryLock() {
			return old, nil
		}
	} else {
		s.mu.Lock()
	}
	defer s.mu.Unlock()
	if newer := s.list.Load(); newer != nil && newer != old && now.Sub(newer.at) < tokensFresh {
		return newer, nil
	}
	next, err := s.load(ctx, old)
	if err != nil {
		if old != nil && now.Sub(old.at) < tokensStale {
			return old, nil
		}
		return nil, err
	}
	s.list.Store(next)
	return next, nil
}

// forget makes the next check ask the store.
func (s *Tokens) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.list.Load(); l != nil {
		s.list.Store(&tokenList{byHash: l.byHash}) // read at the beginning of time
	}
}

func (s *Tokens) load(ctx context.Context, old *tokenList) (*tokenList, error) {
	at := s.c.opts.Clock() // before the reading: what is committed later is not in it
	kept := map[string]*liveToken{}
	if old != nil {
		for _, t := range old.byHash {
			kept[t.sealed] = t
		}
	}
	rows, err := s.read(ctx, `SELECT id, hash, used, revoked, sealed FROM identity_token WHERE revoked = 0 AND expires > $1`, ms(at))
	if err != nil {
		return nil, err
	}
	next := &tokenList{at: at, byHash: make(map[[sha256.Size]byte]*liveToken, len(rows))}
	for _, r := range rows {
		if !r.doc.Revoked.IsZero() {
			continue
		}
		t := kept[r.sealed]
		if t == nil {
			scope, err := ParseScope(r.doc.Scope, r.doc.Labels)
			if err != nil {
				return nil, fmt.Errorf("identity: token %s: %w", r.doc.ID, err)
			}
			t = &liveToken{Service: r.doc.Service, sealed: r.sealed}
			t.who = Who{Account: "token:" + r.doc.ID, Kind: ServiceKind, Name: r.doc.Name, Session: r.doc.ID, Scope: scope, Purpose: r.doc.Purpose}
		}
		next.byHash[[sha256.Size]byte(r.doc.Hash)] = t
	}
	return next, nil
}

type tokenRow struct {
	doc    tokenDoc
	sealed string
}

func (s *Tokens) read(ctx context.Context, query string, args ...any) ([]tokenRow, error) {
	rows, err := s.c.db.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("identity: tokens: %w", err)
	}
	defer rows.Close()
	var out []tokenRow
	for rows.Next() {
		var id string
		var hash, sealed []byte
		var used, revoked int64
		if err := rows.Scan(&id, &hash, &used, &revoked, &sealed); err != nil {
			return nil, fmt.Errorf("identity: tokens: %w", err)
		}
		doc, err := s.open(ctx, id, hash, sealed)
		if err != nil {
			return nil, err
		}
		if used > 0 {
			doc.Used = fromMS(used)
		}
		out = append(out, tokenRow{doc, string(sealed)})
	}
	return out, rows.Err()
}

func (s *Tokens) row(ctx context.Context, q store.Querier, id string) (tokenDoc, error) {
	var hash, sealed []byte
	err := q.QueryRow(ctx, `SELECT hash, sealed FROM identity_token WHERE id = $1`, id).Scan(&hash, &sealed)
	if noRows(err) {
		return tokenDoc{}, ErrNotFound
	}
	if err != nil {
		return tokenDoc{}, fmt.Errorf("identity: token: %w", err)
	}
	return s.open(ctx, id, hash, sealed)
}

func (s *Tokens) seal(ctx context.Context, v Service, hash []byte) ([]byte, error) {
	plain, err := json.Marshal(tokenDoc{v, hash})
	if err != nil {
		return nil, fmt.Errorf("identity: seal token: %w", err)
	}
	key, err := s.c.tokenKey(ctx)
	if err != nil {
		return nil, err
	}
	return key.Seal(tokenPlace(), plain)
}

// open opens a row and holds it against what stands beside the seal.
func (s *Tokens) open(ctx context.Context, id string, hash, sealed []byte) (tokenDoc, error) {
	key, err := s.c.tokenKey(ctx)
	if err != nil {
		return tokenDoc{}, err
	}
	plain, err := key.Open(tokenPlace(), sealed)
	if err != nil {
		return tokenDoc{}, fmt.Errorf("identity: token %s: %w", id, err)
	}
	var d tokenDoc
	if err := json.Unmarshal(plain, &d); err != nil {
		return tokenDoc{}, fmt.Errorf("identity: token %s: %w", id, err)
	}
	if d.ID != id || string(d.Hash) != string(hash) || len(hash) != sha256.Size {
		return tokenDoc{}, fmt.Errorf("identity: token %s: its row was changed; revoke it and make another", id)
	}
	return d, nil
}

// noteUse writes when tokens were last used, to the hour.
func (s *Tokens) noteUse(ctx context.Context, tx *store.Tx) error {
	l := s.list.Load()
	if l == nil {
		return nil
	}
	for _, t := range l.byHash {
		if used := t.used.Load(); used > 0 {
			if _, err := tx.Exec(ctx, `UPDATE identity_token SET used = $1 WHERE id = $2 AND used < $1`, used, t.ID); err != nil {
				return fmt.Errorf("identity: note use of tokens: %w", err)
			}
		}
	}
	return nil
}

func (s *Tokens) emit(ctx context.Context, tx *store.Tx, kind EventKind, v Service, by string) error {
	return s.c.emit(ctx, tx, nil, Event{Kind: kind, Account: "token:" + v.ID, Name: v.Name, Of: ServiceKind, By: by, Detail: v.Scope}, From{})
}
