package demo

import (
	"encoding/base64"
	"time"

	"github.com/wellgate/wellgate/fhir"
)

// This file: chapters that belong to one person only.

func (l *life) writeSpecial() {
	switch l.special {
	case "amina":
		l.chapterAmina()
	case "miguel":
		l.chapterMiguel()
	case "yusuf":
		l.chapterYusuf()
	case "teen":
		l.chapterTeen()
	case "sensitive":
		l.chapterSensitive()
	case "messy":
		l.chapterMessy()
	}
}

func (l *life) chapterAmina() {
	began := "last week"
	for _, t := range l.meds {
		if t.key == "amlodipine5" {
			began = "on " + t.from.Weekday().String()
		}
	}
	l.writeThread(thread{"Dizzy on the new tablets", 3, true, []line{
		{"me", 0, "I started the amlodipine " + began + ". I feel a bit dizzy when I stand up. Should I stop?"},
		{"okafor", 1.1, "Thanks for telling us, Amina. Feeling a bit dizzy in the first week is common and usually passes. Please don’t stop them. Take the tablet at bedtime, and stand up slowly. Have you fainted or fallen?"},
		{"me", 4.3, "No fainting or falls. I’ll try bedtime from tonight. Thank you!"},
		{"okafor", 25, "Thanks Amina, that’s helpful. Please measure your blood pressure at home for a week, morning and evening. Dr. Nair will go over it with you on the phone."},
	}})
	for i := range 8 { // readings from home
		at := time.Date(l.now.Year(), l.now.Month(), l.now.Day(), 7, 5+i, 0, 0, l.now.Location()).AddDate(0, 0, i-8)
		r := l.bloodPressure(at, fhir.Reference{}, l.me, float64(130-i+l.rng.IntN(5)), float64(81-i/2+l.rng.IntN(3)))
		l.tagHome(r)
	}
	l.task(l.days(-2), "Call us to order your metformin again", "You have about 5 days left. You cannot order it on this site yet.", l.days(5), "requested")
	l.task(l.days(-1), "Write down your questions for Dr. Nair", "Keep the list by the phone for your call.", l.days(2), "requested")
	l.task(l.days(-1), "Have your blood pressure readings ready", "Dr. Nair goes over them with you on the phone.", l.days(1), "requested")
	at := l.days(-1)
	if d := workday(at, true); !d.Equal(at) {
		at = d
	}
	sample := l.add(at, fhir.Specimen{ID: l.next(), Meta: profile("us-core-specimen"), Status: "available", Type: fhir.Concept(sct, "122575003", "Urine"), Subject: l.me,
		Collection: &fhir.SpecimenCollection{CollectedDateTime: instant(at)}})
	l.add(at, fhir.DiagnosticReport{ // still at the laboratory
		ID: l.next(), Meta: profile("us-core-diagnosticreport-lab"), Status: "registered", Category: one(labReportKind), Code: fhir.Concept(loinc, "24356-8", "Urine test"), Subject: l.me,
		EffectiveDateTime: instant(at), Issued: instant(at), Performer: []fhir.Reference{l.dir.at("lab")}, Specimen: []fhir.Reference{ref(sample)},
	})
}

// tagHome marks a reading as the patient's own.
func (l *life) tagHome(ref string) {
	d := &l.record[len(l.record)-1]
	m := profile("us-core-blood-pressure")
	m.Tag = []fhir.Coding{{System: local + "source", Code: "patient-reported", Display: "Measured at home"}}
	r, err := d.r.With("meta", m)
	if err != nil || d.r.Ref() != ref {
		l.err = err
		return
	}
	d.r = r
}

func (l *life) chapterMiguel() {
	l.writeThread(thread{"Crown: price and dates", 9, true, []line{
		{"me", 0, "Dr. Osei said I need a crown after the root canal. How much do I have to pay, and when can I come?"},
		{"vega", 2.2, "Hello Miguel. The crown is $1,240.00 and your plan pays about half. The price is in your dental plan on this site. I found a time and put it in your appointments."},
		{"me", 5, "Great. Can I pay in three parts?"},
		{"brannigan", 23, "Yes, you can. Choose “pay in parts” on the bill when it comes."},
	}})
	l.task(l.days(-8), "Come in to sign Mateo’s asthma plan", "It is at the front desk. The school nurse needs it before the new term.", l.days(9), "requested")
}

func (l *life) chapterYusuf() {
	l.writeThread(thread{"قراءات الوزن والأدوية", 5, false, []line{
		{"kin", 0, "السلام عليكم. هذه ليلى، ابنة يوسف. زاد وزن والدي رطلين منذ الأمس. هل نغيّر حبة الماء؟"},
		{"okafor", 1.6, "Hello Layla, thank you. Two pounds is inside his limit. Please give the same dose, weigh him again tomorrow morning, and call us at once if it is three pounds or more, or if breathing gets harder."},
		{"kin", 23, "شكراً. وزنه اليوم عاد كما كان."},
	}})
	l.task(l.days(-4), "Bring all medicine boxes to your visit", "We check together that each one is still right for you.", l.days(20), "requested")
	l.writeDischarge(2.17)
}

// writeDischarge is a hospital stay and what came of it.
func (l *life) writeDischarge(yearsAgo float64) {
	at := l.ago(yearsAgo)
	out := at.AddDate(0, 0, 5)
	e := fhir.Encounter{
		ID: l.next(), Meta: profile("us-core-encounter"), Status: "finished", Class: fhir.Coding{System: hl7 + "v3-ActCode", Code: "IMP"}, Type: one(fhir.TextConcept("Hospital stay")), Subject: l.me,
		Identifier: []fhir.Identifier{{System: local + "visit", Value: "H" + at.Format("060102")}},
		Period:     &fhir.Period{Start: instant(at), End: instant(out)}, ReasonCode: one(fhir.TextConcept("Short of breath and swollen legs")), ServiceProvider: l.dir.at("heart"),
		Participant: []fhir.EncounterParticipant{{Type: one(hl7Code("v3-ParticipationType", "REF", "Sent by")), Individual: l.dir.at("nair"), Period: &fhir.Period{Start: instant(at)}}},
		Location:    []fhir.EncounterLocation{{Location: l.dir.rooms[0]}}, Hospitalization: &fhir.EncounterHospitalization{DischargeDisposition: hl7Code("discharge-disposition", "home", "Home")},
		Diagnosis: []fhir.EncounterDiagnosis{{Condition: l.condRef("heartfailure"), Rank: new(1)}},
	}
	visit := ref(l.add(at, e))
	l.writeDocument(document{at: out, code: "18842-5", title: "Hospital discharge summary", who: l.dir.at("heart"), visit: visit, period: e.Period, text: `Hospital discharge summary

Reason for the stay
Short of breath for a week, swelling of both legs, weight up 11 pounds.

What was found
Fluid on the lungs. Ultrasound of the heart: pumping strength 38 percent. Atrial fibrillation with a fast rate. Creatinine 1.6, stable.

What was done
Water tablet through a vein for three days, then by mouth. Rate slowed with metoprolol. Amlodipine stopped because of leg swelling.

At discharge
Walks on the ward without oxygen. Weight 178 pounds.

What comes next
Weigh every morning. Blood test in one week at the practice. Heart clinic in six weeks.
`})
}

// chapterTeen is the part of a teenager's record that parents do not see by default.
func (l *life) chapterTeen() {
	at := workday(l.days(-54), true)
	v := visit{at: time.Date(at.Year(), at.Month(), at.Day(), 15, 40, 0, 0, at.Location()), kind: review, who: "nair", minutes: 20}
	labels := []string{"SEX"}
	e := fhir.Encounter{
		ID: l.next(), Meta: l.labelled(profile("us-core-encounter"), labels), Status: "finished", Class: fhir.Coding{System: hl7 + "v3-ActCode", Code: "AMB"}, Type: one(fhir.Concept(sct, "390906007", "Follow-up visit")), Subject: l.me,
		Identifier: []fhir.Identifier{{System: local + "visit", Value: "V" + at.Format("060102")}},
		Period:     &fhir.Period{Start: instant(v.at), End: instant(v.end())}, ReasonCode: one(fhir.TextConcept("Private talk")), ServiceProvider: l.dir.practice,
		Participant: []fhir.EncounterParticipant{{Type: one(hl7Code("v3-ParticipationType", "PPRF", "Seen by")), Individual: l.dir.at("nair"), Period: &fhir.Period{Start: instant(v.at)}}},
		Location:    []fhir.EncounterLocation{{Location: l.dir.rooms[0]}},
	}
	visit := ref(l.add(v.at, e))
	l.writeDocument(document{at: v.end(), code: "11506-3", title: "Visit note", who: l.dir.at("nair"), visit: visit, labels: labels, text: `Follow-up visit, ` + said(v.at) + `
Dr. Priya Nair, Family doctor

What you told us
Came alone and asked for advice about contraception. Has a boyfriend of the same age, no pressure. Safe at home.

What we found
Blood pressure normal. No reason against hormonal methods.

Assessment and plan
Choices explained with a leaflet. Wants to think it over. Emergency contraception and condoms explained. Knows that this visit is private under state law and that we would only tell others if she were in danger.

For you
You can write to me here at any time.
`, period: e.Period})
}

func (l *life) chapterSensitive() {
	for _, d := range l.draws { // the viral load goes with each CD4 count
		if len(d.panels) == 0 || d.panels[0] != "cd4" {
			continue
		}
		o := fhir.Observation{
			ID: l.next(), Meta: l.labelled(profile("us-core-observation-lab"), []string{"HIV"}), Status: "final", Category: one(labCategory), Code: fhir.Concept(loinc, "20447-9", "HIV viral load"),
			Subject: l.me, EffectiveDateTime: instant(d.at), Issued: instant(workdayAfter(d.at)), Performer: []fhir.Reference{l.dir.at("lab")},
			ValueQuantity: &fhir.Quantity{Value: "20", Comparator: "<", Unit: "copies/mL", System: ucum, Code: "{copies}/mL"}, Interpretation: one(hl7Code("v3-ObservationInterpretation", "N", "Normal")),
			ReferenceRange: []fhir.ObservationReferenceRange{{Text: "Not detected, or below 20"}},
		}
		if workdayAfter(d.at).After(l.now) {
			continue
		}
		r := ref(l.add(d.at, o))
		l.add(workdayAfter(d.at), fhir.DiagnosticReport{
			ID: l.next(), Meta: l.labelled(profile("us-core-diagnosticreport-lab"), []string{"HIV"}), Status: "final", Category: one(labReportKind), Code: fhir.Concept(loinc, "20447-9", "HIV viral load"), Subject: l.me,
			EffectiveDateTime: instant(d.at), Issued: instant(workdayAfter(d.at)), Performer: []fhir.Reference{l.dir.at("lab")}, Result: []fhir.Reference{r},
		})
	}
	at := workday(l.days(-400), true)
	l.writeDocument(document{at: at, code: "11488-4", title: "Counseling summary", who: l.dir.at("nair"), labels: []string{"ETH", "PSY"}, text: `Counseling summary, ` + said(at) + `

Completed twelve months of group and single sessions. Not drinking since the first month. Names three people to call on hard days. Talked about violence in an earlier relationship; safe now and does not want it in letters to others.

Plan
Tuesday group goes on. Naltrexone ended as agreed. Door open at any time.
`})
	l.writeDocument(document{at: at.AddDate(0, 1, 3), code: "11506-3", title: "Safety talk", who: l.dir.at("nair"), labels: []string{"SDV"}, text: `Safety talk, ` + said(at.AddDate(0, 1, 3)) + `

Earlier partner violence. Lives alone now, locks changed, has the helpline number. No risk at present. Please do not mention on the phone or in letters.
`})
}

// chapterMessy is what real records are like after a move: gaps, odd words, mistakes that were taken back.
func (l *life) chapterMessy() {
	lab := func(at time.Time, code fhir.CodeableConcept, set func(*fhir.Observation)) {
		o := fhir.Observation{ID: l.next(), Status: "final", Category: one(labCategory), Code: code, Subject: l.me, EffectiveDateTime: day(at)}
		set(&o)
		l.add(at, o)
	}
	old := l.ago(4.7)
	lab(old, fhir.TextConcept("VIT B-12 (SERUM)"), func(o *fhir.Observation) { o.ValueQuantity = &fhir.Quantity{Value: "412"} })                                         // no unit
	lab(old, fhir.Concept("urn:oid:2.16.840.1.113883.3.9999.1", "LYT-77", "LYTES MISC"), func(o *fhir.Observation) { o.ValueString = "see comment; hemolyzed, slight" }) // unknown code, words only
	lab(old.AddDate(0, 2, 0), fhir.Concept(loinc, "2951-2", "Sodium"), func(o *fhir.Observation) {
		o.ValueQuantity = quantity(139, 0, "mmol/L", "mmol/L") // no range
		o.EffectiveDateTime = fhir.DateTime(old.AddDate(0, 2, 0).Format("2006-01"))
	})
	lab(old.AddDate(0, 3, 0), fhir.Concept(loinc, "1988-5", "C-reactive protein (CRP)"), func(o *fhir.Observation) {
		o.ValueQuantity = &fhir.Quantity{Value: "0.1", Comparator: "<", Unit: "mg/dL", System: ucum, Code: "mg/dL"}
		o.ReferenceRange = []fhir.ObservationReferenceRange{{Text: "< 0.8"}}
	})
	lab(old.AddDate(0, 3, 0), fhir.Concept(loinc, "2823-3", "Potassium"), func(o *fhir.Observation) {
		o.Status = "entered-in-error"
		o.ValueQuantity = quantity(9.8, 1, "mmol/L", "mmol/L")
	})
	lab(old.AddDate(0, 3, 0), fhir.Concept(loinc, "2823-3", "Potassium"), func(o *fhir.Observation) {
		o.Status = "corrected"
		o.ValueQuantity = quantity(4.3, 1, "mmol/L", "mmol/L")
		o.Note = []fhir.Annotation{{Text: "Replaces an earlier value; sample mix-up at the old practice."}}
	})
	lab(old.AddDate(0, 5, 0), fhir.Concept(loinc, "3016-3", "Thyroid stimulating hormone (TSH)"), func(o *fhir.Observation) {
		o.DataAbsentReason = hl7Code("data-absent-reason", "error", "Sample could not be tested")
	})
	lab(old.AddDate(0, 6, 0), fhir.CodeableConcept{Coding: []fhir.Coding{{System: loinc, Code: "2345-7"}}}, func(o *fhir.Observation) { // a code without a name
		o.Status = "preliminary"
		o.ValueQuantity = quantity(101, 0, "mg/dL", "mg/dL")
		o.ReferenceRange = []fhir.ObservationReferenceRange{{Text: "65-99 fasting"}}
	})
	l.add(old, fhir.Condition{
		ID: l.next(), ClinicalStatus: bare("condition-clinical", "active"), VerificationStatus: bare("condition-ver-status", "unconfirmed"),
		Category: one(hl7Code("condition-category", "problem-list-item", "Problem list")), Code: fhir.TextConcept("Hx kidney stone ?L side"), Subject: l.me, OnsetDateTime: fhir.DateTime(l.ago(19).Format("2006")),
	})
	l.add(old, fhir.Condition{
		ID: l.next(), VerificationStatus: bare("condition-ver-status", "entered-in-error"), Category: one(hl7Code("condition-category", "problem-list-item", "Problem list")),
		Code: fhir.Concept(sct, "44054006", "Type 2 diabetes"), Subject: l.me, RecordedDate: day(old), Note: []fhir.Annotation{{Text: "Entered in the wrong chart. Taken back."}},
	})
	l.add(old, fhir.AllergyIntolerance{
		ID: l.next(), VerificationStatus: bare("allergyintolerance-verification", "entered-in-error"), Code: fhir.TextConcept("Strawberries"), Patient: l.me,
	})
	l.add(old, fhir.MedicationRequest{ // words only, no date, status not known
		ID: l.next(), Status: "unknown", Intent: "order", MedicationCodeableConcept: &fhir.CodeableConcept{Text: "water pill (name not recorded)"}, Subject: l.me,
	})
	l.add(old, fhir.Immunization{
		ID: l.next(), Status: "completed", VaccineCode: fhir.TextConcept("Tetanus, brand not recorded"), Patient: l.me, OccurrenceString: "about ten years ago",
	})
	text := "TRANSFERRED NOTE\nformat lost in transfer -- page 1 of 2\nPt seen for f/u HTN. BP ok. cont meds. RTC 6m\n"
	l.add(old, fhir.DocumentReference{
		ID: l.next(), Status: "current", Type: fhir.TextConcept("Scanned note"), Subject: l.me,
		Content: []fhir.DocumentReferenceContent{{Attachment: &fhir.Attachment{ContentType: "text/plain", Data: base64.StdEncoding.EncodeToString([]byte(text))}}},
	})
	l.add(old, fhir.DiagnosticReport{
		ID: l.next(), Status: "final", Code: fhir.TextConcept("XR CHEST 2V"), Subject: l.me, EffectiveDateTime: fhir.DateTime(old.Format("2006")),
		Conclusion: "Heart size upper normal. Lungs clear.",
	})
}
