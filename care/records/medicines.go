package records

import (
	"slices"
	"strings"

	"github.com/wellgate/wellgate/fhir"
)

// State is how a medicine stands now.
type State string

const (
	Current   State = "current"
	Paused    State = "paused"
	Unsure    State = "unsure"    // nobody said whether it is still taken
	Suggested State = "suggested" // proposed, not prescribed
	Past      State = "past"
)

// order: what is taken comes first.
var stateOrder = map[State]int{Current: 0, Unsure: 1, Paused: 2, Suggested: 3, Past: 4}

// A Medicine is one medicine however often it was ordered or mentioned.
type Medicine struct {
	Name         string // as reported; "" = not named
	State        State
	For          []Label
	How          []How
	By           Party         // who prescribed it last
	Since, Until fhir.DateTime // of the present run of orders; Until for past ones
	Last         fhir.DateTime // when it was last ordered or mentioned
	Times        int           // orders, when more than one
	Stopped      []string      // why, as recorded
	NotTaken     bool          // the patient says it is not taken
	OwnReport    bool          // nothing was ordered: the list rests on what the patient said
	Notes        []string
}

// mention is one MedicationRequest or MedicationStatement.
type mention struct {
	key, name, ref   string
	state            State
	request, notTake bool
	start, end, when fhir.DateTime
	how              []fhir.Dosage
	reasons          []Label
	by               Party
	stopped, notes   []string
	basedOn          []string
}

// Medicines merges requests and statements: one entry for each medicine, what is current first.
func Medicines(requests []fhir.MedicationRequest, statements []fhir.MedicationStatement, find Lookup) []Medicine {
	var all []mention
	for _, r := range requests {
		if m, ok := fromRequest(r, find); ok {
			all = append(all, m)
		}
	}
	for _, s := range statements {
		if m, ok := fromStatement(s, find); ok {
			all = append(all, m)
		}
	}
	groups := grouped(all)
	out := make([]Medicine, 0, len(groups))
	for _, g := range groups {
		out = append(out, merge(g))
	}
	slices.SortStableFunc(out, func(a, b Medicine) int {
		if d := stateOrder[a.State] - stateOrder[b.State]; d != 0 {
			return d
		}
		if a.State == Past {
			return newest(a.Last, b.Last)
		}
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	return out
}

func fromRequest(r fhir.MedicationRequest, find Lookup) (mention, bool) {
	if r.Status == "entered-in-error" || r.Status == "draft" || isTrue(r.DoNotPerform) {
		return mention{}, false
	}
	m := mention{ref: "MedicationRequest/" + r.ID, request: true, when: r.AuthoredOn, start: r.AuthoredOn,
		how: r.DosageInstruction, reasons: reasons(r.ReasonCode, r.ReasonReference, find),
		by: who(r.Requester, find), notes: notes(r.Note)}
	m.key, m.name = medicine(r.MedicationCodeableConcept, r.MedicationReference, r.Contained, find)
	if m.key == "" {
		m.key = m.ref // two medicines without a name are two medicines
	}
	switch r.Status {
	case "active":
		m.state = Current
	case "on-hold":
		m.state = Paused
	case "completed", "stopped", "cancelled":
		m.state = Past
	default:
		m.state = Unsure
	}
	if m.state != Past && (r.Intent == "proposal" || r.Intent == "option") {
		m.state = Suggested
	}
	if why := untag(Readable(r.StatusReason)); why != "" && m.state != Current {
		m.stopped = []string{why}
	}
	return m, true
}

func fromStatement(s fhir.MedicationStatement, find Lookup) (mention, bool) {
	if s.Status == "entered-in-error" {
		return mention{}, false
	}
	m := mention{ref: "MedicationStatement/" + s.ID, start: firstDate(s.EffectiveDateTime, start(s.EffectivePeriod)),
		end: end(s.EffectivePeriod), when: firstDate(s.DateAsserted, s.EffectiveDateTime, start(s.EffectivePeriod)),
		how: s.Dosage, reasons: reasons(s.ReasonCode, s.ReasonReference, find), notes: notes(s.Note)}
	m.key, m.name = medicine(s.MedicationCodeableConcept, s.MedicationReference, s.Contained, find)
	if m.key == "" {
		m.key = m.ref
	}
	for _, r := range slices.Concat(s.BasedOn, s.DerivedFrom) {
		m.basedOn = append(m.basedOn, r.Reference)
	}
	switch s.Status {
	case "active", "intended":
		m.state = Current
	case "on-hold":
		m.state = Paused
	case "completed", "stopped":
		m.state = Past
	case "not-taken":
		m.state, m.notTake = Past, true
	default:
		m.state = Unsure
	}
	if m.state != Current {
		m.stopped = readables(s.StatusReason)
	}
	return m, true
}

// medicine finds what is taken: a concept, or a Medication that is contained, in the chart or only named.
func medicine(c *fhir.CodeableConcept, ref *fhir.Reference, inside []fhir.Resource, find Lookup) (key, name string) {
	if c != nil {
		return sameKey(*c), Readable(*c)
	}
	if ref == nil {
		return "", ""
	}
	res, ok := contained(inside, ref.Reference)
	if !ok && find != nil {
		res, ok = find(ref.Reference)
	}
	if ok && res.IsZero() {
		return "", ""
	}
	if ok && res.Type() == "Medication" {
		code := fhir.Into[fhir.Medication](res).Code
		if name := firstText(Readable(code), ref.Display); name != "" {
			return sameKey(code), name
		}
	}
	name = strings.TrimSpace(ref.Display)
	return strings.ToLower(name), name
}

// grouped puts mentions of one medicine together, in order of appearance; a statement that rests on a request
// belongs to it even when it names the medicine differently.
func grouped(all []mention) [][]mention {
	keyOf := map[string]string{} // by reference
	for _, m := range all {
		keyOf[m.ref] = m.key
	}
	index := map[string]int{}
	var groups [][]mention
	for _, m := range all {
		key := m.key
		for _, b := range m.basedOn {
			if k, ok := keyOf[b]; ok {
				key = k
				break
			}
		}
		i, ok := index[key]
		if !ok {
			i = len(groups)
			index[key] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], m)
	}
	return groups
}

// merge makes one medicine of its mentions. What the practice ordered decides the state; what the patient said since
// is told beside it.
func merge(ms []mention) Medicine {
	slices.SortStableFunc(ms, func(a, b mention) int { return newest(a.when, b.when) })
	deciding := ms
	if reqs := slices.DeleteFunc(slices.Clone(ms), func(m mention) bool { return !m.request }); len(reqs) > 0 {
		deciding = reqs
	}
	out := Medicine{State: Past, OwnReport: !deciding[0].request}
	for _, m := range deciding {
		if stateOrder[m.state] < stateOrder[out.State] {
			out.State = m.state
		}
	}
	ordered := fhir.DateTime("")
	for _, m := range deciding {
		if m.request && m.state == out.State {
			ordered = later(ordered, m.when)
		}
	}
	for _, m := range ms {
		if out.Name == "" {
			out.Name = m.name
		}
		out.Last = later(out.Last, m.when)
		for _, l := range m.reasons {
			out.For = addLabel(out.For, l)
		}
		if m.request {
			out.Times++
		}
		// A newer order answers an older "I do not take this".
		out.NotTaken = out.NotTaken || m.notTake && !m.when.Before(ordered)
	}
	lead := deciding[slices.IndexFunc(deciding, func(m mention) bool { return m.state == out.State })]
	out.By, out.Stopped, out.Notes = lead.by, lead.stopped, lead.notes
	for _, m := range deciding {
		if m.state == out.State {
			out.Since = earlier(out.Since, m.start)
			if out.State == Past {
				out.Until = later(out.Until, m.end)
			} else {
				out.How = addHow(out.How, m.how)
			}
		}
	}
	if len(out.How) == 0 {
		out.How = addHow(nil, lead.how)
	}
	return out
}

func addHow(have []How, ds []fhir.Dosage) []How {
	for _, d := range ds {
		h := HowToTake(d)
		if h.Text == "" && len(h.Parts) == 0 && len(h.Extra) == 0 {
			continue
		}
		if !slices.ContainsFunc(have, func(x How) bool { return sameHow(x, h) }) {
			have = append(have, h)
		}
	}
	return have
}

func sameHow(a, b How) bool {
	return a.Text == b.Text && slices.Equal(a.Extra, b.Extra) &&
		slices.EqualFunc(a.Parts, b.Parts, func(p, q Phrase) bool {
			return p.Key == q.Key && p.N == q.N && slices.Equal(p.Args, q.Args)
		})
}
