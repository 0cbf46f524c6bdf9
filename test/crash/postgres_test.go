package crash

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/wellgate/wellgate/store/storetest"
	"github.com/wellgate/wellgate/store/storetest/pgcluster"
	"github.com/wellgate/wellgate/test/rig"
)

// TestPostgres kills the program, kills the database, freezes it, and at the end lets a synchronous standby take over, all
// under load. What is unknown to the program it says to be unknown; test/rig looks up what became of it.
func TestPostgres(t *testing.T) {
	storetest.Cluster(t) // skips where there is no PostgreSQL
	seed, cycles := number(t, "CRASH_SEED", 1), int(number(t, "CRASH_PG_CYCLES", 8))
	p := newPrimary(t, seed)
	for p.cycle = 1; p.cycle <= cycles && !p.failed(); p.cycle++ {
		switch p.cycle % 4 {
		case 1, 2:
			p.underLoad(p.killProgram)
		case 3:
			p.underLoad(p.killDatabase)
		case 0:
			p.underLoad(p.freeze)
		}
		p.well()
	}
	p.cycle--
	if !p.failed() {
		p.failOver()
	}
	p.end()
	slices.Sort(p.ready)
	t.Logf("seed %d: %d cycles on PostgreSQL and a fail-over: %v; rows %d, audit entries %d, facts %d; problems %d; well again after %d ms (median), %d ms (slowest)",
		seed, p.cycle, p.load.Count(), p.found.Rows, p.found.Entries, p.found.Facts, len(p.load.Problems()), p.ready[len(p.ready)/2].Milliseconds(), p.ready[len(p.ready)-1].Milliseconds())
}

// A primary is a practice on a database server of its own.
type primary struct {
	t       *testing.T
	seed    uint64
	rng     *rand.Rand
	bin     string
	server  *pgcluster.Cluster
	standby *pgcluster.Cluster
	p       *rig.Practice
	program *rig.Program
	load    *rig.Load
	cycle   int
	ready   []time.Duration
	found   rig.Found
}

func newPrimary(t *testing.T, seed uint64) *primary {
	p := &primary{t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 3)), bin: rig.Build(t)}
	ctx := context.Background()
	var err error
	if p.server, err = pgcluster.Start(ctx); errors.Is(err, pgcluster.ErrMissing) {
		t.Skip(err)
	}
	p.must(err)
	t.Cleanup(func() { p.server.Close() })
	p.must(p.server.Exec(ctx, "CREATE ROLE portal LOGIN", "CREATE DATABASE portal OWNER portal TEMPLATE template0 ENCODING 'UTF8'"))
	p.p = rig.Make(t, filepath.Join(t.TempDir(), "practice"), p.server.URL("portal", "portal"))
	p.start()
	t.Cleanup(func() {
		if p.program != nil {
			p.program.Kill()
		}
	})
	p.load, err = rig.NewLoad(p.p, fmt.Sprint(seed))
	p.must(err)
	p.load.Rotating()
	return p
}

func (p *primary) must(err error) {
	p.t.Helper()
	if err != nil {
		said := ""
		if p.program != nil {
			said = p.program.Said()
		}
		p.t.Fatalf("seed %d, cycle %d: %v\n%s", p.seed, p.cycle, err, said)
	}
}

func (p *primary) failed() bool { return len(p.load.Problems()) > 0 }

func (p *primary) start() {
	p.program = rig.Start(p.t, p.bin, p.p)
	_, err := p.program.Ready(p.p, 60*time.Second)
	p.must(err)
}

// underLoad lets everybody work, does harm in their midst, and returns when they have stopped.
func (p *primary) underLoad(harm func()) {
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		p.load.Run(p.seed<<32|uint64(p.cycle), func() {}, stop)
	}()
	time.Sleep(time.Duration(100+p.rng.IntN(300)) * time.Millisecond)
	harm()
	close(stop)
	<-done
	p.p.Hangup()
}

func (p *primary) killProgram() {
	p.program.Kill()
	if line := p.program.Panicked(); line != "" {
		p.load.Fault(line + "\n" + p.program.Said())
	}
	p.start()
}

func (p *primary) killDatabase() {
	p.must(p.server.Kill())
	time.Sleep(time.Duration(p.rng.IntN(300)) * time.Millisecond)
	p.silent("killed")
	p.must(p.server.Run(context.Background()))
}

// freeze stops the database where it stands. Nothing may be shown meanwhile: what a warm cache holds may be old.
func (p *primary) freeze() {
	p.must(p.server.Freeze())
	p.silent("frozen")
	p.must(p.server.Thaw())
}

func (p *primary) silent(state string) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	began := time.Now()
	if status := p.p.Probe(ctx); status == 200 {
		p.load.Fault(fmt.Sprintf("cycle %d: a record is shown while the database is %s", p.cycle, state))
	} else if status != 0 && status != 503 {
		p.load.Fault(fmt.Sprintf("cycle %d: %d while the database is %s", p.cycle, status, state))
	} else {
		p.t.Logf("cycle %d: %d after %d ms while the database is %s", p.cycle, status, time.Since(began).Milliseconds(), state)
	}
}

// well waits until everything works again, and looks at what was acknowledged.
func (p *primary) well() {
	began := time.Now()
	err := p.p.Works()
	for ; err != nil && time.Since(began) < 30*time.Second; err = p.p.Works() {
		time.Sleep(20 * time.Millisecond)
	}
	if err != nil {
		p.load.Fault(fmt.Sprintf("cycle %d: not well again: %v\n%s", p.cycle, err, p.program.Said()))
		return
	}
	p.ready = append(p.ready, time.Since(began))
	p.must(p.load.Recheck(10))
}

// failOver makes a synchronous standby, kills the primary under load, and lets the standby take over.
func (p *primary) failOver() {
	ctx := context.Background()
	var err error
	p.standby, err = p.server.Standby(ctx)
	p.must(err)
	p.t.Cleanup(func() { p.standby.Close() })
	p.underLoad(func() {
		p.must(p.server.Kill())
		p.must(p.standby.Promote(ctx))
		p.program.Kill()
		p.p.Store = p.standby.URL("portal", "portal")
		p.start()
	})
	p.well()
}

func (p *primary) end() {
	if err := p.program.Stop(30 * time.Second); err != nil {
		p.load.Fault(err.Error() + "\n" + p.program.Said())
	}
	if line := p.program.Panicked(); line != "" {
		p.load.Fault(line + "\n" + p.program.Said())
	}
	p.found = rig.Read(p.t, p.p.Dir, p.p.Store)
	p.load.Look(p.found)
	for _, problem := range rig.Verify(p.t, p.bin, p.p) {
		p.load.Fault(problem)
	}
	for _, problem := range p.load.Problems() {
		p.t.Errorf("seed %d: %s", p.seed, problem)
	}
}
