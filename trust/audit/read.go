package audit

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
)

// Of lists a chart's entries, newest first, before index before (0 = from the end). What was durable before the call is
// there. Fewer than limit means that there are no more; the log's very first entry has index 0, which is no place to go
// on from. An erased chart has none.
func (l *Log) Of(ctx context.Context, chart, before int64, limit int) ([]Stored, error) {
	err := l.settle(ctx)
	var list []Stored
	if err == nil {
		list, err = l.of(ctx, chart, before, limit)
	}
	if err != nil {
		return nil, fmt.Errorf("audit: Of: %w", err)
	}
	return list, nil
}

func (l *Log) of(ctx context.Context, chart, before int64, limit int) ([]Stored, error) {
	if before == 0 {
		before = math.MaxInt64
	}
	const page = 64
	list := make([]Stored, 0, min(limit, 1000))
	for from := before; len(list) < limit; {
		want := min(page, limit-len(list))
		blocks, err := blocksOf(ctx, l.c.DB, chart, from, want)
		if err != nil {
			return nil, err
		}
		for i := range blocks {
			b := &blocks[i]
			o, err := b.open(ctx, l.c.Seal)
			if errors.Is(err, ErrErased) {
				return nil, nil // one key per chart: what holds for one entry holds for all
			}
			if err != nil {
				return nil, b.explain(err)
			}
			for at := min(b.n, before-b.first) - 1; at >= 0 && len(list) < limit; at-- {
				list = append(list, Stored{Index: b.first + at, Chart: chart, Plain: o.entries[at]})
			}
			from = b.first
		}
		if len(blocks) < want {
			break
		}
	}
	return list, nil
}

// Each yields all of a chart's entries, newest first, in bounded memory: for "take my record".
func (l *Log) Each(ctx context.Context, chart int64) iter.Seq2[Stored, error] {
	return func(yield func(Stored, error) bool) {
		const page = 500
		before := int64(0)
		if err := l.settle(ctx); err != nil {
			yield(Stored{}, fmt.Errorf("audit: Each: %w", err))
			return
		}
		for {
			list, err := l.of(ctx, chart, before, page)
			if err != nil {
				yield(Stored{}, fmt.Errorf("audit: Each: %w", err))
				return
			}
			for _, s := range list {
				if !yield(s, nil) {
					return
				}
				before = s.Index
			}
			if len(list) < page || before == 0 {
				return
			}
		}
	}
}
