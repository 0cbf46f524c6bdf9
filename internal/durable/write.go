package durable

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// A writer puts whole blocks on disk: when write returns nil, they are there. A lane has its own.
type writer interface {
	write(f *os.File, p []byte, off int64) error
	close() error
}

// blockingWriter waits in the system call. Its file was opened to sync each write, or sync says so.
type blockingWriter struct{ sync bool }

func (w blockingWriter) write(f *os.File, p []byte, off int64) error {
	n, err := f.WriteAt(p, off)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	if err == nil && w.sync {
		err = f.Sync()
	}
	return err
}

func (blockingWriter) close() error { return nil }

// probe finds the best mode that works in dir, by writing one block.
func probe(dir string, want Mode) (Mode, error) {
	try := []Mode{Async, Blocking, Sync}
	if want != Auto {
		try = []Mode{want}
	}
	path := filepath.Join(dir, "probe.tmp")
	if err := os.WriteFile(path, make([]byte, block), 0o600); err != nil {
		return "", err
	}
	defer os.Remove(path)
	var errs []error
	for _, m := range try {
		err := tryMode(path, m)
		if err == nil {
			return m, nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", m, err))
	}
	return "", fmt.Errorf("cannot write durably: %w", errors.Join(errs...))
}

func tryMode(path string, m Mode) error {
	f, err := openWrite(path, m)
	if err != nil {
		return err
	}
	defer f.Close()
	w, err := newWriter(m)
	if err != nil {
		return err
	}
	defer w.close()
	p, err := pages(block)
	if err != nil {
		return err
	}
	defer freePages(p)
	return w.write(f, p, 0)
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
