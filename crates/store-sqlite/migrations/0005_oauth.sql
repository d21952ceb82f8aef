-- The public halves of the pairs that sign access tokens; the private ones are in no table.
CREATE TABLE signing_keys (
    id         TEXT    NOT NULL PRIMARY KEY,
    jwk        TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

-- Identifiers are the 16 bytes of a UUID. What has expired need not be remembered.
CREATE TABLE revoked_tokens (
    id    BLOB    NOT NULL PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT;

CREATE INDEX revoked_tokens_by_end ON revoked_tokens (until);
