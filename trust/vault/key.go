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

func (v *Vault) wrap(k *kek, owner string, key []byte) []byte {
	head := kekHead(k.number)
	plain := append(append(make([]byte, 0, 64), key...), commitment(key)...)
	defer clear(plain)
	return append(head, k.aead.Seal(nil, nil, plain, v.keyAAD(owner, head))...)
}

// kekHead begins every key wrapped by key-encryption key n.
func kekHead(n uint32) []byte { return binary.BigEndian.AppendUint32([]byte{wrapFormat}, n) }

func (v *Vault) unwrap(ctx context.Context, owner string, wrapped []byte) ([]byte, error) {
	if err := v.Err(); err != nil {
		return nil, fmt.Errorf("key of %s: %w", owner, err)
	}
	if len(wrapped) < 5 || wrapped[0] != wrapFormat {
		return nil, fmt.Errorf("key of %s: %w", owner, ErrOpen)
	}
	k, err := v.kek(ctx, binary.BigEndian.Uint32(wrapped[1:5]))
	if err != nil {
		return nil, fmt.Errorf("key of %s: %w", owner, err)
	}
	return v.unwrapBy(k, owner, wrapped)
}

func (v *Vault) unwrapBy(k *kek, owner string, wrapped []byte) ([]byte, error) {
	if len(wrapped) < 5 {
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
	v          *Vault
	generation uint64
	block      cipher.Block // AES under the sealing key; derives each record's own key
	sub        [16]byte     // CMAC subkey K1
}

func (v *Vault) newKey(plain []byte) *Key {
	k := keyOver(derive(plain, "seal", 32))
	k.v, k.generation = v, v.generation.Load()
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

// NewKey makes a key for owner (e.g. "chart/81") and its wrapped form for storage in the same transaction.
func (v *Vault) NewKey(ctx context.Context, tx *store.Tx, owner string) (*Key, []byte, error) {
	k, err := v.current(ctx, tx)
	if err != nil {
		return nil, nil, fmt.Errorf("new key of %s: %w", owner, err)
	}
	plain := random(32)
	defer clear(plain)
	return v.newKey(plain), v.wrap(k, owner, plain), ctx.Err()
}

// OpenKey unwraps a stored key; ErrRoot or ErrOpen if it is not owner's.
func (v *Vault) OpenKey(ctx context.Context, owner string, wrapped []byte) (*Key, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	plain, err := v.unwrap(ctx, owner, wrapped)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	return v.newKey(plain), nil
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
