package audit

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"

	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/trust/audit/witness"
)

// keepCosignature stores a witness's line, and the checkpoint for good.
func (l *Log) keepCosignature(ctx context.Context, s signed, key string, line []byte) error {
	return l.c.DB.Write(ctx, func(tx *store.Tx) error {
		if err := keepCheckpoint(ctx, tx, s); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO audit_cosignature (size, witness, line) VALUES ($1, $2, $3) ON CONFLICT (size, witness) DO NOTHING`, s.size, key, line)
		return err
	})
}

// cosigned is the smallest checkpoint over index that a witness of ours signed, with the lines and whose they are; nil for none.
func (l *Log) cosigned(ctx context.Context, index int64) (note []byte, by []string, err error) {
	if l.watch == nil {
		return nil, nil, nil
	}
	list, err := cosignatures(ctx, l.c.DB, `c.size > $1`, index, 8*len(l.watch.list))
	if err != nil {
		return nil, nil, err
	}
	size := int64(0)
	for _, c := range list {
		if size != 0 && c.size != size {
			break
		}
		for _, a := range l.watch.list {
			if _, _, ok := a.client.Key.Cosigned(append(bytes.Clone(c.note), c.line...)); a.key != c.key || !ok {
				continue
			}
			if size == 0 {
				size, note = c.size, bytes.Clone(c.note)
			}
			note, by = append(note, c.line...), append(by, c.key)
		}
	}
	return note, by, nil
}

// A cosignedRow is a witness's line beside the checkpoint that it signs.
type cosignedRow struct {
	size       int64
	key        string
	line, note []byte // no note if the checkpoint is missing
}

func cosignatures(ctx context.Context, q store.Querier, where string, from int64, limit int) ([]cosignedRow, error) {
	rows, err := q.Query(ctx, `SELECT c.size, c.witness, c.line, k.note FROM audit_cosignature AS c LEFT JOIN audit_checkpoint AS k ON k.size = c.size
		WHERE `+where+` ORDER BY c.size, c.witness LIMIT $2`, from, limit)
	if err != nil {
		return nil, fmt.Errorf("read cosignatures: %w", err)
	}
	defer rows.Close()
	var list []cosignedRow
	for rows.Next() {
		var c cosignedRow
		if err := rows.Scan(&c.size, &c.key, &c.line, &c.note); err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, rows.Err()
}

func newestCosigned(ctx context.Context, q store.Querier, k *witness.Key) (Cosigned, error) {
	s := Cosigned{Name: k.Name()}
	var line, signed []byte
	err := q.QueryRow(ctx, `SELECT c.size, c.line, k.note FROM audit_cosignature AS c JOIN audit_checkpoint AS k ON k.size = c.size
		WHERE c.witness = $1 ORDER BY c.size DESC LIMIT 1`, k.String()).Scan(&s.Size, &line, &signed)
	if noRows(err) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("read cosignatures: %w", err)
	}
	_, s.At, _ = k.Cosigned(append(signed, line...))
	return s, nil
}

func noRows(err error) bool { return errors.Is(err, sql.ErrNoRows) }

func witnessKeys(lines []string) (keys []*witness.Key, err error) {
	for _, l := range lines {
		k, err := witness.ParseKey(l)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// cosignatures checks every witness's line, by the key it names, and that each demanded witness has one.
func (f *verification) cosignatures() error {
	newest := map[string]Cosigned{}
	var order []string
	const page = 512 // far more than one checkpoint has
	last := cosignedRow{size: math.MinInt64}
	for more := true; more; {
		list, err := cosignatures(f.ctx, f.q, `c.size >= $1`, last.size, page)
		if err != nil {
			return err
		}
		more = len(list) == page
		if more && list[page-1].size == last.size {
			f.problem("more signatures at checkpoint %d than there are witnesses", last.size)
			return nil
		}
		for _, c := range list {
			if c.size == last.size && c.key <= last.key {
				continue
			}
			last = c
			k, err := witness.ParseKey(c.key)
			if err != nil {
				f.problem("a witness's key at checkpoint %d is malformed", c.size)
				continue
			}
			tree, _, err := openCheckpoint(c.note, f.v)
			_, at, ok := k.Cosigned(append(bytes.Clone(c.note), c.line...))
			if err != nil || !ok || tree.size != c.size {
				f.problem("the signature of the witness %s at checkpoint %d is forged or damaged, or its checkpoint is missing", k.Name(), c.size)
				continue
			}
			if _, known := newest[c.key]; !known {
				order = append(order, c.key)
			}
			newest[c.key] = Cosigned{Name: k.Name(), Size: c.size, At: at}
		}
	}
	for _, k := range order {
		f.rep.Cosigned = append(f.rep.Cosigned, newest[k])
	}
	for _, k := range f.demanded {
		if _, ok := newest[k.String()]; !ok {
			f.problem("the witness %s signed no checkpoint of this log", k.Name())
		}
	}
	return nil
}

// holds says whether the store has what an anchor record says: the checkpoint, and each witness's line behind it.
func (f *verification) holds(u, a *signedTree) (bool, error) {
	if u == nil || !bytes.HasPrefix(a.note, u.note) {
		return false, nil
	}
	rest := a.note[len(u.note):]
	if len(rest) == 0 {
		return true, nil
	}
	list, err := cosignatures(f.ctx, f.q, `c.size = $1`, a.size, maxProblems)
	if err != nil {
		return false, err
	}
	known := map[string]bool{}
	for _, c := range list {
		known[string(c.line)] = true
	}
	for line := range bytes.Lines(rest) {
		if !known[string(line)] {
			return false, nil
		}
	}
	return true, nil
}
