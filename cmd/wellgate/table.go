package main

import (
	"io"
	"log/slog"
	"time"

	"github.com/wellgate/wellgate/doors/api"
	"github.com/wellgate/wellgate/doors/web"
	"github.com/wellgate/wellgate/internal/admit"
	"github.com/wellgate/wellgate/internal/clock"
	"github.com/wellgate/wellgate/site"
)

// routeTable lists every route as a door mounts it. It opens no practice: the table is the program's.
func routeTable() ([]web.Listed, error) {
	words, err := site.NewCatalogue()
	if err != nil {
		return nil, err
	}
	door, err := web.New(web.Config{
		Rooms: rooms(), Words: words, Practice: site.Practice{Zone: time.UTC}, Hosts: []string{"localhost"},
		Secret: make([]byte, 32), Clock: clock.System, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Demo: true,
		Gate: admit.New(admit.Config{Cores: 1, Clock: clock.System, Delay: admit.Delay()}),
	})
	if err != nil {
		return nil, err
	}
	return door.Table(), nil
}

// apiTable lists the interactions of the FHIR door in the same form.
func apiTable() (out []web.Listed) {
	for _, l := range api.Table() {
		who := "token"
		if l.Does == "" && l.Name == "api.metadata" {
			who = "anyone"
		}
		out = append(out, web.Listed{Pattern: l.Pattern, Name: l.Name, Room: "api", For: who, Action: l.Does})
	}
	return out
}
