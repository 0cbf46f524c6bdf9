package rig

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Load is a group of people and systems at work on one practice.
type Load struct {
	P *Practice
	*Ledger

	patients []*Person
	doctor   *Person
	things   [2]thing // what each of the two systems changes again and again
	shared   string   // path of what both change
	rotate   bool
}

// sharedMark stands in the resource whose version counts increments that were acknowledged to either system.
const sharedMark = "the number that two systems raise"

// A thing is a resource that one system has to itself, in one of the states that it may be in.
type thing struct {
	path   string // "" while there is none
	states []state
}

type state struct {
	version int64
	mark    string
	gone    bool
}

// NewLoad signs everybody in and makes what is shared. The program must run, and nothing may fail yet.
func NewLoad(p *Practice, name string) (*Load, error) {
	l := &Load{P: p, Ledger: NewLedger(name)}
	for i := range 2 {
		who := p.Person()
		if err := who.SignIn(p.Patients[i]); err != nil {
			return nil, err
		}
		l.patients = append(l.patients, who)
	}
	l.doctor = p.Person()
	if err := l.doctor.SignInStaff(p.Clinician); err != nil {
		return nil, err
	}
	if err := l.doctor.Settle(); err != nil {
		return nil, err
	}
	for _, pat := range p.Patients {
		if err := l.doctor.Open(pat.Public); err != nil {
			return nil, err
		}
	}
	a, err := p.FHIR(p.Token, "make", "POST", "/AllergyIntolerance", allergy(p.Patients[0].ID, "", sharedMark))
	if err := must(201, "make the shared resource")(a, err); err != nil {
		return nil, err
	}
	l.shared, _, _ = strings.Cut(below(a.Header.Get("Location")), "/_history")
	return l, nil
}

// Rotating lets the root key be changed now and then, too.
func (l *Load) Rotating() { l.rotate = true }

// Move goes on with the same people at the same practice elsewhere.
func (l *Load) Move(p *Practice) {
	l.P = p
	for _, who := range append([]*Person{l.doctor}, l.patients...) {
		who.p = p
	}
	for k, s := range l.sessions {
		s.person.p = p
		l.sessions[k] = s
	}
}

// Run lets everybody work until the program is gone or stop says so. Each answer is counted.
func (l *Load) Run(seed uint64, answered func(), stop <-chan struct{}) {
	var wg sync.WaitGroup
	for i, work := range []func(*rand.Rand) bool{
		func(r *rand.Rand) bool { return l.page(0, r) },
		func(r *rand.Rand) bool { return l.page(1, r) },
		l.comment,
		func(r *rand.Rand) bool { return l.system(0, r) },
		func(r *rand.Rand) bool { return l.system(1, r) },
		l.office,
	} {
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		wg.Go(func() {
			for work(rng) {
				answered()
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	wg.Wait()
}

// Step does one thing of each kind, one after the other: a flow whose every step is known. It says how many were answered.
func (l *Load) Step(seed uint64) (answered int) {
	rng := rand.New(rand.NewPCG(seed, 9))
	for _, work := range []func(*rand.Rand) bool{
		func(r *rand.Rand) bool { return l.page(0, r) }, l.comment, l.create0, l.transactAcross, l.file, l.patientRead,
		func(r *rand.Rand) bool { return l.change(0, r) }, func(r *rand.Rand) bool { return l.change(0, r) }, l.raise, l.staffComes, l.tokenComes,
	} {
		if work(rng) {
			answered++
		}
	}
	return answered
}

var pages = []string{"/", "/results", "/medicines", "/record", "/timeline", "/visits", "/vaccines"}

func (l *Load) page(i int, rng *rand.Rand) bool {
	agent, path := l.mark(), pages[rng.IntN(len(pages))]
	a, err := l.patients[i].Get(path, agent)
	l.expect("GET "+path, a, 200, 503)
	return l.read(agent, "GET "+path, a, err)
}

// expect notes an answer that is none of those that may come. No answer may always come.
func (l *Ledger) expect(what string, a Answer, may ...int) {
	if a.Status == 0 || l.tolerant && a.Status >= 500 {
		return
	}
	for _, m := range may {
		if a.Status == m {
			if m == 503 && a.Header.Get("Retry-After") == "" {
				l.problem("%s answers 503 without Retry-After", what)
			}
			return
		}
	}
	l.problem("%s answers %d: %.300s", what, a.Status, a.Body)
}

func (l *Load) comment(rng *rand.Rand) bool {
	p := l.P.Patients[rng.IntN(len(l.P.Patients))]
	mark, result := l.mark(), p.Results[rng.IntN(len(p.Results))]
	path := "/desk/" + p.Public + "/results/" + result
	text := strings.TrimSpace("Note " + mark + ". " + strings.Repeat("Keep well. ", rng.IntN(8)))
	a, err := l.doctor.Post(path+"/comments", l.mark(), url.Values{"text": {text}})
	l.expect("comment", a, 303, 503)
	return l.wrote(write{kind: "comment", marks: []string{mark}, at: []place{{path, true}}}, a, err)
}

func (l *Load) create0(rng *rand.Rand) bool { return l.create(rng) }

// system is another computer that reads and writes.
func (l *Load) system(i int, rng *rand.Rand) bool {
	switch n := rng.IntN(20); {
	case n < 4:
		return l.patientRead(rng)
	case n < 7:
		return l.create(rng)
	case n < 9:
		return l.transact(rng)
	case n < 11:
		return l.transactAcross(rng)
	case n < 12:
		return l.file(rng)
	case n < 16:
		return l.change(i, rng)
	default:
		return l.raise(rng)
	}
}

func (l *Load) patientRead(rng *rand.Rand) bool {
	p := l.P.Patients[rng.IntN(len(l.P.Patients))]
	path := []string{"/Patient/" + p.ID, "/Observation?patient=" + p.ID + "&category=laboratory&_sort=-date&_count=10",
		"/Patient/" + p.ID + "/$everything", "/Observation/" + p.Results[0] + "/_history", "/Observation/" + p.Results[0] + "/_history/1"}[rng.IntN(5)]
	agent := l.mark()
	a, err := l.P.FHIR(l.P.Token, agent, "GET", path, "")
	l.expect("GET "+path, a, 200, 503)
	return l.read(agent, "GET "+path, a, err)
}

func observation(patient, mark string) string {
	return `{"resourceType":"Observation","status":"final","code":{"text":"` + mark + `"},"subject":{"reference":"Patient/` + patient + `"}}`
}

func allergy(patient, id, text string) string {
	if id != "" {
		id = `"id":"` + id + `",`
	}
	return `{"resourceType":"AllergyIntolerance",` + id + `"code":{"text":"` + text + `"},"patient":{"reference":"Patient/` + patient + `"}}`
}

func (l *Load) create(rng *rand.Rand) bool {
	mark := l.mark()
	a, err := l.P.FHIR(l.P.Token, l.mark(), "POST", "/Observation", observation(l.P.Patients[rng.IntN(3)].ID, mark))
	l.expect("create", a, 201, 409, 503)
	return l.wrote(write{kind: "create", marks: []string{mark}, at: []place{{path: below(a.Header.Get("Location"))}}}, a, err)
}

// bundle posts resources as one transaction.
func (l *Load) bundle(kind string, marks []string, resources []string) bool {
	var b strings.Builder
	b.WriteString(`{"resourceType":"Bundle","type":"transaction","entry":[`)
	for i, r := range resources {
		if i > 0 {
			b.WriteByte(',')
		}
		var t struct{ ResourceType string }
		json.Unmarshal([]byte(r), &t)
		fmt.Fprintf(&b, `{"fullUrl":"urn:uuid:00000000-0000-4000-8000-%012d","resource":%s,"request":{"method":"POST","url":"%s"}}`, i, r, t.ResourceType)
	}
	b.WriteString(`]}`)
	a, err := l.P.FHIR(l.P.Token, l.mark(), "POST", "", b.String())
	l.expect(kind, a, 200, 409, 503)
	w := write{kind: kind, marks: marks}
	var reply struct {
		Entry []struct{ Response struct{ Location string } }
	}
	if a.Status == 200 && err == nil && json.Unmarshal([]byte(a.Body), &reply) == nil {
		for _, e := range reply.Entry {
			path := e.Response.Location
			if strings.Contains(path, "/fhir") {
				path = below(path)
			} else {
				path = "/" + strings.TrimPrefix(path, "/")
			}
			w.at = append(w.at, place{path: path})
		}
	}
	return l.wrote(w, a, err)
}

func (l *Load) transact(rng *rand.Rand) bool {
	var marks, rs []string
	p := l.P.Patients[rng.IntN(3)]
	for range 2 + rng.IntN(24) {
		m := l.mark()
		marks, rs = append(marks, m), append(rs, observation(p.ID, m))
	}
	return l.bundle("transaction", marks, rs)
}

// transactAcross writes to several records at once.
func (l *Load) transactAcross(rng *rand.Rand) bool {
	var marks, rs []string
	for _, p := range l.P.Patients {
		for range 1 + rng.IntN(2) {
			m := l.mark()
			marks, rs = append(marks, m), append(rs, observation(p.ID, m))
		}
	}
	return l.bundle("transaction across records", marks, rs)
}

// file stores a document, mostly of one chunk and now and then of several.
func (l *Load) file(rng *rand.Rand) bool {
	mark, size := l.mark(), 500+rng.IntN(8000)
	if rng.IntN(6) == 0 {
		size = 200_000 + rng.IntN(100_000)
	}
	data := base64.StdEncoding.EncodeToString([]byte(strings.Repeat(mark, size/len(mark)+1)))
	p := l.P.Patients[rng.IntN(3)]
	return l.bundle("file", []string{mark}, []string{
		`{"resourceType":"DocumentReference","status":"current","description":"` + mark + `","subject":{"reference":"Patient/` + p.ID +
			`"},"content":[{"attachment":{"contentType":"text/plain","url":"urn:uuid:00000000-0000-4000-8000-000000000001"}}]}`,
		`{"resourceType":"Binary","contentType":"text/plain","securityContext":{"reference":"Patient/` + p.ID + `"},"data":"` + data + `"}`,
	})
}

// change makes, changes and deletes one thing of its own, each time from the version it knows.
func (l *Load) change(i int, rng *rand.Rand) bool {
	t := &l.things[i]
	if t.path == "" {
		mark := l.mark()
		a, err := l.P.FHIR(l.P.Token, l.mark(), "POST", "/AllergyIntolerance", allergy(l.P.Patients[i].ID, "", mark))
		l.expect("create", a, 201, 409, 503)
		if a.Status == 201 {
			t.path, _, _ = strings.Cut(below(a.Header.Get("Location")), "/_history")
			t.states = []state{{1, mark, false}}
		}
		return l.wrote(write{kind: "create", marks: []string{mark}, at: []place{{path: below(a.Header.Get("Location"))}}}, a, err)
	}
	if len(t.states) > 1 { // look which it is
		return l.resolve(t)
	}
	now := t.states[0]
	match := []string{"If-Match", fmt.Sprintf(`W/"%d"`, now.version)}
	if rng.IntN(6) == 0 {
		a, err := l.P.FHIR(l.P.Token, l.mark(), "DELETE", t.path, "", match...)
		l.expect("delete", a, 204, 409, 503)
		return l.gone(t, now, a, err)
	}
	mark := l.mark()
	id := t.path[strings.LastIndexByte(t.path, '/')+1:]
	a, err := l.P.FHIR(l.P.Token, l.mark(), "PUT", t.path, allergy(l.P.Patients[i].ID, id, mark), match...)
	l.expect("update", a, 200, 409, 503)
	next := state{now.version + 1, mark, false}
	switch {
	case a.Status == 200:
		t.states = []state{next}
	case a.Status == 0 || a.Status >= 500:
		t.states = append(t.states, next)
	}
	return l.wrote(write{kind: "update", marks: []string{mark}, at: []place{{path: t.path + "/_history/" + strconv.FormatInt(next.version, 10)}}}, a, err)
}

func (l *Load) gone(t *thing, now state, a Answer, err error) bool {
	ref := strings.TrimPrefix(t.path, "/")
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case a.Status == 204:
		l.deleted[ref] = acked
		*t = thing{}
	case a.Status >= 500:
		l.sheds++
		fallthrough
	case a.Status == 0:
		t.states = append(t.states, state{now.version + 1, "", true})
	}
	return err == nil
}

// resolve looks up what became of a change whose answer never came.
func (l *Load) resolve(t *thing) bool {
	agent := l.mark()
	a, err := l.P.FHIR(l.P.Token, agent, "GET", t.path, "")
	l.expect("look up", a, 200, 404, 410, 503)
	l.read(agent, "GET "+t.path, a, err)
	if a.Status >= 500 || err != nil {
		return err == nil
	}
	for _, s := range t.states {
		if s.gone && a.Status != 200 {
			*t = thing{}
			return true
		}
		if !s.gone && a.Status == 200 && a.Version() == s.version && strings.Contains(a.Body, s.mark) {
			t.states = []state{s}
			return true
		}
	}
	l.problem("%s is in none of its possible states: %d, version %d: %.200s; may be %v", t.path, a.Status, a.Version(), a.Body, t.states)
	*t = thing{}
	return true
}

// raise reads the shared number and raises it, if nobody else did in between.
func (l *Load) raise(*rand.Rand) bool {
	agent := l.mark()
	a, err := l.P.FHIR(l.P.Token, agent, "GET", l.shared, "")
	l.expect("GET the shared number", a, 200, 503)
	if l.read(agent, "GET "+l.shared, a, err); a.Status != 200 || err != nil {
		return err == nil
	}
	id := l.shared[strings.LastIndexByte(l.shared, '/')+1:]
	l.mu.Lock()
	l.sharedTries++
	l.mu.Unlock()
	a, err = l.P.FHIR(l.P.Token, l.mark(), "PUT", l.shared, allergy(l.P.Patients[0].ID, id, sharedMark+" "+l.mark()), "If-Match", fmt.Sprintf(`W/"%d"`, a.Version()))
	l.expect("raise", a, 200, 409, 412, 503)
	l.mu.Lock()
	defer l.mu.Unlock()
	if a.Status == 200 {
		l.sharedAcks++
	}
	return err == nil
}

// office is what happens seldom: staff come and go, tokens are made and ended, the key is changed.
func (l *Load) office(rng *rand.Rand) bool {
	switch n := rng.IntN(12); {
	case n < 3:
		return l.staffComes(rng)
	case n < 5:
		return l.tokenComes(rng)
	case n == 5 && l.rotate && rng.IntN(4) == 0:
		a, err := l.P.control("/key/rotate", `{"destroyOld":true}`)
		l.expect("key rotate", a, 200, 409)
		return err == nil
	}
	time.Sleep(time.Duration(rng.IntN(10)) * time.Millisecond)
	return l.patientRead(rng)
}

// staffComes signs somebody in, or out who was in; what was in doubt is looked up first.
func (l *Load) staffComes(*rand.Rand) bool {
	l.mu.Lock()
	s, there := l.sessions["nurse"]
	l.mu.Unlock()
	keep := func(s session) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.sessions["nurse"] = s
	}
	if !there || !s.alive && s.sure {
		s = session{person: l.P.Person()}
		err := s.person.SignInStaff(l.P.Nurse)
		if err != nil {
			return !strings.Contains(err.Error(), "answers") // cut off, or refused
		}
		keep(session{s.person, true, true})
		return s.person.Settle() == nil
	}
	a, err := s.person.Get("/desk", l.mark())
	if err != nil || a.Status >= 500 {
		return err == nil
	}
	if in := a.Status == 200; s.sure && in != s.alive {
		l.problem("a session that was %s answers %d", map[bool]string{true: "begun", false: "ended"}[s.alive], a.Status)
	} else if !in {
		keep(session{s.person, false, true})
		return true
	}
	keep(session{s.person, true, false}) // from here on it may have ended
	ended := s.person.twin()
	a, err = s.person.Post("/signout", l.mark(), url.Values{})
	l.expect("sign out", a, 303, 503)
	if a.Status == 303 {
		if b, err := ended.Get("/desk", l.mark()); err == nil && b.Status == 200 {
			l.problem("a session that was ended still answers")
		}
		keep(session{ended, false, true})
	}
	return err == nil
}

// tokenComes makes a token and ends it.
func (l *Load) tokenComes(*rand.Rand) bool {
	l.mu.Lock()
	t, token := tokenState{}, ""
	for k, v := range l.tokens {
		t, token = v, k
	}
	l.mu.Unlock()
	if token == "" {
		a, err := l.P.control("/token/make", `{"name":"Other","scope":"system/*.rs","purpose":"TREAT","rate":0,"labels":false,"hours":200}`)
		l.expect("token make", a, 200, 409)
		var made struct{ ID, Token string }
		if a.Status == 200 && err == nil && json.Unmarshal([]byte(a.Body), &made) == nil {
			l.mu.Lock()
			l.tokens[made.Token] = tokenState{made.ID, true, true}
			l.mu.Unlock()
		}
		return err == nil
	}
	agent := l.mark()
	a, err := l.P.FHIR(token, agent, "GET", "/Patient/"+l.P.Patients[0].ID, "")
	if l.read(agent, "GET by a new token", a, err); err != nil || a.Status >= 500 {
		return err == nil
	}
	if in := a.Status == 200; t.sure && in != t.alive {
		l.problem("a token that was %s answers %d", map[bool]string{true: "made", false: "ended"}[t.alive], a.Status)
	}
	if a.Status != 200 {
		l.mu.Lock()
		delete(l.tokens, token)
		l.mu.Unlock()
		return true
	}
	a, err = l.P.control("/token/revoke", `{"id":"`+t.id+`"}`)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tokens[token] = tokenState{t.id, a.Status != 200, a.Status == 200}
	return err == nil
}

// Recheck reads, through the program, what was acknowledged since the last time, at most limit of it.
func (l *Load) Recheck(limit int) error {
	for mark, at := range l.Fresh() {
		if limit--; limit < 0 {
			return nil
		}
		agent := l.mark()
		var a Answer
		var err error
		if at.page {
			a, err = l.doctor.Get(at.path, agent)
		} else {
			a, err = l.P.FHIR(l.P.Token, agent, "GET", at.path, "")
			if (a.Status == 404 || a.Status == 410) && l.mayBeGone(at.path) {
				continue
			}
		}
		if err != nil {
			return fmt.Errorf("look for %s: %w", mark, err)
		}
		l.read(agent, "GET "+at.path, a, err)
		if a.Status != 200 || !strings.Contains(a.Body, mark) {
			l.problem("acknowledged and not to be seen: %s at %s: %d", mark, at.path, a.Status)
		}
	}
	return nil
}

// mayBeGone says whether what stands at path was deleted, or may have been.
func (l *Load) mayBeGone(path string) bool {
	path, _, _ = strings.Cut(path, "/_history")
	for _, t := range l.things {
		if t.path == path && len(t.states) > 1 {
			return true
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, gone := l.deleted[strings.TrimPrefix(path, "/")]
	return gone
}
