package chart_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wellgate/wellgate/fhir"
	. "github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/identity"
	"github.com/wellgate/wellgate/trust/policy"
)

// A stored is one version in the model: what a plain list knows of a resource.
type stored struct {
	version int64
	label   string
	gone    bool
	at      time.Time
}

// shown are the versions that a reader may see, newest first, and what asking for the resource itself says.
func shown(all []stored, labels bool) (out []int64, state error) {
	last := ""
	for _, s := range all {
		if !s.gone {
			last = s.label
		}
	}
	if len(all) == 0 || last != "" && !labels {
		return nil, ErrNotFound
	}
	for _, s := range slices.Backward(all) {
		if s.gone || s.label == "" || labels {
			out = append(out, s.version)
		}
	}
	if all[len(all)-1].gone {
		state = ErrGone
	}
	return out, state
}

// Whatever is stored, labelled, deleted and brought back: history in pages of any size is what a plain list says, for who
// sees labels and who does not, and so is what deleted things answer.
func TestHistoryAgreesWithAPlainList(t *testing.T) {
	o := newPlace(t).open(t)
	ana, _ := o.people(t)
	own, _, err := o.enter(ana, "portal", ana.Chart)
	must(t, err)
	hygienist, _ := o.hygienist(t, ana.Chart)
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		ctx := context.Background()
		model := map[string][]stored{}
		for range rapid.IntRange(1, 14).Draw(t, "changes") {
			id := fmt.Sprintf("r%d-%d", round, rapid.IntRange(0, 2).Draw(t, "id"))
			all := model[id]
			o.p.now = o.p.now.Add(time.Second)
			s := stored{version: int64(len(all) + 1), at: o.p.now}
			entry := request("DELETE", "Condition/"+id, "", "")
			if s.gone = len(all) > 0 && !all[len(all)-1].gone && rapid.IntRange(0, 3).Draw(t, "delete") == 0; !s.gone {
				s.label = rapid.SampledFrom([]string{"", "", "HIV"}).Draw(t, "label")
				meta := ""
				if s.label != "" {
					meta = `"meta":{"security":[{"code":"HIV"}]},`
				}
				entry = request("PUT", "Condition/"+id, fmt.Sprintf(`{"resourceType":"Condition","id":"%s",%s"code":{"text":"v%d"},"subject":{"reference":"Patient/ana"}}`, id, meta, s.version), "")
			}
			if _, err := o.transact(bundle(entry)); err != nil {
				t.Fatal(err)
			}
			model[id] = append(all, s)
		}
		size := rapid.IntRange(1, 5).Draw(t, "page")
		since := rapid.IntRange(0, 4).Draw(t, "since")
		for _, id := range []string{fmt.Sprintf("r%d-0", round), fmt.Sprintf("r%d-1", round), fmt.Sprintf("r%d-2", round)} {
			for name, c := range map[string]*Chart{"the patient": own, "the hygienist": hygienist} {
				want, state := shown(model[id], c == own)
				got, err := pages(ctx, c, id, Span{Count: size})
				if !slices.Equal(got, want) || (err != nil) != (len(want) == 0 && errors.Is(state, ErrNotFound) && !errors.Is(state, ErrGone)) {
					t.Fatalf("%s: history of %s: %v %v, want %v of %+v", name, id, got, err, want, model[id])
				}
				if err := c.Gone(ctx, "Condition", id); errors.Is(state, ErrGone) != errors.Is(err, ErrGone) || !errors.Is(err, ErrNotFound) {
					t.Fatalf("%s: %s gone: %v, want %v", name, id, err, state)
				}
				if len(want) == 0 {
					continue
				}
				at := model[id][min(since, len(model[id])-1)].at
				got, err = pages(ctx, c, id, Span{Count: size, Since: at})
				if i := slices.IndexFunc(want, func(v int64) bool { return model[id][v-1].at.Before(at) }); i >= 0 {
					want = want[:i]
				}
				if err != nil || !slices.Equal(got, want) {
					t.Fatalf("%s: history of %s since %v: %v %v, want %v", name, id, at, got, err, want)
				}
			}
		}
	})
}

// pages reads a whole history page by page.
func pages(ctx context.Context, c *Chart, id string, s Span) (out []int64, err error) {
	for {
		past, next, err := c.History(ctx, "Condition", id, s)
		if err != nil {
			return out, err
		}
		if len(past) > s.Count || next != (Spot{}) && len(past) < s.Count {
			return out, fmt.Errorf("a page of %d, next %v", len(past), next)
		}
		for _, p := range past {
			out = append(out, p.Version)
		}
		if next == (Spot{}) {
			return out, nil
		}
		s.Before = next
	}
}

// A moment shows what was current then, over a log of several steps of rows.
func TestHistoryAtAMoment(t *testing.T) {
	ctx := context.Background()
	o := newPlace(t).open(t)
	ana, _ := o.people(t)
	start := o.p.now
	for i := range 600 {
		o.p.now = start.Add(time.Duration(i) * time.Hour)
		o.deliver(t, parse(t, lab("many", "ana", fmt.Sprintf("%d.5", i))))
	}
	own, act, err := o.enter(ana, "portal", ana.Chart)
	must(t, err)
	at := func(s Span) (out []int64) {
		t.Helper()
		past, _, err := own.History(ctx, "Observation", "many", s)
		must(t, err)
		for _, p := range past {
			out = append(out, p.Version)
		}
		return out
	}
	noon := start.Add(100*time.Hour + 30*time.Minute)
	for what, c := range map[string]struct {
		got, want []int64
	}{
		"a moment between":    {at(Span{From: noon, Until: noon.Add(time.Second)}), []int64{101}},
		"an hour and a half":  {at(Span{From: noon, Until: noon.Add(time.Hour)}), []int64{102, 101}},
		"before there was it": {at(Span{From: start.Add(-time.Hour), Until: start.Add(-time.Minute)}), nil},
		"the exact moment":    {at(Span{From: start.Add(5 * time.Hour), Until: start.Add(5*time.Hour + 1)}), []int64{6}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: %v, want %v", what, c.got, c.want)
		}
	}
	if n := len(at(Span{})); n != 600 {
		t.Errorf("all of it: %d", n)
	}
	must(t, act.Release(ctx))
	if l := o.entries(t, ana); l[len(l)-1].Types["Observation"] != 1 {
		t.Errorf("the histories left %+v", l[len(l)-1])
	}
}

// What a record points at in the directory is included: judged as the directory's, and noted there.
func TestIncludesReachTheDirectory(t *testing.T) {
	ctx := context.Background()
	o := newPlace(t).open(t)
	ana, _ := o.people(t)
	o.deliver(t, parse(t, `{"resourceType":"Practitioner","id":"nair","name":[{"family":"Nair"}]}`),
		parse(t, `{"resourceType":"Organization","id":"clinic","name":"Clinic"}`),
		parse(t, `{"resourceType":"Organization","id":"group","name":"Group"}`),
		parse(t, `{"resourceType":"Practitioner","id":"hidden","meta":{"security":[{"code":"R"}]},"name":[{"family":"Secret"}]}`),
		parse(t, `{"resourceType":"PractitionerRole","id":"role","practitioner":{"reference":"Practitioner/nair"},"organization":{"reference":"Organization/clinic"}}`))
	o.deliver(t, parse(t, `{"resourceType":"Organization","id":"clinic","name":"Clinic","partOf":{"reference":"Organization/group"}}`),
		parse(t, `{"resourceType":"Encounter","id":"e","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/ana"},
			"participant":[{"individual":{"reference":"PractitionerRole/role"}},{"individual":{"reference":"Practitioner/hidden"}},{"individual":{"reference":"Practitioner/nobody"}}],
			"serviceProvider":{"reference":"Organization/clinic"}}`))
	query := "_include=Encounter:participant&_include=Encounter:service-provider&_include=Encounter:subject" +
		"&_include:iterate=PractitionerRole:practitioner&_include:iterate=Organization:partof&_revinclude:iterate=Encounter:participant"
	scope := func(s string, labels bool) identity.Who {
		sc, err := identity.ParseScope(s, labels)
		must(t, err)
		return identity.Who{Account: "token:1", Kind: identity.ServiceKind, Name: "Lab", Session: "1", Scope: sc, Purpose: "TREAT"}
	}
	for _, c := range []struct {
		name string
		who  identity.Who
		want []string
	}{
		{"all", scope("system/*.rs", false), []string{"Organization/clinic", "Organization/group", "Patient/ana", "Practitioner/nair", "PractitionerRole/role"}},
		{"labels too", scope("system/*.rs", true), []string{"Organization/clinic", "Organization/group", "Patient/ana", "Practitioner/hidden", "Practitioner/nair", "PractitionerRole/role"}},
		{"no roles, so nobody behind them", scope("system/Encounter.rs system/Organization.rs system/Practitioner.rs", false), []string{"Organization/clinic", "Organization/group"}},
		{"the record only", scope("system/Encounter.rs system/Patient.rs", false), []string{"Patient/ana"}},
		{"nothing else", scope("system/Encounter.rs", true), nil},
	} {
		act := o.Begin(c.who, "api.search")
		ch, err := o.Enter(ctx, act, policy.Page{Name: "api.search", Room: "api", Frame: "api", Type: "Encounter", Does: "search", Chart: ana.Chart})
		must(t, err)
		f, err := ch.Query(ctx, "Encounter", query, 0)
		must(t, err)
		got := refs(f.Included)
		slices.Sort(got)
		if !slices.Equal(got, c.want) || len(f.Hits) != 1 {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		must(t, act.Release(ctx))
		noted := map[string]int{}
		lines, err := o.Audit().Of(ctx, o.Directory(), 0, 1)
		must(t, err)
		if len(lines) > 0 {
			var l struct {
				Name  string
				Types map[string]int
			}
			must(t, json.Unmarshal(lines[0].Plain, &l))
			if l.Name == "Lab" {
				noted = l.Types
			}
		}
		want := map[string]int{}
		for _, ref := range c.want {
			if typ, _, _ := fhir.SplitRef(ref); typ != "Patient" {
				want[typ]++
			}
		}
		if c.name != "the record only" && c.name != "nothing else" && fmt.Sprint(noted) != fmt.Sprint(want) {
			t.Errorf("%s: the directory's log says %v, want %v", c.name, noted, want)
		}
	}
}
