package main

import (
	"context"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/pquerna/otp/totp"

	"github.com/wellgate/wellgate/doors/files"
	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/trust/identity"
)

// Nothing that people bring or type is readable anywhere but on their pages: not in the database, its log and its copies,
// not in temporary files, logs, addresses, headers or titles (P1, WEB-07, CRY-07).
func TestCanaries(t *testing.T) {
	outside := t.TempDir() // where the patient's file comes from; not ours to seal
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	t.Setenv("SQLITE_TMPDIR", temp)
	w := newWorld(t)
	c := &canaries{w: w, t: t, temp: temp, eyes: &lookout{}, logs: &syncBuffer{}}
	c.listen()
	for name, value := range planted {
		c.eyes.watch(name, value)
	}
	c.demoToo()
	c.bring(outside)
	c.look("after the import")
	c.signin()
	c.typeThings()
	c.look("while it runs")
	c.crawl("canary", "/", 150)
	c.crawl("priya", "/desk/"+w.users["canary"].public+"/record", 150)
	c.take()
	c.spoil()
	copied := c.copyRunning()
	c.look("after all")
	c.report("a copy taken while it ran", c.eyes.folder(t, copied))
	w.close()
	c.look("after it stopped")
	hits, values := c.eyes.columns(t, w.dir)
	c.report("columns", hits)
	if values < 1000 {
		t.Errorf("only %d values were looked at", values)
	}
	c.report("the log", c.eyes.find([]byte(c.logs.String()+w.logs.String())))
	for _, said := range c.door.out {
		c.report("what left beside the page", prefixAll(said, c.eyes.find([]byte(said))))
	}
	for _, set := range c.door.cookies { // a cookie may say itself, and nothing else
		hits := slices.DeleteFunc(c.eyes.find([]byte(set)), func(h string) bool { return strings.HasPrefix(h, cookieCanary) })
		c.report("a cookie", hits)
	}
	if n := c.count; n < 50 {
		t.Errorf("only %d strings were planted", n)
	}
	if !strings.Contains(c.logs.String(), "level=DEBUG") && !strings.Contains(c.logs.String(), "level=INFO") {
		t.Error("nothing was logged, so nothing was proved of it")
	}
	t.Run("it can fail", func(t *testing.T) { c.canFail(t) })
}

type canaries struct {
	w     *world
	t     *testing.T
	temp  string
	eyes  *lookout
	door  *overhearer
	logs  *syncBuffer
	count int
}

// listen puts the overhearer at the door and turns the log all the way up.
func (c *canaries) listen() {
	c.count = len(planted)
	log := slog.New(slog.NewTextHandler(c.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	old := slog.Default()
	slog.SetDefault(log)
	c.t.Cleanup(func() { slog.SetDefault(old) })
	door, err := c.w.h.door(doorway{hosts: []string{testHost}, demo: true, log: log})
	c.w.must(err)
	c.door = &overhearer{next: door}
	c.w.door = c.door
}

func (c *canaries) watch(name, value string) {
	c.t.Helper()
	if len(value) < 6 {
		c.t.Fatalf("%s is too short to be told from chance: %q", name, value)
	}
	c.eyes.watch(name, value)
	c.count++
}

// demoToo watches the people whom the demo fills in, and how they sign in.
func (c *canaries) demoToo() {
	for _, u := range []string{"amina", "priya"} {
		x := c.w.users[u]
		c.watch(u+"'s sign-in name", x.login)
		c.watch(u+"'s name", x.account.Name)
		c.watch(u+"'s password", x.password)
		c.watch(u+"'s authenticator secret", x.secret)
		raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(x.secret)
		c.w.must(err)
		c.watch(u+"'s authenticator secret, decoded", string(raw))
	}
	s := c.w.h.charts.System(c.w.h.charts.Begin(system("test"), "test"), c.w.users["amina"].account.Chart)
	r, err := s.Patient(context.Background())
	c.w.must(err)
	var p struct {
		Telecom []struct{ Value string }
		Address []struct{ Line []string }
	}
	c.w.must(json.Unmarshal(r.Raw(), &p))
	for _, x := range p.Telecom {
		c.watch("amina's telecom", x.Value)
	}
	for _, x := range p.Address {
		c.watch("amina's address", x.Line[0])
	}
}

// bring imports the planted patient, and a file that is refused for what stands in it.
func (c *canaries) bring(dir string) {
	good, bad := filepath.Join(dir, "good.json"), filepath.Join(dir, "bad.json")
	c.w.must(os.WriteFile(good, plantedBundle(), 0o600))
	wrong := `{"resourceType":"Patient","id":"refused-one","birthDate":"` + planted["street"] + `","name":[{"family":"` + planted["town"] + `"}],"gender":"` + planted["phone"] + `"}`
	c.w.must(os.WriteFile(bad, []byte(wrong), 0o600))
	l := &files.Loader{House: c.w.h.charts, Who: system("import")}
	rep, err := l.Load(context.Background(), []string{good, bad})
	c.w.must(err)
	if rep.Files != 1 || len(rep.Refusals) != 1 || rep.Patients != 1 {
		c.t.Fatalf("the planted file did not go in as it should: %+v", rep)
	}
	c.report("why a file was refused", c.eyes.find(fmt.Append(nil, rep.Refusals)))
}

// signin gives the planted patient an account and signs in, wrongly first.
func (c *canaries) signin() {
	ctx, w := context.Background(), c.w
	num, ok, err := w.h.charts.PatientChart(ctx, "canary")
	w.must(err)
	if !ok {
		c.t.Fatal("the planted patient has no record")
	}
	u := &user{name: "canary", login: planted["patient's e-mail"], password: "heron lighthouse trombone 4711", public: w.h.charts.PublicID(num)}
	u.account, err = w.h.identity.Accounts.Create(ctx, identity.Account{Kind: identity.Patient, Name: planted["given name"] + " " + planted["family name"], Login: u.login, Chart: num})
	w.must(err)
	w.must(w.h.identity.Passwords.Set(ctx, u.account.ID, u.password))
	setup, err := w.h.identity.OneTime.Set(ctx, u.account.ID)
	w.must(err)
	u.secret = setup.Secret
	w.users["canary"] = u
	c.watch("password", u.password)
	c.watch("authenticator secret", u.secret)
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(u.secret)
	w.must(err)
	c.watch("authenticator secret, decoded", string(raw))
	for name, v := range map[string]string{
		"comment": typedComment, "reason for opening": typedOther, "search words": typedSearch, "user agent": typedAgent, "name searched for": typedName,
		"wrong sign-in name": typedLogin, "wrong password": typedPassword, "new password": newPassword, "wrong code": typedCode, "network address": typedIP,
	} {
		c.watch(name, v)
	}
	b := w.browser()
	b.agent, b.ip = typedAgent, typedIP
	c.want(b.post("/signin/password", url.Values{"login": {typedLogin}, "password": {typedPassword}}), 200, 422, 401, 403)
	c.want(b.post("/signin/start", url.Values{"code": {typedCode}}), 200, 422, 401, 403)
	b.signin(u)
	u.browser = b
	for k, v := range b.cookies {
		if len(v) > 20 { // shorter ones are preferences
			c.watch(cookieCanary+k, v)
		}
	}
}

// cookieCanary begins the names of the canaries that only Set-Cookie may say.
const cookieCanary = "cookie "

// typeThings is a morning's use of the portal: search, wrong searches, a reason, a comment, a new password, recovery codes.
func (c *canaries) typeThings() {
	w := c.w
	me, dr := w.as("canary"), w.as("priya")
	dr.agent, dr.ip = typedAgent, typedIP
	c.want(me.post("/results", url.Values{"q": {typedSearch}}), 200)
	c.want(me.post("/results", url.Values{"q": {planted["lab's name"]}}), 200)
	c.want(dr.post("/desk/find", url.Values{"family": {typedName}, "given": {planted["given name"]}}), 200, 422)
	found := dr.post("/desk/find", url.Values{"family": {planted["family name"]}, "number": {planted["record number"]}})
	if c.want(found, 200); !strings.Contains(found.body, planted["given name"]) {
		c.t.Error("staff do not find the planted patient by name and number")
	}
	public := w.users["canary"].public
	c.want(dr.post("/desk/open", url.Values{"patient": {public}, "purpose": {"TREAT"}, "reason": {"other"}, "other": {typedOther}}), 303)
	c.want(dr.post("/desk/"+public+"/results/can-lab/comments", url.Values{"text": {typedComment}, "do": {"check"}}), 200)
	c.want(dr.post("/desk/"+public+"/results/can-lab/comments", url.Values{"text": {typedComment}}), 303)
	c.want(dr.post("/desk/"+public+"/results", url.Values{"q": {typedSearch}}), 200)
	me.prove(w.users["canary"])
	codes := me.post("/security/recovery", nil)
	c.want(codes, 200)
	sheet := regexp.MustCompile(`[A-Z0-9]{4,5}(?:-[A-Z0-9]{4,5})+`).FindAllString(codes.body, -1)
	for i, code := range slices.Compact(sheet) {
		c.watch(fmt.Sprintf("recovery code %d", i), code)
	}
	if len(sheet) < 8 {
		c.t.Errorf("%d recovery codes on the sheet", len(sheet))
	}
	me.get("/security/password")
	c.want(me.post("/security/password", url.Values{"password": {newPassword}}), 303)
	w.pass(identity.ProofFresh)
	code, err := totp.GenerateCode(w.users["canary"].secret, w.clock())
	w.must(err)
	c.want(me.post("/signin/again", url.Values{"code": {code}}), 303)
	me.token = ""
}

func (c *canaries) want(a answer, ok ...int) {
	c.t.Helper()
	if !slices.Contains(ok, a.status) {
		c.t.Errorf("answers %d, wanted %v\n%.600s", a.status, ok, a.body)
	}
}

// crawl opens every page that links lead to.
func (c *canaries) crawl(name, from string, limit int) {
	b := c.w.as(name)
	seen, todo := map[string]bool{from: true}, []string{from}
	for len(todo) > 0 && len(seen) < limit {
		a := b.get(todo[0])
		todo = todo[1:]
		for _, m := range addressText.FindAllStringSubmatch(a.body, -1) {
			link, _, _ := strings.Cut(strings.ReplaceAll(m[1], "&amp;", "&"), "#")
			if !strings.HasPrefix(link, "/") || strings.HasPrefix(link, "/assets") || strings.Contains(link, "exit") || strings.Contains(link, "signout") || seen[link] {
				continue
			}
			seen[link] = true
			todo = append(todo, link)
		}
	}
	if len(seen) < 10 {
		c.t.Errorf("%s saw only %d pages", name, len(seen))
	}
}

// take downloads the record and proves by it that what was planted is really there.
func (c *canaries) take() {
	b := c.w.as("canary")
	all := b.get("/take/record.json")
	c.want(all, 200)
	c.want(b.get("/take/record.html"), 200)
	seen := all.body
	for _, m := range regexp.MustCompile(`"data":"([^"]{16,})"`).FindAllStringSubmatch(all.body, -1) {
		raw, err := base64.StdEncoding.DecodeString(m[1])
		c.w.must(err)
		seen += string(raw)
	}
	for name, value := range planted {
		if !strings.Contains(seen, value) {
			c.t.Errorf("%s was planted, but is not in the record", name)
		}
	}
	if !strings.Contains(seen, base64.StdEncoding.EncodeToString([]byte(typedComment))[:30]) && !strings.Contains(seen+c.door.body.String(), typedComment) {
		c.t.Error("the comment was planted, but is nowhere to be seen")
	}
}

// spoil makes requests that fail, since errors are where programs talk too much.
func (c *canaries) spoil() {
	b := c.w.as("canary")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, path := range []string{"/results", "/looked", "/results/can-lab"} {
		r := httptest.NewRequestWithContext(ctx, "GET", "http://"+testHost+path, nil)
		for k, v := range b.cookies {
			r.AddCookie(&http.Cookie{Name: k, Value: v})
		}
		func() {
			defer func() { recover() }()
			c.w.door.ServeHTTP(httptest.NewRecorder(), r)
		}()
	}
	b.get("/results/none-such")
	b.do("POST", "/results", url.Values{"q": {typedSearch}, "csrf": {"forged"}})
}

// copyRunning copies the folder as a backup tool would, with the program at work.
func (c *canaries) copyRunning() string {
	dir := filepath.Join(c.temp, "copy")
	c.w.must(os.Mkdir(dir, 0o700))
	c.w.must(filepath.WalkDir(c.w.dir, func(path string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(c.w.dir, path)
		if err != nil || d.IsDir() {
			return errors.Join(err, os.MkdirAll(filepath.Join(dir, rel), 0o700))
		}
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) || !d.Type().IsRegular() { // a segment got another name; a socket
			return nil
		}
		return errors.Join(err, os.WriteFile(filepath.Join(dir, rel), b, 0o600))
	}))
	if segments, err := filepath.Glob(filepath.Join(dir, readsDir, "seg-*")); err != nil || len(segments) == 0 {
		c.t.Error("the copy has no file of reads, so nothing was proved of it")
	}
	if info, err := os.Stat(filepath.Join(dir, storeFile+"-wal")); err != nil || info.Size() == 0 {
		c.t.Error("the copy has no write-ahead log, so nothing was proved of it")
	}
	return dir
}

func (c *canaries) look(when string) {
	c.t.Helper()
	c.report("the practice's folder "+when, c.eyes.folder(c.t, c.w.dir))
	c.report("temporary files "+when, c.eyes.folder(c.t, c.temp))
}

func (c *canaries) report(where string, hits []string) {
	c.t.Helper()
	for _, h := range hits {
		c.t.Errorf("%s: found %s", where, h)
	}
}

func prefixAll(what string, hits []string) []string {
	for i := range hits {
		hits[i] = what + ": " + hits[i]
	}
	return hits
}

// canFail plants a copy in each kind of place and sees that it is found.
func (c *canaries) canFail(t *testing.T) {
	street := planted["name in Greek"]
	wide := utf16.Encode([]rune(street))
	le := make([]byte, 0, 2*len(wide))
	for _, u := range wide {
		le = append(le, byte(u), byte(u>>8))
	}
	for how, b := range map[string][]byte{
		"clear": []byte(street), "UTF-16": le, "hex": []byte(hex.EncodeToString([]byte(street))), "JSON": []byte(`"` + url.QueryEscape(street)),
		"base64+0": base64.StdEncoding.AppendEncode(nil, []byte(street)), "base64+1": base64.StdEncoding.AppendEncode(nil, []byte("x"+street+"y")),
		"base64+2": base64.StdEncoding.AppendEncode(nil, []byte("xx"+street)),
	} {
		if got := c.eyes.find(slices.Concat([]byte("noise before "), b, []byte(" and after"))); len(got) == 0 {
			t.Errorf("a copy as %s is not found", how)
		}
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "leak.tmp"), b, 0o600); err != nil {
			t.Fatal(err)
		}
		if len(c.eyes.folder(t, dir)) == 0 {
			t.Errorf("a file with a copy as %s is not found", how)
		}
	}
	ctx := context.Background()
	db, err := store.Open(ctx, "sqlite:"+filepath.Join(c.w.dir, storeFile))
	if err != nil {
		t.Fatal(err)
	}
	err = db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, "CREATE TABLE leak (v TEXT)")
		if err == nil {
			_, err = tx.Exec(ctx, "INSERT INTO leak VALUES ($1)", strings.Repeat("x", 5000)+street)
		}
		return err
	})
	db.Close()
	if err != nil {
		t.Fatal(err)
	}
	if hits, _ := c.eyes.columns(t, c.w.dir); len(hits) == 0 {
		t.Error("a copy in a column is not found")
	}
	if len(c.eyes.folder(t, c.w.dir)) == 0 {
		t.Error("a copy in the database file is not found")
	}
}
