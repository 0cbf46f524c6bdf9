package audit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wellgate/wellgate/internal/durable"
	"github.com/wellgate/wellgate/store"
)

// On PostgreSQL a node has one connection for what its reads need of the store (store.Line), with one statement in flight.
// A statement stores the batch of entries, and asks what the Rider's passengers ask: one round trip for both. When nothing
// is in flight it goes at once; else the one in flight is what gathers the next.

// A Rider is a question that rides on the statement which stores a batch. It is put after its passengers came, so the
// answer is no older than their requests. One goroutine calls the methods.
type Rider interface {
	// Question is a SELECT with parameters $1 … $params. It is asked for once.
	Question() (query string, params int)
	// Board takes whoever asks now and returns their parameters; nil for nobody. Arrived follows each Board that took some.
	Board() []any
	// Row takes one row of the answer.
	Row(scan func(...any) error) error
	// Arrived tells how it ended. On an error nobody has an answer.
	Arrived(err error)
}

// roundLimit bounds the wait for a server that does not answer.
const roundLimit = 10 * time.Second

// rounds is the connection and what goes over it.
type rounds struct {
	line  *store.Line
	mark  *durable.Mark // by number of batch
	rider Rider         // nil for none
	note  string        // stores a batch
	ask   string        // puts the question
	both  string
}

func newRounds(line *store.Line, r Rider) *rounds {
	if line == nil {
		return nil
	}
	s := &rounds{line: line, mark: durable.NewMark(0), rider: r,
		note: `INSERT INTO audit_inbox (id, aside, data) VALUES ($1, 0, $2)`}
	if r != nil {
		query, params := r.Question()
		s.ask = query
		s.both = fmt.Sprintf(`WITH noted AS (INSERT INTO audit_inbox (id, aside, data) VALUES ($%d, 0, $%d)) %s`, params+1, params+2, query)
	}
	return s
}

// Ask has the Rider's passengers taken along. It is ErrClosed after Close; then nobody comes for them.
func (l *Log) Ask() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.unusable(); err != nil {
		return err
	}
	l.wake()
	return nil
}

// round sends one statement, if there is anything for it.
func (l *Log) round() {
	r := l.rounds
	var args []any
	if r.rider != nil {
		args = r.rider.Board()
	}
	asked := args != nil
	b, err := l.take()
	if b == nil && !asked {
		return
	}
	if err == nil {
		err = l.send(b, args)
	}
	if asked {
		r.rider.Arrived(err)
	}
	if b != nil {
		l.settleBatch(b, err)
	}
}

// take gives the batch in the making if there is something in it, and begins the next.
func (l *Log) take() (*batch, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.filling
	if len(b.buf) == 1 {
		return nil, l.failed
	}
	l.filling, l.spare = newBatch(l.spare, b.n+1), nil
	return b, l.failed
}

func (l *Log) send(b *batch, args []any) error {
	r := l.rounds
	ctx, cancel := context.WithTimeout(context.Background(), roundLimit) // it is nobody's request
	defer cancel()
	if b == nil {
		err := r.line.Do(ctx, r.ask, args, r.rider.Row)
		if errors.Is(err, store.ErrUnknown) { // a question may be put twice
			err = r.line.Do(ctx, r.ask, args, r.rider.Row)
		}
		return err
	}
	query, row := r.note, func(func(...any) error) error { return nil }
	if args != nil {
		query, row = r.both, r.rider.Row
	}
	id := l.ids.next()
	return r.line.Do(ctx, query, append(args, id[:], l.seals.seal(id, b.buf)), row)
}

// settleBatch lets go of who waits for a batch. If it failed, so has the one in the making: a connection may depend on both
// (durable.Mark.Lose). What the store kept of them all the same tells of reads that did not happen, which is safe.
func (l *Log) settleBatch(b *batch, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil {
		l.rounds.mark.Reach(b.n)
		l.end(b, nil)
		return
	}
	last := b
	if len(l.filling.buf) > 1 {
		last = l.filling
		l.filling = newBatch(nil, last.n+1)
	}
	l.rounds.mark.Lose(last.n, err)
	l.end(b, err)
	if last != b {
		l.end(last, err)
	}
}

// end is called with mu held.
func (l *Log) end(b *batch, err error) {
	if cap(b.buf) <= 1<<20 {
		l.spare = b.buf
	}
	b.buf, b.err = nil, err
	close(b.done)
}
