//go:build linux

package faults

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/wellgate/wellgate/test/rig"
)

// TestDiskFull lets the room end under load, again and again, and makes room: while it is full, nothing is acknowledged that
// is not kept and nothing is shown without an entry; once there is room everything works again by itself.
func TestDiskFull(t *testing.T) {
	seed, times := number(t, "FULL_SEED", 1), int(number(t, "FULL_TIMES", 3))
	b := newBench(t)
	rng := rand.New(rand.NewPCG(seed, 4))
	x := b.box(b.disk.Clone())
	defer func() { x.away() }()
	if _, err := x.start(); err != nil {
		t.Fatal(err)
	}
	l, err := rig.NewLoad(x.p, fmt.Sprint(seed))
	if err != nil {
		t.Fatal(err, x.run.Said())
	}
	l.Tolerant()
	restarts, healed := 0, []time.Duration{}
	for n := range times {
		x.disk.Limit(int64(rng.IntN(400)) << 10)
		stop := make(chan struct{})
		time.AfterFunc(1500*time.Millisecond, func() { close(stop) })
		l.Run(seed<<16|uint64(n), func() {}, stop)
		if x.run.Ended() {
			l.Fault("the program ended:\n" + x.run.Said())
			break
		}
		x.disk.Limit(-1)
		took, ok := heals(x, 10*time.Second)
		if !ok {
			restarts++
			t.Logf("seed %d, time %d: not well by itself:\n%s", seed, n, x.run.Said())
			x.run.Kill()
			x.p.Hangup()
			if _, err := x.start(); err != nil {
				t.Fatal(err)
			}
		}
		healed = append(healed, took)
		if err := l.Recheck(20); err != nil {
			l.Fault(err.Error())
		}
	}
	x.look(l.Ledger)
	for _, p := range l.Problems() {
		t.Errorf("seed %d: %s", seed, p)
	}
	t.Logf("seed %d: full %d times, %v; well again after %v, %d times by a restart only", seed, times, l.Count(), healed, restarts)
	if restarts > 0 {
		t.Errorf("seed %d: a disk with room again is not used", seed)
	}
	if l.Count().Shed == 0 {
		t.Error("nothing was refused: the disk was not full")
	}
}

// heals waits until pages, reads and writes are answered again.
func heals(x *box, limit time.Duration) (time.Duration, bool) {
	began := time.Now()
	for time.Since(began) < limit {
		if x.p.Works() == nil {
			return time.Since(began), true
		}
		time.Sleep(50 * time.Millisecond)
	}
	return limit, false
}
