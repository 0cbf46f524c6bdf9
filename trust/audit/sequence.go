package audit

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/wellgate/wellgate/store"
)

// A chunk is what one transaction moves from the inbox into the tree.
const (
	chunkRows    = 512
	chunkEntries = 8192
	chunkBytes   = 4 << 20
)

// errMoved means that another process moved first: load the tree again and look what is left.
var errMoved = errors.New("another process moved these entries")

// Settle puts everything that was durable before the call into the tree. Whoever erases a chart calls it before: what is
// said of the chart is then sealed under its key alone, and goes with it.
func (l *Log) Settle(ctx context.Context) error {
	if err := l.settle(ctx); err != nil {
		return fmt.Errorf("audit: Settle: %w", err)
	}
	return nil
}

// settle returns once everything that was durable before the call is in the tree. Callers that wait together share a
// pass.
func (l *Log) settle(ctx context.Context) error {
	want := l.begun.Load() + 1 // a pass that begins later than now
	if err := l.takeTurn(ctx); err != nil {
		return err
	}
	defer l.endTurn()
	if l.settled >= want {
		return nil
	}
	return l.pass(ctx)
}

// takeTurn gives the right to move, to sign and to anchor. It is taken before mu.
func (l *Log) takeTurn(ctx context.Context) error {
	select {
	case l.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *Log) endTurn() { <-l.turn }

// pass moves what is durable now into the tree, a chunk at a time. It needs the turn. What fails is tried again by the
// next pass; on SQLite it stops the log.
func (l *Log) pass(ctx context.Context) error {
	if err := l.failure(); err != nil {
		return err
	}
	began := l.begun.Add(1)
	err := l.moveFrames(ctx)
	if err == nil {
		err = l.moveAll(ctx)
	}
	switch {
	case err == nil:
		l.settled = began
		return nil
	case ctx.Err() != nil || errors.Is(err, store.ErrClosed) || errors.Is(err, ErrLater):
		return err
	}
	return l.trouble(err)
}

func (l *Log) moveAll(ctx context.Context) error {
	upTo, err := l.refresh(ctx)
	for err == nil && upTo != (rowID{}) {
		var rows []row
		if rows, err = waiting(ctx, l.c.DB, upTo); err != nil || len(rows) == 0 {
			return err
		}
		if err = l.move(ctx, rows, nil, 0); errors.Is(err, errMoved) {
			_, err = l.refresh(ctx)
		}
		runtime.Gosched() // whoever waits for this core goes first
	}
	return err
}

// refresh gives the newest row of the inbox, zero for none, and sees that the tree is the stored one: another process
// may have added to it.
func (l *Log) refresh(ctx context.Context) (upTo rowID, err error) {
	var newest []byte
	var size int64
	err = l.c.DB.QueryRow(ctx, `SELECT (SELECT id FROM audit_inbox WHERE aside = 0 ORDER BY id DESC LIMIT 1), `+sizeSQL).Scan(&newest, &size)
	if err != nil {
		return upTo, fmt.Errorf("look into the inbox: %w", err)
	}
	copy(upTo[:], newest)
	if size == l.tree.size {
		return upTo, nil
	}
	err = l.c.DB.Read(ctx, func(q store.Querier) error { // in one view: the last tiles grow while others move
		if size, err = treeSize(ctx, q); err == nil {
			l.tree, err = loadTree(ctx, q, size)
		}
		return err
	})
	return upTo, err
}

// move puts rows, and entries of the file up to a frame, into the tree: their blocks, the tiles, and their end where they
// came from are one transaction, so a crash neither loses nor doubles an entry. What takes time is done before it.
func (l *Log) move(ctx context.Context, rows []row, entries []Entry, frame uint64) error {
	next := l.tree.copy()
	m := moving{l: l, ctx: ctx, tree: next, frame: frame, groups: map[int64][][]byte{}}
	m.group(entries)
	if err := m.read(rows); err != nil {
		return err
	}
	if err := m.seal(); err != nil {
		return err
	}
	err := l.c.DB.Write(ctx, func(tx *store.Tx) error {
		size, err := treeSize(ctx, tx)
		if err != nil {
			return err
		}
		if size != l.tree.size {
			return errMoved
		}
		return m.store(ctx, tx)
	})
	if errors.Is(err, store.ErrUnique) {
		return errMoved
	}
	if err != nil {
		return err
	}
	next.stored()
	l.tree = next
	return nil
}

// moving is one chunk on its way.
type moving struct {
	l      *Log
	ctx    context.Context
	tree   *tree
	rows   []row  // their entries go into the tree
	frame  uint64 // and those of the file up to this frame; 0 for none
	bad    []row  // they do not open
	charts []int64
	groups map[int64][][]byte
	blocks []block
	left   []byte // entries, as a row holds them, whose charts' keys cannot be used
}

// read opens rows.
func (m *moving) read(rows []row) error {
	for _, r := range rows {
		plain, err := m.l.seals.open(r.id, r.data)
		var entries []Entry
		if err == nil {
			entries, err = parseRow(plain, nil)
		}
		if err != nil {
			m.bad = append(m.bad, r)
			continue
		}
		m.rows = append(m.rows, r)
		m.group(entries)
	}
	return m.ctx.Err()
}

// group puts entries of a chart together, in order.
func (m *moving) group(entries []Entry) {
	for _, e := range entries {
		if m.groups[e.Chart] == nil {
			m.charts = append(m.charts, e.Chart)
		}
		m.groups[e.Chart] = append(m.groups[e.Chart], e.Plain)
	}
}

func (m *moving) seal() error {
	for _, chart := range m.charts {
		for rest := m.groups[chart]; len(rest) > 0; {
			n, size := 0, 0
			for n < len(rest) && n < blockEntries && size < blockBytes {
				size += len(rest[n])
				n++
			}
			if err := m.block(chart, rest[:n]); err != nil {
				return err
			}
			rest = rest[n:]
			runtime.Gosched()
		}
	}
	return nil
}

// block seals entries as the next block of the tree. The entries of a chart that was erased leave their commitments.
func (m *moving) block(chart int64, entries [][]byte) error {
	b := block{first: m.tree.size, chart: chart, n: int64(len(entries)), data: []byte{}}
	plain, hashes := packBlock(entries)
	defer clear(plain)
	data, err := m.l.c.Seal.SealEntry(m.ctx, nil, chart, b.first, plain)
	switch {
	case errors.Is(err, ErrErased):
	case errors.Is(err, ErrKey):
		for _, e := range entries {
			m.left = appendEntry(m.left, Entry{chart, e})
		}
		return nil
	case err != nil:
		return fmt.Errorf("seal the entries from %d of chart %d: %w", b.first, chart, err)
	default:
		b.data = data
	}
	b.hashes = hashes
	place := placed(chart, sealedHash(b.first, b.data))
	for i := range b.n {
		m.tree.add(leafOf(b.commitment(b.first+i), place).hash())
	}
	m.blocks = append(m.blocks, b)
	return nil
}

// store writes the chunk. The rows go first: who finds one missing has come second.
func (m *moving) store(ctx context.Context, tx *store.Tx) error {
	if err := deleteRows(ctx, tx, m.rows); err != nil {
		return err
	}
	if m.frame != 0 {
		if err := framesMoved(ctx, tx, m.l.file.moved, m.frame); err != nil {
			return err
		}
	}
	for _, r := range m.bad {
		if _, err := tx.Exec(ctx, `UPDATE audit_inbox SET aside = $1 WHERE id = $2`, altered, r.id[:]); err != nil {
			return err
		}
	}
	if len(m.left) > 0 {
		if err := m.l.insertRow(ctx, tx, keyless, append([]byte{rowFormat}, m.left...)); err != nil {
			return err
		}
	}
	if err := insertBlocks(ctx, tx, m.blocks); err != nil {
		return err
	}
	return insertTiles(ctx, tx, m.tree.tiles())
}
