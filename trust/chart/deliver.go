package chart

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/trust/journal"
	"github.com/wellgate/wellgate/trust/policy"
)

// Delivered counts what a delivery did.
type Delivered struct {
	Created   int `json:"created"`
	Updated   int `json:"updated"`
	Unchanged int `json:"unchanged"`
	Patients  int `json:"patients"` // new records
}

// A Nobody is a resource about a patient whom neither the store nor the delivery knows.
type Nobody struct{ Ref, Patient string }

func (e *Nobody) Error() string {
	return "chart: " + e.Ref + " is about " + e.Patient + ", who is not in the store"
}

// A BadResource says which resource of a delivery was refused.
type BadResource struct {
	Ref string
	Err error
}

func (e *BadResource) Error() string { return e.Err.Error() }
func (e *BadResource) Unwrap() error { return e.Err }

// A Delivery is resources that belong together, all with ids and with relative references.
type Delivery struct {
	What      string // "records.import"
	Resources []fhir.Resource
	Keep      map[string]bool // by Type/id: brought as a create, so what is there already stays as it is
	Intake    bool            // what is about an unknown patient goes to intake; else it is a *Nobody error
}

// Deliver files resources that came from outside (an import, a feed) into the charts they belong to, all or nothing:
// a patient's compartment into the patient's chart, the practice's own people and places into the directory, and what
// belongs to nobody known into intake. Every resource has its id, and references between them are already relative.
// What is stored already and did not change makes no new version. It returns how many charts it touched.
func (h *House) Deliver(ctx context.Context, act *Act, del Delivery) (Delivered, error) {
	act.Purpose = Operations
	for n := range retries {
		defer h.queue(n)()
		d, touched, err := h.deliverOnce(ctx, act, del)
		if !errors.Is(err, journal.ErrConflict) {
			return d, err
		}
		for _, n := range touched {
			h.lost(n)
		}
	}
	return Delivered{}, ErrConflict
}

func (h *House) deliverOnce(ctx context.Context, act *Act, del Delivery) (Delivered, []int64, error) {
	pl := placement{h: h, intake: del.Intake, charts: map[int64]*part{}}
	if err := pl.take(ctx, del.Resources); err != nil {
		return Delivered{}, nil, err
	}
	var d Delivered
	j := judge{h: h, act: act, ctx: policy.Context{Purpose: string(act.Purpose)}}
	for i, r := range pl.res {
		p := pl.parts[i]
		before := len(p.ops)
		known := p.record.get(r.Type(), r.ID()) != nil
		if known && del.Keep[r.Ref()] {
			d.Unchanged++
			continue
		}
		if err := samePerson(ctx, p.record, r); err != nil {
			return Delivered{}, nil, &BadResource{r.Ref(), err}
		}
		if err := j.putAgain(ctx, p, r); err != nil {
			return Delivered{}, nil, &BadResource{r.Ref(), err}
		}
		switch {
		case len(p.ops) == before:
			d.Unchanged++
		case known:
			d.Updated++
		default:
			d.Created++
		}
	}
	parts := pl.all()
	var touched []int64
	for _, p := range parts {
		if p.draft != nil {
			d.Patients++
		} else {
			touched = append(touched, p.chart)
		}
	}
	if len(parts) == 0 {
		return d, nil, nil
	}
	return d, touched, h.commit(ctx, act, parts, "records", del.What, nil)
}

// take places resources that all have their ids, each once: the last word on an id wins.
func (pl *placement) take(ctx context.Context, rs []fhir.Resource) error {
	pl.names = make(map[string]int, len(rs))
	for _, r := range rs {
		if r.ID() == "" {
			return fmt.Errorf("%w: a %s has no id", ErrInvalid, r.Type())
		}
		if i, twice := pl.names[r.Ref()]; twice {
			pl.res[i] = r
			continue
		}
		pl.names[r.Ref()] = len(pl.res)
		pl.res = append(pl.res, r)
	}
	pl.parts = make([]*part, len(pl.res))
	for i, r := range pl.res {
		if r.Type() != "Patient" {
			continue
		}
		var err error
		if pl.parts[i], err = pl.patient(ctx, r.ID()); err == nil && pl.parts[i] == nil {
			pl.parts[i], err = pl.newborn(ctx)
		}
		if err != nil {
			return &BadResource{r.Ref(), err}
		}
	}
	return pl.place(ctx)
}

// newborn is the part of a patient's chart that is to be made.
func (pl *placement) newborn(ctx context.Context) (*part, error) {
	d, err := pl.h.journal.Draft(ctx, journal.Patient)
	if err != nil {
		return nil, err
	}
	p := &part{chart: d.Chart, draft: d, record: &record{kind: journal.Patient}}
	pl.charts[p.chart] = p
	return p, nil
}

// samePerson refuses a Patient under the id of somebody else: two systems may use one id for two people, and the second
// must not take over the first one's record. A record number in common is enough; else a name must fit and the birth dates,
// where both are known, must be the same.
func samePerson(ctx context.Context, st *record, r fhir.Resource) error {
	old := st.get("Patient", r.ID())
	if r.Type() != "Patient" || old == nil {
		return nil
	}
	before, err := old.resource(ctx)
	if err != nil {
		return err
	}
	was, is := identifiers(fhir.Into[fhir.Patient](before)), identifiers(fhir.Into[fhir.Patient](r))
	known := func(kind string) bool { return len(was[kind]) > 0 && len(is[kind]) > 0 }
	same := func(kind string) bool {
		return slices.ContainsFunc(is[kind], func(v string) bool { return slices.Contains(was[kind], v) })
	}
	name := same("family") || same("given")
	switch {
	case len(was) == 0 || len(is) == 0 || same("number"):
		return nil
	case known("born"):
		if same("born") && (name || !known("family") && !known("given")) {
			return nil
		}
	case same("family") || !known("family") && same("given"):
		return nil
	}
	return fmt.Errorf("%w: %s is not the person stored under that id; give it another id if it is somebody else", ErrRefused, r.Ref())
}

// PatientChart finds the chart of a patient by the id of the Patient resource.
func (h *House) PatientChart(ctx context.Context, id string) (int64, bool, error) {
	if n, ok := h.ours(id); ok {
		return n, true, nil
	}
	return h.journal.Claimed(ctx, h.db, "id", "Patient", id)
}
