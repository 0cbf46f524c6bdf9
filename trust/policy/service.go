package policy

import (
	"strings"
	"sync"

	"github.com/wellgate/wellgate/trust/identity"
)

// A question is everything that a decision about a service rests on. Charts and accounts are left out of what the rules
// then see, so that what is kept for a question is the answer to every question like it.
type question struct {
	scope                                string
	sensitive                            bool
	action                               Action
	name, room, frame, typ, does, labels string // name: of the page, or the kind of chart
	context                              Context
}

// maxKept bounds the answers kept. There are as many as scopes times classes of things: a few hundred.
const maxKept = 8192

// decisions keeps the answers about services. A Set never changes, so neither do they; a new Set starts with none.
type decisions struct {
	mu  sync.RWMutex
	all map[question]error
}

func (s *Set) service(who identity.Who, q question) error {
	q.scope, q.sensitive = who.Scope.String(), who.Scope.Sensitive()
	s.kept.mu.RLock()
	err, known := s.kept.all[q]
	s.kept.mu.RUnlock()
	if known {
		return err
	}
	asked := identity.Who{Account: "service", Kind: who.Kind, Scope: who.Scope}
	if q.action == Visit {
		err = s.page(asked, Page{Name: q.name, Room: q.room, Frame: q.frame, Type: q.typ, Does: q.does}, q.context)
	} else {
		it := Item{Kind: q.name, Type: q.typ}
		if q.labels != "" {
			it.Labels = strings.Split(q.labels, "\x00")
		}
		err = s.item(asked, q.action, it, q.context)
	}
	s.kept.mu.Lock()
	defer s.kept.mu.Unlock()
	if s.kept.all == nil || len(s.kept.all) >= maxKept {
		s.kept.all = map[question]error{}
	}
	s.kept.all[q] = err
	return err
}
