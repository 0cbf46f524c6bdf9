package audit

import (
	"context"
	"fmt"
	"time"

	"github.com/wellgate/wellgate/store"
)

const (
	sequenceEvery = time.Second
	anchorEvery   = time.Minute
	keepRecent    = 24 * 60 * 60 // seconds
	thinEvery     = 60 * 60      // seconds
)

// signed is the newest checkpoint that is in the store.
type signed struct {
	checkpoint
	note []byte
}

// Checkpoint puts what is durable into the tree, signs it and returns the note. A tree that did not grow keeps its note.
// It must not be called inside store.Write, nor anything that reads the log.
func (l *Log) Checkpoint(ctx context.Context) ([]byte, error) {
	note, err := l.checkpoint(ctx)
	if err != nil {
		return nil, fmt.Errorf("audit: Checkpoint: %w", err)
	}
	return note, nil
}

func (l *Log) checkpoint(ctx context.Context) ([]byte, error) {
	if err := l.ready(); err != nil {
		return nil, err
	}
	if err := l.settle(ctx); err != nil {
		return nil, err
	}
	if err := l.takeTurn(ctx); err != nil {
		return nil, err
	}
	defer l.endTurn()
	if err := l.sign(ctx); err != nil {
		return nil, err
	}
	return append([]byte(nil), l.last.note...), nil
}

// sign needs the turn. l.tree is what is stored, so what is signed is on disk.
func (l *Log) sign(ctx context.Context) error {
	if err := l.failure(); err != nil {
		return err
	}
	if l.last.note != nil && l.last.size >= l.tree.size {
		return nil
	}
	c := checkpoint{l.tree.size, l.tree.root()}
	note, err := signCheckpoint(c, l.signer)
	if err != nil {
		return fmt.Errorf("sign the tree of %d entries: %w", c.size, err)
	}
	now := l.c.Clock().Unix()
	err = l.c.DB.Write(ctx, func(tx *store.Tx) error {
		// Two nodes may sign the same tree; Ed25519 makes their notes equal.
		if now/3600 != l.kept {
			return keepCheckpoint(ctx, tx, signed{c, note})
		}
		_, err := tx.Exec(ctx, `INSERT INTO audit_recent (size, at, note) VALUES ($1, $2, $3) ON CONFLICT (size) DO NOTHING`, c.size, now, note)
		return err
	})
	if err != nil {
		if ctx.Err() == nil {
			err = l.trouble(err)
		}
		return fmt.Errorf("store the checkpoint of %d entries: %w", c.size, err)
	}
	l.last, l.kept = signed{c, note}, now/3600
	return nil
}

// keepCheckpoint stores a checkpoint that stays.
func keepCheckpoint(ctx context.Context, tx *store.Tx, s signed) error {
	_, err := tx.Exec(ctx, `INSERT INTO audit_checkpoint (size, note) VALUES ($1, $2) ON CONFLICT (size) DO NOTHING`, s.size, s.note)
	return err
}

// sequenceLoop moves and signs each second if there is something, and anchors each minute. Its errors stop the log, or
// stay until the next second tries again, and show in what is asked of the log.
func (l *Log) sequenceLoop() {
	tick := time.NewTicker(sequenceEvery)
	defer tick.Stop()
	var anchored time.Time
	for {
		select {
		case <-l.done:
			return
		case <-tick.C:
		}
		if due := l.c.Clock().Sub(anchored) >= anchorEvery; l.second(due) == nil && due {
			anchored = l.c.Clock()
		}
	}
}

func (l *Log) second(anchor bool) error {
	ctx := context.Background()
	if err := l.takeTurn(ctx); err != nil {
		return err
	}
	defer l.endTurn()
	err := l.pass(ctx)
	if err == nil {
		err = l.sign(ctx)
	}
	if err == nil {
		err = l.thin(ctx)
	}
	if err == nil && anchor {
		err = l.anchorNow(ctx)
	}
	return err
}

// thin removes the checkpoints of each second that are older than a day; each hour's and the anchored ones stay.
func (l *Log) thin(ctx context.Context) error {
	now := l.c.Clock().Unix()
	if now-l.thinned < thinEvery {
		return nil
	}
	err := l.c.DB.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM audit_recent WHERE at < $1`, now-keepRecent)
		return err
	})
	if err != nil {
		return l.trouble(err)
	}
	l.thinned = now
	return nil
}

// anchorNow needs the turn. The store keeps what it anchors.
func (l *Log) anchorNow(ctx context.Context) error {
	if l.anchor == nil || l.last.note == nil || l.last.size <= l.anchored {
		return nil
	}
	err := l.c.DB.Write(ctx, func(tx *store.Tx) error { return keepCheckpoint(ctx, tx, l.last) })
	if err != nil {
		return l.trouble(err)
	}
	if err := l.anchor.write(l.last.note); err != nil {
		return l.stop(err)
	}
	l.anchored = l.last.size
	return nil
}
