package main

import (
	"context"
	"crypto/rand"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/wellgate/wellgate/store/storetest"
)

// storeCommands are what the scripts about stores say beside the program's own commands.
func storeCommands(t *testing.T) map[string]func(*testscript.TestScript, bool, []string) {
	role := func(address, role string) string {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		q := u.Query()
		q.Set("user", role)
		u.RawQuery = q.Encode()
		return u.String()
	}
	exec := func(address, sql string) error {
		ctx := context.Background()
		conn, err := pgx.Connect(ctx, address)
		if err != nil {
			return err
		}
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, sql)
		return err
	}
	return map[string]func(*testscript.TestScript, bool, []string){
		// postgres NAME: sets $NAME to the address of a new database, and $ROLE to the name of a role that nobody has.
		"postgres": func(ts *testscript.TestScript, _ bool, args []string) {
			ts.Setenv(args[0], storetest.Postgres(t))
			ts.Setenv("ROLE", "r_"+strings.ToLower(rand.Text()))
		},
		// superuser DATABASE FILE: runs SQL as the cluster's owner.
		"superuser": func(ts *testscript.TestScript, _ bool, args []string) {
			ts.Check(exec(role(args[0], "postgres"), ts.ReadFile(args[1])))
			name := ts.Getenv("ROLE")
			t.Cleanup(func() { _ = exec(role(args[0], "postgres"), "DROP OWNED BY "+name+"; DROP ROLE "+name) })
		},
		// role NAME DATABASE ROLE: sets $NAME to the address of the database for a role.
		"role": func(ts *testscript.TestScript, _ bool, args []string) { ts.Setenv(args[0], role(args[1], args[2])) },
		// denied DATABASE SQL: the database must refuse it for want of rights.
		"denied": func(ts *testscript.TestScript, _ bool, args []string) {
			err := exec(args[0], args[1])
			if err == nil || !strings.Contains(err.Error(), "permission denied") && !strings.Contains(err.Error(), "must be owner") {
				ts.Fatalf("%s: %v", args[1], err)
			}
		},
		// same FILE FILE TABLE...: two outputs of store copy tell the same of these tables.
		"same": func(ts *testscript.TestScript, _ bool, args []string) {
			a, b := ts.ReadFile(args[0]), ts.ReadFile(args[1])
			for _, table := range args[2:] {
				line := regexp.MustCompile(`(?m)^` + table + ` .*$`)
				if x := line.FindString(a); x == "" || x != line.FindString(b) {
					ts.Fatalf("%s: %q and %q", table, x, line.FindString(b))
				}
			}
		},
	}
}
