package records

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/identity"
	"github.com/wellgate/wellgate/trust/policy"
)

var (
	journeyLine = regexp.MustCompile(`^([a-z-]+)(?:\((en|es|ar)\))? GET (\S+) -> (200|404|denied)((?: (?:has|lacks|type|saves) "[^"]*")*)$`)
	claim       = regexp.MustCompile(`(has|lacks|type|saves) "([^"]*)"`)
)

// TestJourneys plays testdata/*.txtar: who asks for what, and what the answer holds. The files below a journey are the
// patient's record.
func TestJourneys(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.txtar")
	if len(files) == 0 {
		t.Fatal("no journeys in testdata")
	}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
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
		})
	}
}

func (p *practice) play(t *testing.T, line string) {
	t.Helper()
	m := journeyLine.FindStringSubmatch(line)
	if m == nil {
		t.Fatalf("cannot read %q", line)
	}
	who, lang := p.staff(identity.Role(m[1])), m[2]
	if m[1] == "amina" {
		who = p.amina()
	}
	if lang == "" {
		lang = "en"
	}
	w := p.visit(who, lang, m[3])
	got := "200"
	switch {
	case errors.Is(p.err, chart.ErrNotFound):
		got = "404"
	case errors.Is(p.err, policy.ErrDenied):
		got = "denied"
	case p.err != nil:
		t.Fatalf("%s: %v", line, p.err)
	}
	if got != m[4] {
		t.Errorf("%s: %s", line, got)
		return
	}
	seen := w.Body.String()
	if root, err := html.Parse(strings.NewReader(seen)); err == nil {
		seen = text(root)
	}
	for _, c := range claim.FindAllStringSubmatch(m[5], -1) {
		ok := false
		switch c[1] {
		case "has":
			ok = strings.Contains(strings.ReplaceAll(seen, "\u00a0", " "), c[2])
		case "lacks":
			ok = !strings.Contains(w.Body.String(), c[2])
		case "type":
			ok = w.Header().Get("Content-Type") == c[2]
		case "saves":
			ok = strings.Contains(w.Header().Get("Content-Disposition"), `attachment; filename="`+c[2]+`"`)
		}
		if !ok {
			t.Errorf("%s: %s %q does not hold", line, c[1], c[2])
		}
	}
}
