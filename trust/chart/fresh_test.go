package chart_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/store/storetest"
	. "github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/journal"
)

// pairOfNodes are two houses over one PostgreSQL database, each with its own connections and caches.
func pairOfNodes(t *testing.T) (a, b *opened) {
	t.Helper()
	p := newPlace(t)
	p.url = storetest.Postgres(t)
	return p.open(t), p.open(t)
}

// What one node committed the next request to the other shows: in a record, in searches and memos, in the directory that
// references lead to, in who looked.
func TestOtherNodesChangesShowAtOnce(t *testing.T) {
	ctx := context.Background()
	a, b := pairOfNodes(t)
	ana, _ := a.people(t)
	ref := parse(t, `{"resourceType":"Practitioner","id":"kim","name":[{"family":"Kim-0"}]}`)
	a.deliver(t, ref)
	memo := func(c *Chart) string {
		v, err := Memo(ctx, c, "all", func(c *Chart) (string, int64, error) {
			es, err := c.Search(ctx, "Observation", "_sort=_id")
			who, _ := c.Resolve(ctx, "Practitioner/kim")
			return strings.Join(refs(es), " ") + " " + string(who.Raw()), 10, err
		})
		must(t, err)
		return v
	}
	for i := range 20 {
		one, other := a, b
		if i%2 == 1 {
			one, other = b, a
		}
		id := fmt.Sprintf("ana-%d", i)
		one.deliver(t, parse(t, lab(id, "ana", "4.1")))
		one.deliver(t, parse(t, fmt.Sprintf(`{"resourceType":"Practitioner","id":"kim","name":[{"family":"Kim-%d"}]}`, i+1)))
		c, act, err := other.enter(ana, "portal", ana.Chart)
		must(t, err)
		if _, err := c.Get(ctx, "Observation", id); err != nil {
			t.Fatalf("round %d: what the other node wrote is not there: %v", i, err)
		}
		if v := memo(c); !strings.Contains(v, id) || !strings.Contains(v, fmt.Sprintf("Kim-%d", i+1)) {
			t.Fatalf("round %d: a page made before the change was shown: %s", i, v)
		}
		must(t, act.Release(ctx))
		c, _, err = one.enter(ana, "portal", ana.Chart)
		must(t, err)
		looks, err := c.Looked(ctx, 0, 3)
		must(t, err)
		if len(looks) == 0 || !strings.Contains(strings.Join(looks[0].Refs, " "), id) {
			t.Fatalf("round %d: the other node's read is not in who looked: %+v", i, looks)
		}
	}
}

// A record that one node erased is gone on the other, which had it open, with everything that is kept of it.
func TestErasedByAnotherNode(t *testing.T) {
	ctx := context.Background()
	a, b := pairOfNodes(t)
	ana, ben := a.people(t)
	must(t, b.OpenRecord(ctx, b.Begin(doctor, "desk.open"), ana.Chart, Treatment, "visit today"))
	inside, _, err := b.enter(doctor, "desk", ana.Chart) // before the erasure; asked again after it
	must(t, err)
	c, act, err := b.enter(ana, "portal", ana.Chart)
	must(t, err)
	_, err = c.Get(ctx, "Observation", "ana-lab")
	must(t, err)
	must(t, act.Release(ctx))
	looks, err := c.Looked(ctx, 0, 10)
	must(t, err)
	facts := feedOf(t, b, ana.Chart)
	if facts == 0 {
		t.Fatal("no facts before the erasure")
	}

	must(t, a.Erase(ctx, a.Begin(importer, "erase"), ana.Chart, "asked for it", func(context.Context, *store.Tx) error { return nil }))

	if _, err := inside.Get(ctx, "Observation", "ana-lab"); err == nil {
		t.Error("a page that was entered before reads the erased record")
	}
	fresh, _, err := b.enter(ana, "portal", ana.Chart)
	if err == nil {
		_, err = fresh.Get(ctx, "Observation", "ana-lab")
	}
	if err == nil {
		t.Error("the erased record reads on the other node")
	}
	if _, _, err := b.enter(doctor, "desk", ana.Chart); err == nil {
		t.Error("the reason that was given still opens it")
	}
	if l, err := fresh.Looked(ctx, 0, 10); err == nil && len(l) > 0 {
		t.Errorf("who looked still shows %d lines", len(l))
	}
	if _, err := fresh.Receipt(ctx, looks[0].Index); err == nil {
		t.Error("a receipt with the erased entry was made")
	}
	if stored, err := b.Audit().Of(ctx, ana.Chart, 0, 10); err == nil && len(stored) > 0 {
		t.Errorf("%d entries of the erased record open", len(stored))
	}
	if n := feedOf(t, b, ana.Chart); n != 0 {
		t.Errorf("%d facts of the erased record open", n)
	}
	if _, _, err := b.journal.Load(ctx, ana.Chart); !errors.Is(err, journal.ErrShredded) {
		t.Errorf("the journal says %v", err)
	}
	c, _, err = b.enter(ben, "portal", ben.Chart)
	must(t, err)
	_, err = c.Get(ctx, "Observation", "ben-lab")
	must(t, err)
}

func feedOf(t *testing.T, o *opened, chart int64) (n int) {
	t.Helper()
	facts, err := o.Feed().After(context.Background(), 0, 1000)
	must(t, err)
	for _, f := range facts {
		if f.Chart == chart && f.Ref != "" {
			n++
		}
	}
	return n
}

// Somebody who is in the directory already is not made again, whichever node is asked.
func TestOneTwinOnTwoNodes(t *testing.T) {
	ctx := context.Background()
	a, b := pairOfNodes(t)
	post := func(o *opened) Done {
		done, err := o.Transact(ctx, o.Begin(importer, "test"), Transaction{What: "test", Entries: []fhir.Entry{{
			Method: "POST", URL: "Practitioner",
			Resource: parse(t, `{"resourceType":"Practitioner","identifier":[{"system":"urn:npi","value":"77"}],"name":[{"family":"Okafor"}]}`),
		}}})
		must(t, err)
		return done[0]
	}
	first, second := post(a), post(b)
	if first.Status != 201 || second.Status != 200 || first.ID != second.ID {
		t.Errorf("%+v, then %+v", first, second)
	}
	var wg sync.WaitGroup
	ids := make([]string, 8)
	for i := range ids {
		o := []*opened{a, b}[i%2]
		wg.Go(func() {
			done, err := o.Transact(ctx, o.Begin(importer, "test"), Transaction{What: "test", Entries: []fhir.Entry{{
				Method: "POST", URL: "Practitioner",
				Resource: parse(t, `{"resourceType":"Practitioner","identifier":[{"system":"urn:npi","value":"78"}],"name":[{"family":"Lindqvist"}]}`),
			}}})
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = done[0].ID
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Errorf("one person was made twice: %v", ids)
			break
		}
	}
}
