package api

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/trust/chart"
)

// transact hands entries to the chart as one whole.
func (c *call) transact(what string, entries ...fhir.Entry) ([]chart.Done, error) {
	done, err := c.d.House.Transact(c.r.Context(), c.act, chart.Transaction{What: what, Entries: entries})
	switch {
	case errors.Is(err, chart.ErrVersion):
		return nil, errPrecond
	case errors.Is(err, chart.ErrManyMatch):
		return nil, errMatches
	}
	return done, err
}

// resource reads the one resource in the body.
func (c *call) resource() (fhir.Resource, error) {
	b, err := c.body()
	if err != nil {
		return fhir.Resource{}, err
	}
	r, err := fhir.Parse(b)
	if err == nil && r.Type() != c.at.typ {
		err = errOwnType
	}
	return r, err
}

// create answers POST Type, with If-None-Exist. The id is ours.
func (c *call) create() error {
	if err := c.allowed(c.at.typ, "create"); err != nil {
		return err
	}
	r, err := c.resource()
	if err != nil {
		return err
	}
	e := fhir.Entry{Resource: r, Method: http.MethodPost, URL: c.at.typ, IfNoneExist: strings.TrimPrefix(c.r.Header.Get("If-None-Exist"), "?")}
	if e.IfNoneExist != "" { // its answer tells what is there
		if err := c.allowed(c.at.typ, "search"); err != nil {
			return err
		}
	}
	return c.single(e)
}

// update answers PUT Type/id, with If-Match. It changes what is there and may be seen; ids are made by create.
func (c *call) update() error {
	if err := c.allowed(c.at.typ, "update"); err != nil {
		return err
	}
	r, err := c.resource()
	if err != nil {
		return err
	}
	if r.ID() != c.at.id {
		return errOwnID
	}
	if err := c.there(); err != nil {
		return err
	}
	return c.single(fhir.Entry{Resource: r, Method: http.MethodPut, URL: r.Ref(), IfMatch: c.r.Header.Get("If-Match")})
}

// remove answers DELETE Type/id. Rooms refuse it for most of a record.
func (c *call) remove() error {
	if err := c.allowed(c.at.typ, "delete"); err != nil {
		return err
	}
	if err := c.there(); err != nil {
		return err
	}
	return c.single(fhir.Entry{Method: http.MethodDelete, URL: c.at.typ + "/" + c.at.id, IfMatch: c.r.Header.Get("If-Match")})
}

// there makes sure that the target may be seen: changing what may not is answered as if it were not there.
func (c *call) there() error {
	num, ok, err := c.d.House.Locate(c.r.Context(), c.act, c.at.typ, c.at.id)
	if err != nil {
		return err
	}
	if !ok {
		return chart.ErrNotFound
	}
	ch, err := c.enter(num, c.at.typ, deeds[c.at.does].scope)
	if err != nil {
		return err
	}
	_, err = ch.Get(c.r.Context(), c.at.typ, c.at.id)
	return err
}

// single does one write and answers as Prefer says.
func (c *call) single(e fhir.Entry) error {
	done, err := c.transact(c.at.name(), e)
	if err != nil {
		return err
	}
	d := done[0]
	c.reply = reply{status: d.Status, version: d.Version, modified: d.Modified}
	if d.Status == http.StatusNoContent {
		c.reply.version = 0
		return nil
	}
	c.reply.location = c.base + "/" + d.Type + "/" + d.ID + "/_history/" + strconv.FormatInt(d.Version, 10)
	if c.prefers("return=minimal") || e.Resource.IsZero() || c.allowed(d.Type, "read") != nil {
		return nil
	}
	kept := c.reply
	ch, err := c.locate(d.Type, d.ID, "read")
	if err != nil {
		return err
	}
	now, err := ch.Version(c.r.Context(), d.Type, d.ID, d.Version)
	if errors.Is(err, chart.ErrNotFound) { // stored, and not for the sender's eyes
		return nil
	}
	if err != nil {
		return err
	}
	if err := c.one(kept.status, now); err != nil {
		return err
	}
	c.reply.location = kept.location
	return nil
}

// bundle answers POST /fhir: a transaction or a batch.
func (c *call) bundle() error {
	b, err := c.body()
	if err != nil {
		return err
	}
	head, entries, err := fhir.ReadBundle(bytes.NewReader(b))
	if err != nil {
		return err
	}
	switch head.Type {
	case "transaction":
		if len(entries) > maxEntries {
			return errEntries
		}
		return c.transaction(entries)
	case "batch":
		if len(entries) > maxBatch {
			return errEntries
		}
		return c.batch(entries)
	}
	return errBundleType
}

// scoped asks policy about one entry, before anything is looked up.
func (c *call) scoped(e fhir.Entry) error {
	does := map[string]string{"POST": "create", "PUT": "update", "DELETE": "delete"}[e.Method]
	typ, _, _ := strings.Cut(e.URL, "?")
	typ, _, _ = strings.Cut(typ, "/")
	if does == "" {
		return nil // a GET is asked about when it is done
	}
	if err := c.allowed(typ, does); err != nil {
		return err
	}
	if e.IfNoneExist != "" || strings.Contains(e.URL, "?") {
		return c.allowed(typ, "search")
	}
	return nil
}

func (c *call) transaction(entries []fhir.Entry) error {
	type key struct {
		method, url string
		search      bool
	}
	asked := map[key]bool{}
	for _, e := range entries {
		k := key{e.Method, e.URL, e.IfNoneExist != ""}
		if asked[k] {
			continue
		}
		if err := c.scoped(e); err != nil {
			return err
		}
		asked[k] = true
	}
	done, err := c.transact("api.transaction", entries...)
	if err != nil {
		return err
	}
	out := c.out().b
	out = append(out, `{"resourceType":"Bundle","type":"transaction-response","entry":[`...)
	for i, e := range entries {
		if i > 0 {
			out = append(out, ',')
		}
		if e.Method == http.MethodGet || e.Method == http.MethodHead {
			in := c.entry(e)
			if err := in.run(); err != nil {
				in.buf.free()
				return err
			}
			out = in.appendReply(out)
			in.buf.free()
			continue
		}
		out = c.appendDone(out, done[i])
	}
	c.buf.b = append(out, `]}`...)
	c.reply = reply{status: http.StatusOK, body: c.buf.b}
	return nil
}

// batch does each entry on its own; one that is refused says so in its place.
func (c *call) batch(entries []fhir.Entry) error {
	out := c.out().b
	out = append(out, `{"resourceType":"Bundle","type":"batch-response","entry":[`...)
	for i, e := range entries {
		if i > 0 {
			out = append(out, ',')
		}
		var err error
		if e.Method == http.MethodGet || e.Method == http.MethodHead {
			in := c.entry(e)
			if err = in.run(); err == nil {
				out = in.appendReply(out)
			}
			in.buf.free()
		} else {
			var done []chart.Done
			if err = c.scoped(e); err == nil {
				if done, err = c.transact("api.batch", e); err == nil {
					out = c.appendDone(out, done[0])
				}
			}
		}
		if err != nil {
			a := answerTo(err)
			if a.status >= 500 {
				return err
			}
			out = append(strconv.AppendInt(append(out, `{"response":{"status":"`...), int64(a.status), 10), `","outcome":`...)
			out = append(outcome(out, "", a), `}}`...)
		}
	}
	c.buf.b = append(out, `]}`...)
	c.reply = reply{status: http.StatusOK, body: c.buf.b}
	return nil
}

// entry is a call of its own for one reading of a Bundle, within the same act.
func (c *call) entry(e fhir.Entry) *call {
	path, query, _ := strings.Cut(e.URL, "?")
	in := &call{d: c.d, r: c.r, id: c.id, base: c.base, who: c.who, act: c.act, query: query, inner: true}
	in.at, _ = route(http.MethodGet, Path+"/"+strings.TrimPrefix(path, "/"))
	return in
}

func (c *call) run() error {
	switch c.at.does {
	case doRead, doVersion, doHistory, doSearch, doEverything:
	default:
		return errNoRoute
	}
	if strings.Contains(c.query, "access_token") {
		return errURLToken
	}
	return c.handle()
}

func (c *call) appendReply(to []byte) []byte {
	to = append(append(to, `{"resource":`...), c.reply.body...)
	to = append(to, `,"response":{"status":"200"`...)
	if c.reply.version > 0 {
		to = append(strconv.AppendInt(append(to, `,"etag":"W/\"`...), c.reply.version, 10), `\""`...)
	}
	return append(to, `}}`...)
}

func (c *call) appendDone(to []byte, d chart.Done) []byte {
	to = append(to, `{"response":{"status":"`...)
	to = strconv.AppendInt(to, int64(d.Status), 10)
	to = append(to, '"')
	if d.Status != http.StatusNoContent && d.ID != "" {
		to = append(to, `,"location":"`...)
		to = append(append(append(append(to, d.Type...), '/'), d.ID...), `/_history/`...)
		to = append(strconv.AppendInt(to, d.Version, 10), `","etag":"W/\"`...)
		to = append(strconv.AppendInt(to, d.Version, 10), `\"","lastModified":"`...)
		to = append(instant(to, d.Modified), '"')
	}
	return append(to, `}}`...)
}
