package main

import (
	"fmt"
	"regexp"
	"strings"
)

// A place is a set of values inside a resource: where in the JSON, and of which type.
type place struct {
	json   string // "component.valueQuantity", filters as "telecom[system=phone]", "subject@Patient"
	typ    string // "Quantity", or "" inside a backbone element
	inside string // element path whose children may follow
}

// compile turns the FHIRPath of a search parameter into places of the given resource type. The subset is what the
// R4 and US Core parameters use: dots, union, where(a='b'), where(resolve() is T), as, ofType and value choices.
func (d *definitions) compile(expression, typ string) ([]place, error) {
	var out []place
	for _, part := range split(expression, '|') {
		part = strings.TrimSpace(part)
		if part == typ+".deceased.exists() and "+typ+".deceased != false" {
			out = append(out, place{json: "deceasedBoolean", typ: "boolean"}, place{json: "deceasedDateTime", typ: "exists"})
			continue
		}
		p, err := d.compilePart(part, typ)
		if err != nil {
			return nil, fmt.Errorf("%s in %q: %w", typ, part, err)
		}
		out = append(out, p...)
	}
	return out, nil
}

var asRE = regexp.MustCompile(`^\((.*) as (\w+)\)((?:\.\w+)*)$`)

func (d *definitions) compilePart(part, typ string) ([]place, error) {
	if m := asRE.FindStringSubmatch(part); m != nil { // (X as T).y is X.as(T).y
		part = m[1] + ".as(" + m[2] + ")" + m[3]
	}
	steps := split(part, '.')
	switch steps[0] {
	case typ:
	case "Resource", "DomainResource":
		if s := d.types[typ]; s == nil {
			return nil, fmt.Errorf("unknown type")
		}
	default:
		return nil, nil // of another type
	}
	at := []place{{typ: typ, inside: typ}}
	for i, step := range steps[1:] {
		var err error
		choice := ""
		if rest := steps[i+2:]; len(rest) > 0 && (strings.HasPrefix(rest[0], "as(") || strings.HasPrefix(rest[0], "ofType(")) {
			choice = between(rest[0])
		}
		if at, err = d.step(at, step, choice); err != nil {
			return nil, err
		}
	}
	return at, nil
}

var (
	whereEqual   = regexp.MustCompile(`^where\((\w+)\s*=\s*'([^'\]\s]+)'\)$`)
	whereResolve = regexp.MustCompile(`^where\(resolve\(\) is (\w+)\)$`)
	name         = regexp.MustCompile(`^\w+$`)
)

func (d *definitions) step(at []place, step, choice string) ([]place, error) {
	if strings.HasPrefix(step, "as(") || strings.HasPrefix(step, "ofType(") {
		for _, p := range at {
			if p.typ != between(step) {
				return nil, fmt.Errorf("%s on %s", step, p.typ)
			}
		}
		return at, nil
	}
	var out []place
	for _, p := range at {
		if m := whereEqual.FindStringSubmatch(step); m != nil {
			p.json += "[" + m[1] + "=" + m[2] + "]"
			out = append(out, p)
			continue
		}
		if m := whereResolve.FindStringSubmatch(step); m != nil {
			p.json += "@" + m[1]
			out = append(out, p)
			continue
		}
		if !name.MatchString(step) {
			return nil, fmt.Errorf("cannot read %q", step)
		}
		out = append(out, d.child(p, step, choice)...)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no element %q", step)
	}
	return out, nil
}

// child finds the element called step below p; a choice (value[x]) gives one place for each type, or the one wanted.
func (d *definitions) child(p place, step, choice string) []place {
	var out []place
	for _, e := range d.children[p.inside] {
		base := e.Path[strings.LastIndexByte(e.Path, '.')+1:]
		dot := "."
		if p.json == "" {
			dot = ""
		}
		if base == step {
			q := place{json: p.json + dot + step, inside: e.resolveContent()}
			if len(e.Type) == 1 {
				q.typ = typeName(e.Type[0])
			}
			if q.typ != "BackboneElement" && q.typ != "Element" && q.typ != "" {
				q.inside = q.typ
			}
			return []place{q}
		}
		for _, t := range e.Type { // valueDateTime named outright, or value[x]
			concrete := strings.TrimSuffix(base, "[x]") + strings.ToUpper(t.Code[:1]) + t.Code[1:]
			if base == step+"[x]" && (choice == "" || choice == t.Code) || strings.HasSuffix(base, "[x]") && concrete == step {
				out = append(out, place{json: p.json + dot + concrete, typ: t.Code, inside: t.Code})
			}
		}
	}
	return out
}

// typeName undoes the way the definitions write the primitive types of id, url and the like.
func typeName(t elementType) string {
	if !strings.HasPrefix(t.Code, "http://hl7.org/fhirpath/") {
		return t.Code
	}
	for _, x := range t.Extension {
		if strings.HasSuffix(x.URL, "structuredefinition-fhir-type") {
			return x.ValueURL
		}
	}
	return "string"
}

func between(s string) string { return s[strings.IndexByte(s, '(')+1 : len(s)-1] }

// split cuts s at sep outside parentheses and quotes.
func split(s string, sep byte) []string {
	var out []string
	depth, quoted, start := 0, false, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\'':
			quoted = !quoted
		case quoted:
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == sep && depth == 0:
			out = append(out, s[start:i])
			start = i + 1
		}
	}
	return append(out, s[start:])
}
