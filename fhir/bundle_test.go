package fhir_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wellgate/wellgate/fhir"
)

func TestReferences(t *testing.T) {
	r := parse(t, `{"resourceType":"Immunization","patient":{"reference":"urn:uuid:1"},"performer":[{"actor":{"display":"x"}},
		{"actor":{"reference":"Practitioner?identifier=a|b","type":"Practitioner"}}],"education":[{"reference":"http://leaflet"}],
		"contained":[{"resourceType":"Organization","id":"c","partOf":{"reference":"#d"}}],
		"extension":[{"url":"urn:uuid:ext","valueReference":{"extension":[{"url":"u"}],"reference":"Patient\/9"}}],
		"note":[{"text":"reference: Patient/7","authorReference":{"reference":"urn:uuid:1"}}]}`)
	want := []fhir.Link{{"patient", "urn:uuid:1"}, {"performer[1].actor", "Practitioner?identifier=a|b"}, {"contained[0].partOf", "#d"},
		{"extension[0].valueReference", "Patient/9"}, {"note[0].authorReference", "urn:uuid:1"}}
	if d := cmp.Diff(want, r.References()); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	got, err := r.Rewrite(func(ref string) string {
		switch ref {
		case "urn:uuid:1":
			return `Patient/"é`
		case "Practitioner?identifier=a|b":
			return "Practitioner/p"
		}
		return ref
	})
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer(`"urn:uuid:1"`, `"Patient/\"é"`, "Practitioner?identifier=a|b", "Practitioner/p").Replace(string(r.Raw()))
	if string(got.Raw()) != text {
		t.Errorf("rewritten\n got %s\nwant %s", got.Raw(), text)
	}
	if same, _ := r.Rewrite(func(s string) string { return s }); &same.Raw()[0] != &r.Raw()[0] {
		t.Error("a rewrite that changes nothing made a copy")
	}
	if _, err := r.Rewrite(func(string) string { return "\xff" }); !errors.Is(err, fhir.ErrInvalid) {
		t.Error("bad UTF-8 went in:", err)
	}
}

func TestRewriteAttachment(t *testing.T) {
	r := parse(t, `{"resourceType":"DocumentReference","identifier":[{"value":"urn:uuid:1"}],"content":[{"attachment":{"url":"urn:uuid:1"}},{"attachment":{"url":"http://x/1"}}]}`)
	got, _ := r.Rewrite(func(string) string { return "Binary/b" })
	if want := strings.Replace(string(r.Raw()), `"url":"urn:uuid:1"`, `"url":"Binary/b"`, 1); string(got.Raw()) != want {
		t.Errorf("got %s", got.Raw())
	}
}

func TestSubject(t *testing.T) {
	for in, want := range map[string][]string{
		`{"resourceType":"Patient","id":"a","link":[{"other":{"reference":"Patient/b"}}]}`:                                          {"Patient/a"},
		`{"resourceType":"Observation","performer":[{"reference":"Patient/b"}],"subject":{"reference":"https://h/fhir/Patient/a"}}`: {"https://h/fhir/Patient/a", "Patient/b"},
		`{"resourceType":"Observation","subject":{"reference":"Group/a"},"performer":[{"reference":"Practitioner/a"}]}`:             nil,
		`{"resourceType":"Appointment","participant":[{"actor":{"reference":"Location/l"}},{"actor":{"reference":"urn:uuid:1"}}]}`:  {"urn:uuid:1"},
		`{"resourceType":"Task","for":{"reference":"Patient/a"}}`:                                                                   {"Patient/a"},
		`{"resourceType":"Coverage","beneficiary":{"reference":"Patient/a"},"subscriber":{"reference":"Patient/a"}}`:                {"Patient/a"},
		`{"resourceType":"Condition","subject":{"reference":"Patient?identifier=x"}}`:                                               {"Patient?identifier=x"},
		`{"resourceType":"Organization","partOf":{"reference":"Patient/a"}}`:                                                        nil,
	} {
		if d := cmp.Diff(want, fhir.Subject(parse(t, in))); d != "" {
			t.Errorf("%s (-want +got)\n%s", in, d)
		}
	}
	for in, want := range map[string][]string{
		`{"resourceType":"Observation","performer":[{"reference":"Patient/b"}],"subject":{"reference":"Patient/a/_history/2"}}`:                               {"Patient/a"},
		`{"resourceType":"Observation","performer":[{"reference":"Patient/b"}],"subject":{"reference":"https://h/fhir/Patient/a"}}`:                           {"https://h/fhir/Patient/a"},
		`{"resourceType":"Observation","performer":[{"reference":"Patient/b"}],"subject":{"identifier":{"value":"7"}}}`:                                       {"#"},
		`{"resourceType":"Observation","performer":[{"reference":"Patient/b"}],"subject":{"reference":"#p"}}`:                                                 {"#"},
		`{"resourceType":"Observation","performer":[{"reference":"Patient/b"}]}`:                                                                              {"Patient/b"},
		`{"resourceType":"Observation","subject":{"reference":"Location/a"}}`:                                                                                 nil,
		`{"resourceType":"Appointment","participant":[{"actor":{"reference":"Patient/a"}},{"actor":{"reference":"Patient/b"}},{"actor":{"display":"Room"}}]}`: {"Patient/a", "Patient/b"},
		`{"resourceType":"Communication","sender":{"reference":"Practitioner/p"},"recipient":[{"reference":"Patient/a"}]}`:                                    {"Patient/a"},
	} {
		if d := cmp.Diff(want, fhir.About(parse(t, in))); d != "" {
			t.Errorf("about: %s (-want +got)\n%s", in, d)
		}
	}
	if !fhir.InCompartment("Observation") || fhir.InCompartment("Organization") || !fhir.InDirectory("Organization") || fhir.InDirectory("Observation") {
		t.Error("kinds of types")
	}
}

func TestReadBundle(t *testing.T) {
	head, entries, err := fhir.ReadBundle(strings.NewReader(`{ "resourceType":"Bundle", "entry":[
		{"fullUrl":"urn:uuid:1","resource":{"resourceType":"Patient", "active" : true},"request":{"method":"POST","url":"Patient","ifNoneExist":"identifier=a|b"}},
		{"fullUrl":"http://h/Patient/2","resource":{"resourceType":"Patient","id":"2"},"request":{"method":"PUT","url":"Patient/2","ifMatch":"W/\"1\""}},
		{"request":{"method":"DELETE","url":"Observation/3"}},
		{"request":{"method":"GET","url":"Patient?name=x"}}],
		"id":"b1","type":"transaction","link":[{"relation":"next","url":"http://n"}],"timestamp":"2020-01-01T00:00:00Z"}`))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(fhir.Envelope{Type: "transaction", ID: "b1", Timestamp: "2020-01-01T00:00:00Z", Next: "http://n"}, head); d != "" {
		t.Error(d)
	}
	got := ""
	for _, e := range entries {
		got += fmt.Sprintf("%s %s %s %q %s %s %s\n", e.Method, e.URL, e.FullURL, e.Resource.Raw(), e.IfNoneExist, e.IfMatch, e.Resource.ID())
	}
	want := `POST Patient urn:uuid:1 "{\"resourceType\":\"Patient\",\"active\":true}" identifier=a|b  
PUT Patient/2 http://h/Patient/2 "{\"resourceType\":\"Patient\",\"id\":\"2\"}"  W/"1" 2
DELETE Observation/3  ""   
GET Patient?name=x  ""   
`
	if got != want {
		t.Errorf("got\n%s", got)
	}
	if d := cmp.Diff(map[string]int{"urn:uuid:1": 0, "http://h/Patient/2": 1, "Patient/2": 1}, fhir.Targets(entries)); d != "" {
		t.Error(d)
	}
}

func TestReadBundleRefuses(t *testing.T) {
	bundle := func(typ string, entries ...string) string {
		return `{"resourceType":"Bundle","type":"` + typ + `","entry":[` + strings.Join(entries, ",") + `]}`
	}
	put := `{"fullUrl":"urn:uuid:9","resource":{"resourceType":"Patient","id":"Secret"},"request":{"method":"PUT","url":"Patient/Secret"}}`
	for name, tc := range map[string]struct{ in, want string }{
		"empty":         {"", "ends before"},
		"array":         {"[]", "JSON object"},
		"other type":    {`{"resourceType":"Patient"}`, "not Bundle"},
		"no type":       {`{"resourceType":"Bundle","entry":[]}`, "Bundle.type is missing"},
		"strange type":  {bundle("Secret"), "Bundle.type is no"},
		"entry object":  {`{"resourceType":"Bundle","type":"batch","entry":{}}`, "entry must be a list"},
		"entry string":  {bundle("batch", `"Secret"`), "entry[0] must be an object"},
		"truncated":     {`{"resourceType":"Bundle","type":"batch","entry":[{"resource":{"resourceType":"Patient"}`, "ends before"},
		"trailing":      {bundle("batch") + "{}", "something that follows"},
		"duplicate":     {bundle("batch", `{"resource":{"resourceType":"Patient","id":"a","id":"Secret"}}`), "entry[0].resource has the same element twice"},
		"bad resource":  {bundle("collection", put, `{"resource":{"resourceType":"Secret"}}`), "entry[1].resource"},
		"no request":    {bundle("transaction", `{"resource":{"resourceType":"Patient"}}`), "entry[0].request.method is missing"},
		"odd method":    {bundle("batch", `{"request":{"method":"Secret","url":"Patient/1"}}`), "entry[0].request.method must be"},
		"method number": {bundle("batch", `{"request":{"method":1,"url":"Patient/1"}}`), "entry[0] method must be text"},
		"post to id":    {bundle("batch", `{"resource":{"resourceType":"Patient"},"request":{"method":"POST","url":"Patient/Secret"}}`), "the type alone"},
		"other types":   {bundle("batch", `{"resource":{"resourceType":"Patient"},"request":{"method":"POST","url":"Observation"}}`), "another type"},
		"other ids":     {bundle("batch", strings.Replace(put, "Patient/Secret", "Patient/b", 1)), "another id"},
		"post nothing":  {bundle("batch", `{"request":{"method":"POST","url":"Patient"}}`), "entry[0].resource is missing"},
		"no such type":  {bundle("batch", `{"request":{"method":"DELETE","url":"Secret/1"}}`), "must start with a resource type"},
		"delete all":    {bundle("batch", `{"request":{"method":"DELETE","url":"Patient"}}`), "Type/id or Type?search"},
		"twice":         {bundle("transaction", put, strings.Replace(put, "uuid:9", "uuid:8", 1)), "same resource as entry[0]"},
		"same fullUrl":  {bundle("transaction", put, `{"fullUrl":"urn:uuid:9","request":{"method":"GET","url":"Patient"}}`), "entry[1].fullUrl is the same as entry[0]"},
		"no document":   {bundle("document", put), "must be a Composition"},
		"no resource":   {bundle("searchset", `{"fullUrl":"a"}`), "entry[0].resource is missing"},
		"many":          {bundle("batch", strings.Repeat("{},", fhir.MaxEntries)+"{}"), "more than 100000 entries"},
		"deep":          {bundle("batch", `{"x":`+strings.Repeat("[", 62)+strings.Repeat("]", 62)+"}"), "deeper than 64"},
	} {
		_, _, err := fhir.ReadBundle(strings.NewReader(tc.in))
		if !errors.Is(err, fhir.ErrInvalid) || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "Secret") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := fhir.ReadBundle(strings.NewReader(bundle("batch", put, put))); err != nil {
		t.Error("a batch may name a resource twice:", err)
	}
}

// Every Synthea bundle splits, and a transaction's own references all find their entry once rewritten.
func TestCorpusBundles(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(corpus(t), "synthea", "*", "*.json.gz"))
	if len(files) < 60 {
		t.Fatalf("%d files", len(files))
	}
	for _, f := range files {
		data := gunzip(t, f)
		start := time.Now()
		_, entries, err := fhir.ReadBundle(bytes.NewReader(data))
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(f), err)
			continue
		}
		if len(data) > 10<<20 {
			t.Logf("%d MB, %d entries: %v", len(data)>>20, len(entries), time.Since(start))
		}
		targets := fhir.Targets(entries)
		for i, e := range entries {
			link := func(ref string) string {
				if to, ok := targets[ref]; ok {
					return fmt.Sprintf("%s/n%d", entries[to].Resource.Type(), to)
				}
				return ref
			}
			r, err := e.Resource.Rewrite(link)
			if err != nil {
				t.Errorf("%s: entry %d: %v", filepath.Base(f), i, err)
			}
			slow, _ := r.With("id", "n")
			if fast, room, err := e.Linked([]byte("before"), "n", link); err != nil || !bytes.Equal(fast.Raw(), slow.Raw()) || string(room) != "before"+string(slow.Raw()) {
				t.Errorf("%s: entry %d: the two ways to link differ: %v\n%s\n%s", filepath.Base(f), i, err, fast.Raw(), slow.Raw())
			}
			for _, l := range r.References() {
				if strings.HasPrefix(l.Value, "urn:") {
					t.Errorf("%s: entry %d: %s still points nowhere", filepath.Base(f), i, l.Path)
				}
			}
			if again, err := fhir.Parse(r.Raw()); err != nil || !bytes.Equal(again.Raw(), r.Raw()) {
				t.Errorf("%s: entry %d does not parse again: %v", filepath.Base(f), i, err)
			}
			if n := len(fhir.Subject(r)); fhir.InCompartment(r.Type()) && n != 1 && r.Type() != "Device" {
				t.Errorf("%s: entry %d, a %s, has %d subjects", filepath.Base(f), i, r.Type(), n)
			}
		}
	}
}

func parse(t testing.TB, text string) fhir.Resource {
	t.Helper()
	r, err := fhir.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func corpus(t testing.TB) string {
	dir := os.Getenv("WELLGATE_CORPUS")
	if dir == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("WELLGATE_CORPUS must name the test data in CI")
		}
		t.Skip("set WELLGATE_CORPUS to the folder of the test data to run this test")
	}
	return dir
}

func gunzip(t testing.TB, file string) []byte {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
