package chart

import (
	"context"
	"crypto/rand"
	"embed"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/wellgate/wellgate/feed"
	"github.com/wellgate/wellgate/internal/clock"
	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/trust/audit"
	"github.com/wellgate/wellgate/trust/identity"
	"github.com/wellgate/wellgate/trust/journal"
	"github.com/wellgate/wellgate/trust/policy"
	"github.com/wellgate/wellgate/trust/vault"
)

//go:embed schema/*.sql
var schema embed.FS

// Config is what a House stands on.
type Config struct {
	DB      *store.DB
	Vault   *vault.Vault
	Journal *journal.Journal
	Policy  *policy.Set
	Guards  map[string]Guard // by resource type: the rule of the room that owns it
	Origin  string           // audit log origin
	Anchor  string           // audit anchor file; "" for none
	Reads   string           // folder of the audit's file of reads, on SQLite; "" notes reads in the store
	Clock   clock.Clock
	// Witnesses sign the audit log's checkpoints, and are asked at most so often.
	Witnesses    []audit.Witness
	WitnessEvery time.Duration

	Alarm func(record string, err error) // told of each record found changed, by its public id; nil for nobody
	Fork  func(what string)              // told when a witness has proof of another history of the audit log; nil for nobody
	Cache int64                          // bytes of warm records; 0 = 256 MiB
}

// A House is one practice's charts. It is safe for concurrent use.
type House struct {
	db        *store.DB
	vault     *vault.Vault
	journal   *journal.Journal
	policy    *policy.Set
	guards    map[string]Guard
	audit     *audit.Log
	feed      *feed.Feed
	clock     clock.Clock
	warm      *journal.Cache[*record]
	press     press
	snaps     snapshots
	looks     *journal.Cache[[]indexed] // opened audit entries, newest first
	twins     twins                     // the directory's people and places, to find what a create repeats
	directory int64                     // chart of the practice itself
	intake    int64                     // chart of what belongs to nobody yet

	losers  sync.Mutex                     // held by a write that lost races for a chart
	homes   homes                          // where ids lead
	heads   *journal.Heads                 // on PostgreSQL: asks whether what is warm is the newest; else nil
	tips    sync.Map                       // chart → its newest row was compared with the audit log
	staff   sync.Mutex                     // of staffAt
	staffAt map[string]int64               // account → newest version in the practice's own log; nil until it is read
	alerted sync.Map                       // chart → its alert is in the audit log
	alarm   func(record string, err error) // told of records that were changed behind our back; may be nil

	background sync.WaitGroup
}

// Migrate brings this package's tables up to date, and makes nothing else: for a copy of a whole store.
func Migrate(ctx context.Context, db *store.DB) error { return db.Migrate(ctx, "chart", schema) }

// New opens the house over a migrated store, making the practice's own charts on first use. It refuses a store whose
// history is not what was signed (audit.ErrTampered).
func New(ctx context.Context, c Config) (*House, error) {
	h := &House{db: c.DB, vault: c.Vault, journal: c.Journal, policy: c.Policy, guards: c.Guards, clock: c.Clock, alarm: c.Alarm}
	if c.Cache == 0 {
		c.Cache = 256 << 20
	}
	h.warm = journal.NewTiered(c.Cache, (*record).weight, (*record).cool)
	var err error
	if h.press, err = newPress(); err != nil {
		return nil, fmt.Errorf("chart: %w", err)
	}
	h.looks = journal.NewCache[[]indexed](c.Cache / 8)
	c.Vault.OnDrop(func() {
		h.warm.Clear()
		h.looks.Clear()
	})
	if err := Migrate(ctx, c.DB); err != nil {
		return nil, fmt.Errorf("chart: %w", err)
	}
	if h.directory, err = h.only(ctx, journal.Directory); err != nil {
		return nil, err
	}
	if h.intake, err = h.only(ctx, journal.Intake); err != nil {
		return nil, err
	}
	if h.feed, err = feed.Open(ctx, c.DB, facts{h.journal}); err != nil {
		return nil, err
	}
	var rider audit.Rider
	if c.DB.Dialect() == "postgres" {
		h.heads = journal.NewHeads()
		rider = h.heads
	}
	h.audit, err = audit.Open(ctx, audit.Config{
		Rider: rider, DB: c.DB, Seal: entries{h.journal}, Seed: c.Vault.Secret("audit-signing"), Key: c.Vault.Secret("audit-inbox"),
		Origin: c.Origin, Anchor: c.Anchor, Dir: c.Reads, Clock: c.Clock, Witnesses: c.Witnesses, Every: c.WitnessEvery, Alarm: c.Fork,
	})
	if err != nil {
		return nil, err
	}
	return h, nil
}

// only finds, or makes once, the single chart of a kind. The claim is the constraint: two processes make one.
func (h *House) only(ctx context.Context, kind journal.Kind) (int64, error) {
	for {
		n, ok, err := h.journal.Claimed(ctx, h.db, "house", fmt.Sprint(kind))
		if err != nil || ok {
			return n, err
		}
		err = h.db.Write(ctx, func(tx *store.Tx) error {
			n, err := h.journal.Create(ctx, tx, kind)
			if err != nil {
				return err
			}
			return h.journal.Claim(ctx, tx, n, "house", fmt.Sprint(kind))
		})
		if err != nil && !errors.Is(err, journal.ErrClaimed) {
			return 0, fmt.Errorf("chart: create the practice's own records: %w", err)
		}
	}
}

// Close waits for background work and signs the last checkpoint.
func (h *House) Close() error {
	h.background.Wait()
	return h.audit.Close()
}

// Audit is the log, for its own pages and commands.
func (h *House) Audit() *audit.Log { return h.audit }

// Feed is the ordered list of facts.
func (h *House) Feed() *feed.Feed { return h.feed }

// Policy is the rules in force.
func (h *House) Policy() *policy.Set { return h.policy }

// Begin starts an act. The door fills in where it came from.
func (h *House) Begin(who identity.Who, name string) *Act {
	return &Act{h: h, Who: who, Name: name, views: h.newViews(who)}
}

// Enter opens a page for an act: it asks policy whether this person may enter and, when the page shows a record, opens
// that record. A refused entry into an existing record is noted there, so the patient sees attempts too.
func (h *House) Enter(ctx context.Context, act *Act, page policy.Page) (*Chart, error) {
	if err := h.vault.Err(); err != nil { // what is warm was opened before; nobody enters while the key is away
		return nil, err
	}
	pc := policy.Context{Proved: act.proved()}
	if page.Chart != 0 && act.Who.Kind == identity.Staff {
		open, err := h.opening(ctx, act.Who.Session, page.Chart)
		if err != nil {
			return nil, err
		}
		if open != nil {
			pc.Opened, pc.Purpose = true, string(open.Purpose)
			act.Purpose, act.Reason = open.Purpose, open.Reason
		}
	} else if act.Who.Kind == identity.Patient {
		act.Purpose, pc.Purpose = PatientRequest, string(PatientRequest)
	} else if act.Who.Kind == identity.ServiceKind { // as its token says
		act.Purpose, pc.Purpose = Purpose(act.Who.Purpose), act.Who.Purpose
	}
	if err := h.policy.Page(act.Who, page, pc); err != nil {
		if errors.Is(err, policy.ErrDenied) && page.Chart != 0 {
			if nerr := h.refused(ctx, act, page.Chart); nerr != nil {
				return nil, nerr
			}
		}
		return nil, err
	}
	if page.Chart == 0 {
		return nil, nil
	}
	return &Chart{h: h, act: act, num: page.Chart, ctx: pc}, nil
}

// MayEnter says whether this person may enter another page of the record they are in: for navigation, not for permission.
func (c *Chart) MayEnter(page policy.Page) bool {
	page.Chart = c.num
	return c.h.policy.Page(c.act.Who, page, c.ctx) == nil
}

// Number reads a chart's public id; false for anything that is not one. It says nothing of whether the chart exists.
func (h *House) Number(publicID string) (int64, bool) { return h.vault.Chart(publicID) }

// PublicID is how a chart is named in URLs.
func (h *House) PublicID(chart int64) string { return h.vault.PublicID(chart) }

// System opens a chart for the practice's own tools. Only commands and jobs may call it; doors cannot make such a Who.
func (h *House) System(act *Act, chart int64) *Chart {
	act.Purpose = Operations
	return &Chart{h: h, act: act, num: chart, ctx: policy.Context{Purpose: string(Operations)}}
}

// refused notes an attempt in the record it aimed at. An unknown chart has no one to tell.
func (h *House) refused(ctx context.Context, act *Act, chart int64) error {
	if _, err := h.journal.Head(ctx, h.db, chart); err != nil {
		return nil
	}
	e, err := act.entry(chart, line{Action: "read", What: act.Name, Outcome: "refused"})
	if err != nil {
		return err
	}
	return h.audit.Durable(context.WithoutCancel(ctx), e)
}

var idText = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// newID is the chart's public id and a random ordinal: unguessable, and it names its chart.
func (h *House) newID(chart int64) string {
	var b [10]byte
	rand.Read(b[:])
	return h.vault.PublicID(chart) + "-" + idText.EncodeToString(b[:])
}

// ours is the chart that an id assigned by newID names.
func (h *House) ours(id string) (int64, bool) {
	pub, _, ok := strings.Cut(id, "-")
	if !ok {
		return 0, false
	}
	return h.vault.Chart(pub)
}

// entries seals audit entries under the key of the chart they are about, bound to their index.
type entries struct{ j *journal.Journal }

func (s entries) SealEntry(ctx context.Context, tx *store.Tx, chart, index int64, plain []byte) ([]byte, error) {
	b, err := s.j.Seal(ctx, tx, chart, vault.Place{Chart: chart, Kind: vault.KindAudit, Seq: index}, plain)
	switch {
	case errors.Is(err, journal.ErrShredded):
		return nil, audit.ErrErased
	case errors.Is(err, journal.ErrNoChart), errors.Is(err, journal.ErrDamaged):
		return nil, fmt.Errorf("%w: %w", audit.ErrKey, err)
	case errors.Is(err, vault.ErrAway):
		return nil, fmt.Errorf("%w: %w", audit.ErrLater, err)
	}
	return b, err
}

func (s entries) OpenEntry(ctx context.Context, chart, index int64, sealed []byte) ([]byte, error) {
	p, err := s.j.Open(ctx, chart, vault.Place{Chart: chart, Kind: vault.KindAudit, Seq: index}, sealed)
	if errors.Is(err, journal.ErrShredded) {
		return nil, audit.ErrErased
	}
	return p, err
}

// Sealer opens audit entries for `wellgate audit verify`.
func Sealer(j *journal.Journal) audit.Sealer { return entries{j} }

// facts seals what the feed keeps, bound to its sequence number.
type facts struct{ j *journal.Journal }

func (s facts) SealFact(ctx context.Context, tx *store.Tx, chart, seq int64, plain []byte) ([]byte, error) {
	return s.j.Seal(ctx, tx, chart, vault.Place{Chart: chart, Kind: vault.KindFact, Seq: seq}, plain)
}

func (s facts) OpenFact(ctx context.Context, chart, seq int64, sealed []byte) ([]byte, error) {
	p, err := s.j.Open(ctx, chart, vault.Place{Chart: chart, Kind: vault.KindFact, Seq: seq}, sealed)
	if errors.Is(err, journal.ErrShredded) {
		return nil, feed.ErrErased
	}
	return p, err
}

// Event puts what identity did into the audit log, inside identity's own transaction: the effect and its trace are one.
// It stands in the record of the person it is about when they have one, else in the practice's.
func (h *House) Event(ctx context.Context, tx *store.Tx, e identity.Event) error {
	num := e.Chart
	if num == 0 {
		num = h.directory
	}
	act := h.Begin(identity.Who{Account: e.Account, Kind: e.Of, Role: e.Role, Name: e.Name, Session: e.Session, Chart: e.Chart}, string(e.Kind))
	act.IP, act.Device = e.IP, e.Device
	outcome := "ok"
	if e.Kind == identity.EventSigninFailed || e.Kind == identity.EventProveFailed {
		outcome = "failed"
	}
	l := line{Action: "account", What: string(e.Kind), Detail: e.Detail, Version: e.Version, By: e.By, Outcome: outcome}
	entry, err := act.entry(num, l)
	if err != nil {
		return err
	}
	return h.audit.Append(ctx, tx, entry)
}
