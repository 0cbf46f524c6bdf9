package chart

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/fhir/search"
	"github.com/wellgate/wellgate/trust/journal"
	"github.com/wellgate/wellgate/trust/policy"
)

var (
	// ErrNoMatch means that a conditional reference or a conditional delete names nothing that is there.
	ErrNoMatch = errors.New("chart: nothing matches")
	// ErrManyMatch means that a conditional reference or request matches more than one resource.
	ErrManyMatch = errors.New("chart: more than one matches")
	// ErrVersion means that ifMatch names another version than the stored one.
	ErrVersion = errors.New("chart: the stored version is another one")
)

// A Transaction is what a FHIR transaction Bundle asks for: entries that take effect together or not at all.
type Transaction struct {
	What    string       // verb of the audit entry and of the facts: "api.transaction"
	Entries []fhir.Entry // of fhir.ReadBundle, which checked requests against resources
	Intake  bool         // what is about an unknown patient goes to intake; else it is a *Nobody error
}

// A Done says what became of one entry. It is zero for GET and HEAD, which the door answers after the rest took effect.
type Done struct {
	Type, ID string
	Version  int64
	Status   int // 200 replaced, matched or as before; 201 created; 204 deleted, or not there
	Modified time.Time
}

// A BadEntry says which entry of a transaction was refused. The error behind it is one of ErrInvalid, ErrRefused,
// ErrNoMatch, ErrManyMatch, ErrVersion, policy.ErrDenied and *Nobody; none repeats content.
type BadEntry struct {
	Index int
	Err   error
}

func (e *BadEntry) Error() string { return fmt.Sprintf("entry[%d]: %v", e.Index, e.Err) }
func (e *BadEntry) Unwrap() error { return e.Err }

// Transact does what the entries ask, all or nothing: POST (with ifNoneExist), PUT and DELETE (by id, by search, with
// ifMatch). Created resources get ids of ours, which name their chart; entries may refer to each other by fullUrl, and to
// what is stored by search ("Practitioner?identifier=…").
//
// A new Patient makes a new chart. The practice's own people and places are shared: a create of one that the directory
// has already, by identifier and name, answers with that one and changes nothing (200). Writers of different patients
// run side by side; whoever loses a race for one chart is tried again here.
func (h *House) Transact(ctx context.Context, act *Act, t Transaction) ([]Done, error) {
	if act.Purpose == "" {
		act.Purpose = Operations
	}
	for n := range retries {
		defer h.queue(n)()
		x := transaction{Transaction: t, placement: placement{h: h, intake: t.Intake, charts: map[int64]*part{}}, act: act}
		err := x.run(ctx)
		if !errors.Is(err, journal.ErrConflict) {
			return x.done, err
		}
		for num, p := range x.charts {
			if p.draft == nil {
				h.lost(num)
			}
		}
	}
	return nil, ErrConflict
}

type transaction struct {
	Transaction
	placement
	act     *Act
	judge   judge
	at      time.Time
	done    []Done
	stays   []bool            // by entry: matched what is there, or passed over
	written map[string]bool   // "Type/id" of what was there, or has its id from outside
	matched map[string]string // searches that were answered: "Type?query" → id
}

func (x *transaction) run(ctx context.Context) (err error) {
	n := len(x.Entries)
	x.at = x.h.clock()
	x.judge = judge{h: x.h, act: x.act, ctx: policy.Context{Purpose: string(x.act.Purpose)}}
	x.names, x.matched, x.written = fhir.Targets(x.Entries), map[string]string{}, map[string]bool{}
	x.find = func(ctx context.Context, query string) (string, error) { return x.match(ctx, query, nil) }
	x.res, x.parts = make([]fhir.Resource, n), make([]*part, n)
	x.done, x.stays = make([]Done, n), make([]bool, n)
	defer func() {
		if err != nil {
			x.done = nil
		}
	}()
	if err := x.each(ctx, x.people, x.locate); err != nil {
		return err
	}
	if err := x.place(ctx); err != nil {
		return err
	}
	if err := x.each(ctx, x.identify, x.write); err != nil {
		return err
	}
	parts := x.all()
	if len(parts) == 0 {
		return nil
	}
	return x.h.commitAt(ctx, x.act, parts, deed{at: x.at, room: "records", what: x.What})
}

// each takes every entry through one step, then the next.
func (x *transaction) each(ctx context.Context, steps ...func(context.Context, int) error) error {
	for _, step := range steps {
		for i := range x.Entries {
			if err := step(ctx, i); err != nil {
				return &BadEntry{i, err}
			}
		}
	}
	return nil
}

// people decides first who is new: everything else belongs to somebody.
func (x *transaction) people(ctx context.Context, i int) error {
	e := &x.Entries[i]
	if e.Resource.Type() != "Patient" || e.Method != "POST" && e.Method != "PUT" {
		return nil
	}
	x.res[i] = e.Resource
	id := ""
	query := e.IfNoneExist
	if e.Method == "PUT" {
		_, query, _ = strings.Cut(e.URL, "?")
		id = e.Resource.ID()
	}
	if query != "" {
		found, err := x.match(ctx, "Patient?"+query, nil)
		if err != nil && !errors.Is(err, ErrNoMatch) {
			return err
		}
		if found != "" {
			id = found
			x.stays[i] = e.Method == "POST"
		}
	}
	var err error
	if id != "" {
		if x.parts[i], err = x.patient(ctx, id); err != nil {
			return err
		}
	}
	if x.parts[i] == nil {
		if x.parts[i], err = x.newborn(ctx); err != nil {
			return err
		}
		x.parts[i].unmatched = query
	}
	x.done[i].ID = id
	return nil
}

// locate prepares the other entries: what a DELETE names is found by its id, what is written is placed with the rest.
func (x *transaction) locate(ctx context.Context, i int) error {
	e := &x.Entries[i]
	switch e.Method {
	case "POST", "PUT":
		x.res[i] = e.Resource
		return nil
	case "GET", "HEAD":
		x.stays[i] = true
		return nil
	case "DELETE":
		return x.locateDeleted(ctx, i)
	}
	return fmt.Errorf("%w: %s is not done here", ErrInvalid, e.Method)
}

func (x *transaction) locateDeleted(ctx context.Context, i int) error {
	typ, id := splitRef(x.Entries[i].URL)
	if typ == "" {
		var query string
		typ, query, _ = strings.Cut(x.Entries[i].URL, "?")
		found, err := x.match(ctx, typ+"?"+query, nil)
		if err != nil && !errors.Is(err, ErrNoMatch) {
			return err
		}
		id = found
	}
	x.done[i] = Done{Type: typ, ID: id, Status: 204}
	if id == "" {
		return nil
	}
	num, ok, err := x.h.locate(ctx, typ, id)
	if err != nil || !ok {
		return err
	}
	x.parts[i], err = x.existing(ctx, num)
	return err
}

// identify gives every resource its id, now that its chart is known.
func (x *transaction) identify(ctx context.Context, i int) error {
	e, p, d := &x.Entries[i], x.parts[i], &x.done[i]
	if x.res[i].IsZero() || x.stays[i] && d.ID == "" {
		return nil
	}
	if p == nil {
		return fmt.Errorf("%w: it belongs to no record", ErrInvalid)
	}
	d.Type = x.res[i].Type()
	query := e.IfNoneExist
	if e.Method == "PUT" {
		if _, query, _ = strings.Cut(e.URL, "?"); query == "" {
			d.ID = e.Resource.ID()
		}
	}
	if d.ID == "" && query != "" && d.Type != "Patient" {
		found, err := x.match(ctx, d.Type+"?"+query, p)
		if err != nil && !errors.Is(err, ErrNoMatch) {
			return err
		}
		d.ID = found
		x.stays[i] = e.Method == "POST" && found != ""
	} else if d.ID == "" && p.record.kind == journal.Directory && e.Method == "POST" {
		if tw, ok := x.h.twins.find(ctx, p.record, x.res[i]); ok {
			*d, x.stays[i] = Done{d.Type, tw.id, tw.version, 200, tw.updated}, true
		}
	}
	if d.ID == "" && e.Method == "PUT" {
		d.ID = e.Resource.ID()
	}
	switch {
	case d.ID != "":
	case p.record.kind != journal.Patient: // the row that this becomes may follow others that are not there yet
		d.ID = x.h.newID(p.chart)
	default:
		d.ID = x.h.rowID(p.chart, p.record.seq+1, i)
		if p.record.get(d.Type, d.ID) != nil { // somebody gave a resource this id before its time
			d.ID = x.h.newID(p.chart)
		}
	}
	return nil
}

// write links one resource to the others, judges it, and plans what is stored.
func (x *transaction) write(ctx context.Context, i int) error {
	e, p, d := &x.Entries[i], x.parts[i], &x.done[i]
	if d.ID == "" || p == nil {
		return nil
	}
	old := p.record.get(d.Type, d.ID)
	if err := fits(e.IfMatch, old); err != nil {
		return err
	}
	if old != nil {
		d.Version, d.Modified, d.Status = old.Version, old.at(), 200
	}
	before := len(p.ops)
	switch {
	case e.Method == "DELETE":
		d.Status = 204
		if old == nil {
			return nil
		}
		if err := x.judge.remove(ctx, p, old); err != nil {
			return err
		}
	case x.stays[i]:
		return nil
	default:
		r, err := x.linked(ctx, i)
		if err != nil {
			return err
		}
		if e.IfMatch == "" { // who names the version has seen whose it is
			if err := samePerson(ctx, p.record, r); err != nil {
				return err
			}
		}
		put := x.judge.put
		if e.Method == "PUT" {
			put = x.judge.putAgain
		}
		if err := put(ctx, p, r); err != nil {
			return err
		}
	}
	if len(p.ops) == before {
		return nil // as it was
	}
	p.joins = (p.joins || before == 0) && e.Method == "POST" && old == nil && p.record.kind != journal.Patient
	o := &p.ops[before]
	if e.Method != "POST" || old != nil { // an id that was made for this entry is nobody else's
		ref := o.typ + "/" + o.id
		if x.written[ref] {
			return fmt.Errorf("%w: two entries change %s", ErrInvalid, ref)
		}
		x.written[ref] = true
	}
	d.Version, d.Modified = o.version, x.at
	if old == nil {
		d.Status = 201
	}
	return nil
}

// fits checks an ifMatch, W/"3".
func fits(want string, old *entry) error {
	if want == "" {
		return nil
	}
	version := strings.Trim(strings.TrimPrefix(want, "W/"), `"`)
	if old == nil || version != strconv.FormatInt(old.Version, 10) {
		return ErrVersion
	}
	return nil
}

// linked is entry i's resource with its own id and references that hold here. A record's resources stand in one piece of
// memory, which its warm version keeps; those of the practice's own charts do not hold on to it.
func (x *transaction) linked(ctx context.Context, i int) (r fhir.Resource, err error) {
	var failed error
	to := func(ref string) string {
		if k, here := x.names[ref]; here && x.done[k].ID != "" {
			return x.done[k].Type + "/" + x.done[k].ID
		}
		typ, _, conditional := strings.Cut(ref, "?")
		if !conditional || failed != nil || !fhir.KnownType(typ) {
			return ref
		}
		id, err := x.match(ctx, ref, x.parts[i])
		if err != nil {
			failed = fmt.Errorf("the reference to %s by search: %w", typ, err)
			return ref
		}
		return typ + "/" + id
	}
	p := x.parts[i]
	var room []byte
	if p.record.kind == journal.Patient {
		if p.room == nil {
			p.room = make([]byte, 0, x.size(p))
		}
		room = p.room
	}
	r, room, err = x.Entries[i].Linked(room, x.done[i].ID, to)
	if p.room != nil {
		p.room = room
	}
	return r, errors.Join(failed, err)
}

// size is about what a part's resources need once they are linked.
func (x *transaction) size(p *part) int {
	n := 0
	for i, r := range x.res {
		if x.parts[i] == p && !x.stays[i] {
			n += len(r.Raw()) + len(r.Raw())/16 + 48
		}
	}
	return n
}

// match finds the one resource that "Type?query" means: among patients by identifier, in the directory, or in the record
// that the asking entry belongs to.
func (x *transaction) match(ctx context.Context, ref string, p *part) (string, error) {
	typ, query, _ := strings.Cut(ref, "?")
	key := ref
	if p != nil && !fhir.InDirectory(typ) && typ != "Patient" {
		key = strconv.FormatInt(p.chart, 10) + " " + ref
	}
	if id, known := x.matched[key]; known {
		return id, nil
	}
	var refs []string
	var err error
	switch {
	case typ == "Patient":
		refs, err = x.h.matchPatient(ctx, x.act, query)
	case fhir.InDirectory(typ):
		refs, err = x.h.matchDirectory(ctx, x.act, typ, query)
	case p == nil:
		return "", fmt.Errorf("%w: %s is found by search inside one patient's record only", ErrInvalid, typ)
	default:
		refs, err = x.h.matchIn(ctx, x.act, p.chart, p.record, typ, query)
	}
	switch {
	case err != nil:
		return "", err
	case len(refs) == 0:
		return "", ErrNoMatch
	case len(refs) > 1:
		return "", ErrManyMatch
	}
	_, id := splitRef(refs[0])
	x.matched[key] = id
	return id, nil
}

// matchIn searches one record. What the asking person may not see matches nothing: a match would tell that it is there.
func (h *House) matchIn(ctx context.Context, act *Act, num int64, st *record, typ, query string) ([]string, error) {
	q, err := search.Parse(typ, query)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	var refs []string
	may := func(e *entry) bool {
		item := policy.Item{Chart: num, Kind: kindName(st.kind), Type: e.Type(), Labels: e.class.labels}
		return h.policy.Item(act.Who, policy.Read, item, policy.Context{Purpose: string(act.Purpose)}) == nil
	}
	found, err := st.matches(ctx, &q, may)
	if err != nil {
		return nil, err
	}
	for _, e := range found {
		refs = append(refs, e.Ref())
	}
	return refs, nil
}

func (h *House) matchDirectory(ctx context.Context, act *Act, typ, query string) ([]string, error) {
	st, err := h.load(ctx, h.directory)
	if err != nil {
		return nil, err
	}
	return h.matchIn(ctx, act, h.directory, st, typ, query)
}

// matchPatient finds patients by one identifier. Whoever may not read the Patient learns nothing.
func (h *House) matchPatient(ctx context.Context, act *Act, query string) ([]string, error) {
	system, value, err := identifierQuery(query)
	if err != nil {
		return nil, err
	}
	nums, err := h.journal.Pointed(ctx, h.db, "identifier", maxFound, system, value)
	if err != nil {
		return nil, err
	}
	var refs []string
	for _, n := range nums {
		st, err := h.load(ctx, n)
		if err != nil {
			return nil, err
		}
		for i := range st.shelf("Patient").entries {
			e := &st.shelf("Patient").entries[i]
			item := policy.Item{Chart: n, Kind: "patient", Type: "Patient", Labels: e.class.labels}
			if err := h.policy.Item(act.Who, policy.Read, item, policy.Context{Purpose: string(act.Purpose)}); err != nil {
				return nil, err
			}
			act.note(n, "find", e.Type(), e.id)
			refs = append(refs, e.Ref())
		}
	}
	return refs, nil
}

// identifierQuery reads "identifier=system|value"; without a system any counts.
func identifierQuery(query string) (system, value string, err error) {
	v, err := url.ParseQuery(query)
	if err != nil || len(v) != 1 || len(v["identifier"]) != 1 {
		return "", "", fmt.Errorf("%w: a patient is matched by identifier=system|value only", ErrInvalid)
	}
	system, value, ok := strings.Cut(v.Get("identifier"), "|")
	if !ok {
		system, value = "", system
	}
	return system, value, nil
}

// rowID is the id of the n-th resource of row seq of a chart: it names its chart, and no other row can hold it.
func (h *House) rowID(chart, seq int64, n int) string {
	return h.vault.PublicID(chart) + "-" + strconv.FormatInt(seq, 36) + "." + strconv.FormatInt(int64(n), 36)
}
