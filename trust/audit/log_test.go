package audit

import (
	"bytes"
	"errors"
	"fmt"
	"github.com/wellgate/wellgate/store/storetest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/wellgate/wellgate/store"
)

func TestOf(t *testing.T) {
	b := newBench(t)
	for i := range 10 {
		b.durable(int64(i%2)+1, fmt.Sprint("entry ", i))
		b.sign(false) // moves it: entries of one pass stand together by chart
	}
	get := func(before int64, limit int) (got []int64) {
		list, err := b.log.Of(t.Context(), 2, before, limit)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range list {
			if s.Chart != 2 || string(s.Plain) != fmt.Sprint("entry ", s.Index) {
				t.Errorf("%d: chart %d, %q", s.Index, s.Chart, s.Plain)
			}
			got = append(got, s.Index)
		}
		return got
	}
	if diff := cmp.Diff([]int64{9, 7, 5}, get(0, 3)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int64{3, 1}, get(5, 3)); diff != "" {
		t.Error(diff)
	}
	if got := get(1, 3); got != nil {
		t.Error(got)
	}
}

// Each ends, although the log's first entry has the index that means "from the end".
func TestEachEnds(t *testing.T) {
	b := newBench(t)
	const n = 500 // one page exactly
	var list []Entry
	for range n {
		list = append(list, Entry{1, []byte("x")})
	}
	if err := b.log.Durable(t.Context(), list...); err != nil {
		t.Fatal(err)
	}
	next := int64(n)
	for s, err := range b.log.Each(t.Context(), 1) {
		if next--; err != nil || s.Index != next {
			t.Fatal(s.Index, next, err)
		}
	}
	if next != 0 {
		t.Errorf("stopped at %d", next)
	}
}

func TestOfUsesIndex(t *testing.T) {
	storetest.SQLiteOnly(t, "it speaks SQLite's own SQL")
	b := newBench(t)
	var plan []string
	rows, err := b.db.Query(t.Context(), `EXPLAIN QUERY PLAN `+blockColumns+`
		WHERE chart = $1 AND first < $2 ORDER BY first DESC LIMIT $3`, 1, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var a, c, d int
		var s string
		if err := rows.Scan(&a, &c, &d, &s); err != nil {
			t.Fatal(err)
		}
		plan = append(plan, s)
	}
	if s := strings.Join(plan, ";"); !strings.Contains(s, "audit_block_chart (chart=? AND first<?)") || strings.Contains(s, "TEMP") {
		t.Error(s)
	}
}

func TestClosed(t *testing.T) {
	b := newBench(t)
	b.durable(1, "x")
	log := b.log
	b.stop()
	if err := log.Durable(t.Context(), Entry{1, []byte("x")}); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if err := log.Close(); err != nil {
		t.Error(err)
	}
	b.openDB()
	b.start()
	if rep := b.sound(); rep.Entries != 1 || rep.Signed != 1 || rep.Anchors != 1 {
		t.Errorf("Close must sign and anchor: %+v", rep)
	}
}

// Checkpoints come each second while the tree grows, anchors each minute (AUD-03).
func TestSignsEachSecondAnchorsEachMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.log.Close()
		b.conf.Clock = func() time.Time { return time.Now() }
		log, err := Open(t.Context(), b.conf)
		if err != nil {
			t.Fatal(err)
		}
		b.log = log
		counts := func() [2]int64 {
			rep := b.verify(nil)
			return [2]int64{rep.Checkpoints, rep.Anchors}
		}
		check := func(want ...int64) {
			t.Helper()
			synctest.Wait()
			if got := counts(); got != [2]int64(want) {
				t.Errorf("checkpoints and anchors %v, want %v", got, want)
			}
		}
		time.Sleep(time.Second / 2)
		base := counts() // Close signed the empty tree
		b.durable(1, "a")
		check(base[0], base[1])
		time.Sleep(time.Second)
		check(base[0]+1, base[1]+1) // a start anchors with its first checkpoint
		time.Sleep(10 * time.Second)
		check(base[0]+1, base[1]+1)
		b.durable(1, "b")
		b.durable(1, "c")
		time.Sleep(time.Second)
		check(base[0]+2, base[1]+1)
		time.Sleep(time.Minute)
		check(base[0]+2, base[1]+2)
		time.Sleep(time.Hour)
		check(base[0]+2, base[1]+2)
		b.log.Close()
		b.log = nil
		b.db.Close()
	})
}

func TestErasedChart(t *testing.T) {
	b := newBench(t)
	b.fill(40, 4)
	list, err := b.log.Of(t.Context(), 3, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	receipt, err := b.log.Receipt(t.Context(), 3, list[0].Index)
	if err != nil {
		t.Fatal(err)
	}
	b.seal.gone[3] = true
	if list, err := b.log.Of(t.Context(), 3, 0, 10); len(list) != 0 || err != nil {
		t.Errorf("%d entries of an erased chart, %v", len(list), err)
	}
	if _, err := b.log.Receipt(t.Context(), 3, list[0].Index); !errors.Is(err, ErrErased) {
		t.Errorf("Receipt: %v", err)
	}
	if _, err := VerifyReceipt(receipt, b.log.PublicKey()); err != nil {
		t.Errorf("a receipt from before: %v", err)
	}
	if rep := b.sound(); rep.Erased != 10 || rep.Entries != 40 {
		t.Errorf("%+v", rep)
	}
}

func TestNothingInClear(t *testing.T) {
	storetest.SQLiteOnly(t, "it looks into the files")
	b := newFileBench(t)
	const canary = "canary-3f9c lives here"
	b.still(t)
	for range 20 {
		b.durable(1, canary)
	}
	segments, err := filepath.Glob(filepath.Join(b.file, "seg-*"))
	if err != nil || len(segments) == 0 {
		t.Fatal(segments, err)
	}
	look := append(segments, b.dbPath(), b.dbPath()+"-wal")
	b.moving()
	b.sign(true)
	for _, name := range append(look, b.anchor()) {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(data, []byte("canary")) {
			t.Errorf("%s holds an entry in clear", name)
		}
	}
}

// Equal entries must not be recognisable as equal, or a small set of possible entries could be tried.
func TestEqualEntriesHaveDifferentCommitments(t *testing.T) {
	b := newBench(t)
	b.durable(1, "same")
	b.durable(1, "same")
	list, err := b.log.Of(t.Context(), 1, 0, 9)
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	x := allBlocks(t, b.db)[0]
	if x.n != 2 || x.commitment(0) == x.commitment(1) {
		t.Error("equal commitments")
	}
}

func TestOpenRefusesBadConfig(t *testing.T) {
	b := newBench(t)
	good := b.conf
	b.log.Close()
	b.log = nil
	for name, spoil := range map[string]func(*Config){
		"no store": func(c *Config) { c.DB = nil }, "no sealer": func(c *Config) { c.Seal = nil },
		"no clock": func(c *Config) { c.Clock = nil }, "no key": func(c *Config) { c.Key = nil }, "short seed": func(c *Config) { c.Seed = seed[:31] },
		"no origin": func(c *Config) { c.Origin = "" }, "origin of two words": func(c *Config) { c.Origin = "a b" },
		"origin with plus": func(c *Config) { c.Origin = "a+b" },
	} {
		c := good
		spoil(&c)
		if log, err := Open(t.Context(), c); err == nil {
			log.Close()
			t.Errorf("%s: accepted", name)
		}
	}
}

// Everything at once; run with -race.
func TestTogether(t *testing.T) {
	t.Run("in the store", func(t *testing.T) { together(t, newBench(t)) })
	t.Run("in a file", func(t *testing.T) { together(t, newFileBench(t)) })
}

func together(t *testing.T, b *bench) {
	var work sync.WaitGroup
	stop := make(chan struct{})
	work.Go(func() { // a verification of a running log sees nothing wrong
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
			rep := b.verify(b.seal)
			if len(rep.Problems) > 0 && rep.Signed > 0 {
				t.Errorf("%q", rep.Problems)
			}
		}
	})
	var writers sync.WaitGroup
	for w := range int64(4) {
		writers.Go(func() {
			for i := range 60 {
				e := Entry{w, fmt.Append(nil, i)}
				switch {
				case i%3 == 0:
					b.durable(w, fmt.Sprint(i))
				default:
					undone := errors.New("undone")
					err := b.db.Write(t.Context(), func(tx *store.Tx) error {
						if err := b.log.Append(t.Context(), tx, e); err != nil {
							return err
						}
						if i%5 == 0 {
							return undone
						}
						return b.log.Append(t.Context(), tx, e)
					})
					if err != nil && err != undone {
						t.Error(err)
					}
				}
				if i%7 == 0 {
					b.sign(i%14 == 0)
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	work.Wait()
	b.sign(true)
	if rep := b.sound(); rep.Entries != 4*(20+2*32) {
		t.Errorf("%d entries", rep.Entries)
	}
}

// No code path changes or removes what is in the tree, nor a checkpoint that stays (AUD-05). Rows leave the inbox, the
// last tile of a level grows, checkpoints of each second are thinned.
func TestOnlyInserts(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	may := map[string]bool{"audit_inbox": true, "audit_recent": true, "audit_seen": true}
	sql := regexp.MustCompile(`(?i)\b(?:UPDATE\s+(\w+)\s+SET|DELETE\s+FROM\s+(\w+)|DROP\s+TABLE|TRUNCATE|REPLACE\s+INTO|O_TRUNC|os\.(?:Remove|Rename|Truncate))\b`)
	update := regexp.MustCompile(`(?is)INSERT INTO (\w+)[^;]{0,150}DO\s+UPDATE`)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		code, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range sql.FindAllStringSubmatch(string(code), -1) {
			if !may[m[1]+m[2]] {
				t.Errorf("%s: %q", name, m[0])
			}
		}
		for _, m := range update.FindAllStringSubmatch(string(code), -1) {
			if m[1] != "audit_tile" {
				t.Errorf("%s: %q", name, m[0])
			}
		}
	}
}
