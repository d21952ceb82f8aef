//! A backend of one's own: everything in one JSON file.
//!
//! The rules of the port are those of [`MemoryStore`]; what is added is that a change is in the file
//! before it is acknowledged, and before anybody can see it. For one process, and for few keys: each
//! change writes the whole file anew.
#![forbid(unsafe_code)]

mod snapshot;

use std::path::PathBuf;

use async_trait::async_trait;
use keyward_core::{
    AuditFilter, Change, ClientId, EndedBy, KeyId, KeyRecord, Keyspace, KeyspaceId, Locator,
    RevokedToken, Sequence, ServiceAccount, SigningKey, TokenId,
};
use keyward_store::{
    AccountPage, AccountQuery, Applied, AuditPage, AuditQuery, AuditSummary, Feed, KeyPage,
    KeyQuery, MemoryStore, Store, StoreError, StoredKey, UsageDelta,
};
use snapshot::Snapshot;
use tokio::sync::{RwLock, RwLockReadGuard};

/// Keeps everything in one file.
#[derive(Debug)]
pub struct FileStore {
    path: PathBuf,
    state: RwLock<State>,
}

#[derive(Debug)]
struct State {
    memory: MemoryStore,
    /// That a change could not be written: memory is ahead of the file, and must not be believed.
    is_ahead: bool,
}

impl FileStore {
    /// Opens the file at a path; a missing one is an empty store. A file that cannot be read back
    /// is an error, never an empty store.
    pub async fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let path = path.into();
        let memory = Snapshot::read(&path)?.restore().await?;
        Ok(Self { path, state: RwLock::new(State { memory, is_ahead: false }) })
    }

    /// What there is, for reading. Nobody reads while a change is being written, so nobody sees one
    /// that may still get lost.
    async fn read(&self) -> Result<RwLockReadGuard<'_, MemoryStore>, StoreError> {
        let state = self.state.read().await;
        if state.is_ahead { Err(ahead()) } else { Ok(RwLockReadGuard::map(state, |s| &s.memory)) }
    }

    /// Changes what there is in memory, then the file, and only then lets others read it.
    async fn write<T>(
        &self,
        act: impl AsyncFnOnce(&MemoryStore) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut state = self.state.write().await;
        if state.is_ahead {
            return Err(ahead());
        }
        // A change that the rules refuse ends here, and the file stays as it is.
        let result = act(&state.memory).await?;
        // Until the file is written. Should the caller go away meanwhile, it stays so.
        state.is_ahead = true;
        Snapshot::of(&state.memory).await?.write(&self.path).await?;
        state.is_ahead = false;
        Ok(result)
    }
}

fn ahead() -> StoreError {
    let source = "an earlier change could not be written; open the file again".into();
    StoreError::Unavailable { operation: "answer", source }
}

#[async_trait]
impl Store for FileStore {
    async fn find(&self, locator: &Locator) -> Result<Option<KeyRecord>, StoreError> {
        self.read().await?.find(locator).await
    }

    async fn key(&self, id: &KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.read().await?.key(id).await
    }

    async fn list(&self, query: &KeyQuery) -> Result<KeyPage, StoreError> {
        self.read().await?.list(query).await
    }

    async fn ended(
        &self,
        by: EndedBy,
        spared: &[KeyspaceId],
        limit: usize,
    ) -> Result<Vec<KeyRecord>, StoreError> {
        self.read().await?.ended(by, spared, limit).await
    }

    async fn account(&self, id: &ClientId) -> Result<Option<ServiceAccount>, StoreError> {
        self.read().await?.account(id).await
    }

    async fn accounts(&self, query: &AccountQuery) -> Result<AccountPage, StoreError> {
        self.read().await?.accounts(query).await
    }

    async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        self.read().await?.signing_keys().await
    }

    async fn is_token_revoked(&self, id: &TokenId) -> Result<bool, StoreError> {
        self.read().await?.is_token_revoked(id).await
    }

    async fn revoked_tokens(&self) -> Result<Vec<RevokedToken>, StoreError> {
        self.read().await?.revoked_tokens().await
    }

    async fn keyspaces(&self) -> Result<Vec<Keyspace>, StoreError> {
        self.read().await?.keyspaces().await
    }

    async fn apply(&self, change: &Change) -> Result<Applied, StoreError> {
        self.write(async |memory| memory.apply(change).await).await
    }

    async fn seal(&self, is_sealed: bool) -> Result<(), StoreError> {
        self.write(async |memory| memory.seal(is_sealed).await).await
    }

    async fn record_usage(&self, batch: &[UsageDelta]) -> Result<(), StoreError> {
        self.write(async |memory| memory.record_usage(batch).await).await
    }

    async fn audit(&self, query: &AuditQuery) -> Result<AuditPage, StoreError> {
        self.read().await?.audit(query).await
    }

    async fn summarize_audit(&self, filter: &AuditFilter) -> Result<AuditSummary, StoreError> {
        self.read().await?.summarize_audit(filter).await
    }

    async fn changes_since(&self, position: Sequence) -> Result<Feed, StoreError> {
        self.read().await?.changes_since(position).await
    }

    async fn position(&self) -> Result<Sequence, StoreError> {
        self.read().await?.position().await
    }

    async fn health(&self) -> Result<(), StoreError> {
        self.read().await.map(drop)
    }
}
