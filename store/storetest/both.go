package storetest

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

// StoreEnv lets a run be of one store only: "sqlite" or "postgres".
const StoreEnv = "WELLGATE_STORE"

// Runner is what *testing.M is to those who check or wrap it.
type Runner interface{ Run() int }

// OnBoth runs a package's tests twice: on SQLite, then on PostgreSQL, if a cluster is named. Their set-up opens URL(t, path),
// whichever store's turn it is. A benchmark runs on one store, SQLite unless StoreEnv says otherwise.
func OnBoth(m Runner) Runner { return both{m} }

type both struct{ m Runner }

func (b both) Run() int {
	flag.Parse()
	only := os.Getenv(StoreEnv)
	if f := flag.Lookup("test.bench"); only == "" && f != nil && f.Value.String() != "" {
		only = "sqlite"
	}
	if f := flag.Lookup("test.list"); f != nil && f.Value.String() != "" {
		return b.m.Run()
	}
	code := 0
	if only != "postgres" {
		code = b.m.Run()
	}
	switch {
	case only == "sqlite" || code != 0:
		return code
	case os.Getenv(Env) == "" && os.Getenv("CI") != "":
		fmt.Println("FAIL: " + Env + " is not set: run the tests with make test, which starts a private PostgreSQL cluster")
		return 1
	case os.Getenv(Env) == "":
		fmt.Println("storetest: " + Env + " is not set, PostgreSQL is left out: run make test, or go run ./store/storetest/pgcluster/with go test …")
		return code
	}
	if f := flag.Lookup("rapid.checks"); f != nil && f.Value.String() == f.DefValue { // each runs in the database now
		_ = flag.Set("rapid.checks", "10")
	}
	turn.postgres = true
	defer turn.end()
	fmt.Println("=== on PostgreSQL")
	return b.m.Run()
}

// turn is whose turn it is in this process: the tests' own state, like the flags of package testing.
var turn pass

type pass struct {
	postgres bool
	mu       sync.Mutex
	admin    *pgx.Conn
	name     string            // the database of this process; each test has a schema in it
	schemas  map[string]string // by the path that a file would have
}

// OnPostgres says whether it is PostgreSQL's turn.
func OnPostgres() bool { return turn.postgres }

// SQLiteOnly leaves a test out of PostgreSQL's turn, because it looks at files or at a writer that is alone.
func SQLiteOnly(t testing.TB, why string) {
	t.Helper()
	if turn.postgres {
		t.Skip("on SQLite only: " + why)
	}
}

// URL is where the store of a test is whose file would be at path: the same for the same path until the test ends, so a
// store can be closed and opened again.
func URL(t testing.TB, path string) string {
	t.Helper()
	if !turn.postgres {
		return "sqlite:" + path
	}
	u, err := turn.schema(t, path)
	if err != nil {
		t.Fatalf("%s: %v", Env, err)
	}
	return u
}

// schema finds or makes the schema that stands for path. To make one is a hundred times as fast as to make a database.
func (p *pass) schema(t testing.TB, path string) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if u, ok := p.schemas[path]; ok {
		return u, nil
	}
	ctx := context.Background()
	if err := p.begin(ctx); err != nil {
		return "", err
	}
	name := "t_" + strings.ToLower(rand.Text())
	if _, err := p.admin.Exec(ctx, "CREATE SCHEMA "+name+" AUTHORIZATION "+owner); err != nil {
		return "", err
	}
	t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.schemas, path)
		if _, err := p.admin.Exec(ctx, "DROP SCHEMA "+name+" CASCADE"); err != nil {
			t.Error(err)
		}
	})
	u, err := url.Parse(os.Getenv(Env))
	if err != nil {
		return "", err
	}
	q := u.Query()
	q.Set("user", owner)
	q.Set("search_path", name)
	u.RawQuery, u.Path = q.Encode(), "/"+p.name
	p.schemas[path] = u.String()
	return u.String(), nil
}

func (p *pass) begin(ctx context.Context) error {
	if p.admin != nil {
		return nil
	}
	server, err := pgx.Connect(ctx, os.Getenv(Env))
	if err != nil {
		return err
	}
	defer server.Close(ctx)
	p.name, p.schemas = "p_"+strings.ToLower(rand.Text()), map[string]string{}
	for _, sql := range []string{makeOwner, "CREATE DATABASE " + p.name + " OWNER " + owner + " TEMPLATE template0"} {
		if _, err := server.Exec(ctx, sql); err != nil {
			return err
		}
	}
	u, err := url.Parse(os.Getenv(Env))
	if err != nil {
		return err
	}
	u.Path = "/" + p.name
	p.admin, err = pgx.Connect(ctx, u.String())
	return err
}

// end drops the process's database.
func (p *pass) end() {
	if p.admin == nil {
		return
	}
	ctx := context.Background()
	p.admin.Close(ctx)
	server, err := pgx.Connect(ctx, os.Getenv(Env))
	if err != nil {
		return
	}
	defer server.Close(ctx)
	_, _ = server.Exec(ctx, "DROP DATABASE IF EXISTS "+p.name+" WITH (FORCE)")
}
