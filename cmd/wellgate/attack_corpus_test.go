package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// corpus reads bad inputs from the folder in WELLGATE_CORPUS, one a line or as a list in JSON. Without the folder what
// needs it runs with the test's own inputs alone; in CI that is a failure.
func corpus(t *testing.T, name string) []string {
	t.Helper()
	dir := os.Getenv("WELLGATE_CORPUS")
	if dir == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("WELLGATE_CORPUS is not set: the folder of bad inputs is missing")
		}
		t.Log("WELLGATE_CORPUS is not set; only the inputs written here are tried")
		return nil
	}
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	if strings.HasSuffix(name, ".json") {
		if err := json.Unmarshal(b, &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	for line := range strings.SplitSeq(string(b), "\n") {
		if line = strings.TrimSuffix(line, "\r"); line != "" {
			out = append(out, line)
		}
	}
	return out
}
