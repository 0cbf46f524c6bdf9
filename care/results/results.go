package results

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wellgate/wellgate/fhir"
)

// State is where a result is on its way, from its FHIR status.
type State string

const (
	Final     State = "final"
	Awaited   State = "awaited"   // registered: ordered, nothing yet
	Early     State = "early"     // preliminary, partial: may change
	Corrected State = "corrected" // amended, corrected, appended
	Cancelled State = "cancelled"
	Gone      State = "gone"      // entered in error
	Uncertain State = "uncertain" // unknown, or a status that the specification does not have
)

// A Result is one test, or one report of tests or images, ready to be shown in any language.
type Result struct {
	Type, ID string // Observation or DiagnosticReport; both empty for a part of a result
	Name     Name
	Kind     Kind
	State    State
	Taken    fhir.DateTime // when the sample or image was taken; "" if not given
	Issued   fhir.DateTime // when it was reported
	Updated  time.Time     // when this version reached the record
	New      bool          // reached the record, or was commented, since the reader's last visit

	Value  Value
	Status Status
	Range  *Range
	Others []Range  // further ranges, to be read only
	Drawn  bool     // value and range may be drawn together: they do not contradict the status
	Parts  []Result // components, each with its own value

	Members    []*Result // of a report or panel, in its order
	Conclusion []string  // a report's own words
	Files      []fhir.Attachment
	Images     []string // ImagingStudy refs
	Notes      []string // the laboratory's remarks
	By         []fhir.Reference
	Comments   []Comment

	whole    []Comment // on the report it is the only test of
	codes    []string  // "system|code", or the folded name: what makes two results the same test
	specimen fhir.Reference
	category Category
}

// A Comment is what a clinician wrote about a result, in a ClinicalImpression.
type Comment struct {
	ID        string
	Text      string
	At        fhir.DateTime
	By        fhir.Reference
	Updated   time.Time
	Withdrawn bool
	New       bool
	About     []string // refs
}

// Ref is "Observation/x".
func (r *Result) Ref() string { return r.Type + "/" + r.ID }

// IsReport: a report or panel has members or words of its own rather than one value.
func (r *Result) IsReport() bool { return r.Type == "DiagnosticReport" || len(r.Members) > 0 }

// When is the best date to sort and show by: taken, else reported.
func (r *Result) When() fhir.DateTime {
	if r.Taken.Precision() != fhir.Unknown {
		return r.Taken
	}
	return r.Issued
}

// Flagged reports whether the result or any part of it is outside what is usual.
func (r *Result) Flagged() bool {
	return r.State != Gone && (r.Status.Flagged() || slices.ContainsFunc(r.Parts, func(p Result) bool { return p.Status.Flagged() }))
}

// Commented reports whether there is a comment to read, on the result or on the report it is the only test of.
func (r *Result) Commented() bool {
	there := func(c Comment) bool { return !c.Withdrawn }
	return slices.ContainsFunc(r.Comments, there) || slices.ContainsFunc(r.whole, there)
}

// thin: a report of one test with no words of its own says nothing that the test does not say.
func (r *Result) thin() bool {
	return r.Type == "DiagnosticReport" && len(r.Members) == 1 && len(r.Conclusion)+len(r.Files)+len(r.Images)+len(r.Notes) == 0 && r.State != Gone
}

// A Doc is a resource and when this version of it reached the record.
type Doc struct {
	fhir.Resource
	Updated time.Time
}

// Input is everything that a Book is made of.
type Input struct {
	Observations, Reports, Comments []Doc
	Person                          Person
	Since                           time.Time // the reader's last visit; zero if there was none
	Now                             time.Time
	Zone                            *time.Location
	Specimen                        func(fhir.Reference) string // words of a Specimen; may be nil
}

// A Book is a person's results, arranged.
type Book struct {
	Groups []Group // newest first
	byRef  map[string]*Result
	zone   *time.Location
}

// A Group is one report with its tests, or the single tests of one day.
type Group struct {
	Report *Result // nil for single tests
	Items  []*Result
}

// When is the date that the group stands under.
func (g Group) When() fhir.DateTime {
	if g.Report != nil && g.Report.When() != "" {
		return g.Report.When()
	}
	var best fhir.DateTime
	for _, r := range g.Items {
		if r.When().After(best) {
			best = r.When()
		}
	}
	return best
}

// firstVisit is how far back "new" goes for somebody who was never here.
const firstVisit = 14 * 24 * time.Hour

// Collect arranges a record's results.
func Collect(in Input) *Book {
	b := &Book{byRef: map[string]*Result{}, zone: in.Zone}
	if b.zone == nil {
		b.zone = time.UTC
	}
	var observations []*Result
	panels := map[string][]string{}
	for _, e := range in.Observations {
		o := fhir.Into[fhir.Observation](e.Resource)
		r := fromObservation(e, o, in, b.zone)
		observations = append(observations, r)
		b.byRef[r.Ref()] = r
		for _, m := range o.HasMember {
			if ref := local(m); ref != "" {
				panels[r.Ref()] = append(panels[r.Ref()], ref)
			}
		}
	}
	reports := b.reports(in)
	for _, r := range observations {
		for _, ref := range panels[r.Ref()] {
			if m := b.byRef[ref]; m != nil && m != r {
				r.Members = append(r.Members, m)
			}
		}
	}
	b.attach(in)
	b.keepOurs(observations, reports)
	b.group(observations, reports)
	return b
}

// One is the result with that type and id, or nil.
func (b *Book) One(typ, id string) *Result { return b.byRef[typ+"/"+id] }

// holders are the reports and panels that r belongs to, newest first.
func (b *Book) holders(r *Result) []*Result {
	var hs []*Result
	for _, h := range b.byRef {
		if h != r && slices.Contains(h.Members, r) && !slices.Contains(hs, h) {
			hs = append(hs, h)
		}
	}
	slices.SortFunc(hs, func(x, y *Result) int {
		return cmp.Or(y.When().Compare(x.When()), cmp.Compare(x.Ref(), y.Ref()))
	})
	return hs
}

// All yields every result once, in the order of the list.
func (b *Book) All() []*Result {
	var all []*Result
	for _, g := range b.Groups {
		if g.Report != nil {
			all = append(all, g.Report)
		}
		all = append(all, g.Items...)
	}
	return all
}

func (b *Book) reports(in Input) []*Result {
	var reports []*Result
	for _, e := range in.Reports {
		d := fhir.Into[fhir.DiagnosticReport](e.Resource)
		r := fromReport(e, d, in)
		if r.State != Gone {
			for _, ref := range d.Result {
				if m := b.byRef[local(ref)]; m != nil {
					r.Members = append(r.Members, m)
				}
			}
		}
		reports = append(reports, r)
		b.byRef[r.Ref()] = r
	}
	return reports
}

// keepOurs forgets what belongs to other rooms: vital signs, questionnaires, notes. A result without a category is
// ours if a report of ours holds it, or if it is a test that we know.
func (b *Book) keepOurs(observations, reports []*Result) {
	for _, r := range reports {
		if r.category != ours && r.category != unsaid {
			continue
		}
		members := r.Members
		r.Members = nil
		for _, m := range members {
			if m.category == unsaid && r.category == ours {
				m.category = ours
			}
			if m.category == ours {
				r.Members = append(r.Members, m)
			}
		}
		if len(members) > 0 && len(r.Members) == 0 {
			r.category = theirs // a questionnaire sent as a "laboratory" report
		} else if len(r.Members) > 0 {
			r.category = ours
		}
	}
	for _, r := range observations {
		if r.category == unsaid && (r.Name.Key != "" || slices.ContainsFunc(r.Members, func(m *Result) bool { return m.category == ours })) {
			r.category = ours
		}
		r.Members = slices.DeleteFunc(r.Members, func(m *Result) bool { return m.category != ours && m.category != unsaid })
	}
	for ref, r := range b.byRef {
		if r.category != ours {
			delete(b.byRef, ref)
		}
	}
}

// group puts every result in exactly one group.
func (b *Book) group(observations, reports []*Result) {
	placed := map[*Result]bool{}
	dropTwins(observations, b)
	var heads []*Result
	for _, r := range reports {
		if b.byRef[r.Ref()] == r && r.thin() {
			m := r.Members[0]
			m.whole = append(m.whole, r.Comments...)
			m.New = m.New || r.New
			continue
		}
		heads = append(heads, r)
	}
	for _, r := range observations {
		if len(r.Members) > 0 {
			heads = append(heads, r)
		}
	}
	slices.SortStableFunc(heads, func(x, y *Result) int { return y.When().Compare(x.When()) })
	for _, r := range heads {
		if b.byRef[r.Ref()] != r || placed[r] {
			continue
		}
		g := Group{Report: r}
		placed[r] = true
		for _, m := range r.Members {
			if b.byRef[m.Ref()] == m && !placed[m] && len(m.Members) == 0 {
				placed[m] = true
				g.Items = append(g.Items, m)
			}
		}
		b.Groups = append(b.Groups, g)
	}
	days := map[string]*Group{}
	var order []string
	for _, r := range observations {
		if b.byRef[r.Ref()] != r || placed[r] {
			continue
		}
		d := b.day(r.When())
		if days[d] == nil {
			days[d] = &Group{}
			order = append(order, d)
		}
		days[d].Items = append(days[d].Items, r)
	}
	for _, d := range order {
		b.Groups = append(b.Groups, *days[d])
	}
	slices.SortStableFunc(b.Groups, func(x, y Group) int { return y.When().Compare(x.When()) })
}

// day is the calendar day of d for the practice; partial dates stand for themselves.
func (b *Book) day(d fhir.DateTime) string {
	if t, ok := d.Time(b.zone); ok && d.Precision() >= fhir.Day {
		return t.In(b.zone).Format(time.DateOnly)
	}
	return string(d)
}

// dropTwins hides the second copy of a result that was sent twice under two ids: same test, same moment, same value.
// The copy that is commented, else the one reported last, stays.
func dropTwins(observations []*Result, b *Book) {
	seen := map[string]*Result{}
	for _, r := range observations {
		if b.byRef[r.Ref()] != r || len(r.Members) > 0 || len(r.codes) == 0 || r.When() == "" || r.Value.Form == Nothing || r.Value.Form == Withdrawn || len(r.Parts) > 0 {
			continue
		}
		key := strings.Join([]string{r.codes[0], string(r.When()), r.Value.key(), string(r.State)}, "\x00")
		first := seen[key]
		if first == nil {
			seen[key] = r
			continue
		}
		keep, drop := first, r
		if !first.Commented() && (r.Commented() || r.Issued.After(first.Issued)) {
			keep, drop = r, first
		}
		seen[key] = keep
		keep.Comments = append(keep.Comments, drop.Comments...)
		for _, h := range b.byRef {
			if i := slices.Index(h.Members, drop); i >= 0 && slices.Contains(h.Members, keep) {
				h.Members = slices.Delete(h.Members, i, i+1)
			} else if i >= 0 {
				h.Members[i] = keep
			}
		}
		delete(b.byRef, drop.Ref())
		b.byRef[drop.Ref()] = keep // an old link still leads somewhere
	}
}

func (v Value) key() string {
	return strings.Join([]string{string(rune('0' + v.Form)), v.Comparator, string(v.Digits), string(v.Digits2), v.Unit, v.Unit2, v.Text, string(v.Date), string(v.Date2), v.Why, strconv.FormatBool(v.Yes)}, "\x01")
}
