package audit

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// The anchor file is a list of checkpoint notes, each closed by a line "--". A crash may leave the last one cut
// short; the next start closes it with "-- cut" and goes on behind it. Nothing in it is ever changed.
const (
	anchorEnd = "--\n"
	anchorCut = "-- cut\n"
	noteMax   = 16 << 10
)

type anchorFile struct {
	f    *os.File
	path string
}

// openAnchor opens or creates the file for appending and returns its newest whole note, nil if there is none.
func openAnchor(path string) (*anchorFile, []byte, error) {
	_, err := os.Stat(path)
	isNew := errors.Is(err, os.ErrNotExist)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("open the anchor file: %w", err)
	}
	a := &anchorFile{f, path}
	newest, err := a.ready(isNew)
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return a, newest, nil
}

func (a *anchorFile) ready(isNew bool) ([]byte, error) {
	if isNew {
		if err := syncFolder(filepath.Dir(a.path)); err != nil {
			return nil, err
		}
	}
	info, err := a.f.Stat()
	if err != nil {
		return nil, err
	}
	others := info.Mode().Perm()&0o022 != 0 && runtime.GOOS != "windows" // whose permission bits say nothing
	if !info.Mode().IsRegular() || others {
		return nil, fmt.Errorf("the anchor file %s must be a plain file that others cannot write; chmod 600 it", a.path)
	}
	const tail = 4 * noteMax
	from := max(0, info.Size()-tail)
	b := make([]byte, info.Size()-from)
	if _, err := a.f.ReadAt(b, from); err != nil && err != io.EOF {
		return nil, fmt.Errorf("read the anchor file: %w", err)
	}
	newest, cut := newestAnchor(b)
	if cut {
		if err := a.append([]byte("\n" + anchorCut)); err != nil {
			return nil, err
		}
	}
	return newest, nil
}

// newestAnchor finds the last whole note in the end of an anchor file and whether anything follows it unclosed.
func newestAnchor(b []byte) (newest []byte, cut bool) {
	var record []byte
	for line := range bytes.Lines(b) {
		switch string(line) {
		case anchorEnd:
			newest, record = record, nil
		case anchorCut:
			record = nil
		default:
			record = append(record, line...)
		}
	}
	return newest, len(record) > 0
}

func (a *anchorFile) write(note []byte) error {
	return a.append(append(append([]byte(nil), note...), anchorEnd...))
}

// append never repeats a failed write or sync; the caller stops the log.
func (a *anchorFile) append(b []byte) error {
	if _, err := a.f.Write(b); err != nil {
		return fmt.Errorf("write the anchor file: %w", err)
	}
	if err := a.f.Sync(); err != nil {
		return fmt.Errorf("sync the anchor file: %w", err)
	}
	return nil
}

func syncFolder(path string) error {
	if runtime.GOOS == "windows" { // folders cannot be synced there, and need not be
		return nil
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync the anchor's folder: %w", err)
	}
	return nil
}

// anchorScanner reads an anchor file from its start, one note at a time, in bounded memory.
type anchorScanner struct {
	f *os.File
	r *bufio.Reader
}

// scanAnchor reads what is in the file now; what a running log adds later belongs to the next verification.
func scanAnchor(path string) (*anchorScanner, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the anchor file: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	return &anchorScanner{f, bufio.NewReader(io.LimitReader(f, info.Size()))}, nil
}

func (s *anchorScanner) Close() error { return s.f.Close() }

var errAnchorCut = errors.New("it is cut short; starting Wellgate closes a record that a crash left open")

// next returns io.EOF after the last note. errAnchorCut is an unclosed record, which can only be the last.
func (s *anchorScanner) next() ([]byte, error) {
	var record strings.Builder
	for {
		line, err := s.r.ReadString('\n')
		switch {
		case err == nil && line == anchorEnd:
			return []byte(record.String()), nil
		case err == nil && line == anchorCut:
			record.Reset()
			continue
		case record.Len()+len(line) > noteMax:
			return nil, errors.New("a record is too long")
		}
		record.WriteString(line)
		if err == io.EOF && record.Len() > 0 {
			return nil, errAnchorCut
		}
		if err != nil {
			return nil, err
		}
	}
}
