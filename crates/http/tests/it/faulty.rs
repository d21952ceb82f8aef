//! A store that can be told to fail.

use std::sync::Mutex;

use async_trait::async_trait;
use keyward::store::{
    AccountPage, AccountQuery, Applied, AuditPage, AuditQuery, AuditSummary, Feed, KeyPage,
    KeyQuery, MemoryStore, Store, StoreError, StoredKey, UsageDelta,
};
use keyward::{
    AuditFilter, Change, ClientId, EndedBy, KeyId, KeyRecord, Keyspace, KeyspaceId, Locator,
    Sequence, ServiceAccount, SigningKey, TokenId,
};

/// How a store behaves.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mood {
    CannotSummarize,
    Down,
    Hangs,
    Panics,
    Works,
}

/// A store in memory, in some mood.
#[derive(Debug)]
pub(crate) struct FaultyStore {
    inner: MemoryStore,
    mood: Mutex<Mood>,
}

impl FaultyStore {
    /// Stands in the cause of its failures.
    pub(crate) const CAUSE: &str = "db.internal:5432 as keyward_rw";

    pub(crate) fn new() -> Self {
        Self { inner: MemoryStore::new(), mood: Mutex::new(Mood::Works) }
    }

    pub(crate) fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    async fn pass(&self) -> Result<(), StoreError> {
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Down => {
                Err(StoreError::Unavailable { operation: "connect", source: Self::CAUSE.into() })
            }
            Mood::Hangs => std::future::pending().await,
            Mood::Panics => panic!("the store panics: {}", Self::CAUSE),
            Mood::CannotSummarize | Mood::Works => Ok(()),
        }
    }
}

#[async_trait]
impl Store for FaultyStore {
    async fn find(&self, locator: &Locator) -> Result<Option<KeyRecord>, StoreError> {
        self.pass().await?;
        self.inner.find(locator).await
    }

    async fn key(&self, id: &KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.pass().await?;
        self.inner.key(id).await
    }

    async fn list(&self, query: &KeyQuery) -> Result<KeyPage, StoreError> {
        self.pass().await?;
        self.inner.list(query).await
    }

    async fn ended(
        &self,
        by: EndedBy,
        spared: &[KeyspaceId],
        limit: usize,
    ) -> Result<Vec<KeyRecord>, StoreError> {
        self.pass().await?;
        self.inner.ended(by, spared, limit).await
    }

    async fn account(&self, id: &ClientId) -> Result<Option<ServiceAccount>, StoreError> {
        self.pass().await?;
        self.inner.account(id).await
    }

    async fn accounts(&self, query: &AccountQuery) -> Result<AccountPage, StoreError> {
        self.pass().await?;
        self.inner.accounts(query).await
    }

    async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        self.pass().await?;
        self.inner.signing_keys().await
    }

    async fn is_token_revoked(&self, id: &TokenId) -> Result<bool, StoreError> {
        self.pass().await?;
        self.inner.is_token_revoked(id).await
    }

    async fn keyspaces(&self) -> Result<Vec<Keyspace>, StoreError> {
        self.pass().await?;
        self.inner.keyspaces().await
    }

    async fn apply(&self, change: &Change) -> Result<Applied, StoreError> {
        self.pass().await?;
        self.inner.apply(change).await
    }

    async fn record_usage(&self, batch: &[UsageDelta]) -> Result<(), StoreError> {
        self.pass().await?;
        self.inner.record_usage(batch).await
    }

    async fn audit(&self, query: &AuditQuery) -> Result<AuditPage, StoreError> {
        self.pass().await?;
        self.inner.audit(query).await
    }

    async fn summarize_audit(&self, filter: &AuditFilter) -> Result<AuditSummary, StoreError> {
        self.pass().await?;
        if matches!(*self.mood.lock().unwrap(), Mood::CannotSummarize) {
            return Err(StoreError::Unsupported { operation: "summarize the audit trail" });
        }
        self.inner.summarize_audit(filter).await
    }

    async fn changes_since(&self, position: Sequence) -> Result<Feed, StoreError> {
        self.pass().await?;
        self.inner.changes_since(position).await
    }

    async fn position(&self) -> Result<Sequence, StoreError> {
        self.pass().await?;
        self.inner.position().await
    }

    async fn health(&self) -> Result<(), StoreError> {
        self.pass().await?;
        self.inner.health().await
    }
}
