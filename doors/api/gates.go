package api

import (
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/wellgate/wellgate/doors/web"
	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/policy"
)

// Limits (WEB-11, API-11). A transaction of one patient's whole history is tens of megabytes.
const (
	maxURL      = 8 << 10
	maxForm     = 64 << 10
	maxResource = 32 << 20
	maxBundle   = 64 << 20
	maxEntries  = 20_000
	maxBatch    = 100       // entries of a batch: each is a request of its own
	maxBodies   = 256 << 20 // of long bodies on their way in, together
	longBody    = 64 << 10
	minRate     = 64 << 10 // bytes a second: who sends or takes less on the whole is cut off
	maxCount    = 100
	pageCount   = 50 // where the query does not say
)

// admit checks what can be checked before anybody is known.
func (c *call) admit() (err error) {
	r := c.r
	base, ours := c.d.Bases[r.Host]
	if c.base = base; !ours {
		return errHost
	}
	if len(r.RequestURI) > maxURL || len(r.URL.Path) > maxURL {
		return errURL
	}
	if len(r.TransferEncoding) > 0 && r.ProtoMajor == 1 { // beside a length it smuggles a second request in (WEB-10)
		c.w.Header().Set("Connection", "close")
		return errChunks
	}
	if !Serves(r.URL.Path) {
		return errNoRoute
	}
	if c.at, err = route(r.Method, r.URL.Path); err != nil {
		return err
	}
	if r.URL.RawQuery != "" && strings.Contains(r.URL.RawQuery, "access_token") {
		return errURLToken // addresses stand in logs and histories
	}
	if !accepts(r.Header["Accept"]) || !formatted(r.URL.RawQuery) {
		return errAccept
	}
	return nil
}

// accepts says whether JSON may be sent.
func accepts(accept []string) bool {
	if len(accept) == 0 {
		return true
	}
	for _, line := range accept {
		for one := range strings.SplitSeq(line, ",") {
			t, params, _ := strings.Cut(one, ";")
			if strings.ReplaceAll(strings.TrimSpace(params), " ", "") == "q=0" {
				continue
			}
			switch strings.ToLower(strings.TrimSpace(t)) {
			case jsonType, "application/json", "application/*", "*/*", "json", "":
				return true
			}
		}
	}
	return false
}

// formatted looks at _format, which asks the same in the address.
func formatted(query string) bool {
	if !strings.Contains(query, "_format") {
		return true
	}
	for name, value := range pairs(query) {
		if name == "_format" && value != "" && (strings.Contains(value, ",") || !accepts([]string{strings.ReplaceAll(value, " ", "+")})) {
			return false
		}
	}
	return true
}

// authenticate finds out whose token came. Nothing else of a request says who asks: cookies are not looked at.
func (c *call) authenticate() (err error) {
	lines := c.r.Header["Authorization"]
	if len(lines) != 1 {
		return errToken
	}
	scheme, token, ok := strings.Cut(lines[0], " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return errToken
	}
	c.who, err = c.d.Tokens.Check(c.r.Context(), token)
	return err
}

// allowed asks policy about a deed that names no record.
func (c *call) allowed(typ, does string) error {
	p := policy.Page{Name: c.at.name(), Room: "api", Frame: "api", Type: typ, Does: does}
	if c.d.House.Policy().Page(c.who, p, policy.Context{Purpose: c.who.Purpose}) != nil {
		return errScope
	}
	return nil
}

// enter opens a chart for this call. Where the scope does not reach, the attempt is noted in the record and the answer is
// the same as without one.
func (c *call) enter(num int64, typ, does string) (*chart.Chart, error) {
	p := policy.Page{Name: c.at.name(), Room: "api", Frame: "api", Type: typ, Does: does, Chart: num}
	return c.d.House.Enter(c.r.Context(), c.act, p)
}

// locate finds the chart that holds typ/id and opens it.
func (c *call) locate(typ, id, does string) (*chart.Chart, error) {
	num, ok, err := c.d.House.Locate(c.r.Context(), c.act, typ, id)
	if err != nil {
		return nil, err
	}
	if !ok {
		if err := c.allowed(typ, does); err != nil {
			return nil, err
		}
		return nil, chart.ErrNotFound
	}
	return c.enter(num, typ, does)
}

// body is the request's, if it is JSON.
func (c *call) body() ([]byte, error) {
	ct := c.r.Header.Get("Content-Type")
	if ct != jsonType && ct != "application/json" {
		typ, params, err := mime.ParseMediaType(ct)
		charset := strings.ToLower(params["charset"])
		if err != nil || !slices.Contains([]string{jsonType, "application/json"}, typ) || charset != "" && charset != "utf-8" {
			return nil, errContentType
		}
	}
	return c.sent, nil
}

// take takes the request's body in before there is a place to work in: who sends slowly holds up nobody.
func (c *call) take() (err error) {
	switch {
	case c.r.Method == http.MethodGet || c.r.Method == http.MethodHead || c.r.Method == http.MethodDelete:
		return nil
	case c.at.does == doSearch:
		c.sent, err = c.bytes(maxForm)
	case c.at.does == doBundle:
		c.sent, err = c.bytes(maxBundle)
	default:
		c.sent, err = c.bytes(maxResource)
	}
	return err
}

func (c *call) bytes(limit int64) ([]byte, error) {
	if enc := c.r.Header.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		return nil, errContentType
	}
	if c.r.ContentLength > limit {
		return nil, errLarge
	}
	if n := c.r.ContentLength; n > longBody || n < 0 { // HTTP/2 need not say how long it is
		if n < 0 {
			n = limit
		}
		if c.d.Gate.Refuses(c.at.class()) || c.d.bodies.Add(n) > maxBodies {
			c.d.bodies.Add(-n)
			return nil, errBusy
		}
		defer c.d.bodies.Add(-n)
	}
	in := &paced{r: http.MaxBytesReader(c.w, c.r.Body, limit), c: c}
	if n := c.r.ContentLength; n > 0 {
		b := make([]byte, n)
		if _, err := io.ReadFull(in, b); err != nil {
			return nil, errBody
		}
		return b, nil
	}
	b, err := io.ReadAll(in)
	if err != nil {
		return nil, errBody
	}
	return b, nil
}

// A paced body may take as long as it needs if it comes at minRate.
type paced struct {
	r io.Reader
	c *call
	n int
}

func (p *paced) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	if p.n += n; p.n >= longBody {
		web.PaceIn(p.c.w, p.c.d.Clock(), p.n, minRate)
		p.n = 0
	}
	return n, err
}

// form is the body of a _search.
func (c *call) form() (string, error) {
	ct, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil || ct != "application/x-www-form-urlencoded" {
		return "", errContentType
	}
	return string(c.sent), nil
}

// prefers looks for a word in Prefer: "return=minimal".
func (c *call) prefers(word string) bool {
	for _, line := range c.r.Header["Prefer"] {
		for one := range strings.FieldsFuncSeq(line, func(r rune) bool { return r == ',' || r == ';' || r == ' ' }) {
			if strings.EqualFold(strings.ReplaceAll(one, `"`, ""), word) {
				return true
			}
		}
	}
	return false
}
