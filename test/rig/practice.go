package rig

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"github.com/wellgate/wellgate/demo"
	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/internal/clock"
	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/identity"
	"github.com/wellgate/wellgate/trust/journal"
	"github.com/wellgate/wellgate/trust/policy"
	"github.com/wellgate/wellgate/trust/vault"
)

// origin is where browsers come from; the program is reached over a Unix socket behind that name.
const origin = "https://localhost"

// A Practice is a folder, perhaps with a database elsewhere, and how to get in.
type Practice struct {
	Dir, Store, Socket string // Store "" is SQLite in Dir
	Patients           []Patient
	Spare              Patient // whom no load needs
	Clinician, Nurse   Staff   // the nurse only signs in and out
	Token              string

	http *http.Client
}

// A Patient has a record and an account.
type Patient struct {
	Public, ID, Login, Password, Secret string
	Chart                               int64
	Results                             []string // ids of laboratory results
}

// Staff sign in by passkey.
type Staff struct {
	auth virtualwebauthn.Authenticator
	cred virtualwebauthn.Credential
}

// An open is a practice opened as the program does, with the base rules only: nobody but the system reads here.
type open struct {
	db      *store.DB
	vault   *vault.Vault
	journal *journal.Journal
	house   *chart.House
}

func (o *open) close() error {
	err := o.house.Close()
	o.db.Close()
	return err
}

func openPractice(ctx context.Context, dir, url string) (_ *open, err error) {
	o := &open{}
	defer func() {
		if err != nil && o.db != nil {
			o.db.Close()
		}
	}()
	if url == "" {
		url = "sqlite:" + filepath.Join(dir, "wellgate.db")
	}
	if o.db, err = store.Open(ctx, url); err != nil {
		return nil, err
	}
	root, err := vault.OpenRoot(filepath.Join(dir, "root.key"), nil)
	if err == nil {
		o.vault, err = vault.Open(ctx, o.db, root)
	}
	if err != nil { // a rotation was cut off before the new key file took its place
		if root, err = vault.OpenRoot(filepath.Join(dir, "root.key.next"), nil); err != nil {
			return nil, err
		}
		if o.vault, err = vault.Open(ctx, o.db, root); err != nil {
			return nil, err
		}
	}
	if o.journal, err = journal.Open(ctx, o.db, o.vault); err != nil {
		return nil, err
	}
	rules, err := policy.New(nil)
	if err != nil {
		return nil, err
	}
	b, err := os.ReadFile(filepath.Join(dir, "practice.json"))
	if err != nil {
		return nil, err
	}
	var c struct{ Log string }
	if err := json.Unmarshal(b, &c); err != nil {
		return nil, err
	}
	reads := filepath.Join(dir, "reads")
	if _, err := os.Stat(reads); err != nil {
		reads = ""
	}
	o.house, err = chart.New(ctx, chart.Config{
		DB: o.db, Vault: o.vault, Journal: o.journal, Policy: rules, Origin: c.Log, Reads: reads,
		Anchor: filepath.Join(dir, "anchor.log"), Clock: clock.System,
	})
	return o, err
}

// Make fills a folder, and a database if url names one, with three patients of the demo and two of its staff.
func Make(t testing.TB, dir, url string) *Practice {
	t.Helper()
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("rig: make the practice: %v", err)
		}
	}
	must(os.MkdirAll(dir, 0o700))
	_, err := vault.CreateRoot(filepath.Join(dir, "root.key"), nil)
	must(err)
	must(os.WriteFile(filepath.Join(dir, "practice.json"), []byte(`{"name":"Rig","phone":"+1 555 0100","emergency":"911","colour":"#0f5c63",`+
		`"zone":"UTC","host":"localhost","exit":"","log":"wellgate/practice-rig"}`), 0o600))
	o, err := openPractice(ctx, dir, url)
	must(err)
	ids, err := identity.Open(ctx, identity.Options{DB: o.db, Vault: o.vault, Clock: clock.System, Practice: "Rig", RPID: "localhost",
		Origins: []string{origin}, Event: o.house.Event})
	must(err)
	d, err := demo.Generate(1, time.Now())
	must(err)
	p := &Practice{Dir: dir, Store: url}
	act := o.house.Begin(identity.Who{Account: "system:rig", Kind: identity.System, Name: "rig"}, "rig.fill")
	_, err = o.house.Deliver(ctx, act, chart.Delivery{What: "rig.fill", Resources: d.Directory})
	must(err)
	for _, who := range d.Patients {
		if who.Hero && len(p.Patients) < 3 {
			p.Patients = append(p.Patients, o.patient(t, ids, who))
		} else if who.Login != "" && p.Spare.Chart == 0 {
			p.Spare = o.patient(t, ids, who)
		}
	}
	for _, who := range d.Staff {
		switch {
		case who.Role == "clinician" && p.Clinician.auth.Options.UserHandle == nil:
			p.Clinician = staff(t, ids, who)
		case who.Role == "nurse" && p.Nurse.auth.Options.UserHandle == nil:
			p.Nurse = staff(t, ids, who)
		}
	}
	p.Token, _, err = ids.Tokens.Make(ctx, identity.Service{Name: "Rig", Scope: "system/*.cruds", Purpose: "TREAT", Expires: time.Now().Add(300 * 24 * time.Hour)}, "system:rig")
	must(err)
	must(o.close())
	p.connect()
	return p
}

func (o *open) patient(t testing.TB, ids *identity.Identity, who demo.Patient) Patient {
	t.Helper()
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("rig: make a patient: %v", err)
		}
	}
	var rs []fhir.Resource
	some := map[string]int{}
	for _, r := range slices.Backward(who.Record) { // a small record, without files: cycles are many
		typ := r.Type()
		if some[typ]++; some[typ] <= 40 && typ != "DocumentReference" && typ != "DiagnosticReport" {
			rs = append(rs, r)
		}
	}
	act := o.house.Begin(identity.Who{Account: "system:rig", Kind: identity.System, Name: "rig"}, "rig.fill")
	_, err := o.house.Deliver(ctx, act, chart.Delivery{What: "rig.fill", Resources: append([]fhir.Resource{who.Resource}, rs...)})
	must(err)
	num, _, err := o.house.PatientChart(ctx, who.Resource.ID())
	must(err)
	acc, err := ids.Accounts.Create(ctx, identity.Account{Kind: identity.Patient, Name: who.DisplayName, Login: who.Login, Chart: num})
	must(err)
	p := Patient{Public: o.house.PublicID(num), ID: who.Resource.ID(), Login: who.Login, Password: "quarrel-mitten-74-orbit", Chart: num}
	must(ids.Passwords.Set(ctx, acc.ID, p.Password))
	setup, err := ids.OneTime.Set(ctx, acc.ID)
	must(err)
	p.Secret = setup.Secret
	found, err := o.house.System(act, num).Search(ctx, "Observation", "category=laboratory&_sort=-date&_count=10")
	must(err)
	for _, e := range found {
		p.Results = append(p.Results, e.ID())
	}
	return p
}

// staff enrols somebody with a passkey, as the first code and a browser would.
func staff(t testing.TB, ids *identity.Identity, who demo.StaffMember) Staff {
	t.Helper()
	ctx := context.Background()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("rig: enrol staff: %v", err)
		}
	}
	acc, err := ids.Accounts.Create(ctx, identity.Account{Kind: identity.Staff, Role: identity.Role(who.Role), Name: who.Name, Login: who.Login, Practitioner: who.Practitioner})
	must(err)
	code, err := ids.Enrol.Issue(ctx, acc.ID, "system:rig")
	must(err)
	sealed, err := ids.Enrol.Begin(ctx, code, identity.From{})
	must(err)
	options, challenge, err := ids.Enrol.BeginPasskey(ctx, sealed)
	must(err)
	s := Staff{auth: virtualwebauthn.NewAuthenticator(), cred: virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)}
	for len(s.cred.Key.AttestationData()) != 77 { // the virtual one drops leading zeros
		s.cred = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	}
	o, err := virtualwebauthn.ParseAttestationOptions(string(options))
	must(err)
	s.auth.Options.UserHandle = []byte(o.UserID)
	_, err = ids.Enrol.FinishPasskey(ctx, challenge, "rig", []byte(virtualwebauthn.CreateAttestationResponse(relying(), s.auth, s.cred, *o)), false, identity.From{})
	must(err)
	return s
}

func relying() virtualwebauthn.RelyingParty {
	return virtualwebauthn.RelyingParty{ID: "localhost", Name: "Rig", Origin: origin}
}

// Copy puts a copy of a stopped practice's folder into dir. A database elsewhere is the caller's to copy: url is the copy's.
func (p *Practice) Copy(t testing.TB, dir, url string) *Practice {
	t.Helper()
	CopyDir(t, p.Dir, dir)
	c := *p
	c.Dir, c.Store = dir, url
	c.connect()
	return &c
}

// CopyDir copies files and folders; sockets stay behind.
func CopyDir(t testing.TB, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		at := filepath.Join(to, rel)
		if e.IsDir() {
			return os.MkdirAll(at, 0o700)
		}
		if !e.Type().IsRegular() {
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(at, b, 0o600)
	})
	if err != nil {
		t.Fatalf("rig: copy: %v", err)
	}
}

// At is the same practice seen at another folder, such as a filesystem that was mounted anew.
func (p *Practice) At(dir string) *Practice {
	c := *p
	c.Dir = dir
	c.connect()
	return &c
}

// connect gives the practice a socket outside its folder, whose name may be too long or whose disk may be full.
func (p *Practice) connect() {
	f, err := os.CreateTemp("", "rig-*.sock")
	if err != nil {
		panic(err)
	}
	p.Socket = f.Name()
	f.Close()
	os.Remove(p.Socket)
	socket := p.Socket
	p.http = &http.Client{
		Timeout: 30 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: 16, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// control asks over the socket in the folder, as `wellgate token` and `wellgate key` do.
func (p *Practice) control(path, body string) (Answer, error) {
	socket := filepath.Join(p.Dir, "control.sock")
	tr := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}
	r, err := http.NewRequest("POST", "http://control"+path, strings.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	return send(&http.Client{Transport: tr, Timeout: 60 * time.Second}, r)
}
