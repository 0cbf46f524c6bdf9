package results

import (
	"strings"
	"testing"
	"time"

	"github.com/wellgate/wellgate/site"
)

// speak gives the room's words in lang, with the catalogue's own checks run.
func speak(t testing.TB, lang string) site.Words {
	t.Helper()
	c, err := site.NewCatalogue(files)
	if err != nil {
		t.Fatal(err)
	}
	return c.Words(lang, time.UTC)
}

// TestWords: every test of the table has its words, and they are short and give no advice.
func TestWords(t *testing.T) {
	for _, lang := range []string{"en", "es", "ar"} {
		w := speak(t, lang)
		for _, x := range tests {
			keys := []string{"results.test." + x.key, "results.what." + x.key}
			if x.change != "" {
				keys = append(keys, "results.change."+x.change)
			}
			for _, key := range keys {
				if !w.Has(key) {
					t.Errorf("%s has no words", key)
				}
				for s := range strings.SplitSeq(w.T(key), ".") {
					if n := len(strings.Fields(s)); n >= 20 {
						t.Errorf("%s %s: a sentence of %d words", lang, key, n)
					}
				}
			}
		}
		for _, x := range panels {
			if !w.Has("results.panel." + x.key) {
				t.Errorf("results.panel.%s has no words", x.key)
			}
		}
		for s, key := range statusKeys {
			if !w.Has("results.status." + key) {
				t.Errorf("status %d has no words", s)
			}
		}
	}
}

// TestCodesOnce: two rows that claim one LOINC code would make names depend on their order.
func TestCodesOnce(t *testing.T) {
	for _, table := range [][]test{tests, panels} {
		seen := map[string]string{}
		for _, x := range table {
			for code := range strings.FieldsSeq(x.codes) {
				if seen[code] != "" {
					t.Errorf("%s is both %s and %s", code, seen[code], x.key)
				}
				seen[code] = x.key
				if !checkDigit(code) {
					t.Errorf("%s of %s is no LOINC code: its check digit is wrong", code, x.key)
				}
			}
		}
	}
}

// checkDigit is LOINC's modulus 10 (Luhn).
func checkDigit(code string) bool {
	n, d, ok := strings.Cut(code, "-")
	if !ok || len(d) != 1 {
		return false
	}
	sum := 0
	for i := range len(n) {
		x := int(n[len(n)-1-i] - '0')
		if i%2 == 0 {
			x *= 2
			if x > 9 {
				x -= 9
			}
		}
		sum += x
	}
	return (10-sum%10)%10 == int(d[0]-'0')
}
