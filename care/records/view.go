package records

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/wellgate/wellgate/care"
	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/site"
)

// label is what a thing is called in the reader's language: plain words, else the clinical name, else "not named".
func label(w site.Words, l Label) string {
	switch {
	case l.Plain != "":
		return w.T(l.Plain)
	case l.Clinical != "":
		return l.Clinical
	}
	return w.T("records.unnamed")
}

// clinical is the name to show beside plain words; "" when it would say the same twice.
func clinical(w site.Words, l Label) string {
	if l.Plain == "" || l.Clinical == "" || strings.EqualFold(w.T(l.Plain), l.Clinical) {
		return ""
	}
	return l.Clinical
}

func labelList(w site.Words, ls []Label) string {
	var texts []string
	for _, l := range ls {
		texts = appendNew(texts, inline(w, label(w, l)))
	}
	return w.List(texts...)
}

// join makes one line of parts, each in its own direction.
func join(w site.Words, parts ...string) string {
	out := make([]string, len(parts))
	for i, p := range parts {
		out[i] = w.Isolate(p)
	}
	return aligned(w, strings.Join(out, " · "))
}

// aligned makes a line that may begin with a foreign name start where the page's lines start: elements that find their
// direction by their first letter find the page's.
func aligned(w site.Words, s string) string {
	if w.Dir() == "ltr" || s == "" || strings.HasPrefix(s, "\u200f") {
		return s
	}
	return "\u200f" + s
}

// inline keeps words of another direction together inside a sentence.
func inline(w site.Words, s string) string { return w.Isolate(s) }

// date tells a date of any precision; an absent one says so.
func date(w site.Words, d fhir.DateTime) string {
	if d.Precision() == fhir.Unknown {
		return w.T("records.undated")
	}
	t, _ := d.Time(zone(w))
	switch d.Precision() {
	case fhir.Year:
		return w.Year(t)
	case fhir.Month:
		return w.Month(t)
	}
	return w.ShortDay(t)
}

func dateOr(w site.Words, d fhir.DateTime, text string) string {
	if d == "" && text != "" {
		return text
	}
	return date(w, d)
}

// timed is date with the time of day where it is known.
func timed(w site.Words, d fhir.DateTime) string {
	if t, ok := d.Time(zone(w)); ok && d.Precision() >= fhir.Minute {
		return w.ShortDayTime(t)
	}
	return date(w, d)
}

// month is the heading a dated thing stands under.
func month(w site.Words, d fhir.DateTime) string {
	t, ok := d.Time(zone(w))
	switch {
	case !ok:
		return w.T("records.undated")
	case d.Precision() == fhir.Year:
		return w.Year(t)
	}
	return w.Month(t)
}

func party(w site.Words, p Party) string {
	switch {
	case p.You:
		return w.T("records.you")
	case p.Name != "":
		return p.Name
	}
	return w.T("records.unnamed")
}

func parties(w site.Words, ps []Party) string {
	texts := make([]string, len(ps))
	for i, p := range ps {
		texts[i] = inline(w, party(w, p))
	}
	return w.List(texts...)
}

// speak says a phrase.
func speak(w site.Words, p Phrase) string {
	args := make([]any, len(p.Args))
	for i, a := range p.Args {
		if d, ok := a.(fhir.DateTime); ok {
			a = date(w, d)
		}
		args[i] = a
	}
	if p.Count {
		return w.N(p.Key, p.N, args...)
	}
	return w.T(p.Key, args...)
}

// how tells how to take a medicine as sentences.
func how(w site.Words, h How) []string {
	var out []string
	switch {
	case h.Text != "":
		out = append(out, h.Text)
	case len(h.Parts) > 0:
		said := make([]string, len(h.Parts))
		for i, p := range h.Parts {
			said[i] = speak(w, p)
		}
		out = append(out, w.T("records.how.sentence", "what", upper(strings.Join(said, w.T("records.how.comma")))))
	}
	return append(out, h.Extra...)
}

// upper capitalises a sentence that was put together from parts.
func upper(s string) string {
	r := []rune(strings.TrimLeft(s, "\u2066\u2068"))
	if len(r) == 0 || len(r) != len([]rune(s)) {
		return s
	}
	return strings.ToUpper(string(r[0])) + string(r[1:])
}

// value is a measurement with its unit, kept in its own direction.
func value(w site.Words, text, unit string) string {
	if text == "" {
		return ""
	}
	if fhir.Decimal(text).Cmp("") > 0 {
		text = w.Number(text)
	}
	if unit != "" {
		if unit == "%" {
			return w.LTR(text + "%")
		}
		text += "\u00a0" + unit
	}
	return w.LTR(text)
}

func readingText(w site.Words, r Reading) string {
	switch {
	case r.Text != "":
		return value(w, r.Text, r.Unit)
	case len(r.Parts) > 0:
		texts := make([]string, len(r.Parts))
		for i, p := range r.Parts {
			texts[i] = label(w, p.Label) + " " + value(w, p.Text, p.Unit)
		}
		return w.List(texts...)
	case r.Why != "":
		return w.T(r.Why)
	}
	return w.T("records.absent.unknown")
}

// size is a file's size in words a person knows.
func size(w site.Words, n int64) string {
	switch {
	case n <= 0:
		return ""
	case n < 1000:
		return w.T("records.size.bytes", "n", strconv.FormatInt(n, 10))
	case n < 1000*1000:
		return w.T("records.size.kb", "n", strconv.FormatInt((n+500)/1000, 10))
	}
	return w.T("records.size.mb", "n", fmt.Sprintf("%.1f", float64(n)/1e6))
}

// pager links the pages of a list; keep holds the filter.
func pager(v *care.Visit, p Pager, path, keep string) (before, next site.Link) {
	at := func(n int) templ.SafeURL {
		q := keep
		if n > 1 {
			if q != "" {
				q += "&"
			}
			q += "page=" + strconv.Itoa(n)
		}
		if q != "" {
			q = "?" + q
		}
		return v.Link(path + q)
	}
	if p.Page > 1 {
		before.Href = at(p.Page - 1)
	}
	if p.Page < p.Pages {
		next.Href = at(p.Page + 1)
	}
	return before, next
}

// showing says which part of a long list this is.
func showing(w site.Words, p Pager) string {
	if p.Pages < 2 {
		return ""
	}
	return w.T("records.showing", "from", strconv.Itoa(p.From+1), "to", strconv.Itoa(p.To), "all", strconv.Itoa(p.Total))
}

// head opens a page of the record, with the way back to its overview.
func head(v *care.Visit, title, lead string) site.Head {
	return site.Head{Title: title, Lead: lead, Back: site.Link{Text: v.Words.T("records.nav.record"), Href: v.Link("/record")}}
}

func docIcon(d Document) string {
	if d.Note {
		return "stethoscope"
	}
	return "file-text"
}

// docDetail says in one line where a document is from.
func docDetail(v *care.Visit, d Document) string { return join(v.Words, docParts(v, d)...) }

func docParts(v *care.Visit, d Document) []string {
	w := v.Words
	var parts []string
	if d.Title != "" {
		parts = append(parts, d.Title)
	}
	switch {
	case len(d.By) > 0:
		parts = append(parts, w.T("records.from", "who", parties(w, d.By)))
	case d.From.Name != "":
		parts = append(parts, w.T("records.from", "who", d.From.Name))
	}
	// A page of text weighs nothing; a scan may cost somebody's data plan.
	if n := d.Files[0].Size; n >= 10_000 && len(d.Files) == 1 {
		parts = append(parts, size(w, n))
	}
	return parts
}

// split cuts a page of a list into runs of one section.
func split[T any, K comparable](list []T, of func(T) K) []run[T, K] {
	var out []run[T, K]
	for _, x := range list {
		k := of(x)
		if n := len(out); n > 0 && out[n-1].Key == k {
			out[n-1].List = append(out[n-1].List, x)
		} else {
			out = append(out, run[T, K]{k, []T{x}})
		}
	}
	return out
}

type run[T any, K comparable] struct {
	Key  K
	List []T
}

// count is how many of list belong to a section.
func count[T any](list []T, in func(T) bool) int {
	n := 0
	for _, x := range list {
		if in(x) {
			n++
		}
	}
	return n
}

// zone is the reader's; dates without a zone are taken in it.
func zone(w site.Words) *time.Location {
	if w.Zone == nil {
		return time.UTC
	}
	return w.Zone
}
