package results

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/wellgate/wellgate/fhir"
)

var (
	now  = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	amal = Person{Born: "1984-05-12", Sex: "female"}
)

// doc makes a stored resource of JSON; updated long before the reader's last visit unless said otherwise.
func doc(t testing.TB, raw string) Doc {
	t.Helper()
	r, err := fhir.Parse([]byte(raw))
	if err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	return Doc{Resource: r, Updated: now.AddDate(0, -6, 0)}
}

// lab is a laboratory Observation with body's members added to the usual ones.
func lab(t testing.TB, id, body string) Doc {
	t.Helper()
	m := map[string]json.RawMessage{}
	base := `{"resourceType":"Observation","id":"` + id + `","status":"final","category":[{"coding":[{"code":"laboratory"}]}],
		"code":{"text":"Potassium","coding":[{"system":"http://loinc.org","code":"2823-3"}]},"effectiveDateTime":"2026-05-01T08:00:00Z"}`
	for _, s := range []string{base, "{" + body + "}"} {
		if err := json.Unmarshal([]byte(s), &m); err != nil {
			t.Fatalf("%v in %s", err, s)
		}
	}
	for k, v := range m {
		if string(v) == "null" {
			delete(m, k)
		}
	}
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return doc(t, string(b))
}

func collect(t testing.TB, docs ...Doc) *Book {
	t.Helper()
	in := Input{Person: amal, Now: now, Since: now.AddDate(0, -1, 0), Zone: time.UTC}
	for _, d := range docs {
		switch d.Type() {
		case "Observation":
			in.Observations = append(in.Observations, d)
		case "DiagnosticReport":
			in.Reports = append(in.Reports, d)
		case "ClinicalImpression":
			in.Comments = append(in.Comments, d)
		}
	}
	return Collect(in)
}

func single(t testing.TB, body string) *Result {
	t.Helper()
	r := collect(t, lab(t, "x", body)).One("Observation", "x")
	if r == nil {
		t.Fatalf("no result from %s", body)
	}
	return r
}

func TestValues(t *testing.T) {
	for _, c := range []struct {
		name, body string
		want       Value
	}{
		{"digits are kept", `"valueQuantity":{"value":5.60,"unit":"mmol/L"}`, Value{Form: Number, Digits: "5.60", Unit: "mmol/L"}},
		{"exponent is kept", `"valueQuantity":{"value":1.5e3,"code":"10*3/uL"}`, Value{Form: Number, Digits: "1.5e3", Unit: "×10³/µL"}},
		{"comparator", `"valueQuantity":{"value":0.01,"comparator":"<","unit":"ng/mL"}`, Value{Form: Number, Comparator: "<", Digits: "0.01", Unit: "ng/mL"}},
		{"odd comparator is dropped", `"valueQuantity":{"value":1,"comparator":"~"}`, Value{Form: Number, Digits: "1"}},
		{"quantity without a value", `"valueQuantity":{"unit":"mmol/L"}`, Value{Form: Nothing}},
		{"string", `"valueString":"  No growth\n after 48 h "`, Value{Form: Wording, Text: "No growth after 48 h"}},
		{"empty string", `"valueString":" "`, Value{Form: Nothing}},
		{"concept by text", `"valueCodeableConcept":{"text":"Cloudy","coding":[{"display":"Cloudy urine (finding)"}]}`, Value{Form: Wording, Text: "Cloudy"}},
		{"concept by display", `"valueCodeableConcept":{"coding":[{"code":"260385009","display":"Negative"}]}`, Value{Form: Wording, Text: "Negative"}},
		{"integer", `"valueInteger":7`, Value{Form: Number, Digits: "7"}},
		{"yes", `"valueBoolean":true`, Value{Form: YesNo, Yes: true}},
		{"no", `"valueBoolean":false`, Value{Form: YesNo}},
		{"range", `"valueRange":{"low":{"value":5,"unit":"/HPF"},"high":{"value":10,"unit":"/HPF"}}`, Value{Form: Span, Digits: "5", Digits2: "10", Unit: "/HPF"}},
		{"range with one end", `"valueRange":{"low":{"value":5,"unit":"g"}}`, Value{Form: Span, Digits: "5", Unit: "g"}},
		{"ratio (titre)", `"valueRatio":{"numerator":{"value":1},"denominator":{"value":128}}`, Value{Form: Per, Digits: "1", Digits2: "128"}},
		{"time of day", `"valueTime":"13:20:00"`, Value{Form: Clock, Text: "13:20:00"}},
		{"date", `"valueDateTime":"2026-03"`, Value{Form: Moment, Date: "2026-03"}},
		{"period", `"valuePeriod":{"start":"2026-03-01","end":"2026-03-02"}`, Value{Form: Moment, Date: "2026-03-01", Date2: "2026-03-02"}},
		{"sampled data", `"valueSampledData":{"origin":{"value":0},"period":10,"dimensions":1,"data":"1 2 3"}`, Value{Form: Unshown}},
		{"absent: not done", `"dataAbsentReason":{"coding":[{"code":"not-performed"}]}`, Value{Form: Absent, Why: "undone"}},
		{"absent: other words", `"dataAbsentReason":{"text":"Sample clotted"}`, Value{Form: Absent, Why: "unknown"}},
		{"a value wins over a reason", `"valueInteger":7,"dataAbsentReason":{"coding":[{"code":"error"}]}`, Value{Form: Number, Digits: "7"}},
		{"nothing", ``, Value{Form: Nothing}},
		{"withdrawn", `"status":"entered-in-error","valueString":"secret"`, Value{Form: Withdrawn}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := single(t, c.body).Value; got != c.want {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestUnits(t *testing.T) {
	for in, want := range map[string]string{
		"mmol/L": "mmol/L", "%": "%", "10*3/uL": "×10³/µL", "10^9/L": "×10⁹/L", "x10^9/L": "×10⁹/L", "10*12/L": "×10¹²/L", "K/uL": "×10³/µL",
		"ug/dL": "µg/dL", "umol/L": "µmol/L", "uU/mL": "µU/mL", "m[iU]/L": "mIU/L", "[iU]/mL": "IU/mL", "mL/min/{1.73_m2}": "mL/min/1.73 m²",
		"mL/min/1.73m2": "mL/min/1.73 m²", "{nominal}": "", "{INR}": "", "1": "", "pH": "", "mm[Hg]": "mmHg", "kg/m2": "kg/m²",
		"10*3.{CFU}/mL": "×10³/mL", "mg/g{creat}": "mg/g", "{cells}/uL": "/µL", "unheard/of": "unheard/of", "": "", "{unclosed": "{unclosed",
		"mg\u200b/dL": "mg/dL", "fL": "fL", "U/L": "U/L", "s": "s", "mm/hr": "mm/h", "g/dl": "g/dL", "10³/µL": "×10³/µL", "10⁶/µL": "×10⁶/µL", "10 mg": "10 mg", "mmol/l": "mmol/L", "/ul": "/µL",
	} {
		if got := tidyUnit(in); got != want {
			t.Errorf("tidyUnit(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestStatus(t *testing.T) {
	type row struct {
		name, body string
		want       Status
	}
	rr := func(value, ranges string) string {
		return `"valueQuantity":{"value":` + value + `,"unit":"mmol/L"},"referenceRange":[` + ranges + `]`
	}
	const k = `{"low":{"value":3.5,"unit":"mmol/L"},"high":{"value":5.5,"unit":"mmol/L"}}`
	for _, c := range []row{
		{"nothing said, nothing invented", `"valueQuantity":{"value":9.9,"unit":"mmol/L"}`, NotGiven},
		{"within", rr("4.0", k), Usual},
		{"on the lower limit", rr("3.50", k), Usual},
		{"on the upper limit", rr("5.5", k), Usual},
		{"a little high", rr("5.6", k), LittleHigh},
		{"a tenth of the width is still little", rr("5.7", k), LittleHigh},
		{"just over a tenth", rr("5.7001", k), High},
		{"a little low", rr("3.4", k), LittleLow},
		{"low", rr("2.0", k), Low},
		{"huge number", rr("1e50", k), High},
		{"absurd exponent is not compared", rr("1e400", k), NotGiven},
		{"the laboratory's word wins", rr("6.9", k) + `,"interpretation":[{"coding":[{"code":"N"}]}]`, Usual},
		{"H is softened on the same side", rr("5.6", k) + `,"interpretation":[{"coding":[{"code":"H"}]}]`, LittleHigh},
		{"H is not softened against the range", rr("4.0", k) + `,"interpretation":[{"coding":[{"code":"H"}]}]`, High},
		{"HH stays very high", rr("5.6", k) + `,"interpretation":[{"coding":[{"code":"HH"}]}]`, VeryHigh},
		{"A takes its side from the range", rr("9", k) + `,"interpretation":[{"coding":[{"code":"A"}]}]`, High},
		{"A alone", `"valueString":"Seen","interpretation":[{"coding":[{"code":"A"}]}]`, Outside},
		{"AA", `"valueInteger":1,"interpretation":[{"coding":[{"code":"AA"}]}]`, FarOutside},
		{"POS", `"valueString":"Seen","interpretation":[{"coding":[{"code":"POS"}]}]`, Positive},
		{"NR", `"valueString":"x","interpretation":[{"coding":[{"code":"NR"}]}]`, Negative},
		{"indeterminate", `"valueString":"x","interpretation":[{"coding":[{"code":"IND"}]}]`, Unclear},
		{"words instead of a code", `"valueInteger":1,"interpretation":[{"text":"Above high normal"}]`, High},
		{"a letter as text", `"valueInteger":1,"interpretation":[{"text":"L"}]`, Low},
		{"better and worse say nothing", `"valueInteger":1,"interpretation":[{"coding":[{"code":"B"}]}]`, NotGiven},
		{"resistance says nothing of usual", `"valueInteger":1,"interpretation":[{"coding":[{"code":"R"}]}]`, NotGiven},
		{"gravest of several", `"valueInteger":1,"interpretation":[{"coding":[{"code":"H"}]},{"coding":[{"code":"HH"}]}]`, VeryHigh},
		{"low and high at once", `"valueInteger":1,"interpretation":[{"coding":[{"code":"L"}]},{"coding":[{"code":"H"}]}]`, Outside},

		{"another unit does not compare", rr("100", `{"low":{"value":3.5,"unit":"mg/dL"},"high":{"value":5.5,"unit":"mg/dL"}}`), NotGiven},
		{"a range without a unit takes the value's", rr("6.9", `{"low":{"value":3.5},"high":{"value":5.5}}`), High},
		{"upside down", rr("4", `{"low":{"value":5.5},"high":{"value":3.5}}`), NotGiven},
		{"upper limit only", rr("5.1", `{"high":{"value":5.0}}`), LittleHigh},
		{"lower limit only", rr("30", `{"low":{"value":60}}`), Low},
		{"zero limit", rr("0.1", `{"high":{"value":0}}`), High},
		{"text between", rr("5.7", `{"text":"4.0 - 5.6"}`), LittleHigh},
		{"text with unit", rr("4.7", `{"text":"3.5–5.1 mmol/L"}`), Usual},
		{"text with another unit", rr("4.7", `{"text":"3.5-5.1 mg/dL"}`), NotGiven},
		{"text under", rr("5.7", `{"text":"<5.7"}`), LittleHigh},
		{"text under, inside", rr("5.6", `{"text":"< 5.7"}`), Usual},
		{"text at most", rr("5.7", `{"text":"≤ 5.7"}`), Usual},
		{"text over", rr("60", `{"text":">60"}`), LittleLow},
		{"text at least", rr("60", `{"text":">= 60"}`), Usual},
		{"text with decimal commas", rr("5.0", `{"text":"4,0 - 5,6"}`), Usual},
		{"text with thousands is not guessed", rr("5.0", `{"text":"4,000-11,000"}`), NotGiven},
		{"text negative numbers", rr("-3", `{"text":"-2 - 2"}`), Low},
		{"text of three numbers", rr("4", `{"text":"3-4-5"}`), NotGiven},
		{"text of words", rr("4", `{"text":"See note"}`), NotGiven},
		{"text titre", rr("4", `{"text":"<1:80"}`), NotGiven},
		{"negative as expected", `"valueString":"negative","referenceRange":[{"text":"Negative"}]`, Usual},
		{"other words for negative", `"valueString":"Not detected","referenceRange":[{"text":"Negative"}]`, Usual},
		{"positive against negative", `"valueCodeableConcept":{"text":"Detected"},"referenceRange":[{"text":"Not detected"}]`, Positive},
		{"unclear against negative", `"valueString":"Equivocal","referenceRange":[{"text":"Negative"}]`, Unclear},
		{"unknown word against negative", `"valueString":"Trace","referenceRange":[{"text":"Negative"}]`, NotGiven},
		{"positive where positive is expected", `"valueString":"Positive","referenceRange":[{"text":"Positive"}]`, Usual},
		{"word without a range", `"valueString":"Positive"`, NotGiven},

		{"below detection, under the limit", `"valueQuantity":{"value":5,"comparator":"<","unit":"mmol/L"},"referenceRange":[{"high":{"value":5}}]`, Usual},
		{"below detection, inside two limits", `"valueQuantity":{"value":5,"comparator":"<","unit":"mmol/L"},"referenceRange":[{"low":{"value":4},"high":{"value":10}}]`, NotGiven},
		{"below detection, below the range", `"valueQuantity":{"value":4,"comparator":"<","unit":"mmol/L"},"referenceRange":[{"low":{"value":4},"high":{"value":10}}]`, Low},
		{"at most the lower limit", `"valueQuantity":{"value":4,"comparator":"<=","unit":"mmol/L"},"referenceRange":[{"low":{"value":4},"high":{"value":10}}]`, NotGiven},
		{"above scale, over the lower limit", `"valueQuantity":{"value":90,"comparator":">","unit":"mmol/L"},"referenceRange":[{"low":{"value":60}}]`, Usual},
		{"above scale, over the range", `"valueQuantity":{"value":10,"comparator":">","unit":"mmol/L"},"referenceRange":[{"low":{"value":4},"high":{"value":10}}]`, High},
		{"above scale, inside", `"valueQuantity":{"value":6,"comparator":">","unit":"mmol/L"},"referenceRange":[{"low":{"value":4},"high":{"value":10}}]`, NotGiven},

		{"her sex", rr("120", `{"low":{"value":130},"appliesTo":[{"text":"Male"}]},{"low":{"value":115},"appliesTo":[{"coding":[{"code":"248152002"}]}]}`), Usual},
		{"not her sex", rr("120", `{"low":{"value":130},"appliesTo":[{"coding":[{"code":"male"}]}]}`), NotGiven},
		{"unknown group", rr("120", `{"low":{"value":130},"appliesTo":[{"text":"Pregnant"}]}`), NotGiven},
		{"her age", rr("5", `{"high":{"value":4},"age":{"high":{"value":17,"code":"a"}}},{"high":{"value":6},"age":{"low":{"value":18,"code":"a"}}}`), Usual},
		{"age is completed years", rr("5", `{"high":{"value":4},"age":{"low":{"value":40,"code":"a"},"high":{"value":41,"code":"a"}}}`), High},
		{"next birthday is another range", rr("5", `{"high":{"value":4},"age":{"low":{"value":42,"code":"a"}}}`), NotGiven},
		{"age in an unknown unit", rr("5", `{"high":{"value":4},"age":{"low":{"value":1,"unit":"moons"}}}`), NotGiven},
		{"specific before general", rr("5", `{"high":{"value":4}},{"high":{"value":6},"appliesTo":[{"text":"female"}]}`), Usual},
		{"two that differ: none", rr("5", `{"high":{"value":4}},{"high":{"value":6}}`), NotGiven},
		{"two alike: one", rr("5", `{"high":{"value":4}},{"high":{"value":4.0}}`), High},
		{"phase of a cycle is not guessed", rr("5", `{"high":{"value":4},"type":{"coding":[{"code":"luteal"}]}}`), NotGiven},
		{"goal before usual", rr("5", `{"high":{"value":4}},{"high":{"value":6},"type":{"coding":[{"code":"treatment"}]}}`), Usual},
		{"goal before the word for everyone", rr("5", `{"high":{"value":6},"type":{"coding":[{"code":"recommended"}]}}`) + `,"interpretation":[{"coding":[{"code":"H"}]}]`, Usual},
		{"a critical mark before the goal", rr("5", `{"high":{"value":6},"type":{"coding":[{"code":"recommended"}]}}`) + `,"interpretation":[{"coding":[{"code":"HH"}]}]`, VeryHigh},
		{"withdrawn has none", rr("9", k) + `,"status":"entered-in-error","interpretation":[{"coding":[{"code":"HH"}]}]`, NotGiven},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := single(t, c.body).Status; got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestDrawnOnlyWithoutContradiction(t *testing.T) {
	const k = `"valueQuantity":{"value":6.9,"unit":"mmol/L"},"referenceRange":[{"low":{"value":3.5},"high":{"value":5.5}}]`
	if !single(t, k).Drawn {
		t.Error("value and range agree and are not drawn")
	}
	if single(t, k+`,"interpretation":[{"coding":[{"code":"N"}]}]`).Drawn {
		t.Error("the laboratory says usual, the bar would say high")
	}
	if !single(t, k+`,"interpretation":[{"coding":[{"code":"AA"}]}]`).Drawn {
		t.Error("abnormal and high agree")
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		code          string
		key, reported string
		bare          string
	}{
		{`{"coding":[{"system":"http://loinc.org","code":"4548-4","display":"Hemoglobin A1c/Hemoglobin.total in Blood"}]}`, "hba1c", "Hemoglobin A1c/Hemoglobin.total in Blood", ""},
		{`{"coding":[{"system":"http://loinc.org","code":"6690-2","display":"Leukocytes [#/\u200bvolume] in Blood by Automated count"}]}`, "white", "Leukocytes in Blood", ""},
		{`{"coding":[{"system":"urn:lab","code":"4548-4","display":"Something else"}]}`, "", "Something else", ""},
		{`{"text":"  My   local test "}`, "", "My local test", ""},
		{`{"coding":[{"system":"urn:lab","code":"XYZ1"}]}`, "", "", "XYZ1"},
		{`{}`, "", "", ""},
		{`{"text":"[ab]"}`, "", "[ab]", ""},
	} {
		r := single(t, `"code":`+c.code)
		if r.Name.Key != c.key || r.Name.Reported != c.reported || r.Name.Code != c.bare {
			t.Errorf("%s: got %+v", c.code, r.Name)
		}
	}
	if r := single(t, `"code":null`); r.Name != (Name{}) {
		t.Errorf("no code: got %+v", r.Name)
	}
}

func TestStates(t *testing.T) {
	for status, want := range map[string]State{"final": Final, "registered": Awaited, "preliminary": Early, "amended": Corrected, "corrected": Corrected,
		"cancelled": Cancelled, "entered-in-error": Gone, "unknown": Uncertain, "shipped": Uncertain} {
		if got := single(t, `"status":"`+status+`"`).State; got != want {
			t.Errorf("%s: got %s, want %s", status, got, want)
		}
	}
	for status, want := range map[string]State{"partial": Early, "appended": Corrected, "registered": Awaited} {
		b := collect(t, doc(t, `{"resourceType":"DiagnosticReport","id":"r","status":"`+status+`","category":[{"coding":[{"code":"LAB"}]}],"code":{"text":"X"}}`))
		if got := b.One("DiagnosticReport", "r").State; got != want {
			t.Errorf("report %s: got %s, want %s", status, got, want)
		}
	}
}

func TestWhatIsOurs(t *testing.T) {
	for name, c := range map[string]struct {
		docs []string
		id   string
		ours bool
	}{
		"laboratory":        {[]string{`{"resourceType":"Observation","id":"x","status":"final","category":[{"coding":[{"code":"laboratory"}]}],"code":{"text":"A"}}`}, "Observation/x", true},
		"two categories":    {[]string{`{"resourceType":"Observation","id":"x","status":"final","category":[{"coding":[{"code":"exam"}]},{"coding":[{"code":"imaging"}]}],"code":{"text":"A"}}`}, "Observation/x", true},
		"category in words": {[]string{`{"resourceType":"Observation","id":"x","status":"final","category":[{"text":"Lab"}],"code":{"text":"A"}}`}, "Observation/x", true},
		"vital sign":        {[]string{`{"resourceType":"Observation","id":"x","status":"final","category":[{"coding":[{"code":"vital-signs"}]}],"code":{"text":"A"}}`}, "Observation/x", false},
		"no category":       {[]string{`{"resourceType":"Observation","id":"x","status":"final","code":{"text":"A"}}`}, "Observation/x", false},
		"no category, a test we know": {[]string{
			`{"resourceType":"Observation","id":"x","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"2823-3"}]}}`}, "Observation/x", true},
		"no category, in a report of ours": {[]string{`{"resourceType":"Observation","id":"x","status":"final","code":{"text":"A"}}`,
			`{"resourceType":"DiagnosticReport","id":"r","status":"final","category":[{"coding":[{"code":"LAB"}]}],"code":{"text":"R"},"result":[{"reference":"Observation/x"}]}`}, "Observation/x", true},
		"questionnaire sent as a laboratory report": {[]string{`{"resourceType":"Observation","id":"x","status":"final","category":[{"coding":[{"code":"survey"}]}],"code":{"text":"A"}}`,
			`{"resourceType":"DiagnosticReport","id":"r","status":"final","category":[{"coding":[{"code":"LAB"}]}],"code":{"text":"PHQ-2"},"result":[{"reference":"Observation/x"}]}`}, "DiagnosticReport/r", false},
		"note":           {[]string{`{"resourceType":"DiagnosticReport","id":"r","status":"final","category":[{"coding":[{"code":"34117-2"}]}],"code":{"text":"Note"}}`}, "DiagnosticReport/r", false},
		"radiology":      {[]string{`{"resourceType":"DiagnosticReport","id":"r","status":"final","category":[{"coding":[{"code":"LP29684-5"}]}],"code":{"text":"X-ray"}}`}, "DiagnosticReport/r", true},
		"panel we know":  {[]string{`{"resourceType":"DiagnosticReport","id":"r","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"57698-3"}]}}`}, "DiagnosticReport/r", true},
		"report, unsaid": {[]string{`{"resourceType":"DiagnosticReport","id":"r","status":"final","code":{"text":"?"}}`}, "DiagnosticReport/r", false},
	} {
		t.Run(name, func(t *testing.T) {
			var docs []Doc
			for _, d := range c.docs {
				docs = append(docs, doc(t, d))
			}
			typ, id, _ := fhir.SplitRef(c.id)
			if got := collect(t, docs...).One(typ, id) != nil; got != c.ours {
				t.Errorf("ours = %v, want %v", got, c.ours)
			}
		})
	}
}

func TestKinds(t *testing.T) {
	for body, want := range map[string]Kind{
		`"code":{"coding":[{"system":"http://loinc.org","code":"2823-3"}]}`:                       Blood,
		`"code":{"coding":[{"system":"http://loinc.org","code":"5803-2"}]}`:                       Urine,
		`"code":{"text":"Sodium [Moles/volume] in Urine"}`:                                        Urine,
		`"code":{"text":"Zinc"},"specimen":{"display":"Venous blood"}`:                            Blood,
		`"code":{"text":"Culture"},"specimen":{"display":"Throat swab"}`:                          Other,
		`"code":{"text":"Mystery"}`:                                                               Other,
		`"code":{"text":"Chest"},"category":[{"coding":[{"code":"imaging"}]}]`:                    Imaging,
		`"code":{"text":"Sodio"},"specimen":{"display":"Orina"}`:                                  Urine,
		`"code":{"coding":[{"display":"Ferritin [Mass/volume] in Serum or Plasma","code":"zz"}]}`: Blood,
	} {
		if got := single(t, body).Kind; got != want {
			t.Errorf("%s: got %s, want %s", body, got, want)
		}
	}
}
