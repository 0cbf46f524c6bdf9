package chart_test

import (
	"context"
	"fmt"
	"github.com/wellgate/wellgate/store/storetest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/wellgate/wellgate/fhir"

	"github.com/wellgate/wellgate/trust/journal"
)

// A case is what one bundle brings: a patient by number, results by value, and which doctor each names.
type broughtCase struct {
	patient int
	again   bool // the patient by ifNoneExist, so that two bundles may bring the same one
	results []broughtResult
}

type broughtResult struct{ value, doctor int }

func (c broughtCase) bundle() string {
	none := ""
	if c.again {
		none = fmt.Sprintf(`,"ifNoneExist":"identifier=urn:mrn|P-%d"`, c.patient)
	}
	entries := []string{fmt.Sprintf(`{"fullUrl":"urn:uuid:p","resource":{"resourceType":"Patient","name":[{"family":"P%[1]d"}],"identifier":[{"system":"urn:mrn","value":"P-%[1]d"}]},"request":{"method":"POST","url":"Patient"%[2]s}}`, c.patient, none)}
	for d := range 5 {
		entries = append(entries, fmt.Sprintf(`{"fullUrl":"urn:uuid:d%[1]d","resource":{"resourceType":"Practitioner","identifier":[{"system":"urn:npi","value":"%[1]d"}],"name":[{"family":"D%[1]d"}]},"request":{"method":"POST","url":"Practitioner"}}`, d))
	}
	for _, r := range c.results {
		entries = append(entries, fmt.Sprintf(`{"resource":{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"urn:uuid:p"},"performer":[{"reference":"urn:uuid:d%d"}],"valueInteger":%d},"request":{"method":"POST","url":"Observation"}}`, r.doctor, r.value))
	}
	return bundle(entries...)
}

// lines says what a case leaves behind, ids aside.
func (c broughtCase) lines() (out []string) {
	for _, r := range c.results {
		out = append(out, fmt.Sprintf("P-%d: %d by D%d", c.patient, r.value, r.doctor))
	}
	return out
}

// stored says the same of what is there.
func (o *opened) stored(t *rapid.T) (patients int, out []string) {
	ctx := context.Background()
	nums, err := o.journal.Charts(ctx, journal.Patient)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range nums {
		c := o.System(o.Begin(importer, "t"), n)
		p, err := c.Patient(ctx)
		if err != nil {
			t.Fatal(err)
		}
		found, err := c.Search(ctx, "Observation", "")
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range found {
			obs := fhir.Into[fhir.Observation](e.Resource)
			if obs.Subject.Reference != p.Ref() {
				t.Fatalf("%s is about %s and stands with %s", e.Ref(), obs.Subject.Reference, p.Ref())
			}
			doctor, ok := c.Resolve(ctx, obs.Performer[0].Reference)
			if !ok {
				t.Fatalf("%s points nowhere", obs.Performer[0].Reference)
			}
			out = append(out, fmt.Sprintf("%s: %d by %s", fhir.Into[fhir.Patient](p).Identifier[0].Value, *obs.ValueInteger, fhir.Into[fhir.Practitioner](doctor).Name[0].Family))
		}
	}
	slices.Sort(out)
	return len(nums), out
}

// Whatever the order, and however many come at once, the same bundles leave the same behind: each doctor once, each result
// with its patient, a patient that is created conditionally once.
func TestTransactionsInAnyOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		cases := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) broughtCase {
			c := broughtCase{patient: rapid.IntRange(0, 3).Draw(rt, "patient"), again: true}
			c.results = rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) broughtResult {
				return broughtResult{rapid.IntRange(0, 99).Draw(rt, "value"), rapid.IntRange(0, 4).Draw(rt, "doctor")}
			}), 0, 4).Draw(rt, "results")
			return c
		}), 1, 8).Draw(rt, "bundles")
		at := rapid.IntRange(1, 4).Draw(rt, "at once")

		var want []string
		people := map[int]bool{}
		for _, c := range cases {
			want = append(want, c.lines()...)
			people[c.patient] = true
		}
		slices.Sort(want)

		o := newPlace(t).open(t)
		defer o.close()
		work := make(chan broughtCase, len(cases))
		for _, c := range rapid.Permutation(cases).Draw(rt, "order") {
			work <- c
		}
		close(work)
		var wg sync.WaitGroup
		for range at {
			wg.Go(func() {
				for c := range work {
					if _, err := o.transact(c.bundle()); err != nil {
						rt.Errorf("%v", err)
					}
				}
			})
		}
		wg.Wait()
		patients, got := o.stored(rt)
		if patients != len(people) || !slices.Equal(got, want) {
			rt.Errorf("%d patients, want %d\n got %q\nwant %q", patients, len(people), got, want)
		}
		if refs, err := o.Matching(context.Background(), o.Begin(importer, "t"), "Practitioner", ""); err != nil || len(refs) != 5 {
			rt.Errorf("%d doctors, %v", len(refs), err)
		}
	})
}

// What was answered is on disk: a copy of the files, taken the moment the answer is there, holds it. Others write in
// between; while the files are copied they wait, since a checkpoint would move pages from one to the other.
func TestNoAnswerBeforeTheCommit(t *testing.T) {
	storetest.SQLiteOnly(t, "it copies the file at every moment")
	p := newPlace(t)
	o := p.open(t)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	var copying sync.RWMutex
	for w := range 2 {
		wg.Go(func() {
			for n := w; ; n += 2 {
				select {
				case <-stop:
					return
				default:
				}
				copying.RLock()
				_, err := o.transact(visit(1000 + n))
				copying.RUnlock()
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for n := range 6 {
		done := o.mustTransact(t, visit(n))
		image := &place{dir: t.TempDir(), rules: p.rules, now: p.now}
		copying.Lock()
		for _, name := range []string{"root.key", "wellgate.db", "wellgate.db-wal"} {
			must(t, os.WriteFile(filepath.Join(image.dir, name), copyFile(t, filepath.Join(p.dir, name)), 0o600))
		}
		copying.Unlock()
		crashed := image.open(t)
		num, ok, err := crashed.PatientChart(context.Background(), done[0].ID)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		if _, err := crashed.System(crashed.Begin(importer, "t"), num).Get(context.Background(), "Observation", done[2].ID); err != nil {
			t.Errorf("answered and not on disk: %v", err)
		}
		crashed.close()
	}
	close(stop)
	wg.Wait()
}
