package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
)

// Tx is one write transaction. It belongs to the goroutine that runs fn, and ends with it.
type Tx struct {
	db         *DB
	session    session
	done       bool
	scrub      bool
	committed  []func()
	rolledBack []func()
	locked     map[string]func()
}

// Write runs fn in one transaction and returns once it is durable. An error from fn, or a panic, undoes everything.
// Writers beyond the engine's number (one on SQLite) wait their turn in order of arrival, and leave the queue when ctx
// ends. fn must not call Write. After ErrUnknown the transaction may have been kept.
// Where PostgreSQL undid a transaction because two waited for each other, fn runs again, so it must set anew whatever it
// sets outside of itself.
func (db *DB) Write(ctx context.Context, fn func(*Tx) error) error {
	for try := 0; ; try++ {
		err := db.writeOnce(ctx, fn)
		if try == mostTries || !errors.Is(err, ErrRetry) {
			return err
		}
	}
}

// mostTries bounds how often a transaction is run again after a deadlock. One of the two always goes on, so the second
// try usually succeeds.
const mostTries = 5

func (db *DB) writeOnce(ctx context.Context, fn func(*Tx) error) error {
	select {
	case db.turns <- struct{}{}:
		defer func() { <-db.turns }()
	case <-ctx.Done():
		return fmt.Errorf("store: write: waiting for other writers: %w", ctx.Err())
	}
	if db.closed {
		return fmt.Errorf("store: write: %w", ErrClosed)
	}
	s, err := db.engine.begin(ctx)
	if err != nil {
		return fmt.Errorf("store: write: %w", err)
	}
	return db.run(ctx, s, fn)
}

// run ends the open transaction on every way out: return, panic, and runtime.Goexit (a test's FailNow).
func (db *DB) run(ctx context.Context, s session, fn func(*Tx) error) error {
	tx := &Tx{db: db, session: s}
	ended := false
	defer tx.unlock()
	defer func() {
		if !ended {
			tx.undo()
		}
	}()
	err := fn(tx)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		// From here on a cancelled ctx must not leave the caller unsure: the commit runs to its end.
		if err = s.commit(context.WithoutCancel(ctx)); err != nil {
			err = fmt.Errorf("store: write: commit: %w", err)
		}
	}
	ended = true
	if err != nil {
		tx.undo()
		return err
	}
	tx.done = true
	if lite, ok := s.(*sqlite); ok && tx.scrub {
		lite.emptyWAL(context.WithoutCancel(ctx))
	}
	for _, fn := range tx.committed {
		fn()
	}
	return nil
}

// undo rolls back and tells those who asked to know.
func (tx *Tx) undo() {
	tx.done = true
	tx.session.rollback()
	for _, fn := range tx.rolledBack {
		fn()
	}
}

// Query reads what this transaction sees. Close the rows before the next change.
func (tx *Tx) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if tx.done {
		return nil, ErrClosed
	}
	return tx.session.conn().QueryContext(ctx, query, args...)
}

// QueryRow reads at most one row that this transaction sees.
func (tx *Tx) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	if tx.done { // a Row can only carry an error that a query gave it
		gone, cancel := context.WithCancelCause(ctx)
		cancel(ErrClosed)
		return tx.db.reads.QueryRowContext(gone, query, args...)
	}
	return tx.session.conn().QueryRowContext(ctx, query, args...)
}

// Exec changes rows and returns how many. A broken unique constraint is ErrUnique.
func (tx *Tx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	if tx.done {
		return 0, ErrClosed
	}
	n, err := tx.session.exec(ctx, query, args)
	if err != nil {
		return 0, fmt.Errorf("store: %w", err)
	}
	return n, nil
}

// Lock makes transactions that take the same name wait for each other, on every node, until this one has ended: what
// they read, decide and write then happens one after the other. To lock twice is to lock once. SQLite's writers take
// turns anyway. Take several in the order of their names, and see ErrRetry.
func (tx *Tx) Lock(ctx context.Context, name string) error {
	if tx.done {
		return ErrClosed
	}
	if _, held := tx.locked[name]; held || tx.db.Dialect() == "sqlite" {
		return nil
	}
	if err := tx.session.lock(ctx, name); err != nil {
		return fmt.Errorf("store: lock: %w", err)
	}
	// The database lets go at the commit. Here the next waits until the hooks have run, so they run in that order;
	// they end by themselves, so the wait does too.
	if tx.locked == nil {
		tx.locked = map[string]func(){}
	}
	tx.locked[name] = tx.db.gates.enter(name)
	return nil
}

func (tx *Tx) unlock() {
	for _, leave := range tx.locked {
		leave()
	}
}

// gates are this process's part of the named locks.
type gates struct {
	mu   sync.Mutex
	open map[string]chan struct{} // closed by the one inside
}

func (g *gates) enter(name string) (leave func()) {
	mine := make(chan struct{})
	for {
		g.mu.Lock()
		other, taken := g.open[name]
		if !taken {
			if g.open == nil {
				g.open = map[string]chan struct{}{}
			}
			g.open[name] = mine
			g.mu.Unlock()
			return func() {
				g.mu.Lock()
				delete(g.open, name)
				g.mu.Unlock()
				close(mine)
			}
		}
		g.mu.Unlock()
		<-other
	}
}

// Committed registers fn to run after the commit is durable, before Write returns, in order of registration. The next
// writer waits for it on SQLite, and on PostgreSQL the next of this process that takes the same Lock, so their hooks
// run in the order of their commits; fn must not Write.
func (tx *Tx) Committed(fn func()) { tx.committed = append(tx.committed, fn) }

// RolledBack registers fn to run if the transaction is undone, its commit fails, or its outcome is unknown.
func (tx *Tx) RolledBack(fn func()) { tx.rolledBack = append(tx.rolledBack, fn) }

// Scrub asks that bytes this transaction deletes leave SQLite's files with its commit, as far as open readers
// allow: deleted cells are overwritten anyway (secure_delete), this also empties the write-ahead log. PostgreSQL keeps
// deleted bytes until vacuum and in its log until that is recycled; there only the destroyed key erases.
func (tx *Tx) Scrub() { tx.scrub = true }
