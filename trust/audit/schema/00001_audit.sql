-- +goose Up
-- The inbox: entries that are durable and not yet in the tree, sealed under a key of the practice.
-- id is the time and the log that noted them; it is the nonce too. aside: 0 waits for the sequencer, 1 waits for a chart's
-- key that cannot be used, 2 was changed by somebody.
CREATE TABLE audit_inbox (
    id    BLOB     NOT NULL PRIMARY KEY,
    aside SMALLINT NOT NULL DEFAULT 0,
    data  BLOB     NOT NULL
);

-- The entries first … first+n-1 of the tree, all of one chart. hashes are their n commitments, each SHA-256(salt || entry).
-- data holds the salts' seed and the entries, sealed under the chart's key; it is empty if the chart was erased before.
-- A leaf is commitment || SHA-256(chart || SHA-256(first || SHA-256(data))). Rows are only ever added.
CREATE TABLE audit_block (
    first  INTEGER PRIMARY KEY,
    chart  BIGINT NOT NULL,
    n      BIGINT NOT NULL,
    hashes BLOB   NOT NULL,
    data   BLOB   NOT NULL
);

CREATE INDEX audit_block_chart ON audit_block (chart, first);

-- Hashes of the tree as c2sp.org/tlog-tiles lays them out, 256 to a tile. The last tile of a level grows in place.
-- All of it can be computed from audit_block.
CREATE TABLE audit_tile (
    level BIGINT NOT NULL,
    n     BIGINT NOT NULL,
    data  BLOB   NOT NULL,
    PRIMARY KEY (level, n)
);

-- Checkpoints that stay: one each hour, and those that were anchored. Rows are only ever added.
CREATE TABLE audit_checkpoint (
    size INTEGER PRIMARY KEY,
    note BLOB   NOT NULL
);

-- The checkpoints of the last day. at is when, in Unix seconds.
CREATE TABLE audit_recent (
    size INTEGER PRIMARY KEY,
    at   BIGINT NOT NULL,
    note BLOB   NOT NULL
);

-- With reads in a file: the newest frame of it that is in the tree. One row.
CREATE TABLE audit_moved (
    one   INTEGER PRIMARY KEY,
    frame BIGINT NOT NULL
);
