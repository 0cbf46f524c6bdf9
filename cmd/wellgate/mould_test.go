package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"github.com/wellgate/wellgate/demo"
	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/identity"
	"github.com/wellgate/wellgate/trust/policy"
	"github.com/wellgate/wellgate/trust/vault"
)

// A mould is a small practice as it lies on disk, made once and copied for each test that wants one.
type mould struct {
	files map[string][]byte
	users []demoUser
	now   time.Time
	err   error
}

var theMould = sync.OnceValue(makeMould)

// cheap are the lowest argon2id parameters that identity accepts: tests sign in often.
var cheap = identity.HashParams{MiB: 19, Time: 2, Threads: 1}

// Marked resources of amina's: what the labels R, HIV and V keep from whom is in the matrix (PRV-03).
var marked = map[string]string{
	"hiv-test": `{"resourceType":"Observation","id":"hiv-test","meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"HIV"}]},` +
		`"status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}]}],` +
		`"code":{"text":"Quietmark test"},"subject":{"reference":"Patient/me"},"effectiveDateTime":"2026-10-01","valueString":"Quietmark value"}`,
	"sealed-test": `{"resourceType":"Observation","id":"sealed-test","meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"V"}]},` +
		`"status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}]}],` +
		`"code":{"text":"Deepmark test"},"subject":{"reference":"Patient/me"},"effectiveDateTime":"2026-10-02","valueString":"Deepmark value"}`,
	"quiet-letter": `{"resourceType":"DocumentReference","id":"quiet-letter","meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"R"}]},` +
		`"status":"current","type":{"text":"Quietmark letter"},"date":"2026-10-03T10:00:00Z","subject":{"reference":"Patient/me"},` +
		`"content":[{"attachment":{"contentType":"text/plain","data":"UXVpZXRtYXJrIHdvcmRz"}}]}`,
	"quiet-visit": `{"resourceType":"Encounter","id":"quiet-visit","meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"PSY"}]},` +
		`"status":"finished","class":{"code":"AMB"},"type":[{"text":"Quietmark visit"}],"subject":{"reference":"Patient/me"},"period":{"start":"2026-10-04T10:00:00Z"}}`,
}

func makeMould() *mould {
	m := &mould{files: map[string][]byte{}, now: time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC)}
	dir, err := os.MkdirTemp("", "wellgate-mould-")
	if err != nil {
		m.err = err
		return m
	}
	defer os.RemoveAll(dir)
	m.err = errors.Join(m.fill(dir), m.read(dir))
	return m
}

func (m *mould) fill(dir string) (err error) {
	p, err := demo.Generate(1, m.now)
	if err != nil {
		return err
	}
	p.Patients = slices.DeleteFunc(p.Patients, func(x demo.Patient) bool { return !x.Hero })
	for i := range p.Staff { // everybody can sign in by password here; a product's staff cannot
		p.Staff[i].Hero = true
	}
	p.Staff = append(p.Staff, demo.StaffMember{Name: "Olga Auditor", Login: "olga@example.com", Role: string(identity.Auditor), Hero: true})
	if _, err := vault.CreateRoot(filepath.Join(dir, keyFile), nil); err != nil {
		return err
	}
	if err := writeConfig(dir, config{Name: p.Name, Phone: p.Phone, Emergency: p.Emergency, Colour: p.Colour, Zone: p.Zone, Host: "localhost", Log: "test/log"}); err != nil {
		return err
	}
	h, err := openTest(dir, func() time.Time { return m.now }, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	ctx := context.Background()
	if err := h.deliverDemo(ctx, p); err != nil {
		return err
	}
	var st demoState
	if err := h.peopleDemo(ctx, p, &st); err != nil {
		return err
	}
	if err := m.others(ctx, h, &st, p); err != nil {
		return err
	}
	m.users = st.Signins
	return nil
}

// others makes what a demo has not: a patient account without a record, marked resources, and a passkey of amina's.
func (m *mould) others(ctx context.Context, h *house, st *demoState, p *demo.Practice) error {
	acc, err := h.identity.Accounts.Create(ctx, identity.Account{Kind: identity.Patient, Name: "Nora Unlinked", Login: "nora@example.com"})
	if err != nil {
		return err
	}
	u := demoUser{Name: acc.Name, Login: acc.Login, Password: madeUpPassword()}
	setup, err := h.identity.OneTime.Set(ctx, acc.ID)
	if err = errors.Join(err, h.identity.Passwords.Set(ctx, acc.ID, u.Password)); err != nil {
		return err
	}
	u.Secret = setup.Secret
	st.Signins = append(st.Signins, u)
	for _, x := range p.Patients {
		if !strings.HasPrefix(x.DisplayName, "Amina") {
			continue
		}
		for _, js := range marked {
			if err := h.deliverJSON(ctx, x.Resource.Ref(), js); err != nil {
				return err
			}
		}
		acc, err := h.identity.Accounts.ByLogin(ctx, x.Login)
		if err != nil {
			return err
		}
		return m.passkey(ctx, h, acc)
	}
	return errors.New("no Amina in the demo")
}

func (m *mould) passkey(ctx context.Context, h *house, acc identity.Account) error {
	who := identity.Who{Account: acc.ID, Kind: acc.Kind, Name: acc.Name, Chart: acc.Chart, Session: "mould", AAL: 3, Proved: m.now}
	options, step, err := h.identity.Passkeys.BeginAdd(ctx, who)
	if err != nil {
		return err
	}
	o, err := virtualwebauthn.ParseAttestationOptions(string(options))
	if err != nil {
		return err
	}
	rp := virtualwebauthn.RelyingParty{ID: "localhost", Name: h.config.Name, Origin: "http://" + testHost}
	auth := virtualwebauthn.NewAuthenticator()
	auth.Options.UserHandle = []byte(o.UserID)
	answer := virtualwebauthn.CreateAttestationResponse(rp, auth, virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2), *o)
	_, err = h.identity.Passkeys.FinishAdd(ctx, who, step, "Amina’s own key", []byte(answer), identity.From{})
	return err
}

func (m *mould) read(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == readsDir { // empty once it is closed
			return fs.SkipDir
		}
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		m.files[rel], err = os.ReadFile(path)
		return err
	})
}

func (m *mould) copyTo(t testing.TB, dir string) {
	t.Helper()
	if m.err != nil {
		t.Fatal("making the practice: ", m.err)
	}
	for rel, b := range m.files {
		path := filepath.Join(dir, rel)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// openTest opens a practice as the demo does, with cheaper password checks, and with other rules if texts has any.
func openTest(dir string, clock func() time.Time, texts map[string]string) (*house, error) {
	return openTestBy(dir, nil, clock, texts)
}

func openTestBy(dir string, root vault.Root, clock func() time.Time, texts map[string]string) (*house, error) {
	return openTestWith(opening{dir: dir, clock: clock, root: root}, texts)
}

func openTestWith(o opening, texts map[string]string) (*house, error) {
	ctx := context.Background()
	o.demo, o.insecure, o.origins = true, true, []string{"http://" + testHost}
	h, err := open(ctx, o)
	if err != nil {
		return nil, err
	}
	if err = h.cheapIdentity(ctx, o.origins, h.charts.Newest); err != nil || texts == nil {
		return h, err
	}
	return h, errors.Join(h.charts.Close(), h.otherRules(ctx, texts))
}

// cheapIdentity opens the accounts again, with cheap password checks. Without newest nobody looks for accounts that were put back.
func (h *house) cheapIdentity(ctx context.Context, origins []string, newest func(context.Context, string, int64) (int64, error)) (err error) {
	h.identity, err = identity.Open(ctx, identity.Options{
		DB: h.db, Vault: h.vault, Clock: h.clock, Practice: h.config.Name, RPID: h.config.Host, Origins: origins,
		Event: h.charts.Event, Newest: newest, StaffPasswordInDemo: true, InsecureLocalhost: true, Hash: cheap,
	})
	return err
}

// otherRules opens the charts again under other rules: what a mistake in a policy would do.
func (h *house) otherRules(ctx context.Context, texts map[string]string) error {
	set, err := policy.New(texts)
	if err != nil {
		return err
	}
	h.charts, err = chart.New(ctx, chart.Config{
		DB: h.db, Vault: h.vault, Journal: h.journal, Policy: set, Guards: guards(h.rooms),
		Origin: h.config.Log, Anchor: filepath.Join(h.dir, anchorFile), Reads: h.reads(), Clock: h.clock,
	})
	return err
}

// deliverJSON stores a resource in the record of patient ("Patient/…"), which it calls Patient/me.
func (h *house) deliverJSON(ctx context.Context, patient, js string) error {
	js = strings.ReplaceAll(js, "Patient/me", patient)
	if !json.Valid([]byte(js)) {
		return fmt.Errorf("not JSON: %s", js)
	}
	r, err := fhir.Parse([]byte(js))
	if err != nil {
		return err
	}
	_, err = h.charts.Deliver(ctx, h.charts.Begin(system("test"), "test"), chart.Delivery{What: "test", Resources: []fhir.Resource{r}})
	return err
}
