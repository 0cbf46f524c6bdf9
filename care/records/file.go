package records

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/wellgate/wellgate/care"
	"github.com/wellgate/wellgate/trust/chart"
)

// maxText is how much of a text a page shows; the rest is there to save.
const maxText = 256 << 10

// A shownFile is a file ready for its page.
type shownFile struct {
	File
	Release
	Text string // shown in the page
	Cut  bool   // there is more of it in the file
}

// open gives a file's bytes. Elsewhere is never fetched.
func (f File) open(v *care.Visit) (declared string, size int64, r io.ReadCloser, err error) {
	switch f.Place {
	case Inside:
		return f.Type, int64(len(f.Data)), io.NopCloser(bytes.NewReader(f.Data)), nil
	case Stored:
		typ, size, r, err := v.Chart.File(v.Context(), f.Ref)
		if typ == "" {
			typ = f.Type
		}
		return typ, size, r, err
	}
	return "", 0, nil, chart.ErrNotFound
}

// look reads as much of a file as its page needs. A file that is named but not here becomes Missing.
func (f File) look(v *care.Visit) (shownFile, error) {
	s := shownFile{File: f}
	declared, size, r, err := f.open(v)
	if errors.Is(err, chart.ErrNotFound) {
		if f.Place == Stored {
			s.Place = Missing
		}
		return s, nil
	} else if err != nil {
		return s, err
	}
	defer r.Close()
	head, err := io.ReadAll(io.LimitReader(r, maxText+1))
	if err != nil {
		return s, fmt.Errorf("records: reading a file to show it: %w", err)
	}
	s.Size, s.Release = size, ReleaseOf(declared, head)
	if IsText(declared, head) {
		s.Cut = len(head) > maxText
		s.Text = Decode(head[:min(len(head), maxText)], declared)
	}
	return s, nil
}

func document(v *care.Visit) error {
	d, err := readDocument(v, finder(v))
	if err != nil {
		return err
	}
	var files []shownFile
	for _, f := range d.Files {
		s, err := f.look(v)
		if err != nil {
			return err
		}
		files = append(files, s)
	}
	return v.Show(v.Words.T("records.doc.title"), documentPage(v, d, files))
}

// file hands out one attachment under the headers of FIL-04.
func file(v *care.Visit) error {
	d, err := readDocument(v, finder(v))
	if err != nil {
		return err
	}
	q := v.URL.Query()
	part, err := strconv.Atoi(q.Get("part"))
	if q.Get("part") == "" {
		part, err = 0, nil
	}
	i := slices.IndexFunc(d.Files, func(f File) bool { return f.Part == part })
	if err != nil || i < 0 {
		return chart.ErrNotFound
	}
	declared, size, r, err := d.Files[i].open(v)
	if err != nil {
		return err
	}
	defer r.Close()
	head := make([]byte, SniffBytes)
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return fmt.Errorf("records: reading a file: %w", err)
	}
	h := v.W.Header()
	for k, val := range ReleaseOf(declared, head[:n]).Headers(q.Get("show") == "1", FileName(string(d.At), part)) {
		h.Set(k, val)
	}
	if size > 0 {
		h.Set("Content-Length", strconv.FormatInt(size, 10))
	}
	if _, err := io.Copy(v.W, io.MultiReader(bytes.NewReader(head[:n]), r)); err != nil {
		return fmt.Errorf("records: sending a file: %w", err)
	}
	return nil
}
