package admit

import (
	"math/bits"
	"slices"
	"time"
)

// Everything here is called with the gate's mu held.

// adapt moves the limit, at most once a tick: up by an eighth while somebody waits and processors have room, down by an
// eighth while they have too much.
func (g *Gate) adapt(now time.Time) {
	if now.Sub(g.looked) < tick {
		return
	}
	g.looked = now
	delay := g.Delay()
	switch {
	case delay > pressed:
		g.limit = max(g.floor, g.limit-max(1, g.limit/8))
	case g.tight && delay < idle:
		g.limit = min(g.ceiling, g.limit+max(1, g.limit/8))
		g.serve()
	}
	g.tight = g.waiting > 0
}

// free says whether a place may be given to p's class and client.
func (g *Gate) free(p *Place) bool {
	if g.inWork >= g.limit {
		return false
	}
	most := g.limit // of p's class: what is slow and can wait leaves room for what cannot
	used := g.byClass[p.class]
	switch p.class {
	case Signin:
		most = g.limit / 4
	case System:
		used += g.byClass[Bulk]
		most -= g.limit / 4
	case Bulk:
		most /= 2
	}
	all := g.limit - g.limit/8
	return used < most && g.byKey[p.who.Key] < all && g.byAddr[p.who.Addr] < all
}

// first says whether nobody as urgent waits.
func (g *Gate) first(class Class) bool {
	for c := range class + 1 {
		if len(g.queue[c]) > 0 {
			return false
		}
	}
	return true
}

func (g *Gate) admit(p *Place) {
	p.held = true
	g.inWork++
	g.byClass[p.class]++
	g.byKey[p.who.Key]++
	g.byAddr[p.who.Addr]++
	g.stats.Admitted[p.class]++
}

// overloaded says that the queue has stood for a while.
func (g *Gate) overloaded(now time.Time) bool { return g.waiting > 0 && now.Sub(g.empty) > tick }

func (g *Gate) calm() {
	if g.waiting == 0 {
		g.empty = g.Clock()
	}
}

// room makes room for one more who waits: the oldest of the least urgent who is no more urgent than w goes. One client and
// one address have a quarter of the queue at most.
func (g *Gate) room(w *waiter) bool {
	g.calm()
	most := 4 * g.limit
	if g.queued[w.who.Key] >= most/4 || g.from[w.who.Addr] >= most/4 {
		return false
	}
	if g.waiting < most {
		return true
	}
	for c := classes - 1; ; c-- {
		if len(g.queue[c]) > 0 {
			g.tell(g.queue[c][0], false)
			return true
		}
		if c == w.class {
			return false
		}
	}
}

// serve gives free places to who waits.
func (g *Gate) serve() {
	for g.inWork < g.limit && g.waiting > 0 {
		w := g.next()
		if w == nil {
			return
		}
		g.turns++
		g.tell(w, true)
	}
	g.calm()
}

// next is who gets the next place; nil if nobody may have it.
func (g *Gate) next() *waiter {
	newest := g.overloaded(g.Clock())
	if g.turns%8 == 7 {
		// The turns of the others: half of them Signin's, half of the rest Page's, and so on.
		c := Signin + Class(min(bits.TrailingZeros(uint(g.turns/8+1)), int(Bulk-Signin)))
		if w := g.pick(g.queue[c], newest); w != nil {
			return w
		}
	}
	for c := range classes {
		if w := g.pick(g.queue[c], newest); w != nil {
			return w
		}
	}
	return nil
}

// pick chooses who has least in work, among the first few of a queue who may have a place.
func (g *Gate) pick(q []*waiter, newest bool) *waiter {
	var best *waiter
	least := 0
	for i, weighed := 0, 0; i < len(q) && weighed < nearby; i++ {
		w := q[i]
		if newest {
			w = q[len(q)-1-i]
		}
		if !g.free(&w.Place) {
			continue
		}
		weighed++
		if load := 4*g.byKey[w.who.Key] + g.byAddr[w.who.Addr]; best == nil || load < least {
			best, least = w, load
		}
	}
	return best
}

// tell ends w's waiting.
func (g *Gate) tell(w *waiter, admitted bool) {
	g.drop(w)
	if admitted {
		g.admit(&w.Place)
	} else {
		g.stats.Shed[w.class]++
	}
	w.told <- admitted
}

// drop takes w out of the queue; false if it is not there any more.
func (g *Gate) drop(w *waiter) bool {
	i := slices.Index(g.queue[w.class], w)
	if i < 0 {
		return false
	}
	g.queue[w.class] = slices.Delete(g.queue[w.class], i, i+1)
	g.waiting--
	less(g.queued, w.who.Key)
	less(g.from, w.who.Addr)
	return true
}
