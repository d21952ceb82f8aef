//! A store that answers when it likes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use keyward::store::{
    AccountPage, AccountQuery, Applied, AuditPage, AuditQuery, AuditSummary, Feed, KeyPage,
    KeyQuery, Store, StoreError, StoredKey, UsageDelta,
};
use keyward::{
    AuditFilter, Change, ClientId, EndedBy, Entropy, KeyId, KeyRecord, Keyspace, KeyspaceId,
    Locator, RevokedToken, Sequence, ServiceAccount, SigningKey, TokenId,
};
use keyward_testkit::SeededEntropy;

/// Passes calls on to another store, and fails some of them: before they are made, or, of those that
/// write, after that.
#[derive(Debug)]
pub(crate) struct FlakyStore {
    chance: SeededEntropy,
    inner: Arc<dyn Store>,
    /// Of so many calls, one fails; none of them where it is 0.
    one_in: AtomicU64,
}

impl FlakyStore {
    pub(crate) fn new(inner: &Arc<dyn Store>, seed: u64, one_in: u64) -> Arc<Self> {
        let (chance, inner) = (SeededEntropy::new(seed), Arc::clone(inner));
        Arc::new(Self { chance, inner, one_in: AtomicU64::new(one_in) })
    }

    /// From now on, of so many calls one fails.
    pub(crate) fn fail_one_in(&self, calls: u64) {
        self.one_in.store(calls, Ordering::SeqCst);
    }

    fn fails(&self) -> Result<(), StoreError> {
        let mut bytes = [0; 8];
        self.chance.fill(&mut bytes);
        let one_in = self.one_in.load(Ordering::SeqCst);
        if one_in == 0 || u64::from_le_bytes(bytes) % one_in > 0 {
            return Ok(());
        }
        Err(StoreError::Unavailable { operation: "answer", source: "it does not like to".into() })
    }

    fn inner(&self) -> Result<&dyn Store, StoreError> {
        self.fails().map(|()| &*self.inner)
    }
}

#[async_trait]
impl Store for FlakyStore {
    async fn find(&self, locator: &Locator) -> Result<Option<KeyRecord>, StoreError> {
        self.inner()?.find(locator).await
    }

    async fn key(&self, id: &KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.inner()?.key(id).await
    }

    async fn list(&self, query: &KeyQuery) -> Result<KeyPage, StoreError> {
        self.inner()?.list(query).await
    }

    async fn ended(
        &self,
        by: EndedBy,
        spared: &[KeyspaceId],
        limit: usize,
    ) -> Result<Vec<KeyRecord>, StoreError> {
        self.inner()?.ended(by, spared, limit).await
    }

    async fn account(&self, id: &ClientId) -> Result<Option<ServiceAccount>, StoreError> {
        self.inner()?.account(id).await
    }

    async fn accounts(&self, query: &AccountQuery) -> Result<AccountPage, StoreError> {
        self.inner()?.accounts(query).await
    }

    async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        self.inner()?.signing_keys().await
    }

    async fn is_token_revoked(&self, id: &TokenId) -> Result<bool, StoreError> {
        self.inner()?.is_token_revoked(id).await
    }

    async fn revoked_tokens(&self) -> Result<Vec<RevokedToken>, StoreError> {
        self.inner()?.revoked_tokens().await
    }

    async fn keyspaces(&self) -> Result<Vec<Keyspace>, StoreError> {
        self.inner()?.keyspaces().await
    }

    async fn apply(&self, change: &Change) -> Result<Applied, StoreError> {
        let applied = self.inner()?.apply(change).await?;
        self.fails().map(|()| applied)
    }

    async fn seal(&self, is_sealed: bool) -> Result<(), StoreError> {
        self.inner()?.seal(is_sealed).await?;
        self.fails()
    }

    async fn record_usage(&self, batch: &[UsageDelta]) -> Result<(), StoreError> {
        self.inner()?.record_usage(batch).await?;
        self.fails()
    }

    async fn audit(&self, query: &AuditQuery) -> Result<AuditPage, StoreError> {
        self.inner()?.audit(query).await
    }

    async fn summarize_audit(&self, filter: &AuditFilter) -> Result<AuditSummary, StoreError> {
        self.inner()?.summarize_audit(filter).await
    }

    async fn changes_since(&self, position: Sequence) -> Result<Feed, StoreError> {
        self.inner()?.changes_since(position).await
    }

    async fn position(&self) -> Result<Sequence, StoreError> {
        self.inner()?.position().await
    }

    async fn health(&self) -> Result<(), StoreError> {
        self.inner()?.health().await
    }
}
