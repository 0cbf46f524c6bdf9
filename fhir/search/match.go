package search

import (
	"slices"
	"strings"

	"github.com/wellgate/wellgate/fhir"
)

func splitRef(ref string) (typ, id string, ok bool) { return fhir.SplitRef(ref) }

// match gives the items that a term holds for: as an ascending list (or all) when the column has postings for it,
// otherwise as a test of one item.
func (c *column) match(t *term) (list []uint32, all bool, test func(uint32) bool) {
	switch {
	case t.modifier == "missing":
		return nil, false, func(i uint32) bool { return c.has(i) != t.missing }
	case t.modifier == "not":
		list, all := c.lookup(t)
		return nil, false, func(i uint32) bool {
			_, found := slices.BinarySearch(list, i)
			return !all && !found
		}
	case t.def.kind == token && t.modifier == "text":
		return nil, false, func(i uint32) bool {
			return anyOf(t.values, c.words.at(i), func(v *value, w *string) bool { return wordPrefix(*w, v.text) })
		}
	case t.def.kind == date:
		return nil, false, func(i uint32) bool { return anyOf(t.values, c.dates.at(i), (*value).dateHolds) }
	case t.def.kind == number, t.def.kind == quantity:
		return nil, false, func(i uint32) bool { return anyOf(t.values, c.spans.at(i), (*value).spanHolds) }
	case t.def.kind == str:
		holds := stringTests[t.modifier]
		return nil, false, func(i uint32) bool { return anyOf(t.values, c.strings.at(i), holds) }
	case t.def.kind == uri && t.modifier != "":
		holds := uriTests[t.modifier]
		return nil, false, func(i uint32) bool { return anyOf(t.values, c.strings.at(i), holds) }
	}
	list, all = c.lookup(t)
	return list, all, nil
}

func anyOf[T any](values []value, have []T, holds func(*value, *T) bool) bool {
	for k := range values {
		for j := range have {
			if holds(&values[k], &have[j]) {
				return true
			}
		}
	}
	return false
}

var stringTests = map[string]func(*value, *text) bool{
	"":         func(v *value, s *text) bool { return strings.HasPrefix(s.folded, v.text) },
	"exact":    func(v *value, s *text) bool { return s.exact == v.text },
	"contains": func(v *value, s *text) bool { return strings.Contains(s.folded, v.text) },
}

var uriTests = map[string]func(*value, *text) bool{
	"below": func(v *value, s *text) bool { return under(s.exact, v.text) },
	"above": func(v *value, s *text) bool { return under(v.text, s.exact) },
}

func under(path, root string) bool {
	return path == root || strings.HasPrefix(path, strings.TrimSuffix(root, "/")+"/")
}

// wordPrefix reports whether s or one of its words starts with p.
func wordPrefix(s, p string) bool {
	return strings.HasPrefix(s, p) || strings.Contains(s, " "+p)
}

// dateHolds compares the time the query means [from, to) with the time the resource means, as R4 search 3.1.1.4.7.
func (v *value) dateHolds(d *interval64) bool {
	switch v.prefix {
	case "ne":
		return !(d.from >= v.from && d.to <= v.to)
	case "gt":
		return d.to > v.to
	case "lt":
		return d.from < v.from
	case "ge":
		return d.to > v.to || d.from >= v.from
	case "le":
		return d.from < v.from || d.to <= v.to
	case "sa":
		return d.from >= v.to
	case "eb":
		return d.to <= v.from
	case "ap":
		return d.from < v.to && d.to > v.from
	}
	return d.from >= v.from && d.to <= v.to
}

func (v *value) spanHolds(s *span) bool {
	if v.unit != "" && (v.system != "" && s.system != v.system || s.code != v.unit && (v.system != "" || s.unit != v.unit)) {
		return false
	}
	inside := s.low >= v.low && s.high < v.hi
	switch v.prefix {
	case "ne":
		return !inside
	case "gt", "sa":
		if v.prefix == "sa" {
			return s.low > v.num
		}
		return s.high > v.num
	case "lt":
		return s.low < v.num
	case "ge":
		return s.high >= v.num
	case "le":
		return s.low <= v.num
	case "eb":
		return s.high < v.num
	case "ap":
		return s.low <= v.hi && s.high >= v.low
	}
	return inside
}

// lookup joins the postings of a term's alternatives.
func (c *column) lookup(t *term) (list []uint32, all bool) {
	var lists [][]uint32
	for k := range t.values {
		for _, key := range keysOf(t, &t.values[k]) {
			l, all := c.list(key)
			if all {
				return nil, true
			}
			if len(l) > 0 {
				lists = append(lists, l)
			}
		}
	}
	if len(lists) == 1 {
		return lists[0], false
	}
	out := slices.Concat(lists...)
	slices.Sort(out)
	return slices.Compact(out), false
}

func keysOf(t *term, v *value) []uint64 {
	switch {
	case t.def == idParam, t.def.kind == uri:
		return []uint64{hash(v.text)}
	case t.def.kind == reference && t.modifier != "identifier":
		typ, id, ok := splitRef(v.text)
		switch {
		case strings.Contains(v.text, "://") || !ok && strings.ContainsAny(v.text, "/:#|?"):
			return []uint64{hash(keyRef, v.text)}
		case ok:
			return []uint64{hash(keyRef, typ, "/", id)}
		}
		return []uint64{hash(keyRefID, v.text)}
	case !v.hasPipe:
		return []uint64{hash(keyCode, v.text)}
	case v.text == "":
		return []uint64{hash(keySystem, v.system)}
	case v.system == "":
		return []uint64{hash(keyBoth, "\x00", v.text)}
	}
	return []uint64{hash(keyBoth, v.system, "\x00", v.text), hash(keyFree, v.text)}
}
