package main

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"time"

	"github.com/wellgate/wellgate/internal/durable"
)

// readsDir holds what was read, on SQLite, until it has its place in the audit log: files beside the database, so that a
// page waits neither for the database's one writer nor, in a handler, for the disk.
const readsDir = "reads"

// reads is where the audit log keeps reads first; "" in the database.
func (h *house) reads() string {
	if h.db.Dialect() != "sqlite" {
		return ""
	}
	return filepath.Join(h.dir, readsDir)
}

// hold wraps a listener, below TLS, so that no byte leaves before what it tells of is on disk (internal/durable). Where the
// audit log has no mark, handlers wait.
func (h *house) hold(l net.Listener) net.Listener {
	m := h.charts.Audit().Mark()
	if m == nil {
		return l
	}
	if h.barrier == nil {
		h.barrier = durable.NewBarrier(m)
	}
	return h.barrier.Listen(l)
}

// letOut gives held bytes ten seconds to leave, once nothing new comes.
func (h *house) letOut() error {
	if h.barrier == nil {
		return nil
	}
	end, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := h.barrier.Drain(end); err != nil {
		slog.Warn("answers were cut off at the end", "error", err)
	}
	return h.barrier.Close()
}

// sayWrites warns where the audit log writes slowly.
func (h *house) sayWrites(log *slog.Logger) {
	if w := h.charts.Audit().Writes(); w != "" && w != string(durable.Async) {
		log.Warn("the disk of "+filepath.Join(h.dir, readsDir)+" takes no asynchronous writes: fewer pages a second", "writes", w)
	}
}

// stopped is how the program ends when it can no longer note who reads what.
func (h *house) stopped() error {
	return problemf("the portal stopped: %v", h.charts.Audit().Err())
}
