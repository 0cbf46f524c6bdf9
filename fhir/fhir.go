// Package fhir is the language of the charts: FHIR R4 resources over lossless raw JSON. It does no I/O.
//
// Raw bytes are kept exactly (decimals, unknown elements, extensions); typed structs are read from them on demand
// and cover what the product shows or authors. Everything that enters passes Parse: duplicate keys, bad UTF-8,
// excess depth and unknown resource types are refused there, once.
package fhir

import "errors"

// ErrInvalid is the kind of every refusal; errors name the element and the rule, never its value.
var ErrInvalid = errors.New("fhir: invalid")

// A Resource is one immutable FHIR resource.
type Resource struct {
	raw     []byte
	typ, id string
}

// Parse checks raw strictly as JSON and as the outer shape of a resource (resourceType, id). Keeps its own copy.
func Parse(raw []byte) (Resource, error) { panic("todo") }

// New makes a resource from one of this package's structs.
func New(v any) (Resource, error) { panic("todo") }

// Into reads a resource into one of this package's structs; what is malformed or unknown is left zero, never an error
// that hides the rest of the record.
func Into[T any](r Resource) T { panic("todo") }

func (r Resource) Raw() []byte    { return r.raw }
func (r Resource) Type() string   { return r.typ }
func (r Resource) ID() string     { return r.id }
func (r Resource) Ref() string    { return r.typ + "/" + r.id }
func (r Resource) IsZero() bool   { return r.raw == nil }
func (r Resource) String() string { return r.Ref() } // never the content: safe in a log

// With returns a copy whose top-level member is set to value, every other byte kept.
func (r Resource) With(member string, value any) (Resource, error) { panic("todo") }
