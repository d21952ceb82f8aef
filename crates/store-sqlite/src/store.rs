//! The port over a file.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use keyward_core::{
    AuditFilter, Change, ClientId, EndedBy, KeyId, KeyRecord, Keyspace, KeyspaceId, Locator,
    RevokedToken, Sequence, ServiceAccount, SigningKey, TokenId,
};
use keyward_store::{
    AccountPage, AccountQuery, Applied, AuditPage, AuditQuery, AuditSummary, Feed, KeyPage,
    KeyQuery, Store, StoreError, StoredKey, UsageDelta,
};
use rusqlite::Connection;

use crate::open::Problem;
use crate::readers::Readers;
use crate::writer::Writer;
use crate::{
    OpenError, SqliteOptions, account, apply, audit, ended, feed, key, keyspace, list, oauth, open,
    seal, usage,
};

/// Keeps everything in one SQLite file.
///
/// Share it in an `Arc`. Dropping it finishes what is queued for writing and closes the file.
#[derive(Debug)]
pub struct SqliteStore {
    /// Dropped before the writer: the connection that is closed last empties the log into the file,
    /// which takes one that may write.
    readers: Arc<Readers>,
    writer: Writer,
    kept_changes: u32,
}

impl SqliteStore {
    /// Opens the file at a path, and makes it if it is missing or empty.
    ///
    /// Refuses a file that lacks migrations ([`OpenError::is_outdated`]), one that a newer Keyward
    /// has migrated, and one that is none of ours; all of them stay as they are. Blocks the calling
    /// thread for some milliseconds.
    pub fn open(path: impl AsRef<Path>, options: &SqliteOptions) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let SqliteOptions { busy_timeout, kept_changes, .. } = *options;
        let (connection, absolute) = open::open(path, options)?;
        let writer = Writer::start(connection).map_err(|error| Problem::from(error).with(path))?;
        let readers = Arc::new(Readers::new(absolute, busy_timeout));
        Ok(Self { readers, writer, kept_changes })
    }

    /// Brings the file at a path up to date, and makes it if it is missing. Returns how many
    /// migrations it took; either all of them are applied or none.
    pub fn migrate(path: impl AsRef<Path>) -> Result<usize, OpenError> {
        open::migrate(path.as_ref())
    }

    /// How many migrations the file at a path lacks: all of them, if it is missing. Makes no file.
    pub fn pending_migrations(path: impl AsRef<Path>) -> Result<usize, OpenError> {
        open::pending_migrations(path.as_ref())
    }

    /// Reads on one of tokio's blocking threads.
    async fn read_apart<T: Send + 'static>(
        &self,
        operation: &'static str,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let readers = Arc::clone(&self.readers);
        let reading = tokio::task::spawn_blocking(move || readers.read(operation, read));
        reading.await.unwrap_or_else(|error| {
            Err(StoreError::Unavailable { operation, source: error.into() })
        })
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn find(&self, locator: &Locator) -> Result<Option<KeyRecord>, StoreError> {
        self.readers.read("find a key", |connection| key::find(connection, locator))
    }

    async fn key(&self, id: &KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.readers.read("read a key", |connection| key::key(connection, id))
    }

    async fn list(&self, query: &KeyQuery) -> Result<KeyPage, StoreError> {
        let query = query.clone();
        self.read_apart("list keys", move |connection| list::list(connection, &query)).await
    }

    async fn ended(
        &self,
        by: EndedBy,
        spared: &[KeyspaceId],
        limit: usize,
    ) -> Result<Vec<KeyRecord>, StoreError> {
        let spared = spared.to_vec();
        let read = move |connection: &Connection| ended::ended(connection, by, &spared, limit);
        self.read_apart("find keys that have ended", read).await
    }

    async fn account(&self, id: &ClientId) -> Result<Option<ServiceAccount>, StoreError> {
        let read = |connection: &Connection| account::account(connection, id);
        self.readers.read("read a service account", read)
    }

    async fn accounts(&self, query: &AccountQuery) -> Result<AccountPage, StoreError> {
        let query = query.clone();
        let read = move |connection: &Connection| account::accounts(connection, &query);
        self.read_apart("list service accounts", read).await
    }

    async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        self.readers.read("read the signing keys", oauth::signing_keys)
    }

    async fn is_token_revoked(&self, id: &TokenId) -> Result<bool, StoreError> {
        let read = |connection: &Connection| oauth::is_token_revoked(connection, id);
        self.readers.read("look for a revoked access token", read)
    }

    async fn revoked_tokens(&self) -> Result<Vec<RevokedToken>, StoreError> {
        self.read_apart("read the revoked access tokens", oauth::revoked_tokens).await
    }

    async fn keyspaces(&self) -> Result<Vec<Keyspace>, StoreError> {
        self.readers.read("read the keyspaces", keyspace::keyspaces)
    }

    async fn apply(&self, change: &Change) -> Result<Applied, StoreError> {
        let (change, kept_changes) = (change.clone(), self.kept_changes);
        let work = move |connection: &Connection| apply::apply(connection, &change, kept_changes);
        self.writer.write("apply a change", work).await
    }

    async fn seal(&self, is_sealed: bool) -> Result<(), StoreError> {
        let work = move |connection: &Connection| seal::set(connection, is_sealed);
        self.writer.write("seal the store", work).await
    }

    async fn record_usage(&self, batch: &[UsageDelta]) -> Result<(), StoreError> {
        let batch = batch.to_vec();
        let work = move |connection: &Connection| usage::record(connection, &batch);
        self.writer.write("record usage", work).await
    }

    async fn audit(&self, query: &AuditQuery) -> Result<AuditPage, StoreError> {
        let query = query.clone();
        let read = move |connection: &Connection| audit::audit(connection, &query);
        self.read_apart("read the audit trail", read).await
    }

    async fn summarize_audit(&self, filter: &AuditFilter) -> Result<AuditSummary, StoreError> {
        let filter = filter.clone();
        let read = move |connection: &Connection| audit::summarize(connection, &filter);
        self.read_apart("summarize the audit trail", read).await
    }

    async fn changes_since(&self, position: Sequence) -> Result<Feed, StoreError> {
        let read = |connection: &Connection| feed::changes_since(connection, position);
        self.readers.read("read the change feed", read)
    }

    async fn position(&self) -> Result<Sequence, StoreError> {
        self.readers.read("read the change feed", feed::position)
    }

    async fn health(&self) -> Result<(), StoreError> {
        self.readers.read("answer", feed::position)?;
        self.writer.write("answer", |_| Ok(())).await
    }
}
