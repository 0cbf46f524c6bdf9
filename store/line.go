package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// A Line is a connection to PostgreSQL that its owner has to itself, for short statements that each are a transaction of
// their own: one round trip, where Write needs three. It connects at the first statement, and again after it was lost.
// It is for one goroutine at a time.
type Line struct {
	config *pgx.ConnConfig
	conn   *pgx.Conn // nil: connect first
}

// Line makes one. SQLite has none: nil.
func (db *DB) Line() *Line {
	pg, ok := db.engine.(*postgres)
	if !ok {
		return nil
	}
	c := pg.config.Copy()
	c.OnNotice = noteWarning
	p := c.RuntimeParams
	p["default_transaction_read_only"] = "off"
	p["plan_cache_mode"] = "force_generic_plan" // the same few statements, again and again
	p["enable_seqscan"], p["enable_hashjoin"], p["enable_mergejoin"], p["jit"] = "off", "off", "off", "off"
	return &Line{config: c}
}

// Do runs one statement, and row for each row that it returns: scan is like sql.Row's. When Do returns nil, what the
// statement changed is durable, and what it read was the state at some time after Do was called. An error of the server's
// undid it; ErrLost means that it never began, ErrUnknown that it may have been kept.
func (l *Line) Do(ctx context.Context, query string, args []any, row func(scan func(...any) error) error) error {
	for again := l.conn != nil; ; again = false {
		err := l.do(ctx, query, args, row)
		// The connection died since the last statement: nobody has seen this one.
		if again && err != nil && l.conn == nil && ctx.Err() == nil && pgconn.SafeToRetry(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("store: line: %w", l.explain(ctx, err))
		}
		return nil
	}
}

func (l *Line) do(ctx context.Context, query string, args []any, row func(scan func(...any) error) error) error {
	if err := l.connect(ctx); err != nil {
		return err
	}
	conn := l.conn
	seen := conn.PgConn().CustomData()
	delete(seen, warned)
	rows, err := conn.Query(ctx, query, args...)
	if err == nil {
		for rows.Next() && err == nil {
			err = row(rows.Scan)
		}
		rows.Close() // reads to the end
		err = errors.Join(rows.Err(), err)
	}
	if err == nil && seen[warned] != nil {
		err = fmt.Errorf("%w: the server said: %v", ErrUnknown, seen[warned])
	}
	if err != nil && conn.IsClosed() {
		l.conn = nil
	}
	return err
}

func (l *Line) connect(ctx context.Context) error {
	if l.conn != nil {
		return nil
	}
	conn, err := pgx.ConnectConfig(ctx, l.config)
	if err != nil {
		return err
	}
	if err := checkServer(ctx, conn); err != nil {
		conn.Close(context.WithoutCancel(ctx))
		return err
	}
	l.conn = conn
	return nil
}

// explain: a statement that a dead connection does not answer may have been kept.
func (l *Line) explain(ctx context.Context, err error) error {
	named := explainEnd(ctx, err)
	var connect *pgconn.ConnectError
	if l.conn != nil || errors.Is(err, ErrUnknown) || errors.As(err, &connect) || pgconn.SafeToRetry(err) {
		return named
	}
	var no refusal
	if errors.As(err, &no) {
		return named
	}
	return fmt.Errorf("%w (%w)", ErrUnknown, err)
}

// Close ends the connection.
func (l *Line) Close() error {
	if l.conn == nil {
		return nil
	}
	err := l.conn.Close(context.Background())
	l.conn = nil
	return err
}
