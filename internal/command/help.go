package command

import (
	"fmt"
	"reflect"
	"strings"
)

// help prints what a command is for, and what may follow it.
func (p Program) help(n *node) {
	line := []string{p.Name}
	if n.path != "" {
		line = append(line, n.path)
	}
	for _, f := range n.flags {
		if f.has("required") {
			line = append(line, "--"+f.name()+"="+f.shows())
		}
	}
	switch {
	case len(n.commands) > 0:
		line = append(line, "<command>")
	case n.arg != nil && n.arg.has("optional"):
		line = append(line, "["+n.arg.shows()+"]")
	case n.arg != nil:
		line = append(line, n.arg.shows())
	}
	about := n.help
	if n.path == "" {
		about = p.About
	}
	fmt.Fprintf(p.Out, "Usage: %s\n\n%s\n", strings.Join(line, " "), about)
	var rows [][2]string
	if n.arg != nil {
		rows = append(rows, [2]string{n.arg.shows(), n.arg.Tag.Get("help")})
	}
	p.table("Arguments", rows)
	rows = [][2]string{{"--help", "Show this help."}}
	for _, f := range n.flags {
		if !f.has("hidden") {
			rows = append(rows, [2]string{f.usage(), f.Tag.Get("help")})
		}
	}
	p.table("Flags", rows)
	p.table("Commands", n.leaves())
	if len(n.commands) > 0 {
		fmt.Fprintf(p.Out, "\nRun \"%s <command> --help\" for more information on a command.\n", strings.TrimSpace(p.Name+" "+n.path))
	}
}

// leaves are the commands below n, those of groups by their whole name.
func (n *node) leaves() (rows [][2]string) {
	for _, c := range n.commands {
		switch {
		case c.hidden:
		case len(c.commands) > 0:
			rows = append(rows, c.leaves()...)
		default:
			rows = append(rows, [2]string{c.path, c.help})
		}
	}
	return rows
}

func (f *flag) usage() string {
	if f.Type.Kind() == reflect.Bool {
		return "--" + f.name()
	}
	return "--" + f.name() + "=" + f.shows()
}

// shows is what stands for a value in help.
func (f *flag) shows() string {
	switch d := f.Tag.Get("default"); {
	case f.has("arg") && f.Type.Kind() == reflect.Slice:
		return "<" + f.name() + "> ..."
	case f.has("arg"):
		return "<" + f.name() + ">"
	case f.Tag.Get("placeholder") != "":
		return f.Tag.Get("placeholder")
	case d != "" && f.Type.Kind() == reflect.String:
		return fmt.Sprintf("%q", d)
	case d != "":
		return d
	}
	return strings.ToUpper(f.Type.Kind().String())
}

func (p Program) table(title string, rows [][2]string) {
	if len(rows) == 0 {
		return
	}
	width := 0
	for _, r := range rows {
		width = max(width, len(r[0]))
	}
	fmt.Fprintf(p.Out, "\n%s:\n", title)
	for _, r := range rows {
		fmt.Fprintf(p.Out, "  %-*s    %s\n", width, r[0], r[1])
	}
}
