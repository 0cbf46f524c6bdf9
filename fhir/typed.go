package fhir

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/wellgate/wellgate/fhir/internal/raw"
)

// New makes a resource from one of this package's structs.
func New(v any) (Resource, error) {
	rv := reflect.ValueOf(v)
	for rv.Kind() == reflect.Pointer && !rv.IsNil() {
		rv = rv.Elem()
	}
	if !rv.IsValid() || resourceType(rv.Type()) == "" {
		return Resource{}, fmt.Errorf("fhir: New(%T): not a resource struct of package fhir", v)
	}
	typ := resourceType(rv.Type())
	b, err := json.Marshal(rv.Interface())
	if err != nil {
		return Resource{}, invalid(typ, "cannot be written: text is not UTF-8 or a decimal is no number")
	}
	head := `{"resourceType":"` + typ + `"`
	if len(b) > 2 {
		head += ","
	}
	return Parse(append([]byte(head), b[1:]...))
}

// Into reads a resource into one of this package's structs; what is malformed or unknown is left zero, never an error
// that hides the rest of the record. A resource of another type than T gives a zero T;
// View reads a few members whatever the type.
func Into[T any](r Resource) T {
	if resourceType(reflect.TypeFor[T]()) != r.typ {
		var none T
		return none
	}
	return View[T](r)
}

func resourceType(t reflect.Type) string {
	if t.Kind() != reflect.Struct || t.PkgPath() != reflect.TypeFor[Resource]().PkgPath() || !KnownType(t.Name()) {
		return ""
	}
	return t.Name()
}

// lenient reads b member by member, dropping each that does not fit, and reports whether dst got anything.
func lenient(b []byte, dst reflect.Value) bool {
	if _, custom := dst.Addr().Interface().(json.UnmarshalerFrom); custom {
		return json.Unmarshal(b, dst.Addr().Interface()) == nil
	}
	switch dst.Kind() {
	case reflect.Struct:
		if len(b) == 0 || b[0] != '{' {
			return false
		}
		fields := fieldsOf(dst.Type())
		for name, value := range raw.Members(b) {
			if i, ok := fields[name]; ok {
				lenient(value, dst.Field(i))
			}
		}
		return true
	case reflect.Slice:
		if len(b) == 0 || b[0] != '[' {
			return false
		}
		for e := range raw.Elements(b) {
			item := reflect.New(dst.Type().Elem()).Elem()
			if lenient(e, item) {
				dst.Set(reflect.Append(dst, item))
			}
		}
		return true
	case reflect.Pointer:
		item := reflect.New(dst.Type().Elem())
		if string(b) == "null" || !lenient(b, item.Elem()) {
			return false
		}
		dst.Set(item)
		return true
	}
	item := reflect.New(dst.Type())
	if json.Unmarshal(b, item.Interface()) != nil {
		return false
	}
	dst.Set(item.Elem())
	return true
}

func fieldsOf(t reflect.Type) map[string]int {
	m := make(map[string]int, t.NumField())
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		m[name] = i
	}
	return m
}

// With returns a copy whose top-level member is set to value, every other byte kept. A nil value removes the member.
// A new member is added at the end.
func (r Resource) With(member string, value any) (Resource, error) {
	if !elementName(member) || member == "resourceType" {
		return Resource{}, fmt.Errorf("fhir: With: %q cannot be set", member)
	}
	var text []byte
	if value != nil {
		var err error
		if text, err = json.Marshal(value); err != nil {
			return Resource{}, invalid(r.typ+"."+member, "cannot be written: text is not UTF-8 or a decimal is no number")
		}
	}
	out := make([]byte, 0, len(r.raw)+len(member)+len(text)+4)
	done := false
	add := func(name string, value []byte) {
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(out, name...), ':'), value...)
	}
	out = append(out, '{')
	for i := 1; i < len(r.raw)-1; {
		end := raw.Skip(r.raw, i)
		next := raw.Skip(r.raw, end+1)
		switch name := r.raw[i:end]; {
		case raw.String(name) != member:
			add(string(name), r.raw[end+1:next])
		case value != nil:
			add(string(name), text)
			done = true
		}
		i = next + 1
	}
	if value != nil && !done {
		add(`"`+member+`"`, text)
	}
	if raw.Depth(text) >= MaxDepth {
		return Resource{}, fmt.Errorf("%w: nested deeper than %d levels", ErrInvalid, MaxDepth)
	}
	return outer(append(out, '}')) // of checked parts, each name once
}

// MarshalJSONTo writes the bytes as they are, for Contained and Bundle entries.
func (r Resource) MarshalJSONTo(e *jsontext.Encoder) error { return e.WriteValue(r.raw) }

// UnmarshalJSONFrom reads a resource inside another.
func (r *Resource) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	v, err := d.ReadValue()
	if err != nil {
		return err
	}
	*r, err = Parse(v)
	return err
}
