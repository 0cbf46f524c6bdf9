package main

import (
	"encoding/base64"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/wellgate/wellgate/internal/clock"
)

type policyCmd struct {
	Print policyPrintCmd `cmd:"" help:"Print the whole policy: every rule by name, in Cedar."`
}

type policyPrintCmd struct {
	JSON bool `help:"Only the names of the rules and the version, as JSON."`
}

// Run needs no practice: the rules are the program's.
func (c *policyPrintCmd) Run() error {
	set, err := rules(rooms())
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(map[string]any{"version": set.Version(), "rules": set.Rules()})
	}
	fmt.Print(set.Text())
	return nil
}

type routesCmd struct {
	JSON bool `help:"As JSON."`
}

// Run lists the pages as a door mounts them.
func (c *routesCmd) Run() error {
	table, err := routeTable()
	if err != nil {
		return err
	}
	table = append(table, apiTable()...)
	if c.JSON {
		return printJSON(table)
	}
	for _, r := range table {
		step := ""
		if r.StepUp {
			step = "  fresh proof"
		}
		fmt.Printf("%-52s %-10s %-22s %s%s\n", r.Pattern, r.For, r.Name, r.Action, step)
	}
	return nil
}

func printJSON(v any) error {
	b, err := json.Marshal(v, jsontext.WithIndent("  "), json.Deterministic(true))
	if err != nil {
		return err
	}
	_, err = fmt.Println(string(b))
	return err
}

func base64Text(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

func now(o opening) time.Time {
	if o.clock != nil {
		return o.clock()
	}
	return clock.System()
}
