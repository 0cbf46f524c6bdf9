package journal

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/trust/vault"
)

// Row is one opened batch.
type Row struct {
	Seq   int64
	Plain []byte
	sum   [sumLen]byte
}

// Ref names the row for a snapshot that has it for a body.
func (r Row) Ref() Ref { return Ref{Num: r.Seq, Sum: r.sum} }

// head is what a chart's row seals: the end of its log and its current snapshot.
type head struct {
	seq  int64
	hash [32]byte // SHA-256 of row seq as stored; zero for an empty log
	gen  int64    // 0: no snapshot
}

func headPlace(chart int64) vault.Place { return vault.Place{Chart: chart, Kind: vault.KindHead} }

func sealHead(key *vault.Key, chart int64, h head) ([]byte, error) {
	b := make([]byte, 0, 48)
	b = binary.BigEndian.AppendUint64(b, uint64(h.seq))
	b = binary.BigEndian.AppendUint64(b, uint64(h.gen))
	return key.Seal(headPlace(chart), append(b, h.hash[:]...))
}

func openHead(key *vault.Key, chart int64, sealed []byte) (head, error) {
	b, err := key.Open(headPlace(chart), sealed)
	if err != nil {
		return head{}, err
	}
	if len(b) != 48 {
		return head{}, vault.ErrOpen
	}
	h := head{seq: int64(binary.BigEndian.Uint64(b)), gen: int64(binary.BigEndian.Uint64(b[8:]))}
	copy(h.hash[:], b[16:])
	return h, nil
}

func logPlace(chart, seq int64) vault.Place {
	return vault.Place{Chart: chart, Kind: vault.KindLog, Seq: seq}
}

// Head is the chart's newest sequence number.
func (j *Journal) Head(ctx context.Context, q store.Querier, chart int64) (int64, error) {
	r, err := j.open(ctx, q, chart)
	if err != nil {
		return 0, fmt.Errorf("journal: head: %w", err)
	}
	return r.head.seq, nil
}

// Load opens the newest snapshot's index (nil if none) and every row after it, checking the chain.
func (j *Journal) Load(ctx context.Context, chart int64) (*Snapshot, []Row, error) {
	var snap *Snapshot
	var tail []Row
	err := j.db.Read(ctx, func(q store.Querier) error {
		r, err := j.open(ctx, q, chart)
		if err != nil {
			return err
		}
		var link [32]byte
		after := int64(0)
		if r.head.gen > 0 {
			if snap, link, err = j.openIndex(ctx, q, r); err != nil {
				return err
			}
			after = snap.Seq
		}
		tail, link, err = j.chain(ctx, q, r, span{after + 1, r.head.seq, link})
		if err != nil {
			return err
		}
		if link != r.head.hash {
			return damaged(fmt.Sprintf("row %d is not the one that was written", r.head.seq), nil)
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("journal: load: %w", err)
	}
	last := int64(0)
	if len(tail) > 0 {
		last = tail[len(tail)-1].Seq
	} else if snap != nil {
		last = snap.Seq
	}
	j.saw(chart, last)
	return snap, tail, nil
}

// saw remembers the newest committed row of a chart.
func (j *Journal) saw(chart, seq int64) {
	for {
		old, loaded := j.seen.LoadOrStore(chart, seq)
		if !loaded || old.(int64) >= seq || j.seen.CompareAndSwap(chart, old, seq) {
			return
		}
	}
}

// Rows opens rows from seq from (inclusive) to to (inclusive; 0 = head): history.
func (j *Journal) Rows(ctx context.Context, chart, from, to int64) ([]Row, error) {
	var rows []Row
	err := j.db.Read(ctx, func(q store.Querier) error {
		r, err := j.open(ctx, q, chart)
		if err != nil {
			return err
		}
		first, last := max(from, 1), to
		if to == 0 || to > r.head.seq {
			last = r.head.seq
		}
		if first > last {
			return nil
		}
		var link [32]byte
		if first > 1 {
			if link, err = j.rowHash(ctx, q, chart, first-1); err != nil {
				return err
			}
		}
		if rows, link, err = j.chain(ctx, q, r, span{first, last, link}); err != nil {
			return err
		}
		return j.checkNext(ctx, q, r, last, link)
	})
	if err != nil {
		return nil, fmt.Errorf("journal: rows: %w", err)
	}
	return rows, nil
}

// checkNext confirms row seq's hash by who came after it: the next row, or the sealed head.
func (j *Journal) checkNext(ctx context.Context, q store.Querier, r *record, seq int64, link [32]byte) error {
	if seq < r.head.seq {
		_, _, err := j.chain(ctx, q, r, span{seq + 1, seq + 1, link})
		return err
	}
	if link != r.head.hash {
		return damaged(fmt.Sprintf("row %d is not the one that was written", seq), nil)
	}
	return nil
}

// span is what chain reads: rows first … last; link is the hash of the row before first.
type span struct {
	first, last int64
	link        [32]byte
}

// chain opens a span of rows, each of which must carry the hash of the one before, and returns the hash of the last,
// which the caller checks against what it knows. At the head, a row beyond it is damage: an older head was put back.
func (j *Journal) chain(ctx context.Context, q store.Querier, r *record, s span) ([]Row, [32]byte, error) {
	limit := s.last
	if s.last == r.head.seq {
		limit = math.MaxInt64
	}
	link := s.link
	stored, err := q.Query(ctx, "SELECT seq, data FROM journal_log WHERE chart = $1 AND seq >= $2 AND seq <= $3 ORDER BY seq",
		r.chart, s.first, limit)
	if err != nil {
		return nil, link, err
	}
	defer stored.Close()
	var rows []Row
	for next := s.first; stored.Next(); next++ {
		var seq int64
		var sealed []byte
		if err := stored.Scan(&seq, &sealed); err != nil {
			return nil, link, err
		}
		if seq != next || seq > s.last {
			return nil, link, damaged(fmt.Sprintf("row %d stands where %d should, and the head is %d", seq, next, r.head.seq), nil)
		}
		frame, err := r.key.Open(logPlace(r.chart, seq), sealed)
		if err != nil {
			return nil, link, damaged(fmt.Sprintf("row %d", seq), err)
		}
		if len(frame) < len(link) || [32]byte(frame[:32]) != link {
			return nil, link, damaged(fmt.Sprintf("row %d does not follow the one before it", seq), nil)
		}
		link = sha256.Sum256(sealed)
		rows = append(rows, Row{seq, frame[32:], [sumLen]byte(link[:])})
	}
	if err := stored.Err(); err != nil {
		return nil, link, err
	}
	if n := s.last - s.first + 1; int64(len(rows)) < n {
		return nil, link, damaged(fmt.Sprintf("row %d is missing", s.first+int64(len(rows))), nil)
	}
	return rows, link, nil
}

// rowHash is the hash of a stored row, unopened.
func (j *Journal) rowHash(ctx context.Context, q store.Querier, chart, seq int64) ([32]byte, error) {
	var sealed []byte
	err := q.QueryRow(ctx, "SELECT data FROM journal_log WHERE chart = $1 AND seq = $2", chart, seq).Scan(&sealed)
	if err != nil {
		return [32]byte{}, notThere(err, fmt.Sprintf("row %d is missing", seq))
	}
	return sha256.Sum256(sealed), nil
}
