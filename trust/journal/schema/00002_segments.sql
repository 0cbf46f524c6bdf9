-- +goose Up
-- Segments that the newest snapshot does not have any more, and since when (Unix seconds). What the table before noted is
-- found again by the chart's next snapshot.
DROP TABLE journal_old;

CREATE TABLE journal_old (
    chart BIGINT NOT NULL,
    gen   BIGINT NOT NULL,
    seg   BIGINT NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (chart, gen, seg)
);

CREATE INDEX journal_old_since ON journal_old (since);
