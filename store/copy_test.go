//go:build unix

package store_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/store/storetest"
)

var mixed = fstest.MapFS{"00001_mixed.sql": {Data: []byte(`-- +goose Up
CREATE TABLE mixed (name TEXT NOT NULL, id INTEGER NOT NULL, small SMALLINT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (name, id));
CREATE TABLE mixed_more (token BLOB NOT NULL PRIMARY KEY, at BIGINT NOT NULL);
`)}}

func migrateMixed(ctx context.Context, db *store.DB) error { return db.Migrate(ctx, "mixed", mixed) }

// withMixed has 1,300 rows whose names sort differently by bytes and by language.
func withMixed(t *testing.T, url string) *store.DB {
	t.Helper()
	ctx := t.Context()
	db := openURL(t, url)
	if err := migrateMixed(ctx, db); err != nil {
		t.Fatal(err)
	}
	err := db.Write(ctx, func(tx *store.Tx) error {
		for i := range 1300 {
			name := []string{"Zeta", "alpha", "Ärger", "_x", "a b", ""}[i%6]
			if _, err := tx.Exec(ctx, "INSERT INTO mixed (name, id, small, data) VALUES ($1, $2, $3, $4)", name, int64(i)-700, i%3, canary(i)); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, "INSERT INTO mixed_more (token, at) VALUES ($1, $2)", []byte{byte(i), byte(i >> 8), 0, 255}, int64(i)<<40); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func openURL(t *testing.T, url string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func copyAll(ctx context.Context, from, to *store.DB) ([]store.Sum, error) {
	if err := store.BeginCopy(ctx, to, "this", migrateMixed); err != nil {
		return nil, err
	}
	tables, err := from.Tables(ctx)
	if err != nil {
		return nil, err
	}
	var sums []store.Sum
	for _, t := range tables {
		s, err := store.CopyTable(ctx, from, to, t)
		if err != nil {
			return nil, err
		}
		sums = append(sums, s)
	}
	return sums, store.EndCopy(ctx, to)
}

// A copy of a copy is the original, whichever engine stood between.
func TestCopyThereAndBack(t *testing.T) {
	ctx := t.Context()
	from := withMixed(t, storetest.SQLite(t))
	between := openURL(t, storetest.Postgres(t))
	back := openURL(t, "sqlite:"+filepath.Join(t.TempDir(), "back.db"))
	there, err := copyAll(ctx, from, between)
	if err != nil {
		t.Fatal(err)
	}
	again, err := copyAll(ctx, between, back)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(there) != fmt.Sprint(again) || len(there) != 2 || there[0].Rows != 1300 {
		t.Fatalf("%v, and back %v", there, again)
	}
	if _, err := copyAll(ctx, from, between); !errors.Is(err, store.ErrOccupied) {
		t.Fatalf("a finished copy was overwritten: %v", err)
	}
	if err := store.BeginCopy(ctx, withMixed(t, storetest.SQLite(t)), "this", migrateMixed); !errors.Is(err, store.ErrOccupied) {
		t.Fatalf("a store with somebody's tables was taken: %v", err)
	}
}

// However far a copy came, it goes on; the copy of something else does not.
func TestCopyStopsAnywhere(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		from, to := withMixed(t, storetest.SQLite(t)), openURL(t, url)
		want, err := copyAll(t.Context(), from, openURL(t, storetest.SQLite(t)))
		if err != nil {
			t.Fatal(err)
		}
		stops := 0
		for n := 1; ; n++ { // ended after ever more questions
			ctx := &countdown{Context: t.Context(), left: 7 * n}
			got, err := copyAll(ctx, from, to)
			if err == nil {
				if fmt.Sprint(got) != fmt.Sprint(want) {
					t.Fatalf("%v, want %v", got, want)
				}
				break
			}
			if errors.Is(err, store.ErrOccupied) || errors.Is(err, store.ErrDiffers) {
				t.Fatal(err)
			}
			stops++
			marked := 0
			if to.QueryRow(t.Context(), "SELECT count(*) FROM store_copy").Scan(&marked) != nil || marked == 0 {
				continue
			}
			if half, err := to.Unfinished(t.Context()); err != nil || !half {
				t.Fatalf("an unfinished copy does not say so: %v", err)
			}
			if err := store.BeginCopy(t.Context(), to, "another", migrateMixed); !errors.Is(err, store.ErrOccupied) {
				t.Fatalf("the copy of another practice may go on here: %v", err)
			}
		}
		if stops < 3 {
			t.Fatalf("stopped only %d times", stops)
		}
	})
}

// A byte that differs in what was copied already is found at the end.
func TestCopyFindsAFlippedByte(t *testing.T) {
	storetest.Each(t, func(t *testing.T, url string) {
		ctx := t.Context()
		from, to := withMixed(t, storetest.SQLite(t)), openURL(t, url)
		if err := store.BeginCopy(ctx, to, "this", migrateMixed); err != nil {
			t.Fatal(err)
		}
		tables, err := from.Tables(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.CopyTable(ctx, from, to, tables[0]); err != nil {
			t.Fatal(err)
		}
		err = to.Write(ctx, func(tx *store.Tx) error {
			var data []byte
			if err := tx.QueryRow(ctx, "SELECT data FROM mixed WHERE id = 5").Scan(&data); err != nil {
				return err
			}
			data[500] ^= 1
			_, err := tx.Exec(ctx, "UPDATE mixed SET data = $1 WHERE id = 5", data)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.CopyTable(ctx, from, to, tables[0]); !errors.Is(err, store.ErrDiffers) {
			t.Fatalf("a flipped byte was not found: %v", err)
		}
	})
}

// countdown is a context that ends after it was asked so many times.
type countdown struct {
	context.Context
	left int
}

func (c *countdown) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return c.Context.Err()
}
