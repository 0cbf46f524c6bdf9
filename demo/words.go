package demo

import (
	"strconv"
	"strings"
	"time"

	"github.com/wellgate/wellgate/fhir"
)

// This file: the code systems we speak, and short ways to say a value.

const (
	sct    = "http://snomed.info/sct"
	loinc  = "http://loinc.org"
	icd    = "http://hl7.org/fhir/sid/icd-10-cm"
	rxnorm = "http://www.nlm.nih.gov/research/umls/rxnorm"
	cvx    = "http://hl7.org/fhir/sid/cvx"
	ucum   = "http://unitsofmeasure.org"
	hl7    = "http://terminology.hl7.org/CodeSystem/"
	usCore = "http://hl7.org/fhir/us/core/StructureDefinition/"
	local  = "https://willowbrook.example.com/codes/"
)

// sorted holds a moment that belongs to a calendar day only.
func day(t time.Time) fhir.DateTime     { return fhir.Date(t) }
func instant(t time.Time) fhir.DateTime { return fhir.Instant(t) }

func ref(s string) fhir.Reference { return fhir.Reference{Reference: s} }

func profile(name string) *fhir.Meta { return &fhir.Meta{Profile: []string{usCore + name}} }

func one(c fhir.CodeableConcept) []fhir.CodeableConcept { return []fhir.CodeableConcept{c} }

// hl7Code is a code of terminology.hl7.org; its display is left to the code system.
func hl7Code(system, code, text string) fhir.CodeableConcept {
	return fhir.CodeableConcept{Coding: []fhir.Coding{{System: hl7 + system, Code: code}}, Text: text}
}

// bare is hl7Code without words, for statuses whose code says it all.
func bare(system, code string) fhir.CodeableConcept {
	return fhir.CodeableConcept{Coding: []fhir.Coding{{System: hl7 + system, Code: code}}}
}

func decimal(v float64, places int) fhir.Decimal {
	return fhir.Decimal(strconv.FormatFloat(v, 'f', places, 64))
}

func quantity(v float64, places int, unit, code string) *fhir.Quantity {
	return &fhir.Quantity{Value: decimal(v, places), Unit: unit, System: ucum, Code: code}
}

func usd(cents int) *fhir.Money {
	sign := ""
	if cents < 0 {
		sign, cents = "-", -cents
	}
	s := strconv.Itoa(cents % 100)
	if len(s) == 1 {
		s = "0" + s
	}
	return &fhir.Money{Value: fhir.Decimal(sign + strconv.Itoa(cents/100) + "." + s), Currency: "USD"}
}

// upper writes the first letter large.
func upper(s string) string {
	for i, r := range s {
		return strings.ToUpper(string(r)) + s[i+len(string(r)):]
	}
	return s
}

func said(t time.Time) string { return t.Format("January 2, 2006") }

// smooth reads a curve of (x, y) points at x; outside, it keeps the end values.
func smooth(curve [][2]float64, x float64) float64 {
	if x <= curve[0][0] {
		return curve[0][1]
	}
	for i := 1; i < len(curve); i++ {
		if a, b := curve[i-1], curve[i]; x <= b[0] {
			return a[1] + float64((b[1]-a[1])*(x-a[0]))/(b[0]-a[0])
		}
	}
	return curve[len(curve)-1][1]
}

// fold turns a name into the plain letters of an address or a code.
func fold(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case r == ' ' || r == '-':
			if b.Len() > 0 && !strings.HasSuffix(b.String(), "-") {
				b.WriteByte('-')
			}
		}
	}
	return strings.Trim(b.String(), "-")
}
