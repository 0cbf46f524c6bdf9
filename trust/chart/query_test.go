package chart_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/wellgate/wellgate/fhir"
	. "github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/identity"
)

func refs(es []Entry) []string {
	var out []string
	for _, e := range es {
		out = append(out, e.Ref())
	}
	return out
}

func same(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// as enters ana's record for a reader: the hygienist may not see what is labelled.
func (o *opened) hygienist(t *testing.T, chart int64) (*Chart, *Act) {
	t.Helper()
	who := identity.Who{Account: "hy", Kind: identity.Staff, Role: identity.Hygienist, Name: "H", Session: "s-hy"}
	must(t, o.OpenRecord(context.Background(), o.Begin(who, "desk.open"), chart, Treatment, "cleaning today"))
	c, act, err := o.enter(who, "desk", chart)
	must(t, err)
	return c, act
}

func TestQueryPagesAndFollowsOnlyWhatMayBeSeen(t *testing.T) {
	ctx := context.Background()
	o := newPlace(t).open(t)
	ana, _ := o.people(t)
	visit := `{"resourceType":"Encounter","id":"visit","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/ana"}%s}`
	rs := []fhir.Resource{
		parse(t, fmt.Sprintf(visit, `,"meta":{"security":[{"code":"PSY"}]}`)),
		parse(t, `{"resourceType":"Encounter","id":"whole","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/ana"}}`),
		parse(t, `{"resourceType":"Encounter","id":"part","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/ana"},"partOf":{"reference":"Encounter/visit"}}`),
	}
	rs[0] = parse(t, `{"resourceType":"Encounter","id":"visit","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/ana"},"meta":{"security":[{"code":"PSY"}]},"partOf":{"reference":"Encounter/whole"}}`)
	for i := range 10 {
		enc := "part"
		if i%2 == 1 {
			enc = "visit"
		}
		rs = append(rs, parse(t, fmt.Sprintf(`{"resourceType":"Procedure","id":"p%d","status":"completed","subject":{"reference":"Patient/ana"},"performedDateTime":"2026-01-%02d","encounter":{"reference":"Encounter/%s"}}`, i, i+1, enc)))
	}
	o.deliver(t, rs...)
	own, _, err := o.enter(ana, "portal", ana.Chart)
	must(t, err)
	f, err := own.Query(ctx, "Procedure", "_sort=-date&_count=3&_include=Procedure:encounter&_include:iterate=Encounter:part-of", 2)
	must(t, err)
	same(t, "page", refs(f.Hits), "Procedure/p7", "Procedure/p6", "Procedure/p5")
	inc := refs(f.Included)
	slices.Sort(inc)
	same(t, "included", inc, "Encounter/part", "Encounter/visit", "Encounter/whole")
	if f.Total != 10 {
		t.Errorf("total %d", f.Total)
	}
	if f, err = own.Query(ctx, "Procedure", "_count=3", 99); err != nil || len(f.Hits) != 0 || f.Total != 10 {
		t.Errorf("beyond the end: %+v, %v", f, err)
	}
	c, act := o.hygienist(t, ana.Chart)
	f, err = c.Query(ctx, "Procedure", "_sort=date&_include=Procedure:encounter&_include:iterate=Encounter:part-of", 0)
	must(t, err)
	// part points at visit, which this reader may not see; whole is reached only through it.
	same(t, "included for the hygienist", refs(f.Included), "Encounter/part")
	f, err = c.Query(ctx, "Encounter", "_revinclude=Procedure:encounter&_count=0", 0)
	must(t, err)
	if f.Total != 2 || len(f.Hits)+len(f.Included) != 0 {
		t.Errorf("the hygienist counts %d encounters, %v", f.Total, f)
	}
	f, err = c.Query(ctx, "Encounter", "_sort=_id&_revinclude=Procedure:encounter", 0)
	must(t, err)
	same(t, "hits", refs(f.Hits), "Encounter/part", "Encounter/whole")
	if len(f.Included) != 5 {
		t.Errorf("revinclude: %v", refs(f.Included))
	}
	must(t, act.Release(ctx))
	looks := o.entries(t, ana)
	if l := looks[len(looks)-1]; l.Types["Procedure"] != 10 || l.Types["Encounter"] != 2 {
		t.Errorf("the searches left %v", l.Types)
	}
}

func TestHistoryAndVersions(t *testing.T) {
	ctx := context.Background()
	o := newPlace(t).open(t)
	ana, ben := o.people(t)
	obs := func(id, label, value string) fhir.Resource {
		meta := ""
		if label != "" {
			meta = `"meta":{"security":[{"code":"` + label + `"}]},`
		}
		return parse(t, `{"resourceType":"Observation","id":"`+id+`","status":"final",`+meta+`"code":{"text":"c"},"subject":{"reference":"Patient/ana"},"valueString":"`+value+`"}`)
	}
	o.deliver(t, obs("once-secret", "HIV", "a"), obs("now-secret", "", "a"))
	o.deliver(t, obs("once-secret", "", "b"), obs("now-secret", "", "b"))
	o.deliver(t, obs("once-secret", "", "c"), obs("now-secret", "HIV", "c"))
	own, act, err := o.enter(ana, "portal", ana.Chart)
	must(t, err)
	h, _, err := own.History(ctx, "Observation", "once-secret", Span{})
	must(t, err)
	if len(h) != 3 || h[0].Version != 3 || h[2].Version != 1 || string(h[2].Raw()) != string(obs("once-secret", "HIV", "a").Raw()) {
		t.Errorf("her own history: %+v", h)
	}
	e, err := own.Version(ctx, "Observation", "once-secret", 2)
	must(t, err)
	if e.Version != 2 || string(e.Raw()) != string(obs("once-secret", "", "b").Raw()) {
		t.Errorf("version 2 is %+v", e)
	}
	must(t, act.Release(ctx))
	if l := o.entries(t, ana); l[len(l)-1].Types["Observation"] != 1 || l[len(l)-1].Action != "read" {
		t.Errorf("reading history left %+v", l[len(l)-1])
	}
	c, _ := o.hygienist(t, ana.Chart)
	h, _, err = c.History(ctx, "Observation", "once-secret", Span{})
	must(t, err)
	if len(h) != 2 || h[1].Version != 2 {
		t.Errorf("what was labelled then shows: %+v", h)
	}
	for what, err := range map[string]error{
		"labelled then":     second(c.Version(ctx, "Observation", "once-secret", 1)),
		"labelled now":      second(c.Version(ctx, "Observation", "now-secret", 1)),
		"history of it":     past(c, "now-secret"),
		"another's":         second(c.Version(ctx, "Observation", "ben-lab", 1)),
		"history of it too": past(c, "ben-lab"),
		"version 0":         second(c.Version(ctx, "Observation", "once-secret", 0)),
		"version 9":         second(c.Version(ctx, "Observation", "once-secret", 9)),
	} {
		if !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	n, ok, err := o.Locate(ctx, act, "Observation", "ben-lab")
	if !ok || n != ben.Chart || err != nil {
		t.Error("ben-lab is not located", err)
	}
	if n, ok, err = o.Locate(ctx, act, "Observation", own.NewID()); !ok || n != ana.Chart || err != nil {
		t.Error("an id of ours is not located", err)
	}
	for _, id := range []string{"nobody", "", "a b", "abcdefghijklmnopqrstuvwxyz-abc"} {
		if _, ok, err := o.Locate(ctx, act, "Observation", id); ok || err != nil {
			t.Errorf("located %q: %v", id, err)
		}
	}
}

func past(c *Chart, id string) error {
	_, _, err := c.History(context.Background(), "Observation", id, Span{})
	return err
}

func second[T any](_ T, err error) error { return err }

func TestEverythingIsARead(t *testing.T) {
	ctx := context.Background()
	o := newPlace(t).open(t)
	ana, _ := o.people(t)
	c, act := o.hygienist(t, ana.Chart)
	var got []string
	for e, err := range c.Everything(ctx) {
		must(t, err)
		got = append(got, e.Ref())
	}
	same(t, "everything", got, "Observation/ana-lab", "Patient/ana")
	must(t, act.Release(ctx))
	l := o.entries(t, ana)
	if e := l[len(l)-1]; e.Action != "read" || len(e.Refs) != 2 || e.Purpose != Treatment {
		t.Errorf("everything left %+v", e)
	}
}
