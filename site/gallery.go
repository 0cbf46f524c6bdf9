package site

import (
	"embed"
	"io/fs"
	"math"
	"strconv"
	"time"
)

//go:embed gallery/words/*.json
var galleryFiles embed.FS

// galleryWords are the made-up texts of the gallery, kept apart from those of the product.
func galleryWords() (fs.FS, error) { return fs.Sub(galleryFiles, "gallery") }

// galleryDay is the gallery's today: pictures of it stay the same.
var galleryDay = time.Date(2026, 11, 24, 14, 20, 0, 0, time.UTC)

func f64(v float64) *float64 { return &v }

// series makes n points, step days apart, ending today.
func series(n, step int, value func(i int) float64, decimals int) []Point {
	var out []Point
	for i := range n {
		v := value(i)
		out = append(out, Point{At: galleryDay.AddDate(0, 0, -step*(n-1-i)), Value: v, Text: strconv.FormatFloat(v, 'f', decimals, 64)})
	}
	return out
}

// galleryTrends are the awkward shapes a chart must survive.
func galleryTrends(w Words) []Trend {
	fall := []float64{66, 63, 61, 57, 58, 54}
	pick := func(vs ...float64) func(int) float64 { return func(i int) float64 { return vs[i] } }
	t := func(id string, c ...Curve) Trend {
		return Trend{ID: id, Title: w.T("gallery.hba1c"), Desc: w.T("gallery.trendDesc"), Curves: c, Unit: "mmol/mol"}
	}
	target := t("t-target", Curve{Points: series(6, 200, pick(fall...), 0)})
	target.High, target.Band = f64(53), w.T("gallery.band")
	two := t("t-two",
		Curve{Name: w.T("gallery.upper"), Points: series(9, 6, pick(142, 138, 139, 135, 131, 134, 128, 126, 124), 0)},
		Curve{Name: w.T("gallery.lower"), Points: series(9, 6, pick(91, 90, 88, 86, 87, 84, 82, 80, 79), 0)})
	two.Unit = "mmHg"
	many := t("t-many", Curve{Points: series(90, 30, func(i int) float64 { return 5.5 + 1.5*math.Sin(float64(i)/7) + float64(i)/60 }, 1)})
	many.Low, many.High, many.Unit, many.Band = f64(4), f64(6), "mmol/L", w.T("gallery.usual")
	negative := t("t-neg", Curve{Points: series(5, 90, pick(-2.5, -1.25, 0.5, -0.75, 1.25), 2)})
	negative.Low, negative.High = f64(-1), f64(1)
	return []Trend{target, two, many, negative, t("t-one", Curve{Points: series(1, 1, pick(54), 0)}), t("t-flat", Curve{Points: series(4, 40, pick(1, 1, 1, 1), 0)})}
}

// galleryRange is a value on both sides, one side, and far outside.
func galleryRange(w Words, v float64, low, high *float64) Range {
	text := strconv.FormatFloat(v, 'f', -1, 64)
	zones, at := Zones(v, low, high,
		Zone{Title: limit("<", low), Text: w.T("gallery.low")},
		Zone{Title: between(low, high), Text: w.T("gallery.usual")},
		Zone{Title: limit(">", high), Text: w.T("gallery.high")})
	return Range{Sentence: w.T("gallery.rangeSays"), Pin: w.T("gallery.pin", "v", text), At: at, Zones: zones}
}

func between(low, high *float64) string {
	switch {
	case low == nil:
		return limit("≤", high)
	case high == nil:
		return limit("≥", low)
	}
	return limit("", low) + "–" + limit("", high)
}

func limit(sign string, v *float64) string {
	if v == nil {
		return ""
	}
	return sign + strconv.FormatFloat(*v, 'f', -1, 64)
}

// GalleryNav is a navigation for pages that only show the parts.
func GalleryNav() []NavItem {
	return []NavItem{
		{Icon: "house", Key: "gallery.home", Href: "/", Dock: true}, {Icon: "flask-conical", Key: "gallery.results", Href: "/gallery", Count: 1, Dock: true},
		{Icon: "pill", Key: "gallery.medicines", Href: "/medicines"}, {Icon: "message-circle", Key: "gallery.messages", Href: "/messages", Count: 2, Dock: true},
		{Icon: "calendar", Key: "gallery.appointments", Href: "/appointments", Dock: true}, {Icon: "list-checks", Key: "gallery.plan", Href: "/plan"},
		{Icon: "users", Key: "gallery.sharing", Href: "/sharing", Gap: true},
	}
}

func galleryDays(w Words) []Choice {
	var out []Choice
	for i := range 6 {
		at := galleryDay.AddDate(0, 0, i)
		c := Choice{Top: w.ShortWeekday(at), Main: w.DayNumber(at), Sub: w.N("gallery.times", max(1, 12-5*i)), Href: "/gallery", Current: i == 0}
		if i == 4 {
			c.Sub, c.None = w.T("gallery.full"), true
		}
		out = append(out, c)
	}
	return out
}
