package web

import (
	"context"
	"errors"
	"net/http"

	"github.com/wellgate/wellgate/care"
	"github.com/wellgate/wellgate/fhir"
	"github.com/wellgate/wellgate/trust/chart"
)

// desk lets desk pages look people up and open records, as the chart permits.
type desk struct {
	d   *Door
	act *chart.Act
	r   *http.Request
}

var _ care.Desk = (*desk)(nil)

func (k *desk) Find(ctx context.Context, q care.Query) ([]care.Found, error) {
	ids := []chart.Identifier{
		{Kind: "family", Value: q.Family}, {Kind: "given", Value: q.Given}, {Kind: "born", Value: q.Born},
		{Kind: "number", Value: q.Number}, {Kind: "phone", Value: q.Phone},
	}
	charts, err := k.d.House.Find(ctx, k.act, ids)
	if errors.Is(err, chart.ErrTwo) {
		return nil, care.ErrTooFew
	}
	if err != nil {
		return nil, err
	}
	var out []care.Found
	for _, c := range charts {
		f, err := k.found(ctx, c)
		if errors.Is(err, chart.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

func (k *desk) found(ctx context.Context, c *chart.Chart) (care.Found, error) {
	p, err := c.Person(ctx)
	if err != nil {
		return care.Found{}, err
	}
	w := k.d.speak(k.r, visitOf(k.r))
	return care.Found{
		PublicID: c.PublicID(), Name: p.DisplayName(), Born: birth(w, p.BirthDate, k.d.Clock().In(k.d.Practice.Zone)),
		Number: recordNumber(p), Sex: p.Gender,
	}, nil
}

func (k *desk) OpenRecord(ctx context.Context, publicID string, purpose chart.Purpose, reason string) error {
	num, ok := k.d.House.Number(publicID)
	if !ok {
		return chart.ErrNotFound
	}
	err := k.d.House.OpenRecord(ctx, k.act, num, purpose, reason)
	if errors.Is(err, chart.ErrReason) {
		return care.ErrReason
	}
	return err
}

func (k *desk) Opened(ctx context.Context) ([]care.Found, error) {
	list, err := k.d.House.Openings(ctx, k.act.Who.Session)
	if err != nil {
		return nil, err
	}
	var out []care.Found
	for _, o := range list {
		f, err := k.found(ctx, k.d.House.Known(k.act, o))
		if errors.Is(err, chart.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		f.Purpose, f.Reason = o.Purpose, o.Reason
		out = append(out, f)
	}
	return out, nil
}

func (k *desk) Leave(ctx context.Context, publicID string) error {
	num, ok := k.d.House.Number(publicID)
	if !ok {
		return chart.ErrNotFound
	}
	return k.d.House.Leave(ctx, k.act, num)
}

// given is the patient's first name for the greeting, in their own script.
func given(v *care.Visit) (string, error) {
	r, err := v.Chart.Patient(v.Context())
	if err != nil {
		return "", err
	}
	n := fhir.BestName(fhir.Into[fhir.Patient](r).Name)
	if len(n.Given) > 0 {
		return n.Given[0], nil
	}
	return n.Display(), nil
}
