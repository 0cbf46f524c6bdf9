package journal

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/wellgate/wellgate/store"
)

// A look-up's row is numbered by 47 bits of its keyed token and 16 bits of its chart, so that the rows of one token stand
// together and need no index. proof is as with claims.
const chartBits = 16

func (j *Journal) pointCell(domain string, parts []string, chart int64) cell {
	token := j.vault.Token("journal point", append([]string{domain}, parts...)...)
	first := int64(binary.BigEndian.Uint64(token)>>(64-47)) << chartBits
	return cell{"point", first | chart>>(62-chartBits), token[16 : 16+checkLen]}
}

// span is the lowest and the highest number that rows of the cell's token may have.
func (c cell) span() (first, last int64) {
	const mask = 1<<chartBits - 1
	return c.number &^ mask, c.number | mask
}

// Point changes the look-up tokens of a chart in a domain from what they were to what they are. Different charts may have
// the same ones.
func (j *Journal) Point(ctx context.Context, tx *store.Tx, chart int64, domain string, old, new [][]string) error {
	if _, err := j.key(ctx, tx, chart); err != nil {
		return fmt.Errorf("journal: point: %w", err)
	}
	was, is := j.pointCells(domain, old, chart), j.pointCells(domain, new, chart)
	for _, number := range slices.Sorted(maps.Keys(was)) {
		if c, stays := is[number]; stays && string(c.check) == string(was[number].check) {
			delete(is, number)
			continue
		}
		c := was[number]
		first, last := c.span()
		_, err := tx.Exec(ctx, "DELETE FROM journal_point WHERE token >= $1 AND token <= $2 AND chart = $3 AND proof = $4",
			first, last, chart, j.proof(c, chart))
		if err != nil {
			return fmt.Errorf("journal: point: %w", err)
		}
	}
	for _, number := range slices.Sorted(maps.Keys(is)) {
		if err := j.point(ctx, tx, chart, is[number]); err != nil {
			return fmt.Errorf("journal: point: %w", err)
		}
	}
	return nil
}

func (j *Journal) pointCells(domain string, keys [][]string, chart int64) map[int64]cell {
	cells := make(map[int64]cell, len(keys))
	for _, parts := range keys {
		c := j.pointCell(domain, parts, chart)
		cells[c.number] = c
	}
	return cells
}

// crowd is how many neighbours are tried. Where there are more, thousands share the token, and it finds nobody.
const crowd = 32

// point stores a cell under its number, or the next free one if another chart's has it.
func (j *Journal) point(ctx context.Context, tx *store.Tx, chart int64, c cell) error {
	proof := j.proof(c, chart)
	first, last := c.span()
	number := c.number - 1
	for range crowd {
		if number++; number > last {
			number = first
		}
		n, err := tx.Exec(ctx, "INSERT INTO journal_point (token, chart, proof) VALUES ($1, $2, $3) ON CONFLICT (token) DO NOTHING", number, chart, proof)
		if err != nil || n > 0 {
			return err
		}
		var holder int64
		if err := tx.QueryRow(ctx, "SELECT chart FROM journal_point WHERE token = $1", number).Scan(&holder); err != nil {
			if errors.Is(err, sql.ErrNoRows) { // it went meanwhile
				continue
			}
			return err
		}
		if holder == chart {
			return nil
		}
	}
	return nil
}

// Pointed lists the charts (at most limit) that a look-up key points to.
func (j *Journal) Pointed(ctx context.Context, q store.Querier, domain string, limit int, parts ...string) ([]int64, error) {
	c := j.pointCell(domain, parts, 0)
	first, last := c.span()
	rows, err := q.Query(ctx, "SELECT chart, proof FROM journal_point WHERE token >= $1 AND token <= $2 ORDER BY token LIMIT $3", first, last, limit)
	if err != nil {
		return nil, fmt.Errorf("journal: pointed: %w", err)
	}
	defer rows.Close()
	var charts []int64
	for rows.Next() {
		var chart int64
		var proof []byte
		if err := rows.Scan(&chart, &proof); err != nil {
			return nil, fmt.Errorf("journal: pointed: %w", err)
		}
		home := c // the row may stand beside the number that its proof is over
		home.number |= chart >> (62 - chartBits)
		genuine, own := j.genuine(home, chart, proof)
		if !genuine {
			return nil, fmt.Errorf("journal: pointed: %w", damaged("a look-up was pointed elsewhere", nil))
		}
		if own {
			charts = append(charts, chart)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("journal: pointed: %w", err)
	}
	slices.Sort(charts)
	return charts, nil
}
