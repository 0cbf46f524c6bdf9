package fhir

import (
	"bytes"
	"cmp"
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
	doc, err := strict(bytes.Clone(data), 1)
	if err != nil {
		return nil, err
	}
	if len(doc.Text) < cap(data)/2 { // much white space: do not keep its room
		return bytes.Clone(doc.Text), nil
	}
	return doc.Text, nil
}

// strict reads data, which it takes over, in one pass.
func strict(data []byte, resource int) (raw.Doc, error) {
	if len(data) > MaxBytes {
		return raw.Doc{}, fmt.Errorf("%w: larger than %d MB; send it in parts", ErrInvalid, MaxBytes>>20)
	}
	if bytes.HasPrefix(data, []byte("\xef\xbb\xbf")) {
		return raw.Doc{}, fmt.Errorf("%w: starts with a byte order mark; send plain UTF-8", ErrInvalid)
	}
	doc, fault := raw.Strict(data, MaxDepth, resource)
	switch {
	case fault == nil:
		return doc, nil
	case fault.Deep:
		return raw.Doc{}, fmt.Errorf("%w: %s is nested deeper than %d levels", ErrInvalid, cmp.Or(pathAt(fault.Text, fault.At), "the text"), MaxDepth)
	}
	return raw.Doc{}, explain(fault)
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
	if len(typ) > 2 && typ[0] == '"' && bytes.IndexByte(typ, '\\') < 0 {
		r.typ = knownTypes[string(typ[1:len(typ)-1])]
	} else {
		r.typ = knownTypes[raw.String(typ)]
	}
	if r.typ == "" {
		return Resource{}, fmt.Errorf("%w: resourceType is no resource type of FHIR R4", ErrInvalid)
	}
	if id := raw.Get(b, "id"); id != nil {
		if r.id = raw.String(id); !ValidID(r.id) {
			return Resource{}, fmt.Errorf("%w: %s.id must be 1 to 64 of letters, digits, dots and dashes", ErrInvalid, r.typ)
		}
	}
	return r, nil
}

// explain turns a fault into an error that names place and rule and quotes nothing. The slow reader knows the rule.
func explain(f *raw.Fault) error {
	err := raw.Explain(f.Text)
	rule := "is not JSON"
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		rule = "has the same element twice"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		rule = "ends before it is complete"
	case err != nil && (strings.Contains(err.Error(), "UTF-8") || strings.Contains(err.Error(), "surrogate")):
		rule = "holds text that is not UTF-8"
	case err != nil && strings.Contains(err.Error(), "after top-level value"):
		rule = "has something that follows its end"
	}
	at := f.At
	var syn *jsontext.SyntacticError
	if errors.As(err, &syn) {
		at = int(syn.ByteOffset)
	}
	// Not syn.JSONPointer: its names can be bytes of something else, even of a value.
	place := cmp.Or(pathAt(f.Text, at), "the text")
	if at >= f.At {
		at += f.Gone
	}
	return fmt.Errorf("%w: %s %s (byte %d)", ErrInvalid, place, rule, at)
}

// pathAt is the path of the object or array that holds byte end of data, whose text before end is sound:
// entry[3].resource. A name that cannot be an element's is shown as "?".
func pathAt(data []byte, end int) string {
	var stack []seg
	var name string
	for i := 0; i < min(end, len(data)); {
		switch data[i] {
		case '"':
			next := raw.Skip(data, i)
			if next < len(data) && len(stack) > 0 && stack[len(stack)-1].index < 0 {
				name = raw.String(data[i:next])
			}
			i = next
			continue
		case '{', '[':
			s := seg{name: name, index: -1}
			if len(stack) > 0 && stack[len(stack)-1].index >= 0 {
				s.name = ""
			}
			if data[i] == '[' {
				s.index = 0
			}
			stack = append(stack, s)
		case '}', ']':
			if len(stack) > 0 {
				stack = stack[:len(stack)-1]
			}
		case ',':
			if n := len(stack); n > 0 && stack[n-1].index >= 0 {
				stack[n-1].index++
			}
		}
		i++
	}
	var b strings.Builder
	for _, s := range stack[:min(len(stack), MaxDepth)] {
		if s.name != "" {
			if !elementName(s.name) {
				s.name = "?"
			}
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(s.name)
		}
		if s.index >= 0 {
			fmt.Fprintf(&b, "[%d]", s.index)
		}
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
