package identity

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/argon2"
)

// HashParams of argon2id.
type HashParams struct {
	MiB, Time uint32
	Threads   uint8
}

// queueLimit is how long a password check waits for its turn (AUT-05).
const queueLimit = 2 * time.Second

// hasher computes argon2id over HMAC-SHA-256(pepper, secret), at most one per core at a time: 64 MiB each would
// otherwise make sign-in a way to use up memory.
type hasher struct {
	now      HashParams
	recovery HashParams // of recovery codes
	pepper   []byte
	gate     chan struct{}
	waiting  atomic.Int32
	done     atomic.Int64 // evaluations, which tests compare instead of wall time (AUT-16)
}

// maxWaiting is about what two cores hash in two seconds.
const maxWaiting = 32

func newHasher(p HashParams, pepper []byte) *hasher {
	return &hasher{now: p, recovery: recoveryParams, pepper: pepper, gate: make(chan struct{}, runtime.GOMAXPROCS(0))}
}

// enter takes a place; the caller must leave. ErrBusy after two seconds, or at once when more wait already than can be
// served in that time: whoever waits also holds one of the door's places, and other pages need those (AUT-05).
func (h *hasher) enter(ctx context.Context) error {
	select {
	case h.gate <- struct{}{}:
		return nil
	default:
	}
	if h.waiting.Add(1) > maxWaiting {
		h.waiting.Add(-1)
		return ErrBusy
	}
	defer h.waiting.Add(-1)
	t := time.NewTimer(queueLimit)
	defer t.Stop()
	select {
	case h.gate <- struct{}{}:
		return nil
	case <-t.C:
		return ErrBusy
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *hasher) leave() { <-h.gate }

func (h *hasher) sum(p HashParams, salt []byte, secret string) []byte {
	h.done.Add(1)
	m := hmac.New(sha256.New, h.pepper)
	m.Write([]byte(secret))
	return argon2.IDKey(m.Sum(nil), salt, p.Time, p.MiB*1024, p.Threads, 32)
}

// make hashes a new secret to a PHC string.
func (h *hasher) make(secret string) string {
	salt := randomBytes(16)
	return phc(h.now, salt, h.sum(h.now, salt, secret))
}

// dummy is a PHC string of today's work that nothing matches: an unknown login costs what a known one does.
func (h *hasher) dummy() string { return phc(h.now, randomBytes(16), randomBytes(32)) }

// verify compares in constant time; stale says that the parameters have changed since.
func (h *hasher) verify(encoded, secret string) (ok, stale bool, err error) {
	p, salt, want, err := parsePHC(encoded)
	if err != nil {
		return false, false, err
	}
	return subtle.ConstantTimeCompare(h.sum(p, salt, secret), want) == 1, p != h.now, nil
}

func phc(p HashParams, salt, sum []byte) string {
	b := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.MiB*1024, p.Time, p.Threads,
		b.EncodeToString(salt), b.EncodeToString(sum))
}

func parsePHC(s string) (p HashParams, salt, sum []byte, err error) {
	bad := fmt.Errorf("identity: not a PHC string of argon2id")
	part := strings.Split(s, "$")
	if len(part) != 6 || part[0] != "" || part[1] != "argon2id" || part[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, nil, nil, bad
	}
	var kib uint32
	if n, err := fmt.Sscanf(part[3], "m=%d,t=%d,p=%d", &kib, &p.Time, &p.Threads); err != nil || n != 3 || kib%1024 != 0 {
		return p, nil, nil, bad
	}
	p.MiB = kib / 1024
	b := base64.RawStdEncoding
	if salt, err = b.DecodeString(part[4]); err != nil || len(salt) < 16 {
		return p, nil, nil, bad
	}
	if sum, err = b.DecodeString(part[5]); err != nil || len(sum) != 32 {
		return p, nil, nil, bad
	}
	return p, salt, sum, nil
}
