package vault

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"fmt"

	"github.com/wellgate/wellgate/store"
)

// kek is a key-encryption key: it wraps chart keys.
type kek struct {
	number uint32
	aead   cipher.AEAD
}

func newKEK(number uint32, plain []byte) *kek {
	return &kek{number: number, aead: newGCM(derive(plain, "wrap", 32))}
}

// A wrapped key is: format 1, KEK number (4), then GCM(key 32 ‖ commitment 32) bound to practice and owner.
const wrapFormat = 1

func (v *Vault) keyAAD(owner string, head []byte) []byte {
	aad := make([]byte, 0, 64+len(owner))
	aad = append(aad, "wellgate vault key v1\x00"...)
	aad = append(aad, v.practice[:]...)
	aad = append(aad, head...)
	return append(aad, owner...)
}

func (v *Vault) wrap(owner string, key []byte) []byte {
	v.mu.RLock()
	k := v.keks[v.last]
	v.mu.RUnlock()
	head := binary.BigEndian.AppendUint32([]byte{wrapFormat}, k.number)
	plain := append(append(make([]byte, 0, 64), key...), commitment(key)...)
	defer clear(plain)
	return append(head, k.aead.Seal(nil, nil, plain, v.keyAAD(owner, head))...)
}

func (v *Vault) unwrap(owner string, wrapped []byte) ([]byte, error) {
	if len(wrapped) < 5 || wrapped[0] != wrapFormat {
		return nil, fmt.Errorf("key of %s: %w", owner, ErrOpen)
	}
	v.mu.RLock()
	k := v.keks[binary.BigEndian.Uint32(wrapped[1:5])]
	v.mu.RUnlock()
	if k == nil {
		return nil, fmt.Errorf("key of %s: %w", owner, ErrOpen)
	}
	plain, err := k.aead.Open(nil, nil, wrapped[5:], v.keyAAD(owner, wrapped[:5]))
	if err != nil || len(plain) != 64 || subtle.ConstantTimeCompare(commitment(plain[:32]), plain[32:]) != 1 {
		return nil, fmt.Errorf("key of %s: %w", owner, ErrOpen)
	}
	return plain[:32], nil
}

// commitment names a key without telling it; with it a wrapped key stands for one key only (CRY-03).
func commitment(key []byte) []byte { return derive(key, "commitment", 32) }

// Key seals and opens for one chart or account. Safe for concurrent use.
type Key struct {
	redacted
	v     *Vault
	block cipher.Block // AES under the sealing key; derives each record's own key
	sub   [16]byte     // CMAC subkey K1
}

func (v *Vault) newKey(plain []byte) *Key {
	k := keyOver(derive(plain, "seal", 32))
	k.v = v
	return k
}

// keyOver makes ready to derive record keys from a sealing key.
func keyOver(sealing []byte) *Key {
	k := &Key{block: newAES(sealing)}
	k.block.Encrypt(k.sub[:], k.sub[:])
	// NIST SP 800-38B subkey: shift left, and fold the carry in.
	carry := k.sub[0] >> 7
	for i := range 15 {
		k.sub[i] = k.sub[i]<<1 | k.sub[i+1]>>7
	}
	k.sub[15] = k.sub[15]<<1 ^ carry*0x87
	return k
}

// NewKey makes a key for owner (e.g. "chart/81") and its wrapped form for storage.
func (v *Vault) NewKey(ctx context.Context, owner string) (*Key, []byte, error) {
	plain := random(32)
	defer clear(plain)
	return v.newKey(plain), v.wrap(owner, plain), ctx.Err()
}

// OpenKey unwraps a stored key; ErrRoot or ErrOpen if it is not owner's.
func (v *Vault) OpenKey(ctx context.Context, owner string, wrapped []byte) (*Key, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	plain, err := v.unwrap(owner, wrapped)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	return v.newKey(plain), nil
}

// RewrapKey moves a stored key under the newest key-encryption key; false if it is there already.
func (v *Vault) RewrapKey(owner string, wrapped []byte) ([]byte, bool, error) {
	plain, err := v.unwrap(owner, wrapped)
	if err != nil {
		return nil, false, err
	}
	defer clear(plain)
	v.mu.RLock()
	last := v.last
	v.mu.RUnlock()
	if binary.BigEndian.Uint32(wrapped[1:5]) == last {
		return wrapped, false, nil
	}
	return v.wrap(owner, plain), true, nil
}

// Rewrap puts everything under newRoot and makes a new key-encryption key. The old root opens the store no more.
// Keys wrapped earlier stay readable; their owners move them with RewrapKey (journal.Rewrap), then Retire forgets the
// old key-encryption keys. A crash at any point leaves a store that one of the two roots opens.
func (v *Vault) Rewrap(ctx context.Context, newRoot Root) error {
	next := random(32)
	defer clear(next)
	var rows map[string][]byte
	err := v.db.Write(ctx, func(tx *store.Tx) error {
		old, err := readSecrets(ctx, tx)
		if err != nil {
			return err
		}
		v.mu.RLock()
		root, last := v.root, v.last
		v.mu.RUnlock()
		for name, wrapped := range old {
			aad := secretAAD(name, v.practice[:])
			if name == practiceRow {
				aad = secretAAD(name, nil)
			}
			plain, err := root.Unwrap(ctx, wrapped, aad)
			if err != nil {
				return rootError(name, err)
			}
			again, err := newRoot.Wrap(ctx, plain, aad)
			clear(plain)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, "UPDATE vault_secret SET wrapped = $1 WHERE name = $2", again, name); err != nil {
				return err
			}
		}
		if err := putSecret(ctx, tx, newRoot, kekName(last+1), next, v.practice[:]); err != nil {
			return err
		}
		tx.Scrub()
		rows, err = readSecrets(ctx, tx)
		return err
	})
	if err != nil {
		return fmt.Errorf("vault: rewrap: %w", err)
	}
	return v.loadKEKs(ctx, newRoot, rows)
}

// Retire forgets every key-encryption key but the newest. Call it when all owners have moved their keys; whatever was
// left behind is lost.
func (v *Vault) Retire(ctx context.Context) error {
	err := v.db.Write(ctx, func(tx *store.Tx) error {
		v.mu.RLock()
		keep := v.last
		v.mu.RUnlock()
		if _, err := tx.Exec(ctx, "DELETE FROM vault_secret WHERE name <> $1 AND name <> $2", practiceRow, kekName(keep)); err != nil {
			return err
		}
		tx.Scrub()
		tx.Committed(func() {
			v.mu.Lock()
			v.keks = map[uint32]*kek{keep: v.keks[keep]}
			v.mu.Unlock()
		})
		return nil
	})
	if err != nil {
		return fmt.Errorf("vault: retire: %w", err)
	}
	return nil
}

// recordKey derives a record's own key and key check from its 12-byte salt: NIST SP 800-108 counter mode with CMAC,
// the derivation of XAES-256-GCM, with counters 1, 2 for the key and 3 for the check.
func (k *Key) recordKey(salt []byte) (key [32]byte, check [16]byte) {
	block := func(counter byte, out []byte) {
		var m [aes.BlockSize]byte
		m[1], m[2] = counter, 'X'
		copy(m[4:], salt)
		subtle.XORBytes(m[:], m[:], k.sub[:])
		k.block.Encrypt(out, m[:])
	}
	block(1, key[:16])
	block(2, key[16:])
	block(3, check[:])
	return key, check
}
