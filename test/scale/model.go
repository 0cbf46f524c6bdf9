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
	f := hits(c, d, s)
	a.Raw, a.Packed, a.Cold = f.raw, f.packed, f.cold
	perNode := a.Acts / float64(s.Nodes)
	a.Node = perNode * (c.Act + f.packedMB*c.Inflate + f.cold*c.ColdBase + f.coldMB*c.ColdMB)

	writes := d.Writes * d.PeakShare / 3600
	shards := float64(s.Shards)
	other := (a.Acts*(f.cold*c.Fetch+f.coldMB*c.FetchMB*c.Disk) + writes*c.Write) / shards / float64(s.Cores)
	// A node keeps one statement in flight to each shard; what arrives meanwhile is the next one.
	rate := perNode / shards
	k, wait := 1.0, 0.0
	for range 200 {
		work := c.Statement + c.PerEntry*k
		own := a.Acts / k / shards * work / float64(s.Cores)
		a.Primary = math.Min(other+own, 0.999)
		// A statement queues behind those of other nodes, never behind its own node's.
		wait = queued(math.Min(other+own*float64(s.Nodes-1)/float64(s.Nodes), 0.999), s.Cores) * work
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

// found says where acts find their chart, and what those charts weigh that must be worked on: the sick are looked up more
// and are warm, so that a cold chart is smaller than most.
type found struct {
	raw, packed, cold float64 // shares
	packedMB, coldMB  float64 // JSON of the charts inflated and opened, per act
}

// hits finds the time a chart stays in each tier after its last use, and from it the shares. The first act of a visit on a
// node finds what earlier visits left; a later one finds its own chart unless the pause was longer than the stay and nobody
// else came meanwhile. Without affinity a visit meets several nodes, each more rarely.
func hits(c Costs, d Demand, s System) found {
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
	var acts float64
	var f found
	for _, cl := range all {
		missRaw, missWarm := 1-present(cl, streams, hot), 1-present(cl, streams, warm)
		for _, st := range streams {
			w := cl.charts * cl.visits * st.share
			later := st.acts - 1
			notRaw := w * missRaw * (1 + later*math.Exp(-hot/st.pause))
			cold := w * missWarm * (1 + later*math.Exp(-warm/st.pause))
			acts += w * st.acts
			f.packed += notRaw - cold
			f.packedMB += (notRaw - cold) * cl.mb
			f.cold += cold
			f.coldMB += cold * cl.mb
		}
	}
	f.packed, f.packedMB, f.cold, f.coldMB = f.packed/acts, f.packedMB/acts, f.cold/acts, f.coldMB/acts
	f.raw = 1 - f.packed - f.cold
	return f
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
