//go:build linux

// Package fresh tries to read old data: two processes serve one PostgreSQL database, each writes records and reads those
// that the other writes. What was committed stands in memory that both share, so each read that began after it must show
// it, or something newer.
//
//	make fresh READS=200000 SEED=1
package fresh

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"unsafe"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/internal/clock"
	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/store/storetest"
	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/identity"
	"github.com/wellgate/wellgate/trust/journal"
	"github.com/wellgate/wellgate/trust/policy"
	"github.com/wellgate/wellgate/trust/vault"
)

const (
	records = 8
	writers = 2 // of each process
	readers = 16
	childOf = "WELLGATE_FRESH_CHILD" // folder of the run
)

// A run is what both processes know.
type run struct {
	dir, url string
	seed     uint64
	reads    int // of each process
}

// shared is the newest committed version of each record, by both processes.
type shared struct {
	version [records]atomic.Int64
	written atomic.Int64
	read    atomic.Int64
	over    atomic.Int64 // processes whose readers are done
}

func TestMain(m *testing.M) {
	dir := os.Getenv(childOf)
	if dir == "" {
		os.Exit(m.Run())
	}
	b, err := os.ReadFile(filepath.Join(dir, "run"))
	if err == nil {
		var r run
		f := strings.Split(string(b), "\n")
		r.dir, r.url = dir, f[0]
		r.seed, _ = strconv.ParseUint(f[1], 10, 64)
		r.reads, _ = strconv.Atoi(f[2])
		err = r.node(context.Background(), 1)
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}

func number(env string, usual int) int {
	if n, err := strconv.Atoi(os.Getenv(env)); err == nil {
		return n
	}
	return usual
}

func TestNoStaleRead(t *testing.T) {
	ctx := t.Context()
	r := run{dir: t.TempDir(), url: storetest.Postgres(t), seed: uint64(number("FRESH_SEED", 1)), reads: number("FRESH_READS", 4000) / 2}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("seed %d: %v", r.seed, err)
		}
	}
	_, err := vault.CreateRoot(filepath.Join(r.dir, "root.key"), nil)
	must(err)
	must(os.WriteFile(filepath.Join(r.dir, "run"), fmt.Appendf(nil, "%s\n%d\n%d", r.url, r.seed, r.reads), 0o600))
	must(os.WriteFile(filepath.Join(r.dir, "shared"), make([]byte, 4096), 0o600))
	must(r.fill(ctx))
	s, err := r.share()
	must(err)
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), childOf+"="+r.dir)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	must(cmd.Start())
	err = r.node(ctx, 0)
	if err != nil {
		s.over.Add(2) // the other need not go on
	}
	if cerr := cmd.Wait(); cerr != nil {
		err = errors.Join(err, fmt.Errorf("the other process: %w: %s", cerr, out.String()))
	}
	must(err)
	t.Logf("seed %d: %d reads on two processes, %d writes, 0 stale", r.seed, s.read.Load(), s.written.Load())
}

// share maps the memory of both processes.
func (r *run) share() (*shared, error) {
	f, err := os.OpenFile(filepath.Join(r.dir, "shared"), os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := syscall.Mmap(int(f.Fd()), 0, 4096, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	return (*shared)(unsafe.Pointer(&b[0])), nil
}

// A node is one process's house.
type node struct {
	*chart.House
	db *store.DB
}

func (r *run) open(ctx context.Context) (*node, error) {
	root, err := vault.OpenRoot(filepath.Join(r.dir, "root.key"), nil)
	if err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, r.url)
	if err != nil {
		return nil, err
	}
	v, err := vault.Open(ctx, db, root)
	if err != nil {
		return nil, err
	}
	j, err := journal.Open(ctx, db, v)
	if err != nil {
		return nil, err
	}
	rules, err := policy.New(nil)
	if err != nil {
		return nil, err
	}
	h, err := chart.New(ctx, chart.Config{DB: db, Vault: v, Journal: j, Policy: rules, Origin: "fresh/log", Clock: clock.System})
	return &node{h, db}, err
}

func (n *node) close() error { return errors.Join(n.House.Close(), n.db.Close()) }

var importer = identity.Who{Account: "system:test", Kind: identity.System, Name: "Test"}

func (n *node) put(ctx context.Context, text string) error {
	res, err := fhir.Parse([]byte(text))
	if err != nil {
		return err
	}
	_, err = n.Deliver(ctx, n.Begin(importer, "fresh"), chart.Delivery{What: "fresh", Resources: []fhir.Resource{res}})
	return err
}

func count(i, n int) string {
	return fmt.Sprintf(`{"resourceType":"Observation","id":"n%d","status":"final","code":{"text":"n"},"subject":{"reference":"Patient/p%d"},"valueInteger":%d}`, i, i, n)
}

func (r *run) fill(ctx context.Context) error {
	n, err := r.open(ctx)
	if err != nil {
		return err
	}
	defer n.close()
	for i := range records {
		if err := n.put(ctx, fmt.Sprintf(`{"resourceType":"Patient","id":"p%d","name":[{"family":"P%d"}]}`, i, i)); err != nil {
			return err
		}
		if err := n.put(ctx, count(i, 0)); err != nil {
			return err
		}
	}
	return nil
}

// node writes the records that are its own, and reads those of the other, until both have read enough.
func (r *run) node(ctx context.Context, me int) error {
	n, err := r.open(ctx)
	if err != nil {
		return err
	}
	s, err := r.share()
	if err != nil {
		return errors.Join(err, n.close())
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var reading, writing sync.WaitGroup
	for w := range writers {
		writing.Go(func() {
			for k := 1; s.over.Load() < 2 && ctx.Err() == nil; k++ {
				for i := me + 2*w; i < records; i += 2 * writers {
					if err := n.put(ctx, count(i, k)); err != nil {
						stop(fmt.Errorf("write: %w", err))
						return
					}
					s.version[i].Store(int64(k) + 1) // acknowledged
					s.written.Add(1)
				}
			}
		})
	}
	for w := range readers {
		rng := rand.New(rand.NewPCG(r.seed, uint64(me*readers+w)))
		reading.Go(func() {
			for range r.reads / readers {
				if err := n.read(ctx, s, 2*rng.IntN(records/2)+1-me); err != nil {
					stop(err)
					return
				}
			}
		})
	}
	reading.Wait()
	s.over.Add(1)
	if ctx.Err() != nil {
		s.over.Add(2)
	}
	writing.Wait()
	return errors.Join(context.Cause(ctx), n.close())
}

func (n *node) read(ctx context.Context, s *shared, i int) error {
	num, _, err := n.PatientChart(ctx, fmt.Sprint("p", i))
	if err != nil {
		return err
	}
	who := identity.Who{Account: fmt.Sprint("a", i), Kind: identity.Patient, Name: "P", Chart: num, Session: "s"}
	want := s.version[i].Load()
	act := n.Begin(who, "fresh.page")
	c, err := n.Enter(ctx, act, policy.Page{Name: "fresh.page", Room: "test", Frame: "portal", Chart: num})
	if err != nil {
		return err
	}
	e, err := c.Get(ctx, "Observation", fmt.Sprint("n", i))
	if err != nil {
		return err
	}
	if e.Version < want {
		return fmt.Errorf("STALE: record %d reads as version %d, but %d was committed before the read began", i, e.Version, want)
	}
	s.read.Add(1)
	return act.Release(ctx)
}
