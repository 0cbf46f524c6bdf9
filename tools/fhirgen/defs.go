package main

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// An element is one row of a StructureDefinition's snapshot.
type element struct {
	Path             string
	Min              int
	Max              string
	ContentReference string
	Type             []elementType
	Binding          *struct{ Strength, ValueSet string }
}

type elementType struct {
	Code          string
	TargetProfile []string
	Extension     []struct{ URL, ValueURL string }
}

type structure struct {
	ID, Type, Kind, Derivation, BaseDefinition string
	Abstract                                   bool
	Snapshot                                   struct{ Element []element }
}

// definitions are the types of R4, by name, and their elements, by path.
type definitions struct {
	types    map[string]*structure
	elements map[string]*element
	children map[string][]*element // by parent path
}

func load(dir string) (*definitions, error) {
	d := &definitions{types: map[string]*structure{}, elements: map[string]*element{}, children: map[string][]*element{}}
	for _, name := range []string{"profiles-types.json.gz", "profiles-resources.json.gz"} {
		err := eachResource(filepath.Join(dir, name), "StructureDefinition", func(b []byte) error {
			var s structure
			if err := json.Unmarshal(b, &s); err != nil {
				return err
			}
			if s.Derivation == "constraint" || s.Kind == "logical" {
				return nil
			}
			d.types[s.Type] = &s
			for i := range s.Snapshot.Element {
				e := &s.Snapshot.Element[i]
				d.elements[e.Path] = e
				if dot := strings.LastIndexByte(e.Path, '.'); dot > 0 {
					d.children[e.Path[:dot]] = append(d.children[e.Path[:dot]], e)
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return d, nil
}

// eachResource calls f with every entry of a gzipped Bundle that has the given type.
func eachResource(file, typ string, f func([]byte) error) error {
	src, err := os.Open(file)
	if err != nil {
		return err
	}
	defer src.Close()
	z, err := gzip.NewReader(src)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	var bundle struct {
		Entry []struct{ Resource json.RawMessage }
	}
	if err := json.NewDecoder(z).Decode(&bundle); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	for _, e := range bundle.Entry {
		var head struct{ ResourceType string }
		if err := json.Unmarshal(e.Resource, &head); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if head.ResourceType != typ {
			continue
		}
		if err := f(e.Resource); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

// resolveContent is the path whose children e has: its own, or those of the element it refers to.
func (e *element) resolveContent() string {
	if e.ContentReference != "" {
		return strings.TrimPrefix(e.ContentReference, "#")
	}
	return e.Path
}
