package demo

import (
	"bytes"
	"fmt"
	"strings"
	"time"
)

// A sheet is one page of US Letter as PDF 1.4, in the fonts that every reader has, uncompressed. The same calls give the
// same bytes. Lengths are in points.
type sheet struct {
	title   string
	at      time.Time
	content bytes.Buffer
	y       float64
}

const (
	sheetWidth, sheetHeight = 612, 792
	sheetMargin             = 68
)

func newSheet(title string, at time.Time) *sheet {
	return &sheet{title: title, at: at, y: sheetHeight - sheetMargin}
}

// line writes one line and moves down by drop; bold takes the second font.
func (s *sheet) line(text string, size float64, bold bool, drop float64) {
	font := "F1"
	if bold {
		font = "F2"
	}
	fmt.Fprintf(&s.content, "BT /%s %g Tf %d %.1f Td (%s) Tj ET\n", font, size, sheetMargin, s.y, pdfText(text))
	s.y -= drop
}

// paragraph breaks text between words.
func (s *sheet) paragraph(text string, size, drop float64) {
	const room = sheetWidth - 2*sheetMargin
	line := ""
	for _, word := range strings.Fields(text) {
		longer := strings.TrimSpace(line + " " + word)
		if line != "" && textWidth(longer)*size/1000 > room {
			s.line(line, size, false, drop)
			longer = word
		}
		line = longer
	}
	s.line(line, size, false, drop)
}

// bytes is the finished file.
func (s *sheet) bytes() []byte {
	date := "D:" + s.at.UTC().Format("20060102150405") + "Z"
	objects := []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		fmt.Sprintf("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Resources << /Font << /F1 4 0 R /F2 5 0 R >> >> /Contents 6 0 R >>", sheetWidth, sheetHeight),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%sendstream", s.content.Len(), s.content.String()),
		fmt.Sprintf("<< /Title (%s) /Producer (Wellgate demo) /CreationDate (%s) /ModDate (%s) >>", pdfText(s.title), date, date),
	}
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n")
	places := make([]int, len(objects))
	for i, o := range objects {
		places[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	table := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, at := range places {
		fmt.Fprintf(&b, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R /Info 7 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, table)
	return b.Bytes()
}

// pdfText is text in the font's encoding, Windows' Latin 1, as a PDF string holds it.
func pdfText(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '(' || r == ')' || r == '\\':
			b.WriteByte('\\')
			b.WriteByte(byte(r))
		case r >= ' ' && r < 0x7f:
			b.WriteByte(byte(r))
		default:
			code := byte('?')
			if r >= 0xa0 && r <= 0xff {
				code = byte(r)
			} else if i := strings.IndexRune("‘’“”•–—", r); i >= 0 {
				code = 0x91 + byte(len([]rune("‘’“”•–—"[:i])))
			}
			fmt.Fprintf(&b, `\%03o`, code)
		}
	}
	return b.String()
}

// widths of Helvetica for space to tilde, in thousandths of the size (Adobe's font metrics).
var widths = [...]int{278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278,
	556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
	1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
	333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584}

func textWidth(text string) float64 {
	n := 0
	for _, r := range text {
		if r >= ' ' && int(r-' ') < len(widths) {
			n += widths[r-' ']
		} else {
			n += 556
		}
	}
	return float64(n)
}
