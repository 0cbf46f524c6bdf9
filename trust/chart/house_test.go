package chart_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/internal/clock"
	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/store/storetest"
	"github.com/wellgate/wellgate/trust/audit"
	. "github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/identity"
	"github.com/wellgate/wellgate/trust/journal"
	"github.com/wellgate/wellgate/trust/policy"
	"github.com/wellgate/wellgate/trust/vault"
)

// A place is a folder that houses open in, one after the other.
type place struct {
	dir   string
	url   string // of the store, if it is not the folder's
	guard map[string]Guard
	rules string
	now   time.Time
}

func newPlace(t *testing.T) *place {
	t.Helper()
	p := &place{dir: t.TempDir(), now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), rules: `
@id("test.clinicians-write") permit (principal is User, action == Action::"write", resource is Item)
when { principal.kind == "staff" && principal.role == "clinician" && context.opened };`}
	if _, err := vault.CreateRoot(filepath.Join(p.dir, "root.key"), nil); err != nil {
		t.Fatal(err)
	}
	return p
}

// An opened house with its parts, for tests that look beneath.
type opened struct {
	*House
	db      *store.DB
	journal *journal.Journal
	vault   *vault.Vault
	p       *place
}

func (p *place) open(t *testing.T) *opened {
	t.Helper()
	ctx := context.Background()
	root, err := vault.OpenRoot(filepath.Join(p.dir, "root.key"), nil)
	must(t, err)
	db, err := store.Open(ctx, cmp.Or(p.url, storetest.URL(t, filepath.Join(p.dir, "wellgate.db"))))
	must(t, err)
	v, err := vault.Open(ctx, db, root)
	must(t, err)
	clk := clock.Clock(func() time.Time { return p.now })
	j, err := journal.Open(ctx, db, v, journal.WithClock(clk))
	must(t, err)
	set, err := policy.New(map[string]string{"test": p.rules})
	must(t, err)
	h, err := New(ctx, Config{DB: db, Vault: v, Journal: j, Policy: set, Guards: p.guard, Origin: "test/log", Clock: clk,
		Anchor: filepath.Join(p.dir, "anchor.log")})
	must(t, err)
	o := &opened{h, db, j, v, p}
	t.Cleanup(func() { o.close() })
	return o
}

func (o *opened) close() {
	if o.db != nil {
		o.House.Close()
		o.db.Close()
		o.db = nil
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func parse(t *testing.T, s string) fhir.Resource {
	t.Helper()
	r, err := fhir.Parse([]byte(s))
	must(t, err)
	return r
}

var importer = identity.Who{Account: "system:test", Kind: identity.System, Name: "Test"}

func (o *opened) deliver(t *testing.T, rs ...fhir.Resource) Delivered {
	t.Helper()
	d, err := o.Deliver(context.Background(), o.Begin(importer, "test.deliver"), Delivery{What: "test", Resources: rs})
	must(t, err)
	return d
}

// ana and ben are two patients with a little to read.
func (o *opened) people(t *testing.T) (ana, ben identity.Who) {
	t.Helper()
	for i, name := range []string{"ana", "ben"} {
		o.deliver(t, parse(t, fmt.Sprintf(`{"resourceType":"Patient","id":"%s","name":[{"family":"Núñez-%d","given":["%s"]}],"birthDate":"198%d-05-12","identifier":[{"system":"urn:mrn","value":"MR-%d"}],"telecom":[{"system":"phone","value":"(608) 555-010%d"}]}`, name, i, name, i, i, i)),
			parse(t, lab(name+"-lab", name, "5.60")),
			parse(t, fmt.Sprintf(`{"resourceType":"Observation","id":"%s-hiv","status":"final","meta":{"security":[{"code":"HIV"}]},"code":{"text":"Screen"},"subject":{"reference":"Patient/%s"},"valueString":"secret"}`, name, name)))
	}
	who := func(id string) identity.Who {
		n, ok, err := o.PatientChart(context.Background(), id)
		if err != nil || !ok {
			t.Fatalf("no chart for %s: %v", id, err)
		}
		return identity.Who{Account: "acc-" + id, Kind: identity.Patient, Name: id, Chart: n, Session: "s-" + id}
	}
	return who("ana"), who("ben")
}

func lab(id, patient, value string) string {
	return fmt.Sprintf(`{"resourceType":"Observation","id":"%s","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}]}],"code":{"text":"Potassium"},"subject":{"reference":"Patient/%s"},"effectiveDateTime":"2026-11-20","valueQuantity":{"value":%s,"unit":"mmol/L"},"x-unknown":{"kept":1.10}}`, id, patient, value)
}

var doctor = identity.Who{Account: "dr", Kind: identity.Staff, Role: identity.Clinician, Name: "Dr Nair", Session: "s-dr"}

// enter opens who's page over a chart.
func (o *opened) enter(who identity.Who, frame string, chart int64) (*Chart, *Act, error) {
	act := o.Begin(who, "test.page")
	c, err := o.Enter(context.Background(), act, policy.Page{Name: "test.page", Room: "test", Frame: frame, Chart: chart})
	return c, act, err
}

// entries are the audit lines of a chart as the patient sees them, oldest first, the asking itself left out.
func (o *opened) entries(t *testing.T, patient identity.Who) []Look {
	t.Helper()
	c, _, err := o.enter(patient, "portal", patient.Chart)
	must(t, err)
	looks, err := c.Looked(context.Background(), 0, 1000)
	must(t, err)
	for i, j := 0, len(looks)-1; i < j; i, j = i+1, j-1 {
		looks[i], looks[j] = looks[j], looks[i]
	}
	return looks
}

func TestPatientReadsOwnRecordAndNobodyElses(t *testing.T) {
	ctx := context.Background()
	o := newPlace(t).open(t)
	ana, ben := o.people(t)
	c, act, err := o.enter(ana, "portal", ana.Chart)
	must(t, err)
	e, err := c.Get(ctx, "Observation", "ana-lab")
	must(t, err)
	if !strings.Contains(string(e.Raw()), `"value":5.60`) || !strings.Contains(string(e.Raw()), `"kept":1.10`) {
		t.Errorf("stored bytes were changed: %s", e.Raw())
	}
	if _, err := c.Get(ctx, "Observation", "ben-lab"); !errors.Is(err, ErrNotFound) {
		t.Errorf("another's resource through one's own chart: %v", err)
	}
	if _, _, err := o.enter(ana, "portal", ben.Chart); !errors.Is(err, policy.ErrDenied) {
		t.Errorf("another's chart opened: %v", err)
	}
	must(t, act.Release(ctx))
	looks := o.entries(t, ana)
	last := looks[len(looks)-1]
	if last.Who != "ana" || last.Action != "read" || len(last.Refs) != 1 || last.Refs[0] != "Observation/ana-lab" || !last.Self {
		t.Errorf("the reading left %+v", last)
	}
	refused := o.entries(t, ben)
	if l := refused[len(refused)-1]; l.Outcome != "refused" || l.Who != "ana" {
		t.Errorf("the refused attempt left %+v in the record it aimed at", l)
	}
}

func TestStaffNeedAReason(t *testing.T) {
	ctx := context.Background()
	o := newPlace(t).open(t)
	ana, ben := o.people(t)
	if _, _, err := o.enter(doctor, "desk", ana.Chart); !errors.Is(err, policy.ErrDenied) {
		t.Fatalf("entered without a reason: %v", err)
	}
	for _, empty := range []string{" a ", "", "    ", "....", "\u2060\u2060\u2060\u2060", "\u3164\u3164\u3164\u3164", "\u00ad\u00ad\u00ad\u00ad", "a\u0301\u0301\u0301"} {
		if err := o.OpenRecord(ctx, o.Begin(doctor, "desk.open"), ana.Chart, Treatment, empty); !errors.Is(err, ErrReason) {
			t.Fatalf("a reason of %q: %v", empty, err)
		}
	}
	must(t, o.OpenRecord(ctx, o.Begin(doctor, "desk.open"), ana.Chart, Treatment, "visit today"))
	c, act, err := o.enter(doctor, "desk", ana.Chart)
	must(t, err)
	if act.Reason != "visit today" || act.Purpose != Treatment {
		t.Errorf("the act forgot why: %+v", act)
	}
	if n, _ := c.Count(ctx, "Observation"); n != 2 {
		t.Errorf("the clinician sees %d observations, want both", n)
	}
	if _, _, err := o.enter(doctor, "desk", ben.Chart); err == nil {
		t.Error("a reason for one record opened another")
	}
	other := doctor
	other.Session = "s-other"
	if _, _, err := o.enter(other, "desk", ana.Chart); err == nil {
		t.Error("a reason in one session opened the record in another")
	}
	o.p.now = o.p.now.Add(9 * time.Hour)
	if _, _, err := o.enter(doctor, "desk", ana.Chart); err == nil {
		t.Error("the reason of this morning still opens the record")
	}
	hygienist := identity.Who{Account: "hy", Kind: identity.Staff, Role: identity.Hygienist, Name: "H", Session: "s-hy"}
	must(t, o.OpenRecord(ctx, o.Begin(hygienist, "desk.open"), ana.Chart, Treatment, "cleaning today"))
	c, _, err = o.enter(hygienist, "desk", ana.Chart)
	must(t, err)
	if _, err := c.Get(ctx, "Observation", "ana-hiv"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a restricted result answers the hygienist: %v", err)
	}
	if found, _ := c.Search(ctx, "Observation", "_count=1&_sort=_id"); len(found) != 1 || found[0].ID() != "ana-lab" {
		t.Errorf("search counted what may not be seen: %v", found)
	}
	if n, _ := c.Count(ctx, "Observation"); n != 1 {
		t.Errorf("the count tells of %d observations, want 1", n)
	}
}

func TestWriteGuardsAuditsAndNotifies(t *testing.T) {
	ctx := context.Background()
	p := newPlace(t)
	p.guard = map[string]Guard{"Observation": func(who identity.Who, old, new fhir.Resource) error {
		if who.Kind == identity.Staff && !old.IsZero() {
			return errors.New("a result is not edited")
		}
		return nil
	}}
	o := p.open(t)
	ana, _ := o.people(t)
	must(t, o.OpenRecord(ctx, o.Begin(doctor, "desk.open"), ana.Chart, Treatment, "visit today"))
	c, act, err := o.enter(doctor, "desk", ana.Chart)
	must(t, err)
	_, err = c.Get(ctx, "Observation", "ana-lab")
	must(t, err)
	before := len(o.entries(t, ana))
	note := func(id, text string) fhir.Resource {
		return parse(t, fmt.Sprintf(`{"resourceType":"Observation","id":"%s","status":"final","code":{"text":"%s"},"subject":{"reference":"Patient/ana"}}`, id, text))
	}
	id := c.NewID()
	must(t, c.Write(ctx, Change{Room: "test", What: "noted", Put: []fhir.Resource{note(id, "new")}}))
	looks := o.entries(t, ana)
	if len(looks) != before+1 {
		t.Fatalf("one write left %d entries", len(looks)-before)
	}
	l := looks[len(looks)-1]
	if l.Action != "write" || l.What != "noted" || l.Refs[0] != "Observation/"+id || l.Read[0] != "Observation/ana-lab" || l.Reason != "visit today" {
		t.Errorf("the write left %+v", l)
	}
	must(t, act.Release(ctx)) // what was read stands in the write's entry already
	if n := len(o.entries(t, ana)); n != before+1 {
		t.Errorf("releasing after the write added %d entries", n-before-1)
	}
	facts, err := o.Feed().After(ctx, 0, 1000)
	must(t, err)
	if f := facts[len(facts)-1]; f.What != "noted" || f.Ref != "Observation/"+id || f.Chart != ana.Chart {
		t.Errorf("the fact is %+v", f)
	}

	refuse := func(name string, r fhir.Resource, want error) {
		t.Helper()
		n := len(o.entries(t, ana))
		err := c.Write(ctx, Change{Room: "test", What: "noted", Put: []fhir.Resource{r}})
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
		if got := len(o.entries(t, ana)); got != n {
			t.Errorf("%s: a refused write left an entry of a change", name)
		}
	}
	refuse("guard", note("ana-lab", "overwritten"), ErrRefused)
	refuse("about another patient", parse(t, lab("x", "ben", "1")), ErrInvalid)
	refuse("about another server's patient", parse(t, `{"resourceType":"Observation","id":"y","status":"final","code":{"text":"z"},"subject":{"reference":"https://elsewhere.example/Patient/ana"}}`), ErrInvalid)
	refuse("about nobody", parse(t, `{"resourceType":"Observation","id":"y","status":"final","code":{"text":"z"}}`), ErrInvalid)
	refuse("unknown element", parse(t, `{"resourceType":"Observation","id":"y","status":"final","code":{"text":"z"},"subject":{"reference":"Patient/ana"},"nonesuch":1}`), ErrInvalid)
	refuse("an id that another record has", note("ben-lab", "moved"), ErrRefused)
	if err := c.Write(ctx, Change{What: "noted", Put: []fhir.Resource{note(c.NewID(), "a")}, If: map[string]int64{"Observation/" + id: 7}}); !errors.Is(err, ErrConflict) {
		t.Errorf("a stale version: %v", err)
	}
	own, _, err := o.enter(ana, "portal", ana.Chart)
	must(t, err)
	if err := own.Write(ctx, Change{What: "noted", Put: []fhir.Resource{note(own.NewID(), "mine")}}); !errors.Is(err, policy.ErrDenied) {
		t.Errorf("a patient wrote a result: %v", err)
	}
}

func TestDeliverIsIdempotentAndPlaces(t *testing.T) {
	ctx := context.Background()
	o := newPlace(t).open(t)
	rs := []fhir.Resource{
		parse(t, `{"resourceType":"Binary","id":"b1","contentType":"text/plain","data":"aGVsbG8="}`),
		parse(t, lab("l1", "p1", "4")),
		parse(t, `{"resourceType":"DocumentReference","id":"d1","status":"current","subject":{"reference":"Patient/p1"},"content":[{"attachment":{"url":"Binary/b1"}}]}`),
		parse(t, `{"resourceType":"Organization","id":"o1","name":"Lab"}`),
		parse(t, `{"resourceType":"Patient","id":"p1","name":[{"text":"P"}]}`),
	}
	if d := o.deliver(t, rs...); d != (Delivered{Created: 5, Patients: 1}) {
		t.Errorf("first delivery: %+v", d)
	}
	if d := o.deliver(t, rs...); d != (Delivered{Unchanged: 5}) {
		t.Errorf("second delivery: %+v", d)
	}
	if d := o.deliver(t, parse(t, lab("l1", "p1", "5"))); d != (Delivered{Updated: 1}) {
		t.Errorf("a changed result: %+v", d)
	}
	n, _, err := o.PatientChart(ctx, "p1")
	must(t, err)
	c := o.System(o.Begin(importer, "t"), n)
	e, err := c.Get(ctx, "Observation", "l1")
	must(t, err)
	if e.Version != 2 {
		t.Errorf("version %d after one change", e.Version)
	}
	if _, err := c.Get(ctx, "Binary", "b1"); err != nil {
		t.Errorf("the attachment is not with its record: %v", err)
	}
	if _, ok := c.Resolve(ctx, "Organization/o1"); !ok {
		t.Error("the organization is not in the directory")
	}
	var nobody *Nobody
	if _, err := o.Deliver(ctx, o.Begin(importer, "t"), Delivery{Resources: []fhir.Resource{parse(t, lab("l9", "stranger", "4"))}}); !errors.As(err, &nobody) {
		t.Errorf("a result about nobody known: %v", err)
	}
	// All or nothing: the bad one takes the good one with it.
	_, err = o.Deliver(ctx, o.Begin(importer, "t"), Delivery{Resources: []fhir.Resource{parse(t, lab("l2", "p1", "4")), parse(t, `{"resourceType":"Observation","id":"l3","status":"nonsense","code":{"text":"x"},"subject":{"reference":"Patient/p1"}}`)}})
	var bad *BadResource
	if !errors.As(err, &bad) || bad.Ref != "Observation/l3" {
		t.Errorf("an invalid resource: %v", err)
	}
	if _, err := c.Get(ctx, "Observation", "l2"); !errors.Is(err, ErrNotFound) {
		t.Error("half of a refused delivery was stored")
	}
	// The same id in two records is refused, not moved.
	_, err = o.Deliver(ctx, o.Begin(importer, "t"), Delivery{Resources: []fhir.Resource{parse(t, `{"resourceType":"Patient","id":"p2"}`), parse(t, lab("l1", "p2", "4"))}})
	if !errors.Is(err, ErrRefused) {
		t.Errorf("a result moved to another record: %v", err)
	}
}

func TestReopenAndHistoryBeyondASnapshot(t *testing.T) {
	ctx := context.Background()
	p := newPlace(t)
	o := p.open(t)
	ana, _ := o.people(t)
	for i := range 300 {
		o.deliver(t, parse(t, lab("ana-lab", "ana", fmt.Sprintf("%d.10", i))))
	}
	o.close() // waits for the snapshot
	o = p.open(t)
	c, _, err := o.enter(ana, "portal", ana.Chart)
	must(t, err)
	e, err := c.Get(ctx, "Observation", "ana-lab")
	must(t, err)
	if e.Version != 301 || !strings.Contains(string(e.Raw()), "299.10") {
		t.Errorf("after reopening: version %d, %s", e.Version, e.Raw())
	}
	snap, rows, err := o.journal.Load(ctx, ana.Chart)
	must(t, err)
	if snap == nil || len(rows) > 60 {
		t.Errorf("no snapshot bounds the load: %v, %d rows after it", snap != nil, len(rows))
	}
	if n, _ := c.Count(ctx, "Observation"); n != 2 {
		t.Errorf("%d observations after the snapshot", n)
	}
}

func TestLargeBinaryIsAFileAndComesBackWhole(t *testing.T) {
	ctx := context.Background()
	p := newPlace(t)
	o := p.open(t)
	ana, _ := o.people(t)
	data := strings.Repeat("QUJD", 40_000)
	bin := parse(t, `{"resourceType":"Binary","id":"scan","contentType":"image/png","data":"`+data+`","x":1}`)
	doc := parse(t, `{"resourceType":"DocumentReference","id":"doc","status":"current","subject":{"reference":"Patient/ana"},"content":[{"attachment":{"url":"Binary/scan"}}]}`)
	o.deliver(t, bin, doc)
	if d := o.deliver(t, bin, doc); d.Unchanged != 2 {
		t.Errorf("the same file again: %+v", d)
	}
	c, _, err := o.enter(ana, "portal", ana.Chart)
	must(t, err)
	e, err := c.Get(ctx, "Binary", "scan")
	must(t, err)
	if string(e.Raw()) != string(bin.Raw()) {
		t.Error("the Binary did not come back byte for byte")
	}
	typ, size, r, err := c.File(ctx, "Binary/scan")
	must(t, err)
	r.Close()
	if typ != "image/png" || size != 120_000 {
		t.Errorf("file: %s, %d bytes", typ, size)
	}
}

func TestFindTakesTwoIdentifiers(t *testing.T) {
	ctx := context.Background()
	o := newPlace(t).open(t)
	ana, _ := o.people(t)
	find := func(ids ...Identifier) (int, error) {
		cs, err := o.Find(ctx, o.Begin(doctor, "desk.find"), ids)
		return len(cs), err
	}
	for _, c := range []struct {
		name string
		ids  []Identifier
		n    int
		err  error
	}{
		{"name and birthday", []Identifier{{"family", "nunez 0"}, {"born", "1980-05-12"}}, 1, nil},
		{"number and phone", []Identifier{{"number", "mr0"}, {"phone", "+1 608 555 0100"}}, 1, nil},
		{"three that fit", []Identifier{{"family", "Núñez-0"}, {"born", "1980-05-12"}, {"given", "ANA"}}, 1, nil},
		{"three of which one does not fit", []Identifier{{"family", "Núñez-0"}, {"born", "1980-05-12"}, {"given", "ben"}}, 0, nil},
		{"birthday of another", []Identifier{{"family", "nunez0"}, {"born", "1981-05-12"}}, 0, nil},
		{"one alone", []Identifier{{"born", "1980-05-12"}}, 0, ErrTwo},
		{"both names", []Identifier{{"family", "nunez0"}, {"given", "ana"}}, 0, ErrTwo},
		{"nothing", nil, 0, ErrTwo},
		{"a wildcard", []Identifier{{"family", "%"}, {"born", "1980-05-12"}}, 0, ErrTwo},
	} {
		if n, err := find(c.ids...); n != c.n || !errors.Is(err, c.err) {
			t.Errorf("%s: %d found, %v; want %d, %v", c.name, n, err, c.n, c.err)
		}
	}
	// Who tries names until one fits leaves a trace, though nobody was found; what was tried is nowhere in it.
	dir, _, err := o.journal.Claimed(ctx, o.db, "house", fmt.Sprint(journal.Directory))
	must(t, err)
	size := func() int {
		stored, err := o.Audit().Of(ctx, dir, 0, 1000)
		must(t, err)
		return len(stored)
	}
	before := size()
	act := o.Begin(doctor, "desk.find")
	if cs, err := o.Find(ctx, act, []Identifier{{"family", "Nobody"}, {"born", "1990-01-01"}}); err != nil || len(cs) != 0 {
		t.Fatal(cs, err)
	}
	must(t, act.Release(ctx))
	stored, err := o.Audit().Of(ctx, dir, 0, 1)
	must(t, err)
	if n := size() - before; n != 1 || !strings.Contains(string(stored[0].Plain), `"find"`) || strings.Contains(string(stored[0].Plain), "Nobody") {
		t.Errorf("a search that found nobody left %d entries, the last %s", n, stored[0].Plain)
	}
	if _, err := o.Find(ctx, o.Begin(ana, "desk.find"), []Identifier{{"family", "nunez0"}, {"born", "1980-05-12"}}); !errors.Is(err, policy.ErrDenied) {
		t.Errorf("a patient looked up people: %v", err)
	}
}

func TestExportNeedsAFreshProof(t *testing.T) {
	ctx := context.Background()
	o := newPlace(t).open(t)
	ana, _ := o.people(t)
	count := func() int {
		c, _, err := o.enter(ana, "portal", ana.Chart)
		must(t, err)
		n := 0
		for _, err := range c.All(ctx) {
			must(t, err)
			n++
		}
		return n
	}
	if n := count(); n != 0 {
		t.Errorf("%d resources left without a proof", n)
	}
	ana.Proved = o.p.now.Add(-6 * time.Minute)
	if n := count(); n != 0 {
		t.Errorf("%d resources left on an old proof", n)
	}
	ana.Proved = o.p.now.Add(-4 * time.Minute)
	if n := count(); n != 3 {
		t.Errorf("%d resources with a fresh proof, want 3", n)
	}
}

// A store that was swapped for an older copy of itself is refused: its log ends before the anchor.
func TestOlderCopyIsRefused(t *testing.T) {
	storetest.SQLiteOnly(t, "it puts a file back")
	p := newPlace(t)
	o := p.open(t)
	o.people(t)
	o.close()
	saved := copyFile(t, filepath.Join(p.dir, "wellgate.db"))
	p.now = p.now.Add(2 * time.Minute)
	o = p.open(t)
	o.deliver(t, parse(t, lab("more", "ana", "4")))
	o.close()
	restore(t, saved, filepath.Join(p.dir, "wellgate.db"))
	root, err := vault.OpenRoot(filepath.Join(p.dir, "root.key"), nil)
	must(t, err)
	db, err := store.Open(context.Background(), "sqlite:"+filepath.Join(p.dir, "wellgate.db"))
	must(t, err)
	defer db.Close()
	v, err := vault.Open(context.Background(), db, root)
	must(t, err)
	j, err := journal.Open(context.Background(), db, v)
	must(t, err)
	set, err := policy.New(nil)
	must(t, err)
	_, err = New(context.Background(), Config{DB: db, Vault: v, Journal: j, Policy: set, Origin: "test/log", Clock: clock.At(p.now), Anchor: filepath.Join(p.dir, "anchor.log")})
	if !errors.Is(err, audit.ErrTampered) {
		t.Fatalf("an older copy of the store opened: %v", err)
	}
}

func TestMain(m *testing.M) { os.Exit(storetest.OnBoth(m).Run()) }
