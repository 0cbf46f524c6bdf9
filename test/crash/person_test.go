package crash

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/pquerna/otp/totp"
)

// A person is somebody with a browser that stays signed in while the program dies and comes back.
type person struct {
	h      *harness
	login  string
	client *http.Client
	mu     sync.Mutex
	token  string // of forms
}

type answer struct {
	status int
	size   int // bytes of the body that arrived
	body   string
}

func newPerson(h *harness, login string) *person {
	jar, err := cookiejar.New(nil)
	h.must(err)
	return &person{h: h, login: login, client: &http.Client{
		Jar: jar, Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 8},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

var tokenText = regexp.MustCompile(`<meta name="csrf" content="([^"]+)"`)

// do returns what arrived, also when the connection broke in the middle.
func (p *person) do(method, path, agent string, form url.Values) (answer, error) {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequest(method, "http://"+p.h.addr+path, body)
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("User-Agent", agent)
	r.Header.Set("Accept-Language", "en")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	res, err := p.client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	var b bytes.Buffer
	_, err = io.Copy(&b, res.Body)
	if m := tokenText.FindSubmatch(b.Bytes()); m != nil {
		p.mu.Lock()
		p.token = string(m[1])
		p.mu.Unlock()
	}
	return answer{res.StatusCode, b.Len(), b.String()}, err
}

func (p *person) get(path, agent string) (answer, error) { return p.do("GET", path, agent, nil) }

func (p *person) post(path, agent string, form url.Values) (answer, error) {
	p.mu.Lock()
	form.Set("csrf", p.token)
	p.mu.Unlock()
	return p.do("POST", path, agent, form)
}

func (p *person) signin(password, secret string) error {
	code, err := totp.GenerateCode(secret, time.Now())
	if err != nil {
		return err
	}
	for _, step := range []struct {
		path string
		form url.Values
	}{
		{"/signin/password", url.Values{"login": {p.login}, "password": {password}}},
		{"/signin/code", url.Values{"code": {code}}},
	} {
		page := "/signin"
		if step.path == "/signin/code" {
			page = step.path
		}
		if _, err := p.get(page, "sign in"); err != nil {
			return err
		}
		a, err := p.post(step.path, "sign in", step.form)
		if err == nil && a.status != http.StatusSeeOther {
			err = fmt.Errorf("%s: %s answers %d", p.login, step.path, a.status)
		}
		if err != nil {
			return err
		}
	}
	_, err = p.get("/help", "sign in") // the token of this session's forms
	return err
}

// open lets staff into a record.
func (p *person) open(public string) error {
	a, err := p.post("/desk/open", "open", url.Values{"patient": {public}, "purpose": {"TREAT"}, "reason": {"Appointment today"}})
	if err == nil && a.status != http.StatusSeeOther {
		err = errors.New("the record does not open")
	}
	return err
}

func (p *person) comment(to target, text, agent string) (answer, error) {
	return p.post("/desk/"+to.public+"/results/"+to.result+"/comments", agent, url.Values{"text": {text}})
}
