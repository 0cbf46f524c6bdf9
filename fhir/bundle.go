package fhir

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wellgate/wellgate/fhir/internal/raw"
)

// Bundle: resources sent together, for those that we author. Read what arrives with ReadBundle: it checks the shape
// and holds each resource once.
type Bundle struct {
	ID         string        `json:"id,omitzero"`
	Meta       *Meta         `json:"meta,omitzero"`
	Identifier Identifier    `json:"identifier,omitzero"`
	Type       string        `json:"type,omitzero"` // document | message | transaction | transaction-response | batch | batch-response | history | searchset | collection
	Timestamp  DateTime      `json:"timestamp,omitzero"`
	Total      *int          `json:"total,omitzero"`
	Link       []BundleLink  `json:"link,omitzero"`
	Entry      []BundleEntry `json:"entry,omitzero"`
}

type BundleLink struct {
	Relation string `json:"relation,omitzero"`
	URL      string `json:"url,omitzero"`
}

type BundleEntry struct {
	FullURL  string               `json:"fullUrl,omitzero"`
	Resource Resource             `json:"resource,omitzero"`
	Search   *BundleEntrySearch   `json:"search,omitzero"`
	Request  *BundleEntryRequest  `json:"request,omitzero"`
	Response *BundleEntryResponse `json:"response,omitzero"`
}

type BundleEntrySearch struct {
	Mode  string  `json:"mode,omitzero"` // match | include | outcome
	Score Decimal `json:"score,omitzero"`
}

type BundleEntryRequest struct {
	Method          string   `json:"method,omitzero"` // GET | HEAD | POST | PUT | DELETE | PATCH
	URL             string   `json:"url,omitzero"`
	IfNoneMatch     string   `json:"ifNoneMatch,omitzero"`
	IfModifiedSince DateTime `json:"ifModifiedSince,omitzero"`
	IfMatch         string   `json:"ifMatch,omitzero"`
	IfNoneExist     string   `json:"ifNoneExist,omitzero"`
}

type BundleEntryResponse struct {
	Status       string   `json:"status,omitzero"`
	Location     string   `json:"location,omitzero"`
	Etag         string   `json:"etag,omitzero"`
	LastModified DateTime `json:"lastModified,omitzero"`
	Outcome      Resource `json:"outcome,omitzero"`
}

// An Entry is one entry of a Bundle that arrived.
type Entry struct {
	FullURL  string
	Resource Resource // zero if the entry has none

	// Of transaction, batch and history bundles.
	Method, URL, IfNoneExist, IfMatch, IfNoneMatch string

	SearchMode string // of searchset: match, include or outcome
}

// An Envelope is what a Bundle says about itself.
type Envelope struct {
	Type, ID  string
	Timestamp DateTime
	Next      string // link with relation next
}

// ReadBundle reads a Bundle entry by entry, without building the whole document, under the rules of Parse and then
// those of its type: requests of a transaction fit their resources and touch no resource twice, a document starts with
// its Composition. Errors name the entry and the element.
func ReadBundle(r io.Reader) (Envelope, []Entry, error) {
	limited := &io.LimitedReader{R: r, N: MaxBytes + 1}
	b := bundleReader{dec: jsontext.NewDecoder(limited)}
	err := b.read()
	if limited.N <= 0 {
		return Envelope{}, nil, fmt.Errorf("%w: larger than %d MB; send it in parts", ErrInvalid, MaxBytes>>20)
	}
	if err != nil {
		return Envelope{}, nil, err
	}
	if err := b.check(); err != nil {
		return Envelope{}, nil, err
	}
	return b.head, b.entries, nil
}

type bundleReader struct {
	dec     *jsontext.Decoder
	head    Envelope
	entries []Entry
	is      bool // resourceType said Bundle
}

func (b *bundleReader) read() error {
	if b.dec.PeekKind() != '{' {
		if _, err := b.dec.ReadValue(); err != nil {
			return explain(err, nil, "Bundle")
		}
		return fmt.Errorf("%w: a Bundle is a JSON object", ErrInvalid)
	}
	if _, err := b.dec.ReadToken(); err != nil {
		return explain(err, nil, "Bundle")
	}
	for b.dec.PeekKind() == '"' {
		name, err := b.dec.ReadToken()
		if err != nil {
			return explain(err, nil, "Bundle")
		}
		if err := b.member(name.String()); err != nil {
			return err
		}
	}
	if _, err := b.dec.ReadToken(); err != nil {
		return explain(err, nil, "Bundle")
	}
	if _, err := b.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: something follows the Bundle", ErrInvalid)
	}
	return nil
}

func (b *bundleReader) member(name string) error {
	if name == "entry" {
		return b.readEntries()
	}
	v, err := b.dec.ReadValue()
	if err != nil {
		return explain(err, nil, "Bundle")
	}
	if raw.Depth(v) >= MaxDepth {
		return invalid("Bundle."+name, fmt.Sprintf("is nested deeper than %d levels", MaxDepth))
	}
	v = raw.Compact(v)
	switch text := raw.String(v); name {
	case "resourceType":
		b.is = text == "Bundle"
	case "type":
		b.head.Type = text
	case "id":
		if b.head.ID = text; !ValidID(text) {
			return invalid("Bundle.id", "must be 1 to 64 letters, digits, - or .")
		}
	case "timestamp":
		b.head.Timestamp = DateTime(text)
	case "link":
		for l := range raw.Elements(v) {
			if raw.String(raw.Get(l, "relation")) == "next" {
				b.head.Next = raw.String(raw.Get(l, "url"))
			}
		}
	}
	return nil
}

func (b *bundleReader) readEntries() error {
	if b.dec.PeekKind() != '[' {
		if _, err := b.dec.ReadValue(); err != nil {
			return explain(err, nil, "Bundle")
		}
		return invalid("Bundle.entry", "must be a list")
	}
	if _, err := b.dec.ReadToken(); err != nil {
		return explain(err, nil, "Bundle")
	}
	for b.dec.PeekKind() != ']' {
		v, err := b.dec.ReadValue()
		if err != nil {
			return explain(err, nil, fmt.Sprintf("entry[%d]", len(b.entries)))
		}
		e, err := readEntry(raw.Compact(bytes.Clone(v)), len(b.entries))
		if err != nil {
			return err
		}
		b.entries = append(b.entries, e)
	}
	if _, err := b.dec.ReadToken(); err != nil {
		return explain(err, nil, "Bundle")
	}
	return nil
}

func readEntry(v []byte, n int) (Entry, error) {
	var e Entry
	at := fmt.Sprintf("entry[%d]", n)
	if len(v) == 0 || v[0] != '{' {
		return e, invalid(at, "must be an object")
	}
	if raw.Depth(v)+2 > MaxDepth {
		return e, invalid(at, fmt.Sprintf("is nested deeper than %d levels", MaxDepth))
	}
	request := raw.Get(v, "request")
	if request != nil && request[0] != '{' {
		return e, invalid(at+".request", "must be an object")
	}
	for _, m := range []struct {
		in   []byte
		name string
		to   *string
	}{{v, "fullUrl", &e.FullURL}, {request, "method", &e.Method}, {request, "url", &e.URL}, {request, "ifNoneExist", &e.IfNoneExist},
		{request, "ifMatch", &e.IfMatch}, {request, "ifNoneMatch", &e.IfNoneMatch}, {raw.Get(v, "search"), "mode", &e.SearchMode}} {
		text := raw.Get(m.in, m.name)
		if text != nil && text[0] != '"' {
			return e, invalid(at+" "+m.name, "must be text")
		}
		*m.to = raw.String(text)
	}
	if res := raw.Get(v, "resource"); res != nil {
		var err error
		if e.Resource, err = outer(slices.Clip(res)); err != nil {
			return e, fmt.Errorf("%w, in %s.resource", err, at)
		}
	}
	return e, nil
}

// check applies the rules of R4 Bundle (bdl-3 … bdl-12) that make its entries safe to act on.
func (b *bundleReader) check() error {
	if !b.is {
		return fmt.Errorf("%w: resourceType is not Bundle", ErrInvalid)
	}
	switch b.head.Type {
	case "transaction", "batch":
		return b.checkRequests()
	case "history", "batch-response", "transaction-response":
		return nil // an entry may hold no resource: a deletion, an answer
	case "document", "message":
		first := map[string]string{"document": "Composition", "message": "MessageHeader"}[b.head.Type]
		if len(b.entries) == 0 || b.entries[0].Resource.Type() != first {
			return invalid("entry[0]", "of a "+b.head.Type+" must be a "+first)
		}
	case "searchset", "collection":
	case "":
		return invalid("Bundle.type", "is missing")
	default:
		return invalid("Bundle.type", "is no type of Bundle")
	}
	for i, e := range b.entries {
		if e.Resource.IsZero() {
			return invalid(fmt.Sprintf("entry[%d].resource", i), "is missing")
		}
	}
	return nil
}

func (b *bundleReader) checkRequests() error {
	urls, targets := map[string]int{}, map[string]int{}
	for i, e := range b.entries {
		at := fmt.Sprintf("entry[%d]", i)
		target, err := e.checkRequest(at)
		if err != nil {
			return err
		}
		if b.head.Type != "transaction" {
			continue // each entry of a batch stands alone
		}
		if first, twice := urls[e.FullURL]; twice && e.FullURL != "" {
			return invalid(at+".fullUrl", fmt.Sprintf("is the same as entry[%d]'s", first))
		}
		if first, twice := targets[target]; twice && target != "" {
			return invalid(at+".request.url", fmt.Sprintf("changes the same resource as entry[%d]", first))
		}
		urls[e.FullURL], targets[target] = i, i
	}
	return nil
}

// checkRequest returns the resource that a PUT, PATCH or DELETE names.
func (e *Entry) checkRequest(at string) (target string, err error) {
	path, _, conditional := strings.Cut(e.URL, "?")
	typ, id, _ := strings.Cut(path, "/")
	switch e.Method {
	case "POST", "PUT", "PATCH", "DELETE":
	case "GET", "HEAD":
		if e.URL == "" {
			return "", invalid(at+".request.url", "is missing")
		}
		return "", nil
	case "":
		return "", invalid(at+".request.method", "is missing")
	default:
		return "", invalid(at+".request.method", "must be GET, HEAD, POST, PUT, PATCH or DELETE")
	}
	if !KnownType(typ) {
		return "", invalid(at+".request.url", "must start with a resource type")
	}
	writes := e.Method == "POST" || e.Method == "PUT"
	switch {
	case (writes || e.Method == "PATCH") && e.Resource.IsZero():
		return "", invalid(at+".resource", "is missing")
	case writes && e.Resource.Type() != typ:
		return "", invalid(at+".request.url", "names another type than the resource's")
	case e.Method == "POST" && (id != "" || conditional):
		return "", invalid(at+".request.url", "of a POST must be the type alone")
	case e.Method == "POST":
		return "", nil
	case conditional && id == "":
		return "", nil
	case !ValidID(id) || conditional:
		return "", invalid(at+".request.url", "must be Type/id or Type?search")
	case e.Method == "PUT" && e.Resource.ID() != id:
		return "", invalid(at+".request.url", "names another id than the resource's")
	}
	return typ + "/" + id, nil
}

// Targets maps every text by which one entry may refer to another to the entry's place: its fullUrl, and "Type/id".
// What two entries answer to is left out.
func Targets(entries []Entry) map[string]int {
	m := make(map[string]int, 2*len(entries))
	add := func(name string, i int) {
		if first, known := m[name]; known && first != i {
			m[name] = -1
		} else {
			m[name] = i
		}
	}
	for i, e := range entries {
		if e.FullURL != "" {
			add(e.FullURL, i)
		}
		if e.Resource.ID() != "" {
			add(e.Resource.Ref(), i)
		}
	}
	for name, i := range m {
		if i < 0 {
			delete(m, name)
		}
	}
	return m
}
