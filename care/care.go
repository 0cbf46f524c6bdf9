// Package care defines what a room is. A room is one thing people come for, whole: its rules, its pages for
// patients and for staff, its words, its policy, its tests.
package care

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"time"

	"github.com/a-h/templ"

	"github.com/wellgate/wellgate/site"
	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/identity"
)

// A Room is the manifest of one folder under care.
type Room struct {
	Name   string
	Files  fs.FS                                         // words/*.json and policy.cedar
	Routes []Route                                       //
	Nav    []site.NavItem                                // the room's place in the portal's navigation
	Guards map[string]chart.Guard                        // by resource type; a type has one owner
	Home   func(context.Context, *Visit) ([]Card, error) // what the room puts on the patient's home page; nil = nothing
}

// A Route is one page or one action. Portal routes are for the signed-in patient's own chart; desk routes start with
// "/desk/" and, when they hold {patient}, run inside the record that this session opened with a reason.
type Route struct {
	Pattern string // net/http pattern: "GET /results/{id}"
	Name    string // what the audit log calls it: "results.one"
	Action  string // Cedar action: "read", "write", "export"
	StepUp  bool   // needs a factor presented in the last 5 minutes (AUT-17)
	Both    bool   // a portal route that also exists at /desk/{patient}/… for staff
	Handle  Handler
}

// A Handler answers a visit or returns an error; doors/web turns errors into responses.
type Handler func(*Visit) error

// A Visit is one authenticated request with the chart it may see already open.
type Visit struct {
	*http.Request
	W     http.ResponseWriter // holds every byte until the audit entry is durable
	Who   identity.Who
	Chart *chart.Chart // nil only on desk routes outside a record
	Words site.Words
	Page  site.Page
	Base  string // "" in the portal, "/desk/<chart>" on the desk: prefix of links inside the record
	Now   time.Time

	Desk Desk // what desk pages outside a record may ask; nil in the portal
}

// Desk is what staff may do before a record is open.
type Desk interface {
	// Find looks patients up by exactly the identifiers given, at least two; it never lists by one.
	Find(ctx context.Context, q Query) ([]Found, error)
	// OpenRecord notes the reason, which the patient will see, and lets this session into the record for its purpose.
	OpenRecord(ctx context.Context, publicID string, purpose chart.Purpose, reason string) error
	// Opened lists the records this session has open.
	Opened(ctx context.Context) ([]Found, error)
	// Leave closes a record for this session; to come back takes a reason again.
	Leave(ctx context.Context, publicID string) error
}

// Query holds identifiers as typed; empty ones are not used.
type Query struct{ Family, Given, Born, Number, Phone string }

// Found is one match: enough to be sure it is the right person, no more.
type Found struct {
	PublicID, Name, Born, Number, Sex string
	Purpose                           chart.Purpose
	Reason                            string
}

// Card is a room's contribution to the home page, in one of its sections.
type Card struct {
	Section Section
	Order   time.Time // newest or most urgent first within the section
	Icon    string
	Tone    string // "", good, warn, bad, info, mute
	Title   string
	Detail  string
	Href    string
	Action  string // button text for to-dos
	New     bool
	Body    templ.Component // replaces Title/Detail for special cards (next appointment, privacy)
}

type Section int

const (
	ToDo  Section = iota // things only the patient can do
	Next                 // the next appointment
	New                  // since the last visit
	Aside                // right column: privacy
)

// ErrInvalid marks bad form input; the page shows the fields again with their errors and loses nothing.
var ErrInvalid = errors.New("invalid input")

// ErrTooFew means that a person was asked for by fewer than two identifiers.
var ErrTooFew = errors.New("too few identifiers")

// ErrReason means that no reason for opening a record was given.
var ErrReason = errors.New("no reason given")

// ErrNotFound is what a handler returns for something that is not there.
var ErrNotFound = errors.New("not found")

// Show renders body in the visit's frame. title must not hold health data: it is in the history and on shared screens.
func (v *Visit) Show(title string, body templ.Component) error {
	return v.ShowStatus(http.StatusOK, title, body)
}

func (v *Visit) ShowStatus(status int, title string, body templ.Component) error {
	p := v.Page
	p.Title = title
	frame := site.Portal(p, body)
	if v.Who.Kind == identity.Staff {
		frame = site.Desk(p, body)
	}
	v.W.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.W.WriteHeader(status)
	return frame.Render(v.Context(), v.W)
}

// Go answers 303 to path, inside the record's base.
func (v *Visit) Go(path string) error {
	http.Redirect(v.W, v.Request, v.Base+path, http.StatusSeeOther)
	return nil
}

// Link is a path inside this record, right in either frame.
func (v *Visit) Link(path string) templ.SafeURL { return templ.SafeURL(v.Base + path) }
