package appointments

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/wellgate/wellgate/care"
	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/site"
	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/identity"
)

// perPage is how many past appointments a page shows.
const perPage = 50

// names follows references once per request: what the reference says, else what its target is called.
func names(v *care.Visit) Lookup {
	seen := map[string]string{}
	return func(r fhir.Reference) string {
		if d := strings.TrimSpace(r.Display); d != "" || r.Reference == "" {
			return d
		}
		n, ok := seen[r.Reference]
		if !ok {
			if res, found := v.Chart.Resolve(v.Context(), r.Reference); found {
				n = nameOf(res)
			}
			seen[r.Reference] = n
		}
		return n
	}
}

func nameOf(r fhir.Resource) string {
	switch r.Type() {
	case "Practitioner":
		return fhir.BestName(fhir.Into[fhir.Practitioner](r).Name).Display()
	case "PractitionerRole":
		return strings.TrimSpace(fhir.Into[fhir.PractitionerRole](r).Practitioner.Display)
	case "Location":
		return strings.TrimSpace(fhir.Into[fhir.Location](r).Name)
	}
	return ""
}

func read(ctx context.Context, v *care.Visit) ([]Appointment, error) {
	es, err := v.Chart.Search(ctx, "Appointment", "")
	if err != nil {
		return nil, err
	}
	name := names(v)
	var out []Appointment
	for _, e := range es {
		if a, ok := Of(fhir.Into[fhir.Appointment](e.Resource), name); ok {
			out = append(out, a)
		}
	}
	return out, nil
}

func list(v *care.Visit) error {
	all, err := read(v.Context(), v)
	if err != nil {
		return err
	}
	ahead, past := Split(all, v.Now)
	n, _ := strconv.Atoi(v.URL.Query().Get("page"))
	return v.Show(v.Words.T("appointments.nav"), listPage(v, view{ahead: ahead, past: past, page: n}))
}

// calendar hands out one appointment for the person's own calendar.
func calendar(v *care.Visit) error {
	e, err := v.Chart.Get(v.Context(), "Appointment", v.PathValue("id"))
	if err != nil {
		return err
	}
	a, ok := Of(fhir.Into[fhir.Appointment](e.Resource), func(fhir.Reference) string { return "" })
	start, timed := a.Start.Time(time.UTC)
	if !ok || !timed || a.Status != Booked || !a.Ahead(v.Now) {
		return chart.ErrNotFound
	}
	end, _ := a.End.Time(time.UTC)
	ev := CalendarEvent{UID: a.ID + "@wellgate", Stamp: v.Now, Start: start, End: end, Minutes: a.Minutes,
		Summary: v.Words.T("appointments.ics", "practice", v.Page.Practice.Name)}
	if p := v.Page.Practice.Phone; p != "" {
		ev.Description = v.Words.T("appointments.change", "phone", p)
	}
	h := v.W.Header()
	h.Set("Content-Type", "text/calendar; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="appointment.ics"`)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	_, err = v.W.Write(Calendar(ev))
	return err
}

// home is the next appointment and what waits for the patient.
func home(ctx context.Context, v *care.Visit) ([]care.Card, error) {
	if v.Chart == nil || v.Who.Kind != identity.Patient {
		return nil, nil
	}
	all, err := read(ctx, v)
	if err != nil {
		return nil, err
	}
	ahead, _ := Split(all, v.Now)
	var cards []care.Card
	if a, ok := Next(ahead); ok {
		at, _ := a.Start.Time(time.UTC)
		cards = append(cards, care.Card{Section: care.Next, Order: at, Icon: "calendar", Title: title(v.Words, a),
			Detail: whenText(v.Words, a), Href: "/appointments", Body: block(v, a)})
	}
	es, err := v.Chart.Search(ctx, "Task", "")
	if err != nil {
		return nil, err
	}
	var tasks []fhir.Task
	for _, e := range es {
		tasks = append(tasks, fhir.Into[fhir.Task](e.Resource))
	}
	asked := map[string]bool{} // by a task already
	for _, t := range ToDos(tasks) {
		asked[t.Appointment] = true
		cards = append(cards, toDo(v, t))
	}
	for _, a := range ahead {
		if c, ok := answer(v, a); ok && !asked[a.ID] {
			cards = append(cards, c)
		}
	}
	return cards, nil
}

// answer is the card of an appointment that waits for the patient's word.
func answer(v *care.Visit, a Appointment) (care.Card, bool) {
	w, key := v.Words, ""
	switch {
	case a.Status == Offered:
		key = "appointments.todo.offer"
	case a.Confirm:
		key = "appointments.todo.confirm"
	default:
		return care.Card{}, false
	}
	return care.Card{Section: care.ToDo, Order: urgency(v, a.Start), Icon: "calendar-check", Title: w.T(key),
		Detail: whenText(w, a), Href: "/appointments", Action: w.T("appointments.todo.see")}, true
}

func toDo(v *care.Visit, t ToDo) care.Card {
	c := care.Card{Section: care.ToDo, Order: urgency(v, t.Due), Icon: "list-checks", Tone: "info", Title: t.What, Detail: t.Note}
	if c.Title == "" {
		c.Title = v.Words.T("appointments.todo.task")
	}
	if t.Due != "" {
		due := v.Words.T("appointments.todo.due", "date", v.Words.Date(string(t.Due)))
		if c.Detail != "" {
			due += " · " + v.Words.Isolate(c.Detail)
		}
		c.Detail = due
	}
	if t.Appointment != "" {
		c.Icon, c.Href, c.Action = "calendar-check", "/appointments", v.Words.T("appointments.todo.see")
	}
	return c
}

// urgency orders what is due soonest as newest; what has no date comes after.
func urgency(v *care.Visit, due fhir.DateTime) time.Time {
	t, ok := due.Time(time.UTC)
	if !ok {
		return v.Now.AddDate(-1, 0, 0)
	}
	return v.Now.Add(-t.Sub(v.Now))
}

// title says how and with whom, as a heading.
func title(w site.Words, a Appointment) string {
	if len(a.With) == 0 {
		if a.What != "" {
			return a.What
		}
		return w.T("appointments.way." + string(a.Way))
	}
	isolated := make([]string, len(a.With))
	for i, n := range a.With {
		isolated[i] = w.Isolate(n)
	}
	return w.T("appointments.with."+string(a.Way), "who", w.List(isolated...))
}

// whenText is the day and the time, or that there is none yet.
func whenText(w site.Words, a Appointment) string {
	t, ok := a.Start.Time(zone(w))
	switch {
	case !ok:
		return w.T("appointments.notime")
	case a.Start.Precision() < fhir.Minute:
		return w.Date(string(a.Start))
	}
	return w.DayTime(t)
}

func zone(w site.Words) *time.Location {
	if w.Zone == nil {
		return time.UTC
	}
	return w.Zone
}
