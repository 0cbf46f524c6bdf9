package chart

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"github.com/wellgate/wellgate/fhir"
)

// A Binary larger than this keeps its data as a sealed file beside the log, so that opening a record does not read every scan.
const inlineLimit = 32 << 10

// detach takes the data out of a large Binary, leaving "" in its place. Data that would not come back byte for byte
// (odd base64) stays inline: losslessness first.
func detach(r fhir.Resource) (fhir.Resource, []byte, error) {
	if len(r.Raw()) < inlineLimit {
		return r, nil, nil
	}
	text := fhir.Into[fhir.Binary](r).Data
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(data) == 0 || base64.StdEncoding.EncodeToString(data) != text {
		return r, nil, nil
	}
	stub, err := r.With("data", "")
	if err != nil {
		return r, nil, fmt.Errorf("chart: detach %s: %w", r.Ref(), err)
	}
	return stub, data, nil
}

// attach seals data as a file of p and returns how an entry names it: id:sha256:size.
func (h *House) attach(ctx context.Context, p *part, data []byte) (string, error) {
	f, err := h.journal.SealFile(ctx, p.draft, p.chart, bytes.NewReader(data))
	if err != nil {
		return "", fmt.Errorf("chart: seal file: %w", err)
	}
	p.files = append(p.files, f)
	return fmt.Sprintf("%s:%s:%d", f.ID, hex.EncodeToString(f.SHA256[:]), f.Size), nil
}

func sameFile(file string, data []byte) bool {
	sum := sha256.Sum256(data)
	_, rest, _ := strings.Cut(file, ":")
	return rest == fmt.Sprintf("%s:%d", hex.EncodeToString(sum[:]), len(data))
}

// whole is an entry with its data put back.
func (h *House) whole(ctx context.Context, num int64, e *entry) (Entry, error) {
	if e.file == "" {
		return e.give(ctx)
	}
	_, _, r, err := h.openBinary(ctx, num, e)
	if err != nil {
		return Entry{}, err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		return Entry{}, fmt.Errorf("chart: read %s: %w", e.Ref(), err)
	}
	out, err := e.give(ctx)
	if err != nil {
		return Entry{}, err
	}
	if out.Resource, err = out.With("data", base64.StdEncoding.EncodeToString(data)); err != nil {
		return Entry{}, err
	}
	return out, nil
}

func (h *House) openBinary(ctx context.Context, num int64, e *entry) (string, int64, io.ReadCloser, error) {
	res, err := e.resource(ctx)
	if err != nil {
		return "", 0, nil, err
	}
	b := fhir.Into[fhir.Binary](res)
	if e.file == "" {
		data, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(b.Data), ""))
		if err != nil {
			return "", 0, nil, fmt.Errorf("chart: %s is not base64: %w", e.Ref(), ErrInvalid)
		}
		return b.ContentType, int64(len(data)), io.NopCloser(bytes.NewReader(data)), nil
	}
	id, _, _ := strings.Cut(e.file, ":")
	f, r, err := h.journal.OpenFile(ctx, num, id)
	if err != nil {
		return "", 0, nil, fmt.Errorf("chart: open %s: %w", e.Ref(), err)
	}
	return b.ContentType, f.Size, r, nil
}
