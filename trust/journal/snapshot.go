package journal

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/trust/vault"
)

// Snapshot is a chart's state at Seq: an index block and body segments, opaque to this package.
type Snapshot struct {
	Seq      int64
	Gen      int64
	Index    []byte
	Segments int
}

// readerTime is how long a replaced snapshot stays readable.
const readerTime = time.Minute

// An index frame is: seq 8, segments 8, hash of row seq 32, then the index.
// With the row's hash the chain goes on from the snapshot; the log is the truth, a snapshot only a short way to it.
const indexFrame = 8 + 8 + 32

func indexPlace(chart, gen int64) vault.Place {
	return vault.Place{Chart: chart, Kind: vault.KindIndex, Seq: gen}
}

func bodyPlace(chart, gen int64, n int) vault.Place {
	return vault.Place{Chart: chart, Kind: vault.KindBody, Seq: gen, Segment: int64(n) + 1}
}

// openIndex opens the current snapshot's index and returns the hash of the row that it stands at.
func (j *Journal) openIndex(ctx context.Context, q store.Querier, r *record) (*Snapshot, [32]byte, error) {
	var link [32]byte
	var sealed []byte
	err := q.QueryRow(ctx, "SELECT data FROM journal_seg WHERE chart = $1 AND gen = $2 AND seg = 0", r.chart, r.head.gen).Scan(&sealed)
	if err != nil {
		return nil, link, notThere(err, "the snapshot's index is missing")
	}
	frame, err := r.key.Open(indexPlace(r.chart, r.head.gen), sealed)
	if err != nil {
		return nil, link, damaged("the snapshot's index", err)
	}
	if len(frame) < indexFrame {
		return nil, link, damaged("the snapshot's index is too short", nil)
	}
	copy(link[:], frame[16:])
	return &Snapshot{
		Seq:      int64(binary.BigEndian.Uint64(frame)),
		Gen:      r.head.gen,
		Segments: int(binary.BigEndian.Uint64(frame[8:])),
		Index:    frame[indexFrame:],
	}, link, nil
}

// notThere tells a missing row, which is damage, from a failed query.
func notThere(err error, what string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return damaged(what, nil)
	}
	return err
}

// Segment opens one body segment of a snapshot, 0 … Segments-1. It may be asked for a minute after a newer snapshot
// replaced this one; later it answers ErrReplaced.
func (j *Journal) Segment(ctx context.Context, chart int64, s *Snapshot, n int) ([]byte, error) {
	if n < 0 || n >= s.Segments {
		return nil, fmt.Errorf("journal: segment %d of %d: there is none", n, s.Segments)
	}
	key, err := j.key(ctx, j.db, chart)
	if err != nil {
		return nil, fmt.Errorf("journal: segment: %w", err)
	}
	var sealed []byte
	err = j.db.QueryRow(ctx, "SELECT data FROM journal_seg WHERE chart = $1 AND gen = $2 AND seg = $3", chart, s.Gen, int64(n)+1).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("journal: segment: %w", j.whyMissing(ctx, chart, s, n))
	}
	if err != nil {
		return nil, fmt.Errorf("journal: segment: %w", err)
	}
	plain, err := key.Open(bodyPlace(chart, s.Gen, n), sealed)
	if err != nil {
		return nil, fmt.Errorf("journal: segment: %w", damaged(fmt.Sprintf("segment %d", n), err))
	}
	return plain, nil
}

// whyMissing tells a replaced snapshot from a damaged or erased one.
func (j *Journal) whyMissing(ctx context.Context, chart int64, s *Snapshot, n int) error {
	r, err := j.open(ctx, j.db, chart)
	if err != nil {
		return err
	}
	if r.head.gen != s.Gen {
		return ErrReplaced
	}
	return damaged(fmt.Sprintf("segment %d is missing", n), nil)
}

// PutSnapshot stores a snapshot of the state at seq and keeps the generation before it for a minute of readers.
// A snapshot older than the stored one, or one that another writer overtook, is ErrConflict.
func (j *Journal) PutSnapshot(ctx context.Context, chart, seq int64, index []byte, segments [][]byte) error {
	before, err := j.open(ctx, j.db, chart)
	if err != nil {
		return fmt.Errorf("journal: snapshot: %w", err)
	}
	if seq < 1 || seq > before.head.seq {
		return fmt.Errorf("journal: snapshot at %d, head is %d: %w", seq, before.head.seq, ErrConflict)
	}
	link, err := j.rowHash(ctx, j.db, chart, seq)
	if err != nil {
		return fmt.Errorf("journal: snapshot: %w", err)
	}
	// Sealing is the slow part; it is done before anybody has to wait for this write.
	gen := before.head.gen + 1
	blocks, err := sealSnapshot(before, gen, snapshotFrame(seq, index, segments, link), segments)
	if err != nil {
		return fmt.Errorf("journal: snapshot: %w", err)
	}
	err = j.db.Write(ctx, func(tx *store.Tx) error {
		r, err := j.open(ctx, tx, chart)
		if err != nil {
			return err
		}
		if r.head.gen != gen-1 {
			return ErrConflict
		}
		if err := j.notOlder(ctx, tx, r, seq); err != nil {
			return err
		}
		for n, block := range blocks {
			_, err := tx.Exec(ctx, "INSERT INTO journal_seg (chart, gen, seg, data) VALUES ($1, $2, $3, $4)", chart, gen, int64(n), block)
			if err != nil {
				return err
			}
		}
		next := r.head
		next.gen = gen
		if err := j.putHead(ctx, tx, r, next); err != nil {
			return err
		}
		if gen > 1 {
			_, err := tx.Exec(ctx, "INSERT INTO journal_old (chart, gen, since) VALUES ($1, $2, $3)", chart, gen-1, j.clock().Unix())
			if err != nil {
				return err
			}
		}
		_, err = j.sweep(ctx, tx, 16)
		return err
	})
	if err != nil {
		return fmt.Errorf("journal: snapshot: %w", err)
	}
	return nil
}

// notOlder refuses to go back behind the stored snapshot. One that cannot be read is replaced: the log has it all.
func (j *Journal) notOlder(ctx context.Context, q store.Querier, r *record, seq int64) error {
	if r.head.gen == 0 {
		return nil
	}
	now, _, err := j.openIndex(ctx, q, r)
	if err == nil && now.Seq > seq {
		return ErrConflict
	}
	if errors.Is(err, ErrDamaged) {
		return nil
	}
	return err
}

func snapshotFrame(seq int64, index []byte, segments [][]byte, link [32]byte) []byte {
	frame := make([]byte, 0, indexFrame+len(index))
	frame = binary.BigEndian.AppendUint64(frame, uint64(seq))
	frame = binary.BigEndian.AppendUint64(frame, uint64(len(segments)))
	frame = append(frame, link[:]...)
	return append(frame, index...)
}

// sealSnapshot seals the index as block 0 and the segments after it.
func sealSnapshot(r *record, gen int64, frame []byte, segments [][]byte) ([][]byte, error) {
	blocks := make([][]byte, 0, 1+len(segments))
	sealed, err := r.key.Seal(indexPlace(r.chart, gen), frame)
	if err != nil {
		return nil, err
	}
	blocks = append(blocks, sealed)
	for n, body := range segments {
		if sealed, err = r.key.Seal(bodyPlace(r.chart, gen, n), body); err != nil {
			return nil, err
		}
		blocks = append(blocks, sealed)
	}
	return blocks, nil
}

// Sweep removes snapshots that were replaced more than a minute ago, a few hundred at most, and says how many.
// PutSnapshot sweeps too; call this now and then so that the last ones go.
func (j *Journal) Sweep(ctx context.Context) (n int, err error) {
	err = j.db.Write(ctx, func(tx *store.Tx) error {
		n, err = j.sweep(ctx, tx, 256)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("journal: sweep: %w", err)
	}
	return n, nil
}

func (j *Journal) sweep(ctx context.Context, tx *store.Tx, limit int) (int, error) {
	type old struct{ chart, gen int64 }
	rows, err := tx.Query(ctx, "SELECT chart, gen FROM journal_old WHERE since <= $1 ORDER BY since LIMIT $2",
		j.clock().Add(-readerTime).Unix(), limit)
	if err != nil {
		return 0, err
	}
	var gone []old
	for rows.Next() {
		var o old
		if err := rows.Scan(&o.chart, &o.gen); err != nil {
			rows.Close()
			return 0, err
		}
		gone = append(gone, o)
	}
	if err := rows.Close(); err != nil {
		return 0, err
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	for _, o := range gone {
		for _, table := range []string{"journal_seg", "journal_old"} {
			if _, err := tx.Exec(ctx, "DELETE FROM "+table+" WHERE chart = $1 AND gen = $2", o.chart, o.gen); err != nil {
				return 0, err
			}
		}
	}
	return len(gone), nil
}
