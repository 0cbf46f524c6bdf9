package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/trust/audit"
	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/journal"
)

// TestTamper changes a practice at rest in every way that somebody with the disk could, and reads everything. What is read
// must be what was written, or an error; never anything else. `make tamper TRIALS=10000 SEED=1` is the long form.
//
// A trial ends in one of these: refused at start; a record fails and the others read right; only a full verification
// finds it; or it is harmless: everything reads right and verifies (bytes that nobody reads, a change back).
func TestTamper(t *testing.T) {
	trials, seed := envNumber("TAMPER_TRIALS", 120), envNumber("TAMPER_SEED", 1)
	ta := newTamper(t)
	counts := map[string]map[string]int{}
	for n := range trials {
		rng := rand.New(rand.NewPCG(uint64(seed), uint64(n)))
		k := kinds[n%len(kinds)]
		what, end := ta.trial(t, rng, k)
		if counts[k.name] == nil {
			counts[k.name] = map[string]int{}
		}
		counts[k.name][end]++
		if end == "WRONG" {
			t.Errorf("seed %d, trial %d: %s: wrong data was shown", seed, n, what)
		}
	}
	ends := []string{"start refused", "record fails", "verify finds", "harmless", "WRONG"}
	t.Logf("%-28s %s", fmt.Sprintf("%d trials, seed %d", trials, seed), strings.Join(ends, " | "))
	for _, k := range kinds {
		line := fmt.Sprintf("%-28s", k.name)
		for _, e := range ends {
			line += fmt.Sprintf(" %*d |", len(e)-1, counts[k.name][e])
		}
		t.Log(line)
	}
}

func envNumber(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}

// A tamper holds a practice, an older copy of it, and what each record and account must read as.
type tamper struct {
	now, old string // folders
	clock    func() time.Time
	charts   []int64
	public   map[int64]string
	truth    map[int64]string
	accounts map[string]string
	logs     *syncBuffer
}

func newTamper(t *testing.T) *tamper {
	w := newWorld(t)
	ta := &tamper{public: map[int64]string{}, truth: map[int64]string{}, accounts: map[string]string{}, logs: &syncBuffer{}, clock: w.clock}
	was := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(ta.logs, nil)))
	t.Cleanup(func() { slog.SetDefault(was) })
	ctx := t.Context()
	w.must(w.h.charts.Audit().Settle(ctx))
	ta.old = copyFolder(t, w.dir)
	for i, name := range []string{"amina", "miguel"} {
		w.must(w.h.deliverJSON(ctx, "Patient/"+w.first(name, "Patient", ""), fmt.Sprintf(`{"resourceType":"Observation","id":"late-%d","status":"final","code":{"text":"Late"},"subject":{"reference":"Patient/me"},"effectiveDateTime":"2026-11-01","valueString":"late"}`, i)))
	}
	var err error
	ta.charts, err = w.h.journal.Charts(ctx, journal.Patient)
	w.must(err)
	for _, n := range ta.charts {
		ta.public[n] = w.h.charts.PublicID(n)
		ta.truth[n], err = readChart(ctx, w.h, n)
		w.must(err)
	}
	accounts, err := w.h.identity.Accounts.List(ctx, "")
	w.must(err)
	for _, a := range accounts {
		ta.accounts[a.ID] = fmt.Sprintf("%+v", a)
	}
	w.close()
	ta.now = copyFolder(t, w.dir)
	return ta
}

// readChart reads all there is of a record, its files included.
func readChart(ctx context.Context, h *house, num int64) (string, error) {
	sum := sha256.New()
	c := h.charts.System(h.charts.Begin(system("test"), "test"), num)
	for _, typ := range []string{"Patient", "Observation", "DiagnosticReport", "DocumentReference", "Encounter", "Condition", "MedicationRequest",
		"AllergyIntolerance", "Immunization", "Procedure", "Appointment", "ClinicalImpression", "Binary", "CarePlan", "Goal", "Coverage"} {
		found, err := c.Search(ctx, typ, "")
		if err != nil {
			return "", err
		}
		slices.SortFunc(found, func(a, b chart.Entry) int { return strings.Compare(a.ID(), b.ID()) })
		for _, e := range found {
			full, err := c.Get(ctx, typ, e.ID())
			if err != nil {
				return "", err
			}
			fmt.Fprintf(sum, "%s %d %s\n", full.Ref(), full.Version, full.Raw())
		}
	}
	return fmt.Sprintf("%x", sum.Sum(nil)), nil
}

type kind struct {
	name string
	do   func(ta *tamper, rng *rand.Rand, dir string) (what string, err error)
}

var tables = []string{"journal_chart", "journal_log", "journal_seg", "journal_claim", "journal_point", "journal_file", "identity_account",
	"identity_lookup", "identity_key", "feed_fact", "vault_secret", "audit_block", "audit_tile", "audit_checkpoint", "audit_inbox"}

var kinds = []kind{
	{"bit in a stored value", onRow(flipValue)},
	{"row deleted", onRow(deleteRow)},
	{"value cut short", onRow(cutValue)},
	{"values of rows swapped", onRow(swapValues)},
	{"row put back from a copy", onRow(oldRow)},
	{"record put back from a copy", putBackRecord},
	{"bit in the database file", flipFile(storeFile)},
	{"bit in the anchor file", flipFile(anchorFile)},
	{"bit in the key file", flipFile(keyFile)},
	{"database file cut short", cutFile},
	{"whole store put back", func(ta *tamper, _ *rand.Rand, dir string) (string, error) {
		b, err := os.ReadFile(filepath.Join(ta.old, storeFile))
		os.Remove(filepath.Join(dir, storeFile+"-wal"))
		if err == nil {
			if wal, err := os.ReadFile(filepath.Join(ta.old, storeFile+"-wal")); err == nil {
				os.WriteFile(filepath.Join(dir, storeFile+"-wal"), wal, 0o600)
			}
			err = os.WriteFile(filepath.Join(dir, storeFile), b, 0o600)
		}
		return "whole store put back", err
	}},
}

type target struct {
	table, column string
	row           int64
	value         any
}

// onRow changes one value of a random row of a random table that has rows.
func onRow(change func(ctx context.Context, ta *tamper, tx *store.Tx, rng *rand.Rand, at target) error) func(*tamper, *rand.Rand, string) (string, error) {
	return func(ta *tamper, rng *rand.Rand, dir string) (string, error) {
		ctx := context.Background()
		db, err := store.Open(ctx, "sqlite:"+filepath.Join(dir, storeFile))
		if err != nil {
			return "", err
		}
		defer db.Close()
		var at target
		err = db.Write(ctx, func(tx *store.Tx) error {
			var n int
			for n == 0 {
				at.table = tables[rng.IntN(len(tables))]
				if err := tx.QueryRow(ctx, "SELECT count(*) FROM "+at.table).Scan(&n); err != nil {
					return err
				}
			}
			columns, err := columnsOf(ctx, tx, at.table)
			if err != nil {
				return err
			}
			at.column = columns[rng.IntN(len(columns))]
			err = tx.QueryRow(ctx, fmt.Sprintf("SELECT rowid, %s FROM %s LIMIT 1 OFFSET %d", at.column, at.table, rng.IntN(n))).Scan(&at.row, &at.value)
			if err != nil {
				return err
			}
			return change(ctx, ta, tx, rng, at)
		})
		if errors.Is(err, store.ErrUnique) { // the database itself refused it
			err = nil
		}
		return fmt.Sprintf("%s.%s of row %d", at.table, at.column, at.row), err
	}
}

func columnsOf(ctx context.Context, tx *store.Tx, table string) ([]string, error) {
	rows, err := tx.Query(ctx, "SELECT name FROM pragma_table_info('"+table+"')")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

func set(ctx context.Context, tx *store.Tx, at target, value any) error {
	_, err := tx.Exec(ctx, "UPDATE "+at.table+" SET "+at.column+" = $1 WHERE rowid = $2", value, at.row)
	return err
}

func flipValue(ctx context.Context, _ *tamper, tx *store.Tx, rng *rand.Rand, at target) error {
	switch v := at.value.(type) {
	case []byte:
		if len(v) == 0 {
			return set(ctx, tx, at, []byte{1})
		}
		v = bytes.Clone(v)
		v[rng.IntN(len(v))] ^= 1 << rng.IntN(8)
		return set(ctx, tx, at, v)
	case string:
		b := []byte(v)
		if len(b) > 0 {
			b[rng.IntN(len(b))] ^= 1
		}
		return set(ctx, tx, at, string(b))
	case int64:
		return set(ctx, tx, at, v^1<<rng.IntN(62))
	}
	return nil
}

func cutValue(ctx context.Context, ta *tamper, tx *store.Tx, rng *rand.Rand, at target) error {
	if v, ok := at.value.([]byte); ok && len(v) > 0 {
		return set(ctx, tx, at, v[:rng.IntN(len(v))])
	}
	return flipValue(ctx, ta, tx, rng, at)
}

func deleteRow(ctx context.Context, _ *tamper, tx *store.Tx, _ *rand.Rand, at target) error {
	_, err := tx.Exec(ctx, "DELETE FROM "+at.table+" WHERE rowid = $1", at.row)
	return err
}

func swapValues(ctx context.Context, _ *tamper, tx *store.Tx, rng *rand.Rand, at target) error {
	var n int
	if err := tx.QueryRow(ctx, "SELECT count(*) FROM "+at.table).Scan(&n); err != nil {
		return err
	}
	other := at
	err := tx.QueryRow(ctx, fmt.Sprintf("SELECT rowid, %s FROM %s LIMIT 1 OFFSET %d", at.column, at.table, rng.IntN(n))).Scan(&other.row, &other.value)
	if err != nil {
		return err
	}
	if err := set(ctx, tx, at, other.value); err != nil {
		return err
	}
	return set(ctx, tx, other, at.value)
}

// oldRow puts one row back to what the older copy holds in its place.
func oldRow(ctx context.Context, ta *tamper, tx *store.Tx, _ *rand.Rand, at target) error {
	old, err := store.Open(ctx, "sqlite:"+filepath.Join(ta.old, storeFile))
	if err != nil {
		return err
	}
	defer old.Close()
	columns, err := columnsOf(ctx, tx, at.table)
	if err != nil {
		return err
	}
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	if old.QueryRow(ctx, "SELECT "+strings.Join(columns, ", ")+" FROM "+at.table+" WHERE rowid = $1", at.row).Scan(into...) != nil {
		return deleteRow(ctx, ta, tx, nil, at) // it was not there
	}
	for i, c := range columns {
		if err := set(ctx, tx, target{table: at.table, column: c, row: at.row}, values[i]); err != nil {
			return err
		}
	}
	return nil
}

// putBackRecord puts back everything that the journal holds of one record: sound in itself, but old.
func putBackRecord(ta *tamper, rng *rand.Rand, dir string) (string, error) {
	ctx := context.Background()
	num := ta.charts[rng.IntN(len(ta.charts))]
	old, err := store.Open(ctx, "sqlite:"+filepath.Join(ta.old, storeFile))
	if err != nil {
		return "", err
	}
	defer old.Close()
	db, err := store.Open(ctx, "sqlite:"+filepath.Join(dir, storeFile))
	if err != nil {
		return "", err
	}
	defer db.Close()
	var wrapped, head, tip []byte
	var seq int64
	if err := old.QueryRow(ctx, "SELECT wrapped, head, tip, seq FROM journal_chart WHERE chart = $1", num).Scan(&wrapped, &head, &tip, &seq); err != nil {
		return "", err
	}
	return fmt.Sprintf("record %d put back", num), db.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, "DELETE FROM journal_log WHERE chart = $1 AND seq > $2", num, seq); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "UPDATE journal_chart SET wrapped = $1, head = $2, tip = $3, seq = $4 WHERE chart = $5", wrapped, head, tip, seq, num)
		return err
	})
}

func flipFile(name string) func(*tamper, *rand.Rand, string) (string, error) {
	return func(_ *tamper, rng *rand.Rand, dir string) (string, error) {
		path := filepath.Join(dir, name)
		b, err := os.ReadFile(path)
		if err != nil || len(b) == 0 {
			return "", err
		}
		at := rng.IntN(len(b))
		b[at] ^= 1 << rng.IntN(8)
		return fmt.Sprintf("bit of byte %d of %s", at, name), os.WriteFile(path, b, 0o600)
	}
}

func cutFile(_ *tamper, rng *rand.Rand, dir string) (string, error) {
	path := filepath.Join(dir, storeFile)
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	at := rng.Int64N(info.Size())
	return fmt.Sprintf("cut to %d of %d", at, info.Size()), os.Truncate(path, at)
}

func (ta *tamper) trial(t *testing.T, rng *rand.Rand, k kind) (what, end string) {
	t.Helper()
	dir := copyFolder(t, ta.now)
	defer os.RemoveAll(filepath.Dir(dir))
	ctx := context.Background()
	what, err := k.do(ta, rng, dir)
	if err != nil {
		t.Fatalf("%s: %s: %v", k.name, what, err)
	}
	ta.logs = &syncBuffer{}
	slog.SetDefault(slog.New(slog.NewTextHandler(ta.logs, nil)))
	h, err := openTest(dir, ta.clock, nil)
	if err != nil {
		return what, "start refused"
	}
	defer h.Close()
	failed := 0
	for _, n := range ta.charts {
		got, err := readChart(ctx, h, n)
		switch {
		case err != nil:
			failed++
			if errors.Is(err, journal.ErrDamaged) && !strings.Contains(ta.logs.String(), ta.public[n]) {
				t.Errorf("%s: no alert names the record", what)
			}
		case got != ta.truth[n]:
			return what, "WRONG"
		}
	}
	for id, want := range ta.accounts {
		a, err := h.identity.Accounts.Get(ctx, id)
		switch {
		case err != nil:
			failed++
		case fmt.Sprintf("%+v", a) != want:
			return what, "WRONG"
		}
	}
	byRow := strings.Contains(what, "identity_account") || strings.Contains(what, "journal_") && !strings.Contains(what, "journal_chart.kind")
	if failed > 2 && byRow {
		t.Errorf("%s: %d records and accounts fail", what, failed)
	}
	if failed > 0 {
		return what, "record fails"
	}
	vkey, err := audit.VKey(h.config.Log, h.vault.Secret("audit-signing"))
	if err != nil {
		t.Fatal(err)
	}
	rep, err := audit.Verify(ctx, h.db, vkey, filepath.Join(dir, anchorFile), chart.Sealer(h.journal))
	if err != nil || len(rep.Problems) > 0 || h.db.Check(ctx) != nil {
		return what, "verify finds"
	}
	return what, "harmless"
}
