package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/descope/virtualwebauthn"
	"github.com/pquerna/otp/totp"
)

// An Answer is what arrived. With an error beside it the body may be a part; a status means that the head was there.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Version is that of the ETag, 0 for none.
func (a Answer) Version() int64 {
	n, _ := strconv.ParseInt(strings.Trim(strings.TrimPrefix(a.Header.Get("ETag"), "W/"), `"`), 10, 64)
	return n
}

func send(c *http.Client, r *http.Request) (Answer, error) {
	res, err := c.Do(r)
	if err != nil {
		return Answer{}, err
	}
	defer res.Body.Close()
	var b bytes.Buffer
	_, err = io.Copy(&b, res.Body)
	return Answer{res.StatusCode, res.Header, b.String()}, err
}

func (p *Practice) plainGet(path string) (Answer, error) {
	r, err := http.NewRequest("GET", "http://localhost"+path, nil)
	if err != nil {
		return Answer{}, err
	}
	return send(p.http, r)
}

// Hangup closes the connections to a program that is gone.
func (p *Practice) Hangup() { p.http.CloseIdleConnections() }

// FHIR asks the door for systems. header are pairs of name and value.
func (p *Practice) FHIR(token, agent, method, path, body string, header ...string) (Answer, error) {
	r, err := http.NewRequest(method, "http://localhost/fhir"+path, strings.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("User-Agent", agent)
	if body != "" {
		r.Header.Set("Content-Type", "application/fhir+json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return send(p.http, r)
}

// A Person is somebody with a browser that stays signed in while the program dies and comes back.
type Person struct {
	p       *Practice
	mu      sync.Mutex
	cookies map[string]string
	token   string // of forms
}

// Person is a browser that knows nothing yet.
func (p *Practice) Person() *Person { return &Person{p: p, cookies: map[string]string{}} }

// twin is another browser with the same cookies.
func (b *Person) twin() *Person {
	b.mu.Lock()
	defer b.mu.Unlock()
	return &Person{p: b.p, cookies: maps.Clone(b.cookies), token: b.token}
}

var formToken = regexp.MustCompile(`<meta name="csrf" content="([^"]+)"`)

func (b *Person) do(method, path, agent, contentType, body string) (Answer, error) {
	r, err := http.NewRequest(method, "http://localhost"+path, strings.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	r.Header.Set("User-Agent", agent)
	r.Header.Set("Accept-Language", "en")
	b.mu.Lock()
	for k, v := range b.cookies {
		r.AddCookie(&http.Cookie{Name: k, Value: v})
	}
	if method == "POST" {
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.Header.Set("X-CSRF", b.token)
	}
	b.mu.Unlock()
	res, err := b.p.http.Do(r)
	if err != nil {
		return Answer{}, err
	}
	defer res.Body.Close()
	var text bytes.Buffer
	_, err = io.Copy(&text, res.Body)
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range res.Cookies() {
		if c.MaxAge < 0 || c.Value == "" {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	if m := formToken.FindSubmatch(text.Bytes()); m != nil {
		b.token = string(m[1])
	}
	return Answer{res.StatusCode, res.Header, text.String()}, err
}

// Get asks for a page.
func (b *Person) Get(path, agent string) (Answer, error) { return b.do("GET", path, agent, "", "") }

// Post sends a form.
func (b *Person) Post(path, agent string, form url.Values) (Answer, error) {
	return b.do("POST", path, agent, "application/x-www-form-urlencoded", form.Encode())
}

// must is a step that has to be answered as given.
func must(want int, what string) func(Answer, error) error {
	return func(a Answer, err error) error {
		if err == nil && a.Status != want {
			err = fmt.Errorf("%s answers %d", what, a.Status)
		}
		return err
	}
}

// SignIn is by password and code. A code counts once in half a minute.
func (b *Person) SignIn(who Patient) error {
	if err := must(200, "GET /signin")(b.Get("/signin", "sign in")); err != nil {
		return err
	}
	if err := must(303, "password")(b.Post("/signin/password", "sign in", url.Values{"login": {who.Login}, "password": {who.Password}})); err != nil {
		return err
	}
	if err := must(200, "GET /signin/code")(b.Get("/signin/code", "sign in")); err != nil {
		return err
	}
	code, err := totp.GenerateCode(who.Secret, time.Now()) // as late as can be: a busy machine takes its time for a password
	if err != nil {
		return err
	}
	if err := must(303, "code")(b.Post("/signin/code", "sign in", url.Values{"code": {code}})); err != nil {
		return err
	}
	return b.Settle()
}

// SignInStaff is by passkey.
func (b *Person) SignInStaff(s Staff) error {
	if err := must(200, "GET /signin")(b.Get("/signin", "sign in")); err != nil {
		return err
	}
	a, err := b.do("POST", "/signin/passkey/begin", "sign in", "application/json", "{}")
	if err := must(200, "begin passkey")(a, err); err != nil {
		return err
	}
	var reply struct {
		PublicKey json.RawMessage `json:"publicKey"`
	}
	if err := json.Unmarshal([]byte(a.Body), &reply); err != nil {
		return err
	}
	options, err := virtualwebauthn.ParseAssertionOptions(string(reply.PublicKey))
	if err != nil {
		return err
	}
	answer := virtualwebauthn.CreateAssertionResponse(relying(), s.auth, s.cred, *options)
	return must(200, "passkey")(b.do("POST", "/signin/passkey/finish", "sign in", "application/json", `{"credential":`+answer+`}`))
}

// Settle fetches the form token of this session.
func (b *Person) Settle() error { return must(200, "GET /help")(b.Get("/help", "sign in")) }

// Open lets staff into a record.
func (b *Person) Open(public string) error {
	return must(303, "open a record")(b.Post("/desk/open", "open", url.Values{"patient": {public}, "purpose": {"TREAT"}, "reason": {"Appointment today"}}))
}

// Works says what does not: staff sign in and open a record, a system reads and writes.
func (p *Practice) Works() error {
	b, pat := p.Person(), p.Patients[0]
	if err := b.SignInStaff(p.Clinician); err != nil {
		return err
	}
	if err := b.Settle(); err != nil {
		return err
	}
	if err := b.Open(pat.Public); err != nil {
		return err
	}
	if err := must(200, "a result")(b.Get("/desk/"+pat.Public+"/results/"+pat.Results[0], "works")); err != nil {
		return err
	}
	if err := must(200, "GET Patient")(p.FHIR(p.Token, "works", "GET", "/Patient/"+pat.ID, "")); err != nil {
		return err
	}
	return must(201, "create")(p.FHIR(p.Token, "works", "POST", "/AllergyIntolerance", allergy(pat.ID, "", "works")))
}

// Probe asks for a record and says how that was answered before ctx ended; 0 for not at all.
func (p *Practice) Probe(ctx context.Context) int {
	r, err := http.NewRequestWithContext(ctx, "GET", "http://localhost/fhir/Patient/"+p.Patients[0].ID, nil)
	if err != nil {
		return 0
	}
	r.Header.Set("Authorization", "Bearer "+p.Token)
	a, err := send(p.http, r)
	if err != nil {
		return 0
	}
	return a.Status
}
