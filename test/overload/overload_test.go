// Package overload offers the program ten times what it can do and looks at what it does then.
//
// It promises: everybody is answered; who is not served is told when to come back (503, Retry-After); results go on longest
// and searches stop first; what was served stands in the audit log, each read once; memory stays bounded; and afterwards
// all is as before. How much work is still done beside the refusals, and how long those served wait, are figures and not
// promises: the load comes from the same processors. The long form is `make overload`; the form in `go test` is short and
// asserts counts and orders only. OVERLOAD_BREAK=1 builds the program with an admission that refuses nobody: then it fails.
package overload

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A kind is a sort of request, how many of a hundred are of it, and what class it should have.
type kind struct {
	name, class string
	share       int
	make        func(p *practice, r *rand.Rand) string // without the user agent and the last line
}

func page(path string) func(*practice, *rand.Rand) string {
	return func(p *practice, r *rand.Rand) string {
		return "GET " + path + " HTTP/1.1\r\nAccept-Language: en\r\nCookie: " + p.sessions[r.IntN(len(p.sessions))] + "\r\n"
	}
}

func call(text func(p *practice) string) func(*practice, *rand.Rand) string {
	return func(p *practice, r *rand.Rand) string {
		head, body, _ := strings.Cut(text(p), "\n")
		s := head + " HTTP/1.1\r\nAuthorization: Bearer " + p.tokens[r.IntN(len(p.tokens))] + "\r\n"
		if body != "" {
			s += "Content-Type: application/fhir+json\r\nPrefer: return=minimal\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\n" + body
		}
		return s
	}
}

var kinds = []kind{
	{"results", "care", 10, page("/results")},
	{"result sent", "care", 5, call(func(p *practice) string {
		return "POST /fhir/Observation\n" + `{"resourceType":"Observation","status":"final","code":{"text":"Load"},"subject":{"reference":"Patient/` + p.patient + `"},"valueInteger":1}`
	})},
	{"sign-in page", "signin", 5, func(*practice, *rand.Rand) string { return "GET /signin HTTP/1.1\r\n" }},
	{"medicines", "page", 15, page("/medicines")},
	{"read", "system", 35, call(func(p *practice) string { return "GET /fhir/Observation/" + p.result })},
	{"search", "bulk", 30, call(func(p *practice) string {
		return "GET /fhir/Observation?patient=" + p.patient + "&category=laboratory&_sort=-date&_count=20"
	})},
}

// request is one of a kind as it goes over the wire.
func (k kind) request(p *practice, r *rand.Rand, phase string) []byte {
	head, body, _ := strings.Cut(k.make(p, r), "\n\n")
	head = strings.TrimSuffix(strings.TrimSuffix(head, "\r"), "\r\n")
	if body == "" {
		head = strings.TrimSuffix(head, "\r\n")
	}
	return []byte(head + "\r\nHost: " + p.addr + "\r\nUser-Agent: " + phase + " " + k.name + "\r\n\r\n" + body)
}

// pick draws a kind by its share.
func pick(r *rand.Rand) int {
	n := r.IntN(100)
	for i, k := range kinds {
		if n -= k.share; n < 0 {
			return i
		}
	}
	return len(kinds) - 1
}

// A phase is what came of all kinds in a stretch of time.
type phase struct {
	name  string
	took  time.Duration
	cpu   time.Duration // that the program used meanwhile
	tally []*tally
}

func newPhase(name string) *phase {
	ph := &phase{name: name}
	for range kinds {
		ph.tally = append(ph.tally, &tally{})
	}
	return ph
}

// from is one of a few addresses of this computer: the load comes from many clients.
func from(i int) string { return fmt.Sprintf("127.0.1.%d", 1+i%32) }

// closed has so many connections ask one thing after the other: what the program can do.
func (p *practice) closed(ph *phase, conns int, during time.Duration, only int, seed uint64) {
	lines := p.connect(conns)
	var wg sync.WaitGroup
	start, cpu := time.Now(), p.cpu()
	for i, x := range lines {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			defer x.close()
			for time.Since(start) < during {
				k := only
				if k < 0 {
					k = pick(r)
				}
				req := kinds[k].request(p, r, ph.name)
				begun := time.Now()
				g, err := x.do(req)
				ph.tally[k].count(g, err, time.Since(begun))
			}
		})
	}
	wg.Wait()
	ph.took, ph.cpu = time.Since(start), p.cpu()-cpu
}

// connect opens connections, a few at a time: what is measured begins when they are there.
func (p *practice) connect(n int) []*raw {
	lines := make([]*raw, n)
	var wg sync.WaitGroup
	for k := range 4 {
		wg.Go(func() {
			for i := k; i < n; i += 4 {
				lines[i] = &raw{addr: p.addr, from: from(i)}
				for try := 0; lines[i].dial() != nil; try++ {
					if try == 20 {
						p.t.Error("no connection after 20 tries")
						return
					}
					time.Sleep(100 * time.Millisecond)
				}
			}
		})
	}
	wg.Wait()
	return lines
}

// open offers so many requests a second, whether those before are answered or not. A connection that cannot keep up is
// behind, and what it then leaves out was not offered: the report says how much was.
func (p *practice) open(ph *phase, rate float64, conns int, during time.Duration, seed uint64) {
	lines := p.connect(conns)
	var wg sync.WaitGroup
	every := time.Duration(float64(conns) / rate * float64(time.Second))
	start, cpu := time.Now(), p.cpu()
	for i, x := range lines {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, 1000+uint64(i)))
			defer x.close()
			due := start.Add(time.Duration(r.Int64N(int64(every) + 1)))
			for due.Sub(start) < during {
				time.Sleep(time.Until(due))
				k := pick(r)
				req := kinds[k].request(p, r, ph.name)
				begun := time.Now()
				g, err := x.do(req)
				ph.tally[k].count(g, err, time.Since(begun))
				if due = due.Add(every); time.Since(due) > 0 {
					due = time.Now()
				}
			}
		})
	}
	wg.Wait()
	ph.took, ph.cpu = time.Since(start), p.cpu()-cpu
}

// sum counts a phase.
func (ph *phase) sum() (sent, done, shed, wrong int, took []time.Duration) {
	for _, t := range ph.tally {
		sent, done, shed = sent+t.sent, done+t.done, shed+t.shed
		for _, n := range t.wrong {
			wrong += n
		}
		took = append(took, t.took...)
	}
	slices.Sort(took)
	return
}

func p99(d []time.Duration) time.Duration {
	if len(d) == 0 {
		return 0
	}
	return d[len(d)*99/100]
}

// work is what a phase did, each kind counted by the time it takes alone.
func (ph *phase) work(alone []time.Duration) (all time.Duration) {
	for i, t := range ph.tally {
		all += time.Duration(t.done) * alone[i]
	}
	return all
}

// goodput is the work done in the overload against that at capacity: by the clock, and by the processor time the program
// got. The second leaves out what the load and its neighbours took from the program.
func goodput(over, capacity *phase, alone []time.Duration) (clock, cpu float64) {
	by := func(of func(*phase) time.Duration) float64 {
		return over.work(alone).Seconds() / of(over).Seconds() / (capacity.work(alone).Seconds() / of(capacity).Seconds())
	}
	return by(func(ph *phase) time.Duration { return ph.took }), by(func(ph *phase) time.Duration { return max(ph.cpu, 1) })
}

func seconds(t *testing.T, name string, otherwise float64) time.Duration {
	s := os.Getenv(name)
	if s == "" {
		return time.Duration(otherwise * float64(time.Second))
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || n <= 0 {
		t.Fatalf("%s=%q is no number of seconds", name, s)
	}
	return time.Duration(n * float64(time.Second))
}

func TestOverload(t *testing.T) {
	during, measure := seconds(t, "OVERLOAD_SECONDS", 3), seconds(t, "OVERLOAD_MEASURE", 1)
	seed := uint64(seconds(t, "OVERLOAD_SEED", 1) / time.Second)
	p := open(t)
	alone := make([]time.Duration, len(kinds))
	for i := range kinds {
		ph := newPhase("alone")
		p.closed(ph, 1, measure/4, i, seed)
		if took := ph.tally[i].took; len(took) > 0 {
			slices.Sort(took)
			alone[i] = took[len(took)/2]
		} else {
			t.Fatalf("seed %d: %s is never served: %v", seed, kinds[i].name, ph.tally[i].wrong)
		}
	}
	p.closed(newPhase("warm"), 32, measure, -1, seed)
	capacity := newPhase("capacity")
	p.closed(capacity, 32, measure*2, -1, seed)
	_, done, _, _, normal := capacity.sum()
	rate := float64(done) / capacity.took.Seconds()
	before := p.memory()
	over := newPhase("overload")
	p.open(over, 10*rate, 400, during, seed)
	recovery := p.recovers(seed)
	after := p.memory()
	p.report(capacity, over, alone, rate, normal, before, after, recovery)
	p.stop()
	p.check(over, seed, after-before)
}

// recovers asks for one of each kind until all are served, and says how long that took.
func (p *practice) recovers(seed uint64) time.Duration {
	start := time.Now()
	r := rand.New(rand.NewPCG(seed, 9))
	x := &raw{addr: p.addr, from: "127.0.2.1"}
	defer x.close()
	for good := 0; good < 3*len(kinds) && time.Since(start) < time.Minute; {
		if g, err := x.do(kinds[good%len(kinds)].request(p, r, "after")); err == nil && g.status < 300 {
			good++
		} else {
			good = 0
			time.Sleep(20 * time.Millisecond)
		}
	}
	return time.Since(start)
}

func (p *practice) report(capacity, over *phase, alone []time.Duration, rate float64, normal []time.Duration, before, after int, recovery time.Duration) {
	sent, done, shed, wrong, took := over.sum()
	offered := float64(sent) / over.took.Seconds()
	p.t.Logf("capacity %.0f requests/s (32 connections, p99 %v); offered %.0f/s (%.1f times) for %.0f s", rate, p99(normal).Round(time.Microsecond), offered, offered/rate, over.took.Seconds())
	clock, cpu := goodput(over, capacity, alone)
	p.t.Logf("served %d, shed with Retry-After %d (%.1f %%), neither %d; p99 of those served %.2f times (goal 2)",
		done, shed, 100*float64(shed)/float64(max(1, sent)), wrong, float64(p99(took))/float64(max(1, p99(normal))))
	p.t.Logf("goodput %.2f of capacity by the clock (goal 0.90), %.2f by the program's processor time; it had %.2f processors at capacity, %.2f in the overload",
		clock, cpu, capacity.cpu.Seconds()/capacity.took.Seconds(), over.cpu.Seconds()/over.took.Seconds())
	for i, k := range kinds {
		x := over.tally[i]
		slices.Sort(x.took)
		p.t.Logf("  %-12s %-6s alone %8v: sent %7d, served %7d, shed %5.1f %%, p99 %v", k.name, k.class, alone[i].Round(time.Microsecond), x.sent, x.done, 100*float64(x.shed)/float64(max(1, x.sent)), p99(x.took).Round(time.Microsecond))
		for what, n := range x.wrong {
			p.t.Logf("    %d: %s", n, what)
		}
	}
	p.t.Logf("memory at most %d MiB before, %d MiB with the overload; all served again after %v", before, after, recovery.Round(time.Millisecond))
}

// check asserts counts and orders: nothing that depends on how fast this machine is now.
func (p *practice) check(over *phase, seed uint64, memory int) {
	t := p.t
	byClass := map[string]*tally{}
	for i, k := range kinds {
		x := over.tally[i]
		if len(x.wrong) > 0 {
			t.Errorf("seed %d: %s: neither served nor told when to come back: %v", seed, k.name, x.wrong)
		}
		if byClass[k.class] == nil {
			byClass[k.class] = &tally{}
		}
		byClass[k.class].sent += x.sent
		byClass[k.class].shed += x.shed
		byClass[k.class].done += x.done
	}
	share := func(class string) float64 { return float64(byClass[class].shed) / float64(max(1, byClass[class].sent)) }
	if share("bulk") == 0 {
		t.Errorf("seed %d: nothing was shed: no admission", seed)
	}
	for _, pair := range [][2]string{{"care", "page"}, {"page", "bulk"}, {"care", "system"}, {"system", "bulk"}, {"signin", "bulk"}} {
		if share(pair[0]) > share(pair[1])+0.05 {
			t.Errorf("seed %d: %s is shed more (%.3f) than %s (%.3f)", seed, pair[0], share(pair[0]), pair[1], share(pair[1]))
		}
	}
	for class, x := range byClass {
		if x.done == 0 && over.took > 20*time.Second { // in a short run the last class may have had no turn
			t.Errorf("seed %d: %s stood still", seed, class)
		}
	}
	if memory > 256 {
		t.Errorf("seed %d: the overload took %d MiB of memory", seed, memory)
	}
	traces := p.traces()
	for i, k := range kinds {
		if k.class == "signin" {
			continue
		}
		if got := traces[over.name+" "+k.name]; got < over.tally[i].done {
			t.Errorf("seed %d: %s: %d served, %d entries in the log", seed, k.name, over.tally[i].done, got)
		}
	}
}
