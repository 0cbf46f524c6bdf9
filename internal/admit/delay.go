package admit

import (
	"runtime/metrics"
	"slices"
	"time"
)

// Delay measures how long goroutines that could run waited for a processor: nine in ten waited less. The function it
// returns looks at what happened since it was last called; it is for one caller at a time.
func Delay() func() time.Duration {
	sample := []metrics.Sample{{Name: "/sched/latencies:seconds"}}
	var before []uint64
	return func() time.Duration {
		metrics.Read(sample)
		if sample[0].Value.Kind() != metrics.KindFloat64Histogram {
			return 0 // a runtime that does not tell: the limit stays where it is or grows
		}
		h := sample[0].Value.Float64Histogram()
		d := tenth(h, before)
		before = append(before[:0], h.Counts...)
		return d
	}
}

// tenth is the bound that nine in ten of what h counts beyond before stay below.
func tenth(h *metrics.Float64Histogram, before []uint64) time.Duration {
	now := slices.Clone(h.Counts)
	all := uint64(0)
	for i := range now {
		if i < len(before) {
			now[i] -= before[i]
		}
		all += now[i]
	}
	seen := uint64(0)
	for i := range now {
		if seen += now[i]; seen*10 >= all*9 {
			return time.Duration(max(0, h.Buckets[i]) * float64(time.Second))
		}
	}
	return 0
}
