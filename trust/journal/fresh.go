package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
)

// Several nodes may serve one database. What a node keeps of a chart is good while the chart's newest row is the one it
// knows, and the key was not destroyed. Heads asks that of many charts at once, for all who wait, in one statement that
// somebody else sends (trust/audit.Rider): the answer is no older than the questions in it.

// At is where somebody knows a chart's log to end.
type At struct{ Chart, Seq int64 }

// Gone is the newest row of a chart that is not there, or was erased.
const Gone = -1

// Heads gathers questions while the ones before them travel. It is safe for concurrent use.
type Heads struct {
	mu       sync.Mutex
	waiting  *Question
	onTheWay *Question // owned by who carries it
}

// NewHeads readies one.
func NewHeads() *Heads { return &Heads{waiting: newQuestion()} }

// A Question is many people's.
type Question struct {
	asked  map[At]struct{}
	charts []int64
	seqs   []int64
	done   chan struct{} // closed when what follows may be read
	newest map[int64]int64
	err    error
}

func newQuestion() *Question {
	return &Question{asked: map[At]struct{}{}, done: make(chan struct{})}
}

// Ask has the next statement ask whether the charts' logs still end there.
func (h *Heads) Ask(at ...At) *Question {
	h.mu.Lock()
	defer h.mu.Unlock()
	q := h.waiting
	for _, a := range at {
		if _, twice := q.asked[a]; !twice {
			q.asked[a] = struct{}{}
			q.charts, q.seqs = append(q.charts, a.Chart), append(q.seqs, a.Seq)
		}
	}
	return q
}

// Wait returns when the answer is there.
func (q *Question) Wait(ctx context.Context) error {
	select {
	case <-q.done:
	case <-ctx.Done():
		return fmt.Errorf("journal: newest rows: %w", ctx.Err())
	}
	if q.err != nil {
		return fmt.Errorf("journal: newest rows: %w", q.err)
	}
	return nil
}

// Newest is the number of the chart's newest row, or Gone. Ask for what was asked only, after Wait.
func (q *Question) Newest(a At) int64 {
	if seq, other := q.newest[a.Chart]; other {
		return seq
	}
	return a.Seq
}

// Question is the statement: it answers with the charts whose log does not end where somebody thinks.
func (h *Heads) Question() (query string, params int) {
	return `SELECT a.chart, COALESCE(CASE c.shredded WHEN 0 THEN c.seq END, -1)
		FROM unnest($1::bigint[], $2::bigint[]) AS a (chart, seq) LEFT JOIN journal_chart AS c ON c.chart = a.chart
		WHERE c.seq IS DISTINCT FROM a.seq OR c.shredded <> 0`, 2
}

// Board takes what is asked now.
func (h *Heads) Board() []any {
	h.mu.Lock()
	defer h.mu.Unlock()
	q := h.waiting
	if len(q.charts) == 0 {
		return nil
	}
	h.waiting, h.onTheWay = newQuestion(), q
	return []any{q.charts, q.seqs}
}

// Row takes one row of the answer.
func (h *Heads) Row(scan func(...any) error) error {
	var chart, seq int64
	if err := scan(&chart, &seq); err != nil {
		return err
	}
	if h.onTheWay.newest == nil {
		h.onTheWay.newest = map[int64]int64{}
	}
	h.onTheWay.newest[chart] = seq
	return nil
}

// Arrived lets go of who waits.
func (h *Heads) Arrived(err error) {
	q := h.onTheWay
	q.err, h.onTheWay = err, nil
	close(q.done)
}

// Forget drops the key of a chart that was erased by another node.
func (j *Journal) Forget(chart int64) {
	j.keys.block(chart)
	j.keys.unblock(chart)
}

// alive refuses a chart that was erased. On SQLite the keyring knows: what erases is this process.
func (j *Journal) alive(ctx context.Context, chart int64) error {
	if j.db.Dialect() != "postgres" {
		return nil
	}
	var erased int64
	err := j.db.QueryRow(ctx, "SELECT shredded FROM journal_chart WHERE chart = $1", chart).Scan(&erased)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return ErrNoChart
	case err != nil:
		return err
	}
	if erased != 0 {
		j.Forget(chart)
		return ErrShredded
	}
	return nil
}
