package journal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/store/storetest"
	"github.com/wellgate/wellgate/trust/journal"
	"github.com/wellgate/wellgate/trust/vault"
	"pgregory.net/rapid"
)

func fileNumber(id string) string {
	n, err := strconv.ParseInt(id, 36, 64)
	if err != nil {
		panic(err)
	}
	return fmt.Sprint(n)
}

// The journal against the plainest model: a slice of rows and the last snapshot.
func TestJournalProperty(t *testing.T) {
	h := newHouse(t)
	ctx := context.Background()
	rapid.Check(t, func(rt *rapid.T) {
		chart := h.chart(journal.Patient)
		var rows [][]byte
		snapSeq, index, segs := int64(0), []byte(nil), [][]byte(nil)
		row := rapid.SliceOfN(rapid.Byte(), 0, 60)
		compare := func(rt *rapid.T, got []journal.Row, from int64) {
			if want := int64(len(rows)) - from + 1; int64(len(got)) != max(want, 0) {
				rt.Fatalf("%d rows from %d, want %d", len(got), from, want)
			}
			for i, r := range got {
				if r.Seq != from+int64(i) || !bytes.Equal(r.Plain, rows[r.Seq-1]) {
					rt.Fatalf("row %d differs", r.Seq)
				}
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"append": func(rt *rapid.T) {
				plain := row.Draw(rt, "row")
				h.append(chart, int64(len(rows))+1, string(plain))
				rows = append(rows, plain)
			},
			"append several, then undo": func(rt *rapid.T) {
				undo := errors.New("undo")
				err := h.write(func(tx *store.Tx) error {
					for i := range int64(3) {
						if err := h.j.Append(ctx, tx, chart, int64(len(rows))+1+i, []byte("undone")); err != nil {
							return err
						}
					}
					return undo
				})
				wantErr(t, err, undo)
			},
			"append at the wrong place": func(rt *rapid.T) {
				seq := rapid.Int64Range(-1, int64(len(rows))+4).Filter(func(n int64) bool { return n != int64(len(rows))+1 }).Draw(rt, "seq")
				wantErr(t, h.write(func(tx *store.Tx) error { return h.j.Append(ctx, tx, chart, seq, nil) }), journal.ErrConflict)
			},
			"snapshot": func(rt *rapid.T) {
				seq := rapid.Int64Range(0, int64(len(rows))+1).Draw(rt, "seq")
				newIndex, newSegs := row.Draw(rt, "index"), rapid.SliceOfN(row, 0, 3).Draw(rt, "segments")
				d := journal.Draw{Seq: seq, Index: newIndex}
				now, _ := h.load(chart)
				if now != nil {
					d.Base = now.Gen
					for n, ref := range now.Bodies {
						if rapid.Bool().Draw(rt, "keep") {
							d.Bodies = append(d.Bodies, journal.Body{Kept: ref})
							newSegs = append(newSegs, segs[n])
						}
					}
				}
				kept := len(d.Bodies)
				for _, b := range newSegs[:len(newSegs)-kept] {
					d.Bodies = append(d.Bodies, journal.Body{Bytes: b})
				}
				newSegs = append(newSegs[len(newSegs)-kept:], newSegs[:len(newSegs)-kept]...)
				if n := rapid.Int64Range(0, seq).Draw(rt, "row as body"); n > 0 && n <= int64(len(rows)) {
					some, err := h.j.Rows(ctx, chart, n, n)
					if err != nil {
						rt.Fatal(err)
					}
					d.Bodies, newSegs = append(d.Bodies, journal.Body{Kept: some[0].Ref()}), append(newSegs, rows[n-1])
				}
				err := h.j.PutSnapshot(ctx, chart, d)
				if seq < 1 || seq > int64(len(rows)) || seq < snapSeq {
					wantErr(t, err, journal.ErrConflict)
					return
				}
				if err != nil {
					rt.Fatal(err)
				}
				snapSeq, index, segs = seq, newIndex, newSegs
			},
			"time passes": func(rt *rapid.T) { h.now = h.now.Add(40 * time.Second) },
			"history": func(rt *rapid.T) {
				from := rapid.Int64Range(1, int64(len(rows))+2).Draw(rt, "from")
				got, err := h.j.Rows(ctx, chart, from, 0)
				if err != nil {
					rt.Fatal(err)
				}
				compare(rt, got, from)
				to := rapid.Int64Range(from, from+3).Draw(rt, "to")
				some, err := h.j.Rows(ctx, chart, from, to)
				if err != nil || int64(len(some)) != max(0, min(to, int64(len(rows)))-from+1) {
					rt.Fatalf("rows %d to %d: %d, %v", from, to, len(some), err)
				}
			},
			"": func(rt *rapid.T) {
				s, tail, err := h.j.Load(ctx, chart)
				if err != nil {
					rt.Fatal(err)
				}
				compare(rt, tail, snapSeq+1)
				if (s != nil) != (snapSeq > 0) {
					rt.Fatalf("snapshot %v, want one at %d", s, snapSeq)
				}
				if s != nil {
					if s.Seq != snapSeq || !bytes.Equal(s.Index, index) || len(s.Bodies) != len(segs) {
						rt.Fatalf("snapshot %+v", s)
					}
					for n, want := range segs {
						if got, err := h.j.Body(ctx, chart, s, n); err != nil || !bytes.Equal(got, want) {
							rt.Fatalf("body %d: %v", n, err)
						}
					}
				}
				if head, err := h.j.Head(ctx, h.db, chart); err != nil || head != int64(len(rows)) {
					rt.Fatalf("head %d, %v", head, err)
				}
			},
		})
	})
}

// What a newer snapshot keeps stays; what it does not have any more can be read for a minute, and then goes.
func TestSnapshotGenerations(t *testing.T) {
	storetest.Each(t, testSnapshotGenerations)
}

func testSnapshotGenerations(t *testing.T, url string) {
	h := newHouseAt(t, url)
	ctx := context.Background()
	chart := h.filled(3)
	put := func(seq int64, bodies ...journal.Body) *journal.Snapshot {
		t.Helper()
		if err := h.snapshot(chart, seq, "i", bodies...); err != nil {
			t.Fatal(err)
		}
		s, _ := h.load(chart)
		return s
	}
	read := func(s *journal.Snapshot) (all string) {
		for n := range s.Bodies {
			body, err := h.j.Body(ctx, chart, s, n)
			if err != nil {
				return err.Error()
			}
			all += string(body) + " "
		}
		return all
	}
	stored := func() (n int) {
		t.Helper()
		if err := h.db.QueryRow(ctx, "SELECT count(*) FROM journal_seg WHERE chart = $1", chart).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	keep := func(s *journal.Snapshot, n int) journal.Body { return journal.Body{Kept: s.Bodies[n]} }
	first := put(1, fresh("one", "two")...)
	second := put(2, append(fresh("three"), keep(first, 0))...)
	if read(first) != "one two " || read(second) != "three one " || stored() != 5 {
		t.Fatalf("%q, %q, %d stored", read(first), read(second), stored())
	}
	wantErr(t, h.snapshot(chart, 1, "i", fresh("late")...), journal.ErrConflict)
	wantErr(t, h.j.PutSnapshot(ctx, chart, journal.Draw{Base: first.Gen, Seq: 3, Bodies: fresh("twice")}), journal.ErrConflict)
	wantErr(t, h.snapshot(chart, 3, "i", keep(first, 1)), journal.ErrConflict) // it is about to go
	changed := keep(second, 0)
	changed.Kept.Sum[0]++
	wantErr(t, h.snapshot(chart, 3, "i", changed), journal.ErrConflict)

	h.now = h.now.Add(59 * time.Second)
	if n, err := h.j.Sweep(ctx); err != nil || n != 0 || read(first) != "one two " || read(second) != "three one " {
		t.Fatalf("before the minute: %d swept, %v, %q, %q", n, err, read(first), read(second))
	}
	h.now = h.now.Add(time.Second)
	if n, err := h.j.Sweep(ctx); err != nil || n != 2 || read(second) != "three one " || stored() != 3 {
		t.Fatalf("after the minute: %d swept, %v, %q, %d stored", n, err, read(second), stored())
	}
	_, err := h.j.Body(ctx, chart, first, 1)
	wantErr(t, err, journal.ErrReplaced)
	third := put(3, keep(second, 1), keep(second, 0))
	h.now = h.now.Add(time.Hour)
	fourth := put(3, keep(third, 0))
	if _, err := h.j.Sweep(ctx); err != nil || read(fourth) != "one " {
		t.Fatalf("kept over four generations: %v, %q", err, read(fourth))
	}
	if _, err := h.j.Body(ctx, chart, second, 2); err == nil {
		t.Fatal("a body beyond the last one")
	}
}

func TestClaims(t *testing.T) {
	h := newHouse(t)
	ctx := context.Background()
	a, b := h.chart(journal.Patient), h.chart(journal.Patient)
	claim := func(chart int64, parts ...string) error {
		return h.write(func(tx *store.Tx) error { return h.j.Claim(ctx, tx, chart, "slot", parts...) })
	}
	if err := errors.Join(claim(a, "9:00"), claim(b, "9", ":00")); err != nil {
		t.Fatal(err)
	}
	wantErr(t, claim(b, "9:00"), journal.ErrClaimed)
	wantErr(t, claim(a, "9:00"), journal.ErrClaimed)
	h.must(func(tx *store.Tx) error { // a refused claim does not end the transaction
		wantErr(t, h.j.Claim(ctx, tx, b, "slot", "9:00"), journal.ErrClaimed)
		return h.j.Append(ctx, tx, b, 1, []byte("x"))
	})
	if chart, ok, err := h.j.Claimed(ctx, h.db, "slot", "9:00"); chart != a || !ok || err != nil {
		t.Fatalf("claimed by %d, %v, %v", chart, ok, err)
	}
	if _, ok, err := h.j.Claimed(ctx, h.db, "link", "9:00"); ok || err != nil {
		t.Fatalf("another domain: %v, %v", ok, err)
	}
	h.must(func(tx *store.Tx) error {
		if ok, err := h.j.Unclaim(ctx, tx, b, "slot", "9:00"); ok || err != nil {
			t.Errorf("gave back another's claim: %v, %v", ok, err)
		}
		ok, err := h.j.Unclaim(ctx, tx, a, "slot", "9:00")
		if !ok {
			t.Error("could not give back its own")
		}
		return err
	})
	if err := claim(b, "9:00"); err != nil {
		t.Fatal(err)
	}
}

func TestPoints(t *testing.T) {
	h := newHouse(t)
	ctx := context.Background()
	charts := []int64{h.chart(journal.Patient), h.chart(journal.Patient), h.chart(journal.Patient)}
	slices.Sort(charts)
	had := map[string][][]string{}
	point := func(chart int64, domain string, keys ...[]string) {
		name := fmt.Sprint(chart, domain)
		h.must(func(tx *store.Tx) error { return h.j.Point(ctx, tx, chart, domain, had[name], keys) })
		had[name] = keys
	}
	look := func(domain string, limit int, parts ...string) []int64 {
		got, err := h.j.Pointed(ctx, h.db, domain, limit, parts...)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for _, c := range charts {
		point(c, "name", []string{"doe"}, []string{"doe", "1980"}, []string{"doe"})
		point(c, "phone", []string{fmt.Sprint(c)})
	}
	if got := look("name", 10, "doe"); !slices.Equal(got, charts) {
		t.Fatalf("%v, want %v", got, charts)
	}
	if got := look("name", 2, "doe", "1980"); !slices.Equal(got, charts[:2]) {
		t.Fatalf("limited: %v", got)
	}
	point(charts[0], "name", []string{"roe"})
	if got := look("name", 10, "doe"); !slices.Equal(got, charts[1:]) {
		t.Fatalf("after renaming: %v", got)
	}
	if got := look("phone", 10, fmt.Sprint(charts[0])); !slices.Equal(got, charts[:1]) {
		t.Fatalf("the other domain: %v", got)
	}
	if got := look("name", 10, "nobody"); len(got) != 0 {
		t.Fatalf("nobody: %v", got)
	}
}

func TestOwnersSeal(t *testing.T) {
	h := newHouse(t)
	ctx := context.Background()
	a, b := h.chart(journal.Patient), h.chart(journal.Patient)
	at := vault.Place{Chart: a, Kind: vault.KindAudit, Seq: 9}
	sealed, err := h.j.Seal(ctx, nil, a, at, []byte("read"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := h.j.Open(ctx, a, at, sealed); err != nil || string(got) != "read" {
		t.Fatalf("%q, %v", got, err)
	}
	other := at
	other.Seq++
	_, err = h.j.Open(ctx, a, other, sealed)
	wantErr(t, err, journal.ErrDamaged)
	_, err = h.j.Open(ctx, b, vault.Place{Chart: b, Kind: vault.KindAudit, Seq: 9}, sealed)
	wantErr(t, err, journal.ErrDamaged)
	for _, own := range []vault.Place{{Chart: a}, {Chart: a, Kind: vault.KindLog}, {Chart: a, Kind: vault.KindIndex}, {Chart: a, Kind: vault.KindBody},
		{Chart: a, Kind: vault.KindFile}, {Chart: a, Kind: vault.KindHead}, {Chart: b, Kind: vault.KindAudit}} {
		if _, err := h.j.Seal(ctx, nil, a, own, nil); err == nil {
			t.Errorf("sealed for %+v", own)
		}
	}
	// In the transaction that makes the chart, its key is there already; if that is undone, so is the key.
	undo := errors.New("undo")
	var never int64
	err = h.write(func(tx *store.Tx) (err error) {
		if never, err = h.j.Create(ctx, tx, journal.Intake); err != nil {
			return err
		}
		_, err = h.j.Seal(ctx, tx, never, vault.Place{Chart: never, Kind: vault.KindFact}, []byte("x"))
		return errors.Join(err, undo)
	})
	wantErr(t, err, undo)
	_, err = h.j.Seal(ctx, nil, never, vault.Place{Chart: never, Kind: vault.KindFact}, []byte("x"))
	wantErr(t, err, journal.ErrNoChart)
}

func TestCharts(t *testing.T) {
	h := newHouse(t)
	want := []int64{h.chart(journal.Patient), h.chart(journal.Patient), h.chart(journal.Patient)}
	h.chart(journal.Directory)
	slices.Sort(want)
	got, err := h.j.Charts(context.Background(), journal.Patient)
	if err != nil || !slices.Equal(got, want) {
		t.Fatalf("%v, %v, want %v", got, err, want)
	}
	for _, c := range want {
		if c <= 0 || c>>62 != 0 {
			t.Errorf("chart number %d", c)
		}
	}
}

var canaries = []string{"Zebulon Quartermain", "14 Nightingale Row", "+1-555-0188-canary", "note: feels dizzy at dawn", "lab comment canary 7f3a"}

// Nothing that goes in can be found in any file of the database.
func TestNothingInClear(t *testing.T) {
	storetest.SQLiteOnly(t, "it looks into the files")
	h := newHouse(t)
	ctx := context.Background()
	chart := h.chart(journal.Patient)
	var sealed []byte
	for i, c := range canaries {
		h.append(chart, int64(i)+1, c)
		h.putFile(chart, []byte(c))
		h.must(func(tx *store.Tx) (err error) {
			sealed, err = h.j.Seal(ctx, tx, chart, vault.Place{Chart: chart, Kind: vault.KindOpening, Seq: int64(i)}, []byte(c))
			return errors.Join(err, h.j.Claim(ctx, tx, chart, c, c), h.j.Point(ctx, tx, chart, c, nil, [][]string{{c}}))
		})
		if bytes.Contains(sealed, []byte(c)) {
			t.Errorf("%q is not sealed", c)
		}
		if err := h.snapshot(chart, int64(i)+1, c, fresh(c)...); err != nil {
			t.Fatal(err)
		}
	}
	h.assertNowhere(t, canaries...)
	if err := h.db.Close(); err != nil {
		t.Fatal(err)
	}
	h.assertNowhere(t, canaries...)
}

// assertNowhere searches every file beside the database.
func (h *house) assertNowhere(t *testing.T, texts ...string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Dir(h.path) + "/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("files %v, %v", files, err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range texts {
			if bytes.Contains(data, []byte(text)) {
				t.Errorf("%q is in %s", text, filepath.Base(name))
			}
		}
	}
}

func TestShred(t *testing.T) {
	storetest.SQLiteOnly(t, "it looks into the files")
	h := newHouse(t)
	ctx := context.Background()
	gone, stays := h.exhibit("gone"), h.exhibit("stays")
	at := vault.Place{Chart: gone.chart, Kind: vault.KindAudit, Seq: 1}
	entry, err := h.j.Seal(ctx, nil, gone.chart, at, []byte("looked"))
	if err != nil {
		t.Fatal(err)
	}
	wrapped := h.blob("SELECT wrapped FROM journal_chart WHERE chart = $1", gone.chart)
	row := h.blob("SELECT data FROM journal_log WHERE chart = $1 AND seq = 6", gone.chart)
	head := h.blob("SELECT head FROM journal_chart WHERE chart = $1", gone.chart)
	shred := func(tx *store.Tx) error { return h.j.Shred(ctx, tx, gone.chart) }

	undo := errors.New("undo")
	wantErr(t, h.write(func(tx *store.Tx) error { return errors.Join(shred(tx), undo) }), undo)
	if err := h.check(gone); err != nil {
		t.Fatalf("after an undone erasure: %v", err)
	}
	h.must(func(tx *store.Tx) error {
		if err := shred(tx); err != nil {
			return err
		}
		// In the same transaction it is erased; for everybody else not yet.
		_, err := h.j.Seal(ctx, tx, gone.chart, at, nil)
		wantErr(t, err, journal.ErrShredded)
		wantErr(t, h.j.Append(ctx, tx, gone.chart, 7, nil), journal.ErrShredded)
		_, err = h.j.Open(ctx, gone.chart, at, entry)
		return err
	})
	h.assertNowhere(t, string(wrapped), string(row))
	for round := range 2 {
		h.allShredded(t, gone, at, entry)
		if err := h.check(stays); err != nil {
			t.Fatalf("the other chart, round %d: %v", round, err)
		}
		h.restart()
	}
	// A backup's rows without its key stay unreadable.
	h.exec("INSERT INTO journal_log (chart, seq, data) VALUES ($1, 6, $2)", gone.chart, row)
	h.exec("UPDATE journal_chart SET shredded = 0, head = $1 WHERE chart = $2", head, gone.chart)
	h.restart()
	_, _, err = h.j.Load(ctx, gone.chart)
	wantErr(t, err, journal.ErrDamaged)
}

// allShredded asks for everything an erased chart had.
func (h *house) allShredded(t *testing.T, e exhibit, at vault.Place, entry []byte) {
	t.Helper()
	ctx := context.Background()
	_, _, loadErr := h.j.Load(ctx, e.chart)
	_, rowsErr := h.j.Rows(ctx, e.chart, 1, 0)
	_, headErr := h.j.Head(ctx, h.db, e.chart)
	_, segErr := h.j.Body(ctx, e.chart, e.snap, 0)
	_, openErr := h.j.Open(ctx, e.chart, at, entry)
	_, sealErr := h.j.Seal(ctx, nil, e.chart, at, nil)
	_, fileErr := h.readFile(e.chart, e.file)
	for what, err := range map[string]error{
		"load": loadErr, "rows": rowsErr, "head": headErr, "body": segErr, "open": openErr, "seal": sealErr, "file": fileErr,
		"append":   h.write(func(tx *store.Tx) error { return h.j.Append(ctx, tx, e.chart, 7, nil) }),
		"snapshot": h.j.PutSnapshot(ctx, e.chart, journal.Draw{Seq: 6}),
		"shred":    h.write(func(tx *store.Tx) error { return h.j.Shred(ctx, tx, e.chart) }),
		"put file": h.write(func(tx *store.Tx) error { _, err := h.j.PutFile(ctx, tx, e.chart, bytes.NewReader(nil)); return err }),
		"claim":    h.write(func(tx *store.Tx) error { return h.j.Claim(ctx, tx, e.chart, "new") }),
		"point":    h.write(func(tx *store.Tx) error { return h.j.Point(ctx, tx, e.chart, "new", nil, [][]string{{"x"}}) }),
	} {
		if !errors.Is(err, journal.ErrShredded) {
			t.Errorf("%s of an erased chart: %v", what, err)
		}
	}
	if _, ok, err := h.j.Claimed(ctx, h.db, "slot", e.name); ok || err != nil {
		t.Errorf("its claim is still there: %v", err)
	}
	charts, err := h.j.Pointed(ctx, h.db, "name", 10, e.name)
	if len(charts) != 0 || err != nil {
		t.Errorf("its look-ups are still there: %v, %v", charts, err)
	}
	all, err := h.j.Charts(ctx, journal.Patient)
	if err != nil || slices.Contains(all, e.chart) {
		t.Errorf("still listed: %v", err)
	}
}

func TestRootRotation(t *testing.T) {
	storetest.SQLiteOnly(t, "it looks into the files")
	h := newHouse(t)
	ctx := context.Background()
	a, b := h.exhibit("a"), h.exhibit("b")
	old := h.copyOf(t)
	next, err := vault.CreateRoot(filepath.Join(t.TempDir(), "next.key"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.vault.Rewrap(ctx, next); err != nil {
		t.Fatal(err)
	}
	h.root = next
	c := h.exhibit("c") // made between the two steps
	wantErr(t, h.vault.Retire(ctx, h.j.Behind(nil)), vault.ErrBehind)
	if moved, lost, err := h.j.Rewrap(ctx); err != nil || moved != 2 || lost != nil {
		t.Fatalf("moved %d, lost %v, %v", moved, lost, err)
	}
	if moved, _, err := h.j.Rewrap(ctx); err != nil || moved != 0 {
		t.Fatalf("moved again %d, %v", moved, err)
	}
	if err := h.vault.Retire(ctx, h.j.Behind(nil)); err != nil {
		t.Fatal(err)
	}
	h.restart()
	for _, e := range []exhibit{a, b, c} {
		if err := h.check(e); err != nil {
			t.Error(err)
		}
	}
	// The new root does not open a backup from before: without the old root, what was erased since is gone.
	h.db.Close()
	if err := os.WriteFile(h.path, old, 0o600); err != nil {
		t.Fatal(err)
	}
	if h.db, err = store.Open(ctx, storetest.URL(h.t, h.path)); err != nil {
		t.Fatal(err)
	}
	_, err = vault.Open(ctx, h.db, next)
	wantErr(t, err, vault.ErrRoot)
}
