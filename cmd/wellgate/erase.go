package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/trust/chart"
)

type eraseCmd struct {
	storeFlag
	Dir        string `default:"." help:"The practice's folder."`
	Passphrase string `name:"passphrase-file" help:"File that holds the passphrase of root.key, if the portal does not run."`
	Patient    string `required:"" help:"The record, as it stands in the desk's addresses: 26 letters and digits."`
	Reason     string `required:"" help:"Why, in a few words. It is kept, so it must not say who the patient is."`
	Yes        bool   `help:"Really. Nothing brings the record back."`
}

// erasure is what is asked of a house.
type erasure struct {
	Patient string `json:"patient"`
	Reason  string `json:"reason"`
}

// Run asks the running portal, or does it alone when none runs.
func (c *eraseCmd) Run(ctx context.Context) error {
	if !c.Yes {
		return problemf("this destroys the record, its files and the patient's account for good; say --yes if that is meant")
	}
	var done struct{}
	if err := operate(ctx, opening{dir: c.Dir, store: c.Store}, c.Passphrase, "/erase", erasure{c.Patient, c.Reason}, &done); err != nil {
		return err
	}
	fmt.Println("The record is erased. Backups from before still hold it, locked: run `wellgate key rotate --destroy-old` and destroy every copy of the old key to close them too.")
	return nil
}

// erase destroys a record, and the account of the patient with it.
func (h *house) erase(ctx context.Context, e erasure) error {
	num, ok := h.charts.Number(e.Patient)
	if !ok {
		return problemf("%q is no record of this practice", e.Patient)
	}
	act := h.charts.Begin(system("erase"), "erase")
	err := h.charts.Erase(ctx, act, num, e.Reason, func(ctx context.Context, tx *store.Tx) error {
		return h.identity.Accounts.Remove(ctx, tx, num)
	})
	switch {
	case errors.Is(err, chart.ErrNotFound):
		return problemf("%q is no record of this practice, or it is erased already", e.Patient)
	case errors.Is(err, chart.ErrReason):
		return problemf("say in a few words why, with --reason")
	}
	return err
}
