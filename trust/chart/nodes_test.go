package chart_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/store/storetest"
	. "github.com/wellgate/wellgate/trust/chart"
)

// twoNodes opens a practice twice over one database, each from a folder of its own.
func twoNodes(t *testing.T) (a, b *opened) {
	t.Helper()
	if !storetest.OnPostgres() {
		t.Skip("several nodes need PostgreSQL")
	}
	p := newPlace(t)
	a = p.open(t)
	second := *p
	second.dir, second.url = t.TempDir(), storetest.URL(t, filepath.Join(p.dir, "wellgate.db"))
	key, err := os.ReadFile(filepath.Join(p.dir, "root.key"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(second.dir, "root.key"), key, 0o600))
	return a, second.open(t)
}

// both runs fn on two nodes at once.
func onBoth(a, b *opened, fn func(n int, o *opened)) {
	var work sync.WaitGroup
	for n, o := range []*opened{a, b} {
		work.Go(func() { fn(n, o) })
	}
	work.Wait()
}

// Two nodes add to one number again and again: no addition is lost, no row is missing or there twice. NODES_WRITES sets how
// many each does.
func TestTwoNodesLoseNoUpdate(t *testing.T) {
	a, b := twoNodes(t)
	ana, _ := a.people(t)
	ctx, each := context.Background(), 40
	if n, err := strconv.Atoi(os.Getenv("NODES_WRITES")); err == nil {
		each = n
	}
	a.deliver(t, parse(t, lab("counter", "ana", "0")))
	before, err := a.journal.Head(ctx, a.db, ana.Chart)
	must(t, err)
	onBoth(a, b, func(n int, o *opened) {
		for range each {
			if err := addOne(ctx, o, ana.Chart); err != nil {
				t.Errorf("node %d: %v", n, err)
				return
			}
		}
	})
	rows, err := a.journal.Rows(ctx, ana.Chart, 1, 0)
	must(t, err)
	if got := int64(len(rows)); got != before+int64(2*each) || rows[len(rows)-1].Seq != got {
		t.Errorf("%d rows, want %d", got, before+int64(2*each))
	}
	for n, o := range []*opened{a, b} {
		o.Forget(ana.Chart)
		if got := counter(t, o, ana.Chart); got != 2*each {
			t.Errorf("node %d counts %d, want %d", n, got, 2*each)
		}
	}
	facts, err := a.Feed().After(ctx, 0, 10000)
	must(t, err)
	for i, f := range facts {
		if f.Seq != int64(i+1) {
			t.Fatalf("fact %d has number %d", i+1, f.Seq)
		}
	}
}

// addOne adds until nobody was faster.
func addOne(ctx context.Context, o *opened, chart int64) error {
	for range 1000 {
		c := o.System(o.Begin(importer, "test"), chart)
		e, err := c.Get(ctx, "Observation", "counter")
		if err != nil {
			return err
		}
		n := fhir.View[counted](e.Resource).Quantity.Value
		r, err := fhir.Parse([]byte(lab("counter", "ana", strconv.Itoa(n+1))))
		if err != nil {
			return err
		}
		err = c.Write(ctx, Change{Room: "test", What: "add", Put: []fhir.Resource{r}, If: map[string]int64{"Observation/counter": e.Version}})
		if !errors.Is(err, ErrConflict) {
			return err
		}
	}
	return errors.New("never first in 1000 tries")
}

type counted struct {
	Quantity struct {
		Value int `json:"value"`
	} `json:"valueQuantity"`
}

func counter(t *testing.T, o *opened, chart int64) int {
	t.Helper()
	e, err := o.System(o.Begin(importer, "test"), chart).Get(context.Background(), "Observation", "counter")
	must(t, err)
	return fhir.View[counted](e.Resource).Quantity.Value
}

// One id claimed by two records on two nodes: one has it.
func TestTwoNodesOneID(t *testing.T) {
	a, b := twoNodes(t)
	a.people(t)
	ctx := context.Background()
	for round := range 10 {
		id := fmt.Sprintf("same-%d", round)
		var refused [2]error
		onBoth(a, b, func(n int, o *opened) {
			patient := []string{"ana", "ben"}[n]
			r, err := fhir.Parse([]byte(lab(id, patient, "1")))
			if err == nil {
				_, err = o.Deliver(ctx, o.Begin(importer, "test"), Delivery{What: "test", Resources: []fhir.Resource{r}})
			}
			refused[n] = err
		})
		if (refused[0] == nil) == (refused[1] == nil) {
			t.Fatalf("%s: %v and %v", id, refused[0], refused[1])
		}
	}
}

// One practitioner, and one patient created if there is none, brought to two nodes at once, stand there once.
func TestTwoNodesOnePerson(t *testing.T) {
	a, b := twoNodes(t)
	ctx := context.Background()
	for round := range 10 {
		bundle := fmt.Sprintf(`{"resourceType":"Bundle","type":"transaction","entry":[
			{"fullUrl":"urn:uuid:1","resource":{"resourceType":"Practitioner","identifier":[{"system":"urn:npi","value":"%[1]d"}],"name":[{"family":"Same-%[1]d"}]},"request":{"method":"POST","url":"Practitioner"}},
			{"fullUrl":"urn:uuid:2","resource":{"resourceType":"Patient","identifier":[{"system":"urn:mrn","value":"P%[1]d"}],"name":[{"family":"Same-%[1]d"}]},"request":{"method":"POST","url":"Patient","ifNoneExist":"identifier=urn:mrn|P%[1]d"}}]}`, round)
		var ids [2]map[string]bool
		onBoth(a, b, func(n int, o *opened) {
			_, entries, err := fhir.ReadBundle(strings.NewReader(bundle))
			if err != nil {
				t.Error(err)
				return
			}
			done, err := o.Transact(ctx, o.Begin(importer, "test"), Transaction{What: "test", Entries: entries})
			if err != nil {
				t.Errorf("node %d: %v", n, err)
			}
			ids[n] = map[string]bool{}
			for _, d := range done {
				ids[n][d.Type+"/"+d.ID] = true
			}
		})
		if len(ids[0]) != 2 || !maps.Equal(ids[0], ids[1]) {
			t.Fatalf("round %d: the nodes made %v and %v", round, ids[0], ids[1])
		}
	}
}

// A commit whose answer was lost is looked up: done again if it was not kept.
func TestLostAnswerIsLookedUp(t *testing.T) {
	if !storetest.OnPostgres() {
		t.Skip("SQLite answers always")
	}
	o := newPlace(t).open(t)
	ana, _ := o.people(t)
	ctx := context.Background()
	for _, sql := range []string{"CREATE SEQUENCE lose_answer", `CREATE FUNCTION lose_answer() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		IF nextval('lose_answer') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(1); END IF; RETURN NULL; END $$`,
		`CREATE CONSTRAINT TRIGGER lose_answer AFTER INSERT ON journal_log DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION lose_answer()`} {
		must(t, o.db.Write(ctx, func(tx *store.Tx) error { _, err := tx.Exec(ctx, sql); return err }))
	}
	before, err := o.journal.Head(ctx, o.db, ana.Chart)
	must(t, err)
	o.deliver(t, parse(t, lab("once", "ana", "7"))) // the first commit ends with its connection
	var lost int64
	must(t, o.db.QueryRow(ctx, "SELECT last_value FROM lose_answer").Scan(&lost))
	if lost < 2 {
		t.Fatal("no answer was lost: the test proves nothing")
	}
	after, err := o.journal.Head(ctx, o.db, ana.Chart)
	must(t, err)
	if after != before+1 {
		t.Fatalf("%d rows more, want one", after-before)
	}
}

// Two nodes write to different records side by side: every fact gets a number, and none is given twice or left out.
func TestTwoNodesNumberFacts(t *testing.T) {
	a, b := twoNodes(t)
	a.people(t)
	ctx := context.Background()
	onBoth(a, b, func(n int, o *opened) {
		patient := []string{"ana", "ben"}[n]
		for i := range 25 {
			r, err := fhir.Parse([]byte(lab(fmt.Sprintf("%s-n%d", patient, i), patient, "1")))
			if err == nil {
				_, err = o.Deliver(ctx, o.Begin(importer, "test"), Delivery{What: "test", Resources: []fhir.Resource{r}})
			}
			if err != nil {
				t.Errorf("node %d: %v", n, err)
				return
			}
		}
	})
	facts, err := b.Feed().After(ctx, 0, 1000)
	must(t, err)
	for i, f := range facts {
		if f.Seq != int64(i+1) {
			t.Fatalf("fact %d has number %d", i+1, f.Seq)
		}
	}
	if len(facts) < 56 {
		t.Fatalf("%d facts", len(facts))
	}
}
