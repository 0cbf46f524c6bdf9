//go:build linux

package lazyfs

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// Available says why a filesystem cannot be mounted here; nil if it can.
func Available() error {
	f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("lazyfs: no FUSE here: %w", err)
	}
	return f.Close()
}

// Mount shows the disk at dir until unmount, which does not wait for open files.
func (d *Disk) Mount(dir string) (unmount func() error, err error) {
	second := time.Second
	srv, err := fs.Mount(dir, &node{d: d, i: d.root}, &fs.Options{
		EntryTimeout: &second, AttrTimeout: &second, RootStableAttr: &fs.StableAttr{Ino: d.root.id},
		UID: uint32(os.Getuid()), GID: uint32(os.Getgid()),
		MountOptions: fuse.MountOptions{
			FsName: "lazyfs", Name: "lazyfs", DirectMount: os.Getuid() == 0, DisableXAttrs: true, MaxWrite: 1 << 20,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("lazyfs: mount %s: %w", dir, err)
	}
	return func() error {
		err := srv.Unmount()
		for range 200 { // a killed program's last pages may still be on their way
			if err == nil {
				return nil
			}
			time.Sleep(10 * time.Millisecond)
			err = srv.Unmount()
		}
		return err
	}, nil
}

// node is the kernel's hold on an inode.
type node struct {
	fs.Inode
	d *Disk
	i *inode
}

// handle remembers how a file was opened.
type handle struct{ sync bool }

func (n *node) path(name string) string { return path.Join(n.Path(nil), name) }

func (n *node) child(ctx context.Context, i *inode, out *fuse.EntryOut) *fs.Inode {
	i.attr(&out.Attr)
	return n.NewInode(ctx, &node{d: n.d, i: i}, fs.StableAttr{Mode: i.mode & syscall.S_IFMT, Ino: i.id})
}

func (i *inode) attr(a *fuse.Attr) {
	a.Ino, a.Mode, a.Size, a.Blksize, a.Nlink = i.id, i.mode, uint64(len(i.data)), block, 1
	a.Blocks = uint64(blocks(int64(len(i.data))) / 512)
	a.Uid, a.Gid = uint32(os.Getuid()), uint32(os.Getgid())
}

func (n *node) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	kid := n.i.kids[name]
	if kid == nil {
		return nil, syscall.ENOENT
	}
	return n.child(ctx, kid, out), 0
}

func (n *node) Readdir(context.Context) (fs.DirStream, syscall.Errno) {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	var out []fuse.DirEntry
	for _, name := range slices.Sorted(maps.Keys(n.i.kids)) {
		kid := n.i.kids[name]
		out = append(out, fuse.DirEntry{Name: name, Mode: kid.mode, Ino: kid.id})
	}
	return fs.NewListDirStream(out), 0
}

func (n *node) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	n.i.attr(&out.Attr)
	return 0
}

func (n *node) Open(_ context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	if f := n.d.ask(Op{Kind: Open, Path: n.path("")}); f.Errno != 0 {
		return nil, 0, f.Errno
	}
	if flags&syscall.O_TRUNC != 0 {
		n.i.record(change{cut: true}, false)
	}
	return opened(flags), 0, 0
}

func opened(flags uint32) *handle { return &handle{sync: flags&(syscall.O_DSYNC|syscall.O_SYNC) != 0} }

func (n *node) Create(ctx context.Context, name string, flags, mode uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	if f := n.d.ask(Op{Kind: Create, Path: n.path(name)}); f.Errno != 0 {
		return nil, nil, 0, f.Errno
	}
	kid := n.i.kids[name]
	if kid == nil {
		kid = n.d.file(syscall.S_IFREG | mode&0o7777)
		n.rename(name, kid)
	}
	return n.child(ctx, kid, out), opened(flags), 0, 0
}

// rename gives name to i, which is not certain yet; nil removes it.
func (n *node) rename(name string, i *inode) {
	n.d.names = append(n.d.names, nameChange{n.part(name, i)})
}

func (n *node) part(name string, i *inode) namePart {
	if i == nil {
		delete(n.i.kids, name)
	} else {
		n.i.kids[name] = i
	}
	return namePart{n.i, name, i}
}

func (n *node) Mkdir(ctx context.Context, name string, mode uint32, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	if f := n.d.ask(Op{Kind: Mkdir, Path: n.path(name)}); f.Errno != 0 {
		return nil, f.Errno
	}
	kid := n.d.folder(mode)
	n.rename(name, kid)
	return n.child(ctx, kid, out), 0
}

// Mknod makes sockets, which the kernel keeps; their name is all there is on the disk.
func (n *node) Mknod(ctx context.Context, name string, mode, _ uint32, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	if f := n.d.ask(Op{Kind: Create, Path: n.path(name)}); f.Errno != 0 {
		return nil, f.Errno
	}
	if n.i.kids[name] != nil {
		return nil, syscall.EEXIST
	}
	kid := n.d.file(mode)
	n.rename(name, kid)
	return n.child(ctx, kid, out), 0
}

func (n *node) Link(ctx context.Context, target fs.InodeEmbedder, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	if f := n.d.ask(Op{Kind: Create, Path: n.path(name)}); f.Errno != 0 {
		return nil, f.Errno
	}
	if n.i.kids[name] != nil {
		return nil, syscall.EEXIST
	}
	kid := target.(*node).i
	n.rename(name, kid)
	return n.child(ctx, kid, out), 0
}

func (n *node) Unlink(_ context.Context, name string) syscall.Errno { return n.remove(name) }

func (n *node) Rmdir(_ context.Context, name string) syscall.Errno { return n.remove(name) }

func (n *node) remove(name string) syscall.Errno {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	if f := n.d.ask(Op{Kind: Unlink, Path: n.path(name)}); f.Errno != 0 {
		return f.Errno
	}
	switch kid := n.i.kids[name]; {
	case kid == nil:
		return syscall.ENOENT
	case len(kid.kids) > 0:
		return syscall.ENOTEMPTY
	}
	n.rename(name, nil)
	return 0
}

func (n *node) Rename(_ context.Context, name string, parent fs.InodeEmbedder, to string, flags uint32) syscall.Errno {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	if f := n.d.ask(Op{Kind: Rename, Path: n.path(name)}); f.Errno != 0 {
		return f.Errno
	}
	if flags != 0 {
		return syscall.ENOTSUP
	}
	kid, up := n.i.kids[name], parent.(*node)
	if kid == nil {
		return syscall.ENOENT
	}
	n.d.names = append(n.d.names, nameChange{n.part(name, nil), up.part(to, kid)})
	return 0
}

func (n *node) Setattr(_ context.Context, _ fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	if mode, ok := in.GetMode(); ok {
		n.i.mode = n.i.mode&syscall.S_IFMT | mode&0o7777
	}
	if size, ok := in.GetSize(); ok {
		if f := n.d.ask(Op{Kind: Truncate, Path: n.path(""), Off: int64(size)}); f.Errno != 0 {
			return f.Errno
		}
		n.i.record(change{cut: true, size: int64(size)}, false) // a hole takes no room, so a full disk does not refuse it
	}
	n.i.attr(&out.Attr)
	return 0
}

func (n *node) Allocate(_ context.Context, _ fs.FileHandle, off, size uint64, mode uint32) syscall.Errno {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	if mode != 0 {
		return syscall.ENOTSUP
	}
	end := int64(off + size)
	if f := n.d.ask(Op{Kind: Allocate, Path: n.path(""), Off: int64(off), Len: int(size)}); f.Errno != 0 {
		return f.Errno
	}
	if !n.d.grow(n.i, end) {
		return syscall.ENOSPC
	}
	if end > int64(len(n.i.data)) {
		n.i.record(change{cut: true, size: end}, false)
	}
	return 0
}

func (n *node) Read(_ context.Context, _ fs.FileHandle, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	if f := n.d.ask(Op{Kind: Read, Path: n.path(""), Off: off, Len: len(dest)}); f.Errno != 0 {
		return nil, f.Errno
	}
	size := 0
	if off < int64(len(n.i.data)) {
		size = copy(dest, n.i.data[off:])
	}
	return fuse.ReadResultData(dest[:size]), 0
}

func (n *node) Write(_ context.Context, h fs.FileHandle, data []byte, off int64) (uint32, syscall.Errno) {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	f := n.d.ask(Op{Kind: Write, Path: n.path(""), Off: off, Len: len(data)})
	if f.Errno != 0 {
		return 0, f.Errno
	}
	if f.Short && len(data) > 1 {
		data = data[:len(data)/2]
	}
	if !n.d.grow(n.i, off+int64(len(data))) {
		return 0, syscall.ENOSPC
	}
	fh, _ := h.(*handle) // nil for pages that were mapped
	n.i.record(change{off: off, data: slices.Clone(data)}, fh != nil && fh.sync)
	return uint32(len(data)), 0
}

func (n *node) Fsync(_ context.Context, _ fs.FileHandle, _ uint32) syscall.Errno {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	kind := Sync
	if n.i.isDir() {
		kind = SyncDir
	}
	if f := n.d.ask(Op{Kind: kind, Path: n.path("")}); f.Errno != 0 {
		n.i.open = nil // Linux marks the pages clean: the next sync succeeds, and they were never written
		return f.Errno
	}
	if n.i.isDir() {
		n.d.settleNames(n.i)
		return 0
	}
	n.i.settle()
	return 0
}

func (n *node) Flush(context.Context, fs.FileHandle) syscall.Errno { return 0 }

func (n *node) Statfs(_ context.Context, out *fuse.StatfsOut) syscall.Errno {
	n.d.mu.Lock()
	defer n.d.mu.Unlock()
	out.Bsize, out.Frsize, out.NameLen = block, block, 255
	out.Blocks, out.Bfree = 1<<24, 1<<24
	if n.d.limit > 0 {
		out.Blocks = uint64(n.d.limit / block)
		out.Bfree = uint64(max(0, n.d.limit-n.d.used()) / block)
	}
	out.Bavail = out.Bfree
	return 0
}
