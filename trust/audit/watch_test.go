package audit

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"github.com/wellgate/wellgate/store/storetest"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wellgate/wellgate/internal/clock"
	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/trust/audit/witness"
)

// A watcher is a witness over TLS, as other people run one.
type watcher struct {
	*httptest.Server
	key   string
	trust *tls.Config
	away  atomic.Bool
	asked atomic.Int64
	body  atomic.Value // of the newest request
}

func newWatcher(t *testing.T, name string) *watcher {
	t.Helper()
	secret := sha256.Sum256([]byte(name))
	_, vkey, err := newSigner(origin, seed[:])
	if err != nil {
		t.Fatal(err)
	}
	s, err := witness.NewServer(witness.Config{Name: name, Seed: secret[:], Dir: t.TempDir(), Logs: []string{vkey}, Clock: clock.System})
	if err != nil {
		t.Fatal(err)
	}
	w := &watcher{key: s.Key()}
	w.Server = httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.asked.Add(1)
		if w.away.Load() {
			http.Error(rw, "away", http.StatusBadGateway)
			return
		}
		b, _ := io.ReadAll(r.Body)
		w.body.Store(string(b))
		r.Body = io.NopCloser(bytes.NewReader(b))
		s.ServeHTTP(rw, r)
	}))
	t.Cleanup(w.Close)
	pool := x509.NewCertPool()
	pool.AddCert(w.Certificate())
	w.trust = &tls.Config{RootCAs: pool}
	return w
}

// watched opens b's log again with witnesses, which are asked only when a test asks.
func (b *bench) watched(ws ...*watcher) *[]string {
	b.t.Helper()
	alarms := &[]string{}
	if b.log != nil {
		if err := b.log.Close(); err != nil {
			b.t.Fatal(err)
		}
	}
	c := b.conf
	c.Every, c.Trust, c.Alarm = time.Hour, &tls.Config{RootCAs: x509.NewCertPool()}, func(what string) { *alarms = append(*alarms, what) }
	for _, w := range ws {
		c.Witnesses = append(c.Witnesses, Witness{w.key, w.URL})
		c.Trust.RootCAs.AddCert(w.Certificate())
	}
	log, err := open(b.t.Context(), c) // without its loops
	if err != nil {
		b.t.Fatal(err)
	}
	log.work.Go(log.commitLoop)
	b.log = log
	return alarms
}

func (b *bench) ask() []Cosigned {
	b.t.Helper()
	got, err := b.log.AskWitnesses(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return got
}

func TestWitnesses(t *testing.T) {
	storetest.SQLiteOnly(t, "it puts files back")
	b := newBench(t)
	one, two := newWatcher(t, "witness.test/one"), newWatcher(t, "witness.test/two")
	b.watched(one, two)
	b.fill(30, 3)
	for _, c := range b.ask() {
		if c.Size != 30 || time.Since(c.At) > time.Hour || c.Trouble != "" || c.Fork != "" {
			t.Errorf("%+v", c)
		}
	}
	// What leaves the house: sizes, hashes, the log's name and signature.
	if s := one.body.Load().(string); strings.Contains(s, "read") || !strings.HasPrefix(s, "old 0\n\n"+origin+"\n30\n") {
		t.Errorf("%q", s)
	}
	text, err := b.log.Receipt(t.Context(), 1, 0)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(text, []byte(receiptHead2)) {
		t.Errorf("the receipt does not carry the witnesses' signatures:\n%s", text)
	}
	if _, err := VerifyReceipt(text, b.log.PublicKey(), one.key, two.key); err != nil {
		t.Error(err)
	}
	if _, err := VerifyReceipt(text, b.log.PublicKey(), newWatcher(t, "witness.test/three").key); err == nil {
		t.Error("a witness that did not sign is not missed")
	}
	for i := range text { // each byte matters here too
		changed := bytes.Clone(text)
		changed[i] ^= 1
		if _, err := VerifyReceipt(changed, b.log.PublicKey()); err == nil {
			t.Fatalf("byte %d %q changed: accepted", i, text[i])
		}
	}
	// One is away: the other's signature counts, nothing stops, and it comes back.
	two.away.Store(true)
	b.fill(10, 3)
	got := b.ask()
	if got[0].Size != 40 || got[1].Size != 30 || got[1].Trouble == "" {
		t.Errorf("%+v", got)
	}
	two.away.Store(false) // back, while the other has signed this tree already
	if got = b.ask(); got[1].Size != 40 || got[1].Trouble != "" {
		t.Errorf("%+v", got)
	}
	b.sound()
	b.fill(10, 3)
	if got = b.ask(); got[1].Size != 50 || got[1].Trouble != "" {
		t.Errorf("%+v", got)
	}
	b.sound()
	rep, err := Verify(t.Context(), b.db, b.log.PublicKey(), b.anchor(), nil, one.key, two.key)
	if err != nil || len(rep.Problems) > 0 || len(rep.Cosigned) != 2 || rep.Cosigned[1].Size != 50 {
		t.Errorf("%+v, %v", rep, err)
	}
	if rep, err = Verify(t.Context(), b.db, b.log.PublicKey(), b.anchor(), nil, newWatcher(t, "witness.test/four").key); err != nil || len(rep.Problems) != 1 {
		t.Errorf("%+v, %v", rep, err)
	}
	// A start remembers how far they signed, and a flip of a line, in the store or the anchor file, is found.
	b.watched(one, two)
	if got := b.log.Witnesses(); got[0].Size != 50 || got[1].Size != 50 {
		t.Errorf("%+v", got)
	}
	anchor, err := os.ReadFile(b.anchor())
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(anchor, []byte("witness.test/one "))
	if at < 0 {
		t.Fatal("the signatures are not anchored")
	}
	flipped := bytes.Clone(anchor)
	flipped[at+20] ^= 1
	if err := os.WriteFile(b.anchor(), flipped, 0o600); err != nil {
		t.Fatal(err)
	}
	if rep := b.verify(nil); len(rep.Problems) == 0 {
		t.Error("a changed signature in the anchor file is not found")
	}
	if err := os.WriteFile(b.anchor(), anchor, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{
		`UPDATE audit_cosignature SET size = 31 WHERE size = 30`,
		`UPDATE audit_cosignature SET line = x'00' WHERE size = 40`,
		`DELETE FROM audit_checkpoint WHERE size = 50`,
	} {
		b.raw(q, func(rep Report) {
			if len(rep.Problems) == 0 {
				t.Errorf("not found: %s", q)
			}
		})
	}
}

// raw looks at a copy of the store after a statement.
func (b *bench) raw(q string, look func(Report)) {
	b.t.Helper()
	c := &bench{t: b.t, dir: b.t.TempDir(), seal: b.seal}
	b.copyTo(c)
	c.openDB()
	defer c.db.Close()
	err := c.db.Write(b.t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(b.t.Context(), q)
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	look(verified(b.t, c.db, b.anchor(), nil))
}

func (b *bench) copyTo(c *bench) {
	b.t.Helper()
	for _, name := range []string{"audit.db", "audit.db-wal", "anchor"} {
		data, err := os.ReadFile(filepath.Join(b.dir, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(c.dir, name), data, 0o600)
		}
		if err != nil && name != "audit.db-wal" {
			b.t.Fatal(err)
		}
	}
}

// twin is a copy of b's folder, its anchor file too, as whoever has the disk can make.
func (b *bench) twin() *bench {
	b.t.Helper()
	b.stop()
	c := &bench{t: b.t, dir: b.t.TempDir(), seal: b.seal}
	b.copyTo(c)
	b.openDB()
	b.start()
	return openBench(c)
}

// Two copies of a practice go on, each with its own anchor. The witness signs one history; the other copy is told at once, and
// the first one learns of it too.
func TestForkIsFound(t *testing.T) {
	storetest.SQLiteOnly(t, "it puts files back")
	w := newWatcher(t, "witness.test/one")
	a := newBench(t)
	a.watched(w)
	a.fill(20, 2)
	a.ask()
	b := a.twin()
	alarmsA, alarmsB := a.watched(w), b.watched(w)
	a.fill(10, 2)
	if got := a.ask(); got[0].Size != 30 || got[0].Fork != "" || len(*alarmsA) > 0 {
		t.Fatalf("%+v", got)
	}
	b.durable(1, "another history")
	if got := b.ask(); !strings.Contains(got[0].Fork, "FORK") {
		t.Errorf("shorter copy: %+v", got)
	}
	b.fill(14, 2)
	if got := b.ask(); !strings.Contains(got[0].Fork, "FORKED") || got[0].Size != 20 {
		t.Errorf("longer copy: %+v", got)
	}
	if len(*alarmsB) != 2 {
		t.Errorf("alarms of the second: %q", *alarmsB)
	}
	a.fill(10, 2)
	if got := a.ask(); got[0].Size != 40 || !strings.Contains(got[0].Fork, "FORKED") || len(*alarmsA) != 1 {
		t.Errorf("the first copy: %+v, alarms %q", got, *alarmsA)
	}
}

// Yesterday's store with yesterday's anchor file is whole in itself. Only somebody who remembers can tell.
func TestRollbackIsFound(t *testing.T) {
	storetest.SQLiteOnly(t, "it puts files back")
	w := newWatcher(t, "witness.test/one")
	today := newBench(t)
	today.watched(w)
	today.fill(20, 2)
	today.ask()
	yesterday := today.twin()
	today.watched(w)
	today.fill(20, 2)
	today.ask()
	alarms := yesterday.watched(w)
	yesterday.sound()
	if got := yesterday.ask(); !strings.Contains(got[0].Fork, "ROLLED BACK") || len(*alarms) != 1 {
		t.Errorf("%+v, alarms %q", got, *alarms)
	}
}
