package journal

import (
	"bufio"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"strconv"

	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/trust/vault"
)

// chunkSize is how much of a file is sealed at once; also what a reader holds in memory.
const chunkSize = 256 << 10

// File describes sealed bytes too large for a row.
type File struct {
	ID     string
	Size   int64
	SHA256 [32]byte
}

// lastChunk marks the place of a file's last chunk, so that what goes on and what ends cannot be exchanged.
const lastChunk = 1 << 62

// chunkPlace binds a chunk to its file, to its number, and to being the last or not. Chunk 0 is the header.
func chunkPlace(chart, file, chunk int64, last bool) vault.Place {
	at := vault.Place{Chart: chart, Kind: vault.KindFile, Seq: file, Segment: chunk}
	if last {
		at.Segment |= lastChunk
	}
	return at
}

// PutFile seals r in chunks inside the caller's transaction. r is read while every other writer waits: have it at hand, or
// use SealFile.
func (j *Journal) PutFile(ctx context.Context, tx *store.Tx, chart int64, r io.Reader) (File, error) {
	rec, err := j.open(ctx, tx, chart)
	if err != nil {
		return File{}, fmt.Errorf("journal: put file: %w", err)
	}
	f, err := sealFile(rec.key, chart, r, func(number, chunk int64, sealed []byte) error {
		return putChunk(ctx, tx, chart, number, chunk, sealed)
	})
	if err != nil {
		return File{}, fmt.Errorf("journal: put file: %w", err)
	}
	return f, nil
}

// A SealedFile is a file that was sealed before the transaction that stores it. It is held in memory.
type SealedFile struct {
	File
	chart, number int64
	chunks        [][]byte // by number: the header first
}

// SealFile makes a file ready for a stored chart, or for a draft's if draft is not nil.
func (j *Journal) SealFile(ctx context.Context, draft *Draft, chart int64, r io.Reader) (*SealedFile, error) {
	f := &SealedFile{chart: chart, chunks: make([][]byte, 1)}
	var key *vault.Key
	var err error
	if draft != nil {
		f.chart, key = draft.Chart, draft.key
	} else if key, err = j.key(ctx, j.db, chart); err != nil {
		return nil, fmt.Errorf("journal: seal file: %w", err)
	}
	f.File, err = sealFile(key, f.chart, r, func(number, chunk int64, sealed []byte) error {
		if f.number = number; chunk == 0 {
			f.chunks[0] = sealed
		} else {
			f.chunks = append(f.chunks, sealed)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("journal: seal file: %w", err)
	}
	return f, nil
}

// StoreFile stores a file that is ready, behind its chart.
func (j *Journal) StoreFile(ctx context.Context, tx *store.Tx, f *SealedFile) error {
	if _, err := j.open(ctx, tx, f.chart); err != nil { // nothing is kept for an erased chart
		return fmt.Errorf("journal: store file: %w", err)
	}
	for chunk, sealed := range f.chunks {
		if err := putChunk(ctx, tx, f.chart, f.number, int64(chunk), sealed); err != nil {
			return fmt.Errorf("journal: store file: %w", err)
		}
	}
	return nil
}

func putChunk(ctx context.Context, tx *store.Tx, chart, file, chunk int64, sealed []byte) error {
	_, err := tx.Exec(ctx, "INSERT INTO journal_file (chart, file, chunk, data) VALUES ($1, $2, $3, $4)", chart, file, chunk, sealed)
	return err
}

// sealFile gives put every chunk, the header last.
func sealFile(key *vault.Key, chart int64, r io.Reader, put func(number, chunk int64, sealed []byte) error) (File, error) {
	number, sum := newNumber(), sha256.New()
	f := File{ID: strconv.FormatInt(number, 36)}
	seal := func(chunk int64, last bool, plain []byte) error {
		sealed, err := key.Seal(chunkPlace(chart, number, chunk, last), plain)
		if err != nil {
			return err
		}
		return put(number, chunk, sealed)
	}
	ahead := bufio.NewReader(r) // to know that a chunk is the last one when it is sealed
	buf := make([]byte, chunkSize)
	defer clear(buf)
	chunk := int64(0)
	for last := false; !last; {
		n, err := io.ReadFull(ahead, buf)
		if errors.Is(err, io.EOF) { // an empty file has no chunks
			break
		}
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return File{}, err
		}
		_, err = ahead.Peek(1)
		last = errors.Is(err, io.EOF)
		if err != nil && !last {
			return File{}, err
		}
		chunk++
		f.Size += int64(n)
		sum.Write(buf[:n])
		if err := seal(chunk, last, buf[:n]); err != nil {
			return File{}, err
		}
	}
	copy(f.SHA256[:], sum.Sum(nil))
	header := binary.BigEndian.AppendUint64(nil, uint64(f.Size))
	header = binary.BigEndian.AppendUint64(header, uint64(chunk))
	return f, seal(0, false, append(header, f.SHA256[:]...))
}

// OpenFile reads a file, checking every chunk and the whole hash; ErrDamaged before the last byte if anything differs.
func (j *Journal) OpenFile(ctx context.Context, chart int64, id string) (File, io.ReadCloser, error) {
	number, err := strconv.ParseInt(id, 36, 64)
	if err != nil || number <= 0 || strconv.FormatInt(number, 36) != id {
		return File{}, nil, fmt.Errorf("journal: open file: %w", ErrNoFile)
	}
	fr := &fileReader{ctx: ctx, j: j, chart: chart, number: number, sum: sha256.New()}
	header, err := fr.fetch(0)
	if errors.Is(err, errMissing) {
		err = ErrNoFile
	}
	if err != nil {
		return File{}, nil, fmt.Errorf("journal: open file: %w", err)
	}
	if len(header) != 48 {
		return File{}, nil, fmt.Errorf("journal: open file: %w", damaged("the header is too short", nil))
	}
	f := File{ID: id, Size: int64(binary.BigEndian.Uint64(header)), SHA256: [32]byte(header[16:])}
	fr.want, fr.total = f, int64(binary.BigEndian.Uint64(header[8:]))
	return f, fr, nil
}

// fileReader opens one chunk at a time and holds no database connection in between.
type fileReader struct {
	ctx    context.Context // that of OpenFile: the reader is part of its call
	j      *Journal
	chart  int64
	number int64
	want   File
	total  int64
	chunk  int64 // opened last
	size   int64
	sum    hash.Hash
	plain  []byte // of the current chunk, not yet read
	err    error
}

var errMissing = errors.New("no such chunk")

func (f *fileReader) fetch(chunk int64) ([]byte, error) {
	key, err := f.j.key(f.ctx, f.j.db, f.chart)
	if err != nil {
		return nil, err
	}
	var sealed []byte
	err = f.j.db.QueryRow(f.ctx, "SELECT data FROM journal_file WHERE chart = $1 AND file = $2 AND chunk = $3", f.chart, f.number, chunk).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errMissing
	}
	if err != nil {
		return nil, err
	}
	plain, err := key.Open(chunkPlace(f.chart, f.number, chunk, chunk > 0 && chunk == f.total), sealed)
	if err != nil {
		return nil, damaged(fmt.Sprintf("chunk %d", chunk), err)
	}
	return plain, nil
}

// next opens the next chunk. The last one is handed out only when the whole file is what was stored.
func (f *fileReader) next() error {
	if f.chunk == f.total {
		if f.total == 0 {
			return f.check()
		}
		return io.EOF
	}
	plain, err := f.fetch(f.chunk + 1)
	if errors.Is(err, errMissing) {
		err = damaged(fmt.Sprintf("chunk %d of %d is missing", f.chunk+1, f.total), nil)
	}
	if err != nil {
		return err
	}
	f.chunk++
	f.size += int64(len(plain))
	f.sum.Write(plain)
	if f.chunk == f.total {
		if err := f.check(); !errors.Is(err, io.EOF) {
			return err
		}
	}
	f.plain = plain
	return nil
}

// check compares the whole with the header; io.EOF means equal.
func (f *fileReader) check() error {
	if f.size != f.want.Size || [32]byte(f.sum.Sum(nil)) != f.want.SHA256 {
		return damaged("the file's hash differs", nil)
	}
	return io.EOF
}

func (f *fileReader) Read(p []byte) (int, error) {
	for len(f.plain) == 0 && f.err == nil {
		if err := f.next(); err != nil {
			f.err = err
			if !errors.Is(err, io.EOF) {
				f.err = fmt.Errorf("journal: read file: %w", err)
			}
		}
	}
	n := copy(p, f.plain)
	f.plain = f.plain[n:]
	if n > 0 || len(p) == 0 {
		return n, nil
	}
	return 0, f.err
}

// Close forgets what was not read.
func (f *fileReader) Close() error {
	clear(f.plain)
	f.plain, f.err = nil, errors.New("journal: read file: closed")
	return nil
}
