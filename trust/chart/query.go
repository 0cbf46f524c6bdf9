package chart

import (
	"context"
	"errors"
	"iter"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/fhir/search"
	"github.com/wellgate/wellgate/trust/journal"
	"github.com/wellgate/wellgate/trust/policy"
)

// Found is one page of a search.
type Found struct {
	Hits     []Entry
	Included []Entry // what _include and _revinclude add, from this record and the directory, each once and none of them a hit
	Total    int     // all matches that this reader may see, on all pages
}

// Query answers a FHIR search inside this chart from the offset-th match on: _count, _sort, _include and _revinclude as
// the query says. What the reader may not see is left out before anything is counted, cut or followed (PRV-03).
func (c *Chart) Query(ctx context.Context, typ, query string, offset int) (Found, error) {
	st, err := c.load(ctx)
	if err != nil {
		return Found{}, err
	}
	q, err := search.Parse(typ, query)
	if err != nil {
		return Found{}, err
	}
	may := func(e *entry) bool { return c.visible(policy.Read, e) }
	all, err := st.matches(ctx, &q, may)
	if err != nil {
		return Found{}, err
	}
	out := Found{Total: len(all)}
	if offset = max(offset, 0); offset < len(all) {
		all = all[offset:]
	} else {
		all = nil
	}
	if q.Count >= 0 && q.Count < len(all) {
		all = all[:q.Count]
	}
	if out.Hits, err = c.hand(ctx, all); err != nil {
		return Found{}, err
	}
	if len(q.Include)+len(q.RevInclude) > 0 {
		if out.Included, err = c.included(ctx, st, &q, all); err != nil {
			return Found{}, err
		}
	}
	return out, nil
}

// included is what q's includes add to hits: first from this record, then from the practice's directory, where the people
// and places are that a record points at. What comes from there passes policy and is noted as the directory's own.
func (c *Chart) included(ctx context.Context, st *record, q *search.Query, hits []*entry) ([]Entry, error) {
	dir := &Chart{h: c.h, act: c.act, num: c.h.directory, ctx: c.ctx}
	var also *record
	if c.num != c.h.directory {
		var err error
		if also, err = c.h.loadFor(ctx, c.act, c.h.directory); err != nil {
			return nil, err
		}
	}
	own, theirs, err := st.included(ctx, also, q, hits, func(e *entry, elsewhere bool) bool {
		if elsewhere {
			return dir.visible(policy.Read, e)
		}
		return c.visible(policy.Read, e)
	})
	if err != nil {
		return nil, err
	}
	out, err := c.hand(ctx, own)
	if err != nil || len(theirs) == 0 {
		return out, err
	}
	more, err := dir.hand(ctx, theirs)
	return append(out, more...), err
}

// hand notes entries as read and gives them out.
func (c *Chart) hand(ctx context.Context, es []*entry) ([]Entry, error) {
	out := make([]Entry, len(es))
	for i, e := range es {
		var err error
		if out[i], err = e.give(ctx); err != nil {
			return nil, err
		}
		c.note("read", e)
	}
	return out, nil
}

// Everything yields every resource of this chart that the reader may see, by type, noting each as read: FHIR's
// $everything, for services. A person who takes the record away uses All, which wants a fresh proof.
func (c *Chart) Everything(ctx context.Context) iter.Seq2[Entry, error] {
	return c.each(ctx, policy.Read, "read")
}

func (c *Chart) each(ctx context.Context, may policy.Action, word string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		st, err := c.load(ctx)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		for _, typ := range st.types() {
			shelf := st.shelf(typ)
			for i := range shelf.entries {
				e := &shelf.entries[i]
				if !c.visible(may, e) {
					continue
				}
				full, err := c.h.whole(ctx, c.num, e)
				if err == nil {
					c.note(word, e)
				}
				if !yield(full, err) || err != nil {
					return
				}
			}
		}
	}
}

// Locate finds the chart that holds "typ/id": by the id itself if we assigned it, else by its claim. It tells nothing of
// what is there and asks no policy: Enter and the chart do.
func (h *House) Locate(ctx context.Context, act *Act, typ, id string) (chart int64, ok bool, err error) {
	if !fhir.KnownType(typ) || !fhir.ValidID(id) {
		return 0, false, nil
	}
	if n, ours := h.ours(id); ours {
		if h.alone() && h.warm.Has(n) { // it was opened, and is dropped when it is erased
			return n, true, nil
		}
		_, err := h.journal.Head(ctx, h.db, n)
		switch {
		case err == nil:
			return n, true, nil
		case errors.Is(err, journal.ErrNoChart), errors.Is(err, journal.ErrShredded):
			return 0, false, nil
		}
		return 0, false, err
	}
	return h.claimed(ctx, typ, id)
}
