package chart

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/wellgate/wellgate/feed"
	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/trust/journal"
	"github.com/wellgate/wellgate/trust/policy"
)

// maxFacts bounds how many resources of one write are facts of their own.
const maxFacts = 16

// retries bounds how often a write is tried again after somebody else wrote first.
const retries = 16

// queue lets those who lost more than one race go one after the other, so that a chart everybody writes to starves nobody.
// Call what it returns when done.
func (h *House) queue(try int) (done func()) {
	if try != 2 {
		return func() {}
	}
	h.losers.Lock()
	return h.losers.Unlock
}

func (h *House) write(ctx context.Context, act *Act, pc policy.Context, num int64, ch Change) error {
	for range retries {
		err := h.writeOnce(ctx, act, pc, num, ch)
		if !errors.Is(err, journal.ErrConflict) {
			return err
		}
		h.lost(num)
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
	j := judge{h: h, act: act, ctx: pc}
	for _, r := range ch.Put {
		if err := st.belongs(r); err != nil {
			return err
		}
		if err := j.put(ctx, p, r); err != nil {
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
	chart  int64
	draft  *journal.Draft // of a chart that is to be made
	record *record
	ops    []op
	bytes  map[int][]byte // by op: a Binary's data, to be sealed as a file
	person bool           // a Patient is among the ops, and
	was    fhir.Resource  // was this before
	is     fhir.Resource  // and is this now; zero for none

	// Made ready before the transaction:
	row   *journal.Sealed
	files []*journal.SealedFile
	next  *record

	room      []byte // where the resources of a transaction stand, one behind the other
	joins     bool   // holds creates with ids of ours only: they may follow rows that came meanwhile
	unmatched string // of a new chart: a search for its patient that must still find nobody when it is stored
}

// add plans an op; old is what it replaces, before its resource.
func (p *part) add(o op, old *entry, before fhir.Resource) error {
	if o.typ == "Patient" {
		p.person, p.is = true, o.res
		if old != nil {
			p.was = before
		}
	}
	if o.typ == "Binary" {
		stub, data, err := detach(o.res)
		if err != nil {
			return err
		}
		if data != nil {
			if old != nil && sameFile(old.file, data) && string(before.Raw()) == string(stub.Raw()) {
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
// Parts must stand in chart order, so that writers on PostgreSQL cannot deadlock.
func (h *House) commit(ctx context.Context, act *Act, parts []*part, room, what string, read []string) error {
	return h.commitAt(ctx, act, parts, deed{h.clock(), room, what, read})
}

// A deed is what parts have in common: when, whose act, its verb, and what had been read before.
type deed struct {
	at         time.Time
	room, what string
	read       []string
}

func (h *House) commitAt(ctx context.Context, act *Act, parts []*part, d deed) error {
	for _, p := range parts { // compressing and sealing are done before anybody has to wait for this write
		if p.joins {
			continue // where it will stand is known in its turn only
		}
		if err := h.prepare(ctx, p, d); err != nil {
			return err
		}
	}
	err := h.db.Write(ctx, func(tx *store.Tx) error {
		var facts []feed.Fact
		for _, p := range parts {
			if err := h.commitPart(ctx, tx, act, p, d); err != nil {
				return err
			}
			facts = append(facts, p.facts(d)...)
		}
		return h.feed.Append(ctx, tx, facts...)
	})
	if errors.Is(err, store.ErrUnknown) {
		err = h.lookAgain(ctx, parts, err)
	}
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

// lookAgain finds out what became of a commit whose answer was lost: nil if it was kept, a conflict, so that it is done
// again, if not. It waits for the lock that every write of a chart holds to its end, so a commit still on its way is over.
func (h *House) lookAgain(ctx context.Context, parts []*part, unknown error) error {
	for _, wait := range []time.Duration{0, 100 * time.Millisecond, 400 * time.Millisecond, 1600 * time.Millisecond} {
		select {
		case <-ctx.Done():
			return unknown
		case <-time.After(wait):
		}
		var kept bool
		err := h.db.Write(ctx, func(tx *store.Tx) (err error) {
			if err = tx.Lock(ctx, feed.Lock); err == nil {
				kept, err = h.journal.Stands(ctx, tx, parts[0].row)
			}
			return err
		})
		switch {
		case err != nil: // the server is not back yet
			continue
		case !kept:
			return journal.ErrConflict
		}
		for _, p := range parts {
			h.warm.Drop(p.chart) // its hooks did not run
		}
		return nil
	}
	return unknown
}

func (h *House) commitPart(ctx context.Context, tx *store.Tx, act *Act, p *part, d deed) error {
	if p.unmatched != "" {
		if err := tx.Lock(ctx, "unmatched/"+hex.EncodeToString(h.vault.Token("unmatched", p.unmatched)[:16])); err != nil {
			return err
		}
		if err := h.stillNobody(ctx, tx, p.unmatched); err != nil {
			return err
		}
	}
	if p.joins {
		if err := tx.Lock(ctx, "join/"+strconv.FormatInt(p.chart, 36)); err != nil {
			return err
		}
		if err := h.join(ctx, p, d); err != nil {
			return err
		}
	}
	if err := h.journal.AppendSealed(ctx, tx, p.row); err != nil {
		return err
	}
	for _, f := range p.files {
		if err := h.journal.StoreFile(ctx, tx, f); err != nil {
			return err
		}
	}
	if err := h.claimIDs(ctx, tx, p); err != nil {
		return err
	}
	if p.person {
		if err := h.point(ctx, tx, p.chart, p.was, p.is); err != nil {
			return err
		}
	}
	if err := h.trace(ctx, tx, act, p, d); err != nil {
		return err
	}
	// Inside the hook the writer is still held, so that a later commit cannot be overtaken by this one in the cache.
	tx.Committed(func() {
		p.record = p.next
		act.views.saw(p.chart, p.next.seq)
		h.warm.Put(p.chart, p.next, p.next.weight())
		if p.chart == h.directory {
			h.twins.committed(ctx, p.next, p.ops)
		}
	})
	return nil
}

// prepare seals a part's files and its row, and makes the record that they lead to.
func (h *House) prepare(ctx context.Context, p *part, d deed) error {
	p.files = nil
	for i := range p.ops {
		if data, ok := p.bytes[i]; ok {
			file, err := h.attach(ctx, p, data)
			if err != nil {
				return err
			}
			p.ops[i].file = file
		}
	}
	b := batch{at: d.at, ops: p.ops}
	seq, plain := p.record.seq+1, b.encode()
	if p.person && !p.is.IsZero() {
		p.is = p.ops[slices.IndexFunc(p.ops, func(o op) bool { return o.typ == "Patient" })].res
	}
	var err error
	if p.draft != nil {
		p.row, err = h.journal.SealFirst(p.draft, plain)
	} else {
		p.row, err = h.journal.SealRow(ctx, p.chart, seq, plain)
	}
	if err != nil {
		return err
	}
	p.next = p.record.with(h, p.chart, b, plain, seq)
	return nil
}

// join lets creates follow the rows that others appended since they were planned: the practice's own chart is written by
// all, and only who creates the same thing must be tried again. It runs while the writer is held.
func (h *House) join(ctx context.Context, p *part, d deed) error {
	now, err := h.load(ctx, p.chart)
	if err != nil {
		return err
	}
	for _, o := range p.ops {
		if now.seq == p.record.seq || p.chart != h.directory {
			break
		}
		if _, twice := h.twins.find(ctx, now, o.res); twice {
			return journal.ErrConflict
		}
	}
	p.record = now
	return h.prepare(ctx, p, d)
}

// stillNobody repeats a conditional create's search where no other writer can come between.
func (h *House) stillNobody(ctx context.Context, tx *store.Tx, query string) error {
	system, value, err := identifierQuery(query)
	if err != nil {
		return err
	}
	nums, err := h.journal.Pointed(ctx, tx, "identifier", 1, system, value)
	if err == nil && len(nums) > 0 {
		return journal.ErrConflict
	}
	return err
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

// trace appends the audit entry of one part to the transaction.
func (h *House) trace(ctx context.Context, tx *store.Tx, act *Act, p *part, d deed) error {
	l := line{Action: "write", What: d.what, Types: map[string]int{}, Read: d.read, Row: p.record.seq + 1, Outcome: "ok"}
	for _, o := range p.ops {
		l.Types[o.typ]++
		if len(l.Refs) < maxRefs {
			l.Refs = append(l.Refs, o.typ+"/"+o.id)
		}
	}
	e, err := act.entry(p.chart, l)
	if err != nil {
		return err
	}
	return h.audit.Append(ctx, tx, e)
}

// facts are what the feed is told of one part.
func (p *part) facts(d deed) []feed.Fact {
	if len(p.ops) > maxFacts { // a bundle is one fact, not a thousand
		return []feed.Fact{{Room: d.room, What: d.what, Chart: p.chart, At: d.at}}
	}
	facts := make([]feed.Fact, 0, len(p.ops))
	for _, o := range p.ops {
		facts = append(facts, feed.Fact{Room: d.room, What: d.what, Chart: p.chart, Ref: o.typ + "/" + o.id, At: d.at})
	}
	return facts
}

// snapshotLater writes a snapshot in the background, one after the other. Losing one costs time at the next load, never
// data.
func (h *House) snapshotLater(num int64, st *record) {
	h.snaps.mu.Lock()
	defer h.snaps.mu.Unlock()
	if h.snaps.waiting[num] || len(h.snaps.waiting) >= maxSnapshots {
		return
	}
	if h.snaps.waiting == nil {
		h.snaps.waiting = map[int64]bool{}
	}
	h.snaps.waiting[num] = true
	h.background.Go(func() {
		h.snaps.turn.Lock()
		defer h.snaps.turn.Unlock()
		err := h.snapshot(context.Background(), num, st)
		h.snaps.mu.Lock()
		delete(h.snaps.waiting, num)
		h.snaps.mu.Unlock()
		if err == nil {
			h.warm.Drop(num) // the next load starts from it
		}
	})
}

// snapshots are those waiting to be written.
type snapshots struct {
	turn    sync.Mutex
	mu      sync.Mutex
	waiting map[int64]bool
}
