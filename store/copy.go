package store

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"slices"
	"strings"
)

var (
	// ErrOccupied means that the target of a copy holds something else.
	ErrOccupied = errors.New("store: the target holds tables that are not of this copy; name an empty database")
	// ErrDiffers means that a finished copy is not what was copied.
	ErrDiffers = errors.New("store: the copy differs from what was copied; empty the target and start again")
)

//go:embed schema/*.sql
var markSchema embed.FS

// A copy in the making is marked by a table of its own in the target, which goes when the copy is whole.
const (
	markTable = "store_copy"
	markOwner = "copy"
)

// BeginCopy readies a target: an empty database, or one with the unfinished copy of the same source, which goes on where it
// stopped. source names what is copied, the same each time; migrate makes the owners' tables.
func BeginCopy(ctx context.Context, to *DB, source string, migrate func(context.Context, *DB) error) error {
	owners, err := to.Owners(ctx)
	if err != nil {
		return err
	}
	if len(owners) > 0 && !slices.Contains(owners, markOwner) {
		return ErrOccupied
	}
	if len(owners) == 0 {
		if tables, err := to.Tables(ctx); err != nil || len(tables) > 0 {
			return errors.Join(err, ErrOccupied)
		}
	}
	if err := to.Migrate(ctx, markOwner, markSchema); err != nil {
		return err
	}
	var of string
	err = to.Write(ctx, func(tx *Tx) error {
		if _, err := tx.Exec(ctx, "INSERT INTO "+markTable+" (one, source) VALUES (1, $1) ON CONFLICT (one) DO NOTHING", source); err != nil {
			return err
		}
		return tx.QueryRow(ctx, "SELECT source FROM "+markTable+" WHERE one = 1").Scan(&of)
	})
	if err != nil {
		return fmt.Errorf("store: copy: %w", err)
	}
	if of != source {
		return ErrOccupied
	}
	return migrate(ctx, to)
}

// CopyTable brings what is missing in the target, in the order of the key, some hundred rows to a transaction: after a
// crash the target holds the first rows and this goes on behind them. Then it compares the two.
func CopyTable(ctx context.Context, from, to *DB, t Table) (Sum, error) {
	after, err := to.last(ctx, t)
	if err != nil {
		return Sum{}, err
	}
	insert := "INSERT INTO " + t.Name + " (" + names(t.Columns) + ") VALUES (" + params(len(t.Columns)) + ")"
	for {
		page, err := from.page(ctx, t, after)
		if err != nil {
			return Sum{}, err
		}
		if len(page) == 0 {
			break
		}
		err = to.Write(ctx, func(tx *Tx) error {
			for _, row := range page {
				if _, err := tx.Exec(ctx, insert, row...); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return Sum{}, fmt.Errorf("store: copy %s: %w", t.Name, err)
		}
		after = t.keyOf(page[len(page)-1])
	}
	was, err := from.Sum(ctx, t)
	if err != nil {
		return was, err
	}
	is, err := to.Sum(ctx, t)
	if err == nil && is != was {
		err = fmt.Errorf("%w: %s has %d rows (%.12s), the copy %d (%.12s)", ErrDiffers, t.Name, was.Rows, was.SHA256, is.Rows, is.SHA256)
	}
	return was, err
}

// last is the key of the last row, nil for none.
func (db *DB) last(ctx context.Context, t Table) ([]any, error) {
	order := db.order(t)
	query := "SELECT " + names(t.Key) + " FROM " + t.Name + " ORDER BY " + strings.Join(order, " DESC, ") + " DESC LIMIT 1"
	rows, err := db.Query(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("store: copy %s: %w", t.Name, err)
	}
	defer rows.Close()
	if !rows.Next() {
		return nil, rows.Err()
	}
	key, into := make([]any, len(t.Key)), make([]any, len(t.Key))
	for i := range key {
		into[i] = &key[i]
	}
	if err := rows.Scan(into...); err != nil {
		return nil, fmt.Errorf("store: copy %s: %w", t.Name, err)
	}
	return key, nil
}

// EndCopy takes the mark away: from here on the target is a practice like any other.
func EndCopy(ctx context.Context, to *DB) error {
	err := to.Write(ctx, func(tx *Tx) error {
		for _, table := range []string{markTable, "goose_" + markOwner} {
			if _, err := tx.Exec(ctx, "DROP TABLE "+table); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("store: copy: %w", err)
	}
	return nil
}

// Unfinished says whether db is a copy that was not brought to its end.
func (db *DB) Unfinished(ctx context.Context) (bool, error) {
	owners, err := db.Owners(ctx)
	return slices.Contains(owners, markOwner), err
}
