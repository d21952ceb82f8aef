//! The database of the `NestJS` library, as its code makes and fills it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keyward::Entropy;
use keyward_testkit::SeededEntropy;
use keyward_testkit::postgres::{Postgres, fed};

/// The name of the database.
const DATABASE: &str = "nest";

/// What `TypeORM` makes of the library's entities.
const SCHEMA: &str = r#"
create extension if not exists "uuid-ossp";
create table sa_info (
    id            uuid not null default uuid_generate_v4() primary key,
    user_id       integer not null,
    client_secret character varying not null unique,
    description   character varying,
    created_at    timestamp without time zone not null default now(),
    updated_at    timestamp without time zone not null default now(),
    created_by    character varying,
    updated_by    character varying,
    deleted_at    timestamp without time zone,
    deleted_by    character varying
);
create table api_keys (
    id          serial primary key,
    name        character varying not null,
    client_id   uuid not null references sa_info (id),
    api_key     character varying not null unique,
    expiry_date timestamp without time zone not null,
    is_active   boolean not null default true,
    created_at  timestamp without time zone not null default now(),
    updated_at  timestamp without time zone not null default now(),
    created_by  character varying,
    updated_by  character varying,
    description character varying,
    deleted_at  timestamp without time zone,
    deleted_by  character varying
);
create index api_keys_api_key on api_keys (api_key);
"#;

/// The database, and all secrets that are in it.
pub(super) struct Seed {
    chance: SeededEntropy,
    postgres: Postgres,
    pub(super) secrets: Vec<String>,
}

/// A service account as its holder knows it.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) client_id: String,
    pub(super) client_secret: String,
}

/// A key to write: what is not said is as the library's code has it.
pub(super) struct Key<'a> {
    pub(super) account: &'a Account,
    pub(super) name: &'a str,
    pub(super) description: Option<&'a str>,
    /// When it expires (RFC 3339).
    pub(super) expires_at: &'a str,
    pub(super) is_active: bool,
    /// When it was deleted (RFC 3339).
    pub(super) deleted_at: Option<&'a str>,
}

impl<'a> Key<'a> {
    /// A live key of an account.
    pub(super) const fn of(account: &'a Account) -> Self {
        let expires_at = "2099-07-01T12:00:00Z";
        Self {
            account,
            name: "CI",
            description: None,
            expires_at,
            is_active: true,
            deleted_at: None,
        }
    }
}

impl Seed {
    /// An empty database on a server that keeps yet another time.
    pub(super) fn new() -> Self {
        let postgres = Postgres::start(&["timezone = 'Pacific/Auckland'"]);
        postgres.create_database(DATABASE);
        postgres.execute(DATABASE, SCHEMA);
        Self { chance: SeededEntropy::new(6), postgres, secrets: Vec::new() }
    }

    /// Writes an account in a session of that time zone, as a process of the library does. The age is
    /// how many days ago it was created.
    pub(super) fn account(
        &mut self,
        zone: &str,
        (user, age): (i32, u32),
        description: &str,
        deleted_at: Option<&str>,
    ) -> Account {
        let client_secret = self.secret();
        let client_id = self.write(
            zone,
            &format!(
                "insert into sa_info (user_id, client_secret, description, created_by, created_at,
                    deleted_at, deleted_by)
                values ({user}, {}, {}, 'key-manager-service', now() - interval '{age} days', {}, {})
                returning id",
                quoted(&client_secret),
                quoted(description),
                instant(deleted_at),
                deleted_at.map_or("null", |_| "'ops'"),
            ),
        );
        Account { client_id, client_secret }
    }

    /// Writes a key likewise, and returns its id and text.
    pub(super) fn key(&mut self, zone: &str, key: &Key<'_>) -> (String, String) {
        let text = self.secret();
        let id = self.write(
            zone,
            &format!(
                "insert into api_keys (name, client_id, api_key, expiry_date, is_active, description,
                    created_by, deleted_at, deleted_by)
                values ({}, '{}', {}, {}, {}, {}, 'key-generation-service', {}, {}) returning id",
                quoted(key.name),
                key.account.client_id,
                quoted(&text),
                instant(Some(key.expires_at)),
                key.is_active,
                key.description.map_or_else(|| "null".to_owned(), quoted),
                instant(key.deleted_at),
                key.deleted_at.map_or("null", |_| "'key-manager-service'"),
            ),
        );
        (id, text)
    }

    /// What `psql` prints of a command, in a session of yet another time zone.
    pub(super) fn psql(&self, command: &str) -> String {
        fed(self.postgres.psql(DATABASE).env("PGTZ", "America/New_York"), command)
    }

    fn write(&self, zone: &str, statement: &str) -> String {
        let mut psql = self.postgres.psql(DATABASE);
        psql.args(["--tuples-only", "--no-align"]).env("PGTZ", zone);
        fed(&mut psql, &format!("{statement};\n")).trim().to_owned()
    }

    /// 32 random bytes as the library writes them, with all signs that base64 has.
    fn secret(&mut self) -> String {
        loop {
            let mut bytes = [0; 32];
            self.chance.fill(&mut bytes);
            let text = STANDARD.encode(bytes);
            if text.contains('+') && text.contains('/') {
                self.secrets.push(text.clone());
                return text;
            }
        }
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// An instant as the session's own time, without a zone: what the library's driver writes.
fn instant(text: Option<&str>) -> String {
    text.map_or_else(|| "null".to_owned(), |text| format!("'{text}'::timestamptz::timestamp"))
}
