package vault

import (
	"crypto/subtle"
	"encoding/binary"
	"fmt"
)

// A sealed record is
//
//	format 1 | coding 1 | dictionary 2 | key check 16 | salt 12 | nonce 12 | ciphertext | tag 16
//
// Format and coding say how to read it and are authenticated; the algorithm follows from format alone.
const (
	sealFormat = 1
	headerLen  = 4
	checkLen   = 16
	saltLen    = 12
	minSealed  = headerLen + checkLen + saltLen + 12 + 16

	codingRaw  = 0
	codingZstd = 1

	// MaxPlain is the most that one record may hold, before and after compression.
	MaxPlain = 256 << 20
)

func (v *Vault) sealAAD(at Place, header []byte) []byte {
	aad := make([]byte, 0, 80)
	aad = append(aad, "wellgate vault seal\x00"...)
	aad = append(aad, v.practice[:]...)
	aad = append(aad, byte(at.Kind))
	aad = binary.BigEndian.AppendUint64(aad, uint64(at.Chart))
	aad = binary.BigEndian.AppendUint64(aad, uint64(at.Seq))
	aad = binary.BigEndian.AppendUint64(aad, uint64(at.Segment))
	return append(aad, header...) // every part has a fixed length: no two places share an AAD
}

// Seal compresses and encrypts plain for place. It stores what is smaller, compressed or as it is.
func (k *Key) Seal(at Place, plain []byte) ([]byte, error) {
	if len(plain) > MaxPlain {
		return nil, fmt.Errorf("seal %d bytes: %w", len(plain), ErrTooLarge)
	}
	if err := k.usable(); err != nil {
		return nil, err
	}
	coding, dict, body := k.v.codec.pack(plain)
	if coding == codingZstd {
		defer k.v.codec.release(body)
	}
	out := make([]byte, 0, minSealed+len(body))
	out = append(out, sealFormat, coding)
	out = binary.BigEndian.AppendUint16(out, dict)
	salt := random(saltLen)
	key, check := k.recordKey(salt)
	defer clear(key[:])
	aad := k.v.sealAAD(at, out)
	out = append(out, check[:]...)
	out = append(out, salt...)
	return newGCM(key[:]).Seal(out, nil, body, aad), nil
}

// Open reverses Seal; any difference in key, place or bytes is ErrOpen.
func (k *Key) Open(at Place, sealed []byte) ([]byte, error) {
	if err := k.usable(); err != nil {
		return nil, err
	}
	if len(sealed) < minSealed || sealed[0] != sealFormat {
		return nil, ErrOpen
	}
	header, rest := sealed[:headerLen], sealed[headerLen:]
	check, salt, box := rest[:checkLen], rest[checkLen:checkLen+saltLen], rest[checkLen+saltLen:]
	key, want := k.recordKey(salt)
	defer clear(key[:])
	if subtle.ConstantTimeCompare(check, want[:]) != 1 {
		return nil, ErrOpen
	}
	body, err := newGCM(key[:]).Open(nil, nil, box, k.v.sealAAD(at, header))
	if err != nil {
		return nil, ErrOpen
	}
	switch header[1] {
	case codingRaw:
		return body, nil
	case codingZstd:
		return k.v.codec.unpack(binary.BigEndian.Uint16(header[2:4]), body)
	}
	return nil, ErrOpen
}
