package rig

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// An outcome is what the program said of a write.
type outcome int

const (
	unknown outcome = iota // it did not answer, or said that it does not know
	acked
	refused
)

// A write is one thing that was asked for. Its marks stand in what it stores: all of them if it took effect, none if not.
type write struct {
	kind    string
	marks   []string
	at      []place // where each mark was said to be, if the answer told
	outcome outcome
}

// A place is a version of a resource, as a path below /fhir, or a page.
type place struct {
	path string
	page bool
}

// A Ledger is everything that the program promised. It is safe for concurrent use.
type Ledger struct {
	mu       sync.Mutex
	name     string // of this run: part of every mark
	serial   int
	writes   []write
	fresh    []int             // writes that were answered since the last Look
	reads    map[string]string // user agent of an answered read → what it read
	cut      int               // reads without an answer
	sheds    int               // answers 5xx
	tolerant bool              // any 5xx may come
	deleted  map[string]outcome
	problems []string

	sharedTries, sharedAcks int64 // increments of the shared number
	sessions                map[string]session
	tokens                  map[string]tokenState
}

type session struct {
	person *Person
	alive  bool
	sure   bool
}

type tokenState struct {
	id    string
	alive bool
	sure  bool
}

// NewLedger begins one. The name may hold digits and x.
func NewLedger(name string) *Ledger {
	return &Ledger{name: name, reads: map[string]string{}, deleted: map[string]outcome{}, sessions: map[string]session{}, tokens: map[string]tokenState{}}
}

// mark is a word that stands nowhere else.
func (l *Ledger) mark() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.serial++
	return fmt.Sprintf("mk%sx%dz", l.name, l.serial)
}

// Tolerant lets any error of the server's come: its disk is broken.
func (l *Ledger) Tolerant() { l.tolerant = true }

// Fault keeps what went wrong elsewhere.
func (l *Ledger) Fault(what string) { l.problem("%s", what) }

// problem keeps what went wrong.
func (l *Ledger) problem(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.problems = append(l.problems, fmt.Sprintf(format, args...))
}

// Problems are what went wrong so far.
func (l *Ledger) Problems() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.problems)
}

// Count is how often writes were acknowledged, unknown, and how many reads were answered and cut off.
type Count struct{ Acked, Unknown, Refused, Reads, Cut, Shed int }

// Count counts.
func (l *Ledger) Count() (c Count) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range l.writes {
		switch w.outcome {
		case acked:
			c.Acked++
		case unknown:
			c.Unknown++
		default:
			c.Refused++
		}
	}
	c.Reads, c.Cut, c.Shed = len(l.reads), l.cut, l.sheds
	return c
}

// Plus adds two counts.
func (c Count) Plus(d Count) Count {
	return Count{c.Acked + d.Acked, c.Unknown + d.Unknown, c.Refused + d.Refused, c.Reads + d.Reads, c.Cut + d.Cut, c.Shed + d.Shed}
}

func (c Count) String() string {
	return fmt.Sprintf("%d writes answered, %d of unknown outcome, %d refused; %d reads answered, %d cut off; %d answers 5xx",
		c.Acked, c.Unknown, c.Refused, c.Reads, c.Cut, c.Shed)
}

// wrote keeps a write and says whether somebody answered. Statuses 2xx and 303 acknowledge; 4xx refuse; 5xx and no answer
// leave open what happened. Which 5xx may come is the caller's to say (may).
func (l *Ledger) wrote(w write, a Answer, err error) (answered bool) {
	switch {
	case a.Status >= 200 && a.Status < 300 || a.Status == 303:
		w.outcome = acked
	case a.Status >= 400 && a.Status < 500:
		w.outcome = refused
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if a.Status >= 500 {
		l.sheds++
	}
	l.writes = append(l.writes, w)
	if w.outcome == acked {
		l.fresh = append(l.fresh, len(l.writes)-1)
	}
	return err == nil
}

// read keeps a read that was answered. It was, once the status is here, however it ended.
func (l *Ledger) read(agent, what string, a Answer, err error) (answered bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case a.Status == 200:
		l.reads[agent] = what
	case a.Status >= 500:
		l.sheds++
	case err != nil:
		l.cut++
	}
	return err == nil
}

// Look holds what is stored against everything that was promised. It is called when the program is down.
func (l *Ledger) Look(f Found) {
	l.mu.Lock()
	defer l.mu.Unlock()
	bad := func(format string, args ...any) { l.problems = append(l.problems, fmt.Sprintf(format, args...)) }
	l.problems = append(l.problems, f.Problems...)
	for _, w := range l.writes {
		var there []string
		for _, m := range w.marks {
			if f.Marks[m] {
				there = append(there, m)
			}
		}
		switch {
		case w.outcome == acked && len(there) < len(w.marks):
			bad("acknowledged and lost: %s %v: %d of %d are there", w.kind, w.marks, len(there), len(w.marks))
		case w.outcome == refused && len(there) > 0:
			bad("refused and done: %s %v", w.kind, there)
		case len(there) != 0 && len(there) != len(w.marks):
			bad("half an effect: %s: %d of %d marks are there: %v", w.kind, len(there), len(w.marks), there)
		}
	}
	for _, agent := range slices.Sorted(maps.Keys(l.reads)) {
		if !f.Agents[agent] {
			bad("answered without an entry: %s to %s", l.reads[agent], agent)
		}
	}
	for ref, o := range l.deleted {
		if o == acked && f.Live[ref] {
			bad("a deletion that was acknowledged is undone: %s", ref)
		}
	}
	if f.Shared >= 0 && (f.Shared < l.sharedAcks || f.Shared > l.sharedTries) {
		bad("the shared number is %d after %d acknowledged increments of %d tries", f.Shared, l.sharedAcks, l.sharedTries)
	}
}

// Fresh are the places of acknowledged writes since the last call, for a look through the program.
func (l *Ledger) Fresh() map[string]place {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := map[string]place{}
	for _, i := range l.fresh {
		for k, m := range l.writes[i].marks {
			if k < len(l.writes[i].at) {
				out[m] = l.writes[i].at[k]
			}
		}
	}
	l.fresh = nil
	return out
}

// below takes what stands behind /fhir in an address.
func below(location string) string {
	_, path, _ := strings.Cut(location, "/fhir")
	return path
}
