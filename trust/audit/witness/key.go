package witness

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/wellgate/wellgate/internal/clock"
)

// Tree is what a checkpoint signs (c2sp.org/tlog-checkpoint): size and root.
type Tree struct {
	Size int64
	Root tlog.Hash
}

// Open checks the signature of the log that v is the key of, and reads the tree. Signatures of others may stand beside it.
func Open(signed []byte, v note.Verifier) (Tree, *note.Note, error) {
	n, err := note.Open(signed, note.VerifierList(v))
	if err != nil {
		return Tree{}, nil, fmt.Errorf("not signed by %s: %w", v.Name(), err)
	}
	// note.Open decodes base64 loosely; one signature must have one spelling.
	for _, s := range n.Sigs {
		if _, err := base64.StdEncoding.Strict().DecodeString(s.Base64); err != nil {
			return Tree{}, nil, errors.New("the signature's base64 is not canonical")
		}
	}
	lines := strings.SplitN(n.Text, "\n", 4)
	if len(lines) != 4 || lines[0] != v.Name() {
		return Tree{}, nil, errors.New("not a checkpoint of this log")
	}
	size, err := parseSize(lines[1])
	if err != nil {
		return Tree{}, nil, errors.New("not a checkpoint: bad size")
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil || root.String() != lines[2] {
		return Tree{}, nil, errors.New("not a checkpoint: bad root")
	}
	return Tree{size, root}, n, nil
}

func parseSize(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err == nil && (n < 0 || strconv.FormatInt(n, 10) != s) {
		err = errors.New("not a decimal in its only spelling")
	}
	return n, err
}

// Only is a note with nothing but the text and the signatures that verified.
func Only(n *note.Note) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n", n.Text)
	for _, s := range n.Sigs {
		fmt.Fprintf(&b, "— %s %s\n", s.Name, s.Base64)
	}
	return b.Bytes()
}

// The type byte of Ed25519 cosignatures in key lines and key ids.
const cosignature = 4

const stampLen = 8

// keyID is the first bytes of SHA-256(name, line end, type, key).
func keyID(name string, public ed25519.PublicKey) uint32 {
	h := sha256.Sum256(fmt.Appendf(nil, "%s\n%c%s", name, cosignature, public))
	return binary.BigEndian.Uint32(h[:4])
}

// message is what an Ed25519 cosignature signs.
func message(at uint64, text []byte) []byte {
	return fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", at, text)
}

// A Key checks cosignatures of one witness. It is a note.Verifier.
type Key struct {
	name   string
	id     uint32
	public ed25519.PublicKey
}

var errKey = errors.New("not a witness's key line (name+hash+key, of type 4: Ed25519 cosignatures)")

// ParseKey reads a witness's key line (c2sp.org/signed-note vkey of type 4).
func ParseKey(vkey string) (*Key, error) {
	parts := strings.SplitN(strings.TrimSpace(vkey), "+", 3)
	if len(parts) != 3 || parts[0] == "" || strings.ContainsAny(parts[0], " \t\r\n") {
		return nil, errKey
	}
	id, err := hex.DecodeString(parts[1])
	if err != nil || len(id) != 4 {
		return nil, errKey
	}
	b, err := base64.StdEncoding.Strict().DecodeString(parts[2])
	if err != nil || len(b) != 1+ed25519.PublicKeySize || b[0] != cosignature {
		return nil, errKey
	}
	k := &Key{parts[0], binary.BigEndian.Uint32(id), b[1:]}
	if keyID(k.name, k.public) != k.id {
		return nil, errKey
	}
	return k, nil
}

// Name is the witness's.
func (k *Key) Name() string { return k.name }

// KeyHash is the key's id in signature lines.
func (k *Key) KeyHash() uint32 { return k.id }

// String is the key line.
func (k *Key) String() string {
	return fmt.Sprintf("%s+%08x+%s", k.name, k.id, base64.StdEncoding.EncodeToString(append([]byte{cosignature}, k.public...)))
}

// Verify is note.Verifier's.
func (k *Key) Verify(text, sig []byte) bool {
	if len(sig) != stampLen+ed25519.SignatureSize {
		return false
	}
	at := binary.BigEndian.Uint64(sig)
	return at <= math.MaxInt64 && ed25519.Verify(k.public, message(at, text), sig[stampLen:])
}

// Cosigned finds the witness's good cosignature among a note's lines: its line, and when it says it was made.
func (k *Key) Cosigned(signed []byte) (line []byte, at time.Time, ok bool) {
	n, err := note.Open(signed, note.VerifierList(k))
	if err != nil || len(n.Sigs) != 1 {
		return nil, time.Time{}, false
	}
	b, err := base64.StdEncoding.Strict().DecodeString(n.Sigs[0].Base64)
	if err != nil {
		return nil, time.Time{}, false
	}
	at = time.Unix(int64(binary.BigEndian.Uint64(b[4:])), 0).UTC()
	return fmt.Appendf(nil, "— %s %s\n", n.Sigs[0].Name, n.Sigs[0].Base64), at, true
}

// A signer cosigns. It is a note.Signer.
type signer struct {
	*Key
	private ed25519.PrivateKey
	clock   clock.Clock
}

func newSigner(name string, seed []byte, clock clock.Clock) (*signer, error) {
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("the seed has %d bytes, not %d", len(seed), ed25519.SeedSize)
	}
	if name == "" || strings.ContainsAny(name, "+ \t\r\n") {
		return nil, errors.New("a witness's name is one word without '+', such as witness.example/w1")
	}
	private := ed25519.NewKeyFromSeed(seed)
	public := private.Public().(ed25519.PublicKey)
	return &signer{&Key{name, keyID(name, public), public}, private, clock}, nil
}

// Sign is note.Signer's.
func (s *signer) Sign(text []byte) ([]byte, error) {
	at := uint64(max(s.clock().Unix(), 0))
	return append(binary.BigEndian.AppendUint64(nil, at), ed25519.Sign(s.private, message(at, text))...), nil
}
