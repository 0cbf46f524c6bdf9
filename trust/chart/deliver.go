package chart

import (
	"bytes"
	"cmp"
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
	for range retries {
		d, touched, err := h.deliverOnce(ctx, act, del)
		if !errors.Is(err, journal.ErrConflict) {
			return d, err
		}
		for _, n := range touched {
			h.warm.Drop(n)
		}
	}
	return Delivered{}, ErrConflict
}

func (h *House) deliverOnce(ctx context.Context, act *Act, del Delivery) (Delivered, []int64, error) {
	s := sorter{h: h, intake: del.Intake, parts: map[int64]*part{}, fresh: map[string]*part{}, placed: map[string]*part{}}
	if err := s.place(ctx, del.Resources); err != nil {
		return Delivered{}, nil, err
	}
	var d Delivered
	pc := policy.Context{Purpose: string(Operations)}
	for _, r := range s.order {
		p := s.placed[r.Ref()]
		before := len(p.ops)
		known := p.record.get(r.Type(), r.ID()) != nil
		if known && del.Keep[r.Ref()] {
			d.Unchanged++
			continue
		}
		if err := samePerson(p.record, r); err != nil {
			return Delivered{}, nil, &BadResource{r.Ref(), err}
		}
		if err := h.judge(act, pc, p, r); err != nil {
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
	var parts []*part
	var touched []int64
	for _, p := range s.all() {
		if len(p.ops) == 0 {
			continue
		}
		if p.fresh {
			d.Patients++
		} else {
			touched = append(touched, p.chart)
		}
		parts = append(parts, p)
	}
	if len(parts) == 0 {
		return d, nil, nil
	}
	return d, touched, h.commit(ctx, act, parts, "records", del.What, nil)
}

// A sorter finds the chart of each resource of one delivery.
type sorter struct {
	h      *House
	intake bool
	brings map[string]bool  // ids of the Patients in the delivery
	parts  map[int64]*part  // existing charts
	fresh  map[string]*part // new ones, by patient id
	placed map[string]*part // by Type/id
	order  []fhir.Resource  // each resource once, the last word on an id winning
}

func (s *sorter) all() []*part {
	var out []*part
	for _, p := range s.parts {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b *part) int { return cmp.Compare(a.chart, b.chart) })
	var ids []string
	for id := range s.fresh {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		out = append(out, s.fresh[id])
	}
	return out
}

func (s *sorter) place(ctx context.Context, rs []fhir.Resource) error {
	last := map[string]int{}
	for i, r := range rs {
		if r.ID() == "" {
			return fmt.Errorf("%w: a %s has no id", ErrInvalid, r.Type())
		}
		last[r.Ref()] = i
	}
	for i, r := range rs {
		if last[r.Ref()] == i {
			s.order = append(s.order, r)
		}
	}
	s.brings = map[string]bool{}
	for _, r := range s.order {
		if r.Type() == "Patient" {
			s.brings[r.ID()] = true
		}
	}
	// Patients first, then what points at a patient, then what only points at those.
	var rest []fhir.Resource
	for _, r := range s.order {
		p, err := s.direct(ctx, r)
		if err != nil {
			return err
		}
		if p == nil {
			rest = append(rest, r)
			continue
		}
		s.placed[r.Ref()] = p
	}
	users := s.users()
	for _, r := range rest {
		p, err := s.indirect(ctx, r, users)
		if err != nil {
			return err
		}
		s.placed[r.Ref()] = p
	}
	return nil
}

// direct places what says itself where it belongs; nil for what does not. What is about several people, or about somebody
// whom this store does not know by that id, is nobody's: those who merely take part in it do not make it theirs.
func (s *sorter) direct(ctx context.Context, r fhir.Resource) (*part, error) {
	if r.Type() == "Patient" {
		return s.patient(ctx, r.ID(), true)
	}
	var found *part
	people := fhir.About(r)
	for _, ref := range people {
		var p *part
		var err error
		if typ, id := splitRef(ref); typ == "Patient" {
			p, err = s.patient(ctx, id, s.brings[id])
		}
		switch {
		case err != nil:
			return nil, err
		case p == nil && !s.intake:
			return nil, &Nobody{r.Ref(), ref}
		case p == nil, found != nil && found != p:
			return s.existing(ctx, s.h.intake)
		}
		found = p
	}
	return found, nil
}

// users maps "Binary/x" and other targets to the parts of the placed resources that refer to them, each once.
func (s *sorter) users() map[string][]*part {
	out := map[string][]*part{}
	for _, r := range s.order {
		p := s.placed[r.Ref()]
		if p == nil {
			continue
		}
		for _, ref := range links(r) {
			if !slices.Contains(out[ref], p) {
				out[ref] = append(out[ref], p)
			}
		}
	}
	return out
}

// indirect places attachments with the record that uses them, provenance and the like with what they are about, the
// practice's own things in the directory, and the rest in intake, sealed and audited like any record. So is what would
// belong to several records, and what looks like the practice's and names a patient: everybody reads the directory.
func (s *sorter) indirect(ctx context.Context, r fhir.Resource, users map[string][]*part) (*part, error) {
	around := users[r.Ref()]
	if r.Type() != "Binary" {
		around = nil
		for _, ref := range links(r) {
			if fhir.InDirectory(r.Type()) {
				if typ, _ := splitRef(ref); typ == "Patient" {
					return s.existing(ctx, s.h.intake)
				}
				continue
			}
			if p := s.placed[ref]; p != nil && !slices.Contains(around, p) {
				around = append(around, p)
			}
		}
	}
	switch {
	case len(around) == 1:
		return around[0], nil
	case r.Type() != "Binary" && fhir.InDirectory(r.Type()):
		return s.existing(ctx, s.h.directory)
	default:
		return s.existing(ctx, s.h.intake)
	}
}

// links are the resources r points at: its references, and attachments that name a Binary.
func links(r fhir.Resource) []string {
	var out []string
	for _, l := range r.References() {
		if typ, id := splitRef(l.Value); typ != "" {
			out = append(out, typ+"/"+id)
		}
	}
	const mark = `"Binary/`
	for raw := r.Raw(); ; {
		i := bytes.Index(raw, []byte(mark))
		if i < 0 {
			return out
		}
		raw = raw[i+1:]
		if end := bytes.IndexByte(raw, '"'); end > 0 {
			out = append(out, string(raw[:end]))
		}
	}
}

// patient is the part of a patient's chart: stored, or to be made when the delivery brings the Patient itself.
func (s *sorter) patient(ctx context.Context, id string, brought bool) (*part, error) {
	if p := s.fresh[id]; p != nil {
		return p, nil
	}
	num, ok, err := s.h.journal.Claimed(ctx, s.h.db, "id", "Patient", id)
	if err != nil {
		return nil, err
	}
	if ok {
		return s.existing(ctx, num)
	}
	if !brought {
		return nil, nil
	}
	p := &part{fresh: true, record: &record{}}
	s.fresh[id] = p
	return p, nil
}

func (s *sorter) existing(ctx context.Context, num int64) (*part, error) {
	if p := s.parts[num]; p != nil {
		return p, nil
	}
	st, err := s.h.load(ctx, num)
	if err != nil {
		return nil, err
	}
	p := &part{chart: num, record: st}
	s.parts[num] = p
	return p, nil
}

// samePerson refuses a Patient under the id of somebody else: two systems may use one id for two people, and the second
// must not take over the first one's record. A record number in common is enough; else a name must fit and the birth dates,
// where both are known, must be the same.
func samePerson(st *record, r fhir.Resource) error {
	old := st.get("Patient", r.ID())
	if r.Type() != "Patient" || old == nil {
		return nil
	}
	was, is := identifiers(fhir.Into[fhir.Patient](old.Resource)), identifiers(fhir.Into[fhir.Patient](r))
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
