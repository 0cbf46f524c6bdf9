//go:build !unix

package durable

import (
	"errors"
	"os"
)

func newWriter(m Mode) (writer, error) {
	if m == Async {
		return newAsync()
	}
	return blockingWriter{sync: true}, nil
}

func openWrite(path string, m Mode) (*os.File, error) {
	if m != Sync {
		return nil, errors.New("not on this system")
	}
	return os.OpenFile(path, os.O_WRONLY, 0)
}

func pages(n int) ([]byte, error) { return make([]byte, n), nil }
func freePages([]byte)            {}

// syncDir: the system keeps names durable by itself.
func syncDir(string) error { return nil }
