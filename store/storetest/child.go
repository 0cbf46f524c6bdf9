package storetest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/wellgate/wellgate/store"
)

const childRole, childURL = "WELLGATE_STORETEST_ROLE", "WELLGATE_STORETEST_URL"

// Main runs a package's tests, or, when the suite started this program again as a second process, that role.
func Main(m *testing.M) {
	role := os.Getenv(childRole)
	if role == "" {
		os.Exit(m.Run())
	}
	if err := play(context.Background(), role, os.Getenv(childURL)); err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// play is a child process's work.
func play(ctx context.Context, role, url string) error {
	in := bufio.NewScanner(os.Stdin)
	if role == "migrate" {
		fmt.Println("ready")
		in.Scan()
	}
	db, err := store.Open(ctx, url)
	if err != nil {
		return err
	}
	defer db.Close()
	switch role {
	case "migrate":
		if err := db.Migrate(ctx, "race", slowSchema()); err != nil {
			return err
		}
		fmt.Println("migrated")
		return nil
	case "write":
		var last int64
		if err := db.QueryRow(ctx, "SELECT COALESCE(MAX(id), 0) FROM suite_item").Scan(&last); err != nil {
			return err
		}
		for id := last + 1; ; id++ {
			if err := db.Write(ctx, func(tx *store.Tx) error { return put(ctx, tx, id) }); err != nil {
				return err
			}
			fmt.Println(id) // acknowledged
		}
	}
	return fmt.Errorf("unknown role %q", role)
}

// child is a second process on the same database.
type child struct {
	s   *suite
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func (s *suite) start(role string) *child {
	s.Helper()
	k := &child{s: s, cmd: exec.Command(os.Args[0])}
	k.cmd.Env = append(os.Environ(), childRole+"="+role, childURL+"="+s.url)
	k.cmd.Stderr = os.Stderr
	out, err := k.cmd.StdoutPipe()
	s.ok(err)
	k.in, err = k.cmd.StdinPipe()
	s.ok(err)
	k.out = bufio.NewScanner(out)
	s.ok(k.cmd.Start())
	s.Cleanup(func() { _ = k.cmd.Process.Kill(); _ = k.cmd.Wait() })
	return k
}

func (k *child) say(line string) {
	k.s.Helper()
	_, err := fmt.Fprintln(k.in, line)
	k.s.ok(err)
}

func (k *child) expect(want string) {
	k.s.Helper()
	if !k.out.Scan() || k.out.Text() != want {
		k.s.Fatalf("the other process said %q, want %q", k.out.Text(), want)
	}
}

func (k *child) wait() {
	k.s.Helper()
	k.s.ok(k.cmd.Wait())
}

// testKill ends a writing process at random moments; every row that it acknowledged must be there, and none half.
func testKill(s *suite) {
	var acked int64
	for range 10 {
		k := s.start("write")
		for range 1 + rand.IntN(60) {
			if !k.out.Scan() {
				s.Fatal("the writing process ended by itself")
			}
			acked = s.number(k.out.Text())
		}
		s.ok(k.cmd.Process.Kill())
		for k.out.Scan() { // said before it died
			acked = s.number(k.out.Text())
		}
		_ = k.cmd.Wait()
		got := s.ids(s.db)
		if n := int64(len(got)); n < acked {
			s.Fatalf("acknowledged up to row %d, found %d rows", acked, n)
		}
		for i, id := range got {
			if id != int64(i)+1 {
				s.Fatalf("row %d is missing: %v", i+1, slices.Compact(got))
			}
		}
	}
	s.ok(s.db.Check(s.ctx))
}

func (s *suite) number(line string) int64 {
	s.Helper()
	if strings.HasPrefix(line, "error") {
		s.Fatal(line)
	}
	n, err := strconv.ParseInt(line, 10, 64)
	s.ok(err)
	return n
}
