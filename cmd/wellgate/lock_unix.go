//go:build unix

package main

import (
	"os"
	"path/filepath"
	"syscall"
)

// lock takes the folder for this process until unlock or death.
func lock(dir string) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, problemf("cannot lock %s: %v", dir, plain(err))
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, problemf("another wellgate has %s open; stop it first", dir)
	}
	return func() { f.Close() }, nil
}
