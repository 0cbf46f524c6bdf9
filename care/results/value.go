package results

import (
	"math/big"
	"strconv"
	"strings"

	"github.com/wellgate/wellgate/fhir"
)

// Form is what sort of value a result has.
type Form int

const (
	Nothing   Form = iota // no value and no reason
	Number                // Comparator, Digits, Unit
	Wording               // Text, as reported
	YesNo                 // Yes
	Span                  // Digits to Digits2, Unit; either may be absent
	Per                   // Digits Unit : Digits2 Unit2
	Moment                // Date; with Date2 a period
	Clock                 // Text, a time of day
	Unshown               // of a form that this page cannot draw
	Absent                // Why says why
	Withdrawn             // entered in error: whatever the value was, it is not here
)

// A Value is what was found, still in no language. Digits are as reported.
type Value struct {
	Form            Form
	Comparator      string // < <= >= >
	Digits, Digits2 fhir.Decimal
	Unit, Unit2     string
	Text            string
	Yes             bool
	Date, Date2     fhir.DateTime
	Why             string // word key under results.absent
}

// raw is the part of an Observation, or of its component, that holds a value.
type raw struct {
	quantity *fhir.Quantity
	concept  *fhir.CodeableConcept
	text     string
	yes      *bool
	integer  *int
	span     *fhir.Range
	ratio    *fhir.Ratio
	clock    string
	date     fhir.DateTime
	period   *fhir.Period
	absent   fhir.CodeableConcept
	sampled  bool
}

func rawOf(o fhir.Observation, sampled bool) raw {
	return raw{o.ValueQuantity, o.ValueCodeableConcept, o.ValueString, o.ValueBoolean, o.ValueInteger, o.ValueRange,
		o.ValueRatio, o.ValueTime, o.ValueDateTime, o.ValuePeriod, o.DataAbsentReason, sampled}
}

func rawOfPart(c fhir.ObservationComponent) raw {
	return raw{c.ValueQuantity, c.ValueCodeableConcept, c.ValueString, c.ValueBoolean, c.ValueInteger, c.ValueRange,
		c.ValueRatio, c.ValueTime, c.ValueDateTime, c.ValuePeriod, c.DataAbsentReason, false}
}

// valueOf takes the first value there is; real senders now and then fill an element and leave it empty.
func valueOf(r raw) Value {
	if v, ok := numeric(r); ok {
		return v
	}
	switch text := strings.TrimSpace(r.text); {
	case r.concept != nil && clean(r.concept.Label()) != "":
		return Value{Form: Wording, Text: clean(r.concept.Label())}
	case text != "":
		return Value{Form: Wording, Text: clean(text)}
	case r.yes != nil:
		return Value{Form: YesNo, Yes: *r.yes}
	case r.clock != "":
		return Value{Form: Clock, Text: r.clock}
	case r.date.Precision() != fhir.Unknown:
		return Value{Form: Moment, Date: r.date}
	case r.period != nil && (r.period.Start.Precision() != fhir.Unknown || r.period.End.Precision() != fhir.Unknown):
		return Value{Form: Moment, Date: r.period.Start, Date2: r.period.End}
	case r.sampled:
		return Value{Form: Unshown}
	}
	if why := absentKey(r.absent); why != "" {
		return Value{Form: Absent, Why: why}
	}
	return Value{Form: Nothing}
}

func numeric(r raw) (Value, bool) {
	switch {
	case r.quantity != nil && r.quantity.Value != "":
		return Value{Form: Number, Comparator: comparator(r.quantity.Comparator), Digits: r.quantity.Value, Unit: unitOf(r.quantity)}, true
	case r.integer != nil:
		return Value{Form: Number, Digits: fhir.Decimal(strconv.Itoa(*r.integer))}, true
	case r.span != nil && (digits(r.span.Low) != "" || digits(r.span.High) != ""):
		v := Value{Form: Span, Digits: digits(r.span.Low), Digits2: digits(r.span.High), Unit: unitOf(r.span.High)}
		if v.Unit == "" {
			v.Unit = unitOf(r.span.Low)
		}
		return v, true
	case r.ratio != nil && digits(r.ratio.Numerator) != "":
		return Value{Form: Per, Comparator: comparator(r.ratio.Numerator.Comparator), Digits: digits(r.ratio.Numerator),
			Unit: unitOf(r.ratio.Numerator), Digits2: digits(r.ratio.Denominator), Unit2: unitOf(r.ratio.Denominator)}, true
	}
	return Value{}, false
}

func digits(q *fhir.Quantity) fhir.Decimal {
	if q == nil {
		return ""
	}
	return q.Value
}

// comparator lets through the four of the specification; anything else would change the meaning unseen.
func comparator(c string) string {
	switch c {
	case "<", "<=", ">", ">=":
		return c
	}
	return ""
}

// absentKey groups the codes of http://hl7.org/fhir/ValueSet/data-absent-reason into what a patient needs to know.
func absentKey(c fhir.CodeableConcept) string {
	for _, k := range c.Coding {
		switch k.Code {
		case "not-performed":
			return "undone"
		case "error", "not-a-number", "negative-infinity", "positive-infinity":
			return "failed"
		case "masked", "not-permitted", "asked-declined":
			return "hidden"
		case "temp-unknown":
			return "later"
		case "as-text":
			return "text"
		case "unknown", "asked-unknown", "not-asked", "not-applicable", "unsupported":
			return "unknown"
		}
	}
	if c.Label() != "" {
		return "unknown"
	}
	return ""
}

// clean drops what cannot be seen (zero-width space and joiners of some exports, controls) and folds white space.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\u200b' || r == '\ufeff' || r == '\u2060' || r == '\u00ad':
			return -1
		case r < ' ' || r == 0x7f:
			return ' '
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// rat is d as an exact number; false for what no measurement has (and what would take all memory to expand).
func rat(d fhir.Decimal) (*big.Rat, bool) {
	s := string(d)
	if s == "" || len(s) > 60 {
		return nil, false
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		if e, err := strconv.Atoi(s[i+1:]); err != nil || e > 60 || e < -60 {
			return nil, false
		}
	}
	if strings.ContainsAny(s, "/xXpP_") {
		return nil, false
	}
	return new(big.Rat).SetString(s)
}
