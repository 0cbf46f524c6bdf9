package main

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wellgate/wellgate/trust/audit"
)

// A practice with a witness, as its keeper sees it: doctor says how far the witness signed; a copy that goes on beside it, with
// its own anchor file, is told by the witness and by doctor, and so is the practice itself.
func TestWitnessedPractice(t *testing.T) {
	w := newWorld(t)
	vkey := w.h.charts.Audit().PublicKey()
	patient := "Patient/" + w.first("amina", "Patient", "")
	w.close()
	logs := filepath.Join(t.TempDir(), "logs")
	w.must(os.WriteFile(logs, []byte("# our practice\n"+vkey+"\n"), 0o600))
	c := witnessCmd{Dir: t.TempDir(), Name: "witness.test/w1", Logs: logs}
	s, err := c.server()
	w.must(err)
	if again, err := c.server(); err != nil || again.Key() != s.Key() {
		t.Fatal("another key at the second start", err)
	}
	srv := httptest.NewServer(s)
	defer srv.Close()
	cfg, err := readConfig(w.dir)
	w.must(err)
	cfg.Witnesses, cfg.WitnessSeconds = []audit.Witness{{Key: s.Key(), URL: srv.URL}}, 3600
	w.must(writeConfig(w.dir, cfg))
	says := func(dir, state, text string) {
		t.Helper()
		var all []string
		for _, f := range (&doctorCmd{Dir: dir}).examine(t.Context()) {
			if f.Check == "witness" && f.State == state && strings.Contains(f.Say, text) {
				return
			}
			all = append(all, f.State+" "+f.Check+" "+f.Say)
		}
		t.Errorf("doctor of %s does not say %s: %s; it says\n%s", dir, state, text, strings.Join(all, "\n"))
	}
	says(w.dir, "ok", "entries are signed, at 20")
	twin := copyFolder(t, w.dir)
	goOn := func(dir, id string) {
		t.Helper()
		h, err := openTest(dir, w.clock, nil)
		w.must(err)
		defer h.Close()
		w.must(h.deliverJSON(t.Context(), patient, `{"resourceType":"Observation","id":"`+id+`","status":"final","code":{"text":"Late"},"subject":{"reference":"Patient/me"},"valueString":"late"}`))
	}
	goOn(w.dir, "left")
	says(w.dir, "ok", "entries are signed, at 20")
	for _, id := range []string{"right", "more", "and-more", "still-more"} {
		goOn(twin, id)
	}
	says(twin, "red", "FORKED")
	goOn(w.dir, "left-again")
	goOn(w.dir, "left-more")
	goOn(w.dir, "left-most")
	says(w.dir, "red", "FORKED")

	// While the portal runs, doctor asks it.
	w.open(nil)
	stop, err := w.h.control(t.Context())
	w.must(err)
	says(w.dir, "red", "FORKED")
	stop()
	w.close()

	verify := auditVerifyCmd{Dir: w.dir, Witness: s.Key()}
	w.must(verify.Run(t.Context()))
	srv.Close()
	says(w.dir, "warn", "entries are signed, at 20")
}
