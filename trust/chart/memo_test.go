package chart_test

import (
	"context"
	"strings"
	"testing"

	. "github.com/wellgate/wellgate/trust/chart"
)

// A memo saves the making, never the noting, and nobody gets what was made for somebody who may see more.
func TestMemo(t *testing.T) {
	ctx := context.Background()
	o := newPlace(t).open(t)
	ana, _ := o.people(t)
	made := 0
	ask := func(c *Chart, act *Act) (string, Look) {
		v, err := Memo(ctx, c, "all", func(c *Chart) (string, int64, error) {
			made++
			es, err := c.Search(ctx, "Observation", "_sort=_id")
			return strings.Join(refs(es), " "), 10, err
		})
		must(t, err)
		must(t, act.Release(ctx))
		looks := o.entries(t, ana)
		return v, looks[len(looks)-1]
	}
	own := func() (string, Look) {
		c, act, err := o.enter(ana, "portal", ana.Chart)
		must(t, err)
		return ask(c, act)
	}
	first, l1 := own()
	again, l2 := own()
	if made != 1 || first != "Observation/ana-hiv Observation/ana-lab" || again != first {
		t.Errorf("made %d times: %q, %q", made, first, again)
	}
	same(t, "notes of the second", l2.Refs, l1.Refs...)
	if len(l2.Refs) != 2 || l2.Index == l1.Index {
		t.Errorf("the second reading left %+v", l2)
	}
	if v, l := ask(o.hygienist(t, ana.Chart)); v != "Observation/ana-lab" || made != 2 || len(l.Refs) != 1 {
		t.Errorf("the hygienist got %q, noted %v", v, l.Refs)
	}
	if v, _ := own(); v != first || made != 2 {
		t.Errorf("ana's own memo is gone: %q, made %d", v, made)
	}
	o.deliver(t, parse(t, lab("ana-new", "ana", "4.1")))
	if v, _ := own(); !strings.Contains(v, "ana-new") || made != 3 {
		t.Errorf("after a change: %q, made %d", v, made)
	}
}
