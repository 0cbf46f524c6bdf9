package chart

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/trust/journal"
)

// A placement finds the chart of each resource of one arrival: a patient's compartment goes into the patient's chart, the
// practice's own people and places into the directory, and what belongs to nobody known into intake.
type placement struct {
	h      *House
	intake bool // what is about an unknown patient goes to intake; else it is a *Nobody error
	res    []fhir.Resource
	names  map[string]int // what resources of this arrival call each other: "Type/id", fullUrl
	parts  []*part        // by resource; the caller sets those of Patients, and of what it has placed itself
	charts map[int64]*part
	find   func(ctx context.Context, query string) (id string, err error) // "Patient?…" → id; nil for none
}

// all lists the parts that have something to do, in chart order, so that writers on PostgreSQL cannot deadlock.
func (pl *placement) all() []*part {
	var out []*part
	for _, p := range pl.parts {
		if p != nil && len(p.ops) > 0 && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b *part) int { return cmp.Compare(a.chart, b.chart) })
	return out
}

// place finds the parts that the caller has not set: first what says itself whom it is about, then what only points at those.
func (pl *placement) place(ctx context.Context) error {
	var rest []int
	for i, r := range pl.res {
		if pl.parts[i] != nil || r.IsZero() {
			continue
		}
		p, err := pl.direct(ctx, r)
		if err != nil {
			return err
		}
		if pl.parts[i] = p; p == nil {
			rest = append(rest, i)
		}
	}
	if len(rest) == 0 {
		return nil
	}
	placed := slices.Clone(pl.parts)
	for _, i := range rest {
		p, err := pl.indirect(ctx, i, placed)
		if err != nil {
			return err
		}
		pl.parts[i] = p
	}
	return nil
}

// direct places what says itself where it belongs; nil for what does not. What is about several people, or about somebody
// whom this store does not know by that id, is nobody's: those who merely take part in it do not make it theirs.
func (pl *placement) direct(ctx context.Context, r fhir.Resource) (*part, error) {
	var found *part
	for _, ref := range fhir.About(r) {
		if i, here := pl.names[ref]; here && pl.res[i].Type() != "Patient" {
			continue
		}
		p, err := pl.person(ctx, ref)
		switch {
		case err != nil:
			return nil, err
		case p == nil && !pl.intake:
			return nil, &Nobody{r.Ref(), ref}
		case p == nil, found != nil && found != p:
			return pl.existing(ctx, pl.h.intake)
		}
		found = p
	}
	return found, nil
}

// person is the part of the patient whom ref names, nil for nobody known.
func (pl *placement) person(ctx context.Context, ref string) (*part, error) {
	if i, here := pl.names[ref]; here {
		return pl.parts[i], nil
	}
	typ, id := splitRef(ref)
	if typ == "" && pl.find != nil && strings.HasPrefix(ref, "Patient?") {
		var err error
		if id, err = pl.find(ctx, ref); err != nil || id == "" {
			return nil, err
		}
		typ = "Patient"
	}
	if typ != "Patient" {
		return nil, nil
	}
	p, err := pl.patient(ctx, id)
	if err != nil || p == nil || p.record.get("Patient", id) == nil {
		return nil, err
	}
	return p, nil
}

// patient is the part of the chart that a Patient of this id has, or would come back to; nil for an id nobody has.
// An id that is made to look like one of ours must not lead a patient into the directory or to somebody else.
func (pl *placement) patient(ctx context.Context, id string) (*part, error) {
	num, ok, err := pl.h.locate(ctx, "Patient", id)
	if err != nil || !ok {
		return nil, err
	}
	p, err := pl.existing(ctx, num)
	if err != nil || p == nil {
		return nil, err
	}
	people := p.record.shelf("Patient").entries
	if p.record.kind != journal.Patient || len(people) > 1 || len(people) == 1 && people[0].ID() != id {
		return nil, fmt.Errorf("%w: Patient/%s belongs to another record", ErrRefused, id)
	}
	return p, nil
}

// indirect places attachments with the record that uses them, provenance and the like with what they are about, the
// practice's own things in the directory, and the rest in intake, sealed and audited like any record. So is what would
// belong to several records, and what looks like the practice's and names a patient: everybody reads the directory.
func (pl *placement) indirect(ctx context.Context, i int, placed []*part) (*part, error) {
	r := pl.res[i]
	var around []*part
	add := func(p *part) {
		if p != nil && !slices.Contains(around, p) {
			around = append(around, p)
		}
	}
	switch {
	case r.Type() == "Binary":
		for k, user := range pl.res {
			if placed[k] != nil && pl.uses(user, i) {
				add(placed[k])
			}
		}
	default:
		for _, ref := range links(r) {
			k, here := pl.names[ref]
			if fhir.InDirectory(r.Type()) {
				if typ, _ := splitRef(ref); typ == "Patient" || here && pl.res[k].Type() == "Patient" {
					return pl.existing(ctx, pl.h.intake)
				}
				continue
			}
			if here {
				add(placed[k])
			}
		}
	}
	switch {
	case len(around) == 1:
		return around[0], nil
	case fhir.InDirectory(r.Type()):
		return pl.existing(ctx, pl.h.directory)
	default:
		return pl.existing(ctx, pl.h.intake)
	}
}

// uses says whether r points at resource i of the arrival.
func (pl *placement) uses(r fhir.Resource, i int) bool {
	return slices.ContainsFunc(links(r), func(ref string) bool {
		k, here := pl.names[ref]
		return here && k == i
	})
}

// links are the resources r points at: its references, and attachments that name a Binary.
func links(r fhir.Resource) []string {
	var out []string
	for _, l := range r.References() {
		if typ, id := splitRef(l.Value); typ != "" {
			out = append(out, typ+"/"+id)
		} else {
			out = append(out, l.Value)
		}
	}
	for _, mark := range []string{`"Binary/`, `"urn:uuid:`} {
		for raw := r.Raw(); ; {
			i := bytes.Index(raw, []byte(mark))
			if i < 0 {
				break
			}
			raw = raw[i+1:]
			if end := bytes.IndexByte(raw, '"'); end > 0 {
				out = append(out, string(raw[:end]))
			}
		}
	}
	return out
}

// existing is the part of a stored chart; nil if there is none of that number.
func (pl *placement) existing(ctx context.Context, num int64) (*part, error) {
	if p := pl.charts[num]; p != nil {
		return p, nil
	}
	st, err := pl.h.load(ctx, num)
	if errors.Is(err, journal.ErrNoChart) || errors.Is(err, journal.ErrShredded) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	p := &part{chart: num, record: st}
	pl.charts[num] = p
	return p, nil
}

// locate finds the chart that an id names or claims. An id of ours may name a chart that is not there.
func (h *House) locate(ctx context.Context, typ, id string) (int64, bool, error) {
	if n, ok := h.ours(id); ok {
		return n, true, nil
	}
	return h.journal.Claimed(ctx, h.db, "id", typ, id)
}
