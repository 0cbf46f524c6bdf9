package main

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/wellgate/wellgate/doors/web"
)

// Attacks below the pages: headers, methods, hosts, caches, and bytes on a socket.

// WEB-01…04: the strict headers stand on every answer of every route, errors and files included.
func TestHeadersOnEveryAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.opens("priya", "amina", "TREAT")
	m := &matrix{T: t, w: w, table: w.door.(*web.Door).Table()}
	m.gather()
	m.ids["comments/{id}"] = m.said[0]
	n := 0
	check := func(who, verb, path string, a answer) {
		t.Helper()
		n++
		for _, bad := range headerFaults(a) {
			t.Errorf("%s %s %s (%d): %s", who, verb, path, a.status, bad)
		}
	}
	for name, b := range map[string]*browser{"nobody": w.browser(), "amina": w.as("amina"), "priya": w.as("priya")} {
		x := *b
		x.get("/help")
		x.frozen = true
		for _, r := range m.table {
			verb, _, _ := strings.Cut(r.Pattern, " ")
			if r.Name == "session.exit" || r.Name == "signout" || strings.Contains(r.Name, "security.session") || r.Name == "desk.leave" || r.Name == "security.app.remove" {
				continue
			}
			for _, e := range m.examples(r, frame{chart: w.users["amina"].public}) {
				check(name, verb, e.path, m.send(&x, verb, e))
			}
		}
		for _, path := range []string{"/nonesuch", "/results/nonesuch", "/desk/x/record", "/a/nonesuch.css", "/%2e%2e/etc/passwd", "/healthz/", "/signin/"} {
			check(name, "GET", path, x.get(path))
			check(name, "HEAD", path, x.do("HEAD", path, nil))
		}
		check(name, "DELETE", "/results", x.do("DELETE", "/results", nil))
		check(name, "POST", "/results, no token", x.do("POST", "/results", url.Values{"q": {"x"}}))
		check(name, "POST", "/results, too large", x.do("POST", "/results", url.Values{"q": {strings.Repeat("x", 70<<10)}}))
		r := x.request("GET", "/results", nil)
		r.Host = "evil.example"
		check(name, "GET", "with another host", x.send(r))
	}
	if n < 300 {
		t.Errorf("only %d answers looked at", n)
	}
}

func headerFaults(a answer) (out []string) {
	h := a.header
	want := map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin"}
	for k, v := range want {
		if h.Get(k) != v || len(h.Values(k)) != 1 {
			out = append(out, fmt.Sprintf("%s %q", k, h.Values(k)))
		}
	}
	if p := h.Get("Referrer-Policy"); p != "same-origin" && p != "no-referrer" {
		out = append(out, "Referrer-Policy "+p)
	}
	csp := h.Get("Content-Security-Policy")
	page := strings.HasPrefix(h.Get("Content-Type"), "text/html") && h.Get("Content-Disposition") == ""
	for _, d := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "form-action 'self'", "base-uri 'none'", "object-src 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"} {
		if page && !strings.Contains(csp, d) {
			out = append(out, "CSP lacks "+d)
		}
	}
	if !strings.Contains(csp, "default-src 'none'") || page && strings.Contains(csp, "unsafe") || strings.Contains(csp, "http:") || strings.Contains(csp, "https:") || strings.Contains(csp, "*") {
		out = append(out, "CSP "+csp)
	}
	for _, f := range []string{"camera=()", "microphone=()", "geolocation=()", "publickey-credentials-get=(self)"} {
		if !strings.Contains(h.Get("Permissions-Policy"), f) {
			out = append(out, "Permissions-Policy lacks "+f)
		}
	}
	for _, k := range []string{"Server", "X-Powered-By", "Access-Control-Allow-Origin", "ETag", "Last-Modified", "X-Accel-Redirect"} {
		if h.Get(k) != "" {
			out = append(out, k+" "+h.Get(k))
		}
	}
	if page && h.Get("Cache-Control") != "no-store" {
		out = append(out, "Cache-Control "+h.Get("Cache-Control"))
	}
	return out
}

// WEB-02: over TLS every answer pins TLS, errors included.
func TestHSTS(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	door, err := w.h.door(doorway{hosts: []string{"portal.example"}, tls: true, log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	w.must(err)
	for _, path := range []string{"/help", "/nonesuch", "/results", "/signin"} {
		for _, host := range []string{"portal.example", "evil.example"} {
			r := httptest.NewRequest("GET", "https://"+host+path, nil)
			rec := httptest.NewRecorder()
			door.ServeHTTP(rec, r)
			if got := rec.Header().Get("Strict-Transport-Security"); got != "max-age=63072000; includeSubDomains" {
				t.Errorf("%s %s: %q", host, path, got)
			}
			for _, c := range rec.Result().Cookies() {
				if !c.Secure || !strings.HasPrefix(c.Name, "__Host-") && c.Name != "lang" {
					t.Errorf("%s: cookie %s is not bound to this host over TLS", path, c.Name)
				}
			}
		}
	}
}

// ATK-55: HEAD, odd methods and headers that ask for another method went past the check of GET.
func TestATK55Methods(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lab := "/results/" + w.first("amina", "Observation", "code=http://loinc.org|4548-4&_sort=-date")
	amina, miguel, nurse := w.as("amina"), w.as("miguel"), w.as("nurse")
	desk := "/desk/" + w.users["amina"].public
	for _, c := range []struct {
		b    *browser
		path string
		want int
	}{{amina, lab, 200}, {miguel, lab, 404}, {nurse, desk + lab, 404}, {w.browser(), lab, 303}, {amina, "/nonesuch", 404}} {
		before := len(w.lines("amina"))
		if a := c.b.do("HEAD", c.path, nil); a.status != c.want || a.body != "" {
			t.Errorf("HEAD %s: %d with %d bytes, want %d", c.path, a.status, len(a.body), c.want)
		}
		if got, want := len(w.lines("amina"))-before, map[*browser]int{amina: 1, nurse: 1}[c.b]; got != want && c.path != "/nonesuch" {
			t.Errorf("HEAD %s left %d lines, want %d", c.path, got, want)
		}
	}
	for _, verb := range []string{"OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "TRACK", "PROPFIND", "get", "GET2", "POSt", "DEBUG", "MOVE", "SEARCH", "QUERY"} {
		for _, path := range []string{lab, "/", "/signin/password", "/a/nonesuch", desk + "/record", "/preferences", "*"} {
			r := httptest.NewRequest("GET", "http://"+testHost+"/", nil)
			r.Method, r.URL.Path = verb, path
			for k, v := range amina.cookies {
				r.AddCookie(&http.Cookie{Name: k, Value: v})
			}
			if a := amina.send(r); a.status != 405 || shows(a, everything()...) != "" {
				t.Errorf("%s %s: %d, want 405", verb, path, a.status)
			}
		}
	}
	for _, h := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "_method"} {
		r := amina.request("GET", "/signout?_method=POST&"+h+"=POST", nil)
		r.Header.Set(h, "POST")
		if amina.send(r); amina.get(lab).status != 200 {
			t.Fatalf("%s turned a GET into a sign-out", h)
		}
	}
}

// ATK-62: caches kept pages: a shared one under /records/x.css, the browser's own behind the back button.
func TestATK62Caches(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	amina := w.as("amina")
	lab := "/results/" + w.first("amina", "Observation", "code=http://loinc.org|4548-4&_sort=-date")
	for _, path := range []string{"/", "/results", lab, "/looked", "/security", "/take", "/documents", "/signin/again"} {
		if a := amina.get(path); a.status != 200 || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d, Cache-Control %q", path, a.status, a.header.Get("Cache-Control"))
		}
		for _, tail := range []string{"/x.css", ".css", "%2fx.js", ";x.css", "/..%2fx.css", "%00.css", "/%2e%2e/a/x.css", "/a/../x.css", "%3f.css", "%23.png"} {
			if path == "/" {
				continue
			}
			r := amina.request("GET", "/help", nil)
			u, err := url.Parse("http://" + testHost + path + tail)
			if err != nil {
				continue
			}
			r.URL = u
			a := amina.send(r)
			if a.status == 200 || shows(a, everything()...) != "" || a.status < 300 || a.header.Get("Cache-Control") != "no-store" && a.status != 307 && a.status != 301 {
				t.Errorf("%s: %d %q, shows %q", path+tail, a.status, a.header.Get("Cache-Control"), shows(a, everything()...))
			}
		}
	}
	page := amina.get("/results").body
	assets := 0
	for _, part := range strings.Split(page, `"/a/`)[1:] {
		path, _, _ := strings.Cut("/a/"+part, `"`)
		path, _, _ = strings.Cut(path, "#")
		if a := amina.get(path); a.status != 200 || !strings.Contains(a.header.Get("Cache-Control"), "immutable") || a.header.Get("Set-Cookie") != "" || shows(a, everything()...) != "" {
			t.Errorf("%s: %d %q", path, a.status, a.header.Get("Cache-Control"))
		}
		assets++
	}
	if assets < 3 {
		t.Errorf("%d static files on a page", assets)
	}
	if a := amina.post("/signout", nil); a.status != 303 || !strings.Contains(a.header.Get("Clear-Site-Data"), `"cache"`) {
		t.Errorf("signing out: %d, Clear-Site-Data %q", a.status, a.header.Get("Clear-Site-Data"))
	}
}

// ATK-63: a foreign Host stood in links of mails and pages. Here it gets no page at all.
func TestATK63Hosts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.as("amina")
	for _, host := range []string{"evil.example", "localhost", "localhost:80", "localhost:8080.evil.example", "evil.example:8080", "localhost:8080@evil.example", "LOCALHOST:8080 ", "",
		"127.0.0.1:8080", "[::1]:8080", "localhost:8080,evil.example", "localhost:08080", "localhost.:8080", "localhost:8080#"} {
		r := b.request("GET", "/results", nil)
		r.Host = host
		a := b.send(r)
		if a.status != 421 || shows(a, everything()...) != "" || strings.Contains(a.body, "evil.example") {
			t.Errorf("Host %q: %d", host, a.status)
		}
	}
	for _, h := range []string{"X-Forwarded-Host", "X-Host", "X-Original-Host", "Forwarded", "X-Forwarded-Server", "X-Forwarded-Proto", "X-Forwarded-Prefix", "X-Rewrite-URL", "X-Original-URL"} {
		r := b.request("GET", "/results", nil)
		r.Header.Set(h, "evil.example")
		a := b.send(r)
		if a.status != 200 || strings.Contains(a.body, "evil.example") || strings.Contains(fmt.Sprint(a.header), "evil.example") {
			t.Errorf("%s is believed: %d", h, a.status)
		}
		r = w.browser().request("GET", "/results", nil)
		r.Header.Set(h, "evil.example")
		if a := w.browser().send(r); a.status != 303 || a.header.Get("Location") != "/signin?next=%2Fresults" {
			t.Errorf("%s leads a stranger to %q", h, a.header.Get("Location"))
		}
	}
	r := b.request("GET", "/help", nil)
	r.Header.Set("X-Forwarded-For", "192.0.2.99")
	r.Header.Set("X-Real-IP", "192.0.2.99")
	b.send(r)
	b.get("/results")
	for _, l := range w.lines("amina") {
		if l.IP == "192.0.2.99" {
			t.Error("a forwarding header is believed in the log")
		}
	}
}

// raw sends bytes on a socket and reads the status of each answer until the server closes.
func raw(t *testing.T, addr, text string) (status []int, closed bool) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	go io.WriteString(c, text)
	in := bufio.NewReader(c)
	for {
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			return status, true
		}
		io.Copy(io.Discard, res.Body)
		res.Body.Close()
		status = append(status, res.StatusCode)
		if res.Close {
			_, err := in.ReadByte()
			return status, err != nil
		}
	}
}

// WEB-10, WEB-11, ATK-64: on a real socket: forbidden methods, two lengths, limits of header and body, and slow senders.
func TestATK64Wire(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	srv := w.door.(*web.Door).Server()
	if srv.ReadHeaderTimeout != 5*time.Second || srv.ReadTimeout != 30*time.Second || srv.WriteTimeout != 60*time.Second || srv.IdleTimeout != 60*time.Second || srv.MaxHeaderBytes != 16<<10 {
		t.Errorf("limits are %v %v %v %v %d (WEB-11)", srv.ReadHeaderTimeout, srv.ReadTimeout, srv.WriteTimeout, srv.IdleTimeout, srv.MaxHeaderBytes)
	}
	srv.ReadHeaderTimeout, srv.ReadTimeout, srv.IdleTimeout = 300*time.Millisecond, 600*time.Millisecond, 300*time.Millisecond // the same clocks, less waiting
	l, err := net.Listen("tcp", "127.0.0.1:0")
	w.must(err)
	go srv.Serve(l)
	defer srv.Close()
	addr := l.Addr().String()
	const host = "Host: " + testHost + "\r\n"
	form := "Content-Type: application/x-www-form-urlencoded\r\n"
	next := "GET /healthz HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n"
	for what, c := range map[string]struct {
		text string
		want []int
	}{
		"a page":                {"GET /help HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n", []int{200}},
		"TRACE":                 {"TRACE / HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n", []int{405}},
		"TRACK":                 {"TRACK / HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n", []int{405}},
		"CONNECT":               {"CONNECT evil.example:443 HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n", []int{405, 421}},
		"length and chunks":     {"POST /preferences HTTP/1.1\r\n" + host + form + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG" + next, []int{400}},
		"chunks":                {"POST /preferences HTTP/1.1\r\n" + host + form + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + next, []int{400}},
		"two lengths":           {"POST /preferences HTTP/1.1\r\n" + host + form + "Content-Length: 6\r\nContent-Length: 5\r\n\r\n123456", []int{400}},
		"odd chunks":            {"POST /preferences HTTP/1.1\r\n" + host + form + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", []int{501}},
		"a space before colon":  {"POST /preferences HTTP/1.1\r\n" + host + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", []int{400}},
		"no host":               {"GET /help HTTP/1.1\r\n\r\n", []int{400}},
		"two hosts":             {"GET /help HTTP/1.1\r\n" + host + "Host: evil.example\r\n\r\n", []int{400}},
		"another host":          {"GET /help HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", []int{421}},
		"an absolute address":   {"GET http://evil.example/help HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n", []int{421}},
		"HTTP/1.0 without host": {"GET /help HTTP/1.0\r\n\r\n", []int{421}},
		"a folded header":       {"GET /help HTTP/1.1\r\n" + host + "X: a\r\n b\r\nConnection: close\r\n\r\n", []int{200, 400}},
		"a NUL in a header":     {"GET /help HTTP/1.1\r\n" + host + "X: a\x00b\r\n\r\n", []int{400}},
		"too long a header":     {"GET /help HTTP/1.1\r\n" + host + "X: " + strings.Repeat("a", 21<<10) + "\r\n\r\n", []int{431}},
		"too many headers":      {"GET /help HTTP/1.1\r\n" + host + strings.Repeat("X: aaaaaaaaaaaa\r\n", 1500) + "\r\n", []int{431}},
		"too long an address":   {"GET /" + strings.Repeat("a", 30<<10) + " HTTP/1.1\r\n" + host + "\r\n", []int{431}},
		"too large a body":      {fmt.Sprintf("POST /preferences HTTP/1.1\r\n%s%sConnection: close\r\nContent-Length: %d\r\n\r\n%s", host, form, 64<<10+1, strings.Repeat("a", 64<<10+1)), []int{413}},
		"a huge length":         {"POST /preferences HTTP/1.1\r\n" + host + form + "Connection: close\r\nContent-Length: 9223372036854775807\r\n\r\n", []int{413}},
		"a negative length":     {"POST /preferences HTTP/1.1\r\n" + host + form + "Content-Length: -1\r\n\r\n", []int{400}},
		"no HTTP":               {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", nil},
		"a header never ended":  {"GET /help HTTP/1.1\r\n" + host + "X: ", nil},
		"a body never ended":    {"POST /preferences HTTP/1.1\r\n" + host + form + "Content-Length: 10\r\n\r\na", []int{403, 415, 408, 400}},
	} {
		got, closed := raw(t, addr, c.text)
		ok := len(got) == 0 && c.want == nil
		for _, s := range c.want {
			ok = ok || len(got) == 1 && got[0] == s
		}
		if c.want == nil && len(got) == 1 && (got[0] == 400 || got[0] == 408) {
			ok = true
		}
		if !ok || !closed {
			t.Errorf("%s: answers %v (closed %v), want one of %v and the end", what, got, closed, c.want)
		}
	}
	if got, _ := raw(t, addr, next); len(got) != 1 || got[0] != 200 {
		t.Errorf("afterwards the server answers %v", got)
	}
}

// A form of exactly the limit passes; over HTTP/2 an answer without a body does not end the connection.
func TestLimitsHold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	amina := w.as("amina")
	amina.get("/help")
	fill := 64<<10 - len(url.Values{"csrf": {amina.token}, "q": {""}}.Encode())
	if a := amina.post("/results", url.Values{"q": {strings.Repeat("a", fill)}}); a.status != 200 {
		t.Errorf("a form of exactly 64 KiB: %d", a.status)
	}
	if a := amina.post("/results", url.Values{"q": {strings.Repeat("a", fill+1)}}); a.status != 413 {
		t.Errorf("one byte more: %d", a.status)
	}
	amina.token = ""
	amina.get("/help")

	ts := httptest.NewUnstartedServer(w.door)
	ts.EnableHTTP2 = true
	ts.StartTLS()
	defer ts.Close()
	c := ts.Client()
	c.Transport.(*http.Transport).TLSClientConfig.MinVersion = tls.VersionTLS13
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	r, err := http.NewRequest("POST", ts.URL+"/session/stay", nil)
	w.must(err)
	r.Host = testHost
	r.Header.Set("X-CSRF", amina.token)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for k, v := range amina.cookies {
		r.AddCookie(&http.Cookie{Name: k, Value: v})
	}
	res, err := c.Do(r)
	if err != nil {
		t.Fatalf("staying signed in over HTTP/2: %v", err)
	}
	defer res.Body.Close()
	if res.StatusCode != 204 || res.ProtoMajor != 2 {
		t.Errorf("staying signed in over HTTP/2: %s %s", res.Proto, res.Status)
	}
}
