package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/wellgate/wellgate/demo"
	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/identity"
	"github.com/wellgate/wellgate/trust/vault"
)

// system is the practice's own tools at work, as the audit log names them.
func system(tool string) identity.Who {
	return identity.Who{Account: "system:" + tool, Kind: identity.System, Name: "Wellgate " + tool}
}

// logName makes an audit log origin that no other practice has.
func logName() string {
	var b [6]byte
	rand.Read(b[:])
	return "wellgate/practice-" + hex.EncodeToString(b[:])
}

// fill makes keys, store, people and accounts of a new demo. demo.json is written last: it says that all the rest is there.
func (c *demoCmd) fill(ctx context.Context, o opening) (*house, demoState, error) {
	st := demoState{Seed: c.Seed}
	h, err := c.found(ctx, o, &st)
	if h != nil {
		err = errors.Join(err, h.Close())
	}
	if err != nil {
		return nil, st, err
	}
	if err := writeDemo(c.Dir, st); err != nil {
		return nil, st, err
	}
	h, err = open(ctx, o) // afresh: every record is warm and every connection has grown from filling
	return h, st, err
}

func (c *demoCmd) found(ctx context.Context, o opening, st *demoState) (*house, error) {
	now := now(o)
	p, err := demo.Generate(c.Seed, now)
	if err != nil {
		return nil, err
	}
	st.Made = now
	if _, err := vault.CreateRoot(filepath.Join(c.Dir, keyFile), nil); err != nil { // somebody else began first
		return nil, problemf("%s is being filled by another wellgate; wait for it, or choose another --dir", c.Dir)
	}
	cfg := config{
		Name: p.Name, Phone: p.Phone, Emergency: p.Emergency, Colour: p.Colour, Zone: p.Zone, Host: "localhost", Log: logName(), Store: c.Store,
	}
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if err := writeConfig(c.Dir, cfg); err != nil {
		return nil, problemf("cannot write to %s: %v", c.Dir, plain(err))
	}
	h, err := open(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := h.deliverDemo(ctx, p); err != nil {
		return h, err
	}
	return h, h.peopleDemo(ctx, p, st)
}

// deliverDemo stores the practice's directory and every patient's record, each in one transaction. Records are checked
// side by side; only the writing waits its turn.
func (h *house) deliverDemo(ctx context.Context, p *demo.Practice) error {
	act := h.charts.Begin(system("demo"), "demo.fill")
	if _, err := h.charts.Deliver(ctx, act, chart.Delivery{What: "demo.fill", Resources: p.Directory}); err != nil {
		return fmt.Errorf("demo directory: %w", err)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, patient := range p.Patients {
		g.Go(func() error { return h.deliverPatient(ctx, patient) })
	}
	return g.Wait()
}

func (h *house) deliverPatient(ctx context.Context, patient demo.Patient) error {
	rs := append([]fhir.Resource{patient.Resource}, patient.Record...)
	for _, f := range patient.Files {
		_, id, _ := strings.Cut(f.Ref, "/")
		b, err := fhir.New(fhir.Binary{ID: id, ContentType: f.ContentType, Data: base64Text(f.Bytes)})
		if err != nil {
			return err
		}
		rs = append(rs, b)
	}
	act := h.charts.Begin(system("demo"), "demo.fill")
	if _, err := h.charts.Deliver(ctx, act, chart.Delivery{What: "demo.fill", Resources: rs}); err != nil {
		return fmt.Errorf("demo patient %s: %w", patient.Resource.ID(), err)
	}
	return nil
}

// peopleDemo makes the accounts; those shown on the console get a password and an authenticator secret.
func (h *house) peopleDemo(ctx context.Context, p *demo.Practice, st *demoState) error {
	var accs []identity.Account // those shown on the console
	var users []demoUser
	for _, s := range p.Staff {
		acc, err := h.identity.Accounts.Create(ctx, identity.Account{
			Kind: identity.Staff, Role: identity.Role(s.Role), Name: s.Name, Login: s.Login, Practitioner: s.Practitioner,
		})
		if err != nil {
			return fmt.Errorf("demo staff: %w", err)
		}
		if s.Hero {
			accs, users = append(accs, acc), append(users, demoUser{Name: s.Name, Story: s.Story, Staff: true, Role: s.Role})
		}
	}
	for _, patient := range p.Patients {
		if patient.Login == "" {
			continue
		}
		num, ok, err := h.charts.PatientChart(ctx, patient.Resource.ID())
		if err != nil || !ok {
			return fmt.Errorf("demo patient %s has no chart: %w", patient.Resource.ID(), err)
		}
		acc, err := h.identity.Accounts.Create(ctx, identity.Account{
			Kind: identity.Patient, Name: patient.DisplayName, Login: patient.Login, Chart: num,
		})
		if err != nil {
			return fmt.Errorf("demo patient: %w", err)
		}
		if patient.Hero {
			accs, users = append(accs, acc), append(users, demoUser{Name: patient.DisplayName, Story: patient.Story})
		}
	}
	return h.signinsDemo(ctx, st, accs, users)
}

// signinsDemo makes the sign-ins side by side: a password is slow to hash on purpose.
func (h *house) signinsDemo(ctx context.Context, st *demoState, accs []identity.Account, users []demoUser) error {
	made := make([]demoState, len(users))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range users {
		g.Go(func() error { return h.signinDemo(ctx, &made[i], accs[i], users[i]) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, m := range made {
		st.Signins = append(st.Signins, m.Signins...)
	}
	return nil
}

func (h *house) signinDemo(ctx context.Context, st *demoState, acc identity.Account, u demoUser) error {
	u.Login, u.Password = acc.Login, madeUpPassword()
	if err := h.identity.Passwords.Set(ctx, acc.ID, u.Password); err != nil {
		return fmt.Errorf("demo sign-in: %w", err)
	}
	setup, err := h.identity.OneTime.Set(ctx, acc.ID)
	if err != nil {
		return fmt.Errorf("demo sign-in: %w", err)
	}
	u.Secret = setup.Secret
	st.Signins = append(st.Signins, u)
	return nil
}

// madeUpPassword is easy to type and passes the rules that hold for everybody.
func madeUpPassword() string {
	t := strings.ToLower(rand.Text())
	return t[:5] + "-" + t[5:10] + "-" + t[10:15]
}
