package fhir_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wellgate/wellgate/fhir"
)

func TestParseKeepsWhatItIsGiven(t *testing.T) {
	const in = "{ \"x-unknown\" : 1.50e0 ,\n \"resourceType\":\"Observation\",\"valueQuantity\":{\"value\":1.50},\"note\":[{\"text\":\"\\u0041 <b>\\/\"}],\"id\":\"a.1\" }"
	r, err := fhir.Parse([]byte(in))
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"x-unknown":1.50e0,"resourceType":"Observation","valueQuantity":{"value":1.50},"note":[{"text":"\u0041 <b>\/"}],"id":"a.1"}`
	if got := string(r.Raw()); got != want {
		t.Errorf("raw\n got %s\nwant %s", got, want)
	}
	if r.Ref() != "Observation/a.1" || r.String() != "Observation/a.1" {
		t.Errorf("ref %q", r.Ref())
	}
}

func TestParseRefuses(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for name, tc := range map[string]struct{ in, want string }{
		"empty":             {"", "ends before"},
		"array":             {"[]", "JSON object"},
		"no type":           {`{"id":"a"}`, "resourceType is missing"},
		"unknown type":      {`{"resourceType":"Secret"}`, "no resource type"},
		"abstract type":     {`{"resourceType":"DomainResource"}`, "no resource type"},
		"type not a string": {`{"resourceType":["Patient"]}`, "no resource type"},
		"empty id":          {`{"resourceType":"Patient","id":""}`, "Patient.id"},
		"long id":           {`{"resourceType":"Patient","id":"` + strings.Repeat("a", 65) + `"}`, "Patient.id"},
		"id with slash":     {`{"resourceType":"Patient","id":"a/b"}`, "Patient.id"},
		"id a number":       {`{"resourceType":"Patient","id":1}`, "Patient.id"},
		"duplicate":         {`{"resourceType":"Patient","name":[{"family":"Secret","family":"b"}]}`, "name[0] has the same element twice"},
		"escaped duplicate": {`{"resourceType":"Patient","id":"a","\u0069d":"b"}`, "twice"},
		"bad utf8":          {"{\"resourceType\":\"Patient\",\"language\":\"\xff\"}", "not UTF-8"},
		"lone surrogate":    {`{"resourceType":"Patient","language":"\ud800"}`, "not UTF-8"},
		"bom":               {"\xef\xbb\xbf{\"resourceType\":\"Patient\"}", "byte order mark"},
		"trailing":          {`{"resourceType":"Patient"} {}`, "follows its end"},
		"truncated":         {`{"resourceType":"Patient"`, "ends before"},
		"too deep":          {`{"resourceType":"Patient","x":` + deep(64) + `}`, "deeper than 64"},
		"very deep":         {`{"resourceType":"Patient","x":` + strings.Repeat("[", 200000), "is"},
	} {
		_, err := fhir.Parse([]byte(tc.in))
		switch {
		case !errors.Is(err, fhir.ErrInvalid):
			t.Errorf("%s: got %v", name, err)
		case !strings.Contains(err.Error(), tc.want):
			t.Errorf("%s: %v does not say %q", name, err, tc.want)
		case strings.Contains(err.Error(), "Secret"):
			t.Errorf("%s: error quotes the content: %v", name, err)
		}
	}
	if _, err := fhir.Parse([]byte(`{"resourceType":"Patient","x":` + deep(63) + `}`)); err != nil {
		t.Errorf("64 levels: %v", err)
	}
}

func TestIntoDropsOnlyWhatIsBroken(t *testing.T) {
	r, err := fhir.Parse([]byte(`{"resourceType":"Observation","id":"o","status":["final"],"code":{"text":"Iron","coding":"x"},
		"category":[{"text":"a"},7,{"text":null,"coding":[{"code":1,"system":"s"},{"code":"ok"}]}],
		"subject":{"reference":"Patient/1"},"effectiveDateTime":"yesterday","issued":"2020-02-30T00:00:00Z",
		"valueQuantity":{"value":"5","unit":"mg"},"referenceRange":[{"low":{"value":3.10}}, "x", {"text":"r"}],
		"interpretation":{"text":"H"},"valueInteger":null,"component":[{"valueInteger":1.5,"code":{"text":"c"}}],
		"contained":[{"resourceType":"Nope"},{"resourceType":"Patient","id":"p"}],"note":null}`))
	if err != nil {
		t.Fatal(err)
	}
	got := fhir.Into[fhir.Observation](r)
	want := fhir.Observation{
		ID: "o", Code: fhir.CodeableConcept{Text: "Iron"}, Subject: fhir.Reference{Reference: "Patient/1"},
		Category:       []fhir.CodeableConcept{{Text: "a"}, {Coding: []fhir.Coding{{System: "s"}, {Code: "ok"}}}},
		ValueQuantity:  &fhir.Quantity{Unit: "mg"},
		ReferenceRange: []fhir.ObservationReferenceRange{{Low: &fhir.Quantity{Value: "3.10"}}, {Text: "r"}},
		Component:      []fhir.ObservationComponent{{Code: fhir.CodeableConcept{Text: "c"}}},
		Contained:      []fhir.Resource{},
	}
	refs := ""
	for _, c := range got.Contained {
		refs += c.Ref()
	}
	if refs != "Patient/p" {
		t.Errorf("contained %q", refs)
	}
	got.Contained = want.Contained
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if p := fhir.Into[fhir.Patient](r); p.ID != "" {
		t.Error("an Observation became a Patient")
	}
}

func TestNewRoundTrip(t *testing.T) {
	o := fhir.Observation{ID: "o1", Status: "final", Code: fhir.Concept("http://loinc.org", "718-7", "Hemoglobin"),
		Subject: fhir.Reference{Reference: "Patient/1"}, EffectiveDateTime: "2024-05",
		ValueQuantity: &fhir.Quantity{Value: "13.50", Unit: "g/dL"}, ValueBoolean: new(false)}
	r, err := fhir.New(&o)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(r.Raw()), `{"resourceType":"Observation","id":"o1",`) || !strings.Contains(string(r.Raw()), `"value":13.50`) {
		t.Errorf("raw %s", r.Raw())
	}
	if d := cmp.Diff(o, fhir.Into[fhir.Observation](r)); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	for name, bad := range map[string]any{"not a resource": fhir.Coding{}, "nil": nil, "nil pointer": (*fhir.Patient)(nil), "bad id": fhir.Patient{ID: "a b"},
		"bad utf8": fhir.Patient{Gender: "\xff"}, "bad decimal": fhir.Observation{ValueQuantity: &fhir.Quantity{Value: "1,5"}}} {
		if _, err := fhir.New(bad); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestWith(t *testing.T) {
	r, _ := fhir.Parse([]byte(`{"resourceType":"Patient","id":"a","x":{"id":1.0},"active":true}`))
	for _, tc := range []struct {
		member string
		value  any
		want   string
	}{
		{"active", false, `{"resourceType":"Patient","id":"a","x":{"id":1.0},"active":false}`},
		{"active", nil, `{"resourceType":"Patient","id":"a","x":{"id":1.0}}`},
		{"gone", nil, `{"resourceType":"Patient","id":"a","x":{"id":1.0},"active":true}`},
		{"id", "b", `{"resourceType":"Patient","id":"b","x":{"id":1.0},"active":true}`},
		{"name", []fhir.HumanName{{Text: "<é>"}}, `{"resourceType":"Patient","id":"a","x":{"id":1.0},"active":true,"name":[{"text":"<é>"}]}`},
	} {
		got, err := r.With(tc.member, tc.value)
		if err != nil || string(got.Raw()) != tc.want {
			t.Errorf("With(%s): %v\n got %s\nwant %s", tc.member, err, got.Raw(), tc.want)
		}
	}
	for _, bad := range []string{"resourceType", "", `a"b`, "a.b"} {
		if _, err := r.With(bad, 1); err == nil {
			t.Errorf("With(%q) accepted", bad)
		}
	}
	if _, err := r.With("id", "a b"); err == nil {
		t.Error("a bad id was accepted")
	}
}

func TestDateTime(t *testing.T) {
	ny := time.FixedZone("", -5*3600)
	for _, tc := range []struct {
		in       fhir.DateTime
		p        fhir.Precision
		from, to string
	}{
		{"2019", fhir.Year, "2019-01-01T00:00:00-05:00", "2020-01-01T00:00:00-05:00"},
		{"2019-12", fhir.Month, "2019-12-01T00:00:00-05:00", "2020-01-01T00:00:00-05:00"},
		{"2020-02-29", fhir.Day, "2020-02-29T00:00:00-05:00", "2020-03-01T00:00:00-05:00"},
		{"2020-02-29T10:11", fhir.Minute, "2020-02-29T10:11:00-05:00", "2020-02-29T10:12:00-05:00"},
		{"2020-02-29T10:11:12", fhir.Second, "2020-02-29T10:11:12-05:00", "2020-02-29T10:11:13-05:00"},
		{"2020-02-29T10:11:12+02:30", fhir.Second, "2020-02-29T10:11:12+02:30", "2020-02-29T10:11:13+02:30"},
		{"2020-02-29T10:11:12.5Z", fhir.Fraction, "2020-02-29T10:11:12.5Z", "2020-02-29T10:11:12.6Z"},
		{"2016-12-31T23:59:60Z", fhir.Second, "2016-12-31T23:59:59Z", "2017-01-01T00:00:00Z"},
	} {
		from, to, ok := tc.in.Interval(ny)
		if !ok || tc.in.Precision() != tc.p || from.Format(time.RFC3339Nano) != tc.from || to.Format(time.RFC3339Nano) != tc.to {
			t.Errorf("%s: %v %v %v %v", tc.in, tc.in.Precision(), from.Format(time.RFC3339Nano), to.Format(time.RFC3339Nano), ok)
		}
	}
	for _, bad := range []fhir.DateTime{"", "19", "2019-13", "2019-02-30", "2019-1-1", "2019-01-01Z", "2019-01-01T", "2019-01-01T25:00:00Z",
		"2019-01-01T10:00:00.Z", "2019-01-01T10:00:00+2", "2019-01-01T10:00:00+15:00", "2019-01-01 10:00:00", "0000", "2019-01-01T10:00:00.1.1Z", "20190101"} {
		if p := bad.Precision(); p != fhir.Unknown {
			t.Errorf("%q has precision %d", bad, p)
		}
	}
	if !fhir.DateTime("2019-01-01T00:00:00+01:00").Before("2019-01-01") || !fhir.DateTime("2019").After("") {
		t.Error("order")
	}
}

func TestDecimal(t *testing.T) {
	for _, tc := range []struct {
		a, b fhir.Decimal
		want int
	}{{"1.50", "1.5", 0}, {"1e2", "99", 1}, {"-1", "0", -1}, {"", "0", -1}, {"1e999999999", "0", -1}, {"x", "", 0}} {
		if got := tc.a.Cmp(tc.b); got != tc.want {
			t.Errorf("%s Cmp %s = %d", tc.a, tc.b, got)
		}
	}
	if f, ok := fhir.Decimal("6.30").Float64(); !ok || f != 6.3 {
		t.Error(f, ok)
	}
	if _, ok := fhir.Decimal("1e999").Float64(); ok {
		t.Error("infinite")
	}
}

func TestNames(t *testing.T) {
	for _, tc := range []struct {
		in   []fhir.HumanName
		want string
	}{
		{nil, ""},
		{[]fhir.HumanName{{Use: "official", Family: "Lee", Given: []string{"Ann", "B."}, Prefix: []string{"Dr."}}, {Use: "old", Text: "Ann Old"}}, "Dr. Ann B. Lee"},
		{[]fhir.HumanName{{Use: "maiden", Family: "M"}, {Use: "official", Family: "O"}, {Use: "usual", Text: "U"}}, "U"},
		{[]fhir.HumanName{{Use: "usual"}, {Family: "王", Given: []string{"小明"}, Text: "王小明"}}, "王小明"},
		{[]fhir.HumanName{{Use: "old", Family: "Only"}}, "Only"},
	} {
		if got := (fhir.Patient{Name: tc.in}).DisplayName(); got != tc.want {
			t.Errorf("got %q, want %q", got, tc.want)
		}
	}
}

func TestSplitRef(t *testing.T) {
	for in, want := range map[string]string{"Patient/1": "Patient/1", "https://h/fhir/Patient/1/_history/3": "Patient/1", "Patient/1#x": "Patient/1",
		"#p": "", "urn:uuid:1": "", "Patient?identifier=1": "", "Patient": "", "": "", "Patient/a b": "", "http://x/Nope/1": "", "Patient/": ""} {
		typ, id, ok := fhir.SplitRef(in)
		if got := typ + "/" + id; ok != (want != "") || ok && got != want {
			t.Errorf("%s: %s %v", in, got, ok)
		}
	}
}

// What Parse accepts it accepts again unchanged, and nothing that reads it panics.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"resourceType":"Patient","id":"a","name":[{"family":"x","given":["a",null]}]}`,
		` { "resourceType" : "Observation" , "valueQuantity" : { "value" : 1.50e0 } } `,
		`{"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"urn:uuid:1","resource":{"resourceType":"Patient"},"request":{"method":"POST","url":"Patient"}}]}`,
		`{"resourceType":"Condition","subject":{"reference":"urn:uuid:1"},"contained":[{"resourceType":"Patient","id":"\\u0061"}],"a\\"b":"\\\\"}`,
		`{"resourceType":"Patient","id":"a","\u0069d":"b"}`, "{\"a\":\"\xff\"}", `[[[[[[`, `{"resourceType":"Appointment","participant":[{"actor":{"reference":"Patient/1"}}]}`,
		`{"resourceType":"Patient","deceasedDateTime":"2020-01-01T00:00:00.123456789+14:00","birthDate":7}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		fhir.ReadBundle(bytes.NewReader(data))
		r, err := fhir.Parse(data)
		if err != nil {
			if !errors.Is(err, fhir.ErrInvalid) {
				t.Fatalf("%v is not ErrInvalid", err)
			}
			return
		}
		again, err := fhir.Parse(r.Raw())
		if err != nil || !bytes.Equal(again.Raw(), r.Raw()) {
			t.Fatalf("not stable: %v\n%s\n%s", err, r.Raw(), again.Raw())
		}
		fhir.Subject(r)
		fhir.Into[fhir.Patient](r)
		fhir.Into[fhir.Observation](r)
		fhir.Into[fhir.Bundle](r)
		for _, change := range []func() (fhir.Resource, error){
			func() (fhir.Resource, error) { return r.With("meta", fhir.Meta{VersionID: "1"}) },
			func() (fhir.Resource, error) { return r.With("name", nil) },
			func() (fhir.Resource, error) { return r.Rewrite(func(s string) string { return s + "/x" }) },
		} {
			changed, err := change()
			if err != nil {
				continue
			}
			if p, err := fhir.Parse(changed.Raw()); err != nil || p.Type() != r.Type() || p.ID() != r.ID() {
				t.Fatalf("changed to what does not parse: %v\n%s", err, changed.Raw())
			}
		}
		if len(r.References()) > len(data) {
			t.Fatal("more references than bytes")
		}
	})
}
