package identity

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/wellgate/wellgate/store"
)

// Throttling slows who guesses, never who owns (AUT-14, AUT-15). Three buckets per guess, kept in the store:
//
//   - of the login from unknown devices: 10 failures are free, then each costs a wait of 30 s doubling to 1 h. One
//     failure is forgiven per hour, so going on as fast as allowed needs more than 72 h for 100 failures.
//   - of one known device of that login, instead of the former: 10 failures in 24 h, then it counts as unknown.
//   - of the address, IPv4 /32 or IPv6 /64: 20 failures in a minute.
//
// and a run of failures in a row: after 100 that password (or that app) is off until it is set anew, and nothing else.
// A guess is charged before it is weighed and refunded when it was right, so parallel guesses get no extra tries.
const (
	freeFailures   = 10
	firstWait      = 30 * time.Second
	longestWait    = time.Hour
	forgiveUnknown = time.Hour
	forgiveDevice  = 24 * time.Hour / freeFailures
	addressLimit   = 20
	addressWindow  = time.Minute
	runLimit       = 100
)

// class is what is being guessed.
type class string

const (
	classPassword class = "password" // subject: folded login
	classCode     class = "code"     // subject: account; authenticator app and recovery codes
	classEnrol    class = "enrol"    // address bucket only
	classPasskey  class = "passkey"  // address bucket only, and only to bound what is written down
)

// guess is one attempt.
type guess struct {
	class   class
	subject string
	device  string // nonce of a genuine known-device cookie, "" if unknown
	ip      netip.Addr
}

type bucket struct {
	count     int64
	at, until time.Time
}

func (c *core) bucketID(kind string, g guess, parts ...string) []byte {
	return c.vault.Token("identity-throttle", append([]string{kind, string(g.class)}, parts...)...)
}

func (c *core) readBucket(ctx context.Context, q store.Querier, id []byte) (bucket, error) {
	var count, at, until int64
	err := q.QueryRow(ctx, `SELECT count, at, until FROM identity_throttle WHERE bucket = $1`, id).Scan(&count, &at, &until)
	if noRows(err) {
		return bucket{}, nil
	}
	if err != nil {
		return bucket{}, fmt.Errorf("identity: throttle: %w", err)
	}
	return bucket{count, fromMS(at), fromMS(until)}, nil
}

func (c *core) writeBucket(ctx context.Context, tx *store.Tx, id []byte, b bucket) error {
	if b.count == 0 && !b.until.After(c.now()) {
		if _, err := tx.Exec(ctx, `DELETE FROM identity_throttle WHERE bucket = $1`, id); err != nil {
			return fmt.Errorf("identity: throttle: %w", err)
		}
		return nil
	}
	at, until := ms(b.at), int64(0)
	if !b.until.IsZero() {
		until = ms(b.until)
	}
	_, err := tx.Exec(ctx, `INSERT INTO identity_throttle (bucket, count, at, until) VALUES ($1, $2, $3, $4)
		ON CONFLICT (bucket) DO UPDATE SET count = excluded.count, at = excluded.at, until = excluded.until`, id, b.count, at, until)
	if err != nil {
		return fmt.Errorf("identity: throttle: %w", err)
	}
	return nil
}

// leak forgives one failure per interval since the last change.
func (b bucket) leak(now time.Time, every time.Duration) bucket {
	if b.count == 0 || now.Before(b.at) {
		return b
	}
	n := int64(now.Sub(b.at) / every)
	if n >= b.count {
		return bucket{until: b.until}
	}
	b.count -= n
	b.at = b.at.Add(time.Duration(n) * every)
	return b
}

// fail adds a failure, and the wait that follows from it.
func (b bucket) fail(now time.Time) bucket {
	if b.count == 0 {
		b.at = now
	}
	b.count++
	if over := b.count - freeFailures; over > 0 {
		wait := longestWait
		if over <= 7 {
			wait = firstWait << (over - 1)
		}
		b.until = now.Add(min(wait, longestWait))
	}
	return b
}

// failAddress counts within a minute.
func (b bucket) failAddress(now time.Time) bucket {
	if b.count == 0 || now.Sub(b.at) >= addressWindow {
		b = bucket{at: now}
	}
	b.count++
	if b.count >= addressLimit {
		b.until = b.at.Add(addressWindow)
	}
	return b
}

// buckets of a guess, as they are now.
type buckets struct {
	addressID, guessID, runID []byte
	address, guess, run       bucket
	every                     time.Duration
}

// most is how full a device's own bucket may be to be used: a guess being charged needs room in it, one being refunded is
// in it already.
func (c *core) buckets(ctx context.Context, q store.Querier, g guess, most int64) (buckets, error) {
	now := c.now()
	b := buckets{addressID: c.bucketID("address", guess{}, prefix(g.ip)), runID: c.bucketID("run", g, g.subject)}
	var err error
	if b.address, err = c.readBucket(ctx, q, b.addressID); err != nil {
		return b, err
	}
	if now.Sub(b.address.at) >= addressWindow {
		b.address = bucket{}
	}
	if b.run, err = c.readBucket(ctx, q, b.runID); err != nil {
		return b, err
	}
	if g.device != "" {
		b.guessID, b.every = c.bucketID("device", g, g.subject, g.device), forgiveDevice
		if b.guess, err = c.readBucket(ctx, q, b.guessID); err != nil {
			return b, err
		}
		if b.guess = b.guess.leak(now, b.every); b.guess.count <= most {
			return b, nil
		}
	}
	b.guessID, b.every = c.bucketID("unknown", g, g.subject), forgiveUnknown
	b.guess, err = c.readBucket(ctx, q, b.guessID)
	b.guess = b.guess.leak(now, b.every)
	return b, err
}

// wait is the refusal if any bucket is closed.
func (b buckets) wait(now time.Time) error {
	until := b.address.until
	if b.guess.until.After(until) {
		until = b.guess.until
	}
	if until.After(now) {
		return &WaitError{Until: until}
	}
	return nil
}

// mayGuess is a look without a charge, before any work is done.
func (c *core) mayGuess(ctx context.Context, g guess) error {
	b, err := c.buckets(ctx, c.db, g, freeFailures-1)
	if err != nil {
		return err
	}
	return b.wait(c.now())
}

// charge counts the guess as failed, before it is weighed. off says that the run had reached its end before.
func (c *core) charge(ctx context.Context, tx *store.Tx, g guess) (off bool, run int64, err error) {
	now := c.now()
	b, err := c.buckets(ctx, tx, g, freeFailures-1)
	if err != nil {
		return false, 0, err
	}
	if err := b.wait(now); err != nil {
		return false, 0, err
	}
	off = b.run.count >= runLimit
	b.run.count++
	for _, w := range []struct {
		id []byte
		b  bucket
	}{{b.addressID, b.address.failAddress(now)}, {b.guessID, b.guess.fail(now)}, {b.runID, bucket{count: b.run.count, at: now}}} {
		if err := c.writeBucket(ctx, tx, w.id, w.b); err != nil {
			return false, 0, err
		}
	}
	return off, b.run.count, nil
}

// refund takes back the charge of a right guess, and ends the run of wrong ones.
func (c *core) refund(ctx context.Context, tx *store.Tx, g guess) error {
	b, err := c.buckets(ctx, tx, g, freeFailures)
	if err != nil {
		return err
	}
	back := func(b bucket) bucket { return bucket{count: max(0, b.count-1), at: b.at} }
	for _, w := range []struct {
		id []byte
		b  bucket
	}{{b.addressID, back(b.address)}, {b.guessID, back(b.guess)}, {b.runID, bucket{}}} {
		if err := c.writeBucket(ctx, tx, w.id, w.b); err != nil {
			return err
		}
	}
	return nil
}

// chargeAddress counts a failure that no guess bucket holds, and says whether the address is over its limit.
func (c *core) chargeAddress(ctx context.Context, tx *store.Tx, cl class, ip netip.Addr) (over bool, err error) {
	id := c.bucketID("address", guess{class: cl}, prefix(ip))
	b, err := c.readBucket(ctx, tx, id)
	if err != nil || b.until.After(c.now()) {
		return true, err
	}
	return false, c.writeBucket(ctx, tx, id, b.failAddress(c.now()))
}

// off says whether a run of failures has ended a factor.
func (c *core) off(ctx context.Context, q store.Querier, cl class, subject string) (bool, error) {
	b, err := c.readBucket(ctx, q, c.bucketID("run", guess{class: cl}, subject))
	return b.count >= runLimit, err
}

// forgive clears a factor's run and its waits: it was set anew.
func (c *core) forgive(ctx context.Context, tx *store.Tx, cl class, subject string) error {
	for _, kind := range []string{"run", "unknown"} {
		if _, err := tx.Exec(ctx, `DELETE FROM identity_throttle WHERE bucket = $1`, c.bucketID(kind, guess{class: cl}, subject)); err != nil {
			return fmt.Errorf("identity: throttle: %w", err)
		}
	}
	return nil
}

// prefix is what one subscriber usually holds: an IPv4 address, or an IPv6 /64.
func prefix(ip netip.Addr) string {
	ip = ip.Unmap()
	if !ip.IsValid() || ip.Is4() {
		return ip.String()
	}
	p, _ := ip.WithZone("").Prefix(64)
	return p.String()
}

// The known-device cookie (OWASP device cookies): one per login, named by a keyed token so that it does not tell whose
// it is, signed so that it cannot be made up. It opens a separate bucket and nothing else.
const deviceLife = 180 * 24 * time.Hour

func (c *core) deviceName(login string) string {
	t := c.vault.Token("identity-device", foldLogin(login))
	return "device-" + strings.ToLower(crockford.EncodeToString(t[:10]))
}

func (c *core) deviceMAC(login string, body []byte) []byte {
	m := hmac.New(sha256.New, c.vault.Secret("identity-device"))
	m.Write(c.loginToken(login))
	m.Write(body)
	return m.Sum(nil)
}

// newDevice makes the cookie's value.
func (c *core) newDevice(login string) string {
	body := binary.BigEndian.AppendUint64(randomBytes(16), uint64(ms(c.now())))
	return base64.RawURLEncoding.EncodeToString(append(body, c.deviceMAC(login, body)...))
}

// device reads a genuine, young enough cookie of the login: its nonce, or "".
func (c *core) device(from From, login string) string {
	if from.Cookie == nil {
		return ""
	}
	b, err := base64.RawURLEncoding.DecodeString(from.Cookie(Cookies{c.opts.InsecureLocalhost}.name(c.deviceName(login))))
	if err != nil || len(b) != 24+sha256.Size || !hmac.Equal(b[24:], c.deviceMAC(login, b[:24])) {
		return ""
	}
	if age := c.now().Sub(fromMS(int64(binary.BigEndian.Uint64(b[16:24])))); age < 0 || age > deviceLife {
		return ""
	}
	return string(b[:16])
}
