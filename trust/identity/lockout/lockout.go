// Package lockout replays attacks on sign-in against the real accounts, under a clock of its own.
//
// It answers two questions (AUT-14): how long must somebody go on guessing until a password is turned off, and does its
// owner get in meanwhile, at every hour, by password on a known device and by passkey on any. Nothing here is made easier
// for the accounts: what is asked of a guesser is asked of the replay.
package lockout

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/wellgate/wellgate/internal/clock"
	"github.com/wellgate/wellgate/trust/identity"
)

// Least is how long disabling a password has to take.
const Least = 72 * time.Hour

// Open makes a practice of its own for one replay.
type Open func(context.Context, clock.Clock) (accounts *identity.Identity, origin string, close func() error, err error)

// An Outcome is what one attack came to.
type Outcome struct {
	Attack  string
	About   string
	Off     time.Duration // until the password was off, its owner being away; 0 if it never was within the time given
	Weighed int           // guesses that were looked at until then
	Refused int           // and tries that were not
	Tries   int           // of the owner to get in, in a second replay
	ByWord  int           // how often the password let them in, on a device they had used before
	ByKey   int           // how often a passkey did, on a device never seen
	Wrong   error         // the first refusal of the owner
}

// Held says whether the attack came to nothing.
func (o Outcome) Held() bool {
	return (o.Off == 0 || o.Off >= Least) && o.ByWord == o.Tries && o.ByKey == o.Tries
}

// Attacks names what can be replayed.
func Attacks() []string {
	var out []string
	for _, a := range attacks {
		out = append(out, a.name)
	}
	return out
}

// A Length is how long a replay goes on, and how often the owner signs in meanwhile.
type Length struct{ Whole, Every time.Duration }

// Run replays one attack twice: with the owner away, and with the owner signing in again and again.
func Run(ctx context.Context, open Open, name string, seed uint64, l Length) (Outcome, error) {
	for _, a := range attacks {
		if a.name != name {
			continue
		}
		o := Outcome{Attack: a.name, About: a.about}
		if err := a.away(ctx, open, seed, l, &o); err != nil {
			return o, fmt.Errorf("lockout: %s, seed %d: %w", name, seed, err)
		}
		if err := a.home(ctx, open, seed, l, &o); err != nil {
			return o, fmt.Errorf("lockout: %s, seed %d: %w", name, seed, err)
		}
		return o, nil
	}
	return Outcome{}, fmt.Errorf("lockout: no attack is called %q", name)
}

// An attack guesses as much as it can at one moment, and says when to come back.
type attack struct {
	name, about string
	turn        func(context.Context, *siege) (next time.Time, err error)
}

// A siege is one replay in progress.
type siege struct {
	accounts         *identity.Identity
	now              time.Time
	rng              *rand.Rand
	owner            owner
	weighed, refused int
	burst            time.Time // when to stuff again
}

func (s *siege) clock() time.Time { return s.now }

func begin(ctx context.Context, open Open, seed uint64) (*siege, func() error, error) {
	s := &siege{rng: rand.New(rand.NewPCG(seed, 0x5eed))}
	s.now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(s.rng.IntN(365*24*60)) * time.Minute)
	accounts, origin, end, err := open(ctx, s.clock)
	if err != nil {
		return nil, nil, err
	}
	s.accounts = accounts
	if err := s.enrol(ctx, origin); err != nil {
		return nil, nil, errors.Join(err, end())
	}
	s.now = s.now.Add(time.Hour)
	return s, end, nil
}

// away goes on until the password is off, or the time is over.
func (a attack) away(ctx context.Context, open Open, seed uint64, l Length, o *Outcome) error {
	s, end, err := begin(ctx, open, seed)
	if err != nil {
		return err
	}
	start := s.now
	for s.now.Before(start.Add(l.Whole)) {
		next, err := a.turn(ctx, s)
		if err != nil {
			return errors.Join(err, end())
		}
		f, err := s.accounts.Accounts.Factors(ctx, s.owner.id)
		if err != nil {
			return errors.Join(err, end())
		}
		if f.PasswordOff {
			o.Off = s.now.Sub(start)
			break
		}
		s.now = next
	}
	o.Weighed, o.Refused = s.weighed, s.refused
	return end()
}

// home lets the owner in again and again while the attack goes on. They keep the device cookie of the beginning, which the
// thief of the attack has copied.
func (a attack) home(ctx context.Context, open Open, seed uint64, l Length, o *Outcome) error {
	s, end, err := begin(ctx, open, seed)
	if err != nil {
		return err
	}
	start, next := s.now, s.now
	for at := l.Every; at <= l.Whole; at += l.Every {
		for next.Before(start.Add(at)) {
			s.now = next
			if next, err = a.turn(ctx, s); err != nil {
				return errors.Join(err, end())
			}
		}
		s.now = start.Add(at)
		byWord, byKey := s.byPassword(ctx), s.byPasskey(ctx)
		o.Tries++
		if byWord == nil {
			o.ByWord++
		}
		if byKey == nil {
			o.ByKey++
		}
		if o.Wrong == nil && (byWord != nil || byKey != nil) {
			o.Wrong = fmt.Errorf("after %s: %w", Explain(at), errors.Join(byWord, byKey))
		}
	}
	return end()
}

// guess tries one wrong password. It says when the next try makes sense; zero is at once.
func (s *siege) guess(ctx context.Context, login string, from identity.From) (time.Time, error) {
	_, err := s.accounts.Signin.Password(ctx, login, "wrong horse staple 7", false, from)
	var wait *identity.WaitError
	var work *identity.WorkError
	switch {
	case errors.Is(err, identity.ErrRefused):
		s.weighed++
		return time.Time{}, nil
	case errors.As(err, &wait):
		s.refused++
		return wait.Until, nil
	case errors.As(err, &work): // the guesser pays
		s.refused++
		from.Work = solve(work.Puzzle)
		_, err = s.accounts.Signin.Password(ctx, login, "wrong horse staple 7", false, from)
		if errors.Is(err, identity.ErrRefused) {
			s.weighed++
			return time.Time{}, nil
		}
		if errors.As(err, &wait) {
			return wait.Until, nil
		}
	}
	return time.Time{}, fmt.Errorf("a guess was answered: %w", err)
}

// all guesses the owner's password until a wait says otherwise.
func (s *siege) all(ctx context.Context, from func() identity.From) (time.Time, error) {
	for range 200 {
		next, err := s.guess(ctx, s.owner.login, from())
		if err != nil || !next.IsZero() {
			return next, err
		}
	}
	return time.Time{}, errors.New("200 guesses at one moment")
}

// anywhere is an address nobody has used before, IPv4 or IPv6.
func (s *siege) anywhere() identity.From {
	if s.rng.IntN(2) == 0 {
		return identity.From{IP: netip.AddrFrom4([4]byte{11, byte(s.rng.Uint32()), byte(s.rng.Uint32()), byte(s.rng.Uint32())}), Agent: "bot"}
	}
	b := [16]byte{0x2a, 0x01}
	for i := 2; i < 16; i++ {
		b[i] = byte(s.rng.Uint32())
	}
	return identity.From{IP: netip.AddrFrom16(b), Agent: "bot"}
}

var attacks = []attack{
	{"address", "one address, waiting as long as it is told", func(ctx context.Context, s *siege) (time.Time, error) {
		return s.all(ctx, func() identity.From { return identity.From{IP: netip.MustParseAddr("203.0.113.9"), Agent: "bot"} })
	}},
	{"botnet", "a new address or /64 for every guess, waiting as long as it is told", func(ctx context.Context, s *siege) (time.Time, error) {
		return s.all(ctx, s.anywhere)
	}},
	{"relentless", "knows the login and tries every other minute, whatever it is told", func(ctx context.Context, s *siege) (time.Time, error) {
		_, err := s.guess(ctx, s.owner.login, s.anywhere())
		return s.now.Add(2 * time.Minute), err
	}},
	{"stuffing", "tries one password each at many accounts, and pays the price that follows", stuff},
	{"stolen", "has a copy of the owner's device cookie, and a botnet beside it", func(ctx context.Context, s *siege) (time.Time, error) {
		for range 200 { // from a new network each time, so that neither address nor network stops it
			f := s.anywhere()
			f.Cookie = s.owner.cookie
			next, err := s.guess(ctx, s.owner.login, f)
			if err != nil || !next.IsZero() {
				return earlier(next, s.now.Add(24*time.Minute)), err // a device is forgiven one guess in 144 minutes
			}
		}
		return time.Time{}, errors.New("200 guesses at one moment")
	}},
}

// stuff tries one password each at as many accounts as it takes to be noticed, a minute before the owner comes, and buys
// guesses at the owner's. It does so again every day.
func stuff(ctx context.Context, s *siege) (time.Time, error) {
	if s.burst.IsZero() {
		s.burst = s.now.Add(59 * time.Minute)
	}
	if !s.now.Before(s.burst) {
		s.burst = s.burst.Add(24 * time.Hour)
		for i := range 202 {
			if _, err := s.guess(ctx, fmt.Sprintf("somebody%d@example.org", i), s.anywhere()); err != nil {
				return time.Time{}, err
			}
		}
	}
	next, err := s.all(ctx, s.anywhere)
	return earlier(next, s.burst), err
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
