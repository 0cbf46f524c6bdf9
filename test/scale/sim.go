package scale

import (
	"container/heap"
	"container/list"
	"math/rand/v2"
	"slices"
)

// Simulate plays warm seconds to fill the caches, then counts for as long as measure says: every visit draws its chart, every
// act goes through a real LRU cache of two tiers and a statement of its node, every statement queues for a core of its
// primary. The same seed gives the same answer.
func Simulate(c Costs, d Demand, s System, warm, measure float64, seed uint64) Answer {
	r := rand.New(rand.NewPCG(seed, 1))
	w := &sim{c: c, d: d, s: s, r: r, ranks: zipf{float64(d.Charts), d.Skew}, begin: warm, end: warm + measure}
	for range s.Nodes {
		w.nodes = append(w.nodes, &node{cache: newTiers(c, s), flight: make([]flight, s.Shards)})
	}
	for range s.Shards {
		w.primaries = append(w.primaries, make([]float64, s.Cores))
	}
	w.dbBusy = make([]float64, s.Shards)
	perSecond := d.PeakShare / 3600
	w.next(0, visit, d.Visits*perSecond)
	w.next(0, sync, d.Syncs*perSecond)
	w.next(0, write, d.Writes*perSecond)
	for w.events.Len() > 0 {
		e := heap.Pop(&w.events).(event)
		if e.at > w.end {
			break
		}
		w.play(e)
	}
	return w.answer(measure)
}

type kind uint8

const (
	visit kind = iota // a person comes
	sync              // a program comes
	write             // something changes
	act               // one of a visit's acts
	done              // a statement is durable
)

type event struct {
	at    float64
	kind  kind
	rate  float64 // of arrivals of this kind
	rank  int32
	node  int32
	left  int32 // acts still to come
	think float64
	shard int32
}

type events []event

func (e events) Len() int           { return len(e) }
func (e events) Less(i, j int) bool { return e[i].at < e[j].at }
func (e events) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)        { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	old := *e
	last := old[len(old)-1]
	*e = old[:len(old)-1]
	return last
}

type node struct {
	cache  *tiers
	busy   float64
	flight []flight // by shard
}

// A flight is a node's one statement under way to a shard, and the acts that wait for the next.
type flight struct {
	under   bool
	in      []float64 // arrivals of the acts in it
	waiting []float64
}

type sim struct {
	c          Costs
	d          Demand
	s          System
	r          *rand.Rand
	ranks      zipf
	begin, end float64
	events     events
	nodes      []*node
	primaries  [][]float64 // when each core is free again
	dbBusy     []float64

	acts, raw, packed, cold, statements, batched int
	waited                                       float64
}

// next plans the next arrival of a Poisson stream.
func (w *sim) next(now float64, k kind, rate float64) {
	if rate > 0 {
		heap.Push(&w.events, event{at: now + w.r.ExpFloat64()/rate, kind: k, rate: rate})
	}
}

func (w *sim) play(e event) {
	switch e.kind {
	case visit:
		w.next(e.at, visit, e.rate)
		w.come(e.at, w.d.PerVisit, w.d.Think)
	case sync:
		w.next(e.at, sync, e.rate)
		w.come(e.at, w.d.PerSync, 0.05)
	case write:
		w.next(e.at, write, e.rate)
		shard := w.ranks.draw(w.r) % w.s.Shards
		w.serve(shard, e.at, w.c.Write)
	case act:
		w.act(e)
	case done:
		w.done(e)
	}
}

func (w *sim) come(at, acts, think float64) {
	rank := int32(w.ranks.draw(w.r))
	heap.Push(&w.events, event{at: at, kind: act, rank: rank, node: w.home(rank), left: int32(acts), think: think})
}

// home is the node of an act: the chart's own, or any.
func (w *sim) home(rank int32) int32 {
	if w.s.Affinity {
		return int32(uint64(uint32(rank)) * 2654435761 >> 7 % uint64(w.s.Nodes))
	}
	return int32(w.r.IntN(w.s.Nodes))
}

func (w *sim) act(e event) {
	n, mb := w.nodes[e.node], MB(int(e.rank), w.d.Charts)
	shard := int(e.rank) % w.s.Shards
	counts := e.at >= w.begin
	cpu := w.c.Act
	tier := n.cache.touch(e.rank, mb*1e6)
	switch tier {
	case inPacked:
		cpu += w.c.Inflate * mb
	case nowhere:
		cpu += w.c.ColdBase + w.c.ColdMB*mb
		w.serve(shard, e.at, w.c.Fetch+w.c.FetchMB*mb*w.c.Disk)
	}
	if counts {
		w.acts++
		n.busy += cpu
		switch tier {
		case inRaw:
			w.raw++
		case inPacked:
			w.packed++
		default:
			w.cold++
		}
	}
	f := &n.flight[shard]
	f.waiting = append(f.waiting, e.at)
	if !f.under {
		w.send(e.node, int32(shard), e.at)
	}
	if e.left > 1 {
		e.left--
		e.at += w.r.ExpFloat64() * e.think
		e.node = w.home(e.rank)
		heap.Push(&w.events, e)
	}
}

// send puts all that waits into one statement.
func (w *sim) send(node, shard int32, at float64) {
	f := &w.nodes[node].flight[shard]
	f.in, f.waiting, f.under = f.waiting, f.in[:0], true
	k := len(f.in)
	if at >= w.begin {
		w.statements++
		w.batched += k
	}
	ended := w.serve(int(shard), at, w.c.Statement+w.c.PerEntry*float64(k)) + w.c.Trip
	heap.Push(&w.events, event{at: ended, kind: done, node: node, shard: shard})
}

func (w *sim) done(e event) {
	f := &w.nodes[e.node].flight[e.shard]
	for _, came := range f.in {
		if came >= w.begin {
			w.waited += e.at - came
		}
	}
	f.under = false
	if len(f.waiting) > 0 {
		w.send(e.node, e.shard, e.at)
	}
}

// serve gives work to the core of a primary that is free first, and says when it is done. Work times vary: exponential.
func (w *sim) serve(shard int, at, mean float64) float64 {
	cores := w.primaries[shard]
	first := 0
	for i, t := range cores {
		if t < cores[first] {
			first = i
		}
	}
	took := w.r.ExpFloat64() * mean
	start := max(at, cores[first])
	cores[first] = start + took
	if start >= w.begin {
		w.dbBusy[shard] += took
	}
	return cores[first]
}

func (w *sim) answer(seconds float64) Answer {
	n := float64(w.acts)
	a := Answer{
		Acts: n / seconds, Raw: float64(w.raw) / n, Packed: float64(w.packed) / n, Cold: float64(w.cold) / n,
		Batch: float64(w.batched) / float64(w.statements), Wait: w.waited / n,
		Primary: slices.Max(w.dbBusy) / seconds / float64(w.s.Cores),
	}
	for _, nd := range w.nodes {
		a.Node += nd.busy / seconds / float64(len(w.nodes))
	}
	return a
}

// tiers is an LRU cache of whole charts: raw in front, compressed behind.
type tiers struct {
	raw, packed   tier
	rawW, packedW float64 // bytes held per byte of JSON
}

type tier struct {
	order *list.List
	by    map[int32]*list.Element
	held  float64
	limit float64
}

type held struct {
	rank  int32
	bytes float64 // of JSON
}

type where uint8

const (
	nowhere where = iota
	inPacked
	inRaw
)

func newTiers(c Costs, s System) *tiers {
	make1 := func(limit float64) tier { return tier{list.New(), map[int32]*list.Element{}, 0, limit} }
	return &tiers{make1(s.Cache * s.RawShare), make1(s.Cache * (1 - s.RawShare)), c.Raw, c.Packed}
}

// touch brings a chart to the front of the raw tier and says where it was.
func (t *tiers) touch(rank int32, bytes float64) where {
	if e, ok := t.raw.by[rank]; ok {
		t.raw.order.MoveToFront(e)
		return inRaw
	}
	was := nowhere
	if _, ok := t.packed.take(rank, t.packedW); ok {
		was = inPacked
	}
	t.raw.put(held{rank, bytes}, t.rawW)
	for t.raw.held > t.raw.limit && t.raw.order.Len() > 0 {
		old := t.raw.last(t.rawW)
		t.packed.put(old, t.packedW)
	}
	for t.packed.held > t.packed.limit && t.packed.order.Len() > 0 {
		t.packed.last(t.packedW)
	}
	return was
}

func (t *tier) put(h held, weight float64) {
	t.by[h.rank] = t.order.PushFront(h)
	t.held += h.bytes * weight
}

func (t *tier) take(rank int32, weight float64) (held, bool) {
	e, ok := t.by[rank]
	if !ok {
		return held{}, false
	}
	h := t.order.Remove(e).(held)
	delete(t.by, rank)
	t.held -= h.bytes * weight
	return h, true
}

// last drops what was touched longest ago.
func (t *tier) last(weight float64) held {
	h, _ := t.take(t.order.Back().Value.(held).rank, weight)
	return h
}
