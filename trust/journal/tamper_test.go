package journal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/store/storetest"
	"github.com/wellgate/wellgate/trust/journal"
	"github.com/wellgate/wellgate/trust/vault"
)

// exhibit is a chart with some of everything.
type exhibit struct {
	chart int64
	snap  *journal.Snapshot
	file  string
	small string // a second file
	name  string
}

const rowsEach = 6

func (h *house) exhibit(name string) exhibit {
	h.t.Helper()
	ctx := context.Background()
	e := exhibit{chart: h.filled(4), name: name}
	_, rows := h.load(e.chart)
	for gen := range 2 { // two generations, both still readable; the second keeps a segment of the first, and a row
		bodies := fresh(fmt.Sprintf("seg 0 of %s, gen %d", name, gen), fmt.Sprintf("seg 1 of %s, gen %d", name, gen), fmt.Sprintf("seg 2 of %s, gen 1", name))
		if snap, _ := h.load(e.chart); snap != nil {
			bodies[2] = journal.Body{Kept: snap.Bodies[2]}
		}
		bodies = append(bodies, journal.Body{Kept: rows[1].Ref()})
		if err := h.snapshot(e.chart, 3, "index", bodies...); err != nil {
			h.t.Fatal(err)
		}
	}
	h.append(e.chart, 5, "row 5")
	h.append(e.chart, 6, "row 6")
	e.snap, _ = h.load(e.chart)
	e.file = h.putFile(e.chart, bytes.Repeat([]byte(name+" file. "), 100_000)).ID
	e.small = h.putFile(e.chart, []byte("small")).ID
	h.must(func(tx *store.Tx) error {
		return errors.Join(
			h.j.Claim(ctx, tx, e.chart, "slot", name),
			h.j.Point(ctx, tx, e.chart, "name", nil, [][]string{{"doe"}, {name}}))
	})
	return e
}

// check reads everything a chart has and returns the first thing wrong.
func (h *house) check(e exhibit) error {
	ctx := context.Background()
	s, tail, err := h.j.Load(ctx, e.chart)
	if err != nil {
		return err
	}
	if len(tail) != rowsEach-3 || s.Seq != 3 || len(s.Bodies) != 4 {
		return fmt.Errorf("loaded %d rows after %+v", len(tail), s)
	}
	for n := range s.Bodies {
		body, err := h.j.Body(ctx, e.chart, s, n)
		if err != nil {
			return err
		}
		if n < 3 && string(body) != fmt.Sprintf("seg %d of %s, gen 1", n, e.name) || n == 3 && string(body) != "row 2" {
			return fmt.Errorf("body %d is %q", n, body)
		}
	}
	for _, span := range [][2]int64{{1, 0}, {1, 2}, {2, 4}, {5, 5}, {6, 0}} {
		rows, err := h.j.Rows(ctx, e.chart, span[0], span[1])
		if err != nil {
			return err
		}
		for i, r := range rows {
			if r.Seq != span[0]+int64(i) || string(r.Plain) != fmt.Sprintf("row %d", r.Seq) {
				return fmt.Errorf("row %d is %q", r.Seq, r.Plain)
			}
		}
	}
	for id, want := range map[string]string{e.file: strings.Repeat(e.name+" file. ", 100_000), e.small: "small"} {
		if got, err := h.readFile(e.chart, id); err != nil {
			return err
		} else if string(got) != want {
			return errors.New("another file came back")
		}
	}
	if chart, ok, err := h.j.Claimed(ctx, h.db, "slot", e.name); err != nil || !ok || chart != e.chart {
		return errors.Join(err, fmt.Errorf("claimed by %d, %v", chart, ok))
	}
	if charts, err := h.j.Pointed(ctx, h.db, "name", 10, e.name); err != nil || len(charts) != 1 || charts[0] != e.chart {
		return errors.Join(err, fmt.Errorf("pointed to %v", charts))
	}
	return nil
}

// Whoever can write the database can do all of this; each must be seen, and seen as damage, and other charts stay whole.
func TestTampering(t *testing.T) {
	storetest.SQLiteOnly(t, "it looks into the files")
	flip := func(table, column, where string) string {
		// The last byte: xor 1 by way of its parity, since SQL has no bit operations on blobs.
		hex := fmt.Sprintf("hex(substr(%s, -1))", column)
		pairs := "0123456789ABCDEF"
		swap := fmt.Sprintf("substr('1032547698BADCFE', instr('%s', substr(%s, 2, 1)), 1)", pairs, hex)
		return fmt.Sprintf("UPDATE %s SET %s = substr(%s, 1, length(%s) - 1) || unhex(substr(%s, 1, 1) || %s) WHERE %s",
			table, column, column, column, hex, swap, where)
	}
	exchange := func(table, column, one, two string) string {
		return fmt.Sprintf(`UPDATE %s SET %s = CASE WHEN %s THEN (SELECT %s FROM %s WHERE %s) ELSE (SELECT %s FROM %s WHERE %s) END WHERE (%s) OR (%s)`,
			table, column, one, column, table, two, column, table, one, one, two)
	}
	tests := []struct{ name, sql string }{
		{"flip: key", flip("journal_chart", "wrapped", "chart = $A")},
		{"flip: head", flip("journal_chart", "head", "chart = $A")},
		{"flip: clear hash", flip("journal_chart", "tip", "chart = $A")},
		{"change: clear number", "UPDATE journal_chart SET seq = 5 WHERE chart = $A"},
		{"flip: row in the tail", flip("journal_log", "data", "chart = $A AND seq = 5")},
		{"flip: row before the snapshot", flip("journal_log", "data", "chart = $A AND seq = 2")},
		{"flip: newest row", flip("journal_log", "data", "chart = $A AND seq = 6")},
		{"flip: index", flip("journal_seg", "data", "chart = $A AND gen = 2 AND seg = 0")},
		{"flip: segment", flip("journal_seg", "data", "chart = $A AND gen = 2 AND seg = 2")},
		{"flip: kept segment", flip("journal_seg", "data", "chart = $A AND gen = 1 AND seg = 3")},
		{"flip: file header", flip("journal_file", "data", "chart = $A AND file = $F AND chunk = 0")},
		{"flip: file chunk", flip("journal_file", "data", "chart = $A AND file = $F AND chunk = 2")},
		{"flip: claim", flip("journal_claim", "proof", "chart = $A")},
		{"flip: look-up", flip("journal_point", "proof", "chart = $A")},

		{"drop: newest row", "DELETE FROM journal_log WHERE chart = $A AND seq = 6"},
		{"drop: middle row", "DELETE FROM journal_log WHERE chart = $A AND seq = 5"},
		{"drop: old row", "DELETE FROM journal_log WHERE chart = $A AND seq = 2"},
		{"drop: all rows after the snapshot", "DELETE FROM journal_log WHERE chart = $A AND seq > 3"},
		{"drop: all rows", "DELETE FROM journal_log WHERE chart = $A"},
		{"drop: index", "DELETE FROM journal_seg WHERE chart = $A AND gen = 2 AND seg = 0"},
		{"drop: segment", "DELETE FROM journal_seg WHERE chart = $A AND gen = 2 AND seg = 1"},
		{"drop: kept segment", "DELETE FROM journal_seg WHERE chart = $A AND gen = 1 AND seg = 3"},
		{"drop: last chunk", "DELETE FROM journal_file WHERE chart = $A AND file = $F AND chunk = (SELECT max(chunk) FROM journal_file WHERE file = $F)"},
		{"drop: middle chunk", "DELETE FROM journal_file WHERE chart = $A AND file = $F AND chunk = 1"},
		{"cut: row", "UPDATE journal_log SET data = substr(data, 1, length(data) - 1) WHERE chart = $A AND seq = 6"},
		{"cut: row to nothing", "UPDATE journal_log SET data = x'' WHERE chart = $A AND seq = 6"},
		{"cut: head to nothing", "UPDATE journal_chart SET head = x'' WHERE chart = $A"},

		{"swap: rows of one chart", exchange("journal_log", "data", "chart = $A AND seq = 5", "chart = $A AND seq = 6")},
		{"swap: numbers of two rows", "UPDATE journal_log SET seq = CASE seq WHEN 1 THEN -2 ELSE -1 END WHERE chart = $A AND seq < 3; UPDATE journal_log SET seq = -seq WHERE chart = $A AND seq < 0"},
		{"copy: row of another chart", "UPDATE journal_log SET data = (SELECT data FROM journal_log WHERE chart = $B AND seq = 6) WHERE chart = $A AND seq = 6"},
		{"copy: older row to the end", "UPDATE journal_log SET data = (SELECT data FROM journal_log WHERE chart = $A AND seq = 2) WHERE chart = $A AND seq = 6"},
		{"copy: key of another chart", "UPDATE journal_chart SET wrapped = (SELECT wrapped FROM journal_chart WHERE chart = $B) WHERE chart = $A"},
		{"copy: key and head of another chart", "UPDATE journal_chart SET (wrapped, head) = (SELECT wrapped, head FROM journal_chart WHERE chart = $B) WHERE chart = $A"},
		{"copy: head of another chart", "UPDATE journal_chart SET head = (SELECT head FROM journal_chart WHERE chart = $B) WHERE chart = $A"},
		{"change: what kind of chart", "UPDATE journal_chart SET kind = 2 WHERE chart = $A"},
		{"copy: segment of the generation before", "UPDATE journal_seg SET data = (SELECT data FROM journal_seg WHERE chart = $A AND gen = 1 AND seg = 1) WHERE chart = $A AND gen = 2 AND seg = 1"},
		{"copy: index of the generation before", "UPDATE journal_seg SET data = (SELECT data FROM journal_seg WHERE chart = $A AND gen = 1 AND seg = 0) WHERE chart = $A AND gen = 2 AND seg = 0"},
		{"swap: segments", exchange("journal_seg", "data", "chart = $A AND gen = 2 AND seg = 1", "chart = $A AND gen = 2 AND seg = 2")},
		{"copy: another generation's segment over a kept one", "UPDATE journal_seg SET data = (SELECT data FROM journal_seg WHERE chart = $A AND gen = 2 AND seg = 1) WHERE chart = $A AND gen = 1 AND seg = 3"},
		{"swap: a kept segment and one of its generation", "UPDATE journal_seg SET seg = 9 WHERE chart = $A AND gen = 1 AND seg = 3; UPDATE journal_seg SET seg = 3 WHERE chart = $A AND gen = 1 AND seg = 1; UPDATE journal_seg SET seg = 1 WHERE chart = $A AND gen = 1 AND seg = 9"},
		{"swap: numbers of a kept segment and a new one", "UPDATE journal_seg SET seg = 9 WHERE chart = $A AND gen = 1 AND seg = 3; UPDATE journal_seg SET gen = 1, seg = 3 WHERE chart = $A AND gen = 2 AND seg = 2; UPDATE journal_seg SET gen = 2, seg = 2 WHERE chart = $A AND gen = 1 AND seg = 9"},
		{"copy: segment as a row that is a body", "UPDATE journal_log SET data = (SELECT data FROM journal_seg WHERE chart = $A AND gen = 1 AND seg = 3) WHERE chart = $A AND seq = 2"},
		{"copy: segment of another chart", "UPDATE journal_seg SET data = (SELECT data FROM journal_seg WHERE chart = $B AND gen = 2 AND seg = 1) WHERE chart = $A AND gen = 2 AND seg = 1"},
		{"copy: row as segment", "UPDATE journal_seg SET data = (SELECT data FROM journal_log WHERE chart = $A AND seq = 2) WHERE chart = $A AND gen = 2 AND seg = 1"},
		{"swap: chunks", exchange("journal_file", "data", "chart = $A AND file = $F AND chunk = 1", "chart = $A AND file = $F AND chunk = 2")},
		{"copy: header of another file", "UPDATE journal_file SET data = (SELECT data FROM journal_file WHERE chart = $A AND file = $S AND chunk = 0) WHERE chart = $A AND file = $F AND chunk = 0"},
		{"swap: two files", "UPDATE journal_file SET file = CASE file WHEN $F THEN -1 ELSE $F END WHERE chart = $A; UPDATE journal_file SET file = $S WHERE file = -1"},
		{"point a claim elsewhere", "UPDATE journal_claim SET chart = $B WHERE chart = $A"},
		{"point a look-up elsewhere", "UPDATE journal_point SET chart = $B WHERE chart = $A"},
		{"erased, then put back", "UPDATE journal_chart SET wrapped = x'' WHERE chart = $A"},
	}
	h := newHouse(t)
	a, b := h.exhibit("anna"), h.exhibit("bert")
	clean := h.copyOf(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h.t = t
			h.restore(clean)
			if err := errors.Join(h.check(a), h.check(b)); err != nil {
				t.Fatal("before: ", err)
			}
			sql := strings.NewReplacer("$A", fmt.Sprint(a.chart), "$B", fmt.Sprint(b.chart),
				"$F", fileNumber(a.file), "$S", fileNumber(a.small)).Replace(tt.sql)
			h.tamper(sql)
			err := h.check(a)
			if !errors.Is(err, journal.ErrDamaged) && !errors.Is(err, vault.ErrOpen) {
				t.Errorf("not seen as damage: %v", err)
			}
			if err := h.check(b); err != nil {
				t.Errorf("the other chart: %v", err)
			}
		})
	}
}

// tamper runs SQL behind the journal's back and starts again, with nothing cached.
func (h *house) tamper(statements string) {
	h.t.Helper()
	ctx := context.Background()
	h.must(func(tx *store.Tx) error {
		for sql := range strings.SplitSeq(statements, "; ") {
			n, err := tx.Exec(ctx, sql)
			if err != nil {
				return err
			}
			if n == 0 {
				return errors.New("nothing was tampered with: " + sql)
			}
		}
		return nil
	})
	h.restart()
}

// copyOf and restore put the whole database file back, as a restored backup would.
func (h *house) copyOf(t *testing.T) []byte {
	t.Helper()
	if err := h.db.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(h.path)
	if err != nil {
		t.Fatal(err)
	}
	h.start()
	return data
}

func (h *house) restore(data []byte) {
	h.t.Helper()
	h.db.Close()
	for _, suffix := range []string{"-wal", "-shm"} {
		os.Remove(h.path + suffix)
	}
	if err := os.WriteFile(h.path, data, 0o600); err != nil {
		h.t.Fatal(err)
	}
	h.start()
}

// blobs reads one column, newest last.
func (h *house) blob(sql string, args ...any) (b []byte) {
	h.t.Helper()
	if err := h.db.QueryRow(context.Background(), sql, args...).Scan(&b); err != nil {
		h.t.Fatal(err)
	}
	return b
}

func (h *house) exec(sql string, args ...any) {
	h.t.Helper()
	h.must(func(tx *store.Tx) error { _, err := tx.Exec(context.Background(), sql, args...); return err })
}

// An older head put back leaves rows beyond it.
func TestOlderHead(t *testing.T) {
	h := newHouse(t)
	chart := h.filled(3)
	old, tip := h.blob("SELECT head FROM journal_chart WHERE chart = $1", chart), h.blob("SELECT tip FROM journal_chart WHERE chart = $1", chart)
	h.append(chart, 4, "row 4")
	h.exec("UPDATE journal_chart SET head = $1, seq = 3, tip = $2 WHERE chart = $3", old, tip, chart)
	h.restart()
	_, _, err := h.j.Load(context.Background(), chart)
	wantErr(t, err, journal.ErrDamaged)
	_, err = h.j.Rows(context.Background(), chart, 1, 0)
	wantErr(t, err, journal.ErrDamaged)
	err = h.write(func(tx *store.Tx) error { return h.j.Append(context.Background(), tx, chart, 4, []byte("other")) })
	wantErr(t, err, journal.ErrConflict)
}

// Two genuine histories, one from a restored backup: their rows must not mix.
func TestForkedHistory(t *testing.T) {
	storetest.SQLiteOnly(t, "it looks into the files")
	h := newHouse(t)
	ctx := context.Background()
	chart := h.filled(3)
	fork := h.copyOf(t)
	h.append(chart, 4, "row 4")
	four := h.copyOf(t)
	h.append(chart, 5, "row 5")
	genuine := h.copyOf(t)
	h.restore(fork)
	h.append(chart, 4, "ROW 4")
	other := h.blob("SELECT data FROM journal_log WHERE chart = $1 AND seq = 4", chart)
	// As the newest row: nothing follows it, so the head must tell.
	h.restore(four)
	h.exec("UPDATE journal_log SET data = $1 WHERE chart = $2 AND seq = 4", other, chart)
	h.restart()
	_, err := h.j.Rows(ctx, chart, 4, 0)
	wantErr(t, err, journal.ErrDamaged)
	_, _, err = h.j.Load(ctx, chart)
	wantErr(t, err, journal.ErrDamaged)
	// In the middle: the row after it tells.
	h.restore(genuine)
	h.exec("UPDATE journal_log SET data = $1 WHERE chart = $2 AND seq = 4", other, chart)
	h.restart()
	for _, span := range [][2]int64{{1, 0}, {4, 4}, {4, 5}, {5, 5}, {5, 0}, {1, 4}} {
		_, err := h.j.Rows(ctx, chart, span[0], span[1])
		wantErr(t, err, journal.ErrDamaged)
	}
	if rows, err := h.j.Rows(ctx, chart, 1, 2); err != nil || len(rows) != 2 {
		t.Fatalf("rows before the fork: %v", err)
	}
	_, _, err = h.j.Load(ctx, chart)
	wantErr(t, err, journal.ErrDamaged)
}

// A segment that was genuinely sealed for the same place, but in a history that is not this one, must not stand in for a
// kept one: the index knows the segment's own hash.
func TestForkedSegment(t *testing.T) {
	storetest.SQLiteOnly(t, "it looks into the files")
	h := newHouse(t)
	ctx := context.Background()
	chart := h.filled(3)
	fork := h.copyOf(t)
	put := func(text string) {
		t.Helper()
		if err := h.snapshot(chart, 3, "index", fresh(text)...); err != nil {
			t.Fatal(err)
		}
	}
	put("OTHER")
	other := h.blob("SELECT data FROM journal_seg WHERE chart = $1 AND gen = 1 AND seg = 1", chart)
	h.restore(fork)
	put("genuine")
	snap, _ := h.load(chart)
	if err := h.snapshot(chart, 3, "index", journal.Body{Kept: snap.Bodies[0]}); err != nil {
		t.Fatal(err)
	}
	snap, _ = h.load(chart)
	if b, err := h.j.Body(ctx, chart, snap, 0); err != nil || string(b) != "genuine" {
		t.Fatalf("%q, %v", b, err)
	}
	h.exec("UPDATE journal_seg SET data = $1 WHERE chart = $2 AND gen = 1 AND seg = 1", other, chart)
	h.restart()
	snap, _ = h.load(chart)
	_, err := h.j.Body(ctx, chart, snap, 0)
	wantErr(t, err, journal.ErrDamaged)
}
