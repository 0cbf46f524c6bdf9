package audit

import (
	"database/sql"
	"errors"

	"golang.org/x/mod/sumdb/tlog"
)

// leafTile holds the leaf hashes that one tile of level 0 must hold, and whose they are, to name the place of a
// difference.
type leafTile struct {
	n     int64
	on    bool
	have  [tileWidth]bool
	hash  [tileWidth]tlog.Hash
	chart [tileWidth]int64
}

// leaf takes the next entry's hash into the tree and compares what became full.
func (f *verification) leaf(at, chart int64, h tlog.Hash) error {
	t := &f.leaves
	if n := at / tileWidth; t.on && n != t.n {
		if err := f.flush(); err != nil {
			return err
		}
	}
	i := at % tileWidth
	t.n, t.on = at/tileWidth, true
	t.have[i], t.hash[i], t.chart[i] = true, h, chart
	if f.broken {
		return nil
	}
	f.tree.add(h)
	for _, full := range f.tree.full {
		if full.level == 0 {
			continue // flush compares it, entry by entry
		}
		if err := f.compare(full); err != nil {
			return err
		}
	}
	f.tree.full = f.tree.full[:0]
	return nil
}

// stored reads a tile, nil if it is missing. at is the tree's size at the same moment.
func (f *verification) stored(level, n int64) (data []byte, at int64, err error) {
	err = f.q.QueryRow(f.ctx, `SELECT data, `+sizeSQL+` FROM audit_tile WHERE level = $1 AND n = $2`, level, n).Scan(&data, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, f.size, nil
	}
	return data, at, err
}

// flush compares the leaves at hand with their stored tile. While the log goes on, the last one may have grown.
func (f *verification) flush() error {
	t := &f.leaves
	if !t.on {
		return nil
	}
	data, size, err := f.stored(0, t.n)
	if err != nil {
		return err
	}
	for i := range int64(tileWidth) {
		at := t.n*tileWidth + i
		switch {
		case !t.have[i]:
		case int64(len(data)) < (i+1)*tlog.HashSize:
			f.problem("the stored hash of entry %d of chart %d is missing", at, t.chart[i])
		case tlog.Hash(data[i*tlog.HashSize:]) != t.hash[i]:
			f.problem("entry %d of chart %d differs from its hash", at, t.chart[i])
		}
	}
	if want := min(tileWidth, size-t.n*tileWidth) * tlog.HashSize; int64(len(data)) > want {
		f.problem("tile %d of level 0 is too long", t.n)
	}
	t.on, t.have = false, [tileWidth]bool{}
	return nil
}

// compare looks whether a tile above level 0 is stored as it must be.
func (f *verification) compare(t tile) error {
	data, size, err := f.stored(t.level, t.n)
	if err != nil {
		return err
	}
	wide := min(tileWidth, size>>(tileHeight*t.level)-t.n*tileWidth) * tlog.HashSize // as it may have grown
	switch {
	case len(data) < len(t.data) || string(data[:len(t.data)]) != string(t.data):
		f.problem("tile %d of level %d, over the entries from %d, differs or is missing", t.n, t.level, t.n<<(tileHeight*(t.level+1)))
	case int64(len(data)) > wide:
		f.problem("tile %d of level %d is too long", t.n, t.level)
	}
	return nil
}

// openTiles compares the last tile of each level.
func (f *verification) openTiles() error {
	if f.broken {
		return nil
	}
	for level := 1; level < len(f.tree.open); level++ {
		if data := f.tree.open[level]; len(data) > 0 {
			if err := f.compare(tile{int64(level), tilesAt(f.tree.size, level) - 1, data}); err != nil {
				return err
			}
		}
	}
	return nil
}
