package chart

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/wellgate/wellgate/trust/journal"
)

// A chart that was put back whole, rows and head together, to what it was some time ago, is sound in itself. Its newest
// write stands in the audit log with the number it gave the chart, though, and the log cannot be put back alone. So the
// first time this process loads a chart it asks the log; from then on the journal itself knows what it saw.

// checkTip refuses a chart that is older than its newest write in the audit log.
func (h *House) checkTip(ctx context.Context, num, seq int64) error {
	if _, done := h.tips.Load(num); done {
		return nil
	}
	newest, err := h.lastWrite(ctx, num)
	if err != nil {
		return err
	}
	if newest > seq { // unless somebody wrote between the two looks
		if seq, err = h.journal.Head(ctx, h.db, num); err != nil {
			return err
		}
	}
	if newest > seq {
		return fmt.Errorf("%w: the chart ends at row %d, its audit entries at row %d: older rows were put back", journal.ErrDamaged, seq, newest)
	}
	h.tips.Store(num, struct{}{})
	return nil
}

// lastWrite is the row that the newest entry of a write names; 0 if nothing was written.
func (h *House) lastWrite(ctx context.Context, num int64) (int64, error) {
	for e, err := range h.audit.Each(ctx, num) {
		if err != nil {
			return 0, fmt.Errorf("chart: newest write: %w", err)
		}
		var l struct {
			Row int64 `json:"row"`
		}
		if err := json.Unmarshal(e.Plain, &l); err != nil {
			return 0, fmt.Errorf("audit entry %d: %w", e.Index, err)
		}
		if l.Row > 0 {
			return l.Row, nil
		}
	}
	return 0, nil
}

// alarmed tells the operator which record cannot be trusted, and passes the error on.
func (h *House) alarmed(num int64, err error) error {
	if h.alarm != nil && errors.Is(err, journal.ErrDamaged) {
		h.alarm(h.PublicID(num), err)
	}
	return err
}
