//go:build linux

package chart_test

import (
	"context"
	"os"
	"strconv"
	"testing"

	"github.com/wellgate/wellgate/fhir"
	. "github.com/wellgate/wellgate/trust/chart"
)

// A record that is written ten thousand times and never read stays as quick to open as it was: snapshots bound the rows to
// replay, only the newest is kept, and a page of history costs what is on it. HISTORY=10000 makes the long form.
func TestLongHistory(t *testing.T) {
	ctx := context.Background()
	updates := 700
	if s := os.Getenv("HISTORY"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 600 {
			t.Fatalf("HISTORY=%s: a number of updates, 600 or more", s)
		}
		updates = n
	}
	w := newWard(t, 64<<20)
	num, json := w.fill(300)
	var patient string
	for e, err := range w.reader(num).Everything(ctx) {
		w.ok(err)
		if e.Type() == "Patient" {
			patient = e.ID()
		}
	}
	change := w.costs(updates, func(int) error {
		r, err := fhir.Parse([]byte(w.result("changing", patient, "x", 6000)))
		w.ok(err)
		json += int64(len(r.Raw()))
		_, err = w.Deliver(ctx, w.Begin(importer, "long"), Delivery{What: "long", Resources: []fhir.Resource{r}})
		return err
	})
	w.Settle()
	snap, rows, err := w.journal.Load(ctx, num)
	w.ok(err)
	if snap == nil || len(rows) > 2*256 {
		t.Errorf("%d rows to replay after %d updates that nobody read", len(rows), updates)
	}
	sum := func(table string) (n, bytes int64) {
		w.ok(w.db.QueryRow(ctx, "SELECT count(*), coalesce(sum(length(data)), 0) FROM "+table+" WHERE chart = $1", num).Scan(&n, &bytes))
		return n, bytes
	}
	_, log := sum("journal_log")
	segments, stored := sum("journal_seg")
	w.cache = 1 // nothing stays warm
	w.close()
	w.open()
	get := func(int) error { _, err := w.reader(num).Get(ctx, "Observation", "changing"); return err }
	first := w.costs(1, get)
	cold := w.costs(20, get)
	page := func(from int64) cost {
		return w.costs(5, func(int) error {
			past, _, err := w.reader(num).History(ctx, "Observation", "changing", Span{Before: Spot{Row: from}, Count: 20})
			if err == nil && len(past) != 20 {
				t.Errorf("a page before row %d has %d versions", from, len(past))
			}
			return err
		})
	}
	newest, middle := page(0), page(int64(updates)/2)
	t.Logf("%d updates: %v each | first cold read of the process %v, others %v | history: newest page %v, one from the middle %v | log %.3f, %d segments %.3f of the JSON",
		updates, change, first, cold, newest, middle, float64(log)/float64(json), segments, float64(stored)/float64(json))
	if middle.bytes > 4*newest.bytes {
		t.Errorf("a page from the middle allocates %d bytes, the newest %d", middle.bytes, newest.bytes)
	}
}
