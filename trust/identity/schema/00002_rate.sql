-- +goose Up
-- How many passwords came in a minute, and how many of them were wrong: over everybody, so that nobody is named.
-- Several rows a minute, so that those who write do not wait for each other.
CREATE TABLE identity_rate (
  minute   BIGINT NOT NULL,
  part     BIGINT NOT NULL,
  tries    BIGINT NOT NULL,
  failures BIGINT NOT NULL,
  PRIMARY KEY (minute, part)
);

-- +goose Down
SELECT 1;
