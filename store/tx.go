package store

import (
	"context"
	"database/sql"
	"fmt"
)

// Tx is one write transaction. It belongs to the goroutine that runs fn, and ends with it.
type Tx struct {
	db         *DB
	done       bool
	scrub      bool
	committed  []func()
	rolledBack []func()
}

// Write runs fn in one transaction and returns once it is durable. An error from fn, or a panic, undoes everything.
// Writers wait their turn in order of arrival, and leave the queue when ctx ends. fn must not call Write.
func (db *DB) Write(ctx context.Context, fn func(*Tx) error) error {
	select {
	case db.turn <- struct{}{}:
		defer func() { <-db.turn }()
	case <-ctx.Done():
		return fmt.Errorf("store: write: waiting for other writers: %w", ctx.Err())
	}
	switch {
	case db.closed:
		return fmt.Errorf("store: write: %w", ErrClosed)
	case db.broken != nil:
		return fmt.Errorf("store: write: %w", db.broken)
	}
	if _, err := db.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("store: write: begin: %w", db.noteDisk(err))
	}
	return db.run(ctx, fn)
}

// run ends the open transaction on every way out: return, panic, and runtime.Goexit (a test's FailNow).
func (db *DB) run(ctx context.Context, fn func(*Tx) error) error {
	tx := &Tx{db: db}
	ended := false
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
		if _, err = db.conn.ExecContext(context.WithoutCancel(ctx), "COMMIT"); err != nil {
			err = fmt.Errorf("store: write: commit: %w", db.noteDisk(err))
		}
	}
	ended = true
	if err != nil {
		tx.undo()
		return err
	}
	tx.done = true
	if tx.scrub {
		db.emptyWAL(context.WithoutCancel(ctx))
	}
	for _, fn := range tx.committed {
		fn()
	}
	return nil
}

// undo rolls back and tells those who asked to know.
func (tx *Tx) undo() {
	tx.done = true
	// After a failed COMMIT SQLite may have rolled back by itself; then this says so and changes nothing.
	_, _ = tx.db.conn.ExecContext(context.Background(), "ROLLBACK")
	for _, fn := range tx.rolledBack {
		fn()
	}
}

// Query reads what this transaction sees. Close the rows before the next change.
func (tx *Tx) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if tx.done {
		return nil, ErrClosed
	}
	return tx.db.conn.QueryContext(ctx, query, args...)
}

// QueryRow reads at most one row that this transaction sees.
func (tx *Tx) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	if tx.done { // a Row can only carry an error that a query gave it
		gone, cancel := context.WithCancelCause(ctx)
		cancel(ErrClosed)
		return tx.db.reads.QueryRowContext(gone, query, args...)
	}
	return tx.db.conn.QueryRowContext(ctx, query, args...)
}

// Exec changes rows and returns how many. A broken unique constraint is ErrUnique.
func (tx *Tx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	if tx.done {
		return 0, ErrClosed
	}
	s, err := tx.db.exec(ctx, query)
	if err != nil {
		return 0, fmt.Errorf("store: %w", tx.db.noteDisk(err))
	}
	res, err := s.ExecContext(ctx, args...)
	if err != nil {
		return 0, fmt.Errorf("store: %w", tx.db.noteDisk(mapUnique(err)))
	}
	return res.RowsAffected()
}

// exec keeps the writer's statements ready. Only Exec uses them: it is over when it returns, so one statement is
// never in use twice, as it could be with rows still open.
func (db *DB) exec(ctx context.Context, query string) (*sql.Stmt, error) {
	if s, ok := db.execs[query]; ok {
		return s, nil
	}
	if len(db.execs) >= maxPrepared {
		for q, s := range db.execs {
			s.Close()
			delete(db.execs, q)
		}
	}
	s, err := db.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	db.execs[query] = s
	return s, nil
}

// Committed registers fn to run after the commit is durable, before Write returns, in order of registration.
// The next writer waits for it, so the hooks of two transactions run in the order of their commits; fn must not Write.
func (tx *Tx) Committed(fn func()) { tx.committed = append(tx.committed, fn) }

// RolledBack registers fn to run if the transaction is undone, or its commit fails.
func (tx *Tx) RolledBack(fn func()) { tx.rolledBack = append(tx.rolledBack, fn) }

// Scrub asks that bytes this transaction deletes leave the disk's files with its commit, as far as open readers
// allow: deleted cells are overwritten anyway (secure_delete), this also empties the write-ahead log.
func (tx *Tx) Scrub() { tx.scrub = true }
