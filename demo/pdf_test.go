package demo

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestSheet(t *testing.T) {
	s := newSheet("Über (all)", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	s.line("José \\ “so” – 語", 15, true, 20)
	s.paragraph(strings.Repeat("word ", 60), 11, 16)
	b := s.bytes()
	for _, want := range []string{"%PDF-1.4\n", `(Jos\351 \\ \223so\224 \226 \077) Tj`, `/Title (\334ber \(all\))`, "D:20260102030405Z", "%%EOF"} {
		if !bytes.Contains(b, []byte(want)) {
			t.Errorf("no %q in\n%s", want, b)
		}
	}
	if n := bytes.Count(b, []byte(") Tj")); n != 5 {
		t.Errorf("%d lines, want 1 and 4", n)
	}
	// Every object stands where the table says.
	table := b[bytes.LastIndex(b, []byte("xref\n0 8\n")):]
	for i, line := range bytes.Split(table, []byte("\n"))[3:10] {
		var at int
		fmt.Sscanf(string(line), "%d", &at)
		if !bytes.HasPrefix(b[at:], fmt.Appendf(nil, "%d 0 obj\n", i+1)) {
			t.Errorf("object %d is not at %d", i+1, at)
		}
	}
	if !bytes.Equal(b, s.bytes()) {
		t.Error("not the same bytes twice")
	}
}
