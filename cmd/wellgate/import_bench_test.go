package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/wellgate/wellgate/doors/files"
	"github.com/wellgate/wellgate/trust/journal"
	"github.com/wellgate/wellgate/trust/vault"
)

// BenchmarkImport loads 44 Synthea bundles into an empty practice: parsed strictly, validated, sealed, audited, each file
// one durable commit. It reports resources a second and bytes on disk for a byte of compact JSON.
func BenchmarkImport(b *testing.B) {
	corpus := os.Getenv("WELLGATE_CORPUS")
	if corpus == "" {
		b.Skip("WELLGATE_CORPUS names no folder of synthetic patients")
	}
	for b.Loop() {
		b.StopTimer()
		dir := b.TempDir()
		if _, err := vault.CreateRoot(filepath.Join(dir, keyFile), nil); err != nil {
			b.Fatal(err)
		}
		if err := writeConfig(dir, config{Name: "B", Phone: "1", Emergency: "911", Colour: "#0e5a5e", Zone: "UTC", Host: "localhost", Log: "bench/log"}); err != nil {
			b.Fatal(err)
		}
		ctx := context.Background()
		h, err := open(ctx, opening{dir: dir})
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		start := time.Now()
		rep, err := (&files.Loader{House: h.charts, Who: system("import")}).Load(ctx, []string{filepath.Join(corpus, "synthea", "r4-2019")})
		if err != nil || rep.Patients != 44 {
			b.Fatal(rep, err)
		}
		took := time.Since(start)
		b.StopTimer()
		json := storedJSON(b, h)
		if err := h.Close(); err != nil {
			b.Fatal(err)
		}
		info, err := os.Stat(filepath.Join(dir, storeFile))
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(rep.Created)/took.Seconds(), "resources/s")
		b.ReportMetric(float64(info.Size())/float64(json), "disk-B/JSON-B")
		b.StartTimer()
	}
}

// storedJSON is how many bytes of compact JSON the patients' charts hold.
func storedJSON(b *testing.B, h *house) (n int64) {
	ctx := context.Background()
	charts, err := h.journal.Charts(ctx, journal.Patient)
	if err != nil {
		b.Fatal(err)
	}
	for _, num := range charts {
		_, rows, err := h.journal.Load(ctx, num)
		if err != nil {
			b.Fatal(err)
		}
		for _, r := range rows {
			n += int64(len(r.Plain))
		}
	}
	return n
}

// BenchmarkColdStart opens a filled practice: what stands between starting the program and answering.
func BenchmarkColdStart(b *testing.B) {
	w := newWorld(b)
	w.close()
	for b.Loop() {
		h, err := open(context.Background(), opening{dir: w.dir, demo: true, insecure: true, origins: []string{"http://" + testHost}})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := h.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
