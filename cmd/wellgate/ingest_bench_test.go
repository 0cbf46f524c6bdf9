package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/vault"
)

// A sent is one bundle as a client posts it.
type sent struct {
	body      []byte
	resources int
	json      int64 // bytes of its resources
}

// bundles are the corpus's transaction bundles, compact, each with ids of its own so that none repeats another's. Copies
// multiplies them.
func bundles(b *testing.B, copies int) (out []sent) {
	b.Helper()
	corpus := os.Getenv("WELLGATE_CORPUS")
	if corpus == "" {
		b.Skip("WELLGATE_CORPUS names no folder of synthetic patients")
	}
	files, err := filepath.Glob(filepath.Join(corpus, "synthea", "r4-2019", "*_*_*.json.gz"))
	if err != nil || len(files) == 0 {
		b.Fatal(err, "no bundles")
	}
	for n := range copies {
		for _, f := range files {
			out = append(out, ownIDs(b, unzipped(b, f), fmt.Sprintf("%s %d", f, n)))
		}
	}
	return out
}

func unzipped(b *testing.B, file string) []byte {
	b.Helper()
	f, err := os.Open(file)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		b.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		b.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, text); err != nil {
		b.Fatal(err)
	}
	return compact.Bytes()
}

func ownIDs(b *testing.B, text []byte, salt string) sent {
	b.Helper()
	var doc struct {
		Entry []struct {
			FullURL  string
			Resource json.RawMessage
		}
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		b.Fatal(err)
	}
	s := sent{resources: len(doc.Entry)}
	var pairs []string
	for _, e := range doc.Entry {
		s.json += int64(len(e.Resource))
		if id, ok := strings.CutPrefix(e.FullURL, "urn:uuid:"); ok {
			x := fmt.Sprintf("%x", sha256.Sum256([]byte(salt+id)))
			pairs = append(pairs, id, x[:8]+"-"+x[8:12]+"-4"+x[13:16]+"-8"+x[17:20]+"-"+x[20:32])
		}
	}
	s.body = []byte(strings.NewReplacer(pairs...).Replace(string(text)))
	return s
}

// BenchmarkTransact is what a FHIR door does with transaction bundles on four connections: strict JSON, validation, policy,
// sealing, audit, one durable commit a bundle. "HTTP" has the wire too, with its client on the same cores.
func BenchmarkTransact(b *testing.B) {
	b.Run("call", func(b *testing.B) {
		benchTransact(b, func(h *house, body []byte) error {
			_, err := transact(h, bytes.Clone(body)) // a door reads the body into memory of its own
			return err
		})
	})
	b.Run("HTTP", func(b *testing.B) {
		var now *house
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body := make([]byte, r.ContentLength)
			_, err := io.ReadFull(r.Body, body)
			var done []chart.Done
			if err == nil {
				done, err = transact(now, body)
			}
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			w.Header().Set("Content-Type", "application/fhir+json")
			w.Write(transactionResponse(done))
		}))
		defer server.Close()
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4, MaxConnsPerHost: 4, DisableCompression: true}}
		benchTransact(b, func(h *house, body []byte) error {
			now = h
			resp, err := client.Post(server.URL, "application/fhir+json", bytes.NewReader(body))
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
				return fmt.Errorf("%s %v", resp.Status, err)
			}
			return nil
		})
	})
}

func transact(h *house, body []byte) ([]chart.Done, error) {
	_, entries, err := fhir.ParseBundle(body)
	if err != nil {
		return nil, err
	}
	return h.charts.Transact(context.Background(), h.charts.Begin(system("bench"), "bench"), chart.Transaction{What: "bench", Entries: entries})
}

// transactionResponse is a transaction-response Bundle.
func transactionResponse(done []chart.Done) []byte {
	out := []byte(`{"resourceType":"Bundle","type":"transaction-response","entry":[`)
	for i, d := range done {
		if i > 0 {
			out = append(out, ',')
		}
		out = fmt.Appendf(out, `{"response":{"status":"%d","location":"%s/%s/_history/%d","etag":"W/\"%d\"","lastModified":"`, d.Status, d.Type, d.ID, d.Version, d.Version)
		out = append(d.Modified.AppendFormat(out, time.RFC3339Nano), `"}}`...)
	}
	return append(out, `]}`...)
}

func benchTransact(b *testing.B, send func(h *house, body []byte) error) {
	all := bundles(b, 4)
	for b.Loop() {
		b.StopTimer()
		h, dir := emptyHouse(b)
		b.StartTimer()
		start, cpu := time.Now(), cpuTime(b)
		n, size := transactAll(b, h, all, 4, send)
		took, used := time.Since(start), cpuTime(b)-cpu
		b.StopTimer()
		reportTables(b, h, size, nil)
		if err := h.Close(); err != nil {
			b.Fatal(err)
		}
		info, err := os.Stat(filepath.Join(dir, storeFile))
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(n)/took.Seconds(), "resources/s")
		b.ReportMetric(float64(used.Microseconds())/float64(n), "CPU-us/resource")
		b.ReportMetric(float64(info.Size())/float64(size), "disk-B/JSON-B")
		b.StartTimer()
	}
}

func emptyHouse(b *testing.B) (*house, string) {
	b.Helper()
	dir := b.TempDir()
	if _, err := vault.CreateRoot(filepath.Join(dir, keyFile), nil); err != nil {
		b.Fatal(err)
	}
	if err := writeConfig(dir, config{Name: "B", Phone: "1", Emergency: "911", Colour: "#0e5a5e", Zone: "UTC", Host: "localhost", Log: "bench/log"}); err != nil {
		b.Fatal(err)
	}
	h, err := open(context.Background(), opening{dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	return h, dir
}

func transactAll(b *testing.B, h *house, all []sent, connections int, send func(*house, []byte) error) (resources int, size int64) {
	work := make(chan sent)
	var wg sync.WaitGroup
	for range connections {
		wg.Go(func() {
			for s := range work {
				if err := send(h, s.body); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for _, s := range all {
		work <- s
		resources, size = resources+s.resources, size+s.json
	}
	close(work)
	wg.Wait()
	return resources, size
}

func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// reportTables says what each table stores for a byte of JSON: what its columns hold, without the pages' own bytes and
// without indexes, which the figure of the whole file has. What was there before is left out.
func reportTables(b *testing.B, h *house, size int64, before map[string]int64) {
	b.Helper()
	for table, bytes := range tableBytes(b, h) {
		if share := float64(bytes-before[table]) / float64(size); share > 0.0003 {
			b.ReportMetric(share, table+"-B/JSON-B")
		}
	}
}

func tableBytes(b *testing.B, h *house) map[string]int64 {
	b.Helper()
	all := map[string]int64{}
	for _, table := range texts(b, h, `SELECT name FROM sqlite_schema WHERE type = 'table'`) {
		var sum []string
		for _, column := range texts(b, h, `SELECT name FROM pragma_table_info('`+table+`')`) {
			sum = append(sum, "COALESCE(SUM(CASE typeof("+column+") WHEN 'integer' THEN 8 ELSE length("+column+") END), 0)")
		}
		var bytes int64
		if err := h.db.QueryRow(context.Background(), `SELECT `+strings.Join(sum, " + ")+` FROM `+table).Scan(&bytes); err != nil {
			b.Fatal(err)
		}
		all[table] = bytes
	}
	return all
}

func texts(b *testing.B, h *house, query string) (out []string) {
	b.Helper()
	rows, err := h.db.Query(context.Background(), query)
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			b.Fatal(err)
		}
		out = append(out, s)
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
	return out
}

// BenchmarkWriteOne adds single results to records that are there, four writers at once, each its own durable commit, and
// says what one costs on disk: row, audit entry and fact.
func BenchmarkWriteOne(b *testing.B) {
	all := bundles(b, 1)
	h, _ := emptyHouse(b)
	defer h.Close()
	var patients []string
	for _, s := range all[:16] {
		done, err := transact(h, bytes.Clone(s.body))
		if err != nil {
			b.Fatal(err)
		}
		patients = append(patients, done[0].ID)
	}
	before := tableBytes(b, h)
	var size, n atomic.Int64
	b.SetParallelism(2)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := n.Add(1)
			body := fmt.Appendf(nil, `{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Observation","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory","display":"Laboratory"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"4548-4","display":"Hemoglobin A1c/Hemoglobin.total in Blood"}],"text":"Hemoglobin A1c/Hemoglobin.total in Blood"},"subject":{"reference":"Patient/%s"},"effectiveDateTime":"2026-01-02T%02d:%02d:00Z","issued":"2026-01-02T10:11:12.345Z","performer":[{"display":"Laboratory %d"}],"valueQuantity":{"value":%d.%d,"unit":"%%","system":"http://unitsofmeasure.org","code":"%%"},"referenceRange":[{"low":{"value":4.0,"unit":"%%"},"high":{"value":5.6,"unit":"%%"}}]},"request":{"method":"POST","url":"Observation"}}]}`,
				patients[i%16], i%24, i%60, i%7, 4+i%9, i%10)
			size.Add(int64(len(body) - 110))
			if _, err := transact(h, body); err != nil {
				b.Error(err)
			}
		}
	})
	b.StopTimer()
	b.ReportMetric(float64(n.Load())/b.Elapsed().Seconds(), "writes/s")
	reportTables(b, h, size.Load(), before)
}
