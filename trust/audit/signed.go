package audit

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/wellgate/wellgate/trust/audit/witness"
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
	t, n, err := witness.Open(signed, v)
	return checkpoint{t.Size, t.Root}, n, err
}

// sole says whether signed is exactly a three-line text and one signature: nothing that a reader could be misled by.
func sole(signed []byte, n *note.Note) bool {
	return len(n.Sigs) == 1 && strings.Count(n.Text, "\n") == 3 && bytes.Equal(signed, witness.Only(n))
}
