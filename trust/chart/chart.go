// Package chart is the one door to a record: policy, guard, vault, audit and feed, in one transaction.
//
// It promises:
//   - Nobody reads or writes but through policy, and every write passes the guard of the room that owns the type.
//   - Whatever it hands out is noted on the act; Act.Release makes the notes durable, and a door releases no byte before.
//   - A change, its audit entry and its fact are one transaction: all of it or nothing.
//   - What is not there and what is not yours answer alike.
//
// A House is one practice's charts. A Chart is one record opened by one person for one Act: a page, or a call.
package chart

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/fhir/search"
	"github.com/wellgate/wellgate/trust/identity"
	"github.com/wellgate/wellgate/trust/policy"
)

var (
	// ErrNotFound is what is not there and what is not yours: the two answer alike (AZ-05).
	ErrNotFound = errors.New("chart: not found")
	// ErrConflict means that the record changed since it was read; load it again and retry.
	ErrConflict = errors.New("chart: changed by somebody else")
	// ErrRefused means that a room's guard refused a write; the wrapped error says why, without health data.
	ErrRefused = errors.New("chart: refused")
	// ErrInvalid means that what was to be written is no valid FHIR resource of this chart.
	ErrInvalid = errors.New("chart: invalid resource")
)

// Purpose of use, as HL7 v3 PurposeOfUse codes.
type Purpose string

const (
	PatientRequest Purpose = "PATRQT"
	Treatment      Purpose = "TREAT"
	Payment        Purpose = "HPAYMT"
	Operations     Purpose = "HOPERAT"
)

// A Guard is a room's rule for a resource type. It runs on every write, whichever door it came by, and sees who
// writes. old is zero for a new resource, new is zero for a deletion.
type Guard func(who identity.Who, old, new fhir.Resource) error

// An Entry is a resource with what the log knows about it.
type Entry struct {
	fhir.Resource
	Version int64     // 1, 2, …: meta.versionId
	Updated time.Time // when this version was stored: meta.lastUpdated
}

// A Chart is one record, opened by one person for one act. What they may not see is not there.
type Chart struct {
	h   *House
	act *Act
	num int64
	ctx policy.Context
	may map[decided]bool // decisions of this act

	last   decided // the newest of them
	lastOK bool

	recording bool    // makes a memo, and
	directory *record // looked into this
}

// PublicID is how the chart is named in URLs.
func (c *Chart) PublicID() string { return c.h.vault.PublicID(c.num) }

// Patient is the Patient resource of this chart.
func (c *Chart) Patient(ctx context.Context) (fhir.Resource, error) {
	st, err := c.load(ctx)
	if err != nil {
		return fhir.Resource{}, err
	}
	for i := range st.shelf("Patient").entries {
		if e := &st.shelf("Patient").entries[i]; c.visible(policy.Read, e) {
			r, err := e.resource(ctx)
			if err == nil {
				c.note("read", e)
			}
			return r, err
		}
	}
	return fhir.Resource{}, ErrNotFound
}

// Get returns one resource of this chart, or ErrNotFound.
func (c *Chart) Get(ctx context.Context, typ, id string) (Entry, error) {
	st, err := c.load(ctx)
	if err != nil {
		return Entry{}, err
	}
	e := st.get(typ, id)
	if e == nil || !c.visible(policy.Read, e) {
		return Entry{}, ErrNotFound
	}
	full, err := c.h.whole(ctx, c.num, e)
	if err != nil {
		return Entry{}, err
	}
	c.note("read", e)
	return full, nil
}

// Search answers a FHIR search inside this chart, e.g. Search(ctx, "Observation", "category=laboratory&_sort=-date").
// What the reader may not see is left out before anything is counted or cut (PRV-03). No _count means all.
func (c *Chart) Search(ctx context.Context, typ, query string) ([]Entry, error) {
	st, err := c.load(ctx)
	if err != nil {
		return nil, err
	}
	q, err := search.Parse(typ, query)
	if err != nil {
		return nil, err
	}
	found, err := st.matches(ctx, &q, func(e *entry) bool { return c.visible(policy.Read, e) })
	if err != nil {
		return nil, err
	}
	if q.Count >= 0 && q.Count < len(found) {
		found = found[:q.Count]
	}
	return c.hand(ctx, found)
}

// Count says how many resources of a type this reader may see, noting nothing: a number is not a reading of any of them.
func (c *Chart) Count(ctx context.Context, typ string) (int, error) {
	st, err := c.load(ctx)
	if err != nil {
		return 0, err
	}
	n := 0
	for i := range st.shelf(typ).entries {
		if c.visible(policy.Read, &st.shelf(typ).entries[i]) {
			n++
		}
	}
	return n, nil
}

// All yields every resource this person may take away, by type then id: "take my record". Needs a fresh proof (AUT-17).
func (c *Chart) All(ctx context.Context) iter.Seq2[Entry, error] {
	return c.each(ctx, policy.Export, "export")
}

// Resolve follows a relative reference ("Practitioner/x") into this chart or the practice's directory. "#contained"
// references are the caller's own business; absolute URLs are never fetched.
func (c *Chart) Resolve(ctx context.Context, ref string) (fhir.Resource, bool) {
	typ, id := splitRef(ref)
	if typ == "" {
		return fhir.Resource{}, false
	}
	if st, err := c.load(ctx); err == nil {
		if e := st.get(typ, id); e != nil {
			if !c.visible(policy.Read, e) {
				return fhir.Resource{}, false
			}
			r, err := e.resource(ctx)
			if err != nil {
				return fhir.Resource{}, false
			}
			c.note("read", e)
			return r, true
		}
	}
	if st, err := c.h.loadFor(ctx, c.act, c.h.directory); err == nil {
		if c.recording {
			c.directory = st
		}
		if e := st.get(typ, id); e != nil {
			r, err := e.resource(ctx)
			return r, err == nil
		}
	}
	return fhir.Resource{}, false
}

// Hidden says whether ref names something in this record that this person may not see. What others say of it in passing,
// a reference's display, is then not for them either. It is for leaving out, never for telling that something is there.
func (c *Chart) Hidden(ctx context.Context, ref string) bool {
	st, err := c.load(ctx)
	if err != nil {
		return true
	}
	e := st.get(splitRef(ref))
	return e != nil && !c.visible(policy.Read, e)
}

// NewID assigns the id of a resource about to be created; it names its chart, so no table is needed to find it again.
func (c *Chart) NewID() string { return c.h.newID(c.num) }

// File opens the bytes of "Binary/x" in this chart, checked by hash while they are read.
func (c *Chart) File(ctx context.Context, ref string) (contentType string, size int64, r io.ReadCloser, err error) {
	typ, id := splitRef(ref)
	st, err := c.load(ctx)
	if err != nil {
		return "", 0, nil, err
	}
	e := st.get(typ, id)
	if typ != "Binary" || e == nil || !c.visible(policy.Read, e) {
		return "", 0, nil, ErrNotFound
	}
	c.note("read", e)
	return c.h.openBinary(ctx, c.num, e)
}

// Write asks policy and guards, then stores the change, its audit entry and its fact in one transaction.
func (c *Chart) Write(ctx context.Context, ch Change) error {
	return c.h.write(ctx, c.act, c.ctx, c.num, ch)
}

// A Change is written whole or not at all.
type Change struct {
	Room string           // whose act it is: "results"
	What string           // verb for the audit entry and the fact: "commented"
	Put  []fhir.Resource  // created or replaced, with their ids
	If   map[string]int64 // "Type/id" → version that must still be current, for edits
}

// decided is what a decision of one act was about.
type decided struct {
	action policy.Action
	class  *policyClass
}

func (c *Chart) visible(a policy.Action, e *entry) bool { return c.decide(decided{a, e.class}) }

func (c *Chart) decide(d decided) bool {
	if d == c.last {
		return c.lastOK
	}
	ok, known := c.may[d]
	if !known {
		ok = c.h.policy.Item(c.act.Who, d.action, policy.Item{
			Chart: c.num, Kind: kindName(c.h.kind(c.num)), Type: d.class.typ, Labels: d.class.labels,
		}, c.ctx) == nil
		if c.may == nil {
			c.may = map[decided]bool{}
		}
		c.may[d] = ok
	}
	c.last, c.lastOK = d, ok
	return ok
}

func (c *Chart) note(action string, e *entry) { c.act.note(c.num, action, e.Type(), e.id) }
