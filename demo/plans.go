package demo

import (
	"fmt"
	"time"

	"github.com/wellgate/wellgate/fhir"
)

// This file: goals, care plans, dental plans and things to do.

// An aim is the goal that goes with a condition.
type aim struct {
	cond, words     string
	measure, name   string // LOINC
	low, high       float64
	places          int
	unit, ucum      string
	plan            string
	steps           []string
	task, taskWords string
	due             int // days
}

var aims = []aim{
	{"diabetes2", "Average sugar (A1c) of 7% or lower", "4548-4", "Hemoglobin A1c", none, 7.0, 1, "%", "%", "Diabetes plan",
		[]string{"Blood test for A1c every 4 months", "Walk 30 minutes on 5 days a week", "Yearly eye check", "Yearly foot check", "Yearly kidney test"}, "Call us to book your yearly foot check", "The nurse looks at skin, pulse and feeling. It takes 15 minutes.", 40},
	{"diabetes1", "Average sugar (A1c) of 7% or lower", "4548-4", "Hemoglobin A1c", none, 7.0, 1, "%", "%", "Diabetes plan",
		[]string{"Look at your sensor readings every week", "Blood test for A1c every 4 months", "Yearly eye check", "Sick-day plan on the fridge"}, "Bring your sensor readings to your visit", "We look at the last 14 days together.", 12},
	{"hypertension", "Blood pressure below 130 over 80", "8480-6", "Systolic blood pressure", none, 130, 0, "mmHg", "mm[Hg]", "Blood pressure plan",
		[]string{"Measure at home twice a week", "Less salt: cook fresh, taste before salting", "Blood test for kidneys once a year"}, "Measure your blood pressure for a week", "Morning and evening for 7 days. Sit for five minutes first. Bring the list to your visit.", 14},
	{"heartfailure", "Weight within 3 pounds of target", "29463-7", "Body weight", none, none, 0, "lb", "[lb_av]", "Heart plan",
		[]string{"Weigh every morning and write it down", "No more than 2 quarts of fluid a day", "Call if up 3 pounds in a day"}, "Write down your weight this week", "Every morning, after the bathroom, before breakfast.", 7},
	{"asthma", "No night cough and no missed school days", "", "", none, none, 0, "", "", "Asthma plan",
		[]string{"Preventer inhaler every morning and evening", "Spacer with every puff", "Action plan at school"}, "Call us for five questions about breathing", "They take two minutes and help us set the inhalers right.", 20},
	{"depression", "Mood score (PHQ-9) of 9 or lower", "44261-6", "Mood questions (PHQ-9)", none, 9, 0, "score", "{score}", "Feeling better plan",
		[]string{"Counseling every two weeks", "One thing a day that used to be fun", "Call 988 at any hour if you think of harming yourself"}, "", "", 0},
	{"ckd3", "Keep kidney filtration (eGFR) above 45", "98979-8", "Kidney filtration rate (eGFR)", 45, none, 0, "mL/min/1.73 m²", "mL/min/{1.73_m2}", "Kidney plan",
		[]string{"Blood and urine test every 4 months", "No ibuprofen or naproxen", "Pause water tablets on sick days and call us"}, "", "", 0},
	{"gout", "Uric acid below 6", "3084-1", "Uric acid", none, 6.0, 1, "mg/dL", "mg/dL", "Gout plan", []string{"Allopurinol every day, also without pain", "Water instead of beer and soda"}, "", "", 0},
	{"cholesterol", "LDL cholesterol below 100", "13457-7", "LDL cholesterol", none, 100, 0, "mg/dL", "mg/dL", "Heart health plan", []string{"Statin every evening", "Fish twice a week", "Blood test once a year"}, "", "", 0},
	{"prediabetes", "Average sugar (A1c) below 5.7%", "4548-4", "Hemoglobin A1c", none, 5.6, 1, "%", "%", "Lifestyle plan", []string{"Walk at lunch on work days", "Join the lifestyle program", "Blood test in 6 months"}, "Call us to choose a start date for the lifestyle program", "Six evenings, in person or by video.", 25},
	{"pregnancy", "A healthy pregnancy and birth", "", "", none, none, 0, "", "", "Pregnancy plan", []string{"Check every 4 weeks, then every 2", "Iron every other day", "Write your birth wishes"}, "Write down your birth wishes", "Bring them to your visit. You can change them at any time.", 30},
	{"obesity", "Lose 10 pounds by spring and keep it off", "29463-7", "Body weight", none, none, 0, "lb", "[lb_av]", "Weight plan", []string{"Food diary on weekdays", "Gym twice a week"}, "", "", 0},
}

func (l *life) writePlans() {
	for i := range aims {
		if a := &aims[i]; l.condRef(a.cond).Reference != "" {
			l.writePlan(a)
		}
	}
	l.dentalPlan()
	if l.age() >= 18 && l.special != "amina" {
		at := l.days(-6)
		l.task(at, "Call us if your phone number or address has changed", "It takes one minute.", l.days(30), "requested")
		if l.age() >= 45 && l.age() < 76 {
			l.screening(at)
		}
	}
}

func (l *life) writePlan(a *aim) {
	at := later(l.ago(1.1), l.heldSince(a.cond))
	c := l.condRef(a.cond)
	labels := conditionOf(a.cond).labels
	g := fhir.Goal{
		ID: l.next(), Meta: l.labelled(profile("us-core-goal"), labels), LifecycleStatus: "active", AchievementStatus: hl7Code("goal-achievement", "in-progress", "In progress"), Description: fhir.TextConcept(a.words),
		Subject: l.me, StartDate: day(at), Addresses: []fhir.Reference{c}, ExpressedBy: l.me,
	}
	target := fhir.GoalTarget{DueDate: day(l.days(150))}
	if a.measure != "" && (a.low != none || a.high != none) {
		target.Measure = fhir.Concept(loinc, a.measure, a.name)
		r := &fhir.Range{}
		if a.low != none {
			r.Low = quantity(a.low, a.places, a.unit, a.ucum)
		}
		if a.high != none {
			r.High = quantity(a.high, a.places, a.unit, a.ucum)
		}
		target.DetailRange = r
	}
	g.Target = []fhir.GoalTarget{target}
	goal := ref(l.add(at, g))
	p := fhir.CarePlan{
		ID: l.next(), Meta: l.labelled(profile("us-core-careplan"), labels), Status: "active", Intent: "plan", Title: a.plan,
		Category: one(fhir.Concept("http://hl7.org/fhir/us/core/CodeSystem/careplan-category", "assess-plan", "Assessment and plan of treatment")),
		Text:     &fhir.Narrative{Status: "additional", Div: `<div xmlns="http://www.w3.org/1999/xhtml">` + a.plan + `: ` + a.words + `.</div>`},
		Subject:  l.me, Period: &fhir.Period{Start: day(at)}, Created: instant(at), Author: l.dir.at("nair"), CareTeam: []fhir.Reference{l.team}, Addresses: []fhir.Reference{c}, Goal: []fhir.Reference{goal},
	}
	for i, s := range a.steps {
		status := []string{"completed", "in-progress", "scheduled", "not-started"}[(i+l.index)%4]
		p.Activity = append(p.Activity, fhir.CarePlanActivity{Detail: &fhir.CarePlanActivityDetail{Status: status, Description: s, Goal: []fhir.Reference{goal}}})
	}
	l.add(at, p)
	if a.task != "" && l.special != "amina" { // she has enough to do today
		l.task(l.days(-3), a.task, a.taskWords, l.days(a.due), "requested")
	}
}

func (l *life) heldSince(key string) time.Time {
	for _, h := range l.conds {
		if h.key == key {
			return h.since
		}
	}
	return l.since()
}

// task asks the patient for something.
func (l *life) task(at time.Time, what, words string, due time.Time, status string) {
	owner := l.me
	for _, k := range l.kin { // what a child has to do, a parent does
		if l.age() < 13 {
			owner = ref("RelatedPerson/" + l.kinID(k))
			break
		}
	}
	l.add(at, fhir.Task{
		ID: l.next(), Status: status, Intent: "order", Priority: "routine", Code: fhir.TextConcept(what), Description: words, For: l.me, AuthoredOn: instant(at), LastModified: instant(at),
		Requester: l.dir.at("okafor"), Owner: owner, Restriction: &fhir.TaskRestriction{Period: &fhir.Period{End: instant(due)}},
	})
}

// kinID finds the RelatedPerson written for k.
func (l *life) kinID(k kin) string {
	for _, d := range l.record {
		if d.r.Type() == "RelatedPerson" && fhir.Into[fhir.RelatedPerson](d.r).DisplayName() == k.name {
			return d.r.ID()
		}
	}
	return ""
}

// screening is an order that waits for the patient.
func (l *life) screening(at time.Time) {
	order := l.add(at, fhir.ServiceRequest{
		ID: l.next(), Meta: profile("us-core-servicerequest"), Status: "active", Intent: "order", Category: one(fhir.Concept(sct, "108252007", "Laboratory procedure")),
		Code: fhir.Concept(loinc, "29771-3", "Stool test for hidden blood"), Subject: l.me, OccurrenceDateTime: day(l.days(30)), AuthoredOn: instant(at), Requester: l.dir.at("nair"),
		ReasonCode: one(fhir.TextConcept("Bowel cancer screening")), PatientInstruction: "The kit comes by mail. Follow the picture card and post it back the same day.",
	})
	l.add(at, fhir.Task{
		ID: l.next(), Status: "requested", Intent: "order", Code: fhir.TextConcept("Send back your bowel screening kit"), Description: "The test is simple and done at home.", Focus: ref(order), For: l.me,
		AuthoredOn: instant(at), LastModified: instant(at), Requester: l.dir.at("nair"), Owner: l.me, Restriction: &fhir.TaskRestriction{Period: &fhir.Period{End: instant(l.days(45))}},
	})
}

// dentalPlan lists treatment that is still to come, tooth by tooth, with its price.
func (l *life) dentalPlan() {
	var steps []fhir.CarePlanActivity
	at := l.days(-12)
	total, ours := 0, 0
	for i := range l.visits {
		v := &l.visits[i]
		if v.kind != dental || v.at.Before(l.now) {
			continue
		}
		w := v.work
		about := l.toothTrouble(w.why, at)
		r := fhir.ServiceRequest{
			ID: l.next(), Meta: profile("us-core-servicerequest"), Status: "active", Intent: "plan", Category: one(fhir.TextConcept("Dental treatment")),
			Code:    fhir.CodeableConcept{Coding: []fhir.Coding{{System: local + "dental", Code: fold(w.name), Display: w.name}}, Text: w.name},
			Subject: l.me, OccurrenceDateTime: instant(v.at), AuthoredOn: instant(at), Requester: l.dir.at("osei"), Performer: []fhir.Reference{l.dir.at("osei")}, ReasonReference: about, BodySite: toothSite(w.tooth),
			Note: []fhir.Annotation{{Text: fmt.Sprintf("Price %s, about %s after your plan.", dollars(w.cents), dollars(share(v, w.cents)))}},
		}
		steps = append(steps, fhir.CarePlanActivity{Reference: ref(l.add(at, r))})
		total += w.cents
		ours += share(v, w.cents)
	}
	if len(steps) == 0 {
		return
	}
	l.add(at, fhir.CarePlan{
		ID: l.next(), Meta: profile("us-core-careplan"), Status: "active", Intent: "plan", Title: "Dental treatment plan",
		Category:    []fhir.CodeableConcept{fhir.Concept("http://hl7.org/fhir/us/core/CodeSystem/careplan-category", "assess-plan", "Assessment and plan of treatment"), fhir.TextConcept("Dental")},
		Text:        &fhir.Narrative{Status: "additional", Div: `<div xmlns="http://www.w3.org/1999/xhtml">Dental treatment plan.</div>`},
		Description: fmt.Sprintf("Total %s. Your plan is expected to pay %s; your part is %s.", dollars(total), dollars(total-ours), dollars(ours)),
		Subject:     l.me, Period: &fhir.Period{Start: day(at)}, Created: instant(at), Author: l.dir.at("osei"), CareTeam: []fhir.Reference{l.team}, Activity: steps,
	})
	l.task(at, "Call us to say yes or no to your dental plan", "We go over the treatment and the price with you.", l.days(10), "requested")
}

func dollars(cents int) string { return fmt.Sprintf("$%d.%02d", cents/100, cents%100) }
