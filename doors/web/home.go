package web

import (
	"slices"

	"github.com/wellgate/wellgate/care"
)

// maxToDo bounds the to-do list: a short list gets done (ui principle 1).
const maxToDo = 5

// home shows what to do, then what comes next, then what is new, from every room that has something to say.
func (d *Door) home(v *care.Visit) error {
	var cards []care.Card
	for _, r := range d.Rooms {
		if r.Home == nil {
			continue
		}
		c, err := r.Home(v.Context(), v)
		if err != nil {
			return err
		}
		cards = append(cards, c...)
	}
	h := homeView{v: v}
	for _, c := range cards {
		switch c.Section {
		case care.ToDo:
			h.todo = append(h.todo, c)
		case care.Next:
			h.next = append(h.next, c)
		case care.New:
			h.news = append(h.news, c)
		case care.Aside:
			h.aside = append(h.aside, c)
		}
	}
	byOrder := func(a, b care.Card) int { return b.Order.Compare(a.Order) }
	slices.SortStableFunc(h.todo, byOrder)
	slices.SortStableFunc(h.news, byOrder)
	slices.SortStableFunc(h.next, func(a, b care.Card) int { return a.Order.Compare(b.Order) })
	h.todo = h.todo[:min(len(h.todo), maxToDo)]
	h.news = h.news[:min(len(h.news), 6)]
	h.next = h.next[:min(len(h.next), 1)]
	name, err := given(v)
	if err != nil {
		return err
	}
	h.hello = v.Words.T(greeting(v.Now.Hour()), "name", name)
	return v.Show(v.Words.T("web.home"), homePage(h))
}

type homeView struct {
	v                       *care.Visit
	hello                   string
	todo, next, news, aside []care.Card
}

// greeting by the practice's clock.
func greeting(hour int) string {
	switch {
	case hour >= 5 && hour < 12:
		return "web.morning"
	case hour >= 12 && hour < 18:
		return "web.afternoon"
	default:
		return "web.evening"
	}
}
