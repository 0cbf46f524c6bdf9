package chart

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/go-json-experiment/json"

	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/trust/journal"
	"github.com/wellgate/wellgate/trust/policy"
	"github.com/wellgate/wellgate/trust/vault"
)

// openFor is how long a stated reason lets a session into a record.
const openFor = 8 * time.Hour

// ErrReason means that no reason was given, or one too short to mean anything to the patient who will read it.
var ErrReason = errors.New("chart: say in a few words why you open this record; the patient will see it")

// An Opening is why a session of staff is inside a record.
type Opening struct {
	Chart   int64     `json:"-"`
	Purpose Purpose   `json:"purpose"`
	Reason  string    `json:"reason"`
	At      time.Time `json:"at"`
}

// OpenRecord lets the session of act into a record for a purpose and a reason that the patient will see. The permission
// and its audit entry are one transaction.
func (h *House) OpenRecord(ctx context.Context, act *Act, num int64, purpose Purpose, reason string) error {
	reason = strings.TrimSpace(clean(reason, 200))
	item := policy.Item{Chart: num, Kind: "patient"}
	if err := h.policy.Item(act.Who, policy.Open, item, policy.Context{Purpose: string(purpose)}); err != nil {
		if nerr := h.refused(ctx, act, num); nerr != nil {
			return nerr
		}
		return err
	}
	if !says(reason) {
		return ErrReason
	}
	if st, err := h.load(ctx, num); err != nil || len(st.shelf("Patient").entries) == 0 {
		return ErrNotFound
	}
	act.Purpose, act.Reason = purpose, reason
	plain, err := json.Marshal(Opening{Purpose: purpose, Reason: reason, At: h.clock()})
	if err != nil {
		return err
	}
	e, err := act.entry(num, line{Action: "open", What: "desk.open", Outcome: "ok"})
	if err != nil {
		return err
	}
	return h.db.Write(ctx, func(tx *store.Tx) error {
		sealed, err := h.journal.Seal(ctx, tx, num, openingPlace(act.Who.Session, num), plain)
		if err != nil {
			return err
		}
		now := h.clock()
		if _, err := tx.Exec(ctx, `DELETE FROM chart_opening WHERE until < $1 OR (session = $2 AND chart = $3)`,
			now.Unix(), act.Who.Session, num); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO chart_opening (session, chart, until, data) VALUES ($1, $2, $3, $4)
			ON CONFLICT (session, chart) DO UPDATE SET until = excluded.until, data = excluded.data`,
			act.Who.Session, num, now.Add(openFor).Unix(), sealed); err != nil {
			return err
		}
		return h.audit.Append(ctx, tx, e)
	})
}

// says whether a reason holds at least four letters or digits that can be seen: the patient will read it.
func says(reason string) bool {
	n := 0
	for _, r := range reason {
		filler := unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) // Hangul fillers are letters without a shape
		if (unicode.IsLetter(r) || unicode.IsDigit(r)) && !filler {
			n++
		}
	}
	return n >= 4
}

// Leave ends a session's permission to be in a record, and says so there.
func (h *House) Leave(ctx context.Context, act *Act, num int64) error {
	read, putBack := act.readBefore(num)
	e, err := act.entry(num, line{Action: "close", What: "desk.leave", Read: read, Outcome: "ok"})
	if err != nil {
		return err
	}
	var n int64
	err = h.db.Write(ctx, func(tx *store.Tx) (err error) {
		n, err = tx.Exec(ctx, `DELETE FROM chart_opening WHERE session = $1 AND chart = $2`, act.Who.Session, num)
		if err != nil || n == 0 {
			return err
		}
		return h.audit.Append(ctx, tx, e)
	})
	if err != nil || n == 0 {
		putBack()
	}
	return err
}

// opening is the session's present permission for a chart, or nil.
func (h *House) opening(ctx context.Context, session string, num int64) (*Opening, error) {
	var sealed []byte
	err := h.db.QueryRow(ctx, `SELECT data FROM chart_opening WHERE session = $1 AND chart = $2 AND until >= $3`,
		session, num, h.clock().Unix()).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("chart: opening: %w", err)
	}
	o, err := h.openOpening(ctx, session, num, sealed)
	if errors.Is(err, journal.ErrShredded) { // another node erased the record as it was opened here
		return nil, nil
	}
	return o, err
}

// openingPlace binds an opening to its session, so that nobody can give it to another.
func openingPlace(session string, num int64) vault.Place {
	sum := sha256.Sum256([]byte(session))
	return vault.Place{Chart: num, Kind: vault.KindOpening, Seq: int64(binary.BigEndian.Uint64(sum[:8]) >> 1)}
}

// errProlonged is an opening whose end was moved in the store.
var errProlonged = errors.New("it ended, but its row says that it did not")

func (h *House) openOpening(ctx context.Context, session string, num int64, sealed []byte) (*Opening, error) {
	plain, err := h.journal.Open(ctx, num, openingPlace(session, num), sealed)
	o := &Opening{Chart: num}
	if err == nil {
		err = json.Unmarshal(plain, o)
	}
	if err == nil && h.clock().After(o.At.Add(openFor+time.Second)) { // rows hold whole seconds
		err = errProlonged
	}
	if err != nil {
		return nil, fmt.Errorf("chart: opening: %w", err)
	}
	return o, nil
}

// Openings lists what a session has open, newest first.
func (h *House) Openings(ctx context.Context, session string) ([]Opening, error) {
	rows, err := h.db.Query(ctx, `SELECT chart, data FROM chart_opening WHERE session = $1 AND until >= $2 ORDER BY until DESC`,
		session, h.clock().Unix())
	if err != nil {
		return nil, fmt.Errorf("chart: openings: %w", err)
	}
	defer rows.Close()
	var out []Opening
	for rows.Next() {
		var num int64
		var sealed []byte
		if err := rows.Scan(&num, &sealed); err != nil {
			return nil, err
		}
		o, err := h.openOpening(ctx, session, num, sealed)
		if errors.Is(err, journal.ErrShredded) { // erased since: nothing is left to list
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, *o)
	}
	return out, rows.Err()
}

// Known is the chart of an opening, for naming it in a list of what is open.
func (h *House) Known(act *Act, o Opening) *Chart {
	return &Chart{h: h, act: act, num: o.Chart, ctx: policy.Context{Opened: true, Purpose: string(o.Purpose)}}
}
