// Package search is the grammar of FHIR R4 search (https://hl7.org/fhir/R4/search.html) and its evaluation in memory.
// It does no I/O.
//
// Parse reads a query for one resource type and refuses, by name, every parameter, modifier or prefix it would not
// honour: a search never silently answers more than was asked. An Index evaluates queries over a fixed slice of
// Items. It extracts the values of a parameter when that parameter is first used and keeps them; an Index is safe for
// concurrent use, and Next carries what did not change over to a new slice.
//
// Understood: token, reference, date, string, number, quantity and uri parameters of R4 and US Core; several values
// (or) and several parameters (and); prefixes eq ne gt ge lt le sa eb ap; modifiers :missing, :not and :text (token),
// :exact and :contains (string), :below and :above (uri), :identifier and :Type (reference); _id, _lastUpdated,
// _profile, _tag, _security, _source; _sort, _count, _include, _revinclude (with :iterate), _summary, _elements,
// _total. Not understood: chaining, _has, composite, near, _text, _content, _filter, _query.
//
// Tokens and strings match without regard to case; strings also without regard to accents. Dates without a zone, in
// resources and in queries, are taken as UTC.
package search

import (
	"errors"
	"time"

	"github.com/wellgate/wellgate/fhir"
)

// ErrInvalid is the kind of every refused query; its text names the parameter, never the value.
var ErrInvalid = errors.New("search: invalid")

// A Query is a parsed search on one type.
type Query struct {
	Type       string
	Sort       []Sort
	Count      int // -1 if the query has no _count
	Include    []Include
	RevInclude []Include
	Summary    string   // _summary: "", true, text, data, count or false; the caller shapes the answer
	Elements   []string // _elements
	Total      string   // _total: "", none, estimate or accurate

	terms []term // all must hold
}

// Sort is one key of _sort.
type Sort struct {
	Param string
	Desc  bool

	def *param
}

// Include is one _include or _revinclude.
type Include struct {
	Source, Param, Target string // Target "" is any type; Param "*" is every reference parameter
	Iterate               bool
}

// A term is one parameter with its modifier and alternatives.
type term struct {
	def      *param
	modifier string
	missing  bool // value of :missing
	values   []value
}

// A value is one alternative, parsed for the parameter's kind.
type value struct {
	text     string // folded or exact, as kind and modifier want
	system   string
	hasPipe  bool
	prefix   string
	from, to int64   // date, milliseconds
	low, hi  float64 // number and quantity: the range that eq means
	num      float64
	unit     string
}

// An Item is a resource with what the log knows about it.
type Item struct {
	Resource fhir.Resource
	Version  int64
	Updated  time.Time
}
