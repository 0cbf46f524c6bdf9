package validate

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/fhir/internal/raw"
)

// primitives check one JSON value each, by https://hl7.org/fhir/R4/datatypes.html#primitive; "" is good, otherwise the
// rule that is broken.
var primitives = map[string]func([]byte) string{
	"boolean": func(v []byte) string {
		return need(string(v) == "true" || string(v) == "false", "must be true or false")
	},
	"integer":      whole(-1<<31, "must be a whole number"),
	"unsignedInt":  whole(0, "must be a whole number, 0 or more"),
	"positiveInt":  whole(1, "must be a whole number, 1 or more"),
	"decimal":      func(v []byte) string { return need(isNumber(v), "must be a number") },
	"string":       text(notBlank, "must not be blank or hold control characters"),
	"markdown":     text(notBlank, "must not be blank or hold control characters"),
	"code":         text(isCode, "must be a code without needless blanks"),
	"uri":          text(noBlanks, "must be a URI without blanks"),
	"url":          text(noBlanks, "must be a URL without blanks"),
	"canonical":    text(noBlanks, "must be a URL without blanks"),
	"id":           text(isID, "must be 1 to 64 letters, digits, - or ."),
	"oid":          text(onString(isOID), "must look like urn:oid:1.2.3"),
	"uuid":         text(onString(isUUID), "must look like urn:uuid:…, with a lower-case UUID"),
	"base64Binary": base64Rule,
	"date":         text(isDate, "must be a date such as 2019, 2019-03 or 2019-03-14"),
	"dateTime":     text(isDateTime, "must be a date such as 2019-03-14, or a time with its zone such as 2019-03-14T09:26:53Z"),
	"instant":      text(isInstant, "must be a time with its zone such as 2019-03-14T09:26:53Z"),
	"time":         text(onString(isTime), "must be a time such as 09:26:53"),
	"xhtml":        text(isDiv, "must be an XHTML div"),
}

func need(ok bool, rule string) string {
	if ok {
		return ""
	}
	return rule
}

func isNumber(v []byte) bool { return len(v) > 0 && (v[0] == '-' || v[0] >= '0' && v[0] <= '9') }

func whole(least int64, rule string) func([]byte) string {
	return func(v []byte) string {
		if !isNumber(v) {
			return rule
		}
		n, err := strconv.ParseInt(string(v), 10, 32)
		return need(err == nil && n >= least, rule)
	}
}

// text wraps a check of a string's text; control characters are refused for all of them.
func text(ok func([]byte) bool, rule string) func([]byte) string {
	return func(v []byte) string {
		if len(v) < 2 || v[0] != '"' {
			return "must be text"
		}
		s := v[1 : len(v)-1]
		if bytes.IndexByte(s, '\\') >= 0 { // JSON lets control characters in by escapes only
			s = []byte(raw.String(v))
			for _, c := range s {
				if c < ' ' && c != '\t' && c != '\n' && c != '\r' {
					return "must not hold control characters"
				}
			}
		}
		if ok(s) {
			return ""
		}
		return rule
	}
}

// content is the text of a JSON string; without escapes it is a part of v, not a copy.
func content(v []byte) []byte {
	if bytes.IndexByte(v, '\\') < 0 {
		return v[1 : len(v)-1]
	}
	return []byte(raw.String(v))
}

func notBlank(s []byte) bool {
	return len(s) > 0 && s[0] > ' ' && s[0] < 0x80 || len(bytes.TrimSpace(s)) > 0
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

func noBlanks(s []byte) bool {
	for _, c := range s {
		if isBlank(c) {
			return false
		}
	}
	return len(s) > 0
}

// isCode: no blanks at the ends and single ones inside.
func isCode(s []byte) bool {
	for i, c := range s {
		if c <= ' ' && isBlank(c) && (i == 0 || i == len(s)-1 || isBlank(s[i-1])) {
			return false
		}
	}
	return len(s) > 0
}

// isID is fhir.ValidID without a copy.
func isID(s []byte) bool {
	for _, c := range s {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.') {
			return false
		}
	}
	return len(s) > 0 && len(s) <= 64
}

func isOID(s string) bool {
	rest, ok := strings.CutPrefix(s, "urn:oid:")
	arcs := strings.Split(rest, ".")
	if !ok || len(arcs) < 2 || len(arcs[0]) != 1 || arcs[0] > "2" {
		return false
	}
	for _, a := range arcs {
		if a == "" || strings.Trim(a, "0123456789") != "" || len(a) > 1 && a[0] == '0' {
			return false
		}
	}
	return true
}

func isUUID(s string) bool {
	rest, ok := strings.CutPrefix(s, "urn:uuid:")
	if !ok || len(rest) != 36 {
		return false
	}
	for i, c := range []byte(rest) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		if dash != (c == '-') || !dash && !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f') {
			return false
		}
	}
	return true
}

func isDate(s []byte) bool {
	if ok, known := plainDate(s); known {
		return ok
	}
	p := fhir.DateTime(s).Precision()
	return p >= fhir.Year && p <= fhir.Day
}

func isDateTime(s []byte) bool { return isDate(s) || isInstant(s) }

func isInstant(s []byte) bool {
	if plainInstant(s) {
		return true
	}
	p := fhir.DateTime(s).Precision()
	return (p == fhir.Second || p == fhir.Fraction) && (s[len(s)-1] == 'Z' || len(s) > 6 && (s[len(s)-6] == '+' || s[len(s)-6] == '-'))
}

// plainDate decides about yyyy-mm-dd, the usual date, by its digits; everything else is not known.
func plainDate(s []byte) (ok, known bool) {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' {
		return false, len(s) > 10
	}
	y, m, d := two(s)*100+two(s[2:]), two(s[5:]), two(s[8:])
	if y <= 0 || two(s) < 0 || two(s[2:]) < 0 || m < 1 || m > 12 || d < 1 {
		return false, true
	}
	days := [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[m-1]
	if m == 2 && y%4 == 0 && (y%100 != 0 || y%400 == 0) {
		days = 29
	}
	return d <= days, true
}

// plainInstant knows yyyy-mm-ddThh:mm:ss with Z or an offset, and three digits of a second or none; it refuses nothing.
func plainInstant(s []byte) bool {
	if len(s) < 20 || s[10] != 'T' || s[13] != ':' || s[16] != ':' {
		return false
	}
	ok, _ := plainDate(s[:10])
	h, m, sec := two(s[11:]), two(s[14:]), two(s[17:])
	if !ok || h < 0 || h > 23 || m < 0 || m > 59 || sec < 0 || sec > 59 {
		return false
	}
	zone := s[19:]
	if len(zone) > 4 && zone[0] == '.' && two(zone[1:]) >= 0 && two(zone[2:]) >= 0 {
		zone = zone[4:]
	}
	if len(zone) == 1 {
		return zone[0] == 'Z'
	}
	if len(zone) != 6 || zone[0] != '+' && zone[0] != '-' || zone[3] != ':' {
		return false
	}
	zh, zm := two(zone[1:]), two(zone[4:])
	return zh >= 0 && zh <= 14 && zm >= 0 && zm <= 59
}

// two is the number that two digits make, below zero if they are none.
func two(s []byte) int {
	a, b := int(s[0])-'0', int(s[1])-'0'
	if a < 0 || a > 9 || b < 0 || b > 9 {
		return -1000
	}
	return a*10 + b
}

func isTime(s string) bool {
	if _, err := time.Parse("15:04:05", s); err != nil || len(s) < 8 || s[2] != ':' {
		return false
	}
	return !strings.Contains(s, ",")
}

// base64Rule reads the JSON text itself: files are large and need no copy. White space inside is allowed.
func base64Rule(v []byte) string {
	const rule = "must be base64"
	if len(v) < 2 || v[0] != '"' {
		return "must be text"
	}
	s := v[1 : len(v)-1]
	n, pad := 0, 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '+', c == '/':
			if pad > 0 {
				return rule
			}
			n++
		case c == '=':
			pad++
		case c == ' ':
		case c == '\\' && i+1 < len(s) && (s[i+1] == 'n' || s[i+1] == 'r' || s[i+1] == 't'):
			i++
		case c == '\\' && i+1 < len(s) && s[i+1] == '/':
			i, n = i+1, n+1
		default:
			return rule
		}
	}
	return need(n > 0 && pad <= 2 && (n+pad)%4 == 0, rule)
}

// isDiv looks at the outside of a narrative only: nothing may show one without cleaning it.
func isDiv(s []byte) bool {
	s = bytes.TrimSpace(s)
	return bytes.HasPrefix(s, []byte("<div")) && bytes.HasSuffix(s, []byte(">"))
}

func onString(ok func(string) bool) func([]byte) bool {
	return func(s []byte) bool { return ok(string(s)) }
}
