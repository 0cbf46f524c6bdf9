package scale

import "math"

// An Answer is what the model, or the simulation, says of a system in the busiest hour.
type Answer struct {
	Acts    float64 // a second
	Raw     float64 // share of acts whose chart is warm in the raw tier
	Packed  float64 // share whose chart is warm in the compressed tier
	Cold    float64 // share that opens a chart from the store
	Node    float64 // busy share of a node's core: above 1, more cores or nodes are needed
	Batch   float64 // acts that share a statement
	Primary float64 // busy share of a database primary
	Wait    float64 // seconds from the act to its durable entry, mean
}

// Model answers in closed form: hit rates by Che's approximation of an LRU cache (Che, Tung, Wang 2002), batches by the
// balance of one statement in flight a node, the primary as a queue with several servers (Allen and Cunneen).
func Model(c Costs, d Demand, s System) Answer {
	a := Answer{Acts: d.Acts()}
	a.Raw, a.Packed, a.Cold = hits(c, d, s)
	mb := meanMB(d)
	perNode := a.Acts / float64(s.Nodes)
	a.Node = perNode * (c.Act + a.Packed*c.Inflate*mb + a.Cold*(c.ColdBase+c.ColdMB*mb))

	writes := d.Writes * d.PeakShare / 3600
	shards := float64(s.Shards)
	other := (a.Acts*a.Cold*(c.Fetch+c.FetchMB*mb*c.Disk) + writes*c.Write) / shards / float64(s.Cores)
	// A node keeps one statement in flight to each shard; what arrives meanwhile is the next one.
	rate := perNode / shards
	k, wait := 1.0, 0.0
	for range 200 {
		work := c.Statement + c.PerEntry*k
		statements := a.Acts / k / shards
		a.Primary = math.Min(other+statements*work/float64(s.Cores), 0.999)
		wait = queued(a.Primary, s.Cores) * work
		cycle := c.Trip + work + wait
		// Who comes while one is in flight shares the next; who comes when none is, goes alone.
		k += (rate*cycle + math.Exp(-rate*cycle) - k) / 4
	}
	a.Batch = k
	cycle := c.Trip + c.Statement + c.PerEntry*k + wait
	// Who finds a statement in flight waits for what is left of it (half, on average) and then for its own.
	a.Wait = cycle * (1 + busy(rate, cycle, k)/2)
	return a
}

// busy is the share of time a node has a statement in flight.
func busy(rate, cycle, batch float64) float64 { return math.Min(1, rate/batch*cycle) }

// queued is the mean wait in an M/M/m queue, in service times (Sakasegawa's approximation).
func queued(load float64, servers int) float64 {
	m := float64(servers)
	return math.Pow(load, math.Sqrt(2*(m+1))-1) / (m * (1 - load))
}

// A class is a range of ranks whose charts are alike.
type class struct {
	charts float64
	visits float64 // a second, of one chart, on one node
	mb     float64
}

func classes(d Demand, s System) []class {
	z := zipf{float64(d.Charts), d.Skew}
	perSecond := (d.Visits + d.Syncs) * d.PeakShare / 3600
	if !s.Affinity {
		perSecond /= float64(s.Nodes)
	}
	var out []class
	for from := 0.0; from < z.n; {
		to := math.Min(math.Max(from+1, math.Ceil(from*1.02)), z.n)
		for _, edge := range []float64{z.n / 100, z.n / 10} { // where the size changes
			if from < edge && to > edge {
				to = edge
			}
		}
		n := to - from
		share := 1.0
		if s.Affinity {
			share = 1 / float64(s.Nodes)
		}
		out = append(out, class{n * share, perSecond * z.share(from, to) / n, MB(int(from), d.Charts)})
		from = to
	}
	return out
}

// A stream is one kind of visitor: how often one comes (of all visits), how many acts, and the pause between two that meet
// the same node.
type stream struct {
	share, acts, pause float64
}

// holds is how long a visit keeps its chart in a tier where an unused one stays t.
func (st stream) holds(t float64) float64 { return t + (st.acts-1)*st.pause*-math.Expm1(-t/st.pause) }

// hits finds the time a chart stays in each tier after its last use, and from it the shares. The first act of a visit on a
// node finds what earlier visits left; a later one finds its own chart unless the pause was longer than the stay. Without
// affinity a visit meets several nodes, each more rarely.
func hits(c Costs, d Demand, s System) (raw, packed, cold float64) {
	all := classes(d, s)
	visits := d.Visits + d.Syncs
	streams := []stream{{d.Visits / visits, d.PerVisit, d.Think}, {d.Syncs / visits, d.PerSync, 0.05}}
	if n := float64(s.Nodes); !s.Affinity {
		for i, st := range streams {
			met := n * (1 - math.Pow(1-1/n, st.acts))
			streams[i] = stream{st.share * met, st.acts / met, st.pause * n}
		}
	}
	rawBytes, packedBytes := s.Cache*s.RawShare/c.Raw, s.Cache*(1-s.RawShare)/c.Packed
	hot := stay(all, streams, rawBytes)
	warm := math.Inf(1)
	if !math.IsInf(hot, 1) {
		warm = stay(all, streams, rawBytes+packedBytes)
	}
	first := func(t float64) float64 { // share of first acts that find their chart
		var sum, in float64
		for _, cl := range all {
			w := cl.charts * cl.visits
			sum, in = sum+w, in+w*present(cl, streams, t)
		}
		return in / sum
	}
	firstRaw, firstWarm := first(hot), first(warm)
	var acts, inRaw, inWarm float64
	for _, st := range streams {
		later := st.share * (st.acts - 1)
		acts += st.share * st.acts
		inRaw += st.share*firstRaw + later*-math.Expm1(-hot/st.pause)
		inWarm += st.share*firstWarm + later*-math.Expm1(-warm/st.pause)
	}
	return inRaw / acts, (inWarm - inRaw) / acts, 1 - inWarm/acts
}

// present is the probability that a chart of a class is held: that some visit's act was less than t ago.
func present(cl class, streams []stream, t float64) float64 {
	var x float64
	for _, st := range streams {
		x += cl.visits * st.share * st.holds(t)
	}
	return -math.Expm1(-x)
}

// stay solves Σ bytes × P(held) = capacity for the time that a chart stays.
func stay(all []class, streams []stream, capacity float64) float64 {
	held := func(t float64) (b float64) {
		for _, cl := range all {
			b += cl.charts * cl.mb * 1e6 * present(cl, streams, t)
		}
		return b
	}
	lo, hi := 0.0, 1e9
	if held(hi) <= capacity {
		return math.Inf(1)
	}
	for range 200 {
		if mid := (lo + hi) / 2; held(mid) < capacity {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

// meanMB is the mean chart as visits meet it.
func meanMB(d Demand) float64 {
	z := zipf{float64(d.Charts), d.Skew}
	a, b := z.n/100, z.n/10
	return z.share(0, a)*MB(0, d.Charts) + z.share(a, b)*MB(int(a)+1, d.Charts) + z.share(b, z.n)*MB(int(b)+1, d.Charts)
}
