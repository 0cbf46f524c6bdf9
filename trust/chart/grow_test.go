//go:build linux

package chart_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wellgate/wellgate/fhir"
	. "github.com/wellgate/wellgate/trust/chart"
)

// A cost is what one operation takes, whatever else the machine does.
type cost struct {
	cpu   time.Duration
	bytes uint64 // allocated
}

func (c cost) String() string {
	return fmt.Sprintf("%v, %.1f KB", c.cpu.Round(time.Microsecond), float64(c.bytes)/1e3)
}

// costs does something n times.
func (w *ward) costs(n int, do func(i int) error) cost {
	w.tb.Helper()
	var from, to runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&from)
	before := cpu()
	for i := range n {
		w.ok(do(i))
	}
	after := cpu()
	runtime.ReadMemStats(&to)
	return cost{(after - before) / time.Duration(n), (to.TotalAlloc - from.TotalAlloc) / uint64(n)}
}

// crowd makes n small charts, 50 to a delivery, and gives the bytes of their JSON.
func (w *ward) crowd(n int) (json int64) {
	ctx := context.Background()
	var rs []fhir.Resource
	for i := range n {
		patient := fmt.Sprintf("person-%d", i)
		texts := []string{fmt.Sprintf(`{"resourceType":"Patient","id":"%s","identifier":[{"system":"urn:mrn","value":"M%d"}],"name":[{"family":"Family%d","given":["Given"]}],"birthDate":"1980-05-12"}`, patient, i, i)}
		for k := range 3 {
			texts = append(texts, w.result(w.uuid(), patient, w.uuid(), k*100))
		}
		for _, text := range texts {
			r, err := fhir.Parse([]byte(text))
			w.ok(err)
			json += int64(len(r.Raw()))
			rs = append(rs, r)
		}
		if i%50 == 49 || i == n-1 {
			_, err := w.Deliver(ctx, w.Begin(importer, "grow"), Delivery{What: "grow", Resources: rs})
			w.ok(err)
			rs = rs[:0]
		}
	}
	return json
}

// A practice is what there is to say about one of n charts.
type practice struct {
	start, cold, warm, write, id, person cost
	idle, busy                           int64
	disk                                 float64
}

func (p practice) String() string {
	return fmt.Sprintf("start %v | cold read %v | warm read %v | write %v | id look-up %v | person look-up %v | heap idle %.1f MB, after reads %.1f MB | disk per JSON byte %.3f",
		p.start, p.cold, p.warm, p.write, p.id, p.person, float64(p.idle)/1e6, float64(p.busy)/1e6, p.disk)
}

func grow(t *testing.T, n int) (p practice) {
	ctx := context.Background()
	w := newWard(t, 64<<20)
	json := w.crowd(n)
	w.Settle()
	w.close()
	files, err := filepath.Glob(filepath.Join(w.dir, "wellgate.db*"))
	w.ok(err)
	for _, f := range files {
		info, err := os.Stat(f)
		w.ok(err)
		p.disk += float64(info.Size()) / float64(json)
	}
	p.start = w.costs(1, func(int) error { w.open(); return nil })
	p.idle = heap()
	const reads = 100
	charts := make([]int64, reads)
	person := func(i int) string { return fmt.Sprintf("person-%d", i*(n/reads)) }
	for i := range charts {
		charts[i], _, err = w.PatientChart(ctx, person(i))
		w.ok(err)
	}
	read := func(i int) error {
		_, err := w.reader(charts[i%reads]).Query(ctx, "Observation", labSearch, 0)
		return err
	}
	p.cold = w.costs(reads, read)
	p.warm = w.costs(10*reads, read)
	p.busy = heap()
	p.id = w.costs(reads, func(i int) error {
		_, ok, err := w.Locate(ctx, w.Begin(importer, "grow"), "Patient", person(i))
		if !ok {
			return fmt.Errorf("%s is not found: %w", person(i), err)
		}
		return err
	})
	p.person = w.costs(reads, func(i int) error {
		at := strings.TrimPrefix(person(i), "person-")
		found, err := w.Find(ctx, w.Begin(doctor, "grow"), []Identifier{{"number", "M" + at}, {"family", "Family" + at}})
		if err == nil && len(found) != 1 {
			err = fmt.Errorf("%s: found %d", person(i), len(found))
		}
		return err
	})
	p.write = w.costs(reads, func(i int) error {
		r, err := fhir.Parse([]byte(w.result(w.uuid(), person(i), "x", 6000)))
		w.ok(err)
		_, err = w.Deliver(ctx, w.Begin(importer, "grow"), Delivery{What: "grow", Resources: []fhir.Resource{r}})
		return err
	})
	w.close()
	return p
}

// A practice with more charts costs no more: it starts without reading them, and what is done to one chart does not know of
// the others. GROW=1000,10000,100000 prints the figures; the short form compares what is allocated.
func TestGrow(t *testing.T) {
	sizes := os.Getenv("GROW")
	if sizes == "" {
		sizes = "100,1000"
	}
	var first practice
	for k, text := range strings.Split(sizes, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 100 {
			t.Fatalf("GROW=%s: numbers of charts, 100 or more", sizes)
		}
		p := grow(t, n)
		t.Logf("%d charts: %v", n, p)
		if k == 0 {
			first = p
			continue
		}
		for _, c := range []struct {
			name      string
			few, many uint64
			slack     uint64
		}{
			{"start", first.start.bytes, p.start.bytes, 256 << 10}, {"cold read", first.cold.bytes, p.cold.bytes, 4 << 10}, {"warm read", first.warm.bytes, p.warm.bytes, 1 << 10},
			{"write", first.write.bytes, p.write.bytes, 16 << 10}, {"id look-up", first.id.bytes, p.id.bytes, 1 << 10}, {"person look-up", first.person.bytes, p.person.bytes, 4 << 10},
			{"heap at the start", uint64(first.idle), uint64(p.idle), 1 << 20},
		} {
			if c.many > c.few*11/10+c.slack {
				t.Errorf("%s: %d bytes allocated with %d charts, %d with the fewest", c.name, c.many, n, c.few)
			}
		}
	}
}
