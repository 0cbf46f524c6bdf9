package results

import (
	"strings"

	"github.com/wellgate/wellgate/fhir"
)

// unitOf is the unit of q as people write it.
func unitOf(q *fhir.Quantity) string {
	if q == nil {
		return ""
	}
	if u := tidyUnit(q.Unit); u != "" {
		return u
	}
	return tidyUnit(q.Code)
}

// whole units that UCUM or laboratories write in a way that no patient reads.
var wholeUnits = map[string]string{
	"1": "", "{ratio}": "", "ratio": "", "{INR}": "", "{nominal}": "", "[pH]": "", "pH": "", "{score}": "", "{index}": "",
	"K/uL": "×10³/µL", "K/µL": "×10³/µL", "k/uL": "×10³/µL", "thou/uL": "×10³/µL", "thousand/uL": "×10³/µL", "Thousand/uL": "×10³/µL",
	"M/uL": "×10⁶/µL", "M/µL": "×10⁶/µL", "mil/uL": "×10⁶/µL", "Million/uL": "×10⁶/µL", "million/uL": "×10⁶/µL",
	"mm[Hg]": "mmHg", "Cel": "°C", "[degF]": "°F", "mm/hr": "mm/h", "percent": "%",
	"{#}/[HPF]": "/HPF", "/[HPF]": "/HPF", "{#}/[LPF]": "/LPF", "/[LPF]": "/LPF", "[arb'U]/mL": "units/mL",
}

// unitParts are written anywhere within a unit.
var unitParts = strings.NewReplacer("{1.73_m2}", "1.73 m²", "1.73_m2", "1.73 m²", "1.73m2", "1.73 m²", "[1.73_m2]", "1.73 m²", "[iU]", "IU",
	"[IU]", "IU", "[pH]", "", "[CFU]", "CFU", "[diop]", "D", "μ", "µ")

var superscript = strings.NewReplacer("0", "⁰", "1", "¹", "2", "²", "3", "³", "4", "⁴", "5", "⁵", "6", "⁶", "7", "⁷", "8", "⁸", "9", "⁹", "-", "⁻")

// tidyUnit turns UCUM into what laboratories print: 10*3/uL → ×10³/µL, mL/min/{1.73_m2} → mL/min/1.73 m². It changes
// how a unit looks, never which unit it is, and does nothing to what it does not know.
func tidyUnit(u string) string {
	u = clean(u)
	if t, ok := wholeUnits[u]; ok {
		return t
	}
	if !strings.ContainsAny(u, "0123456789{[uμlx") {
		return u // mmol/L, %, g/dL: most units are fine as they are
	}
	u = unitParts.Replace(u)
	u = dropAnnotations(u)
	for _, ten := range []string{"10*", "10^", "x10*", "x10^", "X10*", "X10^", "x10E", "10E"} {
		if rest, ok := strings.CutPrefix(u, ten); ok {
			u = "×10" + power(rest)
			break
		}
	}
	if rest, ok := strings.CutPrefix(u, "10"); ok && rest != "" && strings.ContainsRune("¹²³⁴⁵⁶⁷⁸⁹", []rune(rest)[0]) {
		u = "×" + u
	}
	parts := strings.Split(u, "/")
	for i, p := range parts {
		parts[i] = micro(strings.TrimSpace(p))
	}
	u = strings.Join(parts, "/")
	if u == "/" {
		return ""
	}
	return u
}

// power raises the leading digits of s.
func power(s string) string {
	n := 0
	for n < len(s) && (s[n] >= '0' && s[n] <= '9' || n == 0 && s[n] == '-') {
		n++
	}
	rest := s[n:]
	if len(rest) > 0 && rest[0] == '.' {
		rest = " " + rest[1:]
	}
	return superscript.Replace(s[:n]) + rest
}

// micro spells UCUM's u as µ where it is a prefix, and squares and cubes as such.
func micro(s string) string {
	switch s {
	case "l", "dl", "ml", "ul", "fl", "pl", "cl":
		s = s[:len(s)-1] + "L" // UCUM has both spellings of the litre
	}
	switch s {
	case "uL", "ug", "um", "umol", "uU", "ukat", "uIU", "umol/L", "uV", "uPa", "us":
		s = "µ" + s[1:]
	case "m2", "cm2", "mm2", "m3", "cm3", "mm3":
		s = s[:len(s)-1] + superscript.Replace(s[len(s)-1:])
	}
	return s
}

// dropAnnotations removes UCUM's {comments}, which carry no meaning (UCUM §6).
func dropAnnotations(u string) string {
	for {
		i := strings.IndexByte(u, '{')
		if i < 0 {
			return u
		}
		j := strings.IndexByte(u[i:], '}')
		if j < 0 {
			return u
		}
		u = u[:i] + u[i+j+1:]
	}
}
