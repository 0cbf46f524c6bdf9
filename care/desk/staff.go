package desk

import (
	"errors"
	"net/http"
	"strings"

	"github.com/wellgate/wellgate/care"
	"github.com/wellgate/wellgate/trust/chart"
)

// front lists the records this session has open and leads to finding one.
func front(v *care.Visit) error {
	open, err := v.Desk.Opened(v.Context())
	if err != nil {
		return err
	}
	return v.Show(v.Words.T("desk.title"), frontPage(v, open))
}

func findForm(v *care.Visit) error {
	return v.Show(v.Words.T("desk.find"), findPage(v, asked{}, nil, nil, false))
}

// find answers in the response to the form itself: what was typed stands in no address and no history (WEB-07).
func find(v *care.Visit) error {
	f := v.Request.PostForm
	a := asked{f.Get("family"), f.Get("given"), f.Get("born-day"), f.Get("born-month"), f.Get("born-year"), f.Get("number"), f.Get("phone")}
	q, wrong := a.query()
	if wrong != nil {
		return retry(v, a, wrong)
	}
	found, err := v.Desk.Find(v.Context(), q)
	if errors.Is(err, care.ErrTooFew) {
		return retry(v, a, []problem{{"family", "desk.twoNeeded"}})
	}
	if err != nil {
		return err
	}
	return v.Show(v.Words.T("desk.find"), findPage(v, a, nil, found, true))
}

func retry(v *care.Visit, a asked, wrong []problem) error {
	v.Page.Errors = true
	return v.ShowStatus(http.StatusUnprocessableEntity, v.Words.T("desk.find"), findPage(v, a, wrong, nil, false))
}

// open notes why, and goes to the record.
func open(v *care.Visit) error {
	f := v.Request.PostForm
	reason := strings.TrimSpace(f.Get("reason"))
	if other := strings.TrimSpace(f.Get("other")); other != "" {
		reason = other
	}
	id := f.Get("patient")
	err := v.Desk.OpenRecord(v.Context(), id, chart.Purpose(f.Get("purpose")), reason)
	if errors.Is(err, care.ErrReason) {
		v.Page.Errors = true
		return v.ShowStatus(http.StatusUnprocessableEntity, v.Words.T("desk.openTitle"), reasonPage(v, id, f.Get("purpose"), reason))
	}
	if err != nil {
		return err
	}
	http.Redirect(v.W, v.Request, "/desk/"+id+"/record", http.StatusSeeOther)
	return nil
}

// leave ends this session's permission to be in the record.
func leave(v *care.Visit) error {
	if err := v.Desk.Leave(v.Context(), v.Request.PathValue("patient")); err != nil {
		return err
	}
	http.Redirect(v.W, v.Request, "/desk", http.StatusSeeOther)
	return nil
}

// enter is the address of an open record without a page: its overview.
func enter(v *care.Visit) error { return v.Go("/record") }
