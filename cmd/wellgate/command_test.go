package main

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/store/storetest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"wellgate": func() { os.Exit(run(os.Args[1:])) }})
}

// The subcommands, as somebody at a terminal sees them: testdata/script/*.txtar are transcripts of the real program.
func TestCommands(t *testing.T) {
	if os.Getenv("CI") != "" {
		storetest.Cluster(t) // fails if there is none
	}
	commands := storeCommands(t)
	maps.Copy(commands, map[string]func(*testscript.TestScript, bool, []string){
		"terminate": scriptTerminate, "freeport": scriptFreePort, "await": scriptAwait, "occupy": scriptOccupy, "gzip": scriptGzip, "zip": scriptZip,
		"bomb": scriptBomb,
		"flip": scriptFlip, "vkey": scriptVKey, "tamper": scriptTamper, "receipt": scriptReceipt, "certificate": scriptCertificate,
	})
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Condition: func(name string) (bool, error) {
			if name != "postgres" {
				return false, fmt.Errorf("no condition %q", name)
			}
			return os.Getenv(storetest.Env) != "", nil
		},
		Deadline: time.Now().Add(3 * time.Minute), // a demo that starts though it should not would serve for ever
		Cmds:     commands,
	})
}

// freeport NAME: sets $NAME to localhost and a port that nobody uses.
func scriptFreePort(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "localhost:0")
	ts.Check(err)
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	ts.Check(err)
	ts.Setenv(args[0], "localhost:"+port)
}

// await URL: waits until somebody answers there; to listen comes first, to answer needs a practice.
func scriptAwait(ts *testscript.TestScript, _ bool, args []string) {
	c := http.Client{Timeout: time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer c.CloseIdleConnections()
	for range 6000 {
		if res, err := c.Get(args[0] + "/healthz"); err == nil {
			res.Body.Close()
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	ts.Fatalf("nobody answers at %s", args[0])
}

// terminate: tells what runs in the background to end, as a service manager does.
func scriptTerminate(ts *testscript.TestScript, _ bool, _ []string) {
	for _, c := range ts.BackgroundCmds() {
		ts.Check(c.Process.Signal(syscall.SIGTERM))
	}
}

// occupy NAME: listens on a port until the script ends, and sets $NAME to it.
func scriptOccupy(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "localhost:0")
	ts.Check(err)
	ts.Defer(func() { l.Close() })
	_, port, err := net.SplitHostPort(l.Addr().String())
	ts.Check(err)
	ts.Setenv(args[0], "localhost:"+port)
}

// gzip FROM TO
func scriptGzip(ts *testscript.TestScript, _ bool, args []string) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	ts.Check(w.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b.Bytes(), 0o600))
}

// zip TO FILE...
func scriptZip(ts *testscript.TestScript, _ bool, args []string) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range args[1:] {
		w, err := z.Create("../" + name) // a name that must not be used as a path
		ts.Check(err)
		_, err = w.Write([]byte(ts.ReadFile(name)))
		ts.Check(err)
	}
	ts.Check(z.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b.Bytes(), 0o600))
}

// bomb TO: a small file that unfolds to a large one.
func scriptBomb(ts *testscript.TestScript, _ bool, args []string) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	ts.Check(err)
	for range 64 {
		_, err := w.Write(bytes.Repeat([]byte(" "), 1<<20))
		ts.Check(err)
	}
	ts.Check(w.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b.Bytes(), 0o600))
}

// flip FILE TEXT: changes one byte, the last one before the first TEXT; without TEXT the one in the middle.
func scriptFlip(ts *testscript.TestScript, _ bool, args []string) {
	b := []byte(ts.ReadFile(args[0]))
	at := len(b) / 2
	if len(args) > 1 {
		at = bytes.Index(b, []byte(args[1])) - 1
	}
	if at < 0 {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	b[at] ^= 1
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o600))
}

// tamper DATABASE: changes one bit of the first audit entry.
func scriptTamper(ts *testscript.TestScript, _ bool, args []string) {
	ctx := context.Background()
	db, err := store.Open(ctx, "sqlite:"+ts.MkAbs(args[0]))
	ts.Check(err)
	defer db.Close()
	ts.Check(db.Write(ctx, func(tx *store.Tx) error {
		var b []byte
		if err := tx.QueryRow(ctx, "SELECT data FROM audit_block WHERE first = 0").Scan(&b); err != nil {
			return err
		}
		b[len(b)-1] ^= 1
		_, err := tx.Exec(ctx, "UPDATE audit_block SET data = $1 WHERE first = 0", b)
		return err
	}))
}

var keyLine = regexp.MustCompile(`(?m)^key +(\S+)$`)

// vkey NAME: sets $NAME to the log's public key from what `audit verify` just printed.
func scriptVKey(ts *testscript.TestScript, _ bool, args []string) {
	m := keyLine.FindStringSubmatch(ts.ReadFile("stdout"))
	if m == nil {
		ts.Fatalf("no key was printed")
	}
	ts.Setenv(args[0], m[1])
}

// receipt FOLDER PATIENT FILE: saves a patient's newest receipt, as the page "who looked" hands it out.
func scriptReceipt(ts *testscript.TestScript, _ bool, args []string) {
	ctx := context.Background()
	h, err := open(ctx, opening{dir: ts.MkAbs(args[0])})
	ts.Check(err)
	defer h.Close()
	num, ok, err := h.charts.PatientChart(ctx, args[1])
	ts.Check(err)
	if !ok {
		ts.Fatalf("no patient %s", args[1])
	}
	newest, err := h.charts.Audit().Of(ctx, num, 1<<62, 1)
	ts.Check(err)
	b, err := h.charts.Audit().Receipt(ctx, num, newest[0].Index)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), b, 0o600))
}

// certificate CHAIN KEY: makes a certificate for localhost.
func scriptCertificate(ts *testscript.TestScript, _ bool, args []string) {
	c, err := madeUp()
	ts.Check(err)
	key, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600))
}
