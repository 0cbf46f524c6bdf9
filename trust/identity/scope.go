package identity

import (
	"errors"
	"slices"
	"strings"
)

// ErrScope means that a text is no list of SMART v2 system scopes.
var ErrScope = errors.New("identity: a scope looks like system/Observation.rs or system/*.cruds; several stand with spaces between")

// letters of a SMART v2 scope, in the order it must keep: create, read, update, delete, search.
const letters = "cruds"

// A Scope is what a service may do, compiled from SMART v2 system scopes. It is immutable; nil allows nothing.
type Scope struct {
	text      string
	types     [len(letters)][]string // resource types by letter; "*" is every type
	sensitive bool
}

// ParseScope reads "system/Patient.rs system/Observation.cruds". Scopes with search parameters are refused: what cannot be
// kept is not promised. sensitive lets the service see what carries a security label.
func ParseScope(text string, sensitive bool) (*Scope, error) {
	s := &Scope{sensitive: sensitive}
	for _, one := range strings.Fields(text) {
		rest, ok := strings.CutPrefix(one, "system/")
		typ, does, dot := strings.Cut(rest, ".")
		if !ok || !dot || !scopeType(typ) || does == "" {
			return nil, ErrScope
		}
		last := -1
		for _, c := range does {
			i := strings.IndexRune(letters, c)
			if i <= last {
				return nil, ErrScope
			}
			last = i
			if !slices.Contains(s.types[i], typ) {
				s.types[i] = append(s.types[i], typ)
			}
		}
	}
	for i := range s.types {
		slices.Sort(s.types[i])
	}
	if s.text = s.String(); s.text == "" {
		return nil, ErrScope
	}
	return s, nil
}

func scopeType(t string) bool {
	if t == "*" {
		return true
	}
	for i, c := range t {
		if !(c >= 'A' && c <= 'Z' || i > 0 && c >= 'a' && c <= 'z') {
			return false
		}
	}
	return t != "" && len(t) <= 64
}

// String is the scope in one canonical spelling.
func (s *Scope) String() string {
	if s == nil {
		return ""
	}
	if s.text != "" {
		return s.text
	}
	does := map[string]string{}
	var order []string
	for i, types := range s.types {
		for _, t := range types {
			if does[t] == "" {
				order = append(order, t)
			}
			does[t] += letters[i : i+1]
		}
	}
	slices.Sort(order)
	for i, t := range order {
		order[i] = "system/" + t + "." + does[t]
	}
	return strings.Join(order, " ")
}

// Sensitive says whether the service may see what carries a security label.
func (s *Scope) Sensitive() bool { return s != nil && s.sensitive }

// Types lists the resource types that a letter (c, r, u, d, s) is given for; "*" is every type.
func (s *Scope) Types(letter byte) []string {
	i := strings.IndexByte(letters, letter)
	if s == nil || i < 0 {
		return nil
	}
	return s.types[i]
}
