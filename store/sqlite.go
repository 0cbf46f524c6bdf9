package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
)

// pragmas hold for every connection, in this order.
//
//   - synchronous=FULL: a commit that returned survives a power cut (NORMAL lost thousands of rows in our trials).
//   - temp_store=MEMORY: sorting and statement journals never spill to a file.
//   - secure_delete: deleted cells are overwritten with zeros.
//   - cell_size_check, trusted_schema=OFF: a doctored file is found early and runs no code of its own.
var pragmas = []string{
	"busy_timeout=10000",
	"journal_mode=WAL",
	"synchronous=FULL",
	"foreign_keys=ON",
	"temp_store=MEMORY",
	"secure_delete=ON",
	"cell_size_check=ON",
	"trusted_schema=OFF",
	"journal_size_limit=67108864",
}

// sqlite is an open file: its one writer, who is also the session of whoever holds the turn.
type sqlite struct {
	path   string
	writes *sql.DB
	writer *sql.Conn
	execs  map[string]*sql.Stmt
	broken error // set, under the turn, by a disk error
}

func openSQLite(ctx context.Context, path string) (*DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("store: open: %w", err)
	}
	if err := makeFile(path); err != nil {
		return nil, fmt.Errorf("store: open: %w", err)
	}
	lite := &sqlite{path: path, execs: map[string]*sql.Stmt{}}
	if lite.writes, err = connect(path, false); err != nil {
		return nil, fmt.Errorf("store: open %s: %w", path, err)
	}
	lite.writes.SetMaxOpenConns(1)
	if lite.writer, err = lite.writes.Conn(ctx); err != nil {
		lite.writes.Close()
		return nil, fmt.Errorf("store: open %s: %w", path, explainOpen(err))
	}
	db := &DB{engine: lite, turns: make(chan struct{}, 1)}
	if db.reads, err = connect(path, true); err != nil {
		lite.close()
		return nil, fmt.Errorf("store: open %s: %w", path, err)
	}
	db.reads.SetMaxOpenConns(readers)
	db.reads.SetMaxIdleConns(readers)
	var n int
	if err := db.reads.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&n); err != nil {
		db.Close()
		return nil, fmt.Errorf("store: open %s: %w", path, explainOpen(err))
	}
	if err := lite.tighten(); err != nil {
		db.Close()
		return nil, fmt.Errorf("store: open %s: %w", path, err)
	}
	return db, nil
}

func (*sqlite) dialect() string { return "sqlite" }

func (l *sqlite) close() error {
	for _, s := range l.execs {
		s.Close()
	}
	return errors.Join(l.writer.Close(), l.writes.Close())
}

func (l *sqlite) begin(ctx context.Context) (session, error) {
	if l.broken != nil {
		return nil, l.broken
	}
	if _, err := l.writer.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return nil, fmt.Errorf("begin: %w", l.noteDisk(err))
	}
	return l, nil
}

func (l *sqlite) conn() *sql.Conn { return l.writer }

func (l *sqlite) lock(context.Context, string) error { return nil }

func (l *sqlite) commit(ctx context.Context) error {
	_, err := l.writer.ExecContext(ctx, "COMMIT")
	return l.noteDisk(err)
}

func (l *sqlite) rollback() {
	// After a failed COMMIT SQLite may have rolled back by itself; then this says so and changes nothing.
	_, _ = l.writer.ExecContext(context.Background(), "ROLLBACK")
}

func (l *sqlite) exec(ctx context.Context, query string, args []any) (int64, error) {
	s, err := l.prepared(ctx, query)
	if err != nil {
		return 0, l.noteDisk(err)
	}
	res, err := s.ExecContext(ctx, args...)
	if err != nil {
		return 0, l.noteDisk(mapUnique(err))
	}
	return res.RowsAffected()
}

// prepared keeps the writer's statements ready. Only exec uses them: it is over when it returns, so one statement is
// never in use twice, as it could be with rows still open.
func (l *sqlite) prepared(ctx context.Context, query string) (*sql.Stmt, error) {
	if s, ok := l.execs[query]; ok {
		return s, nil
	}
	if len(l.execs) >= maxPrepared {
		for q, s := range l.execs {
			s.Close()
			delete(l.execs, q)
		}
	}
	s, err := l.writer.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	l.execs[query] = s
	return s, nil
}

// connect makes a pool whose connections all carry the pragmas.
func connect(path string, readOnly bool) (*sql.DB, error) {
	dsn := (&url.URL{Scheme: "file", Path: filepath.ToSlash(path)}).String()
	return driver.Open(dsn, func(c *sqlite3.Conn) error {
		for _, p := range pragmas {
			if err := c.Exec("PRAGMA " + p); err != nil {
				return err
			}
		}
		if readOnly {
			return c.Exec("PRAGMA query_only=ON")
		}
		return nil
	})
}

// makeFile creates what is missing for the owner's eyes only, before SQLite could create it for everybody's.
func makeFile(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes a new name in dir survive a power cut.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" { // folders cannot be synced there, and need not be
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// tighten takes other users' access to the database's files away.
func (l *sqlite) tighten() error {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Chmod(l.path+suffix, 0o600); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// emptyWAL moves the log into the database and truncates it. Readers of an older view may hold it back; the next
// checkpoint gets what this one could not.
func (l *sqlite) emptyWAL(ctx context.Context) {
	_, _ = l.writer.ExecContext(ctx, "PRAGMA busy_timeout=200")
	_, _ = l.writer.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	_, _ = l.writer.ExecContext(ctx, "PRAGMA "+pragmas[0])
}

// mapUnique gives the portable name to a refused duplicate, and to nothing else.
func mapUnique(err error) error {
	if errors.Is(err, sqlite3.CONSTRAINT_PRIMARYKEY) || errors.Is(err, sqlite3.CONSTRAINT_UNIQUE) ||
		errors.Is(err, sqlite3.CONSTRAINT_ROWID) {
		return fmt.Errorf("%w (%w)", ErrUnique, err)
	}
	return err
}

// noteDisk stops all later writes after an I/O error. A full disk is not one: SQLite undoes the write cleanly, and
// the next may find room. A sync that finds no room is one: what it left behind is unknown. It is called under the turn.
func (l *sqlite) noteDisk(err error) error {
	switch {
	case errors.Is(err, sqlite3.FULL):
		return fmt.Errorf("%w (%w)", ErrFull, err)
	case !errors.Is(err, sqlite3.IOERR):
		return err
	case !errors.Is(err, sqlite3.IOERR_FSYNC) && !errors.Is(err, sqlite3.IOERR_DIR_FSYNC) && noRoom(filepath.Dir(l.path)):
		return fmt.Errorf("%w (%w)", ErrFull, err)
	}
	l.broken = fmt.Errorf("%w (%w)", ErrDisk, err)
	return l.broken
}

// noRoom tries whether a folder's disk takes a few megabytes: the driver calls a write that finds no room an I/O error and
// does not keep the system's word for it.
func noRoom(dir string) bool {
	f, err := os.CreateTemp(dir, ".room-*")
	if err == nil {
		_, err = f.Write(make([]byte, 8<<20))
		f.Close()
		os.Remove(f.Name())
	}
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// explainOpen adds the remedy to errors that a wrong path or file gives.
func explainOpen(err error) error {
	switch {
	case errors.Is(err, sqlite3.NOTADB):
		return fmt.Errorf("%w; this file is not a Wellgate database: check the path", err)
	case errors.Is(err, sqlite3.CANTOPEN), errors.Is(err, sqlite3.READONLY):
		return fmt.Errorf("%w; check that this user may write the file and its folder", err)
	}
	return err
}

// check reads the whole database for damage and refuses unsafe settings (synchronous below FULL).
func (l *sqlite) check(ctx context.Context, db *DB) error {
	if err := l.checkSettings(ctx, db); err != nil {
		return err
	}
	rows, err := db.Query(ctx, "PRAGMA quick_check(20)")
	if err != nil {
		return fmt.Errorf("the database is damaged, restore a backup: %w", err)
	}
	defer rows.Close()
	var found []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return err
		}
		if line != "ok" {
			found = append(found, line)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("the database is damaged, restore a backup: %w", err)
	}
	if len(found) > 0 {
		return fmt.Errorf("the database is damaged, restore a backup: %s", strings.Join(found, "; "))
	}
	return nil
}

// checkSettings asks the writer what is really in force.
func (l *sqlite) checkSettings(ctx context.Context, db *DB) error {
	want := []struct{ pragma, value string }{
		{"journal_mode", "wal"}, {"synchronous", "2"}, {"foreign_keys", "1"}, {"secure_delete", "1"},
		{"temp_store", "2"}, {"trusted_schema", "0"}, {"cell_size_check", "1"},
	}
	err := db.Write(ctx, func(tx *Tx) error {
		for _, w := range want {
			var got string
			if err := tx.QueryRow(ctx, "PRAGMA "+w.pragma).Scan(&got); err != nil {
				return err
			}
			if got != w.value {
				return fmt.Errorf("%s is %s, must be %s", w.pragma, got, w.value)
			}
		}
		return nil
	})
	if err != nil || runtime.GOOS == "windows" {
		return err
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(l.path + suffix)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			return fmt.Errorf("%s can be read by other users: chmod 600 it", l.path+suffix)
		}
	}
	return nil
}
