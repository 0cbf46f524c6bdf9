package identity

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"strings"
	"time"

	"github.com/wellgate/wellgate/store"
)

// While most passwords that come are wrong, somebody is trying many of them, and limits by login and address are not
// enough. Then each try from an unknown device has its price (AUT-15): the device solves a small puzzle, or, where there is
// no script, its person waits. A puzzle counts for one login, one address, some minutes and one try; it gets harder with
// the attack. Known devices and passkeys are asked for nothing.
const (
	siegeTries = 200 // passwords in one minute, more than half of them wrong
	siegeHolds = 5   // minutes for which such a minute counts
	leastBits  = 17
	mostBits   = 21
	leastWait  = 30 * time.Second
	mostWait   = 10 * time.Minute
	workLife   = 10 * time.Minute // beyond the wait
	rateParts  = 8
	unpaidStep = 50 // tries without work are counted by so many at once
)

// A Puzzle is what an unknown device does for a try: find a number such that the SHA-256 of Seal, a dot and the number
// begins with Bits zero bits, and send the three as one text; or send Seal alone after Until.
type Puzzle struct {
	Seal  string
	Bits  int
	Until time.Time
}

// WorkError refuses a try until its puzzle is solved, or its wait is over. It is the same for logins that do not exist.
type WorkError struct{ Puzzle Puzzle }

func (e *WorkError) Error() string { return "identity: solve the puzzle first, or wait" }

// Work gives the puzzle that a try for this login would need from here, nil if it needs none.
func (s *Signin) Work(ctx context.Context, login string, from From) (*Puzzle, error) {
	c := s.c
	from.Work = ""
	g := passwordGuess(c, login, from)
	b, err := c.buckets(ctx, c.db, g, freeFailures-1)
	if err != nil || b.wait(c.now()) != nil { // who has to wait hears so from the try itself
		return nil, err
	}
	_, err = c.spendable(ctx, c.db, g, b.known)
	var work *WorkError
	if errors.As(err, &work) {
		return &work.Puzzle, nil
	}
	return nil, err
}

func minute(t time.Time) int64 { return t.Unix() / 60 }

// countTry adds to the minute's sums.
func (c *core) countTry(ctx context.Context, tx *store.Tx, g guess, tries, failures int64) error {
	if g.class != classPassword {
		return nil
	}
	part := int64(c.bucketID("address", guess{}, prefix(g.ip))[0]) % rateParts
	_, err := tx.Exec(ctx, `INSERT INTO identity_rate (minute, part, tries, failures) VALUES ($1, $2, $3, $4)
		ON CONFLICT (minute, part) DO UPDATE SET tries = identity_rate.tries + $3, failures = identity_rate.failures + $4`,
		minute(c.now()), part, tries, failures)
	if err != nil {
		return fmt.Errorf("identity: count tries: %w", err)
	}
	return nil
}

// siege is the number of wrong passwords in the worst of the last minutes that were under attack; 0 if none was.
func (c *core) siege(ctx context.Context, q store.Querier) (worst int64, err error) {
	err = q.QueryRow(ctx, `SELECT COALESCE(MAX(f), 0) FROM (
		SELECT CAST(SUM(tries) AS BIGINT) AS t, CAST(SUM(failures) AS BIGINT) AS f FROM identity_rate WHERE minute > $1 GROUP BY minute) AS m
		WHERE t > $2 AND f * 2 > t`, minute(c.now())-siegeHolds, siegeTries).Scan(&worst)
	if err != nil {
		return 0, fmt.Errorf("identity: count tries: %w", err)
	}
	return worst, nil
}

// mayTry asks an unknown device for its work, before anything costs us work. Tries without it count as wrong ones, or an
// attack that cannot pay would look as if it were over.
func (c *core) mayTry(ctx context.Context, g guess, known bool) error {
	_, err := c.spendable(ctx, c.db, g, known)
	var work *WorkError
	if !errors.As(err, &work) || c.unpaid.Add(1) < unpaidStep {
		return err
	}
	if n := c.unpaid.Swap(0); n > 0 {
		if werr := c.db.Write(ctx, func(tx *store.Tx) error { return c.countTry(ctx, tx, g, n, n) }); werr != nil {
			return werr
		}
	}
	return err
}

// payWork uses the work up, once.
func (c *core) payWork(ctx context.Context, tx *store.Tx, g guess, known bool) error {
	w, err := c.spendable(ctx, tx, g, known)
	if err != nil || w.id == nil {
		return err
	}
	n, err := tx.Exec(ctx, `INSERT INTO identity_spent (id, expires) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING`, w.id, ms(w.expires))
	if err != nil {
		return fmt.Errorf("identity: spend work: %w", err)
	}
	if n == 0 {
		return &WorkError{c.newPuzzle(g, w.worst)}
	}
	return nil
}

// paid is work that may be spent; no id means that none is asked for.
type paid struct {
	id      []byte
	expires time.Time
	worst   int64
}

func (c *core) spendable(ctx context.Context, q store.Querier, g guess, known bool) (paid, error) {
	if known || g.class != classPassword {
		return paid{}, nil
	}
	worst, err := c.siege(ctx, q)
	if err != nil || worst == 0 {
		return paid{}, err
	}
	id, expires := c.weighWork(g)
	if id == nil {
		return paid{}, &WorkError{c.newPuzzle(g, worst)}
	}
	return paid{id, expires, worst}, nil
}

// A work's body: what is signed of a puzzle.
type work struct {
	nonce  [16]byte
	issued time.Time
	bits   int
	wait   time.Duration
}

const workBytes = 16 + 8 + 1 + 2

func (w work) body() []byte {
	b := binary.BigEndian.AppendUint64(w.nonce[:], uint64(ms(w.issued)))
	return binary.BigEndian.AppendUint16(append(b, byte(w.bits)), uint16(w.wait/time.Second))
}

func (c *core) workMAC(g guess, body []byte) []byte {
	m := hmac.New(sha256.New, c.vault.Secret("identity-work"))
	m.Write(c.loginToken(g.subject))
	m.Write([]byte(prefix(g.ip) + "\x00"))
	m.Write(body)
	return m.Sum(nil)
}

func (c *core) newPuzzle(g guess, worst int64) Puzzle {
	w := work{nonce: [16]byte(randomBytes(16)), issued: fromMS(ms(c.now())), bits: leastBits, wait: leastWait}
	for n := worst; n >= 2*siegeTries && w.bits < mostBits; n /= 2 {
		w.bits, w.wait = w.bits+1, min(2*w.wait, mostWait)
	}
	body := w.body()
	return Puzzle{Seal: base64.RawURLEncoding.EncodeToString(append(body, c.workMAC(g, body)...)), Bits: w.bits, Until: w.issued.Add(w.wait)}
}

// weighWork reads what a form carried: the id under which it is spent, nil if it is worth nothing. Who waited instead of
// working has one try per address and waiting time, however many waits were begun in it.
func (c *core) weighWork(g guess) (id []byte, expires time.Time) {
	seal, answer, solved := strings.Cut(g.work, ".")
	b, err := base64.RawURLEncoding.DecodeString(seal)
	if err != nil || len(g.work) > 200 || len(b) != workBytes+sha256.Size || !hmac.Equal(b[workBytes:], c.workMAC(g, b[:workBytes])) {
		return nil, time.Time{}
	}
	w := work{
		nonce: [16]byte(b[:16]), issued: fromMS(int64(binary.BigEndian.Uint64(b[16:24]))), bits: int(b[24]),
		wait: time.Duration(binary.BigEndian.Uint16(b[25:27])) * time.Second,
	}
	now := c.now()
	expires = w.issued.Add(w.wait + workLife)
	switch {
	case now.Before(w.issued) || !now.Before(expires):
		return nil, time.Time{}
	case solved:
		if answer == "" || leadingZeros(sha256.Sum256([]byte(g.work))) < w.bits {
			return nil, time.Time{}
		}
		return workID("solved", string(w.nonce[:])), expires
	case now.Before(w.issued.Add(w.wait)):
		return nil, time.Time{}
	}
	turn := w.issued.Unix() / int64(w.wait/time.Second)
	return workID("waited", fmt.Sprint(prefix(g.ip), w.wait, turn)), expires
}

func workID(kind, what string) []byte {
	h := sha256.Sum256([]byte("work/" + kind + "/" + what))
	return h[:]
}

// leadingZeros counts the zero bits at the beginning.
func leadingZeros(sum [sha256.Size]byte) int {
	n := 0
	for _, b := range sum {
		if n += bits.LeadingZeros8(b); b != 0 {
			break
		}
	}
	return n
}
