//go:build unix

// With runs a command beside a private PostgreSQL cluster, which it names in WELLGATE_POSTGRES:
//
//	go run ./store/storetest/pgcluster/with go test ./...
//
// A cluster that is named there already is used as it is. Where no server is installed the command runs without,
// and its tests on PostgreSQL are left out; under CI=true that is an error.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/wellgate/wellgate/store/storetest/pgcluster"
)

const env = "WELLGATE_POSTGRES"

func main() {
	code, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

func run(args []string) (int, error) {
	if len(args) == 0 {
		return 2, errors.New("usage: with command [argument …]")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if os.Getenv(env) == "" {
		c, err := pgcluster.Start(ctx)
		switch {
		case errors.Is(err, pgcluster.ErrMissing) && os.Getenv("CI") == "":
			fmt.Fprintln(os.Stderr, "with:", err, "(its tests are left out)")
		case err != nil:
			return 1, err
		default:
			defer c.Close()
			if err := os.Setenv(env, c.Admin()); err != nil {
				return 1, err
			}
		}
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return max(1, exit.ExitCode()), nil
	}
	if err != nil {
		return 1, err
	}
	return 0, nil
}
