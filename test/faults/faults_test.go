//go:build linux

package faults

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wellgate/wellgate/test/lazyfs"
	"github.com/wellgate/wellgate/test/rig"
)

// A fault is what the disk does once. Reads do not fail here: what they cannot get they do not show (test/rig would see a
// page that lacks something as a failure all the same).
type fault struct {
	name string
	lazyfs.Fault
	kinds []lazyfs.Kind
}

var changes = []lazyfs.Kind{lazyfs.Open, lazyfs.Create, lazyfs.Mkdir, lazyfs.Unlink, lazyfs.Rename, lazyfs.Write, lazyfs.Truncate,
	lazyfs.Allocate, lazyfs.Sync, lazyfs.SyncDir}

var faults = []fault{
	{"EIO", lazyfs.Fault{Errno: syscall.EIO}, changes},
	{"ENOSPC", lazyfs.Fault{Errno: syscall.ENOSPC}, []lazyfs.Kind{lazyfs.Create, lazyfs.Mkdir, lazyfs.Rename, lazyfs.Write, lazyfs.Allocate, lazyfs.Sync}},
	{"half a write", lazyfs.Fault{Short: true}, []lazyfs.Kind{lazyfs.Write}},
}

// A flow is what the program does while one operation fails. It says what was promised.
type flow struct {
	name string
	do   func(x *box, name string) *rig.Ledger
}

var flows = []flow{
	{"start, work, stop", work},
	{"change the key", rotate},
	{"erase a patient", erase},
}

// TestFaults lets each operation of each flow fail once, in each way, and looks what is left after a power cut: an
// acknowledgement may rest on nothing that was not synced. The short form takes a few by seed.
func TestFaults(t *testing.T) {
	seed, trials := number(t, "FAULTS_SEED", 1), int(number(t, "FAULTS_TRIALS", 10))
	b := newBench(t)
	rng := rand.New(rand.NewPCG(seed, 5))
	var all []trial
	for _, f := range flows {
		seen := b.count(f)
		for k, kind := range faults {
			t.Logf("%s: %d operations may fail with %s", f.name, seen[k], kind.name)
			for i := range seen[k] {
				all = append(all, trial{f, kind, i})
			}
		}
	}
	whole := len(all)
	if trials < whole {
		rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		all = all[:trials]
	}
	sum, began := map[string]int{}, time.Now()
	for n, one := range all {
		what, problems := b.try(one)
		sum[what]++
		for _, p := range problems {
			t.Errorf("seed %d, %s, operation %d fails with %s: %s", seed, one.flow.name, one.at, one.fault.name, p)
		}
		if n%50 == 49 {
			t.Logf("%d of %d in %.0f s: %v", n+1, len(all), time.Since(began).Seconds(), sum)
		}
	}
	t.Logf("seed %d: %d of %d single faults in %.0f s: %v", seed, len(all), whole, time.Since(began).Seconds(), sum)
}

type trial struct {
	flow  flow
	fault fault
	at    int
}

// A saboteur is the hook that lets one operation fail.
type saboteur struct {
	mu    sync.Mutex
	fault fault
	at    int // which; -1 for none
	seen  int
	hit   lazyfs.Op
	done  bool
}

func (s *saboteur) hook(op lazyfs.Op) lazyfs.Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.fault.kinds, op.Kind) || strings.HasSuffix(op.Path, "-shm") && op.Kind == lazyfs.Write {
		return lazyfs.Fault{} // mapped pages are written when the kernel likes, and need not be
	}
	s.seen++
	if s.seen-1 != s.at {
		return lazyfs.Fault{}
	}
	s.hit, s.done = op, true
	return s.fault.Fault
}

// count is how many operations a flow has that each fault fits.
func (b *bench) count(f flow) []int {
	x := b.box(b.disk.Clone())
	defer func() { x.away() }()
	var all []*saboteur
	for _, kind := range faults {
		all = append(all, &saboteur{fault: kind, at: -1})
	}
	x.disk.Hook(func(op lazyfs.Op) lazyfs.Fault {
		for _, s := range all {
			s.hook(op)
		}
		return lazyfs.Fault{}
	})
	l := f.do(x, "0x0")
	if p := l.Problems(); len(p) > 0 {
		b.t.Fatalf("%s without any fault: %v", f.name, p)
	}
	var seen []int
	for _, s := range all {
		s.mu.Lock()
		seen = append(seen, s.seen)
		s.mu.Unlock()
	}
	return seen
}

// try lets one operation fail and says how that ended.
func (b *bench) try(one trial) (what string, problems []string) {
	x := b.box(b.disk.Clone())
	defer func() { x.away() }()
	s := &saboteur{fault: one.fault, at: one.at}
	x.disk.Hook(s.hook)
	l := one.flow.do(x, fmt.Sprint(one.at))
	s.mu.Lock()
	hit, done := s.hit, s.done
	s.mu.Unlock()
	what = "passed over"
	if x.run != nil {
		switch {
		case x.run.Failed():
			what = "the program ended"
			if strings.TrimSpace(x.run.Said()) == "" {
				l.Fault("the program ended and said nothing")
			}
		case strings.Contains(x.run.Said(), `"level":"ERROR"`):
			what = "said so in the log"
		}
		if line := x.run.Panicked(); line != "" {
			l.Fault("the program fell over: " + line + "\n" + x.run.Said())
		}
	}
	if l.Count().Shed > 0 && what != "the program ended" {
		what = "answered 5xx"
	}
	if !done {
		what = "did not come up"
	}
	x = x.cut(nil)
	b.after(x, l)
	for _, p := range l.Problems() {
		problems = append(problems, fmt.Sprintf("%s of %s (%s): %s", hit.Kind, hit.Path, what, p))
	}
	return what, problems
}

// after starts again on the disk that is well now: everything works, and everything promised is there.
func (b *bench) after(x *box, l *rig.Ledger) {
	if _, err := x.start(); err != nil {
		l.Fault(fmt.Sprintf("does not start again: %v", err))
		return
	}
	if err := x.p.Works(); err != nil {
		l.Fault(fmt.Sprintf("afterwards: %v\n%s", err, x.run.Said()))
	}
	x.look(l)
}

// work is a day: start, sign in, read, write, a file, a token, stop, which signs the last checkpoint and anchors it.
func work(x *box, name string) *rig.Ledger {
	if _, err := x.start(); err != nil {
		return rig.NewLedger(name) // it ended; said is what it said
	}
	l, err := rig.NewLoad(x.p, name)
	if l == nil {
		l = &rig.Load{P: x.p, Ledger: rig.NewLedger(name)}
	}
	if err == nil {
		l.Tolerant()
		l.Step(0)
	}
	if serr := x.run.Stop(20 * time.Second); serr != nil && strings.Contains(serr.Error(), "within") {
		l.Fault(serr.Error() + "\n" + x.run.Said())
	}
	return l.Ledger
}

// rotate changes the root key while the portal runs.
func rotate(x *box, name string) *rig.Ledger {
	l := rig.NewLedger(name)
	if _, err := x.start(); err != nil {
		return l
	}
	x.command("key", "rotate", "--dir", x.p.Dir)
	x.run.Stop(20 * time.Second)
	return l
}

// erase destroys the record of the spare patient.
func erase(x *box, name string) *rig.Ledger {
	l := rig.NewLedger(name)
	if _, err := x.start(); err != nil {
		return l
	}
	x.command("erase", "--dir", x.p.Dir, "--patient", x.p.Spare.Public, "--reason", "asked for it", "--yes")
	x.run.Stop(20 * time.Second)
	return l
}

// command runs another command of the program. What it says is the operator's to read.
func (x *box) command(args ...string) {
	cmd := exec.Command(x.b.bin, args...)
	out, err := cmd.CombinedOutput()
	if err != nil && len(strings.TrimSpace(string(out))) == 0 {
		x.b.t.Errorf("%v failed and said nothing", args)
	}
	if strings.Contains(string(out), "goroutine ") {
		x.b.t.Errorf("%v fell over:\n%s", args, out)
	}
}

// TestInitFaults makes a practice on a disk of which one operation fails: it says so and ends, or all is there.
func TestInitFaults(t *testing.T) {
	available(t)
	seed, trials := number(t, "FAULTS_SEED", 1), int(number(t, "FAULTS_TRIALS", 8))
	bin := rig.Build(t)
	run := func(s *saboteur) (d *lazyfs.Disk, out string, err error) {
		d = lazyfs.New()
		d.Hook(s.hook)
		dir := filepath.Join(t.TempDir(), "m")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		unmount, err := d.Mount(dir)
		if err != nil {
			t.Fatal(err)
		}
		b, err := exec.Command(bin, "init", "--dir", filepath.Join(dir, "p"), "--name", "A", "--phone", "1", "--host", "a.example", "--zone", "UTC").CombinedOutput()
		after := d.PowerCut(nil)
		if uerr := unmount(); uerr != nil {
			t.Error(uerr)
		}
		return after, string(b), err
	}
	rng := rand.New(rand.NewPCG(seed, 6))
	made, failed := 0, 0
	for _, f := range faults {
		s := &saboteur{fault: f, at: -1}
		if _, out, err := run(s); err != nil {
			t.Fatalf("init without any fault: %v %s", err, out)
		}
		for at := range s.seen {
			if trials < 1000 && rng.IntN(s.seen) >= max(1, trials/3) {
				continue
			}
			one := &saboteur{fault: f, at: at}
			after, out, err := run(one)
			where := fmt.Sprintf("seed %d, operation %d (%s of %s) fails with %s", seed, at, one.hit.Kind, one.hit.Path, f.name)
			if strings.Contains(out, "goroutine ") {
				t.Errorf("%s: init fell over:\n%s", where, out)
			}
			if err != nil {
				failed++
				if len(strings.TrimSpace(out)) == 0 {
					t.Errorf("%s: init failed and said nothing", where)
				}
				continue
			}
			made++
			dir := t.TempDir()
			if err := after.Save(dir); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command(bin, "doctor", "--dir", filepath.Join(dir, "p")).CombinedOutput(); err != nil {
				t.Errorf("%s: init said that it worked, and after a power cut: %s", where, out)
			}
		}
	}
	t.Logf("seed %d: init said so and ended %d times, made a whole practice %d times", seed, failed, made)
}
