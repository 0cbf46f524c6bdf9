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
	"io/fs"
)

// ErrUnique is returned (wrapped) when a unique constraint refused a row.
var ErrUnique = errors.New("store: already there")

// A Querier reads. *DB reads what is committed; *Tx reads what its own transaction sees.
type Querier interface {
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) *sql.Row
}

// DB is an open database: a pool of readers and one writer.
type DB struct{ todo int }

// Tx is one write transaction.
type Tx struct{ todo int }

// Open opens the database at url: "sqlite:/folder/file.db" creates the file if it is missing.
func Open(ctx context.Context, url string) (*DB, error) { panic("todo") }

func (db *DB) Close() error { panic("todo") }

// Migrate brings owner's tables forward to the newest of schema's goose files (00001_name.sql …).
func (db *DB) Migrate(ctx context.Context, owner string, schema fs.FS) error { panic("todo") }

// Write runs fn in one transaction and returns once it is durable. An error from fn, or a panic, undoes everything.
func (db *DB) Write(ctx context.Context, fn func(*Tx) error) error { panic("todo") }

func (db *DB) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) { panic("todo") }
func (db *DB) QueryRow(ctx context.Context, query string, args ...any) *sql.Row        { panic("todo") }

// Check reads the whole database for damage and refuses unsafe settings (synchronous below FULL).
func (db *DB) Check(ctx context.Context) error { panic("todo") }

func (tx *Tx) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) { panic("todo") }
func (tx *Tx) QueryRow(ctx context.Context, query string, args ...any) *sql.Row        { panic("todo") }

// Exec changes rows and returns how many. A broken unique constraint is ErrUnique.
func (tx *Tx) Exec(ctx context.Context, query string, args ...any) (int64, error) { panic("todo") }

// Committed registers fn to run after the commit is durable, before Write returns, in order of registration.
func (tx *Tx) Committed(fn func()) { panic("todo") }

// RolledBack registers fn to run if the transaction is undone, or its commit fails.
func (tx *Tx) RolledBack(fn func()) { panic("todo") }
