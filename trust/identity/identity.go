// Package identity knows who is here: accounts, authenticators, sessions.
//
// It promises:
//
//   - An account is one sealed document under its own key. Login, name, role and factors are unreadable at rest;
//     what is looked up (login, passkey, chart, session) is a keyed token or a hash.
//   - Every way in needs two factors or a passkey with user verification (AUT-07, AUT-08). A password alone, or one
//     correct code alone, never makes a session.
//   - A guesser is slowed, the owner is not locked out: known devices have a bucket of their own, and passkeys are never
//     refused because of password guesses (AUT-14).
//   - One-time codes, recovery codes and passkey challenges are spent in the transaction that uses them.
//   - A session ends on the server, at once, whatever the browser keeps (SES-01 … SES-09).
//   - Each security-relevant act is handed to Options.Event inside its own transaction, so that act and trace are one.
package identity

import "time"

// Kind separates the two doors.
type Kind string

const (
	Patient Kind = "patient"
	Staff   Kind = "staff"
	System  Kind = "system" // jobs and command-line tools of the practice
	// ServiceKind is another system that came with a token, within the token's scope.
	ServiceKind Kind = "service"
)

// Role is what a member of staff may do here; "" for patients.
type Role string

const (
	Clinician      Role = "clinician"
	Nurse          Role = "nurse"
	Dentist        Role = "dentist"
	Hygienist      Role = "hygienist"
	FrontDesk      Role = "front-desk"
	Billing        Role = "billing"
	PrivacyOfficer Role = "privacy-officer"
	Administrator  Role = "administrator"
	Auditor        Role = "auditor"
)

// Who is an authenticated actor, as its session says; never as a request says.
type Who struct {
	Account      string    // opaque account id
	Kind         Kind      //
	Role         Role      // staff only
	Name         string    // as shown to others
	Chart        int64     // the patient's own chart; 0 for staff
	Practitioner string    // staff: "Practitioner/…" in the directory; "" if none
	Session      string    // public id of the session, safe to log and show
	AAL          int       // authenticator assurance level of the session (NIST 800-63B-4): 2 or 3
	Proved       time.Time // when a factor was last presented (step-up, AUT-17)
	Since        time.Time // when this person last signed in before this session; zero if never
	Lang         string    // preferred language, "" if unset
	Scope        *Scope    // services only: what the token may do
	Purpose      string    // services only: HL7 PurposeOfUse code of everything it does
}

// Machine says that no person writes: a tool of the practice's own, or another system with a token.
func (w Who) Machine() bool { return w.Kind == System || w.Kind == ServiceKind }
