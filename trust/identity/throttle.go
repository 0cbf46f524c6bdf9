package identity

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/wellgate/wellgate/store"
)

// Throttling slows who guesses, never who owns (AUT-14, AUT-15). Buckets per guess, kept in the store:
//
//   - of the login from unknown devices: 10 failures are free, then each costs a wait of 30 s doubling to 1 h. One
//     failure is forgiven per hour, so going on as fast as allowed needs more than 72 h for 100 failures.
//   - of one known device of that login, instead of the former: 10 failures in 24 h, then it counts as unknown. A copy of
//     its cookie that comes from another network has a bucket of its own, so who stole it does not fill the owner's.
//   - of the login's pace, from wherever: unknown devices wait while it holds 20, and one is forgiven per hour. With it the
//     72 h also hold for somebody who guesses from a stolen device beside all others.
//   - of the address (IPv4 /32, IPv6 /64), 20 failures in a minute, and of its network (/24, /56), 60. Known devices are
//     counted there but never refused: their owners share offices and telephone networks with guessers.
//
// and a run of failures in a row: after 100 that password (or that app) is off until it is set anew, and nothing else.
// A guess is charged before it is weighed and refunded when it was right, so parallel guesses get no extra tries. While
// most passwords that come are wrong, unknown devices also work for each try (work.go).
const (
	freeFailures   = 10
	firstWait      = 30 * time.Second
	longestWait    = time.Hour
	forgiveUnknown = time.Hour
	forgiveDevice  = 24 * time.Hour / freeFailures
	paceLimit      = 20
	addressLimit   = 20
	networkLimit   = 60
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
	device  string // of a genuine known-device cookie: its nonce and where it is used; "" if unknown
	ip      netip.Addr
	work    string // what an unknown device has to show, if it is asked
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
func (b bucket) failAddress(now time.Time, limit int64) bucket {
	if b.count == 0 || now.Sub(b.at) >= addressWindow {
		b = bucket{at: now}
	}
	b.count++
	if b.count >= limit {
		b.until = b.at.Add(addressWindow)
	}
	return b
}

// A slot is a bucket and where it is kept.
type slot struct {
	id []byte
	bucket
}

// buckets of a guess, as they are now.
type buckets struct {
	address, network, guess, pace, run slot
	known                              bool // guess is a known device's own
}

// most is how full a device's own bucket may be to be used: a guess being charged needs room in it, one being refunded is
// in it already.
func (c *core) buckets(ctx context.Context, q store.Querier, g guess, most int64) (buckets, error) {
	now := c.now()
	var b buckets
	var err error
	read := func(s *slot, id []byte) {
		s.id = id
		if err == nil {
			s.bucket, err = c.readBucket(ctx, q, id)
		}
	}
	read(&b.address, c.bucketID("address", guess{}, prefix(g.ip)))
	read(&b.network, c.bucketID("network", guess{}, network(g.ip)))
	for _, s := range []*slot{&b.address, &b.network} {
		if now.Sub(s.at) >= addressWindow {
			s.bucket = bucket{}
		}
	}
	read(&b.run, c.bucketID("run", g, g.subject))
	read(&b.pace, c.bucketID("pace", g, g.subject))
	b.pace.bucket = b.pace.leak(now, forgiveUnknown)
	if g.device != "" {
		read(&b.guess, c.bucketID("device", g, g.subject, g.device))
		b.guess.bucket = b.guess.leak(now, forgiveDevice)
		if b.known = b.guess.count <= most; b.known {
			return b, err
		}
	}
	read(&b.guess, c.bucketID("unknown", g, g.subject))
	b.guess.bucket = b.guess.leak(now, forgiveUnknown)
	return b, err
}

// wait is the refusal if any bucket is closed. A known device's own bucket has room, or it would not be used.
func (b buckets) wait(now time.Time) error {
	if b.known {
		return nil
	}
	until := b.guess.until
	if over := b.pace.count - paceLimit; over >= 0 {
		until = later(until, b.pace.at.Add(time.Duration(over+1)*forgiveUnknown))
	}
	until = later(until, later(b.address.until, b.network.until))
	if until.After(now) {
		return &WaitError{Until: until}
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// takeTurns lets guesses that share a bucket be charged one after the other, on every node.
func (c *core) takeTurns(ctx context.Context, tx *store.Tx, g guess) error {
	names := []string{"identity-guess/network/" + hex.EncodeToString(c.bucketID("network", guess{}, network(g.ip)))}
	if g.subject != "" {
		names = append(names, "identity-guess/subject/"+hex.EncodeToString(c.bucketID("run", g, g.subject)))
	}
	for _, n := range names { // in the order of their names
		if err := tx.Lock(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// mayGuess is a look without a charge, before any work is done.
func (c *core) mayGuess(ctx context.Context, g guess) error {
	b, err := c.buckets(ctx, c.db, g, freeFailures-1)
	if err != nil {
		return err
	}
	if err := b.wait(c.now()); err != nil {
		return err
	}
	return c.mayTry(ctx, g, b.known)
}

// charge counts the guess as failed, before it is weighed. off says that the run had reached its end before.
func (c *core) charge(ctx context.Context, tx *store.Tx, g guess) (off bool, run int64, err error) {
	if err := c.takeTurns(ctx, tx, g); err != nil {
		return false, 0, err
	}
	now := c.now()
	b, err := c.buckets(ctx, tx, g, freeFailures-1)
	if err != nil {
		return false, 0, err
	}
	if err := b.wait(now); err != nil {
		return false, 0, err
	}
	if err := c.payWork(ctx, tx, g, b.known); err != nil {
		return false, 0, err
	}
	off = b.run.count >= runLimit
	run = b.run.count + 1
	pace := b.pace.bucket
	if pace.count == 0 {
		pace.at = now
	}
	pace.count++
	err = c.writeBuckets(ctx, tx,
		slot{b.address.id, b.address.failAddress(now, addressLimit)}, slot{b.network.id, b.network.failAddress(now, networkLimit)},
		slot{b.guess.id, b.guess.fail(now)}, slot{b.pace.id, pace}, slot{b.run.id, bucket{count: run, at: now}})
	if err != nil {
		return false, 0, err
	}
	return off, run, c.countTry(ctx, tx, g, 1, 1)
}

func (c *core) writeBuckets(ctx context.Context, tx *store.Tx, all ...slot) error {
	for _, s := range all {
		if err := c.writeBucket(ctx, tx, s.id, s.bucket); err != nil {
			return err
		}
	}
	return nil
}

// refund takes back the charge of a right guess, and ends the run of wrong ones.
func (c *core) refund(ctx context.Context, tx *store.Tx, g guess) error {
	if err := c.takeTurns(ctx, tx, g); err != nil {
		return err
	}
	b, err := c.buckets(ctx, tx, g, freeFailures)
	if err != nil {
		return err
	}
	back := func(s slot) slot { return slot{s.id, bucket{count: max(0, s.count-1), at: s.at}} }
	if err := c.writeBuckets(ctx, tx, back(b.address), back(b.network), back(b.guess), back(b.pace), slot{b.run.id, bucket{}}); err != nil {
		return err
	}
	return c.countTry(ctx, tx, g, 0, -1)
}

// chargeAddress counts a failure that no guess bucket holds, and says whether the address is over its limit.
func (c *core) chargeAddress(ctx context.Context, tx *store.Tx, cl class, ip netip.Addr) (over bool, err error) {
	if err := c.takeTurns(ctx, tx, guess{ip: ip}); err != nil {
		return true, err
	}
	for _, w := range []struct {
		id    []byte
		limit int64
	}{
		{c.bucketID("address", guess{class: cl}, prefix(ip)), addressLimit},
		{c.bucketID("network", guess{class: cl}, network(ip)), networkLimit},
	} {
		b, err := c.readBucket(ctx, tx, w.id)
		if err != nil || b.until.After(c.now()) {
			return true, err
		}
		if err := c.writeBucket(ctx, tx, w.id, b.failAddress(c.now(), w.limit)); err != nil {
			return true, err
		}
	}
	return false, nil
}

// off says whether a run of failures has ended a factor.
func (c *core) off(ctx context.Context, q store.Querier, cl class, subject string) (bool, error) {
	b, err := c.readBucket(ctx, q, c.bucketID("run", guess{class: cl}, subject))
	return b.count >= runLimit, err
}

// forgive clears a factor's run and its waits: it was set anew.
func (c *core) forgive(ctx context.Context, tx *store.Tx, cl class, subject string) error {
	for _, kind := range []string{"run", "unknown", "pace"} {
		if _, err := tx.Exec(ctx, `DELETE FROM identity_throttle WHERE bucket = $1`, c.bucketID(kind, guess{class: cl}, subject)); err != nil {
			return fmt.Errorf("identity: throttle: %w", err)
		}
	}
	return nil
}

// prefix is what one subscriber usually holds: an IPv4 address, or an IPv6 /64.
func prefix(ip netip.Addr) string { return cut(ip, 32, 64) }

// network is what one place or one provider's customer usually holds: an IPv4 /24, or an IPv6 /56.
func network(ip netip.Addr) string { return cut(ip, 24, 56) }

func cut(ip netip.Addr, v4, v6 int) string {
	ip = ip.Unmap().WithZone("")
	bits := v6
	if ip.Is4() {
		bits = v4
	}
	p, err := ip.Prefix(bits)
	if err != nil {
		return "none"
	}
	return p.String()
}

// The known-device cookie (OWASP device cookies): one per login, named by a keyed token so that it does not tell whose
// it is, signed so that it cannot be made up. It opens a separate bucket and nothing else. Each sign-in renews it: a copy
// taken before shares no bucket with its owner any more.
const deviceLife = 180 * 24 * time.Hour

const (
	nonceBytes  = 16
	homeBytes   = 8
	deviceBytes = nonceBytes + 8 + homeBytes // nonce, when, and the network it was given in
)

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

// home names a network for one cookie, and tells nobody which it is.
func (c *core) home(nonce []byte, ip netip.Addr) []byte {
	return c.vault.Token("identity-home", string(nonce), network(ip))[:homeBytes]
}

// newDevice makes the cookie's value.
func (c *core) newDevice(login string, ip netip.Addr) string {
	nonce := randomBytes(nonceBytes)
	body := binary.BigEndian.AppendUint64(nonce, uint64(ms(c.now())))
	body = append(body, c.home(nonce, ip)...)
	return base64.RawURLEncoding.EncodeToString(append(body, c.deviceMAC(login, body)...))
}

// device reads a genuine, young enough cookie of the login: its nonce, and whether it is used where it was given; or "".
func (c *core) device(from From, login string) string {
	if from.Cookie == nil {
		return ""
	}
	b, err := base64.RawURLEncoding.DecodeString(from.Cookie(Cookies{c.opts.InsecureLocalhost}.name(c.deviceName(login))))
	if err != nil || len(b) != deviceBytes+sha256.Size || !hmac.Equal(b[deviceBytes:], c.deviceMAC(login, b[:deviceBytes])) {
		return ""
	}
	nonce, when, home := b[:nonceBytes], b[nonceBytes:nonceBytes+8], b[nonceBytes+8:deviceBytes]
	if age := c.now().Sub(fromMS(int64(binary.BigEndian.Uint64(when)))); age < 0 || age > deviceLife {
		return ""
	}
	if hmac.Equal(home, c.home(nonce, from.IP)) {
		return string(nonce) + "home"
	}
	return string(nonce) + "away"
}
