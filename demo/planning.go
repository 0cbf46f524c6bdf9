package demo

import (
	"slices"
	"time"
)

// This file: what a person's age, conditions and teeth ask for, over five years back and some months ahead.

var slotsOf = map[kind]int{physical: 2, wellChild: 2, prenatal: 1, review: 1, acute: 1, phone: 1, nurse: 1, cleaning: 2, dental: 3, welcome: 2}
var staffOf = map[kind]string{physical: "nair", wellChild: "nair", prenatal: "nair", review: "nair", acute: "nair", phone: "nair", nurse: "okafor", cleaning: "lindqvist", dental: "osei", welcome: "nair"}

func (l *life) book(c calendar, k kind, d time.Time) *visit {
	who, n := staffOf[k], slotsOf[k]
	v := visit{at: c.take(who, d, n, l), kind: k, who: who, minutes: n * slotMinutes}
	l.visits = append(l.visits, v)
	return &l.visits[len(l.visits)-1]
}

// since is the start of the history that the practice holds.
func (l *life) since() time.Time {
	five := l.now.AddDate(-5, 0, 0)
	if l.born.After(five) {
		return l.born
	}
	return five
}

func (l *life) days(n int) time.Time { return l.now.AddDate(0, 0, n) }

// plan lays out every visit and blood draw.
func (l *life) plan(c calendar) {
	if l.special == "new" {
		l.book(c, welcome, l.days(6))
		return
	}
	if l.age() < 18 {
		l.planChild(c)
	} else {
		l.planAdult(c)
	}
	l.planPregnancy(c)
	l.planIllness(c)
	l.planNurse(c)
	l.planTeeth(c)
	slices.SortStableFunc(l.visits, func(a, b visit) int { return a.at.Compare(b.at) })
	for i := range l.visits { // a few appointments are missed, never the latest ones
		v := &l.visits[i]
		if v.at.Before(l.days(-120)) && v.kind != acute && v.kind != dental && l.chance(0.05) {
			v.missed = pick(l, []string{"cancelled", "cancelled", "noshow"})
		}
	}
	slices.SortStableFunc(l.draws, func(a, b draw) int { return a.at.Compare(b.at) })
}

// reviewEvery is how many months apart the conditions known at t ask for a visit; 0 = they do not.
func (l *life) reviewEvery(t time.Time) int {
	least := 0
	for _, h := range l.has {
		if c := conditionOf(h.what); l.ago(h.since).Before(t) && c.months > 0 && c.months < 12 && (least == 0 || c.months < least) {
			least = c.months
		}
	}
	return least
}

func (l *life) planAdult(c calendar) {
	nextYearly := 25 + l.rng.IntN(330)
	switch l.special {
	case "amina":
		nextYearly = 128
	}
	yearly := func(d time.Time) bool { // within 40 days of a yearly visit
		n := int(d.Sub(l.days(nextYearly)).Hours() / 24)
		return ((n%365)+365)%365 < 40 || ((n%365)+365)%365 > 325
	}
	for d := l.days(nextYearly); d.After(l.since()); d = d.AddDate(-1, 0, 0) {
		if d.After(l.days(150)) {
			continue
		}
		v := l.book(c, physical, d)
		l.drawFor(v.at, true)
	}
	every := l.reviewEvery(l.now)
	if every == 0 {
		return
	}
	next := 12 + l.rng.IntN(every*30-12)
	if l.special == "amina" {
		next = 2
	}
	for d := l.days(next); d.After(l.since()) && every > 0; every, d = l.reviewEvery(d), d.AddDate(0, -every, 0) {
		if yearly(d) {
			continue
		}
		how := review
		if l.special == "amina" && d.After(l.now) || l.chance(0.2) {
			how = phone
		}
		v := l.book(c, how, d)
		if l.special == "amina" && v.at.After(l.now) { // her results are in: the call is about them
			l.draws = append(l.draws, draw{morning(workday(l.days(-5), true), 40), []string{"hba1c", "cmp", "lipid", "cbc", "ferritin"}})
			continue
		}
		l.drawFor(v.at, false)
	}
	if l.special == "amina" {
		l.book(c, phone, l.days(-7)) // the call that changed her blood pressure tablet
	}
	if l.cond("af") && l.hasMedicine("warfarin") {
		for d := l.days(-9); d.After(l.since()); d = d.AddDate(0, 0, -35) {
			l.draws = append(l.draws, draw{morning(workday(d, true), 12), []string{"inr"}})
		}
	}
	if l.special == "" && l.age() > 85 {
		for d := l.days(-13); d.After(l.days(-500)); d = d.AddDate(0, 0, -42) {
			l.book(c, phone, d)
		}
	}
}

func morning(d time.Time, minute int) time.Time {
	return time.Date(d.Year(), d.Month(), d.Day(), 7, 30+minute, 0, 0, d.Location())
}

// drawFor takes the blood that a visit will talk about, some days before it; those of booked visits only once they happened.
func (l *life) drawFor(at time.Time, yearly bool) {
	d := morning(workday(at.AddDate(0, 0, -6), true), l.rng.IntN(90))
	if d.After(l.days(-2)) {
		return
	}
	var want []string
	ask := func(p ...string) {
		for _, k := range p {
			if !slices.Contains(want, k) {
				want = append(want, k)
			}
		}
	}
	ago := l.yearsAgo(d)
	for _, h := range l.has {
		c := conditionOf(h.what)
		if h.since < ago-0.02 {
			continue
		}
		ask(c.panels...)
		if yearly {
			ask(c.yearly...)
		}
	}
	if yearly {
		l.askYearly(d, ask)
	}
	if slices.Contains(want, "cmp") {
		want = slices.DeleteFunc(want, func(p string) bool { return p == "bmp" || p == "liver" })
	}
	if slices.Contains(want, "irons") {
		want = slices.DeleteFunc(want, func(p string) bool { return p == "ferritin" })
	}
	if slices.Contains(want, "thyroid") {
		want = slices.DeleteFunc(want, func(p string) bool { return p == "tsh" })
	}
	if len(want) > 0 {
		l.draws = append(l.draws, draw{d, want})
	}
}

func (l *life) askYearly(d time.Time, ask func(...string)) {
	age := l.ageAt(d)
	ask("cmp", "cbc", "lipid")
	if age >= 35 {
		ask("hba1c")
	}
	if age >= 50 || l.rng.IntN(3) == 0 {
		ask("vitd")
	}
	if age >= 40 && l.rng.IntN(2) == 0 {
		ask("tsh")
	}
	if age >= 65 {
		ask("b12")
	}
	if l.sex == 'm' && age >= 55 && age < 75 {
		ask("psa")
	}
	if l.sex == 'f' && age < 50 {
		ask("ferritin")
	}
}

func (l *life) hasMedicine(key string) bool {
	return slices.ContainsFunc(l.takes, func(t takes) bool { return t.what == key && t.until == 0 })
}

// wellAges are the ages in months of check-ups; from 3 years on there is one a year.
var wellAges = []int{0, 1, 2, 4, 6, 9, 12, 15, 18, 24, 30}

func (l *life) planChild(c calendar) {
	var due []time.Time
	for _, m := range wellAges {
		due = append(due, l.born.AddDate(0, m, 6))
	}
	for y := 3; y < 18; y++ {
		due = append(due, l.born.AddDate(y, 0, 9+l.rng.IntN(20)))
	}
	for _, d := range due {
		if d.Before(l.since()) || d.After(l.days(120)) {
			continue
		}
		v := l.book(c, wellChild, d)
		switch months := monthsBetween(l.born, v.at); {
		case v.at.After(l.days(-3)):
		case months == 12 || months == 24:
			l.draws = append(l.draws, draw{v.at.Add(40 * time.Minute), []string{"cbc", "lead"}})
		case months >= 130 && months%24 < 12:
			l.draws = append(l.draws, draw{v.at.Add(40 * time.Minute), []string{"cbc", "lipid", "ferritin", "vitd"}})
		}
	}
	every := l.reviewEvery(l.now)
	for d := l.days(20 + l.rng.IntN(every*20+1)); every > 0 && d.After(l.since()); every, d = l.reviewEvery(d), d.AddDate(0, -every, 0) {
		l.book(c, review, d)
	}
}

func monthsBetween(a, b time.Time) int {
	n := (b.Year()-a.Year())*12 + int(b.Month()) - int(a.Month())
	if b.Day() < a.Day() {
		n--
	}
	return n
}

func (l *life) planPregnancy(c calendar) {
	if l.weeks == 0 {
		return
	}
	start := l.days(-7 * l.weeks)
	for _, w := range []int{7, 11, 15, 19, 23, 26, 30, 32, 34, 36} {
		v := l.book(c, prenatal, start.AddDate(0, 0, 7*w))
		if v.at.After(l.days(-3)) {
			continue
		}
		switch w {
		case 7:
			l.draws = append(l.draws, draw{v.at.Add(30 * time.Minute), []string{"cbc", "tsh"}})
		case 26:
			l.draws = append(l.draws, draw{v.at.Add(30 * time.Minute), []string{"gtt", "cbc", "irons"}})
		}
	}
}

func (l *life) planIllness(c calendar) {
	perYear := 0.8
	switch age := l.age(); {
	case age < 5:
		perYear = 3.4
	case age < 18:
		perYear = 1.8
	case age > 75:
		perYear = 1.1
	}
	years := l.yearsAgo(l.since())
	n := int(years*perYear + l.rng.Float64())
	for range n {
		d := l.now.AddDate(0, 0, -18-l.rng.IntN(max(1, int(years*365)-20)))
		if ill := l.catches(d); ill != nil && d.After(l.born.AddDate(0, 0, 20)) {
			l.book(c, acute, d).ill = ill
		}
	}
}

// planNurse is the autumn vaccine clinic.
func (l *life) planNurse(c calendar) {
	for y := l.now.Year() - 5; y <= l.now.Year(); y++ {
		d := time.Date(y, time.October, 6+l.rng.IntN(18), 0, 0, 0, 0, l.now.Location())
		if d.Before(l.since()) || d.After(l.days(-4)) || d.Before(l.born.AddDate(0, 6, 0)) || l.chance(0.12) {
			continue
		}
		l.book(c, nurse, d)
	}
}

func (l *life) planTeeth(c calendar) {
	if l.teeth == noDentist || l.age() < 2 {
		return
	}
	every := 6
	if l.teeth == gumDisease {
		every = 4
	}
	for d := l.days(15 + l.rng.IntN(every*28)); d.After(l.since()) && d.After(l.born.AddDate(2, 0, 0)); d = d.AddDate(0, -every, 0) {
		l.book(c, cleaning, d)
	}
	for _, w := range l.toothPlan() {
		l.book(c, dental, w.when).work = &w
	}
}
