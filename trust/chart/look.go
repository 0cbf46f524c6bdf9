package chart

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/wellgate/wellgate/fhir"
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
	c.note("read", fhir.Resource{})
	stored, err := c.h.audit.Of(ctx, c.num, before, limit)
	if err != nil {
		return nil, fmt.Errorf("chart: who looked: %w", err)
	}
	out := make([]Look, 0, len(stored))
	for _, s := range stored {
		var l line
		if err := json.Unmarshal(s.Plain, &l); err != nil {
			return nil, fmt.Errorf("chart: audit entry %d: %w", s.Index, err)
		}
		out = append(out, l.look(s.Index, c.num, c.act.Who))
	}
	return out, nil
}

// Receipt is an offline-verifiable proof of one line of Looked: the entry, its place in the log, a signed checkpoint.
func (c *Chart) Receipt(ctx context.Context, index int64) ([]byte, error) {
	if err := c.mayLook(); err != nil {
		return nil, err
	}
	c.note("read", fhir.Resource{})
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

func (l line) look(index, chart int64, reader identity.Who) Look {
	return Look{
		Index: index, At: l.At, Who: l.Name, Kind: l.Kind, Role: l.Role,
		Self:   l.Kind == identity.Patient && reader.Kind == identity.Patient && l.Account == reader.Account,
		Action: l.Action, What: l.What, Purpose: l.Purpose, Reason: l.Reason, Types: l.Types, Refs: l.Refs, Read: l.Read,
		Detail: l.Detail, Outcome: l.Outcome, Device: l.Device, IP: l.IP,
	}
}
