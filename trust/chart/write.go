package chart

import (
	"context"
	"errors"
	"fmt"

	"github.com/wellgate/wellgate/feed"
	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/trust/audit"
	"github.com/wellgate/wellgate/trust/journal"
	"github.com/wellgate/wellgate/trust/policy"
)

// retries bounds how often a write is tried again after somebody else wrote first.
const retries = 8

func (h *House) write(ctx context.Context, act *Act, pc policy.Context, num int64, ch Change) error {
	for range retries {
		err := h.writeOnce(ctx, act, pc, num, ch)
		if !errors.Is(err, journal.ErrConflict) {
			return err
		}
		h.warm.Drop(num)
	}
	return ErrConflict
}

func (h *House) writeOnce(ctx context.Context, act *Act, pc policy.Context, num int64, ch Change) error {
	st, err := h.load(ctx, num)
	if err != nil {
		return err
	}
	for ref, want := range ch.If {
		e := st.get(splitRef(ref))
		if e == nil || e.Version != want {
			return fmt.Errorf("%w: %s", ErrConflict, ref)
		}
	}
	p := &part{chart: num, record: st}
	for _, r := range ch.Put {
		if err := st.belongs(r); err != nil {
			return err
		}
		if err := h.judge(act, pc, p, r); err != nil {
			return err
		}
	}
	if len(p.ops) == 0 {
		return nil // nothing differs from what is stored
	}
	read, putBack := act.readBefore(num)
	if err := h.commit(ctx, act, []*part{p}, ch.Room, ch.What, read); err != nil {
		putBack()
		return err
	}
	return nil
}

// belongs refuses a resource that is about another patient, or about none where its type must be about one (AZ-04).
func (st *record) belongs(r fhir.Resource) error {
	if st.kind != journal.Patient || r.Type() == "Patient" && st.get("Patient", r.ID()) != nil {
		return nil
	}
	about := 0
	for _, ref := range fhir.Subject(r) {
		if typ, id := splitRef(ref); typ != "Patient" || st.get("Patient", id) == nil {
			return fmt.Errorf("%w: %s is about somebody else", ErrInvalid, r.Ref())
		}
		about++
	}
	if about == 0 && r.Type() != "Binary" {
		return fmt.Errorf("%w: %s does not say whom it is about", ErrInvalid, r.Ref())
	}
	return nil
}

// A part is what one transaction does to one chart.
type part struct {
	chart  int64 // 0 until a new chart is made in the transaction
	fresh  bool  // a new patient chart
	record *record
	ops    []op
	bytes  map[int][]byte // by op: a Binary's data, to be sealed as a file
	person fhir.Resource  // the Patient resource among the ops
}

// judge asks validation, compartment, policy and the owning room's guard about one resource, and plans its op.
func (h *House) judge(act *Act, pc policy.Context, p *part, r fhir.Resource) error {
	if r.ID() == "" {
		return fmt.Errorf("%w: %s has no id", ErrInvalid, r.Type())
	}
	old := p.record.get(r.Type(), r.ID())
	if old != nil && old.file == "" && string(old.Raw()) == string(r.Raw()) {
		return nil
	}
	if err := valid(act.Who, r); err != nil {
		return err
	}
	item := policy.Item{Chart: p.chart, Kind: kindName(p.record.kind, p), Type: r.Type(), Labels: labels(r)}
	if err := h.policy.Item(act.Who, policy.Write, item, pc); err != nil {
		return err
	}
	if old != nil { // a label may not be taken off by somebody who may not see the thing
		item.Labels = old.labels
		if err := h.policy.Item(act.Who, policy.Write, item, pc); err != nil {
			return err
		}
	}
	if guard := h.guards[r.Type()]; guard != nil {
		var before fhir.Resource
		if old != nil {
			before = old.Resource
		}
		if err := guard(act.Who, before, r); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrRefused, r.Ref(), err)
		}
	}
	o := op{typ: r.Type(), id: r.ID(), version: 1, res: r}
	if old != nil {
		o.version = old.Version + 1
	}
	return p.add(o, old)
}

func kindName(k journal.Kind, p *part) string {
	switch {
	case p != nil && p.fresh || k == journal.Patient:
		return "patient"
	case k == journal.Directory:
		return "directory"
	default:
		return "intake"
	}
}

func (p *part) add(o op, old *entry) error {
	if o.typ == "Patient" {
		p.person = o.res
	}
	if o.typ == "Binary" {
		stub, data, err := detach(o.res)
		if err != nil {
			return err
		}
		if data != nil {
			if old != nil && sameFile(old.file, data) && string(old.Raw()) == string(stub.Raw()) {
				return nil
			}
			if p.bytes == nil {
				p.bytes = map[int][]byte{}
			}
			o.res = stub
			p.bytes[len(p.ops)] = data
		}
	}
	p.ops = append(p.ops, o)
	return nil
}

// commit stores every part, its ids, its people's look-up tokens, its audit entries and its facts in one transaction.
// Parts must stand in chart order, new ones last, so that writers on PostgreSQL cannot deadlock.
func (h *House) commit(ctx context.Context, act *Act, parts []*part, room, what string, read []string) error {
	err := h.db.Write(ctx, func(tx *store.Tx) error {
		for _, p := range parts {
			if err := h.commitPart(ctx, tx, act, p, room, what, read); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, p := range parts {
		if p.record.due() {
			h.snapshotLater(p.chart, p.record)
		}
	}
	return nil
}

func (h *House) commitPart(ctx context.Context, tx *store.Tx, act *Act, p *part, room, what string, read []string) error {
	if p.fresh {
		n, err := h.journal.Create(ctx, tx, journal.Patient)
		if err != nil {
			return err
		}
		p.chart = n
	}
	for i := range p.ops {
		o := &p.ops[i]
		if data, ok := p.bytes[i]; ok {
			f, err := h.attach(ctx, tx, p.chart, data)
			if err != nil {
				return err
			}
			o.file = f
		}
	}
	if err := h.claimIDs(ctx, tx, p); err != nil {
		return err
	}
	b := batch{at: h.clock(), ops: p.ops}
	if err := h.journal.Append(ctx, tx, p.chart, p.record.seq+1, b.encode()); err != nil {
		return err
	}
	if !p.person.IsZero() {
		if err := h.point(ctx, tx, p.chart, p.person); err != nil {
			return err
		}
	}
	if err := h.trace(ctx, tx, act, p, room, what, read); err != nil {
		return err
	}
	// Inside the hook the writer is still held, so that a later commit cannot be overtaken by this one in the cache.
	next := p.record.with(b, p.record.seq+1)
	next.kind = p.record.kind
	if p.fresh {
		next.kind = journal.Patient
	}
	tx.Committed(func() {
		p.record = next
		h.warm.Put(p.chart, next, next.weight())
	})
	return nil
}

// claimIDs makes sure that a resource id stands in one chart only. Ids that we assigned name their chart themselves.
func (h *House) claimIDs(ctx context.Context, tx *store.Tx, p *part) error {
	var keys [][]string
	for _, o := range p.ops {
		if o.version != 1 {
			continue
		}
		if n, ok := h.ours(o.id); !ok {
			keys = append(keys, []string{o.typ, o.id})
		} else if n != p.chart {
			return fmt.Errorf("%w: %s/%s belongs to another record", ErrRefused, o.typ, o.id)
		}
	}
	at, err := h.journal.ClaimAll(ctx, tx, p.chart, "id", keys)
	if errors.Is(err, journal.ErrClaimed) {
		return fmt.Errorf("%w: %s/%s belongs to another record", ErrRefused, keys[at][0], keys[at][1])
	}
	return err
}

// trace appends the audit entry and the facts of one part to the transaction.
func (h *House) trace(ctx context.Context, tx *store.Tx, act *Act, p *part, room, what string, read []string) error {
	l := line{Action: "write", What: what, Types: map[string]int{}, Read: read, Outcome: "ok"}
	facts := make([]feed.Fact, 0, len(p.ops))
	for _, o := range p.ops {
		l.Types[o.typ]++
		if len(l.Refs) < maxRefs {
			l.Refs = append(l.Refs, o.typ+"/"+o.id)
		}
		facts = append(facts, feed.Fact{Room: room, What: what, Chart: p.chart, Ref: o.typ + "/" + o.id, At: h.clock()})
	}
	if len(facts) > maxRefs { // a bundle is one fact, not a thousand
		facts = []feed.Fact{{Room: room, What: what, Chart: p.chart, At: h.clock()}}
	}
	e, err := act.entry(p.chart, l)
	if err != nil {
		return err
	}
	if err := h.audit.Append(ctx, tx, []audit.Entry{e}...); err != nil {
		return err
	}
	return h.feed.Append(ctx, tx, facts...)
}

// snapshotLater writes a snapshot in the background. Losing one costs time at the next load, never data.
func (h *House) snapshotLater(num int64, st *record) {
	h.background.Add(1)
	go func() {
		defer h.background.Done()
		ctx := context.Background()
		if err := h.snapshot(ctx, num, st); err != nil {
			return
		}
		h.warm.Drop(num) // the next load starts from it
	}()
}
