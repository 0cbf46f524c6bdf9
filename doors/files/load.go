package files

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/trust/chart"
	"github.com/wellgate/wellgate/trust/identity"
)

// A Loader takes files into one practice's charts.
type Loader struct {
	House    *chart.House
	Who      identity.Who          // of kind system: the tool at work
	Progress func(done, total int) // bytes read of all; nil for none
	Refused  func(Refusal)         // told at once; nil for none
}

// A Report says what came of it.
type Report struct {
	chart.Delivered
	Files    int       `json:"files"` // taken
	Refusals []Refusal `json:"refused"`
}

// A Refusal names a file that was not taken, where in it, and why. The reason never repeats a value.
type Refusal struct {
	File   string `json:"file"`
	Where  string `json:"where,omitempty"` // "entry[12]", "line 7"
	Reason string `json:"reason"`
}

// Load takes files and folders. What refers to something that a later file brings waits for it: files are tried again
// until a round brings nothing new. Refused files are in the report; only a failing store is an error.
func (l *Loader) Load(ctx context.Context, paths []string) (Report, error) {
	var rep Report
	rep.Refusals = []Refusal{}
	waiting, refused := gather(paths)
	for _, r := range refused {
		rep.refuse(l, r)
	}
	total, done := 0, 0
	for _, f := range waiting {
		total += f.size
	}
	for {
		var later []source
		err := ahead(ctx, waiting, func(r read) error {
			again, err := l.take(ctx, r, &rep, false)
			if err != nil {
				return err
			}
			if again {
				later = append(later, r.from)
				return nil
			}
			done += r.from.size
			if l.Progress != nil {
				l.Progress(done, total)
			}
			return nil
		})
		if err != nil {
			return rep, err
		}
		if len(later) == 0 {
			return rep, nil
		}
		if len(later) == len(waiting) { // nobody brings what these wait for
			return rep, l.last(ctx, later, &rep)
		}
		waiting = later
	}
}

// last takes what still waits: what is about people nobody brought goes to intake, what refers to nothing known is refused.
func (l *Loader) last(ctx context.Context, fs []source, rep *Report) error {
	return ahead(ctx, fs, func(r read) error {
		_, err := l.take(ctx, r, rep, true)
		return err
	})
}

// A read is a file that was read.
type read struct {
	from    source
	entries []item
	err     error
}

// ahead gives f every file in order, reading the next one while f is at work. It ends with f's first error, or with ctx.
func ahead(ctx context.Context, fs []source, f func(read) error) error {
	ctx, stop := context.WithCancel(ctx)
	files := make(chan read)
	over := make(chan struct{})
	go func() {
		defer close(over)
		defer close(files)
		for _, s := range fs {
			entries, err := s.read()
			select {
			case files <- read{s, entries, err}:
			case <-ctx.Done():
				return
			}
		}
	}()
	defer func() { stop(); <-over }()
	for r := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := f(r); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// take loads one file. again means that it waits for something.
func (l *Loader) take(ctx context.Context, r read, rep *Report, last bool) (again bool, err error) {
	var d chart.Delivered
	if err = r.err; err == nil {
		d, err = l.deliver(ctx, r.entries, last)
	}
	if err == nil {
		rep.Files++
		rep.Created += d.Created
		rep.Updated += d.Updated
		rep.Unchanged += d.Unchanged
		rep.Patients += d.Patients
		return false, nil
	}
	var missing *missingError
	var nobody *chart.Nobody
	if !last && (errors.As(err, &missing) || errors.As(err, &nobody)) {
		return true, nil
	}
	if broken(err) {
		return false, fmt.Errorf("%s: %w", r.from.name, err)
	}
	rep.refuse(l, Refusal{File: r.from.name, Where: where(err, r.entries), Reason: reason(err)})
	return false, nil
}

func (l *Loader) deliver(ctx context.Context, entries []item, last bool) (chart.Delivered, error) {
	act := l.House.Begin(l.Who, "records.import")
	rs, err := resolver{house: l.House, act: act}.resolve(ctx, entries)
	if err != nil || len(rs) == 0 {
		return chart.Delivered{}, err
	}
	keep := map[string]bool{}
	for _, e := range entries {
		// Bundles of many patients each bring the practice's people and places along, not always word for word the same.
		// A create does not overwrite those; what stands in a patient's own record follows its newest bundle.
		if e.post && fhir.InDirectory(e.res.Type()) {
			keep[e.ref] = true
		}
	}
	return l.House.Deliver(ctx, act, chart.Delivery{What: "records.import", Resources: rs, Keep: keep, Intake: last})
}

func (rep *Report) refuse(l *Loader, r Refusal) {
	rep.Refusals = append(rep.Refusals, r)
	if l.Refused != nil {
		l.Refused(r)
	}
}

// An item is one resource of a file and where it stood.
type item struct {
	entry
	where string
}

// where finds the place of the resource that an error is about.
func where(err error, entries []item) string {
	var at *placeError
	if errors.As(err, &at) {
		return at.where
	}
	var bad *chart.BadResource
	ref := ""
	if errors.As(err, &bad) {
		ref = bad.Ref
	}
	i := slices.IndexFunc(entries, func(e item) bool { return ref != "" && e.ref == ref })
	if i < 0 {
		return ""
	}
	return entries[i].where
}
