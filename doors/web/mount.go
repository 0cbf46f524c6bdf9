package web

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/wellgate/wellgate/care"
	"github.com/wellgate/wellgate/doors/web/signin"
	"github.com/wellgate/wellgate/internal/admit"
	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/identity"
	"github.com/wellgate/wellgate/trust/policy"
)

// Listed is one line of the route table, for `wellgate routes`, its golden file and the authorization matrix.
type Listed struct {
	Pattern string `json:"pattern"`
	Name    string `json:"name"`
	Room    string `json:"room"`
	For     string `json:"for"`    // anyone, signed-in, portal, desk, record
	Action  string `json:"action"` // what the act is called in policy
	StepUp  bool   `json:"stepUp,omitempty"`
}

// Table lists every route, in the order of patterns.
func (d *Door) Table() []Listed {
	out := slices.Clone(d.table)
	slices.SortFunc(out, func(a, b Listed) int {
		_, pa, _ := strings.Cut(a.Pattern, " ")
		_, pb, _ := strings.Cut(b.Pattern, " ")
		return strings.Compare(pa+a.Pattern, pb+b.Pattern)
	})
	return out
}

// mount registers every page. A route without a name, an action or a room fails the start, not a reader (AZ-01).
func (d *Door) mount() (err error) {
	defer func() {
		if p := recover(); p != nil { // ServeMux panics on a pattern that stands twice
			err = fmt.Errorf("web: routes: %v", p)
		}
	}()
	for _, r := range append(d.own(), d.signin()...) {
		d.table = append(d.table, Listed{Pattern: r.Pattern, Name: r.Name, Room: "web", For: string(r.Who), Action: "visit"})
		d.classes[r.Pattern] = ownClass(r.Pattern)
		d.mux.Handle(r.Pattern, d.page(r))
	}
	home := care.Route{Pattern: "GET /{$}", Name: "home", Action: "read", Handle: d.home}
	if err := d.room(care.Room{Name: "home", Routes: []care.Route{home}}); err != nil {
		return err
	}
	for _, r := range d.Rooms {
		if err := d.room(r); err != nil {
			return err
		}
	}
	return nil
}

// signin hangs the pages of package signin in this door: its frame, its idea of who is here and from where.
func (d *Door) signin() []Route {
	pages := signin.New(signin.Config{
		Identity: d.Identity, Clock: d.Clock, Exit: d.Exit, Page: d.Page,
		Who:  func(r *http.Request) identity.Who { return visitOf(r).who },
		From: from,
	})
	var out []Route
	for _, r := range pages.Routes() {
		who := Anyone
		if r.SignedIn {
			who = SignedIn
		}
		out = append(out, Route{Pattern: r.Pattern, Name: r.Name, Who: who, Handle: r.Handle})
	}
	return out
}

func from(r *http.Request) identity.From {
	ip, _ := RemoteIP(r)
	return identity.FromRequest(r, ip)
}

func (d *Door) room(room care.Room) error {
	for _, r := range room.Routes {
		if r.Name == "" || r.Action == "" || r.Handle == nil {
			return fmt.Errorf("web: room %s: route %q needs a name, an action and a handler", room.Name, r.Pattern)
		}
		verb, path, ok := strings.Cut(r.Pattern, " ")
		if !ok || verb != http.MethodGet && verb != http.MethodPost {
			return fmt.Errorf("web: room %s: route %q: GET or POST and a path", room.Name, r.Pattern)
		}
		where := "portal"
		switch {
		case strings.HasPrefix(path, "/desk/{patient}/") || path == "/desk/{patient}":
			where = "record"
		case strings.HasPrefix(path, "/desk"):
			where = "desk"
		}
		d.add(room, r, r.Pattern, where)
		if r.Both && where == "portal" {
			d.add(room, r, verb+" /desk/{patient}"+path, "record")
		}
	}
	return nil
}

func (d *Door) add(room care.Room, r care.Route, pattern, where string) {
	d.table = append(d.table, Listed{Pattern: pattern, Name: r.Name, Room: room.Name, For: where, Action: r.Action, StepUp: r.StepUp})
	d.classes[pattern] = classOf(room, r)
	d.mux.Handle(pattern, http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		v := visitOf(q)
		v.route = r.Name
		v.err = d.record(w, q, v, room, r, where)
	}))
}

// A visit is what the door knows about one request. It lives in the request's context for the door's own use.
type visit struct {
	d     *Door
	id    string
	route string
	who   identity.Who
	token string
	known bool         // the session has been looked for
	away  error        // why the session could not be opened
	err   error        // what the handler returned
	place *admit.Place // among the requests in work; nil for what needs none
}

// sending gives the place free once the work is done and only bytes are left to go: whoever reads slowly holds up nobody.
func (v *visit) sending() {
	if v != nil && v.place != nil {
		v.place.Leave()
	}
}

// working takes the place back for the next part of a long answer.
func (v *visit) working() {
	if v != nil && v.place != nil {
		v.place.Return()
	}
}

type visitKey struct{}

func withVisit(ctx context.Context, v *visit) context.Context {
	return context.WithValue(ctx, visitKey{}, v)
}
func visitOf(r *http.Request) *visit { v, _ := r.Context().Value(visitKey{}).(*visit); return v }

// serve finds out who is here and hands the request to its route.
func (d *Door) serve(w http.ResponseWriter, r *http.Request, v *visit) error {
	if asset(r.URL.Path) {
		d.assets.ServeHTTP(w, r)
		return nil
	}
	if v.token = d.Identity.Cookies.Session(r); v.token != "" {
		check := d.Identity.Sessions.Touch
		if background(r) {
			check = d.Identity.Sessions.Check
		}
		who, err := check(r.Context(), v.token)
		switch {
		case errors.Is(err, identity.ErrNoSession):
		case errors.Is(err, identity.ErrAway): // pages that show nobody's record still work; the others answer with this
			v.away = err
		case err != nil:
			return err
		default:
			v.who = who
		}
	}
	v.known = true
	if err := d.forged(r); err != nil {
		return err
	}
	if _, pattern := d.mux.Handler(r); pattern == "" {
		return errGone // a page that exists answers a wrong method as if it were not there
	}
	d.mux.ServeHTTP(w, r)
	return v.err
}

// background says that a request is no act of the person: script, pictures and other parts of a page, and pages fetched
// ahead. They never put off the end of a session (SES-05). A browser that does not say counts as a person's.
func background(r *http.Request) bool {
	mode := r.Header.Get("Sec-Fetch-Mode")
	return mode != "" && mode != "navigate" || r.Header.Get("X-Poll") != "" || strings.Contains(r.Header.Get("Sec-Purpose"), "prefetch")
}

// page serves a page of the door's own.
func (d *Door) page(route Route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := visitOf(r)
		v.route = route.Name
		if route.Who == SignedIn && v.away != nil {
			v.err = v.away
			return
		}
		if route.Who == SignedIn && v.who.Account == "" {
			v.err = d.toSignin(w, r)
			return
		}
		b := newBarrier(w, r, func(context.Context) error { return nil })
		if v.err = route.Handle(b, r); v.err == nil {
			v.err = b.finish()
		}
	})
}

// record serves a room's page: it opens the record as policy permits, runs the handler, and releases the response after
// its audit entry.
func (d *Door) record(w http.ResponseWriter, r *http.Request, v *visit, room care.Room, route care.Route, where string) error {
	if v.away != nil {
		return v.away
	}
	if v.who.Account == "" {
		return d.toSignin(w, r)
	}
	if v.who.Kind == identity.Staff && r.URL.Path == "/" {
		http.Redirect(w, r, "/desk", http.StatusSeeOther)
		return nil
	}
	act := d.act(r, v, route.Name)
	page := policy.Page{Name: route.Name, Room: room.Name, Frame: "portal", Chart: v.who.Chart}
	base := ""
	if where != "portal" {
		page.Frame, page.Chart = "desk", 0
	}
	if where == "record" {
		num, ok := d.House.Number(r.PathValue("patient"))
		if !ok {
			return errGone
		}
		page.Chart, base = num, "/desk/"+r.PathValue("patient")
	}
	c, err := d.House.Enter(r.Context(), act, page)
	if err != nil {
		return err
	}
	if route.StepUp && d.Clock().Sub(v.who.Proved) > 5*time.Minute {
		return d.again(w, r)
	}
	b := newBarrier(w, r, act.Release)
	cv := &care.Visit{
		Request: r, W: b, Who: v.who, Chart: c, Words: d.speak(r, v), Base: base, Now: d.Clock().In(d.Practice.Zone),
	}
	cv.Page = d.frame(b, r, v)
	cv.Page.Base = base
	if page.Frame == "desk" {
		cv.Desk = &desk{d: d, act: act, r: r}
		if c != nil {
			if err := d.banner(cv, act); err != nil {
				return err
			}
		}
	}
	if err := route.Handle(cv); err != nil {
		return err
	}
	return b.finish()
}

// act tells the chart who does what from where.
func (d *Door) act(r *http.Request, v *visit, name string) *chart.Act {
	a := d.House.Begin(v.who, name)
	a.Request, a.Device = v.id, r.UserAgent()
	if ip, ok := RemoteIP(r); ok {
		a.IP = ip.String()
	}
	return a
}

// RemoteIP is the peer's address. Forwarding headers are not believed (AUT-15).
func RemoteIP(r *http.Request) (netip.Addr, bool) {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, false
	}
	ip, err := netip.ParseAddr(host)
	return ip.Unmap(), err == nil
}

// toSignin sends a stranger to the sign-in page, and back afterwards if they came by a link.
func (d *Door) toSignin(w http.ResponseWriter, r *http.Request) error {
	to := "/signin"
	if r.Method == http.MethodGet && r.URL.Path != "/" {
		to += "?next=" + url.QueryEscape(r.URL.Path)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// again asks for a fresh proof and comes back to the act in hand: the page itself, or the page whose form was sent.
func (d *Door) again(w http.ResponseWriter, r *http.Request) error {
	next := r.URL.Path
	if r.Method != http.MethodGet {
		next = "/"
		if u, err := url.Parse(r.Referer()); err == nil && strings.HasPrefix(u.Path, "/") {
			next = u.Path
		}
	}
	http.Redirect(w, r, "/signin/again?next="+url.QueryEscape(next), http.StatusSeeOther)
	return nil
}
