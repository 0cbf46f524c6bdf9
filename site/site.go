// Package site is what every page shares: frames, parts, assets, words.
package site

import (
	"io/fs"
	"time"

	"github.com/a-h/templ"
)

// Words speaks one language to one reader: catalogue texts, dates, numbers.
// Catalogues are JSON files words/en.json, es.json, ar.json: {"results.title": "Test results",
// "results.new": {"one": "{n} new result", "other": "{n} new results"}}. Rooms bring their own, keys prefixed with the room.
type Words struct {
	Lang string
	Zone *time.Location
	// cat *Catalogue
}

// T is the text of key with {name} placeholders filled from pairs ("name", value, …); a missing key shows the English text.
func (w Words) T(key string, pairs ...any) string { panic("todo") }

// N is T with plural forms chosen by n, which also fills {n}.
func (w Words) N(key string, n int, pairs ...any) string { panic("todo") }

func (w Words) Dir() string                  { panic("todo") } // ltr, rtl
func (w Words) Day(t time.Time) string       { panic("todo") } // Tuesday 17 November 2026
func (w Words) ShortDay(t time.Time) string  { panic("todo") } // 17 Nov 2026
func (w Words) Month(t time.Time) string     { panic("todo") } // November 2026
func (w Words) Time(t time.Time) string      { panic("todo") } // 14:06 or 2:06 pm, by language
func (w Words) DayTime(t time.Time) string   { panic("todo") }
func (w Words) Number(decimal string) string { panic("todo") } // "5.60" kept to the digit, separators by language

// Catalogue holds every text of the product.
type Catalogue struct{ todo int }

// NewCatalogue reads words/*.json from each file system; a key that two files define, or that a language lacks, is an error.
func NewCatalogue(files ...fs.FS) (*Catalogue, error)             { panic("todo") }
func (c *Catalogue) Words(lang string, zone *time.Location) Words { panic("todo") }
func (c *Catalogue) Langs() []string                              { panic("todo") }

// NavItem is one entry of the side rail and the bottom bar.
type NavItem struct {
	Icon, Key, Href string // icon of the sprite; word key; path without base
	Count           int    // badge; 0 = none
	Dock            bool   // also in the phone's bottom bar
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
	CSRF     string
	Path     string // current path, to mark the nav
	Base     string // "" in the portal, "/desk/<chart>" inside a record on the desk
	Nav      []NavItem
	Person   string  // who is signed in; "" before sign-in
	Patient  *Banner // desk: whose record is open
	Exit     string  // quick exit target; "" hides it
	Printed  string  // footer line for print: who, when
	Demo     bool    // a visible "made-up data" line
}

// Banner identifies an open record on the desk.
type Banner struct {
	Name, Born, Number string
	Flags              []Tag
	Reason             string // why it was opened; the patient sees it
}

// Tag is a small labelled state: an icon and a word, never colour alone.
type Tag struct{ Tone, Icon, Text string } // Tone: "", good, warn, bad, info, brand

// Frames: Portal for patients, Desk for staff, Plain before sign-in and for errors.
func Portal(p Page, body templ.Component) templ.Component { panic("todo") }
func Desk(p Page, body templ.Component) templ.Component   { panic("todo") }
func Plain(p Page, body templ.Component) templ.Component  { panic("todo") }
