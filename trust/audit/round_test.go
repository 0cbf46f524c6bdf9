//go:build linux

package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/wellgate/wellgate/internal/clock"
	"github.com/wellgate/wellgate/internal/durable"
	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/store/storetest/pgcluster"
)

// The database server is killed again and again under reads whose responses the barrier holds: every response that somebody
// received has its entry, and reads go on when the server is back.
func TestKilledServerLosesNoAnsweredRead(t *testing.T) {
	ctx := context.Background()
	c, err := pgcluster.Start(ctx)
	if errors.Is(err, pgcluster.ErrMissing) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	db, err := store.Open(ctx, c.Admin())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	l, err := Open(ctx, Config{DB: db, Seal: newSealer(), Seed: seed[:], Key: secret[:], Origin: origin, Clock: clock.System})
	if err != nil {
		t.Fatal(err)
	}
	barrier := durable.NewBarrier(l.Mark())
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ticket, err := l.Note(Entry{1, []byte(r.URL.Query().Get("id"))})
		if err != nil || !l.Hold(r.Context(), ticket) {
			http.Error(w, "not noted", http.StatusServiceUnavailable)
			return
		}
		io.WriteString(w, "read")
	}))
	srv.Listener = barrier.Listen(srv.Listener)
	srv.Config.ConnContext = durable.ConnContext
	srv.Start()

	var mu sync.Mutex
	answered := map[string]bool{}
	cycle := func(n int) (now int) {
		var wg sync.WaitGroup
		end := time.Now().Add(300 * time.Millisecond)
		for w := range 8 {
			wg.Go(func() {
				for i := 0; time.Now().Before(end); i++ {
					id := fmt.Sprintf("%d.%d.%d", n, w, i)
					res, err := srv.Client().Get(srv.URL + "/?id=" + id)
					if err != nil {
						time.Sleep(5 * time.Millisecond)
						continue
					}
					b, _ := io.ReadAll(res.Body)
					res.Body.Close()
					if len(b) > 0 && res.StatusCode == 200 {
						mu.Lock()
						answered[id] = true
						now++
						mu.Unlock()
					}
				}
			})
		}
		if n < 4 {
			time.Sleep(time.Duration(60+30*n) * time.Millisecond)
			if err := c.Kill(); err != nil {
				t.Error(err)
			}
		}
		wg.Wait()
		return now
	}
	for n := range 5 {
		if cycle(n) == 0 && n == 4 { // the others may have had no time before the kill
			t.Error("nothing was answered after the last kill")
		}
		if n < 4 {
			if err := c.Run(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	srv.Close()
	barrier.Close()
	srv.Client().CloseIdleConnections()
	stored := map[string]bool{}
	for e, err := range l.Each(ctx, 1) {
		if err != nil {
			t.Fatal(err)
		}
		stored[string(e.Plain)] = true
	}
	missing := 0
	for id := range answered {
		if !stored[id] {
			missing++
		}
	}
	t.Logf("4 kills: %d answered, %d entries", len(answered), len(stored))
	if missing > 0 {
		t.Errorf("%d answered reads have no entry", missing)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}
