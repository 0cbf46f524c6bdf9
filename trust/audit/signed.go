package audit

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A checkpoint is a tree as c2sp.org/tlog-checkpoint writes it: origin, size, root.
type checkpoint struct {
	size int64
	root tlog.Hash
}

// newSigner makes the log's signer from its seed, and the vkey line (c2sp.org/signed-note) others verify with.
// The key's name is the origin, as tlog-checkpoint asks.
func newSigner(origin string, seed []byte) (note.Signer, string, error) {
	if len(seed) != ed25519.SeedSize {
		return nil, "", fmt.Errorf("the seed has %d bytes, not %d", len(seed), ed25519.SeedSize)
	}
	if origin == "" || strings.ContainsAny(origin, "+ \t\r\n") {
		return nil, "", errors.New("the origin must be one word without '+', such as wellgate.example/practice")
	}
	public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	vkey, err := note.NewEd25519VerifierKey(origin, public)
	if err != nil {
		return nil, "", err
	}
	hash := strings.Split(vkey, "+")[1]
	const ed25519Algorithm = 1
	secret := base64.StdEncoding.EncodeToString(append([]byte{ed25519Algorithm}, seed...))
	signer, err := note.NewSigner("PRIVATE+KEY+" + origin + "+" + hash + "+" + secret)
	return signer, vkey, err
}

func signCheckpoint(c checkpoint, signer note.Signer) ([]byte, error) {
	return note.Sign(&note.Note{Text: fmt.Sprintf("%s\n%d\n%s\n", signer.Name(), c.size, c.root)}, signer)
}

// openCheckpoint checks the log's signature and reads the tree. Signatures of others (witnesses) may stand beside it.
func openCheckpoint(signed []byte, v note.Verifier) (checkpoint, *note.Note, error) {
	n, err := note.Open(signed, note.VerifierList(v))
	if err != nil {
		return checkpoint{}, nil, fmt.Errorf("not signed by %s: %w", v.Name(), err)
	}
	// note.Open decodes base64 loosely; one signature must have one spelling.
	for _, s := range n.Sigs {
		if _, err := base64.StdEncoding.Strict().DecodeString(s.Base64); err != nil {
			return checkpoint{}, nil, errors.New("the signature's base64 is not canonical")
		}
	}
	lines := strings.SplitN(n.Text, "\n", 4)
	if len(lines) != 4 || lines[0] != v.Name() {
		return checkpoint{}, nil, errors.New("not a checkpoint of this log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return checkpoint{}, nil, errors.New("not a checkpoint: bad size")
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil || root.String() != lines[2] {
		return checkpoint{}, nil, errors.New("not a checkpoint: bad root")
	}
	return checkpoint{size, root}, n, nil
}

// sole says whether signed is exactly a three-line text and one signature: nothing that a reader could be misled by.
func sole(signed []byte, n *note.Note) bool {
	return len(n.Sigs) == 1 && strings.Count(n.Text, "\n") == 3 &&
		bytes.Equal(signed, fmt.Appendf(nil, "%s\n— %s %s\n", n.Text, n.Sigs[0].Name, n.Sigs[0].Base64))
}
