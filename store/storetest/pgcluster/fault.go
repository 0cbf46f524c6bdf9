//go:build unix

package pgcluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func (c *Cluster) running() bool {
	if c.cmd == nil {
		return false
	}
	select {
	case <-c.exited:
		return false
	default:
		return true
	}
}

// Stop ends the server: every connection is closed, the log is written out.
func (c *Cluster) Stop() error { return c.end(syscall.SIGINT) }

// Kill ends every process of the server with SIGKILL, as a machine that loses its power would, the disk excepted.
func (c *Cluster) Kill() error {
	if !c.running() {
		return nil
	}
	c.untie()
	for _, pid := range c.processes(true) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	<-c.exited
	_ = os.Remove(filepath.Join(c.Data(), "postmaster.pid"))
	return nil
}

// Freeze stops every process of the server where it stands; connections stay open and nothing answers.
func (c *Cluster) Freeze() error {
	if !c.running() {
		return errors.New("pgcluster: Freeze: it does not run")
	}
	c.processes(true)
	return nil
}

// Thaw lets a frozen server go on.
func (c *Cluster) Thaw() error {
	if !c.running() {
		return errors.New("pgcluster: Thaw: it does not run")
	}
	for _, pid := range c.processes(false) {
		_ = syscall.Kill(pid, syscall.SIGCONT)
	}
	return nil
}

// processes lists the postmaster and its children; with stop they are stopped, the postmaster first, so that the
// list is whole.
func (c *Cluster) processes(stop bool) []int {
	master := c.cmd.Process.Pid
	all := []int{master}
	if stop {
		_ = syscall.Kill(master, syscall.SIGSTOP)
		time.Sleep(5 * time.Millisecond) // a fork in progress ends
	}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		b, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(b), ") ")
		if f := strings.Fields(rest); len(f) > 1 && f[1] == strconv.Itoa(master) {
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name))); err == nil {
				all = append(all, pid)
				if stop {
					_ = syscall.Kill(pid, syscall.SIGSTOP)
				}
			}
		}
	}
	return all
}

func (c *Cluster) end(sig syscall.Signal) error {
	if !c.running() {
		return nil
	}
	c.untie()
	_ = c.cmd.Process.Signal(sig)
	select {
	case <-c.exited:
		return nil
	case <-time.After(20 * time.Second):
		_ = c.Kill()
		return fmt.Errorf("pgcluster: the server did not stop and was killed: %s", c.tail())
	}
}

// Close ends the server at once and removes its folder.
func (c *Cluster) Close() error {
	if c.running() {
		_ = c.Thaw()
		if err := c.end(syscall.SIGQUIT); err != nil {
			return err
		}
	}
	if !c.owned {
		return nil
	}
	return os.RemoveAll(c.dir)
}

// Standby makes a second server that follows this one, and makes this one wait for it at each commit.
func (c *Cluster) Standby(ctx context.Context) (*Cluster, error) {
	s, err := create()
	if err != nil {
		return nil, err
	}
	s.password = c.password
	err = s.tool(ctx, "pg_basebackup", "--pgdata", s.Data(), "--wal-method", "stream", "--checkpoint", "fast", "--no-sync",
		"--write-recovery-conf", "--dbname", fmt.Sprintf("host=%s port=%d user=%s application_name=standby", c.dir, c.port, Superuser))
	if err == nil {
		err = s.Run(ctx)
	}
	if err == nil {
		err = c.Exec(ctx, "ALTER SYSTEM SET synchronous_standby_names = 'FIRST 1 (standby)'", "SELECT pg_reload_conf()")
	}
	if err == nil {
		err = c.synchronous(ctx)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// synchronous waits until commits wait for the standby.
func (c *Cluster) synchronous(ctx context.Context) error {
	const ask = "SELECT 1/count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"
	for {
		err := c.Exec(ctx, ask)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("pgcluster: the standby does not follow: %w: %s", err, c.tail())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Promote makes a standby the primary. Commits wait for no further standby. End or freeze the old primary first.
func (c *Cluster) Promote(ctx context.Context) error {
	return c.Exec(ctx, "SELECT pg_promote(true, 60)", "ALTER SYSTEM SET synchronous_standby_names = ''", "SELECT pg_reload_conf()")
}
