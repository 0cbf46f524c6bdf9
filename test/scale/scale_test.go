package scale

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
)

// A step is one size of installation, and the demand it is asked to bear.
type step struct {
	name string
	d    Demand
	s    System
}

const gb = 1 << 30

// steps go from one practice to a health system of ten million charts and to its worst day.
func steps() []step {
	return []step{
		{"one box, 100 k charts", Typical(100_000), System{1, 0.25 * gb, 0.6, true, 1, 1}},
		{"one box, 1 M charts", Typical(1_000_000), System{1, 1 * gb, 0.6, true, 1, 1}},
		{"2 nodes, 1 primary, 10 M charts", Typical(10_000_000), System{2, 4 * gb, 0.6, true, 4, 1}},
		{"the same, any node serves any chart", Typical(10_000_000), System{2, 4 * gb, 0.6, false, 4, 1}},
		{"4 nodes, 1 primary, 10 M charts, 10 x the demand", Typical(10_000_000).Times(10), System{4, 8 * gb, 0.6, true, 16, 1}},
		{"16 nodes, 4 shards, 10 M charts, 200 x the demand", Typical(10_000_000).Times(200), System{16, 8 * gb, 0.6, true, 16, 4}},
	}
}

// The model must say what the simulation sees. The short form shrinks what is larger than a fiftieth of ten million charts:
// charts, demand and caches together, so that the hits stay the same. SCALE=1 is full size.
func TestModelAgreesWithSimulation(t *testing.T) {
	part := 0.02
	if s := os.Getenv("SCALE"); s != "" {
		var err error
		if part, err = strconv.ParseFloat(s, 64); err != nil || part <= 0 || part > 1 {
			t.Fatalf("SCALE=%q: say a share of full size, 0 … 1", s)
		}
	}
	seed := uint64(1)
	if s := os.Getenv("SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seed = n
	}
	var table strings.Builder
	for _, st := range steps() {
		d, s := st.d, st.s
		shrink(&d, &s, min(1, part*10_000_000/float64(d.Charts)))
		c := Measured()
		model := Model(c, d, s)
		sim := Simulate(c, d, s, warmUp(d, s, c), 300_000/d.Acts(), seed)
		fmt.Fprintf(&table, "%s\n  model      %s\n  simulation %s\n", st.name, model, sim)
		near(t, st.name, "acts a second", model.Acts, sim.Acts, 0.05, 0)
		near(t, st.name, "raw share", model.Raw, sim.Raw, 0, 0.02)
		near(t, st.name, "cold share", model.Cold, sim.Cold, 0, 0.015)
		near(t, st.name, "node", model.Node, sim.Node, 0.08, 0.005)
		near(t, st.name, "batch", model.Batch, sim.Batch, 0.15, 0.05)
		near(t, st.name, "primary", model.Primary, sim.Primary, 0.10, 0.01)
		near(t, st.name, "wait", model.Wait, sim.Wait, 0.35, 50e-6)
	}
	t.Logf("seed %d, %g of full size\n%s", seed, part, table.String())
}

// Where the database is busy, acts share statements: the part of the model that the hits above leave out.
func TestModelOfABusyPrimary(t *testing.T) {
	c := Measured()
	for _, acts := range []float64{500, 2_000, 8_000, 20_000} {
		for _, s := range []System{{1, gb, 0.6, true, 1, 1}, {4, gb, 0.6, true, 2, 1}} {
			d := Typical(2_000)
			d = d.Times(acts / d.Acts())
			d.Writes = 0
			model, sim := Model(c, d, s), Simulate(c, d, s, 100, 50_000/acts, 1)
			step := fmt.Sprintf("%.0f acts/s, %d nodes, %d cores", acts, s.Nodes, s.Cores)
			t.Logf("%s\n  model      %s\n  simulation %s", step, model, sim)
			near(t, step, "batch", model.Batch, sim.Batch, 0.12, 0.05)
			near(t, step, "primary", model.Primary, sim.Primary, 0.10, 0.01)
			near(t, step, "wait", model.Wait, sim.Wait, 0.25, 50e-6)
		}
	}
}

// shrink keeps the ratios that decide hits: charts, demand and caches shrink alike. The database keeps its cores, so that
// its load shrinks; the full size is where it is judged.
func shrink(d *Demand, s *System, part float64) {
	d.Charts = int(float64(d.Charts) * part)
	d.Visits, d.Syncs, d.Writes = d.Visits*part, d.Syncs*part, d.Writes*part
	s.Cache *= part
}

// warmUp is long enough to fill every cache twice and for visits to end as often as they begin, at most a simulated day.
func warmUp(d Demand, s System, c Costs) float64 {
	perSecond := (d.Visits + d.Syncs) * d.PeakShare / 3600
	fill := s.Cache * float64(s.Nodes) * ((1-s.RawShare)/c.Packed + s.RawShare/c.Raw) / 0.32e6 / perSecond
	return min(max(2*fill, 900), 86400)
}

func (a Answer) String() string {
	return fmt.Sprintf("%8.1f acts/s  warm %5.1f %% raw %5.1f %% packed  cold %5.2f %%  node core %5.1f %%  batch %5.2f  primary %5.1f %%  wait %6.2f ms",
		a.Acts, 100*a.Raw, 100*a.Packed, 100*a.Cold, 100*a.Node, a.Batch, 100*a.Primary, 1000*a.Wait)
}

// near allows a share of the larger, or an absolute difference.
func near(t *testing.T, step, what string, model, sim, share, abs float64) {
	t.Helper()
	if diff := math.Abs(model - sim); diff > share*math.Max(math.Abs(model), math.Abs(sim)) && diff > abs {
		t.Errorf("%s: %s: the model says %.4g, the simulation %.4g", step, what, model, sim)
	}
}

// More of anything that serves must never make the model's answer worse: a sign turned round would.
func TestModelIsMonotone(t *testing.T) {
	c, d := Measured(), Typical(10_000_000).Times(10)
	base := System{4, 4 * gb, 0.6, true, 16, 1}
	was := Model(c, d, base)
	more := base
	more.Cache *= 2
	if m := Model(c, d, more); m.Cold >= was.Cold {
		t.Errorf("twice the cache: %.4f of acts are cold, %.4f before", m.Cold, was.Cold)
	}
	more = base
	more.Shards = 2
	if m := Model(c, d, more); m.Primary >= was.Primary {
		t.Errorf("twice the shards: a primary is %.3f busy, %.3f before", m.Primary, was.Primary)
	}
	more = base
	more.Affinity = false
	if m := Model(c, d, more); m.Cold <= was.Cold {
		t.Errorf("without affinity: %.4f of acts are cold, %.4f with it", m.Cold, was.Cold)
	}
}

// The cache of the simulation holds what it says, and drops the one touched longest ago.
func TestTiers(t *testing.T) {
	c := newTiers(Costs{Raw: 1, Packed: 0.1}, System{Cache: 100, RawShare: 0.8})
	for rank := range int32(10) { // 80 bytes raw: 8 charts of 10; 20 packed: 20 of 1
		if got := c.touch(rank, 10); got != nowhere {
			t.Fatalf("chart %d is in %d before it was ever seen", rank, got)
		}
	}
	for rank, want := range map[int32]where{0: inPacked, 9: inRaw} {
		if got := c.touch(rank, 10); got != want {
			t.Errorf("chart %d is in %d, want %d", rank, got, want)
		}
	}
	if c.raw.held != 80 || c.raw.order.Len() != 8 || c.packed.order.Len() != 2 {
		t.Errorf("held: %v raw bytes, %d and %d charts", c.raw.held, c.raw.order.Len(), c.packed.order.Len())
	}
}
