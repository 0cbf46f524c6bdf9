// Package admit lets requests in when more come than can be worked on: one Gate for all doors of a process.
//
// It promises:
//   - Work at once stays near what the machine can do: the limit grows while processors stand idle and somebody waits, and
//     shrinks while what could run waits for a processor.
//   - Who does not get in at once waits a moment, and is then told to come back. Nobody waits long for a refusal.
//   - The less urgent class is shed first: Bulk, then System, then Page, and Care last. One turn in eight still goes to the
//     others, half of these to Signin, so that no class stands still.
//   - One client does not take all: who has least in work comes first, and nobody has every place.
//   - A burst waits in turn. Once the queue has not been empty for a while, the newest is served first: whoever came long
//     ago has given up, and serving them would be work for nobody.
//
// It knows no requests, only classes and clients as numbers. Times come from an injected clock.
package admit

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"
)

// ErrShed means that there is no place now. Retry says after how many seconds to ask the client back.
var ErrShed = errors.New("admit: at capacity")

// A Class says how urgent a request is.
type Class uint8

const (
	Care   Class = iota // results and messages, read or sent
	Signin              // the way in
	Page                // people's other pages, what systems write
	System              // what systems read
	Bulk                // exports and searches of systems
	classes
)

// String is the class's name in logs and reports.
func (c Class) String() string {
	return [...]string{"care", "signin", "page", "system", "bulk", "none"}[min(c, classes)]
}

// Classes are all of them, the most urgent first.
func Classes() []Class { return []Class{Care, Signin, Page, System, Bulk} }

// A Client is whose request it is: a session or token as it came, and an address. Nobody has checked the session yet, so
// the address counts beside it.
type Client struct{ Key, Addr uint64 }

const (
	tick     = 100 * time.Millisecond // between looks at the limit; also how long a queue must stand to be an overload
	patience = 250 * time.Millisecond // longest wait of a burst
	hurried  = 25 * time.Millisecond  // longest wait in an overload
	idle     = 2 * time.Millisecond   // processors have room if what could run waits less
	pressed  = 10 * time.Millisecond  // they have too much if it waits longer
	nearby   = 64                     // who of a class are weighed against each other for a place
)

// Config is what a Gate stands on.
type Config struct {
	Cores int                  // processors; the limit moves between 4 and 64 for each
	Clock func() time.Time     //
	Delay func() time.Duration // how long what could run waited for a processor, since it was last asked (see Delay)
}

// A Gate hands out places. It is safe for concurrent use.
type Gate struct {
	Config
	floor, ceiling int

	mu      sync.Mutex
	limit   int // of places
	inWork  int
	byClass [classes]int
	byKey   map[uint64]int
	byAddr  map[uint64]int
	queue   [classes][]*waiter // oldest first
	waiting int
	queued  map[uint64]int // waiting, by key
	from    map[uint64]int // waiting, by address
	turns   int
	looked  time.Time // when the limit was looked at
	empty   time.Time // when nobody waited
	tight   bool      // somebody had to wait since looked
	stats   Stats
}

// Stats counts since the start.
type Stats struct {
	Limit, InWork, Waiting int
	Admitted, Shed         [classes]int64 // by class
}

// New makes a gate.
func New(c Config) *Gate {
	cores := max(1, c.Cores)
	now := c.Clock()
	return &Gate{
		Config: c, floor: 4 * cores, ceiling: 64 * cores, limit: 8 * cores, looked: now, empty: now,
		byKey: map[uint64]int{}, byAddr: map[uint64]int{}, queued: map[uint64]int{}, from: map[uint64]int{},
	}
}

// A Place is the right to work. Leave it.
type Place struct {
	g     *Gate
	class Class
	who   Client
	mu    sync.Mutex
	held  bool
}

// A waiter stands in the queue until told.
type waiter struct {
	Place
	told chan bool // capacity 1: admitted or shed
}

// Enter takes a place, waiting a moment for one. It returns ErrShed if there is none, or the error of ctx.
func (g *Gate) Enter(ctx context.Context, class Class, who Client) (*Place, error) {
	now := g.Clock()
	g.mu.Lock()
	g.adapt(now)
	w := &waiter{Place: Place{g: g, class: class, who: who}, told: make(chan bool, 1)}
	if g.free(&w.Place) && g.first(class) {
		g.admit(&w.Place)
		g.mu.Unlock()
		return &w.Place, nil
	}
	if g.tight = true; !g.room(w) {
		g.stats.Shed[class]++
		g.mu.Unlock()
		return nil, ErrShed
	}
	g.queue[class] = append(g.queue[class], w)
	g.waiting++
	g.queued[who.Key]++
	g.from[who.Addr]++
	wait := patience
	if g.overloaded(now) {
		wait = hurried
	}
	g.mu.Unlock()
	return w.wait(ctx, wait)
}

func (w *waiter) wait(ctx context.Context, atMost time.Duration) (*Place, error) {
	t := time.NewTimer(atMost)
	defer t.Stop()
	var err error
	select {
	case ok := <-w.told:
		if !ok {
			return nil, ErrShed
		}
		return &w.Place, nil
	case <-t.C:
		err = ErrShed
	case <-ctx.Done():
		err = ctx.Err()
	}
	g := w.g
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.drop(w) { // it was told meanwhile
		if <-w.told {
			return &w.Place, nil
		}
		return nil, ErrShed
	}
	g.stats.Shed[w.class]++
	g.calm()
	return nil, err
}

// Leave gives the place free, once.
func (p *Place) Leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.held {
		return
	}
	p.held = false
	g := p.g
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inWork--
	g.byClass[p.class]--
	less(g.byKey, p.who.Key)
	less(g.byAddr, p.who.Addr)
	g.adapt(g.Clock())
	g.serve()
}

// Return takes the place back without asking: work that rested while its answer went out goes on.
func (p *Place) Return() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held {
		return
	}
	p.g.mu.Lock()
	defer p.g.mu.Unlock()
	p.g.admit(p)
	p.g.stats.Admitted[p.class]-- // it is the same request
}

// Retry is after how many seconds a shed client should come back. Each is told something else, so that they do not all
// come at once; the less urgent wait longer.
func Retry(c Class) int { return 1 + int(min(c, Bulk)) + rand.IntN(3+2*int(min(c, Bulk))) }

// Stats are the counts so far.
func (g *Gate) Stats() Stats {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.stats
	s.Limit, s.InWork, s.Waiting = g.limit, g.inWork, g.waiting
	return s
}

// Refuses says whether a request of this class would hardly get in now, so that its long body need not be read.
func (g *Gate) Refuses(class Class) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.overloaded(g.Clock()) && !g.first(class)
}

func less(m map[uint64]int, k uint64) {
	if m[k]--; m[k] == 0 {
		delete(m, k)
	}
}
