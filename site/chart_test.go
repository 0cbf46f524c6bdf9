package site

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestPlots: whatever the values, everything is drawn inside the picture and no figure covers another.
func TestPlots(t *testing.T) {
	w := catalogue(t).Words("ar", nil)
	value := rapid.OneOf(rapid.Float64Range(-10, 10), rapid.Float64Range(-1e6, 1e6), rapid.Just(0.0), rapid.Just(math.NaN()), rapid.Just(math.Inf(1)), rapid.Float64Range(1e-4, 1e-3))
	limitOf := rapid.OneOf(rapid.Just((*float64)(nil)), rapid.Map(rapid.Float64Range(-1e3, 1e3), func(v float64) *float64 { return &v }))
	rapid.Check(t, func(rt *rapid.T) {
		tr := Trend{Low: limitOf.Draw(rt, "low"), High: limitOf.Draw(rt, "high")}
		for range rapid.IntRange(0, 2).Draw(rt, "curves") {
			var c Curve
			for range rapid.IntRange(0, 60).Draw(rt, "points") {
				days := rapid.IntRange(0, 4000).Draw(rt, "day")
				c.Points = append(c.Points, Point{At: galleryDay.AddDate(0, 0, -days), Value: value.Draw(rt, "value"), Text: rapid.StringMatching(`-?[0-9]{1,5}(\.[0-9]{1,2})?`).Draw(rt, "text")})
			}
			tr.Curves = append(tr.Curves, c)
		}
		for _, p := range tr.plots(w) {
			inside(rt, p)
		}
	})
}

func inside(t *rapid.T, p plot) {
	in := func(what string, x, y float64) {
		if math.IsNaN(x+y) || x < 0 || x > p.w || y < 0 || y > p.h {
			t.Fatalf("%s at %v, %v is outside %v x %v", what, x, y, p.w, p.h)
		}
	}
	if len(p.ticks) < 1 || len(p.ticks) > 8 {
		t.Fatalf("%d ticks", len(p.ticks))
	}
	for _, k := range p.ticks {
		in("tick", p.left, k.at)
	}
	if b := p.band; b != nil {
		in("band", b.x, b.y)
		in("band's end", b.x+b.w, b.y+b.h)
	}
	for _, l := range p.lines {
		edge := math.Inf(1)
		for i := len(l.dots) - 1; i >= 0; i-- {
			d := l.dots[i]
			in("dot", d.x, d.y)
			in("figure", d.x, d.ty)
			if !d.labelled {
				continue
			}
			half := float64(len(d.text)) * 4.1
			right := d.x + half
			if d.anchor == "end" {
				right = p.w
			}
			if right > edge {
				t.Fatalf("the figure %q touches the next", d.text)
			}
			edge = right - 2*half
		}
	}
	for i, k := range p.dates {
		in("date", k.at, 0)
		if i > 0 && k.at >= p.dates[i-1].at {
			t.Fatalf("dates out of order")
		}
	}
}

// A figure stands on the side of its dot where the line does not run.
func TestFiguresKeepClearOfTheLine(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 1, n, 12, 0, 0, 0, time.UTC) }
	for _, c := range []struct {
		name   string
		values []float64
		below  []bool
	}{
		{"flat", []float64{5, 5, 5}, []bool{false, false, false}},
		{"a valley", []float64{9, 6, 9, 1}, []bool{false, true, false, false}}, // the last has no room under it
		{"a peak", []float64{3, 9, 3, 1}, []bool{true, false, true, false}},
		{"falling at the end", []float64{1, 9, 4}, []bool{false, false, true}},
	} {
		var points []Point
		for i, v := range c.values {
			points = append(points, Point{At: day(1 + i*5), Value: v, Text: "100.00"})
		}
		for i, d := range (Trend{Curves: []Curve{{Points: points}}}).plots(catalogue(t).Words("en", nil))[1].lines[0].dots {
			if below := d.ty > d.y; below != c.below[i] {
				t.Errorf("%s: figure %d stands below: %v", c.name, i, below)
			}
		}
	}
}

func TestChartShapes(t *testing.T) {
	w := catalogue(t).Words("en", nil)
	at := func(m time.Month) time.Time { return time.Date(2026, m, 1, 12, 0, 0, 0, time.UTC) }
	if got := (Trend{}).plots(w); got != nil {
		t.Errorf("no values, yet a picture: %v", got)
	}
	one := Trend{Curves: []Curve{{Points: []Point{{At: at(3), Value: 54, Text: "54"}}}}}.plots(w)
	if len(one) != 2 || len(one[0].lines[0].dots) != 1 || len(one[0].dates) != 1 || one[0].dates[0].text != "1 Mar" {
		t.Errorf("one value: %+v", one)
	}
	two := Trend{Unit: "mmHg", Curves: []Curve{
		{Name: "Upper", Points: []Point{{At: at(1), Value: 120, Text: "120"}, {At: at(2), Value: 118, Text: "118"}}},
		{Name: "Lower", Points: []Point{{At: at(1), Value: 80, Text: "80", Note: "at rest"}}},
	}}
	tab := two.table(w)
	if len(tab.Cols) != 4 || len(tab.Rows) != 2 || tab.Rows[0].Cells[1].Text != "118" || tab.Rows[0].Cells[2].Text != "" || tab.Rows[1].Cells[2].Text != "80" || tab.Rows[1].Cells[3].Text != "at rest" {
		t.Errorf("table of two curves: %+v", tab)
	}
}

func TestZones(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Float64().Draw(t, "value")
		var low, high *float64
		if rapid.Bool().Draw(t, "has low") {
			low = f64(rapid.Float64Range(-100, 100).Draw(t, "low"))
		}
		if rapid.Bool().Draw(t, "has high") {
			high = f64(rapid.Float64Range(-100, 100).Draw(t, "high"))
		}
		zones, at := Zones(v, low, high, Zone{}, Zone{}, Zone{})
		sum, from := 0, 0
		for _, z := range zones {
			sum += z.Width
		}
		if len(zones) > 0 && sum != 100 || at < 3 || at > 97 {
			t.Fatalf("zones %v, pin %d", zones, at)
		}
		if low == nil || high == nil || *high <= *low || math.Abs(v) > 1e6 {
			return
		}
		// The pin must stand in the zone that the value is in, to the width of a line.
		for i, z := range zones {
			in := []bool{v < *low, v >= *low && v <= *high, v > *high}[i]
			if in && (at < from-1 || at > from+z.Width+1) {
				t.Fatalf("%v in [%v, %v]: pin %d is not in zone %d", v, *low, *high, at, i)
			}
			from += z.Width
		}
	})
}
