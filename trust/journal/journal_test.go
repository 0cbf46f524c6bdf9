package journal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/store/storetest"
	"github.com/wellgate/wellgate/trust/journal"
	"github.com/wellgate/wellgate/trust/vault"
)

// house is a journal over a real database.
type house struct {
	t     testing.TB
	path  string
	url   string
	db    *store.DB
	vault *vault.Vault
	root  vault.Root
	j     *journal.Journal
	now   time.Time
}

func newHouse(t testing.TB) *house {
	t.Helper()
	path := filepath.Join(t.TempDir(), "data", "w.db")
	h := newHouseAt(t, storetest.URL(t, path))
	h.path = path
	return h
}

func newHouseAt(t testing.TB, url string) *house {
	t.Helper()
	dir := t.TempDir()
	root, err := vault.CreateRoot(filepath.Join(dir, "root.key"), nil)
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, url: url, root: root, now: time.Unix(1_800_000_000, 0).UTC()}
	h.start()
	t.Cleanup(func() { h.db.Close() })
	return h
}

func (h *house) start() {
	h.t.Helper()
	ctx := context.Background()
	var err error
	if h.db, err = store.Open(ctx, h.url); err != nil {
		h.t.Fatal(err)
	}
	if h.vault, err = vault.Open(ctx, h.db, h.root); err != nil {
		h.t.Fatal(err)
	}
	h.j, err = journal.Open(ctx, h.db, h.vault, journal.WithClock(func() time.Time { return h.now }))
	if err != nil {
		h.t.Fatal(err)
	}
}

// restart opens the same files again, with empty caches.
func (h *house) restart() {
	h.t.Helper()
	if err := h.db.Close(); err != nil {
		h.t.Fatal(err)
	}
	h.start()
}

func (h *house) write(fn func(tx *store.Tx) error) error {
	return h.db.Write(context.Background(), fn)
}

func (h *house) must(fn func(tx *store.Tx) error) {
	h.t.Helper()
	if err := h.write(fn); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) chart(kind journal.Kind) (chart int64) {
	h.t.Helper()
	h.must(func(tx *store.Tx) (err error) {
		chart, err = h.j.Create(context.Background(), tx, kind)
		return err
	})
	return chart
}

func (h *house) append(chart, seq int64, plain string) {
	h.t.Helper()
	h.must(func(tx *store.Tx) error { return h.j.Append(context.Background(), tx, chart, seq, []byte(plain)) })
}

// filled is a chart with n rows "row 1" … "row n".
func (h *house) filled(n int) int64 {
	h.t.Helper()
	chart := h.chart(journal.Patient)
	for i := 1; i <= n; i++ {
		h.append(chart, int64(i), fmt.Sprintf("row %d", i))
	}
	return chart
}

func (h *house) load(chart int64) (*journal.Snapshot, []journal.Row) {
	h.t.Helper()
	s, rows, err := h.j.Load(context.Background(), chart)
	if err != nil {
		h.t.Fatal(err)
	}
	return s, rows
}

// snapshot stores one on top of the newest.
func (h *house) snapshot(chart, seq int64, index string, bodies ...journal.Body) error {
	snap, _, err := h.j.Load(context.Background(), chart)
	if err != nil {
		return err
	}
	d := journal.Draw{Seq: seq, Index: []byte(index), Bodies: bodies}
	if snap != nil {
		d.Base = snap.Gen
	}
	return h.j.PutSnapshot(context.Background(), chart, d)
}

// fresh are new bodies.
func fresh(texts ...string) []journal.Body {
	out := make([]journal.Body, len(texts))
	for i, s := range texts {
		out[i].Bytes = append([]byte{}, s...)
	}
	return out
}

func (h *house) putFile(chart int64, data []byte) (f journal.File) {
	h.t.Helper()
	h.must(func(tx *store.Tx) (err error) {
		f, err = h.j.PutFile(context.Background(), tx, chart, bytes.NewReader(data))
		return err
	})
	return f
}

func (h *house) readFile(chart int64, id string) ([]byte, error) {
	_, r, err := h.j.OpenFile(context.Background(), chart, id)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func wantErr(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got %v, want %v", err, want)
	}
}

func TestAppendIsTheOptimisticLock(t *testing.T) {
	h := newHouse(t)
	ctx := context.Background()
	chart := h.filled(2)
	for _, seq := range []int64{-1, 0, 1, 2, 4} {
		err := h.write(func(tx *store.Tx) error { return h.j.Append(ctx, tx, chart, seq, []byte("x")) })
		wantErr(t, err, journal.ErrConflict)
	}
	_, rows := h.load(chart)
	if len(rows) != 2 || string(rows[1].Plain) != "row 2" {
		t.Fatalf("rows after conflicts: %v", rows)
	}
	wantErr(t, h.write(func(tx *store.Tx) error { return h.j.Append(ctx, tx, 7, 1, nil) }), journal.ErrNoChart)
}

// Two goroutines read, add one, and append, again and again: no update may be lost.
func TestRacingAppendsLoseNothing(t *testing.T) {
	h := newHouse(t)
	ctx := context.Background()
	chart := h.chart(journal.Patient)
	const writers, each = 4, 25
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for done := 0; done < each; {
				_, rows, err := h.j.Load(ctx, chart)
				if err != nil {
					t.Error(err)
					return
				}
				count := 0
				if n := len(rows); n > 0 {
					fmt.Sscan(string(rows[n-1].Plain), &count)
				}
				err = h.write(func(tx *store.Tx) error {
					return h.j.Append(ctx, tx, chart, int64(len(rows))+1, fmt.Append(nil, count+1))
				})
				switch {
				case err == nil:
					done++
				case !errors.Is(err, journal.ErrConflict):
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	_, rows := h.load(chart)
	if len(rows) != writers*each {
		t.Fatalf("%d rows, want %d", len(rows), writers*each)
	}
	for i, r := range rows {
		if r.Seq != int64(i)+1 || string(r.Plain) != fmt.Sprint(i+1) {
			t.Fatalf("row %d is %d %q", i+1, r.Seq, r.Plain)
		}
	}
}

func TestFilesComeBackWhole(t *testing.T) {
	h := newHouse(t)
	chart := h.chart(journal.Patient)
	for _, size := range []int{0, 1, 256<<10 - 1, 256 << 10, 256<<10 + 1, 1 << 20} {
		data := bytes.Repeat([]byte("0123456789abcdef"), size/16+1)[:size]
		f := h.putFile(chart, data)
		if f.Size != int64(size) {
			t.Fatalf("size %d, want %d", f.Size, size)
		}
		got, err := h.readFile(chart, f.ID)
		if err != nil || !bytes.Equal(got, data) {
			t.Fatalf("file of %d bytes: got %d bytes, %v", size, len(got), err)
		}
	}
	_, err := h.readFile(chart, "nosuchfile")
	wantErr(t, err, journal.ErrNoFile)
}

func TestMain(m *testing.M) { os.Exit(storetest.OnBoth(m).Run()) }
