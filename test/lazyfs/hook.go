//go:build linux

package lazyfs

import "syscall"

// A Kind is what an operation does.
type Kind string

// The kinds of operations that a hook sees.
const (
	Open     Kind = "open" // of a file that is there
	Create   Kind = "create"
	Mkdir    Kind = "mkdir"
	Unlink   Kind = "unlink"
	Rename   Kind = "rename"
	Read     Kind = "read"
	Write    Kind = "write"
	Truncate Kind = "truncate"
	Allocate Kind = "allocate"
	Sync     Kind = "sync"    // of a file
	SyncDir  Kind = "syncdir" // of a folder
)

// Kinds lists them all.
var Kinds = []Kind{Open, Create, Mkdir, Unlink, Rename, Read, Write, Truncate, Allocate, Sync, SyncDir}

// An Op is one operation about to happen. Path is below the mount.
type Op struct {
	Kind Kind
	Path string
	Off  int64
	Len  int
}

// A Fault is what happens instead. The zero Fault lets the operation happen.
type Fault struct {
	Errno syscall.Errno
	Short bool // a write takes half of its bytes and says so
}

// A Hook decides for each operation. It is called with the disk locked and must not touch the disk.
type Hook func(Op) Fault

// Hook sets the hook; nil for none.
func (d *Disk) Hook(h Hook) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hook = h
}

// ask runs with the disk locked.
func (d *Disk) ask(op Op) Fault {
	if d.dead {
		return Fault{Errno: syscall.EIO}
	}
	if d.hook == nil {
		return Fault{}
	}
	return d.hook(op)
}
