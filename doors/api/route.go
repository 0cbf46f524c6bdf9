package api

import (
	"net/http"
	"strings"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/internal/admit"
)

// A deed is one interaction of the FHIR REST API.
type deed uint8

const (
	doNothing deed = iota
	doMetadata
	doRead
	doVersion
	doHistory
	doSearch
	doCreate
	doUpdate
	doDelete
	doEverything
	doBundle
)

// deeds are the interactions: their name in the audit log and what policy asks the token's scope for.
var deeds = [...]struct{ name, scope string }{
	doNothing: {"api", ""}, doMetadata: {"api.metadata", ""}, doRead: {"api.read", "read"}, doVersion: {"api.vread", "read"},
	doHistory: {"api.history", "read"}, doSearch: {"api.search", "search"}, doCreate: {"api.create", "create"},
	doUpdate: {"api.update", "update"}, doDelete: {"api.delete", "delete"}, doEverything: {"api.everything", "read"}, doBundle: {"api.bundle", ""},
}

// handle answers what the address asks.
func (c *call) handle() error {
	switch c.at.does {
	case doRead:
		return c.read()
	case doVersion:
		return c.vread()
	case doHistory:
		return c.history()
	case doSearch:
		return c.search()
	case doCreate:
		return c.create()
	case doUpdate:
		return c.update()
	case doDelete:
		return c.remove()
	case doEverything:
		return c.everything()
	case doBundle:
		return c.bundle()
	}
	return errNoRoute
}

// A target is what a request is about.
type target struct {
	does         deed
	typ, id, ver string
	allow        string // methods that the address knows, for 405
}

func (t target) name() string { return deeds[t.does].name }

// class says how urgent it is: results and messages that come in last of all to be shed, searches and exports first.
func (t target) class() admit.Class {
	switch t.does {
	case doRead, doVersion:
		return admit.System
	case doSearch, doHistory, doEverything:
		return admit.Bulk
	case doCreate, doUpdate:
		switch t.typ {
		case "Observation", "DiagnosticReport", "Communication":
			return admit.Care
		}
	}
	return admit.Page
}

// A Listed is one line of the route table, for `wellgate routes`, its golden file and the authorization matrix.
type Listed struct{ Pattern, Name, Does string }

// Table lists every interaction.
func Table() []Listed {
	line := func(pattern string, do deed) Listed { return Listed{pattern, deeds[do].name, deeds[do].scope} }
	return []Listed{
		line("GET /fhir/metadata", doMetadata),
		line("POST /fhir", doBundle),
		line("GET /fhir/{type}", doSearch),
		line("POST /fhir/{type}", doCreate),
		line("POST /fhir/{type}/_search", doSearch),
		line("GET /fhir/{type}/{id}", doRead),
		line("PUT /fhir/{type}/{id}", doUpdate),
		line("DELETE /fhir/{type}/{id}", doDelete),
		line("GET /fhir/{type}/{id}/_history", doHistory),
		line("GET /fhir/{type}/{id}/_history/{version}", doVersion),
		line("GET /fhir/Patient/{id}/$everything", doEverything),
	}
}

// route reads an address. It looks nothing up.
func route(method, path string) (target, error) {
	rest := strings.TrimPrefix(path[len(Path):], "/")
	var part [5]string
	n := 0
	for n < len(part) {
		var more bool
		part[n], rest, more = strings.Cut(rest, "/")
		n++
		if !more {
			break
		}
		if n == len(part) {
			return target{}, errNoRoute
		}
	}
	get := method == http.MethodGet || method == http.MethodHead
	t := target{typ: part[0], id: part[1]}
	choose := func(allow string, does deed) (target, error) {
		if t.allow = allow; does == doNothing {
			return t, errMethod
		}
		t.does = does
		return t, nil
	}
	pick := func(ok bool, d deed) deed {
		if ok {
			return d
		}
		return doNothing
	}
	switch {
	case n == 1 && t.typ == "":
		return choose("POST", pick(method == http.MethodPost, doBundle))
	case n == 1 && t.typ == "metadata":
		return choose("GET, HEAD", pick(get, doMetadata))
	case !fhir.KnownType(t.typ):
		return t, errNoRoute
	case n == 1:
		if get {
			return choose("", doSearch)
		}
		return choose("GET, HEAD, POST", pick(method == http.MethodPost, doCreate))
	case n == 2 && t.id == "_search":
		t.id = ""
		return choose("POST", pick(method == http.MethodPost, doSearch))
	case !fhir.ValidID(t.id):
		return t, errNoRoute
	case n == 2:
		if get {
			return choose("", doRead)
		}
		if method == http.MethodDelete {
			return choose("", doDelete)
		}
		return choose("GET, HEAD, PUT, DELETE", pick(method == http.MethodPut, doUpdate))
	case n == 3 && part[2] == "_history":
		return choose("GET, HEAD", pick(get, doHistory))
	case n == 4 && part[2] == "_history" && part[3] != "":
		t.ver = part[3]
		return choose("GET, HEAD", pick(get, doVersion))
	case n == 3 && t.typ == "Patient" && part[2] == "$everything":
		return choose("GET, HEAD", pick(get, doEverything))
	}
	return t, errNoRoute
}
