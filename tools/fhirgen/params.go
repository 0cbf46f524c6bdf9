package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
)

type parameter struct {
	kind   byte // t d r s n q u
	places []place
}

// parameters by resource type and name.
type parameters map[string]map[string]parameter

// fits lists the datatypes that a parameter of each kind can read; places of other types are left out.
var fits = map[byte]string{
	't': "code Coding CodeableConcept Identifier ContactPoint boolean string id uri exists",
	'd': "date dateTime instant Period Timing",
	'r': "Reference canonical uri",
	's': "string markdown HumanName Address",
	'n': "integer decimal positiveInt unsignedInt",
	'q': "Quantity Money Age Duration Range SimpleQuantity Count Distance",
	'u': "uri url canonical oid uuid",
}

// without are the kinds that search does not offer: composite, special (near), phonetic matching
// and (by their expression) the first entry of a Bundle.
func without(kind, code string) bool {
	return kind == "composite" || kind == "special" || code == "phonetic"
}

func searchParameters(d *definitions, defs string, uscore []string) (parameters, error) {
	out := parameters{}
	add := func(b []byte) error {
		var sp struct {
			Code, Type, Expression string
			Base                   []string
		}
		if err := json.Unmarshal(b, &sp); err != nil {
			return err
		}
		if without(sp.Type, sp.Code) || strings.Contains(sp.Expression, "entry[0]") || sp.Expression == "" || sp.Code == "_lastUpdated" || sp.Code == "_id" {
			return nil
		}
		for _, base := range sp.Base {
			for _, typ := range d.concrete(base) {
				if err := out.add(d, typ, sp.Code, sp.Type, sp.Expression); err != nil {
					return fmt.Errorf("search parameter %s: %w", sp.Code, err)
				}
			}
		}
		return nil
	}
	if err := eachResource(filepath.Join(defs, "search-parameters.json.gz"), "SearchParameter", add); err != nil {
		return nil, err
	}
	for _, dir := range uscore {
		files, err := filepath.Glob(filepath.Join(dir, "SearchParameter-*.json"))
		if err != nil || len(files) == 0 {
			return nil, fmt.Errorf("no SearchParameter files in %s", dir)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				return nil, err
			}
			if err := add(b); err != nil {
				return nil, fmt.Errorf("%s: %w", f, err)
			}
		}
	}
	return out, nil
}

// concrete lists the resource types that base stands for.
func (d *definitions) concrete(base string) []string {
	if base != "Resource" && base != "DomainResource" {
		return []string{base}
	}
	var out []string
	for name, s := range d.types {
		if s.Kind == "resource" && !s.Abstract && (base == "Resource" || strings.HasSuffix(s.BaseDefinition, "/DomainResource")) {
			out = append(out, name)
		}
	}
	return out
}

// add keeps the first definition of a name: R4 before US Core, newer US Core before older.
func (p parameters) add(d *definitions, typ, code, kind, expression string) error {
	if p[typ] == nil {
		p[typ] = map[string]parameter{}
	}
	if _, known := p[typ][code]; known {
		return nil
	}
	places, err := d.compile(expression, typ)
	if err != nil {
		return err
	}
	param := parameter{kind: kind[0]}
	for _, pl := range places {
		if slices.Contains(strings.Fields(fits[param.kind]), pl.typ) && !forbiddenExtensionValue(pl.json) {
			param.places = append(param.places, pl)
		}
	}
	if len(param.places) == 0 {
		return nil // SampledData and the like: no value that this kind of parameter can compare
	}
	p[typ][code] = param
	return nil
}

// US Core's race and ethnicity parameters read extension.value.code, which only valueCoding means.
func forbiddenExtensionValue(path string) bool {
	return strings.Contains(path, ".value") && strings.HasSuffix(path, ".code") && strings.Contains(path, "extension") &&
		!strings.HasSuffix(path, "valueCoding.code") && !strings.HasSuffix(path, "valueCodeableConcept.coding.code")
}

func (p parameters) table() []byte {
	var b bytes.Buffer
	b.WriteString("# Made by tools/fhirgen; do not edit. @Type, then one line for each search parameter: name, kind, places.\n")
	common := p.common()
	write := func(params map[string]parameter, skip map[string]bool) {
		for _, code := range sortedKeys(params) {
			if skip[code] {
				continue
			}
			fmt.Fprintf(&b, "%s %c", code, params[code].kind)
			for _, pl := range params[code].places {
				fmt.Fprintf(&b, " %s:%s", pl.json, pl.typ)
			}
			b.WriteByte('\n')
		}
	}
	skip := map[string]bool{}
	b.WriteString("@*\n")
	for code := range common {
		skip[code] = true
	}
	write(common, nil)
	for _, typ := range sortedKeys(p) {
		fmt.Fprintf(&b, "@%s\n", typ)
		write(p[typ], skip)
	}
	return b.Bytes()
}

// common are the parameters that start with "_" and read meta: the same for every type.
func (p parameters) common() map[string]parameter {
	out := map[string]parameter{}
	for code, param := range p["Basic"] {
		if strings.HasPrefix(code, "_") {
			out[code] = param
		}
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
