package main

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/wellgate/wellgate/store"
	"github.com/wellgate/wellgate/trust/identity"
)

// A single record put back whole, rows and head, to how it was before its newest write, is shown to nobody: neither when it
// is done while the portal runs, nor while it is stopped. Other records go on.
func TestOneRecordPutBack(t *testing.T) {
	for _, running := range []bool{true, false} {
		w := newWorld(t)
		ctx := t.Context()
		num := w.users["amina"].account.Chart
		type row struct {
			head, tip []byte
			seq       int64
		}
		var old row
		read := func(r *row) {
			w.must(w.h.db.QueryRow(ctx, "SELECT head, tip, seq FROM journal_chart WHERE chart = $1", num).Scan(&r.head, &r.tip, &r.seq))
		}
		read(&old)
		patient := "Patient/" + w.first("amina", "Patient", "")
		w.must(w.h.deliverJSON(ctx, patient, `{"resourceType":"Observation","id":"newer-test","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}]}],"code":{"text":"Newermark"},"subject":{"reference":"Patient/me"},"effectiveDateTime":"2026-11-01","valueString":"Newermark value"}`))
		var now row
		if read(&now); now.seq != old.seq+1 {
			t.Fatalf("row %d after %d", now.seq, old.seq)
		}
		if !running {
			w.close()
			w.open(nil)
		}
		w.must(w.h.db.Write(ctx, func(tx *store.Tx) error {
			if _, err := tx.Exec(ctx, "DELETE FROM journal_log WHERE chart = $1 AND seq > $2", num, old.seq); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, "UPDATE journal_chart SET head = $1, tip = $2, seq = $3 WHERE chart = $4", old.head, old.tip, old.seq, num)
			return err
		}))
		if running {
			w.h.charts.Forget(num)
		}
		if a := w.as("amina").get("/results"); a.status != http.StatusInternalServerError || strings.Contains(a.body, "Quietmark") {
			t.Errorf("running %v: the older record is shown: %d", running, a.status)
		}
		if a := w.as("miguel").get("/results"); a.status != http.StatusOK {
			t.Errorf("running %v: another record answers %d", running, a.status)
		}
	}
}

// An account put back whole, row and version, to before its password was changed opens for nobody: neither the old password nor
// the new one, while the portal runs and after a start. Others sign in.
func TestAccountPutBack(t *testing.T) {
	for _, running := range []bool{true, false} {
		w := newWorld(t)
		ctx := t.Context()
		u := w.users["amina"]
		var sealed []byte
		var version int64
		w.must(w.h.db.QueryRow(ctx, "SELECT sealed, version FROM identity_account WHERE id = $1", u.account.ID).Scan(&sealed, &version))
		w.must(w.h.identity.Passwords.Set(ctx, u.account.ID, madeUpPassword()))
		if !running {
			w.close()
			w.open(nil)
		}
		w.must(w.h.db.Write(ctx, func(tx *store.Tx) error {
			_, err := tx.Exec(ctx, "UPDATE identity_account SET sealed = $1, version = $2 WHERE id = $3", sealed, version, u.account.ID)
			return err
		}))
		b := w.browser()
		b.get("/signin")
		if a := b.post("/signin/password", url.Values{"login": {u.login}, "password": {u.password}}); a.status == http.StatusSeeOther {
			t.Errorf("running %v: the old password counts again: %d", running, a.status)
		}
		if _, err := w.h.identity.Accounts.Get(ctx, u.account.ID); !errors.Is(err, identity.ErrDamaged) {
			t.Errorf("running %v: %v", running, err)
		}
		if a := w.as("miguel").get("/results"); a.status != http.StatusOK {
			t.Errorf("running %v: another account answers %d", running, a.status)
		}
	}
}
