package vault_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/store/storetest"
	"github.com/wellgate/wellgate/trust/vault"
	"pgregory.net/rapid"
)

func newRoot(t testing.TB) vault.Root {
	t.Helper()
	root, err := vault.CreateRoot(filepath.Join(t.TempDir(), "root.key"), nil)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func newStore(t testing.TB) *store.DB {
	t.Helper()
	db, err := store.Open(context.Background(), storetest.URL(t, filepath.Join(t.TempDir(), "w.db")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func open(t testing.TB, db *store.DB, root vault.Root) *vault.Vault {
	t.Helper()
	v, err := vault.Open(context.Background(), db, root)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func newKey(t testing.TB, v *vault.Vault, owner string) (*vault.Key, []byte) {
	t.Helper()
	k, wrapped, err := v.NewKey(context.Background(), nil, owner)
	if err != nil {
		t.Fatal(err)
	}
	return k, wrapped
}

func wantErr(t testing.TB, err, want error, says ...string) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
	for _, s := range says {
		if !strings.Contains(err.Error(), s) {
			t.Fatalf("error %q does not say %q", err, s)
		}
	}
}

var place = vault.Place{Chart: 81, Kind: vault.KindLog, Seq: 5, Segment: 2}

func TestSealedBytesOpenAtTheirPlaceOnly(t *testing.T) {
	db := newStore(t)
	v := open(t, db, newRoot(t))
	k, _ := newKey(t, v, "chart/81")
	plain := []byte(strings.Repeat("a private line, ", 20))
	sealed, err := k.Seal(place, plain)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(sealed, plain[:16]) || len(sealed) >= len(plain) {
		t.Fatal("not sealed, or not compressed")
	}
	if got, err := k.Open(place, sealed); err != nil || !bytes.Equal(got, plain) {
		t.Fatalf("opened %q, %v", got, err)
	}
	elsewhere := []vault.Place{
		{Chart: 82, Kind: vault.KindLog, Seq: 5, Segment: 2}, {Chart: 81, Kind: vault.KindBody, Seq: 5, Segment: 2},
		{Chart: 81, Kind: vault.KindLog, Seq: 6, Segment: 2}, {Chart: 81, Kind: vault.KindLog, Seq: 5, Segment: 3},
		{Chart: 5, Kind: vault.KindLog, Seq: 81, Segment: 2}, {},
	}
	for _, p := range elsewhere {
		_, err := k.Open(p, sealed)
		wantErr(t, err, vault.ErrOpen)
	}
	other, _ := newKey(t, v, "chart/81")
	_, err = other.Open(place, sealed)
	wantErr(t, err, vault.ErrOpen)
}

// The same root, but another practice: its id is part of every place.
func TestPracticesAreApart(t *testing.T) {
	root := newRoot(t)
	a, b := open(t, newStore(t), root), open(t, newStore(t), root)
	_, wrapped := newKey(t, a, "chart/1")
	_, err := b.OpenKey(context.Background(), "chart/1", wrapped)
	wantErr(t, err, vault.ErrOpen)
	if bytes.Equal(a.Token("x", "y"), b.Token("x", "y")) || bytes.Equal(a.Secret("x"), b.Secret("x")) || a.PublicID(7) == b.PublicID(7) {
		t.Fatal("two practices share a secret")
	}
}

func TestEveryFlippedBitIsSeen(t *testing.T) {
	v := open(t, newStore(t), newRoot(t))
	k, wrapped := newKey(t, v, "chart/1")
	for _, plain := range []string{"", "short", strings.Repeat("long and regular ", 30)} {
		sealed, err := k.Seal(place, []byte(plain))
		if err != nil {
			t.Fatal(err)
		}
		for bit := range len(sealed) * 8 {
			bad := bytes.Clone(sealed)
			bad[bit/8] ^= 1 << (bit % 8)
			_, err := k.Open(place, bad)
			wantErr(t, err, vault.ErrOpen)
		}
		for n := range len(sealed) {
			_, err := k.Open(place, sealed[:n])
			wantErr(t, err, vault.ErrOpen)
		}
	}
	for bit := range len(wrapped) * 8 {
		bad := bytes.Clone(wrapped)
		bad[bit/8] ^= 1 << (bit % 8)
		_, err := v.OpenKey(context.Background(), "chart/1", bad)
		wantErr(t, err, vault.ErrOpen)
	}
	for _, owner := range []string{"chart/2", "", "chart/11"} {
		_, err := v.OpenKey(context.Background(), owner, wrapped)
		wantErr(t, err, vault.ErrOpen)
	}
}

func TestSealOpenProperty(t *testing.T) {
	v := open(t, newStore(t), newRoot(t))
	k, wrapped := newKey(t, v, "chart/1")
	again, err := v.OpenKey(context.Background(), "chart/1", wrapped)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		plain := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(rt, "plain")
		plain = bytes.Repeat(plain, rapid.IntRange(1, 300).Draw(rt, "times"))
		at := vault.Place{
			Chart: rapid.Int64().Draw(rt, "chart"), Kind: vault.Kind(rapid.Uint8().Draw(rt, "kind")),
			Seq: rapid.Int64().Draw(rt, "seq"), Segment: rapid.Int64().Draw(rt, "segment"),
		}
		one, err1 := k.Seal(at, plain)
		two, err2 := k.Seal(at, plain)
		if err1 != nil || err2 != nil || bytes.Equal(one, two) {
			rt.Fatalf("seal: %v, %v, or the same bytes twice", err1, err2)
		}
		if len(one) > len(plain)+60 {
			rt.Fatalf("%d bytes became %d", len(plain), len(one))
		}
		if got, err := again.Open(at, one); err != nil || !bytes.Equal(got, plain) {
			rt.Fatalf("open: %v", err)
		}
	})
}

func TestTokens(t *testing.T) {
	v := open(t, newStore(t), newRoot(t))
	if a, b := v.Token("d", "x", "y"), v.Token("d", "x", "y"); len(a) != 32 || !bytes.Equal(a, b) {
		t.Fatal("equal parts gave unequal tokens")
	}
	seen := map[string]string{}
	for _, c := range [][]string{{"d"}, {"d", ""}, {"d", "", ""}, {"d", "ab", "c"}, {"d", "a", "bc"}, {"d", "abc"}, {"da", "bc"}, {"", "dabc"}, {"dab", "c"}} {
		tok, name := string(v.Token(c[0], c[1:]...)), fmt.Sprintf("%q", c)
		if was, twice := seen[tok]; twice {
			t.Errorf("%s and %s have the same token", was, name)
		}
		seen[tok] = name
	}
}

func TestPublicIDs(t *testing.T) {
	db, root := newStore(t), newRoot(t)
	v := open(t, db, root)
	fhirID := regexp.MustCompile(`^[a-z2-7]{26}$`)
	for _, chart := range []int64{1, 2, 81, 1 << 61, 1<<63 - 1} {
		id := v.PublicID(chart)
		if !fhirID.MatchString(id) {
			t.Errorf("id %q", id)
		}
		if got, ok := open(t, db, root).Chart(id); !ok || got != chart {
			t.Errorf("Chart(%q) = %d, %v, want %d", id, got, ok, chart)
		}
		last := id[:25] + string("abcdefghijklmnopqrstuvwxyz234567"[strings.IndexByte("abcdefghijklmnopqrstuvwxyz234567", id[25])^1])
		for _, bad := range []string{"", id[1:], id + "a", strings.ToUpper(id), "a" + id[1:25] + "1", last, strings.Repeat("a", 26)} {
			if bad == id {
				continue
			}
			if got, ok := v.Chart(bad); ok {
				t.Errorf("made-up id %q is chart %d", bad, got)
			}
		}
	}
	for _, none := range []int64{0, -1, -1 << 63} {
		if _, ok := v.Chart(v.PublicID(none)); ok {
			t.Errorf("%d is no chart number", none)
		}
	}
}

func TestReopenKeepsEverything(t *testing.T) {
	db, root := newStore(t), newRoot(t)
	a := open(t, db, root)
	k, wrapped := newKey(t, a, "chart/1")
	sealed, err := k.Seal(place, []byte("kept"))
	if err != nil {
		t.Fatal(err)
	}
	b := open(t, db, root)
	again, err := b.OpenKey(context.Background(), "chart/1", wrapped)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Open(place, sealed); err != nil || string(got) != "kept" {
		t.Fatalf("%q, %v", got, err)
	}
	if !bytes.Equal(a.Secret("csrf"), b.Secret("csrf")) || bytes.Equal(a.Secret("csrf"), a.Secret("audit-signing")) || len(a.Secret("csrf")) != 32 {
		t.Fatal("secrets")
	}
}

func TestAnotherRootOpensNothingAndChangesNothing(t *testing.T) {
	db, root := newStore(t), newRoot(t)
	open(t, db, root)
	before := dump(t, db)
	for _, wrong := range []vault.Root{newRoot(t), nil} {
		_, err := vault.Open(context.Background(), db, wrong)
		wantErr(t, err, vault.ErrRoot)
	}
	if after := dump(t, db); after != before {
		t.Fatal("the refused root changed the store")
	}
	open(t, db, root)
}

func TestDamagedSecretsAreRefused(t *testing.T) {
	ctx := context.Background()
	for _, damage := range []string{
		"UPDATE vault_secret SET wrapped = (SELECT wrapped FROM vault_secret WHERE name = 'practice') WHERE name = 'kek/1'",
		"UPDATE vault_secret SET wrapped = (SELECT wrapped FROM vault_secret WHERE name = 'kek/1') WHERE name = 'practice'",
		"UPDATE vault_secret SET name = 'kek/2' WHERE name = 'kek/1'",
		"UPDATE vault_secret SET wrapped = substr(wrapped, 1, 1) WHERE name = 'kek/1'",
		"DELETE FROM vault_secret WHERE name = 'kek/1'",
		"DELETE FROM vault_secret WHERE name = 'practice'",
	} {
		db, root := newStore(t), newRoot(t)
		open(t, db, root)
		before := dump(t, db)
		if err := db.Write(ctx, func(tx *store.Tx) error { _, err := tx.Exec(ctx, damage); return err }); err != nil {
			t.Fatal(err)
		}
		if dump(t, db) == before {
			t.Fatalf("%s: nothing was damaged", damage)
		}
		_, err := vault.Open(ctx, db, root)
		wantErr(t, err, vault.ErrRoot)
	}
}

func dump(t *testing.T, db *store.DB) string {
	t.Helper()
	rows, err := db.Query(context.Background(), "SELECT name, wrapped FROM vault_secret ORDER BY name")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all strings.Builder
	for rows.Next() {
		var name string
		var wrapped []byte
		if err := rows.Scan(&name, &wrapped); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&all, "%s %x\n", name, wrapped)
	}
	return all.String()
}

func TestRotation(t *testing.T) {
	ctx := context.Background()
	db, old, next := newStore(t), newRoot(t), newRoot(t)
	v := open(t, db, old)
	k, wrapped := newKey(t, v, "chart/1")
	_, behind := newKey(t, v, "chart/2")
	sealed, err := k.Seal(place, []byte("kept"))
	if err != nil {
		t.Fatal(err)
	}
	token, id := v.Token("a", "b"), v.PublicID(9)
	if err := v.Rewrap(ctx, next); err != nil {
		t.Fatal(err)
	}
	_, err = vault.Open(ctx, db, old)
	wantErr(t, err, vault.ErrRoot)
	for _, v := range []*vault.Vault{v, open(t, db, next)} { // the running one and a new one agree
		again, err := v.OpenKey(ctx, "chart/1", wrapped)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := again.Open(place, sealed); err != nil || string(got) != "kept" {
			t.Fatalf("%q, %v", got, err)
		}
		if !bytes.Equal(token, v.Token("a", "b")) || id != v.PublicID(9) {
			t.Fatal("tokens or ids changed")
		}
	}
	moved, changed, err := v.RewrapKey(ctx, nil, "chart/1", wrapped)
	if err != nil || !changed || bytes.Equal(moved, wrapped) {
		t.Fatalf("RewrapKey: %v, %v", changed, err)
	}
	if _, changed, err := v.RewrapKey(ctx, nil, "chart/1", moved); err != nil || changed {
		t.Fatalf("RewrapKey again: %v, %v", changed, err)
	}
	left := func(n int64) vault.Behind {
		return func(context.Context, *store.Tx, []byte) (int64, error) { return n, nil }
	}
	wantErr(t, v.Retire(ctx, left(0), left(1)), vault.ErrBehind)
	if rotating, err := v.Rotating(ctx); err != nil || !rotating {
		t.Fatalf("a refused Retire ended the rotation: %v, %v", rotating, err)
	}
	if _, err := v.OpenKey(ctx, "chart/2", behind); err != nil {
		t.Fatalf("a refused Retire lost a key: %v", err)
	}
	if err := v.Retire(ctx, left(0)); err != nil {
		t.Fatal(err)
	}
	if rotating, err := v.Rotating(ctx); err != nil || rotating {
		t.Fatalf("still rotating: %v, %v", rotating, err)
	}
	for _, v := range []*vault.Vault{v, open(t, db, next)} {
		if _, err := v.OpenKey(ctx, "chart/1", moved); err != nil {
			t.Fatal(err)
		}
		_, err := v.OpenKey(ctx, "chart/2", behind)
		wantErr(t, err, vault.ErrOpen)
	}
}

func TestRootFile(t *testing.T) {
	dir := t.TempDir()
	plain, locked := filepath.Join(dir, "plain.key"), filepath.Join(dir, "locked.key")
	a, err := vault.CreateRoot(plain, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := vault.CreateRoot(locked, []byte("correct horse"))
	if err != nil {
		t.Fatal(err)
	}
	for path, pass := range map[string]string{plain: "", locked: "correct horse"} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Fatalf("%s: %v, %v", path, info.Mode(), err)
		}
		r, err := vault.OpenRoot(path, []byte(pass))
		if err != nil {
			t.Fatal(err)
		}
		if id := r.ID(); len(id) != 32 || id != a.ID() && id != b.ID() {
			t.Fatalf("id %q", id)
		}
		before, _ := os.ReadFile(path)
		if _, err := vault.CreateRoot(path, nil); !errors.Is(err, os.ErrExist) {
			t.Fatalf("CreateRoot over %s: %v", path, err)
		}
		if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
			t.Fatal("the file was touched")
		}
	}
	refused := []struct{ path, pass, says string }{
		{locked, "wrong horse", "passphrase is not that of"},
		{locked, "", "give its passphrase"},
		{plain, "surplus", "has no passphrase"},
		{filepath.Join(dir, "none.key"), "", "no such file"},
	}
	for _, c := range refused {
		_, err := vault.OpenRoot(c.path, []byte(c.pass))
		wantErr(t, err, vault.ErrRoot, c.says)
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o660} {
		if err := os.Chmod(plain, mode); err != nil {
			t.Fatal(err)
		}
		_, err = vault.OpenRoot(plain, nil)
		wantErr(t, err, vault.ErrRoot, "chmod 600")
	}
}

// Whatever one changes in a root key file, it is refused and never opens something else.
func TestDamagedRootFile(t *testing.T) {
	for _, pass := range []string{"", "pass"} {
		path := filepath.Join(t.TempDir(), "root.key")
		if _, err := vault.CreateRoot(path, []byte(pass)); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var fields map[string]any
		if err := json.Unmarshal(text, &fields); err != nil {
			t.Fatal(err)
		}
		for name := range fields {
			if name == "about" {
				continue
			}
			bad := map[string]any{}
			for k, v := range fields {
				bad[k] = v
			}
			switch v := bad[name].(type) {
			case string:
				bad[name] = v[:len(v)/2] + "A" + v[len(v)/2+1:]
				if bad[name] == v {
					bad[name] = v[:len(v)/2] + "B" + v[len(v)/2+1:]
				}
			case float64:
				bad[name] = v + 1
			}
			out, _ := json.Marshal(bad)
			if err := os.WriteFile(path, out, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := vault.OpenRoot(path, []byte(pass))
			wantErr(t, err, vault.ErrRoot)
		}
		for _, junk := range []string{"", "{}", "not a key", string(text[:len(text)/2])} {
			if err := os.WriteFile(path, []byte(junk), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := vault.OpenRoot(path, []byte(pass))
			wantErr(t, err, vault.ErrRoot)
		}
	}
}

func TestKeysAreNeverPrinted(t *testing.T) {
	v := open(t, newStore(t), newRoot(t))
	k, _ := newKey(t, v, "chart/1")
	root := newRoot(t)
	for _, secret := range []any{v, k, *k, root} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d"} {
			if got := fmt.Sprintf(verb, secret); got != "vault: redacted" {
				t.Errorf("%s of %T prints %q", verb, secret, got)
			}
		}
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "key", secret)
		text, _ := json.Marshal(secret)
		if !strings.Contains(log.String(), "redacted") || string(text) != `"vault: redacted"` {
			t.Errorf("%T: log %s, JSON %s", secret, log.String(), text)
		}
	}
}

func TestMain(m *testing.M) { os.Exit(storetest.OnBoth(m).Run()) }
