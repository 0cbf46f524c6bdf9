// Package store is one handle over the database: embedded SQLite now, PostgreSQL next.
//
// It promises: one writer at a time on SQLite, every commit durable before Write returns
// (WAL, synchronous=FULL), SQL that reads the same on both engines ($1 placeholders), and
// migrations that only go forward and may be started by two processes at once.
// It knows no tables: each owner brings its own schema folder.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
)

var (
	// ErrUnique is returned (wrapped) when a unique constraint refused a row. The transaction should be given
	// up: PostgreSQL accepts nothing more in it. Say ON CONFLICT where going on is wanted.
	ErrUnique = errors.New("store: already there")
	// ErrNewer means that the tables were made by a newer Wellgate than this one.
	ErrNewer = errors.New("store: the database was made by a newer version of Wellgate; start that version, or restore the backup taken before it")
	// ErrDisk means that the disk failed while writing. After it the handle writes nothing more: what a failed
	// fsync left behind is unknown until the database is opened again.
	ErrDisk = errors.New("store: the disk failed while writing; check the disk, then start again")
	// ErrClosed is returned by a handle after Close, and by a Tx after its Write has ended.
	ErrClosed = errors.New("store: closed")
)

// A Querier reads. *DB reads what is committed; *Tx reads what its own transaction sees.
type Querier interface {
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) *sql.Row
}

// readers is how many reads run side by side. Measured: SQLite gains nothing beyond it on the machines we know.
const readers = 8

// maxPrepared bounds the statements kept ready, should somebody build SQL by hand.
const maxPrepared = 256

// DB is an open database: a pool of readers and one writer.
type DB struct {
	path   string
	reads  *sql.DB
	stmts  sync.Map // query → *sql.Stmt
	nstmts atomic.Int32

	writes *sql.DB
	turn   chan struct{} // holds one token: the right to write
	conn   *sql.Conn     // the writer; used by whoever holds the turn
	execs  map[string]*sql.Stmt
	broken error // set, under the turn, by a disk error
	closed bool  // set under the turn
}

// Open opens the database at url: "sqlite:/folder/file.db" creates the file, and its folder, if they are missing.
func Open(ctx context.Context, url string) (*DB, error) {
	path, ok := strings.CutPrefix(url, "sqlite:")
	if !ok || path == "" {
		scheme, _, _ := strings.Cut(url, ":")
		return nil, fmt.Errorf("store: open %q: only sqlite:/folder/file.db is known", scheme+":…")
	}
	return openSQLite(ctx, path)
}

// Dialect names the engine: "sqlite".
func (db *DB) Dialect() string { return "sqlite" }

// Close waits for the write in progress and closes everything.
func (db *DB) Close() error {
	db.turn <- struct{}{}
	defer func() { <-db.turn }()
	if db.closed {
		return nil
	}
	db.closed = true
	for _, s := range db.execs {
		s.Close()
	}
	db.stmts.Range(func(_, s any) bool { s.(*sql.Stmt).Close(); return true })
	return errors.Join(db.conn.Close(), db.reads.Close(), db.writes.Close())
}

// Query reads what is committed.
func (db *DB) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if s := db.prepared(ctx, query); s != nil {
		return s.QueryContext(ctx, args...)
	}
	return db.reads.QueryContext(ctx, query, args...)
}

// QueryRow reads at most one committed row.
func (db *DB) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	if s := db.prepared(ctx, query); s != nil {
		return s.QueryRowContext(ctx, args...)
	}
	return db.reads.QueryRowContext(ctx, query, args...)
}

// prepared returns a kept statement, or nil if there is none; then the plain call runs (and tells the error).
func (db *DB) prepared(ctx context.Context, query string) *sql.Stmt {
	if s, ok := db.stmts.Load(query); ok {
		return s.(*sql.Stmt)
	}
	if db.nstmts.Load() >= maxPrepared {
		return nil
	}
	s, err := db.reads.PrepareContext(ctx, query)
	if err != nil {
		return nil
	}
	if other, lost := db.stmts.LoadOrStore(query, s); lost {
		s.Close()
		return other.(*sql.Stmt)
	}
	db.nstmts.Add(1)
	return s
}

// Read runs fn against one unchanging view of what is committed, however many queries it makes.
func (db *DB) Read(ctx context.Context, fn func(Querier) error) error {
	tx, err := db.reads.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("store: read: %w", err)
	}
	v := &view{db: db, tx: tx}
	defer func() {
		_ = tx.Rollback() // nothing was written; a ctx that ended has rolled back already
		for _, query := range v.missed {
			db.prepared(ctx, query)
		}
	}()
	return fn(v)
}

// view is a read transaction on one connection.
type view struct {
	db     *DB
	tx     *sql.Tx
	missed []string // prepared afterwards: to prepare needs a connection, and all may be held by views that wait
}

func (v *view) prepared(ctx context.Context, query string) *sql.Stmt {
	s, ok := v.db.stmts.Load(query)
	if !ok {
		v.missed = append(v.missed, query)
		return nil
	}
	return v.tx.StmtContext(ctx, s.(*sql.Stmt))
}

func (v *view) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if s := v.prepared(ctx, query); s != nil {
		return s.QueryContext(ctx, args...)
	}
	return v.tx.QueryContext(ctx, query, args...)
}

func (v *view) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	if s := v.prepared(ctx, query); s != nil {
		return s.QueryRowContext(ctx, args...)
	}
	return v.tx.QueryRowContext(ctx, query, args...)
}
