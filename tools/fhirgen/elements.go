package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"path/filepath"
	"sort"
	"strings"
)

// largestSet is the number of codes up to which a required binding is carried; UCUM's list of examples is no closed set.
const largestSet = 400

// elementTable writes what fhir/validate knows, compressed: for each type and backbone element its members with
// cardinality, types, reference targets and required value set; then the value sets.
//
//	@Observation DomainResource
//	status 1 1 code !observation-status
//	subject 0 1 Reference:Patient,Group,Device,Location
//	value* 0 1 Quantity CodeableConcept …
//	=observation-status http://hl7.org/fhir/observation-status registered preliminary …
func elementTable(d *definitions, defs string) ([]byte, error) {
	sets, err := loadValueSets(defs)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	used := map[string]bool{}
	for _, name := range sortedKeys(d.types) {
		if s := d.types[name]; s.Kind != "primitive-type" {
			base := s.BaseDefinition[strings.LastIndexByte(s.BaseDefinition, '/')+1:]
			d.writeType(&b, name, base, sets, used)
		}
	}
	for _, name := range sortedKeys(used) {
		fmt.Fprintf(&b, "=%s %s\n", name, sets[name].text())
	}
	return compress(b.Bytes())
}

func compress(text []byte) ([]byte, error) {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(text); err != nil {
		return nil, err
	}
	err = z.Close()
	return out.Bytes(), err
}

// writeType writes the members that path adds to base, then its backbone elements.
func (d *definitions) writeType(b *bytes.Buffer, path, base string, sets map[string]*valueSet, used map[string]bool) {
	fmt.Fprintf(b, "@%s %s\n", path, base)
	type nested struct{ path, base string }
	var inner []nested
	for _, e := range d.children[path] {
		name := e.Path[len(path)+1:]
		if d.inherited(base, name) {
			continue
		}
		fmt.Fprintf(b, "%s %d %s", strings.Replace(name, "[x]", "*", 1), e.Min, e.Max)
		if e.ContentReference != "" {
			fmt.Fprintf(b, " %s", strings.TrimPrefix(e.ContentReference, "#"))
		}
		for _, t := range e.Type {
			switch code := typeName(t); {
			case (code == "BackboneElement" || code == "Element") && len(d.children[e.Path]) > 0:
				fmt.Fprintf(b, " %s", e.Path)
				inner = append(inner, nested{e.Path, code})
			case code == "Reference":
				b.WriteString(" Reference" + targets(t.TargetProfile))
			default:
				b.WriteString(" " + code)
			}
		}
		if bind := e.Binding; bind != nil && bind.Strength == "required" {
			url, _, _ := strings.Cut(bind.ValueSet, "|")
			name := url[strings.LastIndexByte(url, '/')+1:]
			if s := sets[name]; s != nil && s.url == url && s.size > 0 && s.size <= largestSet {
				b.WriteString(" !" + name)
				used[name] = true
			}
		}
		b.WriteByte('\n')
	}
	for _, n := range inner {
		d.writeType(b, n.path, n.base, sets, used)
	}
}

func (d *definitions) inherited(base, name string) bool {
	for s := d.types[base]; s != nil; {
		if d.elements[base+"."+name] != nil {
			return true
		}
		if s.BaseDefinition == "" {
			return false
		}
		base = s.BaseDefinition[strings.LastIndexByte(s.BaseDefinition, '/')+1:]
		s = d.types[base]
	}
	return false
}

func targets(profiles []string) string {
	var names []string
	for _, p := range profiles {
		name := p[strings.LastIndexByte(p, '/')+1:]
		if name == "Resource" {
			return ""
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return ""
	}
	return ":" + strings.Join(names, ",")
}

// A valueSet is an expansion: codes by system.
type valueSet struct {
	url   string
	codes map[string][]string
	size  int
}

type contains struct {
	System, Code string
	Abstract     bool
	Contains     []contains
}

func loadValueSets(defs string) (map[string]*valueSet, error) {
	sets := map[string]*valueSet{}
	err := eachResource(filepath.Join(defs, "expansions.json.gz"), "ValueSet", func(b []byte) error {
		var v struct {
			URL       string
			Expansion struct {
				Contains  []contains
				Extension []struct{ URL string }
			}
		}
		if err := json.Unmarshal(b, &v); err != nil {
			return err
		}
		for _, x := range v.Expansion.Extension {
			if strings.Contains(x.URL, "toocostly") || strings.Contains(x.URL, "unclosed") {
				return nil
			}
		}
		s := &valueSet{url: v.URL, codes: map[string][]string{}}
		s.add(v.Expansion.Contains)
		sets[v.URL[strings.LastIndexByte(v.URL, '/')+1:]] = s
		return nil
	})
	return sets, err
}

func (s *valueSet) add(list []contains) {
	for _, c := range list {
		if c.Code != "" && !c.Abstract {
			s.codes[c.System] = append(s.codes[c.System], c.Code)
			s.size++
		}
		s.add(c.Contains)
	}
}

// text is "system code code; system code": neither systems nor codes hold blanks in these sets.
func (s *valueSet) text() string {
	var parts []string
	for _, system := range sortedKeys(s.codes) {
		sort.Strings(s.codes[system])
		parts = append(parts, system+" "+strings.Join(s.codes[system], " "))
	}
	return strings.Join(parts, "; ")
}
