package main

import (
	"io"
	"log/slog"
	"time"

	"github.com/wellgate/wellgate/doors/web"
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
	})
	if err != nil {
		return nil, err
	}
	return door.Table(), nil
}
