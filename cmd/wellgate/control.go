package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json"
)

// A running portal is the only one that may open its folder, so commands that change it ask it: over a Unix socket in the
// practice's folder, which only the user who runs the portal can enter. There is no other way to reach it.

// control answers commands until stop.
func (h *house) control(ctx context.Context) (stop func(), err error) {
	path := filepath.Join(h.dir, socketFile)
	os.Remove(path) // we hold the folder's lock: whoever listened here is dead
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, problemf("cannot make %s: %v; the folder's name may be too long for a socket", path, err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /key/rotate", func(w http.ResponseWriter, r *http.Request) {
		var ask rotation
		carry(w, r, &ask, func() (any, error) { return h.rotate(ctx, ask) })
	})
	mux.HandleFunc("POST /erase", func(w http.ResponseWriter, r *http.Request) {
		var ask erasure
		carry(w, r, &ask, func() (any, error) { return struct{}{}, h.erase(ctx, ask) })
	})
	mux.HandleFunc("POST /token/make", func(w http.ResponseWriter, r *http.Request) {
		var ask tokenWish
		carry(w, r, &ask, func() (any, error) { return h.makeToken(ctx, ask) })
	})
	mux.HandleFunc("POST /token/list", func(w http.ResponseWriter, r *http.Request) {
		carry(w, r, &struct{}{}, func() (any, error) { return h.identity.Tokens.List(ctx) })
	})
	mux.HandleFunc("POST /token/revoke", func(w http.ResponseWriter, r *http.Request) {
		var ask tokenEnd
		carry(w, r, &ask, func() (any, error) { return struct{}{}, h.revokeToken(ctx, ask) })
	})
	mux.HandleFunc("POST /health", func(w http.ResponseWriter, r *http.Request) {
		carry(w, r, &struct{}{}, func() (any, error) { return h.alerts(r.Context()), nil })
	})
	mux.HandleFunc("POST /staff/invite", func(w http.ResponseWriter, r *http.Request) {
		var ask staffWish
		carry(w, r, &ask, func() (any, error) { return h.inviteStaff(ctx, ask) })
	})
	mux.HandleFunc("POST /staff/list", func(w http.ResponseWriter, r *http.Request) {
		carry(w, r, &struct{}{}, func() (any, error) { return h.listStaff(ctx) })
	})
	mux.HandleFunc("POST /staff/act", func(w http.ResponseWriter, r *http.Request) {
		var ask staffAct
		carry(w, r, &ask, func() (any, error) { return h.actOnStaff(ctx, ask) })
	})
	mux.HandleFunc("POST /staff/code", func(w http.ResponseWriter, r *http.Request) {
		var ask staffAct
		carry(w, r, &ask, func() (any, error) { return h.newCodeForStaff(ctx, ask) })
	})
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, MaxHeaderBytes: 8 << 10}
	go srv.Serve(l)
	if begun, err := h.vault.Rotating(ctx); err == nil && begun { // a crash stopped it
		h.finishing.Go(func() {
			h.rotating.Lock()
			defer h.rotating.Unlock()
			h.finishRotation(ctx)
		})
	}
	return func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if srv.Shutdown(end) != nil {
			srv.Close()
		}
		h.finishing.Wait()
	}, nil
}

// refusal is a problem on its way to the person at the keyboard.
type refusal struct {
	Problem string `json:"problem"`
}

func carry(w http.ResponseWriter, r *http.Request, ask any, do func() (any, error)) {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
	if err == nil {
		err = json.Unmarshal(b, ask, json.RejectUnknownMembers(true))
	}
	var out any
	if err == nil {
		out, err = do()
	}
	if err != nil {
		w.WriteHeader(http.StatusConflict)
		out = refusal{err.Error()}
	}
	json.MarshalWrite(w, out)
}

// sender posts a question to the portal that runs over a folder.
func sender(ctx context.Context, dir, path string, ask any) (send func() (*http.Response, error), closeIdle func(), err error) {
	body, err := json.Marshal(ask)
	if err != nil {
		return nil, nil, err
	}
	socket := filepath.Join(dir, socketFile)
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}}
	return func() (*http.Response, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://control"+path, bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		return client.Do(req)
	}, client.CloseIdleConnections, nil
}

// askRunning asks the portal that runs over dir; it fails if none does.
func askRunning(ctx context.Context, dir, path string, ask, out any) error {
	send, closeIdle, err := sender(ctx, dir, path, ask)
	if err != nil {
		return err
	}
	defer closeIdle()
	res, err := send()
	if err != nil {
		return err
	}
	defer res.Body.Close()
	return outcome(res, out)
}

// operate asks the portal that runs over o's folder; if none does, it opens the practice and answers itself.
func operate(ctx context.Context, o opening, passphraseFile, path string, ask, out any) error {
	send, closeIdle, err := sender(ctx, o.dir, path, ask)
	if err != nil {
		return err
	}
	defer closeIdle()
	res, err := send()
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" {
		if o.passphrase, err = passphrase(passphraseFile); err != nil {
			return err
		}
		h, err := open(ctx, o)
		if err != nil {
			return err
		}
		defer h.Close()
		stop, err := h.control(ctx)
		if err != nil {
			return err
		}
		defer stop()
		if res, err = send(); err != nil {
			return err
		}
		defer res.Body.Close()
		return outcome(res, out)
	}
	if err != nil {
		return err
	}
	defer res.Body.Close()
	return outcome(res, out)
}

func outcome(res *http.Response, out any) error {
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return err
	}
	if res.StatusCode == http.StatusOK {
		return json.Unmarshal(b, out)
	}
	var r refusal
	if json.Unmarshal(b, &r) != nil {
		return problemf("the portal answered %s", res.Status)
	}
	return problemf("%s", r.Problem)
}
