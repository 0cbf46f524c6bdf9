package demo

import (
	"fmt"
	"math"
	"time"

	"github.com/wellgate/wellgate/fhir"
)

// This file: vital signs, scores and habits.

var vitalCategory = hl7Code("observation-category", "vital-signs", "Vital signs")

func (l *life) vital(n *note, code, name, prof string, q *fhir.Quantity) {
	l.add(n.v.at, fhir.Observation{
		ID: l.next(), Meta: profile(prof), Status: "final", Category: one(vitalCategory), Code: fhir.Concept(loinc, code, name),
		Subject: l.me, Encounter: n.here, EffectiveDateTime: instant(n.v.at.Add(4 * time.Minute)), Issued: instant(n.v.at.Add(5 * time.Minute)),
		Performer: []fhir.Reference{l.dir.at("okafor")}, ValueQuantity: q,
	})
}

// writeVitals measures what belongs to the age and the visit, and keeps a line of it for the note.
func (l *life) writeVitals(n *note) {
	ago, age := l.yearsAgo(n.v.at), l.ageAt(n.v.at)
	full := n.v.kind == physical || n.v.kind == wellChild
	line := ""
	if age >= 3 {
		sys, dia := round(l.sign("systolic", ago), 0), round(l.sign("diastolic", ago), 0)
		dia = min(dia, sys-24)
		n.lab.note("systolic", sys, n.v.at)
		l.bloodPressure(n.v.at, n.here, l.dir.at("okafor"), sys, dia)
		line += fmt.Sprintf("Blood pressure %.0f/%.0f. ", sys, dia)
	}
	pulse := round(l.sign("pulse", ago), 0)
	l.vital(n, "8867-4", "Heart rate", "us-core-heart-rate", quantity(pulse, 0, "beats/min", "/min"))
	line += fmt.Sprintf("Pulse %.0f. ", pulse)
	temp := 98.2 + l.jitter(0.2)
	if n.v.ill != nil {
		temp = n.v.ill.temp + l.jitter(0.2)
	}
	if n.v.kind == acute || full {
		l.vital(n, "8310-5", "Body temperature", "us-core-body-temperature", quantity(temp, 1, "°F", "[degF]"))
		l.vital(n, "9279-1", "Breathing rate", "us-core-respiratory-rate", quantity(round(l.sign("breaths", ago), 0), 0, "breaths/min", "/min"))
		line += fmt.Sprintf("Temperature %.1f °F. ", temp)
	}
	if n.v.kind == acute || full || l.cond("copd") || l.cond("asthma") || l.cond("heartfailure") {
		o2 := min(100, round(l.sign("spo2", ago), 0))
		l.oxygen(n, o2)
		line += fmt.Sprintf("Oxygen %.0f%%. ", o2)
	}
	n.vitalLine = line + l.writeSize(n, ago, age, full)
}

func (l *life) writeSize(n *note, ago float64, age int, full bool) string {
	cm, kg := l.stature(ago)
	pounds, inches := round(kg*2.20462, 1), round(cm/2.54, 1)
	l.vital(n, "29463-7", "Body weight", "us-core-body-weight", quantity(pounds, 1, "lb", "[lb_av]"))
	line := fmt.Sprintf("Weight %.1f lb", pounds)
	if full || age < 18 {
		l.vital(n, "8302-2", "Body height", "us-core-body-height", quantity(inches, 1, "in", "[in_i]"))
		line += fmt.Sprintf(", height %.1f in", inches)
	}
	bmi := round(pounds*703/(inches*inches), 1)
	if age >= 2 {
		l.vital(n, "39156-5", "Body mass index (BMI)", "us-core-bmi", quantity(bmi, 1, "kg/m²", "kg/m2"))
		line += fmt.Sprintf(", BMI %.1f", bmi)
	}
	if age < 18 && full {
		percent := round(100*normal(l.own("kg")*0.9+l.jitter(0.08)), 0)
		percent = max(3, min(97, percent))
		if age >= 2 {
			l.vital(n, "59576-9", "BMI percentile for age and sex", "pediatric-bmi-for-age", quantity(percent, 0, "%", "%"))
		} else {
			l.vital(n, "77606-2", "Weight-for-length percentile", "pediatric-weight-for-height", quantity(percent, 0, "%", "%"))
		}
		if months := monthsBetween(l.born, n.v.at); months <= 36 {
			head := round(headSize(float64(months))*(1+0.012*l.own("head")), 1)
			l.vital(n, "9843-4", "Head circumference", "us-core-head-circumference", quantity(head, 1, "cm", "cm"))
			l.vital(n, "8289-1", "Head circumference percentile", "head-occipital-frontal-circumference-percentile", quantity(round(max(3, min(97, 100*normal(l.own("head")))), 0), 0, "%", "%"))
		}
		line += fmt.Sprintf(" (percentile %.0f)", percent)
	}
	return line + "."
}

func normal(z float64) float64 { return 0.5 * math.Erfc(-z/math.Sqrt2) }

// bloodPressure is the panel with its two parts; it may come from the practice or from home.
func (l *life) bloodPressure(at time.Time, visit, by fhir.Reference, sys, dia float64) string {
	part := func(code, name string, v float64) fhir.ObservationComponent {
		return fhir.ObservationComponent{Code: fhir.Concept(loinc, code, name), ValueQuantity: quantity(v, 0, "mmHg", "mm[Hg]")}
	}
	return l.add(at, fhir.Observation{
		ID: l.next(), Meta: profile("us-core-blood-pressure"), Status: "final", Category: one(vitalCategory), Code: fhir.Concept(loinc, "85354-9", "Blood pressure"),
		Subject: l.me, Encounter: visit, EffectiveDateTime: instant(at.Add(4 * time.Minute)), Performer: []fhir.Reference{by},
		Component: []fhir.ObservationComponent{part("8480-6", "Systolic blood pressure", sys), part("8462-4", "Diastolic blood pressure", dia)},
	})
}

func (l *life) oxygen(n *note, v float64) {
	code := fhir.CodeableConcept{Text: "Oxygen saturation", Coding: []fhir.Coding{
		{System: loinc, Code: "59408-5", Display: "Oxygen saturation by finger clip"}, {System: loinc, Code: "2708-6", Display: "Oxygen saturation"}}}
	l.add(n.v.at, fhir.Observation{
		ID: l.next(), Meta: profile("us-core-pulse-oximetry"), Status: "final", Category: one(vitalCategory), Code: code, Subject: l.me, Encounter: n.here,
		EffectiveDateTime: instant(n.v.at.Add(4 * time.Minute)), Performer: []fhir.Reference{l.dir.at("okafor")}, ValueQuantity: quantity(v, 0, "%", "%"),
	})
}

// writeHabits notes smoking, and alcohol and mood screening, once a year.
func (l *life) writeHabits(n *note) {
	code, text := "266919005", "Never smoked"
	switch l.smoke {
	case "former":
		code, text = "8517006", "Used to smoke"
	case "current":
		code, text = "449868002", "Smokes every day"
	}
	value := fhir.Concept(sct, code, text)
	l.add(n.v.at, fhir.Observation{
		ID: l.next(), Meta: profile("us-core-smokingstatus"), Status: "final", Category: one(hl7Code("observation-category", "social-history", "Social history")),
		Code: fhir.Concept(loinc, "72166-2", "Smoking status"), Subject: l.me, Encounter: n.here, EffectiveDateTime: instant(n.v.at), Issued: instant(n.v.at),
		Performer: []fhir.Reference{l.dir.at("okafor")}, ValueCodeableConcept: &value,
	})
	if !l.cond("depression") && !l.cond("anxiety") {
		l.score(n, "44261-6", "Mood questions (PHQ-9)", l.sign("phq9", l.yearsAgo(n.v.at)), nil)
	}
}

// writeScore records the questionnaire that follows a mental health condition.
func (l *life) writeScore(n *note, h held) {
	v := n.lab.sign(h.control)
	if h.control == "phq9" {
		l.score(n, "44261-6", "Mood questions (PHQ-9)", v, h.labels)
	} else if h.control == "gad7" {
		l.score(n, "70274-6", "Worry questions (GAD-7)", v, h.labels)
	}
	n.lab.forget(h.control)
}

func (l *life) score(n *note, code, name string, v float64, labels []string) {
	l.add(n.v.at, fhir.Observation{
		ID: l.next(), Meta: l.labelled(profile("us-core-observation-screening-assessment"), labels), Status: "final",
		Category: one(hl7Code("observation-category", "survey", "Survey")), Code: fhir.Concept(loinc, code, name), Subject: l.me, Encounter: n.here,
		EffectiveDateTime: instant(n.v.at), Performer: []fhir.Reference{l.dir.at("nair")}, ValueQuantity: quantity(max(0, round(v, 0)), 0, "score", "{score}"),
	})
}
