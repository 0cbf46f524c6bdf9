package site

import (
	"fmt"
	"strings"
	"time"
)

// Dir is the direction of the language: ltr or rtl.
func (w Words) Dir() string {
	if w.Lang == "ar" {
		return "rtl"
	}
	return "ltr"
}

// Isolate keeps s, whose direction is its own (a name, a value), from turning the text around it (Unicode FSI … PDI).
// In left-to-right languages s is returned as it is.
func (w Words) Isolate(s string) string {
	if w.Dir() == "ltr" || s == "" || strings.HasPrefix(s, "\u2068") || strings.HasPrefix(s, "\u2066") || digits(s) {
		return s
	}
	return "\u2068" + s + "\u2069"
}

// LTR keeps s in left-to-right order inside right-to-left text: a phone number, "4.0–11.0", "-2".
func (w Words) LTR(s string) string {
	if w.Dir() == "ltr" || s == "" || digits(s) {
		return s
	}
	return "\u2066" + s + "\u2069"
}

// digits needs no isolation: the Unicode bidi rules keep a plain number in order.
func digits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// A speech is how one language says dates and times.
type speech struct {
	days, shortDays     [7]string
	months, shortMonths [12]string
	long, dayMonth      string // {d} {D} {m} {M} {y}: day, weekday, month, short month, year
	short, month        string
	am, pm              string // "" = 24 hours
	sep                 string // between day and time
}

var speeches = map[string]speech{
	"en": {
		days:        [7]string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"},
		shortDays:   [7]string{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"},
		months:      [12]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
		shortMonths: [12]string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"},
		long:        "{D} {d} {m} {y}", dayMonth: "{D} {d} {m}", short: "{d} {M} {y}", month: "{m} {y}",
		am: "am", pm: "pm", sep: ", ",
	},
	"es": {
		days:        [7]string{"domingo", "lunes", "martes", "miércoles", "jueves", "viernes", "sábado"},
		shortDays:   [7]string{"dom", "lun", "mar", "mié", "jue", "vie", "sáb"},
		months:      [12]string{"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"},
		shortMonths: [12]string{"ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sept", "oct", "nov", "dic"},
		long:        "{D} {d} de {m} de {y}", dayMonth: "{D} {d} de {m}", short: "{d} {M} {y}", month: "{m} de {y}",
		sep: ", ",
	},
	"ar": {
		days:        [7]string{"الأحد", "الاثنين", "الثلاثاء", "الأربعاء", "الخميس", "الجمعة", "السبت"},
		shortDays:   [7]string{"الأحد", "الاثنين", "الثلاثاء", "الأربعاء", "الخميس", "الجمعة", "السبت"},
		months:      [12]string{"يناير", "فبراير", "مارس", "أبريل", "مايو", "يونيو", "يوليو", "أغسطس", "سبتمبر", "أكتوبر", "نوفمبر", "ديسمبر"},
		shortMonths: [12]string{"يناير", "فبراير", "مارس", "أبريل", "مايو", "يونيو", "يوليو", "أغسطس", "سبتمبر", "أكتوبر", "نوفمبر", "ديسمبر"},
		long:        "{D} {d} {m} {y}", dayMonth: "{D} {d} {m}", short: "{d} {M} {y}", month: "{m} {y}",
		am: "ص", pm: "م", sep: "، ",
	},
}

func (w Words) speech() speech {
	if s, ok := speeches[w.Lang]; ok {
		return s
	}
	return speeches[fallback]
}

func (w Words) local(t time.Time) time.Time {
	if w.Zone != nil {
		return t.In(w.Zone)
	}
	return t.UTC()
}

// say fills a date pattern from t as it stands; the caller has chosen the zone.
func (w Words) say(pattern string, t time.Time) string {
	s := w.speech()
	return strings.NewReplacer(
		"{D}", s.days[t.Weekday()], "{d}", fmt.Sprint(t.Day()),
		"{m}", s.months[t.Month()-1], "{M}", s.shortMonths[t.Month()-1], "{y}", fmt.Sprintf("%04d", t.Year()),
	).Replace(pattern)
}

// Day is the whole date: Tuesday 17 November 2026.
func (w Words) Day(t time.Time) string { return w.say(w.speech().long, w.local(t)) }

// DayMonth is the date without its year: Tuesday 17 November.
func (w Words) DayMonth(t time.Time) string { return w.say(w.speech().dayMonth, w.local(t)) }

// ShortDay is the date for lists: 17 Nov 2026.
func (w Words) ShortDay(t time.Time) string { return w.say(w.speech().short, w.local(t)) }

// Month is the heading of a month: November 2026.
func (w Words) Month(t time.Time) string { return w.say(w.speech().month, w.local(t)) }

// Year is the year alone.
func (w Words) Year(t time.Time) string { return w.say("{y}", w.local(t)) }

// Weekday is the day's name: Tuesday.
func (w Words) Weekday(t time.Time) string { return w.say("{D}", w.local(t)) }

// ShortWeekday is the day's short name: Tue.
func (w Words) ShortWeekday(t time.Time) string { return w.speech().shortDays[w.local(t).Weekday()] }

// ShortMonth is the month's short name: Nov.
func (w Words) ShortMonth(t time.Time) string { return w.say("{M}", w.local(t)) }

// DayNumber is the day of the month: 17.
func (w Words) DayNumber(t time.Time) string { return w.say("{d}", w.local(t)) }

// Time is the time of day: 2:06 pm in English, 14:06 in Spanish.
func (w Words) Time(t time.Time) string {
	t, s := w.local(t), w.speech()
	if s.am == "" {
		return fmt.Sprintf("%02d:%02d", t.Hour(), t.Minute())
	}
	half, hour := s.am, t.Hour()%12
	if t.Hour() >= 12 {
		half = s.pm
	}
	if hour == 0 {
		hour = 12
	}
	return fmt.Sprintf("%d:%02d\u00a0%s", hour, t.Minute(), half)
}

// DayTime is the whole date and the time.
func (w Words) DayTime(t time.Time) string { return w.Day(t) + w.speech().sep + w.Time(t) }

// ShortDayTime is the list date and the time.
func (w Words) ShortDayTime(t time.Time) string { return w.ShortDay(t) + w.speech().sep + w.Time(t) }

// Relative is Today, Yesterday or Tomorrow seen from now, in the reader's zone; any other day is ShortDay.
func (w Words) Relative(t, now time.Time) string {
	switch day(w.local(t)) - day(w.local(now)) {
	case 0:
		return w.T("site.today")
	case -1:
		return w.T("site.yesterday")
	case 1:
		return w.T("site.tomorrow")
	}
	return w.ShortDay(t)
}

// RelativeTime is Relative with the time of day.
func (w Words) RelativeTime(t, now time.Time) string {
	return w.Relative(t, now) + w.speech().sep + w.Time(t)
}

// day numbers calendar days, so that midnight and clock changes do not matter.
func day(t time.Time) int {
	return int(time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// Date is a FHIR date of any precision, without a zone: "2019" → 2019, "2019-03" → March 2019, "2019-03-04" → 4 Mar 2019.
// A FHIR dateTime or instant is told in the reader's zone, without its time. What is no date comes back as it is.
func (w Words) Date(fhir string) string {
	switch {
	case len(fhir) == 4:
		if t, err := time.Parse("2006", fhir); err == nil {
			return w.say("{y}", t)
		}
	case len(fhir) == 7:
		if t, err := time.Parse("2006-01", fhir); err == nil {
			return w.say(w.speech().month, t)
		}
	case len(fhir) == 10:
		if t, err := time.Parse("2006-01-02", fhir); err == nil {
			return w.say(w.speech().short, t)
		}
	default:
		if t, err := time.Parse(time.RFC3339Nano, fhir); err == nil {
			return w.ShortDay(t)
		}
	}
	return fhir
}

// Number groups the digits of a long decimal and keeps every one of them: "5.60" stays 5.60, "12000" is 12,000. What is no
// plain decimal comes back as it is. Spanish and Arabic write the point too, as the laboratory's report does (es-US,
// es-MX, Latin digits): a value must look the same wherever it is read.
func (w Words) Number(decimal string) string {
	s, sign := decimal, ""
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		s, sign = rest, "−"
	}
	whole, frac, point := strings.Cut(s, ".")
	if whole == "" || !digits(whole) || !digits(frac) || (point && frac == "") {
		return w.LTR(decimal)
	}
	if len(whole) > 4 {
		for i := len(whole) - 3; i > 0; i -= 3 {
			whole = whole[:i] + "," + whole[i:]
		}
	}
	if point {
		frac = "." + frac
	}
	if sign == "" {
		return whole + frac
	}
	return w.LTR(sign + whole + frac)
}

// List joins items as the language does: a, b and c.
func (w Words) List(items ...string) string {
	switch len(items) {
	case 0:
		return ""
	case 1:
		return items[0]
	}
	comma := ", "
	if w.Lang == "ar" {
		comma = "، "
	}
	return w.T("site.and", "a", strings.Join(items[:len(items)-1], comma), "b", items[len(items)-1])
}
