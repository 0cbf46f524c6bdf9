package api

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/wellgate/wellgate/doors/web"
	"github.com/wellgate/wellgate/trust/chart"
)

const jsonType = "application/fhir+json"

var typeHeader = []string{jsonType + ";charset=utf-8"}

// partSize is how much of a long answer is held before it goes out in parts.
const partSize = 4 << 20

// A buffer holds an answer. It is lent by a pool and given back when the answer has left.
type buffer struct{ b []byte }

var buffers = sync.Pool{New: func() any { return &buffer{make([]byte, 0, 16<<10)} }}

func (b *buffer) free() {
	if b != nil && cap(b.b) <= partSize+(1<<20) {
		b.b = b.b[:0]
		buffers.Put(b)
	}
}

// out is the buffer of this call.
func (c *call) out() *buffer {
	if c.buf == nil {
		c.buf = buffers.Get().(*buffer)
	}
	c.buf.b = c.buf.b[:0]
	return c.buf
}

// send lets the reply out once the trace of everything in it is durable. No trace, no byte.
func (c *call) send() error {
	if c.status != 0 { // it went out in parts
		return c.part()
	}
	if c.act != nil {
		if err := c.act.Release(c.r.Context()); err != nil {
			return err
		}
	}
	h, r := c.w.Header(), &c.reply
	if r.version > 0 {
		h["Etag"] = []string{etag(r.version)}
		h["Last-Modified"] = []string{r.modified.UTC().Format(http.TimeFormat)}
	}
	if r.location != "" {
		h["Location"] = []string{r.location}
	}
	h["Content-Type"] = typeHeader
	c.write(r.status, r.body)
	return nil
}

func (c *call) write(status int, body []byte) {
	c.status = status
	h := c.w.Header()
	if status != http.StatusNoContent && status != http.StatusNotModified {
		h["Content-Length"] = []string{strconv.Itoa(len(body))}
	} else {
		delete(h, "Content-Type")
		body = nil
	}
	c.leave()
	if len(body) > partSize/4 {
		web.PaceOut(c.w, c.d.Clock(), len(body), minRate)
	}
	c.w.WriteHeader(status)
	if c.r.Method != http.MethodHead && len(body) > 0 {
		_, _ = c.w.Write(body)
	}
}

// part lets out what is held of an answer that is too long to hold whole.
func (c *call) part() error {
	if err := c.act.Release(c.r.Context()); err != nil {
		return err
	}
	if c.status == 0 {
		c.w.Header()["Content-Type"] = typeHeader
		c.status = http.StatusOK
		c.w.WriteHeader(http.StatusOK)
	}
	c.leave()
	web.PaceOut(c.w, c.d.Clock(), len(c.buf.b), minRate)
	var err error
	if c.r.Method != http.MethodHead {
		_, err = c.w.Write(c.buf.b)
	}
	c.place.Return()
	c.buf.b = c.buf.b[:0]
	return err
}

// one answers with one version of one resource.
func (c *call) one(status int, e chart.Entry) error {
	b := c.out()
	b.b = e.AppendServed(b.b, e.Version, e.Updated)
	c.reply = reply{status: status, body: b.b, version: e.Version, modified: e.Updated}
	return nil
}

func etag(version int64) string { return `W/"` + strconv.FormatInt(version, 10) + `"` }

func instant(to []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(to, "2006-01-02T15:04:05.000Z07:00")
}

// appendRef appends base/Type/id.
func (c *call) appendURL(to []byte, typ, id string) []byte {
	to = append(to, c.base...)
	to = append(to, '/')
	to = append(to, typ...)
	to = append(to, '/')
	return append(to, id...)
}

// appendEntry appends an entry of a searchset.
func (c *call) appendEntry(to []byte, e chart.Entry, mode string) []byte {
	to = append(to, `{"fullUrl":"`...)
	to = c.appendURL(to, e.Type(), e.ID())
	to = append(to, `","resource":`...)
	to = e.AppendServed(to, e.Version, e.Updated)
	to = append(to, `,"search":{"mode":"`...)
	to = append(to, mode...)
	return append(to, `"}}`...)
}
