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
		`{"resourceType":"Basic","meta":{"security":[{"code":"N"},{"code":"l"},{"code":"M"},{"code":"U"}]}}`:           nil,
		`{"resourceType":"Basic","meta":{"security":[{"code":"hiv"},{"code":"42cfrpart2"}]}}`:                          {"42CFRPart2", "HIV"},
		`{"resourceType":"Basic","meta":{"security":[{"code":"SUD"}]}}`:                                                {"SUD"},
		`{"resourceType":"Basic","meta":{"security":[{"display":"restricted"}]}}`:                                      {"R"},
		`{"resourceType":"Basic","meta":{"security":[{"coding":[{"code":"V"}]}]}}`:                                     {"R"},
		`{"resourceType":"Basic","contained":[{"resourceType":"Basic","meta":{"security":[{"code":"HIV"}]}}]}`:         {"HIV"},
		`{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Basic","meta":{"security":[{"code":"R"}]}}}]}`: {"R"},
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

// Decisions are kept by class: two sets of labels never share one, whatever signs a code holds.
func TestClassesAreDistinct(t *testing.T) {
	s := &shelf{}
	class := func(security string) *policyClass {
		r, err := fhir.Parse([]byte(`{"resourceType":"Basic","id":"a","meta":{"security":[` + security + `]}}`))
		if err != nil {
			t.Fatal(err)
		}
		return s.classOf("Basic", labels(r))
	}
	if a := class(`{"code":"HIV,R"}`); a != class(`{"code":"HIV,R"}`) {
		t.Error("the same labels make two classes")
	}
	if a, b := class(`{"code":"HIV,R"}`), class(`{"code":"HIV"},{"code":"R"}`); a == b {
		t.Errorf("two sets of labels share the class %v", a)
	}
}
