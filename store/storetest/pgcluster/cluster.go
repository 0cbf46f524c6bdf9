//go:build unix

// Package pgcluster runs private PostgreSQL clusters for tests: start, stop, kill -9, freeze, a synchronous standby,
// fail over. It promises: a cluster belongs to an ordinary user (as root it runs as "postgres"), listens on a Unix
// socket in its own folder and with TLS on loopback, keeps its durable settings (fsync, synchronous_commit), and dies
// with the process that started it, however that ends.
package pgcluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrMissing means that this machine has no PostgreSQL server.
var ErrMissing = errors.New("pgcluster: no PostgreSQL server found: install Debian's package postgresql, or name its bin folder in WELLGATE_PGBIN")

// Superuser is the role that owns the cluster; through the Unix socket it needs no password.
const Superuser = "postgres"

// A Cluster is one server's data folder and, while it runs, its processes. Its methods are not safe for concurrent use.
type Cluster struct {
	dir      string // holds data, the socket, certificates, the log
	bin      string
	port     int
	password string // of role Superuser, for TLS on loopback
	cmd      *exec.Cmd
	exited   chan struct{} // closed when cmd has ended
	leash    io.WriteCloser
	owned    bool // dir is removed by Close
}

// Bin is the folder with the newest PostgreSQL's programs.
func Bin() (string, error) {
	if dir := os.Getenv("WELLGATE_PGBIN"); dir != "" {
		return dir, nil
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	slices.SortFunc(found, func(a, b string) int { return version(b) - version(a) })
	for _, p := range found {
		return filepath.Dir(p), nil
	}
	if p, err := exec.LookPath("postgres"); err == nil {
		return filepath.Dir(p), nil
	}
	return "", ErrMissing
}

func version(bin string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(bin))))
	return n
}

// Start makes a new cluster in a temporary folder and runs it. Close it when done.
func Start(ctx context.Context) (*Cluster, error) {
	c, err := create()
	if err != nil {
		return nil, err
	}
	if err := c.initialise(ctx); err != nil {
		c.Close()
		return nil, err
	}
	if err := c.Run(ctx); err != nil {
		c.Close()
		return nil, err
	}
	sql := "ALTER ROLE " + Superuser + " PASSWORD '" + c.password + "'"
	if err := c.Exec(ctx, sql); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// create makes the folder. A Unix socket's path may have 107 bytes, so it lies directly below the temporary folder.
func create() (*Cluster, error) {
	bin, err := Bin()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "wgpg")
	if err != nil {
		return nil, fmt.Errorf("pgcluster: %w", err)
	}
	c := &Cluster{dir: dir, bin: bin, owned: true, password: randomWord()}
	if c.port, err = freePort(); err == nil {
		err = c.own(dir)
	}
	if err == nil {
		err = c.writeCertificates()
	}
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("pgcluster: %w", err)
	}
	return c, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func (c *Cluster) initialise(ctx context.Context) error {
	err := c.tool(ctx, "initdb", "--pgdata", c.Data(), "--username", Superuser, "--auth-local", "trust", "--auth-host", "scram-sha-256",
		"--encoding", "UTF8", "--locale", "C", "--data-checksums", "--no-sync")
	if err != nil {
		return err
	}
	hba := "local all all trust\nlocal replication all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n"
	if err := c.write(filepath.Join(c.Data(), "pg_hba.conf"), hba); err != nil {
		return err
	}
	return c.configure()
}

// configure leaves what makes commits durable at PostgreSQL's own values.
func (c *Cluster) configure() error {
	return c.write(filepath.Join(c.Data(), "postgresql.auto.conf"), "") // of a base backup: the primary's
}

func (c *Cluster) settings() []string {
	return []string{
		"listen_addresses=127.0.0.1", "port=" + strconv.Itoa(c.port), "unix_socket_directories=" + c.dir,
		"max_connections=400", "shared_buffers=64MB", "dynamic_shared_memory_type=posix", "max_wal_senders=8",
		"wal_keep_size=256MB", "ssl=on", "ssl_cert_file=" + filepath.Join(c.dir, "server.crt"),
		"ssl_key_file=" + filepath.Join(c.dir, "server.key"), "log_min_messages=warning", "logging_collector=off",
		"timezone=UTC", "hot_standby=on",
	}
}

// Run starts the server (again) and waits until it answers.
func (c *Cluster) Run(ctx context.Context) error {
	if c.running() {
		return errors.New("pgcluster: Run: it runs already")
	}
	log, err := os.OpenFile(c.Log(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("pgcluster: Run: %w", err)
	}
	defer log.Close()
	args := []string{"-D", c.Data()}
	for _, s := range c.settings() {
		args = append(args, "-c", s)
	}
	cmd := exec.Command(filepath.Join(c.bin, "postgres"), args...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = log, log, c.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: credential()}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("pgcluster: Run: %w", err)
	}
	exited := make(chan struct{})
	go func() { _ = cmd.Wait(); close(exited) }()
	c.cmd, c.exited = cmd, exited
	if err := c.tie(); err != nil {
		return fmt.Errorf("pgcluster: Run: %w", err)
	}
	return c.wait(ctx)
}

// tie lets a shell watch us: when our end of its pipe closes, because we died too, it ends the server and sweeps up.
func (c *Cluster) tie() error {
	script := `read _; [ "$REPLY" = ok ] || { kill -QUIT "$1"; sleep 1; rm -rf -- "$2"; }`
	script = strings.ReplaceAll(script, "read _", "read REPLY")
	watch := exec.Command("/bin/sh", "-c", script, "sh", strconv.Itoa(c.cmd.Process.Pid), c.dir)
	watch.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, err := watch.StdinPipe()
	if err != nil {
		return err
	}
	if err := watch.Start(); err != nil {
		return err
	}
	go func() { _ = watch.Wait() }()
	c.leash = in
	return nil
}

func (c *Cluster) untie() {
	if c.leash != nil {
		_, _ = io.WriteString(c.leash, "ok\n")
		c.leash.Close()
		c.leash = nil
	}
}

// wait returns once the server answers a query, or has ended.
func (c *Cluster) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	for {
		err := c.Exec(ctx, "SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-c.exited:
			return fmt.Errorf("pgcluster: the server ended at once: %s", c.tail())
		case <-ctx.Done():
			return fmt.Errorf("pgcluster: the server does not answer: %w: %s", err, c.tail())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Exec runs SQL as the superuser in database postgres, each statement by itself.
func (c *Cluster) Exec(ctx context.Context, statements ...string) error {
	conn, err := pgx.Connect(ctx, c.Admin())
	if err != nil {
		return fmt.Errorf("pgcluster: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for _, sql := range statements {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("pgcluster: %w", err)
		}
	}
	return nil
}

// Admin is the superuser's URL through the Unix socket.
func (c *Cluster) Admin() string { return c.URL(Superuser, "postgres") }

// URL names a database through the Unix socket.
func (c *Cluster) URL(role, database string) string {
	q := url.Values{"host": {c.dir}, "port": {strconv.Itoa(c.port)}, "user": {role}}
	return "postgres:///" + database + "?" + q.Encode()
}

// TLSURL names a database through loopback with a checked certificate. The password is the superuser's.
func (c *Cluster) TLSURL(database string) string {
	q := url.Values{"sslmode": {"verify-full"}, "sslrootcert": {c.CA()}}
	u := url.URL{Scheme: "postgres", User: url.UserPassword(Superuser, c.password), Host: c.Addr(), Path: "/" + database, RawQuery: q.Encode()}
	return u.String()
}

// Addr is the server's loopback address, by name, as its certificate has it.
func (c *Cluster) Addr() string { return net.JoinHostPort("localhost", strconv.Itoa(c.port)) }

// CA is the file of the certificate that signed the server's.
func (c *Cluster) CA() string { return filepath.Join(c.dir, "ca.crt") }

// Data is the data folder, Log the server's log.
func (c *Cluster) Data() string { return filepath.Join(c.dir, "data") }

// Log is the file of the server's messages.
func (c *Cluster) Log() string { return filepath.Join(c.dir, "log") }

func (c *Cluster) tail() string {
	b, _ := os.ReadFile(c.Log())
	return string(bytes.TrimSpace(b[max(0, len(b)-2000):]))
}

// tool runs one of PostgreSQL's programs as the cluster's owner.
func (c *Cluster) tool(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(c.bin, name), args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential()}
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("pgcluster: %s: %w: %s", name, err, bytes.TrimSpace(out))
	}
	return nil
}

func (c *Cluster) write(path, text string) error {
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return fmt.Errorf("pgcluster: %w", err)
	}
	return c.own(path)
}
