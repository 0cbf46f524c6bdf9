package store

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

func (*postgres) tableExists() string { return "SELECT count(to_regclass($1::text))" }

// migrate runs goose on a connection of its own, under a lock that other nodes wait for.
func (pg *postgres) migrate(ctx context.Context, _ *DB, owner string, schema fs.FS, done func() (bool, error)) error {
	conns := stdlib.OpenDB(*pg.config.Copy())
	defer conns.Close()
	holder, err := conns.Conn(ctx)
	if err != nil {
		return explainPostgres(err)
	}
	defer drop(holder) // and the lock with it
	if _, err := holder.ExecContext(ctx, "SELECT pg_advisory_lock(hashtextextended($1, 0))", "wellgate/migrate"); err != nil {
		return fmt.Errorf("lock: %w", explainPostgres(err))
	}
	if done, err := done(); done || err != nil { // the other process was first
		return err
	}
	if err := up(ctx, goose.DialectPostgres, conns, owner, translated{schema}); err != nil {
		return explainPostgres(err)
	}
	return nil
}

// translated is a schema folder in PostgreSQL's words. Its files are also told to keep sealed bytes as they are:
// what is encrypted cannot be compressed, to try costs time.
type translated struct{ fs.FS }

var (
	blob    = regexp.MustCompile(`\bBLOB\b`)
	integer = regexp.MustCompile(`\bINTEGER\b`)
	sealed  = regexp.MustCompile(`(?s)CREATE TABLE (\w+) \((.*?)\n?\);`)
	column  = regexp.MustCompile(`(?m)(?:^|[(,])\s*(\w+)\s+BYTEA\b`)
)

func (t translated) Open(name string) (fs.File, error) {
	f, err := t.FS.Open(name)
	if err != nil || !strings.HasSuffix(name, ".sql") {
		return f, err
	}
	f.Close()
	text, err := fs.ReadFile(t.FS, name)
	if err != nil {
		return nil, err
	}
	info, err := fs.Stat(t.FS, name)
	if err != nil {
		return nil, err
	}
	return &file{info: info, Reader: bytes.NewReader([]byte(toPostgres(string(text))))}, nil
}

func toPostgres(text string) string {
	text = integer.ReplaceAllString(blob.ReplaceAllString(text, "BYTEA"), "BIGINT")
	return sealed.ReplaceAllStringFunc(text, func(create string) string {
		m := sealed.FindStringSubmatch(create)
		for _, c := range column.FindAllStringSubmatch(m[2], -1) {
			create += fmt.Sprintf("\nALTER TABLE %s ALTER COLUMN %s SET STORAGE EXTERNAL;", m[1], c[1])
		}
		return create
	})
}

// file is a translated file.
type file struct {
	info fs.FileInfo
	*bytes.Reader
}

func (f *file) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *file) Close() error               { return nil }
