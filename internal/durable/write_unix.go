//go:build unix

package durable

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

func newWriter(m Mode) (writer, error) {
	if m == Async {
		return newAsync()
	}
	return blockingWriter{sync: m == Sync}, nil
}

func openWrite(path string, m Mode) (*os.File, error) {
	flag := os.O_WRONLY
	switch m {
	case Async:
		flag |= directFlag
	case Blocking:
		flag |= unix.O_DSYNC
	case Sync:
	default:
		return nil, errors.New("no such mode")
	}
	return os.OpenFile(path, flag, 0)
}

// pages gives memory outside Go's heap, aligned to pages: the kernel may write from it at any time.
func pages(n int) ([]byte, error) {
	return unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
}

func freePages(p []byte) {
	if p != nil {
		unix.Munmap(p)
	}
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
