package results

import (
	"strings"

	"github.com/wellgate/wellgate/site"
)

// This file draws a result: how it moved, and where it stands on its range.

// directionTag says how the result moved since last time.
func directionTag(w site.Words, r *Result, prev *Point) site.Tag {
	d := direction(r, prev)
	if d == NoDirection {
		return site.Tag{}
	}
	icon := "repeat"
	switch r.Value.Digits.Cmp(prev.Value.Digits) {
	case 1:
		icon = "trending-up"
	case -1:
		icon = "trending-down"
	}
	t := site.Tag{Icon: icon, Text: w.T("results.direction." + string(d))}
	if d == Closer || d == Reached {
		t.Tone = "good"
	}
	if key := "results.directionTarget." + string(d); r.Range != nil && r.Range.Goal && w.Has(key) {
		t.Text = w.T(key)
	}
	if d == Same {
		t.Icon = "repeat"
	}
	return t
}

// barIn draws the value on its range; ok is false where there is nothing to draw.
func barIn(w site.Words, r *Result) (bar site.Range, ok bool) {
	x, num := r.Value.Digits.Float64()
	if !r.Drawn || !num {
		return site.Range{}, false
	}
	suffix := ""
	if r.Range.Goal {
		suffix = "Target"
	}
	low, high := r.Range.limits()
	below := site.Zone{Text: w.T("results.zone.below" + suffix)}
	within := site.Zone{Title: limitsIn(w, *r.Range), Text: w.T("results.zone.within" + suffix)}
	above := site.Zone{Text: w.T("results.zone.above" + suffix)}
	if low != nil {
		below.Title = beside(w, *r.Range, true)
	}
	if high != nil {
		above.Title = beside(w, *r.Range, false)
	}
	zones, at := site.Zones(x, low, high, below, within, above)
	if zones == nil {
		return site.Range{}, false
	}
	return site.Range{Sentence: strings.Join(saidIn(w, r), " "), Pin: w.T("results.you", "value", numberIn(w, r.Value.Comparator, r.Value.Digits)),
		At: settle(at, zones, r.Range.place(r.Value)), Zones: zones}, true
}

// beside names the part below or above the range: "under 3.5".
func beside(w site.Words, r Range, below bool) string {
	if below {
		if r.OpenLow {
			return w.T("results.range.atMost", "high", w.Number(string(r.Low)))
		}
		return w.T("results.range.under", "high", w.Number(string(r.Low)))
	}
	if r.OpenHigh {
		return w.T("results.range.atLeast", "low", w.Number(string(r.High)))
	}
	return w.T("results.range.over", "low", w.Number(string(r.High)))
}

// settle moves the pin off the wrong side of a limit that rounding to whole percents put it on.
func settle(at int, zones []site.Zone, s Status) int {
	from, to := 0, 0
	for _, z := range zones {
		if z.Tone == "good" {
			to = from + z.Width
			break
		}
		from += z.Width
	}
	switch s {
	case LittleLow, Low:
		return min(at, from-2)
	case LittleHigh, High:
		return max(at, to+2)
	case Usual:
		return min(max(at, from), to)
	}
	return at
}
