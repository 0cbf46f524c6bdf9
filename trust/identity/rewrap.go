package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/trust/vault"
)

// A wrappedKey is a stored key and where it stands.
type wrappedKey struct {
	id      string
	wrapped []byte
}

// wrappedIn are the two tables that hold wrapped keys, by their column of names and what the vault calls the owners.
var wrappedIn = []struct{ table, column, prefix string }{
	{"identity_account", "id", "account/"},
	{"identity_key", "owner", ""},
}

// Rewrap moves every account's key under the vault's newest key-encryption key, a few hundred per transaction, while people
// go on signing in. It may be stopped and started again. Run it after vault.Rewrap and before vault.Retire. Keys that do
// not open are left behind and named in lost.
func (i *Identity) Rewrap(ctx context.Context) (moved int, lost []string, err error) {
	const batch = 500
	for _, t := range wrappedIn {
		for last, done := "", false; !done; {
			n, next, bad := 0, last, []string(nil)
			err := i.c.db.Write(ctx, func(tx *store.Tx) error {
				n, next, bad = 0, last, nil
				keys, err := scanKeys(tx.Query(ctx, "SELECT "+t.column+", wrapped FROM "+t.table+" WHERE "+t.column+" > $1 ORDER BY "+t.column+" LIMIT $2", last, batch))
				if err != nil {
					return err
				}
				done = len(keys) < batch
				for _, k := range keys {
					next = k.id
					again, changed, err := i.c.vault.RewrapKey(ctx, tx, t.prefix+k.id, k.wrapped)
					if errors.Is(err, vault.ErrOpen) {
						bad = append(bad, k.id)
						continue
					}
					if err != nil {
						return err
					}
					if !changed {
						continue
					}
					if _, err := tx.Exec(ctx, "UPDATE "+t.table+" SET wrapped = $1 WHERE "+t.column+" = $2 AND wrapped = $3", again, k.id, k.wrapped); err != nil {
						return err
					}
					n++
				}
				return nil
			})
			if err != nil {
				return moved, lost, fmt.Errorf("identity: rewrap: %w", err)
			}
			last, moved, lost = next, moved+n, append(lost, bad...)
		}
	}
	return moved, lost, nil
}

// Behind counts keys that are not under the newest key-encryption key, for vault.Retire, without those that Rewrap lost.
func (i *Identity) Behind(lost []string) vault.Behind {
	return func(ctx context.Context, tx *store.Tx, head []byte) (int64, error) {
		left := int64(0)
		for _, t := range wrappedIn {
			keys, err := scanKeys(tx.Query(ctx, "SELECT "+t.column+", wrapped FROM "+t.table+" WHERE substr(wrapped, 1, 5) <> $1 LIMIT $2", head, len(lost)+1))
			if err != nil {
				return 0, err
			}
			for _, k := range keys {
				if !slices.Contains(lost, k.id) {
					left++
				}
			}
		}
		return left, nil
	}
}

func scanKeys(rows *sql.Rows, err error) ([]wrappedKey, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []wrappedKey
	for rows.Next() {
		var k wrappedKey
		if err := rows.Scan(&k.id, &k.wrapped); err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	return all, rows.Err()
}
