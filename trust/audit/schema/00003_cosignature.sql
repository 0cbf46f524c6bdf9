-- +goose Up
-- Signature lines of witnesses over the checkpoint of size, which is in audit_checkpoint. witness is the key line they verify
-- with. Rows are only ever added.
CREATE TABLE audit_cosignature (
    size    BIGINT NOT NULL,
    witness TEXT   NOT NULL,
    line    BLOB   NOT NULL,
    PRIMARY KEY (size, witness)
);
