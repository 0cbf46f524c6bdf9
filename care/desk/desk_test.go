package desk

import (
	"testing"

	"github.com/wellgate/wellgate/care"
	"github.com/wellgate/wellgate/trust/identity"
)

func TestQueryNeedsTwoAnswers(t *testing.T) {
	for _, c := range []struct {
		name  string
		a     asked
		want  care.Query
		wrong string
	}{
		{"name and birthday", asked{Family: " Rahman ", Day: "12", Month: "5", Year: "1984"}, care.Query{Family: "Rahman", Born: "1984-05-12"}, ""},
		{"number and phone", asked{Number: "7", Phone: "555-0130"}, care.Query{Number: "7", Phone: "555-0130"}, ""},
		{"both names and phone", asked{Family: "a", Given: "b", Phone: "55501"}, care.Query{Family: "a", Given: "b", Phone: "55501"}, ""},
		{"nothing", asked{}, care.Query{}, "desk.twoNeeded"},
		{"one", asked{Number: "7"}, care.Query{}, "desk.twoNeeded"},
		{"spaces", asked{Number: "7", Family: "   "}, care.Query{}, "desk.twoNeeded"},
		{"both names only", asked{Family: "a", Given: "b"}, care.Query{}, "desk.twoNeeded"},
		{"31 February", asked{Family: "a", Day: "31", Month: "2", Year: "2000"}, care.Query{}, "desk.badDate"},
		{"half a date", asked{Family: "a", Day: "3"}, care.Query{}, "desk.badDate"},
		{"two-digit year", asked{Family: "a", Day: "3", Month: "2", Year: "84"}, care.Query{}, "desk.badDate"},
		{"words for a phone", asked{Family: "a", Phone: "call me"}, care.Query{}, "desk.badPhone"},
		{"a novel", asked{Family: string(make([]byte, 200)), Number: "1"}, care.Query{}, "desk.tooLong"},
	} {
		q, wrong := c.a.query()
		switch {
		case c.wrong == "" && (wrong != nil || q != c.want):
			t.Errorf("%s: %+v, %v", c.name, q, wrong)
		case c.wrong != "" && (len(wrong) != 1 || wrong[0].Key != c.wrong):
			t.Errorf("%s: %v, want %s", c.name, wrong, c.wrong)
		}
	}
}

func TestEveryRoleIsOfferedOnlyWhatItMayDo(t *testing.T) {
	for role, n := range map[string]int{"clinician": 1, "nurse": 1, "dentist": 1, "hygienist": 1, "front-desk": 2, "billing": 1, "privacy-officer": 1, "administrator": 0, "auditor": 0, "": 0} {
		if got := len(purposes(identityRole(role))); got != n {
			t.Errorf("%s is offered %d purposes, want %d", role, got, n)
		}
	}
}

func identityRole(s string) identity.Role { return identity.Role(s) }
