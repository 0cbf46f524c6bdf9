package chart

import (
	"context"
	"fmt"
	"strings"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/trust/journal"
	"github.com/wellgate/wellgate/trust/policy"
)

// A judge asks validation, policy and the owning room's guard about each resource of one act and plans its op. Policy
// decides once per chart and class (type and labels).
type judge struct {
	h   *House
	act *Act
	ctx policy.Context
	may map[class]error
}

type class struct {
	chart       int64
	typ, labels string
}

// putAgain is put for an id that its sender chose: what was deleted comes back as its next version.
func (j *judge) putAgain(ctx context.Context, p *part, r fhir.Resource) error {
	before := len(p.ops)
	if err := j.put(ctx, p, r); err != nil || len(p.ops) == before || p.draft != nil || p.ops[before].version > 1 {
		return err
	}
	if _, ours := j.h.ours(r.ID()); !ours {
		num, ok, err := j.h.journal.Claimed(ctx, j.h.db, "id", r.Type(), r.ID())
		if err != nil || !ok || num != p.chart {
			return err
		}
	}
	return j.h.back(ctx, p.chart, p.record.seq, Spot{}, r.Type(), r.ID(), func(_ Spot, e *entry, _ bool) (bool, error) {
		p.ops[before].version = e.Version + 1
		return false, nil
	})
}

// put plans that r is stored. What is stored word for word already plans nothing.
func (j *judge) put(ctx context.Context, p *part, r fhir.Resource) error {
	if r.ID() == "" {
		return fmt.Errorf("%w: %s has no id", ErrInvalid, r.Type())
	}
	old := p.record.get(r.Type(), r.ID())
	var before fhir.Resource
	if old != nil {
		var err error
		if before, err = old.resource(ctx); err != nil {
			return err
		}
		if old.file == "" && string(before.Raw()) == string(r.Raw()) {
			return nil
		}
	}
	if err := valid(j.act.Who, r); err != nil {
		return err
	}
	o := op{typ: r.Type(), id: r.ID(), version: 1, res: r, labels: labels(r), labelled: true}
	if err := j.policy(p, r.Type(), o.labels); err != nil {
		return err
	}
	if old != nil { // a label may not be taken off by somebody who may not see the thing
		if err := j.policy(p, r.Type(), old.class.labels); err != nil {
			return err
		}
		o.version = old.Version + 1
	}
	if err := j.guard(r.Ref(), before, r); err != nil {
		return err
	}
	return p.add(o, old, before)
}

// remove plans that a stored resource is deleted.
func (j *judge) remove(ctx context.Context, p *part, old *entry) error {
	if err := j.policy(p, old.Type(), old.class.labels); err != nil {
		return err
	}
	before, err := old.resource(ctx)
	if err != nil {
		return err
	}
	if err := j.guard(old.Ref(), before, fhir.Resource{}); err != nil {
		return err
	}
	return p.add(op{typ: old.Type(), id: old.ID(), version: old.Version + 1, deleted: true}, old, before)
}

func (j *judge) policy(p *part, typ string, labels []string) error {
	c := class{p.chart, typ, strings.Join(labels, "\x00")}
	err, known := j.may[c]
	if known {
		return err
	}
	item := policy.Item{Chart: p.chart, Kind: kindName(p.record.kind), Type: typ, Labels: labels}
	err = j.h.policy.Item(j.act.Who, policy.Write, item, j.ctx)
	if j.may == nil {
		j.may = map[class]error{}
	}
	j.may[c] = err
	return err
}

func (j *judge) guard(ref string, old, new fhir.Resource) error {
	typ, _ := splitRef(ref)
	guard := j.h.guards[typ]
	if guard == nil {
		return nil
	}
	if err := guard(j.act.Who, old, new); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrRefused, ref, err)
	}
	return nil
}

func kindName(k journal.Kind) string {
	switch k {
	case journal.Patient:
		return "patient"
	case journal.Directory:
		return "directory"
	default:
		return "intake"
	}
}
