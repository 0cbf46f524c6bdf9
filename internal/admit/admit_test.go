package admit

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// steady is a machine whose processors are neither idle nor pressed: the limit stays.
func steady() time.Duration { return 5 * time.Millisecond }

func gate(cores int) *Gate { return New(Config{Cores: cores, Clock: time.Now, Delay: steady}) }

// A tally is what became of the requests of one kind.
type tally struct{ sent, done, shed atomic.Int64 }

// offer sends requests evenly for a while, in the open: each comes whether those before are done or not. Work takes as long
// as work says.
func offer(g *Gate, wg *sync.WaitGroup, c Class, who func() Client, every, during time.Duration, work func(), t *tally) {
	wg.Go(func() {
		for end := time.Now().Add(during); time.Now().Before(end); time.Sleep(every) {
			t.sent.Add(1)
			wg.Go(func() {
				p, err := g.Enter(context.Background(), c, who())
				if err != nil {
					t.shed.Add(1)
					return
				}
				work()
				p.Leave()
				t.done.Add(1)
			})
		}
	})
}

func anybody() Client { n := rand.Uint64(); return Client{n, n} }

// Ten times more than the gate's places can do, of all classes: the places are never idle, everybody is answered soon, and
// the more urgent a class the smaller the share shed. Then it is quiet at once.
func TestTenTimesTooMuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate(2) // 16 places
		var wg sync.WaitGroup
		var all [classes]tally
		const during = 20 * time.Second
		work := func() { time.Sleep(10 * time.Millisecond) } // 1,600 a second
		start := time.Now()
		for _, c := range Classes() { // 3,200 a second of each
			offer(g, &wg, c, anybody, time.Second/3200, during, work, &all[c])
		}
		wg.Wait()
		took := time.Since(start) - during
		var done int64
		last := -1.0
		for _, c := range Classes() {
			x := &all[c]
			if x.done.Load()+x.shed.Load() != x.sent.Load() {
				t.Errorf("%s: %d sent, %d done, %d shed", c, x.sent.Load(), x.done.Load(), x.shed.Load())
			}
			share := float64(x.shed.Load()) / float64(x.sent.Load())
			t.Logf("%s: %d done, %.3f shed", c, x.done.Load(), share)
			if c == Signin { // it has a share of its own
				continue
			}
			if share < last-0.005 {
				t.Errorf("%s is shed less (%.3f) than what is more urgent (%.3f)", c, share, last)
			}
			last = share
			done += x.done.Load()
		}
		done += all[Signin].done.Load()
		if want := int64(during/(10*time.Millisecond)) * 16; done < want*98/100 {
			t.Errorf("%d done of %d that fit", done, want)
		}
		for _, c := range Classes() {
			if all[c].done.Load() == 0 {
				t.Errorf("%s stood still", c)
			}
		}
		if took > time.Second {
			t.Errorf("it was quiet only %v after the last request", took)
		}
		if p, err := g.Enter(t.Context(), Bulk, anybody()); err != nil {
			t.Errorf("afterwards: %v", err)
		} else {
			p.Leave()
		}
		if s := g.Stats(); s.InWork != 0 || s.Waiting != 0 || len(g.byKey)+len(g.byAddr)+len(g.queued)+len(g.from) != 0 {
			t.Errorf("left behind: %+v, %v %v %v", s, g.byKey, g.byAddr, g.queued)
		}
	})
}

// In an overload nobody waits longer than it takes to hurry; in a burst they wait in turn, and all are served.
func TestWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate(1) // 8 places
		var wg sync.WaitGroup
		var order []int
		var mu sync.Mutex
		for i := range 24 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * time.Microsecond)
				p, err := g.Enter(t.Context(), Page, anybody())
				if err != nil {
					t.Errorf("%d of a burst: %v", i, err)
					return
				}
				mu.Lock()
				order = append(order, i)
				mu.Unlock()
				time.Sleep(50 * time.Millisecond)
				p.Leave()
			})
		}
		wg.Wait()
		for i, n := range order {
			if i != n {
				t.Fatalf("a burst was served in the order %v", order)
			}
		}
		var x tally
		offer(g, &wg, Page, anybody, time.Millisecond, 2*time.Second, func() { time.Sleep(50 * time.Millisecond) }, &x)
		time.Sleep(time.Second)
		for range 20 {
			start := time.Now()
			p, err := g.Enter(t.Context(), Bulk, anybody())
			if took := time.Since(start); took > hurried {
				t.Errorf("waited %v", took)
			}
			if err == nil {
				p.Leave()
			}
		}
		wg.Wait()
	})
}

// One who asks for everything, with as many sessions as they like from one address, leaves places to the others.
func TestFairShare(t *testing.T) {
	for name, greedy := range map[string]func() Client{
		"one session":             func() Client { return Client{7, 7} },
		"made-up sessions":        func() Client { return Client{rand.Uint64(), 7} },
		"one token of many hosts": func() Client { return Client{7, rand.Uint64()} },
	} {
		synctest.Test(t, func(t *testing.T) {
			g := gate(2)
			var wg sync.WaitGroup
			var much, polite tally
			work := func() { time.Sleep(10 * time.Millisecond) }
			offer(g, &wg, Care, greedy, time.Second/16000, 10*time.Second, work, &much)
			for i := range 8 { // 10 a second each: a twentieth of what fits
				n := uint64(100 + i)
				offer(g, &wg, Care, func() Client { return Client{n, n} }, 100*time.Millisecond, 10*time.Second, work, &polite)
			}
			wg.Wait()
			t.Logf("%s: greedy %d of %d, polite %d of %d", name, much.done.Load(), much.sent.Load(), polite.done.Load(), polite.sent.Load())
			if polite.done.Load() < polite.sent.Load()*95/100 {
				t.Errorf("%s: the others got %d of %d", name, polite.done.Load(), polite.sent.Load())
			}
		})
	}
}

// Who works slowly and can wait leaves places for what cannot.
func TestBulkLeavesPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate(2)
		var wg sync.WaitGroup
		var slow tally
		offer(g, &wg, Bulk, anybody, 10*time.Millisecond, 10*time.Second, func() { time.Sleep(5 * time.Second) }, &slow)
		time.Sleep(5 * time.Second)
		for _, c := range []Class{Care, Signin, Page, System} {
			start := time.Now()
			p, err := g.Enter(t.Context(), c, anybody())
			if err != nil || time.Since(start) > 0 {
				t.Errorf("%s behind long exports: %v after %v", c, err, time.Since(start))
				continue
			}
			p.Leave()
		}
		wg.Wait()
	})
}

// The limit follows the machine: up while somebody waits and processors are idle, down while they are pressed.
func TestLimitFollowsTheMachine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		delay := time.Duration(0)
		g := New(Config{Cores: 2, Clock: time.Now, Delay: func() time.Duration { return delay }})
		var wg sync.WaitGroup
		var x tally
		at := func() int { return g.Stats().Limit }
		if at() != 16 {
			t.Errorf("starts at %d", at())
		}
		offer(g, &wg, Page, anybody, time.Millisecond/2, 12*time.Second, func() { time.Sleep(100 * time.Millisecond) }, &x)
		time.Sleep(4 * time.Second)
		if at() != 128 {
			t.Errorf("idle processors and a queue: %d", at())
		}
		delay = 50 * time.Millisecond
		time.Sleep(4 * time.Second)
		if at() != 8 {
			t.Errorf("pressed processors: %d", at())
		}
		wg.Wait()
		delay = 0
		for range 100 { // now and then one: nobody waits
			time.Sleep(tick)
			p, err := g.Enter(t.Context(), Page, anybody())
			if err != nil {
				t.Fatal(err)
			}
			p.Leave()
		}
		if at() > 9 {
			t.Errorf("grew to %d with nobody waiting", at())
		}
	})
}

// Whatever comes and goes, gives up or rests: places are counted right, and everybody is told.
func TestPlacesAreCounted(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		n := rapid.IntRange(1, 300).Draw(rt, "requests")
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			g := New(Config{Cores: 1, Clock: time.Now, Delay: func() time.Duration { return time.Duration(time.Now().UnixNano() % 2e7) }})
			var wg sync.WaitGroup
			var done atomic.Int64
			for range n {
				class, who := Class(r.IntN(int(classes))), Client{uint64(r.IntN(5)), uint64(r.IntN(3))}
				begin, work, rests, quits := time.Duration(r.IntN(300))*time.Millisecond, time.Duration(r.IntN(60))*time.Millisecond, r.IntN(3) == 0, r.IntN(4) == 0
				wg.Go(func() {
					time.Sleep(begin)
					ctx := context.Background()
					if quits {
						c, stop := context.WithTimeout(ctx, work/2)
						defer stop()
						ctx = c
					}
					p, err := g.Enter(ctx, class, who)
					done.Add(1)
					if err != nil {
						if !errors.Is(err, ErrShed) && !errors.Is(err, context.DeadlineExceeded) {
							t.Errorf("seed %d: %v", seed, err)
						}
						return
					}
					defer p.Leave()
					defer p.Leave() // once too often
					time.Sleep(work)
					if rests {
						p.Leave()
						time.Sleep(work)
						p.Return()
						time.Sleep(work)
					}
				})
			}
			wg.Wait()
			s := g.Stats()
			var all int64
			for c := range classes {
				all += s.Admitted[c] + s.Shed[c]
			}
			if s.InWork != 0 || s.Waiting != 0 || done.Load() != int64(n) || all != int64(n) || len(g.byKey)+len(g.byAddr)+len(g.queued)+len(g.from) != 0 || g.byClass != [classes]int{} {
				t.Errorf("seed %d: %+v, %d of %d told, %v %v %v", seed, s, done.Load(), n, g.byKey, g.byAddr, g.byClass)
			}
		})
	})
}

func TestDelayOfTheRuntime(t *testing.T) {
	d := Delay()
	d()
	if got := d(); got < 0 || got > time.Minute {
		t.Errorf("delay %v", got)
	}
	h := &metrics.Float64Histogram{Counts: []uint64{90, 5, 5}, Buckets: []float64{0, 0.001, 0.01, 0.1}}
	for _, c := range []struct {
		before []uint64
		want   time.Duration
	}{{nil, 0}, {[]uint64{90, 5, 0}, 10 * time.Millisecond}, {[]uint64{90, 0, 5}, time.Millisecond}, {[]uint64{90, 5, 5}, 0}} {
		if got := tenth(h, c.before); got != c.want {
			t.Errorf("beyond %v: %v, want %v", c.before, got, c.want)
		}
	}
}

func BenchmarkEnterLeave(b *testing.B) {
	g := gate(2)
	b.RunParallel(func(pb *testing.PB) {
		who := anybody()
		for pb.Next() {
			if p, err := g.Enter(b.Context(), Page, who); err == nil {
				p.Leave()
			}
		}
	})
}
