package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"time"

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

// pass moves what is durable now into the tree, a chunk at a time. It needs the turn. What could not be sealed or read is
// tried again by the next pass; a failed write stops the log on SQLite, and so does what somebody changed.
func (l *Log) pass(ctx context.Context) error {
	if err := l.failure(); err != nil {
		return err
	}
	began := l.begun.Add(1)
	err := l.moveAll(ctx)
	if err == nil {
		l.settled = began
	}
	if errors.Is(err, ErrTampered) {
		return l.stop(err)
	}
	return err
}

func (l *Log) moveAll(ctx context.Context) error {
	upTo, err := l.refresh(ctx)
	if err != nil {
		return err
	}
	limit := uint64(0)
	if l.file != nil {
		limit = l.file.log.Durable()
	}
	for {
		c, err := l.chunk(ctx, upTo, limit)
		if err != nil {
			return err
		}
		if len(c.rows) == 0 && len(c.frames) == 0 {
			break
		}
		if err = l.move(ctx, c); errors.Is(err, errMoved) {
			l.tree = nil
			_, err = l.refresh(ctx)
		}
		if err != nil {
			return err
		}
		if l.file != nil {
			l.file.log.Moved(l.seen.frame)
		}
		runtime.Gosched() // whoever waits for this core goes first
	}
	if l.file != nil {
		l.file.log.Moved(l.seen.frame)
	}
	return nil
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
	if l.tree == nil || size != l.tree.size {
		err = l.load(ctx)
	}
	return upTo, err
}

// load reads the tree's edge and what was seen of the inbox, in one view: the last tiles grow while others move.
func (l *Log) load(ctx context.Context) error {
	err := l.c.DB.Read(ctx, func(q store.Querier) error {
		size, err := treeSize(ctx, q)
		if err == nil {
			l.tree, err = loadTree(ctx, q, size)
		}
		if err == nil {
			l.seen, err = l.memory.load(ctx, q, size)
		}
		return err
	})
	if err != nil {
		l.tree = nil
	}
	return err
}

// A part is what one transaction moves.
type part struct {
	rows   []row
	frames []frame
}

// chunk gives what comes next. Rows and frames come in the order of their times: where one of the two was cut off, the other
// waits for what is behind the cut.
func (l *Log) chunk(ctx context.Context, upTo rowID, limit uint64) (p part, err error) {
	var moreRows, moreFrames bool
	if upTo != (rowID{}) {
		if p.rows, moreRows, err = waiting(ctx, l.c.DB, upTo); err != nil {
			return p, err
		}
	}
	if l.file != nil && l.seen.frame < limit {
		if p.frames, moreFrames, err = l.file.frames(ctx, l.seen.frame, limit); err != nil {
			return p, err
		}
	}
	if len(p.rows) == 0 || len(p.frames) == 0 || !moreRows && !moreFrames {
		return p, nil
	}
	end := int64(math.MaxInt64)
	if moreRows {
		end = p.rows[len(p.rows)-1].id.time()
	}
	if moreFrames {
		end = min(end, p.frames[len(p.frames)-1].last)
	}
	frames := len(p.frames)
	for i, f := range p.frames {
		if f.last > end {
			frames, end = i, min(end, f.first)
			break
		}
	}
	rows := 0
	for rows < len(p.rows) && p.rows[rows].id.time() <= end {
		rows++
	}
	if rows == 0 && frames == 0 { // more rows than a chunk in the time of one frame
		frames, rows = 1, len(p.rows)
	}
	p.rows, p.frames = p.rows[:rows], p.frames[:frames]
	return p, nil
}

// move puts rows and frames into the tree: their blocks, the tiles, and their end where they came from are one
// transaction, so a crash neither loses nor doubles an entry. What takes time is done before it.
func (l *Log) move(ctx context.Context, p part) error {
	next := l.tree.copy()
	m := moving{l: l, ctx: ctx, tree: next, seen: l.seen.copy(), groups: map[int64][][]byte{}}
	m.seen.rev++
	m.read(p)
	if err := ctx.Err(); err != nil {
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
	switch {
	case err == nil:
	case errors.Is(err, store.ErrUnique), errors.Is(err, errMoved):
		return errMoved
	case ctx.Err() != nil, errors.Is(err, store.ErrClosed):
		return err
	default:
		return l.trouble(err)
	}
	next.stored()
	l.tree, l.seen = next, m.seen
	if m.erased && l.file != nil {
		l.file.log.Turn() // what the file says of an erased chart goes as soon as it can
	}
	return nil
}

// moving is one chunk on its way.
type moving struct {
	l      *Log
	ctx    context.Context
	tree   *tree
	seen   *seen
	rows   []row // their entries go into the tree
	bad    []row // they do not open
	again  []row // they had their place already
	charts []int64
	groups map[int64][][]byte
	blocks []block
	left   []byte // entries, as a row holds them, whose charts' keys cannot be used
	erased bool   // a chart of some was erased
}

// read opens rows and puts all that was noted in the order of time.
func (m *moving) read(p part) {
	var all []noted
	for _, f := range p.frames {
		all = append(all, f.noted...)
		m.seen.frame = f.seq
	}
	late := time.Duration(0)
	if m.l.c.DB.Dialect() == "postgres" {
		late = commitsLate
	}
	for _, r := range p.rows {
		plain, err := m.l.seals.open(r.id, r.data)
		var entries []Entry
		if err == nil {
			entries, err = parseRow(plain, nil)
		}
		switch {
		case err != nil:
			m.bad = append(m.bad, r)
		case m.seen.again(r.id, late):
			m.again = append(m.again, r)
		default:
			m.rows = append(m.rows, r)
			all = append(all, noted{r.id.time(), entries})
		}
	}
	slices.SortStableFunc(all, func(a, b noted) int { return cmp.Compare(a.at, b.at) })
	for _, n := range all {
		m.group(n.entries)
	}
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
		m.erased = true
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
	for aside, rows := range map[int][]row{altered: m.bad, putBack: m.again} {
		for _, r := range rows {
			if _, err := tx.Exec(ctx, `UPDATE audit_inbox SET aside = $1 WHERE id = $2`, aside, r.id[:]); err != nil {
				return err
			}
		}
	}
	if len(m.left) > 0 {
		id := m.l.ids.next()
		m.seen.held[id] = true
		if err := m.l.insertRow(ctx, tx, keyless, id, append([]byte{rowFormat}, m.left...)); err != nil {
			return err
		}
	}
	if err := m.l.memory.store(ctx, tx, m.seen, m.tree.size); err != nil {
		return err
	}
	if err := insertBlocks(ctx, tx, m.blocks); err != nil {
		return err
	}
	return insertTiles(ctx, tx, m.tree.tiles())
}
