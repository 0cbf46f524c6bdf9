package appointments

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/wellgate/wellgate/trust/chart"
)

var (
	journeyLine = regexp.MustCompile(`^(amina|nurse) GET (\S+) -> (200|404)((?: (?:has|lacks) "[^"]*")*)$`)
	claim       = regexp.MustCompile(`(has|lacks) "([^"]*)"`)
)

// TestJourneys plays testdata/*.txtar: who asks for what, and what the answer holds.
func TestJourneys(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.txtar")
	if len(files) == 0 {
		t.Fatal("no journeys in testdata")
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(string(raw), "\n-- ")
		var record []string
		for _, p := range parts[1:] {
			_, js, _ := strings.Cut(p, " --\n")
			record = append(record, js)
		}
		p := open(t, record...)
		for line := range strings.SplitSeq(parts[0], "\n") {
			if line != "" && !strings.HasPrefix(line, "#") {
				p.play(t, line)
			}
		}
	}
}

func (p *practice) play(t *testing.T, line string) {
	t.Helper()
	m := journeyLine.FindStringSubmatch(line)
	if m == nil {
		t.Fatalf("cannot read %q", line)
	}
	who := p.amina()
	if m[1] == "nurse" {
		who = p.nurse()
	}
	w := p.get(who, "en", m[2])
	got := "200"
	if errors.Is(p.err, chart.ErrNotFound) {
		got = "404"
	} else if p.err != nil {
		t.Fatalf("%s: %v", line, p.err)
	}
	if got != m[3] {
		t.Errorf("%s: %s", line, got)
	}
	for _, c := range claim.FindAllStringSubmatch(m[4], -1) {
		if strings.Contains(w.Body.String(), c[2]) != (c[1] == "has") {
			t.Errorf("%s: %s %q does not hold", line, c[1], c[2])
		}
	}
}
