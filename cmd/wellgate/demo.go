package main

import (
	"bufio"
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/pquerna/otp/totp"
	"golang.org/x/term"

	"github.com/wellgate/wellgate/doors/api"
	"github.com/wellgate/wellgate/internal/clock"
	"github.com/wellgate/wellgate/internal/durable"
)

type demoCmd struct {
	storeFlag
	cacheFlag
	Dir   string `default:"wellgate-demo" help:"Folder for the demo's keys and data; used again next time."`
	Addr  string `default:"localhost:8080" help:"Address to listen on; this computer only."`
	TLS   bool   `help:"Speak https with a certificate made up on the spot. Browsers warn, and refuse passkeys."`
	Fresh bool   `help:"Throw the demo's folder away and start over."`
	Seed  uint64 `default:"1" help:"Another seed makes other people."`
	Codes bool   `help:"Only print the codes to sign in with right now."`
}

// demoFile marks a demo folder that was filled to the end, and holds how to sign in. The people are made up, so are these.
const demoFile = "demo.json"

type demoState struct {
	Seed    uint64     `json:"seed"`
	Made    time.Time  `json:"made"`
	Signins []demoUser `json:"signins"`
}

type demoUser struct {
	Name     string `json:"name"`
	Story    string `json:"story"`
	Staff    bool   `json:"staff"`
	Role     string `json:"role,omitempty"`
	Login    string `json:"login"`
	Password string `json:"password"`
	Secret   string `json:"totp"`
}

// Run makes the demo's practice if there is none yet, and serves it on this computer.
func (c *demoCmd) Run(ctx context.Context) error {
	start := time.Now()
	if !loopback(c.Addr) {
		return problemf("the demo listens on this computer only; give --addr localhost:PORT")
	}
	budget, err := c.budget()
	if err != nil {
		return err
	}
	if c.Codes {
		st, err := readDemo(c.Dir)
		if err != nil {
			return err
		}
		return printSignins(os.Stdout, st, clock.System())
	}
	l, err := listen(c.Addr) // first of all: a taken port should cost no waiting
	if err != nil {
		return err
	}
	defer l.Close()
	if c.Fresh {
		if cfg, err := readConfig(c.Dir); strings.HasPrefix(cmp.Or(c.Store, cfg.Store), "postgres") && err == nil {
			return problemf("the demo's records lie in a PostgreSQL database: drop that and remove %s, then start without --fresh", c.Dir)
		}
		if err := forget(c.Dir); err != nil {
			return err
		}
	}
	host, port, _ := net.SplitHostPort(l.Addr().String())
	scheme := "http"
	if c.TLS {
		scheme = "https"
	}
	origin := fmt.Sprintf("%s://localhost:%s", scheme, port)
	o := opening{dir: c.Dir, store: c.Store, cache: budget, demo: true, insecure: !c.TLS, origins: []string{origin}}
	h, st, err := c.prepare(ctx, o)
	if err != nil {
		return err
	}
	defer h.Close()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	if os.Getenv("WELLGATE_LOG") != "" {
		log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	hosts := []string{"localhost:" + port, net.JoinHostPort(host, port)}
	bases := map[string]string{}
	for _, name := range hosts {
		bases[name] = scheme + "://" + name + api.Path
	}
	both, err := h.doors(doorway{hosts: hosts, tls: c.TLS, demo: true, log: log}, bases)
	if err != nil {
		return err
	}
	ln := h.hold(l)
	if c.TLS {
		cert, err := madeUp()
		if err != nil {
			return err
		}
		ln = tls.NewListener(ln, inTurn(&tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2", "http/1.1"}}))
	}
	fmt.Printf("\n  %s is open at  %s\n  (ready after %.1f s; folder %s; stop with Ctrl-C)\n", h.config.Name, origin, time.Since(start).Seconds(), c.Dir)
	if err := printSignins(os.Stdout, st, h.clock()); err != nil {
		return err
	}
	go func() { // filling took much more than serving needs; what pools hold goes at the second time only
		debug.FreeOSMemory()
		debug.FreeOSMemory()
	}()
	h.sayWrites(log)
	c.watchKeyboard(ctx, st)
	return serve(ctx, ln, both.server(both), h)
}

// prepare opens a filled folder or fills an empty one. A folder that is neither gets one clear line.
func (c *demoCmd) prepare(ctx context.Context, o opening) (*house, demoState, error) {
	if err := makeDir(c.Dir); err != nil {
		return nil, demoState{}, err
	}
	if _, err := os.Stat(filepath.Join(c.Dir, demoFile)); err == nil {
		st, err := readDemo(c.Dir)
		if err != nil {
			return nil, st, err
		}
		h, err := open(ctx, o)
		return h, st, err
	}
	if left, _ := os.ReadDir(c.Dir); len(left) > 0 {
		return nil, demoState{}, problemf("%s holds a half-made demo, or something else; start over with --fresh or choose another --dir", c.Dir)
	}
	return c.fill(ctx, o)
}

func readDemo(dir string) (demoState, error) {
	var st demoState
	b, err := os.ReadFile(filepath.Join(dir, demoFile))
	if err != nil {
		return st, problemf("%s holds no demo; run `wellgate demo --dir %s` first", dir, dir)
	}
	if err := json.Unmarshal(b, &st); err != nil || len(st.Signins) == 0 {
		return st, problemf("%s is damaged; start over with --fresh", filepath.Join(dir, demoFile))
	}
	return st, nil
}

func writeDemo(dir string, st demoState) error {
	b, err := json.Marshal(st, jsontext.WithIndent("  "))
	if err != nil {
		return err
	}
	return durable.KeepFile(filepath.Join(dir, demoFile), append(b, '\n'))
}

// forget removes a demo's own files, and nothing else: --fresh on the wrong folder must not be a disaster.
func forget(dir string) error {
	ours := []string{demoFile, configFile, storeFile, storeFile + "-wal", storeFile + "-shm", storeFile + ".lock", keyFile, nextFile, socketFile, anchorFile, readsDir, lockName}
	unlock, err := lock(dir)
	if os.IsNotExist(err) {
		return nil
	}
	if _, serr := os.Stat(dir); os.IsNotExist(serr) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unlock()
	left, err := os.ReadDir(dir)
	if err != nil {
		return problemf("cannot read %s: %v", dir, plain(err))
	}
	for _, f := range left {
		known := false
		for _, n := range ours {
			known = known || f.Name() == n
		}
		if !known {
			return problemf("%s also holds %s, which is not a demo's; choose another --dir", dir, f.Name())
		}
	}
	for _, n := range ours {
		if err := emptyReads(dir, n); err != nil {
			return err
		}
		if err := os.Remove(filepath.Join(dir, n)); err != nil && !os.IsNotExist(err) {
			return problemf("cannot remove %s: %v", n, plain(err))
		}
	}
	return nil
}

// emptyReads removes what the audit log made in its folder of reads.
func emptyReads(dir, name string) error {
	if name != readsDir {
		return nil
	}
	for _, pattern := range []string{"seg-*", "spare-*", "*.tmp"} {
		files, err := filepath.Glob(filepath.Join(dir, name, pattern))
		if err != nil {
			return err
		}
		for _, f := range files {
			if err := os.Remove(f); err != nil {
				return problemf("cannot remove %s: %v", f, plain(err))
			}
		}
	}
	return nil
}

func printSignins(w io.Writer, st demoState, now time.Time) error {
	for _, staff := range []bool{false, true} {
		if staff {
			fmt.Fprintf(w, "\n  Staff (they would use a passkey; the demo lets them use this):\n")
		} else {
			fmt.Fprintf(w, "\n  Patients:\n")
		}
		for _, u := range st.Signins {
			if u.Staff != staff {
				continue
			}
			code, err := totp.GenerateCode(u.Secret, now)
			if err != nil {
				return err
			}
			who := u.Name
			if u.Role != "" {
				who += ", " + strings.ReplaceAll(u.Role, "-", " ")
			}
			fmt.Fprintf(w, "    %s: %s\n      %s   password %s   code %s\n", who, u.Story, u.Login, u.Password, code)
		}
	}
	fmt.Fprintf(w, "\n  Codes change every 30 seconds: press Enter here for new ones, or run `wellgate demo --codes`.\n\n")
	return nil
}

// watchKeyboard prints fresh codes on Enter when somebody sits at a terminal.
func (c *demoCmd) watchKeyboard(ctx context.Context, st demoState) {
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return
	}
	go func() {
		in := bufio.NewScanner(os.Stdin)
		for ctx.Err() == nil && in.Scan() {
			if err := printSignins(os.Stdout, st, clock.System()); err != nil {
				return
			}
		}
	}()
}

// madeUp is a certificate for localhost that nobody vouches for.
func madeUp() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return tls.Certificate{}, err
	}
	t := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "Wellgate demo"}, DNSNames: []string{"localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		NotBefore:   time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(0, 1, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
