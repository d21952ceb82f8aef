//! The port over a database.

use std::sync::Arc;

use async_trait::async_trait;
use keyward_core::{
    AuditFilter, Change, ClientId, EndedBy, KeyId, KeyRecord, Keyspace, KeyspaceId, Locator,
    Sequence, ServiceAccount, SigningKey, TokenId,
};
use keyward_store::{
    AccountPage, AccountQuery, Applied, AuditPage, AuditQuery, AuditSummary, Feed, KeyPage,
    KeyQuery, Store, StoreError, StoredKey, UsageDelta,
};

use crate::apply::Rules;
use crate::pool::Pool;
use crate::readers::Readers;
use crate::{
    OpenError, PostgresOptions, account, audit, ended, feed, key, keyspace, list, oauth, open,
    usage,
};

/// Keeps everything in one PostgreSQL database, which any number of processes may share.
///
/// Share it in an `Arc`. It replaces connections that are lost by itself.
#[derive(Debug)]
pub struct PostgresStore {
    readers: Readers,
    pool: Pool,
    rules: Rules,
}

impl PostgresStore {
    /// Connects to the database at a URL.
    ///
    /// Refuses one that lacks migrations, an empty one among them ([`OpenError::is_outdated`]), one that
    /// a newer Keyward has migrated, and one whose schema `keyward` is none of ours; all of them stay as
    /// they are.
    pub async fn connect(url: &str, options: &PostgresOptions) -> Result<Self, OpenError> {
        let PostgresOptions { acquire_timeout, statement_timeout, lock_timeout, .. } = *options;
        let (connector, connection) = open::open(url, options).await?;
        let connector = Arc::new(connector);
        let pool = Pool::new(Arc::clone(&connector), options.pool_size, acquire_timeout);
        pool.add(connection);
        let readers = Readers::new(connector, options.readers, acquire_timeout);
        let rules = Rules::new(statement_timeout, lock_timeout, options.kept_changes);
        Ok(Self { readers, pool, rules })
    }

    /// Brings the database at a URL up to date. Returns how many migrations it took; either all of them
    /// are applied or none.
    ///
    /// They are made in the schema `keyward`. Of several callers at once, one does it.
    pub async fn migrate(url: &str) -> Result<usize, OpenError> {
        open::migrate(url).await
    }

    /// How many migrations the database at a URL lacks: all of them, if it is empty.
    pub async fn pending_migrations(url: &str) -> Result<usize, OpenError> {
        open::pending_migrations(url).await
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn find(&self, locator: &Locator) -> Result<Option<KeyRecord>, StoreError> {
        let answer = self.readers.run("find a key", &key::find(locator)).await?;
        let found = key::RECORD.first(&answer.rows)?;
        Ok(found.filter(|record| key::is_found(record, locator)))
    }

    async fn key(&self, id: &KeyId) -> Result<Option<StoredKey>, StoreError> {
        let answer = self.readers.run("read a key", &key::key(id)).await?;
        key::STORED_KEY.first(&answer.rows)
    }

    async fn list(&self, query: &KeyQuery) -> Result<KeyPage, StoreError> {
        list::list(&self.pool, query).await
    }

    async fn ended(
        &self,
        by: EndedBy,
        spared: &[KeyspaceId],
        limit: usize,
    ) -> Result<Vec<KeyRecord>, StoreError> {
        if by == EndedBy::default() {
            return Ok(Vec::new());
        }
        let statement = ended::statement(by, spared, limit);
        let answer = self.pool.read("find keys that have ended", &statement).await?;
        key::RECORD.all(&answer.rows)
    }

    async fn account(&self, id: &ClientId) -> Result<Option<ServiceAccount>, StoreError> {
        let answer = self.readers.run("read a service account", &account::account(id)).await?;
        account::ACCOUNT.first(&answer.rows)
    }

    async fn accounts(&self, query: &AccountQuery) -> Result<AccountPage, StoreError> {
        account::accounts(&self.pool, query).await
    }

    async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        let answer = self.readers.run("read the signing keys", &oauth::signing_keys()).await?;
        oauth::SIGNING_KEY.all(&answer.rows)
    }

    async fn is_token_revoked(&self, id: &TokenId) -> Result<bool, StoreError> {
        let statement = oauth::is_token_revoked(id);
        let answer = self.readers.run("look for a revoked access token", &statement).await?;
        Ok(oauth::IS_REVOKED.first(&answer.rows)?.unwrap_or_default())
    }

    async fn keyspaces(&self) -> Result<Vec<Keyspace>, StoreError> {
        let answer = self.readers.run("read the keyspaces", &keyspace::keyspaces()).await?;
        keyspace::KEYSPACE.all(&answer.rows)
    }

    async fn apply(&self, change: &Change) -> Result<Applied, StoreError> {
        let applied = self.rules.apply(&self.pool, change).await;
        applied.map_err(|error| error.during("apply a change"))
    }

    async fn record_usage(&self, batch: &[UsageDelta]) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let recorded = self.pool.run(&usage::record(batch)).await;
        recorded.map(drop).map_err(|failure| failure.during("record usage"))
    }

    async fn audit(&self, query: &AuditQuery) -> Result<AuditPage, StoreError> {
        audit::audit(&self.pool, query).await
    }

    async fn summarize_audit(&self, filter: &AuditFilter) -> Result<AuditSummary, StoreError> {
        audit::summarize(&self.pool, filter).await
    }

    async fn changes_since(&self, position: Sequence) -> Result<Feed, StoreError> {
        let answer = self.readers.run("read the change feed", &feed::since(position)).await?;
        feed::changes_since(&answer.rows, position)
    }

    async fn position(&self) -> Result<Sequence, StoreError> {
        let answer = self.readers.run("read the change feed", &feed::position()).await?;
        Ok(feed::POSITION.first(&answer.rows)?.unwrap_or_default())
    }

    async fn health(&self) -> Result<(), StoreError> {
        let answer = self.readers.run("answer", &feed::is_writable()).await?;
        match feed::IS_WRITABLE.first(&answer.rows)? {
            Some(true) => Ok(()),
            _ => Err(crate::failure::Failure::ReadOnly.during("answer")),
        }
    }
}
