// Package crash kills the real program at random instants, under a mixed load, again and again, and holds what is left
// against everything that was promised (package rig says what that is): pages, the FHIR door, comments, files, sign-ins,
// tokens, changes of the root key, snapshots in the background; killed at work, while starting and while stopping.
//
// Each round is one practice of its own, killed many times and read whole at its end. The long form is `make crash
// CYCLES=10000 SEED=1`; the form in `go test` is short.
package crash

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wellgate/wellgate/test/rig"
)

// perRound is how often one practice is killed before it is read whole: what a cycle costs grows with what is stored.
const perRound = 100

func TestCrash(t *testing.T) {
	seed, cycles := number(t, "CRASH_SEED", 1), int(number(t, "CRASH_CYCLES", 25))
	side := int(number(t, "CRASH_SIDE", 1)) // practices side by side
	bin := rig.Build(t)
	template := rig.Make(t, filepath.Join(t.TempDir(), "template"), "")
	r := sweep(t, bin, template, seed, cycles, side)
	slices.Sort(r.ready)
	t.Logf("seed %d: %d cycles of kill -9 in %.0f s; %v; rows %d, audit entries %d, facts %d; lost, halved, without entry: %d; ready again after %d ms (median), %d ms (99 in 100), %d ms (slowest)",
		seed, r.cycles, r.took.Seconds(), r.count, r.rows, r.entries, r.facts, r.problems,
		r.ready[len(r.ready)/2].Milliseconds(), r.ready[len(r.ready)*99/100].Milliseconds(), r.ready[len(r.ready)-1].Milliseconds())
	if r.count.Acked < cycles || r.count.Reads < cycles || r.count.Unknown+r.count.Cut == 0 {
		t.Error("the load was too light to prove anything")
	}
}

// result adds up what rounds saw.
type result struct {
	mu       sync.Mutex
	cycles   int
	count    rig.Count
	ready    []time.Duration
	problems int
	took     time.Duration

	rows, entries, facts int64
}

// sweep runs rounds side by side until there were enough cycles, or one failed.
func sweep(t *testing.T, bin string, template *rig.Practice, seed uint64, cycles, side int) *result {
	r := &result{}
	began := time.Now()
	turns := make(chan int)
	var wg sync.WaitGroup
	for range side {
		wg.Go(func() {
			for n := range turns {
				h := newRound(t, bin, template, seed, n)
				h.run(min(perRound, cycles-n*perRound))
				r.add(t, h, began)
			}
		})
	}
	for n := 0; n*perRound < cycles && !t.Failed(); n++ {
		turns <- n
	}
	close(turns)
	wg.Wait()
	r.took = time.Since(began)
	return r
}

func (r *result) add(t *testing.T, h *round, began time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	problems := h.load.Problems()
	for _, p := range problems {
		t.Errorf("seed %d, round %d: %s", h.seed, h.n, p)
	}
	r.cycles, r.count, r.ready, r.problems = r.cycles+h.cycle, r.count.Plus(h.load.Count()), append(r.ready, h.ready...), r.problems+len(problems)
	r.rows, r.entries, r.facts = r.rows+h.found.Rows, r.entries+h.found.Entries, r.facts+h.found.Facts
	if h.n%5 == 4 {
		t.Logf("round %d: %d cycles in %.0f s, %v, problems %d", h.n, r.cycles, time.Since(began).Seconds(), r.count, r.problems)
	}
}

func number(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(cmp.Or(os.Getenv(name), strconv.FormatUint(otherwise, 10)), 10, 32)
	if err != nil || n == 0 {
		t.Fatalf("%s=%q is not a number", name, os.Getenv(name))
	}
	return n
}

// A round is one practice, killed again and again.
type round struct {
	t     *testing.T
	seed  uint64
	n     int
	rng   *rand.Rand
	bin   string
	p     *rig.Practice
	load  *rig.Load
	run_  *rig.Program
	cycle int
	ready []time.Duration
	found rig.Found
	quiet bool // a problem is what is wanted
}

func newRound(t *testing.T, bin string, template *rig.Practice, seed uint64, n int) *round {
	h := &round{t: t, seed: seed, n: n, bin: bin, rng: rand.New(rand.NewPCG(seed, uint64(n)))}
	dir, err := os.MkdirTemp("", "crash-")
	if err != nil {
		t.Fatal(err)
	}
	h.p = template.Copy(t, dir, "")
	return h
}

// run kills the program so often, then reads what is left.
func (h *round) run(cycles int) {
	defer func() {
		if h.run_ != nil {
			h.run_.Kill()
		}
		if h.quiet || len(h.load.Problems()) == 0 && !h.t.Failed() {
			os.RemoveAll(h.p.Dir)
		} else {
			h.t.Logf("the practice is kept in %s", h.p.Dir)
		}
	}()
	if !h.start(false) {
		return
	}
	var err error
	if h.load, err = rig.NewLoad(h.p, fmt.Sprintf("%dx%d", h.seed, h.n)); err != nil {
		h.load = &rig.Load{P: h.p, Ledger: rig.NewLedger("0")}
		h.problem("sign in: %v\n%s", err, h.run_.Said())
		return
	}
	h.load.Rotating()
	for h.cycle = 1; h.cycle <= cycles; h.cycle++ {
		h.loadAndKill()
		if !h.start(h.rng.IntN(8) == 0) {
			return
		}
		if err := h.load.Recheck(8); err != nil {
			h.problem("%v\n%s", err, h.run_.Said())
			return
		}
		if len(h.load.Problems()) > 0 {
			return
		}
	}
	h.cycle--
	h.stop()
	h.found = rig.Read(h.t, h.p.Dir, "")
	h.load.Look(h.found)
	for _, p := range rig.Verify(h.t, h.bin, h.p) {
		h.problem("%s", p)
	}
}

func (h *round) problem(format string, args ...any) {
	h.load.Fault(fmt.Sprintf("cycle %d: ", h.cycle) + fmt.Sprintf(format, args...))
}

// start starts the program and waits until it answers; early kills it once or twice before it does.
func (h *round) start(early bool) bool {
	if early {
		for range 1 + h.rng.IntN(2) {
			run := rig.Start(h.t, h.bin, h.p)
			time.Sleep(time.Duration(h.rng.IntN(80)) * time.Millisecond)
			run.Kill()
			h.sound(run)
		}
	}
	h.run_ = rig.Start(h.t, h.bin, h.p)
	took, err := h.run_.Ready(h.p, 60*time.Second)
	if err != nil {
		if h.load == nil {
			h.load = &rig.Load{P: h.p, Ledger: rig.NewLedger("0")}
		}
		h.problem("does not start again: %v", err)
		return false
	}
	h.ready = append(h.ready, took)
	return true
}

// sound looks whether a run that ended had fallen over by itself.
func (h *round) sound(run *rig.Program) {
	if line := run.Panicked(); line != "" {
		h.problem("the program fell over: %s\n%s", line, run.Said())
	}
}

// loadAndKill lets everybody work and kills the program in their midst: after a number of answers and then some. Now and
// then it is asked to stop first.
func (h *round) loadAndKill() {
	answers, dead := make(chan struct{}, 64), make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.load.Run(h.seed<<32|uint64(h.n)<<16|uint64(h.cycle), func() {
			select {
			case answers <- struct{}{}:
			case <-dead:
			}
		}, dead)
	}()
	enough := time.After(5 * time.Second)
	for range h.rng.IntN(40) {
		select {
		case <-answers:
		case <-enough:
		}
	}
	go func() { // nobody waits for the one who counts
		for {
			select {
			case <-answers:
			case <-dead:
				return
			}
		}
	}()
	time.Sleep(time.Duration(h.rng.IntN(15000)) * time.Microsecond)
	if h.rng.IntN(10) == 0 {
		h.run_.Signal(syscall.SIGTERM)
		time.Sleep(time.Duration(h.rng.IntN(8000)) * time.Microsecond)
	}
	h.run_.Kill()
	close(dead)
	<-done
	h.p.Hangup()
	h.sound(h.run_)
}

// stop lets a change of the root key that was cut off come to its end, and ends the program in order.
func (h *round) stop() {
	if err := h.run_.Stop(30 * time.Second); err != nil {
		h.problem("does not end: %v\n%s", err, h.run_.Said())
	}
	h.sound(h.run_)
	h.run_ = nil
}
