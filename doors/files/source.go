package files

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wellgate/wellgate/fhir"
)

// Limits of what a file may unfold to (FIL-05, ATK-46).
const (
	maxFile  = 512 << 20 // bytes of JSON in one file
	maxFiles = 100_000   // in one zip
	maxRatio = 200       // bytes out for a byte in, beyond the first 16 MiB
	maxLine  = 64 << 20  // one NDJSON line
)

var errTooBig = errors.New("unfolds to more than is accepted; split it into smaller files")

// A source is one file to take: on disk, or inside a zip.
type source struct {
	name string // as reported: path, or path!member
	size int
	open func() (io.ReadCloser, error)
}

// gather lists the files below paths in order of their names. Hidden files are passed over.
func gather(paths []string) (out []source, refused []Refusal) {
	for _, p := range paths {
		err := filepath.WalkDir(p, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case path != p && strings.HasPrefix(d.Name(), "."):
				if d.IsDir() {
					return fs.SkipDir
				}
				return nil
			case d.IsDir():
				return nil
			case !d.Type().IsRegular(): // symbolic links and devices are not followed
				refused = append(refused, Refusal{File: path, Reason: "is not a plain file"})
				return nil
			case strings.HasSuffix(path, ".zip"):
				in, err := members(path)
				if err != nil {
					refused = append(refused, Refusal{File: path, Reason: err.Error()})
				}
				out = append(out, in...)
				return nil
			case path != p && !wanted(path):
				return nil
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			out = append(out, source{name: path, size: int(info.Size()), open: func() (io.ReadCloser, error) { return os.Open(path) }})
			return nil
		})
		if err != nil {
			refused = append(refused, Refusal{File: p, Reason: plain(err).Error()})
		}
	}
	return out, refused
}

func plain(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

func wanted(path string) bool {
	path = strings.TrimSuffix(path, ".gz")
	return strings.HasSuffix(path, ".json") || strings.HasSuffix(path, ".ndjson")
}

// members lists a zip's files. Their names are only reported, never used as paths.
func members(path string) ([]source, error) {
	z, err := zip.OpenReader(path)
	if err != nil {
		return nil, fmt.Errorf("is not a zip that can be read")
	}
	defer z.Close()
	if len(z.File) > maxFiles {
		return nil, fmt.Errorf("holds more than %d files", maxFiles)
	}
	var out []source
	for i, f := range z.File {
		if f.FileInfo().IsDir() || !wanted(f.Name) {
			continue
		}
		out = append(out, source{name: path + "!" + f.Name, size: int(min(f.CompressedSize64, maxFile)), open: func() (io.ReadCloser, error) {
			return openMember(path, i)
		}})
	}
	slices.SortFunc(out, func(a, b source) int { return strings.Compare(a.name, b.name) })
	return out, nil
}

type member struct {
	io.ReadCloser
	z *zip.ReadCloser
}

func (m member) Close() error { return errors.Join(m.ReadCloser.Close(), m.z.Close()) }

func openMember(path string, i int) (io.ReadCloser, error) {
	z, err := zip.OpenReader(path)
	if err != nil {
		return nil, err
	}
	r, err := z.File[i].Open()
	if err != nil {
		z.Close()
		return nil, err
	}
	return member{r, z}, nil
}

// read parses the whole file. It looks at what the file is, not at its name: gzip, a Bundle, a resource, or one a line.
func (s source) read() ([]item, error) {
	f, err := s.open()
	if err != nil {
		return nil, fileError(plain(err).Error())
	}
	defer f.Close()
	text, err := unfold(f, s.size)
	if err != nil {
		return nil, err
	}
	text = bytes.TrimSpace(text)
	if len(text) == 0 {
		return nil, fileError("is empty")
	}
	name := strings.TrimSuffix(s.name, ".gz")
	if strings.HasSuffix(name, ".ndjson") {
		return lines(text)
	}
	env, entries, err := fhir.ParseBundle(bytes.Clone(text))
	if err == nil {
		return fromBundle(env, entries)
	}
	r, perr := fhir.Parse(text)
	if perr != nil {
		if looksLikeBundle(text) {
			return nil, err
		}
		if many, lerr := lines(text); lerr == nil && len(many) > 1 {
			return many, nil
		}
		return nil, perr
	}
	if r.Type() == "Bundle" {
		return nil, err
	}
	return []item{{entry: entry{res: r, ref: r.Ref()}, where: ""}}, nil
}

func looksLikeBundle(text []byte) bool {
	head := text[:min(len(text), 400)]
	return bytes.Contains(head, []byte(`"Bundle"`))
}

// unfold reads up to maxFile bytes, through gzip if it is gzip, and stops a bomb early.
func unfold(r io.Reader, packed int) ([]byte, error) {
	br := bufio.NewReaderSize(r, 64<<10)
	var in io.Reader = br
	if magic, _ := br.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		gz, err := gzip.NewReader(br)
		if err != nil {
			return nil, fileError("is not gzip that can be read")
		}
		in = gz
	}
	limit := min(maxFile, max(16<<20, packed*maxRatio))
	text, err := io.ReadAll(io.LimitReader(in, int64(limit)+1))
	if err != nil {
		return nil, fileError("is damaged or cut short")
	}
	if len(text) > limit {
		return nil, errTooBig
	}
	return text, nil
}

// lines parses NDJSON.
func lines(text []byte) ([]item, error) {
	var out []item
	n := 0
	for line := range bytes.SplitSeq(text, []byte("\n")) {
		n++
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		at := fmt.Sprintf("line %d", n)
		if len(line) > maxLine {
			return nil, &placeError{at, errTooBig}
		}
		r, err := fhir.Parse(line)
		if err != nil {
			return nil, &placeError{at, err}
		}
		if r.Type() == "Bundle" {
			return nil, &placeError{at, errors.New("a Bundle cannot stand in NDJSON")}
		}
		out = append(out, item{entry: entry{res: r, ref: r.Ref()}, where: at})
	}
	return out, nil
}
