package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/wellgate/wellgate/care"
	"github.com/wellgate/wellgate/doors/web"
	"github.com/wellgate/wellgate/internal/admit"
	"github.com/wellgate/wellgate/internal/clock"
	"github.com/wellgate/wellgate/internal/durable"
	"github.com/wellgate/wellgate/site"
	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/trust/audit"
	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/identity"
	"github.com/wellgate/wellgate/trust/journal"
	"github.com/wellgate/wellgate/trust/vault"
)

// A house is one practice, open: the store, the keys, the charts and the accounts. Close it.
type house struct {
	dir      string
	config   config
	rooms    []care.Room
	unlock   func()
	db       *store.DB
	vault    *vault.Vault
	journal  *journal.Journal
	charts   *chart.House
	identity *identity.Identity
	clock    clock.Clock
	barrier  *durable.Barrier // nil before hold

	rotating  sync.Mutex     // held by a rotation of the keys
	finishing sync.WaitGroup // of a rotation that a crash stopped
	watching  sync.WaitGroup
	stopWatch func()
}

// opening is how a house is opened.
type opening struct {
	dir        string
	store      string // instead of practice.json's
	cache      int64  // bytes of opened records; 0 for the least a command needs
	passphrase []byte
	origins    []string // where browsers come from: "https://portal.example"
	demo       bool     // staff may use password and code; cookies for http://localhost
	insecure   bool
	clock      clock.Clock
	alarm      func(record string, err error) // told of damaged records besides the log; nil for nobody
	root       vault.Root                     // instead of the folder's key file, and watched; nil for none
}

// openStore takes the folder for this process and opens store, keys and journal: enough to verify. On a SQLite file one
// process is the authority; on PostgreSQL several may work, each from a folder of its own.
func openStore(ctx context.Context, o opening) (_ *house, err error) {
	h := &house{dir: o.dir, clock: o.clock, rooms: rooms()}
	if h.clock == nil {
		h.clock = clock.System
	}
	if h.config, err = readConfig(o.dir); err != nil {
		return nil, err
	}
	if h.unlock, err = lock(o.dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			h.Close()
		}
	}()
	if err := h.openVault(ctx, o); err != nil {
		return nil, err
	}
	h.journal, err = journal.Open(ctx, h.db, h.vault, journal.WithClock(h.clock))
	return h, err
}

// open opens everything: the charts, which refuse a history that was changed, and the accounts.
func open(ctx context.Context, o opening) (_ *house, err error) {
	h, err := openStore(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			h.Close()
		}
	}()
	if len(o.origins) == 0 { // a command that serves nobody
		o.origins = []string{"https://" + h.config.Host}
	}
	err = h.openCharts(ctx, o.cache, o.alarm)
	if errors.Is(err, audit.ErrTampered) {
		return nil, problemf("%v", err)
	}
	if err != nil {
		return nil, err
	}
	h.identity, err = identity.Open(ctx, identity.Options{
		DB: h.db, Vault: h.vault, Clock: h.clock, Practice: h.config.Name, RPID: h.config.Host, Origins: o.origins,
		Event: h.charts.Event, Newest: h.charts.Newest, StaffPasswordInDemo: o.demo, InsecureLocalhost: o.insecure,
	})
	if err != nil {
		return nil, err
	}
	watch, stop := context.WithCancel(context.WithoutCancel(ctx))
	h.stopWatch = stop
	if o.root != nil {
		h.watching.Go(func() { h.vault.Watch(watch, watchEvery) })
	}
	if h.db.Dialect() == "postgres" {
		h.watching.Go(func() { h.follow(watch) })
	}
	return h, nil
}

// follow learns each second what other nodes did: which keys they made, and which records they erased.
func (h *house) follow(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := errors.Join(h.vault.Refresh(ctx), h.journal.Refresh(ctx)); err != nil && ctx.Err() == nil {
			slog.Warn("follow", "error", err)
		}
	}
}

// openCharts opens the charts with the rooms' rules.
func (h *house) openCharts(ctx context.Context, cache int64, alarm func(string, error)) error {
	set, err := rules(h.rooms)
	if err != nil {
		return err
	}
	h.charts, err = chart.New(ctx, chart.Config{
		DB: h.db, Vault: h.vault, Journal: h.journal, Policy: set, Guards: guards(h.rooms),
		Origin: h.config.Log, Anchor: filepath.Join(h.dir, anchorFile), Reads: h.reads(), Clock: h.clock, Cache: cache,
		Alarm: func(record string, err error) {
			slog.Error("damaged", "record", record, "error", err)
			if alarm != nil {
				alarm(record, err)
			}
		},
		Witnesses: h.config.Witnesses, WitnessEvery: time.Duration(h.config.WitnessSeconds) * time.Second,
		Fork: func(what string) { slog.Error("audit log", "witness", what) },
	})
	return err
}

// watchEvery is how often a root that can go away is asked: a missing answer shuts the records within a second, and a new
// one opens them within two (REL-12).
const watchEvery = 400 * time.Millisecond

func (h *house) openVault(ctx context.Context, o opening) (err error) {
	address, err := h.config.storeURL(o.dir, o.store)
	if err != nil {
		return err
	}
	if h.db, err = store.Open(ctx, address); err != nil {
		return err
	}
	if half, err := h.db.Unfinished(ctx); err != nil || half {
		return errors.Join(err, problemf("the store holds a copy that was not finished; run `wellgate store copy` again, or name the store it came from with --store"))
	}
	if o.root != nil {
		h.vault, err = vault.Open(ctx, h.db, o.root)
		return err
	}
	path := filepath.Join(o.dir, keyFile)
	root, err := vault.OpenRoot(path, o.passphrase)
	if err == nil {
		h.vault, err = vault.Open(ctx, h.db, root)
	}
	if errors.Is(err, vault.ErrRoot) {
		if next := h.begunRotation(ctx, o); next != nil {
			h.vault, err = next, nil
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return problemf("the key %s is missing; without it nothing can be read. Put it back from where you keep it safe", path)
	case errors.Is(err, vault.ErrRoot):
		return problemf("%v", err)
	}
	return err
}

// storeFlag is shared by the commands that open a practice.
type storeFlag struct {
	Store string `help:"Database instead of practice.json's: postgres://user@host/name (no password in it), or sqlite for the file in the folder."`
}

// Close signs the last checkpoint and gives the folder free.
func (h *house) Close() error {
	var errs []error
	if h.stopWatch != nil {
		h.stopWatch()
		h.watching.Wait()
	}
	errs = append(errs, h.letOut())
	if h.charts != nil {
		errs = append(errs, h.charts.Close())
	}
	if h.db != nil {
		errs = append(errs, h.db.Close())
	}
	if h.unlock != nil {
		h.unlock()
	}
	return errors.Join(errs...)
}

// doorway is what the web door needs beyond the house.
type doorway struct {
	hosts []string
	tls   bool
	demo  bool
	log   *slog.Logger
	gate  *admit.Gate // of all doors
}

// newGate is the admission of all doors of this process.
func (h *house) newGate() *admit.Gate {
	return admit.New(admit.Config{Cores: runtime.GOMAXPROCS(0), Clock: h.clock, Delay: admit.Delay()})
}

// door builds the web door over the house: every room's pages, the sign-in pages, one catalogue of words.
func (h *house) door(w doorway) (*web.Door, error) {
	files := web.Words()
	for _, r := range h.rooms {
		files = append(files, r.Files)
	}
	words, err := site.NewCatalogue(files...)
	if err != nil {
		return nil, fmt.Errorf("words: %w", err)
	}
	exit := h.config.Exit
	if exit == "" {
		exit = "https://www.wikipedia.org/"
	}
	if w.gate == nil {
		w.gate = h.newGate()
	}
	return web.New(web.Config{
		House: h.charts, Identity: h.identity, Rooms: h.rooms, Words: words, Practice: h.config.practice(),
		Hosts: w.hosts, Exit: exit, Secret: h.vault.Secret("forms"), Clock: h.clock, Log: w.log, Gate: w.gate, Demo: w.demo, TLS: w.tls,
	})
}

// passphrase reads the key's passphrase from a file, if one is named. It is never an argument: arguments are seen by others.
func passphrase(file string) ([]byte, error) {
	if file == "" {
		return nil, nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, problemf("cannot read the passphrase file: %v", plain(err))
	}
	return []byte(strings.TrimRight(string(b), "\r\n")), nil
}
