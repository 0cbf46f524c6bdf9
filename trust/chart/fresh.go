package chart

import (
	"context"
	"fmt"
	"sync"

	"github.com/wellgate/wellgate/trust/identity"
	"github.com/wellgate/wellgate/trust/journal"
)

// On SQLite this process is the only one that writes, and what is warm is what is stored. On PostgreSQL another node may
// have written since, or erased: whoever reads asks first whether the record's newest row is still the one that is warm
// (journal.Heads), in the statement that carries the entries of reads noted meanwhile (audit.Rider). The question is put
// after the request came, so what it is answered from is what was committed then, or newer. Newer rows are read and
// applied to what is warm. There is no time during which an old answer would do, and no message that could be missed.

// views are what an act knows of records: a row that was committed after its request came. It asks once per record, and
// sees its own writes.
type views struct {
	mu sync.Mutex
	at map[int64]int64
}

func (h *House) newViews(who identity.Who) *views {
	if h.heads == nil || who.Kind == identity.System { // a tool's act may take hours, so each of its looks is one of its own
		return nil
	}
	return &views{at: map[int64]int64{}}
}

func (v *views) know(num int64) (seq int64, ok bool) {
	if v == nil {
		return 0, false
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	seq, ok = v.at[num]
	return seq, ok
}

func (v *views) saw(num, seq int64) {
	if v == nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.at[num] = max(v.at[num], seq)
}

// load is the record for whoever decides or writes: as new as the moment of the call.
func (h *House) load(ctx context.Context, num int64) (*record, error) {
	return h.loadFor(ctx, nil, num)
}

func (c *Chart) load(ctx context.Context) (*record, error) { return c.h.loadFor(ctx, c.act, c.num) }

// loadFor is the record for an act: as new as the first time that the act asked for it.
func (h *House) loadFor(ctx context.Context, act *Act, num int64) (*record, error) {
	if err := h.vault.Err(); err != nil {
		return nil, err
	}
	if h.heads == nil {
		st, _, err := h.warmed(ctx, num, nil)
		return st, err
	}
	var v *views
	if act != nil {
		v = act.views
	}
	want, known := v.know(num)
	var from *record
	for {
		st, read, err := h.warmed(ctx, num, from)
		if err != nil {
			return nil, err
		}
		if !read && !known {
			if want, err = h.newest(ctx, v, journal.At{Chart: num, Seq: st.seq}); err != nil {
				return nil, fmt.Errorf("chart: load: %w", err)
			}
			if want < st.seq { // erased, or put back: reading it says which
				h.Forget(num)
				from = nil
				continue
			}
			known = true
		}
		if read || st.seq >= want {
			v.saw(num, st.seq)
			return st, nil
		}
		from = st
		h.warm.DropIf(num, func(kept *record) bool { return kept.seq < want })
	}
}

// warmed is the record as it is kept, or read now: whole, or what came after from.
func (h *House) warmed(ctx context.Context, num int64, from *record) (st *record, read bool, err error) {
	st, err = h.warm.Get(ctx, num, func(ctx context.Context) (*record, int64, error) {
		read = true
		var st *record
		var err error
		if from == nil || from.tail >= snapshotRows { // there may be a snapshot by now
			st, err = h.replay(ctx, num)
		} else {
			st, err = h.catchUp(ctx, num, from)
		}
		if err != nil {
			return nil, 0, err
		}
		if st.slow() {
			h.snapshotLater(num, st)
		}
		return st, st.weight(), nil
	})
	return st, read, err
}

// catchUp applies the rows that came after a record.
func (h *House) catchUp(ctx context.Context, num int64, from *record) (*record, error) {
	rows, err := h.journal.Rows(ctx, num, from.seq+1, 0)
	if err != nil {
		return nil, fmt.Errorf("chart: load: %w", h.alarmed(num, err))
	}
	return h.follow(num, from, rows)
}

// newest asks for a record's newest row, and on the way for the directory's, which most pages read too.
func (h *House) newest(ctx context.Context, v *views, at journal.At) (int64, error) {
	var dir *record
	if v != nil && at.Chart != h.directory {
		dir, _ = h.warm.Peek(h.directory)
	}
	var q *journal.Question
	if dir == nil {
		q = h.heads.Ask(at)
	} else {
		q = h.heads.Ask(at, journal.At{Chart: h.directory, Seq: dir.seq})
	}
	if err := h.audit.Ask(); err != nil {
		return 0, err
	}
	if err := q.Wait(ctx); err != nil {
		return 0, err
	}
	if dir != nil {
		if seq := q.Newest(journal.At{Chart: h.directory, Seq: dir.seq}); seq >= dir.seq {
			v.saw(h.directory, seq)
		}
	}
	return q.Newest(at), nil
}

// alive refuses a record that was erased, for whoever reads what is kept of it elsewhere than in its log.
func (h *House) alive(ctx context.Context, num int64) error {
	if h.heads == nil {
		return nil
	}
	seq, err := h.newest(ctx, nil, journal.At{Chart: num})
	if err != nil {
		return err
	}
	if seq == journal.Gone {
		h.Forget(num)
		return ErrNotFound
	}
	return nil
}

// lost has the next look at a record read what somebody else wrote first.
func (h *House) lost(num int64) {
	if h.heads == nil {
		h.warm.Drop(num)
	} // else load asks
}
