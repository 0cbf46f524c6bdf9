package site

import (
	"strings"
	"unicode"

	"github.com/a-h/templ"
)

// Head opens every page: where back, what this is, and to the far side (children) what can be done here.
type Head struct {
	Back   Link
	Kicker string // a small line above: the date, "Step 2 of 3"
	Title  string
	Lead   string // one sentence below
}

// A Box is a card: a section with a heading.
type Box struct {
	ID, Title string // ID names the heading; "" makes one from nothing: give one when a page has two untitled cards
	Sub       string // small words beside the title
	Icon      string // a blob at the far end of the heading
	Tone      string // of the blob
	More      Link   // "See all", beside the title
	Flush     bool   // rows and tables reach the edges
	Hide      bool   // the title is for screen readers only
	Strong    bool   // a brand border: the one card that matters most
}

// Press is a button. Kind: "" main, quiet, soft, danger, inverse and ghost (on the deep block). One main button per card.
type Press struct {
	Text, Hidden string // Hidden is heard after Text: ": metformin"
	Icon, Kind   string
	Small, Wide  bool
	Name, Value  string           // sent with the form
	Attrs        templ.Attributes // data-… and form…; never style or on…
}

// Row is one entry of a list.
type Row struct {
	Icon, Tone    string // blob; Tone as Tag plus "mute"; no Icon = no blob
	Initials      string // an avatar instead of the icon
	Title, Detail string
	Href          templ.SafeURL // the whole row leads there
	Meta          string        // at the far end: a date
	Tag           Tag           // at the far end instead of, or above, Meta
	New           bool          // a dot and the word
	Action        templ.Component
	Body          templ.Component // below the detail
}

// Chip is one choice of a filter or tab.
type Chip struct {
	Text, Icon string
	Count      int // 0 = not shown
	Href       templ.SafeURL
	Current    bool
}

// Search is a GET form of one field.
type Search struct {
	Action      templ.SafeURL
	ID          string // default "q"
	Name, Value string // default "q"
	Label       string
	Hint        string
	Keep        [][2]string // hidden fields that keep the filter
}

// Input is one question of a form: a text field, an area, a select, radios or boxes.
type Input struct {
	ID           string // default Name
	Name, Value  string
	Label        string
	Hint         string
	Error        string // the sentence that ErrorSummary links here
	Type         string // text (default), email, tel, password, search, number, date, time, file …
	Autocomplete string
	Mode         string // inputmode: numeric, decimal, …
	Suffix       string // unit after the field: "mmHg"
	Width        string // "", s (5 characters), m (14)
	Rows         int    // of an area; default 4
	Max          int    // maxlength; 0 = none
	Optional     bool   // says so beside the label; everything else is required
	Big          bool   // the label is the page's h1: one question a page
	HideLabel    bool
	Attrs        templ.Attributes
}

func (in Input) id() string {
	if in.ID != "" {
		return in.ID
	}
	return in.Name
}

// describedBy names the hint and the error for assistive technology.
func (in Input) describedBy() string {
	var ids []string
	if in.Hint != "" {
		ids = append(ids, in.id()+"-hint")
	}
	if in.Error != "" {
		ids = append(ids, in.id()+"-error")
	}
	return strings.Join(ids, " ")
}

func (in Input) attrs() templ.Attributes {
	a := templ.Attributes{}
	for k, v := range in.Attrs {
		a[k] = v
	}
	if d := in.describedBy(); d != "" {
		a["aria-describedby"] = d
	}
	if in.Error != "" {
		a["aria-invalid"] = "true"
	}
	if in.Autocomplete != "" {
		a["autocomplete"] = in.Autocomplete
	}
	if in.Mode != "" {
		a["inputmode"] = in.Mode
	}
	if in.Max > 0 {
		a["maxlength"] = in.Max
	}
	return a
}

// Option is one answer of a select, radios or boxes.
type Option struct {
	Value, Text, Hint string
	Selected          bool
	Disabled          bool
}

// FieldError is one line of the error summary.
type FieldError struct{ ID, Text string }

// Fact is one line of a summary list.
type Fact struct {
	Term, Text string
	Body       templ.Component // instead of Text
	Change     Link            // Hidden says what: " the pharmacy"; Text "" = "Change"
}

// Table is a data table that turns into cards on phones.
type Table struct {
	Caption string // always said, shown when ShowCaption
	Show    bool   // show the caption
	Cols    []Col
	Rows    []Line
}

// Col is a column; the first is the row's header. Num aligns numbers. Hide leaves the heading to screen readers.
type Col struct {
	Text      string
	Num, Hide bool
}

// Line is a row of cells. Tone "bad" marks it at the edge; Selected tints it; New puts a dot.
type Line struct {
	Tone          string
	Selected, New bool
	Cells         []Cell
}

// Cell is a value with a smaller line below it.
type Cell struct {
	Text, Sub string
	Href      templ.SafeURL
	Tag       Tag
	Body      templ.Component // instead of the rest
}

// Tile is a quick action.
type Tile struct {
	Icon, Text string
	Href       templ.SafeURL
}

// Stat is a figure that leads to what it counts.
type Stat struct {
	Figure, Text string
	Href         templ.SafeURL
	Hot          bool
}

// Step is one entry of a list of what happens next.
type Step struct {
	Title, Detail string
	Done          bool
	Link          Link
}

// Care is the "get help today" card, the one place for red.
type Care struct {
	ID, Title string
	Signs     []string
}

// Remark is a calm note. Tone: "" plain, info, good, warn, bad.
type Remark struct{ Icon, Tone, Title, Text string }

// Voice is a clinician's comment shown as a quote.
type Voice struct{ Name, Role, When, Text string }

// Speech is one message of a conversation.
type Speech struct {
	Who, Role, When string
	Mine            bool
	Text            string // paragraphs by blank lines; Children follow it
	Status          string // "Read by Sam, 15:50"
	Lang            string // language of the text when it is not the page's
}

// Month is one group of a timeline.
type Month struct {
	Title  string
	Events []Event
}

// Event is one entry of a timeline.
type Event struct {
	Icon, Tone, When, Title, Detail string
	Href                            templ.SafeURL
	Tag                             Tag
}

// Booking is the block of one appointment.
type Booking struct {
	ID                  string
	Weekday, Day, Month string // the date tile
	Kicker, Title       string // "Your next appointment", "Phone call with Dr Nair"
	When                string // the whole date and time, for screen readers after the kicker
	Lines               []string
}

// Choice is one day of a day strip or one slot of a slot list.
type Choice struct {
	Top, Main, Sub string // "Mon", "23", "8 times"
	Href           templ.SafeURL
	Value          string // of a slot
	Current, None  bool
}

// Blank is a list with nothing in it: say why, and what to do.
type Blank struct {
	Icon, Title, Text string
	Action            Link
}

// Initials are the first letters of the first and the last name, for an avatar. A title ("Dr.") is no name.
func Initials(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || r == '-' })
	if len(words) > 2 && strings.HasSuffix(words[0], ".") {
		words = words[1:]
	}
	var out []rune
	for i, word := range words {
		if i == 0 || i == len(words)-1 {
			for _, r := range word {
				if unicode.IsLetter(r) {
					out = append(out, unicode.ToUpper(r))
					break
				}
			}
		}
	}
	return string(out)
}

// Tel is the link that dials number; anything that cannot be dialled is dropped.
func Tel(number string) templ.SafeURL {
	return templ.SafeURL("tel:" + strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == '+' {
			return r
		}
		return -1
	}, number))
}

// paragraphs splits plain text at blank lines, and each paragraph at line ends.
func paragraphs(s string) [][]string {
	var out [][]string
	for p := range strings.SplitSeq(strings.ReplaceAll(s, "\r\n", "\n"), "\n\n") {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, strings.Split(p, "\n"))
		}
	}
	return out
}

// or is s, or what stands in for an empty s.
func or(s, instead string) string {
	if s == "" {
		return instead
	}
	return s
}

// mod is a BEM-like class with its modifier when there is one.
func mod(class, tone string) string {
	if tone == "" {
		return class
	}
	return class + " " + class + "--" + tone
}
