package witness

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/mod/sumdb/note"

	"github.com/wellgate/wellgate/internal/durable"
)

// memory is two small files for each log: the newest checkpoint that was cosigned, and the first one that did not fit.
type memory struct {
	dir       string
	trees     map[string]Tree
	conflicts map[string][]byte
}

func openMemory(dir string, logs map[string][]note.Verifier) (*memory, error) {
	m := &memory{dir: dir, trees: map[string]Tree{}, conflicts: map[string][]byte{}}
	for origin, keys := range logs {
		b, err := os.ReadFile(m.path(origin, "newest"))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := m.read(origin, keys, b); err != nil {
			return nil, fmt.Errorf("%s, the newest checkpoint of %s, is damaged: %w; a witness that forgot would sign anything: put the file back, or begin anew under another name and key", m.path(origin, "newest"), origin, err)
		}
		b, err = os.ReadFile(m.path(origin, "conflict"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if len(b) > 0 {
			m.conflicts[origin] = b
		}
	}
	return m, nil
}

func (m *memory) read(origin string, keys []note.Verifier, signed []byte) (err error) {
	for _, v := range keys {
		var t Tree
		if t, _, err = Open(signed, v); err == nil {
			m.trees[origin] = t
			return nil
		}
	}
	return err
}

func (m *memory) path(origin, what string) string {
	return filepath.Join(m.dir, fmt.Sprintf("%x.%s", sha256.Sum256([]byte(origin)), what))
}

func (m *memory) newest(origin string) Tree { return m.trees[origin] }

func (m *memory) conflict(origin string) []byte { return m.conflicts[origin] }

// keep returns once the checkpoint is on disk. Nothing is remembered that is not.
func (m *memory) keep(origin string, t Tree, signed []byte) error {
	if t == m.trees[origin] {
		return nil
	}
	if err := durable.KeepFile(m.path(origin, "newest"), signed); err != nil {
		return err
	}
	m.trees[origin] = t
	return nil
}

// keepConflict keeps the first one only, so that nobody can fill the disk.
func (m *memory) keepConflict(origin string, signed []byte) error {
	if m.conflicts[origin] != nil {
		return nil
	}
	m.conflicts[origin] = bytes.Clone(signed)
	return durable.KeepFile(m.path(origin, "conflict"), signed)
}
