package validate

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/wellgate/wellgate/fhir"
)

// Every element leads somewhere, and no type has more elements than seen can note.
func TestTablesAreWhole(t *testing.T) {
	for name, def := range tables().types {
		if def.groups > 128 {
			t.Errorf("%s has %d elements", name, def.groups)
		}
		for _, f := range def.fields {
			if f.primitive == nil && f.def == nil && f.typ != "Resource" {
				t.Errorf("%s.%s is of type %s, which is nowhere", name, f.name, f.typ)
			}
		}
	}
	n := 0
	for name, def := range tables().types {
		if def.resource {
			n++
			if !fhir.KnownType(name) {
				t.Errorf("%s is a resource here and not in package fhir", name)
			}
		}
	}
	if n != 146 {
		t.Errorf("%d resource types", n)
	}
}

const minimal = `"status":"final","code":{"text":"x"}`

func TestRules(t *testing.T) {
	for _, tc := range []struct{ in, strict, lenient string }{
		{`{"resourceType":"Observation",` + minimal + `}`, "", ""},
		// cardinality
		{`{"resourceType":"Observation","status":"final"}`, "E Observation.code", "E Observation.code"},
		{`{"resourceType":"Observation",` + minimal + `,"category":{"text":"x"}}`, "E Observation.category", "E Observation.category"},
		{`{"resourceType":"Observation",` + minimal + `,"category":[]}`, "E Observation.category", "E Observation.category"},
		{`{"resourceType":"Observation",` + minimal + `,"subject":[{"reference":"Patient/1"}]}`, "E Observation.subject", "E Observation.subject"},
		{`{"resourceType":"Observation",` + minimal + `,"component":[{"valueString":"x"}]}`, "E Observation.component[0].code", "E Observation.component[0].code"},
		{`{"resourceType":"MedicationRequest","status":"active","intent":"order","subject":{"reference":"Patient/1"}}`, "E MedicationRequest.medication[x]", "E MedicationRequest.medication[x]"},
		{`{"resourceType":"Observation",` + minimal + `,"component":[{"code":{"text":"x"},"referenceRange":[{"text":1}]}]}`, "E Observation.component[0].referenceRange[0].text", "E Observation.component[0].referenceRange[0].text"},
		// choice
		{`{"resourceType":"Observation",` + minimal + `,"valueString":"a","valueInteger":1}`, "E Observation.valueInteger", "E Observation.valueInteger"},
		{`{"resourceType":"Observation",` + minimal + `,"valueReference":{}}`, "E Observation.valueReference", "W Observation.valueReference"},
		// shapes
		{`{"resourceType":"Observation","status":"final","code":"Secret"}`, "E Observation.code", "E Observation.code"},
		{`{"resourceType":"Observation","status":"final","code":{}}`, "E Observation.code", "E Observation.code"},
		{`{"resourceType":"Observation","status":"final","code":null}`, "E Observation.code", "E Observation.code"},
		{`{"resourceType":"Patient","name":[null]}`, "E Patient.name[0]", "E Patient.name[0]"},
		{`{"resourceType":"Patient","name":[[{"text":"x"}]]}`, "E Patient.name[0]", "E Patient.name[0]"},
		// names
		{`{"resourceType":"Patient","Secret stuff":1}`, "E Patient.?", "W Patient.?"},
		{`{"resourceType":"Patient","colour":{"a":1},"name":[{"famly":"x"}]}`, "E Patient.colour E Patient.name[0].famly", "W Patient.colour W Patient.name[0].famly"},
		{`{"resourceType":"Patient","_name":[{"id":"x"}]}`, "E Patient._name", "W Patient._name"},
		// primitives
		{`{"resourceType":"Patient","birthDate":"1980-02-30"}`, "E Patient.birthDate", "E Patient.birthDate"},
		{`{"resourceType":"Patient","birthDate":"1980-02-03T00:00:00Z"}`, "E Patient.birthDate", "E Patient.birthDate"},
		{`{"resourceType":"Patient","active":"true"}`, "E Patient.active", "E Patient.active"},
		{`{"resourceType":"Patient","active":1}`, "E Patient.active", "E Patient.active"},
		{`{"resourceType":"Patient","multipleBirthInteger":1.5}`, "E Patient.multipleBirthInteger", "E Patient.multipleBirthInteger"},
		{`{"resourceType":"Patient","multipleBirthInteger":99999999999}`, "E Patient.multipleBirthInteger", "E Patient.multipleBirthInteger"},
		{`{"resourceType":"Patient","photo":[{"size":-1,"data":"abc"}]}`, "E Patient.photo[0].size E Patient.photo[0].data", "E Patient.photo[0].size E Patient.photo[0].data"},
		{`{"resourceType":"Patient","photo":[{"data":"YWJj\r\nZA=="}]}`, "", ""},
		{`{"resourceType":"Patient","name":[{"family":""},{"family":" "},{"family":"a\u0000"},{"family":"\u00a0é"}]}`, "E Patient.name[0].family E Patient.name[1].family E Patient.name[2].family", "E Patient.name[0].family E Patient.name[1].family E Patient.name[2].family"},
		{`{"resourceType":"Patient","gender":"Secret"}`, "E Patient.gender", "E Patient.gender"},
		{`{"resourceType":"Patient","gender":"male "}`, "E Patient.gender", "E Patient.gender"},
		{`{"resourceType":"Patient","implicitRules":"a b","language":"en  us"}`, "E Patient.implicitRules E Patient.language", "E Patient.implicitRules E Patient.language"},
		{`{"resourceType":"Observation",` + minimal + `,"issued":"2020-01-01","effectiveDateTime":"2020-01-01T10:00"}`, "E Observation.issued E Observation.effectiveDateTime", "E Observation.issued E Observation.effectiveDateTime"},
		{`{"resourceType":"Observation",` + minimal + `,"valueQuantity":{"value":"5"}}`, "E Observation.valueQuantity.value", "E Observation.valueQuantity.value"},
		{`{"resourceType":"Observation",` + minimal + `,"valueTime":"25:00:00"}`, "E Observation.valueTime", "E Observation.valueTime"},
		{`{"resourceType":"Patient","text":{"status":"generated","div":"<p>Secret</p>"}}`, "E Patient.text.div", "E Patient.text.div"},
		// extensions of primitives
		{`{"resourceType":"Patient","_birthDate":{"extension":[{"url":"u","valueString":"x"}]},"name":[{"given":["a",null],"_given":[null,{"id":"g"}]}]}`, "", ""},
		{`{"resourceType":"Patient","name":[{"given":["a",null]}]}`, "E Patient.name[0].given[1]", "E Patient.name[0].given[1]"},
		{`{"resourceType":"Patient","name":[{"given":["a",null],"_given":[{"id":"g"}]}]}`, "E Patient.name[0].given[1]", "E Patient.name[0].given[1]"},
		{`{"resourceType":"Observation","_status":{"extension":[{"url":"u","valueCode":"unknown"}]},"code":{"text":"x"}}`, "", ""},
		{`{"resourceType":"Patient","_birthDate":"x"}`, "E Patient._birthDate", "E Patient._birthDate"},
		{`{"resourceType":"Patient","extension":[{"valueString":"x"}]}`, "E Patient.extension[0].url", "E Patient.extension[0].url"},
		{`{"resourceType":"Patient","extension":[{"url":"u"},{"url":"v","valueString":"x","extension":[{"url":"w","valueCode":"c"}]}]}`, "E Patient.extension[0] E Patient.extension[1]", "W Patient.extension[0] W Patient.extension[1]"},
		{`{"resourceType":"Patient","extension":[{"url":"u","_valueString":{"extension":[{"url":"w","valueCode":"c"}]}}]}`, "", ""},
		// required bindings
		{`{"resourceType":"Condition","subject":{"reference":"Patient/1"},"clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]}}`, "", ""},
		{`{"resourceType":"Condition","subject":{"reference":"Patient/1"},"clinicalStatus":{"coding":[{"system":"http://other","code":"active"}]}}`, "E Condition.clinicalStatus", "E Condition.clinicalStatus"},
		{`{"resourceType":"Condition","subject":{"reference":"Patient/1"},"clinicalStatus":{"text":"active"}}`, "E Condition.clinicalStatus", "E Condition.clinicalStatus"},
		// references and contained
		{`{"resourceType":"Condition","subject":{"reference":"Practitioner/1"}}`, "E Condition.subject.reference", "W Condition.subject.reference"},
		{`{"resourceType":"Condition","subject":{"reference":"Practitioner?identifier=x"}}`, "E Condition.subject.reference", "W Condition.subject.reference"},
		{`{"resourceType":"Condition","subject":{"reference":"#p"}}`, "E Condition.subject.reference", "W Condition.subject.reference"},
		{`{"resourceType":"Condition","subject":{"reference":"#p"},"contained":[{"resourceType":"Patient","id":"p","managingOrganization":{"reference":"#o"}},{"resourceType":"Organization","id":"o"}]}`, "", ""},
		{`{"resourceType":"Condition","subject":{"reference":"urn:uuid:1"},"contained":[{"resourceType":"Patient"}]}`, "E Condition.contained[0]", "W Condition.contained[0]"},
		{`{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"o","contained":[{"resourceType":"Location","id":"l"}]}]}`, "E Patient.contained[0]", "E Patient.contained[0]"},
		{`{"resourceType":"Patient","contained":[{"resourceType":"Secret"},7,{"resourceType":"Resource"}]}`, "E Patient.contained[0] E Patient.contained[1] E Patient.contained[2]", "E Patient.contained[0] E Patient.contained[1] E Patient.contained[2]"},
		{`{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient","active":0}}]}`, "E Bundle.entry[0].resource.active", "E Bundle.entry[0].resource.active"},
	} {
		r, err := fhir.Parse([]byte(tc.in))
		if err != nil {
			t.Errorf("%s: %v", tc.in, err)
			continue
		}
		for level, want := range []string{tc.strict, tc.lenient} {
			var got []string
			for _, i := range Resource(r, Level(level)) {
				got = append(got, strings.ToUpper(string(i.Severity[:1]))+" "+i.Expression)
				if strings.Contains(i.String(), "Secret") || i.Code == "" || i.Text == "" {
					t.Errorf("%s: issue %+v", tc.in, i)
				}
			}
			if !sameSet(got, want) {
				t.Errorf("%s\n level %d: got %q, want %q", tc.in, level, got, want)
			}
		}
	}
}

// sameSet compares issues, whose order in the text is not what matters, with "E path E path".
func sameSet(got []string, want string) bool {
	rest := " " + want + " "
	for _, g := range got {
		if !strings.Contains(rest, " "+g+" ") {
			return false
		}
		rest = strings.Replace(rest, " "+g+" ", " ", 1)
	}
	return strings.TrimSpace(rest) == ""
}

func TestErrAndOutcome(t *testing.T) {
	r, err := fhir.Parse([]byte(`{"resourceType":"Patient","gender":"Secret","colour":1}`))
	if err != nil {
		t.Fatal(err)
	}
	issues := Resource(r, Lenient)
	if err := Err(issues); !errors.Is(err, fhir.ErrInvalid) || !strings.Contains(err.Error(), "Patient.gender") || strings.Contains(err.Error(), "colour") {
		t.Error(err)
	}
	if Err(issues[1:]) != nil || Err(nil) != nil {
		t.Error("a warning is an error")
	}
	o, err := fhir.New(Outcome(issues))
	if err != nil {
		t.Fatal(err)
	}
	if bad := Resource(o, Strict); len(bad) > 0 {
		t.Error("our own outcome is not sound:", bad)
	}
}

func TestManyIssuesStop(t *testing.T) {
	r, err := fhir.Parse([]byte(`{"resourceType":"Patient","name":[` + strings.Repeat(`{"family":1},`, 5000) + `{"family":1}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(Resource(r, Lenient)); n != maxIssues {
		t.Errorf("%d issues", n)
	}
}

// No resource makes the check panic, and no issue repeats content.
func FuzzResource(f *testing.F) {
	for _, s := range []string{`{"resourceType":"Patient","name":[{"given":["a",null],"_given":[null,{"id":"g"}]}]}`,
		`{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Observation","code":{"coding":[{}]},"contained":[[]]}}]}`,
		`{"resourceType":"Patient","extension":[{"url":1}],"_active":[],"text":{"div":"<div"}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := fhir.Parse(data)
		if err != nil {
			return
		}
		strict, lenient := Resource(r, Strict), Resource(r, Lenient)
		if len(strict) != len(lenient) {
			t.Fatalf("%d issues or %d", len(strict), len(lenient))
		}
	})
}

// The quick looks at dates agree with the slow ones, whatever the text.
func TestPlainDates(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	seeds := []string{"2019-03-14", "2020-02-29", "1900-02-29", "2000-12-31", "2019-03-14T09:26:53Z", "2019-03-14T23:59:59.123+14:00", "2019-03-14T00:00:00-00:30", "2019", "2019-03", "2016-12-31T23:59:60Z", "2019-03-14T09:26Z"}
	for range 300_000 {
		s := []byte(seeds[r.IntN(len(seeds))])
		for range r.IntN(4) {
			if i := r.IntN(len(s)); r.IntN(6) == 0 {
				s = s[:i+1]
			} else {
				s[i] = "0123456789-:TZ+."[r.IntN(16)]
			}
		}
		p := fhir.DateTime(s).Precision()
		date := p >= fhir.Year && p <= fhir.Day
		z := string(s[max(0, len(s)-6):])
		instant := (p == fhir.Second || p == fhir.Fraction) && (strings.HasSuffix(z, "Z") || len(s) > 6 && (z[0] == '+' || z[0] == '-'))
		if isDate(s) != date || isInstant(s) != instant || isDateTime(s) != (date || instant) {
			t.Fatalf("%s: precision %d, date %v, instant %v", s, p, isDate(s), isInstant(s))
		}
	}
}
