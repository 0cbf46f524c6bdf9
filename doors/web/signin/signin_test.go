package signin

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"github.com/wellgate/wellgate/trust/identity"
)

func TestLocal(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "/": "/", "/results/x?y=1": "/results/x?y=1", "/a#b": "/a", "/desk/8zq": "/desk/8zq", "/a/../b": "/a/../b",
		"//evil.test": "", "/\\evil.test": "", "\\\\evil.test": "", "https://evil.test": "", "http:evil.test": "", "///evil.test": "",
		"javascript:alert(1)": "", "/\t/evil.test": "", "/\n/evil.test": "", " /x": "", "evil": "", "/%2f%2fevil.test": "", "/%5cevil.test": "/%5cevil.test",
		"/\x00": "", "@evil.test": "", "/signout": "", "/session/exit": "", "/" + strings.Repeat("a", 2000): "",
	} {
		if got := Local(in); got != want {
			t.Errorf("Local(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestPasswordThenCode(t *testing.T) {
	h := newHouse(t)
	h.get("/signin").says(t, "Sign in with a passkey", `autocomplete="username webauthn"`, `autocomplete="current-password"`, "shared phone", "data-pk-use")
	bad := h.post("/signin/password", "login", "amina@example.org", "password", "canary-wrong", "next", "/results")
	if bad.status != http.StatusUnprocessableEntity || strings.Contains(bad.body, "canary-wrong") {
		t.Fatal(bad.status)
	}
	bad.says(t, "The email address or password is not right", `value="amina@example.org"`, `name="next" value="/results"`, "<title>Error:", `href="#login"`)
	unknown := h.post("/signin/password", "login", "nobody@example.org", "password", "canary-wrong", "next", "/results")
	if a, b := strings.ReplaceAll(unknown.body, "nobody@", "amina@"), bad.body; a != b {
		t.Error("an unknown login is told apart")
	}
	if to := h.get("/signin/code").to; to != "/signin" {
		t.Errorf("code page without a step: %s", to)
	}
	if a := h.post("/signin/password", "login", "amina@example.org", "password", pass, "next", "/results"); a.to != "/signin/code?next=%2Fresults" {
		t.Fatal(a.status, a.to)
	}
	h.get("/signin/code?next=%2Fresults").says(t, `autocomplete="one-time-code"`, `inputmode="numeric"`, "Step 2 of 2")
	if a := h.post("/signin/code", "code", "000000", "next", "/results"); a.status != http.StatusUnprocessableEntity {
		t.Fatal(a.status)
	} else {
		a.says(t, "That code is not right")
	}
	if a := h.get("/security"); a.to != "/signin?next=%2Fsecurity" {
		t.Fatal("in after the password alone", a.status, a.to)
	}
	a := h.post("/signin/code", "code", h.code(), "next", "/results")
	if a.status != http.StatusSeeOther || a.to != "/results" {
		t.Fatal(a.status, a.to, a.body)
	}
	if to := h.get("/signin?next=/results").to; to != "/results" {
		t.Errorf("sign-in page when in: %s", to)
	}
}

func TestSigninGoesNowhereElse(t *testing.T) {
	h := newHouse(t)
	if to := h.signin("https://evil.test/x"); to != "/" {
		t.Fatal(to)
	}
	h.post("/signout")
	if to := h.signin("//evil.test"); to != "/" {
		t.Fatal(to)
	}
}

func TestSlowed(t *testing.T) {
	h := newHouse(t)
	var a answer
	for range 12 {
		a = h.post("/signin/password", "login", "amina@example.org", "password", "wrong")
	}
	if a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") != "30" {
		t.Fatal(a.status, a.header)
	}
	a.says(t, "Too many tries. Wait 1 minute, or use a passkey.")
}

func TestSignout(t *testing.T) {
	h := newHouse(t)
	h.signin("")
	a := h.post("/signout")
	if a.to != "/signout" || a.header.Get("Clear-Site-Data") != `"cache", "storage"` {
		t.Fatal(a.to, a.header)
	}
	h.get("/signout").says(t, "You are signed out")
	if h.get("/security").status != http.StatusSeeOther {
		t.Fatal("still in")
	}
	h.signin("", "shared", "yes")
	if a = h.post("/signout"); a.header.Get("Clear-Site-Data") != `"cache", "cookies", "storage"` {
		t.Fatal(a.header)
	}
}

func TestQuickExit(t *testing.T) {
	h := newHouse(t)
	h.signin("")
	r, _ := http.NewRequest("GET", h.server.URL+"/session/exit", nil)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if a := h.do(r); a.to != "https://weather.example/" || h.get("/security").status != http.StatusOK {
		t.Fatal("somebody else's link ends the session", a.to)
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if a := h.do(r); a.to != "https://weather.example/" || a.header.Get("Referrer-Policy") != "no-referrer" || h.get("/security").status != http.StatusSeeOther {
		t.Fatal("still in after leaving")
	}
}

// What changes a factor asks for a fresh proof and comes back (AUT-17).
func TestAgain(t *testing.T) {
	h := newHouse(t)
	h.signin("")
	h.pass(6 * time.Minute)
	for path, back := range map[string]string{"/security/password": "/security/password", "/security/app": "/security/app"} {
		if a := h.get(path); a.to != with("/signin/again", back) {
			t.Errorf("%s: %d %s", path, a.status, a.to)
		}
	}
	for path, back := range map[string]string{"/security/password": "/security/password", "/security/recovery": "/security/recovery", "/security/app/remove": "/security"} {
		if a := h.post(path, "password", "another long kettle 12"); a.to != with("/signin/again", back) {
			t.Errorf("POST %s: %d %s", path, a.status, a.to)
		}
	}
	if a := h.script("/security/passkeys/begin", "{}"); !strings.Contains(a.body, `"next":"/signin/again?next=%2Fsecurity"`) {
		t.Error(a.body)
	}
	h.get("/signin/again?next=%2Fsecurity%2Fpassword").says(t, "Show that it is you", `value="/security/password"`)
	if a := h.post("/signin/again", "code", "000000", "next", "/security/password"); a.status != http.StatusUnprocessableEntity {
		t.Fatal(a.status)
	}
	if a := h.post("/signin/again", "code", h.code(), "next", "https://evil.test"); a.to != "/" {
		t.Fatal(a.status, a.to)
	}
	if a := h.get("/security/password"); a.status != http.StatusOK {
		t.Fatal(a.status, a.to)
	}
}

func TestSecurityPage(t *testing.T) {
	h := newHouse(t)
	h.signin("")
	first := h.client.Jar
	second := newJar(t)
	h.client.Jar = second
	h.signin("")
	page := h.get("/security")
	page.says(t, "Where you are signed in", "2 devices", "This device", "Sign out all other devices", "You have no passkey yet", "192.0.2.1")
	id := regexp.MustCompile(`/security/sessions/([0-9a-z]{26})/end`).FindStringSubmatch(page.body)
	if id == nil {
		t.Fatal("no other session to end")
	}
	if a := h.post(id[0]); a.to != "/security?done=ended" {
		t.Fatal(a.status, a.to)
	}
	h.client.Jar = first
	if h.get("/security").status != http.StatusSeeOther {
		t.Fatal("the other session lives")
	}
	h.client.Jar = second
	h.get("/security?done=ended").says(t, "That device is signed out", "1 device")
	if a := h.get("/security?done=%3Cb%3E"); strings.Contains(a.body, "<b>") && strings.Contains(a.body, "security.done") {
		t.Error("an unknown confirmation is echoed")
	}
	// New password, its reasons, and the codes that are shown once.
	for pw, says := range map[string]string{"short": "at least 12 characters", "password1234567": "easy to guess", "Willowbrook2026!": "built from your name"} {
		a := h.post("/security/password", "password", pw)
		if a.status != http.StatusUnprocessableEntity || strings.Contains(a.body, `value="`+pw) {
			t.Error(pw, a.status)
		}
		a.says(t, says)
	}
	if a := h.post("/security/password", "password", "marble otter lantern 4", "others", "yes"); a.to != "/security?done=password" {
		t.Fatal(a.status, a.to)
	}
	codes := h.post("/security/recovery")
	found := regexp.MustCompile(`[0-9A-Z]{4}(-[0-9A-Z]{4}){3}`).FindAllString(codes.body, -1)
	if len(found) != 8 {
		t.Fatalf("%d codes", len(found))
	}
	if a := h.get("/security/recovery"); strings.Contains(a.body, found[0]) {
		t.Error("codes are shown twice")
	}
	h.post("/signout")
	h.post("/signin/password", "login", "amina@example.org", "password", "marble otter lantern 4")
	h.get("/signin/recovery").says(t, "Use a recovery code")
	if a := h.post("/signin/recovery", "code", found[2]); a.to != "/security#recovery" {
		t.Fatal(a.status, a.to, text(a.body))
	}
	h.get("/security").says(t, "You have 7 unused codes")
	if a := h.post("/security/app/remove"); a.status != http.StatusConflict {
		t.Fatal("the last second factor went", a.status)
	}
}

func TestAppSetup(t *testing.T) {
	h := newHouse(t)
	h.signin("")
	page := h.get("/security/app")
	page.says(t, "<svg role=\"img\"", "Scan this picture")
	step := regexp.MustCompile(`name="step" value="([^"]+)"`).FindStringSubmatch(page.body)
	secret := regexp.MustCompile(`class="num">([A-Z2-7 ]+)<`).FindStringSubmatch(page.body)
	if step == nil || secret == nil {
		t.Fatal(page.body)
	}
	again := h.post("/security/app", "step", step[1], "code", "000000")
	again.says(t, "Check the clock", secret[1])
	h.secret = strings.ReplaceAll(secret[1], " ", "")
	if a := h.post("/security/app", "step", step[1], "code", h.code()); a.to != "/security?done=app" {
		t.Fatal(a.status, a.to, text(a.body))
	}
	h.post("/signout")
	h.signin("")
}

func TestPasskeyPages(t *testing.T) {
	h := newHouse(t)
	h.signin("")
	rp := virtualwebauthn.RelyingParty{ID: "localhost", Origin: h.server.URL}
	auth, cred := virtualwebauthn.NewAuthenticator(), virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	for len(cred.Key.AttestationData()) != 77 { // the virtual authenticator drops leading zeros, which COSE does not allow
		cred = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	}
	options := func(a answer) string {
		t.Helper()
		var r reply
		if err := json.Unmarshal([]byte(a.body), &r); err != nil || r.PublicKey == nil {
			t.Fatal(a.status, a.body)
		}
		return string(r.PublicKey)
	}
	reg, err := virtualwebauthn.ParseAttestationOptions(options(h.script("/security/passkeys/begin", "{}")))
	if err != nil {
		t.Fatal(err)
	}
	auth.Options.UserHandle = []byte(reg.UserID)
	a := h.script("/security/passkeys/finish", `{"credential":`+virtualwebauthn.CreateAttestationResponse(rp, auth, cred, *reg)+`}`)
	if a.status != http.StatusOK || !strings.Contains(a.body, "/security?done=passkey") {
		t.Fatal(a.status, a.body)
	}
	page := h.get("/security")
	key := regexp.MustCompile(`/security/passkeys/[0-9a-z]{26}`).FindString(page.body)
	if h.post(key+"/rename", "name", " ").status != http.StatusUnprocessableEntity || h.post(key+"/rename", "name", "<i>Blue").to != "/security?done=renamed" {
		t.Fatal("rename")
	}
	h.get("/security").says(t, "&lt;i&gt;Blue", "Not used yet")
	if a := h.post(key+"/remove", "others", "yes"); a.status != http.StatusForbidden { // AAL3 from AAL2 (AUT-18)
		t.Fatal(a.status)
	}
	h.get("/security/passkeys/none").is(t, http.StatusTeapot)
	h.post("/signout")

	use := func(path, extra string) answer {
		t.Helper()
		ask, err := virtualwebauthn.ParseAssertionOptions(options(h.script(path+"/begin", "{}")))
		if err != nil {
			t.Fatal(err)
		}
		cred.Counter++
		return h.script(path+"/finish", `{`+extra+`"credential":`+virtualwebauthn.CreateAssertionResponse(rp, auth, cred, *ask)+`}`)
	}
	rp.Origin = "http://evil.test"
	if a := use("/signin/passkey", ""); a.status != http.StatusUnauthorized || h.get("/security").status != http.StatusSeeOther {
		t.Fatal("foreign origin", a.status)
	}
	rp.Origin = h.server.URL
	if a := use("/signin/passkey", `"next":"//evil.test",`); a.status != http.StatusOK || !strings.Contains(a.body, `{"next":"/"}`) {
		t.Fatal(a.status, a.body)
	}
	h.pass(6 * time.Minute)
	if a := use("/signin/again", `"next":"/security",`); !strings.Contains(a.body, `{"next":"/security"}`) {
		t.Fatal(a.status, a.body)
	}
	if a := h.post(key + "/remove"); a.to != "/security?done=removed" {
		t.Fatal(a.status, a.to)
	}
	if a := h.script("/signin/passkey/finish", "not json"); a.status != http.StatusUnauthorized {
		t.Fatal(a.status)
	}
}

func TestFirstSignin(t *testing.T) {
	h := newHouse(t)
	acc, err := h.id.Accounts.Create(t.Context(), identity.Account{Kind: identity.Patient, Name: "Newcomer", Login: "new@example.org", Chart: 8})
	if err != nil {
		t.Fatal(err)
	}
	code, err := h.id.Enrol.Issue(t.Context(), acc.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	h.post("/signin/start", "code", "nonsense").says(t, "That code is not right")
	if a := h.post("/signin/start", "code", strings.ToLower(code)); a.to != "/signin/setup" {
		t.Fatal(a.status, a.to)
	}
	page := h.get("/signin/setup")
	page.says(t, "Hello Newcomer", "data-pk-add")
	h.secret = strings.ReplaceAll(regexp.MustCompile(`class="num">([A-Z2-7 ]+)<`).FindStringSubmatch(page.body)[1], " ", "")
	h.post("/signin/setup", "password", "short", "code", h.code()).says(t, "too short")
	h.post("/signin/setup", "password", pass, "code", "000000").says(t, "That code is not right")
	if a := h.post("/signin/setup", "password", pass, "code", h.code()); a.to != "/security/recovery" {
		t.Fatal(a.status, a.to, text(a.body))
	}
	h.get("/security/recovery").says(t, "Make 8 new codes")
}

// Every page is whole in every language, without inline script or style.
func TestLanguages(t *testing.T) {
	h := newHouse(t)
	pages := []string{"/signin", "/signin/start", "/signout"}
	inside := []string{"/signin/again", "/security", "/security/password", "/security/app", "/security/recovery"}
	bad := regexp.MustCompile(`(?i)\sstyle=|<style|\son[a-z]+=|<script>|javascript:|signin\.[a-z]+\.|security\.[a-z]+\.`)
	for _, lang := range []string{"en", "es", "ar"} {
		h.lang = lang
		for _, p := range pages {
			h.whole(p, bad)
		}
		h.signin("")
		for _, p := range inside {
			h.whole(p, bad)
		}
		h.post("/signout")
	}
}

func (h *house) whole(path string, bad *regexp.Regexp) {
	h.t.Helper()
	a := h.get(path)
	if a.status != http.StatusOK || !strings.Contains(a.body, `lang="`+h.lang+`"`) {
		h.t.Errorf("%s %s: %d", h.lang, path, a.status)
	}
	if m := bad.FindString(a.body); m != "" {
		h.t.Errorf("%s %s holds %q", h.lang, path, m)
	}
}

func (a answer) is(t *testing.T, status int) {
	t.Helper()
	if a.status != status {
		t.Errorf("%d, want %d", a.status, status)
	}
}
