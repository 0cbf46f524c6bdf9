package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wellgate/wellgate/doors/files"
	"github.com/wellgate/wellgate/trust/audit"
	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/vault"
)

// Journeys are stories that a nurse can read and a machine can play, over HTTP, on the whole product. One line, one act:
//
//	# What follows is said for people.
//	let lab = amina Observation code=http://loinc.org|4548-4&_sort=-date
//	amina GET /results/{lab} -> 200 has "Test result" lacks "Miguel"
//	priya POST /desk/{amina}/results/{lab}/comments text="All is well." -> 303 to "/desk/"
//	let line = amina newest by=priya
//	amina proves who she is
//	amina signs in on a shared computer
//	wait 5m
//	audit amina -> priya opened desk.open "Appointment today"; priya wrote commented
//	the last answer is a receipt of amina's log
//	the last answer imports into an empty practice as the same record
//
// People are called by their first names or, staff, by their roles; nobody is a browser nobody signed in with, and
// {amina} is how her record is named in addresses. "has" and "lacks" look at the page as read and as sent; "type" and
// "saves" at the headers. Below the lines may stand resources of Amina's own, as "-- name.json --" and JSON.
func TestJourneys(t *testing.T) {
	var all []string
	for _, folder := range []string{"testdata/journeys", "../../care/desk/testdata", "../../care/privacy/testdata"} {
		found, err := filepath.Glob(folder + "/*.txtar")
		if err != nil || len(found) == 0 {
			t.Fatalf("no journeys in %s: %v", folder, err)
		}
		all = append(all, found...)
	}
	for _, path := range all {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			parts := strings.Split(string(text), "\n-- ")
			j := &journey{T: t, w: newWorld(t), named: map[string]string{}, people: map[string]*browser{}, seen: map[string]int{}}
			for name, u := range j.w.users {
				j.named[name] = u.public
			}
			for _, p := range parts[1:] {
				_, js, _ := strings.Cut(p, " --\n")
				j.w.must(j.w.h.deliverJSON(context.Background(), "Patient/"+j.w.first("amina", "Patient", ""), js))
			}
			for _, name := range []string{"amina", "miguel", "yusuf"} {
				j.seen[name] = len(j.w.lines(name))
			}
			for n, line := range strings.Split(parts[0], "\n") {
				if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
					j.at = fmt.Sprintf("line %d: %s", n+1, line)
					j.play(line)
				}
			}
		})
	}
}

type journey struct {
	*testing.T
	w      *world
	at     string
	named  map[string]string
	people map[string]*browser
	last   answer
	seen   map[string]int // lines of a record's log already told
}

func (j *journey) wrong(format string, args ...any) {
	j.Helper()
	j.Errorf("%s\n\t%s", j.at, fmt.Sprintf(format, args...))
}

var (
	letLine   = regexp.MustCompile(`^let (\w+) = ([\w-]+) (\w+) (\S+)$`)
	actLine   = regexp.MustCompile(`^([\w-]+) (GET|HEAD|POST) (\S+)((?: [\w-]+=(?:"[^"]*"|\S*))*) -> (\d+)((?: \w+ (?:"[^"]*"|` + "`[^`]*`" + `))*)$`)
	fieldText = regexp.MustCompile(` ([\w-]+)=("[^"]*"|\S*)`)
	claimText = regexp.MustCompile(` (\w+) ("[^"]*"|` + "`[^`]*`" + `)`)
	waitLine  = regexp.MustCompile(`^wait (\S+)$`)
	proveLine = regexp.MustCompile(`^([\w-]+) proves who (?:s?he is|they are)$`)
	shareLine = regexp.MustCompile(`^([\w-]+) signs in( on a shared computer)?$`)
	auditLine = regexp.MustCompile(`^audit ([\w-]+) -> (.+)$`)
	tags      = regexp.MustCompile(`(?s)<(script|style).*?</(script|style)>|<[^>]*>`)
)

func (j *journey) play(line string) {
	j.Helper()
	fill := func(s string) string {
		return regexp.MustCompile(`\{(\w[\w-]*)\}`).ReplaceAllStringFunc(s, func(p string) string {
			v, ok := j.named[p[1:len(p)-1]]
			if !ok {
				j.Fatalf("%s\n\t%s is nobody and nothing", j.at, p)
			}
			return v
		})
	}
	switch {
	case letLine.MatchString(line):
		m := letLine.FindStringSubmatch(line)
		if m[3] == "newest" { // "by=priya": the newest line of that person in the record's log
			j.named[m[1]] = j.newest(m[2], strings.TrimPrefix(m[4], "by="))
			return
		}
		j.named[m[1]] = j.w.first(m[2], m[3], fill(m[4]))
	case waitLine.MatchString(line):
		d, err := time.ParseDuration(waitLine.FindStringSubmatch(line)[1])
		j.w.must(err)
		j.w.pass(d)
	case proveLine.MatchString(line):
		name := proveLine.FindStringSubmatch(line)[1]
		j.browser(name).prove(j.w.users[name])
	case shareLine.MatchString(line):
		m := shareLine.FindStringSubmatch(line)
		b := j.w.browser()
		b.shared = m[2] != ""
		b.signin(j.w.users[m[1]])
		j.people[m[1]] = b
	case auditLine.MatchString(line):
		m := auditLine.FindStringSubmatch(line)
		j.audit(m[1], m[2])
	case line == "the last answer is a receipt of amina's log":
		j.receipt()
	case line == "the last answer imports into an empty practice as the same record":
		j.imports()
	case actLine.MatchString(line):
		m := actLine.FindStringSubmatch(line)
		var form url.Values
		for _, f := range fieldText.FindAllStringSubmatch(m[4], -1) {
			if form == nil {
				form = url.Values{}
			}
			form.Add(f[1], fill(strings.Trim(f[2], `"`)))
		}
		j.act(m[1], m[2], fill(m[3]), form)
		j.hold(m[5], m[6], fill)
	default:
		j.Fatalf("%s\n\tcannot read this", j.at)
	}
}

// newest is the index of the newest line of who's in name's log.
func (j *journey) newest(name, who string) string {
	for s, err := range j.w.h.charts.Audit().Each(context.Background(), j.w.users[name].account.Chart) {
		j.w.must(err)
		if strings.Contains(string(s.Plain), j.w.users[who].account.ID) {
			return fmt.Sprint(s.Index)
		}
	}
	j.Fatalf("%s\n\t%s did nothing in %s's record", j.at, who, name)
	return ""
}

func (j *journey) browser(name string) *browser {
	if b := j.people[name]; b != nil {
		return b
	}
	b := j.w.browser()
	if name != "nobody" {
		u := j.w.users[name]
		if u == nil {
			j.Fatalf("%s\n\tnobody is called %s", j.at, name)
		}
		b.signin(u)
	}
	j.people[name] = b
	return b
}

func (j *journey) act(name, verb, path string, form url.Values) {
	b := j.browser(name)
	if verb == http.MethodPost {
		j.last = b.post(path, form)
		return
	}
	j.last = b.do(verb, path, nil)
}

// hold compares the last answer with what the line claims.
func (j *journey) hold(status, claims string, fill func(string) string) {
	j.Helper()
	if fmt.Sprint(j.last.status) != status {
		j.wrong("answered %d %s", j.last.status, j.last.header.Get("Location"))
		return
	}
	read := html.UnescapeString(strings.Join(strings.Fields(tags.ReplaceAllString(j.last.body, " ")), " "))
	read = strings.ReplaceAll(read, "\u00a0", " ")
	for _, c := range claimText.FindAllStringSubmatch(claims, -1) {
		want := fill(strings.Trim(c[2], "\"`"))
		shows := strings.Contains(read, want) || strings.Contains(j.last.body, want)
		ok := false
		switch c[1] {
		case "has":
			ok = shows
		case "lacks":
			ok = !shows
		case "to":
			ok = strings.HasPrefix(j.last.header.Get("Location"), want)
		case "type":
			ok = strings.HasPrefix(j.last.header.Get("Content-Type"), want)
		case "saves":
			ok = strings.Contains(j.last.header.Get("Content-Disposition"), `attachment; filename="`+want)
		default:
			j.Fatalf("%s\n\tcannot read %q", j.at, c[1])
		}
		if !ok {
			j.wrong("%s %q does not hold: %s", c[1], want, cut(read, 400))
		}
	}
}

func cut(s string, n int) string { return s[:min(len(s), n)] }

// audit compares what was written in a record's log, by others than its patient, since it was last asked.
func (j *journey) audit(name, want string) {
	lines := j.w.lines(name)
	var got []string
	for _, l := range lines[j.seen[name]:] {
		if l.Account == j.w.users[name].account.ID {
			continue
		}
		who := l.Name
		for short, u := range j.w.users {
			if u.account.ID == l.Account && !slices.Contains(roleNames(), short) {
				who = short
			}
		}
		did := map[string]string{"read": "read", "write": "wrote", "open": "opened", "find": "found", "export": "took", "account": "did"}[l.Action]
		s := who + " " + did + " " + l.What
		if l.Outcome != "ok" {
			s += " " + l.Outcome
		}
		if l.Action == "open" {
			s += fmt.Sprintf(" %q", l.Reason)
		}
		got = append(got, s)
	}
	j.seen[name] = len(lines)
	if len(got) == 0 {
		got = []string{"nothing"}
	}
	if s := strings.Join(got, "; "); s != want {
		j.wrong("the log says: %s", s)
	}
}

func roleNames() (out []string) {
	for _, r := range roles {
		out = append(out, string(r))
	}
	return out
}

// receipt checks the last answer as a patient would, with nothing but the public key; and that one changed letter shows.
func (j *journey) receipt() {
	vkey, err := audit.VKey(j.w.h.config.Log, j.w.h.vault.Secret("audit-signing"))
	j.w.must(err)
	dir := j.TempDir()
	verify := func(name, text string) int {
		path := filepath.Join(dir, name)
		j.w.must(os.WriteFile(path, []byte(text), 0o600))
		out, erro := os.Stdout, os.Stderr
		defer func() { os.Stdout, os.Stderr = out, erro }()
		null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
		j.w.must(err)
		defer null.Close()
		os.Stdout, os.Stderr = null, null
		return run([]string{"audit", "verify", "--receipt", path, "--key", vkey})
	}
	if verify("receipt.txt", j.last.body) != 0 {
		j.wrong("the receipt does not verify")
	}
	if !strings.Contains(j.last.body, "Priya Nair") {
		j.wrong("the receipt is not of what Dr. Nair did: %s", cut(j.last.body, 300))
	}
	if verify("forged.txt", strings.Replace(j.last.body, "Priya Nair", "Priya Mair", 1)) == 0 {
		j.wrong("a receipt with another name verifies too")
	}
}

// imports loads the last answer, a whole record, into a practice with other keys, and compares every byte (P8).
func (j *journey) imports() {
	var bundle struct {
		Entry []struct {
			Resource json.RawMessage `json:"resource"`
		} `json:"entry"`
	}
	j.w.must(json.Unmarshal([]byte(j.last.body), &bundle))
	dir := j.TempDir()
	_, err := vault.CreateRoot(filepath.Join(dir, keyFile), nil)
	j.w.must(err)
	j.w.must(writeConfig(dir, config{Name: "Empty", Phone: "1", Emergency: "911", Colour: "#000000", Zone: "UTC", Host: "localhost", Log: "empty/log"}))
	h, err := openTest(dir, j.w.clock, nil)
	j.w.must(err)
	defer h.Close()
	file := filepath.Join(dir, "record.json")
	j.w.must(os.WriteFile(file, []byte(j.last.body), 0o600))
	rep, err := (&files.Loader{House: h.charts, Who: system("import")}).Load(context.Background(), []string{file})
	j.w.must(err)
	if len(rep.Refusals) > 0 || rep.Patients != 1 || rep.Created != len(bundle.Entry) {
		j.wrong("%d entries, import says %+v", len(bundle.Entry), rep)
	}
	num, ok, err := h.charts.PatientChart(context.Background(), j.w.first("amina", "Patient", ""))
	if err != nil || !ok {
		j.Fatal("the patient is not there: ", err)
	}
	there := h.charts.System(h.charts.Begin(system("test"), "test"), num)
	here := j.w.system("amina")
	same := 0
	for _, e := range bundle.Entry {
		var id struct{ ResourceType, ID string }
		j.w.must(json.Unmarshal(e.Resource, &id))
		a, err := here.Get(context.Background(), id.ResourceType, id.ID)
		if err != nil { // of the directory
			if r, ok := here.Resolve(context.Background(), id.ResourceType+"/"+id.ID); !ok || !bytes.Equal(r.Raw(), e.Resource) {
				j.wrong("%s/%s is not as in the directory", id.ResourceType, id.ID)
			}
			if r, ok := there.Resolve(context.Background(), id.ResourceType+"/"+id.ID); !ok || !bytes.Equal(r.Raw(), e.Resource) {
				j.wrong("%s/%s came out otherwise", id.ResourceType, id.ID)
			}
			continue
		}
		b, err := there.Get(context.Background(), id.ResourceType, id.ID)
		if err != nil || !bytes.Equal(a.Raw(), e.Resource) || !bytes.Equal(b.Raw(), a.Raw()) {
			j.wrong("%s/%s came out otherwise: %v", id.ResourceType, id.ID, err)
		}
		same++
	}
	for _, c := range []*chart.Chart{here, there} {
		n := 0
		for typ := range typesOf(bundle.Entry) {
			found, err := c.Search(context.Background(), typ, "")
			j.w.must(err)
			n += len(found)
		}
		if n != same {
			j.wrong("the record holds %d resources, the file %d of them", n, same)
		}
	}
	if same < 300 {
		j.wrong("only %d resources of her own in the file", same)
	}
}

func typesOf(entries []struct {
	Resource json.RawMessage `json:"resource"`
}) map[string]bool {
	out := map[string]bool{}
	for _, e := range entries {
		var id struct{ ResourceType string }
		if json.Unmarshal(e.Resource, &id) == nil {
			out[id.ResourceType] = true
		}
	}
	return out
}
