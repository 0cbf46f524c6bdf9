package results

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/wellgate/wellgate/care"
	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/identity"
)

// This file reads from the chart no more than a page needs: whatever is read stands in the log that the patient sees.

// What is surely another room's is not read, unless it is also ours. keepOurs has the last word.
const (
	observationsOfOthers = "category:not=vital-signs,vital-sign,social-history,survey,exam,therapy,activity,procedure"
	observationsOurs     = "category=laboratory,imaging,LAB,RAD"
	reportsOfOthers      = "category:not=34117-2,11488-4,18842-5,28570-0,11506-3,clinical-note,LP173421-1"
	reportsOurs          = "category=LAB,RAD,laboratory,imaging,LP29684-5,LP29708-2,LP7839-6"
)

// source collects documents once each.
type source struct {
	ctx  context.Context
	c    *chart.Chart
	in   Input
	seen map[string]bool
	err  error
}

func newSource(v *care.Visit) *source {
	s := &source{ctx: v.Context(), c: v.Chart, seen: map[string]bool{}}
	s.in = Input{Now: v.Now, Zone: v.Words.Zone}
	if v.Who.Kind == identity.Patient {
		s.in.Since = v.Who.Since
	} else {
		s.in.Since = v.Now // "new" is the patient's word
	}
	if p, err := v.Chart.Patient(s.ctx); err == nil {
		x := fhir.Into[fhir.Patient](p)
		s.in.Person = Person{Born: x.BirthDate, Sex: x.Gender}
	} else if !errors.Is(err, chart.ErrNotFound) {
		s.err = err
	}
	s.in.Specimen = func(r fhir.Reference) string {
		if x, ok := v.Chart.Resolve(s.ctx, r.Reference); ok && x.Type() == "Specimen" {
			return fhir.Into[fhir.Specimen](x).Type.Label()
		}
		return ""
	}
	return s
}

func (s *source) search(typ, query string) []chart.Entry {
	if s.err != nil {
		return nil
	}
	found, err := s.c.Search(s.ctx, typ, query)
	s.err = err
	for _, e := range found {
		s.add(e)
	}
	return found
}

func (s *source) get(typ, id string) {
	if s.err != nil || s.seen[typ+"/"+id] {
		return
	}
	e, err := s.c.Get(s.ctx, typ, id)
	switch {
	case errors.Is(err, chart.ErrNotFound):
	case err != nil:
		s.err = err
	default:
		s.add(e)
	}
}

func (s *source) getRef(ref string) {
	if typ, id, ok := fhir.SplitRef(ref); ok && (typ == "Observation" || typ == "DiagnosticReport") {
		s.get(typ, id)
	}
}

func (s *source) add(e chart.Entry) {
	if s.seen[e.Ref()] {
		return
	}
	s.seen[e.Ref()] = true
	d := Doc{Resource: e.Resource, Updated: e.Updated}
	switch e.Type() {
	case "Observation":
		s.in.Observations = append(s.in.Observations, d)
	case "DiagnosticReport":
		s.in.Reports = append(s.in.Reports, d)
	case "ClinicalImpression":
		s.in.Comments = append(s.in.Comments, d)
	}
}

// readAll makes the book of the list.
func readAll(v *care.Visit) (*Book, error) { return kept(v, "results.all", arrangeAll) }

// readNew makes a book of what reached the record since the last visit, for the home page.
func readNew(v *care.Visit) (*Book, error) { return kept(v, "results.new", arrangeNew) }

// kept keeps a book with the version of the record that it was made of. Nobody changes a book once it is made.
func kept(v *care.Visit, what string, make func(*care.Visit) (*Book, int64, error)) (*Book, error) {
	since := "staff" // to whom nothing is new
	if v.Who.Kind == identity.Patient {
		since = v.Who.Since.UTC().Format(time.RFC3339Nano)
		if v.Who.Since.IsZero() {
			since = "never " + v.Now.UTC().Format("2006-01-02T15:04") // what is recent is new
		}
	}
	return chart.Memo(v.Context(), v.Chart, what+"|"+v.Words.Zone.String()+"|"+since, func(c *chart.Chart) (*Book, int64, error) {
		w := *v
		w.Chart = c
		return make(&w)
	})
}

func arrangeAll(v *care.Visit) (*Book, int64, error) {
	s := newSource(v)
	s.search("Observation", observationsOfOthers)
	s.search("Observation", observationsOurs)
	s.search("DiagnosticReport", reportsOfOthers)
	s.search("DiagnosticReport", reportsOurs)
	s.search("ClinicalImpression", "")
	return s.book()
}

// book arranges what was read, and weighs it: about as much as the JSON it was made of.
func (s *source) book() (*Book, int64, error) {
	if s.err != nil {
		return nil, 0, s.err
	}
	bytes := int64(0)
	for _, docs := range [][]Doc{s.in.Observations, s.in.Reports, s.in.Comments} {
		for _, d := range docs {
			bytes += int64(len(d.Raw())) + 256
		}
	}
	return Collect(s.in), bytes, nil
}

// readOne makes a book of one result, what belongs to it, and what it is compared with.
func readOne(v *care.Visit, typ, id string) (*Book, *Result, error) {
	s := newSource(v)
	e, err := v.Chart.Get(s.ctx, typ, id)
	if err != nil {
		return nil, nil, err
	}
	s.add(e)
	switch typ {
	case "Observation":
		for _, r := range s.search("DiagnosticReport", "result="+url.QueryEscape(e.Ref())) {
			s.members(r.Resource)
		}
		for _, p := range s.search("Observation", "has-member="+url.QueryEscape(e.Ref())) {
			s.members(p.Resource)
		}
		s.members(e.Resource)
		s.same(e)
	case "DiagnosticReport":
		s.members(e.Resource)
	}
	s.commentsOn(e.Ref())
	if s.err != nil {
		return nil, nil, s.err
	}
	b := Collect(s.in)
	r := b.One(typ, id)
	if r == nil {
		return nil, nil, chart.ErrNotFound // another room's
	}
	return b, r, nil
}

// commentsOn reads what was written about a result, and about the reports it belongs to.
func (s *source) commentsOn(ref string) {
	refs := []string{ref}
	for _, r := range s.in.Reports {
		refs = append(refs, r.Ref())
	}
	for _, o := range s.in.Observations {
		if len(fhir.Into[fhir.Observation](o.Resource).HasMember) > 0 {
			refs = append(refs, o.Ref())
		}
	}
	slices.Sort(refs)
	list := url.QueryEscape(strings.Join(slices.Compact(refs), ","))
	s.search("ClinicalImpression", "finding-ref="+list)
	s.search("ClinicalImpression", "investigation="+list)
}

// members reads the tests of a report or panel.
func (s *source) members(r fhir.Resource) {
	switch r.Type() {
	case "DiagnosticReport":
		for _, ref := range fhir.Into[fhir.DiagnosticReport](r).Result {
			s.getRef(local(ref))
		}
	case "Observation":
		for _, ref := range fhir.Into[fhir.Observation](r).HasMember {
			s.getRef(local(ref))
		}
	}
}

// same reads earlier and later results of the same test.
func (s *source) same(e chart.Entry) {
	o := fhir.Into[fhir.Observation](e.Resource)
	var codes []string
	for _, k := range o.Code.Coding {
		if k.Code != "" && !strings.ContainsAny(k.System+k.Code, ",|$\\") {
			codes = append(codes, k.System+"|"+k.Code)
		}
	}
	switch {
	case len(codes) > 0:
		s.search("Observation", "code="+url.QueryEscape(strings.Join(codes, ",")))
	case o.Code.Label() != "":
		s.search("Observation", observationsOurs) // a test without a code is known by its name only
	}
}

func arrangeNew(v *care.Visit) (*Book, int64, error) {
	s := newSource(v)
	since := v.Who.Since
	if since.IsZero() {
		since = v.Now.Add(-firstVisit)
	}
	q := "&_lastUpdated=ge" + url.QueryEscape(since.UTC().Truncate(time.Second).Format(time.RFC3339))
	s.search("Observation", observationsOfOthers+q)
	s.search("Observation", observationsOurs+q)
	s.search("DiagnosticReport", reportsOfOthers+q)
	for _, e := range s.search("ClinicalImpression", q[1:]) {
		for _, ref := range about(fhir.Into[fhir.ClinicalImpression](e.Resource)) {
			s.getRef(ref)
		}
	}
	for _, r := range slices.Clone(s.in.Reports) {
		s.members(r.Resource) // a report without its tests would go by another name here than in the list
	}
	return s.book()
}

// write stores a comment on a result: a ClinicalImpression, completed, by who is signed in. It carries the
// sensitivity labels of the result and of the tests it holds: who may not see the one must not read about it in the other.
func write(v *care.Visit, r *Result, text string) error {
	p, err := v.Chart.Patient(v.Context())
	if err != nil {
		return err
	}
	held, err := labelsOf(v, append([]*Result{r}, r.Members...))
	if err != nil {
		return err
	}
	ci := fhir.ClinicalImpression{ID: v.Chart.NewID(), Status: "completed", Subject: fhir.RefTo(p), Date: fhir.Instant(v.Now),
		Assessor: fhir.Reference{Reference: v.Who.Practitioner, Display: v.Who.Name}, Summary: text}
	if len(held) > 0 {
		ci.Meta = &fhir.Meta{Security: held}
	}
	if r.Type == "Observation" {
		ci.Finding = []fhir.ClinicalImpressionFinding{{ItemReference: fhir.Reference{Reference: r.Ref()}}}
	} else { // R4 has no report among finding.itemReference's targets
		ci.Investigation = []fhir.ClinicalImpressionInvestigation{{Code: fhir.TextConcept("Diagnostic report"), Item: []fhir.Reference{{Reference: r.Ref()}}}}
	}
	res, err := fhir.New(ci)
	if err != nil {
		return err
	}
	return v.Chart.Write(v.Context(), chart.Change{Room: "results", What: "commented", Put: []fhir.Resource{res}})
}

// withdraw marks a comment as entered in error; the guard sees that only its author does.
func withdraw(v *care.Visit, id string) (fhir.ClinicalImpression, error) {
	e, err := v.Chart.Get(v.Context(), "ClinicalImpression", id)
	if err != nil {
		return fhir.ClinicalImpression{}, err
	}
	r, err := e.With("status", "entered-in-error")
	if err != nil {
		return fhir.ClinicalImpression{}, err
	}
	err = v.Chart.Write(v.Context(), chart.Change{Room: "results", What: "withdrew", Put: []fhir.Resource{r}, If: map[string]int64{e.Ref(): e.Version}})
	return fhir.Into[fhir.ClinicalImpression](r), err
}

// author is who wrote c, as the directory names them now.
func author(v *care.Visit, c Comment) string {
	if c.By.Display != "" {
		return c.By.Display
	}
	if v.Chart != nil && c.By.Reference != "" {
		if p, ok := v.Chart.Resolve(v.Context(), c.By.Reference); ok && p.Type() == "Practitioner" {
			if name := fhir.Into[fhir.Practitioner](p).DisplayName(); name != "" {
				return name
			}
		}
	}
	return v.Words.T("results.comment.someone")
}

// performers are who the result came from, without repeats.
func performers(v *care.Visit, r *Result) []string {
	var names []string
	for _, ref := range r.By {
		name := ref.Display
		if name == "" && v.Chart != nil && ref.Reference != "" {
			if x, ok := v.Chart.Resolve(v.Context(), ref.Reference); ok {
				switch x.Type() {
				case "Practitioner":
					name = fhir.Into[fhir.Practitioner](x).DisplayName()
				case "Organization":
					name = fhir.Into[fhir.Organization](x).Name
				}
			}
		}
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// labelsOf are the labels of all of rs, each once: who writes about a report writes about its tests.
func labelsOf(v *care.Visit, rs []*Result) ([]fhir.Coding, error) {
	var out []fhir.Coding
	for _, r := range rs {
		e, err := v.Chart.Get(v.Context(), r.Type, r.ID)
		if err != nil {
			return nil, err
		}
		for _, l := range labels(e.Resource) {
			if !slices.ContainsFunc(out, func(o fhir.Coding) bool { return o.System == l.System && o.Code == l.Code }) {
				out = append(out, l)
			}
		}
	}
	return out, nil
}

func labels(r fhir.Resource) []fhir.Coding {
	m := fhir.View[struct {
		Meta *fhir.Meta `json:"meta"`
	}](r).Meta
	if m == nil {
		return nil
	}
	return m.Security
}
