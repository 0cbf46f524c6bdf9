package site

import "math"

// Range is a value on labelled zones, said in one sentence.
type Range struct {
	Sentence string // the whole of it for those who do not see the bar
	Pin      string // "You: 54"
	At       int    // 0 … 100
	Zones    []Zone
}

// Zone is one part of the bar. Tone: good, soft (better than needed), warn, bad, "" neutral. Widths add up to 100.
type Zone struct {
	Tone        string
	Width       int
	Title, Text string
}

// Zones lays value out on its reference range: a part below, one within and one above, as far as low and high are known.
// The texts come from the caller; tones are warn outside and good within where the caller gives none. at is the pin.
// Beyond the ends of the bar the pin stays inside it: the bar shows where a value lies, the figure how far.
func Zones(value float64, low, high *float64, below, within, above Zone) (zones []Zone, at int) {
	below.Tone, within.Tone, above.Tone = or(below.Tone, "warn"), or(within.Tone, "good"), or(above.Tone, "warn")
	switch {
	case low != nil && high != nil && *high > *low:
		below.Width, within.Width, above.Width = 28, 44, 28
		span := *high - *low
		return []Zone{below, within, above}, pin(28 + 44*(value-*low)/span)
	case high != nil:
		within.Width, above.Width = 62, 38
		return []Zone{within, above}, pin(62 * ratio(value, *high))
	case low != nil:
		below.Width, within.Width = 38, 62
		return []Zone{below, within}, pin(38 * ratio(value, *low))
	}
	return nil, 50
}

// ratio puts a one-sided limit at 1 and zero at 0, as people read "under 5.0".
func ratio(value, limit float64) float64 {
	if limit > 0 {
		return value / limit
	}
	return 1 + (value-limit)/math.Max(1, math.Abs(limit))
}

func pin(at float64) int {
	if math.IsNaN(at) {
		return 50
	}
	return int(math.Round(math.Min(97, math.Max(3, at))))
}

// miniBand and miniPin place the parts of MiniRange by classes.
func miniBand(value float64, low, high *float64) string {
	zones, _ := Zones(value, low, high, Zone{}, Zone{}, Zone{})
	from := 0
	for _, z := range zones {
		if z.Tone == "good" {
			return "p" + pc(from) + " w" + pc(z.Width)
		}
		from += z.Width
	}
	return "p0 w0"
}

func miniPin(value float64, low, high *float64) string {
	_, at := Zones(value, low, high, Zone{}, Zone{}, Zone{})
	return "p" + pc(at)
}
