// Package feed is the ordered list of facts that charts append to and others read from.
package feed

import (
	"context"
	"time"

	"github.com/wellgate/wellgate/store"
)

// A Fact says what happened, never what it said: it holds references, not health data.
type Fact struct {
	Seq   int64
	Room  string // "results"
	What  string // "commented"
	Chart int64
	Ref   string // "Observation/abc"
	At    time.Time
}

// Feed is safe for concurrent use.
type Feed struct{ todo int }

func Open(ctx context.Context, db *store.DB) (*Feed, error) { panic("todo") }

// Append adds facts inside the transaction that made them true.
func (f *Feed) Append(ctx context.Context, tx *store.Tx, facts ...Fact) error { panic("todo") }

// After returns at most limit facts with Seq > after, oldest first.
func (f *Feed) After(ctx context.Context, after int64, limit int) ([]Fact, error) { panic("todo") }

// Watermark and Advance keep each reader's place by name.
func (f *Feed) Watermark(ctx context.Context, reader string) (int64, error) { panic("todo") }
func (f *Feed) Advance(ctx context.Context, tx *store.Tx, reader string, seq int64) error {
	panic("todo")
}
