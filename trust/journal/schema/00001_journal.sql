-- +goose Up
-- Chart numbers are random; no column tells who or what a chart is about.
CREATE TABLE journal_chart (
    chart    BIGINT NOT NULL PRIMARY KEY,
    kind     SMALLINT NOT NULL,
    wrapped  BLOB NOT NULL,     -- the chart's key under the practice's; empty once shredded
    head     BLOB NOT NULL,     -- sealed: newest sequence number, its row's hash, snapshot generation
    seq      BIGINT NOT NULL,   -- the same number and
    tip      BLOB NOT NULL,     -- hash in clear, to compare with what is cached; they must be the sealed ones
    shredded SMALLINT NOT NULL DEFAULT 0
);
CREATE INDEX journal_chart_kind ON journal_chart (kind, chart);

CREATE TABLE journal_log (
    chart BIGINT NOT NULL,
    seq   BIGINT NOT NULL,
    data  BLOB NOT NULL,
    PRIMARY KEY (chart, seq)    -- the optimistic lock
);

-- Segment 0 is the index, 1 … are bodies.
CREATE TABLE journal_seg (
    chart BIGINT NOT NULL,
    gen   BIGINT NOT NULL,
    seg   BIGINT NOT NULL,
    data  BLOB NOT NULL,
    PRIMARY KEY (chart, gen, seg)
);

-- Generations that a newer snapshot replaced, and when (Unix seconds).
CREATE TABLE journal_old (
    chart BIGINT NOT NULL,
    gen   BIGINT NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (chart, gen)
);
CREATE INDEX journal_old_since ON journal_old (since);

-- token is 64 bits of a keyed hash; proof is a keyed check over token and chart, so that a row cannot be pointed elsewhere.
-- Claims of an erased chart stay until somebody else takes them: they say nothing.
CREATE TABLE journal_claim (
    token INTEGER NOT NULL PRIMARY KEY,
    chart BIGINT NOT NULL,
    proof BLOB NOT NULL
);

-- token is 47 bits of a keyed hash, then 16 bits of the chart.
CREATE TABLE journal_point (
    token INTEGER NOT NULL PRIMARY KEY,
    chart BIGINT NOT NULL,
    proof BLOB NOT NULL
);

-- Chunk 0 is the header, 1 … are the bytes.
CREATE TABLE journal_file (
    chart BIGINT NOT NULL,
    file  BIGINT NOT NULL,
    chunk BIGINT NOT NULL,
    data  BLOB NOT NULL,
    PRIMARY KEY (chart, file, chunk)
);
