// Package site is what every page shares: frames, parts, assets, words.
//
// It promises: a page drawn by a frame and these parts alone works without JavaScript, at 320 px, in the dark, from right
// to left, in forced colours and on paper; it carries no inline style or script, so the strictest CSP with Trusted Types
// holds; every colour pair of a practice's theme keeps its contrast whatever colour the practice picks; and every text
// exists in every language, checked when the catalogue is read.
//
// A link in a part's parameters is a templ.SafeURL: a constant, or what care.Visit.Link returns. Never convert data to one.
package site

import (
	"time"

	"github.com/a-h/templ"
)

// NavItem is one entry of the side rail and the bottom bar.
type NavItem struct {
	Icon, Key, Href string // icon of the sprite; word key; path without base
	Short           string // word key for the bottom bar where Key is too long; "" = Key
	Count           int    // badge; 0 = none
	Dock            bool   // also in the phone's bottom bar (the first four; the rest are under More)
	Gap             bool   // a thin line above
}

// Practice is how the practice shows itself.
type Practice struct {
	Name, Phone, Emergency string // emergency number of the country, e.g. "911"
	Colour                 string // one colour, #rrggbb, themes everything
	Zone                   *time.Location
}

// Page is what a frame draws around a body.
type Page struct {
	Title    string // already in the reader's language; never health data
	Words    Words
	Practice Practice
	Theme    string // "", "light", "dark"
	Font     string // "", "easy" (Atkinson Hyperlegible Next, loaded only then)
	CSRF     string
	Path     string // current path, to mark the nav
	Base     string // "" in the portal, "/desk/<chart>" inside a record on the desk
	Nav      []NavItem
	Menu     []NavItem // person menu above Sign out; nil = security only
	Person   string    // who is signed in; "" before sign-in
	Patient  *Banner   // desk: whose record is open. Portal: the person being acted for
	Exit     string    // quick exit target; "" hides it
	Printed  string    // footer line for print: who, when
	Demo     bool      // a visible "made-up data" line
	Errors   bool      // the form came back with errors: the title starts with "Error:"
	Expires  int       // seconds until the session ends without activity; 0 = no warning
}

// Banner identifies an open record on the desk.
type Banner struct {
	Name, Born, Number string
	Flags              []Tag
	Reason             string // why it was opened; the patient sees it
	Close              string // desk: the path that a POST closes the record at; "" = no button
}

// Tag is a small labelled state: an icon and a word, never colour alone.
type Tag struct{ Tone, Icon, Text string } // Tone: "", good, warn, bad, info, brand

// Link is a text that leads somewhere. Hidden is heard by screen readers only, after Text: " the pharmacy".
type Link struct {
	Text, Hidden, Icon string
	Href               templ.SafeURL
}

// on says whether the link is there at all.
func (l Link) on() bool { return l.Text != "" && l.Href != "" }
