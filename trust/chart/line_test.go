package chart

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"pgregory.net/rapid"

	"github.com/wellgate/wellgate/trust/identity"
)

// What is written by hand is byte for byte what json.Marshal writes, and what it refuses is refused.
func TestLineIsJSON(t *testing.T) {
	text := rapid.OneOf(rapid.Just(""), rapid.String(), rapid.StringMatching("[a-z0-9 <>&\"\\\\/\n\t\x00-\x1f]{0,20}"),
		rapid.Custom(func(t *rapid.T) string { return string(rapid.SliceOfN(rapid.Byte(), 0, 12).Draw(t, "bytes")) }))
	words := rapid.SliceOfN(text, 0, 4)
	rapid.Check(t, func(t *rapid.T) {
		zone := time.FixedZone("", rapid.IntRange(-12*60, 14*60).Draw(t, "zone")*60)
		l := line{
			V: rapid.Int().Draw(t, "v"), At: time.Unix(rapid.Int64Range(-62135596800, 253402300799).Draw(t, "at"), rapid.Int64Range(0, 999999999).Draw(t, "ns")).In(zone),
			Account: text.Draw(t, "account"), Kind: identity.Kind(text.Draw(t, "kind")), Role: identity.Role(text.Draw(t, "role")),
			Name: text.Draw(t, "name"), Session: text.Draw(t, "session"), IP: text.Draw(t, "ip"), Device: text.Draw(t, "device"),
			Action: text.Draw(t, "action"), What: text.Draw(t, "what"), Purpose: Purpose(text.Draw(t, "purpose")), Reason: text.Draw(t, "reason"),
			Types: rapid.MapOfN(rapid.StringMatching("[A-Z][a-z]{0,3}"), rapid.IntRange(0, 2000), 0, 12).Draw(t, "types"),
			Refs:  words.Draw(t, "refs"), Read: words.Draw(t, "read"), Row: rapid.Int64().Draw(t, "row"), Detail: text.Draw(t, "detail"),
			By: text.Draw(t, "by"), Outcome: text.Draw(t, "outcome"), Request: text.Draw(t, "request"), Policy: text.Draw(t, "policy"),
		}
		want, werr := json.Marshal(&l, json.Deterministic(true))
		got, err := l.append([]byte("before"), nil)
		if (werr == nil) != (err == nil) || err == nil && string(got) != "before"+string(want) {
			t.Fatalf("%s, %v\n%s, %v", got, err, want, werr)
		}
	})
}

// So is what an act touched, by type and by reference.
func TestTouchIsJSON(t *testing.T) {
	id := rapid.StringMatching("[A-Za-z0-9.-]{1,6}")
	typ := rapid.SampledFrom(strings.Fields("Patient Observation Condition DiagnosticReport Encounter Claim Goal Task Slot Group Flag Media"))
	rapid.Check(t, func(t *rapid.T) {
		l := line{V: 1, At: time.Unix(1, 0).UTC(), Action: "read", Outcome: "ok", Policy: "p"}
		var tch touch
		var all []touched
		for range rapid.IntRange(0, 2*maxRefs).Draw(t, "n") {
			x := touched{typ.Draw(t, "type"), id.Draw(t, "id")}
			tch.add(x)
			if !slices.Contains(all, x) {
				all = append(all, x)
			}
		}
		l.Types = map[string]int{}
		for i, x := range all {
			l.Types[x.typ]++
			if i < maxRefs {
				l.Refs = append(l.Refs, x.typ+"/"+x.id)
			}
		}
		want, err := json.Marshal(&l, json.Deterministic(true))
		if err != nil {
			t.Fatal(err)
		}
		got, err := l.append(nil, &tch)
		if err != nil || string(got) != string(want) {
			t.Fatalf("%s, %v\n%s", got, err, want)
		}
	})
}

func BenchmarkLine(b *testing.B) {
	l := line{V: 1, At: time.Unix(1790000000, 123456789).UTC(), Account: "abcdefghijklmnop", Kind: "patient", Name: "Amina Example", Session: "abcdefghijklmnop",
		IP: "203.0.113.7", Device: "Mozilla/5.0 (X11; Linux x86_64) Test", Action: "read", What: "fhir.read", Purpose: "TREAT", Outcome: "ok", Request: "abcdef-1", Policy: "0123456789abcdef"}
	t := &touch{action: "read", order: []touched{{"Patient", "abcdefghijklmnopqrstuvwxyz-abcdefghijklmnop"}}}
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		var buf []byte
		for b.Loop() {
			buf, _ = l.append(buf[:0], t)
		}
	})
	l.Types, l.Refs = map[string]int{"Patient": 1}, []string{"Patient/abcdefghijklmnopqrstuvwxyz-abcdefghijklmnop"}
	b.Run("json.Marshal", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			json.Marshal(&l, json.Deterministic(true))
		}
	})
}
