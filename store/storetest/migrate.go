package storetest

import (
	"fmt"
	"io/fs"
	"testing/fstest"

	"github.com/wellgate/wellgate/store"
)

func step(sql string) *fstest.MapFile { return &fstest.MapFile{Data: []byte("-- +goose Up\n" + sql)} }

func testMigrate(s *suite) {
	s.put(1)
	more := schema()
	more["00003_more.sql"] = step("ALTER TABLE suite_item ADD COLUMN note TEXT NOT NULL DEFAULT 'none';\n")
	s.ok(s.db.Migrate(s.ctx, "suite", more))
	s.ok(s.db.Migrate(s.ctx, "suite", more)) // again changes nothing
	var note string
	s.ok(s.db.QueryRow(s.ctx, "SELECT note FROM suite_item WHERE id = 1").Scan(&note))
	if note != "none" {
		s.Fatalf("note is %q", note)
	}
	// Another owner counts its own versions; its folder may hold the files as "schema".
	other := fstest.MapFS{"schema/00001_x.sql": step("CREATE TABLE other_x (id BIGINT NOT NULL PRIMARY KEY, data BLOB);\n")}
	s.ok(s.db.Migrate(s.ctx, "other", other))
	for _, bad := range []struct {
		owner string
		files fs.FS
	}{{"Other; DROP", other}, {"", other}, {"empty", fstest.MapFS{}}} {
		if err := s.db.Migrate(s.ctx, bad.owner, bad.files); err == nil {
			s.Errorf("owner %q was accepted", bad.owner)
		}
	}
}

func testMigrateFails(s *suite) {
	more := schema()
	more["00003_bad.sql"] = step("CREATE TABLE suite_half (id BIGINT NOT NULL PRIMARY KEY);\nINSERT INTO no_such_table VALUES (1);\n")
	if err := s.db.Migrate(s.ctx, "suite", more); err == nil {
		s.Fatal("a broken step was accepted")
	}
	var n int
	if err := s.db.QueryRow(s.ctx, "SELECT count(*) FROM suite_half").Scan(&n); err == nil {
		s.Fatal("half of a failed step was kept")
	}
	more["00003_bad.sql"] = step("CREATE TABLE suite_half (id BIGINT NOT NULL PRIMARY KEY);\n")
	s.ok(s.db.Migrate(s.ctx, "suite", more)) // and it can be tried again
}

func testMigrateNewer(s *suite) {
	older := schema()
	delete(older, "00002_child.sql")
	s.is(s.db.Migrate(s.ctx, "suite", older), store.ErrNewer)
	s.put(1)
}

// slowSchema has steps enough that processes which start together meet in the middle.
func slowSchema() fstest.MapFS {
	all := fstest.MapFS{}
	for i := 1; i <= 5; i++ {
		all[fmt.Sprintf("%05d_t.sql", i)] = step(fmt.Sprintf(
			"CREATE TABLE race_t%d (id BIGINT NOT NULL PRIMARY KEY);\nINSERT INTO race_t%d VALUES (1);\n", i, i))
	}
	return all
}

func testMigrateRace(s *suite) {
	const processes = 4
	var kids []*child
	for range processes {
		kids = append(kids, s.start("migrate"))
	}
	for _, k := range kids {
		k.expect("ready")
	}
	for _, k := range kids {
		k.say("go")
	}
	for _, k := range kids {
		k.expect("migrated")
		k.wait()
	}
	for i := 1; i <= 5; i++ {
		var n int
		s.ok(s.db.QueryRow(s.ctx, fmt.Sprintf("SELECT count(*) FROM race_t%d", i)).Scan(&n))
		if n != 1 {
			s.Errorf("step %d ran %d times", i, n)
		}
	}
}
