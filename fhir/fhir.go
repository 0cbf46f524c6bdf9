// Package fhir is the language of the charts: FHIR R4 resources over lossless raw JSON. It does no I/O.
//
// A Resource holds the bytes as they came: member order, number text, string escapes and elements nobody here knows
// are kept; only insignificant white space between tokens is removed. Typed structs (Patient, Observation …) are read
// from those bytes on demand by Into; they cover what the product shows or authors and are no store: to change a
// resource that came from elsewhere use With, which keeps every other byte.
//
// Everything that enters passes Parse: duplicate keys, invalid UTF-8, a byte order mark, more than MaxDepth levels,
// more than MaxBytes, trailing data and unknown resource types are refused there, once. What is deeper (element names,
// types, codes) is fhir/validate's.
package fhir

import "errors"

// ErrInvalid is the kind of every refusal; errors name the element and the rule, never its value.
var ErrInvalid = errors.New("fhir: invalid")

// Limits of what Parse reads. A caller that reads from a network sets its own smaller limit first.
const (
	MaxDepth = 64       // nested objects and arrays
	MaxBytes = 64 << 20 // one resource or Bundle, as received

	MaxEntries = 100_000 // of a Bundle
)

// A Resource is one immutable FHIR resource.
type Resource struct {
	raw     []byte
	typ, id string
}

func (r Resource) Raw() []byte    { return r.raw } // not to be modified
func (r Resource) Type() string   { return r.typ }
func (r Resource) ID() string     { return r.id }
func (r Resource) Ref() string    { return r.typ + "/" + r.id }
func (r Resource) IsZero() bool   { return r.raw == nil }
func (r Resource) String() string { return r.Ref() } // never the content: safe in a log
