package raw

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// A Doc is what one strict pass over a text found.
type Doc struct {
	Text  []byte // the text's own tokens, without the white space between them
	Spans []Span // objects and arrays of the outer Levels, in the order of their starts
	Marks []Mark // strings that may name another resource, and the ids of resources, in order
}

// A Span is where a value stands in Text.
type Span struct{ Start, End int32 }

// A Mark is a string at a place of interest, quotes included.
type Mark struct {
	Span
	Kind Kind
}

// Kind says what a Mark is.
type Kind uint8

const (
	None      Kind = iota // looked like a reference and is none
	Reference             // of a Reference
	Location              // a uri or url that starts with urn:
	ID                    // of a resource
)

// Levels is how deep Spans goes: Bundle, entry, entry's object, resource.
const Levels = 4

// Fault says where and why a text is refused.
type Fault struct {
	Deep bool
	Text []byte // the tokens up to the fault, compact, and all that follows
	At   int    // of the fault in Text
	Gone int    // bytes of white space that were taken out before it
}

// Strict checks b by RFC 8259 and I-JSON (no name twice in an object, clean UTF-8, no lone surrogates) and to maxDepth, and
// takes the white space between tokens out, all in one pass and in place: b is the Doc's from here on. Marks of resources'
// ids are set for the object at resource level: 1 for a resource, Levels for a Bundle of them.
func Strict(b []byte, maxDepth, resource int) (Doc, *Fault) {
	s := scanner{b: b, maxDepth: maxDepth, resource: resource, names: make([]name, 0, 64), frames: make([]frame, 0, 24)}
	if s.text() {
		return Doc{Text: b[:s.w:s.w], Spans: s.spans, Marks: s.marks}, nil
	}
	if s.w < s.r { // one blank stays, so that tokens do not run together
		b[s.w] = ' '
		s.w++
	}
	rest := append(b[:s.w], b[s.r:]...)
	return Doc{}, &Fault{Deep: s.deep, Text: rest, At: s.w, Gone: s.r - s.w}
}

// A scanner reads at r and writes at w, which never overtakes r.
type scanner struct {
	b        []byte
	r, w     int
	maxDepth int
	resource int
	deep     bool
	frames   []frame
	names    []name // of all open objects, those of the innermost last
	spans    []Span
	marks    []Mark
}

// A frame is an open object or array.
type frame struct {
	names     int // where its names start
	array     bool
	education bool // Immunization.education.reference is a uri
	resource  bool // a resource whose id is wanted
	reference int  // its mark, plus one
	span      int  // its span, plus one
	many      map[string]bool
}

type name struct {
	hash uint64
	text []byte
}

// text reads the whole text. At every return of false, r and w stand before the token that is wrong.
func (s *scanner) text() bool {
	under := ""
	for {
		s.space()
		if s.r == len(s.b) {
			return false
		}
		switch c := s.b[s.r]; c {
		case '{', '[':
			if len(s.frames) == s.maxDepth {
				s.deep = true
				return false
			}
			s.open(c == '[', under)
			s.space()
			if s.r < len(s.b) && s.b[s.r] == c+2 { // } and ] follow their openers at this distance
				if !s.close(c + 2) {
					return false
				}
				break
			}
			if under = ""; c == '[' {
				continue
			}
			var ok bool
			if under, ok = s.name(); !ok {
				return false
			}
			continue
		case '"':
			end, _ := stringEnd(s.b, s.r)
			if end < 0 {
				return false
			}
			start := s.w
			s.copy(end)
			if under != "" {
				s.mark(under, start)
			}
		default:
			end := scalarEnd(s.b, s.r)
			if end < 0 {
				return false
			}
			s.copy(end)
		}
		for { // after a value
			s.space()
			if len(s.frames) == 0 {
				return s.r == len(s.b)
			}
			if s.r == len(s.b) {
				return false
			}
			c := s.b[s.r]
			if c == '}' || c == ']' {
				if !s.close(c) {
					return false
				}
				continue
			}
			if c != ',' {
				return false
			}
			break
		}
		s.emit(',')
		f := &s.frames[len(s.frames)-1]
		under = ""
		if !f.array {
			var ok bool
			if under, ok = s.name(); !ok {
				return false
			}
		}
	}
}

func (s *scanner) space() {
	for s.r < len(s.b) {
		switch s.b[s.r] {
		case ' ', '\t', '\r', '\n':
			s.r++
		default:
			return
		}
	}
}

func (s *scanner) emit(c byte) {
	s.b[s.w] = c
	s.r, s.w = s.r+1, s.w+1
}

// copy takes b[r:end] over.
func (s *scanner) copy(end int) {
	if s.r == s.w {
		s.r, s.w = end, end
		return
	}
	s.w += copy(s.b[s.w:], s.b[s.r:end])
	s.r = end
}

// open begins an object or array; under is the name of the member that it is, if that is of interest.
func (s *scanner) open(array bool, under string) {
	depth := len(s.frames) + 1
	f := frame{names: len(s.names), array: array}
	f.education = under == "education" || under == "" && depth > 1 && s.frames[depth-2].array && s.frames[depth-2].education
	f.resource = depth == s.resource && (depth == 1 || under == "resource")
	if depth <= Levels {
		s.spans = append(s.spans, Span{Start: int32(s.w)})
		f.span = len(s.spans)
	}
	s.frames = append(s.frames, f)
	s.emit(s.b[s.r])
}

func (s *scanner) close(c byte) bool {
	f := &s.frames[len(s.frames)-1]
	if f.array != (c == ']') {
		return false
	}
	s.emit(c)
	if f.span > 0 {
		s.spans[f.span-1].End = int32(s.w)
	}
	if f.reference > 0 && !referenceOnly(s.names[f.names:]) {
		s.marks[f.reference-1].Kind = None
	}
	s.names = s.names[:f.names]
	s.frames = s.frames[:len(s.frames)-1]
	return true
}

// referenceOnly tells a Reference from the few other objects with an element of that name, such as DetectedIssue.
func referenceOnly(names []name) bool {
	for _, n := range names {
		switch string(n.text) {
		case "reference", "_reference", "type", "_type", "identifier", "display", "_display", "id", "extension":
		default:
			return false
		}
	}
	return true
}

// name reads a member's name and the colon, and says which of those of interest it is.
func (s *scanner) name() (under string, ok bool) {
	s.space()
	if s.r == len(s.b) || s.b[s.r] != '"' {
		return "", false
	}
	end, escaped := stringEnd(s.b, s.r)
	if end < 0 {
		return "", false
	}
	text := s.b[s.r+1 : end-1]
	if escaped {
		text = []byte(String(s.b[s.r:end]))
	} else {
		under = interesting(text)
	}
	if !s.add(text) {
		return "", false
	}
	start := s.w
	s.copy(end)
	if !escaped { // where it stood will be written over
		s.names[len(s.names)-1].text = s.b[start+1 : s.w-1]
	}
	s.space()
	if s.r == len(s.b) || s.b[s.r] != ':' {
		return "", false
	}
	s.emit(':')
	return under, true
}

func interesting(text []byte) string {
	switch string(text) {
	case "reference":
		return "reference"
	case "url", "uri", "valueUri", "valueUrl", "valueUuid", "valueOid":
		return "url"
	case "id":
		return "id"
	case "resource":
		return "resource"
	case "education":
		return "education"
	}
	return ""
}

// add notes a name of the innermost object, unless it stands there already.
func (s *scanner) add(text []byte) bool {
	const few = 24
	f := &s.frames[len(s.frames)-1]
	n := name{Hash(text), text}
	for i := f.names; i < len(s.names) && i < f.names+few; i++ {
		if o := &s.names[i]; o.hash == n.hash && bytes.Equal(o.text, text) {
			return false
		}
	}
	if len(s.names)-f.names >= few {
		if f.many[string(text)] {
			return false
		}
		if f.many == nil {
			f.many = map[string]bool{}
		}
		f.many[string(text)] = true
	}
	s.names = append(s.names, n)
	return true
}

// Hash is a quick hash of an element's name, by its length and both its ends. Who chooses names can make them meet: it
// must never decide alone, nor how long something takes.
func Hash(t []byte) uint64 {
	n := uint64(len(t))
	h := n
	switch {
	case n >= 8:
		h ^= binary.LittleEndian.Uint64(t) ^ bits.RotateLeft64(binary.LittleEndian.Uint64(t[n-8:]), 23)
	case n >= 4:
		h ^= uint64(binary.LittleEndian.Uint32(t)) | uint64(binary.LittleEndian.Uint32(t[n-4:]))<<32
	case n > 0:
		h ^= uint64(t[0])<<8 | uint64(t[n/2])<<16 | uint64(t[n-1])<<24
	}
	h *= 0x9e3779b97f4a7c15
	return h ^ h>>32
}

// mark notes the string that was written at start, a member of the innermost object.
func (s *scanner) mark(under string, start int) {
	f := &s.frames[len(s.frames)-1]
	m := Mark{Span: Span{int32(start), int32(s.w)}}
	switch under {
	case "reference":
		if f.education {
			return
		}
		m.Kind = Reference
	case "url":
		text := s.b[start:s.w]
		if !bytes.HasPrefix(text, []byte(`"urn:`)) && bytes.IndexByte(text, '\\') < 0 {
			return
		}
		m.Kind = Location
	case "id":
		if !f.resource {
			return
		}
		m.Kind = ID
	default:
		return
	}
	s.marks = append(s.marks, m)
	if m.Kind == Reference {
		f.reference = len(s.marks)
	}
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// stringEnd is the index after the string that starts at i, -1 if it is none, and whether it holds escapes.
func stringEnd(b []byte, i int) (end int, escaped bool) {
	i++
	for {
		for i+8 <= len(b) { // eight bytes at a time, up to the first that is not plain text
			v := binary.LittleEndian.Uint64(b[i:])
			quote, slash := v^ones*'"', v^ones*'\\'
			odd := ((v - ones*' ') | (quote-ones)&^quote | (slash-ones)&^slash | v) & highs
			if odd != 0 {
				i += bits.TrailingZeros64(odd) / 8
				break
			}
			i += 8
		}
		if i >= len(b) {
			return -1, escaped
		}
		switch c := b[i]; {
		case c == '"':
			return i + 1, escaped
		case c == '\\':
			escaped = true
			if i = escapeEnd(b, i); i < 0 {
				return -1, true
			}
		case c < ' ':
			return -1, escaped
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && size <= 1 {
				return -1, escaped
			}
			i += size
		default:
			i++
		}
	}
}

// escapeEnd is the index after the escape at i, both halves of a surrogate pair; -1 if it is none.
func escapeEnd(b []byte, i int) int {
	if i+1 >= len(b) {
		return -1
	}
	switch b[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
	default:
		return -1
	}
	switch v := hex4(b, i+2); {
	case v < 0, v >= 0xdc00 && v < 0xe000:
		return -1
	case v >= 0xd800 && v < 0xdc00:
		if i+8 > len(b) || b[i+6] != '\\' || b[i+7] != 'u' {
			return -1
		}
		if low := hex4(b, i+8); low < 0xdc00 || low >= 0xe000 {
			return -1
		}
		return i + 12
	}
	return i + 6
}

func hex4(b []byte, i int) int {
	if i+4 > len(b) {
		return -1
	}
	v := 0
	for _, c := range b[i : i+4] {
		switch {
		case c >= '0' && c <= '9':
			v = v<<4 | int(c-'0')
		case c >= 'a' && c <= 'f':
			v = v<<4 | int(c-'a'+10)
		case c >= 'A' && c <= 'F':
			v = v<<4 | int(c-'A'+10)
		default:
			return -1
		}
	}
	return v
}

// scalarEnd is the index after the number or word at i, -1 if it is none.
func scalarEnd(b []byte, i int) int {
	for _, word := range []string{"true", "false", "null"} {
		if b[i] == word[0] {
			if len(b)-i >= len(word) && string(b[i:i+len(word)]) == word {
				return i + len(word)
			}
			return -1
		}
	}
	if b[i] == '-' {
		i++
	}
	switch {
	case i < len(b) && b[i] == '0':
		i++
	default:
		if i = digits(b, i); i < 0 {
			return -1
		}
	}
	if i < len(b) && b[i] == '.' {
		if i = digits(b, i+1); i < 0 {
			return -1
		}
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		return digits(b, i)
	}
	return i
}

// digits is the index after one or more digits, -1 if there is none.
func digits(b []byte, i int) int {
	start := i
	for i < len(b) && b[i] >= '0' && b[i] <= '9' {
		i++
	}
	if i == start {
		return -1
	}
	return i
}

// Explain runs the slow reader over a text that Strict refused, for the reason and the place.
func Explain(text []byte) error {
	v := jsontext.Value(bytes.Clone(text))
	return v.Format(jsontext.AllowDuplicateNames(false), jsontext.AllowInvalidUTF8(false), jsontext.PreserveRawStrings(true))
}
