package crash

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/wellgate/wellgate/internal/clock"
	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/identity"
	"github.com/wellgate/wellgate/trust/journal"
	"github.com/wellgate/wellgate/trust/policy"
	"github.com/wellgate/wellgate/trust/vault"
)

// stored is what lies in a practice's folder, read without the program.
type stored struct {
	versions map[string]int64  // comments that people wrote, by reference: how often each was stored
	writes   map[string]int64  // the same, as the audit log tells it
	texts    map[string]string // text of a comment → public id of its record
	devices  map[string]bool   // user agents of all entries
}

// openHouse opens the folder as the program does, with the base rules only: nobody but the system reads here.
func openHouse(t *testing.T, dir string) (*chart.House, *journal.Journal) {
	t.Helper()
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	root, err := vault.OpenRoot(filepath.Join(dir, "root.key"), nil)
	must(err)
	db, err := store.Open(ctx, "sqlite:"+filepath.Join(dir, "wellgate.db"))
	must(err)
	t.Cleanup(func() { db.Close() })
	v, err := vault.Open(ctx, db, root)
	must(err)
	j, err := journal.Open(ctx, db, v)
	must(err)
	rules, err := policy.New(nil)
	must(err)
	house, err := chart.New(ctx, chart.Config{DB: db, Vault: v, Journal: j, Policy: rules, Origin: origin(t, dir), Reads: filepath.Join(dir, "reads"), Clock: clock.System})
	must(err)
	return house, j
}

// learn finds the demo patients' public ids and their newest laboratory results.
func (h *harness) learn() {
	ctx := context.Background()
	house, j := openHouse(h.t, h.dir)
	defer func() { h.must(house.Close()) }()
	charts, err := j.Charts(ctx, journal.Patient)
	h.must(err)
	for _, num := range charts {
		if len(h.records) >= 60 {
			break
		}
		c := house.System(house.Begin(identity.Who{Account: "system:test", Kind: identity.System}, "test"), num)
		found, err := c.Search(ctx, "Observation", "category=laboratory&_sort=-date&_count=10")
		h.must(err)
		for _, e := range found {
			h.records = append(h.records, target{house.PublicID(num), e.ID()})
		}
	}
	slices.SortFunc(h.records, func(a, b target) int { return strings.Compare(a.public+a.result, b.public+b.result) })
}

var noteText = regexp.MustCompile(`Note [0-9x]+x ends here\.( Keep well\.)*`)

// readStore opens every record and every entry of the log.
func readStore(t *testing.T, dir string) stored {
	t.Helper()
	ctx := context.Background()
	house, j := openHouse(t, dir)
	defer house.Close()
	s := stored{versions: map[string]int64{}, writes: map[string]int64{}, texts: map[string]string{}, devices: map[string]bool{}}
	kinds := []journal.Kind{journal.Patient, journal.Directory, journal.Intake}
	for _, kind := range kinds {
		charts, err := j.Charts(ctx, kind)
		if err != nil {
			t.Fatal(err)
		}
		for _, num := range charts {
			s.effects(t, house, num)
			s.entries(t, house, num)
		}
	}
	return s
}

func (s *stored) effects(t *testing.T, house *chart.House, num int64) {
	t.Helper()
	c := house.System(house.Begin(identity.Who{Account: "system:test", Kind: identity.System}, "test"), num)
	found, err := c.Search(context.Background(), "ClinicalImpression", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range found {
		if !strings.HasPrefix(e.ID(), house.PublicID(num)+"-") { // came with the demo
			continue
		}
		s.versions[e.Ref()] = e.Version
		for _, m := range noteText.FindAllString(string(e.Raw()), -1) {
			s.texts[m] = house.PublicID(num)
		}
	}
}

func (s *stored) entries(t *testing.T, house *chart.House, num int64) {
	t.Helper()
	for e, err := range house.Audit().Each(context.Background(), num) {
		if err != nil {
			t.Fatal(err)
		}
		var l struct {
			Action, What, Device string
			Refs                 []string
		}
		if err := json.Unmarshal(bytes.TrimSpace(e.Plain), &l); err != nil {
			t.Fatal(err)
		}
		s.devices[l.Device] = true
		for _, ref := range l.Refs {
			if l.Action == "write" && l.What != "demo.fill" && strings.HasPrefix(ref, "ClinicalImpression/") {
				s.writes[ref]++
			}
		}
	}
}

// origin is the log's name, from practice.json.
func origin(t *testing.T, dir string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "practice.json"))
	if err != nil {
		t.Fatal(err)
	}
	var c struct{ Log string }
	if err := json.Unmarshal(b, &c); err != nil {
		t.Fatal(err)
	}
	return c.Log
}
