package demo

import "math"

// This file: what a measurement of this person would show on a given day. Courses come from the person's own row,
// else from a condition, else from where healthy people of this age and sex lie.

// baseline is a person's own usual value of one thing: a factor on a condition's course, a shift from the usual otherwise.
type baseline struct {
	what string
	z    float64
}

// own is this person's lasting distance from the average for one thing, in standard deviations within ±1.6.
func (l *life) own(what string) float64 {
	for _, b := range l.base {
		if b.what == what {
			return b.z
		}
	}
	z := stream(l.seed, l.owner+"/"+what).NormFloat64()
	z = max(-1.6, min(1.6, z))
	l.base = append(l.base, baseline{what, z})
	return z
}

func (l *life) jitter(sd float64) float64 { return max(-2, min(2, l.rng.NormFloat64())) * sd }

// course finds the curve for what; own tells that it is the person's and not a condition's.
func (l *life) course(what string, ago float64) (tr trend, own, ok bool) {
	for _, t := range l.trends {
		if t.what == what {
			return t, true, true
		}
	}
	for _, h := range l.has {
		for _, t := range conditionOf(h.what).courses {
			if t.what == what && ago < h.since+0.6 { // it shows some months before it is found
				return t, false, true
			}
		}
	}
	return trend{}, false, false
}

// along reads a curve whose points are years ago, oldest first.
func along(points [][2]float64, ago float64) float64 {
	turned := make([][2]float64, len(points))
	for i, p := range points {
		turned[i] = [2]float64{-p[0], p[1]}
	}
	return smooth(turned, -ago)
}

// value is a laboratory value before rounding.
func (l *life) value(t *test, ago float64, age int) float64 {
	var v float64
	if tr, own, ok := l.course(t.key, ago); ok {
		v = along(tr.points, ago)
		if tr.exact {
			return v
		}
		if !own {
			v *= 1 + 0.04*l.own(t.key)
		}
		noise := t.noise
		if t.usual > 0 && v > 2*t.usual { // what is far off also varies more
			noise *= 2
		}
		v += l.jitter(noise)
	} else {
		v = l.healthy(t, age)
	}
	return max(t.least, min(t.most, v))
}

func (l *life) healthy(t *test, age int) float64 {
	mid, spread := t.usual, t.spread
	s, ok := t.rangeFor(l.sex, age)
	if ok && (mid == 0 || age < 18 && s.low != none && s.high != none) {
		mid, spread = (s.low+s.high)/2, (s.high-s.low)/9
	}
	return mid + l.own(t.key)*spread + l.jitter(t.noise)
}

// results are the rounded values of one draw, with those that follow from others worked out as a laboratory does.
func (l *life) results(d draw) map[string]float64 {
	ago, age := l.yearsAgo(d.at), l.ageAt(d.at)
	out := map[string]float64{}
	measure := func(key string) float64 {
		if v, ok := out[key]; ok {
			return v
		}
		t := testOf(key)
		out[key] = round(l.value(t, ago, age), t.places)
		return out[key]
	}
	for _, p := range d.panels {
		for _, key := range panelOf(p).members {
			switch key {
			case "egfr":
				if age >= 18 {
					out[key] = round(filtration(measure("creatinine"), age, l.sex), 0)
				}
			case "glucose":
				if _, _, ok := l.course("hba1c", ago); ok {
					a1c := l.value(testOf("hba1c"), ago, age)
					out[key] = round(float64(28.7*a1c-46.7)*0.87+l.jitter(9), 0)
				} else {
					measure(key)
				}
			case "hct", "rbc", "mch":
				out["hct"] = round(measure("hgb")/0.334, 1)
				out["rbc"] = round(out["hct"]*10/measure("mcv"), 2)
				out["mch"] = round(out["hgb"]*10/out["rbc"], 1)
			case "chol", "nonhdl":
				out["nonhdl"] = measure("ldl") + round(measure("tg")/5, 0)
				out["chol"] = out["nonhdl"] + measure("hdl")
			default:
				measure(key)
			}
		}
	}
	return out
}

// filtration is the CKD-EPI 2021 creatinine equation.
func filtration(creatinine float64, age int, sex byte) float64 {
	k, a, f := 0.9, -0.302, 1.0
	if sex == 'f' {
		k, a, f = 0.7, -0.241, 1.012
	}
	x := creatinine / k
	return 142 * math.Pow(min(x, 1), a) * math.Pow(max(x, 1), -1.2) * math.Pow(0.9938, float64(age)) * f
}

func round(v float64, places int) float64 {
	p := math.Pow10(places)
	return math.Round(v*p) / p
}

// sign is a vital sign, without a laboratory's table.
func (l *life) sign(what string, ago float64) float64 {
	if tr, own, ok := l.course(what, ago); ok {
		v := along(tr.points, ago)
		if !own {
			v *= 1 + 0.02*l.own(what)
		}
		return v + l.jitter(map[string]float64{"systolic": 4, "diastolic": 3, "pulse": 4, "spo2": 0.6, "kg": 0.5, "phq9": 1, "gad7": 1}[what])
	}
	age := float64(l.ageAt(l.ago(ago)))
	switch what {
	case "systolic":
		return smooth([][2]float64{{3, 94}, {10, 103}, {17, 114}, {40, 119}, {70, 128}, {95, 132}}, age) + 4*l.own(what) + l.jitter(4)
	case "diastolic":
		return smooth([][2]float64{{3, 56}, {10, 63}, {17, 69}, {40, 76}, {70, 75}, {95, 72}}, age) + 3*l.own(what) + l.jitter(3)
	case "pulse":
		return smooth([][2]float64{{0, 132}, {1, 118}, {4, 98}, {10, 84}, {17, 74}, {80, 71}}, age) + 5*l.own(what) + l.jitter(4)
	case "breaths":
		return smooth([][2]float64{{0, 38}, {1, 28}, {5, 21}, {12, 17}, {20, 15}}, age) + l.jitter(1)
	case "spo2":
		return 98 + l.jitter(0.6)
	case "phq9", "gad7":
		return max(0, 2+l.own(what)+l.jitter(1))
	}
	return 0
}

// stature is height in cm and weight in kg at t.
func (l *life) stature(ago float64) (cm, kg float64) {
	t := l.ago(ago)
	if l.age() >= 18 && l.cm > 0 {
		if l.ageAt(t) < 18 { // nearly grown when the history begins
			ago = min(ago, l.yearsAgo(l.born.AddDate(18, 0, 0)))
		}
		kg = l.kg * (1 + 0.012*math.Sin(ago*1.9+l.own("kgwave"))) * (1 - 0.006*ago*(1+l.own("kgdrift")/3))
		if _, _, ok := l.course("kg", ago); ok {
			kg = l.sign("kg", ago)
		}
		if l.weeks > 0 {
			kg += max(0, float64(l.weeks)-10-ago*52) * 0.42
		}
		return l.cm, kg
	}
	months := t.Sub(l.born).Hours() / 24 / 30.44
	cmCurve, kgCurve := growthOf(l.sex)
	cm = smooth(cmCurve, months) * (1 + 0.022*l.own("cm"))
	kg = smooth(kgCurve, months) * (1 + 0.05*l.own("cm") + 0.05*l.own("kg"))
	return cm, kg
}

// growthOf are average height and weight by age in months, rounded by us from common knowledge of growth.
func growthOf(sex byte) (cm, kg [][2]float64) {
	if sex == 'm' {
		return [][2]float64{{0, 50}, {3, 61}, {6, 67.5}, {12, 76}, {24, 88}, {36, 96}, {48, 103}, {60, 110}, {84, 122}, {108, 133.5}, {132, 144}, {156, 156}, {180, 169}, {204, 175}, {216, 176}},
			[][2]float64{{0, 3.5}, {3, 6.3}, {6, 7.9}, {12, 9.7}, {24, 12.4}, {36, 14.4}, {48, 16.4}, {60, 18.6}, {84, 23.2}, {108, 28.7}, {132, 36}, {156, 46}, {180, 56.5}, {204, 65}, {216, 67.5}}
	}
	return [][2]float64{{0, 49.2}, {3, 59.8}, {6, 66}, {12, 74.5}, {24, 86.5}, {36, 95}, {48, 102}, {60, 109}, {84, 121}, {108, 133}, {132, 145}, {156, 157}, {180, 162}, {204, 163}, {216, 163.5}},
		[][2]float64{{0, 3.3}, {3, 5.9}, {6, 7.4}, {12, 9.1}, {24, 11.8}, {36, 13.9}, {48, 16}, {60, 18}, {84, 22.8}, {108, 29}, {132, 37}, {156, 46}, {180, 52.5}, {204, 55.5}, {216, 56.5}}
}

// headSize is the average head circumference in cm for the first three years.
func headSize(months float64) float64 {
	return smooth([][2]float64{{0, 35}, {1, 37.2}, {3, 40}, {6, 43}, {12, 46}, {24, 48}, {36, 49.3}}, months)
}
