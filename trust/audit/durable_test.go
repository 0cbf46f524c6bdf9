package audit

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/store/storetest"
)

// hold lets nobody write entries until the returned function is called: on SQLite it keeps the one writer busy.
func hold(t *testing.T, db *store.DB) (release func()) {
	t.Helper()
	held, free := make(chan struct{}), make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		err := db.Write(context.Background(), func(tx *store.Tx) (err error) {
			if db.Dialect() == "postgres" {
				_, err = tx.Exec(context.Background(), `LOCK TABLE audit_inbox IN EXCLUSIVE MODE`)
			}
			close(held)
			<-free
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-held
	return func() { close(free); done.Wait() }
}

// stall keeps the writer and the committer busy, so that all calls of Durable until release wait together.
func (b *bench) stall(t *testing.T) (release func()) {
	t.Helper()
	free := hold(t, b.db)
	plug, err := b.log.Note(Entry{99, []byte("plug")})
	if err != nil {
		t.Fatal(err)
	}
	for b.gathered() != 0 {
		time.Sleep(time.Millisecond)
	}
	return func() {
		free()
		if err := b.log.Wait(context.Background(), plug); err != nil {
			t.Error(err)
		}
	}
}

// gathered is how many entries are in the batch in the making.
func (b *bench) gathered() int {
	b.log.mu.Lock()
	defer b.log.mu.Unlock()
	list, err := parseRow(b.log.filling.buf, nil)
	if err != nil {
		b.t.Error(err)
	}
	return len(list)
}

// queued waits until n entries are in the batch in the making.
func (b *bench) queued(n int) {
	for b.gathered() < n {
		time.Sleep(time.Millisecond)
	}
}

// inbox is how many rows wait to be moved.
func (b *bench) inbox() (n int) {
	b.t.Helper()
	if err := b.db.QueryRow(context.Background(), `SELECT COUNT(*) FROM audit_inbox`).Scan(&n); err != nil {
		b.t.Fatal(err)
	}
	return n
}

func TestDurableSharesOneCommit(t *testing.T) {
	b := newBench(t)
	b.still(t)
	b.durable(1, "first")
	release := b.stall(t)
	const n = 50
	var work sync.WaitGroup
	for i := range n {
		work.Go(func() { b.durable(int64(i), "x") })
	}
	b.queued(n)
	release()
	work.Wait()
	if got := b.inbox(); got != 3 {
		t.Errorf("%d calls took %d rows", n+2, got)
	}
	b.moving()
	b.sign(false)
	if rep := b.sound(); rep.Entries != n+2 || b.inbox() != 0 {
		t.Errorf("%d entries", rep.Entries)
	}
}

// still keeps the sequencer from moving until moving is called.
func (b *bench) still(t *testing.T) {
	if err := b.log.takeTurn(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) moving() { b.log.endTurn() }

func TestDurableGivingUpLosesNothingOfOthers(t *testing.T) {
	b := newBench(t)
	release := b.stall(t)
	ctx, cancel := context.WithCancel(t.Context())
	errs := make(chan error, 1)
	go func() { errs <- b.log.Durable(ctx, Entry{1, []byte("left")}) }()
	var work sync.WaitGroup
	for range 5 {
		work.Go(func() { b.durable(2, "stayed") })
	}
	b.queued(6)
	cancel()
	if err := <-errs; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	release()
	work.Wait()
	list, err := b.log.Of(t.Context(), 2, 0, 10)
	if err != nil || len(list) != 5 {
		t.Errorf("%d entries of those who waited, %v", len(list), err)
	}
	b.sign(false)
	b.sound()
	if b.log.Err() != nil {
		t.Error(b.log.Err())
	}
}

// An entry whose chart has no usable key is not lost: it waits, others go on, and the next start tries again.
func TestEntryWithoutKeyWaits(t *testing.T) {
	b := newBench(t)
	b.seal.refuse[13] = true
	if err := b.log.Durable(t.Context(), Entry{1, []byte("half")}, Entry{13, []byte("no")}, Entry{13, []byte("key")}); err != nil {
		t.Fatal(err)
	}
	b.durable(1, "fine")
	count := func(chart int64) int {
		list, err := b.log.Of(t.Context(), chart, 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	if count(1) != 2 || count(13) != 0 {
		t.Error("others do not go on")
	}
	b.sign(true)
	if rep := b.verify(b.seal); len(rep.Problems) != 1 || !strings.Contains(rep.Problems[0], "wait for the key") {
		t.Errorf("%q", rep.Problems)
	}
	for range 2 { // the second start has the key
		b.stop()
		b.openDB()
		b.start()
		b.seal.refuse[13] = false
	}
	list, err := b.log.Of(t.Context(), 13, 0, 100)
	if err != nil || len(list) != 2 || string(list[0].Plain) != "key" || string(list[1].Plain) != "no" {
		t.Errorf("%v, %v", list, err)
	}
	b.sign(true)
	b.sound()
}

func TestDiskErrorStopsTheLog(t *testing.T) {
	storetest.SQLiteOnly(t, "PostgreSQL stops by itself when its disk fails")
	b := newBench(t)
	b.durable(1, "before")
	other, err := store.Open(t.Context(), storetest.URL(t, t.TempDir()+"/other.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	held, free := make(chan struct{}), make(chan struct{})
	go b.db.Write(context.Background(), func(tx *store.Tx) error {
		close(held)
		<-free
		_, err := tx.Exec(context.Background(), `DROP TABLE audit_inbox`)
		return err
	})
	<-held
	errs := make(chan error, 8)
	for range 8 {
		go func() { errs <- b.log.Durable(context.Background(), Entry{1, []byte("lost")}) }()
	}
	close(free)
	for range 8 {
		if err := <-errs; !errors.Is(err, ErrStopped) {
			t.Errorf("a waiter got %v", err)
		}
	}
	if err := b.log.Durable(t.Context(), Entry{1, []byte("later")}); !errors.Is(err, ErrStopped) {
		t.Errorf("Durable after the error: %v", err)
	}
	err = other.Write(t.Context(), func(tx *store.Tx) error { return b.log.Append(t.Context(), tx, Entry{1, []byte("later")}) })
	if !errors.Is(err, ErrStopped) {
		t.Errorf("Append after the error: %v", err)
	}
	if _, err := b.log.Checkpoint(t.Context()); !errors.Is(err, ErrStopped) {
		t.Errorf("Checkpoint after the error: %v", err)
	}
	if err := b.log.Close(); !errors.Is(err, ErrStopped) {
		t.Errorf("Close: %v", err)
	}
	b.log = nil
}

// A caller that swallows Append's error and commits would have an effect without its trace.
func TestCommitAfterFailedAppendStopsTheLog(t *testing.T) {
	b := newBench(t)
	err := b.db.Write(t.Context(), func(tx *store.Tx) error {
		if b.log.Append(t.Context(), tx, Entry{1, make([]byte, entryMax+1)}) == nil {
			t.Error("an entry without bounds was accepted")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !errors.Is(b.log.Err(), ErrStopped) {
		t.Errorf("the log goes on: %v", b.log.Err())
	}
	b.log.Close()
	b.log = nil
}

// Another process (a restore, a second node later) may append to the same store; neither forks the tree.
func TestTwoLogsOneStore(t *testing.T) {
	b := newBench(t)
	db, err := store.Open(t.Context(), storetest.URL(t, b.dbPath()))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c := b.conf
	c.DB, c.Anchor = db, ""
	other, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for i := range 40 {
		log := b.log
		if i%3 == 0 {
			log = other
		}
		if i%2 == 0 {
			err = log.Durable(t.Context(), Entry{1, []byte("x")})
		} else {
			err = log.c.DB.Write(t.Context(), func(tx *store.Tx) error {
				return log.Append(t.Context(), tx, Entry{1, []byte("x")}, Entry{2, []byte("y")})
			})
		}
		if err == nil && i%5 == 0 {
			_, err = log.Checkpoint(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	b.durable(1, "last")
	b.sign(true)
	if rep := b.sound(); rep.Entries != 61 {
		t.Errorf("%d entries", rep.Entries)
	}
}
