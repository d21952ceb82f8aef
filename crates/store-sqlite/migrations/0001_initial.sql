-- Instants are microseconds since 1970 in UTC. Lists and maps are JSON.

CREATE TABLE keys (
    id                     TEXT    NOT NULL PRIMARY KEY,
    version                INTEGER NOT NULL,
    format                 TEXT    NOT NULL,
    keyspace               TEXT    NOT NULL,
    owner                  TEXT    NOT NULL,
    name                   TEXT,
    description            TEXT,
    hint                   TEXT    NOT NULL,
    digest_scheme          TEXT    NOT NULL,
    digest                 BLOB    NOT NULL,
    previous_digest_scheme TEXT,
    previous_digest        BLOB,
    previous_until         INTEGER,
    enabled                INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    expires_at             INTEGER,
    not_before             INTEGER,
    revoked_at             INTEGER,
    revoked_reason         TEXT,
    revoked_by             TEXT,
    deleted_at             INTEGER,
    deleted_by             TEXT,
    scopes                 TEXT    NOT NULL,
    resources              TEXT    NOT NULL,
    tags                   TEXT    NOT NULL,
    metadata               TEXT    NOT NULL,
    created_at             INTEGER NOT NULL,
    updated_at             INTEGER NOT NULL,
    rotated_at             INTEGER,
    rotated_from           TEXT,
    rotated_to             TEXT,
    -- What searches look at: written with the rest, never read back.
    search_text            TEXT    NOT NULL,
    -- What lists are sorted by: keys that never expire come last, keys without a name first.
    expiry_place           INTEGER NOT NULL AS (ifnull(expires_at, 9223372036854775807)) VIRTUAL,
    name_place             TEXT    NOT NULL AS (ifnull(name, '')) VIRTUAL
) STRICT;

-- Every list is either of keys that are deleted or of keys that are not.
CREATE INDEX keys_by_creation ON keys (created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX keys_by_owner ON keys (owner, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX keys_by_keyspace ON keys (keyspace, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX keys_by_expiry ON keys (expiry_place, id) WHERE deleted_at IS NULL;
CREATE INDEX keys_by_name ON keys (name_place, id) WHERE deleted_at IS NULL;
CREATE INDEX keys_deleted ON keys (created_at, id) WHERE deleted_at IS NOT NULL;

-- A key's tags once more, to find it by; in the order of the default listing.
CREATE TABLE key_tags (
    tag            TEXT    NOT NULL,
    key_created_at INTEGER NOT NULL,
    key_id         TEXT    NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
    PRIMARY KEY (tag, key_created_at, key_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX key_tags_by_key ON key_tags (key_id);

-- The digests that find opaque keys: present ones, and previous ones during their grace.
CREATE TABLE locators (
    digest BLOB NOT NULL,
    scheme TEXT NOT NULL,
    key_id TEXT NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
    PRIMARY KEY (digest, scheme)
) STRICT, WITHOUT ROWID;

CREATE INDEX locators_by_key ON locators (key_id);

-- Apart from keys, so that counting can never undo a change.
CREATE TABLE usage (
    key_id        TEXT    NOT NULL PRIMARY KEY REFERENCES keys (id) ON DELETE CASCADE,
    last_used_at  INTEGER NOT NULL,
    uses          INTEGER NOT NULL,
    previous_uses INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE keyspaces (
    id       TEXT    NOT NULL PRIMARY KEY,
    version  INTEGER NOT NULL,
    document TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- No foreign keys: the trail outlives what it tells of.
CREATE TABLE audit (
    at         INTEGER NOT NULL,
    id         BLOB    NOT NULL,
    action     TEXT    NOT NULL,
    actor      TEXT    NOT NULL,
    ip         TEXT,
    user_agent TEXT,
    request_id TEXT,
    key_id     TEXT,
    keyspace   TEXT,
    owner      TEXT,
    data       TEXT    NOT NULL,
    PRIMARY KEY (at, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_by_key ON audit (key_id, at, id) WHERE key_id IS NOT NULL;
CREATE INDEX audit_by_owner ON audit (owner, at, id) WHERE owner IS NOT NULL;
CREATE INDEX audit_by_actor ON audit (actor, at, id);
CREATE INDEX audit_by_keyspace ON audit (keyspace, at, id) WHERE keyspace IS NOT NULL;
CREATE INDEX audit_by_action ON audit (action, at, id);

-- The change feed. Numbers without holes: followers tell from a hole that changes were dropped.
CREATE TABLE changes (
    sequence  INTEGER PRIMARY KEY AUTOINCREMENT,
    id        BLOB    NOT NULL UNIQUE,
    at        INTEGER NOT NULL,
    keyspaces INTEGER NOT NULL CHECK (keyspaces IN (0, 1)),
    locators  TEXT    NOT NULL
) STRICT;
