package validate_test

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/fhir/validate"
)

// BenchmarkResource checks the resources of a few Synthea bundles, one after the other.
func BenchmarkResource(b *testing.B) {
	files, _ := filepath.Glob(corpus(b, "synthea/r4-2019/*_*_*.json.gz"))
	var all []fhir.Resource
	size := 0
	for _, f := range files[:8] {
		_, entries, err := fhir.ReadBundle(bytes.NewReader(gunzip(b, f)))
		if err != nil {
			b.Fatal(err)
		}
		for _, e := range entries {
			all = append(all, e.Resource)
			size += len(e.Resource.Raw())
		}
	}
	b.SetBytes(int64(size / len(all)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		validate.Resource(all[i%len(all)], validate.Lenient)
	}
}
