//go:build linux

// Package lazyfs is a filesystem that is as lazy as a disk is allowed to be, for tests of what must survive.
//
// It promises: after PowerCut only what was synced is certain. A write is certain after fsync or fdatasync of its file, or at
// once through a descriptor opened with O_SYNC or O_DSYNC; a new name, a rename and a removal only after fsync of the folder
// (ext4 is kinder; POSIX is not). What was not synced is lost, or, with a seed, kept in part: any of the changes in any order,
// cut at a sector. A hook may refuse any operation, cut a write short, or let a sync fail as Linux does: the error is told
// once, and the data is gone although reads still show it. A limit makes the disk full.
//
// It lives in memory and is mounted by FUSE. The process that mounts it must not map its files (run the program under test,
// and readers such as SQLite, in other processes, or Save a copy first).
package lazyfs

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
)

// Sector is what a disk writes whole or not at all.
const Sector = 512

// A Disk holds a tree of files and what of it is certain. It can be mounted once; PowerCut and Clone make another.
type Disk struct {
	mu    sync.Mutex
	root  *inode
	names []nameChange // not certain yet, in order
	next  uint64
	hook  Hook
	limit int64 // bytes in blocks of 4 KiB; 0 for none
	dead  bool  // the power is off: nothing answers
}

// inode is a file or a folder as the running system sees it, and what of it is certain.
type inode struct {
	id   uint64
	mode uint32
	data []byte
	kept []byte
	open []change // not certain yet, in order
	kids map[string]*inode
	sure map[string]*inode // the names that are certain
}

// A change is a write, or a new size when cut is set.
type change struct {
	off  int64
	data []byte
	size int64
	cut  bool
}

// A nameChange happens whole or not at all: a rename is one of two parts.
type nameChange []namePart

type namePart struct {
	dir  *inode
	name string
	to   *inode // nil removes the name
}

// New is an empty disk.
func New() *Disk {
	d := &Disk{next: 1}
	d.root = d.folder(0o700)
	return d
}

func (d *Disk) folder(mode uint32) *inode {
	n := d.file(syscall.S_IFDIR | mode&0o7777)
	n.kids, n.sure = map[string]*inode{}, map[string]*inode{}
	return n
}

func (d *Disk) file(mode uint32) *inode {
	n := &inode{id: d.next, mode: mode}
	d.next++
	return n
}

func (n *inode) isDir() bool { return n.mode&syscall.S_IFMT == syscall.S_IFDIR }

// Load copies a folder onto a new disk. All of it is certain.
func Load(dir string) (*Disk, error) {
	d := New()
	at := map[string]*inode{".": d.root}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		rel, rerr := filepath.Rel(dir, path)
		if err != nil || rerr != nil || rel == "." {
			return err
		}
		if !e.IsDir() && !e.Type().IsRegular() {
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		n := d.file(syscall.S_IFREG | uint32(info.Mode().Perm()))
		if e.IsDir() {
			n = d.folder(uint32(info.Mode().Perm()))
			at[rel] = n
		} else if n.data, err = os.ReadFile(path); err != nil {
			return err
		}
		n.kept = slices.Clone(n.data)
		up := at[filepath.Dir(rel)]
		up.kids[e.Name()], up.sure[e.Name()] = n, n
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("lazyfs: load: %w", err)
	}
	return d, nil
}

// Save copies what the running system sees to a folder of another filesystem.
func (d *Disk) Save(dir string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return save(d.root, dir)
}

func save(n *inode, path string) error {
	if n.mode&syscall.S_IFMT == syscall.S_IFSOCK {
		return nil
	}
	if !n.isDir() {
		return os.WriteFile(path, n.data, fs.FileMode(n.mode&0o777))
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	for name, kid := range n.kids {
		if err := save(kid, filepath.Join(path, name)); err != nil {
			return err
		}
	}
	return nil
}

// Clone is a copy of what the running system sees, all of it certain, with no hook and no limit.
func (d *Disk) Clone() *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := &Disk{next: d.next}
	out.root = clone(d.root, map[*inode]*inode{})
	return out
}

func clone(n *inode, seen map[*inode]*inode) *inode {
	if c := seen[n]; c != nil {
		return c
	}
	c := &inode{id: n.id, mode: n.mode, data: slices.Clone(n.data), kept: slices.Clone(n.data)}
	seen[n] = c
	if n.isDir() {
		c.kids, c.sure = map[string]*inode{}, map[string]*inode{}
		for name, kid := range n.kids {
			k := clone(kid, seen)
			c.kids[name], c.sure[name] = k, k
		}
	}
	return c
}

// PowerCut is the disk after the power was cut: what was certain, and of the rest, with luck, what the seed decides. With nil
// luck all the rest is lost. The disk itself answers nothing from now on.
func (d *Disk) PowerCut(luck *rand.Rand) *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dead = true
	keep := func() bool { return luck != nil && luck.IntN(2) == 0 }
	for _, c := range d.names {
		if keep() {
			c.settle()
		}
	}
	d.names = nil
	out := &Disk{next: d.next}
	out.root = survive(d.root, map[*inode]*inode{}, luck)
	return out
}

func survive(n *inode, seen map[*inode]*inode, luck *rand.Rand) *inode {
	if c := seen[n]; c != nil {
		return c
	}
	c := &inode{id: n.id, mode: n.mode}
	seen[n] = c
	if n.isDir() {
		c.kids, c.sure = map[string]*inode{}, map[string]*inode{}
		for _, name := range slices.Sorted(mapKeys(n.sure)) {
			k := survive(n.sure[name], seen, luck)
			c.kids[name], c.sure[name] = k, k
		}
		return c
	}
	c.data = slices.Clone(n.kept)
	for _, ch := range n.open {
		if luck == nil || luck.IntN(2) == 0 {
			continue
		}
		if !ch.cut && len(ch.data) > Sector && luck.IntN(4) == 0 { // torn: some of its sectors, from either end
			at := (1 + luck.IntN((len(ch.data)-1)/Sector)) * Sector
			if luck.IntN(2) == 0 {
				ch.data = ch.data[:at]
			} else {
				ch.data, ch.off = ch.data[at:], ch.off+int64(at)
			}
		}
		ch.apply(&c.data)
	}
	c.kept = slices.Clone(c.data)
	return c
}

func mapKeys(m map[string]*inode) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func (c change) apply(b *[]byte) {
	if c.cut {
		*b = resize(*b, c.size)
		return
	}
	if end := c.off + int64(len(c.data)); end > int64(len(*b)) {
		*b = resize(*b, end)
	}
	copy((*b)[c.off:], c.data)
}

// resize fills with zeros, also where an earlier, longer content lay.
func resize(b []byte, size int64) []byte {
	if size <= int64(len(b)) {
		return b[:size]
	}
	old := len(b)
	b = slices.Grow(b, int(size)-old)[:size]
	clear(b[old:])
	return b
}

func (c nameChange) settle() {
	for _, p := range c {
		if p.to == nil {
			delete(p.dir.sure, p.name)
		} else {
			p.dir.sure[p.name] = p.to
		}
	}
}

// record applies a change to what is seen and remembers that it is not certain; sync makes it certain at once.
func (n *inode) record(c change, sync bool) {
	c.apply(&n.data)
	if !sync {
		n.open = append(n.open, c)
		return
	}
	c.apply(&n.kept)
	if !c.cut {
		n.open = carve(n.open, c.off, c.off+int64(len(c.data)))
	}
}

// carve takes [from, to) out of writes that are not certain: newer bytes are.
func carve(open []change, from, to int64) (out []change) {
	for _, c := range open {
		end := c.off + int64(len(c.data))
		if c.cut || end <= from || c.off >= to {
			out = append(out, c)
			continue
		}
		if c.off < from {
			out = append(out, change{off: c.off, data: c.data[:from-c.off]})
		}
		if end > to {
			out = append(out, change{off: to, data: c.data[to-c.off:]})
		}
	}
	return out
}

// settle makes all of a file certain.
func (n *inode) settle() {
	for _, c := range n.open {
		c.apply(&n.kept)
	}
	n.open = nil
}

// settleNames makes every change certain that touches the folder.
func (d *Disk) settleNames(dir *inode) {
	d.names = slices.DeleteFunc(d.names, func(c nameChange) bool {
		if !slices.ContainsFunc(c, func(p namePart) bool { return p.dir == dir }) {
			return false
		}
		c.settle()
		return true
	})
}

// used is how many bytes the files take, in blocks.
func (d *Disk) used() (n int64) {
	seen := map[*inode]bool{}
	var walk func(*inode)
	walk = func(i *inode) {
		if seen[i] {
			return
		}
		seen[i] = true
		n += blocks(int64(len(i.data)))
		for _, k := range i.kids {
			walk(k)
		}
	}
	walk(d.root)
	return n
}

const block = 4096

func blocks(size int64) int64 { return (size + block - 1) / block * block }

// Limit makes the disk as large as it is now plus room bytes; with room < 0 it has no limit.
func (d *Disk) Limit(room int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.limit = 0
	if room >= 0 {
		d.limit = max(d.used()+room, 1)
	}
}

// grow says whether a file may become size bytes long.
func (d *Disk) grow(n *inode, size int64) bool {
	more := blocks(size) - blocks(int64(len(n.data)))
	return d.limit == 0 || more <= 0 || d.used()+more <= d.limit
}
