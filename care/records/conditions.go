package records

import (
	"slices"
	"strings"

	"github.com/wellgate/wellgate/fhir"
)

// A Problem is one condition, with the times it was recorded.
type Problem struct {
	Label    Label
	Sort     ProblemSort
	Doubt    string // word key of a verification status that is not "confirmed"; "" if there is no doubt
	Since    fhir.DateTime
	SinceAge string // when the onset is an age or words
	Until    fhir.DateTime
	Times    int // episodes, when more than one
	Severity string
	Sites    []string
	Notes    []string
}

// ProblemSort is which list a condition belongs to.
type ProblemSort string

const (
	Active   ProblemSort = "active"
	Unclear  ProblemSort = "unclear" // nobody said whether it is still there
	Over     ProblemSort = "over"
	Life     ProblemSort = "life"     // work, home, habits: noted, not an illness
	RuledOut ProblemSort = "ruledout" // looked for and not there
)

var problemOrder = []ProblemSort{Active, Unclear, Over, Life, RuledOut}

// Problems sorts conditions into lists; repeated records of one condition in a list become one entry.
func Problems(cs []fhir.Condition) []Problem {
	type group struct {
		sort ProblemSort
		key  string
	}
	index := map[group]int{}
	var out []Problem
	for _, c := range cs {
		p, ok := problem(c)
		if !ok {
			continue
		}
		k := group{p.Sort, sameKey(c.Code)}
		if k.key == "" {
			k.key = c.ID
		}
		i, seen := index[k]
		if !seen {
			index[k] = len(out)
			out = append(out, p)
			continue
		}
		out[i] = joinProblem(out[i], p)
	}
	slices.SortStableFunc(out, func(a, b Problem) int {
		if d := slices.Index(problemOrder, a.Sort) - slices.Index(problemOrder, b.Sort); d != 0 {
			return d
		}
		return newest(a.lastSeen(), b.lastSeen())
	})
	return out
}

func (p Problem) lastSeen() fhir.DateTime { return later(p.Since, p.Until) }

func joinProblem(a, b Problem) Problem {
	a.Times += b.Times
	a.Until = later(a.Until, b.Until)
	if a.Sort == Over {
		a.Since = later(a.Since, b.Since) // "3 times, last in …"
	} else {
		a.Since = earlier(a.Since, b.Since)
	}
	if b.Doubt == "" {
		a.Doubt = "" // confirmed once is confirmed
	}
	for _, n := range b.Notes {
		a.Notes = appendNew(a.Notes, n)
	}
	return a
}

func problem(c fhir.Condition) (Problem, bool) {
	verification := statusOf(c.VerificationStatus)
	if verification == "entered-in-error" {
		return Problem{}, false
	}
	p := Problem{Label: LabelOf(c.Code), Times: 1, Severity: untag(Readable(c.Severity)), Sites: readables(c.BodySite),
		Notes: notes(c.Note), Since: firstDate(c.OnsetDateTime, start(c.OnsetPeriod)),
		Until: firstDate(c.AbatementDateTime, end(c.AbatementPeriod), end(c.OnsetPeriod))}
	switch {
	case p.Since != "":
	case c.OnsetString != "":
		p.SinceAge = strings.TrimSpace(c.OnsetString)
	case c.OnsetAge != nil:
		p.SinceAge = amount(*c.OnsetAge)
	default:
		p.Since = c.RecordedDate
	}
	p.Sort = problemSort(c, verification)
	switch verification {
	case "unconfirmed", "provisional", "differential":
		p.Doubt = "records.doubt." + verification
	}
	return p, true
}

func problemSort(c fhir.Condition, verification string) ProblemSort {
	gone := c.AbatementDateTime != "" || c.AbatementPeriod != nil || c.AbatementString != "" || c.AbatementAge != nil ||
		c.AbatementRange != nil
	switch status := statusOf(c.ClinicalStatus); {
	case verification == "refuted":
		return RuledOut
	case aboutLife(c):
		return Life
	case status == "inactive" || status == "remission" || status == "resolved":
		return Over
	case status == "active" || status == "recurrence" || status == "relapse":
		return Active
	case gone:
		return Over
	}
	return Unclear
}

// aboutLife finds what describes somebody's life rather than an illness: the sender's category, or one of the
// findings that record systems file as conditions for want of a better place.
func aboutLife(c fhir.Condition) bool {
	for _, cat := range c.Category {
		if cat.Has("", "sdoh") || cat.Has("", "social-history") {
			return true
		}
	}
	return lifeFindings[c.Code.Code(snomed)]
}

// lifeFindings are SNOMED CT findings about work, schooling, housing, money, company and safety.
var lifeFindings = map[string]bool{"160903007": true, "160904001": true, "741062008": true, "73438004": true,
	"423315002": true, "422650009": true, "706893006": true, "224299000": true, "224295006": true, "473461003": true,
	"713458007": true, "266934004": true, "32911000": true, "424393004": true, "446654005": true, "105531004": true,
	"266948004": true, "160968000": true, "5251000175109": true}
