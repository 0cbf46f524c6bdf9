package chart

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/wellgate/wellgate/trust/identity"
)

// A line is the content of one audit entry (AUD-02; fields of ASTM E2147). It is sealed under the key of the chart it is
// about, and names what was touched by reference, never its content (AUD-06).
type line struct {
	V       int            `json:"v"`
	At      time.Time      `json:"at"`
	Account string         `json:"account,omitempty"`
	Kind    identity.Kind  `json:"kind,omitempty"`
	Role    identity.Role  `json:"role,omitempty"`
	Name    string         `json:"name,omitempty"`
	Session string         `json:"session,omitempty"`
	IP      string         `json:"ip,omitempty"`
	Device  string         `json:"device,omitempty"`
	Action  string         `json:"action"`
	What    string         `json:"what,omitempty"`
	Purpose Purpose        `json:"purpose,omitempty"`
	Reason  string         `json:"reason,omitempty"`
	Types   map[string]int `json:"types,omitempty"`
	Refs    []string       `json:"refs,omitempty"`
	Read    []string       `json:"read,omitempty"`   // a write lists here what the same act had read
	Row     int64          `json:"row,omitempty"`    // the row of the record that a write made
	Detail  string         `json:"detail,omitempty"` // of account events: the factor or way in
	Version int64          `json:"version,omitzero"` // of account events: the account's version, at least
	By      string         `json:"by,omitempty"`     // account that acted on another's behalf
	Outcome string         `json:"outcome"`
	Request string         `json:"request,omitempty"`
	Policy  string         `json:"policy"`
}

// append writes the line as json.Marshal would, without its work for each field. t, if not nil, stands for Types and Refs:
// what an act touched is spelt out here and nowhere else.
func (l *line) append(b []byte, t *touch) ([]byte, error) {
	if y := l.At.Year(); y < 1 || y > 9999 { // no clock says so; RFC 3339 cannot
		plain, err := json.Marshal(l, json.Deterministic(true))
		return append(b, plain...), err
	}
	w := liner{b: append(b, `{"v":`...)}
	w.b = strconv.AppendInt(w.b, int64(l.V), 10)
	w.b = append(w.b, `,"at":"`...)
	w.b = append(l.At.AppendFormat(w.b, time.RFC3339Nano), '"')
	w.some(`,"account":`, l.Account)
	w.some(`,"kind":`, string(l.Kind))
	w.some(`,"role":`, string(l.Role))
	w.some(`,"name":`, l.Name)
	w.some(`,"session":`, l.Session)
	w.some(`,"ip":`, l.IP)
	w.some(`,"device":`, l.Device)
	w.text(`,"action":`, l.Action)
	w.some(`,"what":`, l.What)
	w.some(`,"purpose":`, string(l.Purpose))
	w.some(`,"reason":`, l.Reason)
	if t != nil {
		w.touch(t)
	} else {
		w.counts(l.Types)
		w.list(`,"refs":`, l.Refs)
	}
	w.list(`,"read":`, l.Read)
	w.b = append(w.b, `,"row":`...)
	w.b = strconv.AppendInt(w.b, l.Row, 10)
	w.some(`,"detail":`, l.Detail)
	if l.Version != 0 {
		w.b = append(w.b, `,"version":`...)
		w.b = strconv.AppendInt(w.b, l.Version, 10)
	}
	w.some(`,"by":`, l.By)
	w.text(`,"outcome":`, l.Outcome)
	w.some(`,"request":`, l.Request)
	w.text(`,"policy":`, l.Policy)
	return append(w.b, '}'), w.err
}

// A liner appends parts of a line. The first error stays.
type liner struct {
	b   []byte
	err error
}

func (w *liner) quote(s string) {
	b, err := jsontext.AppendQuote(w.b, s)
	if err != nil && w.err == nil { // not UTF-8
		w.err = err
	}
	w.b = b
}

func (w *liner) text(name, s string) {
	w.b = append(w.b, name...)
	w.quote(s)
}

func (w *liner) some(name, s string) {
	if s != "" {
		w.text(name, s)
	}
}

func (w *liner) list(name string, list []string) {
	for i, s := range list {
		if i == 0 {
			w.b = append(append(w.b, name...), '[')
		} else {
			w.b = append(w.b, ',')
		}
		w.quote(s)
	}
	if len(list) > 0 {
		w.b = append(w.b, ']')
	}
}

// A count is how many of a type were touched.
type count struct {
	typ string
	n   int
}

func (w *liner) counts(types map[string]int) {
	list := make([]count, 0, len(types))
	for typ, n := range types {
		list = append(list, count{typ, n})
	}
	w.sorted(list)
}

func (w *liner) sorted(list []count) {
	if len(list) == 0 {
		return
	}
	slices.SortFunc(list, func(a, b count) int { return strings.Compare(a.typ, b.typ) })
	w.b = append(w.b, `,"types":{`...)
	for i, c := range list {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.quote(c.typ)
		w.b = append(w.b, ':')
		w.b = strconv.AppendInt(w.b, int64(c.n), 10)
	}
	w.b = append(w.b, '}')
}

// touch writes how many of each type were touched, and the first of them. Types and ids are those of resources: plain
// ASCII without anything to escape.
func (w *liner) touch(t *touch) {
	var room [8]count
	list := room[:0]
	for from := 0; from < len(t.order); { // types come in runs
		to := from + 1
		for to < len(t.order) && t.order[to].typ == t.order[from].typ {
			to++
		}
		i := slices.IndexFunc(list, func(c count) bool { return c.typ == t.order[from].typ })
		if i < 0 {
			i, list = len(list), append(list, count{typ: t.order[from].typ})
		}
		list[i].n += to - from
		from = to
	}
	w.sorted(list)
	for i, x := range t.order[:min(len(t.order), maxRefs)] {
		if i == 0 {
			w.b = append(w.b, `,"refs":["`...)
		} else {
			w.b = append(w.b, `,"`...)
		}
		w.b = append(append(append(append(w.b, x.typ...), '/'), x.id...), '"')
	}
	if len(t.order) > 0 {
		w.b = append(w.b, ']')
	}
}
