// Package scale is a model of how many charts, nodes and database cores a practice or a health system needs, and a
// simulation that the model must agree with.
//
// The constants are costs that were measured (docs/BENCHMARKS.md, docs/SCALE.md name the commands); the demand is an
// assumption, stated here and in docs/SCALE.md. The model answers in closed form; the simulation plays every visit, every
// cache and every statement, and knows nothing of the model's formulas. `make scale` prints both side by side.
package scale

import (
	"math"
	"math/rand/v2"
)

// Costs are what one thing takes on one core, in seconds, and what it weighs, in bytes.
type Costs struct {
	Act      float64 // a node's CPU for one warm act (a page or a call), with TLS
	ColdBase float64 // a node's CPU to open a chart that is not in memory …
	ColdMB   float64 // … and for each MB of its JSON
	Inflate  float64 // a node's CPU to bring a MB back from the compressed tier

	Statement float64 // the database's CPU for one statement of audit entries and freshness checks …
	PerEntry  float64 // … and for each act in it
	Trip      float64 // network and commit: time that costs nobody CPU
	Fetch     float64 // the database's CPU to fetch a cold chart …
	FetchMB   float64 // … and for each stored MB
	Write     float64 // the database's CPU for one change: log row, claims, audit, feed

	Raw, Packed float64 // memory of a warm chart per byte of its JSON, by tier
	Disk        float64 // stored bytes per byte of JSON, snapshot and index included
	AuditEntry  float64 // stored bytes of an audited act
}

// Measured are the figures of docs/BENCHMARKS.md; where a figure is of the prototype, docs/SCALE.md says so.
func Measured() Costs {
	return Costs{
		Act: 250e-6, ColdBase: 0.2e-3, ColdMB: 1.0e-3, Inflate: 0.5e-3,
		Statement: 150e-6, PerEntry: 13e-6, Trip: 300e-6, Fetch: 100e-6, FetchMB: 2e-3, Write: 1.5e-3,
		Raw: 1.25, Packed: 0.15, Disk: 0.10, AuditEntry: 130,
	}
}

// A Demand is what people and programs ask for.
type Demand struct {
	Charts    int
	Visits    float64 // a day, by people: sign in, look around, leave
	PerVisit  float64 // acts in one
	Think     float64 // seconds between two acts of a visit
	Syncs     float64 // a day, by apps and partner systems: one chart, several calls in a row
	PerSync   float64
	Writes    float64 // a day, from feeds and from the portal
	PeakShare float64 // of a day's demand that falls into its busiest hour
	Skew      float64 // exponent of Zipf's law: how much more the most asked-for charts are asked for
}

// Typical is the demand of one registered patient in three, looking in two to three times a month.
func Typical(charts int) Demand {
	n := float64(charts)
	return Demand{
		Charts: charts, Visits: n * 0.02, PerVisit: 12, Think: 20, Syncs: n * 0.06, PerSync: 20,
		Writes: n * 8 / 365, PeakShare: 0.10, Skew: 0.8,
	}
}

// Times is the same demand f times over.
func (d Demand) Times(f float64) Demand {
	d.Visits, d.Syncs, d.Writes = d.Visits*f, d.Syncs*f, d.Writes*f
	return d
}

// Acts is how many acts a second the busiest hour brings.
func (d Demand) Acts() float64 {
	return (d.Visits*d.PerVisit + d.Syncs*d.PerSync) * d.PeakShare / 3600
}

// A System is what serves the demand.
type System struct {
	Nodes    int
	Cache    float64 // bytes of warm charts on each node
	RawShare float64 // of the cache, for the raw tier
	Affinity bool    // requests for one chart go to one node while all nodes live
	Cores    int     // of each database primary
	Shards   int     // database primaries; a chart lives on one
}

// MB is the JSON of the chart at a rank, in MB: the sick are looked up more and have longer records. The mean is 0.39,
// that of the Synthea patients in the measurements.
func MB(rank, charts int) float64 {
	switch share := float64(rank) / float64(charts); {
	case share < 0.01:
		return 2.5
	case share < 0.10:
		return 0.9
	default:
		return 0.32
	}
}

// zipf draws ranks 0 … n-1 with probability proportional to (rank+1)^-s, s < 1, by inverting the integral of the law.
type zipf struct {
	n, s float64
}

func (z zipf) draw(r *rand.Rand) int {
	u := r.Float64()
	top := math.Pow(z.n+1, 1-z.s) - 1
	return min(int(math.Pow(1+u*top, 1/(1-z.s)))-1, int(z.n)-1)
}

// share is the probability of a rank between from and to.
func (z zipf) share(from, to float64) float64 {
	f := func(x float64) float64 { return math.Pow(x+1, 1-z.s) }
	return (f(to) - f(from)) / (f(z.n) - f(0))
}
