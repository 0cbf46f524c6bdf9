-- +goose Up
CREATE TABLE store_copy (
    one    BIGINT NOT NULL PRIMARY KEY,
    source TEXT   NOT NULL
);
