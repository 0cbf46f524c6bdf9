package files

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/trust/chart"
)

// An entry is a resource on its way in, with what its file said about it.
type entry struct {
	res     fhir.Resource
	bundled *fhir.Entry // of a bundle, whose references are known
	ref     string      // Type/id, once the id is known
	fullURL string
	query   string // conditional create or update: search that names the resource
	post    bool   // a create
	create  bool   // conditional create: what is there already stays as it is
}

// A placeError says where in a file something is wrong.
type placeError struct {
	where string
	err   error
}

func (e *placeError) Error() string { return e.err.Error() }
func (e *placeError) Unwrap() error { return e.err }

// A missingError is a reference by search to what is not there yet.
type missingError struct{ ref string }

func (e *missingError) Error() string {
	return "refers to " + e.ref + " by search, and nothing matches"
}

var errMany = errors.New("refers to something by search, and more than one matches")

// fromBundle takes the resources of a bundle. A transaction's reads have nothing to bring; deletions are refused, since a
// dropped file must not take anything away.
func fromBundle(env fhir.Envelope, entries []fhir.Entry) ([]item, error) {
	var out []item
	for i, e := range entries {
		at := fmt.Sprintf("entry[%d]", i)
		if e.Resource.IsZero() {
			continue
		}
		it := item{entry: entry{res: e.Resource, bundled: &entries[i], ref: e.Resource.Ref(), fullURL: e.FullURL}, where: at}
		if env.Type == "transaction" || env.Type == "batch" {
			switch e.Method {
			case "POST":
				it.post, it.query, it.create = true, e.IfNoneExist, e.IfNoneExist != ""
			case "PUT":
				_, it.query, _ = strings.Cut(e.URL, "?")
			default:
				return nil, &placeError{at, fmt.Errorf("a file cannot %s; it only brings resources", e.Method)}
			}
		}
		if env.Type == "searchset" && e.Resource.Type() == "OperationOutcome" {
			continue
		}
		out = append(out, it)
	}
	return out, nil
}

// A resolver gives every resource its id and turns every reference into a relative one.
type resolver struct {
	house *chart.House
	act   *chart.Act
}

func (r resolver) resolve(ctx context.Context, items []item) ([]fhir.Resource, error) {
	known := map[string]string{} // what a file calls a resource → Type/id
	skip := map[int]bool{}
	for i := range items {
		it := &items[i]
		stays, err := r.identify(ctx, it)
		if err != nil {
			return nil, &placeError{it.where, err}
		}
		skip[i] = stays
		if it.fullURL != "" {
			known[it.fullURL] = it.ref
		}
	}
	found := map[string]string{}
	var out []fhir.Resource
	for i := range items {
		if skip[i] {
			continue
		}
		it := &items[i]
		res, err := r.link(ctx, it, known, found)
		if err != nil {
			return nil, &placeError{it.where, err}
		}
		it.res = res
		out = append(out, res)
	}
	return out, nil
}

// identify decides the id: the resource's own, the one a search finds, the urn:uuid it goes by, or a fingerprint of its
// content, so that the same file always means the same resources. stays: a conditional create found it already there.
func (r resolver) identify(ctx context.Context, it *item) (stays bool, err error) {
	if it.query != "" {
		refs, err := r.house.Matching(ctx, r.act, it.res.Type(), it.query)
		if err != nil {
			return false, err
		}
		if len(refs) > 1 {
			return false, errMany
		}
		if len(refs) == 1 {
			it.ref = refs[0]
			if it.create {
				return true, nil
			}
			_, id, _ := strings.Cut(refs[0], "/")
			return false, it.setID(id)
		}
	}
	if it.res.ID() != "" {
		return false, nil
	}
	if id, ok := strings.CutPrefix(it.fullURL, "urn:uuid:"); ok && fhir.ValidID(id) {
		return false, it.setID(id)
	}
	if typ, id, ok := fhir.SplitRef(it.fullURL); ok && typ == it.res.Type() {
		return false, it.setID(id)
	}
	sum := sha256.Sum256(it.res.Raw())
	return false, it.setID(strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:20])))
}

func (it *item) setID(id string) (err error) {
	if it.res.ID() != id {
		it.res, err = it.res.With("id", id) // link writes it, too, where the resource is an entry's
	}
	it.ref = it.res.Ref()
	return err
}

// link rewrites the references of one resource.
func (r resolver) link(ctx context.Context, it *item, known, found map[string]string) (out fhir.Resource, err error) {
	var failed error
	to := func(ref string) string {
		if to, ok := known[ref]; ok {
			return to
		}
		typ, query, conditional := strings.Cut(ref, "?")
		if !conditional || failed != nil || strings.Contains(typ, "/") {
			return ref
		}
		if to, ok := found[ref]; ok {
			return to
		}
		refs, err := r.house.Matching(ctx, r.act, typ, query)
		switch {
		case err != nil:
			failed = err
		case len(refs) == 0:
			failed = &missingError{typ}
		case len(refs) > 1:
			failed = errMany
		default:
			found[ref] = refs[0]
			return refs[0]
		}
		return ref
	}
	if it.bundled != nil {
		out, _, err = it.bundled.Linked(make([]byte, 0, len(it.res.Raw())+64), it.res.ID(), to)
	} else {
		out, err = it.res.Rewrite(to)
	}
	return out, errors.Join(failed, err)
}

// broken says whether an error is the store's rather than the file's: then going on would lose files in silence.
func broken(err error) bool {
	for _, ours := range []error{fhir.ErrInvalid, chart.ErrInvalid, chart.ErrRefused, errMany, errTooBig} {
		if errors.Is(err, ours) {
			return false
		}
	}
	var place *placeError
	var missing *missingError
	var nobody *chart.Nobody
	if errors.As(err, &place) || errors.As(err, &missing) || errors.As(err, &nobody) {
		return false
	}
	var bad *chart.BadResource
	if errors.As(err, &bad) {
		return false
	}
	return !errors.As(err, new(fileError))
}

// A fileError is what is wrong with a file before it is JSON.
type fileError string

func (e fileError) Error() string { return string(e) }

func reason(err error) string { return err.Error() }
