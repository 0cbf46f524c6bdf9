package journal

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

func always(v string, bytes int64) func(context.Context) (string, int64, error) {
	return func(context.Context) (string, int64, error) { return v, bytes, nil }
}

func never(t *testing.T) func(context.Context) (string, int64, error) {
	return func(context.Context) (string, int64, error) {
		t.Helper()
		t.Error("loaded what should be warm")
		return "", 0, nil
	}
}

func get(t *testing.T, c *Cache[string], chart int64, load func(context.Context) (string, int64, error)) string {
	t.Helper()
	v, err := c.Get(t.Context(), chart, load)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestCacheKeepsToItsBudget(t *testing.T) {
	c := NewCache[string](100)
	for chart := range int64(3) {
		get(t, c, chart, always("v", 40)) // the third pushes out the first
	}
	get(t, c, 1, never(t))
	get(t, c, 3, always("w", 40)) // 2 is now the oldest
	get(t, c, 1, never(t))
	if v := get(t, c, 2, always("again", 10)); v != "again" {
		t.Fatalf("2 was kept: %q", v)
	}
	if v := get(t, c, 9, always("huge", 101)); v != "huge" {
		t.Fatal(v)
	}
	c.Put(1, "bigger", 60)
	if v := get(t, c, 1, never(t)); v != "bigger" {
		t.Fatal(v)
	}
	s := c.Stats()
	if s.Bytes > 100 || s.Entries != 2 || s.Hits != 3 || s.Misses != 6 || s.Loads != 6 {
		t.Fatalf("%+v", s)
	}
	c.Put(1, "huge", 1000) // it does not fit, and the old one is wrong now
	if v := get(t, c, 1, always("loaded", 1)); v != "loaded" {
		t.Fatalf("an outdated value: %q", v)
	}
	c.Drop(1)
	c.Drop(404)
	if v := get(t, c, 1, always("after drop", 1)); v != "after drop" {
		t.Fatal(v)
	}
}

func TestCacheLoadsOnce(t *testing.T) {
	c := NewCache[string](1000)
	var loads atomic.Int32
	release := make(chan struct{})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			v, err := c.Get(t.Context(), 1, func(context.Context) (string, int64, error) {
				loads.Add(1)
				<-release
				return "v", 1, nil
			})
			if v != "v" || err != nil {
				t.Error(v, err)
			}
		})
	}
	for c.Stats().Misses < 20 {
		runtime.Gosched()
	}
	close(release)
	wg.Wait()
	if n := loads.Load(); n != 1 {
		t.Fatalf("%d loads", n)
	}
}

func TestCacheDoesNotKeepErrors(t *testing.T) {
	c := NewCache[string](1000)
	broken := errors.New("broken")
	if _, err := c.Get(t.Context(), 1, func(context.Context) (string, int64, error) { return "", 0, broken }); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	if v := get(t, c, 1, always("fine", 1)); v != "fine" {
		t.Fatal(v)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Get(ended, 1, never(t)); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

// during runs do while a load of chart 1 that returns "old" is under way, and returns what that load's caller got.
func during(t *testing.T, c *Cache[string], do func()) string {
	t.Helper()
	started, release := make(chan struct{}), make(chan struct{})
	got := make(chan string)
	go func() {
		v, _ := c.Get(t.Context(), 1, func(context.Context) (string, int64, error) {
			close(started)
			<-release
			return "old", 1, nil
		})
		got <- v
	}()
	<-started
	do()
	close(release)
	return <-got
}

func TestCacheNewerValueWins(t *testing.T) {
	c := NewCache[string](1000)
	during(t, c, func() { c.Put(1, "new", 1) })
	if v := get(t, c, 1, never(t)); v != "new" {
		t.Fatalf("a load that began before a write replaced it: %q", v)
	}
	c = NewCache[string](1000)
	during(t, c, func() {
		c.Drop(1)
		if v := get(t, c, 1, always("fresh", 1)); v != "fresh" { // does not join the outdated load
			t.Errorf("after Drop: %q", v)
		}
	})
	if v := get(t, c, 1, never(t)); v != "fresh" {
		t.Fatalf("an outdated load was kept: %q", v)
	}
}

// Whoever waits for a load is not harmed by the leader's end.
func TestCacheLeaderGoes(t *testing.T) {
	ends := map[string]func(ctx context.Context){
		"ctx":   func(ctx context.Context) { <-ctx.Done() },
		"panic": func(context.Context) { panic("load") },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			c := NewCache[string](1000)
			ctx, cancel := context.WithCancel(t.Context())
			started, release := make(chan struct{}), make(chan struct{})
			left := make(chan any)
			go func() {
				defer func() { left <- recover() }()
				_, err := c.Get(ctx, 1, func(ctx context.Context) (string, int64, error) {
					close(started)
					<-release
					end(ctx)
					return "", 0, ctx.Err()
				})
				panic(fmt.Sprint("error: ", err))
			}()
			<-started
			waiter := make(chan string)
			go func() {
				v, err := c.Get(t.Context(), 1, always("mine", 1))
				waiter <- fmt.Sprint(v, err)
			}()
			for c.Stats().Misses < 2 {
				runtime.Gosched()
			}
			close(release)
			cancel()
			if got := <-left; got != "load" && got != "error: context canceled" {
				t.Errorf("the leader: %v", got)
			}
			if got := <-waiter; got != "mine<nil>" {
				t.Errorf("the waiter: %v", got)
			}
		})
	}
}
