package durable

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

const childEnv = "WELLGATE_DURABLE_CHILD"

// child is a server to be killed: each request's id is a record, and its answer waits for it. "broken" forgets to hold.
func child() {
	how, dir, _ := strings.Cut(os.Getenv(childEnv), ":")
	l, _, err := Open(Config{Dir: dir, Key: testKey, SegmentSize: 2 << 20, Segments: 64})
	if err != nil {
		panic(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	srv := &http.Server{ConnContext: ConnContext, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.URL.Path[1:]
		n, err := l.Append([]byte(id))
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		if how != "broken" {
			Hold(r.Context(), n)
		}
		io.WriteString(w, id)
	})}
	fmt.Println(ln.Addr())
	srv.Serve(NewBarrier(l.Mark()).Listen(ln))
}

// crash runs the child under 32 clients, kills it, and counts ids that a client had received and the log has not.
func crash(t *testing.T, how string, round int) (received, missing int) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+how+":"+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	ids := make([][]string, 32)
	for i := range ids {
		wg.Go(func() {
			c, err := net.Dial("tcp", strings.TrimSpace(addr))
			if err != nil {
				return
			}
			defer c.Close()
			r := bufio.NewReader(c)
			for k := 0; ; k++ {
				id := fmt.Sprintf("%d-%d-%d", round, i, k)
				if _, err := fmt.Fprintf(c, "GET /%s HTTP/1.1\r\nHost: a\r\n\r\n", id); err != nil {
					return
				}
				if _, err := r.Peek(1); err != nil { // the first byte counts: it says that the record is there
					return
				}
				ids[i] = append(ids[i], id)
				res, err := http.ReadResponse(r, nil)
				if err != nil {
					return
				}
				if _, err := io.Copy(io.Discard, res.Body); err != nil {
					return
				}
			}
		})
	}
	time.Sleep(time.Duration(150+round*61%200) * time.Millisecond)
	cmd.Process.Kill()
	cmd.Wait()
	wg.Wait()
	l, _, err := Open(Config{Dir: dir, Key: testKey, SegmentSize: 2 << 20, Segments: 64})
	if err != nil {
		t.Fatalf("round %d: %v", round, err)
	}
	defer l.Close()
	have := map[string]bool{}
	for _, r := range records(t, l, 0) {
		have[r] = true
	}
	for _, list := range ids {
		received += len(list)
		for _, id := range list {
			if !have[id] {
				missing++
			}
		}
	}
	if err := l.Wait(context.Background(), l.Durable()); err != nil {
		t.Error(err)
	}
	return received, missing
}

// kill -9 at many instants: whoever received a byte finds its record in the log.
func TestKillLosesNoRecordOfWhatLeft(t *testing.T) {
	total := 0
	for round := range 5 {
		n, missing := crash(t, "holding", round)
		if total += n; missing > 0 {
			t.Errorf("round %d: %d of %d received have no record", round, missing, n)
		}
	}
	if total < 100 {
		t.Errorf("only %d responses: this shows nothing", total)
	}
	t.Logf("%d responses received, 0 may be missing", total)
}

// The same test sees a server that does not hold.
func TestKillSeesABrokenHold(t *testing.T) {
	for round := range 20 {
		if n, missing := crash(t, "broken", round); missing > 0 {
			t.Logf("round %d: %d of %d missing, as it must be", round, missing, n)
			return
		}
	}
	t.Error("20 rounds without a hold and nothing was missing: the test is blind")
}
