-- +goose Up
-- Which records a session of staff has open, and why. data is sealed under the chart's key.
CREATE TABLE chart_opening (
  session TEXT NOT NULL,
  chart BIGINT NOT NULL,
  until BIGINT NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (session, chart)
);

-- +goose Down
DROP TABLE chart_opening;
