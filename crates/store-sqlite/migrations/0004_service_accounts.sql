-- Identifiers are the 16 bytes of a UUID.
CREATE TABLE service_accounts (
    id                     BLOB    NOT NULL PRIMARY KEY,
    version                INTEGER NOT NULL,
    owner                  TEXT    NOT NULL,
    is_primary             INTEGER NOT NULL CHECK (is_primary IN (0, 1)),
    description            TEXT,
    scopes                 TEXT    NOT NULL,
    digest_scheme          TEXT    NOT NULL,
    digest                 BLOB    NOT NULL,
    previous_digest_scheme TEXT,
    previous_digest        BLOB,
    previous_until         INTEGER,
    enabled                INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    deleted_at             INTEGER,
    deleted_by             TEXT,
    created_at             INTEGER NOT NULL,
    created_by             TEXT    NOT NULL,
    updated_at             INTEGER NOT NULL,
    updated_by             TEXT    NOT NULL,
    rotated_at             INTEGER,
    -- What searches look at: written with the rest, never read back.
    search_text            TEXT    NOT NULL
) STRICT;

CREATE INDEX service_accounts_by_creation ON service_accounts (created_at, id);
CREATE INDEX service_accounts_by_owner ON service_accounts (owner, created_at, id);
CREATE INDEX service_accounts_deleted ON service_accounts (deleted_at)
    WHERE deleted_at IS NOT NULL;
CREATE UNIQUE INDEX service_accounts_primary ON service_accounts (owner)
    WHERE is_primary = 1 AND deleted_at IS NULL;

-- What a key takes from its account, under names that no column of a key has.
CREATE VIEW account_states AS
    SELECT id AS account_id, enabled AS account_enabled, deleted_at AS account_deleted_at
    FROM service_accounts;

ALTER TABLE keys ADD COLUMN service_account BLOB REFERENCES service_accounts (id);

CREATE INDEX keys_by_account ON keys (service_account, created_at, id)
    WHERE service_account IS NOT NULL;

-- Lists may hold keys that are deleted, too.
DROP INDEX keys_by_creation;
DROP INDEX keys_by_owner;
DROP INDEX keys_by_keyspace;
DROP INDEX keys_by_expiry;
DROP INDEX keys_by_name;
DROP INDEX keys_deleted;
CREATE INDEX keys_by_creation ON keys (created_at, id);
CREATE INDEX keys_by_owner ON keys (owner, created_at, id);
CREATE INDEX keys_by_keyspace ON keys (keyspace, created_at, id);
CREATE INDEX keys_by_expiry ON keys (expiry_place, id);
CREATE INDEX keys_by_name ON keys (name_place, id);
CREATE INDEX keys_deleted ON keys (deleted_at) WHERE deleted_at IS NOT NULL;

ALTER TABLE audit ADD COLUMN service_account BLOB;

CREATE INDEX audit_by_account ON audit (service_account, at, id)
    WHERE service_account IS NOT NULL;

-- A JSON list of identifiers; and whether the state of keys changed with an account's.
ALTER TABLE changes ADD COLUMN accounts TEXT NOT NULL DEFAULT '[]';
ALTER TABLE changes ADD COLUMN account_states INTEGER NOT NULL DEFAULT 0
    CHECK (account_states IN (0, 1));
