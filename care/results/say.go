package results

import (
	"strings"
	"time"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/site"
)

// This file puts results into the reader's language.

// nameIn is what the test is called: in plain words where we have them, else as the laboratory wrote.
func nameIn(w site.Words, r *Result) string {
	n := r.Name
	switch {
	case n.Key == "ige" && !n.Panel && n.Reported != "":
		return w.T("results.ige", "what", n.Reported)
	case n.Key != "" && n.Panel:
		return w.T("results.panel." + n.Key)
	case n.Key != "":
		return w.T("results.test." + n.Key)
	case n.Reported != "":
		return n.Reported
	case r.Type == "DiagnosticReport":
		return w.T("results.unnamedReport")
	case n.Code != "":
		return w.T("results.unnamedCode", "code", n.Code)
	}
	return w.T("results.unnamed")
}

// whatIn says in one line what the test shows, or "".
func whatIn(w site.Words, r *Result) string {
	if r.Name.Key == "" || r.Name.Panel {
		return ""
	}
	return w.T("results.what." + r.Name.Key)
}

// wordsOf is everything a result can be found by.
func wordsOf(w site.Words) func(*Result) string {
	return func(r *Result) string {
		return strings.Join([]string{nameIn(w, r), r.Name.Reported, r.Name.Code, whatIn(w, r)}, " ")
	}
}

// numberIn keeps every digit as reported.
func numberIn(w site.Words, comparator string, d fhir.Decimal) string {
	n := w.Number(string(d))
	switch comparator {
	case "":
		return n
	case "<=":
		comparator = "≤"
	case ">=":
		comparator = "≥"
	}
	return w.LTR(comparator + " " + string(d))
}

// figureIn is the value and, apart, its unit.
func figureIn(w site.Words, v Value) (figure, unit string) {
	switch v.Form {
	case Number:
		return numberIn(w, v.Comparator, v.Digits), v.Unit
	case Span:
		return limitsIn(w, Range{Low: v.Digits, High: v.Digits2}), v.Unit
	case Per:
		a, b := strings.TrimSpace(numberIn(w, v.Comparator, v.Digits)+" "+v.Unit), strings.TrimSpace(w.Number(string(v.Digits2))+" "+v.Unit2)
		if v.Digits2 == "" {
			return a, ""
		}
		return w.LTR(a + " : " + b), ""
	case Wording, Clock:
		return v.Text, ""
	case YesNo:
		if v.Yes {
			return w.T("results.value.yes"), ""
		}
		return w.T("results.value.no"), ""
	case Moment:
		switch {
		case v.Date2 == "":
			return w.Date(string(v.Date)), ""
		case v.Date == "":
			return w.T("results.range.atMost", "high", w.Date(string(v.Date2))), ""
		}
		return w.T("results.range.between", "low", w.Date(string(v.Date)), "high", w.Date(string(v.Date2))), ""
	case Unshown:
		return w.T("results.value.unshown"), ""
	case Absent:
		return w.T("results.absent." + v.Why), ""
	case Withdrawn:
		return w.T("results.value.withdrawn"), ""
	}
	return w.T("results.value.none"), ""
}

// isFigure tells short values, which are shown large, from sentences.
func isFigure(v Value) bool {
	switch v.Form {
	case Number, Span, Per, YesNo, Moment, Clock:
		return true
	case Wording:
		return len([]rune(v.Text)) <= 24
	}
	return false
}

// valueIn is the value in one line. A result that is still awaited, was cancelled or has only parts says so.
func valueIn(w site.Words, r *Result) string {
	if r.Value.Form == Nothing {
		switch {
		case r.State == Awaited:
			return w.T("results.value.awaited")
		case r.State == Cancelled:
			return w.T("results.value.cancelled")
		case len(r.Parts) > 0 || len(r.Members) > 0:
			return ""
		case r.IsReport():
			return w.T("results.value.report")
		}
	}
	return joinedIn(w, r.Value)
}

func joinedIn(w site.Words, v Value) string {
	figure, unit := figureIn(w, v)
	if unit == "" {
		return figure
	}
	return w.LTR(unitAfter(figure, unit))
}

// unitAfter writes "5.6 mmol/L" and "7.1%".
func unitAfter(figure, unit string) string {
	if unit == "%" {
		return figure + unit
	}
	return figure + " " + unit
}

// limitsIn is a range in words, without its unit: "3.5 to 5.5", "under 5.7", "Negative".
func limitsIn(w site.Words, r Range) string { return rangeIn(w, r, "") }

// rangeIn is limitsIn with the unit: "3.5 to 5.5 mmol/L", "7.0 % or less".
func rangeIn(w site.Words, r Range, unit string) string {
	with := func(d fhir.Decimal) string {
		if unit == "" {
			return w.Number(string(d))
		}
		return w.LTR(unitAfter(w.Number(string(d)), unit))
	}
	switch {
	case r.Text != "":
		return r.Text
	case r.Low != "" && r.High != "":
		return w.T("results.range.between", "low", w.Number(string(r.Low)), "high", with(r.High))
	case r.High != "" && r.OpenHigh:
		return w.T("results.range.under", "high", with(r.High))
	case r.High != "":
		return w.T("results.range.atMost", "high", with(r.High))
	case r.OpenLow:
		return w.T("results.range.over", "low", with(r.Low))
	}
	return w.T("results.range.atLeast", "low", with(r.Low))
}

// usualIn is "Usual: 3.5 to 5.5" for a row.
func usualIn(w site.Words, r *Result) string {
	switch {
	case r.Range == nil || r.Value.Form == Withdrawn:
		return ""
	case r.Range.Goal:
		return w.T("results.range.target", "range", limitsIn(w, *r.Range))
	}
	return w.T("results.range.usual", "range", limitsIn(w, *r.Range))
}

// statusKeys are the ends of the word keys of each status.
var statusKeys = map[Status]string{NotGiven: "none", Usual: "usual", LittleLow: "littleLow", Low: "low", VeryLow: "veryLow", LittleHigh: "littleHigh",
	High: "high", VeryHigh: "veryHigh", Outside: "outside", FarOutside: "farOutside", Positive: "positive", Negative: "negative", Unclear: "unclear"}

// onTarget: the status speaks of the person's target rather than of what is usual.
func onTarget(r *Result) bool {
	return r.Range != nil && r.Range.Goal && r.Drawn && r.Status != VeryLow && r.Status != VeryHigh && r.Status != Outside && r.Status != FarOutside
}

// statusIn is the status in words; "" where nothing was said.
func statusIn(w site.Words, r *Result) string {
	switch {
	case r.Status == NotGiven:
		return ""
	case onTarget(r):
		return w.T("results.target." + statusKeys[r.Status])
	}
	return w.T("results.status." + statusKeys[r.Status])
}

// statusTag says the status with an icon; colour is never alone, and red is kept for "get help today".
func statusTag(w site.Words, r *Result) site.Tag {
	t := site.Tag{Text: statusIn(w, r), Tone: "warn", Icon: "info"}
	switch r.Status {
	case NotGiven:
		return site.Tag{}
	case Usual:
		t.Tone, t.Icon = "good", "check"
	case LittleLow, Low:
		t.Icon = "arrow-down"
	case LittleHigh, High:
		t.Icon = "arrow-up"
	case VeryLow, VeryHigh, FarOutside:
		t.Icon = "triangle-alert"
	case Positive:
		t.Tone, t.Icon = "info", "plus"
	case Negative:
		t.Tone, t.Icon = "", "minus"
	case Unclear:
		t.Tone, t.Icon = "info", "circle-question-mark"
	}
	return t
}

// stateTag says where a result is on its way; nothing for a final one.
func stateTag(w site.Words, r *Result) site.Tag {
	icons := map[State]string{Awaited: "hourglass", Early: "hourglass", Corrected: "pencil", Cancelled: "ban", Gone: "ban", Uncertain: "circle-question-mark"}
	if r.State == Final {
		return site.Tag{}
	}
	tone := "info"
	if r.State == Gone || r.State == Cancelled {
		tone = ""
	}
	return site.Tag{Tone: tone, Icon: icons[r.State], Text: w.T("results.state." + string(r.State))}
}

// rowTag is the one tag that fits in a list.
func rowTag(w site.Words, r *Result) site.Tag {
	switch r.State {
	case Gone, Awaited, Cancelled:
		return stateTag(w, r)
	}
	short := func(r *Result) site.Tag {
		t := statusTag(w, r)
		if t.Text != "" {
			t.Text = w.T("results.status." + statusKeys[r.Status]) // beside "Your target: …" in the same row
		}
		return t
	}
	if t := short(r); t.Text != "" {
		return t
	}
	for i := range r.Parts {
		if r.Parts[i].Status.Flagged() {
			return short(&r.Parts[i])
		}
	}
	return stateTag(w, r)
}

// saidIn explains the status in sentences.
func saidIn(w site.Words, r *Result) []string {
	if r.Value.Form == Withdrawn || r.Value.Form == Absent || r.Value.Form == Nothing || r.Value.Form == Unshown {
		return nil
	}
	marked := w.T("results.marked", "status", w.T("results.status."+statusKeys[r.Status]))
	switch {
	case r.Range == nil && r.Status == NotGiven:
		return []string{w.T("results.silent")}
	case r.Range == nil:
		return []string{marked}
	}
	of := "results.said."
	if r.Range.Goal {
		of = "results.saidTarget."
	}
	limits := rangeIn(w, *r.Range, r.Value.Unit)
	ranged := r.Range.place(r.Value)
	switch {
	case r.Range.Text != "" && (r.Status == NotGiven || r.Status == ranged):
		return []string{w.T("results.expected", "range", limits)}
	case r.Range.Text != "":
		return []string{marked, w.T("results.expected", "range", limits)}
	case r.Status == NotGiven:
		return []string{w.T(of+"other", "range", limits)}
	case w.Has(of+statusKeys[r.Status]) && agree(r.Status, ranged):
		return []string{w.T(of+statusKeys[r.Status], "range", limits)}
	case ranged == NotGiven || agree(r.Status, ranged):
		return []string{marked, w.T(of+"other", "range", limits)}
	}
	return []string{marked, w.T(of+"other", "range", limits), w.T("results.disagree")}
}

// whenIn is the date in a list: the day without a time.
func whenIn(w site.Words, d fhir.DateTime) string {
	if d.Precision() == fhir.Unknown {
		return w.T("results.noDate")
	}
	return w.Date(string(d))
}

// takenIn is the line below the name.
func takenIn(w site.Words, r *Result) string {
	switch {
	case r.Taken.Precision() != fhir.Unknown:
		return w.T("results.taken", "date", longDay(w, r.Taken))
	case r.Issued.Precision() != fhir.Unknown:
		return w.T("results.reported", "date", longDay(w, r.Issued))
	}
	return w.T("results.noDate")
}

// longDay names the weekday where the day is known.
func longDay(w site.Words, d fhir.DateTime) string {
	if d.Precision() < fhir.Day {
		return w.Date(string(d))
	}
	if d.Precision() == fhir.Day {
		w.Zone = time.UTC // a date has no zone to be told in
	}
	t, _ := d.Time(w.Zone)
	return w.Day(t)
}

// momentIn adds the time of day where it is known.
func momentIn(w site.Words, d fhir.DateTime) string {
	if d.Precision() < fhir.Minute {
		return longDay(w, d)
	}
	t, _ := d.Time(w.Zone)
	return w.DayTime(t)
}
