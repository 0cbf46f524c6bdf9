package chart

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/trust/identity"
	"github.com/wellgate/wellgate/trust/policy"
)

// ErrTwo means that a person was asked for by fewer than two identifiers.
var ErrTwo = errors.New("chart: give at least two of family name, given name, date of birth, record number and phone")

// maxFound bounds how many people one search may name.
const maxFound = 20

// An Identifier is one thing known about a person. Patients are found by two of them together, so a table of keyed
// tokens over pairs is all that is stored: it can answer no question about one alone.
type Identifier struct{ Kind, Value string } // family, given, born (YYYY-MM-DD), number, phone

// pairs are the combinations that identify; family with given alone does not.
var pairs = [][2]string{
	{"born", "family"}, {"born", "given"}, {"born", "number"}, {"born", "phone"},
	{"family", "number"}, {"given", "number"}, {"number", "phone"}, {"family", "phone"}, {"given", "phone"},
}

// identifiers lists a patient's, folded for comparison.
func identifiers(p fhir.Patient) map[string][]string {
	out := map[string][]string{}
	add := func(kind, v string) {
		if v = foldKind(kind, v); v != "" && !slices.Contains(out[kind], v) {
			out[kind] = append(out[kind], v)
		}
	}
	for _, n := range p.Name {
		add("family", n.Family)
		for _, g := range n.Given {
			add("given", g)
		}
	}
	add("born", string(p.BirthDate))
	for _, id := range p.Identifier {
		add("number", id.Value)
	}
	for _, t := range p.Telecom {
		if t.System == "phone" || t.System == "sms" {
			add("phone", t.Value)
		}
	}
	return out
}

func foldKind(kind, v string) string {
	switch kind {
	case "born":
		return strings.TrimSpace(v)
	case "phone":
		digits := strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return r
			}
			return -1
		}, norm.NFKC.String(v))
		if len(digits) > 10 { // country codes are written in many ways
			digits = digits[len(digits)-10:]
		}
		return digits
	default:
		return Fold(v)
	}
}

// Fold makes names comparable: compatibility forms, case, accents, spaces and punctuation do not matter.
func Fold(s string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(cases.Fold().String(norm.NFKC.String(s))) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// point changes the look-up tokens of a patient from those of the version before; old is zero for a new patient, and new
// for one that is deleted.
func (h *House) point(ctx context.Context, tx *store.Tx, num int64, old, new fhir.Resource) error {
	was, is := pointers(old), pointers(new)
	if err := h.journal.Point(ctx, tx, num, "person", was.person, is.person); err != nil {
		return err
	}
	return h.journal.Point(ctx, tx, num, "identifier", was.identifier, is.identifier)
}

// A pointer is what a patient is found by.
type pointer struct{ person, identifier [][]string }

func pointers(r fhir.Resource) (p pointer) {
	if r.IsZero() {
		return p
	}
	person := fhir.Into[fhir.Patient](r)
	ids := identifiers(person)
	for _, pair := range pairs {
		for _, a := range ids[pair[0]] {
			for _, b := range ids[pair[1]] {
				p.person = append(p.person, []string{pair[0], a, pair[1], b})
			}
		}
	}
	// By identifier with its system, exactly: for conditional references and creates of the practice's own tools.
	for _, id := range person.Identifier {
		if id.Value != "" {
			p.identifier = append(p.identifier, []string{id.System, id.Value}, []string{"", id.Value})
		}
	}
	return p
}

// Matching finds the stored resources that a conditional reference or create means: a search by one identifier
// ("identifier=system|value"). Patients are found by token, the practice's own people and places in the directory.
// It is for the practice's own tools only.
func (h *House) Matching(ctx context.Context, act *Act, typ, query string) ([]string, error) {
	if act.Who.Kind != identity.System {
		return nil, policy.ErrDenied
	}
	if typ == "Patient" {
		return h.matchPatient(ctx, act, query)
	}
	return h.matchDirectory(ctx, act, typ, query)
}

// Find looks a patient up by exactly the identifiers given. Every match is noted in that patient's own log, a search
// that finds nobody in the practice's.
func (h *House) Find(ctx context.Context, act *Act, ids []Identifier) ([]*Chart, error) {
	if err := h.policy.Item(act.Who, policy.Find, policy.Item{Kind: "patient"}, policy.Context{}); err != nil {
		return nil, err
	}
	nums, err := h.match(ctx, ids)
	if err != nil {
		return nil, err
	}
	if len(nums) == 0 { // trying names until one fits leaves a trace too, in the practice's own log; what was tried is not in it
		act.note(h.directory, "find", "", "")
	}
	// Finding somebody is Operations until a reason is given: no more than the Patient resource is shown.
	out := make([]*Chart, 0, len(nums))
	for _, n := range nums {
		act.note(n, "find", "", "")
		out = append(out, &Chart{h: h, act: act, num: n, ctx: policy.Context{Opened: true}})
	}
	return out, nil
}

func (h *House) match(ctx context.Context, ids []Identifier) ([]int64, error) {
	given := map[string]string{}
	for _, id := range ids {
		if v := foldKind(id.Kind, id.Value); v != "" {
			given[id.Kind] = v
		}
	}
	var nums []int64
	used := map[string]bool{}
	first := true
	for _, p := range pairs {
		a, b := given[p[0]], given[p[1]]
		if a == "" || b == "" {
			continue
		}
		used[p[0]], used[p[1]] = true, true
		found, err := h.journal.Pointed(ctx, h.db, "person", maxFound, p[0], a, p[1], b)
		if err != nil {
			return nil, fmt.Errorf("chart: find: %w", err)
		}
		if first {
			nums, first = found, false
			continue
		}
		nums = slices.DeleteFunc(nums, func(n int64) bool { return !slices.Contains(found, n) })
	}
	if first || len(used) < len(given) { // every identifier given must have counted
		return nil, ErrTwo
	}
	return nums, nil
}

// Person is the Patient resource as finding staff may see it, noted as found.
func (c *Chart) Person(ctx context.Context) (fhir.Patient, error) {
	st, err := c.load(ctx)
	if err != nil {
		return fhir.Patient{}, err
	}
	s := st.shelf("Patient")
	if len(s.entries) == 0 || !c.visible(policy.Read, &s.entries[0]) {
		return fhir.Patient{}, ErrNotFound
	}
	r, err := s.entries[0].resource(ctx)
	if err != nil {
		return fhir.Patient{}, err
	}
	c.note("read", &s.entries[0])
	return fhir.Into[fhir.Patient](r), nil
}
