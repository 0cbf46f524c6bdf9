package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/wellgate/wellgate/doors/files"
)

type importCmd struct {
	storeFlag
	Dir        string   `default:"." help:"The practice's folder."`
	Passphrase string   `name:"passphrase-file" help:"File that holds the passphrase of root.key."`
	JSON       bool     `help:"Print the outcome as JSON."`
	Path       []string `arg:"" name:"path" help:"Files or folders: .json, .ndjson, each also as .gz or inside .zip." type:"path"`
}

// Run takes the files. It ends with 1 when any was refused; the others are in.
func (c *importCmd) Run(ctx context.Context) error {
	pass, err := passphrase(c.Passphrase)
	if err != nil {
		return err
	}
	h, err := open(ctx, opening{dir: c.Dir, store: c.Store, passphrase: pass})
	if err != nil {
		return err
	}
	defer h.Close()
	start := time.Now()
	l := &files.Loader{House: h.charts, Who: system("import")}
	bar := !c.JSON && term.IsTerminal(int(os.Stderr.Fd()))
	if bar {
		l.Progress = func(done, total int) { drawBar(done, total) }
	}
	if !c.JSON {
		l.Refused = func(r files.Refusal) {
			at := r.File
			if r.Where != "" {
				at += ", " + r.Where
			}
			if bar {
				fmt.Fprint(os.Stderr, "\r\033[K")
			}
			fmt.Fprintf(os.Stderr, "refused: %s: %s\n", at, r.Reason)
		}
	}
	rep, err := l.Load(ctx, c.Path)
	if bar {
		fmt.Fprintln(os.Stderr)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		if err := printJSON(rep); err != nil {
			return err
		}
	} else {
		fmt.Printf("%d files taken in %.1f s: %d patients new; %d resources new, %d changed, %d as before; %d files refused\n",
			rep.Files, time.Since(start).Seconds(), rep.Patients, rep.Created, rep.Updated, rep.Unchanged, len(rep.Refusals))
	}
	if len(rep.Refusals) > 0 {
		return errRed
	}
	return nil
}

func drawBar(done, total int) {
	const width = 40
	n := width
	if total > 0 {
		n = int(int64(width) * int64(done) / int64(total))
	}
	fmt.Fprintf(os.Stderr, "\r[%s%s] %3d%%", strings.Repeat("=", n), strings.Repeat(" ", width-n), 100*n/width)
}
