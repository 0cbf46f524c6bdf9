// Package rig drives the real program from outside, under a mixed load, and remembers every promise it made: what it
// acknowledged, what it answered, what it refused. It holds those against what is stored once the program has died, however
// it died. test/crash and test/faults choose how.
//
// It promises to find: an acknowledged write that is lost; a transaction of which a part is there; a refused write that took
// effect; a read that was answered and is not in the audit log; a row without its one audit entry and its facts, or an entry
// without its row; a lost update; a session or a token that an acknowledged act made or ended and that is not so; a log that
// does not verify; a panic.
package rig

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A Mutation breaks the product on purpose: in File, Old becomes New, and so does the pair of Also. Who finds nothing with
// it proves nothing.
type Mutation struct {
	Name, File, Old, New string
	Also                 [2]string
}

// Root is the folder of the module.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	for err == nil {
		if _, serr := os.Stat(filepath.Join(dir, "go.mod")); serr == nil {
			return dir
		}
		if filepath.Dir(dir) == dir {
			break
		}
		dir = filepath.Dir(dir)
	}
	t.Fatal("rig: not inside the module")
	return ""
}

// Build makes the program, broken as the mutations say.
func Build(t testing.TB, mutations ...Mutation) string {
	t.Helper()
	root, out := Root(t), filepath.Join(t.TempDir(), "wellgate")
	args := []string{"build", "-o", out}
	if len(mutations) > 0 {
		args = append(args, "-overlay", overlay(t, root, mutations))
	}
	cmd := exec.Command("go", append(args, "./cmd/wellgate")...)
	cmd.Dir = root
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("rig: build: %v\n%s", err, b)
	}
	return out
}

// Fits fails the test if a mutation does not fit the source any more.
func Fits(t testing.TB, m Mutation) { overlay(t, Root(t), []Mutation{m}) }

// overlay writes what `go build -overlay` reads. A mutation that does not fit the source any more fails the test.
func overlay(t testing.TB, root string, mutations []Mutation) string {
	dir, replace := t.TempDir(), map[string]string{}
	for i, m := range mutations {
		from := filepath.Join(root, m.File)
		b, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		for _, pair := range [][2]string{{m.Old, m.New}, m.Also} {
			if pair[0] != "" && bytes.Count(b, []byte(pair[0])) != 1 {
				t.Fatalf("rig: mutation %q: %s does not hold this once:\n%s", m.Name, m.File, pair[0])
			}
			b = bytes.Replace(b, []byte(pair[0]), []byte(pair[1]), 1)
		}
		to := filepath.Join(dir, strconv.Itoa(i)+".go")
		if err := os.WriteFile(to, b, 0o600); err != nil {
			t.Fatal(err)
		}
		replace[from] = to
	}
	b, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A Program is one run of the program over a practice.
type Program struct {
	cmd    *exec.Cmd
	stderr syncBuffer
	ended  chan struct{}
	err    error // of Wait; read after ended
}

// Start runs `wellgate serve` on a Unix socket, which needs no port and no certificate. It does not wait for it.
func Start(t testing.TB, bin string, p *Practice) *Program {
	t.Helper()
	run := &Program{ended: make(chan struct{})}
	args := []string{"serve", "--dir", p.Dir, "--plain", "unix:" + p.Socket}
	if p.Store != "" {
		args = append(args, "--store", p.Store)
	}
	run.cmd = exec.Command(bin, args...)
	run.cmd.Stderr = &run.stderr
	if err := run.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		run.err = run.cmd.Wait()
		close(run.ended)
	}()
	return run
}

// Kill ends the program as kill -9 does and returns when it is gone.
func (r *Program) Kill() {
	r.cmd.Process.Signal(syscall.SIGKILL)
	<-r.ended
}

// Stop asks the program to end; after limit it is killed.
func (r *Program) Stop(limit time.Duration) error {
	r.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-r.ended:
		return r.err
	case <-time.After(limit):
		r.Kill()
		return fmt.Errorf("rig: the program did not end within %v", limit)
	}
}

// Signal sends it a signal.
func (r *Program) Signal(s syscall.Signal) { r.cmd.Process.Signal(s) }

// Ended says whether it has ended by itself.
func (r *Program) Ended() bool {
	select {
	case <-r.ended:
		return true
	default:
		return false
	}
}

// Failed says whether it ended with an error.
func (r *Program) Failed() bool { return r.Ended() && r.err != nil }

// Said is what it wrote to standard error.
func (r *Program) Said() string { return r.stderr.String() }

// Panicked is the line that says that it fell over, "" if none does.
func (r *Program) Panicked() string {
	for line := range strings.Lines(r.Said()) {
		for _, bad := range []string{"panic", "fatal error", "goroutine ", "DATA RACE", "SIGSEGV", "SIGBUS"} {
			if strings.Contains(line, bad) {
				return strings.TrimSpace(line)
			}
		}
	}
	return ""
}

var errNotReady = errors.New("rig: the program does not answer")

// Ready waits until the program answers, and says how long that took since began.
func (r *Program) Ready(p *Practice, limit time.Duration) (time.Duration, error) {
	began := time.Now()
	for time.Since(began) < limit {
		if r.Ended() {
			return 0, fmt.Errorf("rig: the program ended: %v\n%s", r.err, r.Said())
		}
		if a, err := p.plainGet("/healthz"); err == nil && a.Status == 200 {
			return time.Since(began), nil
		}
		time.Sleep(2 * time.Millisecond)
	}
	return 0, fmt.Errorf("%w within %v\n%s", errNotReady, limit, r.Said())
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
