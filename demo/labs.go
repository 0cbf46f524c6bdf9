package demo

import (
	"slices"
	"time"

	"github.com/wellgate/wellgate/fhir"
)

// This file: laboratory reports.

// A measured is one result a clinician would remember.
type measured struct {
	what   string
	value  float64
	at     time.Time
	before float64 // the value before it; 0 = none
}

// A laboratory remembers the latest value of each test while a record is written.
type laboratory struct{ known []measured }

func (b *laboratory) note(what string, v float64, at time.Time) {
	for i := range b.known {
		if b.known[i].what == what {
			b.known[i] = measured{what, v, at, b.known[i].value}
			return
		}
	}
	b.known = append(b.known, measured{what, v, at, 0})
}

func (b *laboratory) last(what string) (measured, bool) {
	for _, m := range b.known {
		if m.what == what {
			return m, true
		}
	}
	return measured{}, false
}

// sign is the latest value of a vital sign or score, 0 if it was not taken.
func (b *laboratory) sign(what string) float64 { m, _ := b.last(what); return m.value }

func (b *laboratory) forget(what string) {
	b.known = slices.DeleteFunc(b.known, func(m measured) bool { return m.what == what })
}

var (
	labCategory   = hl7Code("observation-category", "laboratory", "Laboratory")
	labReportKind = hl7Code("v2-0074", "LAB", "Laboratory")
)

// writeDraw reports everything asked of one sample, about a working day later, and the clinician's words some time after.
func (l *life) writeDraw(lab *laboratory, d draw) {
	issued := workdayAfter(d.at).Add(time.Duration(6*60+l.rng.IntN(170)) * time.Minute)
	if issued.After(l.now) {
		issued = d.at.Add(2 * time.Hour)
	}
	values := l.results(d)
	kind, code := "Blood", "119297000"
	if slices.Equal(d.panels, []string{"acr"}) {
		kind, code = "Urine", "122575003"
	}
	sample := l.add(d.at, fhir.Specimen{
		ID: l.next(), Meta: profile("us-core-specimen"), Status: "available", Type: fhir.Concept(sct, code, kind), Subject: l.me, ReceivedTime: instant(d.at.Add(90 * time.Minute)),
		AccessionIdentifier: fhir.Identifier{System: local + "accession", Value: "A" + d.at.Format("060102") + l.number()[3:6]},
		Collection:          &fhir.SpecimenCollection{CollectedDateTime: instant(d.at), Collector: l.dir.at("okafor")},
	})
	for _, key := range d.panels {
		p := panelOf(key)
		l.writeReport(lab, p, reportOf{d.at, issued, sample, values, l.panelLabels(key)})
	}
}

func workdayAfter(t time.Time) time.Time {
	t = t.AddDate(0, 0, 1)
	for t.Weekday() == time.Saturday || t.Weekday() == time.Sunday {
		t = t.AddDate(0, 0, 1)
	}
	return t
}

// panelLabels are the labels of results that give a sensitive condition away.
func (l *life) panelLabels(panel string) []string {
	if panel == "cd4" {
		return []string{"HIV"}
	}
	return nil
}

type reportOf struct {
	at, issued time.Time
	sample     string
	values     map[string]float64
	labels     []string
}

func (l *life) writeReport(lab *laboratory, p *panel, r reportOf) {
	var members []fhir.Reference
	var odd []oddity
	for _, key := range p.members {
		v, ok := r.values[key]
		if !ok {
			continue
		}
		t := testOf(key)
		ref, flag := l.writeResult(t, v, r)
		members = append(members, ref)
		before, _ := lab.last(key)
		odd = append(odd, oddity{t, v, flag, before})
		lab.note(key, v, r.at)
	}
	code := fhir.TextConcept(p.name)
	if p.loinc != "" {
		code = fhir.Concept(loinc, p.loinc, p.name)
	}
	rep := fhir.DiagnosticReport{
		ID: l.next(), Meta: l.labelled(profile("us-core-diagnosticreport-lab"), r.labels), Status: "final", Category: one(labReportKind), Code: code, Subject: l.me,
		EffectiveDateTime: instant(r.at), Issued: instant(r.issued), Performer: []fhir.Reference{l.dir.at("lab")}, ResultsInterpreter: []fhir.Reference{l.dir.at("nair")},
		Specimen: []fhir.Reference{ref(r.sample)}, Result: members,
	}
	rep.Identifier = []fhir.Identifier{{System: local + "report", Value: rep.ID}}
	report := fhir.Reference{Reference: l.add(r.issued, rep), Display: p.name}
	l.writeComment(p, report, odd, r)
}

func (l *life) writeResult(t *test, v float64, r reportOf) (fhir.Reference, string) {
	age := l.ageAt(r.at)
	o := fhir.Observation{
		ID: l.next(), Meta: l.labelled(profile("us-core-observation-lab"), r.labels), Status: "final", Category: one(labCategory), Code: fhir.Concept(loinc, t.loinc, t.name),
		Subject: l.me, EffectiveDateTime: instant(r.at), Issued: instant(r.issued), Performer: []fhir.Reference{l.dir.at("lab")},
		ValueQuantity: quantity(v, t.places, t.unit, t.ucum), Specimen: ref(r.sample),
	}
	flag := ""
	if s, ok := t.rangeFor(l.sex, age); ok {
		flag = t.flag(v, s)
		o.ReferenceRange = []fhir.ObservationReferenceRange{t.written(s, "normal", "Usual range")}
		if g, ok := l.goalFor(t.key, r.at); ok { // under treatment, the target says more than what is usual
			flag = t.flag(v, g)
			o.ReferenceRange = append(o.ReferenceRange, t.written(g, "treatment", "Your target"))
		}
		o.Interpretation = one(hl7Code("v3-ObservationInterpretation", flag, map[string]string{"N": "Normal", "L": "Low", "H": "High", "LL": "Very low", "HH": "Very high"}[flag]))
	}
	return fhir.Reference{Reference: l.add(r.at, o), Display: t.name}, flag
}

func (t *test) written(s span, kind, text string) fhir.ObservationReferenceRange {
	r := fhir.ObservationReferenceRange{Type: hl7Code("referencerange-meaning", kind, text)}
	if s.low != none {
		r.Low = quantity(s.low, t.places, t.unit, t.ucum)
	}
	if s.high != none {
		r.High = quantity(s.high, t.places, t.unit, t.ucum)
	}
	return r
}

// goalFor is the target of somebody under treatment at the time.
func (l *life) goalFor(test string, at time.Time) (span, bool) {
	has := func(c string) bool { return l.cond(c) && l.heldSince(c).Before(at) }
	switch {
	case test == "hba1c" && (has("diabetes1") || has("diabetes2")):
		return span{low: none, high: 7.0}, true
	case test == "inr" && l.hasMedicine("warfarin"):
		return span{low: 2.0, high: 3.0}, true
	case test == "uric" && has("gout"):
		return span{low: none, high: 6.0}, true
	}
	return span{}, false
}

// writeQuickTest is a test done in the room.
func (l *life) writeQuickTest(n *note, q *quickTest) {
	value := fhir.Concept(sct, "260373001", q.result)
	o := fhir.Observation{
		ID: l.next(), Meta: profile("us-core-observation-lab"), Status: "final", Category: one(labCategory), Code: fhir.Concept(loinc, q.loinc, q.name), Subject: l.me, Encounter: n.here,
		EffectiveDateTime: instant(n.v.at), Issued: instant(n.v.end()), Performer: []fhir.Reference{l.dir.at("okafor")}, ValueCodeableConcept: &value,
		Interpretation: one(hl7Code("v3-ObservationInterpretation", "POS", "Positive")),
		ReferenceRange: []fhir.ObservationReferenceRange{{Text: "Not detected"}},
	}
	result := fhir.Reference{Reference: l.add(n.v.at, o), Display: q.name}
	l.add(n.v.end(), fhir.DiagnosticReport{
		ID: l.next(), Meta: profile("us-core-diagnosticreport-lab"), Status: "final", Category: one(labReportKind), Code: fhir.Concept(loinc, q.loinc, q.name), Subject: l.me, Encounter: n.here,
		EffectiveDateTime: instant(n.v.at), Issued: instant(n.v.end()), Performer: []fhir.Reference{l.dir.practice}, Result: []fhir.Reference{result},
	})
}
