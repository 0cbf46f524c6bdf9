package site

import (
	"hash/fnv"
	"strconv"

	"github.com/a-h/templ"
)

func (b Box) headingID() string { return "h-" + or(b.ID, "card") }

// labelled names a card by its heading.
func labelled(b Box) templ.Attributes {
	if b.Title == "" {
		return nil
	}
	return templ.Attributes{"aria-labelledby": b.headingID()}
}

func (b Press) class() string {
	c := mod("btn", b.Kind)
	if b.Small {
		c += " btn--s"
	}
	if b.Wide {
		c += " btn--wide"
	}
	return c
}

// send adds the name and value a submit button brings.
func (b Press) send() templ.Attributes {
	a := templ.Attributes{}
	for k, v := range b.Attrs {
		a[k] = v
	}
	if b.Name != "" {
		a["name"], a["value"] = b.Name, b.Value
	}
	return a
}

// rest is what follows the name of who wrote.
func (v Voice) rest() string {
	s := ""
	if v.Role != "" {
		s += ", " + v.Role
	}
	if v.When != "" {
		s += ". " + v.When
	}
	return s
}

func acts(rows []Row) bool {
	for _, r := range rows {
		if r.Action != nil {
			return true
		}
	}
	return false
}

func rows(n int) int {
	if n > 0 {
		return n
	}
	return 4
}

func chosen(value string, options []Option) bool {
	for _, o := range options {
		if o.Selected || (o.Value == value && value != "") {
			return true
		}
	}
	return false
}

// described ties a fieldset to its hint and error.
func described(in Input) templ.Attributes {
	if d := in.describedBy(); d != "" {
		return templ.Attributes{"aria-describedby": d}
	}
	return nil
}

func invalid(in Input) templ.Attributes {
	if in.Error != "" {
		return templ.Attributes{"aria-invalid": "true"}
	}
	return nil
}

// birthday lets the browser fill a date of birth (WCAG 1.3.5) when the field asks for one.
func birthday(in Input, part string) string {
	if in.Autocomplete == "bday" {
		return "bday-" + part
	}
	return "off"
}

// nth gives the first control of a group the group's own id, so that an error can lead to it.
func nth(id string, i int) string {
	if i == 0 {
		return id
	}
	return id + "-" + strconv.Itoa(i+1)
}

func (t Table) num(i int) bool { return i < len(t.Cols) && t.Cols[i].Num }

// heading is what a phone shows beside a cell.
func (t Table) heading(i int) string {
	if i < len(t.Cols) && !t.Cols[i].Hide {
		return t.Cols[i].Text
	}
	return ""
}

func (c Cell) blank() bool { return c.Text == "" && c.Sub == "" && c.Tag.Text == "" && c.Body == nil }

// pc clamps a percentage to the classes .p0 … .p100 and .w0 … .w100, the CSP-safe way to place things.
func pc(n int) string { return strconv.Itoa(min(100, max(0, n))) }

// hue gives a person the same one of three colours everywhere.
func hue(name string) string {
	h := fnv.New32a()
	h.Write([]byte(name))
	return string("abc"[h.Sum32()%3])
}

func lang(code string) templ.Attributes {
	if code == "" {
		return nil
	}
	return templ.Attributes{"lang": code, "dir": "auto"}
}
