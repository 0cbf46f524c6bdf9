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

	"github.com/wellgate/wellgate/doors/api"
	"github.com/wellgate/wellgate/internal/durable"
)

type serveCmd struct {
	storeFlag
	cacheFlag
	Dir        string `default:"." help:"The practice's folder, made by init."`
	Addr       string `default:":8443" help:"Address and port to listen on."`
	Cert       string `help:"TLS certificate chain, PEM. Read again when it changes. Needed unless --plain is given."`
	Key        string `help:"Private key of the certificate, PEM."`
	Plain      string `help:"Listen without TLS for a proxy on this computer: 127.0.0.1:PORT, [::1]:PORT or unix:/path. Refused elsewhere."`
	Forwarded  bool   `help:"Believe X-Forwarded-For and -Proto on --plain, because the proxy writes them."`
	Redirect   string `help:"Also listen here, e.g. :80, only to send browsers to https."`
	Passphrase string `name:"passphrase-file" help:"File that holds the passphrase of root.key."`
}

// Run serves until it is told to stop, then lets requests in work finish. It never speaks plain HTTP but to redirect, and
// to a proxy on the same computer.
func (c *serveCmd) Run(ctx context.Context) error {
	pass, err := passphrase(c.Passphrase)
	if err != nil {
		return err
	}
	budget, err := c.budget()
	if err != nil {
		return err
	}
	cfg, err := readConfig(c.Dir)
	if err != nil {
		return err
	}
	if (c.Cert == "") != (c.Key == "") || c.Cert == "" && c.Plain == "" {
		return problemf("give --cert and --key, or --plain for a proxy on this computer")
	}
	origin := "https://" + cfg.Host
	hosts, origins, bases := []string{cfg.Host}, []string{origin}, map[string]string{cfg.Host: origin + api.Path}
	var l, near net.Listener
	if c.Cert != "" {
		cert := &certificate{cert: c.Cert, key: c.Key}
		if _, err := cert.get(nil); err != nil {
			return problemf("cannot use the certificate: %v", err)
		}
		if l, err = listen(c.Addr); err != nil {
			return err
		}
		_, port, _ := net.SplitHostPort(l.Addr().String())
		if port != "443" { // behind a port forward browsers say the bare name; reached directly they say the port too
			hosts, bases[cfg.Host+":"+port] = append(hosts, cfg.Host+":"+port), origin+":"+port+api.Path
		}
		origins = append(origins, origin+":"+port)
	}
	if c.Plain != "" {
		if near, err = listenPlain(c.Plain); err != nil {
			return err
		}
		if here, tcp := near.Addr().(*net.TCPAddr); tcp { // systems on this computer may come without the proxy
			bases[here.String()] = "http://" + here.String() + api.Path
		}
	}
	return c.serve(ctx, opening{dir: c.Dir, store: c.Store, cache: budget, passphrase: pass, origins: origins}, doorway{hosts: hosts, tls: true}, bases, l, near)
}

// serve opens the practice and answers on whatever listeners there are.
func (c *serveCmd) serve(ctx context.Context, o opening, w doorway, bases map[string]string, l, plain net.Listener) error {
	h, err := open(ctx, o)
	if err != nil {
		return err
	}
	defer h.Close()
	w.log = slog.New(slog.NewJSONHandler(os.Stderr, nil))
	both, err := h.doors(w, bases)
	if err != nil {
		return err
	}
	if c.Redirect != "" {
		stop, err := redirect(c.Redirect, o.origins[0])
		if err != nil {
			return err
		}
		defer stop()
	}
	var behind http.Handler = both
	if c.Forwarded {
		behind = forwarded(both)
	}
	h.sayWrites(w.log)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go both.report(ctx, w.log)
	if plain != nil {
		plain = h.hold(plain)
	}
	if l == nil {
		w.log.Info("ready", "plain", plain.Addr().String())
		return serve(ctx, plain, both.server(behind), h)
	}
	if plain != nil {
		defer alsoPlain(ctx, plain, both.server(behind), w.log)()
	}
	w.log.Info("ready", "address", l.Addr().String(), "host", w.hosts[0])
	secure := tls.NewListener(h.hold(l), tlsConfig(&certificate{cert: c.Cert, key: c.Key}))
	return serve(ctx, secure, both.server(both), h)
}

// server is the web door's, with its limits, answering for both.
func (d doors) server(handler http.Handler) *http.Server {
	srv := d.web.Server()
	srv.Handler = handler
	srv.ConnContext, srv.ConnState = durable.ConnContext, d.conns.State
	return srv
}

// tlsConfig is TLS 1.3 only (CRY-12); Go's default key exchange is the hybrid X25519MLKEM768.
func tlsConfig(c *certificate) *tls.Config {
	return inTurn(&tls.Config{MinVersion: tls.VersionTLS13, GetCertificate: c.get, NextProtos: []string{"h2", "http/1.1"}})
}

// serve answers on l until ctx ends, then drains for at most ten seconds. It ends at once when the audit log stops: what is
// held never leaves. Expired sessions, steps and replaced snapshots
// are swept hourly.
func serve(ctx context.Context, l net.Listener, srv *http.Server, h *house) error {
	stop, err := h.control(ctx)
	if err != nil {
		return err
	}
	defer stop()
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-h.charts.Audit().Stopped():
			srv.Close()
			return h.stopped()
		case <-tick.C:
			_, err := h.journal.Sweep(ctx)
			if err := errors.Join(err, h.identity.Sweep(ctx)); err != nil {
				slog.Warn("sweep", "error", err)
			}
		case <-ctx.Done():
			return drain(ctx, srv)
		}
	}
}

// drain lets requests in work finish, for at most ten seconds.
func drain(ctx context.Context, srv *http.Server) error {
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	err := srv.Shutdown(end)
	if errors.Is(err, context.DeadlineExceeded) {
		err = srv.Close()
	}
	return err
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
