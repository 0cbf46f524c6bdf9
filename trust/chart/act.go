package chart

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/wellgate/wellgate/trust/audit"
	"github.com/wellgate/wellgate/trust/identity"
)

// maxRefs bounds how many references one audit entry lists; the counts by type are always whole.
const maxRefs = 200

// An Act is one thing one person does: a page or a call. It becomes one audit entry per record it touched (DESIGN §5).
// A door makes it with House.Begin, and calls Release before each byte that leaves.
type Act struct {
	Who     identity.Who
	Name    string  // the route: "results.one"
	Purpose Purpose //
	Reason  string  // staff's own words; the patient sees them
	IP      string
	Device  string // user agent, cut and cleaned
	Request string // request id, also on the error page

	h     *House
	views *views // nil on SQLite
	mu    sync.Mutex
	// touched is what has been handed out and is not yet durable, by chart. Owned by mu.
	touched map[int64]*touch
}

// A touch is what was handed out of one chart. Requests touch hundreds of resources: each is told once, and spelt out only
// when the entry is made.
type touch struct {
	action string
	order  []touched
	seen   map[touched]struct{} // of order, once it is long
}

type touched struct{ typ, id string }

// note says that something of a chart was handed out; typ "" is the record itself.
func (a *Act) note(chart int64, action, typ, id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.touched[chart]
	if t == nil {
		t = &touch{action: action}
		if a.touched == nil {
			a.touched = map[int64]*touch{}
		}
		a.touched[chart] = t
	}
	if action != "read" { // the strongest word wins: an export is more than a read
		t.action = action
	}
	if typ != "" {
		t.add(touched{typ, id})
	}
}

func (t *touch) add(x touched) {
	const short = 16
	if t.seen == nil {
		if slices.Contains(t.order, x) {
			return
		}
		if t.order = append(t.order, x); len(t.order) > short {
			t.seen = make(map[touched]struct{}, 8*short)
			for _, o := range t.order {
				t.seen[o] = struct{}{}
			}
		}
		return
	}
	n := len(t.seen)
	if t.seen[x] = struct{}{}; len(t.seen) > n {
		t.order = append(t.order, x)
	}
}

// refs are the first of what was touched.
func (t *touch) refs() []string {
	var out []string
	for _, x := range t.order[:min(len(t.order), maxRefs)] {
		out = append(out, x.typ+"/"+x.id)
	}
	return out
}

// pending takes what is noted and not yet durable, as entries in chart order whose bytes stand in n.
func (a *Act) pending(n *notes) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for num := range a.touched {
		n.charts = append(n.charts, num)
	}
	slices.Sort(n.charts)
	for _, num := range n.charts {
		t := a.touched[num]
		l := a.line(line{Action: t.action, What: a.Name, Outcome: "ok"})
		from := len(n.bytes)
		var err error
		if n.bytes, err = l.append(n.bytes, t); err != nil {
			return fmt.Errorf("chart: audit entry: %w", err)
		}
		n.ends = append(n.ends, len(n.bytes)-from)
	}
	at := 0
	for i, size := range n.ends { // the bytes stand still now
		n.entries = append(n.entries, audit.Entry{Chart: n.charts[i], Plain: n.bytes[at : at+size]})
		at += size
	}
	a.touched = nil
	return nil
}

// notes is memory for the entries of one release, used again: the log takes a copy.
type notes struct {
	charts  []int64
	ends    []int
	bytes   []byte
	entries []audit.Entry
}

var allNotes = sync.Pool{New: func() any { return new(notes) }}

func (n *notes) free() {
	clear(n.bytes)
	n.charts, n.ends, n.bytes, n.entries = n.charts[:0], n.ends[:0], n.bytes[:0], n.entries[:0]
	allNotes.Put(n)
}

// readBefore takes what this act read in chart, to stand in the entry of its write. put gives it back if the write fails.
func (a *Act) readBefore(chart int64) (refs []string, put func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.touched[chart]
	if t == nil {
		return nil, func() {}
	}
	delete(a.touched, chart)
	return t.refs(), func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.touched[chart] == nil {
			a.touched[chart] = t
		}
	}
}

// proved says whether this person presented a factor in the last five minutes (AUT-17).
func (a *Act) proved() bool {
	return !a.Who.Proved.IsZero() && a.h.clock().Sub(a.Who.Proved) <= 5*time.Minute
}

// Release returns once everything this act handed out so far is in the audit log, on disk, or once the connection of ctx's
// request holds back what is written to it until then (internal/durable). On an error nothing may leave.
func (a *Act) Release(ctx context.Context) error {
	n := allNotes.Get().(*notes)
	defer n.free()
	if err := a.pending(n); err != nil || len(n.entries) == 0 {
		return err
	}
	t, err := a.h.audit.Note(n.entries...)
	// Where a barrier holds the connection nobody waits. Else the reader may hang up, and what was read was read.
	if err == nil && !a.h.audit.Hold(ctx, t) {
		err = a.h.audit.Wait(context.WithoutCancel(ctx), t)
	}
	if err != nil {
		return fmt.Errorf("chart: release: %w", err)
	}
	return nil
}

// line fills in who acts, when, from where and why.
func (a *Act) line(l line) line {
	l.V, l.At, l.Policy = 1, a.h.clock(), a.h.policy.Version()
	l.Account, l.Kind, l.Role, l.Name, l.Session = a.Who.Account, a.Who.Kind, a.Who.Role, a.Who.Name, a.Who.Session
	l.IP, l.Device, l.Request = a.IP, clean(a.Device, 300), a.Request
	l.Purpose, l.Reason = a.Purpose, clean(a.Reason, 500)
	return l
}

func (a *Act) entry(chart int64, l line) (audit.Entry, error) {
	l = a.line(l)
	plain, err := l.append(nil, nil)
	if err != nil {
		return audit.Entry{}, fmt.Errorf("chart: audit entry: %w", err)
	}
	return audit.Entry{Chart: chart, Plain: plain}, nil
}

// clean cuts a client's own text and drops control characters, so that it can neither forge nor hide a line (ATK-65).
func clean(s string, limit int) string {
	if len(s) <= limit && isPlain(s) {
		return s
	}
	out := make([]rune, 0, min(len(s), limit))
	for _, r := range s {
		if len(out) == limit {
			break
		}
		if r < 0x20 || r == 0x7f || r >= 0x80 && r < 0xa0 || r >= 0x200b && r <= 0x200f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0xfeff {
			r = ' '
		}
		out = append(out, r)
	}
	return string(out)
}

// isPlain says whether s is printable ASCII: there is nothing to cut or drop.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] >= 0x7f {
			return false
		}
	}
	return true
}
