package crash

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/wellgate/wellgate/test/rig"
)

// mutations are ways to break the promises that a kill must bring to light.
var mutations = []rig.Mutation{
	{Name: "a read is answered before its entry is durable", File: "trust/chart/act.go",
		Old: "if err == nil && !a.h.audit.Hold(ctx, t) {", New: "if err == nil && false {"},
	{Name: "a commit is acknowledged before it is made", File: "store/sqlite.go",
		Old: `	if l.broken != nil {
		return nil, l.broken`,
		New: `	late <- struct{}{}
	<-late
	if l.broken != nil {
		return nil, l.broken`,
		Also: [2]string{`func (l *sqlite) commit(ctx context.Context) error {
	_, err := l.writer.ExecContext(ctx, "COMMIT")
	return l.noteDisk(err)`, `var late = make(chan struct{}, 1)

func (l *sqlite) commit(ctx context.Context) error {
	late <- struct{}{}
	go func() {
		for range 500 {
			runtime.Gosched()
		}
		l.writer.ExecContext(ctx, "COMMIT")
		<-late
	}()
	return nil`}},
	{Name: "an effect has no entry", File: "trust/chart/write.go",
		Old: "	return h.audit.Append(ctx, tx, e)", New: "	return h.audit.Append(ctx, tx, append([]audit.Entry{}, e)[:p.record.seq%2]...)"},
	{Name: "each record of a transaction is committed alone", File: "trust/chart/write.go",
		Old: "	for _, p := range parts { // compressing and sealing",
		New: `	for i := range parts {
		if len(parts) == 1 {
			break
		}
		if err := h.commitAt(ctx, act, parts[i:i+1], d); err != nil || i == len(parts)-1 {
			return err
		}
	}
	for _, p := range parts { // compressing and sealing`},
	{Name: "a sign-out is answered and not done", File: "trust/identity/session.go", Old: "WHERE id = $1`, t.id)", New: "WHERE id = $1 AND 1 = 0`, t.id)"},
}

// TestCrashCanFail breaks the product in each way and wants the sweep to see it. Without CRASH_MUTATE it looks only whether
// the ways still fit the source: building takes long.
func TestCrashCanFail(t *testing.T) {
	for _, m := range mutations {
		t.Run(m.Name, func(t *testing.T) {
			if os.Getenv("CRASH_MUTATE") == "" {
				rig.Fits(t, m)
				return
			}
			bin := rig.Build(t, m)
			template := rig.Make(t, filepath.Join(t.TempDir(), "template"), "")
			for n := range 8 {
				h := newRound(t, bin, template, 1, n)
				h.quiet = true
				h.run(12)
				if p := h.load.Problems(); len(p) > 0 {
					t.Logf("seen after %d cycles: %.300s", n*12+h.cycle, p[0])
					return
				}
			}
			t.Error("the sweep saw nothing in 96 cycles")
		})
	}
}
