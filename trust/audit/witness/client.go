package witness

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// answerMax bounds what a witness may answer, askFor how long it may take.
const (
	answerMax = 64 << 10
	askFor    = 10 * time.Second
)

// ErrProof means that the witness cosigned a tree that ours does not contain.
var ErrProof = errors.New("the witness cosigned another tree")

// A SizeError tells the size of the tree that the witness cosigned newest; it is not what was said to be.
type SizeError struct{ Size int64 }

func (e SizeError) Error() string { return fmt.Sprintf("the witness cosigned %d entries", e.Size) }

// A Client asks one witness.
type Client struct {
	Key  *Key
	url  string
	http *http.Client
}

// NewClient asks at address for cosignatures by key. The address is https, or http on this computer.
func NewClient(key, address string) (*Client, error) {
	k, err := ParseKey(key)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && !(u.Scheme == "http" && near(u.Hostname())) {
		return nil, errors.New("a witness's address is https://host/path (http on this computer only)")
	}
	return &Client{k, strings.TrimSuffix(address, "/") + Path, newHTTP(nil)}, nil
}

// Trust makes the client believe certificates by t instead of the system's.
func (c *Client) Trust(t *tls.Config) { c.http = newHTTP(t) }

func newHTTP(t *tls.Config) *http.Client {
	if t == nil {
		t = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return &http.Client{
		Timeout: askFor,
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: t, ForceAttemptHTTP2: true, TLSHandshakeTimeout: askFor,
			MaxResponseHeaderBytes: answerMax, MaxIdleConns: 1, IdleConnTimeout: 2 * time.Minute,
		},
		// Whoever answers for the witness does not choose where else we go.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func near(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// An Answer is a cosignature that verified, and what the witness knows of a fork.
type Answer struct {
	Line     []byte // with its line end; nil if there is none
	At       time.Time
	Conflict []byte // a checkpoint that the witness says does not fit; nil for none, and not checked
}

// Add asks the witness to cosign a checkpoint; proof leads from the tree of old entries to it. SizeError and ErrProof are the
// witness's refusals; the answer holds Conflict with them too.
func (c *Client) Add(ctx context.Context, old int64, proof tlog.TreeProof, checkpoint []byte) (a Answer, err error) {
	body := request{old: old, proof: proof, note: checkpoint}.render()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return a, err
	}
	req.Header.Set("Content-Type", "text/plain")
	req.Header.Set("User-Agent", "wellgate")
	res, err := c.http.Do(req)
	if err != nil {
		return a, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, answerMax+1))
	if err == nil && len(b) > answerMax {
		err = errors.New("the answer is too long")
	}
	if err != nil {
		return a, err
	}
	if h := res.Header.Get(Conflict); h != "" {
		a.Conflict, _ = base64.StdEncoding.DecodeString(h)
	}
	switch res.StatusCode {
	case http.StatusOK:
		var ok bool
		if a.Line, a.At, ok = c.Key.Cosigned(append(bytes.Clone(checkpoint), b...)); !ok {
			return a, errors.New("the answer holds no cosignature by the key we know")
		}
		return a, nil
	case http.StatusConflict:
		kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
		size, err := parseSize(strings.TrimSuffix(string(b), "\n"))
		if err != nil || kind != sizeType {
			return a, errors.New("the witness answered 409 without a size")
		}
		return a, SizeError{size}
	case http.StatusUnprocessableEntity:
		return a, ErrProof
	case http.StatusNotFound:
		return a, errors.New("the witness does not know this log; give its keeper the log's public key")
	case http.StatusForbidden:
		return a, errors.New("the witness knows another key of this log")
	}
	return a, fmt.Errorf("the witness answered %d", res.StatusCode)
}
