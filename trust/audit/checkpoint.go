package audit

import (
	"context"
	"fmt"
	"time"

	"github.com/wellgate/wellgate/store"
)

const (
	signEvery   = time.Second
	anchorEvery = time.Minute
)

// signed is the newest checkpoint that is in the store.
type signed struct {
	checkpoint
	note []byte
}

// Checkpoint signs the tree over durable entries and returns the note. A tree that did not grow keeps its note.
// It must not be called inside store.Write, nor Receipt, which may need it.
func (l *Log) Checkpoint(ctx context.Context) ([]byte, error) {
	l.signing.Lock()
	defer l.signing.Unlock()
	l.mu.Lock()
	err := l.unusable()
	l.mu.Unlock()
	if err == nil {
		err = l.sign(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("audit: Checkpoint: %w", err)
	}
	return append([]byte(nil), l.last.note...), nil
}

// sign runs under l.signing. l.edge moves only in a transaction's Committed, so what is signed is on disk.
func (l *Log) sign(ctx context.Context) error {
	l.mu.Lock()
	tree, err := l.edge, l.failed
	l.mu.Unlock()
	if err != nil {
		return err
	}
	if l.last.note != nil && l.last.size >= tree.size {
		return nil
	}
	c := checkpoint{tree.size, tree.root()}
	note, err := signCheckpoint(c, l.signer)
	if err != nil {
		return fmt.Errorf("sign the tree of %d entries: %w", c.size, err)
	}
	err = l.c.DB.Write(ctx, func(tx *store.Tx) error {
		// Two nodes may sign the same tree; Ed25519 makes their notes equal.
		_, err := tx.Exec(ctx, `INSERT INTO audit_checkpoint (size, note) VALUES ($1, $2) ON CONFLICT (size) DO NOTHING`, c.size, note)
		return err
	})
	if err != nil {
		if ctx.Err() == nil {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.stop(err)
		}
		return fmt.Errorf("store the checkpoint of %d entries: %w", c.size, err)
	}
	l.last = signed{c, note}
	return nil
}

// signLoop signs each second if the tree grew and anchors each minute. Its errors stop the log, which is how they are told.
func (l *Log) signLoop() {
	tick := time.NewTicker(signEvery)
	defer tick.Stop()
	var anchored time.Time
	for {
		select {
		case <-l.done:
			return
		case <-tick.C:
		}
		l.signing.Lock()
		err := l.sign(context.Background())
		if now := l.c.Clock(); err == nil && now.Sub(anchored) >= anchorEvery {
			anchored = now
			l.anchorNow()
		}
		l.signing.Unlock()
	}
}

// anchorNow runs under l.signing.
func (l *Log) anchorNow() error {
	if l.anchor == nil || l.last.note == nil || l.last.size <= l.anchored {
		return nil
	}
	if err := l.anchor.write(l.last.note); err != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.stop(err)
		return err
	}
	l.anchored = l.last.size
	return nil
}
