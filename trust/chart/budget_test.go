//go:build linux

package chart_test

import (
	"context"
	"math"
	"runtime"
	"testing"
)

// heap is what is in use after everything that nobody holds has gone: what finalizers hold goes a collection later.
func heap() int64 {
	for last := int64(math.MaxInt64); ; {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if now := int64(m.HeapAlloc); now > last-64<<10 {
			return now
		} else {
			last = now
		}
	}
}

// readAll reads a chart as a busy day would: a search, a look-up and everything.
func (w *ward) readAll(num int64) {
	w.tb.Helper()
	ctx := context.Background()
	f, err := w.reader(num).Query(ctx, "Observation", labSearch, 0)
	w.ok(err)
	_, err = w.reader(num).Get(ctx, "Observation", f.Hits[0].ID())
	w.ok(err)
	for _, err := range w.reader(num).Everything(ctx) {
		w.ok(err)
	}
}

// A warm chart takes at most 1.25 times its JSON and 0.15 in the cold tier, and the cache keeps its budget: what it counts is
// what the heap holds.
func TestMemoryByBudget(t *testing.T) {
	ctx := context.Background()
	w := newWard(t, 1<<30)
	first, _ := w.fill(330) // read and cooled before the heap is measured: the codecs' own memory does not grow with charts
	var charts []int64
	json := int64(0)
	for range 12 {
		num, n := w.fill(1100)
		charts, json = append(charts, num), json+n
	}
	again := func(cache int64) {
		w.close()
		w.cache = cache
		w.open()
		for _, num := range charts { // snapshots are written and everything else is where it will be
			w.readAll(num)
			w.Settle()
		}
		w.close()
		w.open()
		w.readAll(first)
		w.ok(w.Cool(ctx, first))
	}
	share := func(n int64) float64 { return float64(n) / float64(json) }

	again(1 << 30)
	before := heap()
	for _, num := range charts {
		w.readAll(num)
	}
	raw := heap() - before
	counted := w.Warm().Bytes
	for _, num := range charts {
		w.ok(w.Cool(ctx, num))
	}
	cold := heap() - before
	t.Logf("%.1f MB of JSON in %d charts; raw tier %.3f of it (counted %.3f), compressed tier %.3f (counted %.3f)",
		float64(json)/1e6, len(charts), share(raw), share(counted), share(cold), share(w.Warm().Bytes))
	if share(raw) > 1.25 || share(cold) > 0.15 {
		t.Errorf("raw tier %.3f, compressed tier %.3f of the JSON; the goals are 1.25 and 0.15", share(raw), share(cold))
	}

	budget := json / 3
	again(budget)
	before = heap()
	for range 2 {
		for _, num := range charts {
			w.readAll(num)
		}
	}
	used, s := heap()-before, w.Warm()
	t.Logf("budget %.1f MB: heap %.1f MB, counted %.1f MB, %d charts of which %d compressed", float64(budget)/1e6, float64(used)/1e6, float64(s.Bytes)/1e6, s.Entries, s.Cold)
	if s.Bytes > budget || used > budget*5/4 {
		t.Errorf("budget %d: counted %d, heap %d", budget, s.Bytes, used)
	}
	if s.Cold == 0 || s.Cold == s.Entries {
		t.Errorf("%d charts, %d of them compressed: both tiers should be in use", s.Entries, s.Cold)
	}
}
