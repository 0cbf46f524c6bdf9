package search

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
	"slices"
	"strings"
	"sync"
)

// The kinds of parameter, as in params.txt.gz.
const (
	token     = 't'
	reference = 'r'
	date      = 'd'
	str       = 's'
	number    = 'n'
	quantity  = 'q'
	uri       = 'u'
)

// A param is a search parameter of one type.
type param struct {
	name   string
	kind   byte
	places []place
}

// A place says where values are and of which datatype.
type place struct {
	steps []step
	typ   string
}

// A step descends into a member; values that fail the filter are passed over.
type step struct {
	member     string
	key, equal string // [key=equal]
	target     string // @Type: only references to that type
}

//go:embed params.txt.gz
var table []byte

// byType is parsed once: about 1,800 lines, a millisecond.
var byType = sync.OnceValue(func() map[string]map[string]*param {
	z, err := gzip.NewReader(bytes.NewReader(table))
	if err != nil {
		panic("fhir/search: params.txt.gz is damaged: build again")
	}
	text, err := io.ReadAll(z)
	if err != nil {
		panic("fhir/search: params.txt.gz is damaged: build again")
	}
	all := map[string]map[string]*param{}
	var at map[string]*param
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '@':
			at = map[string]*param{}
			all[line[1:]] = at
		default:
			f := strings.Fields(line)
			p := &param{name: f[0], kind: f[1][0]}
			for _, text := range f[2:] {
				p.places = append(p.places, parsePlace(text))
			}
			at[p.name] = p
		}
	}
	return all
})

var (
	idParam      = &param{name: "_id", kind: token}
	updatedParam = &param{name: "_lastUpdated", kind: date}
)

// lookup finds a parameter of a type, nil if there is none.
func lookup(typ, name string) *param {
	switch name {
	case "_id":
		return idParam
	case "_lastUpdated":
		return updatedParam
	}
	if p := byType()[typ][name]; p != nil {
		return p
	}
	return byType()["*"][name]
}

// Names lists the parameters that a type can be searched by, sorted, with their kinds: for a CapabilityStatement.
func Names(typ string) (names []string, kinds map[string]string) {
	words := map[byte]string{token: "token", reference: "reference", date: "date", str: "string", number: "number", quantity: "quantity", uri: "uri"}
	kinds = map[string]string{"_id": "token", "_lastUpdated": "date"}
	for _, set := range []map[string]*param{byType()["*"], byType()[typ]} {
		for name, p := range set {
			kinds[name] = words[p.kind]
		}
	}
	for name := range kinds {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, kinds
}

// parsePlace reads "telecom[system=phone].value:string"; a filter may hold dots, slashes and colons.
func parsePlace(text string) place {
	colon := strings.LastIndexByte(text, ':')
	p := place{typ: text[colon+1:]}
	text = text[:colon]
	for len(text) > 0 {
		var s step
		end := strings.IndexAny(text, ".[@")
		if end < 0 {
			end = len(text)
		}
		s.member, text = text[:end], text[end:]
		if strings.HasPrefix(text, "[") {
			filter, rest, _ := strings.Cut(text[1:], "]")
			s.key, s.equal, _ = strings.Cut(filter, "=")
			text = rest
		}
		if strings.HasPrefix(text, "@") {
			end := strings.IndexByte(text, '.')
			if end < 0 {
				end = len(text)
			}
			s.target, text = text[1:end], text[end:]
		}
		p.steps = append(p.steps, s)
		text = strings.TrimPrefix(text, ".")
	}
	return p
}
