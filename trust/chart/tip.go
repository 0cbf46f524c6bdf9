package chart

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/wellgate/wellgate/trust/identity"
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

// alarmed tells the operator which record cannot be trusted, once in the practice's own audit log too, and passes the error on.
func (h *House) alarmed(num int64, err error) error {
	if h.alarm == nil || !errors.Is(err, journal.ErrDamaged) {
		return err
	}
	record := h.PublicID(num)
	h.alarm(record, err)
	if _, told := h.alerted.LoadOrStore(num, struct{}{}); told || num == h.directory {
		return err
	}
	act := h.Begin(identity.Who{Kind: identity.System, Name: "Wellgate"}, "alert")
	entry, eerr := act.entry(h.directory, line{Action: "damaged", What: "record", Refs: []string{record}, Outcome: "failed"})
	if eerr == nil { // whoever reads may be inside a transaction, and must not wait for the log
		h.background.Go(func() { h.audit.Durable(context.Background(), entry) })
	}
	return err
}

// An Alert is a record that was found changed behind our back.
type Alert struct {
	What  string // the record's public id
	At    time.Time
	Still bool // it does not read now either
}

// mostAlerts bounds how far back Alerts looks.
const mostAlerts = 10_000

// Alerts are the records that were found changed, newest first, and whether they still are.
func (h *House) Alerts(ctx context.Context) ([]Alert, error) {
	var list []Alert
	seen, looked := map[string]bool{}, 0
	for e, err := range h.audit.Each(ctx, h.directory) {
		if err != nil {
			return nil, fmt.Errorf("chart: alerts: %w", err)
		}
		if looked++; looked > mostAlerts {
			break
		}
		var l line
		if err := json.Unmarshal(e.Plain, &l); err != nil {
			return nil, fmt.Errorf("audit entry %d: %w", e.Index, err)
		}
		if l.Action != "damaged" || len(l.Refs) != 1 || seen[l.Refs[0]] {
			continue
		}
		seen[l.Refs[0]] = true
		a := Alert{What: "record " + l.Refs[0], At: l.At}
		if num, ok := h.Number(l.Refs[0]); ok {
			_, err := h.load(ctx, num)
			a.Still = errors.Is(err, journal.ErrDamaged)
		}
		list = append(list, a)
	}
	return list, nil
}

// Newest is the highest version that an account's events name; 0 for none. Staff's events stand in the practice's own log, which
// is read once: what comes later, identity knows itself.
func (h *House) Newest(ctx context.Context, account string, chart int64) (int64, error) {
	if chart != 0 {
		versions, err := h.versions(ctx, chart, account)
		return versions[account], err
	}
	h.staff.Lock()
	defer h.staff.Unlock()
	if h.staffAt == nil {
		versions, err := h.versions(ctx, h.directory, "")
		if err != nil {
			return 0, err
		}
		h.staffAt = versions
	}
	return h.staffAt[account], nil
}

// mostEvents bounds how far back versions looks.
const mostEvents = 200_000

// versions reads a chart's entries, newest first, up to the first of one account, or all of them.
func (h *House) versions(ctx context.Context, chart int64, one string) (map[string]int64, error) {
	out, looked := map[string]int64{}, 0
	for e, err := range h.audit.Each(ctx, chart) {
		if err != nil {
			return nil, fmt.Errorf("chart: newest event: %w", err)
		}
		if looked++; looked > mostEvents {
			break
		}
		var l line
		if err := json.Unmarshal(e.Plain, &l); err != nil {
			return nil, fmt.Errorf("audit entry %d: %w", e.Index, err)
		}
		if l.Version == 0 || one != "" && l.Account != one {
			continue
		}
		if out[l.Account] = max(out[l.Account], l.Version); one != "" {
			break
		}
	}
	return out, nil
}
