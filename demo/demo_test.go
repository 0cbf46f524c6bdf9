package demo

import (
	"testing"
	"time"
)

// moment is when all tests take place.
func moment(t testing.TB) time.Time {
	t.Helper()
	zone, err := time.LoadLocation(zoneName)
	if err != nil {
		t.Fatal(err)
	}
	return time.Date(2026, time.November, 23, 9, 0, 0, 0, zone)
}

func generate(t testing.TB, seed uint64) *Practice {
	t.Helper()
	p, err := Generate(seed, moment(t))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestSmoke(t *testing.T) {
	start := time.Now()
	p := generate(t, 1)
	t.Log(time.Since(start))
	n, bytes := 0, 0
	for _, q := range p.Patients {
		b := 0
		for _, r := range q.Record {
			b += len(r.Raw())
		}
		t.Log(q.DisplayName, q.Resource.ID(), q.Login, q.Number, len(q.Record), b/1024, "KB", len(q.Files), q.Labels)
		n += len(q.Record)
		bytes += b
	}
	t.Log(n, bytes, len(p.Directory), p.Families)
}
