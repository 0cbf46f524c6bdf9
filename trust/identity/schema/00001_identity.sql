-- +goose Up
-- Nothing here names a person: documents are sealed, look-ups are keyed tokens, sessions are hashes.
CREATE TABLE identity_key (
  owner   TEXT PRIMARY KEY,
  wrapped BLOB NOT NULL
);
CREATE TABLE identity_account (
  id      TEXT PRIMARY KEY,
  wrapped BLOB NOT NULL,
  sealed  BLOB NOT NULL,
  version BIGINT NOT NULL
);
-- Login, chart, user handle and passkeys alike, so that a row does not tell which of them it is.
CREATE TABLE identity_lookup (
  token   BLOB PRIMARY KEY,
  account TEXT NOT NULL
);
CREATE TABLE identity_session (
  id      TEXT PRIMARY KEY,
  hash    BLOB NOT NULL UNIQUE,
  account TEXT NOT NULL,
  started BIGINT NOT NULL,
  seen    BIGINT NOT NULL,
  sealed  BLOB NOT NULL
);
CREATE INDEX identity_session_account ON identity_session (account);
CREATE TABLE identity_spent (
  id      BLOB PRIMARY KEY,
  expires BIGINT NOT NULL
);
CREATE TABLE identity_throttle (
  bucket  BLOB PRIMARY KEY,
  count   BIGINT NOT NULL,
  at      BIGINT NOT NULL,
  until   BIGINT NOT NULL
);
-- Secrets of services. What a token may do is sealed together with its hash.
CREATE TABLE identity_token (
  id      TEXT PRIMARY KEY,
  hash    BLOB NOT NULL UNIQUE,
  expires BIGINT NOT NULL,
  used    BIGINT NOT NULL,
  revoked BIGINT NOT NULL,
  sealed  BLOB NOT NULL
);

-- +goose Down
SELECT 1;
