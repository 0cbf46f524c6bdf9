//go:build unix

package store_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

func TestSQLite(t *testing.T) {
	storetest.Run(t, func(t *testing.T) string { return storetest.SQLite(t) })
}

func TestPostgres(t *testing.T) {
	storetest.Run(t, func(t *testing.T) string { return storetest.Postgres(t) })
}

func open(t *testing.T, path string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

var notes = fstest.MapFS{"00001_note.sql": {Data: []byte("-- +goose Up\nCREATE TABLE note (id BIGINT NOT NULL PRIMARY KEY, data BLOB NOT NULL);\n")}}

// withNotes is a database with a table and 200 rows of 1 KB that all start with canary.
func withNotes(t *testing.T, path string) *store.DB {
	t.Helper()
	ctx := t.Context()
	db := open(t, path)
	if err := db.Migrate(ctx, "note", notes); err != nil {
		t.Fatal(err)
	}
	err := db.Write(ctx, func(tx *store.Tx) error {
		for i := range 200 {
			if _, err := tx.Exec(ctx, "INSERT INTO note VALUES ($1, $2)", i, canary(i)); err != nil {
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

func canary(i int) []byte { return append([]byte("CANARY-"), bytes.Repeat([]byte{byte(i)}, 1000)...) }

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "letter.txt")
	if err := os.WriteFile(text, []byte(strings.Repeat("Dear patient, ", 200)), 0o600); err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]string{
		"":                    "only sqlite:",
		"/no/scheme.db":       "only sqlite:",
		"mysql://u:pw@host/x": "only sqlite:",

		"postgres://u:pw@host/x?sslmode=require":       "verify-full",
		"postgres://u:pw@host/x?sslmode=verify-ca":     "verify-full",
		"postgres://u:pw@127.0.0.1/x?sslmode=prefer":   "verify-full",
		"postgres://u:pw@localhost/x?sslmode=disable":  "verify-full",
		"postgres://u:pw@h1,h2/x?sslmode=allow":        "verify-full",
		"postgres://u:pw@ho st/x":                      "does not parse",
		"postgres://u:pw@host:port/x":                  "does not parse",
		"postgres://u:pw@host/x?pool_writers=many":     "pool_writers",
		"postgres://u:pw@host/x?sslrootcert=/no/where": "cannot be read",
		"postgres://u:pw@127.0.0.1:1/x":                "no connection",
		"postgres:///x?host=" + dir:                    "no connection",
		"sqlite:":                                      "only sqlite:",
		"sqlite:" + text:                               "not a Wellgate database",
		"sqlite:" + dir:                                "directory",
		"sqlite:" + text + "/a.db":                     "not a directory",
	} {
		db, err := store.Open(t.Context(), url)
		if err == nil {
			db.Close()
			t.Errorf("%q was opened", url)
			continue
		}
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %q does not say %q", url, err, want)
		}
		if strings.Contains(err.Error(), "pw@") || strings.Contains(err.Error(), ":pw") {
			t.Errorf("the error tells the password: %v", err)
		}
	}
}

func TestStrangePaths(t *testing.T) {
	path := filepath.Join(t.TempDir(), "100% of Müller's #1?mode=ro&x", "w.db")
	db := withNotes(t, path)
	if err := db.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
}

func TestOnlyTheOwnerCanReadTheFiles(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	path := filepath.Join(t.TempDir(), "data", "w.db")
	db := withNotes(t, path)
	files, err := filepath.Glob(filepath.Dir(path) + "/*")
	if err != nil || len(files) < 3 {
		t.Fatalf("files %v, %v", files, err)
	}
	for _, name := range append(files, filepath.Dir(path)) {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", filepath.Base(name), info.Mode())
		}
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := db.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("Check of a readable file: %v", err)
	}
}

func TestCheckFindsDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.db")
	db := withNotes(t, path)
	if err := db.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 5 * 4096; i < 5*4096+64; i++ { // a page's header and its cell pointers
		data[i] ^= 0x5a
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := open(t, path).Check(t.Context()); err == nil || !strings.Contains(err.Error(), "restore a backup") {
		t.Fatalf("Check of a damaged file: %v", err)
	}
}

// What Scrub deletes is in no file of the database afterwards.
func TestScrub(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.db")
	db := withNotes(t, path)
	ctx := t.Context()
	if found(t, path, "CANARY-") == "" {
		t.Fatal("the canary was never on disk: the test proves nothing")
	}
	err := db.Write(ctx, func(tx *store.Tx) error {
		tx.Scrub()
		_, err := tx.Exec(ctx, "DELETE FROM note")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if name := found(t, path, "CANARY-"); name != "" {
		t.Fatalf("deleted bytes are still in %s", name)
	}
}

// found names the file of the database that holds text.
func found(t *testing.T, path, text string) string {
	t.Helper()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		data, err := os.ReadFile(path + suffix)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		if bytes.Contains(data, []byte(text)) {
			return filepath.Base(path + suffix)
		}
	}
	return ""
}

// A failed write must stop the handle: what is on disk is unknown until it is opened again.
func TestDiskErrorStopsTheWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.db")
	db := withNotes(t, path)
	ctx := context.Background()
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	limit := old
	limit.Cur = 300 << 10 // a write beyond it fails, as on a dying disk
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Skip("this system does not let a process limit its own file size:", err)
	}
	undone := false
	big := bytes.Repeat([]byte("x"), 1<<20)
	err := db.Write(ctx, func(tx *store.Tx) error {
		tx.RolledBack(func() { undone = true })
		_, err := tx.Exec(ctx, "INSERT INTO note VALUES ($1, $2)", 1000, big)
		return err
	})
	if e := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); e != nil {
		t.Fatal(e)
	}
	if !errors.Is(err, store.ErrDisk) || !undone {
		t.Fatalf("write on a failing disk: %v, undone %v", err, undone)
	}
	err = db.Write(ctx, func(tx *store.Tx) error { return nil })
	if !errors.Is(err, store.ErrDisk) {
		t.Fatalf("the next write: %v", err)
	}
	var n int
	if err := db.QueryRow(ctx, "SELECT count(*) FROM note").Scan(&n); err != nil || n != 200 {
		t.Fatalf("reading afterwards: %d rows, %v", n, err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, path)
	if err := again.Write(ctx, func(tx *store.Tx) error { _, err := tx.Exec(ctx, "DELETE FROM note WHERE id = 0"); return err }); err != nil {
		t.Fatal(err)
	}
	if err := again.Check(ctx); err != nil {
		t.Fatal(err)
	}
}
