package desk

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wellgate/wellgate/care"
	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/identity"
)

// maxReason is how many characters of a reason are kept.
const maxReason = 200

// A problem names a field and the word key that explains what to do.
type problem struct{ Field, Key string }

// asked is the find form as typed; nothing of it is lost when it comes back with errors.
type asked struct {
	Family, Given, Day, Month, Year, Number, Phone string
}

// query makes identifiers of what was typed, or says what is wrong.
func (a asked) query() (care.Query, []problem) {
	q := care.Query{
		Family: strings.TrimSpace(a.Family), Given: strings.TrimSpace(a.Given),
		Number: strings.TrimSpace(a.Number), Phone: strings.TrimSpace(a.Phone),
	}
	for _, v := range []string{q.Family, q.Given, q.Number, q.Phone} {
		if utf8.RuneCountInString(v) > 100 {
			return q, []problem{{"family", "desk.tooLong"}}
		}
	}
	if a.Day+a.Month+a.Year != "" {
		born, ok := date(a.Day, a.Month, a.Year)
		if !ok {
			return q, []problem{{"born", "desk.badDate"}}
		}
		q.Born = born
	}
	if q.Phone != "" && digits(q.Phone) < 5 {
		return q, []problem{{"phone", "desk.badPhone"}}
	}
	n := 0
	for _, v := range []string{q.Family, q.Given, q.Born, q.Number, q.Phone} {
		if v != "" {
			n++
		}
	}
	// A first and a last name are one answer to "who is it?", not two.
	if n < 2 || n == 2 && q.Family != "" && q.Given != "" {
		return q, []problem{{"family", "desk.twoNeeded"}}
	}
	return q, nil
}

func date(day, month, year string) (string, bool) {
	d, err1 := strconv.Atoi(strings.TrimSpace(day))
	m, err2 := strconv.Atoi(strings.TrimSpace(month))
	y, err3 := strconv.Atoi(strings.TrimSpace(year))
	if err1 != nil || err2 != nil || err3 != nil || y < 1890 || y > 2200 {
		return "", false
	}
	t := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	if t.Day() != d || int(t.Month()) != m {
		return "", false
	}
	return t.Format(time.DateOnly), true
}

func digits(s string) (n int) {
	for _, r := range s {
		if r >= '0' && r <= '9' {
			n++
		}
	}
	return n
}

// purposes are what a role may open a record for, most usual first. Policy decides; this only offers what can succeed.
func purposes(r identity.Role) []chart.Purpose {
	switch r {
	case identity.Billing:
		return []chart.Purpose{chart.Payment}
	case identity.FrontDesk:
		return []chart.Purpose{chart.Treatment, chart.Payment}
	case identity.PrivacyOfficer:
		return []chart.Purpose{chart.Operations}
	case identity.Clinician, identity.Nurse, identity.Dentist, identity.Hygienist:
		return []chart.Purpose{chart.Treatment}
	default:
		return nil
	}
}
