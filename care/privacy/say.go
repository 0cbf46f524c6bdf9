package privacy

import (
	"strconv"

	"github.com/wellgate/wellgate/site"
	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/identity"
)

// who names the person of a line with their role, or says "you".
func who(w site.Words, l chart.Look) string {
	switch {
	case l.Self:
		return w.T("privacy.you")
	case l.Kind == identity.Staff && l.Role != "":
		return w.T("privacy.staff", "name", l.Who, "role", w.T("privacy.role."+string(l.Role)))
	case l.Kind == identity.ServiceKind:
		return w.T("privacy.system", "name", l.Who)
	case l.Who == "":
		return w.T("privacy.nobody")
	}
	return l.Who
}

// what says in one sentence what a line is about.
func what(w site.Words, l chart.Look) string {
	if l.Action == "account" {
		if key := "privacy.account." + l.What; w.Has(key) {
			return w.T(key)
		}
		return w.T("privacy.account.other")
	}
	if l.Outcome == "refused" {
		return w.T("privacy.did.refused")
	}
	key := "privacy.did." + l.Action
	if l.Kind == identity.ServiceKind && w.Has(key+".system") { // it finds by an identifier, people by two details
		key += ".system"
	}
	if !w.Has(key) {
		key = "privacy.did.read"
	}
	things := things(w, l)
	if things == "" {
		return w.T(key + ".bare")
	}
	return w.T(key, "what", things)
}

// things lists up to four kinds of things, by name and number.
func things(w site.Words, l chart.Look) string {
	var parts []string
	for i, c := range touched(l) {
		if i == 4 {
			parts = append(parts, w.T("privacy.more"))
			break
		}
		parts = append(parts, thing(w, c))
	}
	return w.List(parts...)
}

func thing(w site.Words, c count) string {
	name := typeName(w, c.typ)
	if c.n > 1 {
		return name + " (" + strconv.Itoa(c.n) + ")"
	}
	return name
}

func typeName(w site.Words, typ string) string {
	if key := "privacy.type." + typ; w.Has(key) {
		return w.T(key)
	}
	return w.T("privacy.type.other")
}

// why gives the purpose, and the reader's own words if there are any.
func why(w site.Words, l chart.Look) string {
	key := "privacy.purpose."
	switch l.Kind {
	case identity.Staff:
	case identity.ServiceKind:
		key += "system."
	default:
		return ""
	}
	purpose := ""
	if key += string(l.Purpose); w.Has(key) {
		purpose = w.T(key)
	}
	switch {
	case l.Reason == "":
		return purpose
	case purpose == "":
		return l.Reason
	}
	return purpose + ": " + l.Reason
}
