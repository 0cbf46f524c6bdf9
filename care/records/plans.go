package records

import (
	"slices"
	"strings"

	"github.com/wellgate/wellgate/fhir"
)

// A Plan is one care plan, medical or dental.
type Plan struct {
	Label    Label
	Text     string
	Dental   bool
	Status   string // now, paused, done, stopped, draft, unknown
	From, To fhir.DateTime
	About    []Label
	Steps    []Step
	Goals    []Aim
	By       Party
	Notes    []string
}

// A Step is something to do within a plan.
type Step struct {
	Label  Label
	Text   string
	Status string // todo, booked, doing, paused, done, stopped, unknown
	Sites  []string
	When   fhir.DateTime
	Not    bool // something not to do
}

// An Aim is a goal.
type Aim struct {
	id      string
	Label   Label
	Status  string // todo, doing, paused, done, stopped
	Doing   string // word key of the achievement status, or ""
	Targets []Target
	By      Party
}

// A Target is what to reach and by when.
type Target struct {
	What Label
	Text string
	Due  fhir.DateTime
}

// Plans lists care plans, those under way first, and the goals that no plan names.
func Plans(plans []fhir.CarePlan, goals []fhir.Goal, find Lookup) ([]Plan, []Aim) {
	aims := map[string]Aim{}
	var order []string
	for _, g := range goals {
		if a, ok := aim(g, find); ok {
			aims[g.ID] = a
			order = append(order, g.ID)
		}
	}
	used := map[string]bool{}
	var out []Plan
	for _, c := range plans {
		if c.Status == "entered-in-error" {
			continue
		}
		p := plan(c, find)
		for _, r := range c.Goal {
			id := idOf(r, "Goal")
			if a, ok := aims[id]; ok {
				p.Goals, used[id] = append(p.Goals, a), true
			}
		}
		out = append(out, p)
	}
	slices.SortStableFunc(out, func(a, b Plan) int {
		if d := planOrder[a.Status] - planOrder[b.Status]; d != 0 {
			return d
		}
		return newest(a.From, b.From)
	})
	var rest []Aim
	for _, id := range order {
		if !used[id] {
			rest = append(rest, aims[id])
		}
	}
	return out, rest
}

var planOrder = map[string]int{"now": 0, "draft": 1, "paused": 2, "unknown": 3, "done": 4, "stopped": 5}

var planStatus = map[string]string{"active": "now", "draft": "draft", "on-hold": "paused", "completed": "done", "revoked": "stopped"}

func plan(c fhir.CarePlan, find Lookup) Plan {
	p := Plan{Text: strings.TrimSpace(c.Description), Status: planStatus[c.Status], From: start(c.Period), To: end(c.Period),
		By: who(c.Author, find), Notes: notes(c.Note)}
	if p.Status == "" {
		p.Status = "unknown"
	}
	if t := strings.TrimSpace(c.Title); t != "" {
		p.Label = Label{Clinical: t}
	}
	for _, cat := range c.Category {
		p.Dental = p.Dental || strings.Contains(strings.ToLower(Readable(cat)), "dental") || cat.Has("", "dental")
		// US Core's assess-plan says only that this is a plan.
		if l := LabelOf(cat); !p.Label.Named() && l.Named() && !cat.Has("", "assess-plan") {
			p.Label = l
		}
	}
	for _, a := range c.Addresses {
		if l := conditionLabel(a, find); l.Named() {
			p.About = addLabel(p.About, l)
		}
	}
	for _, a := range c.Activity {
		if s, ok := step(a, find); ok {
			p.Steps = append(p.Steps, s)
		}
	}
	return p
}

var stepStatus = map[string]string{"not-started": "todo", "scheduled": "booked", "in-progress": "doing", "on-hold": "paused",
	"completed": "done", "cancelled": "stopped", "stopped": "stopped", // CarePlan.activity
	"draft": "todo", "active": "doing", "revoked": "stopped", // ServiceRequest
	"proposed": "todo", "pending": "todo", "booked": "booked", "fulfilled": "done", "noshow": "stopped"} // Appointment

func step(a fhir.CarePlanActivity, find Lookup) (Step, bool) {
	var s Step
	status := ""
	if d := a.Detail; d != nil {
		if d.Status == "entered-in-error" {
			return Step{}, false
		}
		status = d.Status
		s = Step{Label: LabelOf(d.Code), Text: strings.TrimSpace(d.Description), Not: isTrue(d.DoNotPerform),
			When: firstDate(start(d.ScheduledPeriod))}
		if s.Text == "" {
			s.Text = strings.TrimSpace(d.ScheduledString)
		}
	} else if a.Reference.Reference != "" || a.Reference.Display != "" {
		s.Label = Label{Clinical: untag(strings.TrimSpace(a.Reference.Display))}
		if res, ok := lookup(find, a.Reference); ok {
			if res.IsZero() {
				return Step{}, false
			}
			s, status = stepOf(res, s)
		}
		if status == "entered-in-error" {
			return Step{}, false
		}
	}
	if s.Status = stepStatus[status]; s.Status == "" {
		s.Status = "unknown"
	}
	return s, true
}

func lookup(find Lookup, r fhir.Reference) (fhir.Resource, bool) {
	if find == nil || r.Reference == "" {
		return fhir.Resource{}, false
	}
	return find(r.Reference)
}

// stepOf reads the request or appointment that a plan's activity points at.
func stepOf(r fhir.Resource, s Step) (Step, string) {
	switch r.Type() {
	case "ServiceRequest":
		q := fhir.Into[fhir.ServiceRequest](r)
		if l := LabelOf(q.Code); l.Named() {
			s.Label = l
		}
		s.Sites, s.Not = readables(q.BodySite), isTrue(q.DoNotPerform)
		s.When, s.Text = firstDate(q.OccurrenceDateTime, start(q.OccurrencePeriod)), strings.TrimSpace(q.PatientInstruction)
		return s, q.Status
	case "Task":
		q := fhir.Into[fhir.Task](r)
		if l := LabelOf(q.Code); l.Named() {
			s.Label = l
		}
		s.Text = strings.TrimSpace(q.Description)
		return s, q.Status
	case "Appointment":
		q := fhir.Into[fhir.Appointment](r)
		for _, t := range q.ServiceType {
			if l := LabelOf(t); l.Named() {
				s.Label = l
			}
		}
		s.When = q.Start
		return s, q.Status
	case "MedicationRequest":
		q := fhir.Into[fhir.MedicationRequest](r)
		if q.MedicationCodeableConcept != nil {
			s.Label = LabelOf(*q.MedicationCodeableConcept)
		}
		return s, q.Status
	}
	return s, ""
}

func aim(g fhir.Goal, find Lookup) (Aim, bool) {
	if g.LifecycleStatus == "entered-in-error" || g.LifecycleStatus == "rejected" {
		return Aim{}, false
	}
	a := Aim{id: g.ID, Label: LabelOf(g.Description), By: who(g.ExpressedBy, find)}
	switch g.LifecycleStatus {
	case "proposed", "planned":
		a.Status = "todo"
	case "on-hold":
		a.Status = "paused"
	case "completed":
		a.Status = "done"
	case "cancelled":
		a.Status = "stopped"
	default:
		a.Status = "doing"
	}
	switch s := statusOf(g.AchievementStatus); s {
	case "achieved", "sustaining", "improving", "worsening", "no-change", "not-achieved", "no-progress", "not-attainable":
		a.Doing = "records.aim." + s
	}
	for _, t := range g.Target {
		x := Target{What: LabelOf(t.Measure), Due: t.DueDate}
		switch {
		case t.DetailQuantity != nil:
			x.Text = quantity(*t.DetailQuantity)
		case t.DetailRange != nil:
			x.Text = rangeText(*t.DetailRange)
		case t.DetailCodeableConcept != nil:
			x.Text = untag(Readable(*t.DetailCodeableConcept))
		default:
			x.Text = strings.TrimSpace(t.DetailString)
		}
		if x.What.Named() || x.Text != "" || x.Due != "" {
			a.Targets = append(a.Targets, x)
		}
	}
	return a, true
}
