package main

import (
	"slices"
	"strings"

	"github.com/wellgate/wellgate/doors/web"
	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/identity"
)

// The oracle: what the practice decided, written down a second time and by itself. If the product and the oracle differ,
// one of them is wrong, and somebody has to say which.

// Who may do what, by role.
var (
	treat   = []identity.Role{identity.Clinician, identity.Nurse, identity.Dentist, identity.Hygienist}
	comment = []identity.Role{identity.Clinician, identity.Nurse, identity.Dentist}
	find    = []identity.Role{identity.Clinician, identity.Nurse, identity.Dentist, identity.Hygienist, identity.FrontDesk, identity.Billing, identity.PrivacyOfficer}
	comes   = []identity.Role{identity.Clinician, identity.Nurse, identity.Dentist, identity.Hygienist, identity.FrontDesk, identity.Billing}
)

func mayOpen(role identity.Role, p chart.Purpose) bool {
	switch p {
	case chart.Treatment:
		return slices.Contains(treat, role) || role == identity.FrontDesk
	case chart.Payment:
		return role == identity.Billing || role == identity.FrontDesk
	case chart.Operations:
		return role == identity.PrivacyOfficer
	}
	return false
}

// proof: what changes how somebody signs in needs a factor of the last five minutes (AUT-17).
var proof = map[string]want{
	"GET /security/password":              {status: []int{303}, to: "/signin/again"},
	"POST /security/password":             {status: []int{303}, to: "/signin/again"},
	"GET /security/app":                   {status: []int{303}, to: "/signin/again"},
	"POST /security/app":                  {status: []int{303}, to: "/security/app"}, // nothing was begun; that page asks for the proof
	"POST /security/app/remove":           {status: []int{303}, to: "/signin/again"},
	"POST /security/recovery":             {status: []int{303}, to: "/signin/again"},
	"POST /security/passkeys/{id}/remove": {status: []int{303}, to: "/signin/again"},
	"POST /security/passkeys/begin":       {status: []int{200}, has: `{"next":"/signin/again`},
	"POST /security/passkeys/finish":      {status: []int{200}, has: `{"next":"/s`},
}

// mayEnter: the pages of a room, for staff inside a record.
func mayEnter(role identity.Role, room, name string) bool {
	switch {
	case name == "records.overview" || room == "desk":
		return true
	case room == "records" || room == "results":
		return slices.Contains(treat, role)
	case room == "appointments":
		return slices.Contains(comes, role)
	}
	return false
}

// maySee: what a label keeps among few.
func maySee(role identity.Role, mark string) bool {
	switch mark {
	case "restricted":
		return slices.Contains(comment, role)
	case "sealed":
		return role == identity.Clinician
	}
	return true
}

// Words that tell who somebody is, and what is in the record.
var (
	hers     = []string{"Amina", "Rahman", "WB-104-219", "আমিনা", "Alder Street", "555-0130", "amina.rahman"}
	clinical = []string{"Penicillin", "Metformin", "long-term blood sugar", "Hemoglobin A1c", "Quietmark", "Deepmark"}
)

// A want is what an answer must be.
type want struct {
	allow  bool
	status []int
	to     string   // a redirect leads to an address that starts so
	has    string   // the body has this
	lacks  []string // words that must not be in the body
}

func (w want) fits(a answer) bool {
	return slices.Contains(w.status, a.status) && (w.to == "" || strings.HasPrefix(a.header.Get("Location"), w.to)) && strings.Contains(a.body, w.has)
}

func everything() []string { return append(slices.Clone(hers), clinical...) }

func refuse(status int) want { return want{status: []int{status}, lacks: everything()} }

func oracle(f frame, r web.Listed, x example) want {
	switch r.For {
	case "anyone", "signed-in":
		return oracleOwn(f, r, x)
	}
	if f.kind == "nobody" {
		return want{status: []int{303}, to: "/signin", lacks: everything()}
	}
	switch r.For {
	case "portal":
		return oraclePortal(f, r, x)
	case "desk":
		return oracleDesk(f, r, x)
	case "record":
		return oracleRecord(f, r, x)
	}
	return want{} // an audience nobody thought of fits nothing
}

// Patients see their own record in the portal, all of it. Staff have no portal.
func oraclePortal(f frame, r web.Listed, x example) want {
	switch {
	case f.kind == "staff" && r.Name == "home":
		return want{status: []int{303}, to: "/desk", lacks: everything()}
	case f.kind == "staff" || !f.linked:
		return refuse(404)
	case !f.owner && x.names && r.Name != "records.vital": // a code is no id: Miguel is shown his own
		return refuse(404)
	case r.StepUp && !f.fresh:
		return want{status: []int{303}, to: "/signin/again", lacks: everything()}
	}
	w := want{allow: true, status: []int{200}}
	if !f.owner {
		w.lacks = append(slices.Clone(hers), "Quietmark", "Deepmark")
	}
	return w
}

// The desk outside a record is for all staff; finding and opening for those whose work it is.
func oracleDesk(f frame, r web.Listed, x example) want {
	switch {
	case f.kind != "staff":
		return refuse(404)
	case r.Name == "desk.find" && slices.Contains(find, f.role):
		return want{allow: true, status: []int{200}, lacks: clinical}
	case r.Name == "desk.open" && mayOpen(f.role, x.open) && !foreign(f):
		return want{allow: true, status: []int{303}, to: "/desk/"}
	case r.Name == "desk.find" || r.Name == "desk.open":
		return refuse(404)
	}
	w := want{allow: true, status: []int{200}, lacks: clinical}
	if f.opened == "" && !foreign(f) { // a front desk lists what is open
		w.lacks = everything()
	}
	return w
}

func foreign(f frame) bool { return strings.Contains(f.name, "another practice") }

// A record is open to staff who said why in this session, and there each room to those whose work it is.
func oracleRecord(f frame, r web.Listed, x example) want {
	switch {
	case f.kind != "staff" || f.opened == "":
		return refuse(404)
	case !mayEnter(f.role, r.Room, r.Name) || !maySee(f.role, x.mark):
		return refuse(404)
	case r.Action == "write" && !slices.Contains(comment, f.role):
		return refuse(404)
	case r.Name == "results.withdraw" && f.role != identity.Clinician: // Dr. Nair wrote it
		return refuse(403)
	}
	w := want{allow: true, status: []int{200}}
	if r.Name == "desk.enter" || r.Name == "desk.leave" || r.Action == "write" {
		w.status = []int{303}
	}
	switch {
	case !slices.Contains(treat, f.role):
		w.lacks = clinical
	case !maySee(f.role, "restricted"):
		w.lacks = []string{"Quietmark", "Deepmark"}
	case !maySee(f.role, "sealed"):
		w.lacks = []string{"Deepmark"}
	}
	return w
}

// The door's own pages show nothing of any record. What is behind a session sends strangers to sign in.
func oracleOwn(f frame, r web.Listed, x example) want {
	switch {
	case f.kind == "nobody" && r.For == "signed-in":
		return want{status: []int{303}, to: "/signin", lacks: everything()}
	case x.names && !f.owner:
		return refuse(404)
	}
	if p, ok := proof[r.Pattern]; ok && !f.fresh && f.kind != "nobody" {
		p.lacks = everything()
		return p
	}
	w := want{allow: true, lacks: everything()}
	if f.owner {
		w.lacks = clinical
	}
	if r.Name == "gallery" { // its samples are made up
		w.lacks = nil
	}
	switch r.Pattern {
	case "GET /favicon.ico":
		w.status = []int{301}
	case "POST /preferences", "GET /session/exit", "POST /signout", "GET /signin/code", "POST /signin/code", "GET /signin/recovery",
		"POST /signin/recovery", "GET /signin/setup", "POST /signin/setup":
		w.status = []int{303}
	case "POST /session/exit", "POST /session/stay":
		w.status = []int{204}
	case "GET /signin":
		w.status = []int{200}
		if f.kind != "nobody" {
			w.status = []int{303}
		}
	case "GET /signout":
		w.status = []int{200}
		if f.kind != "nobody" {
			w.status = []int{303}
		}
	case "POST /signin/password", "POST /signin/start":
		w.allow, w.status = false, []int{422, 429}
	case "POST /signin/again":
		w.allow, w.status = false, []int{422, 429, 403}
	case "POST /signin/passkey/finish", "POST /signin/again/finish", "POST /security/passkeys/finish", "POST /signin/setup/finish", "POST /signin/setup/begin":
		w.allow, w.status = false, []int{200, 401} // 200 with a place to start again
	case "POST /signin/again/begin":
		w.status = []int{200, 401, 403, 404}
	case "POST /security/passkeys/begin", "POST /signin/passkey/begin":
		w.status = []int{200}
	default:
		w.status = []int{200}
		if strings.HasPrefix(r.Pattern, "POST /security") {
			w.status = []int{303, 403, 409, 422}
			if r.Name == "security.recovery" {
				w.status = append(w.status, 200)
			}
		}
	}
	return w
}

// traces is how many lines one cell leaves in Amina's log; -1000000 if the frame is one whose lines are not counted.
func traces(f frame, r web.Listed, x example) int {
	const uncounted = -1000000
	switch {
	case f.kind == "nobody":
		return 0
	case f.kind == "patient":
		if f.owner || r.For == "record" {
			return uncounted
		}
		return 0
	case f.opened != "" || foreign(f):
		return uncounted
	case r.For == "record":
		return 1 // one refusal
	case r.Name == "desk.open":
		return 1 // opened, or refused
	case r.Name == "desk.find" && slices.Contains(find, f.role):
		return 1
	}
	return 0
}
