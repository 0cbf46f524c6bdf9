package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wellgate/wellgate/trust/identity"
	"github.com/wellgate/wellgate/trust/vault"
	"github.com/wellgate/wellgate/trust/vault/vaulttest"
)

// openable says whether a copy of the practice opens with the key file that lies in it.
func openable(t *testing.T, dir string) error {
	t.Helper()
	h, err := openTest(dir, func() time.Time { return theMould().now.Add(time.Hour) }, nil)
	if err == nil {
		h.Close()
	}
	return err
}

func copyFolder(t *testing.T, from string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	if err := os.MkdirAll(to, 0o700); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(from, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(from, p)
		if err := os.MkdirAll(filepath.Dir(filepath.Join(to, rel)), 0o700); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), b, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// The root key is changed while people read and write: no request fails, the old key opens nothing afterwards.
func TestRotateUnderLoad(t *testing.T) {
	w := newWorld(t)
	oldKey, err := os.ReadFile(filepath.Join(w.dir, keyFile))
	w.must(err)
	stop, err := w.h.control(t.Context())
	w.must(err)
	defer stop()
	b := w.as("amina")
	var mu sync.Mutex
	asked, failed := 0, []string{}
	end := make(chan struct{})
	var load sync.WaitGroup
	for i := range 4 {
		load.Go(func() {
			reader := *b // the same session, as tabs of one browser
			reader.frozen = true
			for {
				select {
				case <-end:
					return
				default:
				}
				path := []string{"/", "/results", "/appointments", "/"}[i]
				a := reader.get(path)
				if i == 3 { // a login that nobody has: a new account each time, under whatever key is newest
					_, err := w.h.identity.Accounts.Create(t.Context(), identity.Account{Kind: identity.Staff, Role: identity.Nurse,
						Name: "Load", Login: fmt.Sprintf("load-%d@example.org", time.Now().UnixNano())})
					if err != nil {
						a = answer{status: 599, body: err.Error()}
					}
				}
				mu.Lock()
				asked++
				if a.status != http.StatusOK {
					failed = append(failed, fmt.Sprint(path, " ", a.status, " ", a.body[:min(200, len(a.body))]))
				}
				mu.Unlock()
			}
		})
	}
	var done rotated
	w.must(operate(t.Context(), opening{dir: w.dir}, "", "/key/rotate", rotation{}, &done))
	close(end)
	load.Wait()
	if len(failed) > 0 || asked < 20 {
		t.Fatalf("%d of %d requests failed: %v", len(failed), asked, failed)
	}
	if done.Charts < 3 || done.Accounts < 3 || done.Old == "" || len(done.Lost) > 0 {
		t.Fatalf("rotated: %+v", done)
	}
	if a := b.get("/results"); a.status != http.StatusOK {
		t.Fatalf("after the rotation: %d", a.status)
	}
	stop()
	w.close()
	if err := openable(t, w.dir); err != nil {
		t.Fatal(err)
	}
	w.must(os.WriteFile(filepath.Join(w.dir, keyFile), oldKey, 0o600))
	if err := openable(t, w.dir); err == nil {
		t.Fatal("the old key still opens the store")
	}
	t.Logf("%d requests during the rotation, 0 failed", asked)
}

// However far a rotation came when the power went, the folder opens, and what was begun is ended.
func TestRotationStopsAnywhere(t *testing.T) {
	for _, stage := range []string{"key made", "rewrapped", "promoted", "charts moved"} {
		t.Run(stage, func(t *testing.T) {
			w := newWorld(t)
			ctx := t.Context()
			next, err := vault.CreateRoot(filepath.Join(w.dir, nextFile), nil)
			w.must(err)
			if stage != "key made" {
				w.must(w.h.vault.Rewrap(ctx, next))
			}
			if stage == "promoted" || stage == "charts moved" {
				w.must(w.h.promote())
			}
			if stage == "charts moved" {
				_, _, err = w.h.journal.Rewrap(ctx)
				w.must(err)
			}
			w.close()
			w.open(nil)
			stop, err := w.h.control(ctx)
			w.must(err)
			w.h.finishing.Wait()
			if rotating, err := w.h.vault.Rotating(ctx); err != nil || rotating {
				t.Fatalf("still rotating: %v %v", rotating, err)
			}
			stop()
			w.h.Close()
			w.h = nil
			if err := openable(t, w.dir); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// Erased is erased (P9): after the key was changed and the old one destroyed, a whole copy of the practice from before, files
// and audit log included, opens with no key that is left, and the log of those who stay still verifies.
func TestErasedIsErased(t *testing.T) {
	w := newWorld(t)
	b := w.as("amina")
	page := b.get("/results")
	if page.status != http.StatusOK || !strings.Contains(page.body, "Quietmark") {
		t.Fatalf("before: %d", page.status)
	}
	doctor := w.as("clinician")
	public := w.users["amina"].public
	w.must(w.h.charts.Audit().Settle(t.Context()))
	old := copyFolder(t, w.dir)
	before := readSalts(t, w.dir)
	if !slices.Contains(slices.Collect(maps.Values(before)), true) {
		t.Fatal("nothing that was read is in the file of reads")
	}
	stop, err := w.h.control(t.Context())
	w.must(err)
	var none struct{}
	ask := erasure{Patient: public, Reason: "asked in writing"}
	w.must(operate(t.Context(), opening{dir: w.dir}, "", "/erase", ask, &none))
	for salt, held := range readSalts(t, w.dir) {
		if held && before[salt] {
			t.Error("a file of what was read about the record still has its key")
		}
	}
	if err := operate(t.Context(), opening{dir: w.dir}, "", "/erase", ask, &none); err == nil {
		t.Fatal("erased twice")
	}
	if a := b.get("/results"); a.status != http.StatusSeeOther {
		t.Fatalf("the patient's session goes on: %d", a.status)
	}
	if a := doctor.get("/desk/" + public + "/results"); a.status != http.StatusNotFound {
		t.Fatalf("staff see %d", a.status)
	}
	if _, err := w.h.identity.Accounts.ByLogin(t.Context(), w.users["amina"].login); !errors.Is(err, identity.ErrNotFound) {
		t.Fatalf("the account is there: %v", err)
	}
	if err := openable(t, copyFolder(t, old)); err != nil {
		t.Fatalf("the copy should open as long as its key is there: %v", err)
	}
	var done rotated
	w.must(operate(t.Context(), opening{dir: w.dir}, "", "/key/rotate", rotation{DestroyOld: true}, &done))
	stop()
	w.must(w.h.charts.Audit().Settle(t.Context()))
	if other := w.as("miguel").get("/results"); other.status != http.StatusOK {
		t.Fatalf("somebody else's record: %d", other.status)
	}
	w.close()
	fresh, err := os.ReadFile(filepath.Join(w.dir, keyFile))
	w.must(err)
	w.must(os.WriteFile(filepath.Join(old, keyFile), fresh, 0o600))
	if err := openable(t, old); err == nil {
		t.Fatal("a copy from before opens with the new key")
	}
	for _, dir := range []string{old, w.dir} {
		for _, name := range []string{storeFile, storeFile + "-wal", anchorFile} {
			text, err := os.ReadFile(filepath.Join(dir, name))
			if err == nil && (bytes.Contains(text, []byte("Quietmark")) || bytes.Contains(text, []byte("asked in writing"))) {
				t.Errorf("%s holds words in clear", name)
			}
		}
	}
	if err := (&auditVerifyCmd{Dir: w.dir}).Run(context.Background()); err != nil {
		t.Fatalf("the log does not verify: %v", err)
	}
}

// readSalts are those that the keys of the segments in the folder of reads are made from, and whether the segment holds
// frames. A wiped segment has none.
func readSalts(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, readsDir, "seg-*"))
	if err != nil {
		t.Fatal(err)
	}
	salts := map[string]bool{}
	for _, f := range files {
		if b, err := os.ReadFile(f); err == nil && len(b) > 4104 {
			salts[string(b[24:56])] = bytes.HasPrefix(b[4096:], []byte("WGFRAME1"))
		}
	}
	return salts
}

// While the root key is gone, slow, wrong or withdrawn, records answer 503 and say when to come again; pages that show
// nobody's record work, and what is warm in memory helps nobody. When it is back, so are the records (REL-12).
func TestKeyAway(t *testing.T) {
	m := theMould()
	dir := t.TempDir()
	m.copyTo(t, dir)
	root, err := vault.OpenRoot(filepath.Join(dir, keyFile), nil)
	if err != nil {
		t.Fatal(err)
	}
	agent := vaulttest.Start(t, root)
	w := newWorld(t)
	w.close()
	w.root = agent.Root()
	w.open(nil)
	other, err := vault.CreateRoot(filepath.Join(t.TempDir(), "other"), nil)
	w.must(err)
	b := w.as("amina")
	if a := b.get("/results"); a.status != http.StatusOK {
		t.Fatalf("before: %d", a.status)
	}
	token, resource := w.token("system/*.rs", false), "/fhir/Patient/"+w.patientID("amina")
	if a := w.call(token, "GET", resource, ""); a.status != http.StatusOK {
		t.Fatalf("before, by the FHIR door: %d", a.status)
	}
	became := func(status int) time.Duration {
		t.Helper()
		begun := time.Now()
		for b.get("/results").status != status {
			if time.Since(begun) > 20*time.Second {
				t.Fatalf("not %d after %v", status, time.Since(begun))
			}
			time.Sleep(5 * time.Millisecond)
		}
		return time.Since(begun)
	}
	back := func() { agent.Become(root, 0, false) }
	for _, c := range []struct {
		what       string
		gone, back func()
	}{
		{"unplugged", agent.Unplug, func() { agent.Plug(t) }},
		{"slow", func() { agent.Become(root, 5*time.Second, false) }, back},
		{"wrong", func() { agent.Become(other, 0, false) }, back},
		{"withdrawn", func() { agent.Become(root, 0, true) }, back},
	} {
		c.gone()
		shut := became(http.StatusServiceUnavailable)
		begun := time.Now()
		a := b.get("/results")
		if a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" || strings.Contains(a.body, "Quietmark") {
			t.Errorf("%s: %d, Retry-After %q", c.what, a.status, a.header.Get("Retry-After"))
		}
		took := time.Since(begun)
		if a := w.call(token, "GET", resource, ""); a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
			t.Errorf("%s: the FHIR door answers %d, Retry-After %q", c.what, a.status, a.header.Get("Retry-After"))
		}
		for _, path := range []string{"/help", "/signin", "/healthz"} {
			if a := b.get(path); a.status != http.StatusOK && a.status != http.StatusSeeOther {
				t.Errorf("%s: %s answers %d", c.what, path, a.status)
			}
		}
		c.back()
		open := became(http.StatusOK)
		t.Logf("%-10s shut after %v, answered in %v, open again after %v", c.what, shut.Round(time.Millisecond), took.Round(time.Millisecond), open.Round(time.Millisecond))
	}
	if err := w.h.charts.Audit().Err(); err != nil {
		t.Fatalf("the audit log stopped: %v", err)
	}
}
