-- +goose Up
-- One row holds the practice's id and secret, one row each key-encryption key; all wrapped by the root key.
CREATE TABLE vault_secret (
    name    TEXT NOT NULL PRIMARY KEY, -- 'practice', 'kek/1', 'kek/2' …
    wrapped BLOB NOT NULL
);
