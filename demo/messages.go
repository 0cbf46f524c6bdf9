package demo

import (
	"time"

	"github.com/wellgate/wellgate/fhir"
)

// This file: conversations. A thread is a header without partOf; its messages are part of it.

// A line is one message: who wrote it (me, kin, or a member of staff), how many hours after the start, the words.
type line struct {
	who   string
	after float64
	words string
}

type thread struct {
	topic   string
	daysAgo float64
	open    bool
	lines   []line
}

// A topic is a conversation anyone might have had.
var topics = []thread{
	{"Repeat prescription", 0, false, []line{{"me", 0, "Hello, I am nearly out of my tablets. Can you send more to Corner Pharmacy?"}, {"okafor", 3.2, "Hello. Done, you can pick them up from 4 pm today. You have refills left, so next time you can ask the pharmacy directly."}, {"me", 4.5, "Thank you!"}}},
	{"Question about a bill", 0, false, []line{{"me", 0, "I got a bill for my last visit. I thought my plan pays for it?"}, {"brannigan", 21, "Thank you for asking. Your plan paid most of it. The rest is your share of the visit price. You can pay in parts if that helps."}}},
	{"Changing an appointment", 0, false, []line{{"me", 0, "I can’t make Thursday after all. Is there something early next week?"}, {"vega", 1.4, "No problem. I moved you to Tuesday at 9:20. Is that all right?"}, {"me", 2, "Perfect, thanks."}}},
	{"School form", 0, false, []line{{"me", 0, "The school asks for a vaccine list by Friday."}, {"vega", 5, "It is ready. You can print it from the vaccines page, signed copy at the front desk."}}},
	{"Sore arm after the vaccine", 0, false, []line{{"me", 0, "My arm is red and sore since yesterday’s vaccine. Is that normal?"}, {"okafor", 2.5, "Yes, that is common and goes away in two or three days. A cool cloth helps. Write or call if the redness grows or you get a fever."}}},
	{"Bleeding gums", 0, false, []line{{"me", 0, "My gums bleed when I floss. Should I stop?"}, {"lindqvist", 19, "Keep going, gently. Bleeding usually settles in a week or two of daily cleaning. If it does not, come and see me."}}},
}

func (l *life) writeMessages() {
	if l.age() < 13 && len(l.kin) == 0 {
		return
	}
	n := 1 + l.index%3
	if l.hero {
		n = 4
	}
	for i := range n {
		t := topics[(l.index+i*5)%len(topics)]
		if t.topic == "School form" && l.age() >= 18 {
			t = topics[2]
		}
		t.daysAgo = 20 + float64(i)*97 + float64(l.rng.IntN(60))
		if l.days(-int(t.daysAgo) - 2).Before(l.born) {
			continue
		}
		l.writeThread(t)
	}
}

// writeThread puts the conversation into working hours of the day it began.
func (l *life) writeThread(t thread) {
	d := workday(l.now.AddDate(0, 0, -int(t.daysAgo)), true)
	start := time.Date(d.Year(), d.Month(), d.Day(), 8, 12+l.index, 0, 0, d.Location())
	if t.daysAgo < 1 {
		start = l.now.Add(-time.Duration(t.daysAgo * 24 * float64(time.Hour)))
	}
	us := l.dir.practice
	status := "completed"
	if t.open {
		status = "in-progress"
	}
	head := ref(l.add(start, fhir.Communication{
		ID: l.next(), Status: status, Category: one(fhir.TextConcept("Message")), Topic: fhir.TextConcept(t.topic), Subject: l.me, Sent: instant(start), Sender: l.writer(t.lines[0].who), Recipient: []fhir.Reference{us},
	}))
	before, late := fhir.Reference{}, time.Duration(0)
	for _, s := range t.lines {
		at := start.Add(time.Duration(s.after*float64(time.Hour)) + late)
		if s.who != "me" && s.who != "kin" {
			open := opening(at, l.index)
			late += open.Sub(at)
			at = open
		}
		if at.After(l.now) {
			return
		}
		from, to := l.writer(s.who), us
		if s.who != "me" && s.who != "kin" {
			to = l.writer("me")
		}
		c := fhir.Communication{
			ID: l.next(), Status: "completed", PartOf: []fhir.Reference{head}, Category: one(fhir.TextConcept("Message")), Topic: fhir.TextConcept(t.topic), Subject: l.me,
			Sent: instant(at), Sender: from, Recipient: []fhir.Reference{to}, Payload: []fhir.CommunicationPayload{{ContentString: s.words}},
		}
		if before.Reference != "" {
			c.InResponseTo = []fhir.Reference{before}
		}
		if got := at.Add(50 * time.Minute); got.Before(l.now) {
			c.Received = instant(got)
		}
		before = ref(l.add(at, c))
	}
}

// opening is t, or the next time at which somebody is at work.
func opening(t time.Time, minute int) time.Time {
	for t.Weekday() == time.Saturday || t.Weekday() == time.Sunday || holiday(t) || t.Hour() >= 17 {
		t = time.Date(t.Year(), t.Month(), t.Day()+1, 8, 25+minute%30, 0, 0, t.Location())
	}
	if t.Hour() < 8 {
		t = time.Date(t.Year(), t.Month(), t.Day(), 8, 25+minute%30, 0, 0, t.Location())
	}
	return t
}

// writer is the patient, a parent for a small child, or a member of staff.
func (l *life) writer(who string) fhir.Reference {
	if who != "me" && who != "kin" {
		return l.dir.at(who)
	}
	if who == "kin" || l.age() < 13 {
		return fhir.Reference{Reference: "RelatedPerson/" + l.kinID(l.kin[0]), Display: l.kin[0].name}
	}
	return l.me
}
