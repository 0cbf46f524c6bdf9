package chart

import (
	"slices"
	"testing"

	"github.com/wellgate/wellgate/fhir"
)

// A label is seen however its JSON is spelt, and only where it stands for the resource as a whole.
func TestLabels(t *testing.T) {
	for in, want := range map[string][]string{
		`{"resourceType":"Basic","meta":{"security":[{"code":"R"},{"code":"PSY"},{"code":"N"}]}}`:    {"PSY", "R"},
		`{"resourceType":"Basic","meta":{"\u0073ecurity":[{"code":"ETH"}]}}`:                         {"ETH"},
		`{"resourceType":"Basic","m\u0065ta":{"securit\u0079":[{"code":"\u0045TH"}]}}`:               {"ETH"},
		`{"resourceType":"Basic","code":{"text":"security"},"extension":[{"url":"x","security":1}]}`: nil,
		`{"resourceType":"Basic"}`: nil,
	} {
		r, err := fhir.Parse([]byte(in))
		if err != nil {
			t.Fatal(err)
		}
		if got := labels(r); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", in, got, want)
		}
	}
}
