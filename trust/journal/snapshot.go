package journal

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/trust/vault"
)

// Snapshot is a chart's state at Seq: an index and bodies, opaque to this package.
type Snapshot struct {
	Seq    int64
	Gen    int64
	Index  []byte // empty if an older version of this program wrote the snapshot: the log has it all
	Bodies []Ref
}

// A Ref names what a snapshot has for a body: a segment that it, or one before it, wrote, or a row of the log. Sum is the
// start of the SHA-256 of the stored bytes, so that nothing else that was ever sealed for the same place can stand there.
type Ref struct {
	Gen int64 // the generation that wrote the segment; 0: a row of the log
	Num int64 // the segment's number in its generation, from 1; the row's sequence number
	Sum [sumLen]byte
}

const sumLen = 16

func refSum(sealed []byte) [sumLen]byte {
	hash := sha256.Sum256(sealed)
	return [sumLen]byte(hash[:])
}

// readerTime is how long what a newer snapshot does not have any more stays readable.
const readerTime = time.Minute

// An index frame is: format 1, seq 8, hash of row seq 32, bodies 4, bodies × (gen 8, number 8, sum 16), then the index.
// With the row's hash the chain goes on from the snapshot; the log is the truth, a snapshot only a short way to it.
// Frames of the format before began with seq and with it with a zero, then segments 8 and hash 32.
const (
	frameFormat = 2
	frameHead   = 1 + 8 + 32 + 4
	refLen      = 8 + 8 + sumLen
	oldFrame    = 8 + 8 + 32
)

func indexPlace(chart, gen int64) vault.Place {
	return vault.Place{Chart: chart, Kind: vault.KindIndex, Seq: gen}
}

func bodyPlace(chart, gen, n int64) vault.Place {
	return vault.Place{Chart: chart, Kind: vault.KindBody, Seq: gen, Segment: n}
}

// openIndex opens the current snapshot's index and returns the hash of the row that it stands at.
func (j *Journal) openIndex(ctx context.Context, q store.Querier, r *record) (*Snapshot, [32]byte, error) {
	var sealed []byte
	err := q.QueryRow(ctx, "SELECT data FROM journal_seg WHERE chart = $1 AND gen = $2 AND seg = 0", r.chart, r.head.gen).Scan(&sealed)
	if err != nil {
		return nil, [32]byte{}, notThere(err, "the snapshot's index is missing")
	}
	frame, err := r.key.Open(indexPlace(r.chart, r.head.gen), sealed)
	if err != nil {
		return nil, [32]byte{}, damaged("the snapshot's index", err)
	}
	s, link, ok := readFrame(frame)
	if !ok {
		return nil, link, damaged("the snapshot's index is malformed", nil)
	}
	s.Gen = r.head.gen
	return s, link, nil
}

func readFrame(frame []byte) (s *Snapshot, link [32]byte, ok bool) {
	if len(frame) >= oldFrame && frame[0] == 0 {
		copy(link[:], frame[16:])
		return &Snapshot{Seq: int64(binary.BigEndian.Uint64(frame))}, link, true
	}
	if len(frame) < frameHead || frame[0] != frameFormat {
		return nil, link, false
	}
	s = &Snapshot{Seq: int64(binary.BigEndian.Uint64(frame[1:]))}
	copy(link[:], frame[9:])
	n, rest := int(binary.BigEndian.Uint32(frame[41:])), frame[frameHead:]
	if n > len(rest)/refLen {
		return nil, link, false
	}
	s.Bodies = make([]Ref, n)
	for i := range s.Bodies {
		s.Bodies[i] = Ref{int64(binary.BigEndian.Uint64(rest)), int64(binary.BigEndian.Uint64(rest[8:])), [sumLen]byte(rest[16:])}
		rest = rest[refLen:]
	}
	s.Index = rest
	return s, link, true
}

// frame lays out an index for sealing.
func (s *Snapshot) frame(link [32]byte) []byte {
	frame := make([]byte, 0, frameHead+refLen*len(s.Bodies)+len(s.Index))
	frame = append(frame, frameFormat)
	frame = binary.BigEndian.AppendUint64(frame, uint64(s.Seq))
	frame = append(frame, link[:]...)
	frame = binary.BigEndian.AppendUint32(frame, uint32(len(s.Bodies)))
	for _, r := range s.Bodies {
		frame = binary.BigEndian.AppendUint64(frame, uint64(r.Gen))
		frame = binary.BigEndian.AppendUint64(frame, uint64(r.Num))
		frame = append(frame, r.Sum[:]...)
	}
	return append(frame, s.Index...)
}

// notThere tells a missing row, which is damage, from a failed query.
func notThere(err error, what string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return damaged(what, nil)
	}
	return err
}

// Body opens one of a snapshot's bodies, 0 … len(Bodies)-1. It may be asked for a minute after a newer snapshot replaced
// this one; later it may answer ErrReplaced.
func (j *Journal) Body(ctx context.Context, chart int64, s *Snapshot, n int) ([]byte, error) {
	if n < 0 || n >= len(s.Bodies) {
		return nil, fmt.Errorf("journal: body %d of %d: there is none", n, len(s.Bodies))
	}
	key, err := j.key(ctx, j.db, chart)
	if err != nil {
		return nil, fmt.Errorf("journal: body: %w", err)
	}
	ref := s.Bodies[n]
	var sealed []byte
	if ref.Gen == 0 {
		err = j.db.QueryRow(ctx, "SELECT data FROM journal_log WHERE chart = $1 AND seq = $2", chart, ref.Num).Scan(&sealed)
	} else {
		err = j.db.QueryRow(ctx, "SELECT data FROM journal_seg WHERE chart = $1 AND gen = $2 AND seg = $3", chart, ref.Gen, ref.Num).Scan(&sealed)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("journal: body: %w", j.whyMissing(ctx, chart, s, n))
	}
	if err != nil {
		return nil, fmt.Errorf("journal: body: %w", err)
	}
	plain, err := ref.open(key, chart, sealed)
	if err != nil {
		return nil, fmt.Errorf("journal: body: %w", damaged(fmt.Sprintf("body %d", n), err))
	}
	return plain, nil
}

func (r Ref) open(key *vault.Key, chart int64, sealed []byte) ([]byte, error) {
	if refSum(sealed) != r.Sum {
		return nil, vault.ErrOpen
	}
	if r.Gen > 0 {
		return key.Open(bodyPlace(chart, r.Gen, r.Num), sealed)
	}
	row, err := key.Open(logPlace(chart, r.Num), sealed)
	if err == nil && len(row) < 32 {
		err = vault.ErrOpen
	}
	if err != nil {
		return nil, err
	}
	return row[32:], nil
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
	return damaged(fmt.Sprintf("body %d is missing", n), nil)
}

// A Draw is a snapshot to be stored.
type Draw struct {
	Base   int64 // the generation it was made from, 0 for none: it must still be the newest
	Seq    int64 // what it is a state at
	Index  []byte
	Bodies []Body
}

// A Body is a new segment with its bytes, or one that stays where it is: of the newest snapshot, or a row of the log.
type Body struct {
	Bytes []byte
	Kept  Ref // if Bytes is nil
}

// PutSnapshot stores a snapshot: its index, and those bodies that are new. What only the snapshot before it had is kept for
// a minute of readers. Older than the stored one, or overtaken by another writer's, it is ErrConflict.
func (j *Journal) PutSnapshot(ctx context.Context, chart int64, d Draw) error {
	before, err := j.open(ctx, j.db, chart)
	if err != nil {
		return fmt.Errorf("journal: snapshot: %w", err)
	}
	if d.Seq < 1 || d.Seq > before.head.seq || before.head.gen != d.Base {
		return fmt.Errorf("journal: snapshot at %d of generation %d, head is %d of %d: %w", d.Seq, d.Base, before.head.seq, before.head.gen, ErrConflict)
	}
	link, err := j.rowHash(ctx, j.db, chart, d.Seq)
	if err != nil {
		return fmt.Errorf("journal: snapshot: %w", err)
	}
	// Sealing is the slow part; it is done before anybody has to wait for this write.
	s, blocks, err := before.sealSnapshot(d, link)
	if err != nil {
		return fmt.Errorf("journal: snapshot: %w", err)
	}
	err = j.db.Write(ctx, func(tx *store.Tx) error {
		r, err := j.open(ctx, tx, chart)
		if err != nil {
			return err
		}
		if r.head.gen != d.Base {
			return ErrConflict
		}
		if err := j.follows(ctx, tx, r, s); err != nil {
			return err
		}
		for num, block := range blocks {
			_, err := tx.Exec(ctx, "INSERT INTO journal_seg (chart, gen, seg, data) VALUES ($1, $2, $3, $4)", chart, s.Gen, int64(num), block)
			if errors.Is(err, store.ErrUnique) { // another node is storing the same generation
				return ErrConflict
			}
			if err != nil {
				return err
			}
		}
		next := r.head
		next.gen = s.Gen
		if err := j.putHead(ctx, tx, r, next); err != nil {
			return err
		}
		if err := j.retire(ctx, tx, chart, s); err != nil {
			return err
		}
		_, err = j.sweep(ctx, tx, 64)
		return err
	})
	if err != nil {
		return fmt.Errorf("journal: snapshot: %w", err)
	}
	return nil
}

// sealSnapshot seals the index as block 0 and the new bodies after it.
func (r *record) sealSnapshot(d Draw, link [32]byte) (*Snapshot, [][]byte, error) {
	s := &Snapshot{Seq: d.Seq, Gen: d.Base + 1, Index: d.Index, Bodies: make([]Ref, len(d.Bodies))}
	blocks := make([][]byte, 1, 1+len(d.Bodies))
	for i, b := range d.Bodies {
		if b.Bytes == nil {
			s.Bodies[i] = b.Kept
			continue
		}
		num := int64(len(blocks))
		sealed, err := r.key.Seal(bodyPlace(r.chart, s.Gen, num), b.Bytes)
		if err != nil {
			return nil, nil, err
		}
		blocks = append(blocks, sealed)
		s.Bodies[i] = Ref{s.Gen, num, refSum(sealed)}
	}
	var err error
	blocks[0], err = r.key.Seal(indexPlace(r.chart, s.Gen), s.frame(link))
	return s, blocks, err
}

// follows refuses to go back behind the stored snapshot, and to keep a segment that is not the stored one's any more: it
// may be about to go. A stored one that cannot be read is replaced: the log has it all.
func (j *Journal) follows(ctx context.Context, q store.Querier, r *record, s *Snapshot) error {
	there := map[Ref]bool{}
	if r.head.gen > 0 {
		now, _, err := j.openIndex(ctx, q, r)
		switch {
		case errors.Is(err, ErrDamaged):
		case err != nil:
			return err
		case now.Seq > s.Seq:
			return ErrConflict
		default:
			for _, ref := range now.Bodies {
				there[ref] = true
			}
		}
	}
	for _, ref := range s.Bodies {
		if ref.Gen > 0 && ref.Gen < s.Gen && !there[ref] || ref.Gen == 0 && (ref.Num < 1 || ref.Num > s.Seq) {
			return ErrConflict
		}
	}
	return nil
}

// retire notes which of a chart's stored segments its newest snapshot does not have.
func (j *Journal) retire(ctx context.Context, tx *store.Tx, chart int64, s *Snapshot) error {
	type place struct{ gen, num int64 }
	has := map[place]bool{{s.Gen, 0}: true}
	for _, ref := range s.Bodies {
		has[place{ref.Gen, ref.Num}] = true
	}
	rows, err := tx.Query(ctx, "SELECT gen, seg FROM journal_seg WHERE chart = $1", chart)
	if err != nil {
		return err
	}
	defer rows.Close()
	var gone []place
	for rows.Next() {
		var p place
		if err := rows.Scan(&p.gen, &p.num); err != nil {
			return err
		}
		if !has[p] {
			gone = append(gone, p)
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for _, p := range gone {
		_, err := tx.Exec(ctx, "INSERT INTO journal_old (chart, gen, seg, since) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING", chart, p.gen, p.num, j.clock().Unix())
		if err != nil {
			return err
		}
	}
	return nil
}

// Sweep removes segments that no snapshot has had for a minute, a thousand at most, and says how many.
// PutSnapshot sweeps too; call this now and then so that the last ones go.
func (j *Journal) Sweep(ctx context.Context) (n int, err error) {
	err = j.db.Write(ctx, func(tx *store.Tx) error {
		n, err = j.sweep(ctx, tx, 1024)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("journal: sweep: %w", err)
	}
	return n, nil
}

func (j *Journal) sweep(ctx context.Context, tx *store.Tx, limit int) (int, error) {
	type old struct{ chart, gen, seg int64 }
	rows, err := tx.Query(ctx, "SELECT chart, gen, seg FROM journal_old WHERE since <= $1 ORDER BY since LIMIT $2",
		j.clock().Add(-readerTime).Unix(), limit)
	if err != nil {
		return 0, err
	}
	var gone []old
	for rows.Next() {
		var o old
		if err := rows.Scan(&o.chart, &o.gen, &o.seg); err != nil {
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
			if _, err := tx.Exec(ctx, "DELETE FROM "+table+" WHERE chart = $1 AND gen = $2 AND seg = $3", o.chart, o.gen, o.seg); err != nil {
				return 0, err
			}
		}
	}
	return len(gone), nil
}
