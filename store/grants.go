package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Grants is the SQL by which the owner of the tables lets a PostgreSQL role serve: it may read and write rows, but make and
// change no tables, and only add to those named in added.
func (db *DB) Grants(ctx context.Context, role string, added []string) (string, error) {
	tables, err := db.Tables(ctx)
	if err != nil {
		return "", err
	}
	owners, err := db.Owners(ctx)
	if err != nil {
		return "", err
	}
	var schema, database string
	if err := db.QueryRow(ctx, "SELECT quote_ident(current_schema()), quote_ident(current_database())").Scan(&schema, &database); err != nil {
		return "", fmt.Errorf("store: grants: %w", err)
	}
	var change, add, read []string
	for _, t := range tables {
		if slices.Contains(added, t.Name) {
			add = append(add, schema+"."+t.Name)
		} else {
			change = append(change, schema+"."+t.Name)
		}
	}
	for _, o := range owners {
		read = append(read, schema+".goose_"+o)
	}
	var b strings.Builder
	fmt.Fprintln(&b, "-- Run as the owner of the tables, and again after an upgrade. The password is yours to set: \\password "+role)
	fmt.Fprintf(&b, "DO $$ BEGIN CREATE ROLE %s LOGIN; EXCEPTION WHEN duplicate_object THEN END $$;\n", role)
	fmt.Fprintf(&b, "REVOKE CREATE ON SCHEMA %s FROM PUBLIC, %s;\n", schema, role)
	fmt.Fprintf(&b, "REVOKE CREATE, TEMPORARY ON DATABASE %s FROM PUBLIC, %s;\n", database, role)
	fmt.Fprintf(&b, "REVOKE ALL ON ALL TABLES IN SCHEMA %s FROM PUBLIC, %s;\n", schema, role)
	fmt.Fprintf(&b, "GRANT USAGE ON SCHEMA %s TO %s;\n", schema, role)
	fmt.Fprintf(&b, "GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %s;\n", strings.Join(change, ", "), role)
	fmt.Fprintf(&b, "GRANT SELECT, INSERT ON %s TO %s;\n", strings.Join(add, ", "), role)
	fmt.Fprintf(&b, "GRANT SELECT ON %s TO %s;\n", strings.Join(read, ", "), role)
	return b.String(), nil
}

// Excess names what the role that we are may do on PostgreSQL beyond serving: to change rows that are only added to, and to
// make or change tables.
func (db *DB) Excess(ctx context.Context, added []string) ([]string, error) {
	if db.Dialect() != "postgres" {
		return nil, nil
	}
	var list []string
	for _, t := range added {
		var may bool
		if err := db.QueryRow(ctx, "SELECT has_table_privilege($1::text, 'UPDATE, DELETE, TRUNCATE')", t).Scan(&may); err != nil {
			return nil, fmt.Errorf("store: excess: %w", err)
		}
		if may {
			list = append(list, "change rows of "+t)
		}
	}
	var may bool
	if err := db.QueryRow(ctx, "SELECT has_schema_privilege(current_schema()::text, 'CREATE')").Scan(&may); err != nil {
		return nil, fmt.Errorf("store: excess: %w", err)
	}
	if may {
		list = append(list, "make tables")
	}
	return list, nil
}

// Others counts the connections to a PostgreSQL database that are not this handle's; 0 on SQLite.
func (db *DB) Others(ctx context.Context) (n int, err error) {
	pg, ok := db.engine.(*postgres)
	if !ok {
		return 0, nil
	}
	all := 0
	err = db.QueryRow(ctx, "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'").Scan(&all)
	if err != nil {
		return 0, fmt.Errorf("store: others: %w", err)
	}
	return all - db.reads.Stats().OpenConnections - pg.writes.Stats().OpenConnections, nil
}
