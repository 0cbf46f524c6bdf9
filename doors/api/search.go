package api

import (
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/fhir/search"
	"github.com/wellgate/wellgate/trust/chart"
)

// pairs yields the parameters of a query, unescaped, in order; those without a value are left out, as R4 wants.
func pairs(query string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for pair := range strings.SplitSeq(query, "&") {
			name, value, _ := strings.Cut(pair, "=")
			if n, err := url.QueryUnescape(name); err == nil {
				name = n
			}
			if v, err := url.QueryUnescape(value); err == nil {
				value = v
			}
			if name != "" && value != "" && !yield(name, value) {
				return
			}
		}
	}
}

// refuse is search's own kind of refusal, for parameters that the door looks at itself.
func refuse(name, rule string) error {
	for _, c := range name {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("_-.:", c)) {
			name = "?"
			break
		}
	}
	return fmt.Errorf("%w: %s %s", search.ErrInvalid, name[:min(len(name), 64)], rule)
}

// An inquiry is a search that has been understood: where to look, and what the chart is asked.
type inquiry struct {
	typ    string
	query  string // for the chart: without _count, _page and what is the door's own
	count  int
	only   bool // _summary=count
	about  string
	ids    []string // identifier=…, each system|value
	id     string   // _id
	offset int
	chart  int64 // the one record it is about
}

// search answers GET Type?…, POST Type/_search, and further pages.
func (c *call) search() error {
	query := c.query
	if c.r.Method == http.MethodPost && !c.inner {
		form, err := c.form()
		if err != nil {
			return err
		}
		if strings.Contains(form, "access_token") {
			return errURLToken
		}
		if query = form; c.query != "" {
			query = c.query + "&" + form
		}
	}
	q, err := c.understand(c.at.typ, query)
	if err != nil {
		return err
	}
	charts, err := c.charts(&q)
	if err != nil {
		return err
	}
	return c.answer(q, charts)
}

// understand takes the door's own parameters out of a query.
func (c *call) understand(typ, query string) (inquiry, error) {
	q := inquiry{typ: typ, count: pageCount}
	var rest strings.Builder
	rest.Grow(len(query))
	lenient := c.prefers("handling=lenient")
	var known map[string]string
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if value == "" {
			continue
		}
		plain := value
		if strings.ContainsAny(value, "%+") {
			var err error
			if plain, err = url.QueryUnescape(value); err != nil {
				return q, refuse(name, "is not encoded as a URL query")
			}
		}
		if strings.IndexByte(name, '%') >= 0 {
			name, _ = url.QueryUnescape(name)
		}
		switch name {
		case "_count":
			n, err := strconv.Atoi(plain)
			if err != nil || n < 0 {
				return q, refuse(name, "must be a whole number, 0 or more")
			}
			q.count = min(n, maxCount)
			continue
		case "_page":
			return c.further(typ, query, plain)
		case "_summary":
			if plain != "count" && plain != "false" {
				return q, errShape
			}
			q.only = plain == "count"
			continue
		case "_elements":
			return q, errShape
		case "patient", "patient:Patient", "subject", "subject:Patient":
			if name[0] == 'p' || strings.HasPrefix(plain, "Patient/") || name == "subject:Patient" {
				q.about = plain
			}
		case "_id":
			q.id = plain
		case "identifier":
			if typ == "Patient" {
				q.ids = append(q.ids, plain)
			}
		default:
			if lenient {
				if known == nil {
					_, known = search.Names(typ)
				}
				base, _, _ := strings.Cut(name, ":")
				if known[base] == "" && !slices.Contains(controls, base) {
					continue
				}
			}
		}
		if rest.Len() > 0 {
			rest.WriteByte('&')
		}
		rest.WriteString(pair)
	}
	q.query = rest.String()
	return q, nil
}

// controls are the parameters that shape any search, beside those of its type.
var controls = []string{"_sort", "_include", "_revinclude", "_total", "_format", "_pretty"}

// charts opens the records that a search looks at: one patient's, the directory, or those of the patients with an
// identifier. Whatever else would have to look through many records is refused whole.
func (c *call) charts(q *inquiry) ([]*chart.Chart, error) {
	if err := c.allowed(q.typ, "search"); err != nil {
		return nil, err
	}
	switch {
	case q.chart != 0:
		return c.some(q, []int64{q.chart})
	case q.about != "":
		return c.of("Patient", strings.TrimPrefix(strings.TrimPrefix(q.about, c.base+"/"), "Patient/"), q)
	case q.id != "":
		return c.of(q.typ, q.id, q)
	case len(q.ids) > 0:
		return c.identified(q)
	case fhir.InDirectory(q.typ) && !fhir.InCompartment(q.typ):
		return c.some(q, []int64{c.d.House.Directory()})
	}
	return nil, errAcross
}

// of opens the record that typ/id is in. One that is not there is like one without matches: the search finds nothing.
func (c *call) of(typ, id string, q *inquiry) ([]*chart.Chart, error) {
	if strings.Contains(id, ",") {
		return nil, errAcross
	}
	num, ok, err := c.d.House.Locate(c.r.Context(), c.act, typ, id)
	if err != nil || !ok {
		return nil, err
	}
	return c.some(q, []int64{num})
}

func (c *call) some(q *inquiry, nums []int64) ([]*chart.Chart, error) {
	if len(nums) == 1 {
		q.chart = nums[0]
	}
	out := make([]*chart.Chart, len(nums))
	for i, n := range nums {
		var err error
		if out[i], err = c.enter(n, q.typ, "search"); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (c *call) identified(q *inquiry) ([]*chart.Chart, error) {
	one := q.ids[0]
	system, value, piped := strings.Cut(one, "|")
	if !piped {
		system, value = "", system
	}
	if value == "" || strings.Contains(one, ",") || strings.Contains(one, `\`) {
		return nil, errAcross
	}
	nums, err := c.d.House.Identified(c.r.Context(), c.act, system, value)
	if errors.Is(err, chart.ErrMany) {
		return nil, errMany
	}
	if err != nil {
		return nil, err
	}
	return c.some(q, nums)
}

// answer writes the page of a searchset.
func (c *call) answer(q inquiry, charts []*chart.Chart) error {
	count := q.count
	if q.only {
		count = 0
	}
	query := "_count=" + strconv.Itoa(count)
	if q.query != "" {
		query = q.query + "&" + query
	}
	var found chart.Found
	if len(charts) == 0 { // a query that cannot be understood is refused whether anybody is there or not
		if _, err := search.Parse(q.typ, query); err != nil {
			return err
		}
	}
	for _, ch := range charts {
		f, err := ch.Query(c.r.Context(), q.typ, query, q.offset)
		if err != nil {
			return err
		}
		found.Total += f.Total
		found.Hits = append(found.Hits, f.Hits...)
		found.Included = append(found.Included, f.Included...)
	}
	if len(charts) > 1 && found.Total > count && !q.only { // a handful of people with one identifier: no pages of them
		return errMany
	}
	return c.searchset(q, found)
}

func (c *call) searchset(q inquiry, f chart.Found) error {
	b := c.out()
	b.b = append(b.b, `{"resourceType":"Bundle","type":"searchset","total":`...)
	b.b = strconv.AppendInt(b.b, int64(f.Total), 10)
	b.b = append(b.b, `,"link":[{"relation":"self","url":`...)
	b.b = c.appendSelf(b.b, q)
	b.b = append(b.b, '}')
	if end := q.offset + len(f.Hits); !q.only && len(f.Hits) > 0 && end < f.Total {
		b.b = append(b.b, `,{"relation":"next","url":"`...)
		next, err := c.next(q, end)
		if err != nil {
			return err
		}
		b.b = append(append(b.b, next...), `"}`...)
	}
	b.b = append(b.b, `]`...)
	if len(f.Hits)+len(f.Included) > 0 && !q.only {
		b.b = append(b.b, `,"entry":[`...)
		for i, e := range f.Hits {
			if i > 0 {
				b.b = append(b.b, ',')
			}
			b.b = c.appendEntry(b.b, e, "match")
		}
		for _, e := range f.Included {
			b.b = append(b.b, ',')
			b.b = c.appendEntry(b.b, e, "include")
		}
		b.b = append(b.b, ']')
	}
	b.b = append(b.b, '}')
	c.reply = reply{status: http.StatusOK, body: b.b}
	return nil
}

// appendSelf appends, quoted, the search as it was understood. What came by POST does not stand in an address.
func (c *call) appendSelf(to []byte, q inquiry) []byte {
	self := c.base + "/" + q.typ
	if q.query != "" && (c.r.Method != http.MethodPost || c.inner) && q.offset == 0 {
		self += "?" + q.query + "&_count=" + strconv.Itoa(q.count)
	}
	quoted, err := jsontext.AppendQuote(to, self)
	if err != nil { // an address that is not UTF-8
		return append(to, `""`...)
	}
	return quoted
}
