package demo

import (
	"fmt"
	"slices"
	"time"

	"github.com/wellgate/wellgate/fhir"
)

// This file: who the patient is, who stands by them, what is known of them for good.

// A held is a condition with the resource it became.
type held struct {
	*condition
	ref   string
	since time.Time
}

// A taken is a medicine with the request it became.
type taken struct {
	*medicine
	ref    string
	from   time.Time
	until  time.Time // zero = still
	reason fhir.Reference
	labels []string
}

// write makes the whole record.
func (l *life) write() {
	l.writePatient()
	l.writeKin()
	l.writeCoverage()
	l.writeConditions()
	l.writeAllergies()
	l.writeTeam()
	l.writeMedicines()
	l.writeVaccines()
	l.writeHistory()
	if l.special == "new" {
		return
	}
	l.writePlans()
	l.writeMessages()
	l.writeLetters()
	l.writeSpecial()
}

func (l *life) writePatient() {
	p := fhir.Patient{
		ID: l.ref[len("Patient/"):], Meta: profile("us-core-patient"), Active: new(true),
		Extension: []fhir.Extension{raceOf(l.race), ethnicityOf(l.hispanic), {URL: usCore + "us-core-birthsex", ValueCode: map[byte]string{'f': "F", 'm': "M"}[l.sex]}},
		Identifier: []fhir.Identifier{{Use: "usual", Type: hl7Code("v2-0203", "MR", "Medical record number"),
			System: "https://willowbrook.example.com/mrn", Value: l.number(), Assigner: fhir.Reference{Display: practiceName}}},
		Name:                 []fhir.HumanName{{Use: "official", Text: l.called(), Family: l.family, Given: []string{l.given}}},
		Gender:               map[byte]string{'f': "female", 'm': "male"}[l.sex],
		BirthDate:            day(l.born),
		Address:              []fhir.Address{l.home()},
		GeneralPractitioner:  []fhir.Reference{l.dir.at("nair")},
		ManagingOrganization: l.dir.practice,
	}
	if l.native != "" {
		p.Name = append(p.Name, fhir.HumanName{Text: l.native, Family: l.nativeFamily, Given: []string{l.nativeGiven}})
	}
	if l.age() >= 13 {
		p.Telecom = []fhir.ContactPoint{{System: "phone", Value: l.phone(), Use: "mobile", Rank: new(1)}, {System: "email", Value: l.email(), Use: "home"}}
	}
	if l.age() >= 18 {
		p.MaritalStatus = hl7Code("v3-MaritalStatus", "UNK", "Not asked")
	}
	for _, k := range l.kin {
		p.Contact = append(p.Contact, fhir.PatientContact{
			Relationship: one(hl7Code("v2-0131", "C", "Emergency contact")), Name: &fhir.HumanName{Text: k.name},
			Telecom: []fhir.ContactPoint{{System: "phone", Value: k.phone, Use: "mobile"}},
		})
	}
	lang := l.lang
	if lang == "" {
		lang = "en"
	}
	p.Communication = []fhir.PatientCommunication{{Language: language(lang), Preferred: new(true)}}
	r, err := fhir.New(p)
	if err != nil {
		l.err = fmt.Errorf("demo: author patient %s: %w", l.key, err)
	}
	l.whole = r
}

func raceOf(code string) fhir.Extension {
	text := map[string]string{"2106-3": "White", "2054-5": "Black or African American", "2028-9": "Asian", "2131-1": "Other Race"}[code]
	e := fhir.Extension{URL: usCore + "us-core-race"}
	if code != "2131-1" {
		e.Extension = []fhir.Extension{{URL: "ombCategory", ValueCoding: &fhir.Coding{System: "urn:oid:2.16.840.1.113883.6.238", Code: code, Display: text}}}
	}
	e.Extension = append(e.Extension, fhir.Extension{URL: "text", ValueString: text})
	return e
}

func ethnicityOf(hispanic bool) fhir.Extension {
	code, text := "2186-5", "Not Hispanic or Latino"
	if hispanic {
		code, text = "2135-2", "Hispanic or Latino"
	}
	return fhir.Extension{URL: usCore + "us-core-ethnicity", Extension: []fhir.Extension{
		{URL: "ombCategory", ValueCoding: &fhir.Coding{System: "urn:oid:2.16.840.1.113883.6.238", Code: code, Display: text}},
		{URL: "text", ValueString: text},
	}}
}

var streets = []string{"Alder Street", "Birch Road", "Canal Street", "Depot Street", "Elm Court", "Foundry Lane", "Granary Way", "Harbor Road"}

func (l *life) home() fhir.Address {
	return fhir.Address{Use: "home", Line: []string{fmt.Sprintf("%d %s", 11+l.house*14, streets[l.house%len(streets)])}, City: town, State: state, PostalCode: "53999", Country: "US"}
}

func (l *life) writeKin() {
	for _, k := range l.kin {
		relation := map[string]string{"mother": "MTH", "father": "FTH", "daughter": "DAUC", "son": "SONC"}[k.is]
		l.add(l.since(), fhir.RelatedPerson{
			ID: l.next(), Meta: profile("us-core-relatedperson"), Active: new(true), Patient: l.me,
			Relationship: one(hl7Code("v3-RoleCode", relation, upper(k.is))),
			Name:         []fhir.HumanName{{Text: k.name}},
			Telecom:      []fhir.ContactPoint{{System: "phone", Value: k.phone, Use: "mobile"}},
		})
	}
}

func (l *life) writeCoverage() {
	payer := l.payer
	start := l.since().AddDate(0, 0, 1)
	subscriber := hl7Code("subscriber-relationship", "self", "Self")
	if l.age() < 18 {
		subscriber = hl7Code("subscriber-relationship", "child", "Child")
	}
	cover := func(kind, who, class string) fhir.Reference {
		return ref(l.add(start, fhir.Coverage{
			ID: l.next(), Meta: profile("us-core-coverage"), Status: "active", Type: hl7Code("v3-ActCode", kind, map[string]string{"EHCPOL": "Health plan", "DENTPRG": "Dental plan"}[kind]),
			SubscriberID: fmt.Sprintf("D%07d", 4100000+l.index*733), Beneficiary: l.me,
			Relationship: subscriber, Period: &fhir.Period{Start: day(start)}, Payor: []fhir.Reference{l.dir.at(who)},
			Identifier: []fhir.Identifier{{Type: hl7Code("v2-0203", "MB", "Member number"), System: "https://plans.example.com/member", Value: fmt.Sprintf("M%07d", 5200000+l.index*917)}},
			Class:      []fhir.CoverageClass{{Type: hl7Code("coverage-class", "plan", "Plan"), Value: class, Name: class}},
		}))
	}
	l.insure = cover("EHCPOL", fmt.Sprint("payer", payer), []string{"Prairie Silver", "Lakeland Plus", "Senior Care B", "Family Standard"}[payer])
	if l.teeth != noDentist {
		cover("DENTPRG", "dentalpayer", "Heartland Basic")
	}
}

func (l *life) writeConditions() {
	for _, h := range l.has {
		c := conditionOf(h.what)
		l.hold(c, l.ago(h.since))
	}
}

// hold enters a lasting condition in the problem list.
func (l *life) hold(c *condition, since time.Time) held {
	onset := day(since)
	if c.yearOnly {
		onset = fhir.DateTime(since.Format("2006"))
	} else if since.Before(l.since()) {
		onset = fhir.DateTime(since.Format("2006-01"))
	}
	who := "nair"
	if c.dental {
		who = "osei"
	}
	r := fhir.Condition{
		ID: l.next(), Meta: l.labelled(profile("us-core-condition-problems-health-concerns"), c.labels),
		ClinicalStatus: bare("condition-clinical", "active"), VerificationStatus: bare("condition-ver-status", "confirmed"),
		Category: one(hl7Code("condition-category", "problem-list-item", "Problem list")),
		Code: fhir.CodeableConcept{Text: c.name, Coding: []fhir.Coding{
			{System: sct, Code: c.sct, Display: c.name}, {System: icd, Code: c.icd, Display: c.name}}},
		Subject: l.me, OnsetDateTime: onset, RecordedDate: day(later(since, l.since())), Recorder: l.dir.at(who), Asserter: l.dir.at(who),
	}
	if c.key == "alcohol" {
		r.ClinicalStatus = bare("condition-clinical", "remission")
	}
	h := held{c, l.add(since, r), since}
	l.conds = append(l.conds, h)
	return h
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// labelled adds sensitivity labels to a resource's meta, and remembers that the record holds them.
func (l *life) labelled(m *fhir.Meta, labels []string) *fhir.Meta {
	if len(labels) == 0 {
		return m
	}
	out := &fhir.Meta{}
	if m != nil {
		out.Profile = m.Profile
	}
	out.Security = []fhir.Coding{{System: hl7 + "v3-Confidentiality", Code: "R", Display: "restricted"}}
	for _, s := range labels {
		out.Security = append(out.Security, fhir.Coding{System: hl7 + "v3-ActCode", Code: s})
		if !slices.Contains(l.labels, s) {
			l.labels = append(l.labels, s)
			slices.Sort(l.labels)
		}
	}
	return out
}

// condRef is the reference to a condition of the record; the zero reference if there is none.
func (l *life) condRef(key string) fhir.Reference {
	for _, h := range l.conds {
		if h.key == key {
			return fhir.Reference{Reference: h.ref, Display: h.name}
		}
	}
	return fhir.Reference{}
}

func (l *life) writeAllergies() {
	at := later(l.since(), l.born.AddDate(0, 5, 0))
	if at.After(l.now) {
		at = l.born.AddDate(0, 0, 3)
	}
	if len(l.allergic) == 0 && l.special != "new" {
		l.add(at, fhir.AllergyIntolerance{
			ID: l.next(), Meta: profile("us-core-allergyintolerance"), ClinicalStatus: bare("allergyintolerance-clinical", "active"),
			VerificationStatus: bare("allergyintolerance-verification", "confirmed"),
			Code:               fhir.Concept(sct, "716186003", "No known allergies"), Patient: l.me, RecordedDate: day(at), Recorder: l.dir.at("okafor"),
		})
	}
	for _, key := range l.allergic {
		for i := range allergens {
			if allergens[i].key == key {
				l.allergy(&allergens[i], at)
			}
		}
	}
}

func (l *life) allergy(a *allergen, at time.Time) {
	coded := func(code, text string) fhir.CodeableConcept {
		if code == "" {
			return fhir.TextConcept(text)
		}
		return fhir.CodeableConcept{Coding: []fhir.Coding{{System: sct, Code: code}}, Text: text}
	}
	r := fhir.AllergyIntolerance{
		ID: l.next(), Meta: profile("us-core-allergyintolerance"), ClinicalStatus: bare("allergyintolerance-clinical", "active"),
		VerificationStatus: bare("allergyintolerance-verification", "confirmed"), Type: a.kind, Category: []string{a.category}, Criticality: a.criticality,
		Code: coded(a.sct, a.name), Patient: l.me, RecordedDate: day(at), Recorder: l.dir.at("okafor"),
		Reaction: []fhir.AllergyIntoleranceReaction{{Manifestation: one(coded(a.reactionSCT, a.reaction)), Severity: a.severity}},
	}
	if l.age() > 25 {
		r.OnsetDateTime = fhir.DateTime(l.born.AddDate(9+l.index%8, 0, 0).Format("2006"))
	}
	if a.note != "" {
		r.Note = []fhir.Annotation{{Text: a.note}}
	}
	l.add(at, r)
}

func (l *life) writeTeam() {
	member := func(key, role string) fhir.CareTeamParticipant {
		return fhir.CareTeamParticipant{Role: one(fhir.TextConcept(role)), Member: l.dir.at(key)}
	}
	t := fhir.CareTeam{
		ID: l.next(), Meta: profile("us-core-careteam"), Status: "active", Name: "Your care team", Subject: l.me,
		Period: &fhir.Period{Start: day(l.since())}, ManagingOrganization: []fhir.Reference{l.dir.practice},
		Participant: []fhir.CareTeamParticipant{member("nair", "Family doctor"), member("okafor", "Nurse")},
	}
	if l.teeth != noDentist {
		t.Participant = append(t.Participant, member("osei", "Dentist"), member("lindqvist", "Dental hygienist"))
	}
	t.Participant = append(t.Participant, fhir.CareTeamParticipant{Role: one(fhir.TextConcept("Patient")), Member: l.me})
	l.team = ref(l.add(l.since(), t))
}

func (l *life) writeMedicines() {
	for _, t := range l.takes {
		m := medicineOf(t.what)
		from, until := l.visitAfter(l.ago(t.from)), time.Time{}
		if t.until > 0 {
			until = l.visitAfter(l.ago(t.until))
		}
		c := conditionOf(t.why)
		l.prescribe(m, from, until, l.condRef(t.why), c.labels)
	}
}

// visitAfter is the end of the first visit to the doctor within ten weeks after d, or d itself: medicines change at visits.
func (l *life) visitAfter(d time.Time) time.Time {
	for i := range l.visits {
		v := &l.visits[i]
		if v.who != "nair" || v.missed != "" || v.at.Before(d) {
			continue
		}
		if v.at.Before(l.now) && v.at.Before(d.AddDate(0, 0, 70)) {
			return v.end()
		}
		break
	}
	return d
}

// prescribe enters one medicine. A zero until means that it is still taken.
func (l *life) prescribe(m *medicine, from, until time.Time, why fhir.Reference, labels []string) {
	who := "nair"
	if m.key == "chlorhexidine" {
		who = "osei"
	}
	what := fhir.CodeableConcept{Text: m.name}
	if m.rx != "" {
		what.Coding = []fhir.Coding{{System: rxnorm, Code: m.rx, Display: m.name}}
	}
	d := fhir.Dosage{Text: m.use, DoseAndRate: []fhir.DosageDoseAndRate{{DoseQuantity: &fhir.Quantity{Value: decimal(m.dose, 0), Unit: m.unit}}}}
	if m.often > 0 {
		d.Timing = &fhir.Timing{Repeat: &fhir.TimingRepeat{Frequency: new(m.often), Period: "1", PeriodUnit: "d"}}
		if m.key == "methotrexate" || m.key == "alendronate" {
			d.Timing.Repeat.PeriodUnit = "wk"
		}
	} else {
		d.AsNeededBoolean = new(true)
	}
	r := fhir.MedicationRequest{
		ID: l.next(), Meta: l.labelled(profile("us-core-medicationrequest"), labels), Status: "active", Intent: "order",
		Category: one(hl7Code("medicationrequest-category", "community", "At home")), ReportedBoolean: new(false),
		MedicationCodeableConcept: &what, Subject: l.me, AuthoredOn: instant(from), Requester: l.dir.at(who), Recorder: l.dir.at(who),
		DosageInstruction: []fhir.Dosage{d},
		DispenseRequest: &fhir.MedicationRequestDispenseRequest{NumberOfRepeatsAllowed: new(m.refills), Quantity: &fhir.Quantity{Value: decimal(float64(m.supply), 0), Unit: m.unit},
			ExpectedSupplyDuration: quantity(float64(m.days), 0, "days", "d"), Performer: l.dir.at("pharmacy")},
	}
	if why.Reference != "" {
		r.ReasonReference = []fhir.Reference{why}
		r.ReasonCode = one(fhir.TextConcept(why.Display))
	}
	if !until.IsZero() {
		r.Status = "completed"
		if m.stop != "" {
			r.Status, r.StatusReason = "stopped", fhir.TextConcept(m.stop)
			r.Note = []fhir.Annotation{{Text: "Stopped on " + said(until) + ". " + m.stop + ".", Time: instant(until)}}
		}
	}
	t := taken{m, l.add(from, r), from, until, why, labels}
	l.meds = append(l.meds, t)
	l.dispense(t, what, labels)
}

// dispense enters the pharmacy's hand-overs of the last nine months.
func (l *life) dispense(t taken, what fhir.CodeableConcept, labels []string) {
	last := l.now.AddDate(0, 0, -1-l.rng.IntN(t.days))
	if l.special == "amina" && t.key == "metformin1000" {
		last = l.now.AddDate(0, 0, -85) // five days left: the refill that waits on the home page
	}
	if !t.until.IsZero() || last.Before(t.from) {
		last = t.from.Add(5 * time.Hour)
	}
	for at := last; at.After(t.from) && at.After(l.now.AddDate(0, -9, 0)) && at.Before(l.now); at = at.AddDate(0, 0, -t.days) {
		l.add(at, fhir.MedicationDispense{
			ID: l.next(), Meta: l.labelled(profile("us-core-medicationdispense"), labels), Status: "completed", MedicationCodeableConcept: &what, Subject: l.me,
			Performer:               []fhir.MedicationDispensePerformer{{Actor: l.dir.at("pharmacy")}},
			AuthorizingPrescription: []fhir.Reference{ref(t.ref)},
			Type:                    hl7Code("v3-ActCode", "RFP", "Refill"),
			Quantity:                &fhir.Quantity{Value: decimal(float64(t.supply), 0), Unit: t.unit}, DaysSupply: quantity(float64(t.days), 0, "days", "d"),
			WhenHandedOver: instant(at), DosageInstruction: []fhir.Dosage{{Text: t.use}},
		})
	}
}
