// Package store is one handle over the database: embedded SQLite, or PostgreSQL.
//
// It promises: every commit durable before Write returns (WAL and synchronous=FULL; synchronous_commit=on, refused
// otherwise), a commit whose outcome nobody knows told apart from one that failed (ErrUnknown), SQL that reads the same
// on both engines ($1 placeholders), and migrations that only go forward and may be started by two processes at once.
// Writes run one at a time on SQLite and side by side on PostgreSQL (read committed): code that reads, decides and
// writes takes Tx.Lock first, or puts the decision into the statement. To PostgreSQL it speaks TLS with a checked
// certificate and name, or through a Unix socket.
// It knows no tables: each owner brings its own schema folder.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
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
	// ErrDisk means that the disk failed while writing. After it a SQLite handle writes nothing more: what a failed
	// fsync left behind is unknown until the database is opened again. PostgreSQL restarts itself in that case.
	ErrDisk = error(&passing{"store: the disk failed while writing; check the disk, then start again", 10})
	// ErrFull means that the disk has no room. Nothing of the transaction was kept; the next may find room.
	ErrFull = error(&passing{"store: the disk is full; make room, nothing needs to be started again", 10})
	// ErrUnknown means that the connection was lost, or the server stopped waiting for its standby, during the commit:
	// the transaction may have been kept or not. It is no failure; look before doing it again.
	ErrUnknown = error(&passing{"store: the outcome of the commit is unknown; look before doing it again", 2})
	// ErrLost means that there is no connection to the database. Nothing of the transaction was kept.
	ErrLost = error(&passing{"store: no connection to the database; check that it runs and can be reached", 2})
	// ErrRetry means that the transaction and others waited for each other, again and again, and this one was undone.
	ErrRetry = error(&passing{"store: undone because another transaction was in the way; run it again", 1})
	// ErrClosed is returned by a handle after Close, and by a Tx after its Write has ended.
	ErrClosed = errors.New("store: closed")
)

// passing is an error that ends when the cause does, and says when to come back (Away).
type passing struct {
	text    string
	seconds int
}

func (e *passing) Error() string { return e.text }

// Away says after how many seconds to ask again if err is of a store that is away, full or in another's way. It knows what
// rows and Scan return, too, which database/sql hands on as they came from the network.
func Away(err error) (seconds int, ok bool) {
	var p *passing
	ok = err != nil && errors.As(explainPostgres(err), &p)
	if ok {
		seconds = p.seconds
	}
	return seconds, ok
}

// A Querier reads. *DB reads what is committed; *Tx reads what its own transaction sees.
type Querier interface {
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) *sql.Row
}

// readers is how many reads run side by side. Measured: SQLite gains nothing beyond it on the machines we know.
const readers = 8

// maxPrepared bounds the statements kept ready, should somebody build SQL by hand.
const maxPrepared = 256

// DB is an open database: a pool of readers and the writers.
type DB struct {
	engine engine
	reads  *sql.DB
	stmts  sync.Map // query → *sql.Stmt
	nstmts atomic.Int32
	turns  chan struct{} // each token in it is a writer at work
	gates  gates
	closed bool // set under all turns
}

// engine is what differs between the databases.
type engine interface {
	dialect() string // "sqlite", "postgres"
	// begin takes a connection and opens a transaction on it. The caller holds a turn.
	begin(ctx context.Context) (session, error)
	// migrate runs what done says is missing, alone among all processes.
	migrate(ctx context.Context, db *DB, owner string, schema fs.FS, done func() (bool, error)) error
	// tableExists is a query for how many tables are named $1.
	tableExists() string
	check(ctx context.Context, db *DB) error
	close() error
}

// session is one open transaction.
type session interface {
	conn() *sql.Conn
	exec(ctx context.Context, query string, args []any) (int64, error)
	lock(ctx context.Context, name string) error
	commit(ctx context.Context) error
	rollback()
}

// Open opens the database at url. "sqlite:/folder/file.db" creates the file, and its folder, if they are missing.
// "postgres://user@host/database" takes what else libpq knows from the address (sslrootcert=…, pool_writers=…,
// pool_readers=…), from PG… variables and from the password file; sslmode is verify-full, or it is refused.
func Open(ctx context.Context, url string) (*DB, error) {
	scheme, rest, _ := strings.Cut(url, ":")
	switch {
	case scheme == "sqlite" && rest != "":
		return openSQLite(ctx, rest)
	case scheme == "postgres" || scheme == "postgresql":
		return openPostgres(ctx, url)
	}
	return nil, fmt.Errorf("store: open %q: only sqlite:/folder/file.db and postgres://user@host/database are known", scheme+":…")
}

// Dialect names the engine: "sqlite" or "postgres".
func (db *DB) Dialect() string { return db.engine.dialect() }

// Check reads SQLite's whole database for damage, and refuses unsafe settings of either engine.
func (db *DB) Check(ctx context.Context) error {
	if err := db.engine.check(ctx, db); err != nil {
		return fmt.Errorf("store: check: %w", err)
	}
	return nil
}

// Close waits for the writes in progress and closes everything.
func (db *DB) Close() error {
	for range cap(db.turns) {
		db.turns <- struct{}{}
	}
	defer func() {
		for range cap(db.turns) {
			<-db.turns
		}
	}()
	if db.closed {
		return nil
	}
	db.closed = true
	db.stmts.Range(func(_, s any) bool { s.(*sql.Stmt).Close(); return true })
	return errors.Join(db.engine.close(), db.reads.Close())
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
	if db.Dialect() == "postgres" || db.nstmts.Load() >= maxPrepared { // pgx keeps statements itself, per connection
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
	opts := &sql.TxOptions{ReadOnly: true}
	if db.Dialect() == "postgres" {
		opts.Isolation = sql.LevelRepeatableRead // SQLite's readers have no other
	}
	tx, err := db.reads.BeginTx(ctx, opts)
	if err != nil {
		return fmt.Errorf("store: read: %w", explainPostgres(err))
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
	if !ok && v.db.Dialect() == "postgres" {
		return nil
	}
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
