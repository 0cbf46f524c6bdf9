package chart

import (
	"context"
	"errors"
	"fmt"

	"github.com/wellgate/wellgate/trust/policy"
)

// ErrMany means that more people fit than one question may name.
var ErrMany = errors.New("chart: too many match")

// Directory is the chart of the practice itself: its people, places and catalogues.
func (h *House) Directory() int64 { return h.directory }

// Identified finds the charts of the patients who carry an identifier: its value, and its system unless that is "". Who is
// found is noted as found in their own log, a search that finds nobody in the practice's; what was asked for is in neither.
func (h *House) Identified(ctx context.Context, act *Act, system, value string) ([]int64, error) {
	if err := h.policy.Item(act.Who, policy.Find, policy.Item{Kind: "patient"}, policy.Context{}); err != nil {
		return nil, err
	}
	nums, err := h.journal.Pointed(ctx, h.db, "identifier", maxFound+1, system, value)
	if err != nil {
		return nil, fmt.Errorf("chart: find: %w", err)
	}
	if len(nums) > maxFound {
		return nil, ErrMany
	}
	if len(nums) == 0 {
		act.note(h.directory, "find", "", "")
	}
	for _, n := range nums {
		act.note(n, "find", "", "")
	}
	return nums, nil
}
