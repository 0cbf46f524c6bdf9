package audit

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/wellgate/wellgate/store"
)

// hold keeps the one writer busy until the returned function is called.
func hold(t *testing.T, db *store.DB) (release func()) {
	t.Helper()
	held, free := make(chan struct{}), make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		err := db.Write(context.Background(), func(*store.Tx) error { close(held); <-free; return nil })
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
	plug := &ticket{entries: []Entry{{99, []byte("plug")}}, done: make(chan struct{})}
	if err := b.log.enqueue(plug); err != nil {
		t.Fatal(err)
	}
	for waiting := 1; waiting > 0; time.Sleep(time.Millisecond) {
		b.log.mu.Lock()
		waiting = len(b.log.queue)
		b.log.mu.Unlock()
	}
	return func() { free(); <-plug.done }
}

// queued waits until n calls of Durable are in the queue.
func (b *bench) queued(n int) {
	for {
		b.log.mu.Lock()
		have := len(b.log.queue)
		b.log.mu.Unlock()
		if have >= n {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func TestDurableSharesOneCommit(t *testing.T) {
	b := newBench(t)
	b.durable(1, "first")
	release := b.stall(t)
	const n = 50
	var work sync.WaitGroup
	for i := range n {
		work.Go(func() { b.durable(int64(i), "x") })
	}
	b.queued(n)
	clear(b.seal.txs)
	release()
	work.Wait()
	if got := len(b.seal.txs); got > 2 {
		t.Errorf("%d calls took %d commits", n, got)
	}
	b.sign(false)
	if rep := b.sound(); rep.Entries != n+2 {
		t.Errorf("%d entries", rep.Entries)
	}
}

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

func TestOneUnsealableEntryFailsAlone(t *testing.T) {
	b := newBench(t)
	b.seal.refuse[13] = true
	release := b.stall(t)
	var work sync.WaitGroup
	for range 4 {
		work.Go(func() { b.durable(1, "fine") })
		work.Go(func() {
			if err := b.log.Durable(t.Context(), Entry{1, []byte("half")}, Entry{13, []byte("no")}); err == nil {
				t.Error("an entry without a key was acknowledged")
			}
		})
	}
	b.queued(8)
	release()
	work.Wait()
	b.durable(1, "still works")
	list, err := b.log.Of(t.Context(), 1, 0, 100)
	if err != nil || len(list) != 5 {
		t.Errorf("%d entries, %v", len(list), err)
	}
	b.sign(false)
	b.sound()
}

func TestDiskErrorStopsTheLog(t *testing.T) {
	b := newBench(t)
	b.durable(1, "before")
	other, err := store.Open(t.Context(), "sqlite:"+t.TempDir()+"/other.db")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	held, free := make(chan struct{}), make(chan struct{})
	go b.db.Write(context.Background(), func(tx *store.Tx) error {
		close(held)
		<-free
		_, err := tx.Exec(context.Background(), `DROP TABLE audit_hash`)
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
	seals := b.seal.seals
	err = other.Write(t.Context(), func(tx *store.Tx) error { return b.log.Append(t.Context(), tx, Entry{1, []byte("later")}) })
	if !errors.Is(err, ErrStopped) || b.seal.seals != seals {
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
		if _, err := tx.Exec(t.Context(), `INSERT INTO audit_hash (idx, hash) VALUES (0, $1)`, random(32)); err != nil {
			return err
		}
		if b.log.Append(t.Context(), tx, Entry{1, []byte("x")}) == nil {
			t.Error("Append over a foreign hash succeeded")
		}
		for _, q := range []string{`DELETE FROM audit_hash`, `DELETE FROM audit_entry`} { // nothing is in the way now
			if _, err := tx.Exec(t.Context(), q); err != nil {
				return err
			}
		}
		if b.log.Append(t.Context(), tx, Entry{1, []byte("x")}) == nil {
			t.Error("Append went on in a broken transaction")
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
	db, err := store.Open(t.Context(), "sqlite:"+b.dbPath())
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
