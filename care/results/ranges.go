package results

import (
	"math/big"
	"regexp"
	"strings"
	"time"

	"github.com/wellgate/wellgate/fhir"
)

// A Range is one reference range that holds for this person at that time.
type Range struct {
	Low, High         fhir.Decimal // either may be absent
	OpenLow, OpenHigh bool         // the limit itself is outside: "<5.7"
	Unit              string
	Text              string // as reported, where there are no limits: "Negative"
	Goal              bool   // a target set for this person or treatment, not what is usual
	Fits              bool   // it holds for this person
	specific          int    // how much it asks of the person
}

// Person is what ranges ask about.
type Person struct {
	Born fhir.DateTime
	Sex  string // male, female
}

// chooseRange picks the one range to compare with and lists the others as written. Where two ranges hold equally and
// differ, none is picked: guessing which one the laboratory meant would invent a status.
func chooseRange(ranges []fhir.ObservationReferenceRange, v Value, p Person, at time.Time) (chosen *Range, others []Range) {
	var all []Range
	for _, rr := range ranges {
		r, ok := readRange(rr, v)
		if !ok {
			continue
		}
		fits, specific := suits(rr, p, at)
		r.Fits, r.specific = fits, specific
		if !fits {
			others = append(others, r)
			continue
		}
		all = append(all, r)
	}
	best := -1
	for i, r := range all {
		switch {
		case best < 0, r.rank() > all[best].rank():
			best = i
		}
	}
	if best < 0 {
		return nil, others
	}
	for i, r := range all {
		if i != best && r.rank() == all[best].rank() && !r.same(all[best]) {
			return nil, append(others, all...)
		}
	}
	for i, r := range all {
		if i != best && !r.same(all[best]) {
			others = append(others, r)
		}
	}
	return &all[best], others
}

// rank prefers a goal to what is usual (Scherer, JMIR 2018), limits to words, the specific to the general.
func (r Range) rank() int {
	n := r.specific
	if r.Text == "" {
		n += 100
		if r.Goal {
			n += 1000
		}
	}
	return n
}

func (r Range) same(o Range) bool {
	return r.Low.Cmp(o.Low) == 0 && r.High.Cmp(o.High) == 0 && r.OpenLow == o.OpenLow && r.OpenHigh == o.OpenHigh && r.Text == o.Text && r.Unit == o.Unit
}

// Types of range, http://terminology.hl7.org/CodeSystem/referencerange-meaning.
func goal(c fhir.CodeableConcept) bool {
	return c.Has("", "treatment") || c.Has("", "recommended") || c.Has("", "therapeutic")
}

// phased ranges hold in one phase of a cycle or of a test; which one, the result does not say.
func phased(c fhir.CodeableConcept) bool {
	for _, k := range []string{"pre", "post", "pre-puberty", "follicular", "midcycle", "luteal", "postmenopausal", "endocrine", "postmeno", "prepub"} {
		if c.Has("", k) {
			return true
		}
	}
	return false
}

// suits reports whether rr holds for p at the time of the test, and how many questions it asked.
func suits(rr fhir.ObservationReferenceRange, p Person, at time.Time) (fits bool, specific int) {
	if phased(rr.Type) {
		return false, 0
	}
	for _, a := range rr.AppliesTo {
		sex := sexOf(a)
		if sex == "" || sex != p.Sex {
			return false, 0
		}
		specific++
	}
	if rr.Age != nil && (digits(rr.Age.Low) != "" || digits(rr.Age.High) != "") {
		if !aged(rr.Age, p.Born, at) {
			return false, 0
		}
		specific++
	}
	return true, specific
}

func sexOf(c fhir.CodeableConcept) string {
	for _, k := range c.Coding {
		switch strings.ToLower(k.Code) {
		case "male", "m", "248153007":
			return "male"
		case "female", "f", "248152002":
			return "female"
		}
	}
	switch fold(c.Text) {
	case "male", "men", "man", "males":
		return "male"
	case "female", "women", "woman", "females":
		return "female"
	}
	return ""
}

// aged reports whether the person's completed age lies in r, whatever part of a partial birth date is unknown.
func aged(r *fhir.Range, born fhir.DateTime, at time.Time) bool {
	from, to, ok := born.Interval(at.Location())
	if !ok || at.IsZero() {
		return false
	}
	for _, b := range []time.Time{from, to.Add(-time.Nanosecond)} {
		if !agedExactly(r, b, at) {
			return false
		}
	}
	return true
}

func agedExactly(r *fhir.Range, born, at time.Time) bool {
	if low := digits(r.Low); low != "" {
		t, ok := birthday(born, r.Low, 0)
		if !ok || at.Before(t) {
			return false
		}
	}
	if high := digits(r.High); high != "" {
		t, ok := birthday(born, r.High, 1)
		if !ok || !at.Before(t) {
			return false
		}
	}
	return true
}

// birthday is when somebody reaches the age q plus extra units.
func birthday(born time.Time, q *fhir.Quantity, extra int) (time.Time, bool) {
	f, ok := q.Value.Float64()
	if !ok || f < 0 || f > 2000 {
		return time.Time{}, false
	}
	n := int(f) + extra
	unit := q.Code
	if unit == "" {
		unit = q.Unit
	}
	switch strings.ToLower(strings.TrimSpace(unit)) {
	case "a", "y", "yr", "yrs", "year", "years":
		return born.AddDate(n, 0, 0), true
	case "mo", "month", "months":
		return born.AddDate(0, n, 0), true
	case "wk", "w", "week", "weeks":
		return born.AddDate(0, 0, 7*n), true
	case "d", "day", "days":
		return born.AddDate(0, 0, n), true
	}
	return time.Time{}, false
}

// readRange makes a Range of rr; false if it says nothing. Limits in another unit than the value's, or upside down,
// are kept as words only: they can be read and must not be compared.
func readRange(rr fhir.ObservationReferenceRange, v Value) (Range, bool) {
	r := Range{Low: digits(rr.Low), High: digits(rr.High), Goal: goal(rr.Type)}
	if r.Low == "" && r.High == "" {
		return textRange(clean(rr.Text), v, r.Goal)
	}
	r.Unit = unitOf(rr.High)
	if r.Unit == "" {
		r.Unit = unitOf(rr.Low)
	}
	if low := unitOf(rr.Low); low != "" && low != r.Unit {
		r.Text = string(r.Low) + " " + low + " – " + string(r.High) + " " + r.Unit
		return r.asText(), true
	}
	_, okLow := rat(r.Low)
	_, okHigh := rat(r.High)
	if !(r.Low == "" || okLow) || !(r.High == "" || okHigh) || (okLow && okHigh && r.Low.Cmp(r.High) > 0) || !sameUnit(r.Unit, v.Unit) {
		return r.asText(), true
	}
	return r, true
}

// asText turns limits that must not be compared into words.
func (r Range) asText() Range {
	if r.Text == "" {
		switch {
		case r.Low == "":
			r.Text = "≤ " + string(r.High)
		case r.High == "":
			r.Text = "≥ " + string(r.Low)
		default:
			r.Text = string(r.Low) + " – " + string(r.High)
		}
		r.Text = strings.TrimSpace(r.Text + " " + r.Unit)
	}
	r.Low, r.High, r.Unit = "", "", ""
	return r
}

// sameUnit: only identical units compare; a range without a unit takes the value's.
func sameUnit(of, value string) bool { return of == "" || of == value }

const decimal = `[-+]?\d+(?:[.,]\d+)?`

var (
	between = regexp.MustCompile(`^[(\[]?\s*(` + decimal + `)\s*(?:-|–|—|−|to|a|bis|\.\.+|…)\s*(` + decimal + `)\s*[)\]]?\s*([^\d].*)?$`)
	oneEnd  = regexp.MustCompile(`(?i)^[(\[]?\s*(<=|>=|<|>|≤|≥|=<|=>|less than|under|below|up to|more than|greater than|over|above|at least|at most)\s*(` + decimal + `)\s*[)\]]?\s*([^\d].*)?$`)
	comma3  = regexp.MustCompile(`,\d{3}$`)
)

// textRange reads "4.0 - 5.6", "<5.7", "≤ 5 mg/L". What it is not sure of stays text.
func textRange(s string, v Value, goal bool) (Range, bool) {
	if s == "" {
		return Range{}, false
	}
	asText := Range{Text: s, Goal: goal}
	r := Range{Goal: goal}
	unit := ""
	if m := between.FindStringSubmatch(s); m != nil {
		r.Low, r.High, unit = fhir.Decimal(m[1]), fhir.Decimal(m[2]), m[3]
	} else if m := oneEnd.FindStringSubmatch(s); m != nil {
		unit = m[3]
		switch strings.ToLower(m[1]) {
		case "<", "less than", "under", "below":
			r.High, r.OpenHigh = fhir.Decimal(m[2]), true
		case "<=", "=<", "≤", "up to", "at most":
			r.High = fhir.Decimal(m[2])
		case ">", "more than", "greater than", "over", "above":
			r.Low, r.OpenLow = fhir.Decimal(m[2]), true
		default:
			r.Low = fhir.Decimal(m[2])
		}
	} else {
		return asText, true
	}
	var okLow, okHigh bool
	r.Low, okLow = plainDecimal(r.Low)
	r.High, okHigh = plainDecimal(r.High)
	if unit = tidyUnit(strings.TrimSpace(unit)); !okLow || !okHigh || !sameUnit(unit, v.Unit) || (r.Low != "" && r.High != "" && r.Low.Cmp(r.High) > 0) {
		return asText, true
	}
	r.Unit = unit
	return r, true
}

// plainDecimal spells a number as FHIR does. "4,000" may be four or four thousand: refused.
func plainDecimal(d fhir.Decimal) (fhir.Decimal, bool) {
	s := strings.TrimPrefix(string(d), "+")
	if comma3.MatchString(s) {
		return "", false
	}
	s = strings.Replace(s, ",", ".", 1)
	for len(s) > 1 && s[0] == '0' && s[1] != '.' {
		s = s[1:]
	}
	_, ok := rat(fhir.Decimal(s))
	return fhir.Decimal(s), ok || s == ""
}

// place compares v with r, as far as it can be certain: "<5" against 4 to 10 cannot.
func (r *Range) place(v Value) Status {
	if r.Text != "" {
		if v.Form != Wording {
			return NotGiven
		}
		said, usual := verdict(v.Text), verdict(r.Text)
		switch {
		case fold(v.Text) == fold(r.Text), said != NotGiven && said == usual:
			return Usual
		case usual == Negative && said == Positive:
			return Positive
		case usual == Negative && said == Unclear:
			return Unclear
		}
		return NotGiven
	}
	if v.Form != Number || !sameUnit(r.Unit, v.Unit) {
		return NotGiven
	}
	x, ok := rat(v.Digits)
	if !ok {
		return NotGiven
	}
	low, hasLow := rat(r.Low)
	high, hasHigh := rat(r.High)
	below := hasLow && (x.Cmp(low) < 0 || x.Cmp(low) == 0 && (r.OpenLow || v.Comparator == "<"))
	above := hasHigh && (x.Cmp(high) > 0 || x.Cmp(high) == 0 && (r.OpenHigh || v.Comparator == ">"))
	switch v.Comparator {
	case "<", "<=":
		switch {
		case below:
			return Low
		case !hasLow && !above, !hasLow && v.Comparator == "<" && x.Cmp(high) == 0:
			return Usual
		}
		return NotGiven
	case ">", ">=":
		switch {
		case above:
			return High
		case !hasHigh && !below, !hasHigh && v.Comparator == ">" && x.Cmp(low) == 0:
			return Usual
		}
		return NotGiven
	}
	switch {
	case below:
		return r.degree(new(big.Rat).Sub(low, x), LittleLow, Low)
	case above:
		return r.degree(new(big.Rat).Sub(x, high), LittleHigh, High)
	}
	return Usual
}

// degree is little while beyond is within a tenth of the range, or of its only limit.
func (r *Range) degree(beyond *big.Rat, little, much Status) Status {
	low, hasLow := rat(r.Low)
	high, hasHigh := rat(r.High)
	size := new(big.Rat)
	switch {
	case hasLow && hasHigh:
		size.Sub(high, low)
	case hasLow:
		size.Abs(low)
	default:
		size.Abs(high)
	}
	if beyond.Cmp(size.Mul(size, slight)) <= 0 {
		return little
	}
	return much
}
