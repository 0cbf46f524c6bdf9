package web

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// bodyLimit of a form (WEB-11).
const bodyLimit = 64 << 10

var (
	errHost   = errors.New("web: a host name that is not ours")
	errMethod = errors.New("web: a method no page knows")
	errForged = errors.New("web: not sent by our own page")
	errBody   = errors.New("web: a body no form sends")
	errChunks = errors.New("web: a body in chunks")
	errLarge  = errors.New("web: too large")
	errGone   = errors.New("web: not found")
)

// admit checks what can be checked before a session is known, and takes the whole body in.
func (d *Door) admit(w http.ResponseWriter, r *http.Request) error {
	// Absolute-form request lines and odd ports arrive here too: only exact names are ours (ATK-63).
	if !slices.Contains(d.Hosts, r.Host) {
		return errHost
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
	default:
		return errMethod
	}
	if len(r.TransferEncoding) > 0 { // no browser sends a form so; beside a length it smuggles a second request in (WEB-10)
		w.Header().Set("Connection", "close")
		return errChunks
	}
	if r.ContentLength > bodyLimit {
		return errLarge
	}
	if r.Body == nil || r.Body == http.NoBody {
		return nil
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyLimit))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return errLarge
	} else if err != nil {
		return errBody
	}
	r.Body = io.NopCloser(bytes.NewReader(b))
	return nil
}

// headers stand on every response, errors included (WEB-01…04).
func (d *Door) headers(w http.ResponseWriter, _ *visit) {
	h := w.Header()
	h.Set("Content-Security-Policy", csp)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	// Not no-referrer: that would turn Origin into null on our own forms.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", permissions)
	h.Set("Cache-Control", "no-store")
	if d.TLS && !d.Demo { // a demo must not bind localhost to https for two years
		h.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
	}
}

// All scripts and styles are files of our own, named by content; nothing is inline, so no nonce is needed.
const csp = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; " +
	"object-src 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types sw"

const permissions = "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), fullscreen=(), " +
	"geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), picture-in-picture=(), usb=(), " +
	"xr-spatial-tracking=(), publickey-credentials-get=(self), publickey-credentials-create=(self)"

// forged applies the three gates to an unsafe request (WEB-05). The content type gate keeps a form from posing as JSON.
func (d *Door) forged(r *http.Request) error {
	if r.Method != http.MethodPost {
		return nil
	}
	if err := crossOrigin.Check(r); err != nil {
		return errForged
	}
	ct, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil && r.ContentLength != 0 {
		return errBody
	}
	token := r.Header.Get("X-CSRF")
	switch ct {
	case "application/x-www-form-urlencoded":
		if err := r.ParseForm(); err != nil {
			return errBody
		}
		if token == "" {
			token = r.PostForm.Get("csrf")
		}
	case "application/json", "": // script of our own sends its token as a header
	default:
		return errBody
	}
	if !d.tokenFits(r, token) {
		return errForged
	}
	return nil
}

var crossOrigin = http.NewCrossOriginProtection()

// preCookie binds form tokens before there is a session. It identifies nobody.
const preCookie = "form"

// browser is what a form token is bound to: the session, else a random cookie.
func (d *Door) browser(r *http.Request) string {
	if v := visitOf(r); v != nil && v.who.Session != "" {
		return "s:" + v.who.Session
	}
	if c, err := r.Cookie(d.preName()); err == nil && len(c.Value) >= 26 {
		return "p:" + c.Value
	}
	return ""
}

func (d *Door) preName() string {
	if d.TLS {
		return "__Host-" + preCookie
	}
	return preCookie
}

// formToken makes a token for a page. Each is different, so compressing pages gives nothing away (BREACH).
func (d *Door) formToken(w http.ResponseWriter, r *http.Request) string {
	b := d.browser(r)
	if b == "" {
		id := rand.Text()
		http.SetCookie(w, &http.Cookie{Name: d.preName(), Value: id, Path: "/", Secure: d.TLS, HttpOnly: true, SameSite: http.SameSiteLaxMode})
		r.AddCookie(&http.Cookie{Name: d.preName(), Value: id})
		b = "p:" + id
	}
	salt := make([]byte, 12)
	rand.Read(salt)
	return base64.RawURLEncoding.EncodeToString(append(salt, d.mac(salt, b)...))
}

func (d *Door) tokenFits(r *http.Request, token string) bool {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	b := d.browser(r)
	if err != nil || len(raw) != 12+sha256.Size || b == "" {
		return false
	}
	return hmac.Equal(raw[12:], d.mac(raw[:12], b))
}

func (d *Door) mac(salt []byte, browser string) []byte {
	m := hmac.New(sha256.New, d.Secret)
	m.Write(salt)
	m.Write([]byte(browser))
	return m.Sum(nil)
}

var idText = base32.NewEncoding("abcdefghijkmnpqrstuvwxyz23456789").WithPadding(base32.NoPadding)

// requestID names a request in logs, in the audit entry and on an error page. It says nothing.
func requestID() string {
	var b [5]byte
	rand.Read(b[:])
	return idText.EncodeToString(b[:])
}

// where names our own frames of a panic, without values.
func where() string {
	pc := make([]uintptr, 32)
	frames := runtime.CallersFrames(pc[:runtime.Callers(3, pc)])
	var out []string
	for {
		f, more := frames.Next()
		if strings.Contains(f.Function, "wellgate") {
			out = append(out, f.Function[strings.LastIndex(f.Function, "/")+1:]+":"+strconv.Itoa(f.Line))
		}
		if !more || len(out) == 6 {
			return strings.Join(out, " < ")
		}
	}
}

// quiet keeps net/http's own complaints, which may quote a peer's bytes, down to the fact that there was one.
type quiet struct{ slog.Handler }

func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	text := r.Message
	if i := strings.IndexAny(text, ":"); i > 0 {
		text = text[:i]
	}
	r.Message = text
	return q.Handler.Handle(ctx, r)
}

// recorder remembers the status for the log.
type recorder struct {
	http.ResponseWriter
	status int
	shed   bool
}

// Unwrap is for http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}
