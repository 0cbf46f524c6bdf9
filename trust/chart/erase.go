package chart

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/wellgate/wellgate/feed"
	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/trust/journal"
	"github.com/wellgate/wellgate/trust/policy"
)

// Erase destroys a patient's record for good: its key, and with it its rows, look-ups, files, audit entries' content and
// facts. That it was done, by whom and why, stands in the practice's own audit entries; a reason never names the patient.
// also runs inside the same transaction: identity ends the person's account there.
//
// Copies of the store from before hold the record's key, wrapped. Rotating the root key and destroying the old one closes
// those too (`wellgate key rotate`).
func (h *House) Erase(ctx context.Context, act *Act, num int64, reason string, also func(context.Context, *store.Tx) error) error {
	if h.kind(num) != journal.Patient {
		return fmt.Errorf("%w: the practice's own records cannot be erased", ErrRefused)
	}
	err := h.policy.Item(act.Who, policy.Erase, policy.Item{Chart: num, Kind: "patient"}, policy.Context{Proved: act.proved()})
	if err != nil {
		return err
	}
	reason = strings.TrimSpace(clean(reason, 200))
	if !says(reason) {
		return ErrReason
	}
	act.Purpose, act.Reason = Operations, reason
	// The number is not the name: once the record is gone, nothing leads from it to a person.
	what := "Chart/" + h.PublicID(num)
	e, err := act.entry(h.directory, line{Action: "erase", What: "record", Refs: []string{what}, Outcome: "ok"})
	if err != nil {
		return err
	}
	if err := h.audit.Settle(ctx); err != nil { // what is said of the record is sealed under its key from here on
		return fmt.Errorf("chart: erase: %w", err)
	}
	err = h.db.Write(ctx, func(tx *store.Tx) error {
		if err := h.journal.Shred(ctx, tx, num); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM chart_opening WHERE chart = $1`, num); err != nil {
			return err
		}
		if err := also(ctx, tx); err != nil {
			return err
		}
		if err := h.audit.Append(ctx, tx, e); err != nil {
			return err
		}
		err := h.feed.Append(ctx, tx, feed.Fact{Room: "privacy", What: "erased", Chart: h.directory, Ref: what, At: h.clock()})
		if err != nil {
			return err
		}
		tx.Committed(func() { h.Forget(num) })
		return nil
	})
	if errors.Is(err, journal.ErrNoChart) || errors.Is(err, journal.ErrShredded) {
		return ErrNotFound
	}
	if err == nil {
		err = h.audit.Clear(ctx) // and what was said meanwhile
	}
	if err != nil {
		return fmt.Errorf("chart: erase: %w", err)
	}
	return nil
}

// Forget drops whatever is kept opened of a chart.
func (h *House) Forget(num int64) {
	h.journal.Forget(num)
	h.warm.Drop(num)
	h.looks.Drop(num)
	h.homes.forget()
}

// Maintain notes in the practice's own audit entries what an operator did to the whole house, such as rotating its keys.
func (h *House) Maintain(ctx context.Context, act *Act, what, outcome string) error {
	act.Purpose = Operations
	e, err := act.entry(h.directory, line{Action: "maintain", What: what, Outcome: outcome})
	if err != nil {
		return err
	}
	if err := h.audit.Durable(ctx, e); err != nil {
		return fmt.Errorf("chart: maintain: %w", err)
	}
	return nil
}
