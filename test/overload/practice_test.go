package overload

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/wellgate/wellgate/internal/clock"
	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/journal"
	"github.com/wellgate/wellgate/trust/policy"
	"github.com/wellgate/wellgate/trust/vault"
)

// A practice is the demo's, served by the real program over TLS.
type practice struct {
	t              *testing.T
	bin, dir, addr string
	cmd            *exec.Cmd
	stderr         bytes.Buffer
	sessions       []string // Cookie headers of patients
	tokens         []string
	patient        string // a Patient's id
	result         string // an Observation of hers
}

func (p *practice) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatalf("%v\n%s", err, p.stderr.String())
	}
}

// open builds the program, fills the demo and signs people and systems in. With OVERLOAD_BREAK=1 it is built with an
// admission that refuses nobody, which the test must find.
func open(t *testing.T) *practice {
	p := &practice{t: t, bin: filepath.Join(t.TempDir(), "wellgate"), dir: filepath.Join(t.TempDir(), "demo")}
	args := []string{"build", "-o", p.bin}
	if os.Getenv("OVERLOAD_BREAK") != "" {
		args = append(args, "-overlay", p.broken())
	}
	if out, err := exec.Command("go", append(args, "../../cmd/wellgate")...).CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	for port := 20000 + rand.IntN(10000); ; port++ {
		p.addr = fmt.Sprintf("localhost:%d", port)
		if l, err := net.Listen("tcp", p.addr); err == nil {
			l.Close()
			break
		}
	}
	p.cmd = exec.Command(p.bin, "demo", "--tls", "--dir", p.dir, "--addr", p.addr)
	p.cmd.Stderr = &p.stderr
	p.must(p.cmd.Start())
	t.Cleanup(p.stop)
	x := &raw{addr: p.addr, from: "127.0.2.1"}
	defer x.close()
	for range 600 { // it listens before it is ready
		if g, err := x.do([]byte("GET /healthz HTTP/1.1\r\nHost: " + p.addr + "\r\n\r\n")); err == nil && g.status == 200 {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	p.signin()
	p.learn()
	return p
}

// broken is an overlay for go build under which every request has a place.
func (p *practice) broken() string {
	file, err := filepath.Abs("../../internal/admit/queue.go")
	p.must(err)
	text, err := os.ReadFile(file)
	p.must(err)
	const was = "func (g *Gate) free(p *Place) bool {"
	if !strings.Contains(string(text), was) {
		p.t.Fatal("queue.go has no such function: say here how admission is switched off")
	}
	dir := p.t.TempDir()
	changed := filepath.Join(dir, "queue.go")
	p.must(os.WriteFile(changed, []byte(strings.Replace(string(text), was, was+"\n\tif g.limit > 0 {\n\t\treturn true\n\t}", 1)), 0o600))
	b, err := json.Marshal(map[string]any{"Replace": map[string]string{file: changed}})
	p.must(err)
	overlay := filepath.Join(dir, "overlay.json")
	p.must(os.WriteFile(overlay, b, 0o600))
	return overlay
}

func (p *practice) stop() {
	if p.cmd == nil {
		return
	}
	p.cmd.Process.Signal(syscall.SIGTERM)
	done := make(chan error, 1)
	go func() { done <- p.cmd.Wait() }()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		p.cmd.Process.Kill()
		<-done
	}
	p.cmd = nil
}

var tokenText = regexp.MustCompile(`<meta name="csrf" content="([^"]+)"`)

func (p *practice) signin() {
	b, err := os.ReadFile(filepath.Join(p.dir, "demo.json"))
	p.must(err)
	var st struct {
		Signins []struct {
			Login, Password string
			Secret          string `json:"totp"`
			Staff           bool
		}
	}
	p.must(json.Unmarshal(b, &st))
	for _, u := range st.Signins {
		if u.Staff {
			continue
		}
		jar, err := cookiejar.New(nil)
		p.must(err)
		c := &http.Client{Jar: jar, Timeout: 30 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		token := ""
		do := func(method, path string, form url.Values) int {
			r, err := http.NewRequest(method, "https://"+p.addr+path, strings.NewReader(form.Encode()))
			p.must(err)
			if method == "POST" {
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				r.Header.Set("Sec-Fetch-Site", "same-origin")
			}
			res, err := c.Do(r)
			p.must(err)
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			p.must(err)
			if m := tokenText.FindSubmatch(body); m != nil {
				token = string(m[1])
			}
			return res.StatusCode
		}
		do("GET", "/signin", nil)
		if s := do("POST", "/signin/password", url.Values{"csrf": {token}, "login": {u.Login}, "password": {u.Password}}); s != 303 {
			p.t.Fatalf("%s: password: %d", u.Login, s)
		}
		do("GET", "/signin/code", nil)
		code, err := totp.GenerateCode(u.Secret, time.Now())
		p.must(err)
		if s := do("POST", "/signin/code", url.Values{"csrf": {token}, "code": {code}}); s != 303 {
			p.t.Fatalf("%s: code: %d", u.Login, s)
		}
		at, err := url.Parse("https://" + p.addr)
		p.must(err)
		var all []string
		for _, k := range jar.Cookies(at) {
			all = append(all, k.Name+"="+k.Value)
		}
		p.sessions = append(p.sessions, strings.Join(all, "; "))
	}
	for i := range 4 {
		out, err := exec.Command(p.bin, "token", "make", "--dir", p.dir, "--name", fmt.Sprint("Load ", i), "--scope", "system/*.cruds", "--rate", "0").Output()
		p.must(err)
		token, _, _ := strings.Cut(string(out), "\n")
		p.tokens = append(p.tokens, token)
	}
}

var resultLink = regexp.MustCompile(`href="/results/([^"/?#]+)"`)

// learn finds a result of the first patient's, and her id.
func (p *practice) learn() {
	get := func(path, name, value string) []byte {
		c := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
		r, err := http.NewRequest("GET", "https://"+p.addr+path, nil)
		p.must(err)
		r.Header.Set(name, value)
		res, err := c.Do(r)
		p.must(err)
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		p.must(err)
		return b
	}
	m := resultLink.FindSubmatch(get("/results", "Cookie", p.sessions[0]))
	if m == nil {
		p.t.Fatal("no result on the list of results")
	}
	p.result = string(m[1])
	var o struct{ Subject struct{ Reference string } }
	b := get("/fhir/Observation/"+p.result, "Authorization", "Bearer "+p.tokens[0])
	p.must(json.Unmarshal(b, &o))
	if p.patient = strings.TrimPrefix(o.Subject.Reference, "Patient/"); p.patient == "" {
		p.t.Fatalf("no patient: %s", b)
	}
}

// house opens the folder as the program does; the program must not run.
func (p *practice) house() (*chart.House, *journal.Journal, func()) {
	ctx := context.Background()
	root, err := vault.OpenRoot(filepath.Join(p.dir, "root.key"), nil)
	p.must(err)
	db, err := store.Open(ctx, "sqlite:"+filepath.Join(p.dir, "wellgate.db"))
	p.must(err)
	v, err := vault.Open(ctx, db, root)
	p.must(err)
	j, err := journal.Open(ctx, db, v)
	p.must(err)
	rules, err := policy.New(nil)
	p.must(err)
	b, err := os.ReadFile(filepath.Join(p.dir, "practice.json"))
	p.must(err)
	var c struct{ Log string }
	p.must(json.Unmarshal(b, &c))
	h, err := chart.New(ctx, chart.Config{DB: db, Vault: v, Journal: j, Policy: rules, Origin: c.Log, Reads: filepath.Join(p.dir, "reads"), Clock: clock.System})
	p.must(err)
	return h, j, func() { h.Close(); db.Close() }
}

// traces counts the entries of the log by the device they name.
func (p *practice) traces() map[string]int {
	h, j, done := p.house()
	defer done()
	out := map[string]int{}
	charts, err := j.Charts(context.Background(), journal.Patient)
	p.must(err)
	for _, n := range charts {
		for e, err := range h.Audit().Each(context.Background(), n) {
			p.must(err)
			var l struct{ Device, Outcome string }
			p.must(json.Unmarshal(e.Plain, &l))
			if l.Outcome == "ok" {
				out[l.Device]++
			}
		}
	}
	return out
}

// memory is the most the program ever took, in MiB.
func (p *practice) memory() (mib int) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	p.must(err)
	_, rest, _ := strings.Cut(string(b), "VmHWM:")
	fmt.Sscan(rest, &mib)
	return mib >> 10
}

// cpu is the processor time that the program has used.
func (p *practice) cpu() time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	p.must(err)
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	var user, system int64
	fmt.Sscan(f[11], &user)
	fmt.Sscan(f[12], &system)
	return time.Duration(user+system) * 10 * time.Millisecond
}
