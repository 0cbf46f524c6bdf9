package demo

import (
	"fmt"
	"time"

	"github.com/wellgate/wellgate/fhir"
)

// A vaccine of the schedule: the ages in months at which doses are due.
type vaccine struct {
	cvx, name, disease string
	due                []int
}

var childVaccines = []vaccine{
	{"08", "Hepatitis B vaccine", "Hepatitis B", []int{0, 2, 6}},
	{"116", "Rotavirus vaccine", "Rotavirus", []int{2, 4, 6}},
	{"106", "DTaP vaccine", "Diphtheria, tetanus and whooping cough", []int{2, 4, 6, 15, 49}},
	{"48", "Hib vaccine", "Hib disease", []int{2, 4, 6, 12}},
	{"133", "Pneumococcal vaccine (PCV13)", "Pneumococcal disease", []int{2, 4, 6, 12}},
	{"10", "Polio vaccine", "Polio", []int{2, 4, 6, 49}},
	{"03", "Measles, mumps and rubella vaccine", "Measles, mumps and rubella", []int{12, 49}},
	{"21", "Chickenpox vaccine", "Chickenpox", []int{12, 49}},
	{"83", "Hepatitis A vaccine", "Hepatitis A", []int{12, 18}},
	{"115", "Tdap vaccine", "Tetanus, diphtheria and whooping cough", []int{133}},
	{"165", "HPV vaccine", "HPV", []int{133, 145}},
	{"114", "Meningococcal vaccine (ACWY)", "Meningitis", []int{133, 193}},
}

var vaccineSites = []fhir.CodeableConcept{hl7Code("v3-ActSite", "LA", "Left arm"), hl7Code("v3-ActSite", "RA", "Right arm"), hl7Code("v3-ActSite", "LT", "Left thigh")}

func (l *life) vaccinate(v vaccine, at time.Time, dose int) {
	if at.After(l.now) || at.Before(l.born) {
		return
	}
	site := 0
	if l.ageAt(at) < 3 {
		site = 2
	}
	ours := at.After(l.now.AddDate(-5, 0, 0))
	r := fhir.Immunization{
		ID: l.next(), Meta: profile("us-core-immunization"), Status: "completed", VaccineCode: fhir.Concept(cvx, v.cvx, v.name), Patient: l.me,
		OccurrenceDateTime: instant(at), Recorded: day(at), PrimarySource: new(ours), Site: vaccineSites[site],
		Route:           hl7Code("v3-RouteOfAdministration", "IM", "Into the muscle"),
		ProtocolApplied: []fhir.ImmunizationProtocolApplied{{TargetDisease: one(fhir.TextConcept(v.disease)), DoseNumberPositiveInt: new(dose)}},
	}
	if v.cvx == "116" {
		r.Route, r.Site = hl7Code("v3-RouteOfAdministration", "PO", "By mouth"), fhir.CodeableConcept{}
	}
	if ours {
		r.Performer = []fhir.ImmunizationPerformer{{Actor: l.dir.at("okafor")}}
		r.Location = l.dir.rooms[0]
		r.LotNumber = fmt.Sprintf("W%04d%c", 1000+l.rng.IntN(8999), 'A'+rune(l.rng.IntN(26)))
	} else {
		r.ReportOrigin = hl7Code("immunization-origin", "record", "Record from before")
		r.OccurrenceDateTime = day(at)
	}
	l.add(at, r)
}

// writeVaccines gives what the age called for, on a visit's day where there was one.
func (l *life) writeVaccines() {
	if l.special == "new" {
		return
	}
	if l.age() < 18 {
		for _, v := range childVaccines {
			for i, m := range v.due {
				at := l.visitNear(l.born.AddDate(0, m, 6))
				if m == 0 {
					at = l.born.Add(30 * time.Hour)
				}
				l.vaccinate(v, at, i+1)
			}
		}
	} else {
		l.adultVaccines()
	}
	n := 0
	for i := range l.visits {
		v := &l.visits[i]
		if v.kind != nurse || v.missed != "" || v.at.After(l.now) {
			continue
		}
		n++
		flu := vaccine{cvx: "140", name: "Flu vaccine", disease: "Influenza"}
		if l.ageAt(v.at) >= 65 {
			flu.cvx, flu.name = "135", "Flu vaccine, high dose"
		}
		l.vaccinate(flu, v.at.Add(6*time.Minute), n)
		if l.ageAt(v.at) >= 12 && (n == 1 || l.chance(0.6)) {
			l.vaccinate(vaccine{cvx: "309", name: "COVID-19 vaccine", disease: "COVID-19"}, v.at.Add(8*time.Minute), n)
		}
	}
}

func (l *life) adultVaccines() {
	l.vaccinate(vaccine{"115", "Tdap vaccine", "Tetanus, diphtheria and whooping cough", nil}, l.visitNear(l.ago(1.5+float64(l.index%7))), 1)
	if l.age() >= 51 {
		shingles := vaccine{"187", "Shingles vaccine", "Shingles", nil}
		first := l.visitNear(l.ago(min(4.5, float64(l.age())-50.5)))
		l.vaccinate(shingles, first, 1)
		l.vaccinate(shingles, first.AddDate(0, 3, 0), 2)
	}
	if l.age() >= 66 {
		l.vaccinate(vaccine{"216", "Pneumococcal vaccine (PCV20)", "Pneumococcal disease", nil}, l.visitNear(l.ago(min(2.6, float64(l.age())-65.2))), 1)
	}
	if l.age() >= 76 {
		l.vaccinate(vaccine{"305", "RSV vaccine", "RSV", nil}, l.visitNear(l.ago(0.9)), 1)
	}
	if l.weeks >= 27 {
		l.vaccinate(vaccine{"115", "Tdap vaccine", "Tetanus, diphtheria and whooping cough", nil}, l.visitNear(l.days(-11)), 2)
	}
}

// visitNear is the time of the nearest visit to the medical rooms within five weeks, or the day itself.
func (l *life) visitNear(d time.Time) time.Time {
	best, found := 36*24*time.Hour, d.Add(10*time.Hour)
	for i := range l.visits {
		v := &l.visits[i]
		if v.missed != "" || v.at.After(l.now) || v.kind == cleaning || v.kind == dental || v.kind == phone {
			continue
		}
		if gap := v.at.Sub(d).Abs(); gap < best {
			best, found = gap, v.at.Add(9*time.Minute)
		}
	}
	return found
}
