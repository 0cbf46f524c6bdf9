package chart

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/wellgate/wellgate/trust/audit"
	"github.com/wellgate/wellgate/trust/identity"
	"github.com/wellgate/wellgate/trust/policy"
)

// A Look is one line of "who looked".
type Look struct {
	Index   int64          // place in the audit log
	At      time.Time      //
	Who     string         // name as shown
	Kind    identity.Kind  //
	Role    identity.Role  //
	Self    bool           // the patient
	Action  string         // read, write, export, find, open, account …
	What    string         // the route's or change's name
	Purpose Purpose        //
	Reason  string         // staff's own words
	Types   map[string]int // resource types touched and how many
	Refs    []string       // the first 200 of them
	Read    []string       // what a write had read before
	Detail  string         // of account events: the factor or way in
	Outcome string         // ok, refused, failed
	Device  string
	IP      string
}

// Looked lists who opened this record, newest first, before index before (0 = newest). Asking is itself noted.
func (c *Chart) Looked(ctx context.Context, before int64, limit int) ([]Look, error) {
	if err := c.mayLook(); err != nil {
		return nil, err
	}
	if err := c.h.alive(ctx, c.num); err != nil {
		return nil, fmt.Errorf("chart: who looked: %w", err)
	}
	c.act.note(c.num, "read", "", "")
	found, err := c.h.lines(ctx, c.num, before, limit)
	if err != nil {
		return nil, fmt.Errorf("chart: who looked: %w", err)
	}
	out := make([]Look, len(found))
	for i, f := range found {
		out[i] = f.look(f.index, c.act.Who)
	}
	return out, nil
}

// Receipt is an offline-verifiable proof of one line of Looked: the entry, its place in the log, a signed checkpoint.
func (c *Chart) Receipt(ctx context.Context, index int64) ([]byte, error) {
	if err := c.mayLook(); err != nil {
		return nil, err
	}
	c.act.note(c.num, "read", "", "")
	r, err := c.h.audit.Receipt(ctx, c.num, index)
	if errors.Is(err, audit.ErrNoEntry) {
		return nil, ErrNotFound
	}
	return r, err
}

// LogKey is the public key that receipts and checkpoints verify against.
func (c *Chart) LogKey() string { return c.h.audit.PublicKey() }

func (c *Chart) mayLook() error {
	if err := c.h.policy.Item(c.act.Who, policy.Looked, policy.Item{Chart: c.num, Kind: "patient"}, c.ctx); err != nil {
		return ErrNotFound
	}
	return nil
}

func (l line) look(index int64, reader identity.Who) Look {
	return Look{
		Index: index, At: l.At, Who: l.Name, Kind: l.Kind, Role: l.Role,
		Self:   l.Kind == identity.Patient && reader.Kind == identity.Patient && l.Account == reader.Account,
		Action: l.Action, What: l.What, Purpose: l.Purpose, Reason: l.Reason, Types: l.Types, Refs: l.Refs, Read: l.Read,
		Detail: l.Detail, Outcome: l.Outcome, Device: l.Device, IP: l.IP,
	}
}

// An indexed is an opened audit entry. Entries never change, so the newest of a chart are kept opened: a patient's home page
// asks for them each time, and only what was added since has to be read.
type indexed struct {
	index int64
	line
}

const (
	keepLines = 1000 // opened entries kept per chart
	lineBytes = 700  // what one weighs, about
)

// lines are a chart's audit entries, newest first, before an index.
func (h *House) lines(ctx context.Context, num, before int64, limit int) ([]indexed, error) {
	kept, err := h.newestLines(ctx, num)
	if err != nil {
		return nil, err
	}
	from := 0
	if before > 0 {
		from = sort.Search(len(kept), func(i int) bool { return kept[i].index < before })
	}
	if from+limit <= len(kept) || len(kept) < keepLines { // all there, or all there is
		return kept[from:min(from+limit, len(kept))], nil
	}
	return h.read(ctx, num, before, limit)
}

// newestLines brings the kept entries of a chart up to date.
func (h *House) newestLines(ctx context.Context, num int64) ([]indexed, error) {
	kept, err := h.looks.Get(ctx, num, func(ctx context.Context) ([]indexed, int64, error) {
		l, err := h.read(ctx, num, 0, keepLines)
		return l, int64(len(l)) * lineBytes, err
	})
	if err != nil {
		return nil, err
	}
	var added []indexed
	for before, step := int64(0), 8; ; step = 100 {
		more, err := h.read(ctx, num, before, step)
		if err != nil {
			return nil, err
		}
		for _, m := range more {
			if len(kept) > 0 && m.index <= kept[0].index {
				more = nil // met what is kept
				break
			}
			added = append(added, m)
		}
		if len(more) < step {
			break
		}
		before = more[len(more)-1].index
	}
	if len(added) == 0 {
		return kept, nil
	}
	all := append(added, kept...)
	all = all[:min(len(all), keepLines)]
	h.looks.Put(num, all, int64(len(all))*lineBytes)
	return all, nil
}

// read opens entries from the log.
func (h *House) read(ctx context.Context, num, before int64, limit int) ([]indexed, error) {
	stored, err := h.audit.Of(ctx, num, before, limit)
	if err != nil {
		return nil, err
	}
	out := make([]indexed, len(stored))
	for i, s := range stored {
		out[i].index = s.Index
		if err := json.Unmarshal(s.Plain, &out[i].line); err != nil {
			return nil, fmt.Errorf("audit entry %d: %w", s.Index, err)
		}
	}
	return out, nil
}
