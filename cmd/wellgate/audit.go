package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/wellgate/wellgate/trust/audit"
	"github.com/wellgate/wellgate/trust/chart"
)

type auditCmd struct {
	Verify auditVerifyCmd `cmd:"" help:"Recompute the whole log, or check one receipt, and say what does not fit."`
}

type auditVerifyCmd struct {
	storeFlag
	Dir        string `default:"." help:"The practice's folder."`
	Passphrase string `name:"passphrase-file" help:"File that holds the passphrase of root.key."`
	Receipt    string `help:"Check this receipt, a patient's file, instead of the log. Needs --key and no folder." type:"existingfile"`
	Key        string `name:"key" help:"The log's public key, as the practice publishes it."`
	Witness    string `help:"Key lines of witnesses that must have signed, with commas between."`
	JSON       bool   `help:"Print the outcome as JSON."`
}

// Run needs the folder for itself; a receipt needs nothing but the public key.
func (c *auditVerifyCmd) Run(ctx context.Context) error {
	if c.Receipt != "" {
		return c.receipt()
	}
	pass, err := passphrase(c.Passphrase)
	if err != nil {
		return err
	}
	h, err := openStore(ctx, opening{dir: c.Dir, store: c.Store, passphrase: pass})
	if err != nil {
		return err
	}
	defer h.Close()
	vkey, err := audit.VKey(h.config.Log, h.vault.Secret("audit-signing"))
	if err != nil {
		return err
	}
	started := h.drain(ctx)
	rep, err := audit.Verify(ctx, h.db, vkey, filepath.Join(c.Dir, anchorFile), chart.Sealer(h.journal), c.witnesses()...)
	if err != nil {
		return err
	}
	if started != nil {
		rep.Problems = append(rep.Problems, started.Error())
	}
	if c.JSON {
		if err := printJSON(rep); err != nil {
			return err
		}
	} else {
		fmt.Printf("entries %d (%d erased), checkpoints %d, anchors %d\nroot %s\nkey  %s\n", rep.Entries, rep.Erased, rep.Checkpoints, rep.Anchors, rep.Root, vkey)
		for _, w := range rep.Cosigned {
			fmt.Printf("witness %s signed %d entries at %s\n", w.Name, w.Size, w.At.Format(time.RFC3339))
		}
		if rep.Waiting > 0 {
			fmt.Printf("%d rows wait in the inbox for the next start\n", rep.Waiting)
		}
		for _, p := range rep.Problems {
			fmt.Println("PROBLEM:", p)
		}
		if len(rep.Problems) == 0 {
			fmt.Println("verified: nothing was changed, dropped, moved or added")
		}
	}
	if len(rep.Problems) > 0 {
		return errRed
	}
	return nil
}

// drain puts into the log what a crash left in the inbox and in the file of reads, as the next start would.
func (h *house) drain(ctx context.Context) error {
	err := h.openCharts(ctx, 0, nil)
	if err == nil {
		err = h.charts.Close()
	}
	h.charts = nil
	return err
}

func (c *auditVerifyCmd) witnesses() []string {
	if c.Witness == "" {
		return nil
	}
	return strings.Split(c.Witness, ",")
}

func (c *auditVerifyCmd) receipt() error {
	if c.Key == "" {
		return problemf("give the log's public key with --key; the practice publishes it, and it stands on the page of the receipt")
	}
	b, err := os.ReadFile(c.Receipt)
	if err != nil {
		return problemf("cannot read the receipt: %v", plain(err))
	}
	e, err := audit.VerifyReceipt(b, c.Key, c.witnesses()...)
	if err != nil {
		return problemf("the receipt does not hold: %v", err)
	}
	if c.JSON {
		return printJSON(map[string]any{"index": e.Index, "entry": string(e.Plain)})
	}
	fmt.Printf("verified: entry %d is in the log\n%s\n", e.Index, e.Plain)
	return nil
}
