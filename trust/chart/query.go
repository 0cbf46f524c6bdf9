package chart

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/fhir/search"
	"github.com/wellgate/wellgate/trust/journal"
	"github.com/wellgate/wellgate/trust/policy"
)

// Found is one page of a search.
type Found struct {
	Hits     []Entry
	Included []Entry // what _include and _revinclude add, inside this record, each once and none of them a hit
	Total    int     // all matches that this reader may see, on all pages
}

// Query answers a FHIR search inside this chart from the offset-th match on: _count, _sort, _include and _revinclude as
// the query says. What the reader may not see is left out before anything is counted, cut or followed (PRV-03).
func (c *Chart) Query(ctx context.Context, typ, query string, offset int) (Found, error) {
	st, err := c.h.load(ctx, c.num)
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
		more, err := st.included(ctx, &q, all, may)
		if err != nil {
			return Found{}, err
		}
		if out.Included, err = c.hand(ctx, more); err != nil {
			return Found{}, err
		}
	}
	return out, nil
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
		st, err := c.h.load(ctx, c.num)
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

// A Past is one version of a resource.
type Past struct {
	Entry        // of a deletion only Version and Updated
	Ref   string // "Type/id"
	Gone  bool   // this version deleted it
}

// History is what the log says of one resource, newest first; of all of a type if id is "", of the whole chart if typ is
// "" too. A version is there for who may see it as labelled then and as labelled now: taking a label off later opens
// nothing that was closed, putting one on closes what was open. A resource that nobody may see now has no history.
func (c *Chart) History(ctx context.Context, typ, id string) ([]Past, error) {
	st, err := c.h.load(ctx, c.num)
	if err != nil {
		return nil, err
	}
	if id != "" {
		if e := st.get(typ, id); e == nil || !c.visible(policy.Read, e) {
			return nil, ErrNotFound
		}
	}
	var out []Past
	err = c.h.versions(ctx, c.num, st.seq, func(e *entry, gone bool) error {
		if typ != "" && e.Type() != typ || id != "" && e.ID() != id {
			return nil
		}
		if now := st.get(e.Type(), e.ID()); now != nil && !c.visible(policy.Read, now) || !c.visible(policy.Read, e) {
			return nil
		}
		p := Past{Entry: Entry{Version: e.Version, Updated: e.at()}, Ref: e.Ref(), Gone: gone}
		if !gone {
			if p.Entry, err = c.h.whole(ctx, c.num, e); err != nil {
				return err
			}
			c.note("read", e)
		}
		out = append(out, p)
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.Reverse(out)
	return out, nil
}

// Version is one version of a resource, under the rules of History.
func (c *Chart) Version(ctx context.Context, typ, id string, version int64) (Entry, error) {
	st, err := c.h.load(ctx, c.num)
	if err != nil {
		return Entry{}, err
	}
	now := st.get(typ, id)
	if now == nil || !c.visible(policy.Read, now) || version < 1 || version > now.Version {
		return Entry{}, ErrNotFound
	}
	if version == now.Version {
		return c.Get(ctx, typ, id)
	}
	var found *entry
	err = c.h.versions(ctx, c.num, st.seq, func(e *entry, gone bool) error {
		if e.Type() == typ && e.ID() == id && e.Version == version && !gone {
			found = e
		}
		return nil
	})
	if err != nil {
		return Entry{}, err
	}
	if found == nil || !c.visible(policy.Read, found) {
		return Entry{}, ErrNotFound
	}
	full, err := c.h.whole(ctx, c.num, found)
	if err != nil {
		return Entry{}, err
	}
	c.note("read", found)
	return full, nil
}

// versions calls f with every version that the log up to seq holds, oldest first.
func (h *House) versions(ctx context.Context, num, seq int64, f func(e *entry, gone bool) error) error {
	const step = 256
	for from := int64(1); from <= seq; from += step {
		rows, err := h.journal.Rows(ctx, num, from, min(from+step-1, seq))
		if err != nil {
			return fmt.Errorf("chart: history: %w", err)
		}
		for _, r := range rows {
			b, err := decodeBatch(r.Plain)
			if err != nil {
				return fmt.Errorf("chart: row %d: %w", r.Seq, err)
			}
			block := h.loaded(num, r.Plain)
			for i := range b.ops {
				v := newFresh(&b.ops[i], b.at, block)
				v.class = &policyClass{b.ops[i].typ, v.labels}
				if err := f(&v.entry, v.deleted); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// Locate finds the chart that holds "typ/id": by the id itself if we assigned it, else by its claim. It tells nothing of
// what is there and asks no policy: Enter and the chart do.
func (h *House) Locate(ctx context.Context, act *Act, typ, id string) (chart int64, ok bool, err error) {
	if !fhir.KnownType(typ) || !fhir.ValidID(id) {
		return 0, false, nil
	}
	if n, ours := h.ours(id); ours {
		_, err := h.journal.Head(ctx, h.db, n)
		switch {
		case err == nil:
			return n, true, nil
		case errors.Is(err, journal.ErrNoChart), errors.Is(err, journal.ErrShredded):
			return 0, false, nil
		}
		return 0, false, err
	}
	chart, ok, err = h.journal.Claimed(ctx, h.db, "id", typ, id)
	if err != nil {
		return 0, false, fmt.Errorf("chart: locate: %w", err)
	}
	return chart, ok, nil
}
