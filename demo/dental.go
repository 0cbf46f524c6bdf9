package demo

import (
	"fmt"
	"time"

	"github.com/wellgate/wellgate/fhir"
)

// This file: teeth, in the universal numbering of the US (1 upper right wisdom tooth … 32 lower right wisdom tooth).

// toothWork is one treatment of one tooth (0 = the whole mouth).
type toothWork struct {
	when  time.Time
	name  string
	tooth int
	why   string // condition
	cents int
	says  string
	finds string
	plan  string
}

var works = map[string]toothWork{
	"filling":    {name: "Filling", why: "caries", cents: 21000, says: "No pain. A small cavity was seen at the last check.", finds: "Decay in the biting surface, not near the nerve.", plan: "Numbed, decay removed, white filling placed, bite checked."},
	"rootcanal":  {name: "Root canal treatment", why: "caries", cents: 98000, says: "Toothache at night and with hot drinks for a week.", finds: "Deep decay reaching the nerve; tooth tender to tapping.", plan: "Root canals cleaned and filled under rubber dam. Crown needed within two months."},
	"crown":      {name: "Crown", why: "caries", cents: 124000, says: "No pain since the root canal treatment.", finds: "Tooth weakened, gum healthy.", plan: "Tooth shaped and scanned, temporary crown placed."},
	"extraction": {name: "Wisdom tooth removal", why: "caries", cents: 32000, says: "Swelling behind the last tooth twice this year.", finds: "Tooth half through the gum, gum tender.", plan: "Removal planned under local numbing."},
	"scaling":    {name: "Deep cleaning below the gum", why: "periodontitis", cents: 64000, says: "Gums bleed on brushing.", finds: "Pockets of 4 to 6 mm around the back teeth, some bone loss on X-ray.", plan: "Deep cleaning of both sides under local numbing. Rinse for two weeks."},
	"sealant":    {name: "Sealant", cents: 5800, says: "New back teeth are through.", finds: "Deep grooves, no decay.", plan: "Grooves sealed. No numbing needed."},
}

// toothPlan is the treatment this mouth has had and is going to have.
func (l *life) toothPlan() []toothWork {
	work := func(what string, days, tooth int) toothWork {
		w := works[what]
		w.when, w.tooth = l.days(days), tooth
		return w
	}
	switch {
	case l.special == "miguel":
		return []toothWork{work("filling", -1240, 14), work("filling", -610, 19), work("rootcanal", -24, 30), work("crown", 16, 30)}
	case l.key == "noor.almasri":
		return []toothWork{work("filling", -430, 3), work("extraction", 22, 32)}
	case l.teeth == decayed:
		return []toothWork{work("filling", -1100-l.index*3, 3+l.index%3), work("filling", -420-l.index*2, 18+l.index%4), work("filling", 20+l.index%15, 12+l.index%3)}
	case l.teeth == gumDisease:
		return []toothWork{work("scaling", -900-l.index*5, 0)}
	case l.teeth == childTeeth && l.age() >= 7:
		return []toothWork{work("sealant", -200-l.index*2, 30), work("sealant", -200-l.index*2, 19)}
	}
	return nil
}

func toothName(n int) string {
	if n == 0 {
		return "whole mouth"
	}
	row, side, place := "upper", "right", n
	switch {
	case n > 24:
		row, place = "lower", 33-n
	case n > 16:
		row, side, place = "lower", "left", n-16
	case n > 8:
		side, place = "left", 17-n
	}
	names := []string{"", "wisdom tooth", "second molar", "first molar", "second premolar", "first premolar", "canine", "lateral incisor", "central incisor"}
	return fmt.Sprintf("%s %s %s (tooth %d)", row, side, names[place], n)
}

func toothSite(n int) []fhir.CodeableConcept {
	if n == 0 {
		return nil
	}
	return one(fhir.CodeableConcept{Coding: []fhir.Coding{{System: hl7 + "ex-tooth", Code: fmt.Sprint(n)}}, Text: upper(toothName(n))})
}

// dentalVisit is a cleaning or a treatment.
func (l *life) dentalVisit(n *note) []fhir.Reference {
	if w := n.v.work; w != nil {
		n.says, n.finds, n.plan = append(n.says, w.says), append(n.finds, w.finds), append(n.plan, w.plan)
		n.forYou = append(n.forYou, "Do not chew on that side until the numb feeling is gone. Call us if pain or swelling grows.")
		about := l.toothTrouble(w.why, n.v.at)
		l.procedure(n, w.name, w.tooth, about)
		if w.why == "periodontitis" {
			l.prescribe(medicineOf("chlorhexidine"), n.v.end(), n.v.end().AddDate(0, 0, 14), about[0], nil)
		}
		return about
	}
	n.says = append(n.says, pick(l, []string{"Brushes twice a day, flosses most evenings.", "Brushes twice a day, rarely flosses. No pain.", "No trouble since the last visit."}))
	switch l.teeth {
	case gumDisease:
		n.finds = append(n.finds, pick(l, []string{"Pockets of up to 4 mm at the back teeth, less bleeding than last time.", "Gums pink at the front, some bleeding around the molars. Pockets stable."}))
		n.plan = append(n.plan, "Gum care every four months. Small brushes for the gaps between the back teeth.")
		n.forYou = append(n.forYou, "Clean between your teeth every evening. Smoking makes gum disease worse.")
	case childTeeth:
		n.finds = append(n.finds, "Teeth clean for the age, no decay. Bite as expected.")
		n.plan = append(n.plan, "Polish and fluoride varnish.")
		if l.ageAt(n.v.at) < 10 {
			n.forYou = append(n.forYou, "Two minutes, twice a day, and a grown-up checks the back teeth.")
		} else {
			n.forYou = append(n.forYou, "Two minutes, twice a day. Wear a mouth guard for contact sports.")
		}
	default:
		n.finds = append(n.finds, pick(l, []string{"Gums healthy, pockets up to 3 mm. Little tartar behind the lower front teeth.", "Clean mouth, mild staining. No new decay seen."}))
		n.plan = append(n.plan, "Scaling and polish. X-rays every two years.")
		n.forYou = append(n.forYou, "See you in six months. Floss makes the biggest difference now.")
	}
	l.procedure(n, "Dental cleaning", 0, nil)
	var about []fhir.Reference
	for _, h := range l.conds {
		if h.key == "periodontitis" && h.since.Before(n.v.at) {
			about = append(about, fhir.Reference{Reference: h.ref, Display: h.name})
		}
	}
	return about
}

// toothTrouble is the dental condition, entered when it is first treated.
func (l *life) toothTrouble(key string, at time.Time) []fhir.Reference {
	if key == "" {
		return nil
	}
	if l.condRef(key).Reference == "" {
		l.hold(conditionOf(key), at.AddDate(0, 0, -14))
	}
	return []fhir.Reference{l.condRef(key)}
}

func (l *life) procedure(n *note, name string, tooth int, about []fhir.Reference) {
	l.add(n.v.at, fhir.Procedure{
		ID: l.next(), Meta: profile("us-core-procedure"), Status: "completed", Category: fhir.TextConcept("Dental"),
		Code: fhir.CodeableConcept{Coding: []fhir.Coding{{System: local + "dental", Code: fold(name), Display: name}}, Text: name}, Subject: l.me, Encounter: n.here,
		PerformedPeriod: &fhir.Period{Start: instant(n.v.at), End: instant(n.v.end())}, Performer: []fhir.ProcedurePerformer{{Actor: l.dir.at(n.v.who)}},
		Location: l.dir.rooms[1], ReasonReference: about, BodySite: toothSite(tooth),
	})
}
