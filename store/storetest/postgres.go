package storetest

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Env names the PostgreSQL cluster that tests may make databases in: its superuser's URL. make test starts one.
const Env = "WELLGATE_POSTGRES"

// owner is the role that owns each test's database: an ordinary one, so that a test needs no more than a practice has.
const owner = "wellgate_test"

const makeOwner = `DO $$ BEGIN CREATE ROLE ` + owner + ` LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$`

// Each runs a test on both stores, each time with a fresh, empty database.
func Each(t *testing.T, test func(t *testing.T, url string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, Postgres(t)) })
}

// SQLite is the URL of a fresh, empty SQLite database.
func SQLite(t testing.TB) string {
	return "sqlite:" + filepath.Join(t.TempDir(), "data", "w.db")
}

// Postgres is the URL of a fresh, empty PostgreSQL database, dropped when the test ends. Without a cluster the test
// is left out, except in continuous integration, where it fails.
func Postgres(t testing.TB) string {
	t.Helper()
	admin := Cluster(t)
	name := "t_" + strings.ToLower(rand.Text())
	do(t, admin, makeOwner,
		"CREATE DATABASE "+name+" OWNER "+owner+" TEMPLATE template0")
	t.Cleanup(func() { do(t, admin, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
	return Database(t, admin, owner, name)
}

// Cluster is the superuser's URL of the tests' cluster.
func Cluster(t testing.TB) string {
	t.Helper()
	admin := os.Getenv(Env)
	if admin == "" && os.Getenv("CI") != "" {
		t.Fatal(Env + " is not set: run the tests with make test, which starts a private PostgreSQL cluster")
	}
	if admin == "" {
		t.Skip(Env + " is not set, PostgreSQL is left out: run make test, or go run ./store/storetest/pgcluster/with go test …")
	}
	return admin
}

// Database is the URL of another database and role in admin's cluster.
func Database(t testing.TB, admin, role, name string) string {
	t.Helper()
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatalf("%s: %v", Env, err)
	}
	q := u.Query()
	q.Set("user", role)
	u.RawQuery, u.Path = q.Encode(), "/"+name
	return u.String()
}

// do runs statements as the superuser, each by itself. It outlives the test's ctx: clean-ups call it.
func do(t testing.TB, admin string, statements ...string) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		t.Fatalf("%s: %v", Env, err)
	}
	defer conn.Close(ctx)
	for _, sql := range statements {
		if _, err := conn.Exec(ctx, sql); err != nil {
			t.Fatalf("%s: %s: %v", Env, sql, err)
		}
	}
}
