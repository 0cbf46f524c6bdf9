package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wellgate/wellgate/internal/durable"
)

// BenchmarkDoors measures both doors over real loopback connections that are kept open: plain HTTP, signed in, audited,
// each answer durable before it leaves. Beside each row a bare net/http handler sends as many bytes in the same run, a
// second before. The server has GOMAXPROCS of 1, the client is another process with the same; "cpu" is the server's
// processor time for one request, the kernel's part included.
//
// `make bench` prints the table. BENCH_SECONDS is how long each row runs, BENCH_ROWS (part of a name, $ for its end) which.
func BenchmarkDoors(b *testing.B) {
	seconds := max(envNumber("BENCH_SECONDS", 2), 1)
	w := newWorld(b)
	amina := w.as("amina")
	token := w.token("system/*.rs", false)
	id := w.patientID("amina")
	one := "/results/" + w.first("amina", "Observation", "code=http://loinc.org|4548-4&_sort=-date")
	stopClock := w.run()
	defer stopClock()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	w.must(err)
	srv := &http.Server{Handler: w.both, ConnContext: durable.ConnContext, ReadHeaderTimeout: 5 * time.Second}
	go srv.Serve(w.h.hold(l))
	defer srv.Close()
	service := []string{"Authorization: Bearer " + token, "Accept: application/fhir+json"}
	var cookies []string
	for k, v := range amina.cookies {
		cookies = append(cookies, k+"="+v)
	}
	person := []string{"Cookie: " + strings.Join(cookies, "; "), "Accept-Encoding: br", "Sec-Fetch-Mode: navigate"}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	fmt.Printf("\naudit: %s%s; GOMAXPROCS 1 and 1; %d s a row\n", w.h.db.Dialect(), map[bool]string{true: ", file of reads: " + w.h.charts.Audit().Writes()}[w.h.charts.Audit().Writes() != ""], seconds)
	fmt.Printf("%-34s %5s %9s %8s %6s %8s %8s %8s %8s %8s\n", "answer", "conns", "bytes", "req/s", "share", "p50 ms", "bare p50", "p95 ms", "cpu µs", "bare cpu")
	for _, r := range []struct {
		path   string
		header []string
		conns  []int
	}{
		{"/fhir/Patient/" + id, service, []int{4, 32, 128}},
		{"/fhir/Observation?patient=" + id + "&category=laboratory&_sort=-date&_count=50", service, []int{4, 16, 32, 128}},
		{"/fhir/Patient/" + id + "/$everything", service, []int{4, 16}},
		{"/help", person, []int{4, 32}},
		{"/", person, []int{4, 32}},
		{"/results", person, []int{4, 32}},
		{one, person, []int{4, 32}},
		{"/medicines", person, []int{4, 32}},
		{"/timeline", person, []int{4, 32}},
		{"/looked", person, []int{4}},
	} {
		name := strings.NewReplacer("?patient="+id+"&category=laboratory&_sort=-date&_count=50", " (newest 50)", id, "id", one, "/results/one").Replace(r.path)
		if !strings.Contains(name+"$", os.Getenv("BENCH_ROWS")) {
			continue
		}
		for _, conns := range r.conns {
			ask := request(r.path, testHost, r.header)
			one := load(b, l.Addr().String(), ask, 1, 100*time.Millisecond) // warm, and its size
			bareAddr, stop := listenOn(b, bare(one.Bytes))
			plain := load(b, bareAddr, request("/", testHost, nil), conns, time.Second)
			stop()
			got := load(b, l.Addr().String(), ask, conns, time.Duration(seconds)*time.Second)
			fmt.Printf("%-34s %5d %9d %8.0f %6.2f %8.3f %8.3f %8.3f %8.1f %8.1f\n", name, conns, one.Bytes, got.Rate, got.Rate/plain.Rate, got.P50, plain.P50, got.P95, got.CPU, plain.CPU)
		}
	}
}

// run lets the world's clock go, as a real one does.
func (w *world) run() (stop func()) {
	tick, end := time.NewTicker(10*time.Millisecond), make(chan struct{})
	go func() {
		for {
			select {
			case <-tick.C:
				w.pass(10 * time.Millisecond)
			case <-end:
				tick.Stop()
				return
			}
		}
	}()
	return func() { close(end) }
}

// bare is a handler that sends n bytes and does nothing else.
func bare(n int) http.Handler {
	body := bytes.Repeat([]byte("x"), n)
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = []string{"text/plain"}
		w.Header()["Content-Length"] = []string{strconv.Itoa(n)}
		w.Write(body)
	})
}

func request(path, host string, header []string) string {
	return "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\n" + strings.Join(append(header, ""), "\r\n") + "\r\n"
}

// A loaded is what a load found: requests a second, milliseconds, bytes of a body, and microseconds of this process's
// processor time for one request.
type loaded struct {
	N                   int
	Rate, P50, P95, CPU float64
	Bytes               int
}

const loaderEnv = "WELLGATE_LOADER"

// load lets another process ask on conns connections at once, again and again.
func load(b *testing.B, addr, ask string, conns int, long time.Duration) loaded {
	b.Helper()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestLoader$")
	cmd.Env = append(os.Environ(), loaderEnv+"="+fmt.Sprintf("%s %d %d", addr, conns, long.Milliseconds()), "GOMAXPROCS=1")
	cmd.Stdin = strings.NewReader(ask)
	before := processorTime()
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	used := processorTime() - before
	var got loaded
	_, line, _ := strings.Cut(string(out), "loaded ")
	if line, _, _ = strings.Cut(line, "\n"); err != nil || json.Unmarshal([]byte(line), &got) != nil || got.N == 0 {
		b.Fatalf("load: %v\n%s", err, out)
	}
	got.CPU = float64(used.Microseconds()) / float64(got.N)
	return got
}

func processorTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestLoader is the other process of load.
func TestLoader(t *testing.T) {
	var addr string
	var conns, ms int
	if n, _ := fmt.Sscan(os.Getenv(loaderEnv), &addr, &conns, &ms); n != 3 {
		t.Skip("the client of BenchmarkDoors")
	}
	ask, err := io.ReadAll(os.Stdin)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var took []float64
	var out loaded
	var work sync.WaitGroup
	begun := time.Now()
	for range conns {
		work.Go(func() {
			mine, size, err := askAgain(addr, ask, begun.Add(time.Duration(ms)*time.Millisecond))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
			}
			took, out.Bytes = append(took, mine...), size
		})
	}
	work.Wait()
	slices.Sort(took)
	out.N, out.Rate = len(took), float64(len(took))/time.Since(begun).Seconds()
	out.P50, out.P95 = took[len(took)/2], took[len(took)*95/100]
	b, err := json.Marshal(out)
	fmt.Printf("loaded %s\n", b)
	if err != nil {
		t.Error(err)
	}
}

// askAgain sends ask over one connection until the end, and gives the milliseconds that each answer took.
func askAgain(addr string, ask []byte, end time.Time) (took []float64, size int, err error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, 0, err
	}
	defer c.Close()
	in := bufio.NewReaderSize(c, 64<<10)
	for time.Now().Before(end) {
		sent := time.Now()
		if _, err := c.Write(ask); err != nil {
			return nil, 0, err
		}
		if size, err = skipAnswer(in); err != nil {
			return nil, 0, err
		}
		took = append(took, float64(time.Since(sent))/1e6)
	}
	return took, size, nil
}

// skipAnswer reads one answer of status 200, with a length or in chunks, and gives the size of its body.
func skipAnswer(in *bufio.Reader) (int, error) {
	size, chunks := -1, false
	for first := true; ; first = false {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		switch {
		case first && !bytes.HasPrefix(line, []byte("HTTP/1.1 200")):
			return 0, fmt.Errorf("answer: %s", line)
		case len(line) == 2 && !chunks:
			_, err := in.Discard(size)
			return size, err
		case len(line) == 2:
			return skipChunks(in)
		case bytes.HasPrefix(line, []byte("Content-Length: ")):
			if size, err = strconv.Atoi(string(bytes.TrimSpace(line[16:]))); err != nil {
				return 0, err
			}
		case bytes.HasPrefix(line, []byte("Transfer-Encoding: chunked")):
			chunks = true
		}
	}
}

func skipChunks(in *bufio.Reader) (size int, err error) {
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		n, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 64)
		if err != nil {
			return 0, err
		}
		if _, err := in.Discard(int(n) + 2); err != nil || n == 0 {
			return size, err
		}
		size += int(n)
	}
}

func listenOn(b *testing.B, h http.Handler) (addr string, stop func()) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: time.Second}
	go srv.Serve(l)
	return l.Addr().String(), func() { srv.Close() }
}
