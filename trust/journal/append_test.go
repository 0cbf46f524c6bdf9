package journal_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/trust/journal"
)

func (h *house) seal(chart, seq int64, text string) *journal.Sealed {
	h.t.Helper()
	s, err := h.j.SealRow(context.Background(), chart, seq, []byte(text))
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

func (h *house) appendSealed(s *journal.Sealed) error {
	return h.write(func(tx *store.Tx) error { return h.j.AppendSealed(context.Background(), tx, s) })
}

// A row that was sealed ahead fits behind the row it was sealed for and nowhere else.
func TestSealedRowFitsOnce(t *testing.T) {
	h := newHouse(t)
	ctx := context.Background()
	chart := h.filled(3)
	_, err := h.j.SealRow(ctx, chart, 5, nil)
	wantErr(t, err, journal.ErrConflict)
	one, two := h.seal(chart, 4, "one"), h.seal(chart, 4, "two")
	if err := h.appendSealed(one); err != nil {
		t.Fatal(err)
	}
	wantErr(t, h.appendSealed(two), journal.ErrConflict)
	wantErr(t, h.appendSealed(one), journal.ErrConflict)

	// A snapshot in between changes the head too: the row must not put the one before back.
	late := h.seal(chart, 5, "late")
	if err := h.snapshot(chart, 4, "index", fresh("body")...); err != nil {
		t.Fatal(err)
	}
	wantErr(t, h.appendSealed(late), journal.ErrConflict)
	h.append(chart, 5, "five")
	snap, rows, err := h.j.Load(ctx, chart)
	if err != nil || snap == nil || len(rows) != 1 || string(rows[0].Plain) != "five" {
		t.Fatal(snap, rows, err)
	}
}

// A draft leaves nothing until its first row is stored, and nothing if that is undone.
func TestDraft(t *testing.T) {
	h := newHouse(t)
	ctx := context.Background()
	d, err := h.j.Draft(ctx, journal.Patient)
	if err != nil {
		t.Fatal(err)
	}
	row, err := h.j.SealFirst(d, []byte("first"))
	if err != nil {
		t.Fatal(err)
	}
	file, err := h.j.SealFile(ctx, d, 0, bytes.NewReader(bytes.Repeat([]byte("scan "), 300_000)))
	if err != nil {
		t.Fatal(err)
	}
	undo := errors.New("undo")
	wantErr(t, h.write(func(tx *store.Tx) error { return errors.Join(h.j.AppendSealed(ctx, tx, row), undo) }), undo)
	_, _, err = h.j.Load(ctx, d.Chart)
	wantErr(t, err, journal.ErrNoChart)
	wantErr(t, h.write(func(tx *store.Tx) error { return h.j.StoreFile(ctx, tx, file) }), journal.ErrNoChart)
	h.must(func(tx *store.Tx) error {
		return errors.Join(h.j.AppendSealed(ctx, tx, row), h.j.StoreFile(ctx, tx, file))
	})
	h.restart()
	if _, rows, err := h.j.Load(ctx, d.Chart); err != nil || len(rows) != 1 || string(rows[0].Plain) != "first" {
		t.Fatal(rows, err)
	}
	if got, err := h.readFile(d.Chart, file.ID); err != nil || len(got) != 1_500_000 {
		t.Fatal(len(got), err)
	}
}
