package vault_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/trust/vault"
	"github.com/wellgate/wellgate/trust/vault/vaulttest"
)

// A root that is gone, slow, another one or withdrawn shuts the vault; when it is back the vault opens. Nothing is sealed
// or opened meanwhile, by keys in memory neither (REL-12).
func TestRootGoesAway(t *testing.T) {
	root, other := newRoot(t), newRoot(t)
	agent := vaulttest.Start(t, root)
	v := open(t, newStore(t), agent.Root())
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { v.Watch(ctx, 20*time.Millisecond); close(done) }()
	defer func() { cancel(); <-done }()
	var dropped atomic.Int32
	v.OnDrop(func() { dropped.Add(1) })

	k, wrapped := newKey(t, v, "chart/1")
	sealed, err := k.Seal(place, []byte("kept"))
	if err != nil {
		t.Fatal(err)
	}
	until := func(what string, away bool) {
		t.Helper()
		for begun := time.Now(); (v.Err() != nil) != away; time.Sleep(time.Millisecond) {
			if time.Since(begun) > 10*time.Second {
				t.Fatalf("%s: the vault does not notice; its state is %v", what, v.Err())
			}
		}
	}
	shut := func(what string) {
		t.Helper()
		until(what, true)
		_, err := k.Open(place, sealed)
		wantErr(t, err, vault.ErrAway)
		_, err = k.Seal(place, []byte("more"))
		wantErr(t, err, vault.ErrAway)
		_, err = v.OpenKey(ctx, "chart/1", wrapped)
		wantErr(t, err, vault.ErrAway)
		_, _, err = v.NewKey(ctx, nil, "chart/2")
		wantErr(t, err, vault.ErrAway)
		wantErr(t, v.Rewrap(ctx, other), vault.ErrAway)
		wantErr(t, v.Retire(ctx), vault.ErrAway)
	}
	for _, c := range []struct {
		what      string
		gone, new func()
	}{
		{"unplugged", agent.Unplug, func() { agent.Plug(t) }},
		{"slow", func() { agent.Become(root, 5*time.Second, false) }, func() { agent.Become(root, 0, false) }},
		{"wrong", func() { agent.Become(other, 0, false) }, func() { agent.Become(root, 0, false) }},
	} {
		c.gone()
		shut(c.what)
		c.new()
		until(c.what+" is over", false)
		if got, err := k.Open(place, sealed); err != nil || string(got) != "kept" {
			t.Fatalf("after %s: %q, %v", c.what, got, err)
		}
	}
	if dropped.Load() != 0 {
		t.Error("keys were dropped although nobody withdrew the root")
	}
	agent.Become(root, 0, true)
	shut("withdrawn")
	agent.Become(root, 0, false)
	until("given back", false)
	if dropped.Load() == 0 {
		t.Error("nobody was told to drop keys")
	}
	_, err = k.Open(place, sealed)
	wantErr(t, err, vault.ErrAway) // a key from before stays dropped
	again, err := v.OpenKey(ctx, "chart/1", wrapped)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Open(place, sealed); err != nil || string(got) != "kept" {
		t.Fatalf("after the key was given back: %q, %v", got, err)
	}
}

// A store in which others have tables is not new: without its secrets nothing is made, and nothing is changed.
func TestNoNewPracticeOverAnOldOne(t *testing.T) {
	ctx := context.Background()
	db, root := newStore(t), newRoot(t)
	open(t, db, root)
	if err := db.Migrate(ctx, "journal", tables); err != nil {
		t.Fatal(err)
	}
	err := db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, "DELETE FROM vault_secret")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = vault.Open(ctx, db, root)
	wantErr(t, err, vault.ErrRoot, "not new")
	if dump(t, db) != "" {
		t.Fatal("secrets were made")
	}
}

var tables = fstest.MapFS{"00001_other.sql": {Data: []byte("-- +goose Up\nCREATE TABLE other (n BIGINT);\n")}}
