package records

import (
	"net/url"
	"slices"
	"strconv"

	"github.com/wellgate/wellgate/care"
	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/identity"
)

func desk(v *care.Visit) bool { return v.Who.Kind == identity.Staff }

// pageNo is the page asked for; Paged puts right what is no number.
func pageNo(v *care.Visit) int {
	n, _ := strconv.Atoi(v.URL.Query().Get("page"))
	return n
}

func medicines(v *care.Visit) error {
	ms, err := readMedicines(v, finder(v))
	if err != nil {
		return err
	}
	return v.Show(v.Words.T("records.nav.medicines"), medicinesPage(v, ms, Paged(pageNo(v), len(ms))))
}

func conditions(v *care.Visit) error {
	ps, err := readProblems(v)
	if err != nil {
		return err
	}
	return v.Show(v.Words.T("records.conditions"), conditionsPage(v, ps, Paged(pageNo(v), len(ps))))
}

func allergies(v *care.Visit) error {
	l, err := readAllergies(v)
	if err != nil {
		return err
	}
	return v.Show(v.Words.T("records.allergies"), allergiesPage(v, l, Paged(pageNo(v), len(l.Entries))))
}

func vaccines(v *care.Visit) error {
	vs, err := readVaccines(v, finder(v))
	if err != nil {
		return err
	}
	return v.Show(v.Words.T("records.vaccines"), vaccinesPage(v, vs, Paged(pageNo(v), len(vs))))
}

func vitals(v *care.Visit) error {
	vs, err := readVitals(v, "")
	if err != nil {
		return err
	}
	return v.Show(v.Words.T("records.vitals"), vitalsPage(v, vs, Paged(pageNo(v), len(vs))))
}

func vital(v *care.Visit) error {
	vs, err := readVitals(v, "")
	if err != nil {
		return err
	}
	i := slices.IndexFunc(vs, func(x Vital) bool { return x.Code == v.PathValue("code") })
	if i < 0 {
		return chart.ErrNotFound
	}
	return v.Show(v.Words.T("records.vital.title"), vitalPage(v, vs[i], Paged(pageNo(v), len(vs[i].Readings))))
}

func visits(v *care.Visit) error {
	vs, err := readVisits(v, finder(v))
	if err != nil {
		return err
	}
	return v.Show(v.Words.T("records.visits"), visitsPage(v, vs, Paged(pageNo(v), len(vs))))
}

// told is a visit with everything that came of it.
type told struct {
	Visit
	Notes    []Document
	Deeds    []Deed
	Results  []Event
	Vitals   []Vital
	Problems []Problem
	Vaccines []Vaccine
	Orders   []Medicine
}

func visit(v *care.Visit) error {
	ctx, find := v.Context(), finder(v)
	e, err := v.Chart.Get(ctx, "Encounter", v.PathValue("id"))
	if err != nil {
		return err
	}
	x, ok := VisitOf(fhir.Into[fhir.Encounter](e.Resource), find)
	if !ok {
		return chart.ErrNotFound
	}
	t := told{Visit: x}
	q := "encounter=" + url.QueryEscape(e.Ref())
	if t.Notes, err = readDocuments(v, q, find); err != nil {
		return err
	}
	if t.Deeds, err = readDeeds(v, q, find); err != nil {
		return err
	}
	if t.Vitals, err = readVitals(v, q); err != nil {
		return err
	}
	if t.Results, err = resultsOf(v, q, find); err != nil {
		return err
	}
	if err := t.rest(v, q, find); err != nil {
		return err
	}
	return v.Show(v.Words.T("records.visit.title"), visitPage(v, t))
}

// rest reads what a visit changed: conditions, vaccines, orders.
func (t *told) rest(v *care.Visit, q string, find Lookup) error {
	ctx := v.Context()
	cs, err := read[fhir.Condition](ctx, v.Chart, "Condition", q)
	if err != nil {
		return err
	}
	t.Problems = slices.DeleteFunc(Problems(cs), func(p Problem) bool { return p.Sort == RuledOut })
	// R4 has no search parameter for an immunisation's encounter.
	is, err := read[fhir.Immunization](ctx, v.Chart, "Immunization", "")
	if err != nil {
		return err
	}
	is = slices.DeleteFunc(is, func(i fhir.Immunization) bool { return idOf(i.Encounter, "Encounter") != t.ID })
	t.Vaccines = Vaccines(is, find)
	rs, err := read[fhir.MedicationRequest](ctx, v.Chart, "MedicationRequest", q)
	t.Orders = Medicines(rs, nil, find)
	return err
}

func resultsOf(v *care.Visit, q string, find Lookup) ([]Event, error) {
	es, err := v.Chart.Search(v.Context(), "DiagnosticReport", q)
	if err != nil {
		return nil, err
	}
	rs := make([]fhir.Resource, len(es))
	for i, e := range es {
		rs[i] = e.Resource
	}
	return Events(rs, find), nil
}

func noteList(v *care.Visit) error {
	ds, err := readDocuments(v, "", finder(v))
	if err != nil {
		return err
	}
	ds = slices.DeleteFunc(ds, func(d Document) bool { return !d.Note })
	return v.Show(v.Words.T("records.notes"), notesPage(v, ds, Paged(pageNo(v), len(ds))))
}

func documents(v *care.Visit) error {
	all, err := readDocuments(v, "", finder(v))
	if err != nil {
		return err
	}
	kind := v.URL.Query().Get("kind")
	kinds := Kinds(all)
	if !slices.ContainsFunc(kinds, func(k Kind) bool { return k.Key == kind }) {
		kind = ""
	}
	ds := OfKind(all, kind)
	return v.Show(v.Words.T("records.nav.documents"), documentsPage(v, ds, kinds, kind, Paged(pageNo(v), len(ds))))
}

func careTeam(v *care.Visit) error {
	ms, err := readTeam(v, finder(v))
	if err != nil {
		return err
	}
	return v.Show(v.Words.T("records.team"), teamPage(v, ms))
}

func procedures(v *care.Visit) error {
	ds, err := readDeeds(v, "", finder(v))
	if err != nil {
		return err
	}
	return v.Show(v.Words.T("records.procedures"), proceduresPage(v, ds, Paged(pageNo(v), len(ds))))
}

func plans(v *care.Visit) error {
	ps, aims, err := readPlans(v, finder(v))
	if err != nil {
		return err
	}
	return v.Show(v.Words.T("records.plan"), plansPage(v, ps, aims, Paged(pageNo(v), len(ps))))
}

func timeline(v *care.Visit) error {
	kind := v.URL.Query().Get("kind")
	if !slices.Contains(EventKinds, kind) {
		kind = ""
	}
	es, err := readEvents(v, kind, finder(v))
	if err != nil {
		return err
	}
	return v.Show(v.Words.T("records.timeline"), timelinePage(v, es, kind, Paged(pageNo(v), len(es))))
}
