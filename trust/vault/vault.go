// Package vault holds the keys. It sees bytes and numbers, never what the bytes mean.
//
// Hierarchy: a root key (a file, with or without a passphrase; a KMS later) wraps one key per chart and
// one secret per purpose. Nothing it hands out for storage is readable without the root key, and bytes
// sealed for one place (practice, chart, kind, sequence, segment) open nowhere else.
package vault

import (
	"context"
	"errors"

	"github.com/wellgate/wellgate/store"
)

var (
	// ErrOpen means that sealed bytes were changed, moved, or sealed under another key.
	ErrOpen = errors.New("vault: sealed data does not open here; it was changed or moved")
	// ErrRoot means that the root key is missing, locked or the wrong one.
	ErrRoot = errors.New("vault: the root key does not open this store")
)

// Root wraps other keys. A KMS adapter has the same three methods.
type Root interface {
	ID() string
	Wrap(ctx context.Context, key, aad []byte) ([]byte, error)
	Unwrap(ctx context.Context, wrapped, aad []byte) ([]byte, error)
}

// CreateRoot makes a new root key file (mode 0600, refuses to overwrite). With a passphrase the file is useless without it.
func CreateRoot(path string, passphrase []byte) (Root, error) { panic("todo") }

// OpenRoot reads a root key file. It refuses a file that other users can read.
func OpenRoot(path string, passphrase []byte) (Root, error) { panic("todo") }

// Kind is part of what sealed bytes are bound to.
type Kind uint8

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
)

// Place is where sealed bytes belong; it is authenticated, so they open nowhere else.
type Place struct {
	Chart   int64 // or account number, by Kind
	Kind    Kind
	Seq     int64 // sequence or generation
	Segment int64
}

// Vault hands out keys and keyed tokens for one practice.
type Vault struct{ todo int }

// Open loads the practice's secrets from the store, making them on first use.
func Open(ctx context.Context, db *store.DB, root Root) (*Vault, error) { panic("todo") }

// Key seals and opens for one chart or account. Safe for concurrent use.
type Key struct{ todo int }

// NewKey makes a key for owner (e.g. "chart/81") and its wrapped form for storage.
func (v *Vault) NewKey(ctx context.Context, owner string) (*Key, []byte, error) { panic("todo") }

// OpenKey unwraps a stored key; ErrRoot or ErrOpen if it is not owner's.
func (v *Vault) OpenKey(ctx context.Context, owner string, wrapped []byte) (*Key, error) {
	panic("todo")
}

// Seal compresses and encrypts plain for place.
func (k *Key) Seal(at Place, plain []byte) ([]byte, error) { panic("todo") }

// Open reverses Seal; any difference in key, place or bytes is ErrOpen.
func (k *Key) Open(at Place, sealed []byte) ([]byte, error) { panic("todo") }

// Token is a 32-byte keyed fingerprint of parts in a domain, for look-ups and unique claims. Equal parts give equal tokens.
func (v *Vault) Token(domain string, parts ...string) []byte { panic("todo") }

// Secret is a 32-byte secret of the practice for one named purpose ("audit-signing", "csrf").
func (v *Vault) Secret(name string) []byte { panic("todo") }

// PublicID is a chart's number as it may stand in a URL or a resource id: 26 characters, unguessable.
func (v *Vault) PublicID(chart int64) string { panic("todo") }

// Chart reverses PublicID; false for anything it did not make.
func (v *Vault) Chart(publicID string) (int64, bool) { panic("todo") }
