package appointments

import (
	"strconv"
	"time"

	"github.com/wellgate/wellgate/care"
	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/site"
	"github.com/wellgate/wellgate/trust/identity"
)

// view is the list page: what is to come, whole, and one page of the rest.
type view struct {
	ahead, past []Appointment
	page        int
}

func (x view) pages() int { return max(1, (len(x.past)+perPage-1)/perPage) }

func (x view) at() int { return min(max(x.page, 1), x.pages()) }

func (x view) shown() []Appointment {
	from := (x.at() - 1) * perPage
	return x.past[min(from, len(x.past)):min(from+perPage, len(x.past))]
}

func (x view) links(v *care.Visit) (before, next site.Link) {
	if x.at() > 1 {
		before.Href = v.Link("/appointments?page=" + strconv.Itoa(x.at()-1))
	}
	if x.at() < x.pages() {
		next.Href = v.Link("/appointments?page=" + strconv.Itoa(x.at()+1))
	}
	return before, next
}

// split separates the next appointment, which gets the block, from the others to come.
func (x view) split() (next Appointment, ok bool, rest []Appointment) {
	next, ok = Next(x.ahead)
	for _, a := range x.ahead {
		if !ok || a.ID != next.ID {
			rest = append(rest, a)
		}
	}
	return next, ok, rest
}

func desk(v *care.Visit) bool { return v.Who.Kind == identity.Staff }

func booking(v *care.Visit, a Appointment) site.Booking {
	w := v.Words
	t, _ := a.Start.Time(zone(w))
	b := site.Booking{ID: "h-next", Weekday: w.ShortWeekday(t), Day: w.DayNumber(t), Month: w.ShortMonth(t),
		Kicker: w.T("appointments.next"), When: whenText(w, a), Title: title(w, a)}
	if desk(v) {
		b.Kicker = w.T("appointments.nextDesk")
	}
	b.Lines = append(b.Lines, timeText(w, a))
	if a.What != "" && a.What != b.Title && a.Way == InPerson {
		b.Lines = append(b.Lines, w.Isolate(a.What))
	}
	if a.Where != "" && a.Way == InPerson {
		b.Lines = append(b.Lines, w.Isolate(a.Where))
	}
	if a.Way != InPerson && a.Instruction == "" {
		b.Lines = append(b.Lines, w.T("appointments.wait."+string(a.Way)))
	}
	if a.Instruction != "" {
		b.Lines = append(b.Lines, w.Isolate(a.Instruction))
	}
	return b
}

// timeText is from when to when on the day.
func timeText(w site.Words, a Appointment) string {
	start, ok := a.Start.Time(zone(w))
	end, ends := a.ends()
	if !ok || a.Start.Precision() < fhir.Minute {
		return whenText(w, a)
	}
	if !ends || !end.After(start) {
		return w.DayTime(start)
	}
	return w.T("appointments.fromTo", "day", w.DayMonth(start), "from", w.Time(start), "to", w.Time(end.In(start.Location())))
}

func row(v *care.Visit, a Appointment) site.Row {
	w := v.Words
	r := site.Row{Icon: "calendar", Title: title(w, a), Detail: whenText(w, a), Body: rowBody(v, a)}
	switch a.Way {
	case ByPhone:
		r.Icon = "phone"
	case ByVideo:
		r.Icon = "video"
	}
	switch a.Status {
	case Booked, Done:
	case Here:
		r.Tag = site.Tag{Tone: "good", Icon: "check", Text: w.T("appointments.status.here")}
	case Offered, Asked:
		r.Tone, r.Tag = "info", site.Tag{Tone: "info", Icon: "clock", Text: w.T("appointments.status." + string(a.Status))}
	case Cancelled:
		r.Tone, r.Tag = "mute", site.Tag{Icon: "x", Text: w.T("appointments.status.cancelled")}
	default:
		r.Tone, r.Tag = "mute", site.Tag{Text: w.T("appointments.status." + string(a.Status))}
	}
	if a.Status == Done {
		r.Tone = "mute"
	}
	return r
}

func rows(v *care.Visit, as []Appointment) []site.Row {
	out := make([]site.Row, len(as))
	for i, a := range as {
		out[i] = row(v, a)
	}
	return out
}

// details are the lines under an appointment in a list.
func details(w site.Words, a Appointment) []string {
	var out []string
	if a.What != "" && a.What != title(w, a) {
		out = append(out, a.What)
	}
	if a.Where != "" && a.Way == InPerson {
		out = append(out, a.Where)
	}
	if a.Why != "" {
		out = append(out, w.T("appointments.why", "why", a.Why))
	}
	return out
}

// inCalendar says whether there is a calendar file.
func inCalendar(v *care.Visit, a Appointment) bool {
	_, ok := a.Start.Time(time.UTC)
	return ok && a.Status == Booked && a.Ahead(v.Now) && !desk(v)
}

// book says how to get an appointment.
func book(v *care.Visit) string {
	if p := v.Page.Practice.Phone; p != "" && !desk(v) {
		return v.Words.T("appointments.book", "phone", v.Words.LTR(p))
	}
	return ""
}
