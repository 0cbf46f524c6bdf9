package api

import (
	"encoding/base64"
	"time"

	"github.com/go-json-experiment/json"
)

// pageLife is how long a link to a further page is good.
const pageLife = time.Hour

// A cursor is what a link to a further page holds. It is sealed and bound to the token and the type it was made for:
// nobody reads it, points it elsewhere, or uses another's. Policy is asked again when it comes back.
type cursor struct {
	Chart  int64  `json:"c"`
	Query  string `json:"q"`
	Count  int    `json:"n"`
	Offset int    `json:"o"`
	Until  int64  `json:"u"`
}

func (c *call) binding(typ string) []byte { return []byte(c.who.Account + "\x00" + typ) }

// next is the link to the page that starts at offset.
func (c *call) next(q inquiry, offset int) (string, error) {
	num := q.chart
	if num == 0 {
		return "", errPage
	}
	plain, err := json.Marshal(cursor{num, q.query, q.count, offset, c.d.Clock().Add(pageLife).Unix()})
	if err != nil {
		return "", err
	}
	sealed := c.d.links.Seal(nil, nil, plain, c.binding(q.typ))
	return c.base + "/" + q.typ + "?_page=" + base64.RawURLEncoding.EncodeToString(sealed), nil
}

// further reads a link to a further page.
func (c *call) further(typ, query, page string) (inquiry, error) {
	var at cursor
	if !c.unseal(query, page, typ, &at) || c.d.Clock().Unix() > at.Until {
		return inquiry{}, errPage
	}
	return inquiry{typ: typ, query: at.Query, count: at.Count, offset: at.Offset, chart: at.Chart}, nil
}

// unseal opens what a link holds. A link stands alone: no other parameter may come with it.
func (c *call) unseal(query, page, about string, into any) bool {
	for name := range pairs(query) {
		if name != "_page" && name != "_format" {
			return false
		}
	}
	sealed, err := base64.RawURLEncoding.DecodeString(page)
	if err != nil {
		return false
	}
	plain, err := c.d.links.Open(nil, nil, sealed, c.binding(about))
	return err == nil && json.Unmarshal(plain, into) == nil
}
