package validate_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/fhir/validate"
)

func corpus(t testing.TB, parts ...string) string {
	dir := os.Getenv("WELLGATE_CORPUS")
	if dir == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("WELLGATE_CORPUS must name the test data in CI")
		}
		t.Skip("set WELLGATE_CORPUS to the folder of the test data to run this test")
	}
	return filepath.Join(append([]string{dir}, parts...)...)
}

func gunzip(t testing.TB, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(file, ".gz") {
		return b
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if b, err = io.ReadAll(z); err != nil {
		t.Fatal(err)
	}
	return b
}

// unzip calls f with every file of an archive.
func unzip(t testing.TB, file string, f func(name string, data []byte)) {
	t.Helper()
	z, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for _, e := range z.File {
		r, err := e.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		f(e.Name, b)
	}
}

func failures(issues []validate.Issue) []string {
	var out []string
	for _, i := range issues {
		if i.Severity == validate.Error {
			out = append(out, i.String())
		}
	}
	return out
}

// Elements that these files lack: they come from a server that does not check.
var lacking = []string{
	"error: Appointment.participant[0].status: is missing",
	"error: ImagingStudy.series[0].instance[0].sopClass: is missing",
	"error: ImagingStudy.series[0].modality: is missing",
}

// What comes from Synthea, US Core and CARIN is sound.
func TestCorpusIsSound(t *testing.T) {
	var files []string
	for _, glob := range []string{"synthea/*/*.json.gz", "uscore/test-bundles/*", "uscore/smart-compartments/*", "billing/*/*.json", "scheduling/*/*.json", "careplans/*/*.json", "messaging/*/*.json", "consent/*/*.json"} {
		found, _ := filepath.Glob(corpus(t, glob))
		files = append(files, found...)
	}
	resources, size := 0, 0
	var spent time.Duration
	check := func(file string, r fhir.Resource) {
		start := time.Now()
		issues := validate.Resource(r, validate.Lenient)
		spent += time.Since(start)
		resources, size = resources+1, size+len(r.Raw())
		for _, f := range failures(issues) {
			if !strings.HasPrefix(filepath.Base(file), "SmartPatient") || !slices.Contains(lacking, f) {
				t.Errorf("%s: %s: %s", filepath.Base(file), r.Ref(), f)
			}
		}
	}
	for _, file := range files {
		data := gunzip(t, file)
		r, err := fhir.Parse(data)
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
			continue
		}
		if r.Type() != "Bundle" {
			check(file, r)
			continue
		}
		_, entries, err := fhir.ReadBundle(bytes.NewReader(data))
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
		}
		for _, e := range entries {
			check(file, e.Resource)
		}
	}
	t.Logf("%d resources, %d MB in %v", resources, size>>20, spent)
	if resources < 30000 {
		t.Errorf("only %d resources seen", resources)
	}
}

func TestBulkExportIsSound(t *testing.T) {
	files, _ := filepath.Glob(corpus(t, "synthea/bulk-ndjson-2024/*.ndjson.gz"))
	for _, file := range files {
		if strings.HasPrefix(filepath.Base(file), "log.") {
			continue
		}
		for line := range bytes.Lines(gunzip(t, file)) {
			r, err := fhir.Parse(line)
			if err != nil {
				t.Errorf("%s: %v", filepath.Base(file), err)
				continue
			}
			for _, f := range failures(validate.Resource(r, validate.Lenient)) {
				t.Errorf("%s: %s: %s", filepath.Base(file), r.Ref(), f)
			}
		}
	}
}

// The official examples break invariants here and there (README of the test data), but no rule of structure.
func TestOfficialExamples(t *testing.T) {
	n := 0
	unzip(t, corpus(t, "r4-core", "r4-examples.zip"), func(name string, data []byte) {
		if !strings.HasSuffix(name, ".json") {
			return
		}
		r, err := fhir.Parse(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		n++
		for _, f := range failures(validate.Resource(r, validate.Lenient)) {
			t.Errorf("%s: %s", name, f)
		}
	})
	if n < 400 {
		t.Errorf("only %d examples seen", n)
	}
}

// JSONTestSuite: every n_ is refused and every y_ accepted. Of what RFC 8259 leaves open (i_), numbers of any size are
// kept as text, and whatever is not clean UTF-8 (bad bytes, lone surrogates, UTF-16, a byte order mark) is refused.
func TestJSONTestSuite(t *testing.T) {
	counts := map[byte]int{}
	unzip(t, corpus(t, "bad-inputs", "json-parsing.zip"), func(name string, data []byte) {
		base := filepath.Base(name)
		if !strings.HasSuffix(base, ".json") {
			return
		}
		_, err := fhir.ParseJSON(data)
		counts[base[0]]++
		accept := base[0] == 'y' || strings.HasPrefix(base, "i_number")
		if accept != (err == nil) {
			t.Errorf("%s: %v", base, err)
		}
	})
	if counts['n'] < 100 || counts['y'] < 40 || counts['i'] < 20 {
		t.Errorf("files seen: %v", counts)
	}
}

// other are the HL7 validator's cases where its verdict is not ours, and why: it also checks terminology, profiles and
// invariants, which are not structure.
var other = map[string]string{
	"dr-example-org.json":                               "refuses example.org URLs",
	"mr-covid-bnd1.json":                                "invariant: Coding.system is absolute",
	"pat-security-bad-string.json":                      "refuses HTML tags in strings; we keep the text and escape it when shown",
	"bundle-duplicate-id.json":                          "invariant: fullUrl is absolute and unique",
	"mni-patientOverview-bundle-example1.json":          "terminology: display names",
	"mni-patientOverview-bundle-example1b.json":         "terminology: display names",
	"target-ref-profile-empty.json":                     "profiles that are not at hand",
	"bundle-id-search-2.json":                           "invariant: one link of each relation",
	"bundle-id-search-4.json":                           "terminology: display names",
	"pat-example-ext.json":                              "extensions that are not at hand",
	"maiden-name.json":                                  "an extension outside its context",
	"ai6.json":                                          "profile: identifier is required there",
	"slice23/StructureDefinition-Slice23-original.json": "slicing rules of a profile",
	"ips-nz-pj.json":                                    "terminology: display names",
}

func TestValidatorCases(t *testing.T) {
	verdicts := map[string]string{}
	unzip(t, corpus(t, "bad-inputs", "fhir-validator-cases.zip"), func(name string, data []byte) {
		if name == "manifest.csv" {
			rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range rows[1:] {
				verdicts[row[0]] = row[2]
			}
		}
	})
	if len(verdicts) < 40 {
		t.Fatalf("%d cases in the manifest", len(verdicts))
	}
	unzip(t, corpus(t, "bad-inputs", "fhir-validator-cases.zip"), func(name string, data []byte) {
		verdict, listed := verdicts[name]
		if !listed {
			return
		}
		var bad []string
		if r, err := fhir.Parse(data); err != nil {
			bad = []string{err.Error()}
		} else {
			bad = failures(validate.Resource(r, validate.Lenient))
		}
		agrees := (verdict != "0") == (len(bad) > 0)
		switch why := other[name]; {
		case why == "" && !agrees:
			t.Errorf("%s: the HL7 validator counts %s errors, we find %q", name, verdict, bad)
		case why != "" && agrees:
			t.Errorf("%s agrees now: take it off the list", name)
		}
	})
}
