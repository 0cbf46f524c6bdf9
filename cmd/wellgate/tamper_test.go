package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wellgate/wellgate/fhir"
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
	trials, seed := envNumber("TAMPER_TRIALS", 130), envNumber("TAMPER_SEED", 1)
	ta := newTamper(t)
	var mu sync.Mutex
	counts := map[string]map[string]int{}
	t.Run("trials", func(t *testing.T) {
		const side = 2
		for part := range side {
			t.Run(strconv.Itoa(part), func(t *testing.T) {
				t.Parallel()
				dir := filepath.Join(t.TempDir(), "practice")
				for n := part; n < trials; n += side {
					rng := rand.New(rand.NewPCG(uint64(seed), uint64(n)))
					k := kinds[n%len(kinds)]
					what, end := ta.trial(t, rng, k, dir)
					mu.Lock()
					if counts[k.name] == nil {
						counts[k.name] = map[string]int{}
					}
					counts[k.name][end]++
					mu.Unlock()
					if end == "WRONG" {
						t.Errorf("seed %d, trial %d: %s: %s: wrong data was shown", seed, n, k.name, what)
					}
				}
			})
		}
	})
	ends := []string{"start refused", "record fails", "other fails", "verify finds", "harmless", "newest fact gone", "WRONG"}
	t.Logf("%-34s %s", fmt.Sprintf("%d trials, seed %d", trials, seed), strings.Join(ends, " | "))
	for _, k := range kinds {
		line := fmt.Sprintf("%-34s", k.name)
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

// A tamper holds a practice, an older copy of it, and what everything must read as.
type tamper struct {
	now, old, live folder // closed; closed, some time ago; with its newest writes in the write-ahead log alone
	oldDir         string
	clock          func() time.Time
	charts         []int64
	public         map[int64]string
	truth          map[int64]string  // of each chart
	accounts       map[string]string // of each account
	others         map[string]string // sessions, openings, look-ups, facts: by what is asked
	tokens         map[string]string // of sessions, by user
}

// A folder is a practice as it lies on disk, in memory.
type folder map[string][]byte

func readFolder(t *testing.T, dir string) folder {
	t.Helper()
	f := folder{}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err == nil {
			f[rel], err = os.ReadFile(p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// restore makes dir what f is.
func (f folder) restore(dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	for rel, b := range f {
		path := filepath.Join(dir, rel)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func newTamper(t *testing.T) *tamper {
	w := newWorld(t)
	ta := &tamper{public: map[int64]string{}, truth: map[int64]string{}, accounts: map[string]string{}, tokens: map[string]string{}, clock: w.clock}
	was := slog.Default()
	slog.SetDefault(slog.New(slog.DiscardHandler))
	t.Cleanup(func() { slog.SetDefault(was) })
	ctx := t.Context()
	w.must(w.h.charts.Audit().Settle(ctx))
	for _, name := range []string{"amina", "miguel", "clinician"} {
		w.as(name)
	}
	w.opens("clinician", "amina", "TREAT")
	ta.old = w.still()
	ta.oldDir = filepath.Join(t.TempDir(), "old")
	w.must(ta.old.restore(ta.oldDir))
	w.opens("clinician", "miguel", "TREAT")
	for i, name := range []string{"amina", "miguel"} {
		w.must(w.h.deliverJSON(ctx, "Patient/"+w.first(name, "Patient", ""), fmt.Sprintf(`{"resourceType":"Observation","id":"late-%d","status":"final","code":{"text":"Late"},"subject":{"reference":"Patient/me"},"effectiveDateTime":"2026-11-01","valueString":"late"}`, i)))
		w.must(w.h.identity.Passwords.Set(ctx, w.users[name].account.ID, madeUpPassword())) // after the older copy
	}
	for name, u := range w.users {
		if u.browser == nil {
			continue
		}
		for _, value := range u.browser.cookies {
			if who, err := w.h.identity.Sessions.Check(ctx, value); err == nil && who.Account == u.account.ID {
				ta.tokens[name] = value
			}
		}
	}
	if len(ta.tokens) < 3 {
		t.Fatalf("sessions of %d people", len(ta.tokens))
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
		ta.accounts[a.ID], err = readAccount(ctx, w.h, a.ID)
		w.must(err)
	}
	var errs map[string]error
	ta.others, errs = ta.readOthers(ctx, w.h)
	for what, err := range errs {
		t.Fatal(what, err)
	}
	ta.live = w.still()
	w.close()
	ta.now = readFolder(t, w.dir)
	ta.live[anchorFile] = ta.now[anchorFile] // of the same tree
	for name, f := range map[string]folder{"now": ta.now, "live": ta.live} {
		dir := filepath.Join(t.TempDir(), name)
		if what, end := ta.look(t, f, dir); end != "harmless" {
			t.Fatalf("untouched, %s: %s: %s", name, what, end)
		}
	}
	if len(ta.live[storeFile+"-wal"]) == 0 {
		t.Fatal("the write-ahead log is empty")
	}
	return ta
}

// still is the practice's folder while it is open and nothing is written.
func (w *world) still() folder {
	w.t.Helper()
	_, err := w.h.charts.Audit().Checkpoint(context.Background())
	w.must(err)
	return readFolder(w.t.(*testing.T), w.dir)
}

// readAccount reads what others may know of an account, and its factors.
func readAccount(ctx context.Context, h *house, id string) (string, error) {
	a, err := h.identity.Accounts.Get(ctx, id)
	if err != nil {
		return "", err
	}
	f, err := h.identity.Accounts.Factors(ctx, id)
	return fmt.Sprintf("%+v %+v", a, f), err
}

// readOthers reads what is neither a record nor an account: each is a question with its answer.
func (ta *tamper) readOthers(ctx context.Context, h *house) (map[string]string, map[string]error) {
	out, errs := map[string]string{}, map[string]error{}
	put := func(what, got string, err error) {
		if out[what] = got; err != nil {
			errs[what] = err
		}
	}
	for name, token := range ta.tokens {
		who, err := h.identity.Sessions.Check(ctx, token)
		put("session of "+name, fmt.Sprintf("%+v", who), err)
		if err == nil && who.Chart == 0 {
			open, err := h.charts.Openings(ctx, who.Session)
			slices.SortFunc(open, func(a, b chart.Opening) int { return cmp.Compare(a.Chart, b.Chart) })
			put("openings of "+name, fmt.Sprintf("%+v", open), err)
		}
	}
	accounts, err := h.identity.Accounts.List(ctx, "")
	for _, a := range accounts {
		by, err := h.identity.Accounts.ByLogin(ctx, a.Login)
		put("login of "+a.ID, by.ID, err)
		if a.Chart != 0 {
			by, err = h.identity.Accounts.ByChart(ctx, a.Chart)
			put("chart of "+a.ID, by.ID, err)
		}
	}
	put("accounts", fmt.Sprint(len(accounts)), err)
	facts, err := h.charts.Feed().After(ctx, 0, 100_000)
	put("facts", fmt.Sprintf("%+v", facts), err)
	for _, n := range ta.charts {
		act := h.charts.Begin(system("test"), "test")
		p, err := h.charts.System(act, n).Patient(ctx)
		if err != nil {
			continue // that is the record's failing
		}
		for i, id := range fhir.Into[fhir.Patient](p).Identifier {
			found, err := h.charts.Matching(ctx, act, "Patient", "identifier="+id.System+"|"+id.Value)
			put(fmt.Sprintf("identifier %d of record %d", i, n), fmt.Sprint(found), err)
		}
	}
	return out, errs
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
	"identity_lookup", "identity_session", "identity_key", "chart_opening", "feed_fact", "vault_secret", "audit_block", "audit_tile", "audit_checkpoint",
	"audit_recent", "audit_seen", "audit_inbox"}

var kinds = []kind{
	{"bit in a stored value", onRow(flipValue)},
	{"row deleted", onRow(deleteRow)},
	{"value cut short", onRow(cutValue)},
	{"values of rows swapped", onRow(swapValues)},
	{"row put back from a copy", onRow(oldRow)},
	{"row moved to another place", onRow(moveRow)},
	{"row put in twice", onRow(doubleRow)},
	{"keys of two records swapped", swapKeys},
	{"account put back from a copy", putBackAccount},
	{"record put back from a copy", putBackRecord},
	{"bit in the write-ahead log", flipFile(storeFile + "-wal")},
	{"write-ahead log cut short", cutFile(storeFile + "-wal")},
	{"write-ahead log of an older copy", oldLog},
	{"bit in the database file", flipFile(storeFile)},
	{"bit in the anchor file", flipFile(anchorFile)},
	{"bit in the key file", flipFile(keyFile)},
	{"database file cut short", cutFile(storeFile)},
	{"bit in a backup copy", flipBackup},
	{"whole store put back", func(ta *tamper, _ *rand.Rand, dir string) (string, error) {
		var err error
		for _, name := range []string{storeFile, storeFile + "-wal"} {
			os.Remove(filepath.Join(dir, name))
			if b, ok := ta.old[name]; ok && err == nil {
				err = os.WriteFile(filepath.Join(dir, name), b, 0o600)
			}
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
	old, err := store.Open(ctx, "sqlite:"+filepath.Join(ta.oldDir, storeFile))
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
	old, err := store.Open(ctx, "sqlite:"+filepath.Join(ta.oldDir, storeFile))
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

func cutFile(name string) func(*tamper, *rand.Rand, string) (string, error) {
	return func(_ *tamper, rng *rand.Rand, dir string) (string, error) {
		path := filepath.Join(dir, name)
		info, err := os.Stat(path)
		if err != nil || info.Size() == 0 {
			return "", err
		}
		at := rng.Int64N(info.Size())
		return fmt.Sprintf("%s cut to %d of %d", name, at, info.Size()), os.Truncate(path, at)
	}
}

// oldLog puts the write-ahead log of the older copy beside the newer database.
func oldLog(ta *tamper, _ *rand.Rand, dir string) (string, error) {
	return "older write-ahead log", os.WriteFile(filepath.Join(dir, storeFile+"-wal"), ta.old[storeFile+"-wal"], 0o600)
}

// flipBackup makes a backup copy as the operator's tool does, flips a bit of it and restores it.
func flipBackup(ta *tamper, rng *rand.Rand, dir string) (string, error) {
	ctx := context.Background()
	db, err := store.Open(ctx, "sqlite:"+filepath.Join(dir, storeFile))
	if err != nil {
		return "", err
	}
	if err := db.Close(); err != nil { // everything is in the one file now
		return "", err
	}
	return flipFile(storeFile)(ta, rng, dir)
}

// moveRow gives a row the number of a row that is not there, or of another chart.
func moveRow(ctx context.Context, ta *tamper, tx *store.Tx, rng *rand.Rand, at target) error {
	columns, err := columnsOf(ctx, tx, at.table)
	if err != nil {
		return err
	}
	at.column = columns[0]
	if slices.Contains(columns, "chart") {
		at.column = "chart"
		return set(ctx, tx, at, ta.charts[rng.IntN(len(ta.charts))])
	}
	err = tx.QueryRow(ctx, fmt.Sprintf("SELECT %s FROM %s WHERE rowid = $1", at.column, at.table), at.row).Scan(&at.value)
	if err != nil {
		return err
	}
	return flipValue(ctx, ta, tx, rng, at)
}

// doubleRow puts a copy of a row in, under another first column.
func doubleRow(ctx context.Context, ta *tamper, tx *store.Tx, rng *rand.Rand, at target) error {
	columns, err := columnsOf(ctx, tx, at.table)
	if err != nil {
		return err
	}
	values, into, marks := make([]any, len(columns)), make([]any, len(columns)), make([]string, len(columns))
	for i := range values {
		into[i], marks[i] = &values[i], fmt.Sprintf("$%d", i+1)
	}
	if err := tx.QueryRow(ctx, "SELECT "+strings.Join(columns, ", ")+" FROM "+at.table+" WHERE rowid = $1", at.row).Scan(into...); err != nil {
		return err
	}
	switch v := values[0].(type) {
	case int64:
		values[0] = v + 1 + rng.Int64N(1000)
	case string:
		values[0] = v + "x"
	case []byte:
		values[0] = append(bytes.Clone(v), 1)
	}
	_, err = tx.Exec(ctx, "INSERT INTO "+at.table+" ("+strings.Join(columns, ", ")+") VALUES ("+strings.Join(marks, ", ")+")", values...)
	return err
}

// swapKeys exchanges the wrapped keys of two records.
func swapKeys(ta *tamper, rng *rand.Rand, dir string) (string, error) {
	ctx := context.Background()
	db, err := store.Open(ctx, "sqlite:"+filepath.Join(dir, storeFile))
	if err != nil {
		return "", err
	}
	defer db.Close()
	a := rng.IntN(len(ta.charts))
	b := (a + 1 + rng.IntN(len(ta.charts)-1)) % len(ta.charts)
	return fmt.Sprintf("keys of %d and %d", ta.charts[a], ta.charts[b]), db.Write(ctx, func(tx *store.Tx) error {
		var one, two []byte
		if err := tx.QueryRow(ctx, "SELECT wrapped FROM journal_chart WHERE chart = $1", ta.charts[a]).Scan(&one); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, "SELECT wrapped FROM journal_chart WHERE chart = $1", ta.charts[b]).Scan(&two); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE journal_chart SET wrapped = $1 WHERE chart = $2", two, ta.charts[a]); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "UPDATE journal_chart SET wrapped = $1 WHERE chart = $2", one, ta.charts[b])
		return err
	})
}

// putBackAccount puts an account back to before its password was changed: whole, and sound in itself.
func putBackAccount(ta *tamper, rng *rand.Rand, dir string) (string, error) {
	ctx := context.Background()
	old, err := store.Open(ctx, "sqlite:"+filepath.Join(ta.oldDir, storeFile))
	if err != nil {
		return "", err
	}
	defer old.Close()
	db, err := store.Open(ctx, "sqlite:"+filepath.Join(dir, storeFile))
	if err != nil {
		return "", err
	}
	defer db.Close()
	ids := slices.Sorted(maps.Keys(ta.accounts))
	id := ids[rng.IntN(len(ids))]
	var wrapped, sealed []byte
	var version int64
	if err := old.QueryRow(ctx, "SELECT wrapped, sealed, version FROM identity_account WHERE id = $1", id).Scan(&wrapped, &sealed, &version); err != nil {
		return "", err
	}
	return "account " + id + " put back", db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE identity_account SET wrapped = $1, sealed = $2, version = $3 WHERE id = $4", wrapped, sealed, version, id)
		return err
	})
}

// trial makes the practice anew in dir, changes it and looks at it.
func (ta *tamper) trial(t *testing.T, rng *rand.Rand, k kind, dir string) (what, end string) {
	t.Helper()
	from := ta.now
	if strings.Contains(k.name, "write-ahead") {
		from = ta.live
	}
	if err := from.restore(dir); err != nil {
		t.Fatal(err)
	}
	what, err := k.do(ta, rng, dir)
	if err != nil {
		t.Fatalf("%s: %s: %v", k.name, what, err)
	}
	return what, ta.judge(t, what, dir)
}

// look is what becomes of an untouched practice.
func (ta *tamper) look(t *testing.T, f folder, dir string) (what, end string) {
	t.Helper()
	if err := f.restore(dir); err != nil {
		t.Fatal(err)
	}
	return "nothing", ta.judge(t, "nothing", dir)
}

// judge opens the practice in dir and reads everything.
func (ta *tamper) judge(t *testing.T, what, dir string) (end string) {
	t.Helper()
	ctx := context.Background()
	var mu sync.Mutex
	alarms := map[string]bool{}
	h, err := openTestWith(opening{dir: dir, clock: ta.clock, alarm: func(record string, _ error) {
		mu.Lock()
		defer mu.Unlock()
		alarms[record] = true
	}}, nil)
	if err != nil {
		return "start refused"
	}
	defer h.Close()
	failed := 0
	for _, n := range ta.charts {
		got, err := readChart(ctx, h, n)
		mu.Lock()
		told := alarms[ta.public[n]]
		mu.Unlock()
		switch {
		case err != nil:
			if failed++; errors.Is(err, journal.ErrDamaged) && !told {
				t.Errorf("%s: no alert names the record", what)
			}
		case got != ta.truth[n]:
			return "WRONG"
		}
	}
	for id, want := range ta.accounts {
		got, err := readAccount(ctx, h, id)
		switch {
		case err != nil:
			failed++
		case got != want:
			return "WRONG"
		}
	}
	byRow := strings.Contains(what, "identity_account") || strings.Contains(what, "journal_") && !strings.Contains(what, "journal_chart.kind")
	if strings.HasPrefix(what, "journal_chart.") && (strings.HasSuffix(what, " of row 1") || strings.HasSuffix(what, " of row 2")) {
		byRow = false // the practice's own records: what stands on them fails with them
	}
	if failed > 2 && byRow {
		t.Errorf("%s: %d records and accounts fail", what, failed)
	}
	got, errs := ta.readOthers(ctx, h)
	others := len(errs)
	for what, want := range ta.others {
		if _, asked := got[what]; !asked || errs[what] != nil {
			others++ // its record or account fails, or it says so
		} else if got[what] != want {
			if what == "facts" && failed == 0 && strings.HasPrefix(want, strings.TrimSuffix(got[what], "]")) {
				return "newest fact gone"
			}
			if lost(what, got[what], want) || failed > 0 && fewer(what, got[what], want) {
				others++
				continue
			}
			t.Logf("%s is %q, not %q", what, got[what], want)
			return "WRONG"
		}
	}
	if failed > 0 {
		return "record fails"
	}
	if others > 0 {
		return "other fails"
	}
	vkey, err := audit.VKey(h.config.Log, h.vault.Secret("audit-signing"))
	if err != nil {
		t.Fatal(err)
	}
	rep, err := audit.Verify(ctx, h.db, vkey, filepath.Join(dir, anchorFile), chart.Sealer(h.journal))
	if err != nil || len(rep.Problems) > 0 || h.db.Check(ctx) != nil {
		if what == "nothing" {
			t.Log(err, rep.Problems)
		}
		return "verify finds"
	}
	return "harmless"
}

// fewer says whether what is missing is what a failing account or record was part of.
func fewer(what, got, want string) bool {
	switch what {
	case "accounts":
		return len(got) < len(want) || got < want
	case "facts": // a record that says it was erased takes its facts along
		for f := range strings.SplitSeq(strings.Trim(got, "[]"), "} {") {
			if !strings.Contains(want, strings.Trim(f, "{}")) {
				return false
			}
		}
		return true
	}
	return false
}

// lost says whether an answer is less than it was and lets nobody further in: a permission or a way to find somebody that is
// gone, so that it must be asked for again.
func lost(what, got, want string) bool {
	switch {
	case strings.HasPrefix(what, "openings"): // fewer: each that is left is one that was
		for o := range strings.SplitSeq(strings.Trim(got, "[]"), "} {") {
			if !strings.Contains(want, strings.Trim(o, "{}")) {
				return false
			}
		}
		return true
	case strings.HasPrefix(what, "identifier"):
		return got == "[]"
	}
	return false
}
