package audit

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/wellgate/wellgate/internal/clock"
	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/store/storetest"
)

func TestMain(m *testing.M) {
	if runCrashChild() {
		return
	}
	goleak.VerifyTestMain(storetest.OnBoth(m))
}

const origin = "audit.test/practice"

var (
	seed   = sha256.Sum256([]byte("a checkpoint key for tests"))
	secret = sha256.Sum256([]byte("the inbox's key for tests"))
)

// sealer is AES-GCM under one key per chart, bound to chart and index, as chart's journal is.
type sealer struct {
	mu     sync.Mutex
	gone   map[int64]bool
	refuse map[int64]bool
	seals  int
	fault  error // of every sealing
}

func newSealer() *sealer {
	return &sealer{gone: map[int64]bool{}, refuse: map[int64]bool{}}
}

func (s *sealer) aead(chart int64) cipher.AEAD {
	key := sha256.Sum256(fmt.Appendf(nil, "chart key %d", chart))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	return aead
}

func place(chart, index int64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(chart)), uint64(index))
}

func (s *sealer) SealEntry(_ context.Context, _ *store.Tx, chart, index int64, plain []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seals++
	if s.fault != nil {
		return nil, s.fault
	}
	if s.refuse[chart] {
		return nil, fmt.Errorf("sealer: %w", ErrKey)
	}
	if s.gone[chart] {
		return nil, fmt.Errorf("sealer: %w", ErrErased)
	}
	return s.aead(chart).Seal(nil, nil, plain, place(chart, index)), nil
}

func (s *sealer) OpenEntry(_ context.Context, chart, index int64, sealed []byte) ([]byte, error) {
	s.mu.Lock()
	gone := s.gone[chart]
	s.mu.Unlock()
	if gone {
		return nil, fmt.Errorf("sealer: %w", ErrErased)
	}
	return s.aead(chart).Open(nil, nil, sealed, place(chart, index))
}

// a bench is one log over a real database in a temporary folder.
type bench struct {
	t    testing.TB
	dir  string
	db   *store.DB
	seal *sealer
	file string // Config.Dir
	conf Config
	log  *Log
}

func newBench(t testing.TB) *bench {
	t.Helper()
	return openBench(&bench{t: t, dir: t.TempDir(), seal: newSealer()})
}

// newFileBench is one whose reads go to a file first.
func newFileBench(t testing.TB) *bench {
	t.Helper()
	dir := t.TempDir()
	return openBench(&bench{t: t, dir: dir, seal: newSealer(), file: filepath.Join(dir, "audit")})
}

func openBench(b *bench) *bench {
	t := b.t
	t.Helper()
	b.openDB()
	b.start()
	t.Cleanup(func() {
		if b.log != nil {
			b.log.Close()
		}
		b.db.Close()
	})
	return b
}

func (b *bench) dbPath() string { return filepath.Join(b.dir, "audit.db") }
func (b *bench) anchor() string { return filepath.Join(b.dir, "anchor") }

func (b *bench) openDB() {
	b.t.Helper()
	db, err := store.Open(b.t.Context(), storetest.URL(b.t, b.dbPath()))
	if err != nil {
		b.t.Fatal(err)
	}
	b.db = db
}

func (b *bench) start() {
	b.t.Helper()
	b.conf = Config{DB: b.db, Seal: b.seal, Seed: seed[:], Key: secret[:], Origin: origin, Anchor: b.anchor(), Dir: b.file, Clock: clock.System}
	log, err := Open(b.t.Context(), b.conf)
	if err != nil {
		b.t.Fatal(err)
	}
	b.log = log
}

// stop closes log and database; start and openDB bring them back.
func (b *bench) stop() {
	b.t.Helper()
	if err := b.log.Close(); err != nil {
		b.t.Fatal(err)
	}
	b.log = nil
	if err := b.db.Close(); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) durable(chart int64, plain string) {
	b.t.Helper()
	if err := b.log.Durable(b.t.Context(), Entry{chart, []byte(plain)}); err != nil {
		b.t.Fatal(err)
	}
}

// fill adds n entries to charts 1..charts, signing and anchoring now and then.
func (b *bench) fill(n, charts int) {
	b.t.Helper()
	for i := 0; i < n; i += 7 {
		var list []Entry
		for j := i; j < min(n, i+7); j++ {
			list = append(list, Entry{int64(j%charts) + 1, fmt.Appendf(nil, `{"n":%d,"what":"read"}`, j)})
		}
		if err := b.log.Durable(b.t.Context(), list...); err != nil {
			b.t.Fatal(err)
		}
		if i%21 == 0 {
			b.sign(i%42 == 0)
		}
	}
	b.sign(true)
}

// sign makes a checkpoint and, if asked, an anchor, as the background work does each second and minute.
func (b *bench) sign(anchor bool) []byte {
	b.t.Helper()
	note, err := b.log.Checkpoint(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	if anchor {
		if err := b.log.takeTurn(b.t.Context()); err != nil {
			b.t.Fatal(err)
		}
		defer b.log.endTurn()
		if err := b.log.anchorNow(b.t.Context()); err != nil {
			b.t.Fatal(err)
		}
	}
	return note
}

func (b *bench) verify(seal Sealer) Report {
	b.t.Helper()
	return verified(b.t, b.db, b.anchor(), seal)
}

func verified(t testing.TB, q store.Querier, anchor string, seal Sealer) Report {
	t.Helper()
	_, vkey, err := newSigner(origin, seed[:])
	if err != nil {
		t.Fatal(err)
	}
	rep, err := Verify(t.Context(), q, vkey, anchor, seal)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// sound fails the test if verification, with and without keys, finds anything.
func (b *bench) sound() Report {
	b.t.Helper()
	if rep := b.verify(nil); len(rep.Problems) > 0 {
		b.t.Fatalf("without keys: %q", rep.Problems)
	}
	rep := b.verify(b.seal)
	if len(rep.Problems) > 0 {
		b.t.Fatalf("with keys: %q", rep.Problems)
	}
	return rep
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}
