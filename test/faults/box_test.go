//go:build linux

// Package faults breaks the disk under the real program, on a filesystem of our own (test/lazyfs): the power goes, one
// operation fails, the room ends. What is left is held against everything that was promised (test/rig).
//
// It promises to find what test/rig finds, and besides: an answer that acknowledges what the broken disk did not keep; a
// program that ends without a clear line; a disk that is well again and is not used. The long forms are `make powercut`,
// `make faults` and `make diskfull`; the forms in `go test` are short. Where no filesystem can be mounted they say so and
// are left out.
package faults

import (
	"cmp"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/wellgate/wellgate/test/lazyfs"
	"github.com/wellgate/wellgate/test/rig"
)

func number(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(cmp.Or(os.Getenv(name), strconv.FormatUint(otherwise, 10)), 10, 32)
	if err != nil || n == 0 {
		t.Fatalf("%s=%q is not a number", name, os.Getenv(name))
	}
	return n
}

// available leaves a test out where FUSE is missing.
func available(t *testing.T) {
	t.Helper()
	if err := lazyfs.Available(); err != nil {
		t.Skip(err)
	}
}

// A bench holds what all trials of a test have in common.
type bench struct {
	t        *testing.T
	bin      string
	template *rig.Practice
	disk     *lazyfs.Disk // the template's folder
}

func newBench(t *testing.T, mutations ...rig.Mutation) *bench {
	t.Helper()
	available(t)
	b := &bench{t: t, bin: rig.Build(t, mutations...), template: rig.Make(t, filepath.Join(t.TempDir(), "template"), "")}
	var err error
	if b.disk, err = lazyfs.Load(b.template.Dir); err != nil {
		t.Fatal(err)
	}
	return b
}

// A box is a computer with a disk, on which the practice lies.
type box struct {
	b       *bench
	disk    *lazyfs.Disk
	p       *rig.Practice
	run     *rig.Program
	unmount func() error
}

// box mounts a disk.
func (b *bench) box(d *lazyfs.Disk) *box {
	b.t.Helper()
	dir, err := os.MkdirTemp("", "faults-")
	if err != nil {
		b.t.Fatal(err)
	}
	x := &box{b: b, disk: d, p: b.template.At(dir)}
	if x.unmount, err = d.Mount(dir); err != nil {
		b.t.Fatal(err)
	}
	return x
}

// away kills what runs and takes the disk out.
func (x *box) away() {
	if x.run != nil {
		x.run.Kill()
		x.run = nil
	}
	x.p.Hangup()
	if err := x.unmount(); err != nil {
		x.b.t.Errorf("unmount: %v", err)
	}
	os.Remove(x.p.Dir)
}

// cut takes the power away and is the same computer once it is back.
func (x *box) cut(luck *rand.Rand) *box {
	after := x.disk.PowerCut(luck)
	x.away()
	return x.b.box(after)
}

// start starts the program and waits until it answers.
func (x *box) start() (time.Duration, error) {
	x.run = rig.Start(x.b.t, x.b.bin, x.p)
	return x.run.Ready(x.p, 60*time.Second)
}

// look reads a copy of what is stored, as the running system sees it: the program that mounts a disk must not map its files.
func (x *box) look(l *rig.Ledger) rig.Found {
	x.b.t.Helper()
	if x.run != nil {
		if err := x.run.Stop(30 * time.Second); err != nil {
			l.Fault("the program does not end in order: " + err.Error() + "\n" + x.run.Said())
		}
		if line := x.run.Panicked(); line != "" {
			l.Fault("the program fell over: " + line + "\n" + x.run.Said())
		}
		x.run = nil
	}
	dir, err := os.MkdirTemp("", "faults-look-")
	if err != nil {
		x.b.t.Fatal(err)
	}
	if err := x.disk.Save(dir); err != nil {
		x.b.t.Fatal(err)
	}
	f := rig.Read(x.b.t, dir, "")
	l.Look(f)
	for _, p := range rig.Verify(x.b.t, x.b.bin, x.p.At(dir)) {
		l.Fault(p)
	}
	if len(l.Problems()) == 0 {
		os.RemoveAll(dir)
	} else {
		x.b.t.Logf("what is left is kept in %s", dir)
	}
	return f
}
