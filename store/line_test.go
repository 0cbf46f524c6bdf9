//go:build linux

package store_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/store/storetest/pgcluster"
)

// A line answers by one round trip, says what an outage leaves unknown, and comes back by itself.
func TestLineThroughOutages(t *testing.T) {
	ctx := t.Context()
	c, err := pgcluster.Start(ctx)
	if errors.Is(err, pgcluster.ErrMissing) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	db, err := store.Open(ctx, c.Admin())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Migrate(ctx, "note", notes); err != nil {
		t.Fatal(err)
	}
	l := db.Line()
	defer l.Close()
	put := func(ctx context.Context, id int) (n int64, err error) {
		err = l.Do(ctx, `WITH ins AS (INSERT INTO note VALUES ($1, $2)) SELECT COUNT(*) FROM note JOIN unnest($3::bigint[]) AS x(id) USING (id)`,
			[]any{id, []byte("x"), []int64{1, 2, 3}}, func(scan func(...any) error) error { return scan(&n) })
		return n, err
	}
	for want := range int64(3) {
		if n, err := put(ctx, int(want)+1); err != nil || n != want { // a statement does not see its own rows
			t.Fatalf("%d, %v; want %d", n, err, want)
		}
	}
	if _, err := put(ctx, 1); !errors.Is(err, store.ErrUnique) {
		t.Fatalf("a duplicate is %v", err)
	}

	if seconds, away := store.Away(db.QueryRow(ctx, "SELECT nothing").Scan(new(int))); away {
		t.Fatalf("a mistake of ours is called away for %d s", seconds)
	}
	if err := c.Freeze(); err != nil { // what is sent now may be kept later
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	if _, err := put(short, 4); !errors.Is(err, store.ErrUnknown) && !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a frozen server's answer is %v", err)
	}
	if err := c.Thaw(); err != nil {
		t.Fatal(err)
	}
	if _, err := put(ctx, 5); err != nil {
		t.Fatalf("after it woke up: %v", err)
	}

	if err := c.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, err := put(ctx, 6); !errors.Is(err, store.ErrUnknown) && !errors.Is(err, store.ErrLost) {
		t.Fatalf("a dead server's answer is %v", err)
	}
	if _, err := put(ctx, 6); !errors.Is(err, store.ErrLost) {
		t.Fatalf("without a server: %v", err)
	}
	for range 3 { // connections of the pool that died, and none to be had
		err := db.QueryRow(ctx, "SELECT COUNT(*) FROM note").Scan(new(int))
		if seconds, away := store.Away(err); !away || seconds < 1 {
			t.Fatalf("a read without a server is %v: ask again after %d s, %v", err, seconds, away)
		}
	}
	if err := c.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := put(ctx, 7); err != nil {
		t.Fatalf("after it came back: %v", err)
	}
	for _, id := range []int{1, 2, 3, 5, 7} {
		var n int
		if err := db.QueryRow(ctx, "SELECT COUNT(*) FROM note WHERE id = $1", id).Scan(&n); err != nil || n != 1 {
			t.Errorf("row %d, which was acknowledged, is there %d times (%v)", id, n, err)
		}
	}

	if err := c.Exec(ctx, "ALTER ROLE postgres SET synchronous_commit = off"); err != nil {
		t.Fatal(err)
	}
	l.Close()
	if _, err := put(ctx, 8); err == nil {
		t.Fatal("a server that acknowledges what is not on disk was accepted")
	}
}
