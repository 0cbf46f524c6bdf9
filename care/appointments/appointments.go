package appointments

import (
	"slices"
	"strings"
	"time"

	"github.com/wellgate/wellgate/fhir"
)

// Status is where an appointment stands, as a word key's last part.
type Status string

const (
	Booked    Status = "booked"
	Asked     Status = "asked"   // the patient asked, or waits for a place
	Offered   Status = "offered" // the practice proposes, the patient has to answer
	Here      Status = "here"    // the patient has arrived
	Done      Status = "done"
	Cancelled Status = "cancelled"
	Missed    Status = "missed"
	Unclear   Status = "unclear"
)

// Way is how people meet.
type Way string

const (
	InPerson Way = "person"
	ByPhone  Way = "phone"
	ByVideo  Way = "video"
)

// An Appointment is one appointment as its patient sees it.
type Appointment struct {
	ID          string
	Status      Status
	Way         Way
	Start, End  fhir.DateTime
	Minutes     int
	What        string // the kind of appointment, as the practice calls it
	With        []string
	Where       string
	Instruction string // what to do before, in the practice's words
	Why         string // why it was cancelled
	Confirm     bool   // the practice waits for the patient's yes
}

// A Lookup follows a reference to a name.
type Lookup func(ref fhir.Reference) string

// Of reads one appointment; false if it was entered in error.
func Of(a fhir.Appointment, name Lookup) (Appointment, bool) {
	if a.Status == "entered-in-error" {
		return Appointment{}, false
	}
	out := Appointment{ID: a.ID, Start: a.Start, End: a.End, What: what(a), Way: way(a),
		Instruction: strings.TrimSpace(a.PatientInstruction)}
	if out.Start == "" && len(a.RequestedPeriod) > 0 {
		out.Start = a.RequestedPeriod[0].Start
	}
	if a.MinutesDuration != nil && *a.MinutesDuration > 0 {
		out.Minutes = *a.MinutesDuration
	}
	mine := ""
	for _, p := range a.Participant {
		typ, _, _ := fhir.SplitRef(p.Actor.Reference)
		if typ == "" {
			typ = p.Actor.Type
		}
		switch typ {
		case "Patient":
			mine = p.Status
		case "Location":
			if out.Where == "" {
				out.Where = name(p.Actor)
			}
		case "Practitioner", "PractitionerRole", "":
			if n := name(p.Actor); n != "" && !slices.Contains(out.With, n) && p.Status != "declined" {
				out.With = append(out.With, n)
			}
		}
	}
	out.Status = status(a.Status, mine)
	out.Confirm = out.Status == Booked && mine == "needs-action"
	if out.Status == Cancelled {
		out.Why = readable(a.CancelationReason)
	}
	return out, true
}

// status tells in one word where it stands. A proposal that waits for the patient is an offer; any other is a request.
func status(s, mine string) Status {
	switch s {
	case "booked":
		return Booked
	case "proposed", "pending":
		if mine == "needs-action" {
			return Offered
		}
		return Asked
	case "waitlist":
		return Asked
	case "arrived", "checked-in":
		return Here
	case "fulfilled":
		return Done
	case "cancelled":
		return Cancelled
	case "noshow":
		return Missed
	}
	return Unclear
}

func what(a fhir.Appointment) string {
	for _, c := range slices.Concat(a.ServiceType, []fhir.CodeableConcept{a.AppointmentType}, a.ServiceCategory) {
		if r := readable(c); r != "" {
			return r
		}
	}
	return ""
}

func readable(c fhir.CodeableConcept) string {
	if t := strings.TrimSpace(c.Text); t != "" {
		return t
	}
	for _, k := range c.Coding {
		if d := strings.TrimSpace(k.Display); d != "" {
			return d
		}
	}
	return ""
}

// way finds a call where the practice says so. R4 has no field for it: the kind of service tells, by code or by name.
func way(a fhir.Appointment) Way {
	for _, c := range slices.Concat(a.ServiceType, []fhir.CodeableConcept{a.AppointmentType}, a.ServiceCategory) {
		text := strings.ToLower(readable(c))
		switch {
		case c.Has("", "448337001") || strings.Contains(text, "video") || strings.Contains(text, "telehealth"):
			return ByVideo
		case c.Has("", "185317003") || strings.Contains(text, "phone"):
			return ByPhone
		}
	}
	return InPerson
}

// Ahead says whether an appointment is still to come: it stands and has not ended.
func (a Appointment) Ahead(now time.Time) bool {
	switch a.Status {
	case Done, Cancelled, Missed:
		return false
	}
	end, ok := a.ends()
	if !ok {
		return a.Status == Asked || a.Status == Offered // asked for, no time yet
	}
	return end.After(now)
}

func (a Appointment) ends() (time.Time, bool) {
	if t, ok := a.End.Time(time.UTC); ok {
		return t, true
	}
	t, ok := a.Start.Time(time.UTC)
	return t.Add(time.Duration(a.Minutes) * time.Minute), ok
}

// Split sorts appointments into those to come, soonest first, and the others, newest first. A cancelled one that lies
// ahead is among the others: it will not take place.
func Split(as []Appointment, now time.Time) (ahead, past []Appointment) {
	for _, a := range as {
		if a.Ahead(now) {
			ahead = append(ahead, a)
		} else {
			past = append(past, a)
		}
	}
	// No time yet stands after those with one.
	slices.SortStableFunc(ahead, func(a, b Appointment) int {
		if (a.Start == "") != (b.Start == "") {
			return b.Start.Compare(a.Start)
		}
		return a.Start.Compare(b.Start)
	})
	slices.SortStableFunc(past, func(a, b Appointment) int { return b.Start.Compare(a.Start) })
	return ahead, past
}

// Next is the next appointment that stands.
func Next(ahead []Appointment) (Appointment, bool) {
	for _, a := range ahead {
		if a.Status == Booked || a.Status == Here {
			return a, true
		}
	}
	return Appointment{}, false
}

// A ToDo is a task that waits for the patient.
type ToDo struct {
	What, Note  string
	Due         fhir.DateTime
	Appointment string // the appointment it is about, if it is about one
}

// ToDos keeps the tasks that the patient has to do: open, and given to them or to nobody else.
func ToDos(ts []fhir.Task) []ToDo {
	var out []ToDo
	for _, t := range ts {
		if !slices.Contains([]string{"requested", "ready", "in-progress"}, t.Status) || !theirs(t) {
			continue
		}
		d := ToDo{What: readable(t.Code), Note: strings.TrimSpace(t.Description)}
		if d.What == "" {
			d.What, d.Note = d.Note, ""
		}
		if typ, id, ok := fhir.SplitRef(t.Focus.Reference); ok && typ == "Appointment" {
			d.Appointment = id
		}
		if r := t.Restriction; r != nil && r.Period != nil {
			d.Due = r.Period.End
		} else if t.ExecutionPeriod != nil {
			d.Due = t.ExecutionPeriod.End
		}
		out = append(out, d)
	}
	slices.SortStableFunc(out, func(a, b ToDo) int {
		if (a.Due == "") != (b.Due == "") {
			return b.Due.Compare(a.Due)
		}
		return a.Due.Compare(b.Due)
	})
	return out
}

func theirs(t fhir.Task) bool {
	if t.Owner.Reference != "" || t.Owner.Display != "" {
		typ, _, _ := fhir.SplitRef(t.Owner.Reference)
		return typ == "Patient"
	}
	typ, _, _ := fhir.SplitRef(t.For.Reference)
	return typ == "Patient" && len(t.PerformerType) == 0
}
