// Package api is the FHIR door: R4 in JSON under /fhir, for other systems that come with a token.
//
// It promises:
//   - The token, never the request, says who asks; policy decides by scope, type and labels, in the chart, for every entry.
//   - No byte of a record leaves before its audit entry is durable.
//   - What is not there and what may not be seen answer alike; a scope that is missing answers alike whatever is there.
//   - A question that cannot be answered whole is refused with a reason, never answered in part: unknown parameters,
//     searches across patients, too many matches.
//   - An error is an OperationOutcome that names the rule and never a value of a record.
//   - Links to further pages are sealed: who changes one, or uses another's, gets nothing.
//
// Responses are put together from the stored bytes; only meta.versionId and meta.lastUpdated are ours.
package api

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/wellgate/wellgate/doors/web"
	"github.com/wellgate/wellgate/internal/admit"
	"github.com/wellgate/wellgate/internal/clock"
	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/identity"
)

// Path is where the door hangs.
const Path = "/fhir"

// Config is what a Door stands on.
type Config struct {
	House  *chart.House
	Tokens *identity.Tokens
	Bases  map[string]string // Host header → where links lead: "portal.example" → "https://portal.example/fhir"; other hosts are 421 (WEB-09)
	Secret []byte            // 32 bytes: seals links to further pages
	Clock  clock.Clock
	Log    *slog.Logger // never receives health data, addresses or names
	Gate   *admit.Gate  // shared with the other doors
	TLS    bool         // sends HSTS; false only on a loopback address
}

// A Door answers systems. It is safe for concurrent use.
type Door struct {
	Config
	headers  http.Header
	links    cipher.AEAD
	metadata []byte
	bodies   atomic.Int64    // bytes of long bodies on their way in
	served   [6]atomic.Int64 // responses by class of status, 1xx to 5xx: the hot path writes no line for each
	prefix   string          // of request ids
	last     atomic.Uint64
}

// New readies a door.
func New(c Config) (*Door, error) {
	if len(c.Bases) == 0 || len(c.Secret) != 32 || c.Clock == nil || c.Log == nil || c.Gate == nil {
		return nil, errors.New("api: New needs bases, a 32-byte secret, a clock, a log and a gate")
	}
	block, err := aes.NewCipher(c.Secret)
	if err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	d := &Door{Config: c, prefix: strings.ToLower(rand.Text()[:6])}
	if d.links, err = cipher.NewGCMWithRandomNonce(block); err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	d.headers = http.Header{
		"Cache-Control":                {"no-store"},
		"Content-Security-Policy":      {"default-src 'none'; frame-ancestors 'none'"},
		"Cross-Origin-Resource-Policy": {"same-origin"},
		"Referrer-Policy":              {"no-referrer"},
		"X-Content-Type-Options":       {"nosniff"},
		"X-Frame-Options":              {"DENY"},
	}
	if c.TLS {
		d.headers["Strict-Transport-Security"] = []string{"max-age=63072000; includeSubDomains"}
	}
	d.metadata, err = capability(c.Clock())
	return d, err
}

// Serves says whether a path is this door's.
func Serves(path string) bool {
	rest, ok := strings.CutPrefix(path, Path)
	return ok && (rest == "" || rest[0] == '/')
}

// A call is one request on its way through the door, or one entry of a Bundle: then it has no writer of its own.
type call struct {
	d      *Door
	w      http.ResponseWriter
	r      *http.Request
	id     string
	base   string
	query  string // of the address
	inner  bool   // an entry of a Bundle
	who    identity.Who
	act    *chart.Act
	at     target
	place  *admit.Place // nil before there is one
	sent   []byte       // the request's body, once it has been taken in
	buf    *buffer
	reply  reply
	status int // of what has left; 0 before anything has
}

// A reply is what a handler answers, before it may leave.
type reply struct {
	status   int
	body     []byte
	version  int64 // of the one resource it is about; 0 for none
	modified time.Time
	location string
}

// ServeHTTP is every request's way in.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	for k, v := range d.headers {
		h[k] = v
	}
	c := &call{d: d, w: w, r: r, query: r.URL.RawQuery}
	defer c.end()
	if err := c.serve(); err != nil {
		c.fail(err)
	}
}

// end counts the response and gives back what was lent. A panic becomes an answer if nothing has left yet.
func (c *call) end() {
	defer c.leave()
	if p := recover(); p != nil {
		if p == http.ErrAbortHandler {
			panic(p)
		}
		c.d.Log.Error("panic", "request", c.name(), "route", c.at.name(), "what", fmt.Sprintf("%T", p))
		c.fail(errPanic)
	}
	c.buf.free()
	c.d.served[c.status/100%6].Add(1)
}

// name is the request's id: on the audit entry, in the log and in an error's answer. It says nothing.
func (c *call) name() string {
	if c.id == "" {
		c.id = c.d.prefix + "-" + strconv.FormatUint(c.d.last.Add(1), 36)
	}
	return c.id
}

// Served counts responses since the start by class of status: "2xx" → n.
func (d *Door) Served() map[string]int64 {
	out := map[string]int64{}
	for i := 1; i < len(d.served); i++ {
		out[strconv.Itoa(i)+"xx"] = d.served[i].Load()
	}
	return out
}

func (c *call) serve() error {
	if err := c.admit(); err != nil {
		return err
	}
	if c.at.does == doMetadata {
		c.reply = reply{status: http.StatusOK, body: c.d.metadata}
		return c.send()
	}
	if err := c.authenticate(); err != nil {
		return err
	}
	c.act = c.d.House.Begin(c.who, c.at.name())
	c.act.Request, c.act.Device, c.act.Purpose = c.name(), c.r.UserAgent(), chart.Purpose(c.who.Purpose)
	if ip, ok := web.RemoteIP(c.r); ok {
		c.act.IP = ip.String()
	}
	if err := c.take(); err != nil {
		return err
	}
	var err error
	if c.place, err = c.d.Gate.Enter(c.r.Context(), c.at.class(), web.Client(c.r, c.who.Session)); err != nil {
		return errBusy
	}
	if err := c.handle(); err != nil {
		return err
	}
	return c.send()
}

// leave gives the place free: the work is done, and only bytes are left to go.
func (c *call) leave() {
	if c.place != nil {
		c.place.Leave()
	}
}
