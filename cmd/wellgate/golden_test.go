package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// golden compares what is with what was agreed on. A change of these files is a decision, so it stands in the diff of
// its commit, where people see it.
func golden(t *testing.T, path, what string, got []byte) {
	t.Helper()
	if os.Getenv("UPDATE") == "1" {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; make it with UPDATE=1 go test ./cmd/wellgate -run TestGolden", err)
	}
	if bytes.Equal(want, got) {
		return
	}
	t.Errorf("%s changed. If that is meant, run `UPDATE=1 go test ./cmd/wellgate -run TestGolden` and let the commit say why.\n%s",
		what, lineDiff(string(want), string(got)))
}

// lineDiff names the lines that went and the lines that came.
func lineDiff(was, is string) string {
	old, now := strings.Split(was, "\n"), strings.Split(is, "\n")
	var b strings.Builder
	for _, l := range old {
		if !slices.Contains(now, l) {
			fmt.Fprintf(&b, "  - %s\n", l)
		}
	}
	for _, l := range now {
		if !slices.Contains(old, l) {
			fmt.Fprintf(&b, "  + %s\n", l)
		}
	}
	if b.Len() == 0 {
		return "  (the order of lines)\n"
	}
	return b.String()
}

// The whole policy as one text: who may do what changes only in sight (AZ-01).
func TestGoldenPolicy(t *testing.T) {
	set, err := rules(rooms())
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "../../trust/policy/testdata/policy.cedar", "who may do what (the policy of base and rooms)", []byte(set.Text()))
}

// Every way in, with the audience it is for: an address that appears does so in sight (AZ-01, ATK-09).
func TestGoldenRoutes(t *testing.T) {
	table, err := routeTable()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	for _, r := range append(table, apiTable()...) {
		step := ""
		if r.StepUp {
			step = " fresh-proof"
		}
		fmt.Fprintf(&b, "%s | %s | %s | %s%s\n", r.Pattern, r.For, r.Name, r.Action, step)
	}
	golden(t, "testdata/routes.txt", "the table of routes", b.Bytes())
}

// Every module that is linked into the program, with its version (OPS-04): a new dependency is a decision.
func TestGoldenDependencies(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}{{end}}{{end}}", ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GOFLAGS=-mod=readonly")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.Bytes())
	}
	lines := strings.Fields(strings.ReplaceAll(string(out), " ", "@"))
	slices.Sort(lines)
	lines = slices.Compact(lines)
	if len(lines) < 10 {
		t.Fatalf("only %d modules; the list is not what the program links", len(lines))
	}
	golden(t, "testdata/deps.txt", "the modules linked into the program", []byte(strings.ReplaceAll(strings.Join(lines, "\n"), "@", " ")+"\n"))
}
