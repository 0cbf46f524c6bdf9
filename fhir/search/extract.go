package search

import (
	"math"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/fhir/internal/raw"
)

// each calls f with every value at p inside b, with p's datatype.
func (p *place) each(b []byte, f func(v []byte)) { walk(b, p.steps, f) }

func walk(b []byte, steps []step, f func([]byte)) {
	if len(steps) == 0 {
		f(b)
		return
	}
	steps[0].each(raw.Get(b, steps[0].member), steps[1:], f)
}

// each goes on from the member's value v, through lists and past what the filters refuse.
func (s *step) each(v []byte, rest []step, f func([]byte)) {
	for v := range raw.Elements(v) {
		if s.key != "" && raw.String(raw.Get(v, s.key)) != s.equal {
			continue
		}
		if s.target != "" {
			if typ, _, ok := fhir.SplitRef(raw.String(raw.Get(v, "reference"))); ok && typ != s.target {
				continue
			}
		}
		if string(v) != "null" {
			walk(v, rest, f)
		}
	}
}

// A code is one token of a value. free: the element is a bare code, whose system the definition fixes.
type code struct {
	system, code string
	free         bool
}

// codes gives the tokens of a value of the given datatype and, for :text, the words that go with it.
func codes(typ string, v []byte, add func(code), words func(string)) {
	member := func(name string) string { return raw.String(raw.Get(v, name)) }
	switch typ {
	case "CodeableConcept":
		for c := range raw.Elements(raw.Get(v, "coding")) {
			codes("Coding", c, add, words)
		}
		words(member("text"))
	case "Coding":
		add(code{system: member("system"), code: member("code")})
		words(member("display"))
	case "Identifier":
		add(code{system: member("system"), code: member("value")})
		words(raw.String(raw.Get(raw.Get(v, "type"), "text")))
	case "ContactPoint":
		add(code{code: member("value"), free: true})
	case "boolean":
		if s := string(v); s == "true" || s == "false" {
			add(code{code: s, free: true})
		}
	case "exists":
		add(code{code: "true", free: true})
	default:
		add(code{code: raw.String(v), free: true})
	}
}

// texts gives the strings of a value.
func texts(typ string, v []byte, add func(string)) {
	members := []string{}
	switch typ {
	case "HumanName":
		members = []string{"text", "family", "given", "prefix", "suffix"}
	case "Address":
		members = []string{"text", "line", "city", "district", "state", "postalCode", "country"}
	default:
		add(raw.String(v))
	}
	for _, m := range members {
		for e := range raw.Elements(raw.Get(v, m)) {
			add(raw.String(e))
		}
	}
}

const (
	beginning = math.MinInt64
	forever   = math.MaxInt64
)

// interval is the time a date covers, in milliseconds, end excluded.
func interval(d fhir.DateTime) (from, to int64, ok bool) {
	f, t, ok := d.Interval(time.UTC)
	if !ok {
		return 0, 0, false
	}
	from, to = f.UnixMilli(), t.UnixMilli()
	return from, max(to, from+1), true
}

// intervals gives the times of a value; a Period without a start or end is open there.
func intervals(typ string, v []byte, add func(from, to int64)) {
	at := func(v []byte) (int64, int64, bool) { return interval(fhir.DateTime(raw.String(v))) }
	switch typ {
	case "Period":
		from, _, okf := at(raw.Get(v, "start"))
		_, to, okt := at(raw.Get(v, "end"))
		if !okf {
			from = beginning
		}
		if !okt {
			to = forever
		}
		if okf || okt {
			add(from, to)
		}
	case "Timing":
		for e := range raw.Elements(raw.Get(v, "event")) {
			if from, to, ok := at(e); ok {
				add(from, to)
			}
		}
		if p := raw.Get(raw.Get(v, "repeat"), "boundsPeriod"); p != nil {
			intervals("Period", p, add)
		}
	default:
		if from, to, ok := at(v); ok {
			add(from, to)
		}
	}
}

// A span is a number or quantity: low to high with its unit's names.
type span struct {
	low, high          float64
	system, code, unit string
}

func spans(typ string, v []byte, add func(span)) {
	number := func(v []byte) (float64, bool) { return fhir.Decimal(v).Float64() }
	switch typ {
	case "integer", "decimal", "positiveInt", "unsignedInt":
		if f, ok := number(v); ok {
			add(span{low: f, high: f})
		}
	case "Range":
		s := span{low: math.Inf(-1), high: math.Inf(1)}
		for name, end := range map[string]*float64{"low": &s.low, "high": &s.high} {
			q := raw.Get(v, name)
			if f, ok := number(raw.Get(q, "value")); ok {
				*end = f
				s.system, s.code, s.unit = raw.String(raw.Get(q, "system")), raw.String(raw.Get(q, "code")), raw.String(raw.Get(q, "unit"))
			}
		}
		if s.low > math.Inf(-1) || s.high < math.Inf(1) {
			add(s)
		}
	default:
		f, ok := number(raw.Get(v, "value"))
		if !ok {
			return
		}
		s := span{low: f, high: f, system: raw.String(raw.Get(v, "system")), code: raw.String(raw.Get(v, "code")), unit: raw.String(raw.Get(v, "unit"))}
		if c := raw.String(raw.Get(v, "currency")); c != "" {
			s.system, s.code = "urn:iso:std:iso:4217", c
		}
		switch raw.String(raw.Get(v, "comparator")) {
		case "<", "<=":
			s.low = math.Inf(-1)
		case ">", ">=":
			s.high = math.Inf(1)
		}
		add(s)
	}
}

// fold brings a string to the form that is compared: lower case, without accents, single spaces.
func fold(s string) string {
	ascii := true
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			ascii = false
			break
		}
	}
	if !ascii {
		s = strings.Map(func(r rune) rune {
			if unicode.Is(unicode.Mn, r) {
				return -1
			}
			return r
		}, norm.NFD.String(s))
	}
	return strings.Join(strings.Fields(strings.ToLower(s)), " ")
}

func lower(s string) string { return strings.ToLower(s) }
