package fhir

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wellgate/wellgate/fhir/internal/raw"
)

// Parse checks raw strictly as JSON and as the outer shape of a resource (resourceType, id). Keeps its own copy.
func Parse(data []byte) (Resource, error) {
	b, err := ParseJSON(data)
	if err != nil {
		return Resource{}, err
	}
	return outer(b)
}

// ParseJSON is the strict JSON pass alone: it returns data's own tokens without the white space between them, or says
// which rule they break. RFC 8259 with I-JSON's rules (RFC 7493) on names and text; see the package doc.
func ParseJSON(data []byte) ([]byte, error) {
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("%w: larger than %d MB; send it in parts", ErrInvalid, MaxBytes>>20)
	}
	if bytes.HasPrefix(data, []byte("\xef\xbb\xbf")) {
		return nil, fmt.Errorf("%w: starts with a byte order mark; send plain UTF-8", ErrInvalid)
	}
	v := jsontext.Value(bytes.Clone(data))
	err := v.Format(jsontext.AllowDuplicateNames(false), jsontext.AllowInvalidUTF8(false),
		jsontext.PreserveRawStrings(true), jsontext.ReorderRawObjects(false), jsontext.Multiline(false),
		jsontext.SpaceAfterColon(false), jsontext.SpaceAfterComma(false))
	if err != nil {
		return nil, explain(err)
	}
	if raw.Depth(v) > MaxDepth {
		return nil, fmt.Errorf("%w: nested deeper than %d levels", ErrInvalid, MaxDepth)
	}
	return bytes.Clone(v), nil
}

// outer reads resourceType and id from checked JSON.
func outer(b []byte) (Resource, error) {
	if len(b) == 0 || b[0] != '{' {
		return Resource{}, fmt.Errorf("%w: a resource is a JSON object", ErrInvalid)
	}
	r := Resource{raw: b}
	typ := raw.Get(b, "resourceType")
	if typ == nil {
		return Resource{}, fmt.Errorf("%w: resourceType is missing", ErrInvalid)
	}
	if r.typ = raw.String(typ); !KnownType(r.typ) {
		return Resource{}, fmt.Errorf("%w: resourceType is no resource type of FHIR R4", ErrInvalid)
	}
	if id := raw.Get(b, "id"); id != nil {
		if r.id = raw.String(id); !ValidID(r.id) {
			return Resource{}, fmt.Errorf("%w: %s.id must be 1 to 64 letters, digits, - or .", ErrInvalid, r.typ)
		}
	}
	return r, nil
}

// explain turns a syntax error into one that names place and rule and quotes nothing.
func explain(err error) error {
	rule := "is not JSON"
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		rule = "has the same element twice"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		rule = "ends before it is complete"
	case strings.Contains(err.Error(), "UTF-8"), strings.Contains(err.Error(), "surrogate"):
		rule = "holds text that is not UTF-8"
	}
	var syn *jsontext.SyntacticError
	if !errors.As(err, &syn) {
		return fmt.Errorf("%w: %s", ErrInvalid, rule)
	}
	path := syn.JSONPointer
	if errors.Is(err, jsontext.ErrDuplicateName) {
		path = path.Parent()
	}
	return fmt.Errorf("%w: %s %s (byte %d)", ErrInvalid, elementPath(path), rule, syn.ByteOffset)
}

// elementPath writes a pointer as entry[3].resource.code; a name that cannot be an element's is shown as "?".
func elementPath(p jsontext.Pointer) string {
	var b strings.Builder
	for tok := range p.Tokens() {
		switch {
		case tok != "" && strings.Trim(tok, "0123456789") == "" && len(tok) < 9:
			fmt.Fprintf(&b, "[%s]", tok)
			continue
		case !elementName(tok):
			tok = "?"
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(tok)
	}
	if b.Len() == 0 {
		return "the text"
	}
	return b.String()
}

func elementName(s string) bool {
	if len(s) == 0 || len(s) > 64 {
		return false
	}
	for i, c := range []byte(s) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && !(c == '_' && i == 0) && !(i > 0 && c >= '0' && c <= '9') {
			return false
		}
	}
	return true
}

// invalid names an element and the rule it breaks.
func invalid(element, rule string) error {
	if element == "" {
		return fmt.Errorf("%w: %s", ErrInvalid, rule)
	}
	return fmt.Errorf("%w: %s %s", ErrInvalid, element, rule)
}
