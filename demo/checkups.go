package demo

import "fmt"

// This file: check-ups of children and of pregnancy.

// A stage is what a clinician looks for at an age, in months.
type stage struct {
	from, to    int
	says, finds string
	forYou      string
}

var stages = []stage{
	{0, 1, "Feeds every two to three hours, six wet diapers a day.", "Soft spot flat, hips stable, red reflex in both eyes, cord dry.", "Put your baby on the back to sleep, every time."},
	{1, 3, "Looks at faces and starts to smile. One longer stretch of sleep at night.", "Lifts the head on the tummy. Heart and hips normal.", "Tummy time a few minutes, several times a day."},
	{3, 6, "Laughs, reaches for toys, rolls from tummy to back.", "Good head control. Follows with both eyes.", "Never leave your baby alone on a bed or table."},
	{6, 9, "Sits with a little help, babbles, started purees.", "Sits for seconds, passes toys from hand to hand. First two teeth.", "Offer new foods one at a time, peanut powder too."},
	{9, 12, "Crawls and pulls to stand. Says mama and dada without meaning it yet.", "Picks up small things with finger and thumb. Weight follows the curve.", "Put gates on stairs. Keep small things off the floor."},
	{12, 18, "First steps, three words, points at what is wanted.", "Walks with a wide base. Ears and eyes normal.", "Brush the first teeth twice a day with a smear of paste."},
	{18, 24, "Runs, ten words, feeds with a spoon and makes a mess.", "Autism screen passed. Walks up a step holding a hand.", "Read together every day."},
	{24, 36, "Two words together, kicks a ball, starting with the potty.", "Growth on the usual line. Teeth clean.", "Screens: little and together. Play outside daily."},
	{36, 60, "Speaks in sentences, pedals a tricycle, plays with others.", "Vision screened with pictures, both eyes equal. Heart normal.", "Use a booster seat. Teach your child to cross the road with you."},
	{60, 132, "Likes school, sleeps ten hours, has a best friend.", "Vision and hearing passed. Spine straight, heart normal.", "One hour of active play a day. Water instead of soda."},
	{132, 168, "School goes well. Rides a bike with a helmet. Part of the visit was without a parent.", "Growth and puberty on time. Spine straight.", "Ask us anything. What you tell us stays private unless you are in danger."},
	{168, 216, "School, friends, sleep and mood talked over, part of it alone.", "Puberty complete. Heart and spine normal. Cleared for sport.", "You can see the doctor alone. Sleep eight to ten hours."},
}

func (l *life) childVisit(n *note) {
	months := monthsBetween(l.born, n.v.at)
	for _, s := range stages {
		if months >= s.from && months < s.to {
			n.says = append(n.says, s.says)
			n.finds = append(n.finds, s.finds)
			n.forYou = append(n.forYou, s.forYou)
		}
	}
	n.plan = append(n.plan, "Growing along the usual line. Vaccines as listed in the record; side effects explained.")
	if months < 24 {
		n.plan = append(n.plan, "Vitamin D drops until one year. Next check-up booked.")
	}
}

func (l *life) prenatalVisit(n *note) {
	weeks := l.weeks - int(l.now.Sub(n.v.at).Hours()/24/7)
	n.says = append(n.says, fmt.Sprintf("%d weeks pregnant.", weeks))
	switch {
	case weeks < 12:
		n.finds = append(n.finds, "Heartbeat seen on ultrasound, size fits the dates.")
		n.plan = append(n.plan, "Prenatal vitamin with folic acid. Genetic screening discussed.")
	case weeks < 24:
		n.finds = append(n.finds, fmt.Sprintf("Heartbeat %d per minute. Womb at the right height.", 142+weeks%9))
		n.plan = append(n.plan, "Anatomy scan between 18 and 22 weeks. Foods to avoid reviewed.")
	default:
		n.finds = append(n.finds, fmt.Sprintf("Heartbeat %d per minute. Womb measures %d cm, as expected.", 138+weeks%9, weeks))
		n.plan = append(n.plan, "Sugar drink test and blood count. Tdap vaccine. Count kicks in the evening.")
	}
	n.forYou = append(n.forYou, "Call at once for bleeding, a bad headache, swelling of the face or fewer movements.")
}
