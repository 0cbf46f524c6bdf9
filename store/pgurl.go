package store

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
)

// pgReaders and pgWriters are how many connections a node holds of each kind, unless the address says pool_readers or
// pool_writers. Three nodes fit in PostgreSQL's default of 100.
const pgReaders, pgWriters = 16, 12

// pgAddress is a parsed URL.
type pgAddress struct {
	config           *pgx.ConnConfig
	readers, writers int
}

// parsePostgres reads the address, takes out what is ours, and insists on TLS with a checked certificate and name.
func parsePostgres(text string) (pgAddress, error) {
	u, err := url.Parse(text)
	if err != nil {
		return pgAddress{}, errors.New("the address does not parse: percent-encode special characters, and keep the password in PGPASSFILE") // err would tell it
	}
	a := pgAddress{}
	q := u.Query()
	for _, n := range []struct {
		name  string
		into  *int
		usual int
	}{{"pool_readers", &a.readers, pgReaders}, {"pool_writers", &a.writers, pgWriters}} {
		*n.into = n.usual
		if v := q.Get(n.name); v != "" {
			if *n.into, err = strconv.Atoi(v); err != nil || *n.into < 1 || *n.into > 1000 {
				return pgAddress{}, fmt.Errorf("%s must be a number from 1 to 1000", n.name)
			}
		}
		q.Del(n.name)
	}
	if q.Get("sslmode") == "" && os.Getenv("PGSSLMODE") == "" {
		q.Set("sslmode", "verify-full")
	}
	u.RawQuery = q.Encode()
	if a.config, err = pgx.ParseConfig(u.String()); err != nil {
		return pgAddress{}, errors.New("the address is not one that PostgreSQL knows, or names a certificate file that cannot be read: " + withoutAddress(err))
	}
	if err := checkTLS(a.config); err != nil {
		return pgAddress{}, err
	}
	a.config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsPrimary // a standby's reads are old
	if a.config.ConnectTimeout == 0 {
		a.config.ConnectTimeout = 5 * time.Second
	}
	a.config.BuildContextWatcherHandler = func(c *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: c, DeadlineDelay: time.Second}
	}
	p := a.config.RuntimeParams
	if p["application_name"] == "" {
		p["application_name"] = "wellgate"
	}
	p["timezone"] = "UTC"
	p["client_connection_check_interval"] = "5s"     // a node that is gone lets go of its locks
	p["idle_in_transaction_session_timeout"] = "60s" // so does one that stands still
	p["tcp_keepalives_idle"], p["tcp_user_timeout"] = "10", "30000"
	return a, nil
}

// withoutAddress keeps the reason of pgx's error, which repeats the address and hides the password in it, mostly.
func withoutAddress(err error) string {
	if inner := errors.Unwrap(err); inner != nil {
		return inner.Error()
	}
	return "see the documentation of libpq's connection URIs"
}

// checkTLS accepts a Unix socket, or verify-full: anything less tells the database's content to who is in the way.
func checkTLS(c *pgx.ConnConfig) error {
	const remedy = "sslmode must be verify-full (with sslrootcert=… for an authority of your own), or use the Unix socket: postgres:///database?host=/run/postgresql"
	all := append([]*pgconn.FallbackConfig{{Host: c.Host, Port: c.Port, TLSConfig: c.TLSConfig}}, c.Fallbacks...)
	for _, f := range all {
		if path.IsAbs(f.Host) {
			continue
		}
		if f.TLSConfig == nil || f.TLSConfig.InsecureSkipVerify || f.TLSConfig.ServerName == "" {
			return errors.New(remedy)
		}
	}
	return nil
}
