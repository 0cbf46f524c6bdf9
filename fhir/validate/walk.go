package validate

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/fhir/internal/raw"
)

// A checker walks one resource once, from its first byte to its last; positions are indexes into b.
type checker struct {
	b      []byte
	level  Level
	issues []Issue
	stack  []step

	outer     int      // where the resource starts that contains, or is, the one at hand
	contained []string // ids of the resources that one contains, made when first asked for
	known     bool     // contained is made
}

type step struct {
	name  string
	index int // -1 if not in an array
}

func (c *checker) push(name string, index int) { c.stack = append(c.stack, step{name, index}) }
func (c *checker) pop()                        { c.stack = c.stack[:len(c.stack)-1] }

func (c *checker) path() string {
	var b strings.Builder
	for i, s := range c.stack {
		if i > 0 {
			b.WriteByte('.')
		}
		if !plainName(s.name) {
			s.name = "?"
		}
		b.WriteString(s.name)
		if s.index >= 0 {
			fmt.Fprintf(&b, "[%d]", s.index)
		}
	}
	return b.String()
}

// unusual is an error in what we write and a warning in what others sent.
func (c *checker) unusual(code, text string) {
	if c.level == Strict {
		c.add(Error, code, text)
	} else {
		c.add(Warning, code, text)
	}
}

func (c *checker) fail(code, text string) { c.add(Error, code, text) }

func (c *checker) add(s Severity, code, text string) {
	if len(c.issues) < maxIssues {
		c.issues = append(c.issues, Issue{s, code, c.path(), text})
	}
}

// at adds an issue one step further down.
func (c *checker) at(name string, report func(code, text string), code, text string) {
	c.push(name, -1)
	report(code, text)
	c.pop()
}

func (c *checker) is(i int, first byte) bool { return i < len(c.b) && c.b[i] == first }

// value is the text of the value that starts at i.
func (c *checker) value(i int) []byte { return c.b[i:raw.Skip(c.b, i)] }

// resource checks a resource; contained ones hold no further resources and have an id to be referred to.
func (c *checker) resource(i int, contained bool) int {
	def := tables().types[raw.String(raw.Get(c.b[i:], "resourceType"))]
	if def == nil || !def.resource {
		c.fail("structure", "must be a resource of a type that FHIR R4 knows")
		return raw.Skip(c.b, i)
	}
	if !contained {
		outer, ids, known := c.outer, c.contained, c.known
		c.outer, c.contained, c.known = i, nil, false
		end := c.object(i, def)
		c.outer, c.contained, c.known = outer, ids, known
		return end
	}
	v := c.value(i)
	if raw.Get(v, "contained") != nil {
		c.fail("structure", "a contained resource must not contain another")
		return i + len(v)
	}
	if raw.Get(v, "id") == nil {
		c.unusual("required", "a contained resource needs an id")
	}
	return c.object(i, def)
}

// seen notes which elements of an object were there, by field.group.
type seen [2]uint64

func (s *seen) add(g int)      { s[g/64] |= 1 << (g % 64) }
func (s *seen) has(g int) bool { return s[g/64]&(1<<(g%64)) != 0 }

// object checks the members of a complex value and returns the index after it.
func (c *checker) object(start int, def *typeDef) int {
	i := start
	if !c.is(i, '{') {
		c.fail("structure", "must be an object")
		return raw.Skip(c.b, i)
	}
	i++
	if c.is(i, '}') {
		c.fail("structure", "must not be empty")
		return i + 1
	}
	var seen seen
	value, nested := false, false // of an Extension
	for c.is(i, '"') {
		end := raw.Skip(c.b, i)
		name := c.b[i+1 : end-1]
		if bytes.IndexByte(name, '\\') >= 0 {
			name = []byte(raw.String(c.b[i:end]))
		}
		f := def.field(name)
		if i = end + 1; f != nil {
			if f.choice && seen.has(f.group) && raw.Get(c.value(start), "_"+f.name) == nil {
				c.at(f.name, c.fail, "structure", "only one type of a choice element may be given")
			}
			seen.add(f.group)
			value, nested = value || f.choice, nested || f.name == "extension"
			i = c.member(f, i, start)
		} else {
			i = c.other(string(name), i, def, &seen)
		}
		if c.is(i, ',') {
			i++
		}
	}
	for _, f := range def.required {
		if !seen.has(f.group) {
			c.at(f.label, c.fail, "required", "is missing")
		}
	}
	if def.name == "Extension" {
		value = value || seen.has(def.fields["valueString"].group)
		switch { // ext-1
		case value && nested:
			c.unusual("structure", "must have either a value or further extensions, not both")
		case !value && !nested:
			c.unusual("structure", "must have a value or further extensions")
		}
	}
	return i + 1
}

// other takes members that are no elements: resourceType, "_name" with the id and extensions of a primitive, unknown.
func (c *checker) other(name string, i int, def *typeDef, seen *seen) int {
	if name == "resourceType" && def.resource {
		return raw.Skip(c.b, i)
	}
	plain, shadow := strings.CutPrefix(name, "_")
	f := def.fields[plain]
	if !shadow || f == nil || f.primitive == nil {
		c.at(name, c.unusual, "structure", "is not an element of "+def.name)
		return raw.Skip(c.b, i)
	}
	seen.add(f.group)
	element := tables().types["Element"]
	if !f.many() {
		c.push(name, -1)
		defer c.pop()
		return c.object(i, element)
	}
	return c.list(name, i, func(i int) int {
		if string(c.value(i)) == "null" {
			return i + len("null")
		}
		return c.object(i, element)
	})
}

// list checks an array, each element with one.
func (c *checker) list(name string, i int, one func(i int) int) int {
	if !c.is(i, '[') {
		c.at(name, c.fail, "structure", "must be a list")
		return raw.Skip(c.b, i)
	}
	if i++; c.is(i, ']') {
		c.at(name, c.fail, "structure", "must not be empty")
		return i + 1
	}
	for n := 0; i < len(c.b) && c.b[i] != ']'; n++ {
		c.push(name, n)
		i = one(i)
		c.pop()
		if c.is(i, ',') {
			i++
		}
	}
	return i + 1
}

// member checks one element's JSON shape and its values; object is where the object starts that it is in.
func (c *checker) member(f *field, i, object int) int {
	if !f.many() {
		c.push(f.name, -1)
		defer c.pop()
		return c.single(f, i)
	}
	n := 0
	return c.list(f.name, i, func(i int) int {
		if n++; f.max > 0 && n == f.max+1 {
			c.fail("structure", fmt.Sprintf("must not have more than %d entries", f.max))
		}
		if f.primitive != nil && c.is(i, 'n') && hasElement(raw.Get(c.value(object), "_"+f.name), n-1) {
			return raw.Skip(c.b, i) // null holds the place of an extension
		}
		return c.single(f, i)
	})
}

// hasElement reports whether the i-th of a list is more than null.
func hasElement(list []byte, i int) bool {
	for e := range raw.Elements(list) {
		if i == 0 {
			return string(e) != "null"
		}
		i--
	}
	return false
}

// single checks one value of a field.
func (c *checker) single(f *field, i int) int {
	if c.is(i, '[') {
		c.fail("structure", "must not be a list")
		return raw.Skip(c.b, i)
	}
	if f.primitive != nil {
		v := c.value(i)
		if rule := f.primitive(v); rule != "" {
			c.fail("value", rule)
		} else if f.set != nil && !f.set.any[string(content(v))] {
			c.fail("code-invalid", "is not one of the codes allowed here ("+f.set.name+")")
		}
		return i + len(v)
	}
	if f.typ == "Resource" {
		return c.resource(i, f.name == "contained")
	}
	end := c.object(i, f.def)
	if f.set != nil {
		c.bound(f, c.b[i:end])
	}
	if f.typ == "Reference" {
		c.reference(f, c.b[i:end])
	}
	return end
}

// bound checks a Coding or CodeableConcept against a required value set: one of its codings must be in it. A value
// that only says why it is absent (an extension) passes.
func (c *checker) bound(f *field, v []byte) {
	codings := v
	if f.typ == "CodeableConcept" {
		if codings = raw.Get(v, "coding"); codings == nil && raw.Get(v, "text") == nil && raw.Get(v, "extension") != nil {
			return
		}
	}
	for k := range raw.Elements(codings) {
		if f.set.has(raw.String(raw.Get(k, "system")), raw.String(raw.Get(k, "code"))) {
			return
		}
	}
	c.fail("code-invalid", "has none of the codes allowed here ("+f.set.name+")")
}

// reference checks what a literal reference points at.
func (c *checker) reference(f *field, v []byte) {
	text := raw.Get(v, "reference")
	if len(text) < 2 || text[0] != '"' || len(f.targets) > 0 && f.fits(text[1:len(text)-1]) {
		return
	}
	ref := raw.String(text)
	if strings.HasPrefix(ref, "#") {
		if ref != "#" && !c.isContained(ref[1:]) {
			c.at("reference", c.unusual, "value", "points at a contained resource that is not there")
		}
		return
	}
	if len(f.targets) == 0 {
		return
	}
	typ, _, ok := fhir.SplitRef(ref)
	if !ok {
		typ, _, ok = strings.Cut(ref, "?")
	}
	if ok && fhir.KnownType(typ) && !slices.Contains(f.targets, typ) {
		c.at("reference", c.unusual, "value", "must point at "+strings.Join(f.targets, " or "))
	}
}

// fits knows the usual case, Type/id of a type that is meant.
func (f *field) fits(ref []byte) bool {
	slash := bytes.IndexByte(ref, '/')
	if slash < 0 || !isID(ref[slash+1:]) {
		return false
	}
	for _, t := range f.targets {
		if t == string(ref[:slash]) {
			return true
		}
	}
	return false
}

func (c *checker) isContained(id string) bool {
	if !c.known {
		c.known = true
		for r := range raw.Elements(raw.Get(c.b[c.outer:], "contained")) {
			c.contained = append(c.contained, raw.String(raw.Get(r, "id")))
		}
	}
	return slices.Contains(c.contained, id)
}

// plainName reports whether s can be an element's name, so that it may be shown.
func plainName(s string) bool {
	s = strings.TrimPrefix(strings.TrimSuffix(s, "[x]"), "_")
	if len(s) == 0 || len(s) > 64 || s[0] >= '0' && s[0] <= '9' {
		return false
	}
	for _, r := range []byte(s) {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9') {
			return false
		}
	}
	return true
}
