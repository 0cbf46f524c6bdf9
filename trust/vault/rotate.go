package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/wellgate/wellgate/store"
)

// A rotation is Rewrap (the new root takes over, a new key-encryption key is made), then every owner of wrapped keys moves
// them with RewrapKey, then Retire. It may stop anywhere and go on later. Old keys open until Retire.
//
// Other nodes learn the new key-encryption key from the store: until Retire a row "handover/N" holds it under the one
// before, which they have. No node asks its root for it, so none has to be given the new root at the same instant.

// ErrBehind means that keys still wrapped by an older key-encryption key would be lost; their owners move them first.
var ErrBehind = errors.New("vault: not every key was moved to the newest key-encryption key")

func handoverName(n uint32) string { return "handover/" + strconv.FormatUint(uint64(n), 10) }

// RewrapKey moves a stored key under the newest key-encryption key; false if it is there already. A caller that stores the
// result must do so only where the old bytes still stand: somebody may have erased or moved the key meanwhile.
func (v *Vault) RewrapKey(ctx context.Context, tx *store.Tx, owner string, wrapped []byte) ([]byte, bool, error) {
	k, err := v.current(ctx, tx)
	if err != nil {
		return nil, false, err
	}
	if bytes.HasPrefix(wrapped, kekHead(k.number)) {
		return wrapped, false, nil
	}
	plain, err := v.unwrap(ctx, owner, wrapped)
	if err != nil {
		return nil, false, err
	}
	defer clear(plain)
	return v.wrap(k, owner, plain), true, nil
}

// Rotating says whether a rotation was begun and not ended.
func (v *Vault) Rotating(ctx context.Context) (bool, error) {
	rows, err := readSecrets(ctx, v.db)
	if err != nil {
		return false, fmt.Errorf("vault: rotating: %w", err)
	}
	n := 0
	for name := range rows {
		if _, ok := kekNumber(name); ok {
			n++
		}
	}
	return n > 1, nil
}

// Rewrap puts everything under newRoot and makes a new key-encryption key. The old root opens the store no more.
// Keys wrapped earlier stay readable; their owners move them with RewrapKey (journal.Rewrap), then Retire forgets the
// old key-encryption keys. A crash at any point leaves a store that one of the two roots opens.
func (v *Vault) Rewrap(ctx context.Context, newRoot Root) error {
	if err := v.Err(); err != nil {
		return fmt.Errorf("vault: rewrap: %w", err)
	}
	next := random(32)
	defer clear(next)
	var rows map[string][]byte
	err := v.db.Write(ctx, func(tx *store.Tx) error {
		newest, err := v.current(ctx, tx)
		if err != nil {
			return err
		}
		old, err := readSecrets(ctx, tx)
		if err != nil {
			return err
		}
		v.mu.RLock()
		root := v.root
		v.mu.RUnlock()
		for name, wrapped := range old {
			if strings.HasPrefix(name, "handover/") { // not under a root
				continue
			}
			if err := v.rewrapSecret(ctx, tx, rehoming{name, wrapped, root, newRoot}); err != nil {
				return err
			}
		}
		number := newest.number + 1
		if err := putSecret(ctx, tx, newRoot, kekName(number), next, v.practice[:]); err != nil {
			return err
		}
		name := handoverName(number)
		if _, err := tx.Exec(ctx, `INSERT INTO vault_secret (name, wrapped) VALUES ($1, $2)`, name, v.wrap(newest, name, next)); err != nil {
			return err
		}
		tx.Scrub()
		rows, err = readSecrets(ctx, tx)
		return err
	})
	if err != nil {
		return fmt.Errorf("vault: rewrap: %w", err)
	}
	return v.loadKEKs(ctx, newRoot, rows)
}

// rehoming is one secret on its way from one root to the next.
type rehoming struct {
	name     string
	wrapped  []byte
	from, to Root
}

func (v *Vault) rewrapSecret(ctx context.Context, tx *store.Tx, r rehoming) error {
	aad := secretAAD(r.name, v.practice[:])
	if r.name == practiceRow {
		aad = secretAAD(r.name, nil)
	}
	plain, err := r.from.Unwrap(ctx, r.wrapped, aad)
	if err != nil {
		return rootError(r.name, err)
	}
	defer clear(plain)
	again, err := r.to.Wrap(ctx, plain, aad)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "UPDATE vault_secret SET wrapped = $1 WHERE name = $2", again, r.name)
	return err
}

// A Behind counts, inside tx, an owner's keys that do not begin with head and so are not under the newest key.
type Behind func(ctx context.Context, tx *store.Tx, head []byte) (int64, error)

// Retire forgets every key-encryption key but the newest. It asks each owner, in the same transaction, and does nothing
// (ErrBehind) if any has keys left that would be lost.
func (v *Vault) Retire(ctx context.Context, owners ...Behind) error {
	err := v.db.Write(ctx, func(tx *store.Tx) error {
		k, err := v.current(ctx, tx)
		if err != nil {
			return err
		}
		// The old rows go first: on PostgreSQL that waits for whoever is just storing a key under one of them, so that the
		// count sees it, and makes those who come later look again.
		if _, err := tx.Exec(ctx, "DELETE FROM vault_secret WHERE name <> $1 AND name <> $2", practiceRow, kekName(k.number)); err != nil {
			return err
		}
		for _, behind := range owners {
			n, err := behind(ctx, tx, kekHead(k.number))
			if err != nil {
				return err
			}
			if n > 0 {
				return fmt.Errorf("%w: %d are left", ErrBehind, n)
			}
		}
		tx.Scrub()
		tx.Committed(func() {
			v.mu.Lock()
			v.keks, v.last = map[uint32]*kek{k.number: k}, k.number
			v.mu.Unlock()
		})
		return nil
	})
	if err != nil {
		return fmt.Errorf("vault: retire: %w", err)
	}
	return nil
}

// current is the key-encryption key that wraps new keys, as tx sees it; it stays until tx ends.
func (v *Vault) current(ctx context.Context, tx *store.Tx) (*kek, error) {
	if err := v.Err(); err != nil {
		return nil, err
	}
	v.mu.RLock()
	k := v.keks[v.last]
	v.mu.RUnlock()
	if k != nil && (tx == nil || v.db.Dialect() == "sqlite") { // one process is the authority, or nothing is stored
		return k, nil
	}
	for range 4 { // a rotation may overtake once or twice, not again and again
		v.mu.RLock()
		k = v.keks[v.last]
		v.mu.RUnlock()
		var newer, there int64
		if k != nil {
			err := tx.QueryRow(ctx, `SELECT (SELECT count(*) FROM vault_secret WHERE name = $1), count(*) FROM
				(SELECT 1 FROM vault_secret WHERE name = $2 FOR KEY SHARE) AS held`, kekName(k.number+1), kekName(k.number)).Scan(&newer, &there)
			if err != nil {
				return nil, err
			}
			if there == 1 && newer == 0 {
				return k, nil
			}
		}
		if err := v.catchUp(ctx, tx); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%w: the key-encryption keys change faster than they can be read", ErrAway)
}

// kek finds a key-encryption key, in the store if another node made it.
func (v *Vault) kek(ctx context.Context, number uint32) (*kek, error) {
	v.mu.RLock()
	k := v.keks[number]
	v.mu.RUnlock()
	if k != nil {
		return k, nil
	}
	if v.db.Dialect() == "sqlite" {
		return nil, ErrOpen
	}
	if err := v.catchUp(ctx, v.db); err != nil {
		return nil, err
	}
	v.mu.RLock()
	defer v.mu.RUnlock()
	if k = v.keks[number]; k == nil {
		return nil, ErrOpen // a number that the store does not know was made up
	}
	return k, nil
}

// catchUp learns the key-encryption keys that other nodes made, by handover, else by the root.
func (v *Vault) catchUp(ctx context.Context, q store.Querier) error {
	rows, err := readSecrets(ctx, q)
	if err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for n := v.last + 1; v.last > 0; n++ {
		wrapped, ok := rows[handoverName(n)]
		if !ok {
			break
		}
		plain, err := v.unwrapBy(v.keks[n-1], handoverName(n), wrapped)
		if err != nil {
			return err
		}
		v.keks[n] = newKEK(n, plain)
		v.last = n
		clear(plain)
	}
	for name, wrapped := range rows {
		n, ok := kekNumber(name)
		if !ok || v.keks[n] != nil {
			continue
		}
		plain, err := v.root.Unwrap(ctx, wrapped, secretAAD(name, v.practice[:]))
		if err != nil || len(plain) != 32 {
			return fmt.Errorf("%w: %s was made under another root key; give this node the new key file and start it again", ErrAway, name)
		}
		v.keks[n] = newKEK(n, plain)
		v.last = max(v.last, n)
		clear(plain)
	}
	for n := range v.keks {
		if _, ok := rows[kekName(n)]; !ok {
			delete(v.keks, n)
		}
	}
	return nil
}

// Refresh learns what other nodes did to the key-encryption keys. A node of several calls it each second, so that a
// rotation, which waits before it retires the old ones, leaves nobody behind.
func (v *Vault) Refresh(ctx context.Context) error {
	if v.db.Dialect() == "sqlite" || v.Err() != nil {
		return nil
	}
	if err := v.catchUp(ctx, v.db); err != nil {
		return fmt.Errorf("vault: refresh: %w", err)
	}
	return nil
}
