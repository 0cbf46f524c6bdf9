// Package raw walks JSON that was already checked and compacted by fhir.Parse: no white space between tokens, no
// duplicate names, valid UTF-8. On anything else its answers are useless, but it never panics or reads out of bounds.
package raw

import (
	"bytes"
	"encoding/binary"
	"iter"
	"math/bits"

	"github.com/go-json-experiment/json/jsontext"
)

// Skip returns the index after the value that starts at b[i].
func Skip(b []byte, i int) int {
	if i >= len(b) {
		return len(b)
	}
	switch b[i] {
	case '"':
		return skipString(b, i)
	case '{', '[':
		return skipNested(b, i)
	}
	for i < len(b) && b[i] != ',' && b[i] != '}' && b[i] != ']' {
		i++
	}
	return i
}

// skipString looks at eight bytes at a time: names, codes and texts alike.
func skipString(b []byte, i int) int {
	for i++; i+8 <= len(b); {
		v := binary.LittleEndian.Uint64(b[i:])
		quote, slash := v^ones*'"', v^ones*'\\'
		odd := ((quote-ones)&^quote | (slash-ones)&^slash) & highs
		if odd == 0 {
			i += 8
			continue
		}
		i += bits.TrailingZeros64(odd) / 8
		if b[i] == '"' {
			return i + 1
		}
		i += 2
	}
	for ; i < len(b); i++ {
		switch b[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	return len(b)
}

func skipNested(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			i = skipString(b, i)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
		i++
	}
	return len(b)
}

// Depth is the deepest nesting of objects and arrays in b.
func Depth(b []byte) int {
	depth, deepest := 0, 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			i = skipString(b, i) - 1
		case '{', '[':
			depth++
			deepest = max(deepest, depth)
		case '}', ']':
			depth--
		}
	}
	return deepest
}

// Members yields the members of an object: name (unescaped) and value. Nothing if b is no object.
func Members(b []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for name, value := range Fields(b) {
			if !yield(string(name), value) {
				return
			}
		}
	}
}

// Fields is Members with names as bytes, so that comparing them makes no copy.
func Fields(b []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func([]byte, []byte) bool) {
		if len(b) == 0 || b[0] != '{' {
			return
		}
		for i := 1; i < len(b) && b[i] == '"'; {
			end := skipString(b, i)
			value := Skip(b, end+1)
			if end+1 > value {
				return
			}
			name := b[i+1 : max(end-1, i+1)]
			if bytes.IndexByte(name, '\\') >= 0 {
				name = []byte(String(b[i:end]))
			}
			if !yield(name, b[end+1:value]) {
				return
			}
			i = value + 1
		}
	}
}

// Elements yields the elements of an array; a value that is no array is yielded itself, nothing if b is empty.
func Elements(b []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		if len(b) == 0 {
			return
		}
		if b[0] != '[' {
			yield(b)
			return
		}
		for i := 1; i < len(b) && b[i] != ']'; {
			end := Skip(b, i)
			if end <= i || !yield(b[i:end]) {
				return
			}
			i = end + 1
		}
	}
}

// Get is the value of the member called name, nil if b has none or is no object.
func Get(b []byte, name string) []byte {
	if len(b) == 0 || b[0] != '{' {
		return nil
	}
	for i := 1; i < len(b) && b[i] == '"'; {
		end := skipString(b, i)
		value := Skip(b, end+1)
		if end+1 > value {
			return nil
		}
		if same(b[i:end], name) {
			return b[end+1 : value]
		}
		i = value + 1
	}
	return nil
}

func same(quoted []byte, name string) bool {
	if bytes.IndexByte(quoted, '\\') >= 0 {
		return String(quoted) == name
	}
	return len(quoted) == len(name)+2 && string(quoted[1:len(quoted)-1]) == name
}

// String is the text of a JSON string, "" for every other value.
func String(b []byte) string {
	if len(b) < 2 || b[0] != '"' {
		return ""
	}
	if bytes.IndexByte(b, '\\') < 0 {
		return string(b[1 : len(b)-1])
	}
	out, err := jsontext.AppendUnquote(nil, b)
	if err != nil {
		return ""
	}
	return string(out)
}

// Compact removes the white space between the tokens of valid JSON, in place.
func Compact(b []byte) []byte {
	out := b[:0]
	for i := 0; i < len(b); {
		switch c := b[i]; c {
		case ' ', '\t', '\r', '\n':
			i++
		case '"':
			end := skipString(b, i)
			out = append(out, b[i:end]...)
			i = end
		default:
			out = append(out, c)
			i++
		}
	}
	return out
}
