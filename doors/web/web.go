// Package web is the browser's door: sessions, headers, limits, and the one place where errors become pages.
//
// It promises:
//   - No byte of a page leaves before the audit entry of what it shows is durable (barrier.go).
//   - The session, never the request, says who is here and whose record is shown.
//   - A page that is not there and one that is not yours answer alike.
//   - Every response carries the strict headers, errors included; no page asks anything of a third party.
//   - Every unsafe request passes three gates against forgery: where it comes from, a token bound to the browser, and
//     what it carries (WEB-05).
//   - Limits are explicit; what is over them gets a clear answer and nothing is half done.
//
// Pages belong to the rooms. The door owns the frames' inputs, the home page that rooms fill, and the public pages.
package web

import (
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"golang.org/x/text/language"

	"github.com/wellgate/wellgate/care"
	"github.com/wellgate/wellgate/doors/web/signin"
	"github.com/wellgate/wellgate/internal/admit"
	"github.com/wellgate/wellgate/internal/clock"
	"github.com/wellgate/wellgate/site"
	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/identity"
	"github.com/wellgate/wellgate/trust/policy"
)

//go:embed words/*.json
var words embed.FS

// Words are the door's own texts and those of sign-in, for the catalogue.
func Words() []fs.FS { return []fs.FS{words, signin.Words()} }

// Config is what a Door stands on.
type Config struct {
	House    *chart.House
	Identity *identity.Identity
	Rooms    []care.Room
	Words    *site.Catalogue
	Practice site.Practice
	Hosts    []string // exact Host headers answered; anything else is 421 (WEB-09)
	Exit     string   // where the quick exit leads
	Secret   []byte   // 32 bytes: binds form tokens to browsers
	Clock    clock.Clock
	Log      *slog.Logger // never receives health data, addresses or names
	Gate     *admit.Gate  // shared with the other doors
	Demo     bool         // marks pages, and opens the parts gallery
	TLS      bool         // sends HSTS; false only on a loopback address
}

// A Route is a page of the door itself, outside any record.
type Route struct {
	Pattern string // "GET /signin"
	Name    string
	Who     Audience
	Handle  func(http.ResponseWriter, *http.Request) error
}

// An Audience says for whom a door's own page is.
type Audience string

const (
	Anyone   Audience = "anyone"
	SignedIn Audience = "signed-in"
)

// A Door answers browsers. It is safe for concurrent use.
type Door struct {
	Config
	mux    *http.ServeMux
	assets http.Handler
	table  []Listed
	nav    []site.NavItem
	desk   []place // inside a record

	matcher language.Matcher       // of what browsers ask for with what there is
	classes map[string]admit.Class // how urgent a page is, by pattern
	busy    map[string]busy        // what is said to whom it turns away, by language
}

// New mounts every room. Two routes with one pattern, or a room's route without a name or an action, is an error.
func New(c Config) (*Door, error) {
	if len(c.Hosts) == 0 || len(c.Secret) != 32 || c.Clock == nil || c.Log == nil || c.Gate == nil {
		return nil, fmt.Errorf("web: New needs hosts, a 32-byte secret, a clock, a log and a gate")
	}
	d := &Door{Config: c, mux: http.NewServeMux(), assets: site.Assets(), classes: map[string]admit.Class{}}
	d.matcher = matcher(c.Words)
	d.navigation()
	if err := d.mount(); err != nil {
		return nil, err
	}
	if err := d.busyPages(); err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	return d, nil
}

// A place is an entry of the rail inside a record, with the page it leads to, so that nobody is led to a page they may not enter.
type place struct {
	site.NavItem
	page policy.Page
}

// navigation gathers the rooms' places in the rails of portal and record.
func (d *Door) navigation() {
	d.nav = []site.NavItem{{Icon: "house", Key: "web.home", Href: "/", Dock: true}}
	for _, r := range d.Rooms {
		d.nav = append(d.nav, r.Nav...)
		for _, n := range r.Nav {
			i := slices.IndexFunc(r.Routes, func(x care.Route) bool { return x.Both && x.Pattern == "GET "+n.Href })
			if i >= 0 {
				d.desk = append(d.desk, place{n, policy.Page{Name: r.Routes[i].Name, Room: r.Name, Frame: "desk"}})
			}
		}
	}
}

// ServeHTTP is every request's way in.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := d.Clock()
	v := &visit{d: d, id: requestID()}
	rec := &recorder{ResponseWriter: w}
	d.headers(rec, v)
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler {
				panic(p)
			}
			d.Log.Error("panic", "request", v.id, "route", r.Pattern, "what", fmt.Sprintf("%T", p), "at", where())
			d.fail(rec, r, v, fmt.Errorf("panic"))
		}
		if rec.shed { // counted by the gate; a line for each would be work
			return
		}
		d.Log.Info("request", "request", v.id, "method", method(r), "route", v.route, "status", rec.status,
			"ms", d.Clock().Sub(start).Milliseconds())
	}()
	if err := d.admit(rec, r); err != nil {
		d.fail(rec, r, v, err)
		return
	}
	if !free(r.URL.Path) { // whoever sends slowly has waited outside, so that a few hundred of them do not stop everybody
		place, class, err := d.enter(r)
		if err != nil {
			rec.shed = true
			d.shed(rec, r, class)
			return
		}
		v.place = place
		defer place.Leave()
	}
	r = r.WithContext(withVisit(r.Context(), v))
	if err := d.serve(rec, r, v); err != nil {
		d.fail(rec, r, v, err)
	}
}

// Serve settings that every listener of the door uses (WEB-11).
func (d *Door) Server() *http.Server {
	return &http.Server{
		Handler:           d,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    16 << 10,
		HTTP2: &http.HTTP2Config{ // what one connection may make this side keep and do
			MaxConcurrentStreams: 100, MaxReadFrameSize: 64 << 10, MaxReceiveBufferPerConnection: 1 << 20, MaxReceiveBufferPerStream: 256 << 10,
			SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second, WriteByteTimeout: 30 * time.Second,
		},
		ErrorLog: slog.NewLogLogger(quiet{d.Log.Handler()}, slog.LevelWarn),
	}
}

func method(r *http.Request) string {
	if slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodPost}, r.Method) {
		return r.Method
	}
	return "other"
}
