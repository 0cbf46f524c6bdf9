package chart

import (
	"context"

	"github.com/wellgate/wellgate/trust/journal"
)

// Warm counts what is kept in memory.
func (h *House) Warm() journal.CacheStats { return h.warm.Stats() }

// Cool moves a chart to the cold tier as the cache would.
func (h *House) Cool(ctx context.Context, num int64) error {
	st, err := h.load(ctx, num)
	if err == nil {
		st.cool()
		h.reweigh(num)
	}
	return err
}

// Settle waits for snapshots that are being written.
func (h *House) Settle() { h.background.Wait() }

// BelieveWarm has the house ask nobody whether what is warm is the newest: what TestNoStaleRead must find.
func (h *House) BelieveWarm() { h.heads = nil }
