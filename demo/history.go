package demo

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/wellgate/wellgate/fhir"
)

// This file: visits and what they leave behind, in the order they happened.

// writeHistory walks through visits and blood draws together, so that a visit knows the results before it.
func (l *life) writeHistory() {
	var lab laboratory
	next := 0
	for i := range l.visits {
		v := &l.visits[i]
		for ; next < len(l.draws) && l.draws[next].at.Before(v.at); next++ {
			l.writeDraw(&lab, l.draws[next])
		}
		appointment := l.writeAppointment(v)
		if v.at.After(l.now) || v.missed != "" {
			continue
		}
		l.writeVisit(v, appointment, &lab)
	}
	for ; next < len(l.draws); next++ {
		l.writeDraw(&lab, l.draws[next])
	}
}

// A visitKind is what all visits of a kind share.
type visitKind struct {
	sct, name string
	reason    string // in words for the patient
	class     string
	cents     int
	room      int
}

var visitKinds = map[kind]visitKind{
	physical:  {"162673000", "Yearly check-up", "Your yearly check-up", "AMB", 22500, 0},
	wellChild: {"410620009", "Well-child visit", "Check-up for growth and vaccines", "AMB", 18500, 0},
	review:    {"390906007", "Follow-up visit", "To see how treatment is going", "AMB", 14500, 0},
	acute:     {"185345009", "Visit for a new problem", "A new problem", "AMB", 13500, 0},
	phone:     {"185317003", "Phone call", "Phone call to talk about results and treatment", "VR", 8500, 2},
	nurse:     {"33879002", "Vaccine visit", "Autumn vaccines", "AMB", 4500, 0},
	prenatal:  {"424619006", "Prenatal visit", "Pregnancy check", "AMB", 16000, 0},
	cleaning:  {"", "Dental cleaning and check", "Cleaning and dental check", "AMB", 14500, 1},
	dental:    {"", "Dental treatment", "Dental treatment", "AMB", 0, 1},
	welcome:   {"185349003", "New patient visit", "First visit: bring your medicines and old records", "AMB", 0, 0},
}

func (v *visit) end() time.Time { return v.at.Add(time.Duration(v.minutes) * time.Minute) }

func (v *visit) reason() string {
	switch {
	case v.ill != nil:
		return v.ill.name
	case v.work != nil:
		return fmt.Sprintf("%s, %s", v.work.name, toothName(v.work.tooth))
	}
	return visitKinds[v.kind].reason
}

// why is the reason of a visit, for the care team and the patient alike.
func (l *life) writeAppointment(v *visit) string {
	k := visitKinds[v.kind]
	booked := v.at.AddDate(0, 0, -9-l.rng.IntN(40))
	if v.kind == acute {
		booked = v.at.Add(-26 * time.Hour)
	}
	if !booked.Before(l.now) {
		booked = l.now.AddDate(0, 0, -4)
	}
	if booked.Before(l.born) {
		booked = l.born.Add(30 * time.Hour)
	}
	a := fhir.Appointment{
		ID: l.next(), Status: "fulfilled", ServiceType: one(fhir.TextConcept(k.name)), ReasonCode: one(fhir.TextConcept(v.reason())), Description: k.name,
		AppointmentType: hl7Code("v2-0276", map[bool]string{true: "WALKIN", false: "ROUTINE"}[v.kind == acute], k.name),
		Start:           instant(v.at), End: instant(v.end()), MinutesDuration: new(v.minutes), Created: instant(booked),
		Participant: []fhir.AppointmentParticipant{
			{Actor: l.me, Required: "required", Status: "accepted"},
			{Actor: l.dir.at(v.who), Required: "required", Status: "accepted"},
			{Actor: l.dir.rooms[k.room], Required: "required", Status: "accepted"},
		},
	}
	switch {
	case v.missed != "":
		a.Status = v.missed
		if v.missed == "cancelled" {
			a.CancelationReason = hl7Code("appointment-cancellation-reason", "pat", "The patient asked to cancel")
		}
	case v.at.After(l.now):
		a.Status = "booked"
		a.PatientInstruction = l.instructions(v)
		if v.at.Before(l.days(4)) {
			a.Participant[0].Status = "needs-action"
		}
	}
	return l.add(booked, a)
}

func (l *life) instructions(v *visit) string {
	switch v.kind {
	case phone:
		p := l.phone()
		return fmt.Sprintf("We will ring the number ending %s. Keep a list of questions by the phone.", p[len(p)-3:])
	case physical, review:
		return "Bring your medicines or a list of them. Wear a top with loose sleeves for the blood pressure check."
	case cleaning, dental:
		return "Eat and brush as usual. Tell us about new medicines or allergies."
	case welcome:
		return "Come 15 minutes early. Bring a photo ID, your insurance card and your medicines."
	}
	return "Please come 10 minutes early."
}

func (l *life) writeVisit(v *visit, appointment string, lab *laboratory) {
	k := visitKinds[v.kind]
	e := fhir.Encounter{
		ID: l.next(), Meta: profile("us-core-encounter"), Status: "finished",
		Identifier: []fhir.Identifier{{System: local + "visit", Value: fmt.Sprintf("V%06d", l.index*1000+int(l.n)%1000+100000)}},
		Class:      fhir.Coding{System: hl7 + "v3-ActCode", Code: k.class},
		Type:       one(fhir.TextConcept(k.name)), Subject: l.me, Appointment: []fhir.Reference{ref(appointment)},
		Participant: []fhir.EncounterParticipant{{Type: one(hl7Code("v3-ParticipationType", "PPRF", "Seen by")), Individual: l.dir.at(v.who),
			Period: &fhir.Period{Start: instant(v.at), End: instant(v.end())}}},
		Period: &fhir.Period{Start: instant(v.at), End: instant(v.end())}, ReasonCode: one(fhir.TextConcept(v.reason())),
		Location: []fhir.EncounterLocation{{Location: l.dir.rooms[k.room]}}, ServiceProvider: l.dir.practice,
		Hospitalization: &fhir.EncounterHospitalization{DischargeDisposition: hl7Code("discharge-disposition", "home", "Home")},
	}
	if k.sct != "" {
		e.Type = one(fhir.Concept(sct, k.sct, k.name))
	}
	here := fhir.Reference{Reference: "Encounter/" + e.ID, Display: k.name}
	n := &note{l: l, v: v, here: here, lab: lab}
	about := l.writeFindings(n)
	for i, c := range about {
		e.Diagnosis = append(e.Diagnosis, fhir.EncounterDiagnosis{Condition: c, Rank: new(i + 1)})
	}
	e.ReasonReference = about
	e.Meta = l.labelled(e.Meta, n.labels) // the diagnoses it names are as private as they are
	l.add(v.at, e)
	l.writeNote(n)
	l.writeBill(n, about)
}

// A note is what is written down of one visit.
type note struct {
	l         *life
	v         *visit
	here      fhir.Reference
	lab       *laboratory
	says      []string
	finds     []string
	plan      []string
	forYou    []string // the patient's part, in plain words
	labels    []string
	vitalLine string
}

// writeFindings does what is done at the visit and returns the conditions it was about.
func (l *life) writeFindings(n *note) []fhir.Reference {
	switch n.v.kind {
	case cleaning, dental:
		return l.dentalVisit(n)
	case nurse:
		n.says = append(n.says, "Feels well today. No reaction to vaccines before.")
		n.plan = append(n.plan, "Consent given, vaccine given in the left upper arm, waited 15 minutes without trouble.")
		n.forYou = append(n.forYou, "Your arm may be sore for a day or two. That is normal.")
		return nil
	}
	if n.v.kind != phone {
		l.writeVitals(n)
	}
	switch n.v.kind {
	case acute:
		return l.illVisit(n)
	case wellChild:
		l.childVisit(n)
	case prenatal:
		l.prenatalVisit(n)
	case physical:
		n.says = append(n.says, "Here for the yearly check. "+pick(l, []string{"No new worries.", "Feels well in general.", "Wants to go over the year and the blood tests."}))
		n.finds = append(n.finds, "Heart sounds normal, chest clear, belly soft, no swelling of the legs. Skin checked.")
		n.plan = append(n.plan, "Screening and vaccines reviewed and brought up to date.")
		l.writeHabits(n)
	case phone:
		n.says = append(n.says, "Call by phone; name and date of birth confirmed.")
	}
	return l.reviewConditions(n)
}

// reviewConditions goes through what the person lives with; a check-up looks at all, another visit at what needs seeing often.
func (l *life) reviewConditions(n *note) (about []fhir.Reference) {
	for _, h := range l.conds {
		if h.dental || h.since.After(n.v.at) || len(h.plan[0]) == 0 || n.v.kind != physical && (h.months == 0 || h.months >= 12) && h.key != "pregnancy" {
			continue
		}
		state, measured := l.control(h, n)
		about = append(about, fhir.Reference{Reference: h.ref, Display: h.name})
		n.says = append(n.says, pick(l, h.says))
		n.plan = append(n.plan, h.name+measured+": "+pick(l, strings.Split(h.plan[state], "|")))
		n.labels = union(n.labels, h.labels)
		if len(h.labels) > 0 && h.control != "" {
			l.writeScore(n, h)
		}
	}
	l.medicineChanges(n)
	if len(about) > 0 {
		n.forYou = append(n.forYou, pick(l, []string{"Keep taking your medicines as the labels say.", "Carry on with your plan. Call us if something changes.", "You are doing the right things. Write to us if you have questions."}))
	}
	return about
}

// medicineChanges writes down what began and ended at the visit.
func (l *life) medicineChanges(n *note) {
	for _, t := range l.meds {
		switch {
		case t.from.Equal(n.v.end()):
			n.plan = append(n.plan, "Started today: "+t.name+". "+t.use)
			n.forYou = append(n.forYou, "You have a new medicine: "+t.name+".")
			n.labels = union(n.labels, t.labels)
		case t.until.Equal(n.v.end()):
			n.plan = append(n.plan, "Stopped today: "+t.name+". "+t.stop+".")
			n.labels = union(n.labels, t.labels)
		}
	}
}

// control says how a condition goes: 0 well, 1 nearly, 2 badly, and the measurement as words.
func (l *life) control(h held, n *note) (int, string) {
	if h.control == "" {
		return 0, ""
	}
	var v float64
	words := ""
	if t := testOf(h.control); t != nil {
		m, ok := n.lab.last(h.control)
		if !ok {
			return 1, ""
		}
		v = m.value
		words = fmt.Sprintf(" (%s %s %s on %s)", t.name, decimal(v, t.places), t.unit, m.at.Format("Jan 2"))
	} else if h.control == "systolic" && n.v.kind == phone {
		return 0, ""
	} else {
		v = n.lab.sign(h.control)
		if v == 0 {
			v = round(l.sign(h.control, l.yearsAgo(n.v.at)), 0)
			n.lab.note(h.control, v, n.v.at)
		}
	}
	better := func(limit float64) bool {
		if h.good > h.poor {
			return v >= limit
		}
		return v <= limit
	}
	switch {
	case better(h.good):
		return 0, words
	case better(h.poor):
		return 1, words
	}
	return 2, words
}

func union(a, b []string) []string {
	for _, s := range b {
		if !strings.Contains(" "+strings.Join(a, " ")+" ", " "+s+" ") {
			a = append(a, s)
		}
	}
	return a
}

func (l *life) illVisit(n *note) []fhir.Reference {
	ill := n.v.ill
	n.says = append(n.says, ill.says)
	n.finds = append(n.finds, ill.finds)
	n.plan = append(n.plan, ill.plan)
	over := n.v.at.AddDate(0, 0, ill.days)
	c := fhir.Condition{
		ID: l.next(), Meta: profile("us-core-condition-encounter-diagnosis"), ClinicalStatus: bare("condition-clinical", "resolved"),
		VerificationStatus: bare("condition-ver-status", "confirmed"), Category: one(hl7Code("condition-category", "encounter-diagnosis", "Visit diagnosis")),
		Code:    fhir.CodeableConcept{Text: ill.name, Coding: []fhir.Coding{{System: sct, Code: ill.sct, Display: ill.name}, {System: icd, Code: ill.icd, Display: ill.name}}},
		Subject: l.me, Encounter: n.here, OnsetDateTime: day(later(n.v.at.AddDate(0, 0, -3), l.born)), AbatementDateTime: day(over), RecordedDate: day(n.v.at), Recorder: l.dir.at("nair"),
	}
	if over.After(l.now) {
		c.ClinicalStatus, c.AbatementDateTime = bare("condition-clinical", "active"), ""
	}
	about := fhir.Reference{Reference: l.add(n.v.at, c), Display: ill.name}
	if m := l.treatment(ill); m != "" {
		med := medicineOf(m)
		l.prescribe(med, n.v.end(), n.v.end().AddDate(0, 0, med.days), about, nil)
		n.plan = append(n.plan, "Prescribed: "+med.name+". "+med.use)
	}
	if ill.test != nil {
		l.writeQuickTest(n, ill.test)
	}
	n.forYou = append(n.forYou, "Rest and drink plenty. Call us if you feel worse or are not better in a week.")
	return []fhir.Reference{about}
}

// writeNote files the visit's note, as plain text.
func (l *life) writeNote(n *note) {
	var b strings.Builder
	k := visitKinds[n.v.kind]
	fmt.Fprintf(&b, "%s, %s\n%s, %s\n", k.name, said(n.v.at), workerOf(n.v.who).name(), workerOf(n.v.who).title)
	part := func(title string, lines []string) {
		if len(lines) > 0 {
			b.WriteString("\n" + title + "\n")
			for _, s := range lines {
				b.WriteString(s + "\n")
			}
		}
	}
	part("Reason", []string{upper(n.v.reason())})
	part("What you told us", n.says)
	if n.vitalLine != "" {
		n.finds = append([]string{n.vitalLine}, n.finds...)
	}
	part("What we found", n.finds)
	part("Assessment and plan", n.plan)
	part("For you", n.forYou)
	code, title := "11506-3", "Visit note"
	switch n.v.kind {
	case physical, wellChild:
		code, title = "34117-2", "Check-up note"
	case cleaning, dental:
		title = "Dental note"
	}
	signed := n.v.end().Add(40 * time.Minute)
	if signed.After(l.now) {
		signed = n.v.end()
	}
	l.writeDocument(document{at: signed, code: code, title: title, text: b.String(), who: l.dir.at(n.v.who), visit: n.here, labels: n.labels, period: &fhir.Period{Start: instant(n.v.at), End: instant(n.v.end())}})
}

// A document is a DocumentReference to be: a text of ours, or a file.
type document struct {
	at          time.Time
	code, title string
	text        string
	file        *File
	who         fhir.Reference
	visit       fhir.Reference
	labels      []string
	period      *fhir.Period
}

func (l *life) writeDocument(d document) string {
	kind := fhir.TextConcept(d.title)
	if d.code != "" {
		kind = fhir.Concept(loinc, d.code, d.title)
	}
	att := &fhir.Attachment{ContentType: "text/plain; charset=utf-8", Title: d.title, Creation: instant(d.at)}
	if d.file != nil {
		att.ContentType, att.URL, att.Size = d.file.ContentType, d.file.Ref, new(len(d.file.Bytes))
		att.Hash = sha1base64(d.file.Bytes)
	} else {
		att.Data = base64.StdEncoding.EncodeToString([]byte(d.text))
		att.Size = new(len(d.text))
	}
	sort := fhir.Concept("http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category", "clinical-note", "Clinical note")
	if d.file != nil && strings.HasPrefix(d.file.ContentType, "image/") {
		sort = fhir.Concept(loinc, "18748-4", "Diagnostic imaging study")
	}
	r := fhir.DocumentReference{
		ID: l.next(), Meta: l.labelled(profile("us-core-documentreference"), d.labels), Status: "current", DocStatus: "final", Type: kind,
		Category: one(sort),
		Subject:  l.me, Date: instant(d.at), Author: []fhir.Reference{d.who}, Custodian: l.dir.practice, Description: d.title,
		Content: []fhir.DocumentReferenceContent{{Attachment: att}},
	}
	r.Identifier = []fhir.Identifier{{System: local + "document", Value: r.ID}}
	if d.visit.Reference != "" || d.period != nil {
		r.Context = &fhir.DocumentReferenceContext{Period: d.period}
		if d.visit.Reference != "" {
			r.Context.Encounter = []fhir.Reference{d.visit}
		}
	}
	return l.add(d.at, r)
}
