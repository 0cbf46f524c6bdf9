package records

import (
	"archive/zip"
	"bytes"
	"image"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/wellgate/wellgate/fhir"
)

func pngBytes(t *testing.T) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 2, 2))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jpegBytes(t *testing.T) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 2, 2)), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zipBytes(t *testing.T) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	if _, err := z.Create("../../etc/passwd"); err != nil {
		t.Fatal(err)
	}
	z.Close()
	return b.Bytes()
}

// TestReleaseOf is FIL-04's table: what a file is called, what it is, and how it leaves.
func TestReleaseOf(t *testing.T) {
	pdf := []byte("%PDF-1.7\n1 0 obj <</OpenAction <</S /JavaScript /JS (app.alert(1))>>>>")
	html := []byte("<!doctype html><script>alert(1)</script>")
	svg := []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`)
	huge := append(bytes.Repeat([]byte("a"), 1<<20), html...)
	const save, show = "save", "show"
	for _, c := range []struct {
		name, declared string
		bytes          []byte
		typ, ext, how  string
	}{
		{"PDF", "application/pdf", pdf, "application/pdf", "pdf", save},
		{"PDF with parameters and capitals", "Application/PDF; name=x", pdf, "application/pdf", "pdf", save},
		{"PDF called HTML", "text/html", pdf, "application/octet-stream", "bin", save},
		{"PDF called JPEG", "image/jpeg", pdf, "application/octet-stream", "bin", save},
		{"PDF called nothing", "", pdf, "application/pdf", "pdf", save},
		{"HTML", "text/html", html, "application/octet-stream", "bin", save},
		{"HTML called PDF", "application/pdf", html, "application/octet-stream", "bin", save},
		{"HTML called text", "text/plain", html, "application/octet-stream", "bin", save},
		{"HTML called an image", "image/png", html, "application/octet-stream", "bin", save},
		{"HTML called nothing", "", html, "application/octet-stream", "bin", save},
		{"SVG", "image/svg+xml", svg, "application/octet-stream", "bin", save},
		{"SVG called PNG", "image/png", svg, "application/octet-stream", "bin", save},
		{"PNG", "image/png", pngBytes(t), "image/png", "png", show},
		{"PNG with a script behind it", "image/png", append(pngBytes(t), html...), "image/png", "png", show}, // nosniff and sandbox keep it an image
		{"PNG called JPEG", "image/jpeg", pngBytes(t), "application/octet-stream", "bin", save},
		{"PNG called nothing is saved, not shown", "", pngBytes(t), "image/png", "png", save},
		{"JPEG", "image/jpeg", jpegBytes(t), "image/jpeg", "jpg", show},
		{"JPEG by its old name", "image/jpg", jpegBytes(t), "image/jpeg", "jpg", show},
		{"GIF is not on the list", "image/gif", []byte("GIF89a\x01\x00\x01\x00"), "application/octet-stream", "bin", save},
		{"polyglot GIF and script", "text/plain", []byte("GIF89a/*<script>*/=1;"), "application/octet-stream", "bin", save},
		{"polyglot: PDF mark behind HTML", "application/pdf", append(html, pdf...), "application/octet-stream", "bin", save},
		{"text", "text/plain; charset=utf-8", []byte("Dear Amina,\nall is well."), "text/plain; charset=utf-8", "txt", save},
		{"text that only later becomes HTML is text", "text/plain", huge, "text/plain; charset=utf-8", "txt", save},
		{"JSON called text", "text/plain", []byte(`{"a":[1,2,3]}`), "application/octet-stream", "bin", save},
		{"XML (C-CDA)", "application/xml", []byte(`<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3"/>`), "application/octet-stream", "bin", save},
		{"zip", "application/zip", zipBytes(t), "application/octet-stream", "bin", save},
		{"Windows program called PDF", "application/pdf", []byte("MZ\x90\x00\x03"), "application/octet-stream", "bin", save},
		{"shell script called text", "text/plain", []byte("#!/bin/sh\nrm -rf /\n"), "application/octet-stream", "bin", save},
		{"empty", "application/pdf", nil, "application/octet-stream", "bin", save},
		{"a type that tries to end the header", "application/pdf\r\nSet-Cookie: a=b", pdf, "application/octet-stream", "bin", save},
	} {
		r := ReleaseOf(c.declared, c.bytes)
		want := map[string]string{
			"Content-Type":                 c.typ,
			"Content-Disposition":          `attachment; filename="document-2026-11-17.` + c.ext + `"; filename*=UTF-8''document-2026-11-17.` + c.ext,
			"Content-Security-Policy":      "sandbox; default-src 'none'",
			"X-Content-Type-Options":       "nosniff",
			"Cross-Origin-Resource-Policy": "same-origin",
			"Cache-Control":                "no-store",
			"Referrer-Policy":              "no-referrer",
		}
		name := FileName("2026-11-17T09:00:00Z", 0)
		if d := cmp.Diff(want, r.Headers(false, name)); d != "" {
			t.Errorf("%s, saved:\n%s", c.name, d)
		}
		if c.how == show {
			want["Content-Disposition"] = "inline" + strings.TrimPrefix(want["Content-Disposition"], "attachment")
		}
		if d := cmp.Diff(want, r.Headers(true, name)); d != "" {
			t.Errorf("%s, asked to be shown:\n%s", c.name, d)
		}
	}
}

// TestReleaseNeverRuns: whatever the bytes and the name, nothing but the listed types leaves, and only images are shown.
func TestReleaseNeverRuns(t *testing.T) {
	allowed := map[string]bool{"application/octet-stream": true}
	for _, r := range safeTypes {
		allowed[r.Type] = true
	}
	rapid.Check(t, func(t *rapid.T) {
		h := ReleaseOf(rapid.String().Draw(t, "declared"), rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")).
			Headers(true, FileName(rapid.String().Draw(t, "date"), rapid.IntRange(0, 9).Draw(t, "part")))
		if !allowed[h["Content-Type"]] {
			t.Fatalf("left as %q", h["Content-Type"])
		}
		if strings.HasPrefix(h["Content-Disposition"], "inline") && !strings.HasPrefix(h["Content-Type"], "image/") {
			t.Fatalf("shown: %v", h)
		}
		for k, v := range h {
			if strings.ContainsAny(v, "\r\n\x00") {
				t.Fatalf("%s: %q", k, v)
			}
		}
	})
}

func TestFileName(t *testing.T) {
	for _, c := range []struct {
		date string
		part int
		want string
	}{
		{"2026-11-17T09:00:00Z", 0, "document-2026-11-17"},
		{"2026", 1, "document-2026-2"},
		{"", 0, "document"},
		{"../../etc", 0, "document"},
		{"\r\nX: y", 0, "document"},
	} {
		if got := FileName(c.date, c.part); got != c.want {
			t.Errorf("FileName(%q, %d) = %q, want %q", c.date, c.part, got, c.want)
		}
	}
}

func TestPlaces(t *testing.T) {
	for _, c := range []struct {
		in    string
		place Place
		ref   string
	}{
		{`{"attachment":{"data":"SGVsbG8="}}`, Inside, ""},
		{`{"attachment":{"data":"SGVs\n  bG8="}}`, Inside, ""},
		{`{"attachment":{"data":"SGVsbG8"}}`, Inside, ""},
		{`{"attachment":{"data":"%%%"}}`, Broken, ""},
		{`{"attachment":{"url":"Binary/x1"}}`, Stored, "Binary/x1"},
		{`{"attachment":{"url":"/Binary/1-note"}}`, Stored, "Binary/1-note"},
		{`{"attachment":{"url":"https://evil.example/Binary/x1"}}`, Elsewhere, ""},
		{`{"attachment":{"url":"//evil.example/Binary/x1"}}`, Elsewhere, ""},
		{`{"attachment":{"url":"//Binary/x1"}}`, Elsewhere, ""},
		{`{"attachment":{"url":"Binary/../Patient/x"}}`, Elsewhere, ""},
		{`{"attachment":{"url":"Patient/x"}}`, Elsewhere, ""},
		{`{"attachment":{"url":"file:///etc/passwd"}}`, Elsewhere, ""},
		{`{"attachment":{"url":"javascript:alert(1)"}}`, Elsewhere, ""},
		{`{"attachment":{"url":"urn:uuid:4"}}`, Elsewhere, ""},
		{`{"attachment":{"contentType":"application/pdf"}}`, Missing, ""},
		{`{}`, Missing, ""},
	} {
		d := Documents(as[fhir.DocumentReference](t, `{"resourceType":"DocumentReference","id":"d","content":[`+c.in+`]}`), nil)[0]
		if f := d.Files[0]; f.Place != c.place || f.Ref != c.ref {
			t.Errorf("%s: %s %q, want %s %q", c.in, f.Place, f.Ref, c.place, c.ref)
		}
	}
}

func TestDocuments(t *testing.T) {
	ds := Documents(as[fhir.DocumentReference](t,
		`{"resourceType":"DocumentReference","id":"1","status":"superseded","type":{"coding":[{"system":"http://loinc.org","code":"34117-2","display":"History and physical note"}]},"category":[{"coding":[{"code":"clinical-note"}]}],"date":"2020-01-01","context":{"encounter":[{"reference":"Encounter/e"}]}}`,
		`{"resourceType":"DocumentReference","id":"2","status":"current","description":"Letter from the eye clinic","date":"2024-01-01"}`,
		`{"resourceType":"DocumentReference","id":"3","status":"entered-in-error"}`,
		`{"resourceType":"DocumentReference","id":"4","status":"current","docStatus":"entered-in-error"}`,
		`{"resourceType":"DocumentReference","id":"5","status":"current","content":[{"attachment":{"title":"https://x.example/a.pdf","url":"https://x.example/a.pdf"}}]}`), nil)
	if len(ds) != 3 {
		t.Fatalf("%d documents, want 3: %+v", len(ds), ds)
	}
	if d := ds[0]; d.Label.Clinical != "Letter from the eye clinic" || d.Title != "" {
		t.Errorf("a description names a document without a type: %+v", d)
	}
	if d := ds[1]; !d.Note || d.Status != "old" || len(d.Visits) != 1 {
		t.Errorf("the note: %+v", d)
	}
	if d := ds[2]; d.Label.Named() || d.Title != "" {
		t.Errorf("an address is no title: %+v", d)
	}
	if k := Kinds(ds); len(k) != 3 || len(OfKind(ds, "visitnote")) != 1 || len(OfKind(ds, "")) != 3 {
		t.Errorf("kinds: %+v", k)
	}
	// The filter stands in an address: it repeats nothing that a sender wrote (WEB-07).
	for _, k := range Kinds(ds) {
		if strings.Contains(k.Key, "eye") || len(OfKind(ds, k.Key)) != k.Count {
			t.Errorf("the kind %q", k.Key)
		}
	}
}

func TestBlocks(t *testing.T) {
	got := Blocks("\n1998-04-29\n\n# Chief Complaint\nNo complaints.\nNone.\n\n## Plan\n- rest\n* drink\n•water\n#hashtag\n- \n\x00\u202Eevil\r\nend")
	want := []Block{
		{Paragraph, []string{"1998-04-29"}},
		{Heading, []string{"Chief Complaint"}},
		{Paragraph, []string{"No complaints.", "None."}},
		{Heading, []string{"Plan"}},
		{Items, []string{"rest", "drink"}},
		{Paragraph, []string{"•water", "#hashtag", "-", "evil", "end"}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestBlocksLoseNothing: every word of the text is in the blocks, in order.
func TestBlocksLoseNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOf(rapid.StringMatching(`[a-z0-9.,]{1,8}`)).Draw(t, "words")
		seps := []string{" ", "\n", "\n\n", "\n- ", "\n# ", "\r\n", "\n* "}
		var text strings.Builder
		for _, w := range words {
			text.WriteString(rapid.SampledFrom(seps).Draw(t, "sep") + w)
		}
		var got []string
		for _, b := range Blocks(text.String()) {
			for _, l := range b.Lines {
				for _, f := range strings.Fields(l) {
					if f != "-" && f != "#" && f != "*" {
						got = append(got, f)
					}
				}
			}
		}
		if strings.Join(got, " ") != strings.Join(words, " ") {
			t.Fatalf("got %q of %q", got, words)
		}
	})
}

func TestDecode(t *testing.T) {
	for _, c := range []struct{ name, in, ct, want string }{
		{"UTF-8", "Añadir", "text/plain", "Añadir"},
		{"Latin-1 by name", "A\xf1adir", "text/plain; charset=ISO-8859-1", "Añadir"},
		{"Latin-1 unnamed", "A\xf1adir", "text/plain", "Añadir"},
		{"broken UTF-8 stays visible", "A\xf1adir", "text/plain; charset=utf-8", "A\ufffdadir"},
		{"UTF-16", "\xff\xfeH\x00i\x00", "text/plain", "Hi"},
	} {
		if got := Decode([]byte(c.in), c.ct); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
