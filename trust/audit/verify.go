package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/trust/audit/witness"
)

// Report is what a full verification saw.
type Report struct {
	Entries     int64  `json:"entries"`
	Signed      int64  `json:"signed"`  // of these, covered by the newest good checkpoint
	Erased      int64  `json:"erased"`  // entries whose key was shredded; their proofs still hold
	Waiting     int64  `json:"waiting"` // rows that a crash left in the inbox; the next start puts them into the tree
	Checkpoints int64  `json:"checkpoints"`
	Anchors     int64  `json:"anchors"`
	Root        string `json:"root"` // empty if the tree could not be computed
	// Cosigned is each witness's newest good signature in the store.
	Cosigned []Cosigned `json:"cosigned,omitempty"`
	Problems []string   `json:"problems"` // empty = verified; each names the place
}

const (
	// maxSize is far beyond any log; a larger index is a forgery and would overflow tlog's numbers.
	maxSize = 1 << 48
	// maxProblems bounds the report; the last line then tells how many more there are.
	maxProblems = 100
)

// Verify recomputes the whole log from stored rows, checks every checkpoint and anchor, and opens entries when seal
// is not nil. It reads in order and holds a page at a time. Nothing of an entry's content enters the report. The
// error tells that verification could not be done; what it found is in Problems. Each of witnesses (key lines) must have
// signed a checkpoint.
func Verify(ctx context.Context, q store.Querier, vkey, anchor string, seal Sealer, witnesses ...string) (Report, error) {
	v, err := note.NewVerifier(strings.TrimSpace(vkey))
	if err != nil {
		return Report{}, fmt.Errorf("audit: Verify: the public key is not a signed-note key line (name+hash+key): %w", err)
	}
	keys, err := witnessKeys(witnesses)
	if err != nil {
		return Report{}, fmt.Errorf("audit: Verify: %w", err)
	}
	f := &verification{ctx: ctx, v: v, seal: seal, demanded: keys, rep: Report{Problems: []string{}}}
	if err := f.run(q, anchor); err != nil {
		return f.rep, fmt.Errorf("audit: Verify: %w", err)
	}
	return f.rep, nil
}

// verification walks blocks, tiles, checkpoints and anchors side by side, in the order of the tree.
type verification struct {
	ctx  context.Context
	q    store.Querier
	v    note.Verifier
	seal Sealer
	rep  Report
	more int64 // problems beyond maxProblems

	size   int64 // entries when verification began
	next   int64 // the entry that must come next
	tree   *tree
	leaves leafTile
	broken bool // an entry is missing: roots can no longer be computed
	differ bool // a root differed, so later ones must: that is told once

	checkpoints *checkpointCursor
	anchors     *anchorCursor
	demanded    []*witness.Key
}

func (f *verification) problem(format string, args ...any) {
	if len(f.rep.Problems) < maxProblems {
		f.rep.Problems = append(f.rep.Problems, fmt.Sprintf(format, args...))
		return
	}
	f.more++
}

func (f *verification) run(q store.Querier, anchor string) error {
	// The anchor is older than the checkpoints, and they than the entries, if they are looked at in this order
	// while a running log goes on.
	f.anchors = f.openAnchors(anchor)
	defer f.anchors.close()
	newest, err := f.look(q)
	if err != nil {
		return err
	}
	f.q, f.tree = q, &tree{}
	f.checkpoints = &checkpointCursor{ctx: f.ctx, q: q, last: newest}
	if err := f.blocks(); err != nil {
		return err
	}
	if err := f.openTiles(); err != nil {
		return err
	}
	if err := f.rest(); err != nil {
		return err
	}
	if err := f.cosignatures(); err != nil {
		return err
	}
	if !f.broken {
		f.rep.Root = f.tree.root().String()
	}
	if f.rep.Signed == 0 && f.rep.Entries > 0 {
		f.problem("no good checkpoint covers any entry")
	}
	if f.more > 0 {
		f.rep.Problems = append(f.rep.Problems, fmt.Sprintf("and %d more problems", f.more))
	}
	return nil
}

// look counts. One statement is one view: whatever is stored now must fit together.
func (f *verification) look(q store.Querier) (newest int64, err error) {
	var tiles, changed, held, again, seen int64
	err = q.QueryRow(f.ctx, `SELECT `+sizeSQL+`, (SELECT COUNT(*) FROM audit_tile),
		(SELECT COALESCE(MAX(size), -1) FROM `+bothCheckpoints+` AS c), (SELECT COUNT(*) FROM audit_inbox),
		(SELECT COUNT(*) FROM audit_inbox WHERE aside = 1), (SELECT COUNT(*) FROM audit_inbox WHERE aside NOT IN (0, 1, 3)),
		(SELECT COUNT(*) FROM audit_inbox WHERE aside = 3), (SELECT COALESCE(MAX(size), 0) FROM audit_seen)`).
		Scan(&f.size, &tiles, &newest, &f.rep.Waiting, &held, &changed, &again, &seen)
	if err != nil {
		return 0, err
	}
	f.rep.Waiting -= held + changed + again
	if again > 0 {
		f.problem("%d rows of the inbox were put back after they had their place; they did not get another", again)
	}
	if seen != f.size {
		f.problem("the memory of the inbox is that of %d entries", seen)
	}
	if changed > 0 {
		f.problem("%d rows of the inbox were changed; their entries cannot be read", changed)
	}
	if held > 0 {
		f.problem("%d rows of the inbox wait for the key of a chart that cannot be used", held)
	}
	if f.size < 0 || f.size > maxSize {
		f.problem("entry %d is not part of any log", f.size-1)
		f.size = maxSize
	} else if want := tileCount(f.size); tiles != want {
		f.problem("%d tiles, not %d", tiles, want)
	}
	return newest, nil
}

func (f *verification) blocks() error {
	cursor := blockCursor{ctx: f.ctx, q: f.q, size: f.size, keep: f.seal != nil}
	for {
		page, err := cursor.page()
		if err != nil {
			return err
		}
		for i := range page {
			if err := f.block(&page[i]); err != nil {
				return err
			}
		}
		if len(page) == 0 {
			return f.flush()
		}
	}
}

// block checks the signed trees that end in b, its entries against their stored hashes, then what is inside.
func (f *verification) block(b *storedBlock) error {
	switch {
	case b.bad:
		f.problem("the block at %d is malformed", b.first)
		f.broken = true
		return nil
	case b.first < f.next:
		f.problem("the block at %d holds entries that another holds too", b.first)
		f.broken = true
		return nil
	case b.first > f.next:
		f.problem("entries %d to %d are missing", f.next, b.first-1)
		f.broken = true
	}
	f.next = b.first + b.n
	place := placed(b.chart, b.sealed)
	for at := b.first; at < f.next; at++ {
		if err := f.roots(); err != nil {
			return err
		}
		f.rep.Entries++
		if err := f.leaf(at, b.chart, leafOf(b.commitment(at), place).hash()); err != nil {
			return err
		}
	}
	return f.inside(b)
}

func (f *verification) inside(b *storedBlock) error {
	if f.seal == nil {
		return nil
	}
	_, err := b.open(f.ctx, f.seal)
	switch {
	case f.ctx.Err() != nil:
		return f.ctx.Err()
	case errors.Is(err, ErrErased):
		f.rep.Erased += b.n
	case errors.Is(err, errAltered):
		f.problem("the entries %d to %d of chart %d are not those committed to", b.first, f.next-1, b.chart)
	case err != nil: // the error is the sealer's and might say more than a report may
		f.problem("the entries %d to %d of chart %d do not open", b.first, f.next-1, b.chart)
	}
	return nil
}

// roots checks every checkpoint and anchor of the tree as it stands.
func (f *verification) roots() error {
	cp, err := f.checkpoints.peek()
	if err != nil {
		return err
	}
	for cp != nil && cp.size <= f.tree.size && !f.broken {
		f.rep.Checkpoints++
		f.checkpoint(fmt.Sprintf("checkpoint %d", cp.size), cp)
		f.checkpoints.used = cp
		if cp, err = f.checkpoints.pop(); err != nil {
			return err
		}
	}
	for a := f.anchors.head; a != nil && a.size <= f.tree.size && !f.broken; a = f.anchors.head {
		f.checkpoint(fmt.Sprintf("anchor record %d", f.anchors.n), a)
		if ok, err := f.holds(f.checkpoints.used, a); err != nil {
			return err
		} else if !ok {
			f.problem("anchor record %d: the store has no such checkpoint of %d entries", f.anchors.n, a.size)
		}
		f.nextAnchor()
	}
	return nil
}

// checkpoint checks a signed tree of which the entries are at hand.
func (f *verification) checkpoint(name string, s *signedTree) {
	c, _, err := openCheckpoint(s.note, f.v)
	switch {
	case err != nil:
		f.problem("%s is forged or damaged: %v", name, err)
	case c.size != s.size || c.size != f.tree.size:
		f.problem("%s stands in the wrong place: it signs %d entries", name, c.size)
	case c.root == f.tree.root():
		f.rep.Signed = max(f.rep.Signed, c.size)
	case !f.differ:
		f.differ = true
		f.problem("%s signs a different tree: something among the entries %d to %d was changed", name, f.rep.Signed, c.size-1)
	}
}

// rest looks at what signs more than there is.
func (f *verification) rest() error {
	if err := f.roots(); err != nil {
		return err
	}
	cp, err := f.checkpoints.peek()
	for ; cp != nil && err == nil; cp, err = f.checkpoints.pop() {
		f.rep.Checkpoints++
		f.beyond(fmt.Sprintf("checkpoint %d", cp.size), cp)
	}
	for a := f.anchors.head; a != nil; a = f.anchors.head {
		f.beyond(fmt.Sprintf("anchor record %d", f.anchors.n), a)
		f.nextAnchor()
	}
	return err
}

func (f *verification) beyond(name string, s *signedTree) {
	c, _, err := openCheckpoint(s.note, f.v)
	switch {
	case err != nil:
		f.problem("%s is forged or damaged: %v", name, err)
	case !f.broken:
		f.problem("%s signs %d entries, but the store has only %d: the end was cut off, or the store is an older copy", name, c.size, f.tree.size)
	}
}

// openAnchors gives the anchor file's signed trees; one that cannot be read is a problem, not a reason to stop.
func (f *verification) openAnchors(path string) *anchorCursor {
	c := &anchorCursor{}
	if path == "" {
		return c
	}
	s, err := scanAnchor(path)
	if err != nil {
		f.problem("the anchor file: %v", err)
		return c
	}
	c.scan = s
	f.anchors = c
	f.nextAnchor()
	return c
}

// nextAnchor moves to the next record that is a checkpoint of this log and signs more than the one before.
func (f *verification) nextAnchor() {
	c := f.anchors
	before := int64(-1)
	var same string
	if c.head != nil {
		before, same = c.head.size, string(c.head.note)
		if _, n, err := openCheckpoint(c.head.note, f.v); err == nil {
			same = string(witness.Only(n))
		}
	}
	c.head = nil
	for c.scan != nil {
		c.n++
		b, err := c.scan.next()
		if err == io.EOF {
			return
		}
		f.rep.Anchors++
		if err != nil {
			f.problem("anchor record %d: %v", c.n, err)
			return
		}
		tree, _, err := openCheckpoint(b, f.v)
		switch {
		case err != nil:
			f.problem("anchor record %d is forged or damaged: %v", c.n, err)
		case tree.size == before && len(b) > len(same) && strings.HasPrefix(string(b), same): // now with more witnesses
			c.head = &signedTree{tree.size, b}
			return
		case tree.size <= before:
			f.problem("anchor record %d signs %d entries, no more than the one before", c.n, tree.size)
		default:
			c.head = &signedTree{tree.size, b}
			return
		}
	}
}
