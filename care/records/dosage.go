package records

import (
	"slices"
	"strconv"
	"strings"

	"github.com/wellgate/wellgate/fhir"
)

// A How tells how to take a medicine: in the prescriber's words, or in ours made from the structured dosage.
// Both empty: follow the label. Half an instruction is never given.
type How struct {
	Text  string   // the prescriber's words, shown as written
	Parts []Phrase // ours, spoken in the reader's language
	Extra []string // further instructions, as written
}

// HowToTake reads one dosage.
func HowToTake(d fhir.Dosage) How {
	h := How{Extra: extra(d)}
	if t := firstText(d.PatientInstruction, d.Text); t != "" {
		h.Text = t
		h.Extra = slices.DeleteFunc(h.Extra, func(s string) bool { return sameText(s, t) })
		return h
	}
	parts, whole := structured(d)
	if whole {
		h.Parts = parts
	}
	return h
}

func firstText(ts ...string) string {
	for _, t := range ts {
		if t = strings.TrimSpace(t); t != "" {
			return t
		}
	}
	return ""
}

func sameText(a, b string) bool {
	trim := func(s string) string { return strings.ToLower(strings.TrimRight(strings.TrimSpace(s), ". ")) }
	return trim(a) == trim(b)
}

func extra(d fhir.Dosage) []string {
	out := readables(d.AdditionalInstruction)
	return slices.DeleteFunc(out, func(s string) bool { return s == "" })
}

// structured speaks dose, frequency and limits; false when the dosage holds something it cannot say.
func structured(d fhir.Dosage) ([]Phrase, bool) {
	var parts []Phrase
	if len(d.DoseAndRate) > 1 {
		return nil, false
	}
	if len(d.DoseAndRate) == 1 {
		p, ok := dose(d.DoseAndRate[0])
		if !ok {
			return nil, false
		}
		parts = append(parts, p...)
	}
	if d.Timing != nil {
		p, ok := timing(*d.Timing)
		if !ok {
			return nil, false
		}
		parts = append(parts, p...)
	}
	if l := LabelOf(d.Route); l.Plain != "" {
		parts = append(parts, say(l.Plain))
	} else if l.Clinical != "" {
		parts = append(parts, say("records.how.text", "text", l.Clinical))
	}
	if c := d.AsNeededCodeableConcept; c != nil {
		if r := Readable(*c); r != "" {
			parts = append(parts, say("records.how.for", "what", untag(r)))
		} else {
			parts = append(parts, say("records.how.needed"))
		}
	} else if isTrue(d.AsNeededBoolean) {
		parts = append(parts, say("records.how.needed"))
	}
	if p, ok := most(d); ok {
		parts = append(parts, p...)
	} else {
		return nil, false
	}
	return parts, true
}

func dose(d fhir.DosageDoseAndRate) ([]Phrase, bool) {
	if d.RateRatio != nil || d.RateRange != nil || d.RateQuantity != nil {
		return nil, false // infusions are not taken by reading a page
	}
	switch {
	case d.DoseQuantity != nil:
		q := amount(*d.DoseQuantity)
		if q == "" {
			return nil, false
		}
		return []Phrase{say("records.how.dose", "amount", q)}, true
	case d.DoseRange != nil && d.DoseRange.Low != nil && d.DoseRange.High != nil:
		low, high := *d.DoseRange.Low, *d.DoseRange.High
		if unitOf(low) != "" && unitOf(high) != "" && unitOf(low) != unitOf(high) || low.Value == "" || high.Value == "" {
			return nil, false
		}
		low.Unit, low.Code = "", ""
		return []Phrase{say("records.how.doses", "low", amount(low), "high", amount(high))}, true
	case d.DoseRange != nil:
		return nil, false
	}
	return nil, true
}

// amount is a quantity as text, its value as written but for a fraction of zeros: one tablet is not "1.0 tablet".
func amount(q fhir.Quantity) string {
	v := whole(q.Value)
	if v == "" || q.Comparator != "" {
		return ""
	}
	if u := unitOf(q); u != "" {
		return v + " " + u
	}
	return v
}

func whole(d fhir.Decimal) string {
	s := string(d)
	if i := strings.IndexByte(s, '.'); i > 0 && strings.Trim(s[i+1:], "0") == "" {
		return s[:i]
	}
	return s
}

var timingCodes = map[string]string{"QD": "1d", "BID": "2d", "TID": "3d", "QID": "4d", "QOD": "1/2d", "Q1H": "1/1h",
	"Q2H": "1/2h", "Q3H": "1/3h", "Q4H": "1/4h", "Q6H": "1/6h", "Q8H": "1/8h", "AM": "MORN", "PM": "EVE", "BED": "HS",
	"WK": "1wk", "MO": "1mo"}

// timing speaks when: as a repeat, or as one of the common abbreviations.
func timing(t fhir.Timing) ([]Phrase, bool) {
	if len(t.Event) > 0 {
		return nil, false
	}
	if t.Repeat != nil {
		return repeat(*t.Repeat)
	}
	for _, k := range t.Code.Coding {
		if p, ok := abbreviation(k.Code); ok {
			return []Phrase{p}, true
		}
	}
	if r := Readable(t.Code); r != "" {
		return []Phrase{say("records.how.text", "text", r)}, true
	}
	return nil, true
}

func abbreviation(code string) (Phrase, bool) {
	s, ok := timingCodes[code]
	if !ok {
		return Phrase{}, false
	}
	if _, isWhen := whens[s]; isWhen {
		return say("records.when." + s), true
	}
	freq, rest, slash := strings.Cut(s, "/")
	if slash {
		n, _ := strconv.Atoi(strings.TrimRight(rest, "dh"))
		return sayN("records.every."+rest[len(rest)-1:], n), true
	}
	n, _ := strconv.Atoi(strings.TrimRight(freq, "dwkmo"))
	return sayN("records.times."+strings.TrimLeft(freq, "0123456789"), n), true
}

// whens are the moments of Timing.repeat.when that we have words for.
var whens = map[string]bool{"MORN": true, "NOON": true, "AFT": true, "EVE": true, "NIGHT": true, "HS": true, "WAKE": true,
	"AC": true, "PC": true, "C": true, "ACM": true, "ACD": true, "ACV": true, "PCM": true, "PCD": true, "PCV": true,
	"CM": true, "CD": true, "CV": true}

func repeat(r fhir.TimingRepeat) ([]Phrase, bool) {
	if r.Offset != nil || r.Duration != "" || r.DurationMax != "" || r.CountMax != nil || r.BoundsRange != nil {
		return nil, false
	}
	var parts []Phrase
	if r.Frequency != nil || r.Period != "" || r.FrequencyMax != nil || r.PeriodMax != "" {
		p, ok := frequency(r)
		if !ok {
			return nil, false
		}
		parts = append(parts, p)
	}
	for _, w := range r.When {
		if !whens[w] {
			return nil, false
		}
		parts = append(parts, say("records.when."+w))
	}
	for _, d := range r.DayOfWeek {
		if !slices.Contains([]string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}, d) {
			return nil, false
		}
		parts = append(parts, say("records.on."+d))
	}
	for _, t := range r.TimeOfDay {
		if len(t) < 5 {
			return nil, false
		}
		parts = append(parts, say("records.how.at", "time", t[:5]))
	}
	if r.Count != nil {
		parts = append(parts, sayN("records.how.count", *r.Count))
	}
	if q := r.BoundsDuration; q != nil {
		p, ok := span(*q)
		if !ok {
			return nil, false
		}
		parts = append(parts, p)
	}
	if p := r.BoundsPeriod; p != nil && p.End != "" {
		parts = append(parts, say("records.how.until", "date", p.End))
	}
	return parts, true
}

func span(q fhir.Quantity) (Phrase, bool) {
	unit := q.Code
	if unit == "" {
		unit = q.Unit
	}
	unit = map[string]string{"d": "d", "day": "d", "days": "d", "wk": "wk", "week": "wk", "weeks": "wk", "mo": "mo",
		"month": "mo", "months": "mo"}[unit]
	n, err := strconv.Atoi(whole(q.Value))
	if unit == "" || err != nil {
		return Phrase{}, false
	}
	return sayN("records.during."+unit, n), true
}

// frequency: "n times a day" when the period is one day, week or month, "every n hours" when the frequency is one.
func frequency(r fhir.TimingRepeat) (Phrase, bool) {
	freq, period := 1, 1
	if r.Frequency != nil {
		freq = *r.Frequency
	}
	if r.Period != "" {
		n, err := strconv.Atoi(whole(r.Period))
		if err != nil {
			return Phrase{}, false
		}
		period = n
	}
	unit := r.PeriodUnit
	known := map[string]bool{"h": true, "d": true, "wk": true, "mo": true}
	if !known[unit] || freq < 1 || period < 1 {
		return Phrase{}, false
	}
	switch {
	case r.FrequencyMax != nil && r.PeriodMax == "" && period == 1 && unit == "d":
		return say("records.how.between", "low", strconv.Itoa(freq), "high", strconv.Itoa(*r.FrequencyMax)), true
	case r.PeriodMax != "" && r.FrequencyMax == nil && freq == 1 && unit == "h":
		return say("records.how.hours", "low", whole(r.Period), "high", whole(r.PeriodMax)), true
	case r.FrequencyMax != nil || r.PeriodMax != "":
		return Phrase{}, false
	case period == 1 && unit != "h":
		return sayN("records.times."+unit, freq), true
	case freq == 1:
		return sayN("records.every."+unit, period), true
	}
	return Phrase{}, false
}

// most speaks the upper limits; they must never be lost.
func most(d fhir.Dosage) ([]Phrase, bool) {
	var parts []Phrase
	if r := d.MaxDosePerPeriod; r != nil {
		if r.Numerator == nil || r.Denominator == nil {
			return nil, false
		}
		a, hours := amount(*r.Numerator), 0
		switch u, v := r.Denominator.Code+r.Denominator.Unit, whole(r.Denominator.Value); {
		case v == "1" && strings.HasPrefix(u, "d"):
			hours = 24
		case strings.HasPrefix(u, "h"):
			hours, _ = strconv.Atoi(v)
		}
		if a == "" || hours == 0 {
			return nil, false
		}
		parts = append(parts, sayN("records.how.max", hours, "amount", a))
	}
	if q := d.MaxDosePerAdministration; q != nil {
		a := amount(*q)
		if a == "" {
			return nil, false
		}
		parts = append(parts, say("records.how.maxOnce", "amount", a))
	}
	return parts, d.MaxDosePerLifetime == nil
}
