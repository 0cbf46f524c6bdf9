package chart_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wellgate/wellgate/fhir"
	. "github.com/wellgate/wellgate/trust/chart"
)

// The corpus's transaction bundles are taken whole: every entry is answered, can be read under its id, and points at
// nothing that only its bundle knew.
func TestTransactCorpus(t *testing.T) {
	dir := os.Getenv("WELLGATE_CORPUS")
	if dir == "" {
		t.Skip("WELLGATE_CORPUS does not name the folder of test data")
	}
	for _, folder := range []string{"r4-2019", "uscore-2021", "uscore-2022", "large"} {
		t.Run(folder, func(t *testing.T) {
			o := newPlace(t).open(t)
			files, _ := filepath.Glob(filepath.Join(dir, "synthea", folder, "*.json.gz"))
			// Hospitals and practitioners first: patients refer to them by search.
			slices.SortStableFunc(files, func(a, b string) int { return order(a) - order(b) })
			n := 0
			for _, f := range files {
				n += o.takeCorpus(t, f)
			}
			t.Logf("%d files, %d resources", len(files), n)
		})
	}
}

func order(file string) int {
	for i, word := range []string{"hospital", "practitioner", "provider"} {
		if strings.Contains(strings.ToLower(filepath.Base(file)), word) {
			return i
		}
	}
	return 9
}

func (o *opened) takeCorpus(t *testing.T, file string) int {
	t.Helper()
	ctx := context.Background()
	f, err := os.Open(file)
	must(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	must(t, err)
	text, err := io.ReadAll(z)
	must(t, err)
	_, entries, err := fhir.ParseBundle(text)
	must(t, err)
	done, err := o.Transact(ctx, o.Begin(importer, "test"), Transaction{What: "test", Entries: entries, Intake: true})
	if err != nil {
		t.Errorf("%s: %v", filepath.Base(file), err)
		return 0
	}
	for i, d := range done {
		if d.Status != 200 && d.Status != 201 {
			t.Errorf("%s: entry %d: %+v", filepath.Base(file), i, d)
			continue
		}
		num, ok, err := o.Locate(ctx, o.Begin(importer, "t"), d.Type, d.ID)
		if err != nil || !ok {
			t.Fatalf("%s: %s/%s is nowhere: %v", filepath.Base(file), d.Type, d.ID, err)
		}
		e, err := o.System(o.Begin(importer, "t"), num).Get(ctx, d.Type, d.ID)
		if err != nil || e.Version != d.Version || !e.Updated.Equal(d.Modified) {
			t.Fatalf("%s: %s/%s: %v, %d %v, answered %+v", filepath.Base(file), d.Type, d.ID, err, e.Version, e.Updated, d)
		}
		if bytes.Contains(e.Raw(), []byte(`"reference":"urn:`)) {
			t.Errorf("%s: %s/%s still refers to its bundle", filepath.Base(file), d.Type, d.ID)
		}
		if again, err := fhir.Parse(e.Raw()); err != nil || !bytes.Equal(again.Raw(), e.Raw()) {
			t.Errorf("%s: %s/%s does not parse again: %v", filepath.Base(file), d.Type, d.ID, err)
		}
	}
	return len(done)
}
