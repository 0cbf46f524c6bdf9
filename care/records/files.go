package records

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// SniffBytes is how much of a file is looked at to tell what it is.
const SniffBytes = 3072

// A Release says how a file leaves (FIL-04): under which type, whether it may be seen in the browser, and under which
// name it is saved.
type Release struct {
	Type   string // Content-Type
	Inline bool   // shown rather than saved: images only
	Ext    string
}

// safeTypes are the types a file may leave under. Nothing here runs anything in a browser.
var safeTypes = map[string]Release{
	"application/pdf": {Type: "application/pdf", Ext: "pdf"},
	"image/jpeg":      {Type: "image/jpeg", Ext: "jpg", Inline: true},
	"image/png":       {Type: "image/png", Ext: "png", Inline: true},
	"image/webp":      {Type: "image/webp", Ext: "webp", Inline: true},
	"text/plain":      {Type: "text/plain; charset=utf-8", Ext: "txt"},
}

// ReleaseOf decides from what the record says a file is and from its first bytes. The two must agree; a record that
// says nothing does not disagree. Everything else leaves as bytes to save.
func ReleaseOf(declared string, head []byte) Release {
	bytesOnly := Release{Type: "application/octet-stream", Ext: "bin"}
	said := mediaType(declared)
	if said == "image/jpg" {
		said = "image/jpeg"
	}
	r, safe := safeTypes[mediaType(mimetype.Detect(head[:min(len(head), SniffBytes)]).String())]
	if !safe || said != "" && said != mediaType(r.Type) {
		return bytesOnly
	}
	// Readers find a PDF's mark anywhere in the first kilobyte, behind a web page too; ours stands first.
	if r.Ext == "pdf" && !bytes.HasPrefix(head, []byte("%PDF-")) {
		return bytesOnly
	}
	if said == "" {
		r.Inline = false
	}
	return r
}

// IsText says whether a file is shown as words in the page: it is called text and its bytes hold nothing else.
// What a page shows is escaped, so HTML called text is text.
func IsText(declared string, head []byte) bool {
	if said := mediaType(declared); said != "" && said != "text/plain" && said != "text/markdown" {
		return false
	}
	for m := mimetype.Detect(head[:min(len(head), SniffBytes)]); m != nil; m = m.Parent() {
		if m.Is("text/plain") {
			return true
		}
	}
	return false
}

func mediaType(ct string) string {
	base, _, _ := strings.Cut(ct, ";")
	return strings.ToLower(strings.TrimSpace(base))
}

// Headers are the response headers of a file. name is ours; nothing of the record's own file name is used.
func (r Release) Headers(inline bool, name string) map[string]string {
	disposition := "attachment"
	if inline && r.Inline {
		disposition = "inline"
	}
	file := name + "." + r.Ext
	return map[string]string{
		"Content-Type":                 r.Type,
		"Content-Disposition":          fmt.Sprintf(`%s; filename="%s"; filename*=UTF-8''%s`, disposition, file, file),
		"Content-Security-Policy":      "sandbox; default-src 'none'",
		"X-Content-Type-Options":       "nosniff",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Cache-Control":                "no-store",
		"Referrer-Policy":              "no-referrer",
	}
}

// FileName is the name a file is saved under: its date and its place in the document, nothing that tells what it is
// about. It is seen on shared computers.
func FileName(date string, part int) string {
	day := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return -1
	}, date[:min(len(date), 10)])
	name := "document"
	if day != "" {
		name += "-" + strings.Trim(day, "-")
	}
	if part > 0 {
		name += fmt.Sprintf("-%d", part+1)
	}
	return name
}
