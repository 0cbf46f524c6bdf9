package demo

import (
	"time"
)

// A person is one row of the table of patients: what does not depend on the seed.
type person struct {
	key           string // also the name part of the e-mail address
	given, family string
	native        string // the name in its own script, as written by its owner
	nativeGiven   string
	nativeFamily  string
	sex           byte // f or m
	age           int
	born          string // month-day
	days          int    // age in days, for the very young
	lang          string // preferred language, "" = English
	race          string // OMB category
	hispanic      bool
	house         int // people of one house share an address
	cm, kg        float64
	smoke         string // "", former, current
	payer         int    // index into insurers
	teeth         teeth
	has           []has
	takes         []takes
	allergic      []string
	trends        []trend
	weeks         int // of pregnancy
	carers        []carer
	hero          bool
	special       string // which chapter of special.go adds to this record
	story         string
}

// has is a condition that began some years ago.
type has struct {
	what  string
	since float64
}

// takes is a medicine for a condition, from so many years ago until so many years ago; 0 = still.
type takes struct {
	what, why   string
	from, until float64
}

// A trend overrides how one test or vital sign goes: points of (years ago, value), oldest first.
type trend struct {
	what   string
	points [][2]float64
	exact  bool // no noise
}

// A carer is another patient who acts for this one.
type carer struct{ who, is string }

type teeth int

const (
	goodTeeth teeth = iota
	decayed
	gumDisease
	childTeeth
	noDentist
)

// kin is a relation as the record of one patient sees it.
type kin struct {
	ref, name, phone, is string
	carer                bool
}

// bornBefore is the birth date that makes the person the right age at now, on the same calendar day every year.
func (p *person) bornBefore(now time.Time) time.Time {
	if p.days > 0 {
		d := now.AddDate(0, 0, -p.days)
		return time.Date(d.Year(), d.Month(), d.Day(), 0, 0, 0, 0, now.Location())
	}
	md, err := time.Parse("01-02", p.born)
	if err != nil {
		panic("demo: people table: born must be month-day")
	}
	b := time.Date(now.Year()-p.age, md.Month(), md.Day(), 0, 0, 0, 0, now.Location())
	if yearsBetween(b, now) < p.age {
		b = b.AddDate(-1, 0, 0)
	}
	return b
}

func (p *person) called() string { return p.given + " " + p.family }

// kinOf finds the carers of l, and, for adults with children here, the children.
func kinOf(l *life, all []*life) (out []kin) {
	for _, o := range all {
		for _, c := range l.carers {
			if c.who == o.key {
				out = append(out, kin{ref: o.ref, name: o.called(), phone: o.phone(), is: c.is, carer: true})
			}
		}
	}
	return out
}

func (l *life) cond(what string) bool {
	for _, h := range l.has {
		if h.what == what {
			return true
		}
	}
	return false
}
