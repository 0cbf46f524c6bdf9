package audit

import (
	"testing"
	"time"
)

// Of the checkpoints older than a day one each hour stays, and every anchored one; receipts hold all the same.
func TestThinning(t *testing.T) {
	b := newBench(t)
	b.log.Close()
	now := time.Date(2026, 11, 1, 0, 0, 30, 0, time.UTC)
	b.conf.Clock = func() time.Time { return now }
	log, err := Open(t.Context(), b.conf)
	if err != nil {
		t.Fatal(err)
	}
	b.log = log
	b.still(t) // the background would sign too
	step := func(anchor bool) {
		now = now.Add(20 * time.Minute)
		b.durable(1, now.String())
		err := b.log.pass(t.Context())
		if err == nil {
			err = b.log.sign(t.Context())
		}
		if err == nil && anchor {
			err = b.log.anchorNow(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	const steps = 4 * 24 * 3
	for i := range steps {
		step(i == 40) // one of those within the hour is anchored
	}
	if err := b.log.thin(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.moving()
	count := func(table string) (n int64) {
		if err := b.db.QueryRow(t.Context(), `SELECT COUNT(*) FROM `+table).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if kept := count("audit_checkpoint"); kept != steps/3+1+1+1 { // each hour's, Close's of the empty tree, the anchored, the first
		t.Errorf("%d checkpoints stay", kept)
	}
	if recent := count("audit_recent"); recent < 40 || recent > 49 {
		t.Errorf("%d recent checkpoints", recent)
	}
	b.sign(true)
	b.sound()
	for _, index := range []int64{0, 1, 40, 41, 100, steps - 1} {
		text, err := b.log.Receipt(t.Context(), 1, index)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := VerifyReceipt(text, b.log.PublicKey()); err != nil || got.Index != index {
			t.Error(got, err)
		}
	}
}
