package journal

import (
	"context"
	"crypto/hmac"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/wellgate/wellgate/store"
)

// A claim's row is known by 64 bits of its keyed token: with 100 million ids the chance that any two meet is 1 in 3,700, and
// then the second is refused, never mixed up. proof is 16 more bits of the token, and 48 bits of a keyed check over number,
// chart and those bits, so that a row that was made up, changed or pointed at another chart is seen.
const (
	proofLen = 8
	checkLen = 2
)

type cell struct {
	table  string
	number int64
	check  []byte
}

func (j *Journal) claimCell(domain string, parts []string) cell {
	token := j.vault.Token("journal claim", append([]string{domain}, parts...)...)
	return cell{"claim", int64(binary.BigEndian.Uint64(token)), token[16 : 16+checkLen]}
}

// proof ties a cell to its chart.
func (j *Journal) proof(c cell, chart int64) []byte {
	mac := j.vault.Token("journal proof", c.table, strconv.FormatInt(c.number, 36), string(c.check), strconv.FormatInt(chart, 36))
	return append(append(make([]byte, 0, proofLen), c.check...), mac[:proofLen-checkLen]...)
}

// genuine says whether a stored row was written here, and whether it is the cell's own rather than that of a token with
// the same number.
func (j *Journal) genuine(c cell, chart int64, stored []byte) (genuine, own bool) {
	if len(stored) != proofLen {
		return false, false
	}
	it := cell{c.table, c.number, stored[:checkLen]}
	return hmac.Equal(stored, j.proof(it, chart)), hmac.Equal(stored[:checkLen], c.check)
}

// What an erased chart had claimed is free for others.
const (
	claimInsert   = "INSERT INTO journal_claim (token, chart, proof) VALUES "
	claimConflict = ` ON CONFLICT (token) DO UPDATE SET chart = excluded.chart, proof = excluded.proof
		WHERE EXISTS (SELECT 1 FROM journal_chart WHERE journal_chart.chart = journal_claim.chart AND shredded = 1)`
	claimsAtOnce = 32
)

var (
	claimOne  = claimInsert + "($1, $2, $3)" + claimConflict
	claimMany = claimInsert + tuples(claimsAtOnce, 3) + claimConflict
)

// tuples is "($1, $2), ($3, $4)" for 2 rows of 2.
func tuples(rows, columns int) string {
	var b strings.Builder
	for n := range rows * columns {
		switch {
		case n == 0:
			b.WriteByte('(')
		case n%columns == 0:
			b.WriteString("), (")
		default:
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "$%d", n+1)
	}
	return b.String() + ")"
}

// Claim takes a unique keyed token for a chart, or ErrClaimed. It is a constraint, never a check.
// After ErrClaimed the transaction may go on.
func (j *Journal) Claim(ctx context.Context, tx *store.Tx, chart int64, domain string, parts ...string) error {
	_, err := j.ClaimAll(ctx, tx, chart, domain, [][]string{parts})
	return err
}

// ClaimAll takes many tokens, as Claim does each. At one that cannot be had it stops and says which; what it took before
// that stays taken if the transaction goes on.
func (j *Journal) ClaimAll(ctx context.Context, tx *store.Tx, chart int64, domain string, keys [][]string) (at int, err error) {
	if len(keys) == 0 {
		return 0, nil
	}
	if _, err := j.key(ctx, tx, chart); err != nil { // nothing is kept for an erased chart
		return 0, fmt.Errorf("journal: claim: %w", err)
	}
	for at < len(keys) {
		n := 1
		if len(keys)-at >= claimsAtOnce && j.distinct(domain, keys[at:at+claimsAtOnce]) {
			n = claimsAtOnce
		}
		got, err := j.claim(ctx, tx, chart, domain, keys[at:at+n])
		if err != nil {
			return at, fmt.Errorf("journal: claim: %w", err)
		}
		if got < n {
			return at + j.taken(ctx, tx, chart, domain, keys[at:at+n]), fmt.Errorf("journal: claim: %w", ErrClaimed)
		}
		at += n
	}
	return at, nil
}

// distinct says whether no two of keys have one number: PostgreSQL refuses to meet a row twice in one statement.
func (j *Journal) distinct(domain string, keys [][]string) bool {
	seen := make(map[int64]bool, len(keys))
	for _, parts := range keys {
		seen[j.claimCell(domain, parts).number] = true
	}
	return len(seen) == len(keys)
}

// claim inserts 1 or claimsAtOnce rows.
func (j *Journal) claim(ctx context.Context, tx *store.Tx, chart int64, domain string, keys [][]string) (int, error) {
	args := make([]any, 0, 3*len(keys))
	for _, parts := range keys {
		c := j.claimCell(domain, parts)
		args = append(args, c.number, chart, j.proof(c, chart))
	}
	query := claimOne
	if len(keys) > 1 {
		query = claimMany
	}
	n, err := tx.Exec(ctx, query, args...)
	return int(n), err
}

// taken finds which of keys another chart holds; the first, if it is this chart itself.
func (j *Journal) taken(ctx context.Context, tx *store.Tx, chart int64, domain string, keys [][]string) int {
	for i, parts := range keys {
		if holder, ok, err := j.Claimed(ctx, tx, domain, parts...); err != nil || ok && holder != chart {
			return i
		}
	}
	return 0
}

// Unclaim gives a claim back (a cancelled slot). What the chart does not hold it cannot give back: false.
func (j *Journal) Unclaim(ctx context.Context, tx *store.Tx, chart int64, domain string, parts ...string) (bool, error) {
	c := j.claimCell(domain, parts)
	n, err := tx.Exec(ctx, "DELETE FROM journal_claim WHERE token = $1 AND chart = $2 AND proof = $3", c.number, chart, j.proof(c, chart))
	if err != nil {
		return false, fmt.Errorf("journal: unclaim: %w", err)
	}
	return n > 0, nil
}

// Claimed tells which chart holds a claim.
func (j *Journal) Claimed(ctx context.Context, q store.Querier, domain string, parts ...string) (chart int64, ok bool, err error) {
	c := j.claimCell(domain, parts)
	var proof []byte
	var erased int64
	err = q.QueryRow(ctx, `SELECT chart, proof, COALESCE((SELECT shredded FROM journal_chart WHERE journal_chart.chart = journal_claim.chart), 0)
		FROM journal_claim WHERE token = $1`, c.number).Scan(&chart, &proof, &erased)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("journal: claimed: %w", err)
	}
	genuine, own := j.genuine(c, chart, proof)
	if !genuine {
		return 0, false, fmt.Errorf("journal: claimed: %w", damaged("a claim was pointed elsewhere", nil))
	}
	if !own || erased != 0 {
		return 0, false, nil
	}
	return chart, true, nil
}
