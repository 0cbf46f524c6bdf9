package api

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/wellgate/wellgate/trust/chart"
)

// read answers GET Type/id.
func (c *call) read() error {
	ch, err := c.locate(c.at.typ, c.at.id, "read")
	if err != nil {
		return err
	}
	e, err := ch.Get(c.r.Context(), c.at.typ, c.at.id)
	if errors.Is(err, chart.ErrNotFound) {
		return ch.Gone(c.r.Context(), c.at.typ, c.at.id)
	}
	if err != nil {
		return err
	}
	if c.unchanged(e) {
		c.reply = reply{status: http.StatusNotModified, version: e.Version, modified: e.Updated}
		return nil
	}
	return c.one(http.StatusOK, e)
}

// unchanged says whether the caller has this version already. Telling so is a reading like any other.
func (c *call) unchanged(e chart.Entry) bool {
	if c.inner {
		return false
	}
	if lines := c.r.Header["If-None-Match"]; len(lines) > 0 {
		want := etag(e.Version)
		for one := range strings.SplitSeq(lines[0], ",") {
			if one = strings.TrimSpace(one); one == want || one == want[2:] || one == "*" {
				return true
			}
		}
		return false
	}
	if lines := c.r.Header["If-Modified-Since"]; len(lines) > 0 {
		t, err := http.ParseTime(lines[0])
		return err == nil && !e.Updated.Truncate(1e9).After(t)
	}
	return false
}

// vread answers GET Type/id/_history/version.
func (c *call) vread() error {
	ch, err := c.locate(c.at.typ, c.at.id, "read")
	if err != nil {
		return err
	}
	version, err := strconv.ParseInt(c.at.ver, 10, 64)
	if err != nil {
		return chart.ErrNotFound
	}
	e, err := ch.Version(c.r.Context(), c.at.typ, c.at.id, version)
	if err != nil {
		return err
	}
	return c.one(http.StatusOK, e)
}

// everything answers GET Patient/id/$everything: all of the record that the token may see. A long one goes out in parts,
// each after its own trace.
func (c *call) everything() error {
	for name := range pairs(c.query) {
		if name != "_format" && name != "_pretty" {
			return refuse(name, "is not offered on $everything")
		}
	}
	ch, err := c.locate("Patient", c.at.id, "read")
	if err != nil {
		return err
	}
	if _, err := ch.Get(c.r.Context(), "Patient", c.at.id); err != nil { // the id names this record's patient, and they may be seen
		return err
	}
	b := c.out()
	b.b = append(b.b, `{"resourceType":"Bundle","type":"searchset","link":[{"relation":"self","url":"`...)
	b.b = append(c.appendURL(b.b, "Patient", c.at.id), `/$everything"}],"entry":[`...)
	n := 0
	for e, err := range ch.Everything(c.r.Context()) {
		if err != nil {
			return err
		}
		if n > 0 {
			b.b = append(b.b, ',')
		}
		b.b = c.appendEntry(b.b, e, "match")
		n++
		if len(b.b) >= partSize && !c.inner {
			if err := c.part(); err != nil {
				return err
			}
		}
	}
	b.b = append(b.b, `],"total":`...)
	b.b = append(strconv.AppendInt(b.b, int64(n), 10), '}')
	c.reply = reply{status: http.StatusOK, body: b.b}
	return nil
}
