package audit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/wellgate/wellgate/store"
)

// Tiles are those of c2sp.org/tlog-tiles: tile n of level l holds the hashes 256·n … of the tree's level 8·l.
const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
)

type tile struct {
	level, n int64
	data     []byte
}

// A tree is the edge and, for each level of tiles, the tile that is not full yet. A copy is made to add to it, so that
// a transaction can be forgotten.
type tree struct {
	edge
	open    [][]byte // by level: the hashes of the last tile, fewer than tileWidth
	changed []bool   // by level: open differs from what is stored
	full    []tile   // tiles that became full and are not stored yet
	scratch []tlog.Hash
}

// copy is a tree whose changes do not show in t.
func (t *tree) copy() *tree {
	c := &tree{edge: edge{t.size, append(make([]tlog.Hash, 0, 64), t.sub...)}, open: make([][]byte, len(t.open)), changed: make([]bool, len(t.open))}
	for i := range t.open {
		c.open[i] = slices.Clone(t.open[i])
	}
	return c
}

func (t *tree) add(leaf tlog.Hash) {
	t.scratch = t.edge.add(leaf, t.scratch[:0])
	for level := 0; level*tileHeight < len(t.scratch); level++ {
		t.put(level, t.scratch[level*tileHeight])
	}
}

func (t *tree) put(level int, h tlog.Hash) {
	if level == len(t.open) {
		t.open, t.changed = append(t.open, nil), append(t.changed, false)
	}
	data := append(t.open[level], h[:]...)
	t.open[level], t.changed[level] = data, true
	if len(data) == tileWidth*tlog.HashSize {
		t.full = append(t.full, tile{int64(level), tilesAt(t.size, level) - 1, data})
		t.open[level], t.changed[level] = make([]byte, 0, len(data)), false
	}
}

// tiles is what must be stored for the tree as it is.
func (t *tree) tiles() []tile {
	list := t.full
	for level, data := range t.open {
		if t.changed[level] {
			list = append(list, tile{int64(level), tilesAt(t.size, level) - 1, data})
		}
	}
	return list
}

// stored says that tiles are in the store now.
func (t *tree) stored() {
	t.full = nil
	clear(t.changed)
}

// tilesAt is how many tiles, the last one perhaps not full, a tree of size has at a level.
func tilesAt(size int64, level int) int64 {
	return (size>>(tileHeight*level) + tileWidth - 1) >> tileHeight
}

// tileCount is how many tiles a tree of size has.
func tileCount(size int64) (n int64) {
	for level := 0; size>>(tileHeight*level) > 0; level++ {
		n += tilesAt(size, level)
	}
	return n
}

// loadTree reads the edge and the open tiles of the tree of size.
func loadTree(ctx context.Context, q store.Querier, size int64) (*tree, error) {
	sub, err := hashReader(ctx, q).ReadHashes(edgeIndexes(size))
	if err != nil {
		return nil, err
	}
	t := &tree{edge: edge{size: size, sub: sub}}
	for level := 0; size>>(tileHeight*level) > 0; level++ {
		var data []byte
		if n := size >> (tileHeight * level); n%tileWidth != 0 {
			if data, err = readTile(ctx, q, int64(level), n/tileWidth); err != nil {
				return nil, err
			}
			if int64(len(data)) != n%tileWidth*tlog.HashSize {
				return nil, fmt.Errorf("%w: tile %d of level %d has another width than %d entries give; %s", ErrTampered, n/tileWidth, level, size, remedy)
			}
		}
		t.open, t.changed = append(t.open, data), append(t.changed, false)
	}
	return t, nil
}

func readTile(ctx context.Context, q store.Querier, level, n int64) ([]byte, error) {
	var data []byte
	err := q.QueryRow(ctx, `SELECT data FROM audit_tile WHERE level = $1 AND n = $2`, level, n).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("%w: tile %d of level %d is missing; %s", ErrTampered, n, level, remedy)
	}
	if err != nil {
		return nil, fmt.Errorf("read tile %d of level %d: %w", n, level, err)
	}
	return data, nil
}

// hashReader gives tlog's proofs the stored hashes. A hash that is missing or malformed is ErrTampered.
func hashReader(ctx context.Context, q store.Querier) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		type at struct{ level, n int64 }
		read := map[at][]byte{}
		for i, idx := range indexes {
			t := tlog.TileForIndex(tileHeight, idx)
			key := at{int64(t.L), t.N}
			data, ok := read[key]
			if !ok {
				var err error
				if data, err = readTile(ctx, q, key.level, key.n); err != nil {
					return nil, err
				}
				read[key] = data
			}
			var err error
			if hashes[i], err = tlog.HashFromTile(t, data, idx); err != nil {
				return nil, fmt.Errorf("%w: tile %d of level %d is cut short; %s", ErrTampered, t.N, t.L, remedy)
			}
		}
		return hashes, nil
	})
}

func insertTiles(ctx context.Context, tx *store.Tx, tiles []tile) error {
	for len(tiles) > 0 {
		part := tiles[:perInsert(len(tiles))]
		tiles = tiles[len(part):]
		args := make([]any, 0, 3*len(part))
		for _, t := range part {
			args = append(args, t.level, t.n, t.data)
		}
		// Only the open tile of a level is ever there already.
		_, err := tx.Exec(ctx, `INSERT INTO audit_tile (level, n, data) VALUES `+tuples(len(part), 3)+
			` ON CONFLICT (level, n) DO UPDATE SET data = excluded.data`, args...)
		if err != nil {
			return fmt.Errorf("store tiles: %w", err)
		}
	}
	return nil
}
