package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/wellgate/wellgate/doors/web"
)

type serveCmd struct {
	Dir        string `default:"." help:"The practice's folder, made by init."`
	Addr       string `default:":8443" help:"Address and port to listen on."`
	Cert       string `required:"" help:"TLS certificate chain, PEM. Read again when it changes."`
	Key        string `required:"" help:"Private key of the certificate, PEM."`
	Redirect   string `help:"Also listen here, e.g. :80, only to send browsers to https."`
	Passphrase string `name:"passphrase-file" help:"File that holds the passphrase of root.key."`
}

// Run serves until it is told to stop, then lets requests in work finish. It never speaks plain HTTP but to redirect.
func (c *serveCmd) Run(ctx context.Context) error {
	pass, err := passphrase(c.Passphrase)
	if err != nil {
		return err
	}
	cfg, err := readConfig(c.Dir)
	if err != nil {
		return err
	}
	cert := &certificate{cert: c.Cert, key: c.Key}
	if _, err := cert.get(nil); err != nil {
		return problemf("cannot use the certificate: %v", err)
	}
	l, err := listen(c.Addr)
	if err != nil {
		return err
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	origin, hosts := "https://"+cfg.Host, []string{cfg.Host}
	if port != "443" { // behind a port forward browsers say the bare name; reached directly they say the port too
		hosts = append(hosts, cfg.Host+":"+port)
	}
	h, err := open(ctx, opening{dir: c.Dir, passphrase: pass, origins: []string{origin, origin + ":" + port}})
	if err != nil {
		return err
	}
	defer h.Close()
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	door, err := h.door(doorway{hosts: hosts, tls: true, log: log})
	if err != nil {
		return err
	}
	if c.Redirect != "" {
		stop, err := redirect(c.Redirect, origin)
		if err != nil {
			return err
		}
		defer stop()
	}
	log.Info("ready", "address", l.Addr().String(), "host", cfg.Host)
	return serve(ctx, tls.NewListener(l, tlsConfig(cert)), door, h)
}

// tlsConfig is TLS 1.3 only (CRY-12); Go's default key exchange is the hybrid X25519MLKEM768.
func tlsConfig(c *certificate) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS13, GetCertificate: c.get, NextProtos: []string{"h2", "http/1.1"}}
}

// serve answers on l until ctx ends, then drains for at most ten seconds. Expired sessions, steps and replaced snapshots
// are swept hourly.
func serve(ctx context.Context, l net.Listener, door *web.Door, h *house) error {
	stop, err := h.control(ctx)
	if err != nil {
		return err
	}
	defer stop()
	srv := door.Server()
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-tick.C:
			_, err := h.journal.Sweep(ctx)
			if err := errors.Join(err, h.identity.Sweep(ctx)); err != nil {
				slog.Warn("sweep", "error", err)
			}
		case <-ctx.Done():
			drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
			defer cancel()
			err := srv.Shutdown(drain)
			if errors.Is(err, context.DeadlineExceeded) {
				err = srv.Close()
			}
			return err
		}
	}
}

// redirect answers plain HTTP with one thing: where the portal is. It reads no path into the answer's body and no host.
func redirect(addr, origin string) (stop func(), err error) {
	l, err := listen(addr)
	if err != nil {
		return nil, err
	}
	srv := &http.Server{
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second, MaxHeaderBytes: 8 << 10,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet && r.Method != http.MethodHead {
				http.Error(w, "https only", http.StatusForbidden)
				return
			}
			path := r.URL.EscapedPath()
			if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
				path = "/"
			}
			http.Redirect(w, r, origin+path, http.StatusPermanentRedirect)
		}),
	}
	go srv.Serve(l)
	return func() { srv.Close() }, nil
}

// A certificate is read from files, and again when they change, so that renewal needs no restart.
type certificate struct {
	cert, key string
	mu        sync.Mutex
	loaded    *tls.Certificate
	stamp     time.Time
	looked    time.Time
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.loaded != nil && time.Since(c.looked) < time.Minute {
		return c.loaded, nil
	}
	c.looked = time.Now()
	info, err := os.Stat(c.cert)
	if err == nil && c.loaded != nil && info.ModTime().Equal(c.stamp) {
		return c.loaded, nil
	}
	pair, lerr := tls.LoadX509KeyPair(c.cert, c.key)
	if err == nil {
		err = lerr
	}
	if err != nil {
		if c.loaded != nil { // half-written renewals happen; the old one still serves
			return c.loaded, nil
		}
		return nil, fmt.Errorf("read %s and %s: %w", c.cert, c.key, err)
	}
	c.loaded, c.stamp = &pair, info.ModTime()
	return c.loaded, nil
}
