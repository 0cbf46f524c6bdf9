-- +goose Up
-- data is sealed under the chart's key: a reference names a kind of record, and so says something about the patient.
CREATE TABLE feed_fact (
    seq   INTEGER PRIMARY KEY,
    chart INTEGER NOT NULL,
    at    INTEGER NOT NULL,
    data  BLOB    NOT NULL
);

CREATE TABLE feed_reader (
    name TEXT PRIMARY KEY,
    seq  INTEGER NOT NULL
);
