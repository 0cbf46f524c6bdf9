package journal

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/store/storetest"
	"github.com/wellgate/wellgate/trust/vault"
)

// A chunk that is authentic but not the one that was hashed: nothing of the last chunk may come out.
func TestFileHashIsChecked(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	root, err := vault.CreateRoot(filepath.Join(dir, "root.key"), nil)
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(ctx, storetest.URL(t, filepath.Join(dir, "w.db")))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	v, err := vault.Open(ctx, db, root)
	if err != nil {
		t.Fatal(err)
	}
	j, err := Open(ctx, db, v)
	if err != nil {
		t.Fatal(err)
	}
	var chart int64
	var f File
	err = db.Write(ctx, func(tx *store.Tx) (err error) {
		if chart, err = j.Create(ctx, tx, Patient); err != nil {
			return err
		}
		f, err = j.PutFile(ctx, tx, chart, bytes.NewReader(make([]byte, chunkSize+100)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.ParseInt(f.ID, 36, 64)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Write(ctx, func(tx *store.Tx) error {
		r, err := j.open(ctx, tx, chart)
		if err != nil {
			return err
		}
		sealed, err := r.key.Seal(chunkPlace(chart, number, 1, false), bytes.Repeat([]byte{1}, chunkSize))
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "UPDATE journal_file SET data = $1 WHERE file = $2 AND chunk = 1", sealed, number)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	_, r, err := j.OpenFile(ctx, chart, f.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if !errors.Is(err, ErrDamaged) || len(got) > chunkSize {
		t.Fatalf("read %d bytes, %v", len(got), err)
	}
}
