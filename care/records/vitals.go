package records

import (
	"slices"
	"strconv"
	"strings"

	"github.com/wellgate/wellgate/fhir"
)

// A Vital is everything measured of one kind: weight, blood pressure.
type Vital struct {
	Code     string // names it in links: the LOINC code of the kind, else what the sender calls it
	Label    Label
	Pair     bool // two values make one reading: blood pressure
	Readings []Reading
}

// Latest is the newest reading that holds a value, else the newest.
func (v Vital) Latest() Reading {
	for _, r := range v.Readings {
		if r.Text != "" {
			return r
		}
	}
	return first(v.Readings)
}

// A Reading is one measurement, as reported.
type Reading struct {
	At      fhir.DateTime
	Text    string       // "120/80", "71.4", words; "" = not measured
	Unit    string       // as reported, in letters people know
	Value   fhir.Decimal // for the chart; "" when the value is no plain number
	Second  fhir.Decimal // diastolic
	Why     string       // why there is no value
	Early   bool         // preliminary
	Own     bool         // measured by the patient
	Changed bool         // amended or corrected since
	Notes   []string
	Parts   []Part // of a panel that is not a pair
}

// A Part is a component with its own name.
type Part struct {
	Label      Label
	Text, Unit string
}

const loinc, snomed = "http://loinc.org", "http://snomed.info/sct"

// vitalKinds unites codes that name one measurement. The first is the one used in links.
var vitalKinds = [][]string{
	{"85354-9", "55284-4", "8480-6", "8462-4", "96607-7"}, // blood pressure: panels, systolic, diastolic
	{"29463-7", "3141-9", "3142-7", "8350-1", "8351-9"},   // weight
	{"8302-2", "3137-7", "3138-5", "8306-3", "8308-9"},    // height, length
	{"39156-5"},                     // body mass index
	{"8867-4", "8893-0", "68999-1"}, // pulse
	{"9279-1"},                      // breathing rate
	{"2708-6", "59408-5", "20564-1"},
	{"8310-5", "8331-1", "8332-9", "8333-7", "75539-7", "76011-6"}, // temperature by site
	{"9843-4", "8287-5", "8288-3"},                                 // head circumference
	{"59576-9"},                                                    // BMI percentile
	{"77606-2"},                                                    // weight for length percentile
	{"8289-1"},                                                     // head circumference percentile
	{"72514-3", "38208-5"},                                         // pain
}

var kindOf = func() map[string]string {
	m := map[string]string{}
	for _, codes := range vitalKinds {
		for _, c := range codes {
			m[c] = codes[0]
		}
	}
	return m
}()

const bloodPressure, systolic, diastolic = "85354-9", "8480-6", "8462-4"

// IsVital says whether an observation belongs on the vitals pages.
func IsVital(o fhir.Observation) bool {
	for _, c := range o.Category {
		if c.Has("", "vital-signs") {
			return true
		}
	}
	return kindOf[o.Code.Code(loinc)] != ""
}

// VitalCodes lists the codes that make an observation a vital whatever its category, for a search.
func VitalCodes() []string { return slices.Concat(vitalKinds...) }

// Vitals groups measurements by kind, in the order a clinic takes them; readings newest first.
func Vitals(os []fhir.Observation) []Vital {
	index := map[string]int{}
	var out []Vital
	for _, o := range os {
		if !IsVital(o) || o.Status == "entered-in-error" || o.Status == "cancelled" {
			continue
		}
		code := vitalCode(o)
		i, ok := index[code]
		if !ok {
			i = len(out)
			index[code] = i
			out = append(out, Vital{Code: code, Pair: code == bloodPressure, Label: vitalLabel(code, o)})
		}
		out[i].Readings = append(out[i].Readings, reading(o, out[i].Pair))
	}
	for i := range out {
		if out[i].Pair {
			out[i].Readings = pairUp(out[i].Readings)
		}
		slices.SortStableFunc(out[i].Readings, func(a, b Reading) int { return newest(a.At, b.At) })
	}
	slices.SortStableFunc(out, func(a, b Vital) int { return vitalRank(a) - vitalRank(b) })
	return out
}

func vitalRank(v Vital) int {
	i := slices.IndexFunc(vitalKinds, func(codes []string) bool { return codes[0] == v.Code })
	if i < 0 {
		return len(vitalKinds)
	}
	return i
}

// vitalCode is safe in a path: a known kind, a LOINC code, or a fingerprint of what the sender wrote.
func vitalCode(o fhir.Observation) string {
	if k := kindOf[o.Code.Code(loinc)]; k != "" {
		return k
	}
	if c := o.Code.Code(loinc); c != "" {
		return slug(c)
	}
	if s := sameKey(o.Code); s != "" {
		return ownWords(s)
	}
	return "other"
}

func slug(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.Trim(b.String()[:min(b.Len(), 80)], "-")
}

func vitalLabel(code string, o fhir.Observation) Label {
	l := Label{Clinical: untag(Readable(o.Code))}
	if key, ok := plainWords[term{loinc, code}]; ok {
		l.Plain = key
	} else if code == "other" && l.Clinical == "" {
		l.Plain = "records.vital.other"
	}
	return l
}

func when(o fhir.Observation) fhir.DateTime {
	return firstDate(o.EffectiveDateTime, o.EffectiveInstant, start(o.EffectivePeriod), o.Issued)
}

func reading(o fhir.Observation, pair bool) Reading {
	r := Reading{At: when(o), Early: o.Status == "preliminary" || o.Status == "registered", Notes: notes(o.Note),
		Changed: o.Status == "amended" || o.Status == "corrected", Why: absent(o.DataAbsentReason)}
	for _, p := range o.Performer {
		if who(p, nil).You {
			r.Own = true
		}
	}
	if pair {
		pressure(o, &r)
		return r
	}
	v := valueOf(o.ValueQuantity, o.ValueCodeableConcept, o.ValueString, o.ValueInteger)
	r.Text, r.Unit, r.Value = v.text, v.unit, v.number
	for _, c := range o.Component {
		v := valueOf(c.ValueQuantity, c.ValueCodeableConcept, c.ValueString, c.ValueInteger)
		if l := LabelOf(c.Code); l.Named() && v.text != "" {
			r.Parts = append(r.Parts, Part{l, v.text, v.unit})
		}
	}
	return r
}

// pressure reads systolic and diastolic from components, or from an observation of one of them.
func pressure(o fhir.Observation, r *Reading) {
	take := func(code string, q *fhir.Quantity) {
		if q == nil || q.Value == "" {
			return
		}
		switch code {
		case systolic:
			r.Value = q.Value
		case diastolic:
			r.Second = q.Value
		default:
			return
		}
		if u := unitOf(*q); u != "" {
			r.Unit = u
		}
	}
	take(o.Code.Code(loinc), o.ValueQuantity)
	for _, c := range o.Component {
		take(c.Code.Code(loinc), c.ValueQuantity)
		if r.Why == "" {
			r.Why = absent(c.DataAbsentReason)
		}
	}
	r.Text = pairText(r.Value, r.Second)
	if r.Text == "" {
		r.Text = strings.TrimSpace(o.ValueString)
	}
}

func pairText(sys, dia fhir.Decimal) string {
	switch {
	case sys != "" && dia != "":
		return whole(sys) + "/" + whole(dia)
	case sys != "":
		return whole(sys) + "/–"
	case dia != "":
		return "–/" + whole(dia)
	}
	return ""
}

// pairUp joins a systolic and a diastolic that were sent as two observations of one moment.
func pairUp(rs []Reading) []Reading {
	half := map[fhir.DateTime]int{}
	var out []Reading
	for _, r := range rs {
		i, waiting := half[r.At]
		if waiting && r.At != "" && (out[i].Value == "") != (r.Value == "") && (out[i].Second == "") != (r.Second == "") {
			o := &out[i]
			o.Value, o.Second = fhir.Decimal(firstText(string(o.Value), string(r.Value))), fhir.Decimal(firstText(string(o.Second), string(r.Second)))
			o.Text, o.Unit = pairText(o.Value, o.Second), firstText(o.Unit, r.Unit)
			delete(half, r.At)
			continue
		}
		if (r.Value == "") != (r.Second == "") {
			half[r.At] = len(out)
		}
		out = append(out, r)
	}
	return out
}

type measured struct {
	text, unit string
	number     fhir.Decimal
}

func valueOf(q *fhir.Quantity, c *fhir.CodeableConcept, s string, n *int) measured {
	switch {
	case q != nil && q.Value != "":
		m := measured{text: compared(*q), unit: unitOf(*q)}
		if _, ok := q.Value.Float64(); ok && q.Comparator == "" {
			m.number = q.Value
		}
		return m
	case c != nil:
		return measured{text: untag(Readable(*c))}
	case n != nil:
		return measured{text: number(n, ""), number: fhir.Decimal(number(n, ""))}
	}
	return measured{text: strings.TrimSpace(s)}
}

// compared is the value with "<" or "≥" before it.
func compared(q fhir.Quantity) string {
	sign := map[string]string{"<": "< ", "<=": "≤ ", ">=": "≥ ", ">": "> "}[q.Comparator]
	return sign + tidy(q.Value)
}

// tidy keeps the digits as reported. More than three decimals are a converter's (71.40000000000001), no scale's:
// those are shown with one.
func tidy(d fhir.Decimal) string {
	s := string(d)
	if i := strings.IndexByte(s, '.'); i >= 0 && len(s)-i > 4 && !strings.ContainsAny(s, "eE") {
		if f, ok := d.Float64(); ok {
			return strconv.FormatFloat(f, 'f', 1, 64)
		}
	}
	return s
}

func quantity(q fhir.Quantity) string {
	if q.Value == "" {
		return ""
	}
	return strings.TrimSpace(compared(q) + " " + unitOf(q))
}

func rangeText(r fhir.Range) string {
	switch {
	case r.Low != nil && r.High != nil && r.Low.Value != "" && r.High.Value != "":
		return tidy(r.Low.Value) + "–" + quantity(*r.High)
	case r.High != nil && r.High.Value != "":
		return "≤ " + quantity(*r.High)
	case r.Low != nil && r.Low.Value != "":
		return "≥ " + quantity(*r.Low)
	}
	return ""
}

// units turns UCUM codes into what people write.
var units = map[string]string{"Cel": "°C", "[degF]": "°F", "degF": "°F", "mm[Hg]": "mmHg", "kg/m2": "kg/m²", "[lb_av]": "lb",
	"[in_i]": "in", "[oz_av]": "oz", "{score}": "", "1": "", "{beats}/min": "/min", "{breaths}/min": "/min", "a": "y",
	"{nominal}": "", "[ft_i]": "ft", "/min": "/min"}

// unitOf is the unit as people write it: a UCUM code is translated, everything else stays as reported.
func unitOf(q fhir.Quantity) string {
	u := strings.TrimSpace(q.Unit)
	if u == "" {
		u = strings.TrimSpace(q.Code)
	}
	if nice, ok := units[u]; ok {
		return nice
	}
	return u
}

// absent says in a word key why there is no value.
func absent(c fhir.CodeableConcept) string {
	switch s := statusOf(c); s {
	case "":
		return ""
	case "asked-declined", "not-performed", "not-asked", "masked", "error", "not-permitted", "unsupported":
		return "records.absent." + s
	}
	return "records.absent.unknown"
}
