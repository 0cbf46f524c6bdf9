// Package wire kills the real program while other systems read a record over plain HTTP, TLS and HTTP/2, and looks whether
// every answer of which a byte arrived stands in the audit log (P2).
//
// The long form is `make wire CYCLES=300 SEED=1`. `make wire-red` builds the program with a slow disk and answers that are
// not held, where the same trial must find answers without an entry, and with a slow disk alone, where it must not.
package wire

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	mrand "math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/wellgate/wellgate/internal/clock"
	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/journal"
	"github.com/wellgate/wellgate/trust/policy"
	"github.com/wellgate/wellgate/trust/vault"
)

func TestWire(t *testing.T) {
	h := newTrial(t)
	h.run(number("WIRE_CYCLES", 6), uint64(number("WIRE_SEED", 1)))
	if n := h.missing(); n > 0 {
		t.Errorf("seed %d: %d answers have no entry", number("WIRE_SEED", 1), n)
	}
}

// TestWireCanFail proves it, when the program is built to.
func TestWireCanFail(t *testing.T) {
	if os.Getenv("WIRE_RED") == "" {
		t.Skip("builds the program twice more: make wire-red")
	}
	for _, c := range []struct {
		tags string
		red  bool
	}{{"wellgate_slowdisk", false}, {"wellgate_slowdisk,wellgate_unheld", true}} {
		h := newTrial(t, "-tags", c.tags)
		h.run(number("WIRE_CYCLES", 6), 1)
		if n := h.missing(); n > 0 != c.red {
			t.Errorf("built with %s, %d answers have no entry", c.tags, n)
		}
	}
}

func number(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

// A trial is one practice with one patient, the program over it, and what it has answered.
type trial struct {
	t         *testing.T
	bin, dir  string
	token     string
	patient   string
	near, far string // addresses: plain, TLS
	serial    atomic.Int64
	mu        sync.Mutex
	answered  map[string]string // user agent → wire
	cut       int
	slowest   time.Duration
}

func newTrial(t *testing.T, build ...string) *trial {
	h := &trial{t: t, bin: filepath.Join(t.TempDir(), "wellgate"), dir: filepath.Join(t.TempDir(), "p"), answered: map[string]string{}}
	h.output(exec.Command("go", append(append([]string{"build"}, build...), "-o", h.bin, "../../cmd/wellgate")...))
	h.output(exec.Command(h.bin, "init", "--dir", h.dir, "--name", "Wire", "--phone", "1", "--host", "localhost", "--zone", "UTC"))
	h.certificate()
	h.near, h.far = freeAddr(t), freeAddr(t)
	stop := h.start()
	h.token = strings.Fields(h.output(exec.Command(h.bin, "token", "make", "--dir", h.dir, "--name", "Wire", "--scope", "system/*.cruds", "--rate", "0")))[0]
	h.make()
	stop(syscall.SIGTERM)
	return h
}

func (h *trial) output(c *exec.Cmd) string {
	h.t.Helper()
	out, err := c.CombinedOutput()
	if err != nil {
		h.t.Fatalf("%v: %v\n%s", c.Args, err, out)
	}
	return string(out)
}

// freeAddr is not one of those that the system gives to clients: a client that calls a dead program from its own port would
// be answered by itself.
func freeAddr(t *testing.T) string {
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 20000+mrand.IntN(10000))
		if l, err := net.Listen("tcp", addr); err == nil {
			l.Close()
			return addr
		}
	}
	t.Fatal("no free port")
	return ""
}

func (h *trial) certificate() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	h.must(err)
	c := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	h.must(err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	h.must(err)
	for name, b := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: private}} {
		h.must(os.WriteFile(filepath.Join(filepath.Dir(h.bin), name), pem.EncodeToMemory(b), 0o600))
	}
}

func (h *trial) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// start starts the program, waits until it answers, and gives the way to end it.
func (h *trial) start() (stop func(os.Signal)) {
	h.t.Helper()
	begun := time.Now()
	folder := filepath.Dir(h.bin)
	c := exec.Command(h.bin, "serve", "--dir", h.dir, "--plain", h.near, "--addr", h.far, "--cert", filepath.Join(folder, "cert.pem"), "--key", filepath.Join(folder, "key.pem"))
	var said bytes.Buffer
	c.Stderr = &said
	h.must(c.Start())
	ended := false
	stop = func(s os.Signal) {
		if !ended {
			ended = true
			c.Process.Signal(s)
			c.Wait()
		}
	}
	h.t.Cleanup(func() { stop(syscall.SIGKILL) })
	for time.Since(begun) < 30*time.Second {
		res, err := http.Get("http://" + h.near + "/fhir/metadata")
		if err == nil {
			res.Body.Close()
			http.DefaultClient.CloseIdleConnections()
			h.slowest = max(h.slowest, time.Since(begun))
			return stop
		}
		time.Sleep(2 * time.Millisecond)
	}
	stop(syscall.SIGKILL)
	h.t.Fatalf("does not start:\n%s", said.String())
	return nil
}

// make makes the patient.
func (h *trial) make() {
	body := `{"resourceType":"Patient","name":[{"family":"Wire","given":["Ida"]}],"birthDate":"1970-01-01"}`
	r, err := http.NewRequest("POST", "http://"+h.near+"/fhir/Patient", strings.NewReader(body))
	h.must(err)
	r.Header.Set("Authorization", "Bearer "+h.token)
	r.Header.Set("Content-Type", "application/fhir+json")
	res, err := http.DefaultClient.Do(r)
	h.must(err)
	defer res.Body.Close()
	var made struct{ ID string }
	b, err := io.ReadAll(res.Body)
	h.must(err)
	if res.StatusCode != 201 || json.Unmarshal(b, &made) != nil {
		h.t.Fatalf("%d %s", res.StatusCode, b)
	}
	h.patient = made.ID
	http.DefaultClient.CloseIdleConnections()
}

// run lets ten connections of each kind read while the program is killed, again and again.
func (h *trial) run(cycles int, seed uint64) {
	rng := mrand.New(mrand.NewPCG(seed, 5))
	for range cycles {
		stop := h.start()
		var work sync.WaitGroup
		for _, wire := range []string{"plain", "tls", "h2"} {
			c := client(wire)
			for range 10 {
				work.Go(func() {
					for h.read(c, wire) {
					}
				})
			}
			defer c.CloseIdleConnections()
		}
		for begun, had := time.Now(), h.count(); h.count() < had+20+rng.IntN(200) && time.Since(begun) < 10*time.Second; {
			time.Sleep(5 * time.Millisecond)
		}
		time.Sleep(time.Duration(rng.IntN(20000)) * time.Microsecond)
		stop(syscall.SIGKILL)
		work.Wait()
	}
}

func (h *trial) count() int { h.mu.Lock(); defer h.mu.Unlock(); return len(h.answered) }

func client(wire string) *http.Client {
	t := &http.Transport{MaxIdleConnsPerHost: 10, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	switch wire {
	case "h2":
		t.ForceAttemptHTTP2 = true
	default:
		t.TLSClientConfig.NextProtos = []string{"http/1.1"}
	}
	return &http.Client{Transport: t, Timeout: 20 * time.Second}
}

// read asks once; a read is answered when its status and a first byte are here.
func (h *trial) read(c *http.Client, wire string) bool {
	agent := fmt.Sprintf("wire/%d", h.serial.Add(1))
	url := "https://" + h.far
	if wire == "plain" {
		url = "http://" + h.near
	}
	r, err := http.NewRequest("GET", url+"/fhir/Patient/"+h.patient, nil)
	h.must(err)
	if wire != "plain" {
		_, port, _ := net.SplitHostPort(h.far)
		r.Host = "localhost:" + port
	}
	r.Header.Set("Authorization", "Bearer "+h.token)
	r.Header.Set("User-Agent", agent)
	res, err := c.Do(r)
	if err != nil {
		h.mu.Lock()
		h.cut++
		h.mu.Unlock()
		return false
	}
	defer res.Body.Close()
	n, err := res.Body.Read(make([]byte, 1))
	h.mu.Lock()
	defer h.mu.Unlock()
	if res.StatusCode == 503 { // more comes than a busy machine takes
		io.Copy(io.Discard, res.Body)
		return true
	}
	if res.StatusCode != 200 || wire == "h2" && res.ProtoMajor != 2 {
		h.t.Errorf("%s: %d by %s", wire, res.StatusCode, res.Proto)
		return false
	}
	if n > 0 {
		h.answered[agent] = wire
	}
	io.Copy(io.Discard, res.Body)
	return err == nil || err == io.EOF
}

// missing counts the answers that the log does not know, after it verified.
func (h *trial) missing() (n int) {
	h.t.Helper()
	if out, err := exec.Command(h.bin, "audit", "verify", "--dir", h.dir).CombinedOutput(); err != nil {
		h.t.Errorf("audit verify: %v\n%s", err, out)
	}
	noted := h.noted()
	by, lost := map[string]int{}, map[string]int{}
	for agent, wire := range h.answered {
		by[wire]++
		if !noted[agent] {
			lost[wire]++
			n++
		}
	}
	h.t.Logf("answered %v, cut off %d, entries %d, ready again after at most %d ms; answers without entry: %d %v", by, h.cut, len(noted), h.slowest.Milliseconds(), n, lost)
	for _, wire := range []string{"plain", "tls", "h2"} {
		if by[wire] < 5 && n == 0 {
			h.t.Errorf("too few answers over %s to prove anything", wire)
		}
	}
	return n
}

// noted are the user agents of the patient's entries.
func (h *trial) noted() map[string]bool {
	ctx := context.Background()
	root, err := vault.OpenRoot(filepath.Join(h.dir, "root.key"), nil)
	h.must(err)
	db, err := store.Open(ctx, "sqlite:"+filepath.Join(h.dir, "wellgate.db"))
	h.must(err)
	defer db.Close()
	v, err := vault.Open(ctx, db, root)
	h.must(err)
	j, err := journal.Open(ctx, db, v)
	h.must(err)
	rules, err := policy.New(nil)
	h.must(err)
	var c struct{ Log string }
	b, err := os.ReadFile(filepath.Join(h.dir, "practice.json"))
	h.must(err)
	h.must(json.Unmarshal(b, &c))
	house, err := chart.New(ctx, chart.Config{DB: db, Vault: v, Journal: j, Policy: rules, Origin: c.Log, Reads: filepath.Join(h.dir, "reads"), Clock: clock.System})
	h.must(err)
	defer house.Close()
	charts, err := j.Charts(ctx, journal.Patient)
	h.must(err)
	out := map[string]bool{}
	for _, num := range charts {
		for e, err := range house.Audit().Each(ctx, num) {
			h.must(err)
			var l struct{ Device string }
			h.must(json.Unmarshal(e.Plain, &l))
			out[l.Device] = true
		}
	}
	return out
}
