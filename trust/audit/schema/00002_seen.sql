-- +goose Up
-- What the sequencer remembers of what it has given a place, sealed, and bound to the tree's size. One row.
CREATE TABLE audit_seen (
    one  INTEGER PRIMARY KEY,
    size BIGINT NOT NULL,
    rev  BIGINT NOT NULL,
    data BLOB   NOT NULL
);

DROP TABLE audit_moved;
