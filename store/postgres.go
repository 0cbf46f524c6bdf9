package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// commitLimit bounds the wait for a server that took COMMIT and answers no more. Then the outcome is unknown.
const commitLimit = 30 * time.Second

// postgres is a pool of writers; DB holds that of the readers.
type postgres struct {
	writes *sql.DB
	config *pgx.ConnConfig // without pool settings
}

func openPostgres(ctx context.Context, url string) (*DB, error) {
	addr, err := parsePostgres(url)
	if err != nil {
		return nil, fmt.Errorf("store: open postgres://…: %w", err)
	}
	pg := &postgres{config: addr.config, writes: pool(addr.config, "off", addr.writers)}
	db := &DB{engine: pg, turns: make(chan struct{}, addr.writers), reads: pool(addr.config, "on", addr.readers)}
	for _, p := range []*sql.DB{pg.writes, db.reads} {
		if err := p.PingContext(ctx); err != nil {
			db.Close()
			return nil, fmt.Errorf("store: open postgres://…: %w", explainPostgres(err))
		}
	}
	return db, nil
}

// pool makes connections that all carry our settings, and refuses servers that would lose what they acknowledged.
func pool(base *pgx.ConnConfig, readOnly string, size int) *sql.DB {
	c := base.Copy()
	c.RuntimeParams["default_transaction_read_only"] = readOnly
	c.OnNotice = noteWarning
	db := stdlib.OpenDB(*c, stdlib.OptionAfterConnect(checkServer))
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	db.SetConnMaxLifetime(time.Hour)
	return db
}

// checkServer refuses a server, or a role, for which "committed" does not mean "on disk".
func checkServer(ctx context.Context, conn *pgx.Conn) error {
	var commit, fsync, encoding string
	var version int
	err := conn.QueryRow(ctx, `SELECT current_setting('synchronous_commit'), current_setting('fsync'),
		current_setting('server_encoding'), current_setting('server_version_num')::int`).Scan(&commit, &fsync, &encoding, &version)
	switch {
	case err != nil:
		return err
	case commit != "on" && commit != "remote_apply":
		return refused("synchronous_commit is %s: a commit that was acknowledged could be lost; set it on (ALTER ROLE … SET synchronous_commit = on)", commit)
	case fsync != "on":
		return refused("fsync is %s: a power cut destroys the database; set it on in postgresql.conf", fsync)
	case encoding != "UTF8":
		return refused("the database's encoding is %s: create it with ENCODING 'UTF8'", encoding)
	case version < 140000:
		return refused("PostgreSQL %d is too old: 14 or newer is needed", version/10000)
	}
	return nil
}

// refusal is a setting that the operator must change; to try again does not help.
type refusal string

func (r refusal) Error() string { return string(r) }

func refused(format string, args ...any) error { return refusal(fmt.Sprintf(format, args...)) }

const warned = "warned"

// noteWarning remembers that the server warned. During a commit this says that it no longer waits for its standby.
func noteWarning(c *pgconn.PgConn, n *pgconn.Notice) {
	if n.SeverityUnlocalized == "WARNING" {
		c.CustomData()[warned] = n.Message
	}
}

func (*postgres) dialect() string { return "postgres" }

func (pg *postgres) close() error { return pg.writes.Close() }

// begin tries again on another connection when the pool held one that had died.
func (pg *postgres) begin(ctx context.Context) (session, error) {
	var err error
	for range 2 + pg.writes.Stats().Idle {
		var c *sql.Conn
		if c, err = pg.writes.Conn(ctx); err != nil {
			return nil, fmt.Errorf("begin: %w", explainEnd(ctx, err))
		}
		if _, err = c.ExecContext(ctx, "BEGIN"); err == nil {
			return &pgSession{sql: c}, nil
		}
		drop(c)
		if !errors.Is(explainPostgres(err), ErrLost) {
			break
		}
	}
	return nil, fmt.Errorf("begin: %w", explainEnd(ctx, err))
}

// drop closes a connection in whatever state it is, instead of giving it back to the pool.
func drop(c *sql.Conn) {
	_ = c.Raw(func(any) error { return driver.ErrBadConn })
	_ = c.Close()
}

// pgSession is one writer's connection.
type pgSession struct {
	sql   *sql.Conn
	ended bool
}

func (s *pgSession) conn() *sql.Conn { return s.sql }

func (s *pgSession) exec(ctx context.Context, query string, args []any) (int64, error) {
	res, err := s.sql.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, explainEnd(ctx, err)
	}
	return res.RowsAffected()
}

// lock waits in the database, so that its search for deadlocks sees who waits for whom.
func (s *pgSession) lock(ctx context.Context, name string) error {
	_, err := s.sql.ExecContext(ctx, "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", "wellgate/"+name)
	return explainEnd(ctx, err)
}

func (s *pgSession) commit(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, commitLimit)
	defer cancel()
	err := s.sql.Raw(func(dc any) error {
		conn := dc.(*stdlib.Conn).Conn()
		delete(conn.PgConn().CustomData(), warned)
		tag, err := conn.Exec(ctx, "COMMIT")
		switch warning := conn.PgConn().CustomData()[warned]; {
		case err != nil:
			return explainCommit(err)
		case warning != nil:
			return fmt.Errorf("%w: the server said: %v", ErrUnknown, warning)
		case tag.String() != "COMMIT": // an error before it was passed over
			return errors.New("an earlier statement failed, so nothing was kept")
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.ended = true
	return s.sql.Close()
}

// explainCommit: only the server's plain ERROR, or a request that never left, says that nothing was kept.
func explainCommit(err error) error {
	var pe *pgconn.PgError
	switch {
	case errors.As(err, &pe) && pe.SeverityUnlocalized == "ERROR":
		return explainPostgres(err)
	case pgconn.SafeToRetry(err):
		return fmt.Errorf("%w (%w)", ErrLost, err)
	}
	return fmt.Errorf("%w (%w)", ErrUnknown, err)
}

func (s *pgSession) rollback() {
	if s.ended {
		return
	}
	s.ended = true
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if _, err := s.sql.ExecContext(ctx, "ROLLBACK"); err != nil {
		drop(s.sql)
		return
	}
	_ = s.sql.Close()
}

// explainEnd names the end of ctx where the server, asked to stop, answers that it was cancelled.
func explainEnd(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
		return fmt.Errorf("%w (%w)", ctx.Err(), err)
	}
	return explainPostgres(err)
}

// explainPostgres gives the portable names to errors.
func explainPostgres(err error) error {
	var pe *pgconn.PgError
	var no refusal
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.As(err, &no):
		return err
	case !errors.As(err, &pe):
		var network net.Error
		var connect *pgconn.ConnectError
		if errors.As(err, &network) || errors.As(err, &connect) || pgconn.SafeToRetry(err) || errors.Is(err, driver.ErrBadConn) ||
			errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("%w (%w)", ErrLost, err)
		}
		return err
	}
	switch pe.Code {
	case "23505":
		return fmt.Errorf("%w (%w)", ErrUnique, err)
	case "40001", "40P01":
		return fmt.Errorf("%w (%w)", ErrRetry, err)
	case "58030", "XX001", "XX002":
		return fmt.Errorf("%w (%w)", ErrDisk, err)
	case "57P01", "57P02", "57P03", "53300", "25P03", "25P04": // shut down, crashed, starting, too many connections, idle for too long
		return fmt.Errorf("%w (%w)", ErrLost, err)
	}
	return err
}

// check asks what is really in force. The data themselves PostgreSQL checks as it reads them, by its page checksums.
func (pg *postgres) check(ctx context.Context, db *DB) error {
	want := []struct{ setting, value string }{{"fsync", "on"}, {"full_page_writes", "on"}}
	for _, w := range want {
		var got string
		if err := db.QueryRow(ctx, "SELECT current_setting($1)", w.setting).Scan(&got); err != nil {
			return explainPostgres(err)
		}
		if got != w.value {
			return fmt.Errorf("%s is %s, must be %s: set it in postgresql.conf", w.setting, got, w.value)
		}
	}
	return db.Write(ctx, func(tx *Tx) error { return nil }) // a writer's connection checks itself
}

// Advice names settings of the database that work, and are worth changing.
func (db *DB) Advice(ctx context.Context) ([]string, error) {
	if db.Dialect() != "postgres" {
		return nil, nil
	}
	var checksums, standbys string
	err := db.QueryRow(ctx, "SELECT current_setting('data_checksums'), current_setting('synchronous_standby_names')").Scan(&checksums, &standbys)
	if err != nil {
		return nil, fmt.Errorf("store: advice: %w", explainPostgres(err))
	}
	var advice []string
	if checksums != "on" {
		advice = append(advice, "data_checksums is off: a rotten page would be found by our seals only when it is read; run pg_checksums --enable while the server is stopped")
	}
	if standbys == "" {
		advice = append(advice, "synchronous_standby_names is empty: what was acknowledged is on one machine only")
	}
	return advice, nil
}
