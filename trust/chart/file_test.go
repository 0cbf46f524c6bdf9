package chart_test

import (
	"os"
	"testing"
)

func copyFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	must(t, err)
	return b
}

func restore(t *testing.T, b []byte, path string) {
	t.Helper()
	for _, side := range []string{"-wal", "-shm"} {
		os.Remove(path + side)
	}
	must(t, os.WriteFile(path, b, 0o600))
}
