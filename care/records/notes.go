package records

import (
	"encoding/base64"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode/utf32"

	textunicode "golang.org/x/text/encoding/unicode"
)

// A Block is a piece of readable text.
type Block struct {
	Kind  BlockKind
	Lines []string
}

// BlockKind is how a Block is set.
type BlockKind int

const (
	Paragraph BlockKind = iota
	Heading
	Items
)

// Blocks makes text readable: paragraphs by blank lines, and the marks that note systems put into plain text
// ("# Plan", "- rest") become headings and lists. Nothing is interpreted as markup and nothing is left out.
func Blocks(text string) []Block {
	var out []Block
	var para []string
	flush := func() {
		if len(para) > 1 && looksLikeHeading(para[0]) {
			out = append(out, Block{Heading, para[:1]})
			para = para[1:]
		}
		if len(para) > 0 {
			out = append(out, Block{Paragraph, para})
			para = nil
		}
	}
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\f", "\n\n").Replace(text)
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSpace(clean(line))
		if line == "" {
			flush()
			continue
		}
		if h, ok := heading(line); ok {
			flush()
			out = append(out, Block{Heading, []string{h}})
			continue
		}
		if it, ok := item(line); ok {
			flush()
			if n := len(out); n > 0 && out[n-1].Kind == Items {
				out[n-1].Lines = append(out[n-1].Lines, it)
			} else {
				out = append(out, Block{Items, []string{it}})
			}
			continue
		}
		para = append(para, line)
	}
	flush()
	return out
}

func heading(line string) (string, bool) {
	rest := strings.TrimLeft(line, "#")
	if n := len(line) - len(rest); n == 0 || n > 6 || !strings.HasPrefix(rest, " ") {
		return "", false
	}
	rest = strings.TrimSpace(rest)
	return rest, rest != ""
}

// looksLikeHeading is a guess about the first line of a paragraph, and only about how it is set: "Assessment and plan",
// "Allergies:". A sentence, a date and a wrapped line are none.
func looksLikeHeading(line string) bool {
	first, _ := utf8.DecodeRuneInString(line)
	return utf8.RuneCountInString(line) <= 40 && unicode.IsLetter(first) && !unicode.IsLower(first) &&
		!strings.ContainsAny(line, ".,;!?0123456789")
}

func item(line string) (string, bool) {
	for _, mark := range []string{"- ", "* ", "• "} {
		if rest, ok := strings.CutPrefix(line, mark); ok && strings.TrimSpace(rest) != "" {
			return strings.TrimSpace(rest), true
		}
	}
	return "", false
}

// clean drops what cannot be seen and may deceive: control characters, and the marks that turn the order of text
// around beyond their own line.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case unicode.IsControl(r), r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069, r == 0xFEFF:
			return -1
		}
		return r
	}, s)
}

// Decode turns bytes into text: by byte order mark, by the charset that the content type names, else UTF-8.
// Bytes that are no text in it become the replacement mark, so that the reader sees that something is missing.
func Decode(b []byte, contentType string) string {
	switch {
	case len(b) >= 4 && (string(b[:4]) == "\xff\xfe\x00\x00" || string(b[:4]) == "\x00\x00\xfe\xff"):
		if d, err := utf32.UTF32(utf32.BigEndian, utf32.ExpectBOM).NewDecoder().Bytes(b); err == nil {
			return string(d)
		}
	case len(b) >= 2 && (string(b[:2]) == "\xff\xfe" || string(b[:2]) == "\xfe\xff"):
		if d, err := textunicode.UTF16(textunicode.BigEndian, textunicode.ExpectBOM).NewDecoder().Bytes(b); err == nil {
			return string(d)
		}
	}
	if utf8.Valid(b) {
		return string(b)
	}
	if slices.Contains([]string{"iso-8859-1", "latin1", "windows-1252", "us-ascii", "cp1252", ""}, charset(contentType)) {
		if d, err := charmap.Windows1252.NewDecoder().Bytes(b); err == nil {
			return string(d)
		}
	}
	return strings.ToValidUTF8(string(b), "\ufffd")
}

func charset(contentType string) string {
	for p := range strings.SplitSeq(strings.ToLower(contentType), ";") {
		if v, ok := strings.CutPrefix(strings.TrimSpace(p), "charset="); ok {
			return strings.Trim(v, `" `)
		}
	}
	return ""
}

// base64Bytes reads FHIR base64Binary: standard alphabet, white space allowed anywhere (R4 examples have line breaks).
func base64Bytes(s string) ([]byte, bool) {
	s = strings.Map(func(r rune) rune {
		if r == ' ' || r == '\n' || r == '\r' || r == '\t' {
			return -1
		}
		return r
	}, s)
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		b, err = base64.RawStdEncoding.DecodeString(s)
	}
	return b, err == nil && len(b) > 0
}
