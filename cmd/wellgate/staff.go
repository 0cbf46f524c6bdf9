package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/wellgate/wellgate/trust/identity"
)

// Staff accounts, one person each. What these commands do is in the audit log with the person it was done to.
type staffCmd struct {
	Invite  staffInviteCmd  `cmd:"" help:"Make an account for a member of staff, and show its first code once."`
	List    staffListCmd    `cmd:"" help:"List staff accounts, and which of them nobody uses any more."`
	Role    staffRoleCmd    `cmd:"" help:"Give somebody another role; they sign in again."`
	Code    staffCodeCmd    `cmd:"" help:"Make a new first code for somebody who has not signed in yet."`
	Disable staffDisableCmd `cmd:"" help:"Shut an account at once: every session of it ends."`
	Enable  staffEnableCmd  `cmd:"" help:"Open a shut account again."`
}

// staffFlags are those that every staff command has.
type staffFlags struct {
	storeFlag
	Dir        string `default:"." help:"The practice's folder."`
	Passphrase string `name:"passphrase-file" help:"File that holds the passphrase of root.key, if the portal does not run."`
}

func (f staffFlags) ask(ctx context.Context, path string, ask, out any) error {
	return operate(ctx, opening{dir: f.Dir, store: f.Store}, f.Passphrase, path, ask, out)
}

// byStaffCommand names these commands in the audit log.
const byStaffCommand = "system:staff"

// leaverAfter is how long an account may lie unused before the list asks whether its person has left.
const leaverAfter = 60 * 24 * time.Hour

type staffInviteCmd struct {
	staffFlags
	Login        string `required:"" help:"E-mail address to sign in with; one person's own."`
	Name         string `required:"" help:"The person's name, as patients see it in \"who looked\"."`
	Role         string `required:"" enum:"clinician,nurse,dentist,hygienist,front-desk,billing,privacy-officer,administrator,auditor" help:"What they may do."`
	Practitioner string `help:"Who they are in the directory: Practitioner/ID."`
}

type staffWish struct {
	Login        string `json:"login"`
	Name         string `json:"name"`
	Role         string `json:"role"`
	Practitioner string `json:"practitioner"`
}

type staffCode struct {
	Name string `json:"name"`
	Host string `json:"host"`
	Code string `json:"code"`
}

func (c staffCode) print() {
	fmt.Printf("%s: open https://%s/signin/start within 24 hours and enter\n\n    %s\n\nIt is shown once and works once. Hand it over yourself, to the person and nobody else.\n", c.Name, c.Host, c.Code)
}

// Run makes the account without any way in but the code: nobody else ever knows how its person signs in.
func (c *staffInviteCmd) Run(ctx context.Context) error {
	var made staffCode
	if err := c.ask(ctx, "/staff/invite", staffWish{c.Login, c.Name, c.Role, c.Practitioner}, &made); err != nil {
		return err
	}
	made.print()
	return nil
}

func (h *house) inviteStaff(ctx context.Context, w staffWish) (staffCode, error) {
	if !strings.Contains(w.Login, "@") {
		return staffCode{}, problemf("give the person's own e-mail address as --login")
	}
	acc, err := h.identity.Accounts.Create(ctx, identity.Account{
		Kind: identity.Staff, Role: identity.Role(w.Role), Name: w.Name, Login: w.Login, Practitioner: w.Practitioner,
	})
	if errors.Is(err, identity.ErrTaken) {
		return staffCode{}, problemf("there is an account with the login %s already; every person has one of their own", w.Login)
	}
	if err != nil {
		return staffCode{}, err
	}
	return h.codeForStaff(ctx, acc)
}

func (h *house) codeForStaff(ctx context.Context, acc identity.Account) (staffCode, error) {
	code, err := h.identity.Enrol.Issue(ctx, acc.ID, byStaffCommand)
	if errors.Is(err, identity.ErrEnrolled) {
		return staffCode{}, problemf("%s has a way to sign in already", acc.Name)
	}
	return staffCode{acc.Name, h.config.Host, code}, err
}

// staffNamed is the staff account of a login. Patients are none of these commands' business.
func (h *house) staffNamed(ctx context.Context, login string) (identity.Account, error) {
	acc, err := h.identity.Accounts.ByLogin(ctx, login)
	if errors.Is(err, identity.ErrNotFound) || err == nil && acc.Kind != identity.Staff {
		return identity.Account{}, problemf("no member of staff signs in as %s; see wellgate staff list", login)
	}
	return acc, err
}

type staffListCmd struct {
	staffFlags
	Unused bool `help:"Only accounts that are open and unused for 60 days: has their person left?"`
	JSON   bool `help:"Print as JSON."`
}

type staffLine struct {
	Login   string    `json:"login"`
	Name    string    `json:"name"`
	Role    string    `json:"role"`
	Created time.Time `json:"created"`
	Used    time.Time `json:"used,omitzero"` // last sign-in
	State   string    `json:"state"`         // open, shut, invited
	Unused  bool      `json:"unused"`        // open, and nobody came for 60 days
	Live    int       `json:"sessions"`
}

// Run lists staff by name.
func (c *staffListCmd) Run(ctx context.Context) error {
	var list []staffLine
	if err := c.ask(ctx, "/staff/list", struct{}{}, &list); err != nil {
		return err
	}
	if c.Unused {
		kept := list[:0]
		for _, l := range list {
			if l.Unused {
				kept = append(kept, l)
			}
		}
		list = kept
	}
	if c.JSON {
		return printJSON(list)
	}
	for _, l := range list {
		used := "never signed in"
		if !l.Used.IsZero() {
			used = "last signed in " + l.Used.Format(time.DateOnly)
		}
		if l.Live > 0 {
			used += ", " + strconv.Itoa(l.Live) + " signed in now"
		}
		if l.Unused {
			used += "; unused for 60 days"
		}
		fmt.Printf("%-8s %-15s %-28s %-28s %s\n", l.State, l.Role, l.Name, l.Login, used)
	}
	if len(list) == 0 && c.Unused {
		fmt.Println("Every open account was used in the last 60 days.")
	}
	return nil
}

func (h *house) listStaff(ctx context.Context) ([]staffLine, error) {
	all, err := h.identity.Accounts.List(ctx, identity.Staff)
	if err != nil {
		return nil, err
	}
	out := []staffLine{}
	for _, a := range all {
		l := staffLine{Login: a.Login, Name: a.Name, Role: string(a.Role), Created: a.Created, Used: a.LastSignin, State: "open"}
		live, err := h.identity.Sessions.List(ctx, a.ID)
		if err != nil {
			return nil, err
		}
		l.Live = len(live)
		seen := a.LastSignin
		if seen.IsZero() {
			l.State, seen = "invited", a.Created
		}
		if a.Disabled {
			l.State = "shut"
		}
		l.Unused = !a.Disabled && l.Live == 0 && h.clock().Sub(seen) >= leaverAfter
		out = append(out, l)
	}
	return out, nil
}

type staffRoleCmd struct {
	staffFlags
	Login string `arg:"" name:"login" help:"Whose role."`
	Role  string `required:"" enum:"clinician,nurse,dentist,hygienist,front-desk,billing,privacy-officer,administrator,auditor" help:"What they may do from now on."`
}

// staffAct is one act on one account.
type staffAct struct {
	Login string `json:"login"`
	Act   string `json:"act"`
	Role  string `json:"role,omitempty"`
}

func (c *staffRoleCmd) Run(ctx context.Context) error {
	return c.act(ctx, staffAct{c.Login, "role", c.Role}, "%s has another role and signs in again.\n")
}

type staffDisableCmd struct {
	staffFlags
	Login string `arg:"" name:"login" help:"Whose account."`
}

func (c *staffDisableCmd) Run(ctx context.Context) error {
	return c.act(ctx, staffAct{c.Login, "disable", ""}, "%s is shut out: every session has ended, and none begins.\n")
}

type staffEnableCmd struct {
	staffFlags
	Login string `arg:"" name:"login" help:"Whose account."`
}

func (c *staffEnableCmd) Run(ctx context.Context) error {
	return c.act(ctx, staffAct{c.Login, "enable", ""}, "%s may sign in again.\n")
}

func (f staffFlags) act(ctx context.Context, a staffAct, said string) error {
	var done staffLine
	if err := f.ask(ctx, "/staff/act", a, &done); err != nil {
		return err
	}
	fmt.Printf(said, done.Name)
	return nil
}

// actOnStaff changes one account.
func (h *house) actOnStaff(ctx context.Context, a staffAct) (staffLine, error) {
	acc, err := h.staffNamed(ctx, a.Login)
	if err != nil {
		return staffLine{}, err
	}
	accounts := h.identity.Accounts
	switch a.Act {
	case "role":
		err = accounts.SetRole(ctx, acc.ID, identity.Role(a.Role), byStaffCommand)
	case "disable":
		err = accounts.Disable(ctx, acc.ID, byStaffCommand)
	case "enable":
		err = accounts.Enable(ctx, acc.ID, byStaffCommand)
	default:
		err = problemf("no such act on an account: %q", a.Act)
	}
	return staffLine{Login: acc.Login, Name: acc.Name}, err
}

type staffCodeCmd struct {
	staffFlags
	Login string `arg:"" name:"login" help:"Whose account."`
}

// Run replaces the first code of an account that was invited: an earlier one no longer works.
func (c *staffCodeCmd) Run(ctx context.Context) error {
	var made staffCode
	if err := c.ask(ctx, "/staff/code", staffAct{Login: c.Login}, &made); err != nil {
		return err
	}
	made.print()
	return nil
}

func (h *house) newCodeForStaff(ctx context.Context, a staffAct) (staffCode, error) {
	acc, err := h.staffNamed(ctx, a.Login)
	if err != nil {
		return staffCode{}, err
	}
	if acc.Disabled {
		return staffCode{}, problemf("%s is shut; open the account first: wellgate staff enable %s", acc.Name, acc.Login)
	}
	return h.codeForStaff(ctx, acc)
}
