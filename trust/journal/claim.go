package journal

import (
	"context"
	"crypto/hmac"
	"database/sql"
	"errors"
	"fmt"
	"strconv"

	"github.com/wellgate/wellgate/store"
)

func (j *Journal) claimToken(domain string, parts []string) []byte {
	return j.vault.Token("journal claim", append([]string{domain}, parts...)...)
}

func (j *Journal) pointToken(domain string, parts []string) []byte {
	return j.vault.Token("journal point", append([]string{domain}, parts...)...)
}

// proof ties a token to its chart, so that a row which was pointed at another chart is seen.
func (j *Journal) proof(table string, token []byte, chart int64) []byte {
	return j.vault.Token("journal proof", table, string(token), strconv.FormatInt(chart, 10))[:16]
}

// area is a domain's name as stored beside its tokens.
func (j *Journal) area(domain string) []byte { return j.vault.Token("journal domain", domain)[:8] }

// Claim takes a unique keyed token for a chart, or ErrClaimed. It is a constraint, never a check.
// After ErrClaimed the transaction may go on.
func (j *Journal) Claim(ctx context.Context, tx *store.Tx, chart int64, domain string, parts ...string) error {
	_, err := j.ClaimAll(ctx, tx, chart, domain, [][]string{parts})
	return err
}

// ClaimAll takes many tokens, as Claim does each. At the first that cannot be had it stops and says which.
func (j *Journal) ClaimAll(ctx context.Context, tx *store.Tx, chart int64, domain string, keys [][]string) (at int, err error) {
	if len(keys) == 0 {
		return 0, nil
	}
	if _, err := j.key(ctx, tx, chart); err != nil { // nothing is kept for an erased chart
		return 0, fmt.Errorf("journal: claim: %w", err)
	}
	for i, parts := range keys {
		token := j.claimToken(domain, parts)
		n, err := tx.Exec(ctx, "INSERT INTO journal_claim (token, chart, proof) VALUES ($1, $2, $3) ON CONFLICT (token) DO NOTHING",
			token, chart, j.proof("claim", token, chart))
		if err != nil {
			return i, fmt.Errorf("journal: claim: %w", err)
		}
		if n == 0 {
			return i, fmt.Errorf("journal: claim: %w", ErrClaimed)
		}
	}
	return len(keys), nil
}

// Unclaim gives a claim back (a cancelled slot). What the chart does not hold it cannot give back: false.
func (j *Journal) Unclaim(ctx context.Context, tx *store.Tx, chart int64, domain string, parts ...string) (bool, error) {
	n, err := tx.Exec(ctx, "DELETE FROM journal_claim WHERE token = $1 AND chart = $2", j.claimToken(domain, parts), chart)
	if err != nil {
		return false, fmt.Errorf("journal: unclaim: %w", err)
	}
	return n > 0, nil
}

// Claimed tells which chart holds a claim.
func (j *Journal) Claimed(ctx context.Context, q store.Querier, domain string, parts ...string) (chart int64, ok bool, err error) {
	token := j.claimToken(domain, parts)
	var proof []byte
	err = q.QueryRow(ctx, "SELECT chart, proof FROM journal_claim WHERE token = $1", token).Scan(&chart, &proof)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("journal: claimed: %w", err)
	}
	if !hmac.Equal(proof, j.proof("claim", token, chart)) {
		return 0, false, fmt.Errorf("journal: claimed: %w", damaged("a claim was pointed elsewhere", nil))
	}
	return chart, true, nil
}

// Point adds non-unique look-up tokens for a chart, replacing those it had in the domain.
func (j *Journal) Point(ctx context.Context, tx *store.Tx, chart int64, domain string, keys [][]string) error {
	if _, err := j.key(ctx, tx, chart); err != nil {
		return fmt.Errorf("journal: point: %w", err)
	}
	area := j.area(domain)
	if _, err := tx.Exec(ctx, "DELETE FROM journal_point WHERE chart = $1 AND domain = $2", chart, area); err != nil {
		return fmt.Errorf("journal: point: %w", err)
	}
	for _, parts := range keys {
		token := j.pointToken(domain, parts)
		_, err := tx.Exec(ctx, `INSERT INTO journal_point (token, chart, domain, proof) VALUES ($1, $2, $3, $4)
			ON CONFLICT (token, chart) DO NOTHING`, token, chart, area, j.proof("point", token, chart))
		if err != nil {
			return fmt.Errorf("journal: point: %w", err)
		}
	}
	return nil
}

// Pointed lists the charts (at most limit) that a look-up key points to.
func (j *Journal) Pointed(ctx context.Context, q store.Querier, domain string, limit int, parts ...string) ([]int64, error) {
	token, want := j.pointToken(domain, parts), j.area(domain)
	rows, err := q.Query(ctx, "SELECT chart, domain, proof FROM journal_point WHERE token = $1 ORDER BY chart LIMIT $2", token, limit)
	if err != nil {
		return nil, fmt.Errorf("journal: pointed: %w", err)
	}
	defer rows.Close()
	var charts []int64
	for rows.Next() {
		var chart int64
		var area, proof []byte
		if err := rows.Scan(&chart, &area, &proof); err != nil {
			return nil, fmt.Errorf("journal: pointed: %w", err)
		}
		if !hmac.Equal(proof, j.proof("point", token, chart)) || !hmac.Equal(area, want) {
			return nil, fmt.Errorf("journal: pointed: %w", damaged("a look-up was pointed elsewhere", nil))
		}
		charts = append(charts, chart)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("journal: pointed: %w", err)
	}
	return charts, nil
}
