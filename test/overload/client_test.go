package overload

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A raw is one keep-alive connection of HTTP/1.1 over TLS: several times cheaper than net/http's client, for the load
// shares its cores with the program.
type raw struct {
	addr, from string
	c          *tls.Conn
	r          *bufio.Reader
}

// A got is what came back.
type got struct {
	status int
	retry  string
}

func (x *raw) dial() error {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(x.from)}, Timeout: 10 * time.Second}
	c, err := tls.DialWithDialer(&d, "tcp", x.addr, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"}})
	if err != nil {
		return err
	}
	x.c, x.r = c, bufio.NewReaderSize(c, 16<<10)
	return nil
}

func (x *raw) close() {
	if x.c != nil {
		x.c.Close()
		x.c = nil
	}
}

// do sends one prepared request and reads the answer to its end.
func (x *raw) do(req []byte) (g got, err error) {
	if x.c == nil {
		if err = x.dial(); err != nil {
			return g, err
		}
	}
	defer func() {
		if err != nil {
			x.close()
		}
	}()
	x.c.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err = x.c.Write(req); err != nil {
		return g, err
	}
	line, err := x.r.ReadSlice('\n')
	if err != nil {
		return g, err
	}
	if len(line) < 12 {
		return g, errors.New("a short status line")
	}
	g.status, _ = strconv.Atoi(string(line[9:12]))
	length, chunked := int64(0), false
	for {
		if line, err = x.r.ReadSlice('\n'); err != nil {
			return g, err
		}
		if len(line) <= 2 {
			break
		}
		switch k, v, _ := strings.Cut(string(line), ":"); k {
		case "Content-Length":
			length, _ = strconv.ParseInt(strings.TrimSpace(v), 10, 64)
		case "Retry-After":
			g.retry = strings.TrimSpace(v)
		case "Transfer-Encoding":
			chunked = true
		}
	}
	if !chunked {
		_, err = io.CopyN(io.Discard, x.r, length)
		return g, err
	}
	for {
		if line, err = x.r.ReadSlice('\n'); err != nil {
			return g, err
		}
		n, err := strconv.ParseInt(strings.TrimSpace(string(line)), 16, 64)
		if err != nil {
			return g, err
		}
		if _, err = x.r.Discard(int(n) + 2); err != nil || n == 0 {
			return g, err
		}
	}
}

// A tally is what came of the requests of one kind.
type tally struct {
	mu               sync.Mutex
	sent, done, shed int
	wrong            map[string]int // errors that are neither
	took             []time.Duration
}

func (t *tally) count(g got, err error, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sent++
	switch {
	case err != nil:
		t.miss(err.Error())
	case g.status == 200 || g.status == 201:
		t.done++
		t.took = append(t.took, took)
	case g.status == 503 && g.retry != "" && g.retry != "0":
		t.shed++
	default:
		t.miss("status " + strconv.Itoa(g.status))
	}
}

func (t *tally) miss(what string) {
	if t.wrong == nil {
		t.wrong = map[string]int{}
	}
	t.wrong[what]++
}
