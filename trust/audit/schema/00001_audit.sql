-- +goose Up
-- idx is the leaf's place in the tree, from 0. data holds the salt and the entry, sealed under the chart's key.
-- commitment = SHA-256(salt || entry). The leaf is commitment || SHA-256(chart || SHA-256(data)).
CREATE TABLE audit_entry (
    idx        INTEGER PRIMARY KEY,
    chart      INTEGER NOT NULL,
    commitment BLOB    NOT NULL,
    data       BLOB    NOT NULL
);

CREATE INDEX audit_entry_chart ON audit_entry (chart, idx);

-- idx is the stored hash index of golang.org/x/mod/sumdb/tlog.
CREATE TABLE audit_hash (
    idx  INTEGER PRIMARY KEY,
    hash BLOB NOT NULL
);

CREATE TABLE audit_checkpoint (
    size INTEGER PRIMARY KEY,
    note BLOB NOT NULL
);
