// Package chart is the one door to a record: policy, guard, vault, audit and feed, in one transaction.
package chart

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/trust/identity"
)

var (
	// ErrNotFound is what is not there and what is not yours: the two answer alike.
	ErrNotFound = errors.New("chart: not found")
	// ErrConflict means that the record changed since it was read; load it again and retry.
	ErrConflict = errors.New("chart: changed by somebody else")
	// ErrRefused means that a room's guard refused a write; the wrapped error says why, without health data.
	ErrRefused = errors.New("chart: refused")
)

// Purpose of use, as HL7 PurposeOfUse codes.
type Purpose string

const (
	PatientRequest Purpose = "PATRQT"
	Treatment      Purpose = "TREAT"
	Payment        Purpose = "HPAYMT"
	Operations     Purpose = "HOPERAT"
)

// A Guard is a room's rule for a resource type. It runs on every write, whichever door it came by, and sees who
// writes. old is zero for a new resource, new is zero for a deletion.
type Guard func(who identity.Who, old, new fhir.Resource) error

// An Entry is a resource with what the log knows about it.
type Entry struct {
	fhir.Resource
	Version int64     // 1, 2, …: meta.versionId
	Updated time.Time // when this version was stored: meta.lastUpdated
}

// A Chart is one record, opened by one person for one act. What they may not see is not there.
// Everything it hands out is noted; the door releases no byte before the note is durable.
type Chart struct{ todo int }

// PublicID is how the chart is named in URLs.
func (c *Chart) PublicID() string { panic("todo") }

// Patient is the Patient resource of this chart.
func (c *Chart) Patient(ctx context.Context) (fhir.Resource, error) { panic("todo") }

// Get returns one resource of this chart, or ErrNotFound.
func (c *Chart) Get(ctx context.Context, typ, id string) (Entry, error) { panic("todo") }

// Search answers a FHIR search inside this chart, e.g. Search(ctx, "Observation", "category=laboratory&_sort=-date").
// No _count means all.
func (c *Chart) Search(ctx context.Context, typ, query string) ([]Entry, error) { panic("todo") }

// All yields every resource this person may see, by type then id: for "take my record".
func (c *Chart) All(ctx context.Context) iter.Seq2[Entry, error] { panic("todo") }

// Resolve follows a reference ("Practitioner/x", "#contained" is the caller's) into this chart or the practice's directory.
func (c *Chart) Resolve(ctx context.Context, ref string) (fhir.Resource, bool) { panic("todo") }

// NewID assigns the id of a resource about to be created; it names its chart.
func (c *Chart) NewID() string { panic("todo") }

// A Change is written whole or not at all.
type Change struct {
	What string           // verb for the audit entry and the fact: "commented"
	Put  []fhir.Resource  // created or replaced, with their ids
	If   map[string]int64 // "Type/id" → version that must still be current, for edits
}

// Write asks policy and guards, then stores the change, its audit entry and its fact in one transaction.
func (c *Chart) Write(ctx context.Context, ch Change) error { panic("todo") }

// File opens an attachment's bytes ("Binary/x" in this chart, or a sealed file), checked by hash while read.
func (c *Chart) File(ctx context.Context, ref string) (contentType string, size int64, r io.ReadCloser, err error) {
	panic("todo")
}

// A Look is one line of "who looked".
type Look struct {
	Index   int64          `json:"index"` // place in the audit log
	At      time.Time      `json:"at"`
	Who     string         `json:"who"` // name as shown
	Kind    identity.Kind  `json:"kind"`
	Role    identity.Role  `json:"role,omitempty"`
	Self    bool           `json:"self"`   // the patient
	Action  string         `json:"action"` // read, write, search, export, signin …
	What    string         `json:"what"`   // Change.What or the route's name
	Purpose Purpose        `json:"purpose"`
	Reason  string         `json:"reason,omitempty"` // staff's own words
	Types   map[string]int `json:"types,omitempty"`  // resource types touched and how many
	Refs    []string       `json:"refs,omitempty"`   // the first 200 of them
	Outcome string         `json:"outcome"`          // ok, refused
}

// Looked lists who opened this record, newest first, before index before (0 = newest).
func (c *Chart) Looked(ctx context.Context, before int64, limit int) ([]Look, error) { panic("todo") }

// Receipt is an offline-verifiable proof of one line of Looked.
func (c *Chart) Receipt(ctx context.Context, index int64) ([]byte, error) { panic("todo") }
