package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"

	"github.com/pressly/goose/v3"
)

var ownerName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// Migrate brings owner's tables forward to the newest of schema's goose files (00001_name.sql …). schema may be the
// folder itself or hold it as "schema". Each owner has its own version table, goose_<owner>.
// Processes that start together take turns; the second finds the work done.
func (db *DB) Migrate(ctx context.Context, owner string, schema fs.FS) error {
	if !ownerName.MatchString(owner) {
		return fmt.Errorf("store: migrate %q: an owner's name is lower-case letters", owner)
	}
	if sub, err := fs.Stat(schema, "schema"); err == nil && sub.IsDir() {
		if schema, err = fs.Sub(schema, "schema"); err != nil {
			return fmt.Errorf("store: migrate %s: %w", owner, err)
		}
	}
	newest, err := newestFile(schema)
	if err != nil {
		return fmt.Errorf("store: migrate %s: %w", owner, err)
	}
	if done, err := db.atVersion(ctx, owner, newest); done || err != nil {
		return err
	}
	err = db.engine.migrate(ctx, db, owner, schema, func() (bool, error) { return db.atVersion(ctx, owner, newest) })
	if err != nil {
		return fmt.Errorf("store: migrate %s: %w", owner, err)
	}
	return nil
}

func (*sqlite) tableExists() string {
	return "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = $1"
}

// migrate runs goose on a connection of its own, while no Write runs and a lock file keeps other processes out.
func (l *sqlite) migrate(ctx context.Context, db *DB, owner string, schema fs.FS, done func() (bool, error)) error {
	unlock, err := lockFile(ctx, l.path+".lock")
	if err != nil {
		return fmt.Errorf("lock: %w", err)
	}
	defer unlock()
	if done, err := done(); done || err != nil { // the other process was first
		return err
	}
	select {
	case db.turns <- struct{}{}:
		defer func() { <-db.turns }()
	case <-ctx.Done():
		return ctx.Err()
	}
	conns, err := connect(l.path, false)
	if err != nil {
		return err
	}
	defer conns.Close()
	conns.SetMaxOpenConns(1)
	return up(ctx, goose.DialectSQLite3, conns, owner, schema)
}

// up runs goose.
func up(ctx context.Context, dialect goose.Dialect, conns *sql.DB, owner string, schema fs.FS) error {
	p, err := goose.NewProvider(dialect, conns, schema, goose.WithTableName("goose_"+owner), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("nothing of the failed step was kept: %w", err)
	}
	return nil
}

// atVersion tells whether owner's tables are at version want, and refuses tables that are ahead of it.
func (db *DB) atVersion(ctx context.Context, owner string, want int64) (bool, error) {
	var there int
	err := db.QueryRow(ctx, db.engine.tableExists(), "goose_"+owner).Scan(&there)
	if err != nil {
		return false, fmt.Errorf("store: migrate %s: %w", owner, err)
	}
	if there == 0 {
		return false, nil
	}
	var have int64
	err = db.QueryRow(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM goose_"+owner).Scan(&have)
	if err != nil {
		return false, fmt.Errorf("store: migrate %s: %w", owner, err)
	}
	if have > want {
		return false, fmt.Errorf("store: migrate %s: tables are at version %d, this program knows %d: %w", owner, have, want, ErrNewer)
	}
	return have == want, nil
}

// Owners names those who have tables here.
func (db *DB) Owners(ctx context.Context) ([]string, error) {
	query := `SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'goose@_%' ESCAPE '@' ORDER BY name`
	if db.Dialect() == "postgres" {
		query = `SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename LIKE 'goose@_%' ESCAPE '@' ORDER BY tablename`
	}
	rows, err := db.Query(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("store: owners: %w", err)
	}
	defer rows.Close()
	var owners []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("store: owners: %w", err)
		}
		owners = append(owners, strings.TrimPrefix(name, "goose_"))
	}
	return owners, rows.Err()
}

// newestFile is the highest version among schema's files.
func newestFile(schema fs.FS) (int64, error) {
	names, err := fs.Glob(schema, "*.sql")
	if err != nil {
		return 0, err
	}
	newest := int64(0)
	for _, name := range names {
		v, err := goose.NumericComponent(name)
		if err != nil {
			return 0, err
		}
		newest = max(newest, v)
	}
	if newest == 0 {
		return 0, errors.New("no 00001_name.sql files")
	}
	return newest, nil
}
