package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/wellgate/wellgate/internal/admit"
	"github.com/wellgate/wellgate/internal/clock"
	"github.com/wellgate/wellgate/internal/durable"
	"github.com/wellgate/wellgate/trust/audit/witness"
)

type witnessCmd struct {
	Dir   string `required:"" help:"Folder for the witness's key and memory; made if it is missing. Never copy it back: a witness that forgot is none."`
	Name  string `required:"" help:"Name in its signatures, e.g. witness.example/w1. Never changed."`
	Logs  string `help:"File with the public keys of the logs to sign for, one a line, as audit verify prints them. Without it only the witness's key is shown."`
	Addr  string `default:":8444" help:"Address and port to listen on."`
	Cert  string `help:"TLS certificate chain, PEM. Read again when it changes. Without it only an address of this computer is taken."`
	Key   string `help:"Private key of the certificate, PEM."`
	Plain string `help:"Listen without TLS on this computer: 127.0.0.1:PORT, [::1]:PORT or unix:/path. Refused elsewhere."`
}

const (
	witnessKey  = "witness.key"
	witnessBusy = 64 // connections at once
)

// Run answers logs until it is told to stop. It belongs on a computer that the practice's keeper cannot change.
func (c *witnessCmd) Run(ctx context.Context) error {
	if err := makeDir(c.Dir); err != nil {
		return err
	}
	unlock, err := lock(c.Dir)
	if err != nil {
		return err
	}
	defer unlock()
	s, err := c.server()
	if err != nil {
		return problemf("%v", err)
	}
	fmt.Println("key", s.Key())
	if c.Logs == "" {
		return nil
	}
	l, err := c.listen()
	if err != nil {
		return err
	}
	srv := &http.Server{
		Handler: s, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 8 << 10, ConnState: admit.NewConns(witnessBusy).State,
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	slog.Info("ready", "address", l.Addr().String())
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return drain(ctx, srv)
	}
}

func (c *witnessCmd) server() (*witness.Server, error) {
	seed, err := c.seed()
	if err != nil {
		return nil, err
	}
	var logs []string
	if c.Logs != "" {
		b, err := os.ReadFile(c.Logs)
		if err != nil {
			return nil, fmt.Errorf("cannot read the logs' keys: %w", err)
		}
		for line := range strings.Lines(string(b)) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				logs = append(logs, line)
			}
		}
	}
	return witness.NewServer(witness.Config{
		Name: c.Name, Seed: seed, Dir: c.Dir, Logs: logs, Clock: clock.System,
		Note: func(origin, what string) { slog.Warn("witness", "log", origin, "what", what) },
	})
}

// seed is the witness's secret, made on the first start.
func (c *witnessCmd) seed() ([]byte, error) {
	path := filepath.Join(c.Dir, witnessKey)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		seed := make([]byte, 32)
		rand.Read(seed)
		return seed, durable.KeepFile(path, []byte(base64.StdEncoding.EncodeToString(seed)+"\n"))
	}
	if err != nil {
		return nil, err
	}
	seed, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(b)))
	if err != nil {
		return nil, fmt.Errorf("%s is damaged; put it back from where you keep it safe", path)
	}
	return seed, nil
}

func (c *witnessCmd) listen() (net.Listener, error) {
	switch {
	case (c.Cert == "") != (c.Key == "") || (c.Cert == "") == (c.Plain == ""):
		return nil, problemf("give --cert and --key, or --plain on this computer")
	case c.Plain != "":
		return listenPlain(c.Plain)
	}
	cert := &certificate{cert: c.Cert, key: c.Key}
	if _, err := cert.get(nil); err != nil {
		return nil, problemf("cannot use the certificate: %v", err)
	}
	l, err := listen(c.Addr)
	if err != nil {
		return nil, err
	}
	return tls.NewListener(l, tlsConfig(cert)), nil
}
