// Package vaulttest is a key agent to test against: a root key behind a Unix socket that can be slow, gone, another one,
// or withdrawn, as a KMS or a hardware module can.
package vaulttest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/wellgate/wellgate/trust/vault"
)

// An Agent answers for a root key, over a socket, as it is told.
type Agent struct {
	Socket string

	mu      sync.Mutex
	root    vault.Root
	delay   time.Duration
	revoked bool
	l       net.Listener
	conns   map[net.Conn]bool
	work    sync.WaitGroup
}

type question struct {
	Op, Key, AAD []byte
}

type reply struct {
	Out     []byte
	Err     string
	Revoked bool
}

// Start runs an agent for root until the test ends.
func Start(t testing.TB, root vault.Root) *Agent {
	t.Helper()
	a := &Agent{Socket: filepath.Join(t.TempDir(), "agent"), root: root, conns: map[net.Conn]bool{}}
	a.Plug(t)
	t.Cleanup(a.Unplug)
	return a
}

// Plug listens.
func (a *Agent) Plug(t testing.TB) {
	t.Helper()
	l, err := net.Listen("unix", a.Socket)
	if err != nil {
		t.Fatal(err)
	}
	a.mu.Lock()
	a.l = l
	a.mu.Unlock()
	a.work.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			a.mu.Lock()
			a.conns[c] = true
			a.mu.Unlock()
			a.work.Go(func() { a.answer(c) })
		}
	})
}

// Unplug takes the agent away in the middle of whatever it does.
func (a *Agent) Unplug() {
	a.mu.Lock()
	a.l.Close()
	for c := range a.conns {
		c.Close()
	}
	a.mu.Unlock()
	a.work.Wait()
}

// Become changes the key, how long an answer takes, and whether the key is withdrawn.
func (a *Agent) Become(root vault.Root, delay time.Duration, revoked bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.root, a.delay, a.revoked = root, delay, revoked
}

func (a *Agent) answer(c net.Conn) {
	defer func() {
		c.Close()
		a.mu.Lock()
		delete(a.conns, c)
		a.mu.Unlock()
	}()
	var q question
	if json.NewDecoder(c).Decode(&q) != nil {
		return
	}
	a.mu.Lock()
	root, delay, revoked := a.root, a.delay, a.revoked
	a.mu.Unlock()
	if delay > 0 {
		c.SetReadDeadline(time.Now().Add(delay))
		c.Read(make([]byte, 1)) // until the time is over, or whoever asked has gone
	}
	var r reply
	var err error
	switch {
	case revoked:
		err, r.Revoked = errors.New("withdrawn"), true
	case string(q.Op) == "wrap":
		r.Out, err = root.Wrap(context.Background(), q.Key, q.AAD)
	default:
		r.Out, err = root.Unwrap(context.Background(), q.Key, q.AAD)
	}
	if err != nil {
		r.Err = err.Error()
	}
	json.NewEncoder(c).Encode(r)
}

// Root is the agent's key as a vault uses it.
func (a *Agent) Root() vault.Root { return client{a.Socket} }

type client struct{ socket string }

func (c client) ID() string { return "agent" }

func (c client) Wrap(ctx context.Context, key, aad []byte) ([]byte, error) {
	return c.call(ctx, "wrap", key, aad)
}

func (c client) Unwrap(ctx context.Context, wrapped, aad []byte) ([]byte, error) {
	return c.call(ctx, "unwrap", wrapped, aad)
}

func (c client) call(ctx context.Context, op string, key, aad []byte) ([]byte, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", c.socket)
	if err != nil {
		return nil, fmt.Errorf("key agent: %w", err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if err := json.NewEncoder(conn).Encode(question{[]byte(op), key, aad}); err != nil {
		return nil, fmt.Errorf("key agent: %w", err)
	}
	var r reply
	if err := json.NewDecoder(conn).Decode(&r); err != nil {
		return nil, fmt.Errorf("key agent: %w", err)
	}
	switch {
	case r.Revoked:
		return nil, fmt.Errorf("key agent: %w", vault.ErrRevoked)
	case r.Err != "":
		return nil, fmt.Errorf("key agent: %s", r.Err)
	}
	return r.Out, nil
}
