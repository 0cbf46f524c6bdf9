//go:build unix

package pgcluster_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/wellgate/wellgate/store/storetest/pgcluster"
)

func ask(ctx context.Context, url, query string) (int, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return 0, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var n int
	err = conn.QueryRow(ctx, query).Scan(&n)
	return n, err
}

// What a cluster committed survives kill -9; frozen it answers nothing; its standby holds every commit and takes over.
func TestFaults(t *testing.T) {
	ctx := t.Context()
	c, err := pgcluster.Start(ctx)
	if errors.Is(err, pgcluster.ErrMissing) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	ok(t, err)
	t.Cleanup(func() { c.Close() })
	ok(t, c.Exec(ctx, "CREATE TABLE t (n int)", "INSERT INTO t VALUES (1)"))
	rows := func(url string, want int) {
		t.Helper()
		if n, err := ask(ctx, url, "SELECT count(*) FROM t"); err != nil || n != want {
			t.Fatalf("%d rows, %v, want %d", n, err, want)
		}
	}
	rows(c.TLSURL("postgres"), 1)
	ok(t, c.Kill())
	if _, err := ask(ctx, c.Admin(), "SELECT 1"); err == nil {
		t.Fatal("a killed cluster answers")
	}
	ok(t, c.Run(ctx))
	rows(c.Admin(), 1)

	ok(t, c.Freeze())
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	if _, err := ask(short, c.Admin(), "SELECT 1"); err == nil {
		t.Fatal("a frozen cluster answers")
	}
	ok(t, c.Thaw())
	rows(c.Admin(), 1)

	s, err := c.Standby(ctx)
	ok(t, err)
	t.Cleanup(func() { s.Close() })
	ok(t, c.Exec(ctx, "INSERT INTO t VALUES (2)"))
	ok(t, c.Kill())
	ok(t, s.Promote(ctx))
	rows(s.Admin(), 2)
	ok(t, s.Exec(ctx, "INSERT INTO t VALUES (3)"))
	ok(t, s.Stop())
	ok(t, s.Run(ctx))
	rows(s.Admin(), 3)
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
