//! A store that is watched: it counts calls, holds them at gates, and fails when it is told to.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use keyward::store::{
    AccountPage, AccountQuery, Applied, AuditPage, AuditQuery, AuditSummary, Feed, KeyPage,
    KeyQuery, Store, StoreError, StoredKey, UsageDelta,
};
use keyward::{
    AuditFilter, Change, ClientId, EndedBy, KeyId, KeyRecord, Keyspace, KeyspaceId, Locator,
    RevokedToken, Sequence, ServiceAccount, SigningKey, TokenId,
};
use tokio::sync::Semaphore;

/// A call that is counted and can be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Call {
    /// Held after the service account was read.
    Account,
    /// Held before the change is made.
    Apply,
    /// Held before the key is looked for.
    BeforeFind,
    /// Held before keys that have ended are looked for.
    Ended,
    /// Held after the key was found.
    Find,
    /// Held before the key is read.
    Key,
    /// Held before usage is written.
    RecordUsage,
}

/// Passes calls on to another store.
#[derive(Debug)]
pub(crate) struct ProbedStore {
    inner: Arc<dyn Store>,
    calls: Mutex<HashMap<Call, usize>>,
    gates: Mutex<HashMap<Call, Arc<Gate>>>,
    is_down: AtomicBool,
    /// How many calls of a kind succeed before they fail.
    good_calls: Mutex<HashMap<Call, usize>>,
    usage_batches: Mutex<Vec<usize>>,
}

impl ProbedStore {
    pub(crate) fn new(inner: Arc<dyn Store>) -> Self {
        Self {
            inner,
            calls: Mutex::default(),
            gates: Mutex::default(),
            is_down: AtomicBool::default(),
            good_calls: Mutex::default(),
            usage_batches: Mutex::default(),
        }
    }

    /// How often this was called.
    pub(crate) fn count(&self, call: Call) -> usize {
        self.calls.lock().unwrap().get(&call).copied().unwrap_or_default()
    }

    /// Holds calls of a kind until the gate is opened.
    pub(crate) fn hold(&self, call: Call) -> Arc<Gate> {
        let gate = Arc::new(Gate { arrived: Semaphore::new(0), open: Semaphore::new(0) });
        self.gates.lock().unwrap().insert(call, Arc::clone(&gate));
        gate
    }

    /// Lets later calls of a kind pass; those that are held stay so.
    pub(crate) fn hold_no_more(&self, call: Call) {
        self.gates.lock().unwrap().remove(&call);
    }

    /// Whether every call fails.
    pub(crate) fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }

    /// Lets calls of a kind fail after so many more, or, absent, no longer.
    pub(crate) fn fail_after(&self, call: Call, good_calls: Option<usize>) {
        let mut all = self.good_calls.lock().unwrap();
        match good_calls {
            Some(count) => all.insert(call, count),
            None => all.remove(&call),
        };
    }

    /// How many rows were in each batch of usage that was written.
    pub(crate) fn usage_batches(&self) -> Vec<usize> {
        self.usage_batches.lock().unwrap().clone()
    }

    fn up(&self) -> Result<&dyn Store, StoreError> {
        if self.is_down.load(Ordering::SeqCst) { Err(down()) } else { Ok(&*self.inner) }
    }

    fn counted(&self, call: Call) -> Result<&dyn Store, StoreError> {
        *self.calls.lock().unwrap().entry(call).or_default() += 1;
        if let Some(left) = self.good_calls.lock().unwrap().get_mut(&call) {
            *left = left.checked_sub(1).ok_or_else(down)?;
        }
        self.up()
    }

    async fn pass(&self, call: Call) {
        let gate = self.gates.lock().unwrap().get(&call).cloned();
        if let Some(gate) = gate {
            gate.arrived.add_permits(1);
            gate.open.acquire().await.unwrap().forget();
        }
    }
}

fn down() -> StoreError {
    StoreError::Unavailable { operation: "answer", source: "it is down".into() }
}

/// Where calls wait.
#[derive(Debug)]
pub(crate) struct Gate {
    arrived: Semaphore,
    open: Semaphore,
}

impl Gate {
    /// Waits until so many more calls have come to the gate.
    pub(crate) async fn arrivals(&self, count: u32) {
        self.arrived.acquire_many(count).await.unwrap().forget();
    }

    /// How many calls are at the gate that were not waited for.
    pub(crate) fn arrived(&self) -> usize {
        self.arrived.available_permits()
    }

    /// Lets one call pass.
    pub(crate) fn let_one_pass(&self) {
        self.open.add_permits(1);
    }

    /// Lets all calls pass, those to come as well.
    pub(crate) fn open(&self) {
        self.open.add_permits(1_000_000);
    }
}

#[async_trait]
impl Store for ProbedStore {
    async fn find(&self, locator: &Locator) -> Result<Option<KeyRecord>, StoreError> {
        self.pass(Call::BeforeFind).await;
        let found = self.counted(Call::Find)?.find(locator).await;
        self.pass(Call::Find).await;
        found
    }

    async fn key(&self, id: &KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.pass(Call::Key).await;
        self.counted(Call::Key)?.key(id).await
    }

    async fn list(&self, query: &KeyQuery) -> Result<KeyPage, StoreError> {
        self.up()?.list(query).await
    }

    async fn ended(
        &self,
        by: EndedBy,
        spared: &[KeyspaceId],
        limit: usize,
    ) -> Result<Vec<KeyRecord>, StoreError> {
        self.pass(Call::Ended).await;
        self.counted(Call::Ended)?.ended(by, spared, limit).await
    }

    async fn account(&self, id: &ClientId) -> Result<Option<ServiceAccount>, StoreError> {
        let found = self.counted(Call::Account)?.account(id).await;
        self.pass(Call::Account).await;
        found
    }

    async fn accounts(&self, query: &AccountQuery) -> Result<AccountPage, StoreError> {
        self.up()?.accounts(query).await
    }

    async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        self.up()?.signing_keys().await
    }

    async fn is_token_revoked(&self, id: &TokenId) -> Result<bool, StoreError> {
        self.up()?.is_token_revoked(id).await
    }

    async fn revoked_tokens(&self) -> Result<Vec<RevokedToken>, StoreError> {
        self.up()?.revoked_tokens().await
    }

    async fn keyspaces(&self) -> Result<Vec<Keyspace>, StoreError> {
        self.up()?.keyspaces().await
    }

    async fn apply(&self, change: &Change) -> Result<Applied, StoreError> {
        self.pass(Call::Apply).await;
        self.counted(Call::Apply)?.apply(change).await
    }

    async fn seal(&self, is_sealed: bool) -> Result<(), StoreError> {
        self.up()?.seal(is_sealed).await
    }

    async fn record_usage(&self, batch: &[UsageDelta]) -> Result<(), StoreError> {
        self.pass(Call::RecordUsage).await;
        self.counted(Call::RecordUsage)?.record_usage(batch).await?;
        self.usage_batches.lock().unwrap().push(batch.len());
        Ok(())
    }

    async fn audit(&self, query: &AuditQuery) -> Result<AuditPage, StoreError> {
        self.up()?.audit(query).await
    }

    async fn summarize_audit(&self, filter: &AuditFilter) -> Result<AuditSummary, StoreError> {
        self.up()?.summarize_audit(filter).await
    }

    async fn changes_since(&self, position: Sequence) -> Result<Feed, StoreError> {
        self.up()?.changes_since(position).await
    }

    async fn position(&self) -> Result<Sequence, StoreError> {
        self.up()?.position().await
    }

    async fn health(&self) -> Result<(), StoreError> {
        self.up()?.health().await
    }
}
