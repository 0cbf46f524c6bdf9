package web

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/wellgate/wellgate/care"
	"github.com/wellgate/wellgate/site"
	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/identity"
	"github.com/wellgate/wellgate/trust/policy"
)

// An answer is how one kind of error looks from outside.
type answer struct {
	kind   error
	status int
	page   string // words web.error.<page>.title and .text
	retry  int    // seconds; sent as Retry-After
}

// answers is the one table from errors to responses. What is denied answers as what is not there (AZ-05).
var answers = []answer{
	{chart.ErrNotFound, http.StatusNotFound, "gone", 0},
	{policy.ErrDenied, http.StatusNotFound, "gone", 0},
	{identity.ErrNotFound, http.StatusNotFound, "gone", 0},
	{errGone, http.StatusNotFound, "gone", 0},
	{care.ErrNotFound, http.StatusNotFound, "gone", 0},
	{errHost, http.StatusMisdirectedRequest, "host", 0},
	{errMethod, http.StatusMethodNotAllowed, "gone", 0},
	{errForged, http.StatusForbidden, "forged", 0},
	{errBody, http.StatusUnsupportedMediaType, "forged", 0},
	{errChunks, http.StatusBadRequest, "forged", 0},
	{errLarge, http.StatusRequestEntityTooLarge, "large", 0},
	{care.ErrInvalid, http.StatusUnprocessableEntity, "invalid", 0},
	{chart.ErrInvalid, http.StatusUnprocessableEntity, "invalid", 0},
	{chart.ErrRefused, http.StatusForbidden, "refused", 0},
	{chart.ErrConflict, http.StatusConflict, "conflict", 0},
	{identity.ErrNoSession, http.StatusForbidden, "forged", 0},
	{identity.ErrAway, http.StatusServiceUnavailable, "away", 1},
	{identity.ErrBusy, http.StatusServiceUnavailable, "busy", 5},
}

// fail turns an error into a page that helps, if nothing has left yet. The log gets the kind and the request id; the page
// gets words and the same id, never the error's text.
func (d *Door) fail(w *recorder, r *http.Request, v *visit, err error) {
	a := answer{err, http.StatusInternalServerError, "broken", 0}
	for _, known := range answers {
		if errors.Is(err, known.kind) {
			a = known
			break
		}
	}
	if a.status >= 500 && a.retry == 0 {
		d.Log.Error("failed", "request", v.id, "route", v.route, "error", err)
		if seconds, away := chart.Away(err); away {
			a = answer{err, http.StatusServiceUnavailable, "away", seconds}
		}
	}
	if w.status != 0 { // part of the body is out: cut the connection, so that nobody takes it for the whole
		panic(http.ErrAbortHandler)
	}
	if a.retry > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(a.retry))
	}
	d.headers(w, v)
	if a.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", "GET, HEAD, POST")
	}
	if a.kind == errHost { // a foreign host name gets no page of ours
		http.Error(w, "Misdirected request", a.status)
		return
	}
	if visitOf(r) == nil {
		r = r.WithContext(withVisit(r.Context(), v))
	}
	p := site.Page{
		Words: d.speak(r, v), Practice: d.Practice, Theme: choice(r, "theme", "light", "dark"), Font: choice(r, "font", "easy"),
		Exit: exitPath, Demo: d.Demo,
	}
	if v.known { // before the session is known a form token would belong to nobody, and the page shows no forms
		p.CSRF = d.formToken(w, r)
	}
	p.Title = p.Words.T("web.error." + a.page + ".title")
	w.Header().Del("Content-Encoding")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(a.status)
	if r.Method == http.MethodHead {
		return
	}
	v.sending()
	if err := site.Plain(p, errorPage(p, a.page, v.id, v.who)).Render(r.Context(), w); err != nil {
		d.Log.Warn("error page cut short", "request", v.id)
	}
}
