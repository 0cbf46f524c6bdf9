package demo

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wellgate/wellgate/fhir"
)

// This file: what the clinician says to the patient about results, in plain words.

// An oddity is a result as its comment sees it.
type oddity struct {
	t      *test
	v      float64
	flag   string
	before measured
}

func (o oddity) off() bool { return o.flag != "" && o.flag != "N" }

// A remark is what is said of a test that is low or high. One that goes on for years is said once in full, then briefly.
type remark struct{ key, low, high string }

var remarks = []remark{
	{"glucose", "Your sugar was a little low that morning. Eat something if you feel shaky.", "Your sugar was above the usual range."},
	{"bun", "", "One kidney number is a little high. Not drinking much before the test can do this."},
	{"creatinine", "Your creatinine is a little low. That is harmless.", "Your creatinine is above the usual range. Your kidneys are clearing waste more slowly."},
	{"egfr", "Your kidneys filter less than most people's. We check this often to keep them safe.", ""},
	{"sodium", "Your salt level is a touch low.", "Your salt level is a touch high. Drink a little more water."},
	{"potassium", "Your potassium is slightly low. Bananas, beans and potatoes help.", "Your potassium is slightly high. We will test it again."},
	{"chloride", "", ""}, {"co2", "", ""}, {"calcium", "", ""}, {"protein", "", ""}, {"albumin", "", ""},
	{"bilirubin", "", "One liver number is slightly high. On its own this is often harmless."},
	{"alp", "", ""},
	{"ast", "", "A liver number is above the usual range. We will repeat it."},
	{"alt", "", "A liver number is above the usual range. We will repeat it."},
	{"tg", "", "One of your blood fats, triglycerides, is high. Less sugar and alcohol brings it down."},
	{"hdl", "Your protective cholesterol is a little low. Walking helps raise it.", ""},
	{"ldl", "", "Your LDL cholesterol is above where we would like it."},
	{"hba1c", "", "This shows your average sugar over three months. It is above the usual range."},
	{"hgb", "Your hemoglobin is low, which is called anemia. It can make you tired.", "Your hemoglobin is a little high."},
	{"wbc", "Your white cell count is a little low. We will look again next time.", "Your white cell count is a little high. A cold can do that."},
	{"mcv", "Your red cells are small, which fits low iron.", ""},
	{"plt", "", "Your platelets are a little high."},
	{"ferritin", "Your iron stores are low.", ""},
	{"iron", "Your iron is low.", ""},
	{"b12", "Your vitamin B12 is low. We can treat that.", ""},
	{"tsh", "Your thyroid test is low, so your dose may be a little too strong.", "Your thyroid test is above the range, so your dose may need a change."},
	{"vitd", "Your vitamin D is low. A daily tablet is safe and cheap.", ""},
	{"acr", "", "There is more protein in your urine than usual. We watch this to protect your kidneys."},
	{"psa", "", "Your PSA is a little above the usual range. This is common as the prostate grows. We will talk about what it means."},
	{"crp", "", "There is some inflammation in your body."},
	{"uric", "", "Your uric acid is above the range. High levels can bring on gout."},
	{"bnp", "", "This shows how hard your heart works. It is higher than usual, as we expect with your heart condition."},
	{"lead", "", "The lead level is above the limit. We will call you about where it may come from."},
	{"gtt", "", "Your sugar after the drink was high. You need one more test, which takes three hours."},
	{"cd4", "Your CD4 count is below the usual range.", ""},
	{"ttg", "", "Your celiac antibody is still above the range. Being strict with gluten brings it down."},
	{"nonhdl", "", ""}, {"chol", "", ""},
}

// writeComment files the clinician's words, except on the newest results, which nobody has read yet, and on some plain ones.
func (l *life) writeComment(p *panel, report fhir.Reference, all []oddity, r reportOf) {
	off := slices.ContainsFunc(all, oddity.off)
	if !off && !l.hero && l.chance(0.45) {
		return
	}
	at := r.issued.Add(time.Duration(19+l.rng.IntN(8)) * time.Hour)
	if l.hero {
		at = r.issued.Add(80 * time.Minute) // read the same afternoon
	}
	for at.Weekday() == time.Saturday || at.Weekday() == time.Sunday {
		at = at.AddDate(0, 0, 1)
	}
	if at.After(l.now) {
		return
	}
	l.add(at, fhir.ClinicalImpression{ // R4 has no report among finding.itemReference's targets
		ID: l.next(), Meta: l.labelled(nil, r.labels), Status: "completed", Subject: l.me, Date: instant(at), EffectiveDateTime: instant(at), Assessor: l.dir.at("nair"),
		Code: fhir.TextConcept("Comment on a result"), Summary: l.comment(p, all),
		Investigation: []fhir.ClinicalImpressionInvestigation{{Code: fhir.TextConcept("Diagnostic report"), Item: []fhir.Reference{report}}},
	})
}

func (l *life) comment(p *panel, all []oddity) string {
	switch p.key {
	case "hba1c":
		return l.sugarComment(all[0])
	case "inr":
		return inrComment(all[0])
	case "cd4":
		return "Your CD4 count is good. Your treatment is working. Keep taking your tablet every day."
	}
	var parts []string
	quiet := 0
	for _, o := range all {
		if !o.off() {
			continue
		}
		s := ""
		for _, m := range remarks {
			if m.key == o.t.key {
				s = m.high
				if o.flag[0] == 'L' {
					s = m.low
				}
			}
		}
		if s == "" {
			quiet++
			continue
		}
		if len(parts) < 2 && !slices.Contains(parts, s) {
			parts = append(parts, s+change(o))
		}
	}
	switch {
	case len(parts) > 0:
		parts = append(parts, pick(l, []string{"We will talk about it at your next visit.", "There is nothing you need to do today.", "We will check it again next time."}))
	case quiet > 0:
		parts = []string{"A value is just outside the usual range. This does not worry me. There is nothing you need to do."}
	default:
		parts = []string{pick(l, []string{"All of this is in the usual range. There is nothing you need to do.", "Good news: these results are all in the usual range.", "Everything here looks as it should. No change to your treatment."})}
	}
	if l.hero {
		parts[0] = l.given + ", " + strings.ToLower(parts[0][:1]) + parts[0][1:]
	}
	return strings.Join(parts, " ")
}

// change compares with the value before, when the difference is worth a word.
func change(o oddity) string {
	if o.before.value == 0 {
		return ""
	}
	d := (o.v - o.before.value) / o.before.value
	toward := o.flag[0] == 'H' && d < 0 || o.flag[0] == 'L' && d > 0
	switch {
	case d < 0.06 && d > -0.06:
		return " It has hardly changed since last time."
	case toward:
		return " It is better than last time."
	}
	return " It has moved a little the wrong way since last time."
}

func (l *life) sugarComment(o oddity) string {
	v := string(decimal(o.v, 1)) + "%"
	if !l.cond("diabetes2") && !l.cond("diabetes1") {
		switch {
		case o.v <= 5.6:
			return "Your average sugar is " + v + ", which is in the usual range."
		case o.v < 6.5:
			return "Your average sugar is " + v + ". That is a little high, but not diabetes. Small changes to food and walking help a lot."
		}
		return "Your average sugar is " + v + ", which is high. Please book a visit so we can talk about it."
	}
	s := "Your average sugar is " + v + "."
	if o.before.value > 0 {
		b := string(decimal(o.before.value, 1)) + "%"
		switch d := o.v - o.before.value; {
		case d <= -0.15:
			s = fmt.Sprintf("This is moving the right way, %s. Your average sugar went from %s to %s.", l.given, b, v)
		case d >= 0.25:
			s += " That is higher than the " + b + " of last time. Let us look at food, tablets and stress together."
		default:
			s += " That is about the same as last time (" + b + ")."
		}
	}
	if o.v <= 7 {
		return s + " You have reached our goal of 7% or lower. Well done."
	}
	if o.v < 8.5 {
		return s + " Our goal is 7% or lower. Keep taking your medicines as you are."
	}
	return s + " Our goal is 7% or lower. We will talk about changing your treatment."
}

func inrComment(o oddity) string {
	switch {
	case o.v < 2:
		return "Your INR is " + string(decimal(o.v, 1)) + ", a little under your goal of 2 to 3. The nurse will ring you about the dose. Test again on your next date."
	case o.v <= 3:
		return "Your INR is " + string(decimal(o.v, 1)) + ", inside your goal of 2 to 3. Keep the same dose. Test again in 5 weeks."
	}
	return "Your INR is " + string(decimal(o.v, 1)) + ", above your goal of 2 to 3. The nurse will ring you about the dose. Call us about any bleeding."
}
