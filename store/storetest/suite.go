// Package storetest is what every engine behind store must do, as tests, and the databases that other tests need. A
// package that calls Run calls Main from its TestMain.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/wellgate/wellgate/store"
)

// schema is the suite's own two tables, in two steps.
func schema() fstest.MapFS {
	return fstest.MapFS{
		"00001_item.sql": {Data: []byte("-- +goose Up\nCREATE TABLE suite_item (id BIGINT NOT NULL PRIMARY KEY, name TEXT UNIQUE, data BLOB);\n")},
		"00002_child.sql": {Data: []byte("-- +goose Up\nCREATE TABLE suite_child (id BIGINT NOT NULL PRIMARY KEY, item BIGINT NOT NULL REFERENCES suite_item (id));\n" +
			"CREATE INDEX suite_child_item ON suite_child (item);\n")},
	}
}

// Run checks an engine. url names a fresh, empty database each time it is called.
func Run(t *testing.T, url func(t *testing.T) string) {
	tests := []struct {
		name string
		run  func(s *suite)
	}{
		{"commit", testCommit},
		{"rollback on error", testRollback},
		{"rollback on panic", testPanic},
		{"rollback on goexit", testGoexit},
		{"unique", testUnique},
		{"values", testValues},
		{"hooks", testHooks},
		{"hooks run in commit order", testHookOrder},
		{"readers see what is committed", testIsolation},
		{"a view does not change", testView},
		{"views and first queries side by side", testManyViews},
		{"readers cannot write", testReadersCannotWrite},
		{"50 writers", testWriters},
		{"read, decide, write", testLock},
		{"an error passed over", testPassedOver},
		{"waiting ends with ctx", testQueueCtx},
		{"work ends with ctx", testWorkCtx},
		{"an ended transaction", testEnded},
		{"reopen", testReopen},
		{"closed", testClosed},
		{"migrate", testMigrate},
		{"migrate: a failed step", testMigrateFails},
		{"migrate: newer tables", testMigrateNewer},
		{"migrate: processes at once", testMigrateRace},
		{"kill -9", testKill},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &suite{T: t, url: url(t), ctx: t.Context()}
			s.db = s.open()
			tt.run(s)
		})
	}
}

type suite struct {
	*testing.T
	url string
	ctx context.Context
	db  *store.DB
}

// open opens the database with the suite's tables.
func (s *suite) open() *store.DB {
	s.Helper()
	db, err := store.Open(s.ctx, s.url)
	s.ok(err)
	s.Cleanup(func() { db.Close() })
	s.ok(db.Migrate(s.ctx, "suite", schema()))
	return db
}

func (s *suite) ok(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *suite) is(err, want error) {
	s.Helper()
	if !errors.Is(err, want) {
		s.Fatalf("got error %v, want %v", err, want)
	}
}

func put(ctx context.Context, tx *store.Tx, id int64) error {
	_, err := tx.Exec(ctx, "INSERT INTO suite_item (id, name) VALUES ($1, $2)", id, fmt.Sprint("n", id))
	return err
}

func (s *suite) put(id int64) {
	s.Helper()
	s.ok(s.db.Write(s.ctx, func(tx *store.Tx) error { return put(s.ctx, tx, id) }))
}

func (s *suite) ids(q store.Querier) []int64 {
	s.Helper()
	ids, err := ids(s.ctx, q)
	s.ok(err)
	return ids
}

func ids(ctx context.Context, q store.Querier) ([]int64, error) {
	rows, err := q.Query(ctx, "SELECT id FROM suite_item ORDER BY id")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := []int64{}
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		all = append(all, id)
	}
	return all, rows.Err()
}

func (s *suite) want(want ...int64) {
	s.Helper()
	if got := s.ids(s.db); !slices.Equal(got, want) {
		s.Fatalf("stored %v, want %v", got, want)
	}
}

func testCommit(s *suite) {
	s.ok(s.db.Write(s.ctx, func(tx *store.Tx) error {
		for id := range int64(3) {
			if err := put(s.ctx, tx, id); err != nil {
				return err
			}
		}
		n, err := tx.Exec(s.ctx, "UPDATE suite_item SET name = $1 WHERE id > $2", nil, 0)
		if n != 2 {
			return fmt.Errorf("changed %d rows, want 2", n)
		}
		return err
	}))
	s.want(0, 1, 2)
}

func testRollback(s *suite) {
	mine := errors.New("mine")
	err := s.db.Write(s.ctx, func(tx *store.Tx) error {
		s.ok(put(s.ctx, tx, 1))
		return mine
	})
	s.is(err, mine)
	s.want()
	s.put(1) // the writer is free again
}

func testPanic(s *suite) {
	undone := false
	func() {
		defer func() {
			if got := recover(); got != "boom" {
				s.Fatalf("recovered %v, want the same panic", got)
			}
		}()
		_ = s.db.Write(s.ctx, func(tx *store.Tx) error {
			tx.RolledBack(func() { undone = true })
			s.ok(put(s.ctx, tx, 1))
			panic("boom")
		})
	}()
	if !undone {
		s.Fatal("RolledBack did not run")
	}
	s.want()
	s.put(1)
}

func testGoexit(s *suite) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.db.Write(s.ctx, func(tx *store.Tx) error {
			_ = put(s.ctx, tx, 1)
			runtime.Goexit()
			return nil
		})
	}()
	<-done
	s.want()
	s.put(1)
}

func testUnique(s *suite) {
	s.put(1)
	exec := func(query string, args ...any) error {
		return s.db.Write(s.ctx, func(tx *store.Tx) error { _, err := tx.Exec(s.ctx, query, args...); return err })
	}
	s.is(exec("INSERT INTO suite_item (id) VALUES ($1)", 1), store.ErrUnique)
	s.is(exec("INSERT INTO suite_item (id, name) VALUES ($1, $2)", 2, "n1"), store.ErrUnique)
	for _, other := range []error{
		exec("INSERT INTO suite_item (id) VALUES ($1)", nil),               // NOT NULL
		exec("INSERT INTO suite_child (id, item) VALUES ($1, $2)", 1, 404), // foreign key
		exec("INSERT INTO no_such_table (id) VALUES ($1)", 1),
	} {
		if other == nil || errors.Is(other, store.ErrUnique) {
			s.Fatalf("got %v, want another error than ErrUnique", other)
		}
	}
	s.ok(s.db.Write(s.ctx, func(tx *store.Tx) error {
		n, err := tx.Exec(s.ctx, "INSERT INTO suite_item (id) VALUES ($1) ON CONFLICT DO NOTHING", 1)
		if n != 0 {
			s.Errorf("a refused row counted as %d", n)
		}
		if err != nil {
			return err
		}
		return put(s.ctx, tx, 3) // going on is allowed
	}))
	s.want(1, 3)
}

func testValues(s *suite) {
	blobs := [][]byte{{}, {0}, []byte(strings.Repeat("\x00\xff\x80", 400_000))}
	numbers := []int64{-1 << 63, 0, 1<<63 - 1}
	for i, blob := range blobs {
		s.ok(s.db.Write(s.ctx, func(tx *store.Tx) error {
			_, err := tx.Exec(s.ctx, "INSERT INTO suite_item (id, name, data) VALUES ($1, $2, $3)", numbers[i], "héλ\u0627 \U0001f600", blob)
			if err != nil {
				return err
			}
			var name string
			var got []byte
			if err := tx.QueryRow(s.ctx, "SELECT name, data FROM suite_item WHERE id = $1", numbers[i]).Scan(&name, &got); err != nil {
				return err
			}
			if name != "héλ\u0627 \U0001f600" || string(got) != string(blob) {
				s.Errorf("row %d came back changed", i)
			}
			_, err = tx.Exec(s.ctx, "UPDATE suite_item SET name = NULL")
			return err
		}))
	}
	s.want(numbers...)
}

func testHooks(s *suite) {
	var log []string
	note := func(what string) func() { return func() { log = append(log, what) } }
	s.ok(s.db.Write(s.ctx, func(tx *store.Tx) error {
		tx.Committed(note("first"))
		tx.RolledBack(note("never"))
		tx.Committed(func() { s.want(7); log = append(log, "second") }) // already there for readers
		return put(s.ctx, tx, 7)
	}))
	_ = s.db.Write(s.ctx, func(tx *store.Tx) error {
		tx.Committed(note("never"))
		tx.RolledBack(note("third"))
		return errors.New("no")
	})
	if got := strings.Join(log, " "); got != "first second third" {
		s.Fatalf("hooks ran as %q", got)
	}
}

func testHookOrder(s *suite) {
	var order []int64
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			err := s.db.Write(s.ctx, func(tx *store.Tx) error {
				if err := tx.Lock(s.ctx, "next"); err != nil {
					return err
				}
				var next int64
				if err := tx.QueryRow(s.ctx, "SELECT COALESCE(MAX(id), 0) + 1 FROM suite_item").Scan(&next); err != nil {
					return err
				}
				tx.Committed(func() { order = append(order, next) })
				return put(s.ctx, tx, next)
			})
			if err != nil {
				s.Error(err)
			}
		})
	}
	wg.Wait()
	if !slices.IsSorted(order) || len(order) != 20 {
		s.Fatalf("hooks ran in the order %v", order)
	}
}

func testIsolation(s *suite) {
	s.ok(s.db.Write(s.ctx, func(tx *store.Tx) error {
		if err := put(s.ctx, tx, 1); err != nil {
			return err
		}
		s.want() // nobody else sees it yet, and a reader does not wait
		if got := s.ids(tx); !slices.Equal(got, []int64{1}) {
			s.Errorf("the transaction sees %v, want its own row", got)
		}
		return nil
	}))
	s.want(1)
}

func testView(s *suite) {
	s.put(1)
	s.ok(s.db.Read(s.ctx, func(q store.Querier) error {
		before := s.ids(q)
		s.put(2)
		if after := s.ids(q); !slices.Equal(before, after) {
			s.Errorf("the view went from %v to %v", before, after)
		}
		return nil
	}))
	s.want(1, 2)
}

// testManyViews holds as many views open as there are readers, each about to ask what nobody has asked before.
func testManyViews(s *suite) {
	s.put(1)
	const views = 8
	ctx, cancel := context.WithTimeout(s.ctx, 20*time.Second)
	defer cancel()
	var open, wg sync.WaitGroup
	open.Add(views)
	for i := range views {
		wg.Go(func() {
			err := s.db.Read(ctx, func(q store.Querier) error {
				open.Done()
				open.Wait()
				var n int64
				return q.QueryRow(ctx, fmt.Sprintf("SELECT id + %d FROM suite_item", i)).Scan(&n)
			})
			if err != nil {
				s.Error(err)
			}
		})
	}
	wg.Wait()
}

// testReadersCannotWrite: a change that goes round Write would have no turn, no durability and no hooks.
func testReadersCannotWrite(s *suite) {
	s.put(1)
	var id int64
	if err := s.db.QueryRow(s.ctx, "DELETE FROM suite_item RETURNING id").Scan(&id); err == nil {
		s.Error("Query deleted a row")
	}
	_ = s.db.Read(s.ctx, func(q store.Querier) error {
		if err := q.QueryRow(s.ctx, "DELETE FROM suite_item RETURNING id").Scan(&id); err == nil {
			s.Error("Read deleted a row")
		}
		return nil
	})
	s.want(1)
}

func testWriters(s *suite) {
	const writers, each = 50, 6
	var wg sync.WaitGroup
	for w := range int64(writers) {
		wg.Go(func() {
			for i := range int64(each) {
				if err := s.db.Write(s.ctx, func(tx *store.Tx) error { return put(s.ctx, tx, w*each+i) }); err != nil {
					s.Error(err)
				}
				if _, err := ids(s.ctx, s.db); err != nil {
					s.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := len(s.ids(s.db)); got != writers*each {
		s.Fatalf("%d rows, want %d", got, writers*each)
	}
}

// testLock counts up by reading and writing from two handles; without the lock PostgreSQL would lose counts.
func testLock(s *suite) {
	s.put(0)
	set := func(tx *store.Tx, to int64) error {
		_, err := tx.Exec(s.ctx, "UPDATE suite_item SET data = $1 WHERE id = 0", fmt.Append(nil, to))
		return err
	}
	s.ok(s.db.Write(s.ctx, func(tx *store.Tx) error { return set(tx, 0) }))
	count := func(tx *store.Tx) error {
		for range 2 { // to lock again is to hold it still
			if err := tx.Lock(s.ctx, "count"); err != nil {
				return err
			}
		}
		var data []byte
		if err := tx.QueryRow(s.ctx, "SELECT data FROM suite_item WHERE id = 0").Scan(&data); err != nil {
			return err
		}
		return set(tx, s.number(string(data))+1)
	}
	const each = 40
	var wg sync.WaitGroup
	for _, db := range []*store.DB{s.db, s.open()} {
		for range 4 {
			wg.Go(func() {
				for range each {
					if err := db.Write(s.ctx, count); err != nil {
						s.Error(err)
					}
				}
			})
		}
	}
	wg.Wait()
	var data []byte
	s.ok(s.db.QueryRow(s.ctx, "SELECT data FROM suite_item WHERE id = 0").Scan(&data))
	if n := s.number(string(data)); n != 8*each {
		s.Fatalf("counted to %d, want %d", n, 8*each)
	}
}

// testPassedOver: where the engine gives a transaction up after an error, Write must not call it kept.
func testPassedOver(s *suite) {
	s.put(1)
	err := s.db.Write(s.ctx, func(tx *store.Tx) error {
		if err := put(s.ctx, tx, 2); err != nil {
			return err
		}
		_ = put(s.ctx, tx, 1) // a duplicate, not noticed
		return nil
	})
	if got := s.ids(s.db); (err == nil) != slices.Equal(got, []int64{1, 2}) {
		s.Fatalf("Write said %v, stored is %v", err, got)
	}
}

func testQueueCtx(s *suite) {
	held, release := make(chan struct{}), make(chan struct{})
	free := sync.OnceFunc(func() { close(release) })
	defer free() // a failure below must not leave the writer waiting
	first := make(chan error, 1)
	go func() {
		first <- s.db.Write(s.ctx, func(tx *store.Tx) error {
			s.ok(tx.Lock(s.ctx, "queue"))
			close(held)
			<-release
			return put(s.ctx, tx, 1)
		})
	}()
	<-held
	ctx, cancel := context.WithTimeout(s.ctx, 10*time.Millisecond)
	defer cancel()
	err := s.db.Write(ctx, func(tx *store.Tx) error {
		if err := tx.Lock(ctx, "queue"); err != nil {
			return err
		}
		return put(ctx, tx, 2)
	})
	s.is(err, context.DeadlineExceeded)
	free()
	s.ok(<-first)
	s.want(1)
}

func testWorkCtx(s *suite) {
	ctx, cancel := context.WithCancel(s.ctx)
	err := s.db.Write(ctx, func(tx *store.Tx) error {
		s.ok(put(ctx, tx, 1))
		cancel()
		return nil
	})
	s.is(err, context.Canceled)
	s.want()
	if _, err := s.db.Query(ctx, "SELECT 1"); err == nil {
		s.Error("a query ran under an ended ctx")
	}
	s.put(1)
}

func testEnded(s *suite) {
	var kept *store.Tx
	s.ok(s.db.Write(s.ctx, func(tx *store.Tx) error { kept = tx; return nil }))
	_, err := kept.Exec(s.ctx, "INSERT INTO suite_item (id) VALUES (1)")
	s.is(err, store.ErrClosed)
	_, err = kept.Query(s.ctx, "SELECT 1")
	s.is(err, store.ErrClosed)
	var n int
	if err := kept.QueryRow(s.ctx, "SELECT 1").Scan(&n); err == nil {
		s.Error("an ended transaction still answers")
	}
	s.want()
}

func testReopen(s *suite) {
	s.put(1)
	s.ok(s.db.Close())
	s.db = s.open()
	s.want(1)
	s.ok(s.db.Check(s.ctx))
}

func testClosed(s *suite) {
	s.ok(s.db.Close())
	s.ok(s.db.Close())
	s.is(s.db.Write(s.ctx, func(tx *store.Tx) error { return nil }), store.ErrClosed)
	if _, err := s.db.Query(s.ctx, "SELECT 1"); err == nil {
		s.Error("a closed database still answers")
	}
}
