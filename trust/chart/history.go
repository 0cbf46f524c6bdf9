package chart

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wellgate/wellgate/trust/policy"
)

// ErrGone means that what was asked for is deleted and that the reader might have seen it. It is an ErrNotFound too.
var ErrGone = fmt.Errorf("%w: deleted", ErrNotFound)

// A Past is one version of a resource.
type Past struct {
	Entry        // of a deletion only Version and Updated
	Ref   string // "Type/id"
	Gone  bool   // this version deleted it
}

// A Spot is a place in a record's log. The zero Spot is its end.
type Spot struct {
	Row int64
	At  int
}

// A Span says what part of a history is asked for; the zero Span is all of it.
type Span struct {
	Before      Spot      // what stands before it in the log
	Since       time.Time // what was stored at or after it
	From, Until time.Time // what was current at some moment from From on, before Until
	Count       int       // at most so many; 0 is no limit
}

// History is what the log says of one resource, newest first, and where the next page goes on (the zero Spot for nowhere).
// A version is there for who may see it as labelled then and as labelled now: taking a label off later opens nothing that
// was closed, putting one on closes what was open. A resource that nobody may see now has no history; a deleted one is as
// it was labelled last.
func (c *Chart) History(ctx context.Context, typ, id string, s Span) (past []Past, next Spot, err error) {
	st, err := c.load(ctx)
	if err != nil {
		return nil, Spot{}, err
	}
	if _, err := c.now(ctx, st, typ, id); err != nil && !errors.Is(err, ErrGone) {
		return nil, Spot{}, err
	}
	var last Spot
	err = c.h.back(ctx, c.num, st.seq, s.Before, typ, id, func(at Spot, e *entry, gone bool) (more bool, err error) {
		stored := e.at()
		if !s.Since.IsZero() && stored.Before(s.Since) {
			return false, nil
		}
		if !s.Until.IsZero() && !stored.Before(s.Until) {
			return true, nil
		}
		if more = s.From.IsZero() || stored.After(s.From); !gone && !c.visible(policy.Read, e) {
			return more, nil
		}
		if s.Count > 0 && len(past) == s.Count {
			next = last
			return false, nil
		}
		last = at
		p := Past{Entry: Entry{Version: e.Version, Updated: stored}, Ref: e.Ref(), Gone: gone}
		if !gone {
			if p.Entry, err = c.h.whole(ctx, c.num, e); err != nil {
				return false, err
			}
		}
		c.note("read", e)
		past = append(past, p)
		return more, nil
	})
	return past, next, err
}

// Version is one version of a resource, under the rules of History.
func (c *Chart) Version(ctx context.Context, typ, id string, version int64) (Entry, error) {
	st, err := c.load(ctx)
	if err != nil {
		return Entry{}, err
	}
	newest, err := c.now(ctx, st, typ, id)
	gone := errors.Is(err, ErrGone)
	switch {
	case err != nil && !gone:
		return Entry{}, err
	case version < 1 || version > newest:
		return Entry{}, ErrNotFound
	case version == newest && gone:
		c.act.note(c.num, "read", typ, id)
		return Entry{}, ErrGone
	case version == newest:
		return c.Get(ctx, typ, id)
	}
	var found *entry
	var deleted bool
	err = c.h.back(ctx, c.num, st.seq, Spot{}, typ, id, func(_ Spot, e *entry, gone bool) (bool, error) {
		if e.Version == version {
			found, deleted = e, gone
		}
		return e.Version > version, nil
	})
	if err != nil {
		return Entry{}, err
	}
	if found == nil || !deleted && !c.visible(policy.Read, found) {
		return Entry{}, ErrNotFound
	}
	c.note("read", found)
	if deleted {
		return Entry{}, ErrGone
	}
	return c.h.whole(ctx, c.num, found)
}

// Gone tells of what Get does not find whether it was there: ErrGone if it is deleted and this reader might have seen it,
// else ErrNotFound. Telling so is a reading.
func (c *Chart) Gone(ctx context.Context, typ, id string) error {
	st, err := c.load(ctx)
	if err != nil {
		return err
	}
	if _, err = c.now(ctx, st, typ, id); err == nil {
		return ErrNotFound // it came back meanwhile, or was there all the time
	}
	if errors.Is(err, ErrGone) {
		c.act.note(c.num, "read", typ, id)
	}
	return err
}

// now is the newest version of a resource that this reader may see, with ErrGone if that deleted it.
func (c *Chart) now(ctx context.Context, st *record, typ, id string) (version int64, err error) {
	if e := st.get(typ, id); e != nil {
		if !c.visible(policy.Read, e) {
			return 0, ErrNotFound
		}
		return e.Version, nil
	}
	graves, err := c.h.graves(ctx, c.num, st)
	if err != nil {
		return 0, err
	}
	g, ok := graves[typ+"/"+id]
	if !ok || !c.decide(decided{policy.Read, g.class}) {
		return 0, ErrNotFound
	}
	return g.version, ErrGone
}

// A grave is what is left of a deleted resource.
type grave struct {
	class   *policyClass // as it was labelled last
	version int64        // the deletion's
}

// graves finds what was deleted from a record and has not come back. One walk through the log answers for this version of
// the record, so that asking for what never was costs no more than once.
func (h *House) graves(ctx context.Context, num int64, st *record) (map[string]grave, error) {
	if m := st.graves.Load(); m != nil {
		return *m, nil
	}
	m, last := map[string]grave{}, map[string][]string{}
	err := h.rows(ctx, num, 1, st.seq, func(_ int64, b batch, _ []byte) error {
		for i := range b.ops {
			o := &b.ops[i]
			if st.get(o.typ, o.id) != nil {
				continue
			}
			ref := o.typ + "/" + o.id
			if !o.deleted {
				last[ref] = labels(o.res)
				continue
			}
			m[ref] = grave{&policyClass{o.typ, last[ref]}, o.version}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	st.graves.Store(&m)
	return m, nil
}

// backStep is how many rows of a log are open at once.
const backStep = 256

// back calls f with the versions of one resource that stand in the log up to seq and before a spot (zero: all), newest
// first, until f wants no more or the first version was there.
func (h *House) back(ctx context.Context, num, seq int64, before Spot, typ, id string, f func(Spot, *entry, bool) (more bool, err error)) error {
	if before.Row > 0 {
		seq = min(seq, before.Row)
	}
	for to := seq; to > 0; to -= backStep {
		type found struct {
			at   Spot
			e    entry
			gone bool
		}
		var here []found
		err := h.rows(ctx, num, max(1, to-backStep+1), to, func(row int64, b batch, plain []byte) error {
			for i := range b.ops {
				if o := &b.ops[i]; o.typ == typ && o.id == id && (row != before.Row || i < before.At) {
					v := newFresh(o, b.at, h.loaded(num, plain))
					v.class = &policyClass{typ, v.labels}
					here = append(here, found{Spot{row, i}, v.entry, v.deleted})
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		for i := len(here) - 1; i >= 0; i-- {
			if more, err := f(here[i].at, &here[i].e, here[i].gone); err != nil || !more || here[i].e.Version == 1 {
				return err
			}
		}
	}
	return nil
}

// rows calls f with the rows of a log, oldest first.
func (h *House) rows(ctx context.Context, num, from, to int64, f func(row int64, b batch, plain []byte) error) error {
	for ; from <= to; from += backStep {
		rows, err := h.journal.Rows(ctx, num, from, min(from+backStep-1, to))
		if err != nil {
			return fmt.Errorf("chart: history: %w", err)
		}
		for _, r := range rows {
			b, err := decodeBatch(r.Plain)
			if err != nil {
				return fmt.Errorf("chart: row %d: %w", r.Seq, err)
			}
			if err := f(r.Seq, b, r.Plain); err != nil {
				return err
			}
		}
	}
	return nil
}
