// Package policy decides who may do what. The rooms bring the rules; only this package weighs them.
//
// Rules are Cedar text that a compliance officer can read: base.cedar here, one policy.cedar per room.
// It promises: nothing is allowed unless a rule permits it, a rule that cannot be evaluated denies
// (Cedar itself would skip a broken forbid), and every rule has a name, which the audit log can cite.
package policy

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cedar-policy/cedar-go"

	"github.com/wellgate/wellgate/trust/identity"
)

// ErrDenied is the answer to everything no rule permits. Doors answer it exactly as "not found" (AZ-05).
var ErrDenied = errors.New("policy: not permitted")

//go:embed base.cedar
var base string

// Action is what somebody wants to do.
type Action string

const (
	Visit  Action = "visit"  // enter a page; resource is a Page
	Read   Action = "read"   // see one resource
	Write  Action = "write"  // create, replace or withdraw one resource
	Export Action = "export" // take a resource away in bulk
	Looked Action = "looked" // see who looked at a record
	Find   Action = "find"   // look a patient up by two identifiers
	Open   Action = "open"   // enter a record for a stated reason
	Erase  Action = "erase"  // destroy a record for good
)

// A Page is the resource of a Visit.
type Page struct {
	Name  string // route name: "results.one"
	Room  string
	Frame string // "portal", "desk" or "api"
	Chart int64  // the record it shows; 0 outside a record
	Type  string // api: resource type asked for
	Does  string // api: what is done with it: read, search, create, update or delete
}

// An Item is a class of things in a chart. Decisions are made per class and may be kept for one act.
type Item struct {
	Chart  int64
	Kind   string   // "patient", "directory", "intake"
	Type   string   // FHIR resource type; "" for the record itself
	Labels []string // security label codes of meta.security
}

// A Context says under which circumstances.
type Context struct {
	Opened  bool   // this session opened this record and said why
	Purpose string // HL7 PurposeOfUse code
	Proved  bool   // a factor was presented in the last five minutes (AUT-17)
}

// A Set is every room's rules and the base's. It is immutable.
type Set struct {
	rules   *cedar.PolicySet
	text    string
	version string
	kept    decisions
}

// New compiles the base rules and each room's text. A room's rules carry @id("room.name"); a missing, foreign or
// repeated id is an error, as is text that does not parse.
func New(rooms map[string]string) (*Set, error) {
	all := map[string]string{"base": base}
	maps.Copy(all, rooms)
	s := &Set{rules: cedar.NewPolicySet()}
	var text strings.Builder
	for _, room := range slices.Sorted(maps.Keys(all)) {
		list, err := cedar.NewPolicyListFromBytes(room+"/policy.cedar", []byte(all[room]))
		if err != nil {
			return nil, fmt.Errorf("policy: room %s: %w", room, err)
		}
		for _, p := range list {
			id, ok := p.Annotations()["id"]
			if !ok || !strings.HasPrefix(string(id), room+".") {
				return nil, fmt.Errorf("policy: room %s: a rule needs @id(\"%s.…\"), has %q", room, room, id)
			}
			if !s.rules.Add(cedar.PolicyID(id), p) {
				return nil, fmt.Errorf("policy: rule %s stands twice", id)
			}
		}
		fmt.Fprintf(&text, "// ---- %s ----\n\n%s\n", room, strings.TrimSpace(all[room])+"\n")
	}
	s.text = text.String()
	sum := sha256.Sum256([]byte(s.text))
	s.version = hex.EncodeToString(sum[:6])
	return s, nil
}

// Text is the whole policy in room order, for people to review and for the golden file.
func (s *Set) Text() string { return s.text }

// Version names this text in audit entries (AUD-02).
func (s *Set) Version() string { return s.version }

// Rules names every rule, sorted.
func (s *Set) Rules() []string {
	var ids []string
	for id := range s.rules.All() {
		ids = append(ids, string(id))
	}
	slices.Sort(ids)
	return ids
}

// Page decides whether who may enter a page.
func (s *Set) Page(who identity.Who, p Page, c Context) error {
	if who.Kind == identity.ServiceKind {
		return s.service(who, question{action: Visit, name: p.Name, room: p.Room, frame: p.Frame, typ: p.Type, does: p.Does, context: c})
	}
	return s.page(who, p, c)
}

func (s *Set) page(who identity.Who, p Page, c Context) error {
	return s.decide(who, Visit, cedar.Entity{
		UID: cedar.NewEntityUID("Page", cedar.String(p.Name)),
		Attributes: record(map[string]cedar.Value{
			"room": cedar.String(p.Room), "frame": cedar.String(p.Frame), "chart": cedar.Long(p.Chart),
			"type": cedar.String(p.Type), "does": cedar.String(p.Does),
		}),
	}, c)
}

// Item decides whether who may do a to an item.
func (s *Set) Item(who identity.Who, a Action, it Item, c Context) error {
	if who.Kind == identity.ServiceKind {
		return s.service(who, question{action: a, name: it.Kind, typ: it.Type, labels: strings.Join(it.Labels, "\x00"), context: c})
	}
	return s.item(who, a, it, c)
}

func (s *Set) item(who identity.Who, a Action, it Item, c Context) error {
	labels := make([]cedar.Value, len(it.Labels))
	for i, l := range it.Labels {
		labels[i] = cedar.String(l)
	}
	return s.decide(who, a, cedar.Entity{
		UID: cedar.NewEntityUID("Item", cedar.String(it.Type)),
		Attributes: record(map[string]cedar.Value{
			"chart": cedar.Long(it.Chart), "kind": cedar.String(it.Kind), "type": cedar.String(it.Type),
			"labels": cedar.NewSet(labels...),
		}),
	}, c)
}

func (s *Set) decide(who identity.Who, a Action, resource cedar.Entity, c Context) error {
	principal := cedar.Entity{
		UID: cedar.NewEntityUID("User", cedar.String(who.Account)),
		Attributes: record(map[string]cedar.Value{
			"kind": cedar.String(who.Kind), "role": cedar.String(who.Role), "chart": cedar.Long(who.Chart),
			"aal":   cedar.Long(who.AAL),
			"reads": types(who.Scope, 'r'), "searches": types(who.Scope, 's'), "creates": types(who.Scope, 'c'),
			"updates": types(who.Scope, 'u'), "deletes": types(who.Scope, 'd'), "sensitive": cedar.Boolean(who.Scope.Sensitive()),
		}),
	}
	action := cedar.NewEntityUID("Action", cedar.String(a))
	decision, why := cedar.Authorize(s.rules,
		cedar.EntityMap{principal.UID: principal, resource.UID: resource},
		cedar.Request{
			Principal: principal.UID, Action: action, Resource: resource.UID,
			Context: record(map[string]cedar.Value{
				"opened": cedar.Boolean(c.Opened), "purpose": cedar.String(c.Purpose), "proved": cedar.Boolean(c.Proved),
			}),
		})
	// Cedar skips a rule that fails to evaluate, even a forbid. Do not try to be cleverer than this line: any error denies.
	if len(why.Errors) > 0 {
		return fmt.Errorf("%w: rule %s could not be evaluated", ErrDenied, why.Errors[0].PolicyID)
	}
	if decision != cedar.Allow {
		return ErrDenied
	}
	return nil
}

// types are the resource types that a service's scope gives one letter for; none for everybody else.
func types(s *identity.Scope, letter byte) cedar.Set {
	list := s.Types(letter)
	out := make([]cedar.Value, len(list))
	for i, t := range list {
		out[i] = cedar.String(t)
	}
	return cedar.NewSet(out...)
}

func record(m map[string]cedar.Value) cedar.Record {
	r := make(cedar.RecordMap, len(m))
	for k, v := range m {
		r[cedar.String(k)] = v
	}
	return cedar.NewRecord(r)
}
