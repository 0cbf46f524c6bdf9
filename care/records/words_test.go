package records

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wellgate/wellgate/site"
)

func words(t *testing.T, lang string) site.Words {
	t.Helper()
	c, err := site.NewCatalogue(files)
	if err != nil {
		t.Fatal(err)
	}
	return c.Words(lang, time.UTC)
}

// keys matches a word key, whole or the beginning of one that is put together: T("records.med." + state).
var keys = regexp.MustCompile(`"(records\.[A-Za-z0-9.\-]+)"`)

// TestEveryWordIsThere: each key in the sources exists, and each key of the catalogue is used by the sources.
func TestEveryWordIsThere(t *testing.T) {
	w := words(t, "en")
	names, _ := filepath.Glob("*.go")
	templs, _ := filepath.Glob("*.templ")
	used, starts := map[string]bool{}, []string{}
	for _, n := range append(names, templs...) {
		if strings.HasSuffix(n, "_test.go") || strings.HasSuffix(n, "_templ.go") {
			continue
		}
		src, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range keys.FindAllStringSubmatch(string(src), -1) {
			k := m[1]
			switch {
			case strings.HasSuffix(k, "."):
				starts = append(starts, k)
			case w.Has(k):
				used[k], used[k+"Text"] = true, true
			case !slices.Contains(routeNames(), k):
				t.Errorf("%s: %s is in no catalogue", n, k)
			}
		}
	}
	raw, err := os.ReadFile("words/en.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range keys.FindAllStringSubmatch(string(raw), -1) {
		if k := m[1]; !used[k] && !slices.ContainsFunc(starts, func(s string) bool { return strings.HasPrefix(k, s) }) {
			t.Errorf("words/en.json: nothing says %s", k)
		}
	}
}

func routeNames() []string {
	var out []string
	for _, r := range Room().Routes {
		out = append(out, r.Name)
	}
	return out
}

// TestWordsOfStates: every state a rule can put out has its words.
func TestWordsOfStates(t *testing.T) {
	w := words(t, "en")
	need := map[string][]string{
		"records.med.":      {"paused", "unsure", "suggested"},
		"records.problem.":  {"active", "unclear", "over", "life", "ruledout"},
		"records.allergy.":  {"now", "over", "ruledout", "food", "medication", "environment", "biologic", "intolerance"},
		"records.risk.":     {"high", "low", "unknown"},
		"records.severity.": {"mild", "moderate", "severe"},
		"records.visit.":    {"planned", "now", "cancelled", "unknown"},
		"records.deed.":     {"planned", "doing", "notdone", "paused", "stopped", "unknown"},
		"records.doc.":      {"old", "draft"},
		"records.file.":     {"elsewhere", "missing", "broken", "elsewhereText", "missingText", "brokenText"},
		"records.plan.":     {"now", "draft", "paused", "unknown", "done", "stopped"},
		"records.step.":     {"todo", "booked", "doing", "paused", "done", "stopped", "unknown"},
		"records.aimstate.": {"todo", "doing", "paused", "done", "stopped"},
		"records.aim.":      {"achieved", "sustaining", "improving", "worsening", "no-change", "not-achieved", "no-progress", "not-attainable"},
		"records.absent.":   {"unknown", "asked-declined", "not-performed", "not-asked", "masked", "error", "not-permitted", "unsupported"},
		"records.times.":    {"d", "wk", "mo"},
		"records.every.":    {"h", "d", "wk", "mo"},
		"records.during.":   {"d", "wk", "mo"},
		"records.on.":       {"mon", "tue", "wed", "thu", "fri", "sat", "sun"},
		"records.doubt.":    {"unconfirmed", "provisional", "differential", "presumed"},
		"records.kind.":     EventKinds,
		"records.kinds.":    EventKinds,
		"records.class.":    {"visit", "hospital", "emergency", "remote", "home", "field"},
		"records.when.":     nil,
	}
	for m := range whens {
		need["records.when."] = append(need["records.when."], m)
	}
	for start, ends := range need {
		for _, e := range ends {
			if !w.Has(start + e) {
				t.Errorf("%s%s has no words", start, e)
			}
		}
	}
	for c, k := range plainWords {
		if !w.Has(k) {
			t.Errorf("%s of %v has no words", k, c)
		}
	}
}
