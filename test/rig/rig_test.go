package rig

import (
	"strings"
	"testing"
)

// What a look must find: each kind of broken promise, told apart from what may be.
func TestLook(t *testing.T) {
	found := func(marks ...string) Found {
		f := Found{Marks: map[string]bool{}, Agents: map[string]bool{"seen": true}, Live: map[string]bool{"A/1": true}, Shared: 3}
		for _, m := range marks {
			f.Marks[m] = true
		}
		return f
	}
	for _, c := range []struct {
		name string
		l    func(*Ledger)
		f    Found
		want string
	}{
		{"kept", func(l *Ledger) { l.writes = []write{{kind: "w", marks: []string{"a", "b"}, outcome: acked}} }, found("a", "b"), ""},
		{"lost", func(l *Ledger) { l.writes = []write{{kind: "w", marks: []string{"a"}, outcome: acked}} }, found(), "acknowledged and lost"},
		{"half", func(l *Ledger) { l.writes = []write{{kind: "w", marks: []string{"a", "b"}}} }, found("a"), "half an effect"},
		{"unknown, done", func(l *Ledger) { l.writes = []write{{kind: "w", marks: []string{"a", "b"}}} }, found("a", "b"), ""},
		{"unknown, not done", func(l *Ledger) { l.writes = []write{{kind: "w", marks: []string{"a", "b"}}} }, found(), ""},
		{"refused, done", func(l *Ledger) { l.writes = []write{{kind: "w", marks: []string{"a"}, outcome: refused}} }, found("a"), "refused and done"},
		{"read with entry", func(l *Ledger) { l.reads["seen"] = "GET /" }, found(), ""},
		{"read without entry", func(l *Ledger) { l.reads["unseen"] = "GET /" }, found(), "without an entry"},
		{"undeleted", func(l *Ledger) { l.deleted["A/1"] = acked }, found(), "undone"},
		{"a lost update", func(l *Ledger) { l.sharedAcks, l.sharedTries = 4, 5 }, found(), "shared number"},
		{"an update of nobody", func(l *Ledger) { l.sharedAcks, l.sharedTries = 1, 2 }, found(), "shared number"},
		{"updates that fit", func(l *Ledger) { l.sharedAcks, l.sharedTries = 2, 5 }, found(), ""},
	} {
		l := NewLedger("1")
		if l.sharedTries = 9; c.l != nil {
			c.l(l)
		}
		l.Look(c.f)
		p := strings.Join(l.Problems(), "\n")
		if c.want == "" && p != "" || !strings.Contains(p, c.want) {
			t.Errorf("%s: %q, want %q", c.name, p, c.want)
		}
	}
}
