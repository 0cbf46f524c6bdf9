package journal

import (
	"container/list"
	"maps"
	"slices"
	"sync"

	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/trust/vault"
)

// keyring keeps the keys of the charts used last. A key that leaves it is forgotten with its last user.
type keyring struct {
	mu      sync.Mutex
	max     int
	order   *list.List // of *keyEntry, newest first
	entries map[int64]*list.Element
	blocked map[int64]int // charts that are being made or erased: their key must not be kept now
	changes uint64        // grows with every block and unblock; what an older ticket read may be gone
}

type keyEntry struct {
	chart int64
	key   *vault.Key
}

func newKeyring(most int) *keyring {
	return &keyring{max: max(1, most), order: list.New(), entries: map[int64]*list.Element{}, blocked: map[int64]int{}}
}

// get returns a kept key, or nil and the ticket that put wants.
func (r *keyring) get(chart int64) (*vault.Key, uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e, ok := r.entries[chart]; ok {
		r.order.MoveToFront(e)
		return e.Value.(*keyEntry).key, r.changes
	}
	return nil, r.changes
}

// put keeps a key that was read after ticket was given, unless a chart was made or erased since.
func (r *keyring) put(chart int64, key *vault.Key, ticket uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if ticket != r.changes || r.blocked[chart] > 0 || r.entries[chart] != nil {
		return
	}
	r.entries[chart] = r.order.PushFront(&keyEntry{chart, key})
	if len(r.entries) > r.max {
		oldest := r.order.Back()
		r.order.Remove(oldest)
		delete(r.entries, oldest.Value.(*keyEntry).chart)
	}
}

// hold keeps a chart's key out until tx has ended.
func (r *keyring) hold(tx *store.Tx, chart int64) {
	r.block(chart)
	tx.Committed(func() { r.unblock(chart) })
	tx.RolledBack(func() { r.unblock(chart) })
}

// block drops a chart's key and keeps it out until unblock.
func (r *keyring) block(chart int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changes++
	r.blocked[chart]++
	if e, ok := r.entries[chart]; ok {
		r.order.Remove(e)
		delete(r.entries, chart)
	}
}

func (r *keyring) unblock(chart int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changes++ // what was read before the transaction ended may not be kept after it
	if r.blocked[chart]--; r.blocked[chart] <= 0 {
		delete(r.blocked, chart)
	}
}

// charts lists those whose keys are kept.
func (r *keyring) charts() []int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Keys(r.entries))
}

// drop forgets a chart's key.
func (r *keyring) drop(chart int64) {
	r.block(chart)
	r.unblock(chart)
}

// clear forgets every key.
func (r *keyring) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changes++
	r.order.Init()
	clear(r.entries)
}
