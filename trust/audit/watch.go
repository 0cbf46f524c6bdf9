package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/wellgate/wellgate/trust/audit/witness"
)

// A Witness signs our checkpoints beside us, and remembers them.
type Witness struct {
	Key string `json:"key"` // its key line (c2sp.org/tlog-cosignature, Ed25519)
	URL string `json:"url"` // https; what stands before /add-checkpoint
}

// Cosigned is how far a witness has signed.
type Cosigned struct {
	Name    string    `json:"name"`
	Size    int64     `json:"size"`              // entries under its newest signature; 0 for none
	At      time.Time `json:"at,omitzero"`       // when it signed them
	Trouble string    `json:"trouble,omitempty"` // why it did not sign lately
	Fork    string    `json:"fork,omitempty"`    // the proof that there is, or was, another history; mend this before all else
}

const (
	watchEvery = time.Minute
	// mostSkips is how many rounds a witness that is away is left alone, at most.
	mostSkips = 15
)

// watch asks the witnesses. One that is away stops nothing.
type watch struct {
	l     *Log
	every time.Duration
	round sync.Mutex // one round at a time
	list  []*asked

	mu    sync.Mutex // of what follows
	state []Cosigned // in the order of list
}

type asked struct {
	client *witness.Client
	key    string
	fails  int
	skips  int
	ever   bool // it was asked since the start
}

func (l *Log) newWatch(ctx context.Context) (*watch, error) {
	if len(l.c.Witnesses) == 0 {
		return nil, nil
	}
	w := &watch{l: l, every: l.c.Every}
	if w.every <= 0 {
		w.every = watchEvery
	}
	for _, c := range l.c.Witnesses {
		client, err := witness.NewClient(c.Key, c.URL)
		if err != nil {
			return nil, fmt.Errorf("witness %s: %w", c.URL, err)
		}
		if l.c.Trust != nil {
			client.Trust(l.c.Trust)
		}
		a := &asked{client: client, key: client.Key.String()}
		s, err := newestCosigned(ctx, l.c.DB, client.Key)
		if err != nil {
			return nil, err
		}
		w.list, w.state = append(w.list, a), append(w.state, s)
	}
	return w, nil
}

// Witnesses tells how far each witness has signed.
func (l *Log) Witnesses() []Cosigned {
	if l.watch == nil {
		return nil
	}
	l.watch.mu.Lock()
	defer l.watch.mu.Unlock()
	return append([]Cosigned(nil), l.watch.state...)
}

// AskWitnesses signs what is in the log and asks every witness now, also those that were away.
func (l *Log) AskWitnesses(ctx context.Context) ([]Cosigned, error) {
	if l.watch == nil {
		return nil, nil
	}
	if _, err := l.Checkpoint(ctx); err != nil {
		return nil, err
	}
	l.watch.ask(ctx, true)
	return l.Witnesses(), nil
}

func (w *watch) loop() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var wait sync.WaitGroup
	defer wait.Wait()
	wait.Go(func() {
		select {
		case <-w.l.done:
			cancel()
		case <-ctx.Done():
		}
	})
	defer cancel()
	defer func() {
		for _, a := range w.list {
			a.client.Close()
		}
	}()
	tick := time.NewTicker(w.every)
	defer tick.Stop()
	for {
		w.ask(ctx, false)
		select {
		case <-w.l.done:
			return
		case <-tick.C:
		}
	}
}

// ask is one round: every witness whose turn it is, side by side.
func (w *watch) ask(ctx context.Context, all bool) {
	w.round.Lock()
	defer w.round.Unlock()
	newest, err := w.l.newestSigned(ctx)
	if err != nil || newest.note == nil || newest.size == 0 {
		return
	}
	var wait sync.WaitGroup
	lines := make([][]byte, len(w.list))
	for i, a := range w.list {
		s := w.at(i)
		if !all && a.skips > 0 {
			a.skips--
			continue
		}
		if !all && a.ever && s.Size == newest.size && s.Fork == "" {
			continue
		}
		wait.Go(func() { lines[i] = w.one(ctx, i, newest) })
	}
	wait.Wait()
	if line := bytes.Join(lines, nil); len(line) > 0 {
		w.l.anchorCosigned(ctx, newest, line)
	}
}

func (w *watch) at(i int) Cosigned {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state[i]
}

// one asks a witness, keeps what it signed and what it said. It returns the signature's line, nil for none.
func (w *watch) one(ctx context.Context, i int, newest signed) []byte {
	a, s := w.list[i], w.at(i)
	answer, fork, err := w.exchange(ctx, a.client, s.Size, newest)
	if answer.Line != nil && s.Size == newest.size { // asked again after a start: what it signed before is kept
		answer.Line = nil
	}
	if err == nil && answer.Line != nil {
		err = w.l.keepCosignature(ctx, newest, a.key, answer.Line)
	}
	if ctx.Err() != nil {
		return nil
	}
	if told := w.l.conflict(ctx, answer.Conflict); told != "" && fork == "" {
		fork = told
	}
	a.ever, s.Trouble, s.Fork = true, "", fork
	switch {
	case fork != "":
		a.fails = 0
		if w.l.c.Alarm != nil {
			w.l.c.Alarm(a.client.Key.Name() + ": " + fork)
		}
	case err != nil:
		s.Trouble = err.Error()
		a.fails++
		a.skips = min(1<<min(a.fails-1, 10)-1, mostSkips)
	default:
		a.fails = 0
	}
	if err == nil && answer.Line != nil {
		s.Size, s.At = newest.size, answer.At
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state[i] = s
	if err != nil || answer.Line == nil {
		return nil
	}
	return answer.Line
}

// exchange asks for a signature over newest, from the size that was signed before. If the witness says another size, that one
// counts: it may have signed for another node, or its answer was lost. fork says in words that the histories do not fit.
func (w *watch) exchange(ctx context.Context, c *witness.Client, old int64, newest signed) (a witness.Answer, fork string, err error) {
	for range 3 {
		if old > newest.size {
			have, err := treeSize(ctx, w.l.c.DB)
			if err != nil || old <= have { // another node has asked for more meanwhile
				return a, "", err
			}
			return a, fmt.Sprintf("ROLLED BACK OR FORKED: the witness signed %d entries of this log, the store has only %d; %s", old, have, remedy), nil
		}
		var proof tlog.TreeProof
		if old > 0 && old < newest.size {
			if proof, err = tlog.ProveTree(newest.size, old, hashReader(ctx, w.l.c.DB)); err != nil {
				return a, "", err
			}
		}
		a, err = c.Add(ctx, old, proof, newest.note)
		var other witness.SizeError
		switch {
		case errors.Is(err, witness.ErrProof), errors.As(err, &other) && other.Size == old && old == newest.size:
			return a, fmt.Sprintf("FORKED: the witness signed another tree of %d entries than this store's; %s", old, remedy), nil
		case errors.As(err, &other) && other.Size != old:
			old = other.Size
		default:
			return a, "", err
		}
	}
	return a, "", err
}

// conflict says whether a checkpoint, told of by a witness, proves that somebody signed another history with our key.
func (l *Log) conflict(ctx context.Context, told []byte) string {
	if told == nil {
		return ""
	}
	c, _, err := openCheckpoint(told, l.verifier)
	if err != nil || c.size == 0 {
		return ""
	}
	have, err := treeSize(ctx, l.c.DB)
	if err != nil || c.size > have { // it is looked at again when there is as much
		return ""
	}
	root, err := tlog.TreeHash(c.size, hashReader(ctx, l.c.DB))
	if err != nil || root == c.root {
		return ""
	}
	return fmt.Sprintf("FORKED: somebody signed another tree of %d entries with this log's key: a copy of this practice goes on elsewhere; %s", c.size, remedy)
}

// newestSigned is the newest checkpoint in the store.
func (l *Log) newestSigned(ctx context.Context) (signed, error) {
	if err := l.takeTurn(ctx); err != nil {
		return signed{}, err
	}
	defer l.endTurn()
	return l.last, nil
}

// anchorCosigned puts the checkpoint with the witnesses' lines into the anchor file. Its trouble is the anchor's.
func (l *Log) anchorCosigned(ctx context.Context, s signed, lines []byte) {
	if l.takeTurn(ctx) != nil {
		return
	}
	defer l.endTurn()
	if l.anchor == nil || s.size < l.anchored || l.failure() != nil {
		return
	}
	if err := l.anchor.write(append(bytes.Clone(s.note), lines...)); err != nil {
		l.stop(err)
		return
	}
	l.anchored = s.size
}
