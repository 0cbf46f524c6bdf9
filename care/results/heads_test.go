package results

import (
	"testing"

	"github.com/wellgate/wellgate/site"
)

// Where every row would say "New", the head says it once.
func TestNewIsSaidOnce(t *testing.T) {
	w := speak(t, "en")
	fresh, seen := &Result{New: true}, &Result{}
	for _, c := range []struct {
		name string
		rows []*Result
		sub  string
		want string
		once bool
	}{
		{"all new", []*Result{fresh, fresh}, "", "New", true},
		{"all new, with more to say", []*Result{fresh, fresh}, "Has a comment", "New · Has a comment", true},
		{"some new", []*Result{fresh, seen}, "Has a comment", "Has a comment", false},
		{"none new", []*Result{seen, seen}, "", "", false},
		{"one row says it itself", []*Result{fresh}, "", "", false},
		{"no rows", nil, "", "", false},
	} {
		h := head{rows: c.rows, box: site.Box{Sub: c.sub}}.news(w)
		if h.fresh != c.once || h.box.Sub != c.want {
			t.Errorf("%s: %v %q, want %v %q", c.name, h.fresh, h.box.Sub, c.once, c.want)
		}
	}
}
