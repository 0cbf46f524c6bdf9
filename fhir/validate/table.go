package validate

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/wellgate/wellgate/fhir/internal/raw"
)

//go:embed elements.txt.gz
var elements []byte

// A typeDef is a resource type, a datatype or a backbone element ("Observation.component").
type typeDef struct {
	name     string
	base     string
	resource bool
	fields   map[string]*field // by JSON name, inherited ones included; a choice has one for each type
	slots    []*field          // the same by hash, for the walk
	required []*field
	groups   int
}

// A field is one element, or one type of a choice element.
type field struct {
	name, label string // "valueQuantity", "value[x]"
	group       int    // place in what was seen; the types of a choice share one
	choice      bool
	min, max    int // max 0 is many without limit
	typ         string
	def         *typeDef                // of complex types
	primitive   func(raw []byte) string // of primitive types: the rule that raw breaks, or ""
	targets     []string                // of references; none is any
	set         *codeSet
}

func (f *field) many() bool { return f.max != 1 }

// A codeSet is the value set of a required binding.
type codeSet struct {
	name string
	any  map[string]bool            // codes of all systems
	by   map[string]map[string]bool // by system
}

func (s *codeSet) has(system, code string) bool { return s.by[system][code] }

type definitions struct {
	types map[string]*typeDef
	sets  map[string]*codeSet
}

// tables are read on first use: 5,600 lines, a few milliseconds.
var tables = sync.OnceValue(func() *definitions {
	z, err := gzip.NewReader(bytes.NewReader(elements))
	if err != nil {
		panic("fhir/validate: elements.txt.gz is damaged: build again")
	}
	text, err := io.ReadAll(z)
	if err != nil {
		panic("fhir/validate: elements.txt.gz is damaged: build again")
	}
	return readTables(string(text))
})

func readTables(text string) *definitions {
	d := &definitions{types: map[string]*typeDef{}, sets: map[string]*codeSet{}}
	rows := map[*typeDef][]string{}
	var at *typeDef
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		switch line[0] {
		case '@':
			at = &typeDef{}
			at.name, at.base, _ = strings.Cut(line[1:], " ")
			d.types[at.name] = at
		case '=':
			d.addSet(line[1:])
		default:
			rows[at] = append(rows[at], line)
		}
	}
	for _, name := range []string{"Age", "Count", "Distance", "Duration", "SimpleQuantity", "MoneyQuantity"} {
		if d.types[name] == nil {
			d.types[name] = &typeDef{name: name, base: "Quantity"}
		}
	}
	for _, t := range d.types {
		t.fields = map[string]*field{}
		for base := t; base != nil; base = d.types[base.base] {
			t.resource = t.resource || base.name == "Resource"
			for _, row := range rows[base] {
				t.addRow(d, row)
			}
		}
		if t.resource {
			t.fields["id"].primitive = primitives["id"] // R4's definition of Resource.id says string by mistake
		}
		t.resource = t.resource && t.name != "Resource" && t.name != "DomainResource"
		t.fill()
	}
	return d
}

// fill lays the fields out by hash, at most half full.
func (t *typeDef) fill() {
	size := 4
	for size < 2*len(t.fields) {
		size *= 2
	}
	t.slots = make([]*field, size)
	for name, f := range t.fields {
		i := raw.Hash([]byte(name))
		for t.slots[i&uint64(size-1)] != nil {
			i++
		}
		t.slots[i&uint64(size-1)] = f
	}
}

// field is the field of a JSON name, nil if there is none.
func (t *typeDef) field(name []byte) *field {
	for i := raw.Hash(name); ; i++ {
		f := t.slots[i&uint64(len(t.slots)-1)]
		if f == nil || f.name == string(name) {
			return f
		}
	}
}

func (d *definitions) addSet(line string) {
	s := &codeSet{any: map[string]bool{}, by: map[string]map[string]bool{}}
	name, rest, _ := strings.Cut(line, " ")
	s.name = name
	for part := range strings.SplitSeq(rest, "; ") {
		f := strings.Fields(part)
		s.by[f[0]] = map[string]bool{}
		for _, code := range f[1:] {
			s.any[code], s.by[f[0]][code] = true, true
		}
	}
	d.sets[s.name] = s
}

// addRow reads "value* 0 1 Quantity Reference:Patient !set".
func (t *typeDef) addRow(d *definitions, row string) {
	w := strings.Fields(row)
	base, choice := strings.CutSuffix(w[0], "*")
	minimum, _ := strconv.Atoi(w[1])
	maximum, _ := strconv.Atoi(w[2]) // "*" is 0
	var set *codeSet
	types := w[3:]
	if last := types[len(types)-1]; last[0] == '!' {
		set, types = d.sets[last[1:]], types[:len(types)-1]
	}
	var f *field
	for _, typ := range types {
		typ, targets, _ := strings.Cut(typ, ":")
		f = &field{name: base, label: base, group: t.groups, choice: choice, min: minimum, max: maximum, typ: typ, def: d.types[typ], primitive: primitives[typ]}
		if targets != "" {
			f.targets = strings.Split(targets, ",")
		}
		if typ == "code" || typ == "Coding" || typ == "CodeableConcept" || typ == "string" || typ == "uri" {
			f.set = set
		}
		if choice {
			f.name, f.label = base+strings.ToUpper(typ[:1])+typ[1:], base+"[x]"
		}
		t.fields[f.name] = f
	}
	if minimum > 0 {
		t.required = append(t.required, f)
	}
	t.groups++
}
