package privacy

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/wellgate/wellgate/care"
	"github.com/wellgate/wellgate/trust/chart"
)

const (
	perPage = 20   // rows
	lines   = 60   // in these rows: a page stays small
	maxRead = 1000 // lines gone through for one page
	week    = 7 * 24 * time.Hour
)

// looked shows who opened the record. Lines are read in steps until a page is full, since a view leaves some out.
func looked(v *care.Visit) error {
	show := viewOf(v.FormValue("show"))
	before, err := strconv.ParseInt(v.FormValue("before"), 10, 64)
	if err != nil || before < 0 {
		before = 0
	}
	var page []chart.Look
	more := false
	for at, read := before, 0; ; {
		looks, err := v.Chart.Looked(v.Context(), at, 100)
		if err != nil {
			return err
		}
		for _, l := range looks {
			if show.shows(l) {
				page = append(page, l)
			}
		}
		if page, more = leaf(page); more {
			break
		}
		if len(looks) < 100 {
			break
		}
		at = looks[len(looks)-1].Index
		if read += len(looks); read >= maxRead { // go on from here on the next page
			return v.Show(v.Words.T("privacy.looked"), lookedPage(v, show, page, before > 0, at))
		}
	}
	next := int64(0)
	if more {
		next = page[len(page)-1].Index
	}
	return v.Show(v.Words.T("privacy.looked"), lookedPage(v, show, page, before > 0, next))
}

// receipt gives one line as a file that proves itself.
func receipt(v *care.Visit) error {
	index, err := strconv.ParseInt(v.PathValue("index"), 10, 64)
	if err != nil || index < 0 {
		return care.ErrNotFound
	}
	b, err := v.Chart.Receipt(v.Context(), index)
	if err != nil {
		return err
	}
	download(v, "text/plain; charset=utf-8", "receipt-"+strconv.FormatInt(index, 10)+".txt")
	_, err = v.W.Write(b)
	return err
}

// download says that what follows is a file to keep, under a name that says nothing of its owner (FIL-04).
func download(v *care.Visit, contentType, name string) {
	h := v.W.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'; style-src 'unsafe-inline'")
	v.W.WriteHeader(http.StatusOK)
}

// home is the card that says the record is private and who looked this week.
func home(ctx context.Context, v *care.Visit) ([]care.Card, error) {
	looks, err := v.Chart.Looked(ctx, 0, 200)
	if err != nil {
		return nil, err
	}
	people := visitors(looks, v.Now.Add(-week))
	return []care.Card{{Section: care.Aside, Body: privacyCard(v, people)}}, nil
}

func take(v *care.Visit) error { return v.Show(v.Words.T("privacy.take"), takePage(v)) }
