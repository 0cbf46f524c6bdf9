package demo

import "time"

// This file: who is seen when. Visits are planned for everybody before anything is written, so that nobody at the
// practice is in two rooms at once.

type kind int

const (
	physical kind = iota
	wellChild
	review
	acute
	phone
	nurse
	prenatal
	cleaning
	dental // treatment by the dentist
	welcome
)

// A visit is a contact with the practice, past or booked.
type visit struct {
	at      time.Time
	kind    kind
	who     string // key of the member of staff
	minutes int
	ill     *illness
	work    *toothWork
	missed  string // "", cancelled or noshow
}

// A draw is blood or urine taken on one day, and the panels asked for.
type draw struct {
	at     time.Time
	panels []string
}

// calendar remembers taken slots; it is looked up, never walked.
type calendar map[slotKey]bool

type slotKey struct {
	who string
	at  int64
}

const slotMinutes = 20

// take finds a free time on the day of d, or the days around it, and blocks it. Days are working days; past days stay past.
func (c calendar) take(who string, d time.Time, slots int, l *life) time.Time {
	past := d.Before(l.now)
	for try := 0; ; try++ {
		t := workday(d, past)
		first := l.rng.IntN(22)
		for i := range 22 {
			if holiday(t) {
				break
			}
			at := time.Date(t.Year(), t.Month(), t.Day(), 8, (first+i)%22*slotMinutes, 0, 0, t.Location())
			if past != at.Add(time.Duration(slots*slotMinutes)*time.Minute).Before(l.now) || at.Before(l.born.AddDate(0, 0, 2)) {
				continue
			}
			if c.free(who, at, slots) {
				for s := range slots {
					c[slotKey{who, at.Add(time.Duration(s*slotMinutes) * time.Minute).Unix()}] = true
				}
				return at
			}
		}
		if past && try < 10 && d.AddDate(0, 0, -3).After(l.born) {
			d = d.AddDate(0, 0, -1)
		} else {
			d, past = d.AddDate(0, 0, 1), false
			past = d.Before(l.now)
		}
	}
}

func (c calendar) free(who string, at time.Time, slots int) bool {
	for s := range slots {
		if c[slotKey{who, at.Add(time.Duration(s*slotMinutes) * time.Minute).Unix()}] {
			return false
		}
	}
	return true
}

// workday moves a weekend to the Friday before or the Monday after.
func workday(d time.Time, past bool) time.Time {
	switch d.Weekday() {
	case time.Saturday:
		if past {
			return d.AddDate(0, 0, -1)
		}
		return d.AddDate(0, 0, 2)
	case time.Sunday:
		if past {
			return d.AddDate(0, 0, -2)
		}
		return d.AddDate(0, 0, 1)
	}
	return d
}

// holiday is a day on which the practice is shut: New Year, Independence Day, Thanksgiving and Christmas.
func holiday(t time.Time) bool {
	switch m, d := t.Month(), t.Day(); m {
	case time.January:
		return d == 1
	case time.July:
		return d == 4
	case time.November:
		return t.Weekday() == time.Thursday && d >= 22 && d <= 28
	case time.December:
		return d == 25
	}
	return false
}
