//go:build linux

package chart_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/internal/clock"
	"github.com/wellgate/wellgate/store"
	. "github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/journal"
	"github.com/wellgate/wellgate/trust/policy"
	"github.com/wellgate/wellgate/trust/vault"
)

// A ward is a house for figures: made-up charts of any size.
type ward struct {
	*House
	tb      testing.TB
	dir     string
	db      *store.DB
	journal *journal.Journal
	cache   int64
	rnd     *rand.Rand
}

func newWard(tb testing.TB, cache int64) *ward {
	w := &ward{tb: tb, dir: tb.TempDir(), cache: cache, rnd: rand.New(rand.NewPCG(1, 2))}
	if _, err := vault.CreateRoot(filepath.Join(w.dir, "root.key"), nil); err != nil {
		tb.Fatal(err)
	}
	w.open()
	tb.Cleanup(w.close)
	return w
}

func (w *ward) ok(err error) {
	w.tb.Helper()
	if err != nil {
		w.tb.Fatal(err)
	}
}

func (w *ward) open() {
	ctx := context.Background()
	root, err := vault.OpenRoot(filepath.Join(w.dir, "root.key"), nil)
	w.ok(err)
	w.db, err = store.Open(ctx, "sqlite:"+filepath.Join(w.dir, "wellgate.db"))
	w.ok(err)
	v, err := vault.Open(ctx, w.db, root)
	w.ok(err)
	w.journal, err = journal.Open(ctx, w.db, v)
	w.ok(err)
	set, err := policy.New(nil)
	w.ok(err)
	w.House, err = New(ctx, Config{DB: w.db, Vault: v, Journal: w.journal, Policy: set, Origin: "bench/log", Clock: clock.System, Cache: w.cache})
	w.ok(err)
}

func (w *ward) close() {
	if w.db != nil {
		w.House.Close()
		w.db.Close()
		w.db = nil
	}
}

func (w *ward) uuid() string {
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", w.rnd.Uint32(), w.rnd.IntN(1<<16), w.rnd.IntN(1<<12), w.rnd.IntN(1<<16), w.rnd.Uint64()>>16)
}

var tests = []string{"2339-0 Glucose", "6299-2 Urea Nitrogen", "38483-4 Creatinine", "49765-1 Calcium", "2947-0 Sodium", "6298-4 Potassium", "2069-3 Chloride", "718-7 Hemoglobin", "4548-4 Hemoglobin A1c"}

// result is an Observation of about 1.2 KB, as large as Synthea's are.
func (w *ward) result(id, patient, visit string, day int) string {
	at := time.Date(2010, 1, 1, 8, 0, 0, 0, time.UTC).AddDate(0, 0, day).Add(time.Duration(w.rnd.IntN(36000)) * time.Second).Format(time.RFC3339)
	var code, name string
	fmt.Sscanf(tests[w.rnd.IntN(len(tests))], "%s %s", &code, &name)
	category := "laboratory"
	if w.rnd.IntN(3) == 0 {
		category = "vital-signs"
	}
	return fmt.Sprintf(`{"resourceType":"Observation","id":"%s","meta":{"profile":["http://hl7.org/fhir/us/core/StructureDefinition/us-core-observation-lab"]},"status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"%s","display":"%[2]s"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"%s","display":"%s [Mass/volume] in Blood"}],"text":"%[4]s [Mass/volume] in Blood"},"subject":{"reference":"Patient/%s"},"encounter":{"reference":"Encounter/%s"},"effectiveDateTime":"%s","issued":"%[7]s","valueQuantity":{"value":%d.%02d,"unit":"mg/dL","system":"http://unitsofmeasure.org","code":"mg/dL"},"referenceRange":[{"low":{"value":70,"unit":"mg/dL","system":"http://unitsofmeasure.org","code":"mg/dL"},"high":{"value":99,"unit":"mg/dL","system":"http://unitsofmeasure.org","code":"mg/dL"},"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/referencerange-meaning","code":"normal","display":"Normal Range"}],"text":"Normal Range"}}],"note":[{"text":"Specimen %s received at the laboratory in good condition; measured twice, mean reported."}]}`,
		id, category, code, name, patient, visit, at, 50+w.rnd.IntN(100), w.rnd.IntN(100), w.uuid())
}

// fill makes a chart of n resources, 300 a delivery, and gives its number and its bytes of JSON.
func (w *ward) fill(n int) (num, bytes int64) {
	ctx := context.Background()
	patient := w.uuid()
	var rs []fhir.Resource
	add := func(s string) {
		r, err := fhir.Parse([]byte(s))
		w.ok(err)
		bytes += int64(len(r.Raw()))
		rs = append(rs, r)
	}
	add(fmt.Sprintf(`{"resourceType":"Patient","id":"%s","name":[{"family":"F%s"}],"birthDate":"1980-05-12"}`, patient, patient))
	visit := w.uuid()
	for i := range n {
		if i%12 == 0 {
			visit = w.uuid()
			add(fmt.Sprintf(`{"resourceType":"Encounter","id":"%s","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/%s"},"period":{"start":"20%02d-01-01"}}`, visit, patient, 10+w.rnd.IntN(15)))
		} else {
			add(w.result(w.uuid(), patient, visit, i*5000/max(n, 1)))
		}
		if len(rs) >= 300 || i == n-1 {
			_, err := w.Deliver(ctx, w.Begin(importer, "bench"), Delivery{What: "bench", Resources: rs})
			w.ok(err)
			rs = rs[:0]
		}
	}
	num, _, err := w.PatientChart(ctx, patient)
	w.ok(err)
	return num, bytes
}

func (w *ward) reader(num int64) *Chart { return w.System(w.Begin(importer, "bench"), num) }

const labSearch = "category=laboratory&_sort=-date&_count=50"

// sizes of charts by resources, with about the bytes of JSON they make.
var sizes = []struct {
	name string
	n    int
}{{"0.4MB", 330}, {"1.3MB", 1100}, {"5.6MB", 4700}, {"52MB", 43600}}

// BenchmarkCold opens charts that the cache does not hold; the store is in the page cache. open is what every read pays,
// one reads one resource, search is the newest 50 laboratory results, all reads everything.
func BenchmarkCold(b *testing.B) {
	ctx := context.Background()
	for _, s := range sizes {
		w := newWard(b, 1<<30)
		num, bytes := w.fill(s.n)
		w.close()
		w.cache = 1 // nothing stays warm
		w.open()
		f, err := w.reader(num).Query(ctx, "Observation", labSearch, 0)
		w.ok(err)
		one := f.Hits[0].ID()
		for name, do := range map[string]func(c *Chart) error{
			"one":    func(c *Chart) error { _, err := c.Get(ctx, "Observation", one); return err },
			"search": func(c *Chart) error { _, err := c.Search(ctx, "Observation", labSearch); return err },
			"all": func(c *Chart) error {
				for _, err := range c.Everything(ctx) {
					if err != nil {
						return err
					}
				}
				return nil
			},
		} {
			b.Run(s.name+"/"+name, func(b *testing.B) {
				w.ok(do(w.reader(num)))
				w.background()
				var took []time.Duration
				before := cpu()
				for b.Loop() {
					start := time.Now()
					w.ok(do(w.reader(num)))
					took = append(took, time.Since(start))
				}
				b.ReportMetric(float64((cpu()-before).Microseconds())/1e3/float64(b.N), "cpu-ms")
				slices.Sort(took)
				b.ReportMetric(float64(took[len(took)/2].Microseconds())/1e3, "p50-ms")
				b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1e3, "p99-ms")
				b.ReportMetric(float64(bytes)/1e6, "MB")
			})
		}
		w.close()
	}
}

// BenchmarkWarm is what the chart adds to a request once a record is open, its notes on the act included.
func BenchmarkWarm(b *testing.B) {
	ctx := context.Background()
	w := newWard(b, 1<<30)
	num, _ := w.fill(1100)
	f, err := w.reader(num).Query(ctx, "Observation", labSearch, 0)
	w.ok(err)
	one := f.Hits[0].ID()
	var patient string
	for e, err := range w.reader(num).Everything(ctx) {
		w.ok(err)
		if e.Type() == "Patient" {
			patient = e.ID()
		}
	}
	w.do(b, "read", func() error { _, err := w.reader(num).Get(ctx, "Observation", one); return err })
	w.do(b, "search50", func() error {
		_, err := w.reader(num).Query(ctx, "Observation", "patient="+patient+"&"+labSearch, 0)
		return err
	})
	w.do(b, "everything", func() error {
		for _, err := range w.reader(num).Everything(ctx) {
			if err != nil {
				return err
			}
		}
		return nil
	})
	n := 0
	w.do(b, "write+search", func() error {
		n++
		r, err := fhir.Parse([]byte(w.result(fmt.Sprintf("new-%d", n), patient, "x", 6000)))
		w.ok(err)
		if _, err = w.Deliver(ctx, w.Begin(importer, "bench"), Delivery{What: "bench", Resources: []fhir.Resource{r}}); err != nil {
			return err
		}
		_, err = w.reader(num).Query(ctx, "Observation", labSearch, 0)
		return err
	})
}

func (w *ward) do(b *testing.B, name string, f func() error) {
	b.Run(name, func(b *testing.B) {
		b.ReportAllocs()
		w.ok(f())
		for b.Loop() {
			w.ok(f())
		}
	})
}

// background waits for snapshots that the last loads asked for.
func (w *ward) background() { time.Sleep(300 * time.Millisecond) }

// cpu is the processor time of this process, which a busy machine does not stretch as it does the clock.
func cpu() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
