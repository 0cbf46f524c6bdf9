//go:build linux

package lazyfs

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// The test's own program runs as the control: it writes lines to a file and says each number once the line is "safe".
const controlWay = "LAZYFS_CONTROL"

func TestMain(m *testing.M) {
	if way := os.Getenv(controlWay); way != "" {
		if err := control(way, os.Args[len(os.Args)-1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// control is the whole of what a program may do right or wrong: the way says what it does before it answers.
func control(way, dir string) error {
	flags := os.O_CREATE | os.O_WRONLY | os.O_APPEND
	if way == "dsync" {
		flags |= syscall.O_DSYNC
	}
	f, err := os.OpenFile(filepath.Join(dir, "lines"), flags, 0o600)
	if err != nil {
		return err
	}
	if way != "noname" {
		d, err := os.Open(dir)
		if err != nil {
			return err
		}
		if err := d.Sync(); err != nil {
			return err
		}
	}
	for i := range 100 {
		if _, err := fmt.Fprintf(f, "line %d\n", i); err != nil {
			return err
		}
		if way == "sync" || way == "noname" {
			if err := f.Sync(); err != nil {
				return err
			}
		}
		fmt.Println(i)
	}
	select {} // killed, as everybody is
}

// mounted mounts the disk for one test.
func mounted(t *testing.T, d *Disk) (dir string, unmount func()) {
	t.Helper()
	if err := Available(); err != nil {
		t.Skip(err)
	}
	dir = t.TempDir()
	un, err := d.Mount(dir)
	if err != nil {
		t.Skip(err)
	}
	done := false
	unmount = func() {
		if !done {
			done = true
			if err := un(); err != nil {
				t.Error(err)
			}
		}
	}
	t.Cleanup(unmount)
	return dir, unmount
}

// TestControl is the proof that the power cut of this package loses what it should and keeps what it must.
func TestControl(t *testing.T) {
	for _, c := range []struct {
		way   string
		keeps bool
	}{{"plain", false}, {"sync", true}, {"dsync", true}, {"noname", false}} {
		t.Run(c.way, func(t *testing.T) {
			lost := Control(t, c.way)
			if c.keeps && lost > 0 || !c.keeps && lost == 0 {
				t.Errorf("%s: %d of 100 answered lines lost", c.way, lost)
			}
		})
	}
}

// Control runs the control program on a lazy disk, cuts the power after its hundredth answer, and counts the lost lines.
func Control(t *testing.T, way string) (lost int) {
	d := New()
	dir, unmount := mounted(t, d)
	cmd := exec.Command(os.Args[0], dir)
	cmd.Env = append(os.Environ(), controlWay+"="+way)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	answers := bufio.NewScanner(out)
	for i := range 100 {
		if !answers.Scan() || answers.Text() != strconv.Itoa(i) {
			t.Fatalf("answer %d: %q", i, answers.Text())
		}
	}
	after := d.PowerCut(nil)
	cmd.Process.Kill()
	cmd.Wait()
	unmount()
	dir, unmount = mounted(t, after)
	defer unmount()
	b, _ := os.ReadFile(filepath.Join(dir, "lines"))
	for i := range 100 {
		if !strings.Contains(string(b), fmt.Sprintf("line %d\n", i)) {
			lost++
		}
	}
	return lost
}

// Every change that was not synced may be there or not, in any order, and what was synced always is.
func TestLuck(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(200) {
		d := New()
		n := d.file(syscall.S_IFREG | 0o600)
		d.root.kids["f"], d.root.sure["f"] = n, n
		n.record(change{data: []byte("SURE....")}, false)
		n.settle()
		n.record(change{off: 4, data: []byte("a")}, false)
		n.record(change{off: 5, data: []byte("b")}, false)
		n.record(change{off: 7, data: []byte("c")}, true)
		after := d.PowerCut(rand.New(rand.NewPCG(seed, 1)))
		seen[string(after.root.kids["f"].data)] = true
	}
	for _, want := range []string{"SURE...c", "SUREa..c", "SURE.b.c", "SUREab.c"} {
		if !seen[want] {
			t.Errorf("%q never happened: %v", want, seen)
		}
	}
	if len(seen) != 4 {
		t.Errorf("impossible outcomes: %v", seen)
	}
}

func TestNames(t *testing.T) {
	d := New()
	dir, unmount := mounted(t, d)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	sync := func(path string) {
		t.Helper()
		f, err := os.Open(path)
		must(err)
		must(f.Sync())
		must(f.Close())
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	must(os.WriteFile(in("old"), []byte("old"), 0o600))
	sync(in("old"))
	sync(dir)
	must(os.WriteFile(in("new"), []byte("new"), 0o600))
	sync(in("new"))
	must(os.Rename(in("new"), in("old"))) // not synced: after the cut the old one is there
	after := d.PowerCut(nil)
	unmount()
	if got := string(after.root.kids["old"].data); got != "old" || after.root.kids["new"] != nil {
		t.Errorf("an unsynced rename happened: old holds %q", got)
	}
	dir, _ = mounted(t, after)
	must(os.WriteFile(in("new"), []byte("new"), 0o600))
	must(os.Rename(in("new"), in("old"))) // the name is certain, the content is not
	sync(dir)
	cut := after.PowerCut(nil)
	if got := string(cut.root.kids["old"].data); got != "" {
		t.Errorf("a renamed file that was never synced holds %q", got)
	}
}

func TestHookAndLimit(t *testing.T) {
	d := New()
	dir, _ := mounted(t, d)
	path := filepath.Join(dir, "f")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	at := 0
	d.Hook(func(op Op) Fault {
		switch at++; {
		case op.Kind == Write && at == 1:
			return Fault{Errno: syscall.EIO}
		case op.Kind == Sync:
			return Fault{Errno: syscall.ENOSPC}
		}
		return Fault{}
	})
	if _, err := f.WriteString("x"); err == nil {
		t.Error("the first write succeeds")
	}
	if _, err := f.WriteString("lost"); err != nil {
		t.Error(err)
	}
	if err := f.Sync(); err == nil {
		t.Error("the sync succeeds")
	}
	d.Hook(nil)
	if err := f.Sync(); err != nil { // as on Linux: the second sync lies
		t.Error(err)
	}
	d.Limit(8192)
	if _, err := f.Write(make([]byte, 64<<10)); err == nil {
		t.Error("64 KiB fit into 8 KiB")
	}
	d.Limit(-1)
	if _, err := f.Write(make([]byte, 64<<10)); err != nil {
		t.Error(err)
	}
	if n := d.root.kids["f"]; len(n.kept) != 0 {
		t.Errorf("%q is certain after a sync that failed", n.kept)
	}
}
