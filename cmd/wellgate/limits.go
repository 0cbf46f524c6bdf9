package main

import (
	"context"
	"crypto/tls"
	"log/slog"
	"runtime"
	"syscall"
	"time"

	"github.com/wellgate/wellgate/internal/admit"
)

const (
	mostConns = 8192 // connections at once, if there are files enough for them
	ownFiles  = 256  // for the store, logs and what else is open
	fewFiles  = 2048
)

// newConns bounds connections by what this process may open. Go has raised the soft limit to the hard one already.
func newConns(log *slog.Logger) *admit.Conns {
	most := mostConns
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err == nil {
		if files.Cur < fewFiles {
			log.Warn("few files may be open, so few connections: raise LimitNOFILE (ulimit -n) to 16384", "limit", files.Cur)
		}
		most = max(64, min(most, int(min(files.Cur, 1<<20))-ownFiles))
	}
	return admit.NewConns(most)
}

// inTurn makes handshakes take turns: many who come at once must not keep out those who are here.
func inTurn(c *tls.Config) *tls.Config {
	turns := admit.NewHandshakes(runtime.GOMAXPROCS(0))
	c.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) { return nil, turns.Enter(hello.Context()) }
	return c
}

// report says every ten seconds what was turned away meanwhile, if anything was.
func (d doors) report(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	var before admit.Stats
	for closed := int64(0); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := d.gate.Stats()
		var more []any
		for _, c := range admit.Classes() {
			if n := now.Shed[c] - before.Shed[c]; n > 0 {
				more = append(more, c.String(), n)
			}
		}
		if n := d.conns.Closed(); n > closed {
			more = append(more, "connections", n-closed)
			closed = n
		}
		if len(more) > 0 {
			log.Warn("turned away", append(more, "places", now.Limit, "inWork", now.InWork)...)
		}
		before = now
	}
}
