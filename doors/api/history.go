package api

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/trust/chart"
)

// A past is what a history is asked for.
type past struct {
	chart.Span
	query string // as it was asked, without the page
}

// history answers GET Type/id/_history: the versions that may be seen, newest first, in pages. A deleted resource has one.
func (c *call) history() error {
	q, err := c.span(c.query)
	if err != nil {
		return err
	}
	ch, err := c.locate(c.at.typ, c.at.id, "read")
	if err != nil {
		return err
	}
	all, next, err := ch.History(c.r.Context(), c.at.typ, c.at.id, q.Span)
	if err != nil {
		return err
	}
	b := c.out()
	b.b = append(b.b, `{"resourceType":"Bundle","type":"history"`...)
	if q.query == "" && q.Before == (chart.Spot{}) && next == (chart.Spot{}) { // the number of all is known only where all are here
		b.b = strconv.AppendInt(append(b.b, `,"total":`...), int64(len(all)), 10)
	}
	b.b = append(b.b, `,"link":[{"relation":"self","url":"`...)
	b.b = append(c.appendURL(b.b, c.at.typ, c.at.id), `/_history`...)
	if q.query != "" && q.Before == (chart.Spot{}) {
		b.b = append(append(b.b, '?'), q.query...)
	}
	b.b = append(b.b, `"}`...)
	if next != (chart.Spot{}) {
		link, err := c.older(q, next)
		if err != nil {
			return err
		}
		b.b = append(append(append(b.b, `,{"relation":"next","url":"`...), link...), `"}`...)
	}
	b.b = append(b.b, ']')
	for i, p := range all {
		if i == 0 {
			b.b = append(b.b, `,"entry":[`...)
		} else {
			b.b = append(b.b, ',')
		}
		b.b = c.appendPast(b.b, p)
	}
	if len(all) > 0 {
		b.b = append(b.b, ']')
	}
	b.b = append(b.b, '}')
	c.reply = reply{status: http.StatusOK, body: b.b}
	return nil
}

// span reads the parameters of a history.
func (c *call) span(query string) (past, error) {
	q := past{Span: chart.Span{Count: pageCount}}
	kept := url.Values{}
	for name, value := range pairs(query) {
		switch name {
		case "_format", "_pretty":
			continue
		case "_page":
			return c.earlier(query, value)
		case "_count":
			n, err := strconv.Atoi(value)
			if err != nil || n < 1 {
				return q, refuse(name, "must be a whole number, 1 or more, on a history")
			}
			q.Count = min(n, maxCount)
		case "_since":
			t, ok := fhir.DateTime(value).Time(time.UTC)
			if !ok {
				return q, refuse(name, "must be an instant")
			}
			q.Since = t
		case "_at":
			from, to, ok := fhir.DateTime(value).Interval(time.UTC)
			if !ok {
				return q, refuse(name, "must be a date or a time")
			}
			q.From, q.Until = from, to
		default:
			return q, refuse(name, "is not offered on a history")
		}
		kept.Set(name, value)
	}
	q.query = kept.Encode()
	return q, nil
}

// A pastCursor is what a link to a further page of a history holds, sealed as a cursor is.
type pastCursor struct {
	Query string     `json:"q"`
	Spot  chart.Spot `json:"s"`
	Until int64      `json:"u"`
}

func (c *call) older(q past, from chart.Spot) (string, error) {
	plain, err := json.Marshal(pastCursor{q.query, from, c.d.Clock().Add(pageLife).Unix()})
	if err != nil {
		return "", err
	}
	sealed := c.d.links.Seal(nil, nil, plain, c.binding(c.at.typ+"/"+c.at.id+"/_history"))
	return c.base + "/" + c.at.typ + "/" + c.at.id + "/_history?_page=" + base64.RawURLEncoding.EncodeToString(sealed), nil
}

func (c *call) earlier(query, page string) (past, error) {
	var at pastCursor
	if !c.unseal(query, page, c.at.typ+"/"+c.at.id+"/_history", &at) || c.d.Clock().Unix() > at.Until {
		return past{}, errPage
	}
	q, err := c.span(at.Query)
	q.Before = at.Spot
	return q, err
}

func (c *call) appendPast(to []byte, p chart.Past) []byte {
	to = append(to, `{"fullUrl":"`...)
	to = c.appendURL(to, c.at.typ, c.at.id)
	to = append(to, '"')
	method, status := "PUT", "200"
	switch {
	case p.Gone:
		method, status = "DELETE", "204"
	case p.Version == 1:
		method, status = "POST", "201"
	}
	url := p.Ref
	if method == "POST" {
		url = c.at.typ
	}
	if !p.Gone {
		to = append(to, `,"resource":`...)
		to = p.AppendServed(to, p.Version, p.Updated)
	}
	to = append(append(append(to, `,"request":{"method":"`...), method...), `","url":"`...)
	to = append(append(to, url...), `"},"response":{"status":"`...)
	to = append(append(to, status...), `","etag":"W/\"`...)
	to = append(strconv.AppendInt(to, p.Version, 10), `\"","lastModified":"`...)
	return append(instant(to, p.Updated), `"}}`...)
}
