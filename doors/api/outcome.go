package api

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/fhir/search"
	"github.com/wellgate/wellgate/internal/admit"
	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/identity"
	"github.com/wellgate/wellgate/trust/policy"
)

var (
	errHost        = errors.New("this host name is not ours")
	errURL         = errors.New("the address is longer than 8 KiB; send a search by POST to _search")
	errChunks      = errors.New("send the body with its length, not in chunks")
	errNoRoute     = errors.New("there is nothing at this address; see metadata for what is offered")
	errMethod      = errors.New("this address does not know that method; see Allow")
	errURLToken    = errors.New("a token never stands in an address; revoke this one and send the next in the Authorization header")
	errAccept      = errors.New("this server speaks application/fhir+json only")
	errToken       = errors.New("send a token: Authorization: Bearer …")
	errScope       = errors.New("the token's scope does not reach this")
	errContentType = errors.New("send application/fhir+json in UTF-8, a _search as application/x-www-form-urlencoded, neither compressed")
	errLarge       = errors.New("the body is too large; send it in parts")
	errBody        = errors.New("the body ended early, or is longer than it said")
	errBusy        = errors.New("too much work at once; try again in a few seconds")
	errPanic       = errors.New("something went wrong here; give the practice the id of this answer")
	errAway        = errors.New("records cannot be reached at the moment; look what became of a change before sending it again")
	errAcross      = errors.New("a search names one patient (patient=…), one resource by _id, or, of Patient, an identifier with its value; searches across patients are not offered")
	errMany        = errors.New("too many matches to be answered whole; ask more narrowly")
	errPage        = errors.New("this link to a further page does not fit, or is too old; start the search again")
	errShape       = errors.New("_summary takes count or false, and _elements is not offered")
	errCondition   = errors.New("a condition must be identifier=system|value")
	errMatches     = errors.New("more than one resource matches the condition")
	errPrecond     = errors.New("the resource has another version by now")
	errIfMatch     = errors.New(`If-Match must look like W/"3"`)
	errOwnID       = errors.New("the id in the body is not the one in the address")
	errOwnType     = errors.New("the type in the body is not the one in the address")
	errEntries     = errors.New("too many entries; send them in parts")
	errBundleType  = errors.New("a Bundle posted here is a transaction or a batch")
)

// An answer is how one kind of error looks from outside: status, IssueType, and seconds for Retry-After.
type answer struct {
	kind   error
	status int
	code   string
	say    string // "" is the error's own text, which then names rules and never values
	retry  string
}

const gone = "not there, or not for you"

// answers is the one table from errors to responses. What may not be seen answers as what is not there (AZ-05).
var answers = []answer{
	{chart.ErrGone, http.StatusGone, "deleted", "this was deleted", ""},
	{chart.ErrNotFound, http.StatusNotFound, "not-found", gone, ""},
	{policy.ErrDenied, http.StatusForbidden, "forbidden", errScope.Error(), ""},
	{errScope, http.StatusForbidden, "forbidden", "", ""},
	{errToken, http.StatusUnauthorized, "login", "", ""},
	{identity.ErrNoToken, http.StatusUnauthorized, "login", "this token is not valid, or not any more", ""},
	{identity.ErrRate, http.StatusTooManyRequests, "throttled", "more requests than this token allows; slow down", "1"},
	{errHost, http.StatusMisdirectedRequest, "not-supported", "", ""},
	{errURL, http.StatusRequestURITooLong, "too-long", "", ""},
	{errChunks, http.StatusBadRequest, "invalid", "", ""},
	{errNoRoute, http.StatusNotFound, "not-found", "", ""},
	{errMethod, http.StatusMethodNotAllowed, "not-supported", "", ""},
	{errURLToken, http.StatusBadRequest, "security", "", ""},
	{errAccept, http.StatusNotAcceptable, "not-supported", "", ""},
	{errContentType, http.StatusUnsupportedMediaType, "not-supported", "", ""},
	{errLarge, http.StatusRequestEntityTooLarge, "too-long", "", ""},
	{errEntries, http.StatusRequestEntityTooLarge, "too-long", "", ""},
	{errBody, http.StatusBadRequest, "structure", "", ""},
	{errAcross, http.StatusBadRequest, "too-costly", "", ""},
	{errMany, http.StatusBadRequest, "too-costly", "", ""},
	{errPage, http.StatusGone, "expired", "", ""},
	{errShape, http.StatusBadRequest, "not-supported", "", ""},
	{errCondition, http.StatusBadRequest, "not-supported", "", ""},
	{errMatches, http.StatusPreconditionFailed, "multiple-matches", "", ""},
	{errPrecond, http.StatusPreconditionFailed, "conflict", "", ""},
	{errIfMatch, http.StatusBadRequest, "invalid", "", ""},
	{errOwnID, http.StatusBadRequest, "invalid", "", ""},
	{errOwnType, http.StatusBadRequest, "invalid", "", ""},
	{errBundleType, http.StatusBadRequest, "not-supported", "", ""},
	{search.ErrInvalid, http.StatusBadRequest, "not-supported", "", ""},
	{fhir.ErrInvalid, http.StatusBadRequest, "structure", "", ""},
	{chart.ErrInvalid, http.StatusUnprocessableEntity, "invalid", "", ""},
	{chart.ErrRefused, http.StatusUnprocessableEntity, "business-rule", "", ""},
	{chart.ErrConflict, http.StatusConflict, "conflict", "somebody else changed this at the same moment; try again", ""},
	{identity.ErrAway, http.StatusServiceUnavailable, "transient", "records cannot be opened at the moment; try again", "1"},
	{errBusy, http.StatusServiceUnavailable, "throttled", "", "2"},
}

// answerTo finds how an error looks from outside. What is not in the table is our own fault and says nothing of itself.
func answerTo(err error) answer {
	var nobody *chart.Nobody
	if errors.As(err, &nobody) {
		return answer{err, http.StatusUnprocessableEntity, "not-found", "a resource is about a patient who is not here and not in this Bundle", ""}
	}
	for _, known := range answers {
		if errors.Is(err, known.kind) {
			if known.say == "" {
				known.say = err.Error()
			}
			return known
		}
	}
	if seconds, away := chart.Away(err); away { // or its disk is full, or the outcome of a commit unknown
		return answer{err, http.StatusServiceUnavailable, "transient", errAway.Error(), strconv.Itoa(seconds)}
	}
	return answer{err, http.StatusInternalServerError, "exception", errPanic.Error(), ""}
}

// fail answers with an OperationOutcome, if nothing has left yet.
func (c *call) fail(err error) {
	a := answerTo(err)
	if a.status >= 500 && (a.retry == "" || a.say == errAway.Error()) {
		c.d.Log.Error("failed", "request", c.name(), "route", c.at.name(), "error", err)
	}
	if c.status != 0 { // part of the body is out: cut the connection, so that nobody takes it for the whole
		panic(http.ErrAbortHandler)
	}
	if c.act != nil && a.status < 500 { // what was looked at on the way to a refusal was looked at
		if rerr := c.act.Release(c.r.Context()); rerr != nil {
			c.d.Log.Error("failed", "request", c.name(), "route", c.at.name(), "error", rerr)
			a = answerTo(rerr)
		}
	}
	h := c.w.Header()
	if a.kind == errBusy {
		a.retry = strconv.Itoa(admit.Retry(c.at.class()))
	}
	if a.retry != "" {
		h.Set("Retry-After", a.retry)
	}
	switch a.status {
	case http.StatusUnauthorized:
		h.Set("Www-Authenticate", "Bearer")
	case http.StatusMethodNotAllowed:
		h.Set("Allow", c.at.allow)
	}
	h["Content-Type"] = typeHeader
	c.write(a.status, outcome(nil, c.name(), a))
}

// outcome appends an OperationOutcome.
func outcome(to []byte, id string, a answer) []byte {
	to = append(to, `{"resourceType":"OperationOutcome",`...)
	if id != "" {
		to = append(to, `"id":"`...)
		to = append(append(to, id...), `",`...)
	}
	to = append(to, `"issue":[{"severity":"error","code":"`...)
	to = append(append(to, a.code...), `","diagnostics":`...)
	if quoted, err := jsontext.AppendQuote(to, a.say); err == nil {
		to = quoted
	} else {
		to = append(to, `""`...)
	}
	return append(to, `}]}`...)
}
