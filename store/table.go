package store

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
)

// A Table is what a copy needs to know of one.
type Table struct {
	Name    string
	Columns []Column // in order of their names
	Key     []Column // the primary key, in its order
}

// A Column is a column's name, and whether it holds text, which engines sort each in their own way.
type Column struct {
	Name string
	Text bool
}

// Tables lists the owners' tables by name, without goose's and a copy's own.
func (db *DB) Tables(ctx context.Context) ([]Table, error) {
	query := `SELECT m.name, c.name, c.type = 'TEXT', c.pk FROM sqlite_schema m JOIN pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite@_%' ESCAPE '@' ORDER BY m.name, c.name`
	if db.Dialect() == "postgres" {
		query = `SELECT t.relname, c.attname, c.atttypid = 'text'::regtype, COALESCE(array_position(i.indkey::int2[], c.attnum), -1) + 1
			FROM pg_class t JOIN pg_attribute c ON c.attrelid = t.oid AND c.attnum > 0 AND NOT c.attisdropped
			LEFT JOIN pg_index i ON i.indrelid = t.oid AND i.indisprimary
			WHERE t.relkind = 'r' AND t.relnamespace = current_schema()::regnamespace
			ORDER BY t.relname COLLATE "C", c.attname COLLATE "C"`
	}
	rows, err := db.Query(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("store: tables: %w", err)
	}
	defer rows.Close()
	var all []Table
	places := map[string]map[int]Column{}
	for rows.Next() {
		var name string
		var c Column
		var place int
		if err := rows.Scan(&name, &c.Name, &c.Text, &place); err != nil {
			return nil, fmt.Errorf("store: tables: %w", err)
		}
		if strings.HasPrefix(name, "goose_") || name == markTable {
			continue
		}
		if len(all) == 0 || all[len(all)-1].Name != name {
			all, places[name] = append(all, Table{Name: name}), map[int]Column{}
		}
		t := &all[len(all)-1]
		t.Columns = append(t.Columns, c)
		if place > 0 {
			places[name][place] = c
		}
	}
	for i := range all {
		for n, key := 0, places[all[i].Name]; n < len(key); n++ {
			all[i].Key = append(all[i].Key, key[firstPlace(key)+n])
		}
		if len(all[i].Key) == 0 {
			return nil, fmt.Errorf("store: tables: %s has no primary key", all[i].Name)
		}
	}
	return all, rows.Err()
}

// firstPlace: PostgreSQL counts a key's columns from 0, SQLite from 1.
func firstPlace(key map[int]Column) int {
	if _, ok := key[0]; ok {
		return 0
	}
	return 1
}

// order is the key as it sorts by bytes on either engine.
func (db *DB) order(t Table) []string {
	list := make([]string, len(t.Key))
	for i, c := range t.Key {
		if list[i] = c.Name; c.Text && db.Dialect() == "postgres" {
			list[i] += ` COLLATE "C"`
		}
	}
	return list
}

func names(cols []Column) string {
	list := make([]string, len(cols))
	for i, c := range cols {
		list[i] = c.Name
	}
	return strings.Join(list, ", ")
}

func params(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("$%d", i+1)
	}
	return strings.Join(list, ", ")
}

// A page of rows bounds what is held at a time.
const (
	pageRows  = 500
	pageBytes = 4 << 20
)

// page reads rows behind after, a key; nil for the first. A row's values stand in the order of the columns.
func (db *DB) page(ctx context.Context, t Table, after []any) (list [][]any, err error) {
	query, order := "SELECT "+names(t.Columns)+" FROM "+t.Name, strings.Join(db.order(t), ", ")
	if after != nil {
		query += " WHERE (" + order + ") > (" + params(len(after)) + ")"
	}
	rows, err := db.Query(ctx, fmt.Sprintf("%s ORDER BY %s LIMIT %d", query, order, pageRows), after...)
	if err != nil {
		return nil, fmt.Errorf("store: read %s: %w", t.Name, err)
	}
	defer rows.Close()
	for size := 0; size < pageBytes && rows.Next(); {
		row, into := make([]any, len(t.Columns)), make([]any, len(t.Columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, fmt.Errorf("store: read %s: %w", t.Name, err)
		}
		for _, v := range row {
			if b, ok := v.([]byte); ok {
				size += len(b)
			}
		}
		list = append(list, row)
	}
	return list, rows.Err()
}

// keyOf is a row's key.
func (t Table) keyOf(row []any) []any {
	key := make([]any, len(t.Key))
	for i, k := range t.Key {
		for j, c := range t.Columns {
			if c == k {
				key[i] = row[j]
			}
		}
	}
	return key
}

// A Sum says what a table holds: its rows and a hash over all of them in the order of their key. It is the same on both
// engines.
type Sum struct {
	Table  string `json:"table"`
	Rows   int64  `json:"rows"`
	SHA256 string `json:"sha256"`
}

// Sum reads a table whole.
func (db *DB) Sum(ctx context.Context, t Table) (Sum, error) {
	s, h := Sum{Table: t.Name}, sha256.New()
	var buf []byte
	for after := []any(nil); ; {
		page, err := db.page(ctx, t, after)
		if err != nil {
			return s, err
		}
		if len(page) == 0 {
			s.SHA256 = hex.EncodeToString(h.Sum(nil))
			return s, nil
		}
		for _, row := range page {
			if buf, err = appendRow(buf[:0], row); err != nil {
				return s, fmt.Errorf("store: read %s: %w", t.Name, err)
			}
			h.Write(buf)
			s.Rows++
		}
		after = t.keyOf(page[len(page)-1])
	}
}

// appendRow writes values with their kinds and lengths, so that no two rows give the same bytes.
func appendRow(b []byte, row []any) ([]byte, error) {
	for _, v := range row {
		switch v := v.(type) {
		case nil:
			b = append(b, 'n')
		case int64:
			b = binary.BigEndian.AppendUint64(append(b, 'i'), uint64(v))
		case []byte:
			b = append(binary.BigEndian.AppendUint64(append(b, 'b'), uint64(len(v))), v...)
		case string:
			b = append(binary.BigEndian.AppendUint64(append(b, 't'), uint64(len(v))), v...)
		default:
			return nil, fmt.Errorf("a value of kind %T cannot be copied", v)
		}
	}
	return append(b, '\n'), nil
}
