//! The state as a file, and back.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use keyward_core::{
    AccountWrite, ActContext, AuditEvent, Change, ChangeId, ClientId, KeyRecord, KeyWrite,
    Keyspace, KeyspaceWrite, RevokedToken, ServiceAccount, SigningKey, Timestamp, TokenId,
};
use keyward_store::{
    AccountQuery, AuditQuery, KeyQuery, KeyStates, MemoryStore, Order, Store, StoreError,
    StoredKey, Usage, UsageDelta,
};
use serde::{Deserialize, Serialize};
use serde_json::value::Value;

/// Everything that there is.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Snapshot {
    #[serde(default)]
    is_sealed: bool,
    keyspaces: Vec<Keyspace>,
    /// What `ServiceAccount::to_stored` writes.
    #[serde(default)]
    accounts: Vec<Value>,
    keys: Vec<KeyRow>,
    events: Vec<EventRow>,
    #[serde(default)]
    signing_keys: Vec<SigningKeyRow>,
    /// Identifiers, and until when they must be remembered.
    #[serde(default)]
    revoked_tokens: Vec<(String, Timestamp)>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct SigningKeyRow {
    jwk: String,
    created_at: Timestamp,
    expires_at: Timestamp,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct KeyRow {
    /// What `KeyRecord::to_stored` writes.
    record: Value,
    last_used_at: Option<Timestamp>,
    uses: u64,
    previous_uses: u64,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct EventRow {
    id: String,
    at: Timestamp,
    action: String,
    context: ActContext,
    key: Option<String>,
    keyspace: Option<String>,
    owner: Option<String>,
    #[serde(default)]
    service_account: Option<ClientId>,
    data: serde_json::Map<String, Value>,
}

impl Snapshot {
    /// Reads a file; of a missing one, nothing.
    pub(crate) fn read(path: &Path) -> Result<Self, StoreError> {
        match std::fs::read(path) {
            // The place alone: what serde says may quote what is stored.
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                damaged("file", format!("line {}, column {}", error.line(), error.column()))
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => {
                Err(StoreError::Unavailable { operation: "open", source: source.into() })
            }
        }
    }

    /// Replaces the file by this state: as a whole or, should anything fail, not at all.
    pub(crate) async fn write(self, path: &Path) -> Result<(), StoreError> {
        let path = path.to_owned();
        let written = tokio::task::spawn_blocking(move || self.replace(&path)).await;
        written.map_err(io::Error::other).flatten().map_err(|source| StoreError::Unavailable {
            operation: "write the file",
            source: source.into(),
        })
    }

    fn replace(&self, path: &Path) -> io::Result<()> {
        let beside = path.with_extension("new");
        let mut file = File::create(&beside)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.sync_all()?;
        std::fs::rename(&beside, path)?;
        // The new name is on the disk when the folder is.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.map_or_else(|| PathBuf::from("."), Path::to_owned))?.sync_all()
    }

    /// The state of a store in memory.
    pub(crate) async fn of(memory: &MemoryStore) -> Result<Self, StoreError> {
        // The instant is for telling states, and all of them are wanted.
        let now = Timestamp::from_micros(0).map_err(|error| damaged("instant", error))?;
        let query = KeyQuery {
            order: Order::Ascending,
            states: KeyStates::ALL,
            ..KeyQuery::new(now, usize::MAX)
        };
        let keys = memory.list(&query).await?.keys;
        let query = AccountQuery { with_deleted: true, ..AccountQuery::new(usize::MAX) };
        let accounts = memory.accounts(&query).await?.accounts;
        let accounts = accounts.iter().map(|account| serde_json::from_slice(&account.to_stored()));
        let all = AuditQuery { limit: usize::MAX, ..AuditQuery::default() };
        let events = memory.audit(&all).await?.events;
        let revoked = memory.revoked_tokens().await?.into_iter();
        Ok(Self {
            is_sealed: memory.is_sealed(),
            keyspaces: memory.keyspaces().await?,
            accounts: accounts.collect::<Result<_, _>>().map_err(|e| damaged("account", e))?,
            keys: keys.iter().map(KeyRow::of).collect::<Result<_, _>>()?,
            events: events.into_iter().map(EventRow::of).collect(),
            signing_keys: memory.signing_keys().await?.iter().map(SigningKeyRow::of).collect(),
            revoked_tokens: revoked.map(|token| (token.id.to_string(), token.until)).collect(),
        })
    }

    /// A store in memory with this state.
    pub(crate) async fn restore(self) -> Result<MemoryStore, StoreError> {
        let (memory, is_sealed) = (MemoryStore::new(), self.is_sealed);
        self.write_to(&memory).await?;
        memory.seal(is_sealed).await?;
        Ok(memory)
    }

    async fn write_to(self, memory: &MemoryStore) -> Result<(), StoreError> {
        let is_new = self.keyspaces.is_empty() && self.accounts.is_empty();
        let has_signed = !self.signing_keys.is_empty() || !self.revoked_tokens.is_empty();
        if is_new && self.keys.is_empty() && self.events.is_empty() && !has_signed {
            // Nothing has ever been changed, and so says the feed.
            return Ok(());
        }
        let mut change = Change {
            id: ChangeId::from_bytes([0; 16]),
            at: Timestamp::from_micros(0).map_err(|error| damaged("instant", error))?,
            keyspaces: self.keyspaces.into_iter().map(KeyspaceWrite::Insert).collect(),
            accounts: Vec::new(),
            keys: Vec::new(),
            signing_keys: Vec::new(),
            revoked_tokens: Vec::new(),
            erasure: None,
            events: Vec::new(),
        };
        for stored in self.accounts {
            let account = ServiceAccount::from_stored(stored.to_string().as_bytes());
            let account = account.map_err(|error| damaged("account", error))?;
            change.accounts.push(AccountWrite::Insert(Box::new(account)));
        }
        let mut usage = Vec::new();
        for row in self.keys {
            let (record, delta) = row.read()?;
            usage.extend(delta);
            change.keys.push(KeyWrite::Insert(Box::new(record)));
        }
        for row in self.events {
            change.events.push(row.read()?);
        }
        for row in self.signing_keys {
            let SigningKeyRow { jwk, created_at, expires_at } = row;
            let key = SigningKey::from_stored(&jwk, created_at, expires_at);
            change.signing_keys.push(key.map_err(|error| damaged("signing key", error))?);
        }
        for (id, until) in self.revoked_tokens {
            let id = TokenId::parse(&id).map_err(|error| damaged("revoked token", error))?;
            change.revoked_tokens.push(RevokedToken { id, until });
        }
        memory.apply(&change).await?;
        memory.record_usage(&usage).await
    }
}

impl KeyRow {
    fn of(key: &StoredKey) -> Result<Self, StoreError> {
        let record = serde_json::from_slice(&key.record.to_stored());
        let record = record.map_err(|error| damaged("key", error))?;
        let Usage { last_used_at, uses, previous_uses } = key.usage;
        Ok(Self { record, last_used_at, uses, previous_uses })
    }

    fn read(self) -> Result<(KeyRecord, Option<UsageDelta>), StoreError> {
        let stored = self.record.to_string();
        let record = KeyRecord::from_stored(stored.as_bytes());
        let record = record.map_err(|error| damaged("key", error))?;
        let Self { uses, previous_uses, .. } = self;
        let key = record.id.clone();
        let delta = self.last_used_at.map(|last_used_at| UsageDelta {
            key,
            last_used_at,
            uses,
            previous_uses,
        });
        Ok((record, delta))
    }
}

impl SigningKeyRow {
    fn of(key: &SigningKey) -> Self {
        let SigningKey { created_at, expires_at, .. } = *key;
        Self { jwk: key.to_jwk(), created_at, expires_at }
    }
}

impl EventRow {
    fn of(event: AuditEvent) -> Self {
        Self {
            id: event.id.to_string(),
            at: event.at,
            action: event.action.as_str().to_owned(),
            context: event.context,
            key: event.key.map(|key| key.to_string()),
            keyspace: event.keyspace.map(|keyspace| keyspace.to_string()),
            owner: event.owner.map(|owner| owner.to_string()),
            service_account: event.service_account,
            data: event.data,
        }
    }

    fn read(self) -> Result<AuditEvent, StoreError> {
        let damaged = |error| damaged("audit event", error);
        Ok(AuditEvent {
            id: self.id.parse().map_err(damaged)?,
            at: self.at,
            action: self.action.parse().map_err(damaged)?,
            context: self.context,
            key: self.key.map(|key| key.parse()).transpose().map_err(damaged)?,
            keyspace: self.keyspace.map(|id| id.parse()).transpose().map_err(damaged)?,
            owner: self.owner.map(|owner| owner.parse()).transpose().map_err(damaged)?,
            service_account: self.service_account,
            data: self.data,
        })
    }
}

fn damaged(
    what: &'static str,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> StoreError {
    StoreError::Corrupt { what, source: source.into() }
}
