package raw

import (
	"bytes"
	stdjson "encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// slow is the reader that Strict must agree with.
func slow(b []byte, depth int) ([]byte, bool) {
	v := jsontext.Value(bytes.Clone(b))
	err := v.Format(jsontext.AllowDuplicateNames(false), jsontext.AllowInvalidUTF8(false), jsontext.PreserveRawStrings(true),
		jsontext.ReorderRawObjects(false), jsontext.Multiline(false), jsontext.SpaceAfterColon(false), jsontext.SpaceAfterComma(false))
	if err != nil || Depth(v) > depth {
		return nil, false
	}
	return v, true
}

func agree(t *testing.T, b []byte) {
	t.Helper()
	for _, level := range []int{1, Levels} {
		want, ok := slow(b, 64)
		in := bytes.Clone(b)
		doc, fault := Strict(in, 64, level)
		if ok != (fault == nil) {
			t.Fatalf("%q: the slow reader says %v, Strict %+v", b, ok, fault)
		}
		if fault != nil {
			if fault.At < 0 || fault.At > len(fault.Text) || fault.Gone < 0 || !fault.Deep && Explain(fault.Text) == nil {
				t.Fatalf("%q: a fault that nobody can explain: %+v", b, fault)
			}
			continue
		}
		if !bytes.Equal(doc.Text, want) {
			t.Fatalf("%q: got %q, want %q", b, doc.Text, want)
		}
		if !stdjson.Valid(b) {
			t.Fatalf("%q: encoding/json refuses it", b)
		}
		for _, s := range doc.Spans {
			if end := Skip(doc.Text, int(s.Start)); end != int(s.End) {
				t.Fatalf("%q: span %v, want end %d", b, s, end)
			}
		}
		for _, m := range doc.Marks {
			if v := doc.Text[m.Start:m.End]; v[0] != '"' || Skip(doc.Text, int(m.Start)) != int(m.End) {
				t.Fatalf("%q: mark %q", b, v)
			}
		}
	}
}

var texts = []string{
	`{"a":1,"b":[true,false,null,-0,0.5,1e9,1E-2,-12.3e+4],"c":{"d":"x"}}`, ` [ ] `, `{ }`, `""`, `1`, "\t\n\r {\"a\" :\n [1 , 2 ] } ",
	`{"a":"\u00e9\n\/\b\"\\","\ud83d\ude00":"😀é€"}`, `{"id":1,"\u0069d":2}`, `{"a":"\ud800"}`, `{"a":"\udc00\ud800"}`, `{"a":"\ud800x"}`, `{"a":"\u12"}`,
	`{"a":1,}`, `[1,]`, `[1 2]`, `{"a" 1}`, `{a:1}`, `{"a":1}}`, `{"a":1}]`, `[}`, `{"a":01}`, `{"a":1.}`, `{"a":.5}`, `{"a":1e}`, `{"a":+1}`, `{"a":tru}`, `{"a":nulls}`,
	"\"\x1f\"", "\"\x7f\"", "\"\xff\"", "\"\xc3\"", "\"\xed\xa0\x80\"", "\"a\x00\"", `"abcdefgh\"ijklmnop"`, `"abcdefg\\"`, `"`, `{"`, `{"a`, `{"a":`, `[`, "", " ", `{"a":"b`,
	`{"resourceType":"Bundle","entry":[{"resource":{"id":"x","subject":{"reference":"Patient/1"},"education":[{"reference":"u"}],"url":"urn:uuid:1","implicated":[{"reference":"a","x":1}]}}]}`,
	strings.Repeat("[", 64) + strings.Repeat("]", 64), strings.Repeat("[", 65) + strings.Repeat("]", 65), strings.Repeat(`{"a":`, 65) + "1" + strings.Repeat("}", 65),
}

func TestStrictAgreesWithSlowReader(t *testing.T) {
	for _, s := range texts {
		agree(t, []byte(s))
	}
	for n := range 60 { // many names, one of them twice
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `"name-number-%d":%d,`, i, i)
		}
		agree(t, []byte(`{`+b.String()+`"z":0}`))
		agree(t, []byte(`{`+b.String()+fmt.Sprintf(`"name-number-%d":0}`, n/2)))
		agree(t, []byte(`{`+b.String()+`"\u006eame-number-1":0}`))
	}
}

// Random damage to sound texts: the two readers have the same verdict on each.
func TestStrictAgreesOnDamage(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	alphabet := []byte("{}[]\",:\\u0123456789eE+-.truefalsn \n\t\x00\x1f\x80\xc3\xa9\xed\xa0\xf0\x9f")
	for range 60_000 {
		b := []byte(texts[r.IntN(len(texts))])
		for range 1 + r.IntN(3) {
			if len(b) == 0 {
				break
			}
			i := r.IntN(len(b))
			switch r.IntN(4) {
			case 0:
				b = append(b[:i:i], b[i+1:]...)
			case 1:
				b[i] = alphabet[r.IntN(len(alphabet))]
			case 2:
				b = append(b[:i:i], append([]byte{alphabet[r.IntN(len(alphabet))]}, b[i:]...)...)
			default:
				j := i + r.IntN(len(b)-i)
				b = append(b[:j:j], b[i:]...)
			}
		}
		agree(t, b)
	}
}

func FuzzStrict(f *testing.F) {
	for _, s := range texts {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) { agree(t, b) })
}

func TestMarks(t *testing.T) {
	const text = `{"resourceType":"Bundle","id":"b","entry":[ {"fullUrl":"urn:uuid:9", "resource":{ "id":"x","contained":[{"id":"c"}],
		"subject":{"reference":"Patient/1","identifier":{"assigner":{"reference":"Organization/2"}}},
		"education":[{"reference":"leaflet"}], "implicated":{"reference":"no","other":1}, "url":"http://no","content":{"url":"urn:uuid:1"},"list":{"reference":["no"]}},
		"request":{"id":"no"}}]}`
	doc, fault := Strict([]byte(text), 64, Levels)
	if fault != nil {
		t.Fatal(fault)
	}
	got := ""
	for _, m := range doc.Marks {
		got += fmt.Sprintf("%d%s ", m.Kind, doc.Text[m.Start:m.End])
	}
	if want := `3"x" 1"Patient/1" 1"Organization/2" 0"no" 2"urn:uuid:1" `; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
