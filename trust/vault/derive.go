package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"hash"
	"log/slog"
)

var base32Lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// derive is HKDF-SHA-256 with the purpose as info. Its only error is a length that no caller uses.
func derive(secret []byte, purpose string, n int) []byte {
	b, err := hkdf.Key(sha256.New, secret, nil, "wellgate v1 "+purpose, n)
	if err != nil {
		panic("vault: derive: " + err.Error())
	}
	return b
}

// newAES takes over key: it is zeroed once the schedule is made.
func newAES(key []byte) cipher.Block {
	b, err := aes.NewCipher(key)
	if err != nil {
		panic("vault: " + err.Error()) // keys are 32 bytes by construction
	}
	clear(key)
	return b
}

// newGCM is AES-256-GCM with a random 96-bit nonce in front of each ciphertext.
func newGCM(key []byte) cipher.AEAD {
	a, err := cipher.NewGCMWithRandomNonce(newAES(key))
	if err != nil {
		panic("vault: " + err.Error())
	}
	return a
}

func (v *Vault) newHMAC(purpose string) hash.Hash {
	key := v.Secret(purpose)
	defer clear(key)
	return hmac.New(sha256.New, key)
}

// redacted, embedded, keeps a key out of every %v, %#v, %x, log line and JSON.
type redacted struct{}

const hidden = "vault: redacted"

func (redacted) Format(s fmt.State, _ rune)   { fmt.Fprint(s, hidden) }
func (redacted) String() string               { return hidden }
func (redacted) LogValue() slog.Value         { return slog.StringValue(hidden) }
func (redacted) MarshalText() ([]byte, error) { return []byte(hidden), nil }
