package search

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/wellgate/wellgate/fhir"
)

const (
	maxTerms  = 64
	maxValues = 512
)

// Parse reads the query string of a search on typ.
func Parse(typ, rawQuery string) (Query, error) {
	if !fhir.KnownType(typ) {
		return Query{}, refuse(typ, "is no resource type of FHIR R4")
	}
	q := Query{Type: typ, Count: -1}
	for pair := range strings.SplitSeq(rawQuery, "&") {
		if pair == "" {
			continue
		}
		name, text, _ := strings.Cut(pair, "=")
		name, err1 := url.QueryUnescape(name)
		text, err2 := url.QueryUnescape(text)
		if err1 != nil || err2 != nil {
			return Query{}, refuse(name, "is not encoded as a URL query")
		}
		if text == "" {
			continue // R4: a parameter without a value is as if it were not there
		}
		if err := q.add(name, text); err != nil {
			return Query{}, err
		}
		if len(q.terms) > maxTerms {
			return Query{}, refuse(name, "is one condition too many")
		}
	}
	return q, nil
}

func (q *Query) add(name, text string) error {
	base, modifier, _ := strings.Cut(name, ":")
	switch base {
	case "_format", "_pretty":
		return nil // the shape of the answer, not its content
	case "_count":
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return refuse(name, "must be a whole number, 0 or more")
		}
		q.Count = n
		return nil
	case "_sort":
		return q.addSort(text)
	case "_include", "_revinclude":
		return q.addInclude(base, modifier, text)
	case "_summary":
		return oneOf(&q.Summary, name, text, "true", "text", "data", "count", "false")
	case "_total":
		return oneOf(&q.Total, name, text, "none", "estimate", "accurate")
	case "_elements":
		q.Elements = append(q.Elements, strings.Split(text, ",")...)
		return nil
	}
	if strings.Contains(base, ".") || base == "_has" {
		return refuse(name, "asks across resources (chaining), which is not offered here")
	}
	def := lookup(q.Type, base)
	if def == nil {
		return refuse(name, "is not a search parameter of "+q.Type)
	}
	t := term{def: def, modifier: modifier}
	if err := t.read(name, text); err != nil {
		return err
	}
	q.terms = append(q.terms, t)
	return nil
}

func (q *Query) addSort(text string) error {
	for key := range strings.SplitSeq(text, ",") {
		s := Sort{Param: strings.TrimPrefix(key, "-"), Desc: strings.HasPrefix(key, "-")}
		if s.def = lookup(q.Type, s.Param); s.def == nil {
			return refuse("_sort", "names something that is not a search parameter of "+q.Type)
		}
		if q.Sort = append(q.Sort, s); len(q.Sort) > 8 {
			return refuse("_sort", "has too many keys")
		}
	}
	return nil
}

func (q *Query) addInclude(base, modifier, text string) error {
	if modifier != "" && modifier != "iterate" {
		return refuse(base+":"+modifier, "has a modifier that is not offered here")
	}
	parts := strings.Split(text, ":")
	if len(parts) < 2 || len(parts) > 3 || !fhir.KnownType(parts[0]) {
		return refuse(base, "must look like Type:parameter or Type:parameter:Target")
	}
	inc := Include{Source: parts[0], Param: parts[1], Iterate: modifier == "iterate"}
	if len(parts) == 3 {
		if inc.Target = parts[2]; !fhir.KnownType(inc.Target) {
			return refuse(base, "names a target that is no resource type")
		}
	}
	if p := lookup(inc.Source, inc.Param); inc.Param != "*" && (p == nil || p.kind != reference) {
		return refuse(base, "names something that is not a reference parameter of "+inc.Source)
	}
	if base == "_include" {
		q.Include = append(q.Include, inc)
	} else {
		q.RevInclude = append(q.RevInclude, inc)
	}
	return nil
}

func oneOf(dst *string, name, text string, allowed ...string) error {
	if !slices.Contains(allowed, text) {
		return refuse(name, "must be one of "+strings.Join(allowed, ", "))
	}
	*dst = text
	return nil
}

var modifiers = map[byte][]string{
	token:     {"not", "text"},
	str:       {"exact", "contains"},
	uri:       {"below", "above"},
	reference: {"identifier"},
}

// read parses the alternatives of a term.
func (t *term) read(name, text string) error {
	if t.modifier == "missing" {
		if text != "true" && text != "false" {
			return refuse(name, "must be true or false")
		}
		t.missing = text == "true"
		return nil
	}
	typed := t.def.kind == reference && fhir.KnownType(t.modifier)
	if t.modifier != "" && !typed && !slices.Contains(modifiers[t.def.kind], t.modifier) {
		return refuse(name, "has a modifier that is not offered here")
	}
	alternatives := splitEscaped(text, ',')
	if len(alternatives) > maxValues {
		return refuse(name, "has too many values")
	}
	for _, a := range alternatives {
		v, err := t.parse(name, a)
		if err != nil {
			return err
		}
		t.values = append(t.values, v)
	}
	return nil
}

func (t *term) parse(name, text string) (value, error) {
	switch t.def.kind {
	case date:
		return parseDate(name, text)
	case number, quantity:
		return parseNumber(name, text, t.def.kind)
	case str:
		if t.modifier == "exact" {
			return value{text: unescape(text)}, nil
		}
		return value{text: fold(unescape(text))}, nil
	case reference:
		return t.parseReference(text), nil
	case uri:
		return value{text: unescape(text)}, nil
	}
	return t.parseToken(text), nil
}

func (t *term) parseToken(text string) value {
	switch {
	case t.modifier == "text":
		return value{text: fold(unescape(text))}
	case t.def == idParam:
		return value{text: unescape(text)}
	}
	parts := splitEscaped(text, '|')
	v := value{text: lower(unescape(parts[len(parts)-1])), hasPipe: len(parts) > 1}
	if v.hasPipe {
		v.system = unescape(strings.Join(parts[:len(parts)-1], "|"))
	}
	return v
}

func (t *term) parseReference(text string) value {
	if t.modifier == "identifier" {
		u := term{def: t.def}
		return u.parseToken(text)
	}
	ref := unescape(text)
	if t.modifier != "" && !strings.Contains(ref, "/") {
		ref = t.modifier + "/" + ref
	}
	return value{text: ref}
}

var prefixes = []string{"eq", "ne", "gt", "ge", "lt", "le", "sa", "eb", "ap"}

func cutPrefix(text string) (prefix, rest string) {
	for _, p := range prefixes {
		if strings.HasPrefix(text, p) {
			return p, text[2:]
		}
	}
	return "eq", text
}

func parseDate(name, text string) (value, error) {
	v := value{}
	v.prefix, text = cutPrefix(unescape(text))
	text = strings.Replace(text, " ", "+", 1) // a zone's + that was sent unencoded
	var ok bool
	if v.from, v.to, ok = interval(fhir.DateTime(text)); !ok {
		return v, refuse(name, "must be a date such as 2019, 2019-03-14 or 2019-03-14T09:26:53Z, after an optional prefix")
	}
	return v, nil
}

// parseNumber reads [prefix]number, and for a quantity |system|code or ||code. 5.40 means 5.395 to 5.405.
func parseNumber(name, text string, kind byte) (value, error) {
	parts := splitEscaped(text, '|')
	v := value{}
	v.prefix, parts[0] = cutPrefix(parts[0])
	n, ok := fhir.Decimal(parts[0]).Float64()
	if !ok || len(parts) != 1 && (kind != quantity || len(parts) != 3) {
		return v, refuse(name, "must be a number (for a quantity: number, number|system|code or number||code), after an optional prefix")
	}
	if len(parts) == 3 {
		v.system, v.unit = unescape(parts[1]), unescape(parts[2])
	}
	half := halfStep(parts[0])
	v.num, v.low, v.hi = n, n-half, n+half
	if v.prefix == "ap" {
		tenth := max(n/10, -n/10)
		v.low, v.hi = n-tenth, n+tenth
	}
	return v, nil
}

// halfStep is half of the last digit written: 0.005 for 5.40.
func halfStep(text string) float64 {
	mantissa, exp, _ := strings.Cut(strings.ToLower(text), "e")
	e, _ := strconv.Atoi(exp)
	if _, decimals, ok := strings.Cut(mantissa, "."); ok {
		e -= len(decimals)
	}
	f, err := strconv.ParseFloat("5e"+strconv.Itoa(e-1), 64)
	if err != nil {
		return 0
	}
	return f
}

// splitEscaped cuts s at sep unless a backslash stands before it.
func splitEscaped(s string, sep byte) []string {
	var out []string
	start := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case sep:
			out = append(out, s[start:i])
			start = i + 1
		}
	}
	return append(out, s[start:])
}

// unescape undoes \, \| \$ and \\.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && strings.IndexByte(`,|$\`, s[i+1]) >= 0 {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// refuse names the parameter; a name that is no parameter's (it may be anything) is shown as "?".
func refuse(name, rule string) error {
	for _, c := range name {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("_-.:", c)) {
			name = "?"
			break
		}
	}
	if name == "" || len(name) > 64 {
		name = "?"
	}
	return fmt.Errorf("%w: %s %s", ErrInvalid, name, rule)
}
