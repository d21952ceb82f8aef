//! A store that can be told to fail, and that counts what it is asked.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use keyward::store::{
    AccountPage, AccountQuery, Applied, AuditPage, AuditQuery, AuditSummary, Feed, KeyPage,
    KeyQuery, MemoryStore, Store, StoreError, StoredKey, UsageDelta,
};
use keyward::{
    AuditFilter, Change, ClientId, EndedBy, KeyId, KeyRecord, Keyspace, KeyspaceId, Locator,
    RevokedToken, Sequence, ServiceAccount, SigningKey, TokenId,
};
use tokio::sync::Barrier;

/// How a store behaves.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mood {
    CannotSummarize,
    Down,
    Hangs,
    Panics,
    Works,
}

/// A store over another one, in some mood.
#[derive(Debug)]
pub(crate) struct FaultyStore {
    inner: Arc<dyn Store>,
    mood: Mutex<Mood>,
    calls: Mutex<BTreeMap<&'static str, usize>>,
    meeting: Mutex<Option<Meeting>>,
}

/// Where those meet who have looked for service accounts, before any of them goes on.
#[derive(Debug)]
struct Meeting {
    expected: usize,
    barrier: Arc<Barrier>,
}

impl FaultyStore {
    /// Stands in the cause of its failures.
    pub(crate) const CAUSE: &str = "db.internal:5432 as keyward_rw";

    /// Over a store in memory.
    pub(crate) fn new() -> Self {
        Self::over(Arc::new(MemoryStore::new()))
    }

    pub(crate) fn over(inner: Arc<dyn Store>) -> Self {
        let (calls, meeting) = (Mutex::default(), Mutex::default());
        Self { inner, mood: Mutex::new(Mood::Works), calls, meeting }
    }

    /// How often each call was made since the last time.
    pub(crate) fn take_calls(&self) -> BTreeMap<&'static str, usize> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    /// Lets the next so many that look for service accounts go on only when all of them have looked.
    pub(crate) fn let_meet(&self, expected: usize) {
        let barrier = Arc::new(Barrier::new(expected));
        *self.meeting.lock().unwrap() = Some(Meeting { expected, barrier });
    }

    async fn meet(&self) {
        let barrier = self.meeting.lock().unwrap().as_mut().and_then(|meeting| {
            meeting.expected = meeting.expected.checked_sub(1)?;
            Some(Arc::clone(&meeting.barrier))
        });
        if let Some(barrier) = barrier {
            barrier.wait().await;
        }
    }

    pub(crate) fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    async fn pass(&self, call: &'static str) -> Result<(), StoreError> {
        *self.calls.lock().unwrap().entry(call).or_default() += 1;
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
        self.pass("find").await?;
        self.inner.find(locator).await
    }

    async fn key(&self, id: &KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.pass("key").await?;
        self.inner.key(id).await
    }

    async fn list(&self, query: &KeyQuery) -> Result<KeyPage, StoreError> {
        self.pass("list").await?;
        self.inner.list(query).await
    }

    async fn ended(
        &self,
        by: EndedBy,
        spared: &[KeyspaceId],
        limit: usize,
    ) -> Result<Vec<KeyRecord>, StoreError> {
        self.pass("ended").await?;
        self.inner.ended(by, spared, limit).await
    }

    async fn account(&self, id: &ClientId) -> Result<Option<ServiceAccount>, StoreError> {
        self.pass("account").await?;
        self.inner.account(id).await
    }

    async fn accounts(&self, query: &AccountQuery) -> Result<AccountPage, StoreError> {
        self.pass("accounts").await?;
        let found = self.inner.accounts(query).await;
        self.meet().await;
        found
    }

    async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        self.pass("signing_keys").await?;
        self.inner.signing_keys().await
    }

    async fn is_token_revoked(&self, id: &TokenId) -> Result<bool, StoreError> {
        self.pass("is_revoked").await?;
        self.inner.is_token_revoked(id).await
    }

    async fn revoked_tokens(&self) -> Result<Vec<RevokedToken>, StoreError> {
        self.pass("revoked_tokens").await?;
        self.inner.revoked_tokens().await
    }

    async fn keyspaces(&self) -> Result<Vec<Keyspace>, StoreError> {
        self.pass("keyspaces").await?;
        self.inner.keyspaces().await
    }

    async fn apply(&self, change: &Change) -> Result<Applied, StoreError> {
        self.pass("apply").await?;
        self.inner.apply(change).await
    }

    async fn seal(&self, is_sealed: bool) -> Result<(), StoreError> {
        self.pass("seal").await?;
        self.inner.seal(is_sealed).await
    }

    async fn record_usage(&self, batch: &[UsageDelta]) -> Result<(), StoreError> {
        self.pass("record_usage").await?;
        self.inner.record_usage(batch).await
    }

    async fn audit(&self, query: &AuditQuery) -> Result<AuditPage, StoreError> {
        self.pass("audit").await?;
        self.inner.audit(query).await
    }

    async fn summarize_audit(&self, filter: &AuditFilter) -> Result<AuditSummary, StoreError> {
        self.pass("summarize_audit").await?;
        if matches!(*self.mood.lock().unwrap(), Mood::CannotSummarize) {
            return Err(StoreError::Unsupported { operation: "summarize the audit trail" });
        }
        self.inner.summarize_audit(filter).await
    }

    async fn changes_since(&self, position: Sequence) -> Result<Feed, StoreError> {
        self.pass("changes_since").await?;
        self.inner.changes_since(position).await
    }

    async fn position(&self) -> Result<Sequence, StoreError> {
        self.pass("position").await?;
        self.inner.position().await
    }

    async fn health(&self) -> Result<(), StoreError> {
        self.pass("health").await?;
        self.inner.health().await
    }
}
