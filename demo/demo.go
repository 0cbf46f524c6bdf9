// Package demo invents a practice: its directory, its staff, and forty patients with about five years of coherent
// history. Everybody in it is made up, every phone number is a 555-01xx and every address ends in example.com.
//
// The same seed and the same moment give the same bytes, on any machine: there is one random stream per patient,
// maps are never walked, and nothing compressed is authored, because compressors change between Go releases.
// All dates hang on now, so that a demo opened next year is still about this week.
package demo

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // the practice keeps its own clock, whatever the machine has installed

	"github.com/wellgate/wellgate/fhir"
)

// A Practice is everything that a fresh demo holds.
type Practice struct {
	Name, Phone, Emergency string
	Colour, Zone           string          // brand colour as #rrggbb; IANA time zone
	Organization           string          // "Organization/…" of the practice itself
	Directory              []fhir.Resource // organizations, locations, practitioners and their roles
	Staff                  []StaffMember
	Patients               []Patient
	Families               []Family
}

// A StaffMember signs in at the desk.
type StaffMember struct {
	Practitioner string // "Practitioner/…" in the directory
	Name, Login  string
	Role         string // as identity.Role
	Hero         bool   // shown on the sign-in lines
	Story        string // one line on what to try as this person
}

// A Patient is one chart.
type Patient struct {
	Resource    fhir.Resource   // the Patient
	Record      []fhir.Resource // everything else, ordered by date; references point inside it or into the directory
	Files       []File
	DisplayName string
	Number      string // medical record number, as people say it
	Login       string // "" for those too young for an account of their own
	Hero        bool
	Story       string   // one line on what there is to see
	Labels      []string // v3-ActCode sensitivity labels that occur in the record
}

// A File is what an attachment points at.
type File struct {
	Ref         string // "Binary/…"
	ContentType string
	Title       string
	Bytes       []byte
}

// A Family is one relationship through which one patient acts for another.
type Family struct {
	Guardian, Dependant string // "Patient/…"
	Relation            string // what the guardian is to the dependant: "mother", "father", "daughter", "son"
	Adult               bool   // the dependant is an adult who asked for help
}

// Generate makes the practice of a seed as it is at now.
func Generate(seed uint64, now time.Time) (*Practice, error) {
	zone, err := time.LoadLocation(zoneName)
	if err != nil {
		return nil, fmt.Errorf("demo: load time zone %s: %w", zoneName, err)
	}
	now = now.In(zone).Truncate(time.Minute)
	dir, err := newDirectory(seed, now)
	if err != nil {
		return nil, err
	}
	lives := make([]*life, len(people))
	books := calendar{}
	for i := range people {
		lives[i] = newLife(seed, now, dir, &people[i], i)
		lives[i].plan(books)
	}
	for _, l := range lives {
		l.kin = kinOf(l, lives)
	}
	if err := writeAll(lives); err != nil {
		return nil, err
	}
	p := &Practice{
		Name: practiceName, Phone: practicePhone, Emergency: "911", Colour: "#0f5c63", Zone: zoneName,
		Organization: dir.practice.Reference, Directory: dir.all, Staff: dir.staff,
	}
	for _, l := range lives {
		p.Patients = append(p.Patients, l.patient())
		for _, k := range l.kin {
			if k.carer {
				p.Families = append(p.Families, Family{Guardian: k.ref, Dependant: l.ref, Relation: k.is, Adult: l.age() >= 18})
			}
		}
	}
	return p, nil
}

// writeAll fills every life. The streams are separate, so the order in which they run changes nothing.
func writeAll(lives []*life) error {
	var wg sync.WaitGroup
	next := make(chan *life)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for l := range next {
				l.write()
			}
		})
	}
	for _, l := range lives {
		next <- l
	}
	close(next)
	wg.Wait()
	var all []error
	for _, l := range lives {
		all = append(all, l.err)
	}
	return errors.Join(all...)
}

// namer hands out ids: opaque, FHIR-safe, the same for the same seed, owner and place in the owner's record.
type namer struct {
	seed  uint64
	owner string
	n     uint64
}

var lower32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

func (m *namer) next() string {
	m.n++
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], m.seed)
	binary.BigEndian.PutUint64(b[8:], m.n)
	h := sha256.New()
	h.Write(b[:])
	h.Write([]byte(m.owner))
	return lower32.EncodeToString(h.Sum(nil)[:10])
}

func stream(seed uint64, owner string) *rand.Rand {
	h := sha256.Sum256([]byte(owner))
	return rand.New(rand.NewPCG(seed, binary.BigEndian.Uint64(h[:8])))
}

// A life is one patient while it is being written.
type life struct {
	namer
	*person
	index  int
	now    time.Time
	born   time.Time
	rng    *rand.Rand
	dir    *directory
	ref    string
	me     fhir.Reference
	visits []visit
	kin    []kin

	conds  []held
	meds   []taken
	base   []baseline // this person's own usual values
	draws  []draw     // laboratory history, oldest first
	insure fhir.Reference
	team   fhir.Reference

	whole  fhir.Resource
	record []dated
	files  []File
	labels []string
	err    error
}

// dated is a resource with the moment it belongs to, for a record in the order things happened.
type dated struct {
	at time.Time
	r  fhir.Resource
}

func newLife(seed uint64, now time.Time, dir *directory, p *person, index int) *life {
	l := &life{namer: namer{seed: seed, owner: "patient/" + p.key}, person: p, index: index, now: now, dir: dir}
	l.rng = stream(seed, l.owner)
	l.born = p.bornBefore(now)
	l.ref = "Patient/" + l.next()
	l.me = fhir.Reference{Reference: l.ref, Display: p.called()}
	return l
}

// add makes v a resource of the record, belonging to the moment at, and returns its reference.
func (l *life) add(at time.Time, v any) string {
	r, err := fhir.New(v)
	if err != nil {
		l.err = cmp.Or(l.err, fmt.Errorf("demo: author %T for %s: %w", v, l.key, err))
		return ""
	}
	l.record = append(l.record, dated{at, r})
	return r.Ref()
}

func (l *life) patient() Patient {
	slices.SortStableFunc(l.record, func(a, b dated) int { return a.at.Compare(b.at) })
	p := Patient{
		Resource: l.whole, Files: l.files, DisplayName: l.called(), Number: l.number(), Hero: l.hero,
		Story: l.story, Labels: l.labels, Record: make([]fhir.Resource, len(l.record)),
	}
	for i, d := range l.record {
		p.Record[i] = d.r
	}
	if l.age() >= 13 {
		p.Login = l.email()
	}
	return p
}

func (l *life) age() int              { return l.ageAt(l.now) }
func (l *life) ageAt(t time.Time) int { return yearsBetween(l.born, t) }
func (l *life) number() string {
	return fmt.Sprintf("WB-%03d-%03d", 104+l.index*7%800, 219+l.index*37%700)
}
func (l *life) email() string { return strings.ToLower(l.key) + "@example.com" }
func (l *life) phone() string { return fmt.Sprintf("(608) 555-01%02d", 30+l.index) }

// ago is the morning of a day some years before now, never before birth.
func (l *life) ago(years float64) time.Time {
	d := l.now.Add(-time.Duration(years * 365.25 * 24 * float64(time.Hour)))
	t := time.Date(d.Year(), d.Month(), d.Day(), 10, 15, 0, 0, d.Location())
	if t.Before(l.born) {
		return l.born.AddDate(0, 0, 2)
	}
	return t
}

// yearsAgo is the reverse of ago.
func (l *life) yearsAgo(t time.Time) float64 { return l.now.Sub(t).Hours() / 24 / 365.25 }

func (l *life) chance(p float64) bool { return l.rng.Float64() < p }

// pick takes one of a list; the list is never empty.
func pick[T any](l *life, list []T) T { return list[l.rng.IntN(len(list))] }

func yearsBetween(a, b time.Time) int {
	n := b.Year() - a.Year()
	if b.Month() < a.Month() || b.Month() == a.Month() && b.Day() < a.Day() {
		n--
	}
	return n
}
