//go:build linux

package faults

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/wellgate/wellgate/test/rig"
)

// cutsPerRound is how often one practice loses its power before it is read whole.
const cutsPerRound = 25

// TestPowerCut takes the power away at random instants under load. After it only what was synced is certain, and of the rest
// what luck decides.
func TestPowerCut(t *testing.T) {
	seed, cuts := number(t, "POWERCUT_SEED", 1), int(number(t, "POWERCUT_CUTS", 6))
	b := newBench(t)
	var count rig.Count
	var ready []time.Duration
	began, done := time.Now(), 0
	for n := 0; done < cuts && !t.Failed(); n++ {
		r := &cutting{b: b, seed: seed, n: n, rng: rand.New(rand.NewPCG(seed, uint64(n)))}
		r.round(min(cutsPerRound, cuts-done))
		for _, p := range r.ledger().Problems() {
			t.Errorf("seed %d, round %d: %s", seed, n, p)
		}
		done, count, ready = done+r.cuts, count.Plus(r.ledger().Count()), append(ready, r.ready...)
		t.Logf("round %d: %d cuts in %.0f s, %v", n, done, time.Since(began).Seconds(), count)
	}
	slices.Sort(ready)
	if len(ready) > 0 {
		t.Logf("seed %d: %d power cuts; %v; ready again after %d ms (median), %d ms (slowest)", seed, done, count,
			ready[len(ready)/2].Milliseconds(), ready[len(ready)-1].Milliseconds())
	}
	if !t.Failed() && (count.Acked < cuts || count.Reads < cuts) {
		t.Error("the load was too light to prove anything")
	}
}

// A cutting is one practice that loses its power again and again.
type cutting struct {
	b     *bench
	seed  uint64
	n     int
	rng   *rand.Rand
	x     *box
	load  *rig.Load
	cuts  int
	ready []time.Duration
	early *rig.Ledger // problems from before there is a load
}

func (r *cutting) ledger() *rig.Ledger {
	if r.load != nil {
		return r.load.Ledger
	}
	if r.early == nil {
		r.early = rig.NewLedger("0")
	}
	return r.early
}

func (r *cutting) round(cuts int) {
	r.x = r.b.box(r.b.disk.Clone())
	defer func() { r.x.away() }()
	if !r.start() {
		return
	}
	load, err := rig.NewLoad(r.x.p, fmt.Sprintf("%dx%d", r.seed, r.n))
	if err != nil {
		r.ledger().Fault(fmt.Sprintf("sign in: %v\n%s", err, r.x.run.Said()))
		return
	}
	r.load = load
	r.load.Tolerant() // between the cut and the kill the disk answers nothing
	r.load.Rotating()
	for r.cuts < cuts && len(r.load.Problems()) == 0 {
		r.cuts++
		r.cutUnderLoad()
		if !r.start() {
			return
		}
		if err := r.load.Recheck(8); err != nil {
			r.load.Fault(fmt.Sprintf("cut %d: %v\n%s", r.cuts, err, r.x.run.Said()))
			return
		}
	}
	r.x.look(r.load.Ledger)
}

func (r *cutting) start() bool {
	took, err := r.x.start()
	if err != nil {
		r.ledger().Fault(fmt.Sprintf("cut %d: does not start again: %v", r.cuts, err))
		dir, _ := os.MkdirTemp("", "faults-broken-")
		r.x.disk.Save(dir)
		r.b.t.Logf("the disk is kept in %s", dir)
		return false
	}
	r.ready = append(r.ready, took)
	return true
}

// cutUnderLoad lets everybody work and takes the power in their midst. One cut in three loses all that was not synced; the
// others keep what luck decides.
func (r *cutting) cutUnderLoad() {
	answers, dead, done := make(chan struct{}, 1024), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		r.load.Run(r.seed<<32|uint64(r.n)<<16|uint64(r.cuts), func() {
			select {
			case answers <- struct{}{}:
			default:
			}
		}, dead)
	}()
	enough := time.After(5 * time.Second)
	for range r.rng.IntN(40) {
		select {
		case <-answers:
		case <-enough:
		}
	}
	time.Sleep(time.Duration(r.rng.IntN(15000)) * time.Microsecond)
	var luck *rand.Rand
	if r.rng.IntN(3) > 0 {
		luck = rand.New(rand.NewPCG(r.seed, uint64(r.n)<<16|uint64(r.cuts)))
	}
	after := r.x.disk.PowerCut(luck)
	r.x.run.Kill()
	close(dead)
	<-done
	if line := r.x.run.Panicked(); line != "" {
		r.load.Fault(fmt.Sprintf("cut %d: the program fell over: %s\n%s", r.cuts, line, r.x.run.Said()))
	}
	r.x.away()
	r.x = r.b.box(after)
	r.load.Move(r.x.p)
}

// TestPowerCutCanFail leaves the syncs out and wants the loss to be seen.
func TestPowerCutCanFail(t *testing.T) {
	m := rig.Mutation{Name: "commits are not synced", File: "store/sqlite.go", Old: `	"synchronous=FULL",`, New: `	"synchronous=OFF",`}
	if os.Getenv("FAULTS_MUTATE") == "" {
		rig.Fits(t, m)
		return
	}
	b := newBench(t, m)
	for n := range 5 {
		r := &cutting{b: b, seed: 1, n: n, rng: rand.New(rand.NewPCG(1, uint64(n)))}
		r.round(5)
		if p := r.ledger().Problems(); len(p) > 0 {
			t.Logf("seen after %d cuts: %.300s", n*5+r.cuts, p[0])
			return
		}
	}
	t.Error("nothing is seen in 25 cuts of a store that does not sync")
}
