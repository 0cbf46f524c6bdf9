package files_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wellgate/wellgate/doors/files"
	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/internal/clock"
	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/store/storetest"
	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/identity"
	"github.com/wellgate/wellgate/trust/journal"
	"github.com/wellgate/wellgate/trust/policy"
	"github.com/wellgate/wellgate/trust/vault"
)

// corpus is the folder of real synthetic data, kept beside the checkout.
func corpus(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("WELLGATE_CORPUS")
	if dir == "" && os.Getenv("CI") == "true" {
		t.Fatal("WELLGATE_CORPUS is not set; continuous integration must not skip the corpus")
	}
	if dir == "" {
		t.Skip("WELLGATE_CORPUS does not name the folder of test data")
	}
	return dir
}

// A practice is a house in a folder of its own.
type practice struct {
	house   *chart.House
	journal *journal.Journal
}

func newPractice(t *testing.T) practice {
	t.Helper()
	ctx, dir := context.Background(), t.TempDir()
	root, err := vault.CreateRoot(filepath.Join(dir, "root.key"), nil)
	must(t, err)
	db, err := store.Open(ctx, storetest.URL(t, filepath.Join(dir, "wellgate.db")))
	must(t, err)
	v, err := vault.Open(ctx, db, root)
	must(t, err)
	j, err := journal.Open(ctx, db, v)
	must(t, err)
	rules, err := policy.New(map[string]string{"test": `@id("test.system-takes-all") permit (principal is User, action == Action::"export", resource is Item) when { principal.kind == "system" };`})
	must(t, err)
	h, err := chart.New(ctx, chart.Config{DB: db, Vault: v, Journal: j, Policy: rules, Origin: "test/log", Clock: clock.System})
	must(t, err)
	t.Cleanup(func() { h.Close(); db.Close() })
	return practice{h, j}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var who = identity.Who{Account: "system:import", Kind: identity.System}

func (p practice) load(t *testing.T, paths ...string) files.Report {
	t.Helper()
	l := &files.Loader{House: p.house, Who: who}
	rep, err := l.Load(context.Background(), paths)
	must(t, err)
	return rep
}

// all is everything stored, by reference.
func (p practice) all(t *testing.T) map[string]string {
	t.Helper()
	ctx, out := context.Background(), map[string]string{}
	reader := who
	reader.Proved = time.Now()
	for _, kind := range []journal.Kind{journal.Patient, journal.Directory, journal.Intake} {
		charts, err := p.journal.Charts(ctx, kind)
		must(t, err)
		for _, n := range charts {
			for e, err := range p.house.System(p.house.Begin(reader, "test"), n).All(ctx) {
				must(t, err)
				if out[e.Ref()] != "" {
					t.Errorf("%s is stored twice", e.Ref())
				}
				out[e.Ref()] = string(e.Raw())
			}
		}
	}
	return out
}

// All of the corpus goes in, keeps its ids and every element, and changes nothing the second time.
func TestCorpusImport(t *testing.T) {
	if testing.Short() {
		t.Skip("the corpus takes a while")
	}
	dir := corpus(t)
	paths := []string{filepath.Join(dir, "synthea"), filepath.Join(dir, "uscore", "test-bundles")}
	p := newPractice(t)
	first := p.load(t, paths...)
	if len(first.Refusals) != 1 || !strings.HasSuffix(first.Refusals[0].File, "log.ndjson") && !strings.HasSuffix(first.Refusals[0].File, "log.ndjson.gz") {
		t.Errorf("refused: %+v", first.Refusals)
	}
	if first.Patients != 114 {
		t.Errorf("%d patients, want 114", first.Patients)
	}
	stored := p.all(t)
	checked := 0
	for _, path := range paths {
		must(t, filepath.WalkDir(path, func(file string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				checked += kept(t, file, stored)
			}
			return err
		}))
	}
	if checked < 10_000 {
		t.Errorf("only %d resources were compared", checked)
	}
	second := p.load(t, paths...)
	if second.Created != 0 || second.Updated != 0 || second.Patients != 0 || second.Unchanged == 0 {
		t.Errorf("the second time: %d created, %d updated, %d patients, %d unchanged", second.Created, second.Updated, second.Patients, second.Unchanged)
	}
	t.Logf("%d files, %d resources, %d compared", first.Files, first.Created, checked)
}

// kept compares what a file brings under its own ids with what is stored: only references may have changed.
func kept(t *testing.T, file string, stored map[string]string) (n int) {
	t.Helper()
	text := read(t, file)
	var rs []json.RawMessage
	if strings.Contains(file, ".ndjson") {
		for line := range bytes.Lines(text) {
			rs = append(rs, line)
		}
	} else {
		var b struct {
			Entry []struct {
				Resource json.RawMessage
				Request  struct{ Method, IfNoneExist string }
			}
		}
		if json.Unmarshal(text, &b) != nil {
			return 0
		}
		for _, e := range b.Entry {
			if e.Request.IfNoneExist == "" { // the server gives those an id
				rs = append(rs, e.Resource)
			}
		}
	}
	for _, raw := range rs {
		r, err := fhir.Parse(raw)
		if err != nil || r.ID() == "" || fhir.InDirectory(r.Type()) { // shared by many files: the first word counts
			continue
		}
		have, ok := stored[r.Ref()]
		if !ok {
			t.Errorf("%s: %s is not stored under its id", filepath.Base(file), r.Ref())
			continue
		}
		if a, b := flat(t, raw), flat(t, []byte(have)); a != b {
			t.Errorf("%s: %s changed on the way:\n%.300s\n%.300s", filepath.Base(file), r.Ref(), a, b)
		}
		n++
	}
	return n
}

// flat is a resource without the values of its references and without white space, in the order it was written.
func flat(t *testing.T, raw []byte) string {
	t.Helper()
	r, err := fhir.Parse(raw)
	must(t, err)
	r, err = r.Rewrite(func(string) string { return "x" })
	must(t, err)
	var b bytes.Buffer
	must(t, json.Compact(&b, r.Raw()))
	return b.String()
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	f, err := os.Open(file)
	must(t, err)
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(file, ".gz") {
		z, err := gzip.NewReader(f)
		must(t, err)
		r = z
	}
	b, err := io.ReadAll(r)
	must(t, err)
	return b
}

// Bad files are refused or taken, never half, and nothing panics. What no JSON parser may accept is always refused.
func TestBadInputs(t *testing.T) {
	dir := corpus(t)
	for _, name := range []string{"json-parsing.zip", "fhir-validator-cases.zip"} {
		z, err := zip.OpenReader(filepath.Join(dir, "bad-inputs", name))
		must(t, err)
		defer z.Close()
		p, n := newPractice(t), 0
		for _, f := range z.File {
			if !strings.HasSuffix(f.Name, ".json") {
				continue
			}
			in, err := f.Open()
			must(t, err)
			b, err := io.ReadAll(in)
			must(t, err)
			in.Close()
			file := filepath.Join(t.TempDir(), filepath.Base(f.Name))
			must(t, os.WriteFile(file, b, 0o600))
			rep := p.load(t, file)
			n++
			if rep.Files+len(rep.Refusals) != 1 {
				t.Errorf("%s: %d taken, %d refused", f.Name, rep.Files, len(rep.Refusals))
			}
			if strings.HasPrefix(filepath.Base(f.Name), "n_") && len(rep.Refusals) != 1 {
				t.Errorf("%s was taken", f.Name)
			}
		}
		if n < 40 {
			t.Errorf("%s: only %d files", name, n)
		}
	}
}

// Of a refused file nothing is stored, wherever in it the fault stands.
func TestRefusedWhole(t *testing.T) {
	good := `{"resource":{"resourceType":"Patient","id":"p%d","name":[{"family":"Ok"}]}}`
	for at := range 3 {
		var entries []string
		for i := range 3 {
			e := fmt.Sprintf(good, i)
			if i == at {
				e = `{"resource":{"resourceType":"Observation","id":"bad","status":[],"subject":{"reference":"Patient/p0"}}}`
			}
			entries = append(entries, e)
		}
		p := newPractice(t)
		before := len(p.all(t))
		file := filepath.Join(t.TempDir(), "half.json")
		must(t, os.WriteFile(file, []byte(`{"resourceType":"Bundle","type":"collection","entry":[`+strings.Join(entries, ",")+`]}`), 0o600))
		rep := p.load(t, file)
		if len(rep.Refusals) != 1 || rep.Refusals[0].Where != fmt.Sprintf("entry[%d]", at) {
			t.Errorf("fault at %d: %+v", at, rep.Refusals)
		}
		if left := p.all(t); len(left) != before || rep.Created != 0 {
			t.Errorf("fault at %d: %d resources were stored", at, len(left)-before)
		}
		mended := strings.Replace(string(read(t, file)), `"status":[]`, `"status":"final","code":{"text":"x"}`, 1)
		must(t, os.WriteFile(file, []byte(mended), 0o600))
		if rep := p.load(t, file); rep.Created != 3 || len(p.all(t)) != before+3 {
			t.Errorf("the mended file brings %d, %d are stored", rep.Created, len(p.all(t))-before)
		}
	}
}

// An element that nobody knows comes back byte for byte.
func TestUnknownKept(t *testing.T) {
	const raw = `{"resourceType":"Patient","id":"odd","zzUnknown":{"deep":[1.10,"\u00e9",{"x":null}]},"name":[{"family":"Odd","yyNew":true}]}`
	p := newPractice(t)
	file := filepath.Join(t.TempDir(), "odd.json")
	must(t, os.WriteFile(file, []byte(raw), 0o600))
	if rep := p.load(t, file); rep.Created != 1 {
		t.Fatalf("%+v", rep)
	}
	if got := p.all(t)["Patient/odd"]; got != raw {
		t.Errorf("came in as\n%s\ncomes back as\n%s", raw, got)
	}
}

func TestMain(m *testing.M) { os.Exit(storetest.OnBoth(m).Run()) }
