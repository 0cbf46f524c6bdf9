package rig

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/identity"
	"github.com/wellgate/wellgate/trust/journal"
)

// Found is what lies in a practice's store, read without the program.
type Found struct {
	Marks    map[string]bool // every mark in any version of anything
	Agents   map[string]bool // user agents of all audit entries
	Live     map[string]bool // references of what is there now
	Shared   int64           // the shared number; -1 if there is none
	Problems []string        // rows, entries and facts that do not fit each other

	Rows, Entries, Facts int64
}

var markText = regexp.MustCompile(`mk[0-9x]+z`)

// Read opens a stopped practice, or a copy of it, and reads every record, every entry of the log and every fact.
func Read(t testing.TB, dir, url string) Found {
	t.Helper()
	ctx := context.Background()
	f := Found{Marks: map[string]bool{}, Agents: map[string]bool{}, Live: map[string]bool{}, Shared: -1}
	o, err := openPractice(ctx, dir, url)
	if err != nil {
		f.bad("the practice does not open: %v", err)
		return f
	}
	defer func() {
		if err := o.close(); err != nil {
			f.bad("close: %v", err)
		}
	}()
	facts := f.facts(ctx, o)
	for _, kind := range []journal.Kind{journal.Patient, journal.Directory, journal.Intake} {
		charts, err := o.journal.Charts(ctx, kind)
		if err != nil {
			f.bad("charts: %v", err)
		}
		for _, num := range charts {
			f.record(ctx, o, num, f.fit(ctx, o, num, facts[num]))
		}
	}
	return f
}

func (f *Found) bad(format string, args ...any) {
	f.Problems = append(f.Problems, fmt.Sprintf(format, args...))
}

// facts counts the facts of each chart by verb and reference, and looks for gaps in their numbers.
func (f *Found) facts(ctx context.Context, o *open) map[int64]map[string]int {
	out, gaps, erased := map[int64]map[string]int{}, []string(nil), false
	for after := int64(0); ; {
		list, err := o.house.Feed().After(ctx, after, 1000)
		if err != nil {
			f.bad("facts after %d: %v", after, err)
			return out
		}
		if len(list) == 0 {
			if !erased {
				f.Problems = append(f.Problems, gaps...)
			}
			return out
		}
		for _, x := range list {
			if x.Seq != after+1 {
				gaps = append(gaps, fmt.Sprintf("fact %d follows fact %d", x.Seq, after))
			}
			if after = x.Seq; x.What == "erased" { // that record's facts are passed over, and this one has no row
				erased = true
				continue
			}
			if out[x.Chart] == nil {
				out[x.Chart] = map[string]int{}
			}
			out[x.Chart][x.What+" "+x.Ref]++
			f.Facts++
		}
	}
}

// record reads every version of everything in one record, and every file. written are the references that its entries name.
func (f *Found) record(ctx context.Context, o *open, num int64, written map[string]bool) {
	c := o.house.System(o.house.Begin(identity.Who{Account: "system:test", Kind: identity.System}, "test"), num)
	for e, err := range c.All(ctx) {
		if err != nil {
			f.bad("record %s: %v", o.house.PublicID(num), err)
			return
		}
		f.Live[e.Ref()] = true
		if e.Version == 1 {
			f.version(ctx, c, e.Ref(), string(e.Raw()), 1)
			delete(written, e.Ref())
		} else {
			written[e.Ref()] = true
		}
	}
	for ref := range written { // changed since, or deleted
		typ, id, _ := strings.Cut(ref, "/")
		past, _, err := c.History(ctx, typ, id, chart.Span{})
		if err != nil || len(past) == 0 {
			f.bad("history of %s of record %s: %d versions, %v", ref, o.house.PublicID(num), len(past), err)
		}
		for _, p := range past {
			if !p.Gone {
				f.version(ctx, c, ref, string(p.Raw()), p.Version)
			}
		}
	}
}

func (f *Found) version(ctx context.Context, c *chart.Chart, ref, raw string, version int64) {
	for _, m := range markText.FindAllString(raw, -1) {
		f.Marks[m] = true
	}
	if strings.HasPrefix(ref, "DocumentReference/") {
		f.file(ctx, c, raw)
	}
	if strings.Contains(raw, sharedMark) {
		f.Shared = max(f.Shared, version-1)
	}
}

// file checks a file that a load stored: it holds its mark again and again.
func (f *Found) file(ctx context.Context, c *chart.Chart, raw string) {
	var d struct {
		Description string
		Content     []struct{ Attachment struct{ URL string } }
	}
	if json.Unmarshal([]byte(raw), &d) != nil || !markText.MatchString(d.Description) || len(d.Content) == 0 {
		return
	}
	_, _, r, err := c.File(ctx, d.Content[0].Attachment.URL)
	if err != nil {
		f.bad("file of %s: %v", d.Description, err)
		return
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil || len(b) == 0 || strings.ReplaceAll(string(b), d.Description, "") != "" {
		f.bad("file of %s: %d bytes, not what was sent (%v)", d.Description, len(b), err)
	}
}

// fit holds rows, audit entries and facts of one chart against each other: each row has one entry, each entry its facts. It
// says what the entries wrote.
func (f *Found) fit(ctx context.Context, o *open, num int64, facts map[string]int) (written map[string]bool) {
	written = map[string]bool{}
	name := o.house.PublicID(num)
	head, err := o.journal.Head(ctx, o.db, num)
	if err != nil {
		f.bad("head of %s: %v", name, err)
	}
	f.Rows += head
	entries, want := map[int64]int{}, map[string]int{}
	for e, err := range o.house.Audit().Each(ctx, num) {
		if err != nil {
			f.bad("entries of %s: %v", name, err)
			return written
		}
		f.Entries++
		var l struct {
			Action, What, Device string
			Row                  int64
			Refs                 []string
			Types                map[string]int
		}
		if err := json.Unmarshal(e.Plain, &l); err != nil {
			f.bad("entry %d: %v", e.Index, err)
			continue
		}
		f.Agents[l.Device] = true
		if l.Action != "write" || l.Row == 0 {
			continue
		}
		entries[l.Row]++
		for _, ref := range l.Refs {
			written[ref] = true
		}
		changes := 0
		for n := range maps.Values(l.Types) {
			changes += n
		}
		if changes > 16 { // a large transaction is one fact
			want[l.What+" "]++
			continue
		}
		for _, ref := range l.Refs {
			want[l.What+" "+ref]++
		}
	}
	for row := int64(1); row <= head; row++ {
		if entries[row] != 1 {
			f.bad("row %d of %s has %d entries", row, name, entries[row])
		}
	}
	for _, row := range slices.Sorted(maps.Keys(entries)) {
		if row > head {
			f.bad("an entry tells of row %d of %s, which has %d", row, name, head)
		}
	}
	if !maps.Equal(want, facts) && len(want)+len(facts) > 0 {
		f.bad("the facts of %s are not those of its entries: %d kinds, %d kinds", name, len(facts), len(want))
	}
	return written
}

// Verify lets the program check its own log.
func Verify(t testing.TB, bin string, p *Practice) (problems []string) {
	t.Helper()
	args := []string{"audit", "verify", "--json", "--dir", p.Dir}
	if p.Store != "" {
		args = append(args, "--store", p.Store)
	}
	out, err := exec.Command(bin, args...).Output()
	var rep struct {
		Entries  int64
		Problems []string
	}
	if jerr := json.Unmarshal(out, &rep); jerr != nil || err != nil || len(rep.Problems) > 0 || rep.Entries == 0 {
		text := string(out)
		if exit, ok := err.(*exec.ExitError); ok {
			text += string(exit.Stderr)
		}
		return []string{fmt.Sprintf("audit verify: %v: %s", err, text)}
	}
	return nil
}
