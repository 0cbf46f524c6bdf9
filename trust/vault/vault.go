// Package vault holds the keys. It sees bytes and numbers, never what the bytes mean.
//
// Hierarchy: a root key (a file, with or without a passphrase; a KMS later) wraps the practice's secret and its
// key-encryption keys (KEK); the newest KEK wraps one key per chart. The root is asked at start, and by Watch whether it
// is still there; never per chart. While it is away nothing is sealed or opened, and nothing else takes its place.
// Nothing it hands out for storage is readable without the root key, and bytes sealed for one place (practice, chart,
// kind, sequence, segment) open nowhere else.
//
// Sealing is zstd, then AES-256-GCM under a key derived per record (XAES-256-GCM, c2sp.org/XAES-256-GCM), with a
// key check so that one ciphertext cannot be made to open under two keys (CRY-02, CRY-03).
package vault

import (
	"context"
	"crypto/cipher"
	"crypto/rand"
	"embed"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/wellgate/wellgate/store"
)

var (
	// ErrOpen means that sealed bytes were changed, moved, or sealed under another key.
	ErrOpen = errors.New("vault: sealed data does not open here; it was changed or moved")
	// ErrRoot means that the root key is missing, locked or the wrong one.
	ErrRoot = errors.New("vault: the root key does not open this store")
	// ErrTooLarge means that more bytes were to be sealed as one record than would be opened again.
	ErrTooLarge = errors.New("vault: too large for one record; store it as a file")
)

// Root wraps other keys. A KMS adapter has the same three methods.
type Root interface {
	ID() string
	Wrap(ctx context.Context, key, aad []byte) ([]byte, error)
	Unwrap(ctx context.Context, wrapped, aad []byte) ([]byte, error)
}

// Kind is part of what sealed bytes are bound to.
type Kind uint8

// Numbers are part of stored data: never reuse or renumber one.
const (
	KindLog Kind = iota + 1
	KindIndex
	KindBody
	KindFile
	KindAudit
	KindAccount
	KindSession
	KindFact
	KindOpening
	KindHead // a chart's newest sequence number and hash

	KindToken Kind = 32 // what a service's token may do
)

// Place is where sealed bytes belong; it is authenticated, so they open nowhere else.
type Place struct {
	Chart   int64 // or account number, by Kind
	Kind    Kind
	Seq     int64 // sequence or generation
	Segment int64
}

//go:embed schema/*.sql
var schema embed.FS

const practiceRow = "practice"

// Vault hands out keys and keyed tokens for one practice. Safe for concurrent use.
type Vault struct {
	redacted
	db       *store.DB
	practice [16]byte // the practice's id, in every place
	secret   [32]byte // every purpose's secret derives from it
	codec    *codec
	tokens   sync.Pool    // of hash.Hash: HMAC under the token secret
	ids      cipher.Block // permutes chart numbers

	mu    sync.RWMutex
	root  Root
	probe []byte // the practice's secret as root wrapped it
	keks  map[uint32]*kek
	last  uint32 // the KEK that wraps new keys

	away       atomic.Pointer[error] // why nothing may be sealed or opened now; nil while all is well
	generation atomic.Uint64         // grows when all keys are dropped
	hooksMu    sync.Mutex
	hooks      []func()
}

// Migrate brings this package's tables up to date, and makes nothing else: for a copy of a whole store.
func Migrate(ctx context.Context, db *store.DB) error { return db.Migrate(ctx, "vault", schema) }

// Open loads the practice's secrets from the store, making them on first use.
// Another root key than the one that made them is ErrRoot, and nothing is changed.
func Open(ctx context.Context, db *store.DB, root Root) (*Vault, error) {
	if root == nil {
		return nil, fmt.Errorf("%w: no root key given", ErrRoot)
	}
	if err := Migrate(ctx, db); err != nil {
		return nil, fmt.Errorf("vault: open: %w", err)
	}
	codec, err := sharedCodec()
	if err != nil {
		return nil, fmt.Errorf("vault: open: %w", err)
	}
	v := &Vault{db: db, root: root, codec: codec}
	rows, err := readSecrets(ctx, db)
	if err == nil && len(rows) == 0 {
		if err = untouched(ctx, db); err == nil {
			rows, err = firstSecrets(ctx, db, root)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("vault: open: %w", err)
	}
	if err := v.load(ctx, root, rows); err != nil {
		return nil, err
	}
	v.tokens.New = func() any { return v.newHMAC("token") }
	v.ids = newAES(v.Secret("public-id"))
	return v, nil
}

// load unwraps every stored secret.
func (v *Vault) load(ctx context.Context, root Root, rows map[string][]byte) error {
	wrapped, ok := rows[practiceRow]
	if !ok {
		return fmt.Errorf("%w: the practice's secret is missing; restore a backup", ErrRoot)
	}
	plain, err := root.Unwrap(ctx, wrapped, secretAAD(practiceRow, nil))
	if err != nil || len(plain) != len(v.practice)+len(v.secret) {
		return rootError("the practice's secret", err)
	}
	copy(v.practice[:], plain)
	copy(v.secret[:], plain[len(v.practice):])
	clear(plain)
	return v.loadKEKs(ctx, root, rows)
}

// loadKEKs unwraps the key-encryption keys and turns to root.
func (v *Vault) loadKEKs(ctx context.Context, root Root, rows map[string][]byte) error {
	keks, last := map[uint32]*kek{}, uint32(0)
	for name, wrapped := range rows {
		number, isKEK := kekNumber(name)
		if !isKEK {
			continue
		}
		plain, err := root.Unwrap(ctx, wrapped, secretAAD(name, v.practice[:]))
		if err != nil || len(plain) != 32 {
			return rootError("key "+name, err)
		}
		keks[number] = newKEK(number, plain)
		clear(plain)
		last = max(last, number)
	}
	if last == 0 {
		return fmt.Errorf("%w: the key-encryption keys are missing; restore a backup", ErrRoot)
	}
	v.mu.Lock()
	v.root, v.probe, v.keks, v.last = root, rows[practiceRow], keks, last
	v.mu.Unlock()
	return nil
}

// untouched refuses to make a practice in a store that others have made tables in: its secrets were there and are gone,
// and new ones would open nothing that is in it.
func untouched(ctx context.Context, db *store.DB) error {
	owners, err := db.Owners(ctx)
	if err != nil {
		return err
	}
	for _, o := range owners {
		if o != "vault" {
			return fmt.Errorf("%w: the practice's secrets are missing, but the store is not new; restore a backup", ErrRoot)
		}
	}
	return nil
}

// rootError says which secret failed to unwrap; it is always ErrRoot.
func rootError(what string, err error) error {
	if errors.Is(err, ErrRoot) {
		return fmt.Errorf("vault: open: %s: %w", what, err)
	}
	if err == nil {
		err = errors.New("wrong length")
	}
	return fmt.Errorf("%w: %s: %w", ErrRoot, what, err)
}

func readSecrets(ctx context.Context, q store.Querier) (map[string][]byte, error) {
	rows, err := q.Query(ctx, "SELECT name, wrapped FROM vault_secret")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[string][]byte{}
	for rows.Next() {
		var name string
		var wrapped []byte
		if err := rows.Scan(&name, &wrapped); err != nil {
			return nil, err
		}
		all[name] = wrapped
	}
	return all, rows.Err()
}

// firstSecrets makes the practice. Of two processes that start at once, the second finds the first one's rows.
func firstSecrets(ctx context.Context, db *store.DB, root Root) (map[string][]byte, error) {
	var all map[string][]byte
	err := db.Write(ctx, func(tx *store.Tx) error {
		err := tx.Lock(ctx, "vault")
		if err != nil {
			return err
		}
		if all, err = readSecrets(ctx, tx); err != nil || len(all) > 0 {
			return err
		}
		practice := random(16 + 32)
		defer clear(practice)
		if err := putSecret(ctx, tx, root, practiceRow, practice, nil); err != nil {
			return err
		}
		first := random(32)
		defer clear(first)
		if err := putSecret(ctx, tx, root, kekName(1), first, practice[:16]); err != nil {
			return err
		}
		all, err = readSecrets(ctx, tx)
		return err
	})
	return all, err
}

func putSecret(ctx context.Context, tx *store.Tx, root Root, name string, plain, practice []byte) error {
	wrapped, err := root.Wrap(ctx, plain, secretAAD(name, practice))
	if err != nil {
		return fmt.Errorf("wrap %s: %w", name, err)
	}
	_, err = tx.Exec(ctx, `INSERT INTO vault_secret (name, wrapped) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET wrapped = excluded.wrapped`, name, wrapped)
	return err
}

// secretAAD binds a wrapped secret to its row and its practice.
func secretAAD(name string, practice []byte) []byte {
	return append(append([]byte("wellgate vault secret v1\x00"), practice...), "\x00"+name...)
}

func kekName(n uint32) string { return "kek/" + strconv.FormatUint(uint64(n), 10) }

func kekNumber(name string) (uint32, bool) {
	digits, ok := strings.CutPrefix(name, "kek/")
	n, err := strconv.ParseUint(digits, 10, 32)
	return uint32(n), ok && err == nil && n > 0 && kekName(uint32(n)) == name
}

// Token is a 32-byte keyed fingerprint of parts in a domain, for look-ups and unique claims. Equal parts give equal tokens.
func (v *Vault) Token(domain string, parts ...string) []byte {
	h := v.tokens.Get().(hash.Hash)
	defer v.tokens.Put(h)
	h.Reset()
	// Each length goes before its bytes, so ("ab","c") and ("a","bc") differ.
	buf := make([]byte, 0, 128)
	buf = binary.BigEndian.AppendUint32(buf, uint32(len(parts)))
	for _, s := range append([]string{domain}, parts...) {
		buf = binary.BigEndian.AppendUint64(buf, uint64(len(s)))
		buf = append(buf, s...)
	}
	h.Write(buf)
	return h.Sum(nil)
}

// Secret is a 32-byte secret of the practice for one named purpose ("audit-signing", "csrf").
func (v *Vault) Secret(name string) []byte { return derive(v.secret[:], "secret/"+name, 32) }

// idAlphabet is RFC 4648 base32 in lower case: safe in URLs, FHIR ids and file names that ignore case.
const idLength = 26

// PublicID is a chart's number as it may stand in a URL or a resource id: 26 characters, unguessable.
func (v *Vault) PublicID(chart int64) string {
	var b [16]byte // the upper half stays zero: 2^-64 is the chance that a made-up id passes Chart
	binary.BigEndian.PutUint64(b[:8], uint64(chart))
	v.ids.Encrypt(b[:], b[:])
	return base32Lower.EncodeToString(b[:])
}

// Chart reverses PublicID; false for anything it did not make.
func (v *Vault) Chart(publicID string) (int64, bool) {
	if len(publicID) != idLength {
		return 0, false
	}
	b, err := base32Lower.DecodeString(publicID)
	if err != nil || len(b) != 16 || base32Lower.EncodeToString(b) != publicID { // one spelling per id
		return 0, false
	}
	v.ids.Decrypt(b, b)
	chart, zero := binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])
	if zero != 0 || chart == 0 || chart > 1<<63-1 {
		return 0, false
	}
	return int64(chart), true
}

// random never fails: crypto/rand stops the program if the system has no randomness.
func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}
