package site

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Trend is values over time: a picture for those who like one, a table for those who do not.
type Trend struct {
	ID, Title, Desc string // Desc says in words what the picture shows
	Unit            string
	Curves          []Curve // one, or two that belong together (blood pressure)
	Low, High       *float64
	Band            string // "Your target: 53 or lower"; "" leaves the band unnamed
}

// Curve is one line; Name tells two apart.
type Curve struct {
	Name   string
	Points []Point // any order
}

// Point is one value. Text is the value as written ("5.60"); Note goes in the table.
type Point struct {
	At         time.Time
	Value      float64
	Text, Note string
}

// A plot is a trend laid out on one canvas; all positions are inside it.
type plot struct {
	id, class  string
	w, h       float64
	left, base float64 // where the drawing begins, and where it ends below
	right      float64
	ticks      []axisMark
	dates      []axisMark
	lines      []line
	band       *band
	bandText   string
}

type axisMark struct {
	at     float64
	text   string
	anchor string
}

type line struct {
	class string
	path  string
	dots  []dot
}

type dot struct {
	x, y, r  float64
	class    string
	text     string
	ty       float64
	labelled bool
	anchor   string
}

type band struct {
	x, y, w, h float64
	top, low   bool // which edges are limits
	ty         float64
}

// canvas is the size of a picture and the room its words need.
type canvas struct {
	class       string
	w, h        float64
	char, right float64 // width of a digit, room at the right end
}

var canvases = []canvas{{"chart chart--w", 640, 250, 8.2, 28}, {"chart chart--n", 340, 230, 8.2, 22}}

// sorted copies the trend's points into order of time, dropping values that are no number.
func (t Trend) sorted() []Curve {
	out := make([]Curve, len(t.Curves))
	for i, c := range t.Curves {
		out[i].Name = c.Name
		for _, p := range c.Points {
			if !math.IsNaN(p.Value) && !math.IsInf(p.Value, 0) {
				out[i].Points = append(out[i].Points, p)
			}
		}
		slices.SortStableFunc(out[i].Points, func(a, b Point) int { return a.At.Compare(b.At) })
	}
	return out
}

// extent is the range of values the picture must show: all of them, and the limits when they are not far away.
func (t Trend) extent(curves []Curve) (lo, hi float64, any bool) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, c := range curves {
		for _, p := range c.Points {
			lo, hi = math.Min(lo, p.Value), math.Max(hi, p.Value)
		}
	}
	if lo > hi {
		return 0, 1, false
	}
	span := math.Max(hi-lo, math.Max(math.Abs(hi), 1)*.2)
	for _, limit := range []*float64{t.Low, t.High} {
		if limit != nil && *limit >= lo-1.5*span && *limit <= hi+1.5*span {
			lo, hi = math.Min(lo, *limit), math.Max(hi, *limit)
		}
	}
	pad := (hi - lo) * .15
	if pad < 1e-4 { // equal values, or too close to tell apart in a picture
		pad = math.Max(math.Abs(hi)*.1, .5)
	}
	return lo - pad, hi + pad, true
}

// steps are round figures inside lo … hi: the finest of 1, 2, 5, 10 … that gives at most six.
func steps(lo, hi float64) (ticks []float64, decimals int) {
	unit := math.Pow(10, math.Floor(math.Log10((hi-lo)/6)))
	step := unit
	for _, m := range []float64{1, 2, 5, 10} {
		if step = m * unit; (hi-lo)/step <= 6 {
			break
		}
	}
	decimals = max(0, -int(math.Floor(math.Log10(step)+1e-9)))
	for i := math.Ceil(lo / step); i*step <= hi && len(ticks) < 8; i++ {
		ticks = append(ticks, i*step)
	}
	return ticks, decimals
}

// plots lays the trend out for wide and for narrow screens: scaled text would be too small to read on a phone.
func (t Trend) plots(w Words) []plot {
	curves := t.sorted()
	lo, hi, any := t.extent(curves)
	if !any {
		return nil
	}
	ticks, decimals := steps(lo, hi)
	first, last := span(curves)
	var out []plot
	for i, c := range canvases {
		p := plot{id: or(t.ID, "trend") + string("wn"[i]), class: c.class, w: c.w, h: c.h, base: c.h - 34, right: c.w - 4, bandText: t.Band}
		longest := 0
		for _, v := range ticks {
			longest = max(longest, len(number(v, decimals)))
		}
		p.left = float64(longest)*c.char + 12
		y := func(v float64) float64 { return 14 + (p.base-14)*(hi-v)/(hi-lo) }
		x := func(at time.Time) float64 {
			if !last.After(first) {
				return (p.left + c.w - c.right) / 2
			}
			return p.left + 26 + (c.w-c.right-p.left-26)*float64(at.Sub(first))/float64(last.Sub(first))
		}
		for _, v := range ticks {
			p.ticks = append(p.ticks, axisMark{at: y(v), text: number(v, decimals)})
		}
		p.band = t.limits(p, lo, hi, y)
		for n, curve := range curves {
			p.lines = append(p.lines, curve.draw(n, c, x, y))
		}
		p.dates = dates(w, curves, c, x, last.Sub(first))
		out = append(out, p)
	}
	return out
}

func span(curves []Curve) (first, last time.Time) {
	for _, c := range curves {
		for _, p := range c.Points {
			if first.IsZero() || p.At.Before(first) {
				first = p.At
			}
			if p.At.After(last) {
				last = p.At
			}
		}
	}
	return first, last
}

// limits is the band between Low and High, open where one is not known or lies outside the picture.
func (t Trend) limits(p plot, lo, hi float64, y func(float64) float64) *band {
	if t.Low == nil && t.High == nil || t.Low != nil && *t.Low >= hi || t.High != nil && *t.High <= lo {
		return nil
	}
	b := &band{x: p.left, w: p.right - p.left}
	top, low := hi, lo
	if t.High != nil && *t.High < hi {
		top, b.top = *t.High, true
	}
	if t.Low != nil && *t.Low > lo {
		low, b.low = *t.Low, true
	}
	if top <= low {
		return nil
	}
	b.y, b.h = y(top), y(low)-y(top)
	b.ty = b.y + b.h - 8
	if !b.low && b.top {
		b.ty = b.y + 18
	}
	return b
}

// many is when dots and figures would cover the line: only the last is marked.
const many = 24

func (c Curve) draw(n int, size canvas, x func(time.Time) float64, y func(float64) float64) line {
	l := line{}
	if n > 0 {
		l.class = " two"
	}
	var path strings.Builder
	for i, p := range c.Points {
		d := dot{x: x(p.At), y: y(p.Value), r: 4.5, text: p.Text, class: "pt" + l.class, anchor: "middle"}
		if i == len(c.Points)-1 {
			d.r, d.class = 7, "pt last"+l.class
		}
		if i == 0 {
			path.WriteString("M")
		} else {
			path.WriteString("L")
		}
		path.WriteString(fix(d.x) + " " + fix(d.y))
		l.dots = append(l.dots, d)
	}
	l.path = path.String()
	for i := range l.dots {
		l.dots[i].ty = l.beside(i, n > 0, size)
	}
	// Figures from the newest back, as far as they do not touch.
	edge := math.Inf(1)
	for i := len(l.dots) - 1; i >= 0; i-- {
		d := &l.dots[i]
		half := float64(len([]rune(d.text)))*size.char/2 + 3
		right := math.Min(d.x+half, size.w)
		if right <= edge && d.text != "" && (len(l.dots) <= many || i == len(l.dots)-1) {
			d.labelled = true
			if d.x+half > size.w {
				d.anchor = "end"
				edge = size.w - 2*half
			} else {
				edge = d.x - half
			}
		}
	}
	if len(l.dots) > many {
		l.dots = l.dots[len(l.dots)-1:]
	}
	return l
}

// beside is the height of a dot's figure: over the dot, of a second curve under it, but on the other side where the line
// itself runs there.
func (l line) beside(i int, under bool, size canvas) float64 {
	d := l.dots[i]
	above, below := d.y-13, d.y+23
	half := float64(len([]rune(d.text))) * size.char / 2
	up, down := l.runs(d.x-half, d.x+half, above-12, above), l.runs(d.x-half, d.x+half, below-12, below) || below > size.h-38
	if under && (!down || up) || !under && up && !down {
		return below
	}
	return above
}

// runs says whether the line runs through a box.
func (l line) runs(left, right, top, bottom float64) bool {
	for i := 1; i < len(l.dots); i++ {
		a, b := l.dots[i-1], l.dots[i]
		from, to := max(left, a.x), min(right, b.x)
		if from > to || b.x == a.x {
			continue
		}
		y := func(x float64) float64 { return a.y + (b.y-a.y)*(x-a.x)/(b.x-a.x) }
		if lo, hi := min(y(from), y(to)), max(y(from), y(to)); lo < bottom && hi > top {
			return true
		}
	}
	return false
}

// dates names as many days of the lower axis as fit, the newest always.
func dates(w Words, curves []Curve, size canvas, x func(time.Time) float64, span time.Duration) []axisMark {
	say := func(t time.Time) string { return w.ShortMonth(t) + " " + w.Year(t)[2:] }
	switch {
	case span < 75*24*time.Hour:
		say = func(t time.Time) string { return w.DayNumber(t) + " " + w.ShortMonth(t) }
	case span > 8*365*24*time.Hour:
		say = w.Year
	}
	var all []time.Time
	for _, c := range curves {
		for _, p := range c.Points {
			all = append(all, p.At)
		}
	}
	slices.SortFunc(all, func(a, b time.Time) int { return cmp.Compare(b.UnixNano(), a.UnixNano()) })
	var out []axisMark
	edge, said := size.w, ""
	for _, at := range all {
		m := axisMark{at: x(at), text: say(at), anchor: "middle"}
		half := float64(len([]rune(m.text)))*size.char/2 + 5
		left, right := m.at-half, m.at+half
		if len(out) == 0 && right > size.w {
			m.anchor, m.at, left, right = "end", size.w, size.w-2*half, size.w
		}
		if right <= edge && left >= 0 && m.text != said {
			out, edge, said = append(out, m), left, m.text
		}
	}
	return out
}

// labelX is where the figure stands: over its dot, or at the very end of the picture.
func (d dot) labelX(width float64) float64 {
	if d.anchor == "end" {
		return width - 2
	}
	return d.x
}

func number(v float64, decimals int) string {
	if s := strconv.FormatFloat(v, 'f', decimals, 64); strings.Trim(s, "-0.") != "" {
		return s
	}
	return "0" // never "-0"
}

// fix writes a position with one decimal.
func fix(v float64) string { return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0") }

// table is the same in figures, newest first.
func (t Trend) table(w Words) Table {
	out := Table{Caption: t.Title, Cols: []Col{{Text: w.T("site.date")}}}
	curves := t.sorted()
	notes := false
	rows := map[int64]*Line{}
	var order []int64
	for i, c := range curves {
		head := or(c.Name, w.T("site.value"))
		if t.Unit != "" {
			head += " (" + t.Unit + ")"
		}
		out.Cols = append(out.Cols, Col{Text: head})
		for _, p := range c.Points {
			at := p.At.UnixNano()
			for rows[at] != nil && rows[at].Cells[i+1].Text != "" { // two values at one moment are two lines
				at++
			}
			if rows[at] == nil {
				rows[at] = &Line{Cells: make([]Cell, len(curves)+2)}
				rows[at].Cells[0].Text = w.ShortDay(p.At)
				order = append(order, at)
			}
			rows[at].Cells[i+1].Text = w.LTR(p.Text)
			if p.Note != "" {
				rows[at].Cells[len(curves)+1].Text, notes = p.Note, true
			}
		}
	}
	slices.SortFunc(order, func(a, b int64) int { return cmp.Compare(b, a) })
	if notes {
		out.Cols = append(out.Cols, Col{Text: w.T("site.note")})
	}
	for _, at := range order {
		l := rows[at]
		if !notes {
			l.Cells = l.Cells[:len(curves)+1]
		}
		out.Rows = append(out.Rows, *l)
	}
	return out
}
