// Package command reads a command line into a struct and runs the command that it names.
//
// Commands, flags and arguments are fields with tags:
//
//	cmd:""                a field of struct kind is a command, or a group of them
//	help:"…"              one line for --help
//	default:"…"           what a flag is when it is not given
//	required:""           the flag must be given
//	name:"…"              another name than the field's own in lower case with dashes
//	enum:"a,b"            what a flag may be
//	arg:"" [optional:""]  what stands behind the flags: a string, or a list of them
//	type:"existingfile"   the file must be there; type:"path" makes names absolute
//	hidden:""             not shown by --help
//
// It looks at fields only and never calls a method by its name: the linker can then leave out every method that nobody
// calls, which is two thirds of this program.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ErrHelp is Parse's answer to --help, which has been printed.
var ErrHelp = errors.New("command: help was asked for")

// Run is a parsed command, ready to run.
type Run func(ctx context.Context) error

// A Program is a name, a description and the struct of its commands.
type Program struct {
	Name, About string
	Commands    any       // pointer to a struct of commands
	Out         io.Writer // for --help
}

type flag struct {
	reflect.StructField
	value reflect.Value
	given bool
}

func (f *flag) name() string {
	if n := f.Tag.Get("name"); n != "" {
		return n
	}
	var b strings.Builder
	for i, r := range f.Name {
		upper := r >= 'A' && r <= 'Z'
		if upper && i > 0 && f.Name[i-1] >= 'a' && f.Name[i-1] <= 'z' {
			b.WriteByte('-')
		}
		if upper {
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

func (f *flag) has(tag string) bool { _, ok := f.Tag.Lookup(tag); return ok }

// node is a command or a group of commands.
type node struct {
	path     string
	help     string
	hidden   bool
	value    reflect.Value
	flags    []*flag
	arg      *flag
	commands []*node
}

var tags = []string{"cmd", "help", "default", "required", "name", "enum", "arg", "optional", "type", "hidden", "placeholder"}

func read(value reflect.Value, path string) *node {
	n := &node{path: path, value: value}
	for i := range value.NumField() {
		f := &flag{StructField: value.Type().Field(i), value: value.Field(i)}
		if f.Anonymous && f.Type.Kind() == reflect.Struct { // what several commands share
			shared := read(f.value, path)
			n.flags = append(n.flags, shared.flags...)
			continue
		}
		for _, pair := range strings.Split(string(f.Tag), `" `) {
			if name, _, _ := strings.Cut(strings.TrimSpace(pair), ":"); name != "" && !slices.Contains(tags, name) {
				panic("command: " + value.Type().String() + "." + f.Name + ": the tag " + name + " is not known")
			}
		}
		switch {
		case f.has("cmd"):
			sub := read(f.value, strings.TrimSpace(path+" "+f.name()))
			sub.help, sub.hidden = f.Tag.Get("help"), f.has("hidden")
			n.commands = append(n.commands, sub)
		case f.has("arg"):
			n.arg = f
		case f.Tag != "":
			n.flags = append(n.flags, f)
		}
	}
	return n
}

// Parse reads args into the struct and returns the command to run. Its errors are for the person at the keyboard.
func (p Program) Parse(args []string) (Run, error) {
	n := read(reflect.ValueOf(p.Commands).Elem(), "")
	for len(n.commands) > 0 {
		if len(args) == 0 || args[0] == "--help" || args[0] == "-h" {
			p.help(n)
			if len(args) == 0 {
				return nil, fmt.Errorf("expected one of %s", strings.Join(n.names(), ", "))
			}
			return nil, ErrHelp
		}
		i := slices.Index(n.names(), args[0])
		if i < 0 {
			return nil, fmt.Errorf("unexpected argument %s: expected one of %s", args[0], strings.Join(n.names(), ", "))
		}
		n, args = n.commands[i], args[1:]
	}
	if err := p.fill(n, args); err != nil {
		return nil, err
	}
	switch c := n.value.Addr().Interface().(type) {
	case interface{ Run(context.Context) error }:
		return c.Run, nil
	case interface{ Run() error }:
		return func(context.Context) error { return c.Run() }, nil
	}
	panic("command: " + n.value.Type().String() + " has no Run")
}

func (n *node) names() (all []string) {
	for _, c := range n.commands {
		all = append(all, c.path[strings.LastIndexByte(c.path, ' ')+1:])
	}
	return all
}

func (p Program) fill(n *node, args []string) error {
	for _, f := range n.flags {
		if d, ok := f.Tag.Lookup("default"); ok {
			if err := f.set(d); err != nil {
				panic("command: default of --" + f.name() + ": " + err.Error())
			}
		}
	}
	var rest []string
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		switch {
		case arg == "--":
			rest, args = append(rest, args...), nil
		case arg == "--help" || arg == "-h":
			p.help(n)
			return ErrHelp
		case len(arg) > 1 && arg[0] == '-':
			var err error
			if args, err = n.flag(arg, args); err != nil {
				return err
			}
		default:
			rest = append(rest, arg)
		}
	}
	var missing []string
	for _, f := range n.flags {
		if f.has("required") && !f.given {
			missing = append(missing, f.usage())
		}
	}
	if missing != nil {
		return fmt.Errorf("missing flags: %s", strings.Join(missing, ", "))
	}
	return n.rest(rest)
}

// flag takes --name=value, --name value, and --name or --no-name of a switch.
func (n *node) flag(arg string, args []string) ([]string, error) {
	name, value, equals := strings.Cut(strings.TrimPrefix(arg, "--"), "=")
	no, negated := strings.CutPrefix(name, "no-")
	for _, f := range n.flags {
		sw := f.Type.Kind() == reflect.Bool
		switch {
		case f.name() == name && sw && !equals:
			value = "true"
		case f.name() == no && negated && sw && !equals:
			value = "false"
		case f.name() != name:
			continue
		case !equals && len(args) == 0:
			return nil, fmt.Errorf("--%s: expected %s", name, f.shows())
		case !equals:
			value, args = args[0], args[1:]
		}
		f.given = true
		if err := f.set(value); err != nil {
			return nil, fmt.Errorf("--%s: %w", name, err)
		}
		return args, nil
	}
	return nil, fmt.Errorf("unknown flag %s", arg)
}

func (n *node) rest(rest []string) error {
	switch {
	case n.arg == nil && len(rest) > 0:
		return fmt.Errorf("unexpected argument %s", rest[0])
	case n.arg == nil:
		return nil
	case len(rest) == 0 && !n.arg.has("optional"):
		return fmt.Errorf("expected %s", n.arg.shows())
	case n.arg.Type.Kind() != reflect.Slice && len(rest) > 1:
		return fmt.Errorf("unexpected argument %s", rest[1])
	}
	for _, r := range rest {
		if err := n.arg.set(r); err != nil {
			return fmt.Errorf("%s: %w", r, err)
		}
	}
	return nil
}

// set gives a flag its value; a list grows.
func (f *flag) set(text string) error {
	if allowed := f.Tag.Get("enum"); allowed != "" && !slices.Contains(strings.Split(allowed, ","), text) {
		return fmt.Errorf("must be one of %s", allowed)
	}
	switch f.Tag.Get("type") {
	case "existingfile":
		if info, err := os.Stat(text); text != "" && (err != nil || info.IsDir()) {
			return fmt.Errorf("%s is no file that is there", text)
		}
	case "path":
		abs, err := filepath.Abs(text)
		if err != nil {
			return err
		}
		text = abs
	}
	if f.Type.Kind() == reflect.Slice {
		item := reflect.New(f.Type.Elem()).Elem()
		if err := assign(item, text); err != nil {
			return err
		}
		f.value.Set(reflect.Append(f.value, item))
		return nil
	}
	return assign(f.value, text)
}

func assign(v reflect.Value, text string) error {
	var err error
	switch {
	case v.Type() == reflect.TypeFor[time.Duration]():
		var d time.Duration
		d, err = time.ParseDuration(text)
		v.SetInt(int64(d))
	case v.Kind() == reflect.String:
		v.SetString(text)
	case v.Kind() == reflect.Bool:
		var b bool
		b, err = strconv.ParseBool(text)
		v.SetBool(b)
	case v.CanInt():
		var i int64
		i, err = strconv.ParseInt(text, 10, v.Type().Bits())
		v.SetInt(i)
	case v.CanUint():
		var u uint64
		u, err = strconv.ParseUint(text, 10, v.Type().Bits())
		v.SetUint(u)
	case v.CanFloat():
		var x float64
		x, err = strconv.ParseFloat(text, v.Type().Bits())
		v.SetFloat(x)
	default:
		panic("command: a field of type " + v.Type().String() + " cannot be a flag")
	}
	if err != nil {
		return fmt.Errorf("%q is no %s", text, v.Type())
	}
	return nil
}
