-- Instants are microseconds since 1970 in UTC. Lists and maps are JSON, as text: numbers and the order of
-- names stay as they were written. Identifiers of service accounts, events, changes and access tokens are
-- the 16 bytes of a UUID. Texts are compared by their bytes, whatever language the database is set to.
--
-- Where a filter leaves few rows of many, PostgreSQL is tempted to follow an index of all rows by time all
-- the same, and to look at most of them in vain. Such an index is therefore on "time + 0", which only lists
-- without a filter are sorted by.

CREATE TABLE keyward.service_accounts (
    id                     bytea   NOT NULL PRIMARY KEY,
    version                bigint  NOT NULL,
    owner                  text    NOT NULL COLLATE "C",
    is_primary             boolean NOT NULL,
    description            text    COLLATE "C",
    scopes                 text    NOT NULL COLLATE "C",
    digest_scheme          text    NOT NULL COLLATE "C",
    digest                 bytea   NOT NULL,
    previous_digest_scheme text    COLLATE "C",
    previous_digest        bytea,
    previous_until         bigint,
    enabled                boolean NOT NULL,
    deleted_at             bigint,
    deleted_by             text    COLLATE "C",
    created_at             bigint  NOT NULL,
    created_by             text    NOT NULL COLLATE "C",
    updated_at             bigint  NOT NULL,
    updated_by             text    NOT NULL COLLATE "C",
    rotated_at             bigint,
    -- What searches look at: written with the rest, never read back.
    search_text            text    NOT NULL COLLATE "C"
);

CREATE INDEX service_accounts_by_creation ON keyward.service_accounts ((created_at + 0), id);
CREATE INDEX service_accounts_by_owner ON keyward.service_accounts (owner, created_at, id);
CREATE INDEX service_accounts_deleted ON keyward.service_accounts (deleted_at)
    WHERE deleted_at IS NOT NULL;
CREATE UNIQUE INDEX service_accounts_primary ON keyward.service_accounts (owner)
    WHERE is_primary AND deleted_at IS NULL;

-- What a key takes from its account, under names that no column of a key has.
CREATE VIEW keyward.account_states AS
    SELECT id AS account_id, enabled AS account_enabled, deleted_at AS account_deleted_at
    FROM keyward.service_accounts;

CREATE TABLE keyward.keys (
    id                     text    NOT NULL COLLATE "C" PRIMARY KEY,
    version                bigint  NOT NULL,
    format                 text    NOT NULL COLLATE "C",
    keyspace               text    NOT NULL COLLATE "C",
    owner                  text    NOT NULL COLLATE "C",
    name                   text    COLLATE "C",
    description            text    COLLATE "C",
    hint                   text    NOT NULL COLLATE "C",
    digest_scheme          text    NOT NULL COLLATE "C",
    digest                 bytea   NOT NULL,
    previous_digest_scheme text    COLLATE "C",
    previous_digest        bytea,
    previous_until         bigint,
    enabled                boolean NOT NULL,
    expires_at             bigint,
    not_before             bigint,
    revoked_at             bigint,
    revoked_reason         text    COLLATE "C",
    revoked_by             text    COLLATE "C",
    deleted_at             bigint,
    deleted_by             text    COLLATE "C",
    scopes                 text    NOT NULL COLLATE "C",
    resources              text    NOT NULL COLLATE "C",
    tags                   text    NOT NULL COLLATE "C",
    metadata               text    NOT NULL COLLATE "C",
    created_at             bigint  NOT NULL,
    updated_at             bigint  NOT NULL,
    rotated_at             bigint,
    rotated_from           text    COLLATE "C",
    rotated_to             text    COLLATE "C",
    service_account        bytea   REFERENCES keyward.service_accounts (id),
    -- What searches look at: written with the rest, never read back.
    search_text            text    NOT NULL COLLATE "C",
    notes_search_text      text    NOT NULL COLLATE "C"
);

CREATE INDEX keys_by_creation ON keyward.keys ((created_at + 0), id);
CREATE INDEX keys_by_owner ON keyward.keys (owner, created_at, id);
CREATE INDEX keys_by_keyspace ON keyward.keys (keyspace, created_at, id);
CREATE INDEX keys_by_account ON keyward.keys (service_account, created_at, id)
    WHERE service_account IS NOT NULL;
-- Keys that never expire come last, keys without a name first.
CREATE INDEX keys_by_expiry ON keyward.keys (coalesce(expires_at, 9223372036854775807), id);
CREATE INDEX keys_by_name ON keyward.keys (coalesce(name, ''), id);
-- What finds the keys that have ended, in whichever way.
CREATE INDEX keys_expiring ON keyward.keys (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX keys_revoked ON keyward.keys (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX keys_deleted ON keyward.keys (deleted_at) WHERE deleted_at IS NOT NULL;

-- A key's tags once more, to find it by; in the order of the default listing.
CREATE TABLE keyward.key_tags (
    tag            text   NOT NULL COLLATE "C",
    key_created_at bigint NOT NULL,
    key_id         text   NOT NULL COLLATE "C" REFERENCES keyward.keys (id) ON DELETE CASCADE,
    PRIMARY KEY (tag, key_created_at, key_id)
);

CREATE INDEX key_tags_by_key ON keyward.key_tags (key_id);

-- The digests that find opaque keys: present ones, and previous ones during their grace.
CREATE TABLE keyward.locators (
    digest bytea NOT NULL,
    scheme text  NOT NULL COLLATE "C",
    key_id text  NOT NULL COLLATE "C" REFERENCES keyward.keys (id) ON DELETE CASCADE,
    PRIMARY KEY (digest, scheme)
);

CREATE INDEX locators_by_key ON keyward.locators (key_id);

-- Apart from keys, so that counting can never undo a change. Rows are written again and again: room for
-- that is left beside them.
CREATE TABLE keyward.usage (
    key_id        text   NOT NULL COLLATE "C" PRIMARY KEY
                         REFERENCES keyward.keys (id) ON DELETE CASCADE,
    last_used_at  bigint NOT NULL,
    uses          bigint NOT NULL,
    previous_uses bigint NOT NULL
) WITH (fillfactor = 70);

CREATE TABLE keyward.keyspaces (
    id       text   NOT NULL COLLATE "C" PRIMARY KEY,
    version  bigint NOT NULL,
    document text   NOT NULL COLLATE "C"
);

-- No foreign keys: the trail outlives what it tells of.
CREATE TABLE keyward.audit (
    id              bytea  NOT NULL PRIMARY KEY,
    at              bigint NOT NULL,
    action          text   NOT NULL COLLATE "C",
    actor           text   NOT NULL COLLATE "C",
    ip              text   COLLATE "C",
    user_agent      text   COLLATE "C",
    request_id      text   COLLATE "C",
    -- What an application wants to be kept about the one who acted: a JSON object, null if empty.
    metadata        text   COLLATE "C",
    key_id          text   COLLATE "C",
    keyspace        text   COLLATE "C",
    owner           text   COLLATE "C",
    service_account bytea,
    data            text   NOT NULL COLLATE "C"
);

CREATE INDEX audit_by_time ON keyward.audit ((at + 0), id);
CREATE INDEX audit_by_key ON keyward.audit (key_id, at, id) WHERE key_id IS NOT NULL;
CREATE INDEX audit_by_owner ON keyward.audit (owner, at, id) WHERE owner IS NOT NULL;
CREATE INDEX audit_by_account ON keyward.audit (service_account, at, id)
    WHERE service_account IS NOT NULL;
CREATE INDEX audit_by_actor ON keyward.audit (actor, at, id);
CREATE INDEX audit_by_keyspace ON keyward.audit (keyspace, at, id) WHERE keyspace IS NOT NULL;
CREATE INDEX audit_by_action ON keyward.audit (action, at, id);

-- The public halves of the pairs that sign access tokens; the private ones are in no table.
CREATE TABLE keyward.signing_keys (
    id         text   NOT NULL COLLATE "C" PRIMARY KEY,
    jwk        text   NOT NULL COLLATE "C",
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL
);

-- What has expired need not be remembered.
CREATE TABLE keyward.revoked_tokens (
    id    bytea  NOT NULL PRIMARY KEY,
    until bigint NOT NULL
);

CREATE INDEX revoked_tokens_by_end ON keyward.revoked_tokens (until);

-- The change feed. Numbers without holes: followers tell from a hole that changes were dropped.
CREATE TABLE keyward.changes (
    sequence       bigint  NOT NULL PRIMARY KEY,
    id             bytea   NOT NULL UNIQUE,
    at             bigint  NOT NULL,
    keyspaces      boolean NOT NULL,
    locators       text    NOT NULL COLLATE "C",
    accounts       text    NOT NULL COLLATE "C",
    account_states boolean NOT NULL
);

-- One row, which every change locks first: changes are made one after the other, on all nodes together.
CREATE TABLE keyward.feed (
    is_only   boolean NOT NULL PRIMARY KEY DEFAULT true CHECK (is_only),
    is_sealed boolean NOT NULL DEFAULT false
);

INSERT INTO keyward.feed DEFAULT VALUES;
