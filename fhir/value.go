package fhir

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// A Decimal is a FHIR decimal as written: 1.50 stays 1.50, its precision is part of its meaning. "" is absent.
type Decimal string

// Float64 is the nearest float, and false if d is absent, no number or too large for one.
func (d Decimal) Float64() (float64, bool) {
	f, err := strconv.ParseFloat(string(d), 64)
	return f, err == nil && !math.IsInf(f, 0) && !math.IsNaN(f)
}

// Cmp compares by value, exactly: 1.50 equals 1.5. An absent Decimal is less than any number.
func (d Decimal) Cmp(e Decimal) int {
	x, okx := d.rat()
	y, oky := e.rat()
	switch {
	case okx && oky:
		return x.Cmp(y)
	case okx:
		return 1
	case oky:
		return -1
	}
	return 0
}

// rat refuses exponents over ±400, which no measurement has and which would take all memory to expand.
func (d Decimal) rat() (*big.Rat, bool) {
	if !d.valid() {
		return nil, false
	}
	if i := strings.IndexAny(string(d), "eE"); i >= 0 {
		if e, err := strconv.Atoi(string(d[i+1:])); err != nil || e > 400 || e < -400 {
			return nil, false
		}
	}
	return new(big.Rat).SetString(string(d))
}

func (d Decimal) valid() bool {
	v := jsontext.Value(d)
	return len(d) > 0 && len(d) <= 400 && v.Kind() == '0' && v.IsValid()
}

// MarshalJSONTo writes the digits as they were read.
func (d Decimal) MarshalJSONTo(e *jsontext.Encoder) error {
	if !d.valid() {
		return invalid("", "a decimal is not a number")
	}
	return e.WriteValue(jsontext.Value(d))
}

// UnmarshalJSONFrom takes a JSON number only: FHIR has no quoted numbers.
func (d *Decimal) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	v, err := dec.ReadValue()
	if err != nil {
		return err
	}
	if v.Kind() != '0' {
		return invalid("", "a decimal must be a number")
	}
	*d = Decimal(v)
	return nil
}

// Precision says how much of a DateTime is known.
type Precision int

const (
	Unknown Precision = iota // absent or malformed
	Year
	Month
	Day
	Minute // R4 wants seconds; some senders leave them out
	Second
	Fraction
)

// A DateTime is a FHIR date, dateTime or instant as written; it may be partial: "2019", "2019-03", "2019-03-14",
// "2019-03-14T09:26:53.589+01:00". "" is absent.
type DateTime string

// Date is the calendar day of t, in t's zone.
func Date(t time.Time) DateTime { return DateTime(t.Format(time.DateOnly)) }

// Instant is t to the second, with its zone.
func Instant(t time.Time) DateTime { return DateTime(t.Format(time.RFC3339)) }

// Precision is Unknown if d is absent or malformed.
func (d DateTime) Precision() Precision { _, p := d.parse(time.UTC); return p }

// Time is the first moment of d. A part that names no zone (dates always) is taken in loc; false if absent or malformed.
func (d DateTime) Time(loc *time.Location) (time.Time, bool) {
	t, p := d.parse(loc)
	return t, p != Unknown
}

// Interval is the time that d covers: [from, to). 2019 covers the year, an instant to the second covers that second.
func (d DateTime) Interval(loc *time.Location) (from, to time.Time, ok bool) {
	t, p := d.parse(loc)
	switch p {
	case Year:
		return t, t.AddDate(1, 0, 0), true
	case Month:
		return t, t.AddDate(0, 1, 0), true
	case Day:
		return t, t.AddDate(0, 0, 1), true
	case Minute:
		return t, t.Add(time.Minute), true
	case Second:
		return t, t.Add(time.Second), true
	case Fraction:
		return t, t.Add(fraction(string(d))), true
	}
	return t, t, false
}

// String is the text as written.
func (d DateTime) String() string { return string(d) }

// Before and After compare first moments in UTC, for sorting; an absent date is before every other.
func (d DateTime) Before(e DateTime) bool { return d.Compare(e) < 0 }
func (d DateTime) After(e DateTime) bool  { return d.Compare(e) > 0 }

// Compare orders by first moment in UTC, absent first.
func (d DateTime) Compare(e DateTime) int {
	t, p := d.parse(time.UTC)
	u, q := e.parse(time.UTC)
	switch {
	case p == Unknown && q == Unknown:
		return 0
	case p == Unknown:
		return -1
	case q == Unknown:
		return 1
	}
	return t.Compare(u)
}

var layouts = map[int]struct {
	layout string
	p      Precision
}{4: {"2006", Year}, 7: {"2006-01", Month}, 10: {"2006-01-02", Day}, 16: {"2006-01-02T15:04", Minute}, 19: {"2006-01-02T15:04:05", Second}}

func (d DateTime) parse(loc *time.Location) (time.Time, Precision) {
	s := string(d)
	if len(s) <= 10 {
		return parsePart(s, len(s), loc)
	}
	zone := strings.LastIndexAny(s, "Z+-")
	if zone <= 10 {
		zone = len(s)
	}
	t, p := parsePart(s[:zone], min(zone, 19), loc)
	if zone == len(s) || p == Unknown {
		return t, p
	}
	off, ok := offset(s[zone:])
	if !ok {
		return time.Time{}, Unknown
	}
	_, local := t.Zone()
	return t.Add(time.Duration(local-off) * time.Second).In(zoneOf(off)), p
}

// parsePart reads s, whose part before the fraction is n bytes long, without a zone.
func parsePart(s string, n int, loc *time.Location) (time.Time, Precision) {
	l, ok := layouts[n]
	if !ok {
		return time.Time{}, Unknown
	}
	if len(s) > n {
		if s[n] != '.' || len(s) == n+1 || len(s) > n+10 || strings.Trim(s[n+1:], "0123456789") != "" {
			return time.Time{}, Unknown
		}
		t, err := time.ParseInLocation(l.layout+s[n:n+1]+strings.Repeat("0", len(s)-n-1), s, loc)
		if err != nil {
			return time.Time{}, Unknown
		}
		return t, Fraction
	}
	if n == 19 && s[17:] == "60" { // a leap second, which time.Time does not know
		s = s[:17] + "59"
	}
	t, err := time.ParseInLocation(l.layout, s, loc)
	if err != nil || t.Year() == 0 {
		return time.Time{}, Unknown
	}
	return t, l.p
}

func offset(z string) (seconds int, ok bool) {
	if z == "Z" {
		return 0, true
	}
	if len(z) != 6 || z[3] != ':' {
		return 0, false
	}
	h, err1 := strconv.ParseUint(z[1:3], 10, 8)
	m, err2 := strconv.ParseUint(z[4:6], 10, 8)
	if err1 != nil || err2 != nil || h > 14 || m > 59 {
		return 0, false
	}
	seconds = int(h*3600 + m*60)
	if z[0] == '-' {
		seconds = -seconds
	}
	return seconds, true
}

func zoneOf(off int) *time.Location {
	if off == 0 {
		return time.UTC
	}
	return time.FixedZone("", off)
}

// fraction is the length of the last digit after the point: .5 covers 100 ms.
func fraction(s string) time.Duration {
	digits := 0
	for _, c := range s[strings.IndexByte(s, '.')+1:] {
		if c < '0' || c > '9' {
			break
		}
		digits++
	}
	d := time.Second
	for range digits {
		d /= 10
	}
	return max(d, 1)
}

// UnmarshalJSONFrom refuses what is no date, so that Into leaves it absent.
func (d *DateTime) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	t, err := dec.ReadToken()
	if err != nil {
		return err
	}
	if t.Kind() != '"' {
		return invalid("", "a date must be a string")
	}
	v := DateTime(t.String())
	if v.Precision() == Unknown {
		return invalid("", "a date must look like 2019, 2019-03, 2019-03-14 or 2019-03-14T09:26:53Z")
	}
	*d = v
	return nil
}
