package results

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wellgate/wellgate/fhir"
)

// corpus reads every bundle under WELLGATE_CORPUS/synthea, one patient's documents at a time.
func corpus(t *testing.T, each func(name string, docs []Doc, person Person)) {
	t.Helper()
	dir := os.Getenv("WELLGATE_CORPUS")
	if dir == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("WELLGATE_CORPUS is not set: set it to the folder that holds synthea/")
		}
		t.Skip("WELLGATE_CORPUS is not set: the run over the Synthea corpus is left out")
	}
	for _, pattern := range []string{"synthea/r4-2019/*.json.gz", "synthea/uscore-2021/*.json.gz", "synthea/uscore-2022/*.json.gz", "synthea/large/*.json.gz", "uscore/test-bundles/*.json.gz"} {
		names, _ := filepath.Glob(filepath.Join(dir, pattern))
		if len(names) == 0 {
			t.Fatalf("no file matches %s in WELLGATE_CORPUS", pattern)
		}
		for _, name := range names {
			docs, person := bundle(t, name)
			each(filepath.Base(name), docs, person)
		}
	}
}

func bundle(t *testing.T, name string) (docs []Doc, person Person) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	var b struct {
		Entry []struct {
			FullURL  string
			Resource json.RawMessage
		}
	}
	if err := json.Unmarshal(raw, &b); err != nil {
		t.Fatal(err)
	}
	for _, e := range b.Entry {
		r, err := fhir.Parse(e.Resource)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		switch r.Type() {
		case "Patient":
			p := fhir.Into[fhir.Patient](r)
			person = Person{Born: p.BirthDate, Sex: p.Gender}
		case "Observation", "DiagnosticReport", "ClinicalImpression":
			// as the importer does: a report finds its results by the ids that urn:uuid stood for
			s := strings.ReplaceAll(string(r.Raw()), `"urn:uuid:`, `"Observation/`)
			if r, err = fhir.Parse([]byte(s)); err != nil {
				t.Fatal(err)
			}
			if r.ID() == "" {
				if r, err = r.With("id", strings.TrimPrefix(e.FullURL, "urn:uuid:")); err != nil {
					t.Fatal(err)
				}
			}
			docs = append(docs, Doc{Resource: r, Updated: now})
		}
	}
	return docs, person
}

// TestCorpus: every laboratory Observation is in the book once, under a name, with the digits it came with, and its
// status is what a second, plain reading of interpretation and reference range gives.
func TestCorpus(t *testing.T) {
	labs, named, withStatus, reports := 0, 0, 0, 0
	corpus(t, func(name string, docs []Doc, person Person) {
		in := Input{Person: person, Now: now, Since: now.AddDate(0, 0, -1), Zone: time.UTC}
		type seen struct {
			raw    map[string]any
			status Status
		}
		want := map[string]seen{}
		for _, d := range docs {
			if d.Type() == "DiagnosticReport" {
				in.Reports = append(in.Reports, d)
				continue
			}
			d = ranged(t, d, len(in.Observations))
			in.Observations = append(in.Observations, d)
			var m map[string]any
			dec := json.NewDecoder(strings.NewReader(string(d.Raw())))
			dec.UseNumber()
			if err := dec.Decode(&m); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(d.Raw()), `"code":"laboratory"`) {
				want[d.ID()] = seen{m, bruteForce(m)}
			}
		}
		b := Collect(in)
		listed := map[string]int{}
		for _, r := range b.All() {
			listed[r.ID]++
			if r.Type == "DiagnosticReport" {
				reports++
			}
		}
		for id, w := range want {
			labs++
			r := b.One("Observation", id)
			if r == nil {
				t.Fatalf("%s: Observation/%s is not in the book", name, id)
			}
			if listed[r.ID] != 1 {
				t.Errorf("%s: Observation/%s is listed %d times", name, r.ID, listed[r.ID])
			}
			if r.Name.Key == "" && r.Name.Reported == "" && r.Name.Code == "" {
				t.Errorf("%s: Observation/%s has no name", name, id)
			}
			if r.Name.Key != "" {
				named++
			}
			if q, ok := w.raw["valueQuantity"].(map[string]any); ok && r.ID == id && string(r.Value.Digits) != q["value"].(json.Number).String() {
				t.Errorf("%s: Observation/%s shows %s for %s", name, id, r.Value.Digits, q["value"])
			}
			if r.Value.Form == Nothing && len(r.Parts) == 0 && len(r.Members) == 0 && !strings.Contains(string(mustJSON(w.raw)), `"entered-in-error"`) {
				t.Errorf("%s: Observation/%s shows no value", name, id)
			}
			if w, ok := want[r.ID]; ok && r.Status != w.status { // r may be the twin that stays
				t.Errorf("%s: Observation/%s is %v, want %v", name, id, r.Status, w.status)
			}
			if r.Status != NotGiven {
				withStatus++
			}
			b.Trend(r)
		}
	})
	t.Logf("%d laboratory results, %d with plain words, %d with a status; %d reports", labs, named, withStatus, reports)
	if labs < 5000 {
		t.Errorf("only %d laboratory results: is the corpus whole?", labs)
	}
	if named*100 < labs*95 {
		t.Errorf("plain words for %d of %d results, want 95 %%", named, labs)
	}
}

// ranged gives results of the corpus, which come without reference ranges, one of several in turn.
func ranged(t *testing.T, d Doc, i int) Doc {
	o := fhir.Into[fhir.Observation](d.Resource)
	if len(o.ReferenceRange) > 0 || o.ValueQuantity == nil {
		return d
	}
	x, ok := rat(o.ValueQuantity.Value)
	if !ok || i%7 == 0 {
		return d
	}
	part := func(n int64) *fhir.Quantity {
		r := new(big.Rat).Mul(x, big.NewRat(n, 100))
		return &fhir.Quantity{Value: fhir.Decimal(r.FloatString(6)), Unit: o.ValueQuantity.Unit}
	}
	var rr fhir.ObservationReferenceRange
	if i%5 != 0 {
		rr.Low = part(int64(60 + i%60))
	}
	if i%5 != 1 {
		rr.High = part(int64(120 + i%3 - 40*(i%2)))
	}
	if rr.Low != nil && rr.High != nil && rr.Low.Value.Cmp(rr.High.Value) > 0 {
		rr.High = nil
	}
	r, err := d.With("referenceRange", []fhir.ObservationReferenceRange{rr})
	if err != nil {
		t.Fatal(err)
	}
	return Doc{Resource: r, Updated: d.Updated}
}

func mustJSON(v any) []byte { b, _ := json.Marshal(v); return b }

// bruteForce reads only what the corpus can hold: codes N L LL H HH, and one range with limits.
func bruteForce(m map[string]any) Status {
	said := NotGiven
	if list, ok := m["interpretation"].([]any); ok {
		s := string(mustJSON(list))
		for code, st := range map[string]Status{`"N"`: Usual, `"L"`: Low, `"LL"`: VeryLow, `"H"`: High, `"HH"`: VeryHigh, `"A"`: Outside, `"POS"`: Positive, `"NEG"`: Negative} {
			if strings.Contains(s, `"code":`+code) {
				said = st
			}
		}
	}
	ranged := NotGiven
	q, _ := m["valueQuantity"].(map[string]any)
	list, _ := m["referenceRange"].([]any)
	if q != nil && len(list) == 1 {
		rr := list[0].(map[string]any)
		x := num(q["value"])
		low, high := limit(rr["low"]), limit(rr["high"])
		tenth := new(big.Rat)
		switch {
		case low != nil && high != nil:
			tenth.Sub(high, low)
		case low != nil:
			tenth.Abs(low)
		case high != nil:
			tenth.Abs(high)
		}
		tenth.Quo(tenth, big.NewRat(10, 1))
		switch {
		case low == nil && high == nil:
		case low != nil && new(big.Rat).Add(x, tenth).Cmp(low) < 0:
			ranged = Low
		case low != nil && x.Cmp(low) < 0:
			ranged = LittleLow
		case high != nil && new(big.Rat).Sub(x, tenth).Cmp(high) > 0:
			ranged = High
		case high != nil && x.Cmp(high) > 0:
			ranged = LittleHigh
		default:
			ranged = Usual
		}
	}
	switch {
	case said == NotGiven, said == Low && ranged == LittleLow, said == High && ranged == LittleHigh, said == Outside && ranged.Flagged():
		return ranged
	}
	return said
}

func limit(v any) *big.Rat {
	m, ok := v.(map[string]any)
	if !ok || m["value"] == nil {
		return nil
	}
	return num(m["value"])
}

func num(v any) *big.Rat {
	r, _ := new(big.Rat).SetString(v.(json.Number).String())
	return r
}
