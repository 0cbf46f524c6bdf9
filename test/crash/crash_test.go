// Package crash kills the real program at random instants, under load, again and again, and looks at what is left.
//
// It promises (P2, P4): a write that was answered is there afterwards; every read that got an answer stands in the audit
// log; the log holds exactly one entry for each stored version, no more and no less; and the log verifies. The long form
// is `make crash CYCLES=300 SEED=1`; the form in `go test` is short.
package crash

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestCrash(t *testing.T) {
	seed, cycles := number(t, "CRASH_SEED", 1), int(number(t, "CRASH_CYCLES", 15))
	h := newHarness(t, seed)
	h.fill()
	h.learn()
	h.start()
	h.signin()
	began := time.Now()
	for cycle := range cycles {
		if h.cycle = cycle; cycle%25 == 0 {
			t.Logf("cycle %d, %.0f s", cycle, time.Since(began).Seconds())
		}
		h.loadAndKill()
		h.start()
		h.checkWrites()
	}
	h.kill()
	h.verify()
	h.compare()
	slices.Sort(h.ready)
	t.Logf("seed %d: %d cycles of kill -9; %d writes answered, %d cut off; %d reads answered, %d cut off; ready again after %d ms (median), %d ms (slowest)",
		seed, cycles, len(h.acked), h.cutWrites, len(h.read), h.cutReads, h.ready[len(h.ready)/2].Milliseconds(), h.ready[len(h.ready)-1].Milliseconds())
	if len(h.acked) < cycles || len(h.read) < cycles || h.cutWrites+h.cutReads == 0 {
		h.fail("the load was too light to prove anything")
	}
}

func number(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	s := os.Getenv(name)
	if s == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || n == 0 && name == "CRASH_CYCLES" {
		t.Fatalf("%s=%q is not a number", name, s)
	}
	return n
}

// A harness is one practice, its program while it runs, and everything that the program has promised so far.
type harness struct {
	t      *testing.T
	seed   uint64
	rng    *rand.Rand
	bin    string
	dir    string
	addr   string
	cmd    *exec.Cmd
	stderr *bytes.Buffer
	cycle  int
	ready  []time.Duration

	people  []*person // patients
	doctor  *person
	records []target // what is read and commented on

	mu        sync.Mutex
	acked     map[string]target // text of a comment that was answered → where it must be
	unchecked map[target][]string
	read      map[string]string // user agent of an answered read → path
	cutWrites int
	cutReads  int
	serial    int
}

// A target is one result in one record.
type target struct{ public, result string }

func newHarness(t *testing.T, seed uint64) *harness {
	h := &harness{
		t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 77)), dir: filepath.Join(t.TempDir(), "demo"),
		acked: map[string]target{}, unchecked: map[target][]string{}, read: map[string]string{},
	}
	h.bin = filepath.Join(t.TempDir(), "wellgate")
	if out, err := exec.Command("go", "build", "-o", h.bin, "../../cmd/wellgate").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	h.addr = freeAddr(t)
	t.Cleanup(func() {
		if h.cmd != nil {
			h.cmd.Process.Kill()
			h.cmd.Wait()
		}
	})
	return h
}

// freeAddr is an address that stays the same over all starts, as a practice's does. It is not one of those that the system
// gives to clients: a client that calls a dead program from its own port would be answered by itself.
func freeAddr(t *testing.T) string {
	t.Helper()
	for port := 20000 + rand.IntN(10000); port < 32000; port++ {
		addr := fmt.Sprintf("localhost:%d", port)
		if l, err := net.Listen("tcp", addr); err == nil {
			l.Close()
			return addr
		}
	}
	t.Fatal("no free port")
	return ""
}

// fail says which seed to run again.
func (h *harness) fail(format string, args ...any) {
	h.t.Helper()
	h.t.Errorf("seed %d, cycle %d: %s", h.seed, h.cycle, fmt.Sprintf(format, args...))
}

func (h *harness) must(err error) {
	h.t.Helper()
	if err != nil {
		out := ""
		if h.stderr != nil {
			out = h.stderr.String()
		}
		h.t.Fatalf("seed %d, cycle %d: %v\n%s", h.seed, h.cycle, err, out)
	}
}

// start starts the program and waits until it answers.
func (h *harness) start() {
	h.t.Helper()
	began := time.Now()
	h.cmd = exec.Command(h.bin, "demo", "--dir", h.dir, "--addr", h.addr)
	h.stderr = &bytes.Buffer{}
	h.cmd.Stderr = h.stderr
	h.cmd.Env = append(os.Environ(), "WELLGATE_LOG=1")
	h.must(h.cmd.Start())
	for range 6000 {
		if conn, err := net.Dial("tcp", h.addr); err == nil {
			conn.Close()
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if _, err := newPerson(h, "").get("/healthz", "ready"); err != nil {
		h.must(fmt.Errorf("does not start again: %w", err))
	}
	h.ready = append(h.ready, time.Since(began))
}

func (h *harness) kill() {
	h.cmd.Process.Signal(syscall.SIGKILL)
	h.cmd.Wait()
	h.cmd = nil
}

// fill makes the practice once.
func (h *harness) fill() {
	h.start()
	h.must(h.cmd.Process.Signal(syscall.SIGTERM))
	h.must(h.cmd.Wait())
	h.cmd, h.ready = nil, nil
}

// signin gives everybody a session that must outlive every kill.
func (h *harness) signin() {
	b, err := os.ReadFile(filepath.Join(h.dir, "demo.json"))
	h.must(err)
	var st struct {
		Signins []struct {
			Name, Login, Password, Role string
			Secret                      string `json:"totp"`
			Staff                       bool
		}
	}
	h.must(json.Unmarshal(b, &st))
	for _, u := range st.Signins {
		if u.Staff && u.Role != "clinician" {
			continue
		}
		p := newPerson(h, u.Login)
		h.must(p.signin(u.Password, u.Secret))
		if u.Staff {
			h.doctor = p
		} else if len(h.people) < 2 {
			h.people = append(h.people, p)
		}
	}
	if h.doctor == nil || len(h.people) < 2 || len(h.records) == 0 {
		h.t.Fatalf("the demo has no clinician, too few patients or no results: %d, %d", len(h.people), len(h.records))
	}
	opened := map[string]bool{}
	for _, r := range h.records {
		if !opened[r.public] {
			opened[r.public] = true
			h.must(h.doctor.open(r.public))
		}
	}
}

// loadAndKill lets four people work and kills the program in their midst: after a number of answers and then some.
func (h *harness) loadAndKill() {
	answers := make(chan struct{}, 4)
	dead := make(chan struct{})
	var wg sync.WaitGroup
	for worker := range 4 {
		rng := rand.New(rand.NewPCG(h.seed, uint64(h.cycle*4+worker)))
		wg.Go(func() {
			for ok := true; ok; {
				if worker < 2 {
					ok = h.readSome(h.people[worker], rng)
				} else {
					ok = h.commentOn(h.records[rng.IntN(len(h.records))], rng)
				}
				select {
				case answers <- struct{}{}:
				case <-dead:
				}
			}
		})
	}
	enough := time.After(5 * time.Second)
	for range h.rng.IntN(40) {
		select {
		case <-answers:
		case <-enough:
		}
	}
	go func() { // nobody waits for the one who counts
		for {
			select {
			case <-answers:
			case <-dead:
				return
			}
		}
	}()
	time.Sleep(time.Duration(h.rng.IntN(20000)) * time.Microsecond)
	h.kill()
	close(dead)
	wg.Wait()
}

var pages = []string{"/", "/results", "/medicines", "/record", "/timeline", "/visits", "/vaccines"}

func (h *harness) readSome(p *person, rng *rand.Rand) (answered bool) {
	path := pages[rng.IntN(len(pages))]
	agent := h.agent()
	a, err := p.get(path, agent)
	h.note(agent, path, a, err)
	return err == nil
}

func (h *harness) agent() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.serial++
	return fmt.Sprintf("crash/%d.%d.%d", h.seed, h.cycle, h.serial)
}

// note keeps a read that was answered. It was, once the status and a first byte are here, however it ended.
func (h *harness) note(agent, path string, a answer, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case a.status == 200 && a.size > 0:
		h.read[agent] = path
	case err != nil:
		h.cutReads++
	default:
		h.fail("GET %s answers %d", path, a.status)
	}
}

func (h *harness) commentOn(to target, rng *rand.Rand) (answered bool) {
	agent := h.agent()
	text := "Note " + strings.ReplaceAll(strings.TrimPrefix(agent, "crash/"), ".", "x") + "x ends here. " + strings.Repeat("Keep well. ", rng.IntN(8))
	text = strings.TrimSpace(text)
	a, err := h.doctor.comment(to, text, agent)
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case a.status == 303:
		h.acked[text] = to
		h.unchecked[to] = append(h.unchecked[to], text)
	case err != nil:
		h.cutWrites++
	default:
		h.fail("a comment is answered by %d", a.status)
	}
	return err == nil
}

// checkWrites reads every comment that was answered in this cycle on its page.
func (h *harness) checkWrites() {
	h.t.Helper()
	for to, texts := range h.unchecked {
		agent := h.agent()
		path := "/desk/" + to.public + "/results/" + to.result
		a, err := h.doctor.get(path, agent)
		h.must(err)
		h.note(agent, path, a, nil)
		for _, text := range texts {
			if !strings.Contains(a.body, text) {
				h.fail("an answered comment is lost from its page: %q", text)
			}
		}
	}
	clear(h.unchecked)
}

// verify lets the program check its own log.
func (h *harness) verify() {
	h.t.Helper()
	out, err := exec.Command(h.bin, "audit", "verify", "--json", "--dir", h.dir).Output()
	var rep struct {
		Entries  int64
		Problems []string
	}
	if jerr := json.Unmarshal(out, &rep); jerr != nil || err != nil || len(rep.Problems) > 0 || rep.Entries == 0 {
		h.fail("audit verify: %v, %v\n%s", err, jerr, out)
	}
}

// compare holds what is stored and what is in the log against each other, and both against what was answered.
func (h *harness) compare() {
	h.t.Helper()
	s := readStore(h.t, h.dir)
	for ref, versions := range s.versions {
		if s.writes[ref] != versions {
			h.fail("%s has %d stored versions and %d write entries", ref, versions, s.writes[ref])
		}
	}
	for ref, n := range s.writes {
		if s.versions[ref] == 0 {
			h.fail("%d entries say that %s was written, but nothing is stored", n, ref)
		}
	}
	effects, entries := sum(s.versions), sum(s.writes)
	missing := 0
	for text, to := range h.acked {
		if s.texts[text] != to.public {
			missing++
			h.fail("an answered comment is lost: %q", text)
		}
	}
	unaudited := 0
	for agent, path := range h.read {
		if !s.devices[agent] {
			unaudited++
			h.fail("GET %s was answered to %s and is not in the audit log", path, agent)
		}
	}
	h.t.Logf("effects %d, write entries %d; answered writes lost: %d; answered reads without entry: %d", effects, entries, missing, unaudited)
}

func sum(m map[string]int64) (n int64) {
	for v := range maps.Values(m) {
		n += v
	}
	return n
}
