// Command wellgate runs a practice's patient portal: one binary, one folder, one key.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/wellgate/wellgate/internal/command"
)

// cli is every subcommand; each stands in a file of its own.
type cli struct {
	Demo    demoCmd    `cmd:"" help:"Try it: a made-up practice on this computer, ready in seconds."`
	Init    initCmd    `cmd:"" help:"Make a new practice: its folder, its keys, its first account."`
	Serve   serveCmd   `cmd:"" help:"Run the portal for a practice, over TLS."`
	Import  importCmd  `cmd:"" help:"Load FHIR R4 bundles or Bulk NDJSON, plain, .gz or .zip, files or folders."`
	Store   storeCmd   `cmd:"" help:"Copy the practice to another store; rights of its database role."`
	Audit   auditCmd   `cmd:"" help:"Check the audit log."`
	Witness witnessCmd `cmd:"" help:"Remember and sign other practices' audit logs, so that none can be rewritten."`
	Key     keyCmd     `cmd:"" help:"Change the root key."`
	Token   tokenCmd   `cmd:"" help:"Let other systems in by FHIR, each with a token."`
	Erase   eraseCmd   `cmd:"" help:"Destroy a patient's record for good."`
	Doctor  doctorCmd  `cmd:"" help:"Check folder, keys, store and settings, and say what to mend."`
	Staff   staffCmd   `cmd:"" help:"Accounts of staff: invite, list, change role, shut."`
	Sim     simCmd     `cmd:"" help:"Replay attacks, and say how they end."`
	Policy  policyCmd  `cmd:"" help:"Show who may do what, as one text."`
	Routes  routesCmd  `cmd:"" help:"List every page and action with who may enter."`
}

// A problem is an error meant for the person at the keyboard: one line that says what to do.
type problem struct{ text string }

func (p problem) Error() string { return p.text }

func problemf(format string, args ...any) error { return problem{fmt.Sprintf(format, args...)} }

func main() {
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c cli
	cmd, err := command.Program{
		Name: "wellgate", About: "A patient portal that a practice runs by itself.", Commands: &c, Out: os.Stdout,
	}.Parse(args)
	if errors.Is(err, command.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "wellgate:", err)
		fmt.Fprintln(os.Stderr, "Run `wellgate --help` to see the commands.")
		return 2
	}
	err = cmd(ctx)
	var p problem
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errRed):
		return 1
	case errors.As(err, &p):
		fmt.Fprintln(os.Stderr, "wellgate:", p.text)
		return 1
	default:
		fmt.Fprintln(os.Stderr, "wellgate:", err)
		return 1
	}
}

// errRed ends a check that found something; what it found is already printed.
var errRed = errors.New("checks failed")
