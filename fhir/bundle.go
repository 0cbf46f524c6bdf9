package fhir

import (
	"bytes"
	"fmt"
	"io"
	"strings"

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

	start int        // of the resource in the Bundle's text
	marks []raw.Mark // of the resource, as they stand in the Bundle's text
}

// An Envelope is what a Bundle says about itself.
type Envelope struct {
	Type, ID  string
	Timestamp DateTime
	Next      string // link with relation next
}

// ReadBundle reads a Bundle without building the whole document, under the rules of Parse and then those of its type:
// requests of a transaction fit their resources and touch no resource twice, a document starts with its Composition.
// Errors name the entry and the element.
func ReadBundle(r io.Reader) (Envelope, []Entry, error) {
	var data bytes.Buffer
	if known, ok := r.(interface{ Len() int }); ok {
		data.Grow(min(known.Len(), MaxBytes+1) + bytes.MinRead)
	}
	if _, err := data.ReadFrom(io.LimitReader(r, MaxBytes+1)); err != nil {
		return Envelope{}, nil, fmt.Errorf("fhir: read Bundle: %w", err)
	}
	return ParseBundle(data.Bytes())
}

// ParseBundle is ReadBundle over bytes that it takes over: the entries' resources are parts of data, which must not change
// while they are in use.
func ParseBundle(data []byte) (Envelope, []Entry, error) {
	doc, err := strict(data, raw.Levels)
	if err != nil {
		return Envelope{}, nil, err
	}
	b := bundleReader{doc: doc}
	if err := b.read(); err != nil {
		return Envelope{}, nil, err
	}
	if err := b.check(); err != nil {
		return Envelope{}, nil, err
	}
	return b.head, b.entries, nil
}

type bundleReader struct {
	doc     raw.Doc
	at      int // the span that was used last
	head    Envelope
	entries []Entry
	is      bool // resourceType said Bundle
}

// end is where the value at i ends. It is asked for in order.
func (b *bundleReader) end(i int) int {
	for ; b.at < len(b.doc.Spans) && int(b.doc.Spans[b.at].Start) <= i; b.at++ {
		if s := b.doc.Spans[b.at]; int(s.Start) == i {
			return int(s.End)
		}
	}
	return raw.Skip(b.doc.Text, i)
}

func (b *bundleReader) read() error {
	text := b.doc.Text
	if text[0] != '{' {
		return fmt.Errorf("%w: a Bundle is a JSON object", ErrInvalid)
	}
	for i := 1; i < len(text) && text[i] == '"'; i++ { // a comma or the end follows each member
		end := raw.Skip(text, i)
		name := raw.String(text[i:end])
		var err error
		if i = end + 1; name == "entry" {
			i, err = b.readEntries(i)
		} else {
			start := i
			i = b.end(i)
			err = b.member(name, text[start:i])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *bundleReader) member(name string, v []byte) error {
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

// readEntries reads the list at i and returns the index after it.
func (b *bundleReader) readEntries(i int) (int, error) {
	text := b.doc.Text
	if text[i] != '[' {
		return i, invalid("Bundle.entry", "must be a list")
	}
	b.entries = make([]Entry, 0, min(len(b.doc.Spans)/3, 4096))
	marks := b.doc.Marks
	for i++; text[i] != ']'; {
		if len(b.entries) == MaxEntries {
			return i, invalid("Bundle.entry", fmt.Sprintf("has more than %d entries; send it in parts", MaxEntries))
		}
		e, end, err := b.readEntry(i)
		if err != nil {
			return i, err
		}
		// The marks between this entry's resource and its end are its own.
		var own []raw.Mark
		for len(marks) > 0 && int(marks[0].Start) < e.start {
			marks = marks[1:]
		}
		for len(own) < len(marks) && int(marks[len(own)].Start) < e.start+len(e.Resource.raw) {
			own = marks[:len(own)+1]
		}
		e.marks = own
		b.entries = append(b.entries, e)
		if i = end; text[i] == ',' {
			i++
		}
	}
	return i + 1, nil
}

// readEntry reads the entry at i and returns the index after it.
func (b *bundleReader) readEntry(i int) (e Entry, end int, err error) {
	text := b.doc.Text
	at := func() string { return fmt.Sprintf("entry[%d]", len(b.entries)) }
	if text[i] != '{' {
		return e, i, invalid(at(), "must be an object")
	}
	end = i + 1
	for text[end] == '"' {
		after := raw.Skip(text, end)
		name, start := text[end:after], after+1
		end = b.end(start)
		v := text[start:end:end]
		switch string(name) {
		case `"fullUrl"`:
			if v[0] != '"' {
				return e, end, invalid(at()+" fullUrl", "must be text")
			}
			e.FullURL = raw.String(v)
		case `"request"`, `"search"`:
			if err := e.readRequest(v, at); err != nil {
				return e, end, err
			}
		case `"resource"`:
			if e.Resource, err = outer(v); err != nil {
				return e, end, fmt.Errorf("%w, in %s.resource", err, at())
			}
			e.start = start
		}
		if text[end] == ',' {
			end++
		}
	}
	return e, end + 1, nil
}

// readRequest reads the members of request or search, whose names do not meet.
func (e *Entry) readRequest(v []byte, at func() string) error {
	if v[0] != '{' {
		return invalid(at()+".request", "must be an object")
	}
	for name, text := range raw.Fields(v) {
		var to *string
		switch string(name) {
		case "method":
			to = &e.Method
		case "url":
			to = &e.URL
		case "ifNoneExist":
			to = &e.IfNoneExist
		case "ifMatch":
			to = &e.IfMatch
		case "ifNoneMatch":
			to = &e.IfNoneMatch
		case "mode":
			to = &e.SearchMode
		default:
			continue
		}
		if text[0] != '"' {
			return invalid(at()+" "+string(name), "must be text")
		}
		*to = raw.String(text)
	}
	return nil
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
