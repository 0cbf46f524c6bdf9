package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"

	"github.com/wellgate/wellgate/doors/api"
	"github.com/wellgate/wellgate/doors/web"
	"github.com/wellgate/wellgate/internal/admit"
)

// doors answers browsers and systems on one listener: /fhir is the systems'.
type doors struct {
	web  *web.Door
	api  *api.Door
	gate *admit.Gate

	conns *admit.Conns
}

func (d doors) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if api.Serves(r.URL.Path) {
		d.api.ServeHTTP(w, r)
		return
	}
	d.web.ServeHTTP(w, r)
}

// doors builds both doors. bases says, for each Host header, where the links in FHIR answers lead.
func (h *house) doors(w doorway, bases map[string]string) (doors, error) {
	var d doors
	var err error
	w.gate = h.newGate()
	d.gate, d.conns = w.gate, newConns(w.log)
	if d.web, err = h.door(w); err != nil {
		return d, err
	}
	d.api, err = api.New(api.Config{
		House: h.charts, Tokens: h.identity.Tokens, Bases: bases, Secret: h.vault.Secret("fhir-pages"), Clock: h.clock, Log: w.log, Gate: w.gate, TLS: w.tls && !w.demo,
	})
	return d, err
}

// listenPlain takes an address that only this computer reaches: a literal loopback address with its port, or unix:/path.
// Everything else is refused, names too: what they mean is decided elsewhere.
func listenPlain(addr string) (net.Listener, error) {
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSocket != 0 {
			if c, err := net.Dial("unix", path); err == nil {
				c.Close()
				return nil, problemf("somebody listens on %s already", path)
			}
			os.Remove(path) // left behind by a portal that died
		}
		l, err := net.Listen("unix", path)
		if err != nil {
			return nil, problemf("cannot listen on %s: %v", path, err)
		}
		if err := os.Chmod(path, 0o660); err != nil { // the proxy's user, by the folder's group
			l.Close()
			return nil, problemf("cannot protect %s: %v", path, plain(err))
		}
		return l, nil
	}
	at, err := netip.ParseAddrPort(addr)
	if err != nil || !at.Addr().Unmap().IsLoopback() || at.Addr().Zone() != "" {
		return nil, problemf("--plain speaks without TLS, so only to this computer: give 127.0.0.1:PORT, [::1]:PORT or unix:/path")
	}
	return listen(addr)
}

// forwarded believes a proxy on this computer about who asks: the last address in X-Forwarded-For, which the proxy itself
// wrote, and that the browser came by https. Any other peer's word counts for nothing.
func forwarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if proto := r.Header.Get("X-Forwarded-Proto"); proto != "" && proto != "https" {
			http.Error(w, "https only", http.StatusForbidden)
			return
		}
		if lines := r.Header["X-Forwarded-For"]; len(lines) > 0 {
			all := strings.Split(lines[len(lines)-1], ",")
			if ip, err := netip.ParseAddr(strings.TrimSpace(all[len(all)-1])); err == nil {
				r.RemoteAddr = netip.AddrPortFrom(ip, 0).String()
			}
		}
		next.ServeHTTP(w, r)
	})
}

// alsoPlain serves the same doors without TLS until stop.
func alsoPlain(ctx context.Context, l net.Listener, srv *http.Server, log *slog.Logger) (stop func()) {
	go func() {
		if err := srv.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
			log.Error("plain listener", "error", err)
		}
	}()
	return func() { drain(ctx, srv) }
}
