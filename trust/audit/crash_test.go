package audit

import (
	"bufio"
	"context"
	"fmt"
	"github.com/wellgate/wellgate/store/storetest"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wellgate/wellgate/internal/clock"
	"github.com/wellgate/wellgate/store"
)

const crashEnv = "WELLGATE_AUDIT_CRASH_FOLDER"

// runCrashChild is the program that TestKill kills: it acknowledges on its output what the log acknowledged to it.
func runCrashChild() bool {
	dir := os.Getenv(crashEnv)
	if dir == "" {
		return false
	}
	if err := crashChild(dir, os.Getenv(crashEnv+"_CYCLE")); err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	return true
}

func crashChild(dir, cycle string) error {
	ctx := context.Background()
	db, err := store.Open(ctx, os.Getenv(crashEnv+"_URL"))
	if err != nil {
		return err
	}
	log, err := Open(ctx, Config{DB: db, Seal: newSealer(), Seed: seed[:], Key: secret[:], Origin: origin, Anchor: dir + "/anchor", Dir: os.Getenv(crashEnv + "_FILE"), Clock: clock.System})
	if err != nil {
		return err
	}
	var out sync.Mutex
	ack := func(id string) {
		out.Lock()
		defer out.Unlock()
		fmt.Println("ack", id)
	}
	var work sync.WaitGroup
	for w := range 4 {
		work.Go(func() {
			for i := 0; ; i++ {
				done, err := crashStep(ctx, db, log, w, fmt.Sprintf("%s-%d-%d", cycle, w, i))
				if err != nil {
					fmt.Println("error", err)
					return
				}
				for _, id := range done {
					ack(id)
				}
			}
		})
	}
	work.Go(func() {
		for {
			if _, err := log.Checkpoint(ctx); err != nil {
				fmt.Println("error", err)
				return
			}
			time.Sleep(3 * time.Millisecond)
		}
	})
	work.Wait()
	return nil
}

// crashStep notes something, in one of three ways, and returns what must be there from then on.
func crashStep(ctx context.Context, db *store.DB, log *Log, way int, id string) ([]string, error) {
	e := Entry{int64(way), []byte(id)}
	switch way {
	case 0:
		return []string{id}, log.Durable(ctx, e)
	case 1, 3:
		return []string{id}, db.Write(ctx, func(tx *store.Tx) error { return log.Append(ctx, tx, e) })
	}
	var all []string
	var last Ticket
	for i := range 20 {
		all = append(all, fmt.Sprint(id, "-", i))
		var err error
		if last, err = log.Note(Entry{int64(i % 4), []byte(all[i])}); err != nil {
			return nil, err
		}
	}
	return all, log.Wait(ctx, last) // batches are written in order
}

// Nothing acknowledged is lost or there twice, and what is left verifies, after kill -9 at any moment (AUD-01).
func TestKill(t *testing.T) {
	t.Run("in the store", func(t *testing.T) { killed(t, newBench(t)) })
	t.Run("in a file", func(t *testing.T) { killed(t, newFileBench(t)) })
}

func killed(t *testing.T, b *bench) {
	const cycles = 10
	b.stop()
	acked := map[string]bool{}
	for cycle := range cycles {
		killOnce(t, b, cycle, acked)
		b.openDB()
		b.start()
		b.sign(false)
		b.sound()
		b.stop()
	}
	b.openDB()
	b.start()
	seen := map[string]bool{}
	for chart := range int64(4) {
		for s, err := range b.log.Each(t.Context(), chart) {
			if err != nil {
				t.Fatal(err)
			}
			if seen[string(s.Plain)] {
				t.Errorf("%s is there twice", s.Plain)
			}
			seen[string(s.Plain)] = true
			delete(acked, string(s.Plain))
		}
	}
	for id := range acked {
		t.Errorf("%s was acknowledged and is lost", id)
	}
}

func killOnce(t *testing.T, b *bench, cycle int, acked map[string]bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashEnv+"="+b.dir, crashEnv+"_URL="+storetest.URL(b.t, b.dbPath()), crashEnv+"_FILE="+b.file, fmt.Sprintf("%s_CYCLE=%d", crashEnv, cycle))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	quota, seen := 20+rand.IntN(150), 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		id, ok := strings.CutPrefix(lines.Text(), "ack ")
		if !ok {
			t.Errorf("child: %s", lines.Text())
			break
		}
		acked[id] = true
		if seen++; seen == quota {
			cmd.Process.Kill() // SIGKILL; what is still in the pipe was acknowledged too
		}
	}
	cmd.Process.Kill()
	cmd.Wait()
	if seen < quota {
		t.Fatalf("the child stopped by itself after %d entries", seen)
	}
}
