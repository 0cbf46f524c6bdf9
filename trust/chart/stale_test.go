package chart_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/wellgate/wellgate/fhir"
	. "github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/identity"
)

// What was acknowledged before a request came, on whichever node, the request sees. One node writes numbers into two records
// and says each aloud once its commit was acknowledged; people read them on the other node meanwhile, each read in an act of
// its own, noted and released. A read that shows less than what was said before it began is stale.
// In test/fresh two processes do it, for as long as wanted; here the question is left out, too, and must be missed.
func TestNoStaleRead(t *testing.T) {
	const reads, seed = 2000, 1
	a, b := twoNodes(t)
	r := newRace(t, a, seed)
	if stale := r.run(t, b, reads); stale != 0 {
		t.Fatalf("seed %d: %d of %d reads were stale", seed, stale, reads)
	}
	t.Logf("seed %d: %d reads on one node beside %d writes on the other, 0 stale", seed, reads, r.writes.Load())

	b.BelieveWarm()
	if stale := r.run(t, b, 2000); stale == 0 {
		t.Fatal("with the check left out no read was stale: this test shows nothing")
	}
}

// A race is numbers that one node counts up.
type race struct {
	writer *opened
	who    [2]identity.Who
	said   [8]atomic.Int64
	writes atomic.Int64
	seed   uint64
}

func newRace(t *testing.T, writer *opened, seed uint64) *race {
	r := &race{writer: writer, seed: seed}
	r.who[0], r.who[1] = writer.people(t)
	for k := range r.said {
		writer.deliver(t, r.number(t, k, 0))
	}
	return r
}

func (r *race) number(t *testing.T, k int, n int64) fhir.Resource {
	return parse(t, lab(fmt.Sprintf("n%d", k), []string{"ana", "ben"}[k%2], strconv.FormatInt(n, 10)))
}

// run reads on a node until it has read often enough, and says how often that was stale.
func (r *race) run(t *testing.T, node *opened, reads int) int64 {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var writers, readers sync.WaitGroup
	for first := range r.who { // one to a record, which counts up its numbers in turn
		writers.Go(func() {
			for k := first; ctx.Err() == nil; k = (k + len(r.who)) % len(r.said) {
				n := r.said[k].Load() + 1
				c := r.writer.System(r.writer.Begin(importer, "test.count"), r.who[first].Chart)
				if err := c.Write(context.Background(), Change{Room: "test", What: "counted", Put: []fhir.Resource{r.number(t, k, n)}}); err != nil {
					t.Errorf("seed %d: write: %v", r.seed, err)
					return
				}
				r.said[k].Store(n)
				r.writes.Add(1)
			}
		})
	}
	var left, stale atomic.Int64
	left.Store(int64(reads))
	for i := range 16 {
		rng := rand.New(rand.NewPCG(r.seed, uint64(i)))
		readers.Go(func() {
			for left.Add(-1) >= 0 && !t.Failed() {
				k := rng.IntN(len(r.said))
				want := r.said[k].Load()
				got, err := r.read(node, k)
				if err != nil {
					t.Errorf("seed %d: read: %v", r.seed, err)
					return
				}
				if got < want {
					stale.Add(1)
				}
			}
		})
	}
	readers.Wait()
	stop()
	writers.Wait()
	return stale.Load()
}

func (r *race) read(node *opened, k int) (int64, error) {
	ctx := context.Background()
	who := r.who[k%2]
	c, act, err := node.enter(who, "portal", who.Chart)
	if err != nil {
		return 0, err
	}
	e, err := c.Get(ctx, "Observation", fmt.Sprintf("n%d", k))
	if err != nil {
		return 0, err
	}
	return int64(fhir.View[counted](e.Resource).Quantity.Value), act.Release(ctx)
}
