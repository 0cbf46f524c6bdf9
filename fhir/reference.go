package fhir

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/wellgate/wellgate/fhir/internal/raw"
)

// A Link is one reference inside a resource: where, and its text.
type Link struct {
	Path  string // "subject", "performer[1]", "contained[0].subject"
	Value string // "Patient/1", "#contained", "urn:uuid:…", "Practitioner?identifier=…"
}

// References lists the literal references of r, contained resources included, in document order.
func (r Resource) References() []Link {
	var out []Link
	s := linkScan{raw: r.raw, found: func(s *linkScan, start, end int, ref bool) {
		if ref {
			out = append(out, Link{s.path(), raw.String(s.raw[start:end])})
		}
	}}
	s.value(0)
	return out
}

// Rewrite replaces references: f gets the text of each and returns the new one, or the same to keep it. It also gets
// uri and url elements that hold a urn:uuid or urn:oid, since an Attachment may name a Binary of the same transaction
// that way. Every other byte is kept; r itself comes back when nothing changed.
func (r Resource) Rewrite(f func(ref string) string) (Resource, error) {
	var out []byte
	var failed error
	done := 0
	s := linkScan{raw: r.raw, found: func(s *linkScan, start, end int, ref bool) {
		old := raw.String(s.raw[start:end])
		if !ref && !strings.HasPrefix(old, "urn:uuid:") && !strings.HasPrefix(old, "urn:oid:") {
			return
		}
		to := f(old)
		if to == old || failed != nil {
			return
		}
		text, err := json.Marshal(to)
		if err != nil {
			failed = fmt.Errorf("%w: %s.%s: the new reference is not UTF-8", ErrInvalid, r.typ, s.path())
			return
		}
		out = append(append(out, r.raw[done:start]...), text...)
		done = end
	}}
	s.value(0)
	if failed != nil || done == 0 {
		return r, failed
	}
	return Resource{raw: append(out, r.raw[done:]...), typ: r.typ, id: r.id}, nil
}

// Linked is the entry's resource under an id, with the references that f gives (see Rewrite), written behind to, which it
// returns grown. Of an entry that ParseBundle read it needs no second look at the text.
func (e *Entry) Linked(to []byte, id string, f func(ref string) string) (Resource, []byte, error) {
	if e.start == 0 {
		r, err := e.Resource.Rewrite(f)
		if err == nil && r.id != id {
			r, err = r.With("id", id)
		}
		return r, to, err
	}
	text, first, done, named := e.Resource.raw, len(to), 0, false
	for _, m := range e.marks {
		start, end := int(m.Start)-e.start, int(m.End)-e.start
		var with string
		switch m.Kind {
		case raw.ID:
			with, named = id, true
		case raw.Reference, raw.Location:
			old := raw.String(text[start:end])
			if m.Kind == raw.Location && !strings.HasPrefix(old, "urn:uuid:") && !strings.HasPrefix(old, "urn:oid:") {
				continue
			}
			if with = f(old); with == old {
				continue
			}
		default:
			continue
		}
		var err error
		if to, err = appendText(append(to, text[done:start]...), with); err != nil {
			return Resource{}, to, fmt.Errorf("%w: %s: a new reference is not UTF-8", ErrInvalid, e.Resource.typ)
		}
		done = end
	}
	to = append(to, text[done:len(text)-1]...)
	if !named {
		to = append(append(append(to, `,"id":"`...), id...), '"')
	}
	to = append(to, '}')
	return Resource{raw: to[first:len(to):len(to)], typ: e.Resource.typ, id: id}, to, nil
}

// appendText appends s as a JSON string.
func appendText(to []byte, s string) ([]byte, error) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return jsontext.AppendQuote(to, s)
		}
	}
	return append(append(append(to, '"'), s...), '"'), nil
}

// linkScan walks checked JSON and reports strings that refer to other resources.
type linkScan struct {
	raw   []byte
	stack []seg
	found func(s *linkScan, start, end int, isReference bool)
}

type seg struct {
	name  string
	index int // -1 if not in an array
}

// path is where the scan stands, without the member "reference" itself.
func (s *linkScan) path() string {
	var b strings.Builder
	for i, g := range s.stack {
		if i > 0 {
			b.WriteByte('.')
		}
		if !elementName(g.name) {
			g.name = "?"
		}
		b.WriteString(g.name)
		if g.index >= 0 {
			fmt.Fprintf(&b, "[%d]", g.index)
		}
	}
	return b.String()
}

// value scans the value at i and returns the index after it.
func (s *linkScan) value(i int) int {
	if i >= len(s.raw) {
		return i
	}
	switch s.raw[i] {
	case '{':
		return s.object(i)
	case '[':
		top := len(s.stack) - 1
		n := 0
		for i++; i < len(s.raw) && s.raw[i] != ']'; n++ {
			if top >= 0 {
				s.stack[top].index = n
			}
			if i = s.value(i); i < len(s.raw) && s.raw[i] == ',' {
				i++
			}
		}
		return i + 1
	}
	return raw.Skip(s.raw, i)
}

func (s *linkScan) object(start int) int {
	i := start + 1
	education := len(s.stack) > 0 && s.stack[len(s.stack)-1].name == "education" // Immunization.education.reference is a uri
	for i < len(s.raw) && s.raw[i] == '"' {
		end := raw.Skip(s.raw, i)
		name, at := s.raw[i:end], end+1
		if at < len(s.raw) && s.raw[at] == '"' {
			i = raw.Skip(s.raw, at)
			switch {
			case bytes.Equal(name, []byte(`"reference"`)):
				if !education && isReference(s.raw[start:raw.Skip(s.raw, start)]) {
					s.found(s, at, i, true)
				}
			case isLocation(name):
				s.found(s, at, i, false)
			}
		} else {
			s.stack = append(s.stack, seg{raw.String(name), -1})
			i = s.value(at)
			s.stack = s.stack[:len(s.stack)-1]
		}
		if i < len(s.raw) && s.raw[i] == ',' {
			i++
		}
	}
	return i + 1
}

func isLocation(quoted []byte) bool {
	switch string(quoted) {
	case `"url"`, `"uri"`, `"valueUri"`, `"valueUrl"`, `"valueUuid"`, `"valueOid"`:
		return true
	}
	return false
}

// isReference tells a Reference from the few other objects with an element of that name, such as
// DetectedIssue: a Reference has no elements but these.
func isReference(object []byte) bool {
	for name := range raw.Members(object) {
		switch name {
		case "reference", "_reference", "type", "_type", "identifier", "display", "_display", "id", "extension":
		default:
			return false
		}
	}
	return true
}
